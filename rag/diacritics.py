"""Vietnamese typed without diacritics gets them back, by which syllables follow each other.

Of all ways to mark the syllables, the likeliest is taken: how often each follows the one before it
(Viterbi over pairs), in the bundled counts and in passages at hand, which know the names.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from rag.language import bare, fold, words

_START = ""
"""What stands before the first syllable of a clause."""
_PAIRS = 0.9
"""How much the syllable before counts, beside how frequent a syllable is."""
_NEAR = 5
"""What a passage at hand counts beside the bundled texts."""
_ENDS = frozenset(".;:!?()\n")


class Syllables:
    """How often syllables, in lower case with their diacritics, occur and follow each other."""

    def __init__(self) -> None:
        self.single: Counter[str] = Counter()
        self.pairs: Counter[tuple[str, str]] = Counter()
        self._forms: defaultdict[str, set[str]] = defaultdict(set)

    @classmethod
    @lru_cache(maxsize=1)
    def bundled(cls) -> Syllables:
        """The counts that come with the project (`rag/data/syllables.npz`, by `eval.fit`)."""
        path = files("rag") / "data" / "syllables.npz"
        with path.open("rb") as file, np.load(file) as arrays:
            return cls.unpacked(dict(arrays))

    @classmethod
    def unpacked(cls, arrays: dict[str, Any]) -> Syllables:
        """Counts from what `packed` gave."""
        out = cls()
        names = [_START, *bytes(arrays["names"]).decode().split()]
        out.single.update(dict(zip(names[1:], arrays["single"].tolist(), strict=True)))
        columns = (arrays[name].tolist() for name in ("before", "after", "together"))
        for before, after, count in zip(*columns, strict=True):
            out.pairs[names[before], names[after]] = count
        for name in names[1:]:
            out._forms[bare(name)].add(name)
        return out

    def packed(self) -> dict[str, Any]:
        """As arrays, for a file."""
        names = sorted(self.single)
        number = {name: place for place, name in enumerate([_START, *names])}
        kept = sorted(self.pairs)
        return {
            "names": np.frombuffer(" ".join(names).encode(), np.uint8),
            "single": np.array([self.single[name] for name in names], np.int32),
            "before": np.array([number[before] for before, _ in kept], np.uint16),
            "after": np.array([number[after] for _, after in kept], np.uint16),
            "together": np.array([self.pairs[pair] for pair in kept], np.int32),
        }

    def add(self, text: str, times: int = 1) -> None:
        """Count a text."""
        before, last = _START, 0
        for word, start, end in words(text):
            if not word.isalpha():
                before = _START
                continue
            if not _ENDS.isdisjoint(text[last:start]):
                before = _START
            syllable = word.lower()
            self.single[syllable] += times
            self.pairs[before, syllable] += times
            self._forms[bare(syllable)].add(syllable)
            before, last = syllable, end

    def restored(self, text: str, near: Iterable[str] = ()) -> str:
        """The text with the likeliest diacritics; as it is where it has some or none are known.

        `near` are texts that may speak of the same.
        """
        here = Syllables()
        for one in near:
            here.add(one, _NEAR)
        found = words(text)
        total = self.single.total() + here.single.total() + 1
        best: dict[str, tuple[float, tuple[str, ...]]] = {_START: (0.0, ())}
        for word, _, _ in found:
            low = word.lower()
            forms = self._forms.get(low, set()) | here._forms.get(low, set())
            # A tie is broken the same way every time.
            best = {
                form: max(
                    (
                        score + self._chance(before, form, here, total),
                        (*path, form),
                    )
                    for before, (score, path) in best.items()
                )
                for form in sorted(forms or {low})
            }
        out, at = [], 0
        for (word, start, end), form in zip(found, max(best.values())[1], strict=True):
            out += [text[at:start], _cased(word, form)]
            at = end
        return "".join([*out, text[at:]])

    def _chance(self, before: str, form: str, here: Syllables, total: int) -> float:
        """The logarithm of how likely a form is behind another."""
        alone = (self.single[form] + here.single[form] + 0.5) / total
        known = self.single[before] + here.single[before] if before else total // 20
        pair = (self.pairs[before, form] + here.pairs[before, form]) / (known + 2)
        return math.log(_PAIRS * pair + (1 - _PAIRS) * alone)


def _cased(word: str, form: str) -> str:
    """A syllable with the capitals of a word; the word itself when it has diacritics."""
    if fold(word) == form or not word.isascii():
        return word
    if word.isupper():
        # One capital letter may begin a name; more are an abbreviation.
        return form.upper() if len(word) == 1 else word
    return form[:1].upper() + form[1:] if word[:1].isupper() else form
