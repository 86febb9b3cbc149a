"""How the weights are fitted: listwise for what is chosen, logistic for what is judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from eval.fit_sets import is_public
from rag.confidence import CONFIDENCE_FEATURES


@dataclass(frozen=True, slots=True)
class Case:
    """One question with the features of its candidates."""

    cross: npt.NDArray[np.bool_]
    """(candidates,): the candidate's language is not the question's."""
    fold: int
    """What is left out together has the same."""
    features: npt.NDArray[np.float32]
    """(candidates, features)"""
    right: npt.NDArray[np.bool_]
    """(candidates,)"""
    name: str


def blocks(case: Case) -> npt.NDArray[np.float64]:
    """(candidates, 2 * features): the features in the block of their language pair, else 0.

    One list can hold candidates in both languages, so both blocks are fitted together.
    """
    cross = case.cross[:, None]
    return np.concatenate(
        [np.where(cross, 0, case.features), np.where(cross, case.features, 0)], axis=1
    ).astype(np.float64)


def softmax_fit(
    some: Sequence[Case],
    *,
    ridge: float = 0.0003,
    given: npt.NDArray[np.float64] | None = None,
    free: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.float64]:
    """Weights of both blocks that maximise the mean log-probability of the right candidates.

    Every set counts the same, however many questions it has; sets on releases count twice. With
    `given`, only the `free` of its weights are fitted. Raises ValueError when no case can tell.
    """
    usable = [c for c in some if c.right.any() and not c.right.all()]
    if not usable:
        raise ValueError("too few questions to leave some of them out")
    sizes = Counter(c.name for c in usable)
    counts = {name: 1.0 if is_public(name) else 2.0 for name in sizes}
    total_count = sum(counts.values())
    lists = [(blocks(c), c.right, counts[c.name] / (sizes[c.name] * total_count)) for c in usable]
    start = np.full(lists[0][0].shape[1], 1.0) if given is None else given
    moving = np.ones(len(start), bool) if free is None else free

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        total, gradient = 0.0, np.zeros_like(weights)
        for features, right, share in lists:
            scores = features @ weights
            scores -= scores.max()
            exps = np.exp(scores)
            probabilities = exps / exps.sum()
            mass = probabilities[right].sum() + 1e-12
            total -= share * np.log(mass)
            within = np.where(right, probabilities / mass, 0.0)
            gradient += share * (features.T @ (probabilities - within))
        return (
            total + ridge * float(weights @ weights),
            np.where(moving, gradient + 2 * ridge * weights, 0.0),
        )

    result = minimize(loss, start, jac=True, method="L-BFGS-B")
    fitted: npt.NDArray[np.float64] = result.x
    return fitted


def cross_validate(
    some: Sequence[Case],
    folds: int,
    *,
    given: npt.NDArray[np.float64] | None = None,
    free: npt.NDArray[np.bool_] | None = None,
) -> dict[str, tuple[float, int]]:
    """How often a right candidate comes first, by set name, on folds left out of the fit."""
    outcome: dict[str, list[bool]] = {}
    for fold in range(folds):
        kept = [case for case in some if case.fold % folds != fold]
        weights = softmax_fit(kept, given=given, free=free)
        for case in some:
            if case.fold % folds == fold:
                best = int(np.argmax(blocks(case) @ weights))
                outcome.setdefault(case.name, []).append(bool(case.right[best]))
    return {name: (float(np.mean(marks)), len(marks)) for name, marks in outcome.items()}


@dataclass(frozen=True, slots=True)
class Judged:
    """One reading of one question, for the two logistics."""

    case: Case
    """Of one row; `right` when the reading is."""
    answerable: bool
    found: bool
    """The best sentence holds the gold evidence."""
    share: float
    """How much it counts."""


def logistic_fit(
    some: Sequence[Case],
    labels: Sequence[bool],
    shares: Sequence[float],
    *,
    ridge: float = 0.005,
) -> npt.NDArray[np.float64]:
    """Weights of a logistic regression; every set counts the same, each case by its share.

    The ridge works on features scaled to unit deviation, so that it does not favour those with a
    wide range; the weights are given back for the features as they are. The first feature is the
    constant, which takes up what centring removes and is not held down.
    """
    rows = np.concatenate([case.features for case in some]).astype(np.float64)
    wanted = np.array(labels, np.float64)
    sizes = Counter(case.name for case in some)
    balance = np.array([share / sizes[case.name] for case, share in zip(some, shares, strict=True)])
    balance /= balance.sum()
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    mean[0] = 0.0
    scale[scale < 1e-6] = 1.0
    scaled = (rows - mean) / scale
    held = np.full(rows.shape[1], ridge)
    held[0] = 0.0

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        scores = scaled @ weights
        chance = 1 / (1 + np.exp(-np.clip(scores, -40, 40)))
        value = float(balance @ (np.logaddexp(0, scores) - wanted * scores))
        gradient = scaled.T @ (balance * (chance - wanted))
        return value + float(held @ weights**2), gradient + 2 * held * weights

    result = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B")
    fitted: npt.NDArray[np.float64] = result.x / scale
    fitted[0] -= float(fitted[1:] @ mean[1:])
    return fitted


def fit_listwise(
    model: str,
    names: Sequence[str],
    found: Sequence[Case],
    folds: int,
    weights: dict[str, Any],
    *,
    only: Collection[str] = (),
) -> None:
    """Fit one listwise model, print left-out accuracy, store it.

    What tells one span of a sentence from another is the same in any language: one set of weights.
    With `only`, the weights of these features are fitted and the others stay as they are.
    """
    shared = model in ("span", "choice")
    if shared:
        found = [replace(case, cross=np.zeros_like(case.cross)) for case in found]
    given = free = None
    if only:
        parts = ("both", "both") if shared else ("same", "cross")
        given = np.array([weights[model][part].get(name, 0.0) for part in parts for name in names])
        free = np.array([name in only for _ in parts for name in names])
    for name, (share, count) in cross_validate(found, folds, given=given, free=free).items():
        print(f"{model}: {name}: right first {share:.3f} of {count}", flush=True)
    fitted = softmax_fit(found, given=given, free=free)
    weights[model] = (
        {"both": _rounded(names, fitted[: len(names)])} if shared else _named(names, fitted)
    )


def fit_judges(judged: Sequence[Judged], weights: dict[str, Any], refused: float) -> None:
    """Fit both logistics; set the threshold on sets left out, and print what it does there.

    It is the value under which a share `refused` of the questions of gold files lies whose
    evidence was found, each file counting the same. Answerable questions whose evidence was not
    found say nothing about what answerable ones look like, and are left out of that fit. Whole
    sets are left out, not single questions: what holds for other questions on the same releases
    does not hold for other releases.
    """
    names = np.array([one.case.name for one in judged])
    answerable = np.array([one.answerable for one in judged])
    found = np.array([one.found for one in judged])
    right = np.array([bool(one.case.right[0]) for one in judged])
    rows = np.concatenate([one.case.features for one in judged])
    clear = found | ~answerable
    models = (
        ("answerable", clear, answerable),
        ("confidence", np.ones(len(judged), bool), right),
    )
    chances: dict[str, npt.NDArray[np.float64]] = {}
    for model, usable, labels in models:

        def fitted(kept: npt.NDArray[np.bool_], labels: Any = labels) -> npt.NDArray[np.float64]:
            numbers = np.flatnonzero(kept)
            some = [judged[int(n)] for n in numbers]
            return logistic_fit(
                [one.case for one in some], labels[numbers], [one.share for one in some]
            )

        chances[model] = np.zeros(len(judged))
        for name in sorted(set(names)):
            mine = names == name
            chances[model][mine] = 1 / (1 + np.exp(-(rows[mine] @ fitted(usable & ~mine))))
        weights[model] = {"both": _rounded(CONFIDENCE_FEATURES, fitted(usable))}
    gold = np.array([not is_public(name) for name in names])
    sizes = Counter(names[gold & found])
    threshold = _quantile(
        chances["answerable"][gold & found],
        np.array([1 / sizes[name] for name in names[gold & found]]),
        refused,
    )
    weights["threshold"] = {"value": round(threshold, 4)}
    print(f"threshold {threshold:.3f}")
    for name in sorted(set(names)):
        mine = names == name
        shown = mine & (chances["answerable"] >= threshold)
        print(
            f"judged: {name}: refused unanswerable "
            f"{np.mean(chances['answerable'][mine & ~answerable] < threshold):.3f}, answerable "
            f"{np.mean(chances['answerable'][mine & answerable] < threshold):.3f}; of the answers "
            f"given right {np.mean(right[shown]):.3f}, calibration error "
            f"{calibration_error(chances['confidence'][shown], right[shown]):.3f}",
            flush=True,
        )


def _quantile(
    values: npt.NDArray[np.float64], counts: npt.NDArray[np.float64], share: float
) -> float:
    """The value under which a share of the values lies, each by how much it counts."""
    order = np.argsort(values)
    reached = np.cumsum(counts[order]) / counts.sum()
    return float(values[order][np.searchsorted(reached, share)])


def calibration_error(chances: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error over ten bins of equal width; nan without answers."""
    if not len(chances):
        return float("nan")
    bins = np.minimum((chances * 10).astype(int), 9)
    return float(
        sum(
            abs(chances[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean()
            for b in range(10)
            if (bins == b).any()
        )
    )


def _named(names: Sequence[str], fitted: npt.NDArray[np.float64]) -> dict[str, dict[str, float]]:
    half = len(names)
    return {"same": _rounded(names, fitted[:half]), "cross": _rounded(names, fitted[half:])}


def _rounded(names: Sequence[str], values: npt.NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}
