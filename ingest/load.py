"""Files into text: which reader a file needs, and what every reader's text goes through.

`load` is the only place that knows which formats there are; each reader is a module of its own
that is imported when a file needs it. What the first bytes say plainly counts more than the
suffix: offices send RTF and web pages as `.doc`, and PDF files as anything.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import accumulate, pairwise
from pathlib import Path

from ingest.encodings import UnknownEncodingError, decode, mend_fonts
from ingest.markup import Content, Pages
from rag.errors import InputError


@dataclass(frozen=True, slots=True)
class Loaded:
    """The text of one file, before anything is made of it."""

    text: str
    """Line ends are `\\n`; a byte order mark is gone. Markdown marks show headings, table rows,
    lists and bold lines."""
    pages: tuple[int, ...]
    """Offset in `text` at which each page starts; empty when the format has no pages."""
    sha256: str
    """Of the file's bytes, 64 hexadecimal digits."""
    format: str
    """`md`, `txt`, `pdf`, `docx`, `doc`, `odt`, `rtf`, `html`, `eml`, `png`, `jpg` or `tif`; of
    what the file is, whatever its suffix."""
    properties: dict[str, str] = field(default_factory=dict)
    """What the file says about itself, as far as it does: `title`, `author`, `subject`, `from`,
    `language`, `created` and `modified` (ISO 8601), `attachments` (names of what came with a
    message and is not read), `encoding` (of plain text that is not UTF-8), `ocr` (numbers of the
    pages that were read as pictures)."""


# ---------------------------------------------------------------------------------------------
# Readers

_Reader = Callable[[Path, bytes], Content]

# Tab, line feed, vertical tab, form feed, carriage return and escape do occur in text files.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MAX_CONTROL_SHARE = 0.01


def _read_text(path: Path, data: bytes) -> Content:
    try:
        text, encoding = decode(data)
    except UnknownEncodingError as error:
        raise _no_text(path, data) or InputError(f"{error}: {path}; save it as UTF-8") from error
    if "\0" in text:
        raise _no_text(path, data) or InputError(f"binary file: {path}; give a text file")
    controls = len(_CONTROL.findall(text))
    if controls > _MAX_CONTROL_SHARE * len(text):
        raise InputError(
            f"binary file, not text ({controls} control characters): {path}; give a text file"
        )
    properties = {} if encoding == "UTF-8" else {"encoding": encoding}
    return Content(text, properties=properties)


def _no_text(path: Path, data: bytes) -> InputError | None:
    """The error for bytes that no text has."""
    if b"\0" not in data:
        return None
    return InputError(
        f"binary file, not text (NUL at byte {data.index(0)}): {path}; give a text file"
    )


def _read_pdf(path: Path, data: bytes, pages: Pages) -> Content:
    from ingest.pdf import read_pdf

    return read_pdf(path, data, pages)


def _read_image(path: Path, data: bytes, pages: Pages) -> Content:
    from ingest.ocr import read_image

    return read_image(path, data, pages)


def _read_docx(path: Path, data: bytes) -> Content:
    from ingest.word import read_docx

    return read_docx(path, data)


def _read_rtf(path: Path, data: bytes) -> Content:
    from ingest.word import read_rtf

    return read_rtf(path, data)


def _read_office(path: Path, data: bytes) -> Content:
    from ingest.word import read_office

    return read_office(path, data)


def _read_html(path: Path, data: bytes) -> Content:
    from ingest.html_page import read_html

    return read_html(path, data)


def _read_eml(path: Path, data: bytes) -> Content:
    from ingest.mail import read_eml

    return read_eml(path, data)


_READERS: dict[str, _Reader] = {
    "md": _read_text,
    "txt": _read_text,
    "docx": _read_docx,
    "doc": _read_office,
    "odt": _read_office,
    "rtf": _read_rtf,
    "html": _read_html,
    "eml": _read_eml,
}
_PAGED: dict[str, Callable[[Path, bytes, Pages], Content]] = {
    "pdf": _read_pdf,
    "png": _read_image,
    "jpg": _read_image,
    "tif": _read_image,
}
"""Formats of which each page costs time."""
_SUFFIXES = {f".{name}": name for name in (*_READERS, *_PAGED)} | {
    ".markdown": "md",
    ".htm": "html",
    ".xhtml": "html",
    ".jpeg": "jpg",
    ".tiff": "tif",
}

# ---------------------------------------------------------------------------------------------
# What a file is

_SIGNATURES = (
    (b"%PDF-", "pdf"),
    (b"{\\rtf", "rtf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"II*\0", "tif"),
    (b"MM\0*", "tif"),
)
_FOREIGN = (
    (b"\x1f\x8b", "gzip archive"),
    (b"Rar!", "RAR archive"),
    (b"7z\xbc\xaf", "7z archive"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"GIF8", "GIF picture"),
    (b"BM", "BMP picture"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*(?:<\?xml[^>]*>\s*)?(?:<!doctype html|<html)", re.I | re.S
)
_BINARY = frozenset({"pdf", "docx", "doc", "odt", "rtf", "png", "jpg", "tif"})
_NAMES = {
    "pdf": "PDF",
    "docx": "DOCX",
    "doc": "Word 97-2003",
    "odt": "ODT",
    "rtf": "RTF",
    "png": "PNG",
    "jpg": "JPEG",
    "tif": "TIFF",
}


def _format_of(path: Path, data: bytes) -> str:
    """The format to read a file as: what its first bytes say, else its suffix."""
    named = _SUFFIXES[path.suffix.lower()]
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    for signature, form in _SIGNATURES:
        if start.startswith(signature):
            return form
    if data.startswith(b"PK\x03\x04"):
        return _zipped(path, data)
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise InputError(
                f"encrypted Word file: {path}; save it without its password and give that file"
            )
        if "WordDocument".encode("utf-16-le") not in data:
            raise InputError(
                f"no Word document inside, or a damaged one: {path}; save it as PDF or DOCX"
            )
        return "doc"
    for signature, what in _FOREIGN:
        if data.startswith(signature) and (named in _BINARY or b"\0" in data[:1024]):
            raise InputError(f"{what}, not {_NAMES.get(named, named)}: {path}; give a document")
    if named in _BINARY:
        if _HTML.match(data[:4096]):
            return "html"
        raise InputError(
            f"no {_NAMES[named]} file inside, or a damaged one: {path}; "
            "give it the suffix of what it holds, or save it again"
        )
    return named


def _zipped(path: Path, data: bytes) -> str:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        names = set(archive.namelist())
    if "[Content_Types].xml" in names and any(name.startswith("word/") for name in names):
        return "docx"
    if "content.xml" in names and "mimetype" in names:
        return "odt"
    if any(name.startswith(("xl/", "ppt/")) for name in names):
        raise InputError(f"workbook or slides, not text: {path}; save it as PDF and give that")
    raise InputError(f"ZIP archive: {path}; give it the suffix .zip, or give the files in it")


def supported(path: Path) -> bool:
    """Whether a file of this name is one that `load` reads."""
    return Path(path).suffix.lower() in _SUFFIXES


def load(path: Path, *, pages: Pages = Pages()) -> Loaded:  # noqa: B008
    """Read one file.

    Raises `InputError`, one line that names the file, when it is missing, a folder, not a regular
    file, unreadable, of an unsupported suffix, encrypted, damaged, too long, in no known encoding,
    or without any text; and when what its format needs (tesseract, LibreOffice) is not installed.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"is a folder, not a file: {path}; give a file in it")
        if not path.exists():
            raise InputError(f"file not found: {path}; check the path")
        if not path.is_file():
            raise InputError(f"not a regular file: {path}; give a file")
        if not supported(path):
            raise InputError(
                f"unsupported file type {path.suffix or '(no suffix)'}: {path}; "
                f"supported are {', '.join(_SUFFIXES)}"
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {str(path)!r}: {reason(error)}") from error
    if not data.strip():
        raise InputError(f"empty file: {path}; give a file with text")
    with _translated(path), warnings.catch_warnings():
        # Parsers warn of damage that they make up for.
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        form = _format_of(path, data)
        if form in _PAGED:
            read = _PAGED[form](path, data, pages)
        else:
            read = _READERS[form](path, data)
    read = _finished(read)
    if not read.text.strip("\ufeff\u200b \t\r\n\f\v\u00a0"):
        raise InputError(f"empty file (nothing but white space): {path}; give a file with text")
    return Loaded(
        text=read.text,
        pages=read.pages,
        sha256=hashlib.sha256(data).hexdigest(),
        format=form,
        properties=dict(read.properties),
    )


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn whatever a parser raises over a damaged file into an `InputError`.

    Parsers of third parties fail in every way there is, often by taking a part of the file to be
    there; readers leave all of it to this place, but what has a remedy of its own.
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except RecursionError as error:
        raise InputError(
            f"nested too deeply: {path}; open it in its own program and save it again"
        ) from error
    except Exception as error:
        told = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(
            f"damaged file ({told}): {path}; open it in its own program and save it again"
        ) from error


def _finished(read: Content) -> Content:
    """What all formats need: plain line ends, and Unicode for text in legacy Vietnamese fonts."""
    cuts = [0, *read.pages[1:], len(read.text)]
    pieces = [
        mend_fonts(read.text[start:end].replace("\r\n", "\n").replace("\r", "\n"))
        for start, end in pairwise(cuts)
    ]
    starts = accumulate(map(len, pieces[:-1]), initial=0)
    return Content("".join(pieces), tuple(starts) if read.pages else (), read.properties)


def reason(error: Exception) -> str:
    """Why a path could not be used, and the remedy, in lower case and on one line."""
    told = error.strerror if isinstance(error, OSError) else None
    return f"{(told or str(error)).lower()}; check the path and its permissions"
