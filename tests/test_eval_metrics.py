"""Every metric against numbers worked out by hand, with the arithmetic, and where undefined."""

from __future__ import annotations

import math
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval import metrics
from rag.schema import Figure, Language


def figure(value: str, unit: str | None) -> Figure:
    return Figure("", Decimal(value), unit, 0, 0)


# --- Text --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The U.S. budget", ["us", "budget"]),
        ("Hanoi's plan.Next", ["hanoi", "s", "plan", "next"]),
        ("an ninh", ["ninh"]),  # without diacritics it reads as English
        ("an ninh trật tự", ["an", "ninh", "trật", "tự"]),
        ("những dự án của tỉnh", ["dự", "án", "tỉnh"]),
        ("608,5 tỷ đồng [1]", ["608,5", "tỷ", "đồng"]),
        ("5,91%", ["5,91", "%"]),
        ("$1,200.50 (approx.)", ["$", "1,200.50", "approx"]),
        ("6–8/7/2021", ["6-8/7/2021"]),
        ("04/TC-UBND", ["04", "tc", "ubnd"]),
        ("**Covid-19**, 5K", ["covid", "19", "5k"]),
        ("…", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert metrics.tokens(text) == expected


def test_old_and_new_tone_placement_are_one_spelling() -> None:
    assert metrics.tokens("Hoà Thuỷ") == metrics.tokens("Hòa Thủy")
    assert metrics.tokens("Hoa") != metrics.tokens("Hòa")


def test_exact_match() -> None:
    assert metrics.exact_match("the 608,5 tỷ đồng.", ["x", "608,5 tỷ đồng"]) == 0.0
    assert metrics.exact_match("608,5 Tỷ đồng.", ["x", "608,5 tỷ đồng"]) == 1.0
    assert metrics.exact_match("6085 tỷ đồng", ["608,5 tỷ đồng"]) == 0.0
    assert metrics.exact_match("", ["x"]) == 0.0
    assert metrics.exact_match("x", []) is None


def test_f1() -> None:
    # 608,5 / tỷ / đồng in common: precision 3/4, recall 3/3, so 2 * 3 / (4 + 3).
    assert metrics.f1("chi 608,5 tỷ đồng", ["608,5 tỷ đồng"]) == pytest.approx(6 / 7)
    # The best of several: 2 * 1 / (1 + 2) against 0.
    assert metrics.f1("alpha", ["beta", "alpha gamma"]) == pytest.approx(2 / 3)
    # A word counts as often as it is there: 2 * 1 / (2 + 1).
    assert metrics.f1("ha ha", ["ha"]) == pytest.approx(2 / 3)
    assert metrics.f1("", ["x"]) == 0.0
    assert metrics.f1("x", []) is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_f1_is_a_share_and_1_for_equal_texts(one: str, other: str) -> None:
    assert 0.0 <= (metrics.f1(one, [other]) or 0.0) <= 1.0
    assert metrics.f1(one, [one]) == 1.0


def test_contains_answer_compares_whole_words_in_order() -> None:
    assert metrics.contains_answer("Đã chi 608,5 tỷ đồng [1].", ["x", "608,5 Tỷ đồng"])
    # An English answer in a text that quotes Vietnamese: the articles are dropped all the same.
    mixed = "The head of the city, “Chủ tịch”."
    assert metrics.contains_answer(mixed, ["head of city"])
    assert not metrics.contains_answer("15 dự án", ["5 dự án"])
    assert not metrics.contains_answer("đồng tỷ", ["tỷ đồng"])
    assert not metrics.contains_answer("đã chi [1]", ["1"])
    assert not metrics.contains_answer("5,91 tỷ", ["5,91%"])
    assert not metrics.contains_answer("x", ["…"])
    assert not metrics.contains_answer("x", [])


def test_holds_answer_compares_letters() -> None:
    assert metrics.holds_answer("Nhiệm kỳ 1990-1995, ở\nHà Nội", ["x", "1990"])
    assert metrics.holds_answer("Nhiệm kỳ ở\nHÀ  Nội", ["ở Hà Nội"])
    assert metrics.holds_answer("đạt 40 °C (104 °F.)", ["40 °C (104 °F.)"])
    assert not metrics.holds_answer("15 dự án", ["5"])
    assert not metrics.holds_answer("15 dự án", [])


# --- Figures -----------------------------------------------------------------------------------


def test_figure_equal_needs_value_scale_and_unit() -> None:
    gold = figure("608500000000", "VND")
    assert metrics.figure_equal(gold, [figure("608500000000", "VND")])
    assert not metrics.figure_equal(gold, [figure("608500000", "VND")])
    assert not metrics.figure_equal(gold, [figure("608500000000", "USD")])
    assert not metrics.figure_equal(gold, [])
    assert metrics.figure_equal(figure("171", None), [figure("171", "project")])
    assert not metrics.figure_equal(figure("171", None), [figure("78", "project")])


def test_gold_may_leave_out_what_a_rate_is_per_and_name_any_noun() -> None:
    paid = figure("40000000", "VND/household")
    assert metrics.figure_equal(figure("40000000", "VND"), [paid])
    assert not metrics.figure_equal(figure("40000000", "USD"), [paid])
    assert not metrics.figure_equal(figure("40000000", "VND/person"), [paid])
    assert metrics.figure_equal(figure("12", "encampment"), [figure("12", "site")])
    assert not metrics.figure_equal(figure("12", "encampment"), [figure("12", "VND")])
    assert not metrics.figure_equal(figure("12", "SKD"), [figure("12", "person")])
    assert not metrics.figure_equal(figure("12", "teacher"), [figure("12", "school")])
    # Of several amounts none is chosen, also where one is a rate.
    assert not metrics.figure_equal(figure("40000000", "VND"), [paid, figure("50000000", "VND")])


def test_several_rates_are_not_a_choice_but_another_kind_is_no_rival() -> None:
    rate = figure("5.91", "%")
    assert not metrics.figure_equal(rate, [rate, figure("2.92", "%")])
    assert metrics.figure_equal(rate, [rate, figure("100000000", "USD"), figure("5.91", "%")])


def test_figure_bounds() -> None:
    gold = Figure("", None, "%", 0, 0, low=Decimal("1.02"), high=Decimal("1.07"))
    same = Figure("1,02-1,07%", None, "%", 3, 13, low=Decimal("1.020"), high=Decimal("1.07"))
    assert metrics.figure_equal(gold, [same])
    assert not metrics.figure_equal(gold, [figure("1.02", "%")])


def test_unsupported_figures() -> None:
    quote: tuple[str, Language] = ("Thực hiện chi 608,5 tỷ đồng hỗ trợ.", "vi")
    assert metrics.unsupported_figures("VND 608.5 billion was paid [1].", [quote], "en") == []
    assert metrics.unsupported_figures("Chi **608,5 tỷ đồng** [1].", [quote], "vi") == []
    wrong = metrics.unsupported_figures("Chi 608,5 triệu đồng [1].", [quote], "vi")
    assert wrong == ["608,5 triệu đồng"]
    assert metrics.unsupported_figures("Chi 7 tỷ đồng.", [], "vi") == ["7 tỷ đồng"]
    assert metrics.unsupported_figures("Không có.", [], "vi") == []


def test_escaped_markdown_is_read_as_it_is_shown() -> None:
    assert metrics.plain("**1\\.561** *tổ* chức\\* \\[7\\] [2]") == "1.561 tổ chức* [7] "
    quote: tuple[str, Language] = ("Thu hút 1.561 tỷ đồng.", "vi")
    text = "**1\\.561 tỷ đồng** [1]\n\n> \\- Thu hút 1.561 tỷ đồng. [1]"
    assert metrics.unsupported_figures(text, [quote], "vi") == []
    assert metrics.contains_answer(text, ["1.561 tỷ đồng"])


def test_a_figure_quoted_in_another_language_is_supported_by_its_own_words() -> None:
    # Read as English, 124.854 would have three decimals.
    quote: tuple[str, Language] = ("Tổng thu ước đạt 124.854 tỷ đồng.", "vi")
    text = "Total revenue: “124.854 tỷ đồng” [1]"
    assert metrics.unsupported_figures(text, [quote], "en") == []


# --- Ranking -----------------------------------------------------------------------------------


def test_ranking() -> None:
    first, third, two, none, undefined = metrics.ranking(
        [
            [True, False],
            [False, False, True],
            [False, True, False, False, False, True],
            [],
            [False],
        ],
        [1, 1, 3, 1, 0],
    )
    assert first == dict.fromkeys(metrics.RANKING, 1.0)
    # One relevant at rank 3: gain 1 / log2(3 + 1) = 0.5 of an ideal 1 / log2(2) = 1.
    assert third == pytest.approx({"recall@1": 0, "recall@5": 1, "ndcg@10": 0.5, "mrr@10": 1 / 3})
    # Three relevant, found at ranks 2 and 6: gains 1/log2(3) + 1/log2(7); ideal at 1, 2, 3.
    gain = 1 / math.log2(3) + 1 / math.log2(7)
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert two == pytest.approx(
        {"recall@1": 0, "recall@5": 1 / 3, "ndcg@10": gain / ideal, "mrr@10": 1 / 2}
    )
    assert none == dict.fromkeys(metrics.RANKING, 0.0)
    assert undefined == {}


def test_ranking_without_any_hit_or_question() -> None:
    assert metrics.ranking([[]], [1]) == [dict.fromkeys(metrics.RANKING, 0.0)]
    assert metrics.ranking([], []) == []
    with pytest.raises(ValueError, match="2 found of 1"):
        metrics.ranking([[True, True]], [1])


def test_ranking_stops_at_10() -> None:
    (late,) = metrics.ranking([[False] * 10 + [True]], [1])
    assert late == dict.fromkeys(metrics.RANKING, 0.0)


# --- Averages ----------------------------------------------------------------------------------


def test_ratio() -> None:
    # (1 + 0 + 2) / (1 + 1 + 4)
    assert metrics.ratio([(1, 1), (0, 1), (2, 4), (0, 0)]) == 0.5
    assert metrics.ratio([(0, 0)]) is None
    assert metrics.ratio([]) is None


@pytest.mark.parametrize(
    ("answerable", "answered", "correct", "value"),
    [
        (True, True, True, 1),
        (True, True, False, -1),
        (True, False, False, 0),
        (False, False, True, 1),
        (False, True, False, -1),
    ],
)
def test_crag(answerable: bool, answered: bool, correct: bool, value: int) -> None:
    assert metrics.crag(answerable, answered, correct) == value


def test_percentile() -> None:
    assert metrics.percentile([4.0, 1.0, 3.0, 2.0], 50) == 2.5
    # Place 0.95 * (5 - 1) = 3.8: between 40 and 50, four fifths of the way.
    assert metrics.percentile([10, 20, 30, 40, 50], 95) == pytest.approx(48)
    assert metrics.percentile([], 50) is None


# --- Uncertainty -------------------------------------------------------------------------------


def test_bootstrap_agrees_with_the_normal_approximation() -> None:
    parts = [(1.0, 1.0)] * 80 + [(0.0, 1.0)] * 120
    interval = metrics.bootstrap(parts, [str(index) for index in range(200)])
    # 0.4 ± 1.96 * sqrt(0.4 * 0.6 / 200) = 0.4 ± 0.068
    assert interval == pytest.approx((0.332, 0.468), abs=0.01)
    assert interval == metrics.bootstrap(parts, [str(index) for index in range(200)])


def test_bootstrap_draws_translations_together() -> None:
    parts = [(1.0, 1.0), (1.0, 1.0), (0.0, 1.0), (0.0, 1.0)] * 25
    alone = metrics.bootstrap(parts, [str(index) for index in range(100)])
    paired = metrics.bootstrap(parts, [str(index // 2) for index in range(100)])
    assert alone is not None
    assert paired is not None
    # Half as many independent questions: the interval is wider by about the root of 2.
    assert (paired[1] - paired[0]) / (alone[1] - alone[0]) == pytest.approx(2**0.5, rel=0.12)


def test_bootstrap_undefined() -> None:
    assert metrics.bootstrap([], []) is None
    assert metrics.bootstrap([(0, 0), (0, 0)], ["a", "b"]) is None
    assert metrics.bootstrap([(1, 1), (0, 0)], ["a", "b"]) is None
    assert metrics.bootstrap([(1, 1), (1, 1)], ["a", "a"]) is None
    assert metrics.bootstrap([(1, 1), (1, 1)], ["a", "b"]) == (1.0, 1.0)


def test_bootstrap_difference_is_paired() -> None:
    names = [str(index) for index in range(100)]
    first = [(float(index % 2), 1.0) for index in range(100)]
    assert metrics.bootstrap_difference(first, first, names) == (0.0, 0.0)
    # Eight of a hundred lost: -0.08 ± 1.96 * sqrt(0.08 * 0.92 / 100) = -0.08 ± 0.053
    second = [(0.0, 1.0) if 0 < index < 17 else part for index, part in enumerate(first)]
    interval = metrics.bootstrap_difference(first, second, names)
    assert interval == pytest.approx((-0.133, -0.027), abs=0.012)
    assert metrics.bootstrap_difference([(0, 0)] * 2, [(1, 1)] * 2, ["a", "b"]) is None
    assert metrics.bootstrap_difference([], [], []) is None


def test_bootstrap_percentile() -> None:
    low, high = metrics.bootstrap_percentile([1.0, 2.0, 3.0] * 30, 50) or (0.0, 0.0)
    assert 1.0 <= low <= 2.0 <= high <= 3.0
    assert metrics.bootstrap_percentile([1.0], 50) is None


def test_mcnemar() -> None:
    # 1 gained, 5 lost of 6 that differ: 2 * (C(6,0) + C(6,1)) / 2^6 = 14 / 64.
    first = [True] * 5 + [False] + [True] * 10
    second = [False] * 5 + [True] + [True] * 10
    assert metrics.mcnemar(first, second) == pytest.approx(14 / 64)
    # 2 and 2: 2 * (1 + 4 + 6) / 16 is more than 1.
    assert metrics.mcnemar([True, True, False, False], [False, False, True, True]) == 1.0
    assert metrics.mcnemar([True], [True]) == 1.0
    assert metrics.mcnemar([], []) is None


def test_calibration() -> None:
    error, table = metrics.calibration([0.9, 0.8, 1.0, 0.25, 0.2], [True, True, False, False, True])
    # 0.2 and 0.25 are in [0.2, 0.3): mean 0.225, right 1/2, off by 0.275, weight 2/5;
    # 0.8 in [0.8, 0.9): off by 0.2, weight 1/5;
    # 0.9 and 1.0 in [0.9, 1]: mean 0.95, right 1/2, off by 0.45, weight 2/5.
    assert error == pytest.approx(0.275 * 0.4 + 0.2 * 0.2 + 0.45 * 0.4)
    assert [bin.count for bin in table] == [0, 0, 2, 0, 0, 0, 0, 0, 1, 2]
    assert table[2].confidence == pytest.approx(0.225)
    assert table[2].accuracy == 0.5
    assert (table[0].confidence, table[0].accuracy) == (None, None)
    assert metrics.calibration([], [])[0] is None


def test_a_perfect_confidence_has_the_calibration_error_of_chance() -> None:
    rng = random.Random(2)
    confidences = [rng.uniform(0.2, 1.0) for _ in range(250)]
    errors = []
    for _ in range(300):
        error, table = metrics.calibration(confidences, [rng.random() < c for c in confidences])
        errors.append(error or 0.0)
    assert metrics.calibration_by_chance(table) == pytest.approx(sum(errors) / 300, rel=0.05)
    assert metrics.calibration_by_chance(metrics.calibration([], [])[1]) is None
