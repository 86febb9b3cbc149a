"""Times of questions and of releases: what is named, what is compared, and how well they fit."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import figures
from rag.language import detect
from rag.period import (
    Bound,
    Mention,
    Period,
    Times,
    asked_times,
    bound,
    fit,
    fit_of,
    mentions,
    resolved,
)

YEAR = Period(2021, 101, 1231)
HALF = Period(2021, 101, 630)
SECOND = Period(2021, 401, 630)
JUNE = Period(2021, 601, 630)


def asked(text: str, today: date | None = None) -> Times:
    return asked_times(text, detect(text), today=today)


def told(text: str, around: Period | None = None) -> list[tuple[str, Period, bool]]:
    found = resolved(text, mentions(text, figures.find(text)), around)
    return [(text[each.start : each.end], each.period, each.compared) for each in found]


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("Kim ngạch xuất khẩu tháng 6 năm 2021 là bao nhiêu?", JUNE),
        ("Xuất khẩu tháng 6/2021 là bao nhiêu?", JUNE),
        ("Thu ngân sách quý II năm 2021 là bao nhiêu?", SECOND),
        ("Thu ngân sách 6 tháng đầu năm 2021 là bao nhiêu?", HALF),
        ("GRDP năm 2021 tăng bao nhiêu?", YEAR),
        ("Cả năm 2021 đạt bao nhiêu?", YEAR),
        ("Thu ngân sách 9 tháng năm 2022 đạt bao nhiêu?", Period(2022, 101, 930)),
        ("Thu ngân sách chín tháng năm 2022 đạt bao nhiêu?", Period(2022, 101, 930)),
        ("Sản xuất bảy tháng 2024 tăng bao nhiêu?", Period(2024, 101, 731)),
        ("Ngày 24/6/2021 có sự kiện gì?", Period(2021, 624, 624)),
        ("Xuất khẩu tháng 6 là bao nhiêu?", Period(None, 601, 630)),
        ("xuat khau thang 6 nam 2021", JUNE),
        ("thu ngan sach quy II nam 2021 la bao nhieu", SECOND),
        ("What were exports in June 2021?", JUNE),
        ("What was revenue in the second quarter of 2021?", SECOND),
        ("What was the growth in the first half of 2021?", HALF),
        ("What was revenue in the first nine months of 2022?", Period(2022, 101, 930)),
    ],
)
def test_the_time_that_a_question_names(text: str, period: Period) -> None:
    assert asked(text) == Times((period,), None, False)


@pytest.mark.parametrize(
    "text", ["How many people were helped?", "Có bao nhiêu người được hỗ trợ?", "Ai ký?"]
)
def test_a_question_without_a_time(text: str) -> None:
    assert asked(text) == Times((), None, False)


def test_a_question_may_name_two_times() -> None:
    found = asked("Thu ngân sách quý I/2022 và quý II/2022 là bao nhiêu?")
    assert found.periods == (Period(2022, 101, 331), Period(2022, 401, 630))


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("Xuất khẩu tháng 6 tăng bao nhiêu so với tháng 5?", Period(None, 501, 531)),
        ("Xuất khẩu tăng bao nhiêu so với cùng kỳ năm 2020?", Period(2020, 101, 1231)),
        ("xuat khau tang bao nhieu so voi cung ky nam 2020", Period(2020, 101, 1231)),
        ("How much did exports rise compared with April 2021?", Period(2021, 401, 430)),
        ("How much did exports rise year-on-year?", Period(None, 101, 1231)),
        ("How far are passengers still short of 2019?", Period(2019, 101, 1231)),
        ("Lượng khách còn kém năm 2019 bao nhiêu?", Period(2019, 101, 1231)),
        ("How much larger was debt than at the end of 2019?", Period(2019, 101, 1231)),
    ],
)
def test_the_base_of_a_comparison_is_not_the_time_asked_for(text: str, base: Period) -> None:
    found = asked(text)
    assert found.base == base
    assert base not in found.periods
    assert not found.earlier


@pytest.mark.parametrize("text", ["GRDP cùng kỳ là bao nhiêu?", "What was growth a year earlier?"])
def test_the_value_of_the_earlier_period(text: str) -> None:
    assert asked(text).earlier
    assert asked(text).base is None


@pytest.mark.parametrize(
    ("text", "earlier"),
    [
        ("Trước đây cấp phép mất bao nhiêu ngày?", True),
        ("Đầu năm còn nợ bao nhiêu?", True),
        ("Năm trước thu được bao nhiêu?", True),
        ("How long did a permit take before the reform?", True),
        ("What were the arrears at the start of 2018?", True),
        ("What did the fee use to be?", True),
        ("What was last summer's enrolment?", True),
        ("What was the dam supposed to cost at first?", True),
        ("How many divorces came before the courts?", False),
        ("6 tháng đầu năm thu được bao nhiêu?", False),
        ("Thu ngân sách tăng bao nhiêu so với năm trước?", False),
        ("How much more was paid than a year earlier?", False),
        ("Share of prisoners on remand in Ardell before the latest rise", True),
        ("What had the death rate been a quarter earlier?", True),
        ("How much did exports rise on a month earlier?", False),
        ("How many people were helped in June?", False),
    ],
)
def test_whether_it_asks_how_something_was_before(text: str, earlier: bool) -> None:
    assert asked(text).earlier == earlier


def test_a_year_before_a_time_is_counted_back() -> None:
    found = asked("How many families lived in hotels one year before October 2016?")
    assert [period.year for period in found.periods] == [2015]
    found = asked("Một năm trước quý III/2023, tỷ lệ thất nghiệp là bao nhiêu?")
    assert Period(2022, 701, 930) in found.periods


def test_over_a_time_is_during_it() -> None:
    assert asked("What was inflation over the first half of 2021?").periods == (HALF,)
    assert asked("How much did prices rise over April 2021?").base is not None


def test_the_year_before_a_time_is_counted_back() -> None:
    text = "How many were found in the year before the 2023 count?"
    assert asked(text).periods == (Period(2022, 101, 1231),)


def test_a_fiscal_year_may_be_told_in_its_second_year() -> None:
    (fiscal,) = asked("How many came in during 2022/23?").periods
    assert fit([fiscal], Period(2023, 101, 1231)) == 0.0
    assert fit([fiscal], Period(2024, 101, 1231)) == -1.0
    assert fit([fiscal], Period(2022, 101, 1231)) == 0.7


def test_the_same_period_of_a_year_is_that_year() -> None:
    for text in (
        "GRDP cùng kỳ năm 2019 tăng bao nhiêu?",
        "GRDP cung ky nam 2019 la bao nhieu",
        "What was growth in the same period of 2019?",
    ):
        found = asked(text)
        assert [period.year for period in found.periods] == [2019]
        assert found.base is None


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("Thu ngân sách năm nay là bao nhiêu?", Period(2021, 101, 1231)),
        ("Thu ngân sách năm ngoái là bao nhiêu?", Period(2020, 101, 1231)),
        ("Thu ngân sách nửa đầu năm ngoái là bao nhiêu?", Period(2020, 101, 630)),
        ("Revenue in the first half of last year?", Period(2020, 101, 630)),
        ("Thu ngân sách quý này là bao nhiêu?", Period(2021, 101, 331)),
        ("Thu ngân sách quý trước là bao nhiêu?", Period(2020, 1001, 1231)),
        ("What is the revenue this year?", Period(2021, 101, 1231)),
        ("What was the revenue last year?", Period(2020, 101, 1231)),
        ("What was the revenue in the previous quarter?", Period(2020, 1001, 1231)),
    ],
)
def test_relative_times_count_from_today(text: str, period: Period) -> None:
    assert period in asked(text, date(2021, 2, 10)).periods
    assert period not in asked(text).periods


# Times of a release


def test_years_are_filled_in_from_what_comes_before() -> None:
    assert told("Năm 2021, tháng 6 đạt 3 tỷ USD.") == [
        ("Năm 2021", YEAR, False),
        ("tháng 6", JUNE, False),
    ]
    assert told("Tháng 6 đạt 3 tỷ USD.", YEAR)[0][1] == JUNE
    assert told("Tháng 6 đạt 3 tỷ USD.")[0][1] == Period(None, 601, 630)


def test_the_same_period_is_that_of_the_year_before() -> None:
    assert told("tăng 5% so với cùng kỳ", HALF) == [("cùng kỳ", Period(2020, 101, 630), True)]
    assert told("up 5% on a year earlier", HALF) == [
        ("a year earlier", Period(2020, 101, 630), True)
    ]
    [(_, period, compared)] = told("cao hơn cùng kỳ năm 2019 (là 7,12%)", HALF)
    assert (period, compared) == (Period(2019, 101, 630), True)


@pytest.mark.parametrize(
    "words",
    [
        "cùng kỳ", "cùng thời điểm năm trước", "năm ngoái", "the same months of 2020",
        "same period of the previous year", "a year earlier", "one year previously",
        "twelve months before", "the year before", "the previous year", "year-on-year",
        "year over year", "month-on-month", "quarter on quarter", "tháng trước", "quý trước",
        "the preceding quarter", "the prior three months", "a month earlier",
    ],
)  # fmt: skip
def test_what_something_is_compared_with_is_found_in_any_letters(words: str) -> None:
    for text in (f"tăng 5% so với {words}", f"UP 5% ON {words.upper()}"):
        assert any(compared for _, _, compared in told(text, HALF)), text


def test_a_year_to_compare_with_means_the_same_stretch_of_it() -> None:
    [(_, period, compared)] = told("tăng 5% so với năm 2020", HALF)
    assert (period, compared) == (Period(2020, 101, 630), True)


def test_what_is_compared_does_not_become_the_time_of_what_follows() -> None:
    text = "Tháng 6 tăng 2% so với tháng 5; 6 tháng đầu năm đạt 3 tỷ USD."
    found = told(text, YEAR)
    assert [(period, compared) for _, period, compared in found] == [
        (JUNE, False),
        (Period(2021, 501, 531), True),
        (HALF, False),
    ]


@given(st.text(max_size=200))
def test_mentions_stand_in_the_text_in_order(text: str) -> None:
    found = resolved(text, mentions(text, figures.find(text)), HALF)
    assert all(0 <= each.start < each.end <= len(text) for each in found)
    assert [each.start for each in found] == sorted(each.start for each in found)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("in the three months to September 2023", Period(2023, 701, 930)),
        ("in the quarter to June 2023", Period(2023, 401, 630)),
        ("in the six months ended June 2023", Period(2023, 101, 630)),
        ("in the year to 31 March 2019", Period(2018, 101, 1231, years=2)),
        ("in the year to December 2019", Period(2019, 101, 1231)),
        ("nửa đầu 2022", Period(2022, 101, 630)),
    ],
)
def test_a_stretch_is_told_by_where_it_ends(text: str, period: Period) -> None:
    assert period in asked(text).periods


# Which figure is of which time


def of_figures(text: str, around: Period | None = None) -> dict[str, tuple[str, bool]]:
    """Per quantity: the words that tell its own time, empty without, and whether it is a base."""
    printed = figures.find(text)
    named = resolved(text, mentions(text, printed), around)
    counts = [f for f in printed if figures.kind(f) not in ("date", "period")]
    places = [(f.start, f.end) for f in counts]
    out = {}
    for figure in counts:
        found = bound(text, (0, len(text)), named, places, (figure.start, figure.end), len(text))
        own = found.mention if found.own else None
        out[figure.text] = (text[own.start : own.end] if own else "", found.base)
    return out


def test_brackets_are_of_their_own_time_or_of_the_one_before_them() -> None:
    assert of_figures("Grants went to 240 households (195 in 2016).") == {
        "240 households": ("", False),
        "195": ("2016", False),
    }
    assert of_figures("73.4% of claims came in online (2019: 48.9%).") == {
        "73.4%": ("", False),
        "48.9%": ("2019", False),
    }
    found = of_figures("Có 412 vụ; so với cùng kỳ (468 vụ) giảm 56 vụ (12,0%).", YEAR)
    assert found["468 vụ"] == ("cùng kỳ", True) or found["468 vụ"] == ("cùng kỳ", False)
    assert found["412 vụ"][0] == ""
    found = of_figures("quý I thấp nhất (14.200 căn), quý IV cao nhất (46.900 căn)", YEAR)
    assert found == {"14.200 căn": ("quý I", False), "46.900 căn": ("quý IV", False)}


def test_what_a_figure_is_compared_with_is_of_an_earlier_time() -> None:
    assert of_figures("The share was 58.2%, against 61.0% a year earlier.") == {
        "58.2%": ("", False),
        "61.0%": ("a year earlier", True),
    }
    found = of_figures("Waits fell to 1,184 from 4,760 a year before.")
    assert found["1,184"] == ("", False)
    assert found["4,760"] == ("a year before", True)
    found = of_figures("Thời gian cấp phép giảm từ 45 ngày xuống 30 ngày.")
    assert found == {"45 ngày": ("", True), "30 ngày": ("", False)}
    found = of_figures("Giá tôm từ 102.000 đồng/kg hồi tháng 1 xuống 78.000 đồng/kg vào tháng 8.")
    assert found == {"102.000 đồng/kg": ("tháng 1", True), "78.000 đồng/kg": ("tháng 8", False)}


def test_a_change_has_the_time_of_what_it_came_to() -> None:
    found = of_figures("The fare goes up from £4.80 to £5.20 on 3 September.")
    assert found == {"£4.80": ("", True), "£5.20": ("3 September", False)}
    text = "Tỷ lệ giảm từ 8,74% cuối năm 2016 xuống còn 6,95%."
    named = resolved(text, mentions(text, figures.find(text)), Period(2017, 101, 1231))
    counts = [(f.start, f.end) for f in figures.find(text) if f.unit == "%"]
    assert bound(text, (0, len(text)), named, counts, counts[1], len(text)).mention is None
    found = of_figures("It had 61 groups, up from 48 groups and 790 members a year earlier.")
    assert found["48 groups"] == ("a year earlier", True)
    assert found["790 members"][0] == "a year earlier"


def test_what_is_planned_or_more_than_so_much_is_no_base() -> None:
    found = of_figures("It finished 612 schemes, against 780 planned and 655 a year earlier.")
    assert found["780"][1] is False
    assert found["655"][0] == "a year earlier"
    assert of_figures("Nobody may hold more than €10,000.")["€10,000"] == ("", False)
    assert of_figures("Nhiệt điện than 28,9 tỷ kWh.")["28,9 tỷ kWh"] == ("", False)
    found = of_figures("The pension rises by €3.75 from 4 January 2020.")
    assert found["€3.75"] == ("4 January 2020", False)
    found = of_figures("71.2% were seen, down 2.4% on the same quarter of 2019.")
    assert found["2.4%"] == ("", False)
    found = of_figures("Giải ngân đạt 44,1%, cao hơn cùng kỳ 6,3%.", YEAR)
    assert found["6,3%"] == ("", False)


@pytest.mark.parametrize(
    "text",
    [
        "The rate fell from 5.2% (up to 7.3% in rural areas) in 2024.",
        "Tỷ lệ giảm từ 5,2% (còn 3,1% ở thành thị) trong năm 2024.",
        "It is up from £1,000 (and £500 for couples).",
        "Fees fell from £500 (for 12 months) to £300 in 2024.",
    ],
)
def test_figures_in_brackets_behind_a_base_are_read(text: str) -> None:
    assert len(of_figures(text)) >= 2


def test_a_change_from_a_time_is_not_of_that_time() -> None:
    for text in (
        "In 2024, exports rose 5.3% from a year earlier.",
        "In 2024, exports were up 5.3% from the same period of 2023.",
    ):
        assert of_figures(text)["5.3%"] == ("", False)


def test_words_that_look_like_documents_or_last_year_are_neither() -> None:
    assert told("Chỉ số CPI tháng 5/2024 tăng 3,2%.")[0][1] == Period(2024, 501, 531)
    text = "Chỉ số CPI tháng 5/2024 tăng 3,2%."
    assert not resolved(text, mentions(text, figures.find(text)), None)[0].aside
    found = told("Năm 2024, hoàn thành 50 căn trong quý II trước thời hạn.")
    assert ("quý II", Period(2024, 401, 630), False) in found
    assert ("tháng 3/2024", Period(2024, 301, 331), False) in told("Trong cùng tháng 3/2024.")
    found = told("Growth was lower than 5% in 2019, reaching 6% in 2020.")
    assert ("2020", Period(2020, 101, 1231), False) in found
    assert not asked("What is the average age at first marriage?").earlier


def test_the_date_of_a_document_says_nothing_of_figures() -> None:
    text = "Tỷ trọng giảm xuống 33,6% theo Quyết định số 287/QĐ-BTC ngày 12/3/2019. Có 5%."
    named = resolved(text, mentions(text, figures.find(text)), HALF)
    (share, _) = [(f.start, f.end) for f in figures.find(text) if f.unit == "%"]
    assert bound(text, (0, len(text)), named, [share], share, len(text)).mention is None
    assert [m.aside for m in named] == [True]


def test_the_day_of_an_approval_between_commas_says_nothing_of_figures() -> None:
    text = "The FY 2022 budget, adopted on June 14, 2021, by five votes to two, totals $1.4 billion"
    named = resolved(text, mentions(text, figures.find(text)), HALF)
    assert [m.aside for m in named] == [False, True]


def test_what_is_compared_with_a_month_is_not_of_a_year_to_come() -> None:
    text = "It will cost 24 by March 2023, down from the 29 forecast in September."
    named = resolved(text, mentions(text, figures.find(text)), Period(2022, 101, 1231))
    assert [m.period.year for m in named] == [2023, 2022]


def test_a_year_that_ends_within_another_reaches_into_it() -> None:
    asked_for = asked("How far did it rise over the year to January 2020?").periods
    assert fit(asked_for, Period(2020, 101, 131)) == 0
    assert fit(asked_for, Period(2018, 101, 131)) == -1


@pytest.mark.parametrize(
    "text",
    [
        "Nếu tính cả 154 tỷ đồng chuyển nguồn sang năm 2019, tổng chi là 1.610 tỷ đồng.",
        "With €3 million carried over to 2019, spending came to €41 million.",
        "Đường tránh Bến Lau | 41,0 km | 16.900 tỷ đồng | 30/6/2029 | 9,6%",
        "The share was 8.0 per cent; in 2022-23 it was worse.",
    ],
)
def test_a_time_that_is_of_something_else_binds_no_figure_behind_or_before_it(text: str) -> None:
    printed = figures.find(text)
    named = resolved(text, mentions(text, printed), HALF)
    places = [(f.start, f.end) for f in printed if figures.kind(f) not in ("date", "period")]
    for place in places:
        assert bound(text, (0, len(text)), named, places, place, len(text)).mention is None


def test_the_first_cell_of_a_row_says_when() -> None:
    text = "Năm 2019 | 41,0 km | 30/6/2029"
    named = resolved(text, mentions(text, figures.find(text)), HALF)
    found = bound(text, (0, len(text)), named, [(11, 18)], (11, 18), len(text)).mention
    assert found is not None
    assert found.period.year == 2019


def test_another_year_ends_with_the_sentence_that_names_it() -> None:
    found = told("Năm 2020 có 12 vụ. Tháng 6 có 3 vụ, tháng 5 có 2 vụ.", YEAR)
    assert [period.year for _, period, _ in found] == [2020, 2021, 2021]
    found = told("Thu tăng 6% so với ước thực hiện năm 2020 (10 tỷ đồng); chi 5 tỷ đồng.", YEAR)
    assert [(period.year, compared) for _, period, compared in found] == [(2020, True)]


def test_last_year_opens_a_sentence() -> None:
    found = told("Fines rose. Last year 1,724 crashes killed 14 people.", YEAR)
    assert found == [("Last year", Period(2020, 101, 1231), False)]


def test_a_month_of_last_year_is_of_the_year_before() -> None:
    found = told("CPI tháng 4 tăng 2,7% so với tháng 4 năm trước.", YEAR)
    assert ("tháng 4", Period(2020, 401, 430), True) in found


def test_what_follows_a_base_is_not_of_its_time() -> None:
    found = of_figures(
        "Spending was €486 million, less than a year earlier: €311 million on roads."
    )
    assert found["€311 million"] == ("", False)
    found = of_figures("3,482 people, up from 3,177 in 2022: 1,946 in shelters.")
    assert found["3,177"][0] == "2022"
    assert found["1,946"] == ("", False)
    found = of_figures("Chi y tế đạt 12 tỷ đồng, so với cùng kỳ tăng 1,8%.", YEAR)
    assert found["1,8%"] == ("", False)
    # What is told in brackets holds for them alone.
    text = "Năm 2016 có 240 trẻ (năm 2015: 220). Tỷ lệ là 3%, so với 4% của năm trước."
    assert ("năm trước", Period(2015, 101, 1231), True) in told(text)


def test_the_time_behind_the_verb_is_nearer_than_one_before_other_figures() -> None:
    text = "Launched on 4 October 2021, it drew 527 people, of whom 163 worked by the end of March."
    named = resolved(text, mentions(text, figures.find(text)), YEAR)
    counts = [(f.start, f.end) for f in figures.find(text) if f.unit in (None, "person")]
    found = bound(text, (0, len(text)), named, counts, counts[1], len(text)).mention
    assert found is not None
    assert text[found.start : found.end] == "March"


def test_from_is_no_comparison_by_itself() -> None:
    assert of_figures("Inspectors collected 12 tonnes from 47 communes.")["47 communes"][1] is False
    assert of_figures("Hỗ trợ người nghỉ từ 15 ngày.")["15 ngày"][1] is False


@given(st.text(max_size=120))
def test_any_sentence_can_be_asked_for_its_times(text: str) -> None:
    assert all(isinstance(base, bool) for _, base in of_figures(text).values())


def test_a_time_told_by_its_year_alone_suits_any_stretch_of_it() -> None:
    loose = Mention(HALF, 0, 1, compared=True, loose=True)
    assert fit_of([Period(2021, 401, 430)], loose) > fit([Period(2021, 401, 430)], HALF)
    assert fit_of([Period(2020, 401, 430)], loose) == -1.0
    assert fit_of([JUNE], Mention(JUNE, 0, 1, compared=False)) == 1.0
    assert Bound(None, own=False, base=False).bracketed is False


# How well they fit


@pytest.mark.parametrize(
    ("question", "release", "least", "most"),
    [
        (JUNE, JUNE, 1.0, 1.0),
        (YEAR, YEAR, 1.0, 1.0),
        (YEAR, HALF, 0.5, 1.0),
        (HALF, YEAR, 0.0, 0.5),
        (JUNE, Period(2020, 601, 630), -1.0, -1.0),
        (YEAR, Period(2019, 101, 630), -1.0, -1.0),
        (JUNE, Period(2021, 501, 531), -1.0, -0.5),
        (Period(None, 601, 630), JUNE, 0.5, 1.0),
        (JUNE, Period(None, 601, 630), 0.5, 1.0),
        (HALF, JUNE, -1.0, 0.0),
        (JUNE, HALF, -1.0, 0.0),
        (JUNE, Period(2021, 624, 624), 0.0, 0.5),
    ],
)
def test_how_well_a_period_suits(
    question: Period, release: Period, least: float, most: float
) -> None:
    assert least <= fit([question], release) <= most


def test_nothing_asked_or_nothing_told_is_neutral() -> None:
    assert fit([], JUNE) == 0.0
    assert fit([JUNE], None) == 0.0


def test_the_best_of_several_times_counts() -> None:
    assert fit([Period(2020, 601, 630), JUNE], JUNE) == 1.0


def _periods() -> st.SearchStrategy[Period]:
    def made(year: int | None, first: int, last: int) -> Period:
        return Period(year, min(first, last) * 100 + 1, max(first, last) * 100 + 28)

    return st.builds(
        made, st.sampled_from([None, 2020, 2021]), st.integers(1, 12), st.integers(1, 12)
    )


@given(_periods(), _periods())
def test_nothing_fits_better_than_the_time_itself(question: Period, release: Period) -> None:
    assert -1.0 <= fit([question], release) <= fit([question], question) <= 1.0


def test_a_clause_that_opens_with_the_same_period_is_of_it() -> None:
    found = of_figures(
        "Tỉnh xuất siêu 210,3 triệu USD, cùng kỳ năm trước xuất siêu 200,8 triệu USD."
    )
    assert found["200,8 triệu USD"] == ("cùng kỳ năm trước", False)
    found = of_figures("Xuất khẩu đạt 210,3 triệu USD, so với cùng kỳ năm trước tăng 2,8%.")
    assert found["2,8%"][0] == ""


def test_a_fiscal_year_is_not_quite_the_year_that_it_begins_in() -> None:
    fiscal = Period(2022, 101, 1231, years=2)
    assert fit([Period(2022, 101, 1231)], fiscal) == 0.7
    assert fit([fiscal], fiscal) == 1.0


def test_a_month_behind_against_or_than_is_compared_with() -> None:
    found = asked("By what percentage did production rise in June against May?")
    assert found.periods == (Period(None, 601, 630),)
    assert found.base == Period(None, 501, 531)
