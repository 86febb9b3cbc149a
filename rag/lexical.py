"""BM25 over passage texts: built in bounded memory, opened by mapping files, scored term by term.

The scores are those of Lucene's variant (Kamphuis et al. 2020), each term's in every passage worked
out when the index is built; a question adds up the rows of its terms. Terms are kept as 64-bit
hashes in a sorted array, so that a vocabulary of millions needs no dictionary: opening an index
reads a few kilobytes, whatever its size.

Files of an index: `ids.json` (passages in their order, and runs of those with the same label),
`terms.npy` (T,) sorted hashes,
`starts.npy` (T + 1,) where each term's row starts, `passages.npy` and `scores.npy` (N,) the rows,
and `about.json` with the digest of the others.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from rag.language import bare, fold, words

FORMAT = "5"
"""Of the files; another format is built again."""
_K1, _B = 1.5, 0.75
_TOGETHER = 4096
"""Passages counted in memory before they are set aside."""
_PARTS = 16
"""Stretches of the hash range that are put in order one at a time."""
_LEFT, _RIGHT = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_DENSE_SHARE = 16
"""A term in more than one of so many passages is kept as a full row once it was asked for."""
_DENSE_BYTES = 64_000_000

Scores = npt.NDArray[np.float32]
_Hashes = npt.NDArray[np.uint64]


@lru_cache(maxsize=4096)
def terms(text: str) -> tuple[str, ...]:
    """What BM25 counts: syllables and pairs of syllables, as typed and without diacritics.

    The latter carry a leading `~`, so that a question with diacritics meets only its own words.
    """
    syllables = [fold(word) for word, _, _ in words(text)]
    plain = ["~" + bare(word) for word in syllables]
    return (
        *syllables,
        *(f"{a} {b}" for a, b in itertools.pairwise(syllables)),
        *plain,
        *(f"{a} {b}" for a, b in itertools.pairwise(plain)),
    )


@lru_cache(maxsize=200_000)
def _hash(syllable: str) -> int:
    return int.from_bytes(hashlib.blake2b(syllable.encode(), digest_size=8).digest(), "little")


@lru_cache(maxsize=200_000)
def _both(word: str) -> tuple[int, int]:
    syllable = fold(word)
    return _hash(syllable), _hash("~" + bare(syllable))


def _pair(left: _Hashes, right: _Hashes) -> _Hashes:
    return (left * _LEFT) ^ (right * _RIGHT)


def _hashes(text: str) -> _Hashes:
    """The hashes of `terms(text)`, in any order."""
    found = np.array([_both(word) for word, _, _ in words(text)], np.uint64).reshape(-1, 2)
    return np.concatenate([found.ravel(), _pair(found[:-1], found[1:]).ravel()])


def _hash_of(term: str) -> np.uint64:
    syllables = [np.array([_hash(part)], np.uint64) for part in term.split(" ")]
    while len(syllables) > 1:
        syllables[:2] = [_pair(syllables[0], syllables[1])]
    return np.uint64(syllables[0][0])


class Words:
    """A built index, its files mapped. Scores are exact, terms that it lacks score nothing."""

    def __init__(self, folder: Path) -> None:
        """Open the files of a folder; OSError, ValueError or KeyError when one is damaged."""
        self.about: dict[str, str] = json.loads((folder / "about.json").read_text("utf-8"))
        listed = json.loads((folder / "ids.json").read_text(encoding="utf-8"))
        self.ids: list[str] = listed["ids"]
        self.labels: list[str] = [label for label, _ in listed["labels"]]
        """Each run of passages has one, in the order of `ids`."""
        runs = [count for _, count in listed["labels"]]
        self._label_of = np.repeat(np.arange(len(runs), dtype=np.int32), runs)
        self._runs = np.cumsum([0, *runs[:-1]])
        self.position = {name: number for number, name in enumerate(self.ids)}
        """Passage id -> its place in `ids`."""
        self._terms = _mapped(folder / "terms.npy")
        self._starts = _mapped(folder / "starts.npy")
        self._passages = _mapped(folder / "passages.npy")
        self._scores = _mapped(folder / "scores.npy")
        if (
            self.about["format"] != FORMAT
            or len(self._starts) != len(self._terms) + 1
            or len(self._passages) != len(self._scores)
            or int(self._starts[-1]) != len(self._scores)
            or len(self._label_of) != len(self.ids)
        ):
            raise ValueError(f"{folder} does not hold a whole word index")
        self._scratch = np.zeros(len(self.ids), np.float32)
        self._dense: OrderedDict[int, Scores] = OrderedDict()
        self._found: dict[str, int] = {}

    def label(self, number: int) -> str:
        """The label that the passage at a place was given."""
        return self.labels[int(self._label_of[number])]

    @property
    def label_numbers(self) -> npt.NDArray[np.int32]:
        """(passages,): which of the labels each was given."""
        return self._label_of

    def best_of_label(self, scores: Scores) -> Scores:
        """(passages,): the largest of the scores of those with the same label in the same run."""
        if not len(scores):
            return scores
        best: Scores = np.maximum.reduceat(scores, self._runs)[self._label_of]
        return best

    def scores(self, wanted: Iterable[str]) -> Scores:
        """(passages,): the sum of the terms' scores; a term given twice counts twice."""
        total = np.zeros(len(self.ids), np.float32)
        for number in self._numbers(wanted):
            self._add(number, total)
        return total

    def most(self, term: str) -> float:
        """The largest score that a term can give: its idf, the other part tending to 1."""
        number = self._number(term)
        count = 0 if number < 0 else int(self._starts[number + 1] - self._starts[number])
        return float(np.log(1 + (len(self.ids) - count + 0.5) / (count + 0.5)))

    def best(self, wordings: Iterable[Sequence[str]]) -> tuple[Scores, float]:
        """Per passage the best wording, each as a share (0-1) of the most that it could score.

        Also the weight of the rarest first term among the wordings; 0 without wordings.
        """
        best = np.zeros(len(self.ids), np.float32)
        rarest = 0.0
        for wanted in wordings:
            ceiling = sum(self.most(term) for term in wanted)
            if ceiling <= 0:
                continue
            rarest = max(rarest, self.most(wanted[0]))
            numbers = self._numbers(wanted)
            if not numbers:
                continue
            share, total = np.float32(ceiling), self._scratch
            for number in numbers:
                self._add(number, total)
            rows = [self._row(number)[0] for number in numbers]
            if sum(map(len, rows)) > len(total) // _DENSE_SHARE:
                np.divide(total, share, out=total)
                np.maximum(best, total, out=best)
                total.fill(0)
                continue
            # Few passages have any of the terms: the others need not be looked at.
            for row in rows:
                best[row] = np.maximum(best[row], total[row] / share)
            for row in rows:
                total[row] = 0
        return best, rarest

    def _add(self, number: int, total: Scores) -> None:
        row, values = self._row(number)
        if len(row) * _DENSE_SHARE <= len(total):
            total[row] += values
            return
        full = self._dense.get(number)
        if full is None:
            full = np.zeros(len(total), np.float32)
            full[row] = values
            self._dense[number] = full
            while len(self._dense) * total.nbytes > _DENSE_BYTES:
                self._dense.popitem(last=False)
        else:
            self._dense.move_to_end(number)
        np.add(total, full, out=total)

    def _row(self, number: int) -> tuple[npt.NDArray[np.int32], Scores]:
        start, end = self._starts[number], self._starts[number + 1]
        return self._passages[start:end], self._scores[start:end]

    def _numbers(self, wanted: Iterable[str]) -> list[int]:
        return [number for term in wanted if (number := self._number(term)) >= 0]

    def _number(self, term: str) -> int:
        """The place of a term, -1 when no passage has it."""
        number = self._found.get(term)
        if number is None:
            wanted = _hash_of(term)
            at = int(np.searchsorted(self._terms, wanted))
            number = at if at < len(self._terms) and self._terms[at] == wanted else -1
            if len(self._found) >= 50_000:
                self._found.clear()
            self._found[term] = number
        return number


def build(passages: Iterable[tuple[str, str, str]], folder: Path, **about: str) -> None:
    """Write the index of passages (id, label, text) to an empty folder; `about` is kept with it.

    A label is what is to be known of a passage without the archive; the same one in a row takes
    no room.
    """
    with TemporaryDirectory(prefix=".parts-", dir=folder) as name:
        ids, labels, lengths, counted = _count(passages, Path(name))
        listed = {"ids": ids, "labels": labels}
        (folder / "ids.json").write_text(json.dumps(listed), encoding="utf-8")
        # As in the definition: the mean over all passages, in double precision.
        mean = float(lengths.mean()) if len(lengths) else 1.0
        flat = (_K1 * ((1 - _B) + _B * lengths / (mean or 1.0))).astype(np.float64)
        with (
            (folder / "rows").open("wb") as rows,
            (folder / "values").open("wb") as values,
        ):
            found = [_part(counted, part, len(ids), flat, rows, values) for part in range(_PARTS)]
    starts = np.concatenate([[0], np.cumsum(np.concatenate([each[1] for each in found]))])
    np.save(folder / "terms.npy", np.concatenate([each[0] for each in found]))
    np.save(folder / "starts.npy", starts.astype(np.int64))
    _as_array(folder / "rows", folder / "passages.npy", np.dtype(np.int32))
    _as_array(folder / "values", folder / "scores.npy", np.dtype(np.float32))
    told = {**about, "format": FORMAT, "digest": digest(folder)}
    (folder / "about.json").write_text(json.dumps(told), encoding="utf-8")


_Counted = tuple[_Hashes, npt.NDArray[np.int32], npt.NDArray[np.int32]]


def _count(
    passages: Iterable[tuple[str, str, str]], folder: Path
) -> tuple[list[str], list[tuple[str, int]], npt.NDArray[np.int64], list[_Counted]]:
    """Ids, runs of labels, lengths in terms, and files of (hash, passage, times) sorted by hash."""
    ids: list[str] = []
    labels: list[str] = []
    lengths: list[int] = []
    counted: list[_Counted] = []
    for chunk in _chunks(passages):
        parts = []
        for name, label, text in chunk:
            found, times = np.unique(_hashes(text), return_counts=True)
            parts.append((found, np.full(len(found), len(ids), np.int32), times.astype(np.int32)))
            ids.append(name)
            labels.append(label)
            lengths.append(int(times.sum()))
        whole = [np.concatenate(column) for column in zip(*parts, strict=True)]
        order = np.argsort(whole[0], kind="stable")
        for column, values in zip(("hash", "passage", "times"), whole, strict=True):
            np.save(folder / f"{len(counted)}.{column}.npy", values[order])
        counted.append(
            (
                _mapped(folder / f"{len(counted)}.hash.npy"),
                _mapped(folder / f"{len(counted)}.passage.npy"),
                _mapped(folder / f"{len(counted)}.times.npy"),
            )
        )
    runs = [(label, sum(1 for _ in run)) for label, run in itertools.groupby(labels)]
    return ids, runs, np.array(lengths, np.int64), counted


def _chunks(
    passages: Iterable[tuple[str, str, str]],
) -> Iterator[list[tuple[str, str, str]]]:
    left = iter(passages)
    while chunk := list(itertools.islice(left, _TOGETHER)):
        yield chunk


def _part(
    counted: list[_Counted],
    part: int,
    documents: int,
    flat: npt.NDArray[np.float64],
    rows: IO[bytes],
    values: IO[bytes],
) -> tuple[_Hashes, npt.NDArray[np.int64]]:
    """Write the rows of one stretch of hashes; its terms and how many passages have each."""
    low, high = (part << 60), ((part + 1) << 60) - 1
    pieces: list[_Counted] = []
    for hashes, passages, times in counted:
        start = int(np.searchsorted(hashes, np.uint64(low), "left"))
        end = int(np.searchsorted(hashes, np.uint64(high), "right"))
        pieces.append((hashes[start:end], passages[start:end], times[start:end]))
    if not pieces:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    hashes, passages, times = (np.concatenate(column) for column in zip(*pieces, strict=True))
    # Files are in the order of passages, so a stable sort keeps each row in that order.
    order = np.argsort(hashes, kind="stable")
    passages, times = passages[order], times[order]
    found, number, counts = np.unique(hashes[order], return_inverse=True, return_counts=True)
    idf = np.log(1 + (documents - counts + 0.5) / (counts + 0.5)).astype(np.float32)
    scores = idf[number] * (times / (flat[passages] + times))
    passages.astype(np.int32).tofile(rows)
    scores.astype(np.float32).tofile(values)
    return found, counts


def _as_array(raw: Path, target: Path, dtype: np.dtype[np.generic]) -> None:
    """A file of bare values as a file that numpy maps."""
    length = raw.stat().st_size // dtype.itemsize
    with raw.open("rb") as source, target.open("wb") as file:
        header = {"descr": dtype.str, "fortran_order": False, "shape": (length,)}
        np.lib.format.write_array_header_1_0(file, header)
        while block := source.read(1 << 24):
            file.write(block)
    raw.unlink()


def _mapped(path: Path) -> npt.NDArray[Any]:
    # The plain view of a mapped file: the subclass makes every small slice several times dearer.
    if not path.stat().st_size:
        raise ValueError(f"{path} is empty")
    plain: npt.NDArray[Any] = np.load(path, mmap_mode="r").view(np.ndarray)
    return plain


def digest(folder: Path) -> str:
    """SHA-256 over the files of an index as they are now; `about` has that of when it was made."""
    total = hashlib.sha256()
    for name in ("ids.json", "terms.npy", "starts.npy", "passages.npy", "scores.npy"):
        with (folder / name).open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
