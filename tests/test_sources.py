"""Finding documents in files, folders and ZIP archives, with real ones."""

from __future__ import annotations

import io
import os
import shutil
import stat
import struct
import subprocess
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.failure import Failure
from ingest.overrides import overrides_for
from ingest.sources import Document, SourceOptions, Sources, Unchanged, discover
from rag.errors import InputError


def write(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return path


def test_folder_gives_supported_files_at_any_depth_in_order(tmp_path: Path) -> None:
    kept = [
        write(tmp_path, "a.md", "x"),
        write(tmp_path, "b/c.TXT", "x"),
        write(tmp_path, "b/d.md", "x"),
    ]
    for name in ("note.pdfx", ".hidden.md", ".git/e.md", "b/.f/g.txt"):
        write(tmp_path, name, "x")
    assert discover([tmp_path]) == kept


def test_files_are_taken_as_given_and_once(tmp_path: Path) -> None:
    odd = write(tmp_path, "z.odt", "x")
    first = write(tmp_path, "b.md", "x")
    second = write(tmp_path, "a.md", "x")
    again = tmp_path / "." / "b.md"
    assert discover([odd, first, again, tmp_path]) == [odd, first, second]


def test_links_out_of_the_folder_are_skipped(tmp_path: Path) -> None:
    outside = write(tmp_path, "outside/secret.md", "x")
    folder = tmp_path / "in"
    inside = write(folder, "z.md", "x")
    (folder / "link.md").symlink_to(outside)
    (folder / "again.md").symlink_to(inside)
    (folder / "dir").symlink_to(tmp_path / "outside", target_is_directory=True)
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "broken.md").symlink_to(folder / "none.md")
    assert discover([folder]) == [inside]


def test_nothing_and_an_empty_folder_give_nothing(tmp_path: Path) -> None:
    assert discover([]) == []
    assert discover([tmp_path]) == []


def test_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="path not found"):
        discover([tmp_path / "none"])


# Walking


def walk(
    paths: Sequence[str | Path], options: SourceOptions | None = None
) -> list[Document | Failure | Unchanged]:
    with Sources(options or SourceOptions()) as sources:
        return list(sources.walk(paths))


def texts(paths: Sequence[str | Path], options: SourceOptions | None = None) -> dict[str, str]:
    """What each document holds, by its source; nothing may fail."""
    with Sources(options or SourceOptions()) as sources:
        found = {}
        for each in sources.walk(paths):
            assert isinstance(each, Document), each
            assert each.path.name.lower().endswith(each.suffix)
            found[each.source] = each.path.read_text("utf-8")
        return found


def failures(found: Sequence[Document | Failure | Unchanged]) -> dict[str, str]:
    """The reasons by source; each one line with a remedy."""
    told = {each.source: each.reason for each in found if isinstance(each, Failure)}
    for each in found:
        if isinstance(each, Failure):
            assert each.stage in ("find", "fetch")
            assert "\n" not in each.reason
            assert "; " in each.reason, f"no remedy: {each.reason}"
    return told


def test_a_folder_and_a_file_in_it_give_each_document_once(tmp_path: Path) -> None:
    write(tmp_path, "b/two.md", "two")
    one = write(tmp_path, "one.txt", "one")
    write(tmp_path, "picture.xyz", "no")
    assert texts([str(one), tmp_path]) == {
        str(one): "one",
        str(tmp_path / "b" / "two.md"): "two",
    }


def test_a_given_file_of_any_type_is_left_to_the_reader_to_judge(tmp_path: Path) -> None:
    odd = write(tmp_path, "z.odd", "x")
    bare = write(tmp_path, "README", "x")
    assert walk([odd, bare]) == [
        Document(str(odd), odd, ".odd"),
        Document(str(bare), bare, ""),
    ]


def test_what_cannot_be_found_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    kept = write(tmp_path, "a.md", "x")
    missing = tmp_path / "none.md"
    found = walk([missing, "a\0b.md", kept])
    assert [each.source for each in found if isinstance(each, Document)] == [str(kept)]
    told = failures(found)
    assert "path not found" in told[str(missing)]
    assert len(told) == 2


def test_a_file_whose_name_is_no_text_is_told(tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/\xff.md")).write_bytes(b"x")
    write(tmp_path, "two\nlines.md", "x")
    kept = write(tmp_path, "ok.md", "x")
    found = walk([tmp_path])
    assert [each.source for each in found if isinstance(each, Document)] == [str(kept)]
    assert len(failures(found)) == 2
    for told in failures(found).values():
        told.encode("utf-8")
        assert "rename" in told


@pytest.mark.parametrize(
    ("include", "exclude", "kept"),
    [
        ((), (), {"a.md", "2021/b.md", "2021/06/c.txt", "2022/tháng.md"}),
        (("*.md",), (), {"a.md", "2021/b.md", "2022/tháng.md"}),
        (("2021/*",), (), {"2021/b.md", "2021/06/c.txt"}),
        (("2021/*.TXT",), (), {"2021/06/c.txt"}),
        (("*.md",), ("2021/*",), {"a.md", "2022/tháng.md"}),
        ((unicodedata.normalize("NFD", "tháng*"),), (), {"2022/tháng.md"}),
        ((), ("*",), set()),
    ],
)
def test_patterns_choose_what_is_taken_from_folders_and_archives(
    tmp_path: Path, include: tuple[str, ...], exclude: tuple[str, ...], kept: set[str]
) -> None:
    names = ["a.md", "2021/b.md", "2021/06/c.txt", "2022/tháng.md"]
    options = SourceOptions(include=include, exclude=exclude)
    for name in names:
        write(tmp_path / "in", name, name)
    found = texts([tmp_path / "in"], options)
    assert {Path(each).relative_to(tmp_path / "in").as_posix() for each in found} == kept
    packed = pack(tmp_path / "a.zip", {name: name for name in names})
    assert {each.split("!/")[1] for each in texts([packed], options)} == kept


def test_patterns_keep_out_an_archive_of_a_folder(tmp_path: Path) -> None:
    pack(tmp_path / "old.zip", {"a.md": "x"})
    kept = pack(tmp_path / "new.zip", {"a.md": "x"})
    options = SourceOptions(include=("*.md",), exclude=("old*",))
    assert list(texts([tmp_path], options)) == [f"{kept}!/a.md"]


# Archives


def pack(path: Path, members: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_members_come_in_order_under_the_name_of_the_archive(tmp_path: Path) -> None:
    write(tmp_path, "z.md", "last")
    packed = pack(
        tmp_path / "a.zip",
        {
            "b/two.md": "two",
            "b/": "",
            "one.TXT": "one",
            ".hidden.md": "no",
            "__MACOSX/._one.txt": "no",
            "tool.exe": "no",
        },
    )
    found = texts([tmp_path])
    assert list(found.items()) == [
        (f"{packed}!/b/two.md", "two"),
        (f"{packed}!/one.TXT", "one"),
        (str(tmp_path / "z.md"), "last"),
    ]


def test_the_temporary_files_are_gone_afterwards_and_earlier_when_discarded(tmp_path: Path) -> None:
    packed = pack(tmp_path / "a.zip", {"a.md": "a", "b.md": "b"})
    plain = write(tmp_path, "c.md", "c")
    with Sources() as sources:
        first, second, third = [
            each for each in sources.walk([packed, plain]) if isinstance(each, Document)
        ]
        sources.discard(first)
        sources.discard(third)
        assert not first.path.exists()
        assert second.path.exists()
    assert not second.path.parent.exists()
    assert plain.exists()


def test_what_is_said_of_releases_is_no_release_itself(tmp_path: Path) -> None:
    release = write(tmp_path, "a.md", "Thu ngân sách")
    sidecar = write(tmp_path, "a.md.meta.json", "{}")
    lost = write(tmp_path, "b.md.meta.json", "{}")
    for name in ("known.csv", "known.txt"):
        manifest = write(tmp_path, name, "file,number\na.md,5/TC\n")
        with Sources(manifest=manifest) as sources:
            found = list(sources.walk([tmp_path, release, sidecar, manifest]))
        assert [each.source for each in found] == [str(release)]
        manifest.unlink()
    with Sources() as sources:
        [told] = sources.walk([lost])
    assert told.source == str(lost)


def test_the_sidecar_of_a_member_is_found_beside_it(tmp_path: Path) -> None:
    members = {
        "b/a.md": "a",
        "b/a.md.meta.json": '{"number": "5/TC"}',
        "b/c.md": "c",
        "c.md.meta.json": '{"number": "6/TC"}',
    }
    with Sources() as sources:
        first, second = sources.walk([pack(tmp_path / "a.zip", members)])
        assert isinstance(first, Document)
        assert isinstance(second, Document)
        assert overrides_for(first) == {"number": "5/TC"}
        assert overrides_for(second) == {}
        sources.discard(first)
        assert list(first.path.parent.iterdir()) == [second.path]


def test_an_archive_in_an_archive_is_entered_and_one_in_that_is_told(tmp_path: Path) -> None:
    inner = pack(tmp_path / "deep.zip", {"x.md": "x"}).read_bytes()
    middle = pack(tmp_path / "middle.zip", {"y.md": "y", "deep.zip": inner}).read_bytes()
    outer = pack(tmp_path / "outer.zip", {"middle.zip": middle, "z.md": "z"})
    found = walk([outer])
    assert [each.source for each in found if isinstance(each, Document)] == [
        f"{outer}!/middle.zip!/y.md",
        f"{outer}!/z.md",
    ]
    assert list(failures(found)) == [f"{outer}!/middle.zip!/deep.zip"]


LEADING_OUT = [
    "../out.md",
    "a/../../out.md",
    "/tmp/out.md",
    "C:/out.md",
    "c:out.md",
    "..\\out.md",
    "\\\\host\\share\\out.md",
]


@pytest.mark.parametrize("name", LEADING_OUT)
def test_a_name_that_leads_out_of_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    packed = pack(tmp_path / "a.zip", {name: "bad", "good.md": "good"})
    found = walk([packed])
    assert [each.source for each in found if isinstance(each, Document)] == [f"{packed}!/good.md"]
    (told,) = failures(found).values()
    assert "leads out" in told


def special(name: str, mode: int, data: str = "x") -> tuple[zipfile.ZipInfo, str]:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info, data


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(*special("link.md", stat.S_IFLNK | 0o777, "/etc/passwd"))
        archive.writestr(*special("pipe.md", stat.S_IFIFO | 0o644))
        archive.writestr(*special("plain.md", stat.S_IFREG | 0o644))
    found = walk([path])
    assert [each.source for each in found if isinstance(each, Document)] == [f"{path}!/plain.md"]
    told = failures(found)
    assert "symbolic link" in told[f"{path}!/link.md"]
    assert "not a regular file" in told[f"{path}!/pipe.md"]


@pytest.mark.skipif(not shutil.which("zip"), reason="needs the zip program")
def test_an_encrypted_member_is_told_whatever_made_it(tmp_path: Path) -> None:
    write(tmp_path, "secret.md", "secret")
    subprocess.run(["zip", "-q", "-P", "password", "a.zip", "secret.md"], cwd=tmp_path, check=True)
    (told,) = failures(walk([tmp_path / "a.zip"])).values()
    assert "encrypted" in told


def test_an_encrypted_member_is_told(tmp_path: Path) -> None:
    packed = pack(tmp_path / "a.zip", {"secret.md": "secret", "open.md": "open"})
    data = bytearray(packed.read_bytes())
    # The flags of the first entry, before the member and in the table of contents.
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    packed.write_bytes(data)
    found = walk([packed])
    assert [each.source for each in found if isinstance(each, Document)] == [f"{packed}!/open.md"]
    assert "encrypted" in failures(found)[f"{packed}!/secret.md"]


def test_an_unusual_compression_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.md", "x" * 100, zipfile.ZIP_LZMA)
    (told,) = failures(walk([path])).values()
    assert "pack it again" in told


def test_a_member_that_occurs_twice_is_taken_once(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/b.md", "first")
        archive.writestr("a//b.md", "second")
    found = walk([path])
    assert isinstance(found[0], Document)
    assert "twice" in failures(found)[f"{path}!/a/b.md"]
    assert len(found) == 2


def test_a_decompression_bomb_is_stopped_early(tmp_path: Path) -> None:
    bomb = pack(tmp_path / "a.zip", {"bomb.md": bytes(64 << 20), "good.md": "good"})
    assert bomb.stat().st_size < 100_000
    with Sources() as sources:
        found = list(sources.walk([bomb]))
        assert [each.source for each in found if isinstance(each, Document)] == [f"{bomb}!/good.md"]
        assert "decompression bomb" in failures(found)[f"{bomb}!/bomb.md"]


def test_sizes_are_counted_and_not_believed(tmp_path: Path) -> None:
    packed = pack(tmp_path / "a.zip", {"a.md": os.urandom(5000).hex()})
    data = bytearray(packed.read_bytes())
    table = data.index(b"PK\x01\x02")
    # Both headers say that the member unpacks to ten bytes.
    struct.pack_into("<I", data, 22, 10)
    struct.pack_into("<I", data, table + 24, 10)
    packed.write_bytes(data)
    assert "damaged" in next(iter(failures(walk([packed])).values()))


def test_a_member_that_unpacks_to_too_much_is_told(tmp_path: Path) -> None:
    packed = pack(tmp_path / "a.zip", {"a.md": "x" * 1001, "b.md": "x" * 1000})
    found = walk([packed], SourceOptions(max_bytes=1000))
    assert [each.source for each in found if isinstance(each, Document)] == [f"{packed}!/b.md"]
    assert "more than 1,000 bytes" in failures(found)[f"{packed}!/a.md"]


def test_an_archive_stops_at_its_limits(tmp_path: Path) -> None:
    packed = pack(tmp_path / "a.zip", {f"{number}.md": "x" * 1000 for number in range(20)})
    found = walk([packed], SourceOptions(max_total_bytes=5500))
    assert len([each for each in found if isinstance(each, Document)]) == 5
    assert "unpacks to more than" in failures(found)[str(packed)]
    assert len(failures(found)) == 1
    found = walk([packed], SourceOptions(max_members=19))
    assert "more than 19 members" in failures(found)[str(packed)]
    assert len(found) == 1


def test_archives_within_share_the_limits_of_the_outer_one(tmp_path: Path) -> None:
    inner = pack(tmp_path / "i.zip", {f"{number}.md": "x" * 1000 for number in range(4)})
    data = inner.read_bytes()
    outer = pack(tmp_path / "o.zip", {f"{number}.zip": data for number in range(4)})
    found = walk([outer], SourceOptions(max_members=10))
    assert len([each for each in found if isinstance(each, Document)]) == 4
    assert len(failures(found)) == 3


def test_a_huge_table_of_contents_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    size = 200 << 20
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, size, 0, 0)
    with path.open("wb") as file:
        file.truncate(size)
        file.seek(size)
        file.write(end)
    assert "members" in failures(walk([path]))[str(path)]


def entry(name: bytes, flags: int = 0) -> bytes:
    """An archive with one member, the name in bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("n" * len(name), "text")
    data = bytearray(packed.getvalue().replace(b"n" * len(name), name))
    table = data.index(b"PK\x01\x02")
    data[7] |= flags >> 8
    data[table + 9] |= flags >> 8
    return bytes(data)


@pytest.mark.parametrize(
    ("stored", "flags"),
    [
        ("Thông cáo số 5 của Sở Y tế.md".encode(), 0x800),
        ("Thông cáo số 5 của Sở Y tế.md".encode(), 0),
        (unicodedata.normalize("NFD", "Thông cáo số 5 của Sở Y tế.md").encode(), 0),
    ],
)
def test_vietnamese_names_are_read_with_and_without_the_flag(
    tmp_path: Path, stored: bytes, flags: int
) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(entry(stored, flags))
    assert texts([path]) == {f"{path}!/Thông cáo số 5 của Sở Y tế.md": "text"}


def test_names_in_code_pages_are_read(tmp_path: Path) -> None:
    # What Windows in Vietnamese stores: letters of code page 1258 with tone marks after them.
    path = tmp_path / "a.zip"
    path.write_bytes(entry(b"Th\xf4ng c\xe1o th\xec\xe1ng.md"))
    assert next(iter(texts([path]))).split("!/")[1].startswith("Thông cáo")
    path.write_bytes(entry("café £5.md".encode("cp437")))
    assert next(iter(texts([path]))) == f"{path}!/café £5.md"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        b"not an archive at all",
        b"PK\x05\x06" + b"\xff" * 18,
        entry(b"a.md")[:-30],
        entry(b"a.md")[:20] + b"\xff" * 20 + entry(b"a.md")[40:],
        entry(b"\xff\xfe.md", 0x800),
    ],
)
def test_a_damaged_archive_is_told(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    found = walk([path])
    assert failures(found)
    assert not [each for each in found if isinstance(each, Document)]


@given(st.data())
def test_damage_anywhere_never_stops_the_walk(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    packed = bytearray(pack(folder / "a.zip", {"a.md": "x" * 50, "b.md": "y"}).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    path = folder / "b.zip"
    path.write_bytes(packed)
    after = write(folder, "after.md", "x")
    found = walk([path, after])
    failures(found)
    assert found[-1] == Document(str(after), after, ".md")


NAMES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(LEADING_OUT),
    st.lists(st.sampled_from(["..", ".", "a", "/", "\\", "C:", "~", "\0", "ế"])).map("/".join),
)


@given(st.lists(NAMES, min_size=1, max_size=5, unique=True))
def test_whatever_the_names_nothing_is_written_outside_the_temporary_folder(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("names")
    path = folder / "work" / "a.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name + ".md"
            archive.writestr(info, "text")
    with Sources() as sources:
        for each in sources.walk([path]):
            if isinstance(each, Document):
                assert each.path.resolve().parent == each.path.parent.resolve()
                assert each.path.parent.name.startswith("release-qa-")
                assert each.path.read_text("utf-8") == "text"
                assert ".." not in each.source.split("!/")[1].split("/")
                each.source.encode("utf-8")
    assert [each for each in folder.rglob("*") if each.is_file()] == [path]


# Gone


def test_a_file_and_a_member_are_gone_when_they_are(tmp_path: Path) -> None:
    kept = write(tmp_path, "a.md", "x")
    packed = pack(tmp_path / "a.zip", {"b/c.md": "x"})
    odd = write(tmp_path, "odd!/d.md", "x")
    damaged = write(tmp_path, "damaged.zip", "x")
    with Sources() as sources:
        here = [str(kept), f"{packed}!/b/c.md", str(odd), f"{damaged}!/a.md"]
        assert not any(sources.gone(source) for source in here)
        gone = [str(tmp_path / "n.md"), f"{packed}!/c.md", f"{tmp_path}/no.zip!/a.md"]
        assert all(sources.gone(source) for source in gone)
