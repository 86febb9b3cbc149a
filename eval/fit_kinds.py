"""The kind of answer that a question expects: a linear model over its words (`rag.expected`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from eval.fit_sets import Asked
from eval.gold import Question
from rag import expected, figures
from rag.expected import KINDS, Kind, cues
from rag.question import understand
from rag.units import GROUPS

_SEEN = 5
"""Questions that a cue must stand in; rarer ones are mostly names."""
_FREEDOM = 1.0
"""Inverse strength of the ridge."""


def kind_of(question: Question) -> Kind:
    """The kind of a gold answer: by its figure, else by its tags."""
    if question.figure is None:
        named = [kind for kind in KINDS if kind in question.tags]
        return named[0] if named else "text"
    unit = (question.figure.unit or "").partition("/")[0]
    if unit not in GROUPS and figures.kind(question.figure) != "multiple":
        # A bare number, or a noun that is not in the vocabulary: what the tags say, if anything.
        told = [kind for kind in ("money", "percent", "measure") if kind in question.tags]
        return told[0] if told else "count"
    return expected.kind_of(question.figure)


def general(asked: Sequence[Asked]) -> list[tuple[str, Kind]]:
    """What questions of public sets tell: that most "what …" of the world are no figures.

    Only those that the rules make nothing of and that are answered without a number: what else
    their answers are is not told.
    """
    return [
        (one.text, "text")
        for one in asked
        if understand(one.text).wants == {"text"}
        and not any(char.isdigit() for answer in one.answers for char in answer)
    ]


def fit_kinds(asked: Sequence[tuple[str, Kind]], sets: Sequence[str]) -> dict[str, Any]:
    """The arrays of `rag/data/kinds.npz`: cues, (cues, kinds) weights, (kinds,) bias.

    From questions with the kinds of their answers. `sets` names what they are of; the fits that use
    the arrays leave those questions out. Raises `ValueError` when a kind is lacking.
    """
    kinds = [kind for _, kind in asked]
    if lacking := set(KINDS) - set(kinds):
        raise ValueError(f"no question has an answer of the kind {', '.join(sorted(lacking))}")
    found = [cues(understand(text)) for text, _ in asked]
    often = Counter(cue for each in found for cue in each)
    rows = {cue: row for row, cue in enumerate(sorted(c for c, n in often.items() if n >= _SEEN))}
    pairs = [(n, rows[cue]) for n, each in enumerate(found) for cue in each if cue in rows]
    numbers, columns = np.array(pairs).T
    matrix = csr_matrix((np.ones(len(pairs)), (numbers, columns)), shape=(len(asked), len(rows)))
    model = LogisticRegression(C=_FREEDOM, max_iter=1000)
    model.fit(matrix, [KINDS.index(kind) for kind in kinds])
    return {
        "cues": np.frombuffer("\n".join(rows).encode("utf-8"), np.uint8),
        "weights": model.coef_.T.astype(np.float16),
        "bias": model.intercept_.astype(np.float32),
        "sets": np.array(sorted(set(sets))),
    }
