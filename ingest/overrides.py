"""What a person says about a release, over what the release says itself.

Beside `report.pdf` a file `report.pdf.meta.json` holds a JSON object with any of `FIELDS`; `null`
says that the release has no such field. For many releases, a CSV manifest has a column `file` and
a column for any of the fields; an empty cell says nothing. A manifest, being named on the command
line, goes before a sidecar.

Both are strict: a misspelt key would otherwise look like a value that was taken.
"""

from __future__ import annotations

import csv
import difflib
import errno
import json
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import InputError

if TYPE_CHECKING:
    from ingest.sources import Document

FIELDS = (
    "number",
    "title",
    "issuer",
    "issued",
    "place",
    "signer",
    "subject",
    "kind",
    "supersedes",
    "language",
)
"""What can be overridden, in the terms of `rag.schema.Release`."""
SIDECAR = ".meta.json"
_MAX_BYTES = 1 << 16
_MAX_MANIFEST_BYTES = 1 << 26
_MAX_CHARS = 1000
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


def is_sidecar(path: str | os.PathLike[str]) -> bool:
    """Whether a file says something about another one and is no release itself."""
    return os.fspath(path).lower().endswith(SIDECAR)


def overrides_for(document: Document, manifest: Manifest | None = None) -> dict[str, str]:
    """What is said about a document: field -> value, empty for "there is none"; often nothing.

    The names of fields that the manifest gives begin with `manifest:`. Values are clean: one line,
    dates as `YYYY-MM-DD`. Raises `InputError` for a sidecar that is malformed.
    """
    path = document.path.with_name(document.path.name + SIDECAR)
    found = dict(_sidecar(path, document.source + SIDECAR))
    if manifest is not None:
        for name, value in manifest.row(document.source).items():
            found.pop(name, None)
            found[f"manifest:{name}"] = value
    return found


def clean(name: str, value: str) -> str:
    """A value as it is stored; `ValueError` with the remedy when the field cannot take it.

    White space is squeezed. An empty value stays empty whatever the field.
    """
    if name not in FIELDS:
        near = difflib.get_close_matches(name, FIELDS, 1, 0.6)
        meant = f"did you mean {near[0]!r}?" if near else f"use any of {', '.join(FIELDS)}"
        raise ValueError(f"unknown field {name!r}; {meant}")
    value = " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", value)).split())
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
        raise ValueError(f"{name} holds control characters; take them out")
    if len(value) > _MAX_CHARS:
        raise ValueError(f"{name} has {len(value)} characters; at most {_MAX_CHARS} are kept")
    if not value:
        return ""
    if name == "language" and value not in ("vi", "en"):
        raise ValueError(f"language {value!r} is not known; write vi or en")
    if name == "issued":
        try:
            issued = date.fromisoformat(value)
        except ValueError:
            issued = None
        if issued is None or issued.isoformat() != value:
            raise ValueError(f"issued {value!r} is not a date; write it as YYYY-MM-DD")
    return value


# ---------------------------------------------------------------------------------------------
# Sidecars


def _sidecar(file: Path, path: str) -> Iterator[tuple[str, str]]:
    """What a sidecar says; `path` is how it is named, as a member of a ZIP stands elsewhere."""
    try:
        with file.open("rb") as opened:
            data = opened.read(_MAX_BYTES + 1)
    except OSError as error:
        # The name of a release may be so long that none is left for its sidecar.
        if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
            return
        raise InputError(f"cannot read {path} ({error.strerror}); check the file") from error
    if len(data) > _MAX_BYTES:
        raise InputError(f"{path} is larger than {_MAX_BYTES // 1024} KiB; shorten it")
    try:
        pairs = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_Pairs)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}, line {error.lineno}: not JSON ({error.msg}); correct it or remove the file"
        ) from error
    except ValueError as error:
        raise InputError(f"{path} holds a number too long to read; put values in quotes") from error
    except RecursionError as error:
        raise InputError(f"{path} is nested too deeply; write one flat JSON object") from error
    if not isinstance(pairs, _Pairs):
        raise InputError(f'{path} is not a JSON object; write {{"number": "…"}}')
    seen: set[str] = set()
    for name, value in pairs:
        if name in seen:
            raise InputError(f"{path}: {name!r} stands there twice; keep one")
        seen.add(name)
        if value is not None and not isinstance(value, str):
            raise InputError(f"{path}: {name!r} is not text; put its value in quotes")
        if name == "language" and not value:
            raise InputError(f"{path}: every release has a language; write vi or en")
        try:
            yield name, clean(name, value or "")
        except ValueError as error:
            raise InputError(f"{path}: {error}") from error


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as it is written, repeated keys included."""


# ---------------------------------------------------------------------------------------------
# The manifest


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    file: str
    values: dict[str, str]


class Manifest:
    """The rows of a CSV manifest by the document that each is about."""

    def __init__(self, path: Path, rows: Mapping[str, _Row]) -> None:
        self.path = path
        self._rows = rows
        self._used: set[str] = set()

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Manifest:
        """Read a manifest: UTF-8, with commas, semicolons or tabs between the cells.

        `file` is a path from the manifest's own folder or from the working folder, absolute, or a
        source as `--list` shows it (a member of a ZIP, a URL). Raises `InputError` that names the
        line.
        """
        path = Path(path)
        rows: dict[str, _Row] = {}
        for row in _rows(path):
            key = _key(row.file, path.parent)
            if key in rows:
                raise InputError(
                    f"{path}, line {row.line}: {row.file} stands in line {rows[key].line} too; "
                    "keep one"
                )
            rows[key] = row
        return cls(path, rows)

    def row(self, source: str) -> dict[str, str]:
        """What the manifest says about a source; empty when nothing."""
        key = _key(source)
        if key not in self._rows:
            return {}
        self._used.add(key)
        return dict(self._rows[key].values)

    def unused(self) -> list[str]:
        """One line for each row that no source was asked for, in the order of the file."""
        return [
            f"{self.path}, line {row.line}: no document {row.file} was read; check its path"
            for key, row in self._rows.items()
            if key not in self._used
        ]


def _rows(path: Path) -> Iterator[_Row]:
    try:
        if path.stat().st_size > _MAX_MANIFEST_BYTES:
            raise InputError(f"the manifest {path} is larger than 64 MiB; split it")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read the manifest {path} ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"the manifest {path} is not UTF-8 (byte {error.start}); save it as CSV UTF-8"
        ) from error
    head = text.split("\n", 1)[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=separator, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        _check_columns(path, names)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(path, reader.line_num, names, cells)
    except csv.Error as error:
        raise InputError(
            f"{path}, line {reader.line_num}: not CSV ({error}); correct the quotes"
        ) from error


def _check_columns(path: Path, names: list[str]) -> None:
    if "file" not in names:
        raise InputError(f"{path}, line 1: no column 'file'; name the columns in the first line")
    for index, name in enumerate(names):
        if name in names[:index]:
            raise InputError(f"{path}, line 1: the column {name!r} stands there twice; keep one")
        if name != "file":
            try:
                clean(name, "")
            except ValueError as error:
                raise InputError(f"{path}, line 1: {error}") from error


def _row(path: Path, line: int, names: list[str], cells: list[str]) -> _Row:
    if len(cells) > len(names):
        raise InputError(
            f"{path}, line {line}: {len(cells)} cells under {len(names)} columns; "
            "put quotes around what holds a separator"
        )
    given = dict(zip(names, cells, strict=False))
    file = given.pop("file", "").strip()
    if not file:
        raise InputError(f"{path}, line {line}: no file; give its path")
    values: dict[str, str] = {}
    for name, cell in given.items():
        try:
            value = clean(name, cell)
        except ValueError as error:
            raise InputError(f"{path}, line {line}: {error}") from error
        if value:
            values[name] = value
    return _Row(line, file, values)


def _key(source: str, folder: Path | None = None) -> str:
    """One spelling for each document; `folder` is where a path may start besides the working one.

    The file system decides which of the two is meant, so that a row never speaks of two files.
    """
    if re.match(r"[a-z][a-z0-9+.-]+://", source, re.I):
        return source
    archive, mark, member = source.replace("\\", "/").partition("!/")
    start = Path(archive)
    if folder is not None and os.path.lexists(folder / start):
        start = folder / start
    return unicodedata.normalize("NFC", os.path.abspath(start) + mark + member)
