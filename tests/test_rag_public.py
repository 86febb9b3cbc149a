"""What `import rag` promises: its names, the shape of its values, and one tree of errors."""

from __future__ import annotations

import dataclasses
import inspect
from datetime import date
from decimal import Decimal

import pytest

import rag
from rag import errors

PUBLIC = [
    "Answer",
    "Assistant",
    "Citation",
    "Evidence",
    "Figure",
    "Filters",
    "Hit",
    "Passage",
    "RagError",
    "Release",
    "Settings",
    "ask",
    "verify",
]
FIELDS = {
    "Answer": "question status text short language figures citations evidence hits confidence "
    "model timings",
    "Citation": "marker release_id number title issuer issued source page start end quote "
    "names_columns_of",
    "Figure": "text value unit start end low high approximate",
    "Filters": "issuer issued_from issued_to release_ids",
}


def test_the_names() -> None:
    assert rag.__all__ == PUBLIC
    for name in PUBLIC:
        value = getattr(rag, name)
        assert value.__name__ == name
        assert inspect.getdoc(value)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'answers'"):
        rag.answers  # noqa: B018


@pytest.mark.parametrize("name", FIELDS)
def test_the_shape_of_values(name: str) -> None:
    kind = getattr(rag, name)
    assert [each.name for each in dataclasses.fields(kind)] == FIELDS[name].split()


@pytest.mark.parametrize(
    "name", ["Answer", "Citation", "Evidence", "Figure", "Filters", "Hit", "Passage", "Release"]
)
def test_values_are_frozen_and_slotted(name: str) -> None:
    kind = getattr(rag, name)
    assert kind.__dataclass_params__.frozen
    assert not hasattr(kind, "__dict__") or "__slots__" in vars(kind)


@pytest.mark.parametrize("function", [rag.ask, rag.Assistant.ask, rag.Assistant.stream])
def test_how_to_ask(function: object) -> None:
    assert callable(function)
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    assert names == ["question", "history", "filters"]


def test_the_methods_of_an_assistant() -> None:
    methods = {name for name in vars(rag.Assistant) if not name.startswith("_")}
    assert methods == {
        "open", "close", "ask", "search", "stream", "releases", "release", "superseded",
        "as_runnable", "as_retriever",
    }  # fmt: skip


def test_every_error_is_one_of_ours() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    assert len(kinds) > 8
    assert all(issubclass(kind, rag.RagError) for kind in kinds)
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in kinds)


def test_figures_are_equal_by_value_and_unit() -> None:
    one = rag.Figure("608,5 tỷ đồng", Decimal("608500000000"), "VND", 5, 18)
    same = rag.Figure("VND 608.5 billion", Decimal("608.5E+9"), "VND", 0, 17, approximate=True)
    other = rag.Figure("USD 608.5 billion", Decimal("608500000000"), "USD", 0, 17)
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != "608,5 tỷ đồng"


def test_an_answer_as_plain_values() -> None:
    figure = rag.Figure("1-2%", None, "%", 0, 4, Decimal("1.50"), Decimal("2E+1"))
    cited = rag.Citation(1, "r", None, None, None, date(2021, 6, 24), "a.md", None, 0, 4, "1-2%")
    told = rag.Answer(
        "q", "answered", "t", "1-2%", "en", figures=(figure,), citations=(cited,)
    ).to_dict()
    assert told["figures"] == [
        {"text": "1-2%", "value": None, "unit": "%", "start": 0, "end": 4, "low": "1.5",
         "high": "20", "approximate": False}
    ]  # fmt: skip
    assert told["citations"][0]["issued"] == "2021-06-24"
    assert (told["hits"], told["timings"], told["confidence"]) == ([], {}, 0.0)
