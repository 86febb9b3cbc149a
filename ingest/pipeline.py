"""Keeps the archive and both indexes in step with where the releases come from.

What a source stands for is decided by its content: a renamed file keeps its release, the same bytes
(or the same text in other bytes) are one release with several sources, and only text that was never
seen is embedded. `ingest.writer` writes it; what an earlier run left undone is completed on the
way.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Literal

from tqdm import tqdm

from ingest.failure import Failure
from ingest.isolate import Job, Limits, Readers
from ingest.overrides import Manifest, overrides_for
from ingest.passages import CHUNKER
from ingest.relations import NearDuplicate, NearDuplicates
from ingest.sources import Document, SourceOptions, Sources, Unchanged, Validators, is_web
from ingest.writer import Writer, check_chunker, encode, header
from rag.archive import Archive, Source, writer_lock
from rag.embedding import Embedder, identity, open_embedder
from rag.errors import InputError
from rag.index import Index, same_vector
from rag.schema import Release
from rag.settings import Settings

if TYPE_CHECKING:
    from ingest.ray_engine import RayEngine

Engine = Literal["local", "ray"]
"""Where documents are read and embedded: in this process and its children, or on Ray Data."""

__all__ = [
    "Failure",
    "Summary",
    "encode",
    "gone",
    "header",
    "ingest",
    "prune",
    "rebuild",
    "remove",
    "verify",
]

_TWINS = 50
"""Sources of the same bytes that are looked at to tell a renamed file from a copy."""
_COMPARED = 1000
"""Passages that `verify` holds in memory at a time."""
_NAMED = 5
"""Passages that a difference of `verify` names one by one."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """A source that took over what another one, now gone, stood for."""

    source: str
    former: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A source that holds what another one holds too."""

    source: str
    of: str
    """The other source."""


@dataclass(frozen=True, slots=True)
class Superseded:
    """A release that another one replaces or corrects."""

    source: str
    by: str
    """Source of the later release."""


@dataclass(slots=True)
class Summary:
    """What an ingest did, by source."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    """Other bytes, or other metadata given beside them, than at the last ingest."""
    unchanged: list[str] = field(default_factory=list)
    renamed: list[Renamed] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    near_duplicates: list[NearDuplicate] = field(default_factory=list)
    """New releases that look like one that was there, read again."""
    superseded: list[Superseded] = field(default_factory=list)
    """Of the releases that this run brought in or that one of these replaces."""
    failed: list[Failure] = field(default_factory=list)
    """In the order met."""
    notes: list[str] = field(default_factory=list)
    """What a person may want to look at, one line each."""
    embedded: int = 0
    """Passages that went through the model."""

    def line(self) -> str:
        """One line for people."""
        rare = {
            "renamed": len(self.renamed),
            "duplicate": len(self.duplicates),
            "near-duplicate": len(self.near_duplicates),
            "superseded": len(self.superseded),
        }
        return ", ".join(
            (
                f"{len(self.added)} added, {len(self.updated)} updated",
                f"{len(self.unchanged)} unchanged",
                *(f"{count} {name}" for name, count in rare.items() if count),
                f"{len(self.failed)} failed",
            )
        )


def ingest(
    paths: Iterable[Path | str],
    settings: Settings | None = None,
    *,
    embedder: Embedder | None = None,
    options: SourceOptions = SourceOptions(),  # noqa: B008
    manifest: Path | None = None,
    limits: Limits = Limits(),  # noqa: B008
    engine: Engine = "local",
    progress: bool = False,
) -> Summary:
    """Bring files, folders, archives and URLs into the collection; unchanged ones cost little.

    What cannot be found or read is reported in the summary and does not stop the others. Raises
    `InputError` for a manifest that cannot be read, `LockedError` when another process is writing,
    `ModelMismatchError` and `StoreError` as the stores do.
    """
    settings = settings or Settings()
    said = Manifest.load(manifest) if manifest else None
    with writer_lock(settings), Archive.open(settings) as archive, ExitStack() as stack:
        # A mismatch of models must show even when no file has changed.
        Index.open(settings, archive, embedder.identity if embedder else identity(settings))
        check_chunker(archive, settings)
        known = archive.sources()
        validators = {
            path: Validators(source.etag, source.modified)
            for path, source in known.items()
            if source.etag or source.modified
        }
        readers: Readers | RayEngine
        if engine == "ray":
            from ingest.ray_engine import RayEngine

            embedder = embedder or open_embedder(settings)
            readers = stack.enter_context(RayEngine(settings, embedder, limits=limits))
            embedder = readers.embedder
        else:
            readers = stack.enter_context(Readers(limits=limits))
        writer = Writer(settings, archive, stack, embedder)
        sources = stack.enter_context(Sources(options, validators, manifest=manifest))
        run = _Run(archive, writer, sources, said, known, limits)
        with tqdm(desc="ingesting", unit=" documents", disable=not progress) as bar:
            for job, outcome in readers.read(run.jobs(list(paths), bar)):
                run.take(job, outcome)
        writer.flush()
        writer.publish(last=True)
        return run.summary()


class _Run:
    """Decides what each document means for the collection."""

    def __init__(
        self,
        archive: Archive,
        writer: Writer,
        sources: Sources,
        manifest: Manifest | None,
        known: dict[str, Source],
        limits: Limits,
    ) -> None:
        self._archive = archive
        self._writer = writer
        self._sources = sources
        self._manifest = manifest
        self._known = known
        self._limits = limits
        self._done = Summary()
        self._met: dict[str, int] = {}
        self._by_bytes: dict[str, list[str]] = {}
        self._by_release: dict[str, str] = {}
        for source in known.values():
            self._by_bytes.setdefault(source.sha256, []).append(source.path)
            self._by_release.setdefault(source.release_id, source.path)
        self._new: list[str] = []
        self._near: NearDuplicates | None = None

    def jobs(self, paths: Sequence[Path | str], bar: tqdm[None]) -> Iterator[Job]:
        """What has to be read, in the order met; all else is settled on the way."""
        for found in self._sources.walk(paths):
            bar.update()
            self._met.setdefault(found.source, len(self._met))
            if isinstance(found, Failure):
                self._done.failed.append(found)
            elif isinstance(found, Unchanged):
                self._done.unchanged.append(found.source)
            else:
                try:
                    job = self._job(found)
                except (InputError, OSError) as error:
                    self._fail(found.source, error)
                    job = None
                if job is None:
                    self._sources.discard(found)
                else:
                    yield job

    def take(self, job: Job, outcome: Release | Failure) -> None:
        """Bring a release that was read into the collection."""
        self._sources.discard(job.document)
        if isinstance(outcome, Failure):
            self._done.failed.append(outcome)
            return
        source = _source(job.document, job.sha256, outcome.id, _digest(job.overrides))
        before = self._known.get(source.path)
        if outcome.id in self._writer.held:
            self._held(outcome, source, before)
        elif self._add(outcome, source):
            (self._done.updated if before else self._done.added).append(source.path)
        else:
            self._fail(source.path, f"{source.path} has no text to find; check the file")
            return
        self._remember(source)

    def summary(self) -> Summary:
        """What was done; to be asked when all is published."""
        done = self._done
        done.embedded = self._writer.embedded
        done.failed.sort(key=lambda failure: self._met.get(failure.source, len(self._met)))
        if self._manifest is not None:
            done.notes += self._manifest.unused()
        if self._near is not None:
            for release_id in self._new:
                done.near_duplicates += self._near.add(self._archive.release(release_id))
        if self._new:
            links, new = self._archive.superseded(), set(self._new)
            done.superseded += [
                Superseded(self._by_release.get(older, older), self._by_release.get(newer, newer))
                for older, newer in links.items()
                if older in new or newer in new
            ]
        return done

    def _job(self, document: Document) -> Job | None:
        overrides = overrides_for(document, self._manifest)
        sha256 = self._hash(document.path)
        before = self._known.get(document.source)
        said = _digest(overrides)
        if before and (before.sha256, before.overrides) == (sha256, said):
            self._done.unchanged.append(document.source)
            current = _source(document, sha256, before.release_id, said)
            if current != before:
                self._writer.link(current)
            return None
        twins = self._twins(document, sha256, said)
        former = next((twin for twin in twins if self._sources.gone(twin.path)), None)
        if former is not None:
            source = _source(document, sha256, former.release_id, said)
            self._writer.link(source, instead_of=former.path)
            self._done.renamed.append(Renamed(source.path, former.path))
            self._forget(former.path)
        elif twins and before is None and _same_file(twins[0].path, document):
            self._done.unchanged.append(document.source)
            return None
        elif twins:
            source = _source(document, sha256, twins[0].release_id, said)
            self._writer.link(source)
            self._shared(source, before, twins[0].path)
        else:
            return Job(document, overrides, sha256)
        self._remember(source)
        return None

    def _twins(self, document: Document, sha256: str, said: str) -> list[Source]:
        """A few known sources of the same bytes, format and given metadata."""
        found = (self._known[path] for path in self._by_bytes.get(sha256, ()))
        same = (
            source
            for source in found
            if source.path != document.source
            and source.overrides == said
            and not is_web(source.path)
            and PurePath(source.path).suffix.lower() == document.suffix
        )
        return list(itertools.islice(same, _TWINS))

    def _add(self, release: Release, source: Source) -> bool:
        if self._near is None:
            # To know what was there before, it has to be opened before anything is added.
            self._near = NearDuplicates(self._archive)
        taken = self._writer.add(release, source)
        if taken:
            self._new.append(release.id)
        return taken

    def _held(self, release: Release, source: Source, before: Source | None) -> None:
        """Link a source to a release that is there already."""
        if before is None or before.release_id != release.id:
            self._writer.link(source)
            self._shared(source, before, self._by_release.get(release.id, release.source))
            return
        self._done.updated.append(source.path)
        there = self._archive.find(release.id)
        if there and there.source == source.path and _about(there) != _about(release):
            if there.language != release.language:
                # The vectors of a text depend on its language.
                self._writer.renew(release, source)
            else:
                self._writer.describe(release, source)
        else:
            self._writer.link(source)

    def _shared(self, source: Source, before: Source | None, other: str) -> None:
        if before is not None:
            self._done.updated.append(source.path)
        if other != source.path:
            self._done.duplicates.append(Duplicate(source.path, other))

    def _remember(self, source: Source) -> None:
        self._forget(source.path)
        self._known[source.path] = source
        self._by_bytes.setdefault(source.sha256, []).append(source.path)
        self._by_release.setdefault(source.release_id, source.path)

    def _forget(self, path: str) -> None:
        former = self._known.pop(path, None)
        if former is not None:
            self._by_bytes[former.sha256].remove(path)
            if self._by_release.get(former.release_id) == path:
                del self._by_release[former.release_id]

    def _hash(self, path: Path) -> str:
        """SHA-256 of a file's bytes; empty for what its reader refuses in any case."""
        if not path.is_file() or path.stat().st_size > self._limits.file_bytes:
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _fail(self, source: str, error: Exception | str) -> None:
        if isinstance(error, OSError):
            told = (error.strerror or str(error)).lower()
            error = f"cannot read {source}: {told}; check the path and its permissions"
        self._done.failed.append(Failure(source, "read", str(error)))


def _same_file(path: str, document: Document) -> bool:
    """Whether a known path is another way of writing a document's."""
    return document.source == str(document.path) and (
        os.path.realpath(path) == os.path.realpath(document.path)
    )


def _source(document: Document, sha256: str, release_id: str, said: str) -> Source:
    return Source(document.source, sha256, release_id, said, document.etag, document.modified)


def _digest(overrides: Mapping[str, str]) -> str:
    """A digest of given metadata; empty when none was given."""
    if not overrides:
        return ""
    told = json.dumps(sorted(overrides.items()), ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()


def _about(release: Release) -> Release:
    """What is known about a release, apart from its text and its bytes."""
    return replace(release, text="", sections=(), pages=(), sha256="")


def remove(name: str, settings: Settings | None = None) -> list[str]:
    """Take a release out by id, number, or source path; the paths it came from.

    Raises `InputError` when nothing goes by that name.
    """
    settings = settings or Settings()
    with writer_lock(settings), Archive.open(settings) as archive, ExitStack() as stack:
        sources = archive.sources().values()
        wanted = {
            release.id
            for release in archive.releases(texts=False)
            if name in (release.id, release.number)
        } | {source.release_id for source in sources if source.path == name}
        paths = [source.path for source in sources if source.release_id in wanted]
        if not wanted:
            raise InputError(
                f"no release with the id, number or path {name}; see python -m ingest --list"
            )
        _take_out(paths, Writer(settings, archive, stack))
    return paths


def gone(
    settings: Settings | None = None,
    *,
    options: SourceOptions = SourceOptions(),  # noqa: B008
) -> list[str]:
    """The sources that are known to be no longer there; see `Sources.gone`."""
    settings = settings or Settings()
    with Archive.open(settings) as archive, Sources(options) as sources:
        return [path for path in archive.sources() if sources.gone(path)]


def prune(settings: Settings | None = None, paths: Sequence[str] | None = None) -> list[str]:
    """Take out sources, those that are `gone` when none are named; their paths."""
    settings = settings or Settings()
    wanted = gone(settings) if paths is None else paths
    with writer_lock(settings), Archive.open(settings) as archive, ExitStack() as stack:
        known = archive.sources()
        there = [path for path in wanted if path in known]
        if there:
            _take_out(there, Writer(settings, archive, stack))
    return there


def _take_out(paths: Iterable[str], writer: Writer) -> None:
    for path in paths:
        writer.unlink(path)
    writer.flush()
    writer.publish(last=True)


def verify(settings: Settings | None = None) -> list[str]:
    """Compare both indexes with the archive: one line per difference, none when they agree.

    Vectors are compared as they are, the word index by its digests.
    """
    settings = settings or Settings()
    with Archive.open(settings) as archive:
        problems = [
            f"release {release_id} is not indexed yet; run the ingest again"
            for release_id in archive.pending()
        ]
        problems += [
            f"release {release_id} has no source any more; run the ingest again"
            for release_id in archive.orphans()
        ]
        named = archive.visible()
        with Index.open(settings, archive, archive.meta("embedder") or "") as index:
            if damage := index.damage():
                problems.append(f"the word index {damage}; run python -m ingest --rebuild")
            problems += _vectors_differ(archive, index, named)
    return problems


def _vectors_differ(archive: Archive, index: Index, named: Mapping[str, Release]) -> Iterator[str]:
    """How texts, vectors and words of the visible releases differ from the archive."""
    expected = archive.passage_ids()
    others = {passage.id for passage in archive.texts([*archive.pending(), *archive.orphans()])}
    stored, worded = index.stored_ids(), set(index.ids)
    broken: dict[tuple[str, str], list[str]] = {}
    ids = list(expected)
    for start in range(0, len(ids), _COMPARED):
        some = ids[start : start + _COMPARED]
        vectors = archive.vectors(some)
        kept = index.stored([name for name in some if name in stored])
        for name in some:
            told = []
            if name not in stored:
                told.append("Chroma lacks")
            elif kept[name][0] != expected[name]:
                told.append("Chroma gives to another release")
            elif not same_vector(kept[name][1], vectors[name]):
                told.append("Chroma has another vector for")
            if name not in worded:
                told.append("BM25 lacks")
            for what in told:
                broken.setdefault((what, expected[name]), []).append(name)
    for name in sorted(worded - set(expected)):
        broken.setdefault(("BM25 holds, and the archive does not,", ""), []).append(name)
    for name in sorted(stored - set(expected) - others):
        broken.setdefault(("Chroma holds, and the archive does not,", ""), []).append(name)
    for release_id in named:
        text = archive.text(release_id)
        for passage in archive.passages_of(release_id):
            if text[passage.start : passage.end] != passage.text:
                yield (
                    f"passage {passage.id} differs from the text of its release {release_id}; "
                    "remove that release and ingest it again"
                )
    for (what, release_id), names in broken.items():
        of = f" of release {release_id} ({named[release_id].source})" if release_id else ""
        shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
        yield f"{what} {len(names)} passages{of}: {shown}; run python -m ingest --rebuild"


def rebuild(
    settings: Settings | None = None,
    *,
    embedder: Embedder | None = None,
    progress: bool = False,
) -> int:
    """Make both indexes again from the archive; the number of passages.

    Texts are cut and embedded again only when the model or the chunker changed.
    """
    settings = settings or Settings()
    with writer_lock(settings), Archive.open(settings) as archive, ExitStack() as stack:
        embedder = embedder or open_embedder(settings)
        again = (archive.meta("embedder"), archive.meta("chunker")) != (embedder.identity, CHUNKER)
        if again:
            # Whoever opens a half-made index is refused: the archive still holds old encodings.
            archive.set_meta("embedder", f"{embedder.identity} (rebuild not finished)")
        ids = archive.release_ids()
        archive.mark_indexed(ids, indexed=False)
        index = stack.enter_context(Index(settings, archive, embedder.identity))
        index.clear()
        writer = Writer(settings, archive, stack, embedder, index=index)
        for release_id in tqdm(ids, desc="rebuilding", unit="release", disable=not progress):
            if again:
                archive.strip(release_id)
                writer.renew(archive.release(release_id))
            else:
                writer.restore(release_id)
        writer.flush()
        archive.set_meta("chunker", CHUNKER)
        writer.publish(last=True)
        return len(archive.passage_ids())
