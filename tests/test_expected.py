"""The kind of answer that a question's words let expect."""

from __future__ import annotations

import pytest

from rag.expected import KINDS, cues, expected, expecting
from rag.question import Want, understand


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("Dengue cases in Dan Ha district", "count"),
        ("What do men earn per hour in Lorvania?", "money"),
        ("tổng chi thường xuyên 6 tháng", "money"),
        ("unemployment rate under 25", "percent"),
        ("What portion of the homeless were veterans?", "percent"),
    ],
)
def test_words_tell_what_answer_to_expect_without_a_question_word(text: str, want: Want) -> None:
    assert want in expecting(understand(text)).wants


@pytest.mark.parametrize(
    "text",
    [
        "Vì sao dự án chậm tiến độ?",
        "Why was the bridge closed?",
        "Ai ký thông cáo?",
        "Tỉnh xếp hạng mấy về chỉ số PCI?",
        "What is the name of the new hospital?",
        "What is the new school called?",
        "What language is taught?",
    ],
)
def test_what_is_not_asked_for_a_figure_stays_so(text: str) -> None:
    assert not expecting(understand(text)).wants & {"money", "percent", "count", "quantity"}


def test_the_chances_are_of_every_kind_and_add_up() -> None:
    chances = expected(understand("How many schools were built?"))
    assert len(chances) == len(KINDS)
    assert sum(chances) == pytest.approx(1.0)
    assert KINDS[chances.index(max(chances))] == "count"


def test_names_and_numbers_are_all_alike() -> None:
    one = cues(understand("How many schools did Tân Giang build in 2023?"))
    other = cues(understand("How many schools did Hòa Châu build in 2019?"))
    assert one == other
    assert {"@ @", "in #"} <= set(one)
