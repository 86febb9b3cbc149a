"""Opposite terms and other numbers."""

from __future__ import annotations

import pytest

from rag.opposites import opposed


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("What were exports worth?", "Kim ngạch nhập khẩu đạt 3 tỷ USD."),
        ("Tỷ lệ hộ thành thị dùng nước sạch?", "Hộ nông thôn dùng nước sạch đạt 61%."),
        ("What does phase 1 cost?", "Dự án giai đoạn II có tổng mức đầu tư 96 tỷ đồng."),
        ("Which company builds package 1?", "Gói thầu số 3 do Công ty Lam Sơn thi công."),
        ("Bao nhiêu km đường sắt được làm mới?", "Sở đã làm mới 147 km đường bộ."),
        ("How many members were absent?", "31 of the 33 members were present."),
        ("Lãi suất cho vay dài hạn là bao nhiêu?", "Lãi suất cho vay ngắn hạn là 4,5%/năm."),
    ],
)
def test_the_opposite_is_told_from_what_is_asked(question: str, told: str) -> None:
    assert opposed(question, told)
    assert not opposed(question, question)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("What were exports worth?", "Exports came to $3 billion and imports to $2 billion."),
        ("What is the balance of exports and imports?", "Imports came to $2 billion."),
        ("How many schools opened?", "There are 12 schools."),
        ("What does phase 1 cost?", "Phases 1 and 2 cost $3 million; phase 1 alone $1 million."),
        ("GRDP tăng bao nhiêu?", "GRDP tăng 5,91%."),
        ("", ""),
    ],
)
def test_what_both_say_or_neither_says_is_no_opposite(question: str, told: str) -> None:
    assert not opposed(question, told)
