"""Two runs on the same questions: what changed, by how much, and whether that may be chance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval import metrics
from eval.gold import pair_key
from eval.metrics import Interval, Part
from eval.run import Report, Scored, write_text
from rag.errors import GoldError

GUARDED = (
    "recall@1",
    "recall@5",
    "evidence@1",
    "answer_accuracy",
    "figure_accuracy",
    "f1",
    "citation_precision",
    "citation_recall",
    "refused_unanswerable",
    "refused_answerable",
    "crag_score",
)
"""What the gate watches, besides `unsupported_figures`, which must be 0."""
_DIGITS = 4
_NOISE = 1e-9
BASELINE = Path(__file__).with_name("baseline.json")


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric in two runs; `None` wherever it is undefined."""

    metric: str
    first: float | None
    second: float | None
    difference: float | None
    """Second minus first."""
    interval: Interval | None
    """95 %, paired bootstrap."""

    @property
    def verdict(self) -> str:
        """`better`, `worse`, or empty when the interval holds 0 or there is none."""
        if self.interval is None or (self.interval[0] <= _NOISE and self.interval[1] >= -_NOISE):
            return ""
        rising = self.interval[0] > 0.0
        return "better" if rising != (self.metric in metrics.LOWER_IS_BETTER) else "worse"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs on the questions that both have asked."""

    differences: tuple[Difference, ...]
    mcnemar: float | None
    """Exact two-sided p-value on paired correctness."""
    gained: tuple[tuple[Scored, Scored], ...]
    """Wrong in the first run, right in the second."""
    lost: tuple[tuple[Scored, Scored], ...]
    common: int
    only_first: tuple[str, ...]
    """Ids that the other run did not ask."""
    only_second: tuple[str, ...]


def compare(first: Report, second: Report) -> Comparison:
    """Metric by metric over the common questions; raises `GoldError` when there is none.

    Questions are joined by id; one whose gold answers differ counts as another one. The wording may
    differ, so that one set can be compared in two languages.
    """
    left = {_identity(each): each for each in first.scored}
    right = {_identity(each): each for each in second.scored}
    pairs = [(left[key], right[key]) for key in left if key in right]
    if not pairs:
        raise GoldError("the two results have no question in common; compare runs on one gold set")
    clusters = [pair_key(one.record.id) for one, _ in pairs]
    differences = [
        difference(
            name,
            [one.parts[name] for one, _ in pairs],
            [other.parts[name] for _, other in pairs],
            clusters,
        )
        for name in metrics.AVERAGES
    ]
    count_first = float(sum(len(one.unsupported) for one, _ in pairs))
    count_second = float(sum(len(other.unsupported) for _, other in pairs))
    differences.append(
        Difference(
            "unsupported_figures", count_first, count_second, count_second - count_first, None
        )
    )
    return Comparison(
        tuple(sorted(differences, key=lambda each: metrics.NAMES.index(each.metric))),
        metrics.mcnemar([one.correct for one, _ in pairs], [two.correct for _, two in pairs]),
        tuple((one, two) for one, two in pairs if two.correct and not one.correct),
        tuple((one, two) for one, two in pairs if one.correct and not two.correct),
        len(pairs),
        tuple(each.record.id for key, each in left.items() if key not in right),
        tuple(each.record.id for key, each in right.items() if key not in left),
    )


def _identity(scored: Scored) -> tuple[object, ...]:
    record = scored.record
    return (record.id, record.answerable, record.gold_answers)


def difference(
    name: str, first: Sequence[Part], second: Sequence[Part], clusters: Sequence[str]
) -> Difference:
    """One averaged metric in two runs, question by question in the same order."""
    one, two = metrics.ratio(first), metrics.ratio(second)
    if one is None or two is None:
        return Difference(name, one, two, None, None)
    interval = metrics.bootstrap_difference(first, second, clusters)
    return Difference(name, one, two, two - one, interval)


# --- The gate ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says: the differences, and a line for each reason to fail."""

    differences: tuple[Difference, ...]
    failures: tuple[str, ...]


def set_name(report: Report) -> str:
    """The key of a run in the baseline file: its question set, split and system."""
    config = report.config
    parts = [str(config.get("set", "")), str(config.get("split", "all"))]
    return "/".join([*parts, str(config.get("system", "ours"))])


def gate(report: Report, path: Path = BASELINE) -> Verdict:
    """Hold a run against the stored baseline of its question set.

    It fails when a figure is unsupported, when a guarded metric is worse by more than chance (the
    paired 95 % interval lies on the bad side of 0), when a guarded metric is no longer defined, or
    when questions of the baseline are no longer asked. Raises `GoldError` when there is no baseline
    for this set or the file is damaged.
    """
    stored = _baseline_of(set_name(report), path)
    now = {each.record.id: each for each in report.scored}
    ids = [id for id in stored.ids if id in now]
    failures: list[str] = []
    if missing := [id for id in stored.ids if id not in now]:
        failures.append(
            f"{len(missing)} questions of the baseline were not asked, the first is {missing[0]};"
            " if that is meant, run --update-baseline"
        )
    if unsupported := [figure for each in report.scored for figure in each.unsupported]:
        failures.append(f"unsupported_figures is {len(unsupported)}, must be 0: {unsupported[0]}")
    differences: list[Difference] = []
    clusters = [pair_key(id) for id in ids]
    for name in GUARDED:
        before = dict(zip(stored.ids, stored.parts[name], strict=True))
        found = difference(
            name,
            [before[id] for id in ids],
            # Through the same rounding as the stored ones, or the rounding would be a difference.
            [_unpacked(_packed(now[id].parts[name])) for id in ids],
            clusters,
        )
        differences.append(found)
        if found.first is not None and found.second is None:
            failures.append(f"{name} is not defined any more")
        elif found.verdict == "worse" and found.interval is not None:
            low, high = found.interval
            failures.append(
                f"{name} fell short: {found.second:.3f} after {found.first:.3f},"
                f" difference {found.difference:+.3f} [{low:+.3f}, {high:+.3f}]"
            )
    return Verdict(tuple(differences), tuple(failures))


def update_baseline(report: Report, path: Path = BASELINE) -> tuple[Difference, ...]:
    """Store the run as the baseline of its set, beside those of other sets.

    Returns the differences to the former baseline on the questions of both; empty when this is
    the first. Raises `GoldError` when the file is damaged or cannot be written.
    """
    name = set_name(report)
    document = _read_baseline(path) if path.exists() else {}
    changes = gate(report, path).differences if name in document else ()
    document[name] = {
        "questions": len(report.scored),
        "metrics": {metric: _rounded(report.metrics[metric]) for metric in metrics.NAMES},
        "ids": [each.record.id for each in report.scored],
        "parts": {
            metric: " ".join(_packed(each.parts[metric]) for each in report.scored)
            for metric in GUARDED
        },
    }
    write_text(path, json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    return changes


@dataclass(frozen=True, slots=True)
class _Stored:
    ids: tuple[str, ...]
    parts: Mapping[str, Sequence[Part]]


def _baseline_of(name: str, path: Path) -> _Stored:
    block = _read_baseline(path).get(name)
    if block is None:
        raise GoldError(f"{path}: no baseline for {name}; make one with --update-baseline")
    try:
        ids = tuple(str(id) for id in block["ids"])
        parts = {name: [_unpacked(t) for t in block["parts"][name].split()] for name in GUARDED}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GoldError(f"{path}: the baseline of {name} is damaged; restore the file") from error
    if any(len(values) != len(ids) for values in parts.values()):
        raise GoldError(f"{path}: the baseline of {name} is damaged; restore the file")
    return _Stored(ids, parts)


def _read_baseline(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GoldError(
            f"{path}: no baseline ({error.strerror}); make one with --update-baseline"
        ) from error
    except ValueError as error:
        raise GoldError(f"{path}: not JSON; restore the file") from error
    if not isinstance(document, dict):
        raise GoldError(f"{path}: not a baseline; restore the file")
    return document


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _packed(part: Part) -> str:
    """A question's part in few characters: `-`, the numerator over 1, or both as `2/3`."""
    above, below = (format(round(number, _DIGITS), "g") for number in part)
    if below == "0":
        return "-"
    return above if below == "1" else f"{above}/{below}"


def _unpacked(text: str) -> Part:
    if text == "-":
        return (0.0, 0.0)
    above, _, below = text.partition("/")
    return (float(above), float(below or 1))
