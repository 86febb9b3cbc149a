"""The fits: what they learn, what they leave alone, and which questions they may use."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from eval.fit import FOLDS, Case, Store, cross_validate, fit_listwise, softmax_fit, unseen


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
        asked: list[Any] = [SimpleNamespace(name=name, fold=fold) for fold in range(FOLDS)]
        nothing: Any = None
        return Store(nothing, nothing, nothing, nothing, asked)

    trained, other = unseen([store("made-up"), store("a set of its own")])
    assert [one.fold for one in trained.asked] == [FOLDS - 1]
    assert [one.fold for one in other.asked] == list(range(FOLDS))
