"""The fits: what they learn, what they leave alone, and which questions they may use."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval import kinds
from eval.fit import Store, main, unseen
from eval.fit_kinds import fit_kinds, kind_of
from eval.fit_sets import Asked
from eval.fit_weights import (
    Case,
    Judged,
    cross_validate,
    fit_judges,
    fit_listwise,
    softmax_fit,
)
from eval.gold import Question
from rag.confidence import CONFIDENCE_FEATURES
from rag.expected import KINDS
from rag.schema import Figure


def _cases(count: int = 40) -> list[Case]:
    """Lists of three: the right one has most of the first feature, the second is noise."""
    rng = np.random.default_rng(5)
    out = []
    for number in range(count):
        rows = rng.uniform(size=(3, 2)).astype(np.float32)
        right = np.arange(3) == int(np.argmax(rows[:, 0]))
        out.append(Case(np.zeros(3, bool), number % 4, rows, right, f"set {number % 2}"))
    return out


def test_the_feature_that_tells_gets_the_weight() -> None:
    same, noise, *cross = softmax_fit(_cases())
    assert same > 10 * abs(noise)
    assert same > 5
    # Nothing speaks of the other language pair: only the ridge moves these.
    assert np.allclose(cross, 0.0, atol=0.01)
    assert all(share > 0.9 for share, _ in cross_validate(_cases(), 4).values())


def test_weights_that_are_not_free_stay_as_given() -> None:
    given = np.array([0.25, 3.0, -1.0, 2.0])
    free = np.array([True, False, False, False])
    fitted = softmax_fit(_cases(), given=given, free=free)
    assert fitted[1:].tolist() == given[1:].tolist()
    assert fitted[0] > 5


def test_only_some_features_of_a_model_are_fitted(capsys: pytest.CaptureFixture[str]) -> None:
    weights: dict[str, Any] = {"span": {"both": {"old": 1.5}}}
    fit_listwise("span", ("new", "old"), _cases(), 4, weights, only=("new",))
    assert weights["span"]["both"]["old"] == 1.5
    assert weights["span"]["both"]["new"] > 5
    assert "span: set 0: right first" in capsys.readouterr().out


def test_what_the_cross_encoder_was_trained_on_is_left_out() -> None:
    def store(name: str) -> Store:
        nothing: Any = None
        asked = [Asked("?", group, name, False, nothing, nothing, None, ()) for group in range(800)]
        return Store(nothing, nothing, nothing, nothing, asked)

    trained, other = unseen([store("made-up"), store("a set of its own")])
    assert len(trained.asked) == 100
    assert all(one.left_out for one in trained.asked)
    assert len(other.asked) == 800
    # Folds can be left out of what is left: of each there is as much.
    assert Counter(one.fold % 4 for one in trained.asked) == dict.fromkeys(range(4), 25)


def test_nothing_to_learn_from_is_said() -> None:
    alike = [replace(case, fold=3) for case in _cases()]
    with pytest.raises(ValueError, match="too few questions"):
        fit_listwise("span", ("new", "old"), alike, 4, {})


def test_the_threshold_is_set_on_sets_that_were_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In the first two sets a feature tells what can be answered; in the third it means nothing."""
    rng = np.random.default_rng(2)
    judged = []
    for name in ("first", "second", "odd"):
        for number in range(200):
            answerable = number % 2 == 0
            row = np.zeros(len(CONFIDENCE_FEATURES), np.float32)
            row[0] = 1.0
            told = rng.normal() + 3.0 * (answerable if name != "odd" else 0.5)
            row[CONFIDENCE_FEATURES.index("late")] = told
            case = Case(np.zeros(1, bool), 0, row[None], np.array([answerable]), name)
            judged.append(Judged(case, answerable, answerable, 1.0))
    weights: dict[str, Any] = {}
    fit_judges(judged, weights, 0.1)
    assert weights["answerable"]["both"]["late"] > 0.5
    assert 0.0 < weights["threshold"]["value"] < 0.5
    lines = [line for line in capsys.readouterr().out.splitlines() if "judged: " in line]
    refused = {
        line.split()[1][:-1]: [float(part.split(",")[0].split(";")[0]) for part in parts]
        for line in lines
        for parts in [line.replace("; of", ", of").split("answerable ")[1:]]
    }
    # Of the three sets' answerable questions a tenth, each set counting the same.
    assert np.mean([answerable for _, answerable in refused.values()]) == pytest.approx(
        0.1, abs=0.01
    )
    assert refused["first"][0] > 0.4
    assert refused["odd"][0] < 0.3


def test_one_set_is_too_few_to_leave_one_out(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["weights", "--gold", "set.a.jsonl:a", "set.b.jsonl:b"])
    assert "at least two sets" in capsys.readouterr().err


def _asked(text: str, *tags: str, unit: str | None = None, value: str | None = None) -> Question:
    figure = Figure("", Decimal(value), unit, 0, 0) if value else None
    return Question("q1", text, "en", True, ("x",), figure, (), tags)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        (_asked("Who?", "person"), "person"),
        (_asked("Why?", "clause"), "text"),
        (_asked("How much?", "money", value="5", unit="VND/month"), "money"),
        (_asked("How many?", value="5", unit="school"), "count"),
        (_asked("How many?", value="5", unit="encampment"), "count"),
        (_asked("How much?", "money", value="5", unit="SKD"), "money"),
        (_asked("How much?", "percent", value="5"), "percent"),
        (_asked("How long?", value="5", unit="km"), "measure"),
    ],
)
def test_the_kind_of_a_gold_answer(question: Question, kind: str) -> None:
    assert kind_of(question) == kind


def test_the_words_of_a_question_tell_the_kind() -> None:
    told: dict[str, Any] = {
        "money": {"value": "5", "unit": "VND"},
        "percent": {"value": "5", "unit": "%"},
        "count": {"value": "5", "unit": "school"},
        "measure": {"value": "5", "unit": "km"},
    }
    questions = [
        _asked(f"{kind} word {number}", kind, **told.get(kind, {}))
        for kind in KINDS
        for number in range(8)
    ]
    asked = [(each.question, kind_of(each)) for each in questions]
    arrays = fit_kinds(asked, ["a set"])
    listed = bytes(arrays["cues"]).decode().split("\n")
    row = arrays["weights"][listed.index("^person")]
    assert KINDS[int(np.argmax(row))] == "person"
    assert "word #" in listed
    assert arrays["sets"].tolist() == ["a set"]
    with pytest.raises(ValueError, match="of the kind agency"):
        fit_kinds([each for each in asked if each[1] != "agency"], [])


def test_questions_that_are_read_as_asking_for_something_else_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[dict[str, Any]] = [
        {"question": "Who chairs the council?", "answers": ["Ann Example"], "tags": ["person"]},
        {"question": "Ann Example, please?", "answers": ["Ann Example"], "tags": ["person"]},
        {"question": "Is there a why?", "answers": [], "tags": []},
    ]
    gold = tmp_path / "gold.jsonl"
    with gold.open("w", encoding="utf-8") as file:
        for number, row in enumerate(rows):
            quote = [{"release": "made-up.md", "quote": "Ann Example chairs it."}]
            answerable = bool(row["answers"])
            row |= {"id": f"m{number}-en", "lang": "en", "answerable": answerable, "figure": None}
            row["evidence"] = quote if answerable else []
            file.write(json.dumps(row) + "\n")
    assert kinds.main([str(gold)]) == 0
    table, *named = capsys.readouterr().out.split("person: ")
    assert "person             2      0.500" in table
    assert [line.split(" [")[0] for line in named] == ["Ann Example, please?"]
    assert kinds.main([str(tmp_path / "none.jsonl")]) == 2
    assert capsys.readouterr().err.startswith("error: ")
