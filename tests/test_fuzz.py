"""Files damaged at random, a fixed number of each format: read, or named with a remedy."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import re
import shutil
import signal
import tempfile
import traceback
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import legacy_text
import pytest
import release_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import feeds
from ingest.failure import Failure
from ingest.isolate import Job, Limits, Readers
from ingest.load import load
from ingest.overrides import Manifest, overrides_for
from ingest.release import read_release
from ingest.sources import Document, Sources
from rag.errors import InputError
from rag.schema import Release

ROOT = Path(__file__).resolve().parent.parent
WHOLE = release_files.SAMPLE.read_text(encoding="utf-8")
SAMPLE = WHOLE[: WHOLE.index("\n", WHOLE.index("608,5"))]
MOST = release_files.paragraphs(SAMPLE)
PARTS = release_files.paragraphs()[18:20]
"""For formats of which each page takes time."""
TABLE = [("Chỉ tiêu", "Quý I", "Kế hoạch"), ("Thu", "4.512,7", "18.300"), ("Chi", "3.201", "17")]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "drop", "repeat", "insert", "swap", "splice"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(1, 400),
        st.one_of(
            st.binary(min_size=1, max_size=12),
            st.sampled_from([b"<", b">", b"/", b"9" * 30, b"-1", b"&", b"\r", b"\0", b"{\\", b"["]),
        ),
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
            data = data[: max(at, 16)]
        elif kind == "drop":
            data = data[:at] + data[end:]
        elif kind == "repeat":
            data = data[:end] + data[at:end] * 3 + data[end:]
        elif kind == "insert":
            data = data[:at] + more + data[at:]
        elif kind == "swap":
            data = data[:at] + data[end : end + length] + data[at:end] + data[end + length :]
        elif kind == "splice":
            data = data[:at] + data[-end:][:length] + data[end:]
    return data


def repacked(data: bytes, edits: Edits) -> bytes:
    """The archive with its parts of XML damaged, in an archive that is whole."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for number, name in enumerate(old.namelist()):
            content = old.read(name)
            main = name in ("word/document.xml", "content.xml")
            mine = edits if main else [edit for edit in edits if edit[2] % 7 == number % 7][:1]
            new.writestr(name, damaged(content, mine) if name.endswith(".xml") else content)
    return out.getvalue()


VALUES = [b"", b"-1", b"9" * 20, b"9" * 5000, b"x", b"1.5", "²".encode(), b"#", b"0"]


def rewritten(data: bytes, edits: Edits) -> bytes:
    """The archive with values of attributes exchanged, so that its XML stays well-formed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            for kind, share, length, _ in edits if name.endswith(".xml") else ():
                if found := list(re.finditer(rb'"([^"<>]*)"', content)):
                    start, end = found[int(share * len(found))].span(1)
                    value = VALUES[length % len(VALUES)]
                    if kind in ("flip", "cut", "insert"):
                        content = content[:start] + value + content[end:]
                    else:
                        content = content.replace(content[start - 1 : end + 1], b'"%b"' % value)
            new.writestr(name, content)
    return out.getvalue()


class Format(NamedTuple):
    cases: int
    make: Callable[[Path], Path]
    """Writes a whole file into a folder."""
    needs: str | None = None
    damage: Callable[[bytes, Edits], bytes] = damaged
    seconds: int = 20
    """For one case; far more than any takes."""


def _text(name: str, encode: Callable[[str], bytes]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(encode(SAMPLE.replace("✓", "-")))
        return path

    return make


def _docx(folder: Path) -> Path:
    """The sample release with headings, numbered lists and a table."""
    import docx

    path = release_files.write_docx(folder / "made.docx", MOST)
    document = docx.Document(str(path))
    document.add_heading("Kinh tế quý I", 2)
    for each in ("Thu ngân sách", "Chi ngân sách"):
        document.add_paragraph(each, style="List Number")
    table = document.add_table(rows=0, cols=3)
    for cells in TABLE:
        for cell, shown in zip(table.add_row().cells, cells, strict=True):
            cell.text = shown
    table.cell(1, 0).merge(table.cell(1, 1))
    document.save(str(path))
    return path


def _office(suffix: str) -> Callable[[Path], Path]:
    return lambda folder: release_files.convert(_docx(folder), suffix)


def _pdf(folder: Path) -> Path:
    return release_files.write_pdf(folder / "made.pdf", PARTS)


def _plain_pdf(folder: Path) -> Path:
    """Pages that are not compressed, so that the damage reaches what is drawn on them."""
    from reportlab import rl_config

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rl_config, "pageCompression", 0)
        return release_files.write_letter(folder / "plain.pdf")


def _html(folder: Path) -> Path:
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in TABLE)
    more = f"<h2>Kinh tế</h2><ol start='3'><li>Thu</li><li value='7'>Chi</li></ol><table>{rows}"
    body = f"{release_files.html_body(MOST)}{more}</table>"
    return release_files.write_html(folder / "made.html", body)


def _picture(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from PIL import Image, ImageDraw

        path = folder / f"made{suffix}"
        picture = Image.new("L", (500, 80), 255)
        ImageDraw.Draw(picture).text((10, 20), "Revenue 608.5 billion", fill=0, font_size=28)
        picture.save(path)
        return path

    return make


def _scan(folder: Path) -> Path:
    return release_files.write_scan(folder / "scan.pdf", _picture_pdf(folder), dpi=60)


def _picture_pdf(folder: Path) -> Path:
    from reportlab.pdfgen.canvas import Canvas

    page = Canvas(str(folder / "line.pdf"), pagesize=(300, 80))
    page.setFontSize(24)
    page.drawString(10, 30, "Revenue 608.5 billion")
    page.save()
    return folder / "line.pdf"


FORMATS = {
    "md": Format(60, _text("made.md", str.encode)),
    "txt": Format(60, _text("made.txt", str.encode)),
    "utf-16": Format(40, _text("utf-16.txt", lambda text: text.encode("utf-16"))),
    "vni": Format(40, _text("vni.txt", legacy_text.vni)),
    "pdf": Format(60, _pdf),
    "pdf inside": Format(30, _plain_pdf),
    "pdf scanned": Format(6, _scan, "tesseract"),
    "docx": Format(60, _docx),
    "docx inside": Format(60, _docx, damage=repacked),
    "docx values": Format(25, _docx, damage=rewritten),
    "html": Format(60, _html),
    "eml": Format(40, lambda folder: release_files.write_eml(folder / "made.eml")),
    "rtf": Format(60, _office(".rtf"), "soffice"),
    "doc": Format(4, _office(".doc"), "soffice", seconds=100),
    "odt inside": Format(3, _office(".odt"), "soffice", repacked, seconds=100),
    "png": Format(20, _picture(".png"), "tesseract"),
    "jpg": Format(10, _picture(".jpg"), "tesseract"),
    "tif": Format(10, _picture(".tif"), "tesseract"),
}


@contextlib.contextmanager
def within(seconds: int) -> Iterator[None]:
    """Fail when it takes longer; what is raised passes every `except Exception`."""

    def late(number: int, frame: FrameType | None) -> None:
        pytest.fail(f"still at work after {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(autouse=True)
def _no_file_is_left(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield
    assert list(temporary.iterdir()) == []


def told(error: InputError, name: str) -> None:
    """One line with the file and the remedy, about the file and not about our own mistakes."""
    message = str(error)
    assert message.splitlines() == [message]
    assert name in message
    assert "; " in message
    cause = error.__cause__
    while cause is not None:
        assert not isinstance(cause, Warning), repr(cause)
        frames = traceback.extract_tb(cause.__traceback__)
        ours = bool(frames) and Path(frames[-1].filename).is_relative_to(ROOT / "ingest")
        assert not (ours and isinstance(cause, MISTAKES)), repr(cause)
        cause = cause.__cause__


MISTAKES = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, TypeError)


def hold(path: Path) -> None:
    """Read a file: text that is whole in itself, and a release of it, or an `InputError`."""
    try:
        loaded = load(path)
    except InputError as error:
        told(error, str(path))
        return
    text, pages = loaded.text, list(loaded.pages)
    assert text.strip()
    assert "\r" not in text
    assert pages == sorted(pages)
    assert all(0 <= start <= len(text) for start in pages)
    release = read_release(loaded, str(path), {})
    text, pages = release.text, list(release.pages)
    text.encode("utf-8")
    assert "\0" not in text
    assert pages == sorted(pages)
    assert all(0 <= start <= len(text) for start in pages)
    assert all(0 <= each.start <= each.end <= len(text) for each in release.sections)


def fixed(cases: int) -> settings:
    return settings(
        max_examples=cases,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_is_read_or_named(name: str, folder: Path) -> None:
    form = FORMATS[name]
    if form.needs and not shutil.which(form.needs):
        pytest.skip(f"needs {form.needs}")
    whole = form.make(folder)
    data = whole.read_bytes()
    assert "608" in load(whole).text
    path = folder / f"damaged{whole.suffix}"

    @fixed(form.cases)
    @given(edits=EDITS)
    def check(edits: Edits) -> None:
        path.write_bytes(form.damage(data, edits))
        with within(form.seconds):
            hold(path)

    check()


STARTS = {
    ".pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
    ".rtf": b"{\\rtf1\\ansi ",
    ".docx": b"PK\x03\x04",
    ".odt": b"PK\x03\x04",
    ".doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    ".png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    ".jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    ".tif": b"II*\0\x08\0\0\0",
    ".html": b"<html><body>",
    ".eml": b"From: a@b.example\nSubject: ",
    ".md": b"# ",
    ".txt": b"\xff\xfe",
}


@fixed(200)
@given(data=st.binary(max_size=400), suffix=st.sampled_from(sorted(STARTS)), start=st.booleans())
def test_what_only_begins_like_a_document(
    folder: Path, data: bytes, suffix: str, start: bool
) -> None:
    path = folder / f"begins{suffix}"
    path.write_bytes((STARTS[suffix] if start else b"") + data)
    with within(20):
        hold(path)


@fixed(100)
@given(text=st.text(max_size=300), suffix=st.sampled_from([".md", ".txt", ".html", ".eml", ".rtf"]))
def test_any_text_is_read_or_named(folder: Path, text: str, suffix: str) -> None:
    path = folder / f"text{suffix}"
    path.write_bytes(STARTS[suffix] + text.encode("utf-16-le" if suffix == ".txt" else "utf-8"))
    with within(20):
        hold(path)


DEEP = 20_000


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("deep.rtf", b"{\\rtf1 " + b"{" * DEEP + b"608" + b"}" * DEEP),
        ("deep.html", b"<html>" + b"<div>" * DEEP + b"608" + b"</div>" * DEEP),
        ("table.html", b"<html>" + b"<table><tr><td>608" * DEEP),
        (
            "data.html",
            b'<script type="application/ld+json">' + b"[" * DEEP + b"</script><p>608</p>",
        ),
        ("deep.md", b"> " * DEEP + b"608\n" + b"#" * DEEP + b" 608"),
        ("array.pdf", b"%PDF-1.7\n1 0 obj " + b"[" * DEEP + b" endobj trailer <</Root 1 0 R>>"),
        (
            "parts.eml",
            b"Subject: x\n"
            + b"".join(
                b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (each, each)
                for each in range(1500)
            )
            + b"\n608",
        ),
        ("message.eml", b"Subject: x\n" + b"Content-Type: message/rfc822\n\n" * 1500 + b"\n608"),
        ("groups.eml", b"Subject: x\nFrom: " + b"(" * DEEP + b"\n\n608"),
    ],
)
def test_what_is_nested_without_end(folder: Path, name: str, data: bytes) -> None:
    (folder / name).write_bytes(data)
    with within(60):
        hold(folder / name)


def test_tables_within_tables_without_end(folder: Path) -> None:
    whole = _docx(folder).read_bytes()
    inside = b"<w:tbl><w:tr><w:tc>" * 5000 + b"<w:p/>" + b"</w:tc></w:tr></w:tbl>" * 5000
    path = folder / "tables.docx"
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(path, "w") as new:
        for each in old.namelist():
            data = old.read(each)
            new.writestr(each, data.replace(b"<w:sectPr", inside + b"<w:sectPr"))
    with within(60):
        hold(path)


def _archive(folder: Path) -> Path:
    path = folder / "packed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(_docx(folder), "06/báo cáo.docx")
        archive.writestr("06/báo cáo.docx.meta.json", SIDECAR)
        archive.writestr("a.md", SAMPLE)
        archive.writestr("b.txt", SAMPLE)
    return path


SIDECAR = '{"number": "15/TC-UBND", "issued": "2023-03-30", "signer": null}'


def test_a_damaged_archive_gives_its_whole_members(folder: Path) -> None:
    whole = _archive(folder)
    data = whole.read_bytes()
    path = folder / "damaged.zip"

    @fixed(40)
    @given(edits=EDITS)
    def check(edits: Edits) -> None:
        path.write_bytes(damaged(data, edits))
        with within(20), Sources() as sources:
            for found in sources.walk([path]):
                assert found.source.startswith(str(path))
                assert not isinstance(found, Failure) or str(path) in found.reason
                if isinstance(found, Document):
                    with contextlib.suppress(InputError):
                        overrides_for(found)
                    hold(found.path)

    check()


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


@fixed(300)
@given(form=st.sampled_from([FEED, SITEMAP]), packed=st.booleans(), edits=EDITS)
def test_a_damaged_feed_gives_entries_or_is_named(
    folder: Path, form: str, packed: bool, edits: Edits
) -> None:
    path = folder / "feed.gz"
    path.write_bytes(damaged(gzip.compress(form.encode()) if packed else form.encode(), edits))
    url = "https://example.org/feed.xml"
    try:
        feeds.unpack(path, url)
        listed = feeds.kind(path)
        for entry in feeds.entries(path, listed, url) if listed else []:
            assert "\n" not in entry.url
    except InputError as error:
        told(error, url)


MANIFEST = "file,number,issued\nbáo cáo.pdf,15/TC-UBND,2023-03-30\nb.docx,,\n"


@fixed(200)
@given(edits=EDITS)
def test_damaged_metadata_is_taken_or_named(folder: Path, edits: Edits) -> None:
    release = folder / "r.txt"
    document = Document(str(release), release, ".txt")
    for name, whole in (("m.csv", MANIFEST), ("r.txt.meta.json", SIDECAR)):
        path = folder / name
        path.write_bytes(damaged(whole.encode(), edits))
        try:
            manifest = Manifest.load(path) if name == "m.csv" else None
            said = overrides_for(document, manifest)
            assert all(isinstance(value, str) for value in said.values())
        except InputError as error:
            told(error, str(path))
        path.unlink()


def test_none_of_many_bad_files_stops_the_one_that_is_good(folder: Path) -> None:
    edits: list[Edits] = [
        [("cut", 0.6, 1, b"-")],
        [("drop", 0.3, 400, b"-"), ("insert", 0.1, 1, b"\0\xff"), ("flip", 0.02, 1, b"\x55")],
    ]
    names = [
        "md",
        "utf-16",
        "pdf",
        "pdf inside",
        "docx",
        "docx inside",
        "docx values",
        "html",
        "eml",
    ]
    paths = [folder / "none.txt", folder / "empty.md"]
    paths[1].write_bytes(b" ")
    for name in names:
        whole = FORMATS[name].make(folder)
        for number, some in enumerate(edits):
            paths.append(folder / f"bag-{name}-{number}{whole.suffix}")
            paths[-1].write_bytes(FORMATS[name].damage(whole.read_bytes(), some))
    good = folder / "good.txt"
    good.write_text(SAMPLE, encoding="utf-8")
    jobs = [
        Job(
            Document(str(path), path, path.suffix),
            {},
            hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "",
        )
        for path in [*paths, good]
    ]
    with Readers(limits=Limits(seconds=60)) as readers:
        outcomes = [outcome for _, outcome in readers.read(jobs)]
    assert len(outcomes) == len(jobs)
    failed = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    assert len(failed) >= 8
    for failure in failed:
        assert failure.stage == "read"
        assert failure.reason.isprintable()
        assert failure.source in failure.reason
        assert "; " in failure.reason
    last = outcomes[-1]
    assert isinstance(last, Release)
    assert "608" in last.text
