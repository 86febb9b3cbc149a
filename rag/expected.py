"""The kind of answer that a question expects, by its words.

A linear model over words, pairs of words and what the rules of `rag.question` say, learned from
questions whose answers are known (`python -m eval.fit kinds`). The rules know question words; the
model knows that a bill, a quota or what somebody earns is a figure too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from rag import figures
from rag.language import bare, fold, words
from rag.question import NAMING, Question, Want, asks_order
from rag.schema import Figure
from rag.units import GROUPS

Kind = Literal[
    "money", "percent", "count", "measure", "date", "person", "agency", "place", "document", "text"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
FIGURES: dict[Kind, Want] = {
    "money": "money", "percent": "percent", "count": "count", "measure": "quantity",
}  # fmt: skip
"""Kinds that are figures, and what asks for them."""
_KINDS_OF: dict[figures.Kind, Kind] = {
    "money": "money", "percent": "percent", "measure": "measure", "multiple": "measure",
    "date": "date", "period": "date",
}  # fmt: skip
_SURE = 0.6
"""The probability at which a kind of answer is looked for that the rules do not see."""


def expecting(question: Question) -> Question:
    """A question with the probabilities of `KINDS` and with what they make it want besides."""
    chances = expected(question)
    return replace(question, expected=chances, wants=_likelier(question, chances))


def _likelier(question: Question, chances: Sequence[float]) -> frozenset[Want]:
    """What is wanted by the rules, and what its words make likely besides."""
    wants, plain = question.wants, question.plain
    if question.explains or wants & {"list", "multiple"} or asks_order(question.text):
        return wants
    by_kind = dict(zip(KINDS, chances, strict=True))
    likeliest = max(KINDS, key=by_kind.__getitem__)
    if likeliest == "text" or NAMING.search(plain):
        return wants
    figure = sum(by_kind[kind] for kind in FIGURES)
    if wants == {"text"} and figure > _SURE:
        return frozenset(want for kind, want in FIGURES.items() if by_kind[kind] > 0.15 * figure)
    if by_kind[likeliest] <= _SURE:
        return wants
    if likeliest == "measure" and wants & {"count", "quantity"}:
        # Measures are looked for already.
        return wants
    likely = cast(Want, FIGURES.get(likeliest, likeliest))
    return frozenset({likely}) if wants == {"text"} else wants | {likely}


def kind_of(figure: Figure) -> Kind:
    """The kind that a figure is of; a rate is of the kind of what it is a rate of."""
    return _KINDS_OF.get(figures.kind(figures.numerator(figure)), "count")


def cues(question: Question) -> list[str]:
    """What the model looks at: names are `@` and numbers `#`, whichever they are."""
    said = [
        "#"
        if any(char.isdigit() for char in word)
        else "@"
        if word[0].isupper() and fold(word) in question.names
        else bare(word)
        for word, _, _ in words(question.text)
    ]
    found = {*said, *(f"{one} {other}" for one, other in pairwise(said))}
    found |= {f"^{said[0]}", f"{said[-1]}$", "^" + " ".join(said[:2])} if said else set()
    found |= {f"<{want}>" for want in question.wants}
    found.add(f"<{'+'.join(sorted(question.wants))}>")
    found |= {f"<{name}>" for name in ("change", "explains") if getattr(question, name)}
    if question.noun:
        found.add(f"<of {GROUPS.get(question.noun.partition('/')[0])}>")
    for concept in question.concepts:
        if not concept.place:
            found |= {f"{{{form}}}" for form in concept.wordings("en")[:1]}
    return sorted(found)


def expected(question: Question) -> tuple[float, ...]:
    """The probability of each of `KINDS`."""
    vocabulary, weights, bias = _model()
    rows = [vocabulary[cue] for cue in cues(question) if cue in vocabulary]
    scores = bias + weights[rows].sum(axis=0)
    chances = np.exp(scores - scores.max())
    return tuple(float(chance) for chance in chances / chances.sum())


@lru_cache(maxsize=1)
def _model() -> tuple[dict[str, int], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Cue -> row, (cues, kinds) weights, (kinds,) bias."""
    with (files("rag") / "data" / "kinds.npz").open("rb") as file, np.load(file) as arrays:
        listed = bytes(arrays["cues"]).decode("utf-8").split("\n")
        weights = arrays["weights"].astype(np.float32)
        bias = arrays["bias"].astype(np.float32)
    return {cue: row for row, cue in enumerate(listed)}, weights, bias
