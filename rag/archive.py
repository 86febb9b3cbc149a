"""The archive: the store of record, in SQL through SQLAlchemy (SQLite, or PostgreSQL by its URL).

It holds each release's metadata and canonical text, the sources it was read from, its passages,
and their encodings, so that both indexes can be made again without running the model. A release
is written in one transaction with `indexed` unset; readers see it once `indexed` is set, which
happens to all releases of a run at once, after both indexes hold them (`publish`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError

from rag.embedding import Encoded, Vector
from rag.errors import LockedError, StoreError
from rag.language import bare
from rag.period import Mention, mentioned
from rag.period import pack as pack_times
from rag.period import unpack as unpack_times
from rag.schema import Filters, Passage, Release, Section
from rag.settings import Settings, without_password

_LOCK_SECONDS = 0.5
_LOCK_NUMBER = 1_381_322_049
"""Tells the writer's lock from other advisory locks in the same PostgreSQL database."""
_LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's code for a lock that was not had in time."""
_CONNECT_SECONDS = 10
_CHUNK = 500
"""Ids per IN clause: below every database's limit of parameters."""
_TEXTS_TOGETHER = 50
"""Releases whose passages are read at once."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff\ufffd]")
_STORED = re.compile("\ufffd([0-9a-f]{4})")


class _Exact(sa.types.TypeDecorator[str]):
    """Any string, given back as it was.

    No database takes a lone surrogate, and PostgreSQL no NUL: they are kept as U+FFFD and four
    hexadecimal digits, and so is U+FFFD itself.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return value and _UNSTORABLE.sub(lambda found: f"\ufffd{ord(found[0]):04x}", value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return value and _STORED.sub(lambda found: chr(int(found[1], 16)), value)


_tables = sa.MetaData()
_meta = sa.Table(
    "meta",
    _tables,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("value", _Exact, nullable=False),
)
_releases = sa.Table(
    "releases",
    _tables,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("source", _Exact, nullable=False),
    sa.Column("language", sa.String(2), nullable=False),
    sa.Column("number", _Exact),
    sa.Column("title", _Exact),
    sa.Column("issuer", _Exact),
    sa.Column("issued", sa.Date),
    sa.Column("place", _Exact),
    sa.Column("signer", _Exact),
    sa.Column("kind", _Exact),
    sa.Column("sections", _Exact, nullable=False),
    sa.Column("pages", _Exact, nullable=False),
    sa.Column("text", _Exact, nullable=False),
    sa.Column("header", sa.LargeBinary, nullable=False),
    sa.Column("indexed", sa.Boolean, nullable=False, default=False),
    sa.Column("subject", _Exact),
    sa.Column("supersedes", _Exact),
    sa.Column("provenance", _Exact),
    sa.Column("signature", sa.LargeBinary),
)
_sources = sa.Table(
    "sources",
    _tables,
    sa.Column("path", _Exact, primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("release_id", sa.String(16), nullable=False, index=True),
    sa.Column("overrides", sa.String(64)),
    sa.Column("etag", _Exact),
    sa.Column("modified", _Exact),
)
_passages = sa.Table(
    "passages",
    _tables,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("release_id", sa.String(16), nullable=False, index=True),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("end", sa.Integer, nullable=False),
    sa.Column("section", _Exact, nullable=False),
    sa.Column("page", sa.Integer),
    sa.Column("text", _Exact, nullable=False),
    sa.Column("encoded", sa.LargeBinary, nullable=False),
    sa.Column("times", sa.Text),
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file, a member of an archive file, or a URL that a release was read from."""

    path: str
    sha256: str
    release_id: str
    overrides: str = ""
    """Digest of the metadata that was given beside it; empty when none was."""
    etag: str | None = None
    modified: str | None = None
    """What a web server said, to be asked next time whether the page has changed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A release, or a part of one, with what the archive keeps of it."""

    release: Release
    passages: Sequence[Passage]
    encodings: Sequence[Encoded]
    """One for each passage."""
    header: Encoded | None
    """Of what is known about the release as a whole (`rag.index.metadata`).

    None when that is in the archive already, and only passages are added."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A passage with what ranking needs of it."""

    passage: Passage
    encoded: Encoded
    times: tuple[Mention, ...] | None
    """The times that its text names; None when an older version wrote it."""


class Archive:
    """Releases, passages and their encodings in a SQL database. Use as a context manager."""

    def __init__(self, engine: sa.Engine, where: str) -> None:
        self._engine = engine
        self._where = where

    @classmethod
    def open(cls, settings: Settings) -> Archive:
        """Open the archive, made when it is not there yet.

        Columns that a database made by an older version lacks are added, empty. Raises
        `StoreError` when the folder cannot be written or the database is damaged.
        """
        where = _where(settings)
        try:
            if settings.database_url:
                engine = _server(settings.database_url, pool_pre_ping=True)
            else:
                settings.data_dir.mkdir(parents=True, exist_ok=True)
                engine = sa.create_engine(
                    sa.URL.create("sqlite", database=where), connect_args={"timeout": 10}
                )
                event.listen(engine, "connect", _sqlite_pragmas)
            with _translated(where):
                _create(engine)
                _add_columns(engine)
        except OSError as error:
            raise StoreError(
                f"cannot use the data folder {settings.data_dir} ({error.strerror}); "
                "choose another with --data-dir or RAG_DATA_DIR"
            ) from error
        return cls(engine, where)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Meta

    def meta(self, key: str) -> str | None:
        """A recorded fact about the whole archive, None when there is none."""
        rows = self._rows(sa.select(_meta.c.value).where(_meta.c.key == key))
        return rows[0][0] if rows else None

    def set_meta(self, key: str, value: str) -> None:
        """Record a fact about the whole archive."""
        with self._begin() as connection:
            self._set_meta(connection, key, value)

    def settle(self, key: str, value: str) -> str:
        """Record a fact unless it is known already; the one that holds, whoever was first."""
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(_meta).values(key=key, value=value))
        except IntegrityError:
            pass
        except SQLAlchemyError:
            with _translated(self._where):
                raise
        return self.meta(key) or value

    # Releases

    def releases(self, filters: Filters | None = None, *, texts: bool = True) -> list[Release]:
        """The indexed releases that pass the filters, by date (undated first).

        Without `texts`, each has an empty text and neither sections nor pages, and many take
        little memory.
        """
        columns = _releases.c if texts else _DESCRIBED
        query = sa.select(*columns).where(_releases.c.indexed)
        found = [_release(row) for row in self._rows(query)]
        found.sort(key=lambda release: (str(release.issued or ""), release.source))
        return [release for release in found if filters is None or _passes(release, filters)]

    def newest(self) -> date | None:
        """The latest issue date of the indexed releases; None when none has a date."""
        query = sa.select(sa.func.max(_releases.c.issued)).where(_releases.c.indexed)
        found: date | None = self._rows(query)[0][0]
        return found

    def later(self, release: Release, limit: int) -> list[str]:
        """Ids of the newest indexed releases of the same issuer with a later date, newest first."""
        if release.issuer is None or release.issued is None:
            return []
        query = (
            sa.select(_releases.c.id)
            .where(_releases.c.indexed)
            .where(_releases.c.issuer == release.issuer)
            .where(_releases.c.issued > release.issued)
            .order_by(_releases.c.issued.desc(), _releases.c.id)
            .limit(limit)
        )
        return [row[0] for row in self._rows(query)]

    def release(self, release_id: str) -> Release:
        """One release by id, indexed or not; `StoreError` when it is not in the archive."""
        found = self.find(release_id)
        if found is None:
            raise StoreError(f"no release {release_id} in the archive {self._where}")
        return found

    def find(self, release_id: str) -> Release | None:
        """One release by id, indexed or not; None when it is not in the archive."""
        rows = self._rows(sa.select(_releases).where(_releases.c.id == release_id))
        return _release(rows[0]) if rows else None

    def text(self, release_id: str) -> str:
        """The canonical text of a release; `StoreError` when it is not in the archive."""
        return self.release(release_id).text

    def release_ids(self) -> list[str]:
        """Ids of all releases, indexed or not, in a fixed order."""
        return [row[0] for row in self._rows(sa.select(_releases.c.id).order_by(_releases.c.id))]

    def superseded(self) -> dict[str, str]:
        """Which indexed releases a later one replaces or corrects: id of the older -> of the newer.

        A release is superseded by one that names its number (`Release.supersedes`) and is dated at
        most a year after it, or by one of the same issuer, number and year with a later date:
        numbers begin anew each year. Issuers agree when one name is part of the other, as an
        office's is of its organ's. Links never lead round in a circle.
        """
        query = sa.select(
            _releases.c.id,
            _releases.c.number,
            _releases.c.issuer,
            _releases.c.issued,
            _releases.c.supersedes,
        ).where(_releases.c.indexed)
        return _superseded(self._rows(query))

    def signatures(self) -> dict[str, bytes | None]:
        """By release id, what similar texts are found by; None where it was not made yet."""
        query = sa.select(_releases.c.id, _releases.c.signature).order_by(_releases.c.id)
        return {row.id: row.signature for row in self._rows(query)}

    def set_signature(self, release_id: str, signature: bytes) -> None:
        """Keep what texts similar to this release are found by."""
        with self._begin() as connection:
            connection.execute(
                sa.update(_releases).where(_releases.c.id == release_id).values(signature=signature)
            )

    def visible(
        self, *, arriving: Collection[str] = (), leaving: Collection[str] = ()
    ) -> dict[str, Release]:
        """What readers see, or will see after `publish`: the releases by id, without texts."""
        there = set(arriving)
        gone = set(leaving)
        query = sa.select(*_DESCRIBED, _releases.c.indexed).order_by(_releases.c.id)
        return {
            row.id: _release(row)
            for row in self._rows(query)
            if (row.indexed or row.id in there) and row.id not in gone
        }

    def fingerprint(self, *, arriving: Collection[str] = (), leaving: Collection[str] = ()) -> str:
        """Changes whenever the set of visible releases does, or what is known about one."""
        digest = hashlib.sha256()
        for release in self.visible(arriving=arriving, leaving=leaving).values():
            known = (release.number, release.title, release.issuer, release.place, release.issued)
            digest.update(repr((release.id, *map(str, known))).encode())
        return digest.hexdigest()

    def header(self, release_id: str) -> Encoded:
        """The encoding of a release's metadata; `StoreError` when it is not in the archive."""
        rows = self._rows(sa.select(_releases.c.header).where(_releases.c.id == release_id))
        if not rows:
            raise StoreError(f"no release {release_id} in the archive {self._where}")
        return unpack_encoded(rows[0].header)

    def holds(self, release_id: str) -> bool:
        """Whether the release is in the archive, indexed or not."""
        query = sa.select(_releases.c.id).where(_releases.c.id == release_id)
        return bool(self._rows(query))

    def sources(self) -> dict[str, Source]:
        """Every known source by path."""
        rows = self._rows(sa.select(_sources))
        return {
            row.path: Source(
                row.path, row.sha256, row.release_id, row.overrides or "", row.etag, row.modified
            )
            for row in rows
        }

    def pending(self) -> list[str]:
        """Ids of releases that a source stands for and that are not published yet."""
        known = sa.select(_sources.c.release_id)
        query = sa.select(_releases.c.id).where(~_releases.c.indexed, _releases.c.id.in_(known))
        return [row[0] for row in self._rows(query.order_by(_releases.c.id))]

    def orphans(self) -> list[str]:
        """Ids of releases that no source stands for any more."""
        known = sa.select(_sources.c.release_id)
        return [
            row[0]
            for row in self._rows(sa.select(_releases.c.id).where(_releases.c.id.not_in(known)))
        ]

    def add(
        self,
        release: Release,
        passages: Sequence[Passage],
        encodings: Sequence[Encoded],
        header: Encoded,
    ) -> None:
        """Write one release whole, in place of what there is of it; see `write`."""
        with self._begin() as connection:
            self._remove(connection, release.id)
            self._write(connection, [Entry(release, passages, encodings, header)])

    def write(
        self,
        entries: Iterable[Entry] = (),
        *,
        linked: Iterable[Source] = (),
        unlinked: Iterable[str] = (),
    ) -> None:
        """Write releases, not yet indexed, and what sources stand for, in one transaction.

        Of a release that is there already, what is known about it is replaced, and passages are
        added or replaced. `linked` sources stand for the release that
        they name, whatever they stood for before; `unlinked` ones are forgotten. A release that
        no source stands for any more is an orphan.
        """
        with self._begin() as connection:
            self._write(connection, entries)
            gone = list(unlinked)
            links = {source.path: source for source in linked}
            for chunk in _chunks([*gone, *links]):
                connection.execute(sa.delete(_sources).where(_sources.c.path.in_(chunk)))
            if links:
                rows = [
                    {
                        "path": source.path,
                        "sha256": source.sha256,
                        "release_id": source.release_id,
                        "overrides": source.overrides,
                        "etag": source.etag,
                        "modified": source.modified,
                    }
                    for source in links.values()
                ]
                connection.execute(sa.insert(_sources), rows)
            for chunk in _chunks([*gone, *links]):
                self._rename(connection, chunk)

    def link(self, source: Source) -> None:
        """Let a source stand for a release that is already there."""
        self.write(linked=[source])

    def unlink(self, path: str) -> None:
        """Forget a source; its release becomes an orphan unless another source stands for it."""
        self.write(unlinked=[path])

    def strip(self, release_id: str) -> None:
        """Delete the passages of a release; the release stays."""
        with self._begin() as connection:
            connection.execute(sa.delete(_passages).where(_passages.c.release_id == release_id))

    def publish(
        self,
        facts: Mapping[str, str],
        *,
        arriving: Collection[str] = (),
        leaving: Collection[str] = (),
    ) -> None:
        """Show releases to readers, hide others, and record facts, all in one transaction."""
        with self._begin() as connection:
            for ids, indexed in ((arriving, True), (leaving, False)):
                self._mark(connection, ids, indexed=indexed)
            for key, value in facts.items():
                self._set_meta(connection, key, value)

    def mark_indexed(self, release_ids: Iterable[str], *, indexed: bool = True) -> None:
        """Say that the indexes hold these releases (or no longer do)."""
        with self._begin() as connection:
            self._mark(connection, release_ids, indexed=indexed)

    def remove(self, release_id: str) -> None:
        """Delete a release with its sources and passages."""
        with self._begin() as connection:
            self._remove(connection, release_id)
            connection.execute(sa.delete(_sources).where(_sources.c.release_id == release_id))

    # Passages

    def passage_ids(self) -> dict[str, str]:
        """Of the indexed releases: passage id -> release id, in the order of the text."""
        query = (
            sa.select(_passages.c.id, _passages.c.release_id)
            .join(_releases, _releases.c.id == _passages.c.release_id)
            .where(_releases.c.indexed)
            .order_by(_passages.c.release_id, _passages.c.start)
        )
        return {row.id: row.release_id for row in self._rows(query)}

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Passages by id; unknown ids are left out."""
        found: dict[str, Passage] = {}
        for chunk in _chunks(ids):
            for row in self._rows(sa.select(*_PASSAGE).where(_passages.c.id.in_(chunk))):
                found[row.id] = _passage(row)
        return found

    def texts(self, release_ids: Sequence[str]) -> Iterator[Passage]:
        """The passages of many releases, release after release, in the order of the text.

        Few are in memory at a time.
        """
        for start in range(0, len(release_ids), _TEXTS_TOGETHER):
            some = release_ids[start : start + _TEXTS_TOGETHER]
            query = (
                sa.select(*_PASSAGE)
                .where(_passages.c.release_id.in_(some))
                .order_by(_passages.c.release_id, _passages.c.start)
            )
            yield from map(_passage, self._rows(query))

    def read(self, ids: Sequence[str]) -> dict[str, Stored]:
        """Passages with their encodings and times by id; unknown ids are left out."""
        found: dict[str, Stored] = {}
        for chunk in _chunks(ids):
            for row in self._rows(sa.select(_passages).where(_passages.c.id.in_(chunk))):
                encoded, times = unpack_encoded(row.encoded), unpack_times(row.times)
                found[row.id] = Stored(_passage(row), encoded, times)
        return found

    def headed(self, release_ids: Sequence[str]) -> dict[str, tuple[Release, Encoded]]:
        """Releases with the encodings of their metadata by id; unknown ids are left out."""
        found: dict[str, tuple[Release, Encoded]] = {}
        for chunk in _chunks(release_ids):
            for row in self._rows(sa.select(_releases).where(_releases.c.id.in_(chunk))):
                found[row.id] = _release(row), unpack_encoded(row.header)
        return found

    def vectors(self, ids: Sequence[str]) -> dict[str, Vector]:
        """The vectors of passages by id, without the larger rest; unknown ids are left out."""
        found: dict[str, Vector] = {}
        for chunk in _chunks(ids):
            within = _passages.c.id.in_(chunk)
            shapes = self._rows(
                sa.select(sa.func.substr(_passages.c.encoded, 1, 4)).where(within).limit(1)
            )
            if shapes:
                size = 12 + 4 * int(np.frombuffer(shapes[0][0], "<i4")[0])
                vector = sa.func.substr(_passages.c.encoded, 13, size - 12).label("vector")
                for row in self._rows(sa.select(_passages.c.id, vector).where(within)):
                    found[row.id] = np.frombuffer(row.vector, "<f4")
        return found

    def passages_of(self, release_id: str) -> list[Passage]:
        """The passages of one release in the order of its text."""
        query = (
            sa.select(*_PASSAGE)
            .where(_passages.c.release_id == release_id)
            .order_by(_passages.c.start)
        )
        return [_passage(row) for row in self._rows(query)]

    def packed(self, release_id: str) -> Iterator[tuple[Passage, bytes]]:
        """The passages of one release with their encodings as `pack` made them, few at a time."""
        ids = [passage.id for passage in self.passages_of(release_id)]
        for start in range(0, len(ids), _TEXTS_TOGETHER):
            query = (
                sa.select(_passages)
                .where(_passages.c.id.in_(ids[start : start + _TEXTS_TOGETHER]))
                .order_by(_passages.c.start)
            )
            for row in self._rows(query):
                yield _passage(row), row.encoded

    def encoded(self, ids: Sequence[str]) -> dict[str, Encoded]:
        """Encodings by passage id; unknown ids are left out."""
        found: dict[str, Encoded] = {}
        for chunk in _chunks(ids):
            query = sa.select(_passages.c.id, _passages.c.encoded).where(_passages.c.id.in_(chunk))
            for row in self._rows(query):
                found[row.id] = unpack_encoded(row.encoded)
        return found

    # Shells

    def _write(self, connection: sa.Connection, entries: Iterable[Entry]) -> None:
        for entry in entries:
            release = entry.release
            if entry.header is not None:
                values = {**_described(release), "header": pack(entry.header)}
                there = connection.execute(
                    sa.update(_releases).where(_releases.c.id == release.id).values(**values)
                )
                if not there.rowcount:
                    sections = [[s.title, s.level, s.start, s.end] for s in release.sections]
                    connection.execute(
                        sa.insert(_releases).values(
                            **values,
                            id=release.id,
                            sections=json.dumps(sections, ensure_ascii=False),
                            pages=json.dumps(release.pages),
                            text=release.text,
                            indexed=False,
                        )
                    )
            rows = [
                {
                    "id": passage.id,
                    "release_id": passage.release_id,
                    "start": passage.start,
                    "end": passage.end,
                    "section": json.dumps(passage.section, ensure_ascii=False),
                    "page": passage.page,
                    "text": passage.text,
                    "encoded": pack(encoded),
                    "times": pack_times(mentioned(passage.text, release.language)),
                }
                for passage, encoded in zip(entry.passages, entry.encodings, strict=True)
            ]
            if rows:
                for chunk in _chunks([passage.id for passage in entry.passages]):
                    connection.execute(sa.delete(_passages).where(_passages.c.id.in_(chunk)))
                connection.execute(sa.insert(_passages), rows)

    def _rename(self, connection: sa.Connection, paths: Sequence[str]) -> None:
        """Let a release that named one of these sources name one that stands for it now."""
        mine = _sources.c.release_id == _releases.c.id
        own = sa.exists().where(mine, _sources.c.path == _releases.c.source)
        first = sa.select(sa.func.min(_sources.c.path)).where(mine).scalar_subquery()
        connection.execute(
            sa.update(_releases)
            .where(_releases.c.source.in_(paths), ~own, sa.exists().where(mine))
            .values(source=first)
        )

    def _mark(self, connection: sa.Connection, ids: Iterable[str], *, indexed: bool) -> None:
        for chunk in _chunks(list(ids)):
            connection.execute(
                sa.update(_releases).where(_releases.c.id.in_(chunk)).values(indexed=indexed)
            )

    def _set_meta(self, connection: sa.Connection, key: str, value: str) -> None:
        connection.execute(sa.delete(_meta).where(_meta.c.key == key))
        connection.execute(sa.insert(_meta).values(key=key, value=value))

    def _remove(self, connection: sa.Connection, release_id: str) -> None:
        connection.execute(sa.delete(_passages).where(_passages.c.release_id == release_id))
        connection.execute(sa.delete(_releases).where(_releases.c.id == release_id))

    def _rows(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        with _translated(self._where), self._engine.connect() as connection:
            return list(connection.execute(query))

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        with _translated(self._where), self._engine.begin() as connection:
            yield connection


_PASSAGE = [column for column in _passages.c if column.name not in ("encoded", "times")]
_DESCRIBED = [
    *(
        column
        for column in _releases.c
        if column.name not in ("sections", "pages", "text", "indexed")
        and not isinstance(column.type, sa.LargeBinary)
    ),
    sa.literal("[]").label("sections"),
    sa.literal("[]").label("pages"),
    sa.literal("").label("text"),
]
"""The columns of a release without its text and what points into it."""


@contextmanager
def writer_lock(settings: Settings) -> Iterator[None]:
    """Hold the right to write to the data folder.

    With a PostgreSQL URL, no process on any machine may write to that database meanwhile. Raises
    `LockedError` within a second when another process holds the lock, `StoreError` when the folder
    cannot be written or the server cannot be reached.
    """
    lock = FileLock(str(settings.data_dir / "write.lock"), timeout=_LOCK_SECONDS)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise LockedError(
            f"another process is writing to {settings.data_dir}; wait until it is done"
        ) from error
    except FileExistsError as error:
        raise StoreError(
            f"the data folder {settings.data_dir} is a file; choose another with --data-dir"
        ) from error
    except OSError as error:
        raise StoreError(
            f"cannot write to the data folder {settings.data_dir} ({error.strerror}); "
            "make it writable or choose another with --data-dir or RAG_DATA_DIR"
        ) from error
    try:
        with _server_lock(settings):
            yield
    finally:
        lock.release()


@contextmanager
def _server_lock(settings: Settings) -> Iterator[None]:
    """An advisory lock on a connection of its own; a server gives it up with the connection."""
    if not settings.database_url:
        yield
        return
    where = _where(settings)
    engine = _server(settings.database_url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    if engine.dialect.name != "postgresql":
        yield
        return
    with ExitStack() as stack:
        with _translated(where):
            connection = stack.enter_context(engine.connect())
            # A machine that vanished must not hold the lock for the two hours that are usual.
            for name, value in (
                ("lock_timeout", f"{_LOCK_SECONDS * 1000:.0f}ms"),
                ("tcp_keepalives_idle", "30"),
                ("tcp_keepalives_interval", "10"),
                ("tcp_keepalives_count", "3"),
            ):
                connection.execute(sa.select(sa.func.set_config(name, value, False)))
            schema = sa.func.hashtext(sa.func.current_schema())
            try:
                connection.execute(sa.select(sa.func.pg_advisory_lock(_LOCK_NUMBER, schema)))
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                    raise
                raise LockedError(
                    f"another process is writing to {where}; wait until it is done"
                ) from error
        yield


def _where(settings: Settings) -> str:
    if settings.database_url:
        return without_password(settings.database_url)
    return str(settings.data_dir / "archive.sqlite3")


def _server(database_url: str, **options: Any) -> sa.Engine:
    """An engine for a URL; `StoreError` when it cannot be one."""
    where = without_password(database_url)
    try:
        url = sa.make_url(database_url)
        if url.drivername in ("postgres", "postgresql"):
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() == "postgresql" and "connect_timeout" not in url.query:
            url = url.update_query_dict({"connect_timeout": str(_CONNECT_SECONDS)})
        return sa.create_engine(url, **options)
    except ImportError as error:
        raise StoreError(
            f"the database {where} needs a driver that is not installed ({error.name}); for "
            "PostgreSQL run: .venv/bin/pip install -c constraints.txt -e '.[postgres]'"
        ) from error
    except (sa.exc.ArgumentError, ValueError, TypeError) as error:
        # What these say can hold a part of the password.
        raise StoreError(
            f"cannot use the database {where}: not the URL of a known kind of database; "
            "set RAG_DATABASE_URL to one like postgresql://user:password@host/database"
        ) from error


@contextmanager
def _translated(where: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        reason = without_password(str(getattr(error, "orig", None) or error)).splitlines()[0]
        if "readonly" in reason or "read-only" in reason:
            advice = "make it writable or choose another folder with --data-dir"
        elif "full" in reason:
            advice = "free space and run the same command again"
        elif "malformed" in reason or "not a database" in reason:
            advice = "restore it from a copy, or remove the data folder and ingest again"
        else:
            advice = "check that the folder or server can be reached and written"
        raise StoreError(f"the archive {where} failed: {reason}; {advice}") from error


def _sqlite_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _create(engine: sa.Engine) -> None:
    try:
        _tables.create_all(engine)
    except (IntegrityError, ProgrammingError):
        # Another process that opened the archive at the same moment was first; or it fails again.
        _tables.create_all(engine)


def _add_columns(engine: sa.Engine) -> None:
    """Give the tables of an older database the columns that came later."""
    for table in _tables.sorted_tables:
        for column in _lacking(engine, table):
            added = sa.schema.CreateColumn(column).compile(dialect=engine.dialect)
            named = engine.dialect.identifier_preparer.format_table(table)
            try:
                with engine.begin() as connection:
                    connection.exec_driver_sql(f"ALTER TABLE {named} ADD COLUMN {added}")
            except SQLAlchemyError:
                # Another process that opened the archive at the same moment may have been first.
                if column in _lacking(engine, table):
                    raise


def _lacking(engine: sa.Engine, table: sa.Table) -> list[sa.Column[Any]]:
    there = {column["name"] for column in sa.inspect(engine).get_columns(table.name)}
    return [column for column in table.columns if column.name not in there]


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _release(row: sa.Row[Any]) -> Release:
    return Release(
        id=row.id,
        source=row.source,
        sha256=row.sha256,
        text=row.text,
        language=row.language,
        number=row.number,
        title=row.title,
        issuer=row.issuer,
        issued=row.issued,
        place=row.place,
        signer=row.signer,
        kind=row.kind,
        subject=row.subject,
        supersedes=row.supersedes,
        provenance=tuple((name, where) for name, where in json.loads(row.provenance or "[]")),
        sections=tuple(Section(*section) for section in json.loads(row.sections)),
        pages=tuple(json.loads(row.pages)),
    )


def _described(release: Release) -> dict[str, Any]:
    """The values of what is known about a release."""
    return {
        "sha256": release.sha256,
        "source": release.source,
        "language": release.language,
        "number": release.number,
        "title": release.title,
        "issuer": release.issuer,
        "issued": release.issued,
        "place": release.place,
        "signer": release.signer,
        "kind": release.kind,
        "subject": release.subject,
        "supersedes": release.supersedes,
        "provenance": json.dumps(release.provenance),
    }


def _passage(row: sa.Row[Any]) -> Passage:
    return Passage(
        id=row.id,
        release_id=row.release_id,
        start=row.start,
        end=row.end,
        text=row.text,
        section=tuple(json.loads(row.section)),
        page=row.page,
    )


def _passes(release: Release, filters: Filters) -> bool:
    if filters.release_ids and release.id not in filters.release_ids:
        return False
    if filters.issuer and _organ(filters.issuer) not in _organ(release.issuer or ""):
        return False
    if filters.issued_from and (not release.issued or release.issued < filters.issued_from):
        return False
    return not (filters.issued_to and (not release.issued or release.issued > filters.issued_to))


_SHORT = (
    (re.compile(r"\buy ban nhan dan\b"), "ubnd"),
    (re.compile(r"\bhoi dong nhan dan\b"), "hdnd"),
    (re.compile(r"\b(?:thanh pho\b|tp\b\.?)"), "tp"),
)
_MAX_DAYS = 366


def _organ(name: str) -> str:
    """An organ's name for comparison: no case, no diacritics, usual words abbreviated."""
    name = " ".join(bare(name).split())
    for pattern, short in _SHORT:
        name = pattern.sub(short, name)
    return name


def _plain_number(number: str) -> str:
    """A number for comparison: no blanks, case, diacritics, kinds of dashes or leading zeros."""
    return re.sub(r"[–—]", "-", re.sub(r"\s", "", bare(number))).lstrip("0")


def _superseded(rows: Sequence[sa.Row[Any]]) -> dict[str, str]:
    rows = sorted(rows, key=lambda row: (str(row.issued or ""), row.id))
    by_number: dict[str, list[sa.Row[Any]]] = {}
    for row in rows:
        if row.number:
            by_number.setdefault(_plain_number(row.number), []).append(row)
    found: dict[str, str] = {}
    for newer in rows:
        older: list[sa.Row[Any]] = []
        if newer.supersedes:
            named = by_number.get(_plain_number(newer.supersedes), [])
            older = [row for row in named if row.id != newer.id and _may_replace(newer, row)][-1:]
        if newer.number and newer.issuer and newer.issued:
            older += [
                row
                for row in by_number[_plain_number(newer.number)]
                if row.issued
                and row.issued.year == newer.issued.year
                and row.issued < newer.issued
                and _organ(row.issuer or "") == _organ(newer.issuer)
            ]
        for row in older:
            if not _leads_to(found, newer.id, row.id):
                found[row.id] = newer.id
    return found


def _may_replace(newer: sa.Row[Any], older: sa.Row[Any]) -> bool:
    """Whether issuers and dates let one release be about the other; what is unknown does."""
    ours, theirs = _organ(newer.issuer or ""), _organ(older.issuer or "")
    if ours not in theirs and theirs not in ours:
        return False
    if newer.issued is None or older.issued is None:
        return True
    days: int = (newer.issued - older.issued).days
    return 0 <= days <= _MAX_DAYS


def _leads_to(links: Mapping[str, str], start: str, goal: str) -> bool:
    while start != goal:
        if start not in links:
            return False
        start = links[start]
    return True


def pack(encoded: Encoded) -> bytes:
    """An encoding as bytes: fp32 vector, then per token int8 values with an fp32 scale, spans, ids.

    Values of a token are rounded to 1/127 of its largest, which moves a cosine by about 1e-4.
    """
    scales = np.abs(encoded.tokens).max(axis=1, initial=1e-9).astype("<f4") / 127
    quants = np.rint(encoded.tokens / scales[:, None]).astype("i1")
    shape = np.array([len(encoded.vector), *encoded.tokens.shape], "<i4")
    return b"".join(
        part.tobytes()
        for part in (
            shape,
            encoded.vector.astype("<f4"),
            scales,
            quants,
            encoded.spans.astype("<i4"),
            encoded.ids.astype("<i4"),
        )
    )


def unpack_encoded(data: bytes) -> Encoded:
    """What `pack` packed."""
    dim, tokens, width = np.frombuffer(data, "<i4", 3)
    at = 12
    vector = np.frombuffer(data, "<f4", dim, at)
    at += 4 * int(dim)
    scales = np.frombuffer(data, "<f4", tokens, at)
    at += 4 * int(tokens)
    quants = np.frombuffer(data, "i1", tokens * width, at).reshape(tokens, width)
    at += int(tokens) * int(width)
    spans = np.frombuffer(data, "<i4", 2 * tokens, at).reshape(-1, 2)
    at += 8 * int(tokens)
    ids = np.frombuffer(data, "<i4", tokens, at)
    return Encoded(vector, quants * scales[:, None], spans, ids)
