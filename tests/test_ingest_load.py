"""Reading files, with real files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ingest.load import load
from rag.errors import InputError


def write(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return path


@pytest.mark.parametrize(
    ("name", "form"), [("a.md", "md"), ("a.txt", "txt"), ("A.MD", "md"), ("b.Txt", "txt")]
)
def test_text_is_read_with_the_hash_of_its_bytes(tmp_path: Path, name: str, form: str) -> None:
    data = "Số: 5\nHà Nội".encode()
    loaded = load(write(tmp_path, name, data))
    assert loaded.text == "Số: 5\nHà Nội"
    assert loaded.format == form
    assert loaded.sha256 == hashlib.sha256(data).hexdigest()
    assert loaded.pages == ()
    assert loaded.properties == {}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark_make_no_difference(
    tmp_path: Path, end: str, mark: bytes
) -> None:
    path = write(tmp_path, "a.md", mark + f"một{end}hai{end}".encode())
    assert load(path).text == "một\nhai\n"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.md", b"", "empty file"),
        ("blank.txt", b" \n\t\r\n ", "empty file"),
        ("nothing.md", "\ufeff\u00a0\n".encode(), "empty file"),
        ("picture.md", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "damaged file"),
        ("zero.md", b"abc\x00\xffdef", "NUL at byte 3"),
        ("noise.md", b"\x01\x02\x03abc\x04\x05", "binary file"),
        ("greek.txt", "αβγ δεζ".encode("iso-8859-7"), "byte 0 is 0xe1"),
        ("book.docx", b"abc", "no DOCX file inside"),
        ("book.pdf", b"abc", "no PDF file inside"),
        ("packed.txt", b"\x1f\x8b\x08\x00\x00\x00", "gzip archive"),
        ("a.xyz", b"text", "unsupported file type .xyz"),
        ("README", b"text", "unsupported file type (no suffix)"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    path = write(tmp_path, name, data)
    with pytest.raises(InputError) as caught:
        load(path)
    message = str(caught.value)
    assert said in message
    assert name in message
    assert "\n" not in message


def test_unsupported_suffix_names_the_supported_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"supported are \.md, \.txt, \.docx"):
        load(write(tmp_path, "a.xls", b"x"))


def test_missing_file_and_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="file not found"):
        load(tmp_path / "none.md")
    with pytest.raises(InputError, match="is a folder"):
        load(tmp_path)


def test_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.md")
    with pytest.raises(InputError, match="not a regular file"):
        load(tmp_path / "a.md")


def test_impossible_path_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        load(tmp_path / ("x" * 5000 + ".md"))
    with pytest.raises(InputError):
        load(Path("a\0b.md"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_an_input_error(tmp_path: Path) -> None:
    path = write(tmp_path, "a.md", b"x")
    path.chmod(0)
    with pytest.raises(InputError, match="cannot read"):
        load(path)


def test_amounts_in_pounds_stay_what_they_are(tmp_path: Path) -> None:
    text = "Schools will share £41.8 billion, up £2.1 billion on the £39.7 billion of this year."
    path = tmp_path / "schools.md"
    path.write_text(text, encoding="utf-8")
    assert load(path).text == text
