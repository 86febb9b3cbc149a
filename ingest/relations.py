"""Releases that are the same one read twice: scanned again, converted again, copied with a stamp.

Candidates come from MinHash signatures that the archive keeps, so a new release is compared in full
with a handful of others however many there are. Two texts are the same release when they differ
only as far as text recognition makes them differ: in their letters a little, and in their figures
about as much. The releases of a monthly series have most words in common and few figures.
"""

from __future__ import annotations

import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.fields import unaccented
from rag.archive import Archive
from rag.schema import Release

_PERMUTATIONS = 128
_VERSION = b"\x01"
"""Of the signature: another one is not comparable and is made again."""
_SHINGLE = 5
"""Characters: one that is wrong spoils five shingles."""
_BATCH = 1 << 13
_MIN_ESTIMATE = 0.4
"""Of the shared shingles. At 5% wrong characters in one of two texts, 0.63 are expected."""
_COMPARED = 5
_MIN_SIMILARITY = 0.88
_MAX_CHARS = 60_000
"""Longer texts are compared by their beginnings: the time grows with the square."""
_FIGURES_HARDER = 2.0
"""Recognition goes by words where letters are unclear; figures have none to go by."""
_SIGMAS = 3.0
_MAX_DIFFERING = 0.35
_FIGURE = re.compile(r"\d+(?:[.,/:]\d+)*")


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Two releases that are the same one, as far as their texts tell."""

    source: str
    """Of the release that was added."""
    other: str
    """Source of the one that was there."""
    other_id: str
    similarity: float
    """Share of characters (0-1) that need no edit to turn one text into the other."""
    differing: tuple[str, ...]
    """Figures that only one of them has, at most ten; they are worth a look."""

    def line(self) -> str:
        """One line for people."""
        figures = f"; figures that differ: {', '.join(self.differing)}" if self.differing else ""
        return (
            f"{self.source} looks like {self.other} read again "
            f"({self.similarity:.1%} the same{figures})"
        )


class NearDuplicates:
    """Finds releases like one that is being added; one object per run.

    Opening it loads the signatures of the archive and makes those that are missing, which takes
    about as long as reading those releases did.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._ids: list[str] = []
        self._signatures = np.empty((0, _PERMUTATIONS), "<u4")
        kept = archive.signatures()
        for release_id, packed in kept.items():
            if packed is None or not packed.startswith(_VERSION):
                packed = signature(archive.text(release_id))
                archive.set_signature(release_id, packed)
            self._remember(release_id, packed)

    def add(self, release: Release) -> list[NearDuplicate]:
        """The releases that this one repeats, the most similar first; its signature is kept.

        To be called once the archive holds the release. A release read from the same source is an
        earlier state of it, and none of the same text can be in the archive twice.
        """
        packed = signature(release.text)
        found = []
        for other_id in self._nearest(packed, release.id):
            if not self._archive.holds(other_id):
                continue
            other = self._archive.release(other_id)
            near = compare(release, other) if other.source != release.source else None
            if near is not None:
                found.append(near)
        self._archive.set_signature(release.id, packed)
        self._remember(release.id, packed)
        return sorted(found, key=lambda near: -near.similarity)

    def _nearest(self, packed: bytes, release_id: str) -> list[str]:
        if not self._ids:
            return []
        shared = (self._table() == _unpacked(packed)).mean(axis=1)
        best = np.argsort(-shared, kind="stable")[: _COMPARED + 1]
        near = [self._ids[at] for at in best if shared[at] >= _MIN_ESTIMATE]
        return [other for other in near if other != release_id][:_COMPARED]

    def _table(self) -> np.ndarray[tuple[int, int], np.dtype[np.uint32]]:
        return self._signatures[: len(self._ids)]

    def _remember(self, release_id: str, packed: bytes) -> None:
        if len(self._ids) == len(self._signatures):
            more = np.empty((max(64, 2 * len(self._ids)), _PERMUTATIONS), "<u4")
            more[: len(self._ids)] = self._signatures
            self._signatures = more
        self._signatures[len(self._ids)] = _unpacked(packed)
        self._ids.append(release_id)


def signature(text: str) -> bytes:
    """A MinHash of a text's character shingles, without accents, case and blanks."""
    # It imports scipy, for which asking and unchanged ingests need not wait.
    from datasketch import MinHash

    letters = re.sub(r"[\W_]+", "", unaccented(unicodedata.normalize("NFC", text))).encode()
    made = MinHash(_PERMUTATIONS, hashfunc=zlib.crc32, scheme="affine32")
    last = max(1, len(letters) - _SHINGLE + 1)
    for start in range(0, last, _BATCH):
        stop = min(last, start + _BATCH)
        made.update_batch({letters[at : at + _SHINGLE] for at in range(start, stop)})
    return _VERSION + np.asarray(made.hashvalues, "<u4").tobytes()


def _unpacked(packed: bytes) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    return np.frombuffer(packed, "<u4", offset=len(_VERSION))


def compare(release: Release, other: Release) -> NearDuplicate | None:
    """Whether two releases are the same one; None when they are not.

    A figure survives when all its characters do, which are expected to be misread at most twice as
    often as letters are. The number of figures that differ has to stay within three standard
    deviations of that expectation (figures taken as independent) and below 35% of them all. Two
    that bear different numbers and different dates are two.
    """
    from rapidfuzz.distance import Levenshtein

    if _differ(release.number, other.number) and _differ(release.issued, other.issued):
        return None
    ours, theirs = release.text[:_MAX_CHARS], other.text[:_MAX_CHARS]
    similarity = Levenshtein.normalized_similarity(ours, theirs, score_cutoff=_MIN_SIMILARITY)
    if similarity == 0.0:
        return None
    wrong = 1 - Levenshtein.normalized_similarity(_FIGURE.sub("", ours), _FIGURE.sub("", theirs))
    figures, others = Counter(_FIGURE.findall(ours)), Counter(_FIGURE.findall(theirs))
    missing, surplus = figures - others, others - figures
    total = max(figures.total(), others.total())
    if max(missing.total(), surplus.total()) > _expected(list(figures.elements()), total, wrong):
        return None
    differing = tuple(sorted((*missing, *surplus)))[:10]
    return NearDuplicate(release.source, other.source, other.id, similarity, differing)


def _differ(ours: object, theirs: object) -> bool:
    return ours is not None and theirs is not None and ours != theirs


def _expected(figures: Sequence[str], total: int, wrong: float) -> float:
    """How many of `total` figures may differ where the share `wrong` of the letters does."""
    rate = min(1.0, _FIGURES_HARDER * wrong)
    lost = [1 - (1 - rate) ** len(figure) for figure in figures]
    spread = math.sqrt(sum(share * (1 - share) for share in lost))
    return min(sum(lost) + _SIGMAS * spread, _MAX_DIFFERING * total)
