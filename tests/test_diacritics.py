"""Vietnamese typed without diacritics: what it gets back, and what stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Assistant, Settings
from rag.diacritics import Syllables
from rag.embedding import Embedder
from rag.language import bare, stripped, words


@pytest.mark.parametrize(
    "marked",
    [
        "Tổng thu ngân sách nhà nước 6 tháng đầu năm là bao nhiêu?",
        "Có bao nhiêu người được hỗ trợ?",
        "Kim ngạch xuất khẩu tháng 6 tăng bao nhiêu phần trăm?",
        "Ai ký thông cáo?",
    ],
)
def test_common_questions_are_marked_as_they_were_meant(marked: str) -> None:
    assert Syllables.bundled().restored(_unmarked(marked)) == marked


def test_names_are_those_of_the_passages_at_hand() -> None:
    known = Syllables.bundled()
    text = "Huyen Lac Thuong co bao nhieu ho ngheo?"
    here = ["Huyện Lạc Thượng còn 412 hộ nghèo.", "Xã Lạc Thượng có 12 hộ."]
    assert known.restored(text, here) == "Huyện Lạc Thượng có bao nhiêu hộ nghèo?"


@pytest.mark.parametrize(
    "text", ["GRDP TP HN 2021: ?", "Kilbrannagh 2016 €5", "COVID-19", "", "12,5%"]
)
def test_what_is_no_vietnamese_syllable_stays(text: str) -> None:
    assert Syllables.bundled().restored(text) == text


def test_what_has_diacritics_stays() -> None:
    text = "Tổng thu ngân sách Hà Nội"
    assert Syllables.bundled().restored(text) == text


@given(st.text(max_size=80), st.lists(st.text(max_size=60), max_size=3))
def test_only_diacritics_change(text: str, near: list[str]) -> None:
    found = Syllables.bundled().restored(text, near)
    assert [bare(word) for word, _, _ in words(found)] == [bare(word) for word, _, _ in words(text)]


@given(st.lists(st.text(max_size=60), max_size=4))
def test_counts_are_the_same_after_packing(texts: list[str]) -> None:
    counted = Syllables()
    for text in texts:
        counted.add(text)
    again = Syllables.unpacked(counted.packed())
    assert (again.single, again.pairs) == (counted.single, counted.pairs)
    assert again.restored("nam") == counted.restored("nam")


@pytest.mark.parametrize(
    "marked",
    [
        "Thành phố đã chi bao nhiêu tiền hỗ trợ người khó khăn do Covid-19?",
        "Tổng thu ngân sách trên địa bàn đạt bao nhiêu?",
        "Ai ký thông cáo?",
    ],
)
def test_the_answer_is_the_same_without_diacritics(
    marked: str, sample_settings: Settings, embedder: Embedder
) -> None:
    with Assistant.open(sample_settings) as assistant:
        expected, answer = assistant.ask(marked), assistant.ask(_unmarked(marked))
    assert answer.question == _unmarked(marked)
    assert answer.language == "vi"
    assert (answer.short, answer.citations) == (expected.short, expected.citations)


def _unmarked(text: str) -> str:
    """The text without diacritics; its capitals stay."""
    plain = stripped(text)
    return "".join(p.upper() if c.isupper() else p for c, p in zip(text, plain, strict=True))
