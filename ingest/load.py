"""Files into text: one reader for each format.

`load` is the only place that knows file formats. A reader takes the bytes of a file and gives its
text with page starts and properties; adding a format means adding one reader to `_READERS`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from rag.errors import InputError


@dataclass(frozen=True, slots=True)
class Loaded:
    """The text of one file, before anything is made of it."""

    text: str
    """Line ends are `\\n`; a byte order mark is gone."""
    pages: tuple[int, ...]
    """Offset in `text` at which each page starts; empty when the format has no pages."""
    sha256: str
    """Of the file's bytes, 64 hexadecimal digits."""
    format: str
    """`md` or `txt`."""
    properties: dict[str, str] = field(default_factory=dict)
    """What the file says about itself (title, author …); empty when the format has no such."""


class _Read(NamedTuple):
    text: str
    pages: tuple[int, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()


class _Format(NamedTuple):
    name: str
    read: Callable[[Path, bytes], _Read]


# Tab, line feed, vertical tab, form feed, carriage return and escape do occur in text files.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MAX_CONTROL_SHARE = 0.01
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def _read_plain(path: Path, data: bytes) -> _Read:
    if data.startswith(_UTF16_MARKS):
        raise InputError(f"not UTF-8 but UTF-16 (byte 0): {path}; save it as UTF-8")
    if b"\0" in data:
        raise InputError(
            f"binary file, not text (NUL at byte {data.index(0)}): {path}; give a text file"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8 (byte {error.start} is 0x{data[error.start]:02x}): {path}; save it as UTF-8"
        ) from error
    controls = len(_CONTROL.findall(text))
    if controls > _MAX_CONTROL_SHARE * len(text):
        raise InputError(
            f"binary file, not text ({controls} control characters): {path}; give a text file"
        )
    return _Read(text.replace("\r\n", "\n").replace("\r", "\n"))


_READERS: dict[str, _Format] = {
    ".md": _Format("md", _read_plain),
    ".txt": _Format("txt", _read_plain),
}


def supported(path: Path) -> bool:
    """Whether files of that suffix, in either case, can be read; the file need not exist."""
    return path.suffix.lower() in _READERS


def load(path: Path) -> Loaded:
    """Read one file.

    Raises `InputError`, one line that names the file, when it is missing, a folder, not a regular
    file, unreadable, of an unsupported suffix, binary, not UTF-8, or without any text.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"is a folder, not a file: {path}; give a file in it")
        if not path.exists():
            raise InputError(f"file not found: {path}; check the path")
        if not path.is_file():
            raise InputError(f"not a regular file: {path}; give a file")
        form = _READERS.get(path.suffix.lower())
        if form is None:
            raise InputError(
                f"unsupported file type {path.suffix or '(no suffix)'}: {path}; "
                f"supported are {', '.join(_READERS)}"
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {str(path)!r}: {reason(error)}") from error
    if not data.strip():
        raise InputError(f"empty file: {path}; give a file with text")
    read = form.read(path, data)
    if not read.text.strip("\ufeff\u200b \t\r\n\f\v\u00a0"):
        raise InputError(f"empty file (nothing but white space): {path}; give a file with text")
    return Loaded(
        text=read.text,
        pages=read.pages,
        sha256=hashlib.sha256(data).hexdigest(),
        format=form.name,
        properties=dict(read.properties),
    )


def reason(error: Exception) -> str:
    """Why a path could not be used, and the remedy, in lower case and on one line."""
    told = error.strerror if isinstance(error, OSError) else None
    return f"{(told or str(error)).lower()}; check the path and its permissions"
