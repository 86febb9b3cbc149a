"""What a person says about a release, in a sidecar or a manifest, and what is refused."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.load import Loaded
from ingest.overrides import FIELDS, Manifest, clean, is_sidecar, overrides_for
from ingest.release import read_release
from ingest.sources import Document, Sources
from rag.errors import InputError

TEXT = "Số: 5/TC-UBND\n\nLạc Sơn, ngày 2 tháng 3 năm 2024\n\nTHÔNG CÁO BÁO CHÍ\n\nVề một việc\n"


def at(path: Path) -> Document:
    return Document(str(path), path, path.suffix)


def refused(error: pytest.ExceptionInfo[InputError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


# --- sidecars -----------------------------------------------------------------------------------


def test_a_sidecar_goes_before_the_text_and_the_properties(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    (tmp_path / "a.pdf.meta.json").write_text(
        '\ufeff{"number": " 6/TC-UBND ", "issued": "2024-03-05", "signer": null}', encoding="utf-8"
    )
    overrides = overrides_for(at(file))
    assert overrides == {"number": "6/TC-UBND", "issued": "2024-03-05", "signer": ""}
    loaded = Loaded(TEXT, (), "0" * 64, "md", {"title": "Ignored", "subject": "Đê điều"})
    release = read_release(loaded, "a.pdf", overrides)
    assert (release.number, release.issued) == ("6/TC-UBND", date(2024, 3, 5))
    assert (release.title, release.subject) == ("Về một việc", "Đê điều")
    origin = dict(release.provenance)
    assert origin["number"] == origin["issued"] == "sidecar"
    assert (origin["title"], origin["subject"]) == ("text", "properties")


def test_a_sidecar_can_say_that_there_is_none() -> None:
    release = read_release(Loaded(TEXT, (), "0" * 64, "md"), "a.md", {"place": ""})
    assert release.place is None
    assert "place" not in dict(release.provenance)


def test_metadata_does_not_change_the_identity_of_a_release() -> None:
    loaded = Loaded(TEXT, (), "0" * 64, "md")
    assert read_release(loaded, "a", {"title": "B", "language": "en"}).id == (
        read_release(loaded, "a").id
    )


def test_without_a_sidecar_nothing_is_said(tmp_path: Path) -> None:
    assert overrides_for(at(tmp_path / "a.pdf")) == {}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"isued": "2024-03-05"}', "did you mean 'issued'"),
        (b'{"colour": "red"}', "use any of number, title"),
        (b'{"issued": "05/03/2024"}', "write it as YYYY-MM-DD"),
        (b'{"issued": "2024-02-30"}', "write it as YYYY-MM-DD"),
        (b'{"issued": "20240305"}', "write it as YYYY-MM-DD"),
        (b'{"language": "fr"}', "vi or en"),
        (b'{"language": null}', "vi or en"),
        (b'{"number": 5}', "put its value in quotes"),
        (b'{"number": {"a": "b"}}', "put its value in quotes"),
        (b'{"number": "5", "number": "6"}', "stands there twice"),
        (b'{"number": "5",\n}', "line 2: not JSON"),
        (b'["number"]', "not a JSON object"),
        (b"\xff\xfe{", "save it as UTF-8"),
        (b'{"a":' + b"[" * 60000, "nested too deeply"),
        (b'{"number": ' + b"9" * 5000 + b"}", "in quotes"),
        (b'{"title": "' + b"x" * 1001 + b'"}', "at most 1000"),
        (b'{"title": "a\\u0000b"}', "control characters"),
        (b" " * 70000, "larger than 64 KiB"),
    ],
)
def test_a_malformed_sidecar_is_refused_with_the_remedy(
    content: bytes, says: str, tmp_path: Path
) -> None:
    sidecar = tmp_path / "a.pdf.meta.json"
    sidecar.write_bytes(content)
    with pytest.raises(InputError) as error:
        overrides_for(at(tmp_path / "a.pdf"))
    message = refused(error)
    assert says in message
    assert str(sidecar) in message


def test_a_sidecar_is_told_from_a_release() -> None:
    assert is_sidecar("in/report.pdf.meta.json")
    assert is_sidecar(Path("in/REPORT.PDF.META.JSON"))
    assert not is_sidecar("in/report.json")


def test_a_malformed_sidecar_of_a_member_is_named_by_its_archive(tmp_path: Path) -> None:
    packed = tmp_path / "a.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("06/b.md", "Thu ngân sách")
        archive.writestr("06/b.md.meta.json", "{")
    with Sources() as sources:
        [found] = sources.walk([packed])
        assert isinstance(found, Document)
        with pytest.raises(InputError) as error:
            overrides_for(found)
        assert f"{packed}!/06/b.md.meta.json" in refused(error)
        assert str(found.path) not in refused(error)


def test_a_name_that_leaves_no_room_for_a_sidecar_has_none(tmp_path: Path) -> None:
    path = tmp_path / f"{'a' * 251}.txt"
    path.write_text("Thu ngân sách", encoding="utf-8")
    assert overrides_for(at(path)) == {}


def test_a_manifest_may_name_what_no_file_can_be_called(tmp_path: Path) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text(f"file,number\n{'a' * 300}.pdf,5/TC\n", encoding="utf-8")
    [note] = Manifest.load(manifest).unused()
    assert "line 2" in note


# --- manifests ----------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_manifest_goes_before_a_sidecar(separator: str, tmp_path: Path) -> None:
    rows = [["file", "Number", "issued", "title"], ["b/a.pdf", "7/TB", "2024-03-05", ""]]
    path = tmp_path / "list.csv"
    path.write_text("\n".join(separator.join(row) for row in rows), encoding="utf-8-sig")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.pdf").touch()
    (tmp_path / "b" / "a.pdf.meta.json").write_text('{"number": "6/TB", "title": "A"}')
    manifest = Manifest.load(path)
    overrides = overrides_for(at(tmp_path / "b" / "a.pdf"), manifest)
    assert overrides == {
        "title": "A",
        "manifest:number": "7/TB",
        "manifest:issued": "2024-03-05",
    }
    origin = dict(read_release(Loaded(TEXT, (), "", "md"), "a", overrides).provenance)
    assert (origin["number"], origin["title"], origin["kind"]) == ("manifest", "sidecar", "text")


def test_a_manifest_names_files_members_and_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "beside.md").touch()
    path = tmp_path / "lists" / "list.csv"
    path.write_text(
        "file,number\nbeside.md,1\nin/a.md,2\n"
        f'in/a.zip!/b/c.docx,3\nhttps://x.example/a?b=1,4\n"{tmp_path}/in/d.md",5\n'
        "in/gone.md,6\n",
        encoding="utf-8",
    )
    manifest = Manifest.load(path)
    names = ["lists/beside.md", "./in/a.md", "in/a.zip!/b/c.docx", "https://x.example/a?b=1"]
    found = [manifest.row(name).get("number") for name in [*names, "in/d.md", "in/e.md"]]
    assert found == ["1", "2", "3", "4", "5", None]
    (left,) = manifest.unused()
    assert "line 7" in left
    assert "in/gone.md" in left


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("name,number\na.md,1\n", "line 1: no column 'file'"),
        ("", "line 1: no column 'file'"),
        ("file,nummer\na.md,1\n", "did you mean 'number'"),
        ("file,number,number\na.md,1,2\n", "stands there twice"),
        ("file,issued\na.md,2024-03-05\nb.md,5.3.2024\n", "line 3: issued '5.3.2024'"),
        ("file,number\na.md,1,2\n", "line 2: 3 cells under 2 columns"),
        ("file,number\n,1\n", "line 2: no file"),
        ("file,number\na.md,1\nb.md,2\n./a.md,3\n", "line 4: ./a.md stands in line 2 too"),
        ('file,number\na.md,"1"2\n', "line 2: not CSV"),
        ("file,language\na.md,de\n", "vi or en"),
    ],
)
def test_a_malformed_manifest_is_refused_with_the_line(
    content: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as error:
        Manifest.load(path)
    message = refused(error)
    assert says in message
    assert str(path) in message


def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read the manifest .*none\.csv"):
        Manifest.load(tmp_path / "none.csv")
    (tmp_path / "old.csv").write_bytes("file,number\ná,1".encode("cp1252"))
    with pytest.raises(InputError, match="not UTF-8"):
        Manifest.load(tmp_path / "old.csv")


@given(st.sampled_from(FIELDS), st.text())
def test_a_clean_value_is_one_line_and_stays_as_it_is(name: str, value: str) -> None:
    try:
        kept = clean(name, value)
    except ValueError:
        return
    assert "\n" not in kept
    assert clean(name, kept) == kept


# --- properties of the file ---------------------------------------------------------------------

SILENT = "The river rose 3.5 metres in May. It flooded 40 villages, and 2,000 people moved."


def test_properties_stand_in_where_the_text_is_silent() -> None:
    properties = {
        "title": "Flood report\u200b",
        "subject": "Floods in May",
        "author": "Ministry of Water",
        "created": "2021-06-24T09:30:00+07:00",
    }
    release = read_release(Loaded(SILENT, (), "", "pdf", properties), "a.pdf")
    assert (release.title, release.subject) == ("Flood report", "Floods in May")
    assert (release.issuer, release.issued) == ("Ministry of Water", date(2021, 6, 24))
    assert dict(release.provenance) == {
        "title": "properties",
        "issuer": "properties",
        "issued": "properties",
        "subject": "properties",
        "language": "text",
    }


@pytest.mark.parametrize(
    "properties",
    [
        {"title": "Microsoft Word - 04 TC.doc"},
        {"title": "untitled"},
        {"title": "scan_0012.pdf"},
        {"title": "Document1"},
        {"author": "admin"},
        {"author": "Nguyễn Văn An"},
        {"from": '"Jane Doe" <jane@x.example>'},
        {"created": "1970-01-01"},
        {"created": "2999-01-01"},
        {"created": "last week"},
        {"title": "x" * 500},
    ],
)
def test_properties_that_say_nothing_of_the_release_are_left_out(
    properties: dict[str, str],
) -> None:
    release = read_release(Loaded(SILENT, (), "", "pdf", properties), "a.pdf")
    assert dict(release.provenance) == {"language": "text"}


def test_the_sender_of_a_message_may_be_the_issuer() -> None:
    properties = {"from": '"Ministry of Water" <press@water.example>'}
    release = read_release(Loaded(SILENT, (), "", "eml", properties), "a.eml")
    assert release.issuer == "Ministry of Water"
