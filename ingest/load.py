"""Files into text: one reader for each format, and the search for files in folders.

`load` is the only place that knows file formats. A reader takes the bytes of a file and gives its
text with page starts and properties; adding a format means adding one reader to `_READERS`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable
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
        raise InputError(f"cannot read {str(path)!r}: {_reason(error)}") from error
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


def discover(paths: Iterable[Path]) -> list[Path]:
    """The files to read for the given files and folders, in the order given, each file once.

    A file is taken as it is, whatever its suffix, so that `load` can say what is wrong with it. A
    folder gives its supported files at any depth, sorted by path; hidden files and folders and
    symbolic links that lead out of the folder are skipped, and linked folders are not entered.
    Empty when nothing is given or no folder holds a supported file.
    Raises `InputError` for a path that does not exist and for a folder that cannot be listed.
    """
    found: dict[Path, Path] = {}
    for given in paths:
        path = Path(given)
        try:
            if path.is_dir():
                candidates = _in_folder(path)
            elif path.exists():
                candidates = [path]
            else:
                raise InputError(f"path not found: {path}; check the path")
            for candidate in candidates:
                found.setdefault(candidate.resolve(), candidate)
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(f"cannot read {str(path)!r}: {_reason(error)}") from error
    return list(found.values())


def _in_folder(folder: Path) -> list[Path]:
    root = folder.resolve()
    files: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            if name.startswith(".") or path.suffix.lower() not in _READERS or not path.is_file():
                continue
            if path.resolve().is_relative_to(root):
                files.append(path)
    # A link sorts after what it points to, so that the file itself is the one that is kept.
    return sorted(files, key=lambda path: (path.is_symlink(), path))


def _refuse(error: OSError) -> None:
    raise error


def _reason(error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) else None
    return f"{(reason or str(error)).lower()}; check the path and its permissions"
