"""Telling the languages apart, one spelling per word, and where sentences end."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.language import bare, detect, fold, nfc, sentences, stem, words
from rag.schema import Language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Tổng thu ngân sách là bao nhiêu?", "vi"),
        ("tong thu ngan sach la bao nhieu", "vi"),
        ("gia tri xuat khau thang 5", "vi"),
        (unicodedata.normalize("NFD", "Ai đã ký thông cáo?"), "vi"),
        ("TỔNG MỨC BÁN LẺ", "vi"),
        ("What was the total budget revenue?", "en"),
        ("How many firms in Hà Nội were founded in 2021?", "en"),
        ("Who is Nguyễn Anh Dũng?", "en"),
        ("total revenue", "en"),
        ("GRDP growth", "en"),
        ("dengue cases Lộc Hòa 2020", "en"),
        ("average income per head, Tân Hòa", "en"),
        ("Why did Hà Thị Lan resign?", "en"),
        ("How much did it go up?", "en"),
        ("Fires in 2021?", "en"),
        ("FDI vào Hà Nội 2021", "vi"),
        ("Thuế GTGT TNDN 2023", "vi"),
        ("so ca mac Ha Noi", "vi"),
        ("How did the exam in Long Biên go?", "en"),
        ("", "en"),
        ("12/2021: 5,91%", "en"),
    ],
)
def test_the_language_of_a_question(text: str, language: Language) -> None:
    assert detect(text) == language


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hoà", "hòa"),
        ("THUỶ", "thủy"),
        ("khoẻ", "khỏe"),
        ("Hòa", unicodedata.normalize("NFD", "hoà")),
        ("ﬁ", "fi"),
    ],
)
def test_two_spellings_of_a_word_are_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("mà", "má"), ("đồng", "dồng"), ("quý", "quy"), ("hoàn", "hoan")]
)
def test_different_words_stay_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    ("word", "plain"), [("Đường", "duong"), ("quý", "quy"), ("NGƯỜI", "nguoi"), ("abc", "abc")]
)
def test_a_word_without_its_diacritics(word: str, plain: str) -> None:
    assert bare(word) == plain
    assert bare(unicodedata.normalize("NFD", word)) == plain


@given(st.text(alphabet="aăâbcdđeêghiklmnoôơpqrstuưvxyàáảãạằểỗợữÀÁĐƯ", min_size=1, max_size=8))
def test_folding_twice_is_folding_once(word: str) -> None:
    assert fold(fold(word)) == fold(word)
    assert bare(bare(word)) == bare(word)
    assert bare(word) == bare(fold(word))


def test_numbers_keep_their_separators_and_words_do_not() -> None:
    text = "Chi 608,5 tỷ (24/6/2021), 04/TC-UBND;quý II."
    assert [word for word, _, _ in words(text)] == [
        "Chi",
        "608,5",
        "tỷ",
        "24/6/2021",
        "04/TC",
        "UBND",
        "quý",
        "II",
    ]


@given(st.text(max_size=80))
def test_spans_of_words_are_those_of_the_text(text: str) -> None:
    found = words(text)
    assert all(text[start:end] == word for word, start, end in found)
    assert all(a[2] <= b[1] for a, b in itertools.pairwise(found))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thu đạt 5,9%. Chi đạt 3 tỷ đồng.", ["Thu đạt 5,9%.", "Chi đạt 3 tỷ đồng."]),
        (
            "Exports rose 4.5 per cent. Imports fell.",
            ["Exports rose 4.5 per cent.", "Imports fell."],
        ),
        ("Đồng chí Đ/c. Nam và TP. Hà Nội họp.", ["Đồng chí Đ/c. Nam và TP. Hà Nội họp."]),
        ("Mr. J. Smith of the U.S. Treasury spoke.", ["Mr. J. Smith of the U.S. Treasury spoke."]),
        ("The Minister, Hon. Ada Orba, spoke.", ["The Minister, Hon. Ada Orba, spoke."]),
        ("Có đủ? Có! Vậy…", ["Có đủ?", "Có!", "Vậy…"]),
        ("Mở đầu:\n- một;\n- hai", ["Mở đầu:", "- một;", "- hai"]),
        ("Thu tăng (quý I) mạnh; chi giảm.", ["Thu tăng (quý I) mạnh; chi giảm."]),
        ("Ông nói: “Xong.” Rồi đi.", ["Ông nói: “Xong.”", "Rồi đi."]),
        ("1. Mục tiêu chung\n2. Giải pháp", ["1. Mục tiêu chung", "2. Giải pháp"]),
        (
            "Giao lưu văn hóa... và thể thao.",
            ["Giao lưu văn hóa... và thể thao."],
        ),
        (" \n--- \n", []),
        ("", []),
    ],
)
def test_where_sentences_end(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


@given(st.text(alphabet='ab A.;?!…\n()"”1,', max_size=80))
def test_sentences_lose_no_word(text: str) -> None:
    spans = sentences(text)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
    covered = {index for start, end in spans for index in range(start, end)}
    assert all(index in covered for index, char in enumerate(text) if char.isalnum())
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("vaccines", "vaccine"),
        ("companies", "company"),
        ("disbursed", "disburse"),
        ("planned", "planning"),
        ("taxes", "tax"),
        ("Exports", "export"),
    ],
)
def test_forms_of_an_english_word_meet(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize("word", ["trường", "nguyen", "thanh", "tieng", "2021", "covid"])
def test_vietnamese_syllables_and_numbers_have_no_endings(word: str) -> None:
    assert stem(word) == fold(word)


def test_nfc_composes() -> None:
    assert nfc(unicodedata.normalize("NFD", "Tiếng Việt")) == "Tiếng Việt"
