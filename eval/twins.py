"""Twins of answerable questions that cannot be answered: another place, year or indicator.

Where few questions are known to have no answer, more are made by changing one thing in those that
have one. What is put in is told nowhere in the releases that the question was written for, so that
no sentence there answers the twin, although all its other words are there. An indicator, or what
else the glossary knows, is changed for another one of its topic: exports for a trade surplus.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.embedding import Embedder
from rag.language import detect, fold, stripped
from rag.question import Concept, glossary, understand
from rag.schema import Language

_WORD = re.compile(r"\w+(?:-\w+)*")
_YEAR = re.compile(r"(?<![\d.,/-])(?:19|20)\d\d(?![\d.,-]?\d)")
_TIMES = frozenset(
    "january february march april may june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday".split()
)
_VAGUE = frozenset({"general", "measure", "place", "statistics", "time"})
"""Topics of the glossary whose terms do not say what a question is about."""
_SAME = 3
"""So many of the terms that are most like one may mean the same."""
_NEAR = 8
"""So many of the next ones may take its place."""
_OFTEN = 4
"""A name that so many questions hold is that of a place or an office that a release is about."""


def names(questions: Sequence[str]) -> list[str]:
    """Capitalised words that stand together in several questions, as they are written there.

    What the same word always follows is the beginning of a longer name, and left out.
    """
    count: Counter[str] = Counter()
    after: dict[str, set[str]] = {}
    for question in questions:
        for start, end in _runs(question):
            name = question[start:end]
            count[name] += 1
            following = _WORD.match(question, end + 1)
            after.setdefault(name, set()).add(following.group() if following else "")
    return sorted(
        name
        for name, times in count.items()
        if times >= _OFTEN and len(after[name]) > 1 and len(name) > 3
    )


def all_told(texts: Iterable[str]) -> str:
    """What the texts of releases tell, as `Twins` looks in it."""
    return fold("\n".join(texts))


_Change = tuple[int, int, str]
"""Start and end of what is taken out of a question, and what is put in."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the glossary knows besides general words, and what is like each of its entries."""

    entries: list[tuple[str, str]]
    """Preferred wordings, English and Vietnamese."""
    wordings: list[tuple[str, ...]]
    """All wordings of each entry in both languages, folded."""
    near: list[list[int]]
    """Entries of the same topic, the most similar first; those that may mean the same left out."""

    def untold(self, told: str) -> frozenset[int]:
        """The entries of which no wording stands in `told`."""
        return frozenset(
            number
            for number, forms in enumerate(self.wordings)
            if not any(form in told for form in forms)
        )

    def instead(self, concept: Concept, untold: Collection[int]) -> list[int]:
        """Untold entries that are like a term of a question."""
        vi, en = concept.wordings("vi"), concept.wordings("en")
        if not vi or not en or (en[0], vi[0]) not in self.entries:
            return []
        near = self.near[self.entries.index((en[0], vi[0]))]
        return [number for number in near if number in untold][:_NEAR]


def terms(embedder: Embedder) -> Terms:
    """Read the glossary and compare its entries."""
    known = [entry for entry in glossary() if entry[2] not in _VAGUE]
    vectors = np.stack(
        [
            embedder.query(en[0], "en").vector + embedder.query(vi[0], "vi").vector
            for en, vi, _ in known
        ]
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    topics = np.array([topic for _, _, topic in known])
    near = []
    for number, vector in enumerate(vectors):
        similar = np.where(topics == topics[number], vectors @ vector, -np.inf)
        order = np.argsort(-similar, kind="stable")[: (topics == topics[number]).sum()]
        near.append(order[1 + _SAME :].tolist())
    return Terms(
        [(en[0], vi[0]) for en, vi, _ in known],
        [tuple(fold(form) for form in (*en, *vi)) for en, vi, _ in known],
        near,
    )


class Twins:
    """Makes twins of the questions of one set."""

    def __init__(
        self,
        told: str,
        *,
        own: Mapping[Language, Collection[str]],
        others: Mapping[Language, Iterable[str]],
        terms: Terms | None = None,
    ) -> None:
        """`told` is what `all_told` makes of the set's releases: what is put in is not there.

        `own` are the names of its set and `others` those of other sets, by question's language.
        """
        self._told = told
        self._own = own
        plain = stripped(told)
        self._others = {
            language: [
                name
                for name in names
                if name not in own.get(language, ()) and stripped(name) not in plain
            ]
            for language, names in others.items()
        }
        self._terms = terms
        self._untold = terms.untold(told) if terms else frozenset()

    def twin(self, question: str, rng: random.Random) -> str | None:
        """The question with another name, year or term in it; None where it has none to change."""
        language = detect(question)
        kinds = [
            changes
            for changes in (
                self._names(question, language, rng),
                self._years(question, rng),
                self._indicators(question, language, rng),
            )
            if changes
        ]
        if not kinds:
            return None
        start, end, new = rng.choice(rng.choice(kinds))
        return question[:start] + new + question[end:]

    def _names(self, question: str, language: Language, rng: random.Random) -> list[_Change]:
        own, others = self._own.get(language, ()), self._others.get(language, [])
        return [
            (start, end, rng.choice(others))
            for start, end in _runs(question)
            if others and question[start:end] in own
        ]

    def _years(self, question: str, rng: random.Random) -> list[_Change]:
        changes = []
        for found in _YEAR.finditer(question):
            years = [str(int(found.group()) + by) for by in range(-9, 10) if by]
            years = [year for year in years if year not in self._told]
            if years:
                changes.append((*found.span(), rng.choice(years)))
        return changes

    def _indicators(self, question: str, language: Language, rng: random.Random) -> list[_Change]:
        changes: list[_Change] = []
        if self._terms is None:
            return changes
        asked = understand(question)
        for concept in asked.concepts:
            if instead := self._terms.instead(concept, self._untold):
                new = self._terms.entries[rng.choice(instead)][language == "vi"]
                if asked.unmarked:
                    new = stripped(new)
                if concept.start == 0:
                    new = new[0].upper() + new[1:]
                changes.append((concept.start, concept.end, new))
        return changes


def _runs(question: str) -> list[tuple[int, int]]:
    """Where capitalised words stand together, the question's first word and times left out."""
    runs: list[tuple[int, int]] = []
    for found in _WORD.finditer(question):
        word = found.group()
        if found.start() == 0 or not word.istitle() or word.lower() in _TIMES:
            continue
        if runs and question[runs[-1][1] : found.start()] == " ":
            runs[-1] = (runs[-1][0], found.end())
        else:
            runs.append(found.span())
    return runs
