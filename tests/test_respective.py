"""Rows of names with rows of figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import figures
from rag.respective import respective
from rag.schema import Language


def _pairs(text: str, language: Language) -> list[dict[str, str]]:
    marks = [(one.start, one.end) for one in figures.find(text, language=language)]
    return [{text[a:b]: text[c:d] for (a, b), (c, d) in pairs} for pairs in respective(text, marks)]


@pytest.mark.parametrize(
    ("text", "language", "pairs"),
    [
        (
            "Tỷ lệ giải ngân vốn trung ương, vốn tỉnh, vốn ODA và trái phiếu lần lượt là 84,0%, "
            "86,0%, 45,0% và 59,1%.",
            "vi",
            {"trung ương": "84,0%", "vốn tỉnh": "86,0%", "vốn ODA": "45,0%", "trái phiếu": "59,1%"},
        ),
        (
            "Số ca mắc tại Phú Khê, Hòa Đồn và Bãi Sen lần lượt là 120 ca, 95 ca và 43 ca; riêng "
            "tuần qua có 12 ca.",
            "vi",
            {"Phú Khê": "120 ca", "Hòa Đồn": "95 ca", "Bãi Sen": "43 ca"},
        ),
        (
            "Output of rice, maize and tea reached 3.1, 0.4 and 0.2 million tonnes respectively.",
            "en",
            {"rice": "3.1", "maize": "0.4", "tea reached": "0.2 million tonnes"},
        ),
        (
            "Prices rose by 3%, 4% and 5% in Ardel, Bost and Cane respectively.",
            "en",
            {"Ardel": "3%", "Bost": "4%", "Cane": "5%"},
        ),
        (
            "Farming earned $4,380 million and fishing $1,430 million, gains of 2.1 and 3.2 per "
            "cent respectively.",
            "en",
            {"Farming earned $4,380 million": "2.1", "fishing $1,430 million": "3.2 per cent"},
        ),
        (
            "Vốn vay giải ngân 11,8 triệu USD cho dự án Sa Lĩnh và 7,4 triệu EUR cho dự án đê "
            "biển; vốn đối ứng tương ứng là 64,3 tỷ đồng và 38,9 tỷ đồng.",
            "vi",
            {"11,8 triệu USD cho dự án Sa Lĩnh": "64,3 tỷ đồng", "7,4 triệu EUR": "38,9 tỷ đồng"},
        ),
        (
            "Quy mô đạt 66 nghìn tỷ đồng, trong đó công nghiệp, dịch vụ và nông, lâm nghiệp, thủy "
            "sản chiếm lần lượt 40%, 35% và 25%.",
            "vi",
            {"công nghiệp": "40%", "dịch vụ": "35%", "nông, lâm nghiệp, thủy sản": "25%"},
        ),
    ],
)
def test_each_name_has_its_figure(text: str, language: Language, pairs: dict[str, str]) -> None:
    assert [list(found.values()) for found in _pairs(text, language)] == [list(pairs.values())]
    (found,) = _pairs(text, language)
    for name, wanted in zip(found, pairs, strict=True):
        assert wanted in name or name in wanted


@pytest.mark.parametrize(
    ("text", "language", "rows"),
    [
        (
            "Doanh thu đạt 90 tỷ đồng, tăng 4% và bằng 51% kế hoạch, trong đó lúa, chè và mía lần "
            "lượt đạt 48 tỷ đồng, 21 tỷ đồng và 9 tỷ đồng.",
            "vi",
            [{"lúa": "48 tỷ đồng", "chè": "21 tỷ đồng", "mía": "9 tỷ đồng"}],
        ),
        (
            "Ardel Hall and Bost Hall, costing £3 million and £5 million, open in May and June "
            "respectively.",
            "en",
            [
                {"Ardel Hall": "£3 million", "Bost Hall": "£5 million"},
                {"Ardel Hall": "May", "Bost Hall": "June"},
            ],
        ),
        (
            "Men and women waited 2.5 weeks and 3.5 weeks, and paid $12 and $15, respectively.",
            "en",
            [{"Men": "2.5 weeks", "women": "3.5 weeks"}, {"Men": "$12", "women": "$15"}],
        ),
        (
            "Tốc độ của mạng Lam và mạng Sen lần lượt là 40,6 Mbit/s và 79,8 Mbit/s, so với 34,2 "
            "Mbit/s và 63,5 Mbit/s của năm 2021.",
            "vi",
            [{"mạng Lam": "40,6", "mạng Sen": "79,8"}, {"mạng Lam": "34,2", "mạng Sen": "63,5"}],
        ),
    ],
)
def test_rows_beside_rows(text: str, language: Language, rows: list[dict[str, str]]) -> None:
    found = _pairs(text, language)
    assert len(found) == len(rows)
    for pairs, wanted in zip(found, rows, strict=True):
        for (name, value), (part, start) in zip(pairs.items(), wanted.items(), strict=True):
            assert part in name
            assert value.startswith(start)


@pytest.mark.parametrize(
    "text",
    [
        "Thu 3 tỷ đồng, chi 4 tỷ đồng.",
        "Tỉnh lần lượt khánh thành 3 cầu.",
        "Lần lượt là 3%, 4% và 5%.",
        "",
    ],
)
def test_without_two_rows_there_are_no_pairs(text: str) -> None:
    assert _pairs(text, "vi") == []


@given(st.text("ab ,.;()và and1234%\n", max_size=60), st.sampled_from(["lần lượt", "respectively"]))
def test_stretches_lie_in_the_text_and_figures_are_those_given(text: str, word: str) -> None:
    text = f"{text} {word} {text}"
    marks = [(one.start, one.end) for one in figures.find(text, language="vi")]
    for pairs in respective(text, marks):
        assert len(pairs) > 1
        for (start, end), figure in pairs:
            assert 0 <= start < end <= len(text)
            assert figure in marks
