"""Keeps the archive and both indexes in step with files on disk.

The order of writes makes any interruption harmless: a release enters the archive with its
encodings in one transaction, then Chroma, then it is marked indexed; BM25 comes last. A run begins
by completing what an earlier one left (no text is embedded for that), so the state after the next
run is that of one that was never interrupted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from ingest.load import load
from ingest.passages import CHUNKER, context, split
from ingest.release import read_release
from ingest.sources import discover
from rag.archive import Archive, Source, writer_lock
from rag.embedding import Embedder, Encoded, identity, open_embedder
from rag.errors import InputError, StoreError
from rag.index import Index, metadata
from rag.schema import Passage, Release
from rag.settings import Settings

_INDEXED_TOGETHER = 256


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be ingested, and why."""

    source: str
    reason: str


@dataclass(slots=True)
class Summary:
    """What an ingest did, by source path."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    embedded: int = 0
    """Passages that went through the model."""

    def line(self) -> str:
        """One line for people."""
        return (
            f"{len(self.added)} added, {len(self.updated)} updated, "
            f"{len(self.unchanged)} unchanged, {len(self.failed)} failed"
        )


def ingest(
    paths: Iterable[Path | str],
    settings: Settings | None = None,
    *,
    embedder: Embedder | None = None,
    progress: bool = False,
) -> Summary:
    """Bring files and folders into the collection; unchanged ones cost no embedding.

    A file that cannot be read is reported in the summary and does not stop the others. Raises
    `InputError` for a path that does not exist, `LockedError` when another process is writing,
    `ModelMismatchError` and `StoreError` as the stores do.
    """
    settings = settings or Settings()
    files = discover([Path(path) for path in paths])
    summary = Summary()
    with writer_lock(settings), Archive.open(settings) as archive, ExitStack() as stack:
        # A mismatch of models must show even when no file has changed.
        Index.open(settings, archive, embedder.identity if embedder else identity(settings))
        writer = _Writer(settings, archive, stack, embedder)
        changed = _complete(writer)
        known = archive.sources()
        for path in tqdm(files, desc="ingesting", unit="file", disable=not progress):
            source = str(path)
            try:
                loaded = load(path)
                before = known.get(source)
                if before and before.sha256 == loaded.sha256:
                    summary.unchanged.append(source)
                    continue
                release = read_release(loaded, source)
                if not archive.holds(release.id):
                    summary.embedded += _add(writer, release)
                archive.link(Source(source, loaded.sha256, release.id))
            except InputError as error:
                summary.failed.append(Failure(source, str(error)))
                continue
            changed = True
            (summary.updated if before else summary.added).append(source)
        if changed:
            writer.flush()
            _drop_orphans(archive, writer.index)
            writer.index.finish()
    return summary


class _Writer:
    """The stores of one run; model and index are opened when first needed."""

    def __init__(
        self, settings: Settings, archive: Archive, stack: ExitStack, embedder: Embedder | None
    ) -> None:
        self.settings = settings
        self.archive = archive
        self._stack = stack
        self._embedder = embedder
        self._index: Index | None = None
        self._waiting: list[tuple[str, Sequence[Passage], Sequence[Encoded]]] = []

    def put(self, release: Release, passages: Sequence[Passage], encodings: list[Encoded]) -> None:
        """Archive a release now and index it with the next `flush`."""
        if self.archive.meta("embedder") is None:
            # Were this run killed, another model must not index these encodings as its own.
            self.archive.set_meta("embedder", self.embedder.identity)
        self.archive.add(release, passages, encodings, header(release, self.embedder))
        self._waiting.append((release.id, passages, encodings))
        if sum(len(passages) for _, passages, _ in self._waiting) >= _INDEXED_TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Index what waits; Chroma is much faster with many passages at once."""
        if self._waiting:
            passages = [passage for _, some, _ in self._waiting for passage in some]
            encodings = [encoded for *_, some in self._waiting for encoded in some]
            self.index.upsert(passages, encodings)
            self.archive.mark_indexed([release_id for release_id, *_ in self._waiting])
            self._waiting = []

    @property
    def embedder(self) -> Embedder:
        if self._embedder is None:
            self._embedder = open_embedder(self.settings)
        return self._embedder

    @property
    def index(self) -> Index:
        if self._index is None:
            index = Index.open(self.settings, self.archive, self.embedder.identity)
            self._index = self._stack.enter_context(index)
        return self._index


def _add(writer: _Writer, release: Release) -> int:
    embedder = writer.embedder
    passages = split(release, embedder.count)
    if not passages:
        raise InputError(f"{release.source} has no text to find; check the file")
    encodings = encode(release, passages, embedder)
    writer.put(release, passages, encodings)
    return len(passages)


def header(release: Release, embedder: Embedder) -> Encoded:
    """What is known about a release as a whole, encoded like a passage."""
    return embedder.passages([metadata(release)], release.language)[0]


def encode(release: Release, passages: Sequence[Passage], embedder: Embedder) -> list[Encoded]:
    """Encode passages with their headings as context.

    Token spans count from the passage's own start; tokens of the headings have negative ones.
    """
    heads = [context(passage.section) for passage in passages]
    texts = [
        f"{head}\n{passage.text}" if head else passage.text
        for head, passage in zip(heads, passages, strict=True)
    ]
    shifted = []
    for head, encoded in zip(heads, embedder.passages(texts, release.language), strict=True):
        shift = len(head) + 1 if head else 0
        shifted.append(Encoded(encoded.vector, encoded.tokens, encoded.spans - shift, encoded.ids))
    return shifted


def _complete(writer: _Writer) -> bool:
    """Finish what an interrupted run left; True when BM25 has to be made again."""
    archive = writer.archive
    chunker = archive.meta("chunker")
    if chunker is None:
        archive.set_meta("chunker", CHUNKER)
    elif chunker != CHUNKER:
        raise StoreError(
            f"the passages in {writer.settings.data_dir} were cut by an older version of this "
            "program; run python -m ingest --rebuild"
        )
    pending, orphans = archive.pending(), archive.orphans()
    for release_id in pending:
        passages = archive.passages_of(release_id)
        encodings = archive.encoded([passage.id for passage in passages])
        writer.index.upsert(passages, [encodings[passage.id] for passage in passages])
        archive.mark_indexed([release_id])
    return bool(pending or orphans) or _behind(archive)


def _behind(archive: Archive) -> bool:
    """Whether BM25 does not cover exactly the archive's passages (a run was stopped before it)."""
    return archive.meta("covered") != archive.fingerprint()


def _drop_orphans(archive: Archive, index: Index) -> None:
    for release_id in archive.orphans():
        archive.mark_indexed([release_id], indexed=False)
        index.delete(release_id)
        archive.remove(release_id)


def remove(name: str, settings: Settings | None = None) -> list[str]:
    """Take a release out by id, number, or source path; the paths it came from.

    Raises `InputError` when nothing goes by that name.
    """
    settings = settings or Settings()
    with writer_lock(settings), Archive.open(settings) as archive:
        sources = archive.sources().values()
        wanted = {
            release.id for release in archive.releases() if name in (release.id, release.number)
        } | {source.release_id for source in sources if source.path == name}
        paths = [source.path for source in sources if source.release_id in wanted]
        if not wanted:
            raise InputError(
                f"no release with the id, number or path {name}; see python -m ingest --list"
            )
        for path in paths:
            archive.unlink(path)
        identity = archive.meta("embedder") or ""
        with Index.open(settings, archive, identity) as index:
            _drop_orphans(archive, index)
            index.finish()
    return paths


def prune(settings: Settings | None = None) -> list[str]:
    """Take out the sources whose files are gone; their paths."""
    settings = settings or Settings()
    with writer_lock(settings), Archive.open(settings) as archive:
        gone = [path for path in archive.sources() if not Path(path).exists()]
        for path in gone:
            archive.unlink(path)
        if gone:
            with Index.open(settings, archive, archive.meta("embedder") or "") as index:
                _drop_orphans(archive, index)
                index.finish()
    return gone


def verify(settings: Settings | None = None) -> list[str]:
    """Compare both indexes with the archive: one line per difference, none when they agree."""
    settings = settings or Settings()
    problems: list[str] = []
    with Archive.open(settings) as archive:
        for release_id in archive.pending():
            problems.append(f"release {release_id} is not indexed yet; run the ingest again")
        for release in archive.releases():
            for passage in archive.passages_of(release.id):
                if release.text[passage.start : passage.end] != passage.text:
                    problems.append(f"passage {passage.id} differs from its release {release.id}")
        expected = set(archive.passage_ids())
        with Index.open(settings, archive, archive.meta("embedder") or "") as index:
            stored = index.stored_ids()
            worded = set(index.ids)
        for name, found in (("Chroma", stored), ("BM25", worded)):
            if missing := len(expected - found):
                problems.append(
                    f"{name} lacks {missing} of {len(expected)} passages; "
                    "run python -m ingest --rebuild"
                )
            if extra := len(found - expected):
                problems.append(
                    f"{name} holds {extra} passages that the archive does not; "
                    "run python -m ingest --rebuild"
                )
    return problems


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
    with writer_lock(settings), Archive.open(settings) as archive:
        embedder = embedder or open_embedder(settings)
        made_by = archive.meta("embedder")
        again = made_by != embedder.identity or archive.meta("chunker") != CHUNKER
        releases = [archive.release(name) for name in archive.release_ids()]
        if again:
            # Whoever opens a half-made index is refused: the archive still holds old encodings.
            archive.set_meta("embedder", f"{embedder.identity} (rebuild not finished)")
        archive.mark_indexed([release.id for release in releases], indexed=False)
        total = 0
        with Index(settings, archive, embedder.identity) as index:
            index.clear()
            for release in tqdm(releases, desc="rebuilding", unit="release", disable=not progress):
                if again:
                    passages = split(release, embedder.count)
                    encodings = encode(release, passages, embedder)
                    archive.add(release, passages, encodings, header(release, embedder))
                else:
                    passages = archive.passages_of(release.id)
                    packed = archive.encoded([passage.id for passage in passages])
                    encodings = [packed[passage.id] for passage in passages]
                index.upsert(passages, encodings)
                archive.mark_indexed([release.id])
                total += len(passages)
            archive.set_meta("chunker", CHUNKER)
            index.finish()
    return total
