"""Quantities, dates and periods as press releases print them, in Vietnamese and English.

`find` reads every figure of a text, `parse` reads a text that is one figure, `format` writes a
figure as a native writer would, `same` and `kind` compare. Pure functions over strings; the
callers are evidence, answer and the gold files of the evaluation.

How a figure is represented:

- A quantity has its `value` in base units (`608,5 tỷ đồng` is 608500000000 VND); a range has
  `low` and `high` instead. Units of measure are kept as printed, not converted (`km` stays `km`).
- A date has unit `date` and the value YYYYMMDD; without a year MMDD, so `ngày 19/6` is 619.
  A stretch of days (`6-8/7/2021`) has the same unit with `low` and `high`.
- A month, quarter, half, year or term has unit `period` and its first and last day as `low` and
  `high`, YYYYMMDD, or MMDD when no year is printed (`quý II` is 401 to 630).
- Day comes before month in `6/7/2021`, unless only the other order is a date.

Labels are recognised and left out: numbers of documents, articles, classes and congresses,
ordinals, names with digits (Covid-19, 5K), clock times, telephone numbers, addresses of the web,
list numbers at the start of a line, and `[1]` markers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from rag.figure_writing import format
from rag.numerals import (
    DIVIDE,
    EN_BIG,
    EN_SMALL,
    EXACT,
    FRACTION_PARTS,
    FRACTION_WORDS,
    NUMBER_VOCABULARY,
    NUMBER_WORDS,
    VI_AFTER_FIVE,
    VI_BIG,
    VI_DIGITS,
    en_number,
    month_end,
    plain,
    spelled,
    vi_number,
)
from rag.schema import Figure, Language
from rag.units import (
    ALIKE,
    EN_SCALES,
    GROUPS,
    LONGEST,
    NAMES,
    PER,
    SHORT_SCALES,
    SIGNS,
    SINGULAR,
    SYMBOLS,
    UNITS,
    VI_SCALES,
    Unit,
    unit_key,
)

__all__ = ["Kind", "find", "format", "kind", "numerator", "parse", "same", "spelled"]

Kind = Literal[
    "money",
    "percent",
    "count",
    "measure",
    "rate",
    "multiple",
    "ratio",
    "date",
    "period",
    "number",
]

# --- patterns -------------------------------------------------------------------------------

_FLAGS = re.IGNORECASE
_S = r"(?:[ \u00a0\t]{1,2}|[ ]?\n)"
_S0 = r"(?:[ \u00a0\t]{0,2}|[ ]?\n)"
_DASH = r"[-–]"
# Blanks stand on both sides of a dash or on neither; after a line break it starts a list item.
_RUN = rf"(?:[ \u00a0]{{1,2}}{_DASH}[ \u00a0]{{1,2}}|{_DASH}[ ]?)"
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])(?![0-9])"
_MONTH = r"(?:0?[1-9]|1[0-2])(?![0-9])"
_YEAR = r"(?:1[5-9]|2[01])[0-9]{2}(?![0-9])"
_END = r"(?!\w|[/.,][0-9]|-[0-9])"

_EN_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        1,
    )
    for name in names.split()
}
_VI_MONTHS = {
    "giêng": 1,
    "hai": 2,
    "ba": 3,
    "tư": 4,
    "năm": 5,
    "sáu": 6,
    "bảy": 7,
    "tám": 8,
    "chín": 9,
    "mười": 10,
    "mười một": 11,
    "mười hai": 12,
    "chạp": 12,
}
_FULL_MONTHS = [name for name in _EN_MONTHS if len(name) > 4 or name in ("may", "june", "july")]
_SHORT_MONTHS = [name for name in _EN_MONTHS if name not in _FULL_MONTHS]
# A full stop belongs to an abbreviation only.
_EN_MONTH = rf"(?:(?:{'|'.join(_FULL_MONTHS)})(?!\w)|(?:{'|'.join(_SHORT_MONTHS)})(?!\w)\.?)"
_VI_MONTH = "|".join(sorted(_VI_MONTHS, key=len, reverse=True))
_TO = rf"(?P<to>{_RUN}|{_S}(?:đến|tới|to|through|until|and|và){_S}(?:hết{_S})?)"
_VI_YEAR = rf"(?:(?:{_S0}/{_S0}|{_S0}-{_S0}|,?{_S}(?:của{_S})?năm{_S})(?P<y>{_YEAR}))?"
_EN_YEAR = rf"(?:(?:,?{_S}|{_S}of{_S}|/|{_DASH})(?P<y>{_YEAR}))?"
_EN_OF = (
    rf"(?:(?:{_S}(?:of|in){_S}(?:the{_S}year{_S})?|{_S0}/|{_S0}-|,?{_S0})(?P<y>{_YEAR})|"
    rf"{_S}of{_S}(?:the|this){_S}year)?"
)
_NTH = r"(?:st|nd|rd|th)?"
_COUNTING = (
    r"(?P<n>1[0-2]|0?[1-9]|một|hai|ba|bốn|năm|sáu|bảy|tám|chín|mười một|mười|"
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven)"
)
_NOT_MONTH = (
    rf"(?![0-9]|[.,][0-9]|{_S0}(?:%|(?:nghìn|ngàn|triệu|tỷ|tỉ|vạn|đồng|phần{_S}trăm)(?!\w)))"
)


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, _FLAGS)


# Tried in this order where a digit starts; each name is the shape that `_dates` reads.
_DIGIT_SHAPES = (
    ("day", _compile(rf"(?P<y>{_YEAR})-(?P<m>{_MONTH})-(?P<d>{_DAY}){_END}")),
    (
        "days",
        _compile(
            rf"(?P<d>{_DAY})/(?P<m>{_MONTH})(?:/(?P<y>{_YEAR}))?{_TO}(?:ngày{_S})?"
            rf"(?P<d2>{_DAY})/(?P<m2>{_MONTH})(?:(?:/|{_S}năm{_S})(?P<y2>{_YEAR}))?{_END}"
        ),
    ),
    (
        "days",
        _compile(
            rf"(?P<d>{_DAY}){_TO}(?:ngày{_S})?"
            rf"(?P<d2>{_DAY})/(?P<m2>{_MONTH})(?:(?:/|{_S}năm{_S})(?P<y2>{_YEAR}))?{_END}"
        ),
    ),
    (
        "days",
        _compile(
            rf"(?P<d>{_DAY}){_TO}(?:ngày{_S})?(?P<d2>{_DAY}){_S}tháng{_S}(?P<m2>{_MONTH})"
            rf"(?:(?:/|,?{_S}năm{_S})(?P<y2>{_YEAR}))?{_END}"
        ),
    ),
    (
        "days",
        _compile(
            rf"(?P<d>{_DAY}){_S}tháng{_S}(?P<m>{_MONTH})(?:(?:/|,?{_S}năm{_S})(?P<y>{_YEAR}))?"
            rf"{_TO}(?:ngày{_S})?(?P<d2>{_DAY}){_S}tháng{_S}(?P<m2>{_MONTH})"
            rf"(?:(?:/|,?{_S}năm{_S})(?P<y2>{_YEAR}))?{_END}"
        ),
    ),
    (
        "day",
        _compile(
            rf"(?P<d>[0-9]{{1,2}})(?P<sep>[/.-])(?P<m>[0-9]{{1,2}})(?P=sep)(?P<y>{_YEAR}){_END}"
        ),
    ),
    (
        "day",
        _compile(
            rf"(?P<d>{_DAY}){_S}tháng{_S}(?P<m>{_MONTH})(?:(?:/|,?{_S}năm{_S})(?P<y>{_YEAR}))?{_END}"
        ),
    ),
    (
        "days",
        _compile(
            rf"(?P<d>{_DAY}){_NTH}(?:{_S}(?P<m>{_EN_MONTH})(?:,?{_S}(?P<y>{_YEAR}))?)?{_TO}"
            rf"(?:the{_S})?(?P<d2>{_DAY}){_NTH}{_S}(?:of{_S})?(?P<m2>{_EN_MONTH})"
            rf"(?:,?{_S}(?P<y2>{_YEAR}))?(?!\w)"
        ),
    ),
    (
        "day",
        _compile(
            rf"(?P<d>{_DAY}){_NTH}{_S}(?:of{_S})?(?P<m>{_EN_MONTH})(?:,?{_S}(?P<y>{_YEAR}))?(?!\w)"
        ),
    ),
    ("short day", _compile(rf"(?P<d>{_DAY})/(?P<m>{_MONTH})(?:{_S}năm{_S}(?P<y>{_YEAR}))?{_END}")),
    ("month", _compile(rf"(?P<m>{_MONTH})/(?P<y>{_YEAR}){_END}")),
    (
        "years",
        _compile(rf"(?P<y>{_YEAR}){_TO}(?:năm{_S})?(?P<y2>{_YEAR}){_END}"),
    ),
    ("years", _compile(rf"(?P<y>{_YEAR})[/–-](?P<y2>[0-9]{{2}}){_END}")),
    (
        "first months",
        _compile(
            rf"{_COUNTING}{_S}tháng{_S}(?P<side>đầu|cuối){_S}(?:của{_S})?năm(?!{_S}học)"
            rf"(?:{_S}(?P<y>{_YEAR}))?(?!\w)"
        ),
    ),
    ("first months", _compile(rf"{_COUNTING}{_S}tháng{_S}(?:của{_S})?năm{_S}(?P<y>{_YEAR}){_END}")),
    ("first months", _compile(rf"{_COUNTING}{_S}months{_S}of{_S}(?P<y>{_YEAR}){_END}")),
    ("first months", _compile(rf"(?P<n>1[0-2]|[1-9])M{_S0}(?P<y>{_YEAR}){_END}")),
    ("quarter", _compile(rf"(?P<q>[1-4])Q{_S0}(?P<y>{_YEAR}){_END}")),
    ("half", _compile(rf"(?P<h>[12])H{_S0}(?P<y>{_YEAR}){_END}")),
    ("quarter", _compile(rf"(?P<q>1st|2nd|3rd|4th)[ -]quarter{_EN_OF}(?!\w)")),
    ("half", _compile(rf"(?P<h>1st|2nd)[ -]half{_EN_OF}(?!\w)")),
)

# The words that may start a shape, the shape, its pattern.
_WORD_SHAPES = (
    (
        "từ tháng",
        "months",
        _compile(
            rf"(?:từ{_S})?tháng{_S}(?P<m>{_MONTH})(?:/(?P<y>{_YEAR}))?{_TO}(?:tháng{_S})?"
            rf"(?P<m2>{_MONTH})(?:/|{_S}năm{_S})(?P<y2>{_YEAR}){_END}"
        ),
    ),
    (
        "từ tháng",
        "months",
        _compile(
            rf"(?:từ{_S})?tháng{_S}(?P<m>{_MONTH}){_TO}tháng{_S}(?P<m2>{_MONTH}){_NOT_MONTH}{_END}"
        ),
    ),
    (
        "tháng",
        "months",
        _compile(rf"tháng{_S}(?P<m>{_MONTH})(?P<to>{_DASH})(?P<m2>{_MONTH}){_NOT_MONTH}{_END}"),
    ),
    ("tháng", "month", _compile(rf"tháng{_S}(?P<m>{_MONTH}){_NOT_MONTH}{_VI_YEAR}{_END}")),
    ("tháng", "month", _compile(rf"tháng{_S}(?P<m>{_VI_MONTH})(?!\w){_NOT_MONTH}{_VI_YEAR}(?!\w)")),
    (
        "quý",
        "quarter",
        _compile(rf"quý{_S}(?P<q>IV|I{{1,3}}|[1-4])(?!\w){_NOT_MONTH}{_VI_YEAR}{_END}"),
    ),
    (
        "nửa",
        "half",
        _compile(
            rf"nửa{_S}(?P<h>đầu|cuối|sau){_S}(?:của{_S})?năm(?!{_S}học)(?:{_S}(?P<y>{_YEAR}))?(?!\w)"
        ),
    ),
    (
        "một hai ba bốn năm sáu bảy tám chín mười",
        "first months",
        _compile(
            rf"{_COUNTING}{_S}tháng{_S}(?P<side>đầu|cuối){_S}(?:của{_S})?năm(?!{_S}học)"
            rf"(?:{_S}(?P<y>{_YEAR}))?(?!\w)"
        ),
    ),
    (
        "năm nhiệm giai niên từ from between fiscal school academic fy",
        "years",
        _compile(
            rf"(?:năm{_S}học|nhiệm{_S}kỳ|giai{_S}đoạn|niên{_S}khóa|niên{_S}vụ|năm|từ{_S}năm|"
            rf"from|between|fiscal{_S}years?|school{_S}years?|academic{_S}years?|FY){_S0}"
            rf"(?P<y>{_YEAR}){_TO}(?:năm{_S})?(?P<y2>{_YEAR}){_END}"
        ),
    ),
    (
        "năm nhiệm giai fiscal school academic fy",
        "years",
        _compile(
            rf"(?:năm{_S}học|năm{_S}tài{_S}(?:chính|khóa)|năm|nhiệm{_S}kỳ|giai{_S}đoạn|"
            rf"fiscal{_S}year|school{_S}year|academic{_S}year|FY){_S0}(?P<y>{_YEAR})[/–-]"
            rf"(?P<y2>[0-9]{{2}}){_END}"
        ),
    ),
    (
        "năm fiscal fy",
        "years",
        _compile(rf"(?:năm|fiscal{_S}year|FY){_S0}(?P<y>{_YEAR})(?!\w|[/.,][0-9]|-[0-9]{{3}}|%)"),
    ),
    ("q", "quarter", _compile(rf"Q(?P<q>[1-4])(?!\w){_EN_OF}(?!\w)")),
    ("h", "half", _compile(rf"H(?P<h>[12])(?!\w){_EN_OF}(?!\w)")),
    (
        "first second third fourth final last",
        "quarter",
        _compile(rf"(?P<q>first|second|third|fourth|final|last)[ \n-]quarter{_EN_OF}(?!\w)"),
    ),
    ("first second", "half", _compile(rf"(?P<h>first|second)[ \n-]half{_EN_OF}(?!\w)")),
    (
        "first",
        "first months",
        _compile(rf"(?P<side>first){_S}{_COUNTING}[ \n-]months?{_EN_OF}(?!\w)"),
    ),
    (
        "one two three four five six seven eight nine ten eleven",
        "first months",
        _compile(rf"{_COUNTING}{_S}months{_S}of{_S}(?P<y>{_YEAR}){_END}"),
    ),
    (
        "last final",
        "first months",
        _compile(
            rf"(?P<side>last|final){_S}{_COUNTING}[ \n-]months?{_S}of{_S}"
            rf"(?:(?P<y>{_YEAR})|(?:the|this){_S}year)(?!\w)"
        ),
    ),
    (
        "from between " + " ".join(_EN_MONTHS),
        "months",
        _compile(
            rf"(?:from{_S}|between{_S})?(?P<m>{_EN_MONTH})(?:{_S}(?P<y>{_YEAR}))?{_TO}"
            rf"(?P<m2>{_EN_MONTH})(?:,?{_S}(?P<y2>{_YEAR}){_END}|(?!\w|{_S}[0-9]))"
        ),
    ),
    (
        " ".join(_EN_MONTHS),
        "days",
        _compile(
            rf"(?P<m>{_EN_MONTH}){_S}(?P<d>{_DAY}){_NTH}{_TO}(?P<d2>{_DAY}){_NTH}"
            rf"(?!\w|[.,%][0-9]|%)(?:,?{_S}(?P<y2>{_YEAR}))?(?!\w)"
        ),
    ),
    (
        " ".join(_EN_MONTHS),
        "day",
        _compile(
            rf"(?P<m>{_EN_MONTH}){_S}(?P<d>{_DAY}){_NTH}(?!\w|[.,%][0-9]|%)"
            rf"(?:,?{_S}(?P<y>{_YEAR}))?(?!\w)"
        ),
    ),
    (" ".join(_EN_MONTHS), "month", _compile(rf"(?P<m>{_EN_MONTH}){_EN_YEAR}(?!\w)")),
)


def _by_first_word() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    shapes: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for words, shape, pattern in _WORD_SHAPES:
        for word in words.split():
            shapes.setdefault(word, []).append((shape, pattern))
    return shapes


_SHAPES_OF = _by_first_word()

_NUMERAL = re.compile(
    r"[0-9]{1,3}(?:\u00a0[0-9]{3})+(?![0-9])(?:[.,][0-9]+)?|[0-9]+(?:[.,][0-9]+)*"
)
_SPACED = re.compile(r"[0-9]{1,3}(?: [0-9]{3})+(?![0-9])(?:[.,][0-9]{1,2}(?![0-9]))?")
_SCALE_WORDS = "|".join(sorted([*VI_SCALES, *EN_SCALES], key=len, reverse=True))
_SCALE = _compile(
    rf"(?:{_S0}|-)(?P<scale>{_SCALE_WORDS})"
    # "15 tỷ lệ" is no amount; "15 nghìn suất quà" is one.
    rf"(?!\w)(?!(?<=t[ỷỉ]){_S}(?:lệ|trọng|suất|giá)(?!\w))"
)
_SHORT_SCALE = _compile(rf"{_S0}(?P<scale>k|m|b|tr|t)(?![\w²³/])")
_SPACE = re.compile(_S)
_POINT = re.compile(r"\.[0-9]+")
_TIED = re.compile(r"[-–][0-9]")
"""Behind a number, where the two are no range: a score (20-18) or a code."""
_WHOLE = re.compile(r"[0-9]+|[0-9]{1,3}(?:[.,\u00a0 ][0-9]{3})+")
_MORE = re.compile(rf"{_S}([0-9]{{1,6}})(?![0-9.,/])")
_HALF = _compile(rf"{_S}rưỡi(?!\w)")
_CURRENCY = _compile(
    r"(?P<sign>-)?(?P<name>(?:US|AU?|S|HK|CAD?|C|NZ|NT|R|MX)\$|CN¥|"
    rf"[{SYMBOLS}]|Rs\.?|R[Mp]\.?|"
    # South Africa's rand: an R alone also names roads and ratios.
    rf"(?-i:R)(?=[0-9][0-9.,]*(?:{_S}(?:million|billion|trillion)|bn|m)(?!\w)|"
    rf"[0-9]+\.[0-9]{{2}}(?:{_S}(?:per|an?)(?!\w)|/)|[0-9]{{1,3}}(?:,[0-9]{{3}})+(?![0-9]))|"
    rf"(?:VNĐ|RMB|{'|'.join(name for name in GROUPS if GROUPS[name] == 'money')})(?![^\W\d_]))"
    rf"{_S0}(?P<more>[$€£¥₹₫](?=[0-9]))?(?=-?[0-9])"
)
_UNIT_TOKEN = re.compile(
    r"(?:[kcdm]?m|sq)[23²³](?![0-9])|[^\W\d_]+(?:['’][^\W\d_]+)*[²³]?|"
    r"%(?: (?:points?)(?!\w))?|[‰₫€$£]|°\s?[CF](?!\w)"
)
_UNIT_GAP = re.compile(r"[ \u00a0]|,[ ]|[ ]?\n|-")
_FIRST_GAP = re.compile(r"-(?=[^\W\d_])|[ ]?\n|[ \u00a0]{0,2}")
_RATE = _compile(
    rf"{_S0}/{_S0}|{_S}(?P<word>per|mỗi|một|a|an|each){_S}|{_S}(?=per{_S}capita|đầu{_S}người)"
)
_AGO = _compile(rf"{_S}(?:ago|earlier|before|later|previously|on(?=[ ,.;])|trước|sau)(?!\w)")
_CAPITA = _compile(rf"per{_S}capita(?!\w)|đầu{_S}người(?!\w)|head(?!\w)|capita(?!\w)")
_ADJECTIVE = _compile(
    r"[ ](?:new|newly|additional|more|other|extra|further|foreign|local|public|private|confirmed|"
    r"active|different|major|key|small|large|registered|state|domestic|international|urban|rural|"
    r"national|provincial|social|industrial|full-time|primary|secondary|unemployed|poor)(?=[ ])"
)
_CONNECT = _compile(
    rf"(?P<dash>{_RUN})(?=[0-9$€£])|{_S}(?P<to>đến|tới|to)"
    rf"(?:{_S}(?:khoảng|gần|hơn|about|around|nearly))?{_S}|{_S}(?P<and>and|và){_S}"
)
_HEDGE_WORDS = (
    "hơn|gần|khoảng|ước|ước đạt|ước tính|ước tính đạt|ước tăng|ước giảm|ước khoảng|ước thực hiện|"
    "trên|dưới|xấp xỉ|chừng|ngót|độ khoảng|trên dưới|không dưới|ít nhất|tối thiểu|tối đa|"
    "dự kiến đạt|dự kiến khoảng|đạt khoảng|đạt trên|đạt gần|"
    "about|over|more than|nearly|almost|around|approximately|approx.|roughly|some|estimated|"
    "an estimated|estimated at|close to|under|less than|fewer than|below|above|in excess of|"
    "at least|at most|up to|circa|just over|just under|well over|upwards of|~|≈"
)
_HEDGE = (
    r"(?:"
    + "|".join(
        re.escape(word).replace(r"\ ", _S)
        for word in sorted(_HEDGE_WORDS.split("|"), key=len, reverse=True)
    )
    + r")"
)
_HEDGE_BEFORE = _compile(rf"(?<!\w){_HEDGE}{_S0}(?:the{_S})?$")
_COMPARED = _compile(
    rf"(?:cao|thấp|nhiều|ít|lớn|nhỏ|nhanh|chậm|kém|tốt|dài|ngắn|rộng|đông|sâu|nặng|nhẹ|mạnh|rẻ|đắt){_S}hơn{_S0}$"
)
_OVER = _compile(rf"(?<!\w)over{_S0}(?:the{_S})?$")  # "over three years" is no hedge
_HEDGE_AFTER = _compile(rf"{_S}(?:trở{_S}lên|or{_S}more|or{_S}so|and{_S}above)(?!\w)")
_LEADING = _compile(
    rf"(?:(?:{_HEDGE}|ngày|vào|trong|từ|between|from|in|on|by|the|giá|đạt|gồm|có){_S0})*"
)
_CHANGED = (
    r"(?<!\w)(?:rises?|rose|risen|rising|increas\w+|grew|grown|growing|fell|falls?|fallen|falling|"
    r"declin\w+|decreas\w+|dropp?\w*|up|down|chang\w+|went|goes|moved|climb(?:s|ed|ing)?|"
    r"jump(?:s|ed|ing)?|cuts?|cutting|reduc(?:es?|ed|ing)|rais(?:es?|ed|ing)|"
    r"improv(?:es?|ed|ing)|lift(?:s|ed|ing)?|lower(?:s|ed|ing)|revised|corrected|amended|restated|"
    r"eas(?:es?|ed|ing)|edg(?:es?|ed|ing)|shorten(?:s|ed|ing)?|extend(?:s|ed|ing)?|"
    r"expand(?:s|ed|ing)?|narrow(?:s|ed|ing)|widen(?:s|ed|ing)?|lengthen(?:s|ed|ing)?|"
    r"slow(?:s|ed|ing)|quicken(?:s|ed|ing)?|doubl(?:es|ed|ing)|halv(?:es?|ed|ing)|"
    r"tripl(?:es|ed|ing)|soar(?:s|ed|ing)?|surg(?:es|ed|ing)|swell(?:s|ed|ing)?|shr[aiu]nk|"
    r"slip(?:s|ped|ping)|slid|boost(?:s|ed|ing)?)(?!\w)"
)
_CHANGE = _compile(rf"{_CHANGED}(?:[^.;\n\f]|\.\d){{0,30}}(?<!\w)from{_S}$")
_ANY = r"(?:[^.\n\f]|\.(?=[0-9]))"
_CHANGE_GOES_ON = _compile(
    rf"{_CHANGED}{_ANY}{{0,30}}(?<!\w)from{_S}{_ANY}{{1,40}}(?<!\w)to{_S}{_ANY}{{1,90}}(?<!\w)from{_S}$"
)
"""A change told without its verb: "it rises from £4 to £5, the other from £6 to £7"."""
_STEP = _compile(rf"{_CHANGED}[^.;\n\f]{{0,30}}(?<!\w)by{_S}$")
_PENCE = re.compile(rf"{_S0}(?:pence|penny)\b|p\b")
_HUNDREDTH = Decimal("0.01")
_FAR = 5
"""The ratio of two amounts from which they are no range behind "by"."""
_COMPARE_BEFORE = _compile(
    rf"(?<!\w)(?:gấp|tăng|giảm|hơn|bằng|kém|gấp{_S}khoảng|gấp{_S}hơn|gấp{_S}gần|tăng{_S}gấp){_S}"
    rf"(?:{_HEDGE}{_S})?$"
)
_COMPARE_AFTER = _compile(rf"{_S}(?:so{_S}với|cùng{_S}kỳ|mức{_S}|năm{_S}(?:trước|ngoái))")
_MULTIPLE = _compile(
    rf"(?P<vi>gấp{_S}(?P<word>đôi|rưỡi|hai|ba|bốn|năm|sáu|bảy|tám|chín|mười)(?:{_S}lần)?)(?!\w)|"
    r"(?P<en>twice|thrice|(?:two|three|four|five|six|seven|eight|nine|ten)-?fold)(?!\w)|"
    rf"(?P<verb>double|triple|quadruple)(?={_S}(?:the|that|those|last|what|its|their)(?!\w))"
)
_GAP_TIMES = _compile(rf"gấp{_S}(?:{_HEDGE}{_S})?")
_FOLD = _compile(r"-?fold(?!\w)")
_TIMES = _compile(rf"{_S0}(?P<word>lần|times)(?!\w)|(?P<x>x)(?!\w)")
_NAMED_DAY = _compile(rf"{_S}(?:[0-9]{{1,2}}/[0-9]|[0-9]{{1,2}}{_S}tháng(?!\w))")
_TIMES_EVENTS = _compile(
    rf"{_S}(?:a|an|per|each|every|in|during|since|between|this|on|before)(?!\w)"
)
_FRACTION = _compile(
    rf"[^\W\d_]+(?:{_S}phần{_S}(?P<vi>hai|ba|tư|bốn|năm|mười)(?!\w)(?!{_S}(?:trăm|mươi))|"
    rf"[ -](?P<en>thirds?|fifths?|tenths?|(?:quarters?)(?={_S}of{_S}(?:the|all|a)(?!\w)))(?!\w))"
)
_OUT_OF = _compile(rf"{_S}out{_S}of{_S}(?P<all>[0-9]+)(?![0-9]|[.,][0-9])")
_RATIO = re.compile(r"(?P<part>[0-9]{1,9})/(?P<all>[0-9]{1,9})(?![\w/]|[.,][0-9])")

# Labels: what looks like a figure and is not.
_WEB = re.compile(
    r"https?://\S+|www\.\S+|(?<![\w.+-])[\w.+-]{1,64}@[\w.-]{1,99}|"
    r"(?<![\w@.-])[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.(?:vn|com|net|org|gov|edu|info)(?!\w)(?:/\S*)?",
    _FLAGS,
)
_LIST_NUMBER = re.compile(
    r"[0-9]{1,2}(?:\.[0-9]{1,2}){0,3}(?:[.)][ \u00a0\t]+|[ ]?[-–][ \u00a0]+(?=\D))|"
    r"[0-9]{1,2}(?:\.[0-9]{1,2}){1,3}[ \u00a0\t]+(?=[A-ZĐÀ-Ỹ])"
)
_ROW = re.compile(r"^(?P<row>.* \| .*)\n", re.M)
_LINE_START = re.compile(r"(?:^|[\n\f])[ \u00a0\t#*>|-]*\(?$")
_NOT_FIGURE = re.compile(
    r"(?:\+84|0)[0-9]{1,3}[ .-]?[0-9]{3,4}[ .-]?[0-9]{3,4}(?![0-9])"
    r"|0[0-9]{1,3}\)[ .-]?[0-9]{3,4}[ .-]?[0-9]{3,4}(?![0-9])"
    r"|84[ -](?=[235789](?:[ .)-]?[0-9]){8})[0-9]{1,3}\)?[ .-]?[0-9]{3,4}[ .-]?[0-9]{3,4}(?![0-9])"
    r"|1[89]00[ .-]?[0-9]{4,6}(?![0-9])"
    r"|[0-9]+(?:/[0-9]{4})?[ ]?/(?:[A-ZĐ]{2,}[\w.-]*)"
    r"|[0-9]+:[0-9]+(?::[0-9]+)?(?:[ ]?[aApP]\.?[mM]\b\.?)?"
    r"|[0-9]{1,2}(?:[.][0-9]{2})?[ ]?[aApP](?:m|M|\.m\.)(?!\w)"
    r"|[0-9]{1,2}[hH][0-9]{2}(?![0-9])"
    r"|[0-9]{1,2} giờ [0-9]{1,2}(?: phút)?(?![.,]?[0-9])"
    r"|[0-9]{1,2}(?: giờ|[hH]) (?=sáng|chiều|tối|trưa|ngày)"
    r"|[0-9]{1,3}(?:st|nd|rd|th)\b(?![ -](?:quarter|half))"
    r"|[0-9]{4}s\b"
    r"|24/(?:7|24)(?![0-9/])"
)
_MARKER = re.compile(r"\[[0-9]+(?:[,; –-]+[0-9]+)*\]")
_CODE = re.compile(r"[0-9]+(?:[./-][\w-]+)*[a-zA-Z]?(?!\w)")
_LABEL_NUMBER = _compile(
    rf"{_S}(?:số|no\.?|nos\.?|number){_S0}:?{_S0}(?=[0-9])|{_S}(?=[0-9])|\.{_S0}(?=[0-9])"
)
_STRONG = frozenset(
    "thứ điều lớp lộ QL TL article rule covid H5N1 sars ngõ ngách hẻm".casefold().split()
)
_MEDIUM = frozenset(
    "số no nos number quyết định thị tư văn thoại khóa khoá resolution decree decision directive "
    "circular tel phone fax hotline boeing airbus version".split()
)
# The second syllable of a label and the first ones that make it one.
_COMPOUND = {
    "quyết": "nghị",
    "định": "nghị quyết",
    "thị": "chỉ",
    "án": "dự đề",
    "tư": "thông",
    "văn": "công",
    "thoại": "điện",
    "lục": "phụ",
    "trình": "chương",
    "đoạn": "giai",
    "hình": "",
    "độ": "cấp mức",
    "đai": "vành",
    "phố": "khu",
    "lộ": "quốc tỉnh đại hương",
}
_COUNTED = _compile(rf"(?<!\w)(?:con|tổng|trong|trên){_S}$")
_PREVIOUS = re.compile(r"([^\W\d_]+)[ \u00a0\n]$")
_WEAK = frozenset(
    "khoản điểm mục chương phần lục bảng trang section clause chapter annex appendix table "
    "figure page paragraph part schedule item phase step level grade class room route highway "
    "khối đường đai tổ phố ấp kỳ đợt tuyến hạng nhóm loại đoạn lô phòng tầng tòa bậc độ quận "
    "phường trình án thôn ngày group type batch ward district wave day week zone line category "
    "tier vòng round gate terminal law notice order dispatch".split()
)
_ORDINAL = _compile(rf"thứ{_S}(?:nhất|nhì|hai|ba|tư|năm|sáu|bảy|tám|chín|mười|[0-9IVX]+)(?!\w)")

# --- numbers in words -----------------------------------------------------------------------

_WORD = re.compile(r"[^\W\d_]+")
_WORD_GAP = re.compile(r"[ \u00a0]|[ ]?\n|-(?=[^\W\d_])")
_NOT_FIVE = _compile(
    r"(?<!\w)(?:trong|mỗi|hàng|hằng|cả|đầu|cuối|giữa|hết|cùng|của|một|nửa|nhiều|các|từng|những|"
    r"qua|lại|theo|hai|ba|bốn|[0-9]+)[ \u00a0]$"
)

# --- reading --------------------------------------------------------------------------------

_MOST_DIGITS = 36
_LIMIT = Decimal(10) ** 24
_FINEST = -12

_TIMES_UNIT = Unit("times", "multiple", None)
_OCCURRENCE = Unit("occurrence", "count", None)
_CALENDAR_WORDS = {"từ", "from", "between", "ngày", "mùng", "mồng"}
_TOKEN = re.compile(
    r"(?<!\w)(?<!\w[-–./])(?<![0-9],)(?:(?P<digit>[0-9])|(?P<word>[^\W\d_]+)"
    rf"|(?P<symbol>[{SYMBOLS}](?=-?[ \u00a0$€£¥₹₫]?[0-9])|-(?=[0-9{SYMBOLS}A-Z])|\[(?=[0-9])"
    r"|(?<!\.)\.(?=[0-9])))"
)
_CURRENCY_WORDS = {
    *(sign.rstrip("$¥.") for sign in SIGNS if sign[0].isalpha()),
    *(name.casefold() for name in GROUPS if GROUPS[name] == "money"),
}
_MULTIPLES = {
    "đôi": "2",
    "rưỡi": "1.5",
    "mười": "10",
    **{word: str(value) for word, value in VI_DIGITS.items()},
    "twice": "2",
    "thrice": "3",
    "double": "2",
    "triple": "3",
    "quadruple": "4",
    **{word: str(value) for word, value in EN_SMALL.items()},
}
_ORDINALS = {
    "i": 1,
    "ii": 2,
    "iii": 3,
    "iv": 4,
    "1": 1,
    "2": 2,
    "3": 3,
    "4": 4,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
    "4th": 4,
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "final": 4,
    "last": 4,
    "đầu": 1,
    "cuối": 2,
    "sau": 2,
}
_MONTH_CONTEXT = _compile(
    rf"(?<!\w)(?:in|of|by|since|until|from|to|during|for|this|last|next|early|late|mid|through|"
    rf"before|after|between|and|end|over|compared{_S}(?:with|to)|versus|against|than|vs\.?){_S}$"
)
_MONTH_GOES_ON = re.compile(
    r"(?:['’]s)? (?:the )?(?:\w+ )?(?:exports?|imports?|figures?|rates?|prices?|sales|output|index|"
    r"revenues?|spending|growth|inflation|unemployment|production|data|results?|totals?|cases|"
    r"deaths|arrivals|visitors|trade|turnover|level|quarter|deficit|surplus|CPI|IIP)\b"
)
"""Behind a month's name: "June exports", "March's unemployment rate"."""
_EN_WORDS = frozenset(
    "the of and in to for with from by on at was were is are has have had this that its it as an "
    "than been will which year people million billion thousand percent".split()
)
_VI_LETTER = re.compile(
    r"[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]", _FLAGS
)
_SEEN_COMMA = re.compile(r"[0-9],[0-9]{1,2}(?![0-9])|[0-9]\.[0-9]{3}\.[0-9]{3}(?![0-9])")
_SEEN_POINT = re.compile(r"[0-9]\.[0-9]{1,2}(?![0-9.])|[0-9],[0-9]{3},[0-9]{3}(?![0-9])")
_CHARACTERS = {
    **{0xFF10 + digit: 0x30 + digit for digit in range(10)},
    **dict.fromkeys((0x202F, 0x2009, 0x2007), 0xA0),
    **dict.fromkeys((0x2212, 0x2010, 0x2011, 0xFF0D), ord("-")),
    **dict.fromkeys((0x2014, 0x2012), ord("–")),
    0xFF05: ord("%"),
    0xFF0C: ord(","),
    0xFF0E: ord("."),
    0xFF0F: ord("/"),
    # Letters that `re.IGNORECASE` takes for ASCII ones although case folding does not.
    0x130: ord("I"),
    0x131: ord("i"),
    0x17F: ord("s"),
    0x212A: ord("K"),
}


@dataclass(frozen=True, slots=True)
class _Quantity:
    """A number with what is attached to it, before its separators are decided."""

    start: int
    end: int
    parts: tuple[tuple[str | Decimal, Decimal], ...]
    """Numeral as printed (or its value when spelled out) and scale."""
    negative: bool = False
    unit: Unit | None = None
    per: tuple[str, ...] = ()
    scaled: bool = False
    prefixed: bool = False
    """The currency stands before the number."""
    language: Language | None = None
    """Of the scale or unit words."""
    lone: bool = False
    """A number word with nothing attached: no figure, unless it opens a range."""

    @property
    def bare(self) -> bool:
        return self.unit is None and not self.scaled

    @property
    def unit_name(self) -> str | None:
        return "/".join((self.unit.name, *self.per)) if self.unit else None


class _Found(NamedTuple):
    start: int
    end: int
    unit: str | None
    value: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    approximate: bool = False


class _Step(NamedTuple):
    """Where to read on, and the figure that was read (None: a label, or nothing)."""

    end: int
    found: _Found | None = None


def _numeral(raw: str, language: Language | None, *, integral: bool) -> Decimal | None:
    """The value of a numeral; `language` None means no evidence, which reads a group of three."""
    digits = raw.replace("\u00a0", "").replace(" ", "")
    if len(digits) > _MOST_DIGITS:
        return None
    marks = [char for char in digits if char in ".,"]
    if not marks:
        return Decimal(digits)
    groups = re.split(r"[.,]", digits)
    thousands = 1 <= len(groups[0]) <= 3 and groups[0] != "0"
    if len(set(marks)) == 2:
        grouped = thousands and all(len(group) == 3 for group in groups[1:-1])
        if len(set(marks[:-1])) != 1 or marks[-1] in marks[:-1] or not grouped:
            indian = len(set(marks[:-1])) == 1 and _indian(groups[:-1], marks[0])
            if marks[-1] in marks[:-1] or not indian:
                return None
        return Decimal("".join(groups[:-1]) + "." + groups[-1])
    if len(marks) > 1:
        if (thousands and all(len(group) == 3 for group in groups[1:])) or _indian(
            groups, marks[0]
        ):
            return Decimal("".join(groups))
        return None
    if len(groups[1]) == 3 and thousands and len(raw) == len(digits):
        point = "," if language == "vi" else "."
        whole = integral or language is None or groups[1] == "000"
        if whole or marks[0] != point:
            return Decimal("".join(groups))
    return Decimal(groups[0] + "." + groups[1])


def _indian(groups: list[str], mark: str) -> bool:
    """Groups of lakh and crore: 1,23,456."""
    return (
        mark == ","
        and len(groups) > 2
        and 1 <= len(groups[0]) <= 2
        and all(len(group) == 2 for group in groups[1:-1])
        and len(groups[-1]) == 3
    )


def _day_value(year: int | None, month: int, day: int) -> Decimal | None:
    """YYYYMMDD, or MMDD without a year; None when there is no such day."""
    try:
        date(year or 2000, month, day)
    except ValueError:
        return None
    return Decimal((year or 0) * 10000 + month * 100 + day)


def _month_start(year: int | None, month: int) -> Decimal:
    return Decimal((year or 0) * 10000 + month * 100 + 1)


def _month_number(text: str) -> int:
    if text.isdigit():
        return int(text)
    word = " ".join(text.casefold().rstrip(".").split())
    return _VI_MONTHS.get(word) or _EN_MONTHS.get(word, 0)


class _Reader:
    """One reading of one text (already through `_CHARACTERS`, NFC)."""

    def __init__(self, text: str, language: Language | None, *, whole: bool = False) -> None:
        self.text = text
        self.language = language
        self.whole = whole
        self.web: list[tuple[int, int]] = []
        if "." in text and ("@" in text or "/" in text or re.search(r"\w\.[a-z]{2}", text)):
            self.web = [match.span() for match in _WEB.finditer(text)]

    def read(self) -> Iterator[_Found]:
        at = 0
        web = iter(self.web)
        barrier = next(web, None)
        while match := _TOKEN.search(self.text, at):
            start = match.start()
            while barrier and barrier[1] <= start:
                barrier = next(web, None)
            if barrier and barrier[0] <= start:
                at = barrier[1]
                continue
            if match.lastgroup == "word":
                word = match[0].casefold()
                if word not in _LEADS and not word.endswith("fold"):
                    at = match.end()
                    continue
                step = self._at_word(start, match.end(), word)
            elif match.lastgroup == "digit":
                step = self._at_digit(start)
            elif self.text[start] == "[":
                marker = _MARKER.match(self.text, start)
                step = _Step(marker.end() if marker else start + 1)
            else:
                step = self._at_symbol(start)
            if step.found:
                yield self._hedged(step.found)
            at = max(step.end, start + 1)

    # -- where a figure may start

    def _at_word(self, start: int, end: int, word: str) -> _Step:
        text = self.text
        if word in _CURRENCY_WORDS and _CURRENCY.match(text, start):
            step = self._measure(start)
            if step:
                return step
        if word in _EN_MONTHS and not text[start].isupper():
            return _Step(end)
        if word in _SHAPES_OF:
            for shape, pattern in _SHAPES_OF[word]:
                match = pattern.match(text, start)
                found = self._dates(shape, match) if match else None
                if found:
                    return _Step(found.end, found)
        if word in _CALENDAR_WORDS:
            return self._after_lead(start, end, word)
        if word == "thứ":
            match = _ORDINAL.match(text, start)
            return _Step(match.end() if match else end)
        if word in _STRONG or word in _MEDIUM or word in _WEAK:
            return self._label(start, end, word)
        if word in _MULTIPLES or word == "gấp" or word.endswith("fold"):
            step = self._multiple(start)
            if step:
                return step
        if word in ("âm", "minus", "negative"):
            match = _SPACE.match(text, end)
            if match and text[match.end() : match.end() + 1].isdigit():
                step = self._measure(match.end())
                if step and step.found and step.found.value is not None:
                    value = -step.found.value
                    return _Step(step.end, step.found._replace(start=start, value=value))
            return _Step(end)
        if word in FRACTION_WORDS:
            match = _FRACTION.match(text, start)
            if match:
                part = FRACTION_WORDS[word]
                whole = FRACTION_PARTS[(match["vi"] or match["en"]).casefold()]
                return self._ratio(start, match.end(), str(part), str(whole))
        if word in NUMBER_WORDS or word == "nửa":
            return self._measure(start) or _Step(end)
        return _Step(end)

    def _at_symbol(self, start: int) -> _Step:
        if self.text[start] in "-." and start and self.text[start - 1] not in " \u00a0\n\t(:;“\"'|":
            return _Step(start + 1)
        return self._measure(start) or _Step(start + 1)

    def _at_digit(self, start: int, *, dated: bool = False) -> _Step:
        text = self.text
        if (
            not self.whole
            and _LINE_START.search(text[max(0, start - 12) : start])
            and (start <= 12 or re.search(r"[\n\f]", text[start - 12 : start]))
        ):
            match = _LIST_NUMBER.match(text, start)
            if match:
                return _Step(match.end())
        match = _NOT_FIGURE.match(text, start)
        if match and not (_NTH_DAY.match(text, start)):
            return _Step(match.end())
        match = _RATIO.match(text, start)
        if match and not dated and _DATE_BEFORE.search(text[max(0, start - 8) : start]):
            dated = self._noun(match.end())[0] is None
        found = self._digit_dates(start, dated=dated)
        if found:
            return _Step(found.end, found)
        if match:
            return self._ratio(start, match.end(), match["part"], match["all"])
        match = _NUMERAL.match(text, start)
        assert match  # a token of digits starts here
        step = self._measure(start)
        if step:
            return step
        code = _CODE.match(text, start)
        return _Step(max(match.end(), code.end() if code else 0))

    def _digit_dates(self, start: int, *, dated: bool = False) -> _Found | None:
        if not _DATE_HINT.match(self.text, start):
            return None
        for shape, pattern in _DIGIT_SHAPES:
            match = pattern.match(self.text, start)
            found = self._dates(shape, match, dated=dated) if match else None
            if found:
                return found
        return None

    def _after_lead(self, start: int, end: int, word: str) -> _Step:
        """After từ, from, between, ngày: a date, a range, or nothing special."""
        text = self.text
        match = _LEAD.match(text, start)
        if not match:
            return _Step(end)
        at = match.end()
        dated = "ng" in match[0].casefold() or word in ("mùng", "mồng")
        ranging = word in ("từ", "from", "between")
        if text[at : at + 1].isdigit():
            found = None
            if dated or not _NOT_FIGURE.match(text, at) or _NTH_DAY.match(text, at):
                found = self._digit_dates(at, dated=dated or word in ("từ", "from"))
            if found:
                if found.low is not None and ranging:
                    found = found._replace(start=start)
                elif dated and not text[found.start : found.end].replace("/", "").isdigit():
                    day = text.casefold().find(word if not ranging else "ngày", start, at)
                    if found.unit == "date" and day >= 0 and "-" not in text[at : found.end]:
                        found = found._replace(start=day)
                return _Step(found.end, found)
            if word == "ngày":
                return self._label(start, end, "ngày")
        if ranging:
            step = self._measure(at, lead=word)
            if step and step.found and step.found.low is not None:
                return _Step(step.end, step.found._replace(start=start))
        return _Step(end)

    def _label(self, start: int, end: int, word: str) -> _Step:
        """A number that names rather than counts is passed over."""
        text = self.text
        match = _LABEL_NUMBER.match(text, end)
        if not match:
            return _Step(end)
        weak = word in _WEAK and match[0].isspace()
        if word in _COMPOUND:
            previous = _PREVIOUS.search(text[max(0, start - 8) : start])
            if not previous or previous[1].casefold() not in _COMPOUND[word].split():
                return _Step(end)
        elif word == "số" and _COUNTED.search(text[max(0, start - 6) : start]):
            weak = True
        at = match.end()
        code = _CODE.match(text, at)
        number = _NUMERAL.match(text, at)
        after = max(code.end() if code else 0, number.end() if number else at + 1)
        quantity = self._quantity(at)
        told = quantity and (
            quantity.scaled or (quantity.unit is not None and quantity.unit.group != "count")
        )
        if told and word == "điều":
            # Cashew nuts (hạt điều) and dykes (đê điều) are no articles.
            return _Step(at)
        if word in _STRONG:
            return _Step(after)
        if quantity and told:
            hard = quantity.scaled or (
                quantity.unit is not None and quantity.unit.group in ("money", "percent")
            )
            if hard:
                return _Step(at)
        if weak:
            follows = quantity and re.match(rf"{_S}{_YEAR}", text[quantity.end : quantity.end + 8])
            if quantity and quantity.unit and not (quantity.unit.name == "year" and follows):
                return _Step(at)
            comma = number is not None and "," in number[0]
            if not code or comma or word == "số" or self._digit_dates(at):
                return _Step(at)
        if re.match(rf"{_YEAR}(?!\w|[/.,-]\w)", text[at : at + 6]):
            return _Step(at)
        return _Step(after)

    # -- dates and periods

    def _dates(self, shape: str, match: re.Match[str], *, dated: bool = False) -> _Found | None:
        group = match.groupdict()
        start, end = match.span()

        def year(name: str) -> int | None:
            return int(group[name]) if group.get(name) else None

        first = year("y")
        if (group.get("to") or "").strip().casefold() in ("and", "và"):
            before = self.text[max(0, start - 9) : start] + match[0][:8]
            if "between" not in before.casefold():
                return None
        if shape in ("day", "short day"):
            month, day = _month_number(group["m"]), int(group["d"])
            if group.get("sep") and month > 12 >= day:
                month, day = day, month
            value = _day_value(first, month, day) if 1 <= month <= 12 else None
            if shape == "short day" and first is None and not dated and day <= month:
                return None
            return _Found(start, end, "date", value) if value is not None else None
        if shape == "days":
            return self._days(match, dated=dated)
        if shape == "month":
            month = _month_number(group["m"])
            if first is None and group["m"][0].isalpha() and self.text[start].isupper():
                before, name = self.text[max(0, start - 15) : start], group["m"].casefold()
                sure = name in _FULL_MONTHS and _MONTH_GOES_ON.match(self.text, end)
                named = name.rstrip(".") in _EN_MONTHS and not self.whole
                if named and not sure and not _MONTH_CONTEXT.search(before):
                    return None
            return self._months(start, end, first, month, first, month)
        if shape == "months":
            second = year("y2")
            first = first or second
            return self._months(
                start, end, first, _month_number(group["m"]), second, _month_number(group["m2"])
            )
        if shape == "quarter":
            number = _ORDINALS[group["q"].casefold()]
            return self._months(start, end, first, number * 3 - 2, first, number * 3)
        if shape == "half":
            number = _ORDINALS[group["h"].casefold()]
            return self._months(start, end, first, number * 6 - 5, first, number * 6)
        if shape == "first months":
            words = group["n"].casefold().split()
            if words[0].isdigit():
                count = int(words[0])
            else:
                count = int(vi_number(words)[1] or en_number(words)[1])
            if (group.get("side") or "").casefold() in ("cuối", "last", "final"):
                return self._months(start, end, first, 13 - count, first, 12)
            return self._months(start, end, first, 1, first, count)
        assert first is not None  # only years are left, and each begins with one
        last = first
        if group.get("y2"):
            last = int(group["y2"])
            if len(group["y2"]) == 2:
                last += first // 100 * 100
                if last != first + 1 and "/" in match[0]:
                    return None
            if last <= first:
                return None
        return self._months(start, end, first, 1, last, 12)

    @staticmethod
    def _months(
        start: int, end: int, year: int | None, month: int, year2: int | None, month2: int
    ) -> _Found | None:
        if not (1 <= month <= 12 and 1 <= month2 <= 12):
            return None
        low, high = _month_start(year, month), month_end(year2, month2)
        return _Found(start, end, "period", low=low, high=high) if low < high else None

    def _days(self, match: re.Match[str], *, dated: bool) -> _Found | None:
        group = match.groupdict()
        second = int(group["y2"]) if group.get("y2") else None
        first = int(group["y"]) if group.get("y") else second
        second = second or first
        month2 = _month_number(group.get("m2") or group["m"])
        month = _month_number(group.get("m") or group["m2"])
        spelled = "tháng" in match[0].casefold() or group.get("m2", "0")[:1].isalpha()
        spelled = spelled or match[0][:1].isalpha()
        # "5 - 8/10 chương trình" is no stretch of days.
        if second is None and not dated and not spelled and group["to"] not in ("-", "–"):
            return None
        low = _day_value(first, month, int(group["d"]))
        high = _day_value(second, month2, int(group["d2"]))
        if low is None or high is None or low >= high:
            return None
        return _Found(*match.span(), "date", low=low, high=high)

    # -- ratios and multiples

    def _ratio(self, start: int, end: int, part: str, whole: str) -> _Step:
        if int(whole) == 0 or re.fullmatch(_YEAR, whole):
            return _Step(end)  # 13/2021 is the number of a document
        value = plain(DIVIDE.divide(Decimal(part), Decimal(whole)))
        return _Step(end, _Found(start, end, "ratio", value))

    def _multiple(self, start: int) -> _Step | None:
        text = self.text
        match = _MULTIPLE.match(text, start)
        if match:
            word = (match["word"] or match[0]).casefold().removesuffix("fold").rstrip("-")
            value = Decimal(_MULTIPLES[word])
            return _Step(match.end(), _Found(start, match.end(), "times", value))
        match = _GAP_TIMES.match(text, start)
        if match:
            step = self._measure(match.end())
            if step and step.found and step.found.unit in ("times", "occurrence", None):
                hedged = bool(re.search(_HEDGE, match[0][3:], _FLAGS))
                found = step.found._replace(start=start, unit="times", approximate=hedged)
                return _Step(step.end, found)
            return _Step(match.end())
        return None

    # -- quantities

    def _measure(self, start: int, *, lead: str = "") -> _Step | None:
        """A quantity or a range of two; None when no number can be read at `start`."""
        first = self._quantity(start)
        if first is None:
            return None
        match = _CONNECT.match(self.text, first.end)
        if match and (not match["and"] or lead == "between"):
            second = self._quantity(match.end())
            found = second and self._range(first, second, match, lead)
            if found:
                return _Step(found.end, found)
        if first.lone or (first.bare and _TIED.match(self.text, first.end)):
            return None
        if first.bare and isinstance(first.parts[0][0], str):
            raw = first.parts[0][0]
            match = _OUT_OF.match(self.text, first.end)
            if match and raw.isdigit() and len(match["all"]) < 10:
                return self._ratio(start, match.end(), raw, match["all"])
            if re.fullmatch(r"(?:19|20)[0-9]{2}", raw) and not first.negative:
                end = first.end
                return _Step(end, self._months(start, end, int(raw), 1, int(raw), 12))
            if len(raw) >= 7 and raw.isdigit() and not self.whole:
                return None  # a telephone or register number
        value = self._value(first)
        if value is None:
            return None
        return _Step(first.end, _Found(first.start, first.end, first.unit_name, value))

    def _range(
        self, first: _Quantity, second: _Quantity, match: re.Match[str], lead: str
    ) -> _Found | None:
        if second.lone:
            return None
        before = self.text[max(0, first.start - 45) : first.start]
        # "rose from 3% to 5%" tells two values, not a range.
        far = self.text[max(0, first.start - 190) : first.start]
        if match["to"] and (_CHANGE.search(before) or _CHANGE_GOES_ON.search(far)):
            return None
        whole = None not in (first.unit, second.unit) and first.scaled == second.scaled
        if first.bare and second.bare:
            after = self.text[second.end : second.end + 2]
            raw = str(second.parts[0][0])
            if not (lead or match["dash"]) or re.match(r"[-–/][0-9]", after):
                return None
            if re.fullmatch(r"(?:19|20)[0-9]{2}", raw):
                return None
        if first.unit is None and second.unit is not None:
            scale = second.parts[-1][1]
            parts = first.parts
            if not first.scaled and len(second.parts) == 1:
                parts = ((first.parts[0][0], scale),)
            first = replace(
                first,
                parts=parts,
                unit=second.unit,
                per=second.per,
                scaled=first.scaled or second.scaled,
                language=first.language or second.language,
            )
        elif first.unit is None and second.scaled and not first.scaled:
            first = replace(
                first,
                parts=((first.parts[0][0], second.parts[-1][1]),),
                scaled=True,
                language=second.language,
            )
        elif first.unit is not None:
            if second.unit is None and first.prefixed:
                end, per, _ = self._rates(second.end)
                second = replace(second, unit=first.unit, per=per or first.per, end=end)
            if first.unit.name != (second.unit and second.unit.name):
                return None
            if second.per and not first.per:
                first = replace(first, per=second.per)
            if first.per != second.per:
                return None
            if first.prefixed and not first.scaled and second.scaled:
                first = replace(
                    first,
                    parts=((first.parts[0][0], second.parts[-1][1]),),
                    scaled=True,
                    language=second.language,
                )
        low, high = self._value(first), self._value(second)
        if low is None or high is None or low >= high:
            return None
        if match["to"] and whole and high > _FAR * low and _STEP.search(before):
            # "rose by 180 MW to 2,455 MW": so much more, and what it came to.
            return None
        return _Found(first.start, second.end, second.unit_name, low=low, high=high)

    def _value(self, quantity: _Quantity) -> Decimal | None:
        unit = quantity.unit
        integral = (
            not quantity.scaled
            and unit is not None
            and (unit.group == "count" or unit.name == "VND")
        )
        total = Decimal(0)
        for raw, scale in quantity.parts:
            if isinstance(raw, str):
                language = quantity.language
                if re.fullmatch(r"[0-9]{1,3}[.,][0-9]{3}", raw):
                    language = language or self.language or self._guess(quantity)
                number = _numeral(raw, language, integral=integral)
                if number is None:
                    return None
            else:
                number = raw
            total = EXACT.add(total, EXACT.multiply(number, scale))
        total = plain(total)
        exponent = total.as_tuple().exponent
        if abs(total) >= _LIMIT or not isinstance(exponent, int) or exponent < _FINEST:
            return None
        return -total if quantity.negative and total else total

    def _guess(self, quantity: _Quantity) -> Language | None:
        """The language of the separators, from the text around; None without any evidence."""
        around = (
            self.text[max(0, quantity.start - 200) : quantity.start]
            + " "
            + self.text[quantity.end : quantity.end + 200]
        )
        vi, en = 3 * len(_SEEN_COMMA.findall(around)), 3 * len(_SEEN_POINT.findall(around))
        for word in re.findall(r"[^\W\d_]+", around):
            if word.casefold() in _EN_WORDS:
                en += 1
            elif word.casefold() in _VI_WORDS or _VI_LETTER.search(word):
                # Names keep their diacritics in English text.
                vi += 0 if word[0].isupper() else 1
        if vi == en:
            return None
        return "vi" if vi > en else "en"

    def _quantity(self, start: int) -> _Quantity | None:
        text = self.text
        at = start
        prefix: Unit | None = None
        negative = False
        match = _CURRENCY.match(text, at)
        if match:
            name = match["name"].casefold()
            prefix = Unit(SIGNS.get(name, name.upper()), "money", None)
            negative = match["sign"] is not None
            at = match.end()
        if text[at : at + 1] == "-":
            negative, at = True, at + 1
        parts: list[tuple[str | Decimal, Decimal]] = []
        language: Language | None = None
        scaled = False
        numeral = _NUMERAL.match(text, at)
        if text[at : at + 1] == ".":
            numeral = _POINT.match(text, at)
        words = 0
        first_word = ""
        if numeral:
            spaced = _SPACED.match(text, at)
            if spaced and spaced.end() > numeral.end():
                follows = self._attached(spaced.end(), prefix)
                if follows:
                    numeral = spaced
            raw = "0" + numeral[0] if numeral[0].startswith(".") else numeral[0]
            at = numeral.end()
            if text[at : at + 1] == "/" and text[at + 1 : at + 2].isdigit():
                return None
            if raw.startswith("0") and raw.isdigit() and len(raw) > 3:
                return None
            at, scale, language = self._scale(at, money=prefix is not None)
            scaled = scale != 1
            parts.append((raw, scale))
            while scale >= 1000:
                more = _MORE.match(text, at)
                if not more:
                    break
                end, smaller, _ = self._scale(more.end(), money=False)
                if smaller == 1 or int(more[1]) * smaller >= scale:
                    break
                parts.append((more[1], smaller))
                at, scale = end, smaller
            half = _HALF.match(text, at) if scaled else None
            if half:
                parts.append((Decimal("0.5"), scale))
                at = half.end()
        else:
            spelled = self._spelled(at)
            if spelled is None:
                return None
            at, value, words, language, first_word = spelled
            scaled = value >= 1000
            last = re.split(r"[\s-]", text[start:at])[-1].casefold()
            scale = Decimal(VI_BIG.get(last) or EN_BIG.get(last) or 1)
            parts.append((EXACT.divide(value, scale), scale))

        attached = text[at : at + 1]
        glued = numeral is not None and (attached.isalpha() or attached == "_")
        unit, end, unit_language = self._unit(at, parts, numeral is not None)
        if unit is None and prefix is None and numeral is not None:
            short = _SHORT_SCALE.match(text, at) if not scaled else None
            if short:  # "5 tr đồng", "5k USD"
                money, money_end, _ = self._unit(short.end(), parts, True)
                if money and money.group == "money" and not text[short.end()].isalpha():
                    scale = SHORT_SCALES[short["scale"].casefold()]
                    parts[0] = (parts[0][0], scale)
                    unit, end, scaled = money, money_end, True
            pence = _PENCE.match(text, at) if not scaled else None
            if pence and (pence[0] != "p" or self._in_pence(start, at, raw)):
                unit, end, glued = Unit("GBP", "money", "en"), pence.end(), False
                parts[0] = (parts[0][0], _HUNDREDTH)
        if glued and unit is None:
            return None
        if prefix:
            if unit and unit.group == "money" and (unit.name == prefix.name or end - at < 24):
                prefix, at = unit, end
            elif unit and text[at : at + 1].isalpha():
                return None
            unit = prefix
            # The yen sign is also the yuan's.
            if prefix.name == "JPY" and re.search(
                r"\b(?:CNY|RMB|yuan|renminbi|nhân dân tệ)\b",
                text[max(0, start - 60) : at + 60],
                _FLAGS,
            ):
                unit = prefix._replace(name="CNY")
        elif unit:
            at = end
            language = language or unit_language
        if words == 1 and not scaled and prefix is None:
            lone = unit is not None and self._lone_word(start, first_word, unit)
            if not lone:
                if unit is not None or first_word in ("một", "a", "half", "năm"):
                    return None
                return _Quantity(start, at, tuple(parts), language=language, lone=True)
        per: tuple[str, ...] = ()
        if unit and unit.group != "multiple":
            at, per, unit_language = self._rates(at)
            language = language or unit_language
        if (
            negative
            and not self.whole
            and unit is not None
            and unit.group == "count"
            and _LINE_START.search(text[max(0, start - 12) : start])
        ):
            negative, start = False, start + 1
        return _Quantity(
            start,
            at,
            tuple(parts),
            negative,
            unit,
            per,
            scaled,
            prefix is not None,
            language,
        )

    def _in_pence(self, start: int, end: int, raw: str) -> bool:
        """Whether the `p` behind a number is pence: not minutes (phút) or lines of a screen."""
        quantity = _Quantity(start, end, ((raw, Decimal(1)),))
        lines = raw.isdigit() and int(raw) >= 240
        return not lines and (self.language or self._guess(quantity)) == "en"

    def _attached(self, at: int, prefix: Unit | None) -> bool:
        """Whether a scale or unit follows, so that spaces may group the thousands before."""
        end, scale, _ = self._scale(at, money=prefix is not None)
        return prefix is not None or scale != 1 or self._unit(end, [], True)[0] is not None

    def _scale(self, at: int, *, money: bool) -> tuple[int, Decimal, Language | None]:
        scale = Decimal(1)
        language: Language | None = None
        if money:
            match = _SHORT_SCALE.match(self.text, at)
            if match:
                return match.end(), SHORT_SCALES[match["scale"].casefold()], None
        for _ in range(3):
            match = _SCALE.match(self.text, at)
            if not match:
                break
            word = match["scale"].casefold()
            factor = VI_SCALES.get(word) or EN_SCALES.get(word)
            if factor is None or (scale > 1 and word == "chục"):
                break
            if word in ("cr", "ty") and not money and word == "cr":
                break
            language = language or ("vi" if word in VI_SCALES else "en")
            scale *= factor
            at = match.end()
        return at, scale, language

    def _spelled(self, at: int) -> tuple[int, Decimal, int, Language, str] | None:
        """End, value, number of words, language and first word of a spelled-out number."""
        words: list[str] = []
        ends: list[int] = []
        position = at
        while len(words) < 24:
            match = _WORD.match(self.text, position)
            if not match:
                break
            word = match[0].casefold()
            if word not in NUMBER_VOCABULARY:
                break
            words.append(word)
            ends.append(match.end())
            gap = _WORD_GAP.match(self.text, match.end())
            if not gap:
                break
            position = gap.end()
        if not words or words == ["a"]:
            return None
        if words[0] == "nửa" and words[1:2] and words[1] in VI_BIG:
            return ends[1], Decimal(VI_BIG[words[1]]) / 2, 2, "vi", "nửa"
        if words[0] == "năm" and (len(words) < 2 or words[1] not in VI_AFTER_FIVE):
            used, value = 1, Decimal(5)
        else:
            used, value = vi_number(words)
        if used:
            return ends[used - 1], value, used, "vi", words[0]
        used, value = en_number(words)
        if used and value:
            return ends[used - 1], value, used, "en", words[0]
        return None

    def _lone_word(self, start: int, word: str, unit: Unit) -> bool:
        """Whether a number word on its own counts: articles and years do not."""
        if word in ("một", "a", "half"):
            return unit.group in ("money", "percent") or (
                unit.group == "measure" and unit.name not in _TIME_UNITS
            )
        if word == "năm":
            return not _NOT_FIVE.search(self.text[max(0, start - 8) : start])
        return True

    def _unit(
        self, at: int, parts: list[tuple[str | Decimal, Decimal]], numeral: bool
    ) -> tuple[Unit | None, int, Language | None]:
        text = self.text
        match = _TIMES.match(text, at) if numeral else None
        if match is None:
            match = _TIMES.match(text, at)
            match = None if match and match["x"] else match
        if match:
            return self._times(at, match.end(), (match["word"] or "x").casefold(), parts)
        match = _FOLD.match(text, at) if numeral else None
        if match:
            return _TIMES_UNIT, match.end(), "en"
        unit, end = self._noun(at)
        if unit is None:
            adjective = _ADJECTIVE.match(text, at)
            if adjective:
                unit, end = self._noun(adjective.end())
                if unit is None or unit.group != "count" or unit.language == "vi":
                    return None, at, None
        elif numeral and text[at] == " " and unit_key(text[at + 1 : end]) in SINGULAR:
            # "50 hospital beds" counts beds, "3 fire engines" nothing of the vocabulary.
            if parts and re.fullmatch(r"(?:19|20)[0-9]{2}", str(parts[0][0])):
                return None, at, None  # "a 2021 decree"
            one = bool(parts) and len(parts) == 1 and parts[0][0] in ("1", "01")
            head, head_end = self._noun(end) if text[end : end + 1] == " " else (None, end)
            if head is not None and head.group == "count" and head.language != "vi":
                unit, end = head, head_end
            elif not one and re.match(r" [a-z]{3}", text[end : end + 4]):
                follows = _WORD.match(text, end + 1)
                if follows and follows[0] not in _EN_WORDS:
                    return None, at, None
        if unit is None:
            return None, at, None
        if unit.name == "year" and text[at:end].casefold().strip() == "năm":
            # "13.125 năm 2021": the year belongs to what follows.
            follows = re.match(rf"{_S}{_YEAR}", text[end : end + 8])
            if follows and not (parts and len(str(parts[0][0])) <= 2):
                return None, at, None
        if unit.name in ("day", "month") and _NAMED_DAY.match(text, end):
            return None, at, None
        if (
            unit.name == "VND"
            and text[at:end].strip().casefold() == "đ"
            and (text[end : end + 2].casefold() == "/c")
        ):
            return None, at, None
        return unit, end, unit.language

    def _noun(self, at: int) -> tuple[Unit | None, int]:
        """The longest known unit that starts at `at`, after at most one gap."""
        text = self.text
        gap = _FIRST_GAP.match(text, at)
        position = gap.end() if gap else at
        glued = position == at or text[at:position] == "-"
        key = ""
        best: Unit | None = None
        end = at
        for count in range(LONGEST + 1):
            match = _UNIT_TOKEN.match(text, position)
            if not match:
                break
            token = match[0]
            key += token
            unit = UNITS.get(unit_key(key)) if count else UNITS.get(unit_key(token))
            if unit and not (count == 0 and glued and len(token) == 1 and token == "t"):
                best, end = unit, match.end()
            step = _UNIT_GAP.match(text, match.end())
            if not step:
                break
            key += ", " if step[0].startswith(",") else " "
            position = step.end()
        if best and end < len(text) and (text[end].isalnum() or text[end] == "_"):
            return None, at
        return best, end

    def _times(
        self, at: int, end: int, word: str, parts: list[tuple[str | Decimal, Decimal]]
    ) -> tuple[Unit | None, int, Language | None]:
        """A multiple or a number of occurrences, by the words around."""
        text = self.text
        fraction = any(
            scale == 1 and isinstance(raw, str) and not _WHOLE.fullmatch(raw)
            for raw, scale in parts
        )
        if word == "x":
            return _TIMES_UNIT, end, None
        if word == "times":
            events = not fraction and _TIMES_EVENTS.match(text, end)
            return (_OCCURRENCE if events else _TIMES_UNIT), end, "en"
        start = at - sum(len(str(raw)) for raw, _ in parts)
        before = text[max(0, start - 24) : start]
        compared = fraction or _COMPARE_BEFORE.search(before) or _COMPARE_AFTER.match(text, end)
        return (_TIMES_UNIT if compared else _OCCURRENCE), end, "vi"

    def _rates(self, at: int) -> tuple[int, tuple[str, ...], Language | None]:
        """The units that an amount is told by, at most two (`/người/tháng`)."""
        names: list[str] = []
        language: Language | None = None
        while len(names) < 2:
            end, name, spoken = self._per(at)
            if not name:
                break
            names.append(name)
            at, language = end, language or spoken
        return at, tuple(names), language

    def _per(self, at: int) -> tuple[int, str, Language | None]:
        """What follows a stroke or `per`: its end, unit and language, or an empty name."""
        match = _RATE.match(self.text, at)
        if not match:
            return at, "", None
        position = match.end()
        capita = _CAPITA.match(self.text, position)
        if capita:
            return capita.end(), "person", "en" if capita[0].isascii() else "vi"
        if not self.text[position : position + 1].strip():
            return at, "", None
        unit, end = self._noun(position)
        if unit is None or unit.name not in PER:
            return at, "", None
        word = (match["word"] or "").casefold()
        if word in ("a", "an", "each", "một") and unit.name not in _TIME_UNITS:
            return at, "", None
        if word in ("a", "an", "một") and _AGO.match(self.text, end):
            return at, "", None
        language: Language | None = "vi" if word in ("mỗi", "một") else "en"
        return end, unit.name, language if word else unit.language

    def _hedged(self, found: _Found) -> _Found:
        before = self.text[max(0, found.start - 26) : found.start]
        if found.approximate:
            return found
        during = (found.unit or "") in _TIME_UNITS and _OVER.search(before)
        if _HEDGE_BEFORE.search(before) and not _COMPARED.search(before) and not during:
            return found._replace(approximate=True)
        if _HEDGE_AFTER.match(self.text, found.end):
            return found._replace(approximate=True)
        return found


_LEADS = {
    *_CURRENCY_WORDS,
    *_EN_MONTHS,
    *_SHAPES_OF,
    *_CALENDAR_WORDS,
    *_STRONG,
    *_MEDIUM,
    *_WEAK,
    *_MULTIPLES,
    *NUMBER_WORDS,
    *("gấp", "âm", "minus", "negative", "nửa"),
}
_TIME_UNITS = frozenset("second minute hour day week month quarter year decade".split())
_VI_WORDS = frozenset("cho trong theo gia tham chi cao hay so xe khi tin".split())
_LEAD = _compile(
    rf"(?:(?:từ{_S})?(?:ngày|mùng|mồng)|(?:từ|from|between)(?:{_S}(?:khoảng|about|around))?){_S}"
    r"(?=[-0-9$€£₹]|[^\W\d_])"
)
# What follows the first digits of every one of `_DIGIT_SHAPES`.
_DATE_HINT = _compile(
    rf"[0-9]{{1,4}}(?:[/.-][0-9]|{_S0}(?:[-–QHM]|tháng|đến|tới|to|until|and|và|of|months|"
    rf"{_EN_MONTH})|(?:st|nd|rd|th)|{_S}năm)"
)
_DATE_BEFORE = _compile(
    r"(?<!\w)(?:ngày|hôm|sáng|chiều|tối|trưa|đêm|đến|từ|trước|sau|nay|qua|on|by|until|since|before|"
    rf"after|today){_S0}\(?$"
)
_NTH_DAY = _compile(
    rf"{_DAY}{_NTH}{_S}(?:of{_S})?{_EN_MONTH}|{_DAY}{_NTH}{_TO}{_DAY}{_NTH}{_S}{_EN_MONTH}"
)


def _prepare(text: str) -> tuple[str, Callable[[int], int]]:
    """The text as the patterns expect it, and the way from its offsets back to the given ones."""
    if unicodedata.is_normalized("NFC", text):
        return _parted(text.translate(_CHARACTERS)), lambda offset: offset
    pieces: list[str] = []
    origins: list[int] = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        piece = unicodedata.normalize("NFC", text[at:end])
        pieces.append(piece)
        origins.extend([at] * len(piece))
        at = end
    origins.append(len(text))
    return _parted("".join(pieces).translate(_CHARACTERS)), origins.__getitem__


def _parted(text: str) -> str:
    """The text with form feeds for line ends behind rows of tables: no figure goes on there."""
    return _ROW.sub("\\g<row>\f", text) if " | " in text else text


# --- the public surface ---------------------------------------------------------------------


def find(text: str, *, language: Language | None = None, offset: int = 0) -> list[Figure]:
    """Every figure of `text` in order, none overlapping another; empty when there is none.

    `language` decides only what a lone separator before three digits means (`1.561`); None
    decides it from the text around. Words that belong to one language (tỷ, billion, người) and
    things that come whole (people, đồng) overrule it. `offset` is added to `start` and `end`, so
    that `text[f.start - offset : f.end - offset] == f.text`. A hedge (hơn, about) is outside the
    span and sets `approximate`. Never raises on text.
    """
    return _figures(text, language, offset, whole=False)


def _figures(text: str, language: Language | None, offset: int, *, whole: bool) -> list[Figure]:
    clean, origin = _prepare(text)
    figures = []
    for found in _Reader(clean, language, whole=whole).read():
        start, end = origin(found.start), origin(found.end)
        figures.append(
            Figure(
                text[start:end],
                found.value,
                found.unit,
                start + offset,
                end + offset,
                found.low,
                found.high,
                found.approximate,
            )
        )
    return figures


def parse(text: str, *, language: Language | None = None) -> Figure:
    """The one figure that is the whole of `text`; a hedge or `ngày`, `in` … may stand before it.

    Offsets are those of `text`. Raises `ValueError` when `text` is no figure, more than one, or
    a figure with other words.
    """
    figures = _figures(text, language, 0, whole=True)
    if len(figures) == 1:
        figure = figures[0]
        before = unicodedata.normalize("NFC", text[: figure.start]).strip()
        if not text[figure.end :].strip() and (not before or _LEADING.fullmatch(before + " ")):
            return figure
    raise ValueError(f"not one figure: {text!r}")


def kind(figure: Figure) -> Kind:
    """What sort of figure it is; a noun that is not in the vocabulary counts as a count."""
    unit = figure.unit
    fixed: dict[str | None, Kind] = {
        None: "number",
        "date": "date",
        "period": "period",
        "ratio": "ratio",
        "times": "multiple",
    }
    if unit in fixed:
        return fixed[unit]
    assert unit is not None
    if "/" in unit:
        return "rate"
    group = GROUPS.get(unit, "count")
    if group == "money":
        return "money"
    if group == "percent":
        return "percent"
    return "measure" if group == "measure" else "count"


def numerator(figure: Figure) -> Figure:
    """A rate without what it is per: 40 million dong, of 40 million dong a household."""
    unit = (figure.unit or "").partition("/")[0]
    return replace(figure, unit=unit) if unit else figure


OTHER_DOLLARS = re.compile(r"\b(?!US |American )[A-Z][a-z]+(?: [A-Z][a-z]+)? dollars\b")
"""Where a text says whose dollars its "$" stands for."""
_IN_DOLLARS = re.compile(
    r"\b(?:amounts?|figures|prices|sums|values|money|dollars)\b[^.\n]{0,60}\b(?:in|are|is) "
    r"([A-Z][a-z]+(?: [A-Z][a-z]+)? dollars)\b"
)
"""The same of all its figures: "All amounts are in Canadian dollars"."""
_BARE_SIGN = re.compile(r"\W*\$")


def has_bare_sign(figure: Figure) -> bool:
    """Whether a figure is printed with a "$" that does not say whose dollars these are."""
    return bool(_BARE_SIGN.match(figure.text))


def in_dollars_of(figure: Figure, text: str) -> Figure:
    """A figure of a text that says whose dollars its "$" stands for, in these.

    Any other figure, and one of a text that names several or none that is known, as it is.
    """
    if not has_bare_sign(figure) or not figure.unit:
        return figure
    code = _dollars(text)
    return replace(figure, unit=figure.unit.replace("USD", code)) if code else figure


def as_printed(figure: Figure) -> Figure:
    """The reverse of `in_dollars_of`: a "$" alone is read as US dollars."""
    if not has_bare_sign(figure) or not figure.unit:
        return figure
    return replace(figure, unit="/".join(["USD", *figure.unit.split("/")[1:]]))


@lru_cache(maxsize=256)
def _dollars(text: str) -> str | None:
    named = {match.group(1) for match in _IN_DOLLARS.finditer(text)}
    codes = {found.unit for name in named for found in find(f"5 {name}", language="en")[:1]}
    known = {code for code in codes if code and GROUPS.get(code) == "money"}
    return known.pop() if len(known) == 1 else None


def same(a: Figure, b: Figure) -> bool:
    """Whether one may stand for the other: equal values (or bounds) and units that agree.

    A bare number agrees with a count or a measure of the same value, and so do two nouns of one
    family (people and workers, units and enterprises) or of a pair (`ALIKE`). Money, percentages,
    multiples, rates, ratios, dates and periods agree with their own unit alone. A bound is not its
    range.
    """
    if (a.value, a.low, a.high) != (b.value, b.low, b.high):
        return False
    if a.unit == b.unit:
        return True
    kinds = {kind(a), kind(b)}
    if "number" in kinds:
        return kinds <= {"number", "count", "measure"}
    if kinds != {"count"}:
        return False
    if frozenset((str(a.unit), str(b.unit))) in ALIKE:
        return True
    families = [NAMES[unit].family for unit in (a.unit, b.unit) if unit in NAMES]
    return len(families) == 2 and (families[0] == families[1] or "unit" in (a.unit, b.unit))
