"""Twins of answerable questions that cannot be answered: another place, or another year.

Where few questions are known to have no answer, more are made by changing one thing in those that
have one. What is put in is told nowhere in the releases that the question was written for, so that
no sentence there answers the twin, although all its other words are there.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from rag.language import stripped

_WORD = re.compile(r"\w+(?:-\w+)*")
_YEAR = re.compile(r"(?<![\d.,/-])(?:19|20)\d\d(?![\d.,-]?\d)")
_TIMES = frozenset(
    "january february march april may june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday".split()
)
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
    """What the texts of releases tell, as `twin` looks in it."""
    return stripped("\n".join(texts))


def twin(
    question: str, own: Collection[str], others: Iterable[str], told: str, rng: random.Random
) -> str | None:
    """The question with another name or another year in it; None where it has neither.

    `own` are the names of its set and `others` those of other sets; `told` is what
    `all_told` makes of the releases of the set: what is put in must not stand in it.
    """
    changes = []
    fresh = [name for name in others if name not in own and stripped(name) not in told]
    for start, end in _runs(question):
        if question[start:end] in own and fresh:
            changes.append((start, end, rng.choice(fresh)))
    for found in _YEAR.finditer(question):
        years = [str(int(found.group()) + by) for by in range(-9, 10) if by]
        untold = [year for year in years if year not in told]
        if untold:
            changes.append((*found.span(), rng.choice(untold)))
    if not changes:
        return None
    start, end, new = rng.choice(changes)
    return question[:start] + new + question[end:]


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
