"""A whole collection as one file: written by `--export`, brought in elsewhere by `--import`.

The file is a ZIP of two members. `collection.json` names the format and its version, the embedding
model and the chunker, and gives the counts and the SHA-256 of the other; `records.jsonl` has one
JSON object a line: first every source, then every release, each followed by its passages with their
encodings in base64. Nothing in it is executed, and nothing is unpacked to a path. An import reads
and checks all of it before anything is changed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, Literal

import numpy as np

from ingest.passages import CHUNKER, passage_id
from ingest.writer import Writer, check_chunker
from rag.archive import Archive, Entry, Source, pack, unpack_encoded, writer_lock
from rag.embedding import Embedder, Encoded, identity
from rag.errors import InputError, StoreError
from rag.index import Index
from rag.schema import Passage, Release, Section
from rag.settings import Settings

_FORMAT = "release-qa collection"
_VERSION = 1
_HEAD, _RECORDS = "collection.json", "records.jsonl"
_MAX_HEAD = 1 << 20
_MAX_LINE = 1 << 27
"""Bytes of a line; the text of a release of ten million characters takes a third of it."""
_TOGETHER = 64
"""Passages written in one transaction."""

_TEXTS = ("source", "sha256", "number", "title", "issuer", "place", "signer", "kind", "subject")
Kind = Literal["source", "release", "passage"]


@dataclass(frozen=True, slots=True)
class Moved:
    """What went out or came in."""

    releases: int
    sources: int
    passages: int
    embedded: int = 0
    """Passages that went through the model, since another one had made the encodings."""


def export_collection(path: Path, settings: Settings | None = None) -> Moved:
    """Write the visible releases, their sources and their encodings to a file.

    The file is complete or not there at all. Raises `StoreError` for an empty collection, and for
    a file that cannot be written.
    """
    settings = settings or Settings()
    with Archive.open(settings) as archive:
        ids = list(archive.visible())
        if not ids:
            raise StoreError(f"nothing to export: no releases in {settings.data_dir}; ingest some")
        try:
            with NamedTemporaryFile(dir=path.parent, prefix=".export-", delete=False) as partial:
                try:
                    moved = _write(partial, archive, ids)
                    partial.flush()
                    os.fsync(partial.fileno())
                    os.replace(partial.name, path)
                except BaseException:
                    Path(partial.name).unlink(missing_ok=True)
                    raise
        except OSError as error:
            raise StoreError(
                f"cannot write {path} ({error.strerror}); free space or give another file"
            ) from error
    return moved


def _write(file: IO[bytes], archive: Archive, ids: list[str]) -> Moved:
    wanted = set(ids)
    sources = [source for source in archive.sources().values() if source.release_id in wanted]
    digest = hashlib.sha256()
    passages = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        with target.open(_RECORDS, "w", force_zip64=True) as records:

            def put(kind: Kind, value: dict[str, Any]) -> None:
                line = json.dumps({kind: value}, ensure_ascii=False, default=str).encode() + b"\n"
                digest.update(line)
                records.write(line)

            for source in sources:
                put("source", asdict(source))
            for release_id in ids:
                release = archive.release(release_id)
                count = len(archive.passages_of(release_id))
                header = base64.b64encode(pack(archive.header(release_id))).decode()
                put("release", {**asdict(release), "header": header, "passages": count})
                passages += count
                for passage, data in archive.packed(release_id):
                    put(
                        "passage",
                        {
                            "start": passage.start,
                            "end": passage.end,
                            "section": passage.section,
                            "page": passage.page,
                            "encoded": base64.b64encode(data).decode(),
                        },
                    )
        head = {
            "format": _FORMAT,
            "version": _VERSION,
            "embedder": archive.meta("embedder"),
            "chunker": archive.meta("chunker"),
            "sources": len(sources),
            "releases": len(ids),
            "passages": passages,
            "sha256": digest.hexdigest(),
        }
        target.writestr(_HEAD, json.dumps(head))
    return Moved(len(ids), len(sources), passages)


def import_collection(
    path: Path, settings: Settings | None = None, *, embedder: Embedder | None = None
) -> Moved:
    """Bring an exported collection in; what of it was not there before.

    A release that is there already stays as it is, and so does a source: by its path it stands for
    what it stood for. Encodings of another embedding model or chunker are made again. Raises
    `InputError`, before anything is changed, for a file that is no export, is damaged, or was
    written by a newer version.
    """
    settings = settings or Settings()
    with _opened(path) as (head, file):
        for _ in _records(head, file):
            pass  # Checks them all.
        with writer_lock(settings), Archive.open(settings) as archive, ExitStack() as stack:
            model = embedder.identity if embedder else identity(settings)
            Index.open(settings, archive, model)
            check_chunker(archive, settings)
            writer = Writer(settings, archive, stack, embedder)
            usable = (head["embedder"], head["chunker"]) == (model, CHUNKER)
            moved = _bring_in(_records(head, file), writer, usable=usable)
            writer.flush()
            writer.publish(last=True)
            return Moved(*moved, embedded=writer.embedded)


def _bring_in(
    records: Iterator[Source | _Whole | _Piece], writer: Writer, *, usable: bool
) -> tuple[int, int, int]:
    known = writer.archive.sources()
    links: dict[str, list[Source]] = {}
    releases = sources = passages = 0
    current: _Whole | None = None
    pieces: list[_Piece] = []
    begun = False
    for record in records:
        if isinstance(record, Source):
            if record.path not in known:
                links.setdefault(record.release_id, []).append(record)
            continue
        if isinstance(record, _Whole):
            current, begun = None, False
            own = links.get(record.release.id, [])
            sources += len(own)
            if record.release.id in writer.held:
                for source in own:
                    writer.link(source)
            elif own:
                releases, passages = releases + 1, passages + record.passages
                if usable:
                    current = record
                else:
                    writer.add(record.release, own[0])
                    for source in own[1:]:
                        writer.link(source)
            continue
        if current is None:
            continue
        pieces.append(record)
        last = record.number == current.passages
        if last or len(pieces) == _TOGETHER:
            entry = Entry(
                current.release,
                [piece.passage for piece in pieces],
                [piece.encoded for piece in pieces],
                None if begun else current.header,
            )
            writer.put(entry, links[current.release.id] if last else [])
            pieces, begun = [], True
    return releases, sources, passages


# Reading a file that may be anything


@dataclass(frozen=True, slots=True)
class _Whole:
    """A release, of which so many passages follow."""

    release: Release
    header: Encoded
    passages: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """A passage of the release before it, its number counted from 1."""

    passage: Passage
    encoded: Encoded
    number: int


@contextmanager
def _opened(path: Path) -> Iterator[tuple[dict[str, Any], zipfile.ZipFile]]:
    """The head of an export and the open file; what goes wrong inside is an `InputError`."""
    try:
        with zipfile.ZipFile(path) as file:
            with file.open(_HEAD) as member:
                head = json.loads(member.read(_MAX_HEAD))
            if head["format"] != _FORMAT:
                raise ValueError("its head names another format")
            if head["version"] != _VERSION:
                raise InputError(
                    f"{path} was exported in version {head['version']} of the format, and this "
                    f"program reads version {_VERSION}; import it with the program that wrote it"
                )
            yield head, file
    except OSError as error:
        raise InputError(
            f"cannot read {path} ({error.strerror}); check the path and its permissions"
        ) from error
    except (
        ValueError, KeyError, TypeError, RecursionError, NotImplementedError, EOFError,
        zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path} is no whole export of a collection ({said}); export it again"
        ) from error


def _records(head: dict[str, Any], file: zipfile.ZipFile) -> Iterator[Source | _Whole | _Piece]:
    """Every record, checked; ValueError, KeyError or TypeError for one that cannot be right."""
    digest = hashlib.sha256()
    counts = {"source": 0, "release": 0, "passage": 0}
    wanted: set[str] = set()
    seen: set[str] = set()
    whole: _Whole | None = None
    number = at = 0
    with file.open(_RECORDS) as member:
        while line := member.readline(_MAX_LINE):
            digest.update(line)
            ((kind, value),) = json.loads(line).items()
            counts[kind] += 1
            if kind == "source":
                source = Source(**value)
                if not all(map(_is_text, (source.path, source.sha256, source.release_id))):
                    raise ValueError("a source is not text")
                wanted.add(source.release_id)
                yield source
                continue
            if kind == "release":
                if whole is not None and number != whole.passages:
                    raise ValueError(f"release {whole.release.id} lacks passages")
                whole, number, at = _whole(value), 0, 0
                if whole.release.id in seen:
                    raise ValueError(f"release {whole.release.id} stands there twice")
                seen.add(whole.release.id)
                yield whole
                continue
            if whole is None:
                raise ValueError("a passage stands before its release")
            number += 1
            piece = _piece(value, whole, number)
            if piece.passage.start < at or number > whole.passages:
                raise ValueError(f"the passages of release {whole.release.id} overlap")
            at = piece.passage.end
            yield piece
    if whole is not None and number != whole.passages:
        raise ValueError(f"release {whole.release.id} lacks passages")
    if digest.hexdigest() != head["sha256"]:
        raise ValueError("its checksum does not fit")
    if [counts["source"], counts["release"], counts["passage"]] != [
        head["sources"],
        head["releases"],
        head["passages"],
    ]:
        raise ValueError("records are missing")
    if wanted != seen:
        raise ValueError("sources and releases do not fit together")


def _whole(value: dict[str, Any]) -> _Whole:
    header, passages = _unpacked(value.pop("header")), value.pop("passages")
    issued = value.pop("issued")
    release = Release(
        **{
            **value,
            "issued": date.fromisoformat(issued) if issued else None,
            "sections": tuple(Section(**section) for section in value["sections"]),
            "pages": tuple(map(int, value["pages"])),
            "provenance": tuple((str(name), str(where)) for name, where in value["provenance"]),
        }
    )
    if release.id != hashlib.sha256(release.text.encode()).hexdigest()[:16]:
        raise ValueError(f"release {release.id} has another text than it was exported with")
    named = [value for name, value in asdict(release).items() if name in _TEXTS and value]
    if release.language not in ("vi", "en") or not all(map(_is_text, named)):
        raise ValueError(f"release {release.id} is not described as it should be")
    if not isinstance(passages, int) or passages < 1:
        raise ValueError(f"release {release.id} has no passages")
    return _Whole(release, header, passages)


def _piece(value: dict[str, Any], whole: _Whole, number: int) -> _Piece:
    release, start, end = whole.release, int(value["start"]), int(value["end"])
    if not 0 <= start < end <= len(release.text):
        raise ValueError(f"a passage of release {release.id} stands outside of its text")
    encoded = _unpacked(value["encoded"])
    if encoded.vector.shape != whole.header.vector.shape:
        raise ValueError(f"a vector of release {release.id} has another length")
    passage = Passage(
        id=passage_id(release.id, start, end),
        release_id=release.id,
        start=start,
        end=end,
        text=release.text[start:end],
        section=tuple(map(str, value["section"])),
        page=None if value["page"] is None else int(value["page"]),
    )
    return _Piece(passage, encoded, number)


def _unpacked(value: str) -> Encoded:
    encoded = unpack_encoded(base64.b64decode(value, validate=True))
    if not (np.isfinite(encoded.vector).all() and np.isfinite(encoded.tokens).all()):
        raise ValueError("an encoding is not finite")
    return encoded


def _is_text(value: object) -> bool:
    return isinstance(value, str)
