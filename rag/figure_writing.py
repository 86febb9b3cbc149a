"""How a figure is written, as a native writer of Vietnamese or English puts it."""

from __future__ import annotations

import calendar
import re
from datetime import date
from decimal import Decimal
from fractions import Fraction

from rag.numerals import DIVIDE, EXACT, month_end, plain
from rag.schema import Figure, Language
from rag.units import BILLION, GROUPS, MILLION, NAMES, THOUSAND, TRILLION

_COUNTS_EN = (
    "one two three four five six seven eight nine ten eleven".split()
)  # twelve months are a year
_MONTHS_EN = tuple(calendar.month_name)


def format(figure: Figure, language: Language) -> str:
    """The figure as a native writer puts it, exact: `608,5 tỷ đồng`, `VND 608.5 billion`.

    `parse(format(f, language), language=language) == f` for every figure that `find` returns.
    The hedge is not written, since the figure does not keep which it was. Raises `ValueError`
    for a unit outside the vocabulary and for bounds that no reading gives.
    """
    if figure.value is None and (
        figure.low is None or figure.high is None or figure.low >= figure.high
    ):
        raise ValueError(f"a figure needs a value or ascending bounds: {figure!r}")
    if figure.unit == "date":
        return _write_dates(figure, language)
    if figure.unit == "period":
        return _write_period(figure, language)
    if figure.unit == "ratio":
        return _write_ratio(figure)
    return _write_quantity(figure, language)


def _write_ratio(figure: Figure) -> str:
    value = figure.value
    if value is None or value < 0:
        raise ValueError(f"a ratio has one value of 0 or more: {figure!r}")
    printed = re.fullmatch(r"([0-9]+)/([0-9]+)", figure.text)
    if printed and int(printed[2]):
        part, whole = int(printed[1]), int(printed[2])
        if part <= whole and plain(DIVIDE.divide(Decimal(part), Decimal(whole))) == value:
            return f"{part}/{whole}"
    fraction = Fraction(value).limit_denominator(999_999)
    part, whole = fraction.numerator, fraction.denominator
    if plain(DIVIDE.divide(Decimal(part), Decimal(whole))) != value:
        raise ValueError(f"not a ratio of two numbers below a million: {figure!r}")
    times = 1
    while part > whole and part * times <= 31:  # 9/4 would be a day of April
        times += 1
    return f"{part * times}/{whole * times}"


def _digits(value: Decimal, language: Language, *, integral: bool = False) -> str:
    """Grouped by thousands, with the language's separators."""
    whole, _, fraction = f"{value:f}".partition(".")
    fraction = fraction.rstrip("0")
    if integral and len(fraction) == 3:
        fraction += "0"  # three decimals of a thing that comes whole would read as thousands
    grouped = f"{int(whole):,}"
    if value < 0 and not grouped.startswith("-"):
        grouped = "-" + grouped
    if language == "vi":
        grouped = grouped.replace(",", ".")
    if not fraction:
        return grouped
    return grouped + ("," if language == "vi" else ".") + fraction


def _places(value: Decimal) -> int:
    exponent = plain(value).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _scale_for(
    values: list[Decimal], language: Language, group: str, *, bare: bool
) -> tuple[Decimal, str]:
    """The largest scale that leaves every value short, and its word."""
    biggest = max(abs(value) for value in values)
    if language == "vi":
        scales = [(BILLION, "tỷ", 2), (MILLION, "triệu", 2)]
    else:
        scales = [(TRILLION, "trillion", 3), (BILLION, "billion", 3), (MILLION, "million", 3)]
    if language == "vi" and not bare and group != "percent" and biggest >= 10 * THOUSAND:
        scales.append((THOUSAND, "nghìn", 0))
    for scale, word, places in scales:
        scaled = [EXACT.divide(value, scale) for value in values]
        if biggest >= scale and all(_places(value) <= places for value in scaled):
            return scale, word
    return Decimal(1), ""


def _write_quantity(figure: Figure, language: Language) -> str:
    unit, *per = (figure.unit or "").split("/")
    group = "multiple" if unit == "times" else GROUPS.get(unit, "")
    if (unit and not group) or any(name not in NAMES for name in per):
        raise ValueError(f"unknown unit {figure.unit!r}: cannot be written")
    values = [value for value in (figure.value, figure.low, figure.high) if value is not None]
    scale, word = Decimal(1), ""
    if group not in ("percent", "multiple"):
        scale, word = _scale_for(values, language, group, bare=not unit)
    integral = scale == 1 and (group in ("count", "multiple") or unit == "VND")
    shown = [_digits(EXACT.divide(value, scale), language, integral=integral) for value in values]
    lead = ""
    if len(shown) == 1:
        number = shown[0]
    elif any(value < 0 for value in values):
        lead = "từ " if language == "vi" else "from "
        number = (" đến " if language == "vi" else " to ").join(shown)
    else:
        number = ("-" if language == "vi" else "–").join(shown)
    if word:
        number += " " + word
    if language == "vi":
        rate = "".join("/" + NAMES[name].vi for name in per)
        if group == "multiple":
            return f"{lead}gấp {number} lần" if not lead else f"gấp {number} lần"
        if group == "percent" and unit != "pp":
            return f"{lead}{number}{unit}{rate}"
        return f"{lead}{number} {NAMES[unit].vi}{rate}" if unit else lead + number
    rate = "".join("/" + name for name in per)
    if group == "multiple":
        return f"{lead}{number} times"
    if group == "percent" and unit != "pp":
        return f"{lead}{number}{unit}{rate}"
    if group == "money":
        if lead:
            return f"{lead}{number} {unit}{rate}"
        sign = "-" if number.startswith("-") else ""
        return f"{sign}{unit} {number.removeprefix('-')}{rate}"
    if not unit:
        return lead + number
    single = len(values) == 1 and abs(values[0]) == 1
    return f"{lead}{number} {unit if single else NAMES[unit].plural}{rate}"


def _split_day(value: Decimal) -> tuple[int | None, int, int]:
    """Year (None when not printed), month and day; raises ValueError when there is no such day."""
    number = int(value)
    year, month, day = number // 10000 or None, number // 100 % 100, number % 100
    if number != value or number < 0:
        raise ValueError(f"not a date: {value}")
    date(year or 2000, month, day)
    return year, month, day


def _write_day(value: Decimal, language: Language) -> str:
    year, month, day = _split_day(value)
    if language == "vi":
        return f"{day}/{month}/{year}" if year else f"ngày {day}/{month}"
    return f"{day} {_MONTHS_EN[month]}" + (f" {year}" if year else "")


def _write_dates(figure: Figure, language: Language) -> str:
    if figure.value is not None:
        return _write_day(figure.value, language)
    assert figure.low is not None
    assert figure.high is not None
    (year, month, day), (year2, month2, day2) = _split_day(figure.low), _split_day(figure.high)
    if (year is None) != (year2 is None):
        raise ValueError(f"one bound has a year, the other has none: {figure!r}")
    if language == "vi":
        if (year, month) == (year2, month2):
            return f"{day}-{day2}/{month}" + (f"/{year}" if year else "")
        low = f"{day}/{month}" + (f"/{year}" if year and year != year2 else "")
        high = f"{day2}/{month2}" + (f"/{year2}" if year2 else "")
        return f"từ ngày {low} đến ngày {high}"
    end = _write_day(figure.high, language)
    if (year, month) == (year2, month2):
        return f"{day}–{end}"
    start = f"{day} {_MONTHS_EN[month]}" + (f" {year}" if year and year != year2 else "")
    return f"{start} – {end}"


def _write_period(figure: Figure, language: Language) -> str:
    if figure.low is None or figure.high is None:
        raise ValueError(f"a period has bounds: {figure!r}")
    (year, month, day), (year2, month2, _) = _split_day(figure.low), _split_day(figure.high)
    if day != 1 or figure.high != month_end(year2, month2) or (year is None) != (year2 is None):
        raise ValueError(f"a period covers whole months: {figure!r}")
    vi = language == "vi"
    if (month, month2) == (1, 12) and year:
        if year == year2:
            return f"năm {year}" if vi else str(year)
        return f"{year}-{year2}" if vi else f"{year}–{year2}"
    if year != year2:
        if vi:
            return f"từ tháng {month}/{year} đến tháng {month2}/{year2}"
        return f"from {_MONTHS_EN[month]} {year} to {_MONTHS_EN[month2]} {year2}"
    of = f" of {year}" if year else ""
    count = month2 - month + 1
    if count == 1:
        if vi:
            return f"tháng {month}" + (f"/{year}" if year else "")
        return _MONTHS_EN[month] + (f" {year}" if year else "")
    if count == 3 and month % 3 == 1:
        if vi:
            return "quý " + ("I", "II", "III", "IV")[month // 3] + (f"/{year}" if year else "")
        return ("first", "second", "third", "fourth")[month // 3] + " quarter" + of
    if vi and (month == 1 or month2 == 12):
        side = "đầu" if month == 1 else "cuối"
        return f"{count} tháng {side} năm" + (f" {year}" if year else "")
    if not vi and month == 1:
        return f"first {_COUNTS_EN[count - 1] if count < 12 else 12} months" + of
    if not vi and month2 == 12:
        return f"last {_COUNTS_EN[count - 1]} months" + (of or " of the year")
    if vi:
        return f"từ tháng {month} đến tháng {month2}" + (f"/{year}" if year else "")
    return f"from {_MONTHS_EN[month]} to {_MONTHS_EN[month2]}" + (f" {year}" if year else "")
