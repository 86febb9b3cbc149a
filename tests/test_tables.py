"""Tables: which row names the columns, the units that it gives, and what the gate makes of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from ingest import ingest
from rag import Answer, Assistant, Citation, Figure, Settings, figures, verify
from rag.embedding import Embedder
from rag.schema import Language
from rag.tables import columns, extreme_row, first_row, names_columns, with_units

NAMES = "Tỉnh | Nhà sập | Lúa mất trắng (ha) | Thiệt hại (tỷ đồng) | So với năm 2015"
ROW = "Nghi Xuyên | 2.317 | 21.840 | 2.945 | tăng 12,5%"
TEXT = f"Thiệt hại như sau:\n{NAMES}\nThạch Bình | 1 | 2 | 3 | 4%\n{ROW}\n\nMột | hai\n{ROW}\n"


def test_the_first_row_of_a_table_is_found_from_any_other() -> None:
    start = TEXT.index(ROW)
    for at in (start, start + 30, TEXT.index("Thạch")):
        found = first_row(TEXT, at)
        assert found
        assert TEXT[slice(*found)] == NAMES
    assert first_row(TEXT, TEXT.index(NAMES)) is None
    assert first_row(TEXT, 0) is None
    # The last table's rows do not have the cells of its first one.
    assert first_row(TEXT, TEXT.rindex(ROW)) is None
    assert first_row("a | b", 0) is None


@pytest.mark.parametrize(
    ("cell", "name", "language", "value", "unit"),
    [
        ("2.945", "Thiệt hại (tỷ đồng)", "vi", "2945000000000", "VND"),
        ("12,5", "Kim ngạch, triệu USD", "vi", "12500000", "USD"),
        ("21.840", "Lúa, hoa màu mất trắng (ha)", "vi", "21840", "ha"),
        ("12,5", "So cùng kỳ (%)", "vi", "12.5", "%"),
        ("1,234", "Plan (VND billion)", "en", "1234000000000", "VND"),
        ("789", "Released (₹ crore)", "en", "7890000000", "INR"),
        ("12.5", "Rural households (lakh)", "en", "1250000", None),
        ("$12.3", "Cost (million)", "en", "12300000", "USD"),
        ("1,234", "Acres", "en", "1234", "acre"),
        ("0.4", "Contribution, percentage points", "en", "0.4", "pp"),
        # What is no unit gives none, and a date is not made of a number and its column.
        ("15", "Tháng 6", "vi", "15", None),
        ("15", "June", "en", "15", None),
        ("3", "Năm", "vi", "3", None),
        ("14", "Người chết, mất tích", "vi", "14", None),
        ("14", "Thiệt hại", "vi", "14", None),
        ("45%", "Thiệt hại (tỷ đồng)", "vi", "45", "%"),
        ("12 con", "Thiệt hại (tỷ đồng)", "vi", "12", "head"),
        ("$12.3", "Cost (EUR million)", "en", "12.3", "USD"),
    ],
)
def test_a_number_takes_the_unit_over_it(
    cell: str, name: str, language: Language, value: str, unit: str | None
) -> None:
    row = f"An | {cell}"
    (read,) = with_units(figures.find(row, language=language), row, f"Nơi | {name}")
    assert (read.value, read.text in cell) == (Decimal(value), True)
    if unit != "head":
        assert read.unit == unit
    assert row[read.start : read.end] == read.text


def test_only_a_number_that_is_all_of_its_cell_takes_the_unit() -> None:
    names = "Tỉnh | Thiệt hại (tỷ đồng)"
    row = "Nghi Xuyên | 12 (cao hơn 3)"
    assert [f.unit for f in with_units(figures.find(row), row, names)] == [None, None]
    assert with_units(figures.find("An | 1 | 2"), "An | 1 | 2", names) == figures.find("An | 1 | 2")


UNIT_LINE = f"Đơn vị tính: tỷ đồng\n{NAMES}"


@pytest.mark.parametrize(
    ("line", "cell", "name", "language", "value", "unit"),
    [
        ("Đơn vị: tỷ đồng", "2.945", "Thực hiện", "vi", "2945000000000", "VND"),
        ("(Đơn vị tính: nghìn người)", "12,5", "Thực hiện", "vi", "12500", "person"),
        ("ĐVT: triệu USD", "12,5", "Kim ngạch", "vi", "12500000", "USD"),
        ("Unit: VND billion", "1,234", "Plan", "en", "1234000000000", "VND"),
        ("(in million euros)", "12.5", "Plan", "en", "12500000", "EUR"),
        # A column with a unit of its own, or whose numbers can be in no unit.
        ("Đơn vị: tỷ đồng", "21.840", "Lúa (ha)", "vi", "21840", "ha"),
        ("Đơn vị: tỷ đồng", "97,2", "Tỷ lệ giải ngân", "vi", "97.2", None),
        ("Đơn vị: tỷ đồng", "12", "Số dự án", "vi", "12", None),
        ("Unit: VND billion", "12", "Number of projects", "en", "12", None),
        ("Đơn vị: tỷ đồng; %", "97,2", "Tỷ lệ giải ngân", "vi", "97.2", "%"),
        ("Đơn vị: tỷ đồng, %", "97,2", "Kế hoạch", "vi", "97200000000", "VND"),
        ("Đơn vị tính: 1.000 USD", "97,2", "Xuất khẩu", "vi", "97200", "USD"),
        ("ĐVT: tr.đ", "97", "Thu", "vi", "97000000", "VND"),
        # A title that ends with the unit.
        (
            "Bảng 1. Kinh phí đến ngày 30/6/2024 (tỷ đồng)",
            "97,2",
            "Đợt 1",
            "vi",
            "97200000000",
            "VND",
        ),
        ("Bảng 1. Giải ngân (tỷ đồng; %)", "97,2", "Tỷ lệ năm 2023", "vi", "97.2", "%"),
        ("Bảng 1. Giải ngân (tỷ đồng; %)", "97", "Quý III", "vi", "97000000000", "VND"),
        ("Table 1. Trade (EUR million)", "12.5", "Exports 2023", "en", "12500000", "EUR"),
        ("Table 1. Admissions in 2024 (thousand)", "152", "Jan–Mar", "en", "152000", None),
        ("Table 1. Spending (millions of dollars)", "12.5", "FY 2021", "en", "12500000", "USD"),
        ("Table 1. Spending ($m)", "12.5", "FY 2021", "en", "12500000", "USD"),
        ("Table 1. Trade (million euros, thousand tonnes)", "12.5", "Exports", "en", "12.5", None),
        ("Table 1. Spending in the year (2023)", "12", "Plan", "en", "12", None),
        ("Table 1. Spending by district (see note)", "12", "Plan", "en", "12", None),
        ("Table 1. Spending (provisional)", "12", "Plan", "en", "12", None),
        ("Đơn vị: %", "4,5", "Quý I", "vi", "4.5", "%"),
        ("Bảng 1. Vốn và dự án (tỷ đồng)", "12", "Dự án", "vi", "12", "project"),
        ("Đơn vị: nghìn người", "12,5", "Lao động", "vi", "12500", "person"),
        # No such line.
        ("Đơn vị thực hiện: Sở Tài chính", "12", "Thực hiện", "vi", "12", None),
        ("Chi tiết như sau:", "12", "Thực hiện", "vi", "12", None),
    ],
)
def test_a_line_over_a_table_gives_the_unit_of_its_numbers(
    line: str, cell: str, name: str, language: Language, value: str, unit: str | None
) -> None:
    row = f"An | {cell}"
    text = f"Chi tiết.\n\n{line}\n\nNơi | {name}\n{row}\n"
    found = first_row(text, text.index(row))
    assert found
    over = text[slice(*found)]
    assert columns(over) == ["Nơi", name]
    (read,) = with_units(figures.find(row, language=language), row, over)
    assert (read.value, read.unit) == (Decimal(value), unit)


def test_the_row_with_the_highest_number_of_a_column() -> None:
    text = (
        "Nơi | Số vụ | Tỷ lệ (%)\nAn | 12 | 4,5\nHộ Lĩnh | 30 | 4,5\nTrà | 7 | 3,9\nTổng | 49 | 4"
    )
    names = (0, text.index("\n"))

    def first(column: int, *, highest: bool) -> str | None:
        row = extreme_row(text, names, column, highest=highest, language="vi")
        return text[slice(*row)].split(" | ")[0] if row else None

    assert first(1, highest=True) == "Hộ Lĩnh"
    assert first(1, highest=False) == "Trà"
    assert first(2, highest=False) == "Trà"
    assert first(2, highest=True) is None  # two are highest
    assert first(0, highest=True) is None

    # Of several units none is highest.
    mixed = "Chỉ tiêu | Năm nay\nLúa (tấn) | 12 tấn\nRừng (ha) | 30 ha\nHộ | 7 hộ"
    assert extreme_row(mixed, (0, mixed.index("\n")), 1, highest=True, language="vi") is None


def test_the_first_row_is_told_from_the_others() -> None:
    text = f"Thiệt hại:\n{UNIT_LINE}\n{ROW}\n"
    assert names_columns(text, text.index(NAMES))
    assert not names_columns(text, text.index(ROW))
    assert not names_columns(text, 0)


def answer_with(text: str, *citations: Citation, language: Language = "vi") -> Answer:
    return Answer("Hỏi?", "answered", text, "2.945", language, (), citations)


def cited(marker: int, quote: str, start: int, of: int | None = None) -> Citation:
    end = start + len(quote)
    return Citation(
        marker, "a" * 16, None, None, None, None, "a.md", None, start, end, quote, of
    )  # fmt: skip


FIRST, SECOND = cited(1, ROW, 200), cited(2, NAMES, 20, of=1)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Thiệt hại là 2.945 tỷ đồng [1][2].", "vi"),
        ("Mất trắng 21.840 ha [1][2].", "vi"),
        ("The damage was VND 2.945 trillion [1][2].", "en"),
        ("Số liệu: 2.945 [1].", "vi"),
    ],
)
def test_the_gate_lets_through_a_number_with_the_unit_over_it(
    text: str, language: Language
) -> None:
    kept = verify(answer_with(text, FIRST, SECOND, language=language))
    assert kept.text == text
    assert kept.short == "2.945"


@pytest.mark.parametrize(
    ("text", "citations"),
    [
        # The first row is not marked, or is not known to be that row's.
        ("Thiệt hại là 2.945 tỷ đồng [1].", (FIRST, SECOND)),
        ("Thiệt hại là 2.945 tỷ đồng [1][2].", (FIRST, replace(SECOND, names_columns_of=None))),
        ("Thiệt hại là 2.945 tỷ đồng [1][2].", (FIRST, replace(SECOND, names_columns_of=2))),
        ("Thiệt hại là 2.945 tỷ đồng [1][2].", (FIRST, replace(SECOND, release_id="b" * 16))),
        # It stands below the row.
        ("Thiệt hại là 2.945 tỷ đồng [1][2].", (FIRST, cited(2, NAMES, 900, of=1))),
        # Another number of cells.
        ("Thiệt hại là 2.945 tỷ đồng [1][2].", (FIRST, cited(2, NAMES + " | x", 20, of=1))),
        # Another scale, unit or column.
        ("Thiệt hại là 2.945 triệu đồng [1][2].", (FIRST, SECOND)),
        ("Thiệt hại là 2.945 ha [1][2].", (FIRST, SECOND)),
        ("Thiệt hại là 21.840 tỷ đồng [1][2].", (FIRST, SECOND)),
        ("Thiệt hại là 2.317 tỷ đồng [1][2].", (FIRST, SECOND)),
    ],
)
def test_the_gate_drops_a_unit_that_does_not_stand_over_the_number(
    text: str, citations: tuple[Citation, ...]
) -> None:
    assert verify(answer_with(text, *citations)).status == "not_found"


RELEASE = """TỔNG CỤC THỐNG KÊ

Số: 12/TC-TCTK

Hà Nội, ngày 08 tháng 11 năm 2016

THÔNG CÁO BÁO CHÍ

Thiệt hại do bão số 11 tại các tỉnh

Bão số 11 gây thiệt hại lớn tại hai tỉnh Nghi Xuyên và Thạch Bình.

| Tỉnh | Nhà sập | Lúa mất trắng (ha) | Ước thiệt hại do bão số 11 (tỷ đồng) |
|---|---|---|---|
| Nghi Xuyên | 2.317 | 21.840 | 2.945 |
| Thạch Bình | 1.284 | 14.620 | 1.876 |

*Văn bản này do dự án dựng lên để kiểm thử; mọi tên gọi và số liệu đều là hư cấu.*
"""


@pytest.mark.parametrize(
    ("question", "says", "figure"),
    [
        ("Tỉnh Nghi Xuyên ước thiệt hại bao nhiêu tiền do bão số 11?", "2.945 tỷ đồng",
         Figure("", Decimal("2945000000000"), "VND", 0, 0)),
        ("How much money did storm No. 11 cost Thach Binh province?", "VND 1.876 trillion",
         Figure("", Decimal("1876000000000"), "VND", 0, 0)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("line", [False, True], ids=["in its column", "in a line above"])
def test_an_answer_from_a_table_has_its_unit_and_cites_where_it_stands(
    question: str, says: str, figure: Figure, line: bool, tmp_path: Path, embedder: Embedder
) -> None:
    text = RELEASE
    if line:
        text = text.replace(" (tỷ đồng)", "").replace("| Tỉnh", "Đơn vị: tỷ đồng\n\n| Tỉnh")
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    settings = Settings(data_dir=tmp_path / "data", threshold=0.0)
    ingest([tmp_path / "a.md"], settings, embedder=embedder)
    with Assistant.open(settings) as assistant:
        answer = assistant.ask(question)
        row, names = answer.citations
        (release,) = assistant.releases()
    assert says in answer.text
    assert answer.figures == (figure,)
    assert names.names_columns_of == row.marker
    assert names.quote.startswith("Đơn vị: tỷ đồng\n" if line else "Tỉnh | Nhà sập")
    for citation in answer.citations:
        assert release.text[citation.start : citation.end] == citation.quote
    assert verify(answer) == answer
