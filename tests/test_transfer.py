"""A collection as one file: out and in again it is the same, and a damaged file changes nothing."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import tiny

from ingest import ingest, verify
from ingest.__main__ import main
from ingest.transfer import export_collection, import_collection
from rag.archive import Archive, pack
from rag.embedding import Embedder, Head
from rag.errors import InputError, StoreError
from rag.settings import Settings


def written(folder: Path, names: str) -> Path:
    folder.mkdir()
    for name in names:
        text = f"# Báo cáo {name}\n\nThu của huyện {name} đạt 5 tỷ đồng.\n\n# Chi\n\nChi {name}.\n"
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def filled(tmp_path: Path) -> Settings:
    settings = Settings(data_dir=tmp_path / "filled")
    folder = written(tmp_path / "in", "ABC")
    (folder / "copy.md").write_bytes((folder / "A.md").read_bytes())
    (folder / "B.md.meta.json").write_text('{"number": "7/TC-MAU", "issued": "2024-05-31"}')
    ingest([folder], settings, embedder=tiny())
    return settings


@pytest.fixture
def file(filled: Settings, tmp_path: Path) -> Path:
    export_collection(tmp_path / "all.zip", filled)
    return tmp_path / "all.zip"


def content(settings: Settings) -> list[object]:
    with Archive.open(settings) as archive:
        ids = archive.release_ids()
        return [
            archive.releases(),
            archive.sources(),
            archive.passage_ids(),
            [list(archive.packed(name)) for name in ids],
            [pack(archive.header(name)) for name in ids],
        ]


def test_what_goes_out_comes_in_without_the_model(
    filled: Settings, file: Path, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    moved = import_collection(file, settings, embedder=tiny())
    assert (moved.releases, moved.sources, moved.embedded) == (3, 4, 0)
    assert content(settings) == content(filled)
    assert verify(settings) == []
    again = ingest([tmp_path / "in"], settings, embedder=tiny())
    assert (len(again.unchanged), again.embedded) == (4, 0)


def test_a_second_import_brings_nothing(file: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    import_collection(file, settings, embedder=tiny())
    before = content(settings)
    moved = import_collection(file, settings, embedder=tiny())
    assert (moved.releases, moved.sources, moved.passages) == (0, 0, 0)
    assert content(settings) == before


def test_what_is_there_already_stays(filled: Settings, file: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "other")
    ingest([written(tmp_path / "more", "AD")], settings, embedder=tiny())
    moved = import_collection(file, settings, embedder=tiny())
    assert (moved.releases, moved.sources) == (2, 4)
    with Archive.open(settings) as archive, Archive.open(filled) as source:
        assert set(archive.sources()) > set(source.sources())
        (a,) = (release for release in archive.releases() if "Báo cáo A" in release.text)
        assert a.source == str(tmp_path / "more" / "A.md")
        assert len(archive.releases()) == 4
    assert verify(settings) == []


def test_encodings_of_another_model_are_made_again(file: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    other = Embedder(tiny().encoder, Head("other", {}, None, {}, 0))
    moved = import_collection(file, settings, embedder=other)
    assert moved.embedded == moved.passages > 0
    assert verify(settings) == []


def edited(file: Path, change: Callable[[list[dict[str, object]]], object]) -> None:
    """Write the file again with other records, checksum and counts left as they were."""
    with zipfile.ZipFile(file) as source:
        head = source.read("collection.json")
        records = [json.loads(line) for line in source.read("records.jsonl").splitlines()]
    change(records)
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("collection.json", head)
        target.writestr("records.jsonl", "".join(json.dumps(each) + "\n" for each in records))


def headed(file: Path, **values: object) -> None:
    with zipfile.ZipFile(file) as source:
        head = {**json.loads(source.read("collection.json")), **values}
        records = source.read("records.jsonl")
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("collection.json", json.dumps(head))
        target.writestr("records.jsonl", records)


def flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0x55
    file.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-200]),
    "a byte": flipped,
    "no zip": lambda file: file.write_text("hello", encoding="utf-8"),
    "empty": lambda file: file.write_bytes(b""),
    "gone": lambda file: file.unlink(),
    "another zip": lambda file: zipfile.ZipFile(file, "w").close(),
    "newer": lambda file: headed(file, version=2),
    "other format": lambda file: headed(file, format="x"),
    "checksum": lambda file: headed(file, sha256="0" * 64),
    "counts": lambda file: headed(file, passages=1),
    "less": lambda file: edited(file, lambda records: records.pop()),
    "more": lambda file: edited(file, lambda records: records.append(records[-1])),
    "text": lambda file: edited(
        file, lambda records: next(r for r in records if "release" in r)["release"].update(text="x")  # type: ignore[attr-defined]
    ),
    "outside": lambda file: edited(
        file, lambda records: records[-1]["passage"].update(end=10_000)  # type: ignore[attr-defined]
    ),
    "no record": lambda file: edited(file, lambda records: records.insert(0, {"other": {}})),
    "extra key": lambda file: edited(
        file, lambda records: records[0]["source"].update(run="rm")  # type: ignore[attr-defined]
    ),
    "encoding": lambda file: edited(
        file, lambda records: records[-1]["passage"].update(encoded="AAAA")  # type: ignore[attr-defined]
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_before_anything_changes(
    damage: str, file: Path, tmp_path: Path
) -> None:
    DAMAGES[damage](file)
    settings = Settings(data_dir=tmp_path / "new")
    with pytest.raises(InputError) as caught:
        import_collection(file, settings, embedder=tiny())
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)
    assert not settings.data_dir.exists()


def test_nothing_to_export_and_nowhere_to(filled: Settings, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing to export"):
        export_collection(tmp_path / "x.zip", Settings(data_dir=tmp_path / "empty"))
    with pytest.raises(StoreError, match="cannot write"):
        export_collection(tmp_path / "no" / "x.zip", filled)
    assert not (tmp_path / "x.zip").exists()


def test_on_the_command_line(
    filled: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.zip"
    assert main(["--export", str(out), "--data-dir", str(filled.data_dir), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["releases"] == 3
    assert [path.name for path in tmp_path.glob("*export*")] == []
    assert main(["--import", str(tmp_path / "no.zip"), "--data-dir", str(tmp_path / "v")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert zipfile.ZipFile(io.BytesIO(out.read_bytes())).testzip() is None
