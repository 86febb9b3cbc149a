"""The measures, each a pure function of plain values; None wherever one is undefined.

Ranking comes from ir-measures; the rest is arithmetic. Every average over questions is kept as a
`Part` a question, (numerator, denominator), so that one table serves the headline figure, the
blocks by tag, the bootstrap and the comparison of two runs.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import ir_measures
import numpy as np
from numpy.typing import NDArray

from rag import figures
from rag.language import fold
from rag.schema import Figure, Language
from rag.tables import with_units
from rag.units import GROUPS

Part = tuple[float, float]
"""What one question adds to the numerator and the denominator of a metric."""
Interval = tuple[float, float]
"""Low and high end, 95 %."""

RANKING = ("recall@1", "recall@5", "ndcg@10", "mrr@10")
AVERAGES = (
    *RANKING,
    "evidence@1",
    "answer_accuracy",
    "figure_accuracy",
    "exact_match",
    "f1",
    "citation_precision",
    "citation_recall",
    "refused_unanswerable",
    "refused_answerable",
    "crag_score",
)
"""Metrics that are a sum of numerators over a sum of denominators."""
NAMES = (
    *AVERAGES[:-3],
    "unsupported_figures",
    *AVERAGES[-3:],
    "latency_p50_ms",
    "latency_p95_ms",
)
"""Every metric, in the order of reports."""
LATENCIES = {"latency_p50_ms": 50.0, "latency_p95_ms": 95.0}
LOWER_IS_BETTER = frozenset({"refused_answerable", "unsupported_figures", *LATENCIES})

_SEED = 20210624
_RESAMPLES = 2000

# --- Text: exact match, F1, containment --------------------------------------------------------

_MARKDOWN = re.compile(r"\\([!-/:-@\[-`{-~])|\*+|__|\[\d+\]")
# An abbreviation (U.S.) is one token, and so is a number with its inner separators; currency and
# per cent signs count, because 5 %, $5 and 5 are different answers.
_TOKEN = re.compile(
    r"[%‰$€£¥₫₹]|(?<![^\W_])[^\W\d_](?:\.[^\W\d_])+(?![^\W_])"
    r"|[^\W_]+(?:(?<=\d)[.,:/–-](?=\d)[^\W_]+)*"
)
_ABBREVIATION = re.compile(r"(?<=[^\W\d_])\.")
_VIETNAMESE = re.compile(
    r"[ăâđêôơưạảãấầẩẫậắằẳẵặẹẻẽếềểễệỉịĩọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹ]", re.IGNORECASE
)
_DROPPED_EN = frozenset({"a", "an", "the"})
_DROPPED_VI = frozenset(map(fold, ("của", "là", "cái", "chiếc", "những")))


def plain(text: str) -> str:
    """Markdown as a reader sees it: escapes resolved, emphasis and citation markers gone."""
    return _MARKDOWN.sub(lambda mark: mark[1] or "", text)


def tokens(text: str, *, like: str | None = None) -> list[str]:
    """The words that answers are compared by.

    After SQuAD (Rajpurkar et al. 2016): lower case, no punctuation, no English articles; when
    `like` (by default the text itself) has Vietnamese letters, after MLQA (Lewis et al. 2020), no
    classifiers and such instead, since `an` is a word there. Departures: numbers keep their
    separators, 608,5 is not 6085; per cent and currency signs are words of their own; hyphens and
    apostrophes part words; tone marks are put in one place (hoà, hòa). Markdown is read as `plain`
    shows it.
    """
    text = unicodedata.normalize("NFC", plain(text))
    example = text if like is None else unicodedata.normalize("NFC", like)
    dropped = _DROPPED_VI if _VIETNAMESE.search(example) else _DROPPED_EN
    found = (
        fold(_ABBREVIATION.sub("", match.group()).replace("–", "-"))
        for match in _TOKEN.finditer(text)
    )
    return [token for token in found if token not in dropped]


def exact_match(prediction: str, answers: Sequence[str]) -> float | None:
    """1.0 when the words equal those of some answer, else 0.0; None without answers."""
    if not answers:
        return None
    return float(any(tokens(prediction, like=answer) == tokens(answer) for answer in answers))


def f1(prediction: str, answers: Sequence[str]) -> float | None:
    """The best harmonic mean of word precision and recall over the answers (SQuAD).

    0.0 to 1.0; None without answers. Two texts without a word are equal.
    """
    if not answers:
        return None
    return max(_overlap_f1(tokens(prediction, like=answer), tokens(answer)) for answer in answers)


def _overlap_f1(words: list[str], wanted: list[str]) -> float:
    if not words or not wanted:
        return float(words == wanted)
    common = (Counter(words) & Counter(wanted)).total()
    return 2 * common / (len(words) + len(wanted))


def contains_answer(text: str, answers: Sequence[str]) -> bool:
    """Whether the words of some answer stand in the text, together and in order.

    Whole words only: `5` is not in `15`. An answer without a word is in no text.
    """
    return any(
        _spaced(wanted) in _spaced(tokens(text, like=answer))
        for answer in answers
        if (wanted := tokens(answer))
    )


def holds_answer(quote: str, answers: Sequence[str]) -> bool:
    """Whether the quote prints some answer, letter by letter but for case and white space.

    For answers that were cut from the text itself (SQuAD), which need not begin or end like a
    word of `tokens`: `1990` is in `1990-1995`; still `5` is not in `15`.
    """
    text = _flat(quote)
    return any(
        re.search(
            (r"\b" if answer[0].isalnum() else "")
            + re.escape(answer)
            + (r"\b" if answer[-1].isalnum() else ""),
            text,
        )
        for answer in map(_flat, answers)
        if answer
    )


def _flat(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).lower().split())


def _spaced(words: Sequence[str]) -> str:
    return f" {' '.join(words)} "


# --- Figures -----------------------------------------------------------------------------------


def figure_equal(gold: Figure, found: Sequence[Figure]) -> bool:
    """Whether the figure that was found is gold's in value and unit, by value alone without unit.

    Values are in base units, so that scale counts: 608,5 triệu is not 608,5 tỷ (after TAT-QA,
    Zhu et al. 2021). Of several figures of one kind with different values none is the answer: a
    sentence that holds this year's and last year's rate has not chosen one.
    """
    matching = [each for each in found if agrees(gold, each)]
    kinds = {figures.kind(_whole(gold, each)) for each in matching}
    values = {_bounds(each) for each in found if figures.kind(_whole(gold, each)) in kinds}
    return len(values) == 1


def agrees(gold: Figure, found: Figure) -> bool:
    """Whether a figure is gold's: in value and unit, by value alone where gold names no unit.

    Gold may leave out what a rate is per: 40 million dong, printed as 40 million dong a household.
    It may count with a noun that `rag.units` does not know; that agrees with any other noun.
    """
    if gold.unit is None:
        return _bounds(found) == _bounds(gold)
    found = _whole(gold, found)
    if figures.same(gold, found):
        return True
    unknown = gold.unit not in GROUPS and "/" not in gold.unit and gold.unit.islower()
    counted = figures.kind(gold) == figures.kind(found) == "count"
    return unknown and counted and _bounds(found) == _bounds(gold)


def _whole(gold: Figure, found: Figure) -> Figure:
    """A figure without what it is per, if gold has none."""
    if gold.unit is None or "/" in gold.unit:
        return found
    return figures.numerator(found)


def _bounds(figure: Figure) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    return figure.value, figure.low, figure.high


def unsupported_figures(
    text: str,
    quotes: Sequence[tuple[str, Language]],
    language: Language,
    tables: Sequence[tuple[str, str, Language]] = (),
) -> list[str]:
    """The figures of the text, as printed, that stand in none of the quotes.

    `quotes` are cited spans with the language of their release, `language` is that of the text;
    `tables` are cited rows, each with the first row of its table, which may give units to it.
    Equality is by value and unit, so that a translated figure is supported; so is one that a quote
    prints in the same words. Markdown is read as `plain` shows it.
    """
    stated = figures.find(plain(text), language=language)
    if not stated:
        return []
    known = [each for quote, of in quotes for each in figures.find(quote, language=of)]
    for row, names, of in tables:
        known += with_units(figures.find(row, language=of), row, names, language=of)
    return [
        each.text
        for each in stated
        if not any(figures.same(each, other) for other in known)
        # A Vietnamese figure quoted in an English answer would be read by English rules.
        and not any(contains_answer(quote, [each.text]) for quote, _ in quotes)
    ]


# --- Ranking -----------------------------------------------------------------------------------


def ranking(found: Sequence[Sequence[bool]], wanted: Sequence[int]) -> list[dict[str, float]]:
    """`RANKING` for each question, by ir-measures.

    `found[q]` says for each hit, best first, whether it brings something relevant that no earlier
    hit brought; `wanted[q]` is how many relevant items there are, at least the number found. A
    question with nothing relevant has no ranking: an empty dict.
    """
    measures = {
        "recall@1": ir_measures.R @ 1,
        "recall@5": ir_measures.R @ 5,
        "ndcg@10": ir_measures.nDCG @ 10,
        "mrr@10": ir_measures.RR @ 10,
    }
    qrels, run = [], []
    for query, (hits, relevant) in enumerate(zip(found, wanted, strict=True)):
        if relevant < sum(hits):
            raise ValueError(f"question {query}: {sum(hits)} found of {relevant} relevant")
        names = iter([f"relevant-{index}" for index in range(relevant)])
        for place, hit in enumerate(hits):
            name = next(names) if hit else f"other-{place}"
            run.append(ir_measures.ScoredDoc(str(query), name, float(-place)))
        qrels += [ir_measures.Qrel(str(query), f"relevant-{index}", 1) for index in range(relevant)]
    results: list[dict[str, float]] = [
        dict.fromkeys(RANKING, 0.0) if relevant else {} for relevant in wanted
    ]
    if qrels and run:
        names_of = {str(measure): name for name, measure in measures.items()}
        for value in ir_measures.iter_calc(list(measures.values()), qrels, run):
            if results[int(value.query_id)]:
                results[int(value.query_id)][names_of[str(value.measure)]] = float(value.value)
    return results


# --- Averages ----------------------------------------------------------------------------------


def ratio(parts: Sequence[Part]) -> float | None:
    """Sum of numerators over sum of denominators; None when the latter is 0."""
    below = sum(part[1] for part in parts)
    return sum(part[0] for part in parts) / below if below else None


def crag(answerable: bool, answered: bool, correct: bool) -> int:
    """1 correct, -1 wrong, 0 a refusal of an answerable question (CRAG, Yang et al. 2024).

    The refusal of an unanswerable question is correct, any answer to it is wrong.
    """
    if not answered:
        return 0 if answerable else 1
    return 1 if answerable and correct else -1


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which `share` per cent lie, linear between neighbours; None when empty."""
    return float(np.percentile(values, share)) if values else None


# --- Uncertainty -------------------------------------------------------------------------------


def bootstrap(parts: Sequence[Part], clusters: Sequence[str]) -> Interval | None:
    """95 % percentile interval of `ratio(parts)` (Efron 1979), the same at every call.

    Questions with the same cluster key (translations of one question) are drawn together, since
    they are right or wrong together. None when undefined or fewer than two clusters count.
    """
    sums = _clustered([(above, below) for above, below in parts], clusters)
    sums = sums[sums[:, 1] > 0]
    if len(sums) < 2:
        return None
    drawn = _draws(len(sums)) @ sums
    return _middle(drawn[:, 0] / drawn[:, 1])


def bootstrap_difference(
    first: Sequence[Part], second: Sequence[Part], clusters: Sequence[str]
) -> Interval | None:
    """95 % interval of `ratio(second) - ratio(first)`, paired: both answer the same questions.

    None when either is undefined or fewer than two clusters count. A resample in which either
    ratio is undefined is left out.
    """
    rows = [(*a, *b) for a, b in zip(first, second, strict=True)]
    sums = _clustered(rows, clusters)
    if not len(sums):
        return None
    sums = sums[(sums[:, 1] > 0) | (sums[:, 3] > 0)]
    if len(sums) < 2 or not sums[:, 1].any() or not sums[:, 3].any():
        return None
    drawn = _draws(len(sums)) @ sums
    drawn = drawn[(drawn[:, 1] > 0) & (drawn[:, 3] > 0)]
    return _middle(drawn[:, 2] / drawn[:, 3] - drawn[:, 0] / drawn[:, 1])


def bootstrap_percentile(values: Sequence[float], share: float) -> Interval | None:
    """95 % interval of `percentile(values, share)`; None with fewer than two values."""
    if len(values) < 2:
        return None
    picks = np.random.default_rng(_SEED).integers(len(values), size=(_RESAMPLES, len(values)))
    return _middle(np.percentile(np.asarray(values)[picks], share, axis=1))


def _clustered(rows: Sequence[tuple[float, ...]], clusters: Sequence[str]) -> NDArray[np.float64]:
    place = {key: index for index, key in enumerate(dict.fromkeys(clusters))}
    sums = np.zeros((len(place), len(rows[0]) if rows else 2))
    for row, key in zip(rows, clusters, strict=True):
        sums[place[key]] += row
    return sums


def _draws(size: int) -> NDArray[np.float64]:
    # How often each cluster is drawn is all that a resample of sums needs.
    generator = np.random.default_rng(_SEED)
    return generator.multinomial(size, np.full(size, 1 / size), size=_RESAMPLES).astype(float)


def _middle(values: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float | None:
    """Two-sided exact p-value that two systems are right equally often (McNemar 1947).

    Of the n questions on which they differ, k is the smaller side: 2 · Σ_{i≤k} C(n,i) / 2ⁿ, at
    most 1; 1.0 when they never differ; None without questions.
    """
    if not first:
        return None
    won = sum(1 for a, b in zip(first, second, strict=True) if b and not a)
    lost = sum(1 for a, b in zip(first, second, strict=True) if a and not b)
    differing = won + lost
    tail = sum(math.comb(differing, i) for i in range(min(won, lost) + 1))
    # Integers to the end: 2ⁿ does not fit a float once some 1024 answers differ.
    return min(1.0, float(2 * tail / 2**differing))


# --- Calibration -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers whose confidence lies in [low, high), the last one including 1."""

    low: float
    high: float
    count: int
    confidence: float | None
    """Mean; None when the bin is empty."""
    accuracy: float | None
    """Share correct; None when the bin is empty."""


def calibration(
    confidences: Sequence[float], outcomes: Sequence[bool], bins: int = 10
) -> tuple[float | None, list[Bin]]:
    """Expected calibration error and its table (Naeini et al. 2015), bins of equal width.

    The error is the mean of |accuracy - confidence| over the bins, weighted by their counts; None
    without values. Confidences outside 0-1 count in the outermost bins.
    """
    table: list[Bin] = []
    error = 0.0
    pairs = list(zip(confidences, outcomes, strict=True))
    place = [min(bins - 1, max(0, int(confidence * bins))) for confidence, _ in pairs]
    for index in range(bins):
        inside = [pair for pair, at in zip(pairs, place, strict=True) if at == index]
        count = len(inside)
        confidence = sum(pair[0] for pair in inside) / count if count else None
        accuracy = sum(pair[1] for pair in inside) / count if count else None
        if confidence is not None and accuracy is not None:
            error += abs(accuracy - confidence) * count / len(pairs)
        table.append(Bin(index / bins, (index + 1) / bins, count, confidence, accuracy))
    return (error if pairs else None), table


def calibration_by_chance(table: Sequence[Bin]) -> float | None:
    """The expected calibration error that a perfect confidence has on as many answers.

    A bin of n answers then misses its confidence c by sqrt(2 c (1 - c) / (pi n)) in the mean (the
    mean absolute deviation of a share, by the normal approximation). None without answers.
    """
    total = sum(each.count for each in table)
    error = 0.0
    for each in table:
        if each.confidence is not None:
            spread = each.confidence * (1 - each.confidence)
            error += each.count / total * math.sqrt(2 * spread / (math.pi * each.count))
    return error if total else None
