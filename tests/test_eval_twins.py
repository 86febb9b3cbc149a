"""Twins of questions: one name or one year changed, to something that is told nowhere."""

from __future__ import annotations

import random

import pytest

from eval.twins import all_told, names, twin

ASKED = [
    "Lạc An chi bao nhiêu cho người nghèo năm 2021?",
    "Năm 2021 ở Lạc An có bao nhiêu hộ nghèo?",
    "Bao nhiêu người Lạc An mất việc?",
    "Tháng 3, Lạc An có mấy dự án?",
    "Bộ Xây dựng ở Lạc An nói gì về Bộ Xây dựng?",
    "Vì sao Bộ Xây dựng phạt Lạc An, và Bộ Xây dựng của Lạc An?",
]
TOLD = all_told(
    ["Tỉnh Lạc An, ngày 3/5/2021.", "So với năm 2020, hộ nghèo giảm.", "Hòa Khê không có."]
)


def test_names_are_what_several_questions_hold_in_different_company() -> None:
    assert names(ASKED) == ["Lạc An"]
    assert names(ASKED[:3]) == []


@pytest.mark.parametrize("seed", range(20))
def test_one_thing_is_changed_to_what_is_not_told(seed: int) -> None:
    changed = twin(ASKED[0], ["Lạc An"], ["Hòa Khê", "Vĩnh Lăng"], TOLD, random.Random(seed))
    assert changed is not None
    assert ("Lạc An" in changed) != ("2021" in changed)
    assert "Hòa Khê" not in changed
    assert "2020" not in changed
    assert changed.startswith(("Vĩnh Lăng chi bao nhiêu", "Lạc An chi bao nhiêu"))


def test_both_kinds_of_change_are_made() -> None:
    made = {twin(ASKED[1], ["Lạc An"], ["Vĩnh Lăng"], TOLD, random.Random(n)) for n in range(40)}
    assert "Năm 2021 ở Vĩnh Lăng có bao nhiêu hộ nghèo?" in made
    assert any(text and "Lạc An" in text and "2021" not in text for text in made)


@pytest.mark.parametrize(
    "question",
    [
        "Bao nhiêu hộ nghèo?",
        "Có mấy trường ở Hà Lâm?",
        "Chi 2.021 đồng cho ai?",
        "Năm học 2020-21?",
    ],
)
def test_a_question_with_nothing_to_change_has_no_twin(question: str) -> None:
    assert twin(question, ["Lạc An"], ["Vĩnh Lăng"], TOLD, random.Random(1)) is None
