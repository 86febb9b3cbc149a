"""Files damaged at random, a fixed number of each format: read, or named with a remedy."""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import legacy_text
import pytest
import release_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import feeds
from ingest.failure import Failure
from ingest.isolate import Job, Limits, Readers
from ingest.overrides import Manifest, overrides_for
from ingest.sources import Document
from rag.errors import InputError
from rag.schema import Release

MARKDOWN = """\
ỦY BAN NHÂN DÂN TỈNH TÂN GIANG

Số: 15/TC-UBND

Tân Giang, ngày 30 tháng 3 năm 2023

# Kinh tế quý I năm 2023

## 1. Ngân sách

Thu ngân sách **quý I** đạt 4.512,7 tỷ đồng, tăng 8,4% so với cùng kỳ.

| Chỉ tiêu | Quý I | Kế hoạch |
| --- | --- | --- |
| Thu | 4.512,7 | 18.300 |
| Chi | 3.201 | 17.950 |

- Giải ngân 1.206 tỷ đồng;
- Xuất khẩu 182,4 triệu USD.
"""
"""Made up for the tests."""
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "drop", "repeat", "insert", "swap"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(1, 400),
        st.binary(min_size=1, max_size=12),
    ),
    min_size=1,
    max_size=6,
)
Edits = list[tuple[str, float, int, bytes]]


def damaged(data: bytes, edits: Edits) -> bytes:
    """The bytes after some edits, each at a share of the length."""
    for kind, share, length, more in edits:
        at = int(share * len(data))
        end = min(len(data), at + length)
        if kind == "flip" and data:
            data = data[:at] + bytes([data[at] ^ (more[0] or 1)]) + data[at + 1 :]
        elif kind == "cut":
            data = data[:at]
        elif kind == "drop":
            data = data[:at] + data[end:]
        elif kind == "repeat":
            data = data[:end] + data[at:end] * 3 + data[end:]
        elif kind == "insert":
            data = data[:at] + more + data[at:]
        elif kind == "swap":
            data = data[end:] + data[:at] + data[at:end]
    return data


class Format(NamedTuple):
    cases: int
    make: Callable[[Path], Path]
    """Writes a whole file into a folder."""
    needs: str | None = None
    packed: bool = False
    """A ZIP whose members are damaged, so that the damage reaches the parser behind it."""


def _text(name: str, encode: Callable[[str], bytes]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(encode(MARKDOWN))
        return path

    return make


def _word(folder: Path, suffix: str) -> Path:
    path = release_files.write_docx(folder / "made.docx", release_files.paragraphs(MARKDOWN))
    return path if suffix == ".docx" else release_files.convert(path, suffix)


def _picture(folder: Path, suffix: str) -> Path:
    from PIL import Image, ImageDraw

    picture = Image.new("L", (500, 80), 255)
    ImageDraw.Draw(picture).text((10, 20), "Revenue reached 608.5 billion", fill=0, font_size=28)
    picture.save(folder / f"made{suffix}")
    return folder / f"made{suffix}"


def _office(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(_word(folder, path.suffix).read_bytes())
    return path


FORMATS = {
    "md": Format(60, _text("made.md", str.encode)),
    "txt": Format(60, _text("made.txt", str.encode)),
    "utf-16": Format(60, _text("utf-16.txt", lambda text: text.encode("utf-16"))),
    "vni": Format(60, _text("vni.txt", legacy_text.vni)),
    "pdf": Format(
        80,
        lambda folder: release_files.write_pdf(
            folder / "made.pdf", release_files.paragraphs(MARKDOWN)
        ),
    ),
    "letter": Format(15, lambda folder: release_files.write_letter(folder / "letter.pdf")),
    "docx": Format(60, lambda folder: _word(folder, ".docx")),
    "docx inside": Format(100, lambda folder: _word(folder, ".docx"), packed=True),
    "html": Format(
        60,
        lambda folder: release_files.write_html(
            folder / "made.html", release_files.html_body(release_files.paragraphs(MARKDOWN))
        ),
    ),
    "eml": Format(60, lambda folder: release_files.write_eml(folder / "made.eml")),
    "rtf": Format(60, lambda folder: _office(folder, "office.rtf"), "soffice"),
    "doc": Format(5, lambda folder: _office(folder, "office.doc"), "soffice"),
    "odt inside": Format(5, lambda folder: _office(folder, "office.odt"), "soffice", packed=True),
    "png": Format(25, lambda folder: _picture(folder, ".png"), "tesseract"),
    "jpg": Format(15, lambda folder: _picture(folder, ".jpg"), "tesseract"),
    "tif": Format(15, lambda folder: _picture(folder, ".tif"), "tesseract"),
}


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    with Readers(limits=Limits(seconds=30)) as opened:
        yield opened


def outcome(readers: Readers, path: Path) -> Release | Failure:
    document = Document(str(path), path, path.suffix.lower())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    [(_, found)] = readers.read([Job(document, {}, digest)])
    return found


def hold(found: Release | Failure, path: Path) -> None:
    """A release that is whole in itself, or a failure of one line with the file and a remedy."""
    if isinstance(found, Failure):
        assert found.stage == "read"
        assert found.reason.isprintable()
        assert str(path) in found.reason
        assert "; " in found.reason
        assert "not read within" not in found.reason
        return
    text = found.text
    assert text.strip()
    assert "\r" not in text
    assert "\0" not in text
    text.encode("utf-8")
    pages, sections = list(found.pages), found.sections
    assert pages == sorted(pages)
    assert all(0 <= start <= len(text) for start in pages)
    assert all(0 <= section.start <= section.end <= len(text) for section in sections)


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_is_read_or_named(
    name: str, readers: Readers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    form = FORMATS[name]
    if form.needs and not shutil.which(form.needs):
        pytest.skip(f"needs {form.needs}")
    folder = tmp_path_factory.mktemp("fuzz")
    whole = form.make(folder)
    data = whole.read_bytes()
    assert isinstance(outcome(readers, whole), Release)
    path = folder / f"damaged{whole.suffix}"

    @settings(
        max_examples=form.cases,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(edits=EDITS)
    def check(edits: Edits) -> None:
        path.write_bytes(_repacked(data, edits) if form.packed else damaged(data, edits))
        hold(outcome(readers, path), path)

    check()
    assert isinstance(outcome(readers, whole), Release)


def _repacked(data: bytes, edits: Edits) -> bytes:
    """The archive with its members of text damaged, in an archive that is whole."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for number, name in enumerate(old.namelist()):
            content = old.read(name)
            main = name in ("word/document.xml", "content.xml")
            mine = edits if main else [edit for edit in edits if edit[2] % 7 == number % 7][:1]
            new.writestr(name, damaged(content, mine) if name.endswith(".xml") else content)
    return out.getvalue()


@settings(max_examples=150, derandomize=True, database=None, deadline=None)
@given(
    data=st.binary(max_size=400),
    start=st.sampled_from(
        [b"%PDF-1.7\n", b"{\\rtf1", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"II*\0", b"\xff\xd8\xff",
         b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"<html>", b"From: a\n\n", b"\xff\xfe", b""]
    ),
    suffix=st.sampled_from([".pdf", ".rtf", ".docx", ".png", ".tif", ".html", ".eml", ".txt"]),
)  # fmt: skip
def test_what_only_begins_like_a_document(
    readers: Readers, tmp_path_factory: pytest.TempPathFactory, data: bytes, start: bytes,
    suffix: str,
) -> None:  # fmt: skip
    path = tmp_path_factory.getbasetemp() / f"begins{suffix}"
    path.write_bytes(start + data)
    hold(outcome(readers, path), path)


FEED = """\
<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>Tin</title>
<item><title>Một</title><link>https://example.org/1</link>
<pubDate>Thu, 24 Jun 2021 17:00:00 +0700</pubDate></item>
<item><link>/2.pdf</link></item></channel></rss>
"""
SITEMAP = """\
<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>https://example.org/a</loc><lastmod>2024-05-01</lastmod></url></urlset>
"""


@settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(form=st.sampled_from([FEED, SITEMAP]), edits=EDITS)
def test_a_damaged_feed_gives_entries_or_is_named(
    tmp_path_factory: pytest.TempPathFactory, form: str, edits: Edits
) -> None:
    path = tmp_path_factory.getbasetemp() / "feed.xml"
    path.write_bytes(damaged(form.encode(), edits))
    url = "https://example.org/feed.xml"
    with contextlib.suppress(InputError):
        listed = feeds.kind(path)
        for entry in feeds.entries(path, listed, url) if listed else []:
            assert "\n" not in entry.url


MANIFEST = "file,number,issued\nbáo cáo.pdf,15/TC-UBND,2023-03-30\nb.docx,,\n"
SIDECAR = '{"number": "15/TC-UBND", "issued": "2023-03-30", "signer": null}'


@settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(edits=EDITS)
def test_damaged_metadata_is_taken_or_named(
    tmp_path_factory: pytest.TempPathFactory, edits: Edits
) -> None:
    folder = tmp_path_factory.getbasetemp()
    for name, whole in (("m.csv", MANIFEST), ("r.txt.meta.json", SIDECAR)):
        path = folder / name
        path.write_bytes(damaged(whole.encode(), edits))
        release = folder / "r.txt"
        told = None
        try:
            manifest = Manifest.load(path) if name == "m.csv" else None
            given = overrides_for(Document(str(release), release, ".txt"), manifest)
            assert all(isinstance(value, str) for value in given.values())
        except InputError as error:
            told = str(error)
        assert told is None or (name in told and "\n" not in told)
        path.unlink()
