"""Writes releases to the stores, in an order that makes any interruption harmless.

A release enters the archive with its encodings, then Chroma, and readers see it with all the
others of the run once BM25 covers them (`Index.finish`). What a run that was stopped has archived
is neither lost nor embedded again: whatever is archived, has a source and is not visible yet is
brought to the indexes by the next `publish`, and of a release that was archived in part, only the
rest is embedded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from ingest.passages import CHUNKER, context, split
from rag.archive import Archive, Entry, Source
from rag.embedding import Embedder, Encoded, identity, open_embedder
from rag.errors import StoreError
from rag.index import Index, metadata
from rag.schema import Language, Passage, Release
from rag.settings import Settings

_WINDOW = 64
"""Passages that are sorted by length and embedded together, then archived in one transaction.

More waste less on padding, but an interruption loses as many.
"""
_LINKED_TOGETHER = 1000
_PUBLISHED_TOGETHER = 2000
"""New passages after which readers are shown what there is; more in a large collection."""


_NOTHING = hashlib.sha256().hexdigest()
"""The fingerprint of an archive in which nothing is visible."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Some passages of a release on their way to the stores."""

    release: Release
    passages: Sequence[Passage]
    described: bool
    """Whether what is known about the release is to be written too."""
    source: Source | None
    """Set with the last part: only then does the release count as complete."""


class Writer:
    """The stores of one run; the model and Chroma are opened when first needed.

    Holds at most `_WINDOW` passages and their encodings besides the ones that it was just given.
    """

    def __init__(
        self,
        settings: Settings,
        archive: Archive,
        stack: ExitStack,
        embedder: Embedder | None = None,
        *,
        index: Index | None = None,
    ) -> None:
        """With an open `index`, nothing is published before the end."""
        self.settings = settings
        self.archive = archive
        self.embedded = 0
        """Passages that went through the model."""
        self._stack = stack
        self._embedder = embedder
        self._index = index
        self._waiting: list[_Part] = []
        self._linked: list[Source] = []
        self._unlinked: list[str] = []
        self._upserted: set[str] = set()
        self._publishing = index is None
        self._unpublished = 0
        self._visible = 0
        self.held = set(archive.release_ids())
        """Ids of the releases that are archived, or on their way there, as a whole."""
        # A release that no source stands for may have been archived in part.
        self._partial = set(archive.orphans())
        self.held -= self._partial

    @property
    def embedder(self) -> Embedder:
        """The embedding model."""
        if self._embedder is None:
            self._embedder = open_embedder(self.settings)
        return self._embedder

    @property
    def index(self) -> Index:
        """Both indexes, for the model that the archive's encodings were made by."""
        if self._index is None:
            given = self._embedder.identity if self._embedder else identity(self.settings)
            made_by = self.archive.meta("embedder") or given
            index = Index.open(self.settings, self.archive, made_by)
            self._index = self._stack.enter_context(index)
        return self._index

    def add(self, release: Release, source: Source) -> bool:
        """Take a release that is not `held`; False, and nothing taken, when it has no passages."""
        passages = split(release, self.embedder.count)
        if not passages:
            return False
        self.held.add(release.id)
        described = True
        if release.id in self._partial:
            self._partial.discard(release.id)
            there = {passage.id for passage in self.archive.passages_of(release.id)}
            passages = [passage for passage in passages if passage.id not in there]
        else:
            self._upserted.add(release.id)
        for start in range(0, max(1, len(passages)), _WINDOW):
            some = passages[start : start + _WINDOW]
            last = start + _WINDOW >= len(passages)
            self._wait(_Part(release, some, described, source if last else None))
            described = False
        return True

    def put(self, entry: Entry, complete: Sequence[Source]) -> None:
        """Take a release, or a part of one, that is encoded already; sources with the last part."""
        if self.archive.meta("embedder") is None:
            self.archive.set_meta("embedder", self.index.identity)
        self.archive.write([entry], linked=complete)
        self._to_chroma([entry])
        if complete:
            self.held.add(entry.release.id)
            self._upserted.add(entry.release.id)

    def describe(self, release: Release, source: Source) -> None:
        """Replace what is known about a release whose text is archived already."""
        self._wait(_Part(release, (), True, source))

    def link(self, source: Source, *, instead_of: str | None = None) -> None:
        """Let a source stand for a release that is held, and forget another source."""
        self._linked.append(source)
        if instead_of is not None:
            self._unlinked.append(instead_of)
        if len(self._linked) >= _LINKED_TOGETHER:
            self.flush()

    def unlink(self, path: str) -> None:
        """Forget a source."""
        self._unlinked.append(path)

    def flush(self) -> None:
        """Embed and archive what waits, bring it to Chroma, and write the links."""
        parts, self._waiting = self._waiting, []
        entries: list[Entry] = []
        if parts:
            if self.archive.meta("embedder") is None:
                # Were this run killed, another model must not index these encodings as its own.
                self.archive.set_meta("embedder", self.embedder.identity)
            entries = _encoded(parts, self.embedder)
        complete = [part.source for part in parts if part.source]
        linked, self._linked = self._linked, []
        unlinked, self._unlinked = self._unlinked, []
        if entries or linked or unlinked:
            self.archive.write(entries, linked=[*complete, *linked], unlinked=unlinked)
        self._to_chroma(entries)
        new = sum(len(entry.passages) for entry in entries)
        self.embedded += new
        self._unpublished += new
        if self._publishing and self._unpublished >= max(_PUBLISHED_TOGETHER, self._visible // 4):
            self.publish()

    def publish(self, *, last: bool = False) -> None:
        """Show readers what is complete and hide what no source stands for; nothing if that is so.

        The `last` time in a run, what is hidden is deleted as well: until then, a release that
        was archived in part may still be completed.
        """
        archive = self.archive
        pending, orphans = archive.pending(), archive.orphans()
        expected = archive.fingerprint(leaving=orphans)
        covered = archive.meta("covered")
        if pending or expected != (covered or _NOTHING):
            for release_id in pending:
                if release_id not in self._upserted:
                    self.restore(release_id)
            self.index.finish(arriving=pending, leaving=orphans)
            self._unpublished, self._visible = 0, len(archive.passage_ids())
        elif covered and self.index.covered() != expected:
            self.index.mend()
        if last:
            for release_id in orphans:
                self.index.delete(release_id)
                archive.remove(release_id)

    def renew(self, release: Release, source: Source | None = None) -> None:
        """Cut and embed the text of an archived release again, over what there is of it."""
        passages = split(release, self.embedder.count)
        for start in range(0, max(1, len(passages)), _WINDOW):
            some = passages[start : start + _WINDOW]
            last = start + _WINDOW >= len(passages)
            self._wait(_Part(release, some, start == 0, source if last else None))
        self._upserted.add(release.id)

    def _wait(self, part: _Part) -> None:
        self._waiting.append(part)
        if sum(len(part.passages) + part.described for part in self._waiting) >= _WINDOW:
            self.flush()

    def _to_chroma(self, entries: Sequence[Entry]) -> None:
        passages = [passage for entry in entries for passage in entry.passages]
        if passages:
            encodings = [encoded for entry in entries for encoded in entry.encodings]
            self.index.upsert(passages, encodings)

    def restore(self, release_id: str) -> None:
        """Bring an archived release to Chroma, a few passages at a time."""
        passages = self.archive.passages_of(release_id)
        for start in range(0, len(passages), _WINDOW):
            some = passages[start : start + _WINDOW]
            encodings = self.archive.encoded([passage.id for passage in some])
            self.index.upsert(some, [encodings[passage.id] for passage in some])
        self._upserted.add(release_id)


def check_chunker(archive: Archive, settings: Settings) -> None:
    """Record how this version cuts passages; `StoreError` when the archive's were cut otherwise."""
    chunker = archive.meta("chunker")
    if chunker is None:
        archive.set_meta("chunker", CHUNKER)
    elif chunker != CHUNKER:
        raise StoreError(
            f"the passages in {settings.data_dir} were cut by an older version of this "
            "program; run python -m ingest --rebuild"
        )


def header(release: Release, embedder: Embedder) -> Encoded:
    """What is known about a release as a whole, encoded like a passage."""
    return embedder.passages([metadata(release)], release.language)[0]


def encode(release: Release, passages: Sequence[Passage], embedder: Embedder) -> list[Encoded]:
    """Encode passages with their headings as context.

    Token spans count from the passage's own start; tokens of the headings have negative ones.
    """
    (entry,) = _encoded([_Part(release, passages, False, None)], embedder)
    return list(entry.encodings)


def _encoded(parts: Sequence[_Part], embedder: Embedder) -> list[Entry]:
    """What the parts become in the archive; one call of the model for each language.

    The model sorts what it is given by length, across releases.
    """
    texts: dict[Language, list[str]] = {"vi": [], "en": []}
    for part in parts:
        own = texts[part.release.language]
        own.extend(_with_context(passage)[0] for passage in part.passages)
        if part.described:
            own.append(metadata(part.release))
    made = {
        language: iter(embedder.passages(own, language)) if own else iter(())
        for language, own in texts.items()
    }
    entries = []
    for part in parts:
        coming = made[part.release.language]
        encodings = []
        for passage in part.passages:
            encoded, shift = next(coming), _with_context(passage)[1]
            encodings.append(
                Encoded(encoded.vector, encoded.tokens, encoded.spans - shift, encoded.ids)
            )
        known = next(coming) if part.described else None
        entries.append(Entry(part.release, part.passages, encodings, known))
    return entries


def _with_context(passage: Passage) -> tuple[str, int]:
    """A passage's text under its headings, and how many characters these take."""
    head = context(passage.section)
    return (f"{head}\n{passage.text}", len(head) + 1) if head else (passage.text, 0)
