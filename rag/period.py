"""Which time a question asks about, and which time a stretch of a release speaks of."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from datetime import date

from rag import figures
from rag.language import bare
from rag.schema import Figure, Language
from rag.tables import CELL


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, from a day to years."""

    year: int | None
    """None when the text does not say."""
    start: int
    end: int
    """First and last day as month * 100 + day; 101 and 1231 for whole years."""
    years: int = 1
    """How many calendar years it reaches into: 2 for a school or fiscal year."""

    @property
    def whole_year(self) -> bool:
        """It names a year only."""
        return (self.start, self.end) == (101, 1231)

    @property
    def length(self) -> int:
        """In months, 0 for a day; a fiscal year is longer than any other."""
        if self.years > 1:
            return 12 * self.years
        return 0 if self.start == self.end else self.end // 100 - self.start // 100 + 1


@dataclass(frozen=True, slots=True)
class Mention:
    """A period with its place in a text."""

    period: Period
    start: int
    end: int
    compared: bool
    """It is what something is compared with: `so với …`, `compared with …`, `cùng kỳ …`."""
    loose: bool = False
    """Only its year is told; which part of it is taken from what it is compared with."""
    aside: bool = False
    """It says nothing of what comes behind: in brackets with figures of its own, in a cell of a
    table, a document's date or the year of prices."""


_PACKED = "7"
"""Raise it when `mentions` finds others than before: kept ones are then ignored."""


def pack(found: Sequence[Mention]) -> str:
    """Mentions as text, to be kept."""
    rows = [[*astuple(m.period), m.start, m.end, m.compared] for m in found]
    return json.dumps([_PACKED, rows], separators=(",", ":"))


def unpack(text: str | None) -> tuple[Mention, ...] | None:
    """Mentions that were kept; None when there are none of this form."""
    form, rows = json.loads(text) if text else ("", [])
    if form != _PACKED:
        return None
    return tuple(Mention(Period(*row[:4]), *row[4:]) for row in rows)


_ALIKE = (
    r"same (?:(?:\w+ )?months|period|month|quarter|time)"
    r"(?: (?:of|in) (?:the )?(?P<{}>(?:19|20)\d\d|previous year|last year))?"
)
_BEFORE = r"(?:previous|preceding|prior) (?:(?:\w+ )?months?|quarter)"
# Both are sought in every passage that is read, in lower case. They are quicker by far when each
# way begins with letters that are always there.
_SAME = re.compile(
    r"cùng (?:kỳ|thời điểm|(?:quý|tháng)(?=\s+(?:của\s+)?năm\b|\s*[,.;:)]|\s*$))"
    r"(?:\s+(?:của\s+)?(?:năm\s+)?(?P<vi>(?:19|20)\d\d|trước|ngoái))?|"
    rf"the {_ALIKE.format('en')}|{_ALIKE.format('bare')}|"
    r"a year (?:earlier|ago|before|previously)|one year (?:earlier|ago|before|previously)|"
    r"12 months (?:earlier|before)|twelve months (?:earlier|before)|"
    r"the year before|the previous (?:(?:academic |school |fiscal |financial )?year(?!s)|"
    r"winter|summer|season)|year[- ]on[- ]year|year[- ]over[- ]year|"
    r"năm (?:trước|ngoái)\b(?<!\d năm.{6})(?<!các năm.{6})(?<!những năm.{6})"
    r"(?<!nhiều năm.{6})(?<!vài năm.{6})"
)
_BASE = re.compile(
    r"(?:so với|so cùng|so|"
    r"(?:cao|thấp|nhiều|ít|lớn|nhỏ|nhanh|chậm|tốt|xấu|khó|khó khăn|khả quan|đắt|rẻ) hơn|"
    r"(?<!yếu )kém|short of|"
    r"compared (?:with|to)|versus|vs\.?|than at(?: the)? (?:end|start)|than|"
    r"(?:up|down|ris\w+|rose|f[ae]ll\w*|grew|grown|increas\w*|decreas\w*|chang\w*|"
    r"improv\w*)(?: \w+)? from|from(?=(?:\s+(?:the|an?))?\s+[^\s\d]?\d)|"
    r"against|over|above|below|up on|down on|vượt|thay vì|instead of)"
    r"(?:\s+(?:mức|con số|tăng|giảm|trưởng|kế hoạch|ước|thực hiện|ước thực hiện|kết quả|quyết toán|"
    r"dự toán|giai đoạn|một|của|that|those|the|of|in|for|cuối|seen|recorded|cả|tổng|level|"
    r"figure|rate|growth|rise|fall|increase|[^\s\d]?\d(?:[\d.,]*\d)?\s?%?"
    r"(?:\s(?!to\b|and\b|lên\b|xuống\b|còn\b|và\b)[^\W\d_]+){0,2}))*\s*$",
    re.I,
)
_MONTHS = re.compile(
    r"(?<![\w.,/-])(?P<n>3|6|9|10|11|[4578])\s+(?:tháng|months)(?!\s*(?:tuổi|trước|tới|liên|một|lại|/|"
    r"ago|old|later|to\b|ended|ending|earlier))", re.I
)  # fmt: skip
_WORD_MONTHS = re.compile(
    r"\b(?<!previous )(?<!preceding )(?<!next )(?<!every )(?<!within )(?<!after )(?<!than )"
    r"(?:the )?(?:first |last |past )?(?P<en>three|four|five|six|seven|eight|nine|ten|eleven)"
    r"[- ]months?\b(?! (?:ago|old|later|before|after|to|ended|ending|earlier)\b)|"
    r"(?<!\w)(?P<vi>ba|bốn|năm|sáu|bảy|bẩy|tám|chín|mười một|mười)\s+tháng"
    r"(?=\s+(?:đầu|năm|(?:19|20)\d\d))",
    re.I,
)
_SPAN_TO = re.compile(
    r"\b(?P<count>year|(?:twelve|12|three|3|six|6) months|quarter)\s+"
    r"(?:to|up to|(?:that |which )?(?:ended|ending|ends))(?:\s+on)?(?:\s+(?:the end of|end))?\s+$",
    re.I,
)
_PRIOR = re.compile(
    r"month[- ]on[- ]month|quarter[- ]on[- ]quarter|"
    r"so với (?:tháng|quý) trước|tháng trước|quý trước|"
    rf"the {_BEFORE}|{_BEFORE}|a (?:month|quarter) earlier"
)
_THIS_YEAR = re.compile(r"this year|năm nay|current year", re.I)
_PART = re.compile(
    r"\b(?P<which>first|second) half\b|"
    r"\bnửa (?P<nua>đầu|cuối)(?: của)?(?: năm\b|(?= (?:19|20)\d\d\b))",
    re.I,
)
_YEAR_WHOLE = re.compile(r"\bcả năm\b|\bfull[- ]year\b|\bwhole year\b", re.I)
_UNMARKED = {"thang": "tháng", "quy": "quý", "nam": "năm", "dau": "đầu", "cuoi": "cuối",
             "nua": "nửa", "ngay": "ngày", "den": "đến", "tu": "từ"}  # fmt: skip


def mentions(text: str, found: Sequence[Figure]) -> list[Mention]:
    """The periods that a text names, in order; `found` are its figures, offsets in the text."""
    out: list[Mention] = []
    for figure in found:
        period = _of(figure)
        if period is None:
            continue
        head = text[max(0, figure.start - 40) : figure.start]
        if period.year and (span := _SPAN_TO.search(head)):
            period = _ending(period, span["count"])
        out.append(Mention(period, figure.start, figure.end, bool(_BASE.search(head))))
    for match in _MONTHS.finditer(text):
        if not any(m.start < match.end() and m.end > match.start() for m in out):
            last = int(match["n"])
            end = last * 100 + (30 if last in (4, 6, 9, 11) else 31)
            out.append(Mention(Period(None, 101, end), match.start(), match.end(), False))
    for match in _WORD_MONTHS.finditer(text):
        if not any(m.start < match.end() and m.end > match.start() for m in out):
            last = figures.spelled(match["en"] or match["vi"]) or 0
            end = last * 100 + (30 if last in (4, 6, 9, 11) else 31)
            out.append(Mention(Period(None, 101, end), match.start(), match.end(), False))
    for match in _PART.finditer(text):
        if not any(m.start < match.end() and m.end > match.start() for m in out):
            second = (match["which"] or match["nua"]).lower() in ("second", "cuối")
            first, last = (701, 1231) if second else (101, 630)
            out.append(Mention(Period(None, first, last), match.start(), match.end(), False))
    for match in _YEAR_WHOLE.finditer(text):
        if not any(m.start < match.end() and m.end > match.start() for m in out):
            out.append(Mention(Period(None, 101, 1231), match.start(), match.end(), False))
    return sorted(out, key=lambda mention: mention.start)


def mentioned(text: str, language: Language) -> list[Mention]:
    """The periods that a text names, in order."""
    return mentions(text, figures.find(text, language=language))


def _ending(last: Period, count: str) -> Period:
    """The stretch that ends with a day or month: "the three months to September 2023".

    A year that ends within another begins in the one before, by which it is known.
    """
    month, length = last.end // 100, count.lower()
    months = 12
    if length.startswith(("three", "3", "quarter")):
        months = 3
    elif length.startswith(("six", "6")):
        months = 6
    if months > month:
        before = last.year - 1 if last.year else None
        return Period(before, 101, 1231, years=2) if months == 12 else last
    return Period(last.year, (month - months + 1) * 100 + 1, last.end)


def _of(figure: Figure) -> Period | None:
    if figure.unit not in ("date", "period"):
        return None
    low = figure.low if figure.low is not None else figure.value
    high = figure.high if figure.high is not None else figure.value
    if low is None or high is None:
        return None
    first, last = int(low), int(high)
    year = last // 10000 or None
    if year and first // 10000 != year:
        # Over several years: school years and terms; what counts is the first.
        return Period(first // 10000, first % 10000, 1231, last // 10000 - first // 10000 + 1)
    return Period(year, first % 10000, last % 10000)


def resolved(text: str, named: Sequence[Mention], around: Period | None) -> list[Mention]:
    """Mentions with years and `same period` filled in from what comes before.

    `around` is the period that holds where the text begins.
    """
    current, current_at = around, 0
    out: list[Mention] = []
    low = _lowered(text)
    same = {
        match.start(): match
        for pattern in (_SAME, _PRIOR, _LAST_YEAR)
        for match in pattern.finditer(low)
    }
    spans = [(match.start(), match.end()) for match in same.values()]
    events = sorted(
        [
            (mention.start, mention)
            for mention in named
            if not any(start <= mention.start < end for start, end in spans)
        ]
        + list(same.items()),
        key=lambda event: event[0],
    )
    for _, event in events:
        if isinstance(event, Mention):
            period = event.period
            if around is not None and _THIS_YEAR.search(text, event.start, event.end):
                period = replace(period, year=around.year)
            elif period.year is None and current is not None:
                if around and around.year and _SENTENCE_END.search(low, current_at, event.start):
                    # Another year is that of the sentence that names it, not of those behind it.
                    current = replace(current, year=around.year)
                year = current.year
                if around and around.year and year and event.compared:
                    # "To cost 24 by March 2023, down from 29 in September".
                    ahead = year > around.year and period.start > current.end
                    year = around.year if ahead else year
                period = replace(period, year=year)
                # "Tháng 4 năm trước"; "6 tháng đầu năm" has the word already.
                end = event.end - 3 if low[: event.end].endswith("năm") else event.end
                if current.year and _OF_LAST_YEAR.match(low, end):
                    period = replace(period, year=current.year - 1)
                    event = replace(event, compared=True)
            elif period.whole_year and event.compared and current is not None:
                # "than in 2020" beside half-year figures means that half of 2020.
                event = replace(event, loose=True)
                period = replace(period, start=current.start, end=current.end)
            aside = _aside(text, event) or _is_of_no_figure(text, event) or _is_in_cell(text, event)
            out.append(replace(event, period=period, aside=aside))
            if not event.compared and not aside:
                current, current_at = period, event.end
            continue
        if event.re is _LAST_YEAR:
            year = around.year - 1 if around and around.year else None
            current, current_at = Period(year, 101, 1231), event.end()
            out.append(Mention(current, event.start(), event.end(), False))
            continue
        base = current or Period(None, 101, 1231)
        if event.re is _PRIOR:
            out.append(Mention(_prior(base), event.start(), event.end(), True))
            continue
        told = event[event.lastgroup] if event.lastgroup else ""
        year = int(told) if told.isdigit() else (base.year - 1 if base.year else None)
        out.append(Mention(replace(base, year=year), event.start(), event.end(), True, True))
    return out


def _lowered(text: str) -> str:
    """A text in lower case; as it is where offsets would move: few letters become two."""
    low = text.lower()
    return low if len(low) == len(text) else text


def _aside(text: str, mention: Mention) -> bool:
    """Whether a time stands in brackets with numbers besides: "110.7 (in 2015: 112.3)"."""
    bracket = _bracket(text, (max(0, mention.start - 200), mention.end + 200), mention.start)
    if bracket is None:
        return False
    beside = text[bracket[0] : mention.start] + text[mention.end : bracket[1]]
    return any(char.isdigit() for char in beside)


def _is_of_no_figure(text: str, mention: Mention) -> bool:
    """Whether it is the date of a document, the year of prices, or what something is left for."""
    document = _DOCUMENT.search(text[max(0, mention.start - 50) : mention.start])
    return bool(document) or _is_put_off_to(text, mention)


def _is_in_cell(text: str, mention: Mention) -> bool:
    """Whether a time stands in a cell of a table's row behind the first one."""
    return CELL in text[text.rfind("\n", 0, mention.start) + 1 : mention.start]


def _is_put_off_to(text: str, mention: Mention) -> bool:
    return bool(_PUT_OFF.search(text[max(0, mention.start - 60) : mention.start]))


def _prior(period: Period) -> Period:
    """The month or quarter before one."""
    first, last = period.start // 100, period.end // 100
    length = 3 if last - first == 2 else 1
    year = period.year
    first, last = last - 2 * length + 1, last - length
    if last < 1:
        first, last, year = first + 12, last + 12, year - 1 if year else None
    return Period(year, max(1, first) * 100 + 1, last * 100 + (30 if last in (4, 6, 9, 11) else 31))


_LAST_YEAR = re.compile(r"(?:(?<=[.!?;:]\s)|(?<=\n)|^)last year\b(?! to\b)")
"""Opening a sentence: "Last year 1,724 crashes killed 14 people"."""
_SENTENCE_END = re.compile(r"[.!?;]\s|\n")
_OF_LAST_YEAR = re.compile(
    r"\s*(?:của\s+)?(?:(?:năm\s+)?ngoái|năm\s+trước)\b|\s+(?:of\s+)?(?:last|the previous) year\b"
)
_GROWS = re.compile(
    r"\b(?:tăng|giảm|grow\w*|grew|ris\w+|rose|f[ae]ll\w*|increas\w*|decreas\w*|declin\w*|drop\w*|"
    r"chang\w*|higher|lower|up|down)\b",
    re.I,
)


_EARLIER = re.compile(
    r"\b(?:a|one) (?:year|quarter|month|season) (?:ago|before|earlier|previously)\b|"
    r"\b(?:last|previous) (?:year|summer|winter|season)\b|"
    r"\b(?:previously|formerly|originally|initially|from what)\b|"
    r"(?<!be )(?<!is )(?<!are )\bused? to\b|\bat first\W*$|"
    r"(?<!come )(?<!comes )(?<!came )(?<!brought )(?<!put )(?<!goes )(?<!went )(?<!heard )"
    r"\bbefore (?:the|its?|they|their|that|this)\b|"
    r"(?<!since the )\b(?:start|beginning) of (?:the year|\d{4})\b|"
    r"\b(?:(?:mot )?nam truoc|nam ngoai|truoc (?:day|kia|khi|do)|ban dau)\b|"
    r"(?<!thang )(?<!nua )(?<!so voi )(?<!ke tu )(?<!tu )\bdau nam\b"
)
"""Asks how something was before, in words without diacritics."""
_THAN = re.compile(
    r"\b(?:so voi|hon|than|compared? (?:with|to)|over|from|against|versus)\s+(?:\w+\s+){0,3}$|"
    r"\bon\s+(?:(?:the|its|their|that|what|levels?|figures?|rates?|it|they|was|were|of|a|one|same|for|"
    r"corresponding|comparable|previous|period|months?|quarters?|first|six|nine|january|february|"
    r"march|april|may|june|july|august|september|october|november|december)\s+){0,4}$"
)
_YEAR_BEFORE = re.compile(
    r"\b(?:(?:a|one|the) year (?:before|earlier than|prior to|preceding)(?: the)?|"
    r"(?:một|1) năm trước|(?:mot|1) nam truoc)\s+$",
    re.I,
)
_A_WHILE_AGO = re.compile(r"(?:a|one) (?:month|quarter) earlier")
_YEAR_AGO = re.compile(r"năm (?:trước|ngoái)|the previous year", re.I)
_DURING = re.compile(r"\b(?:over|from)\s+(?:the\s+)?$", re.I)


@dataclass(frozen=True, slots=True)
class Times:
    """What a question says of time."""

    periods: tuple[Period, ...]
    """The times asked for."""
    base: Period | None
    """What it wants the figure compared with."""
    earlier: bool
    """It asks how something was before: a year ago, at the start, before a change."""


def asked_times(text: str, language: Language, *, today: date | None = None) -> Times:
    """The times that a question names; relative ones count from `today` when it is given."""
    if language == "vi" and text.isascii():
        words = re.split(r"(\s+)", text)
        text = "".join(_UNMARKED.get(word.lower(), word) for word in words)
        text = re.sub(r"\bcung ky\b", "cùng kỳ", re.sub(r"\bso voi\b", "so với", text))
    found = resolved(text, mentioned(text, language), None)
    if today and _relative(bare(text), today):
        # What counts from today is no year that a release compares with.
        found = [m for m in found if not _YEAR_AGO.fullmatch(text[m.start : m.end])]
    found = [m for m in found if not _is_put_off_to(text, m)]
    low = _lowered(text)
    # "What had it been a quarter earlier?" names no time and compares nothing.
    found = [
        m
        for m in found
        if not _A_WHILE_AGO.match(low, m.start) or _THAN.search(bare(text[: m.start]))
    ]
    same = [m for m in found if _SAME.match(low, m.start) and not _PRIOR.match(low, m.start)]
    compared = [
        m
        for m in found
        if m.compared
        and m not in same
        and (_GROWS.search(text) or not _DURING.search(text[max(0, m.start - 30) : m.start]))
    ]
    asks_same = False
    for mention in same:
        head = text[max(0, mention.start - 30) : mention.start]
        if _DURING.search(head) and not _GROWS.search(text):
            # "cases over the same period": during it, nothing is compared.
            asks_same = True
        elif _BASE.search(head) or re.match(r"year[- ]o", text[mention.start :], re.I):
            compared.append(mention)
        else:
            asks_same = True
    periods = [
        replace(m.period, year=m.period.year - 1)
        if m.period.year and _YEAR_BEFORE.search(text[: m.start])
        else m.period
        for m in found
        if m not in compared
    ]
    years = {period.year for period in periods if period.year}
    if len(years) == 1:
        periods = [replace(p, year=p.year or next(iter(years))) for p in periods]
        # "June 2021" is not also "2021".
        periods = [period for period in periods if not period.whole_year] or periods
    if today and not asks_same and (relative := _relative(bare(text), today)):
        if relative.whole_year and any(period.year is None for period in periods):
            # "The first half of last year".
            periods = [replace(p, year=p.year or relative.year) for p in periods]
        else:
            periods.append(relative)
    return Times(
        periods=tuple(dict.fromkeys(periods)),
        base=compared[0].period if compared else None,
        earlier=(asks_same and not any(p.year for p in periods)) or _asks_earlier(bare(text)),
    )


def _asks_earlier(plain: str) -> bool:
    """Whether a question asks how something was before, rather than how it compares with that."""
    return any(not _THAN.search(plain[: match.start()]) for match in _EARLIER.finditer(plain))


def _relative(plain: str, today: date) -> Period | None:
    def names(pattern: str) -> bool:
        # "So với năm ngoái" only says what something is compared with.
        found = re.finditer(rf"\b(?:{pattern})\b", plain)
        return any(not _THAN.search(plain[: match.start()]) for match in found)

    quarter = (today.month - 1) // 3
    if names("this year|nam nay"):
        return Period(today.year, 101, 1231)
    if names("last year|previous year|nam ngoai|nam truoc"):
        return Period(today.year - 1, 101, 1231)
    if names("(?:last|previous) quarter|quy truoc"):
        year, index = (today.year, quarter - 1) if quarter else (today.year - 1, 3)
        return _quarter(year, index)
    if names("this quarter|quy nay"):
        return _quarter(today.year, quarter)
    return None


def _quarter(year: int, index: int) -> Period:
    last = 3 * index + 3
    return Period(year, (3 * index + 1) * 100 + 1, last * 100 + (30 if last in (6, 9) else 31))


def fit(asked: Sequence[Period], told: Period | None) -> float:
    """How well a period suits a question: 1 the same, 0 unknown, down to -1 for another.

    A year that holds the other's stretch suits by half; a question that names only a year is
    suited by any stretch of that year.
    """
    if not asked or told is None:
        return 0.0
    return max(_fit(one, told) for one in asked)


def fit_of(asked: Sequence[Period], mention: Mention) -> float:
    """How well the time of a mention suits a question; as `fit`."""
    value, told = fit(asked, mention.period), mention.period
    same = [one for one in asked if told.year is not None and one.year == told.year]
    if not mention.loose or not same:
        return value
    overlaps = any(one.start <= told.end and told.start <= one.end for one in same)
    return max(value, 0.7 if overlaps else 0.2)


@dataclass(frozen=True, slots=True)
class Bound:
    """The time that a figure of a sentence is of."""

    mention: Mention | None
    """None when the sentence does not say."""
    own: bool
    """The mention belongs to this figure, rather than to all that comes after it."""
    base: bool
    """Another figure is compared with this one, or starts from it."""
    bracketed: bool = False
    """Figure and mention stand in brackets."""


_WHEN = (
    r"\s*(?:của|trong|vào|ở|đến|hồi|kể từ|in|of|for|during|on|at|by|as of|with effect from|"
    r"effective(?: from)?|since|from|từ)\s+(?:the\s+)?"
    r"(?:(?:cuối|đầu|hết|end of|start of|beginning of|whole of)\s+(?:the\s+)?)?"
)
_OF = re.compile(rf"\s*\(?|{_WHEN}", re.I)
_OF_TIME = re.compile(_WHEN, re.I)
_ONWARDS = re.compile(r"\s*(?:with effect from|effective|from|từ|kể từ|since)\s", re.I)
_WORKED_BY = re.compile(
    r"(?:\s(?!plan|target|approv|ahead|under|due)[^\W\d_]+){1,8}?\s(?:in|by|at|during|on|since|until)"
    r"(?: the)?(?: (?:end|start|beginning) of)?(?: the)?\s",
    re.I,
)
"""Between a figure and the time by its verb."""
_THEN = re.compile(r"\b(?:là|chỉ|đạt|was|were|at|of)\b", re.I)
_SINCE = re.compile(r"\s*(?:on|over|so với)\s", re.I)
"""Between a change and what it is measured from."""
_ATTACHED = re.compile(
    r"\s*(?:[(:–-]\s*)?(?:(?:là|chỉ|ước|đạt|tăng|giảm|was|of|at|up|down|rose|fell|by|stood|an?|"
    r"increase[sd]?|decrease[sd]?|growth|reached)\s*){0,3}",
    re.I,
)
_OPENS = re.compile(r"[,;(]\s*$")
_FEW_WORDS = re.compile(r"(?:\s+[^\W\d_]+){1,3}\s+")
_MILD = r"(?:\s+(?:mức|only|just|the|a|an|some|about|nearly|chỉ|là|khoảng|gần|hơn|trên|over))*\s*$"
_AGAINST = re.compile(
    r"\b(?:against|(?:more|less|fewer) than the|"
    r"(?:high|low|great|small|larg|fast|slow|short|long|bett|bigg|rath|oth)er than|"
    r"compared (?:with|to)|versus|vs\.?|so với|thay vì|instead of|"
    r"(?:up|down|risen|fallen|rose|fell|rising|falling|increased?|decreased?|cut|reduced|grew|grown|"
    rf"tăng|giảm)(?: \w+)? (?:from|từ)){_MILD}",
    re.I,
)
_FROM = re.compile(rf"\b(?:from|từ){_MILD}", re.I)
_ALSO = re.compile(r"^[^,;.]*\b(?:and|và|for|worth|with|cho|với)\s[^,;.]*$", re.I)
_PLANNED = re.compile(
    r"\s+(?:planned|forecast|targeted|budgeted|expected|projected|theo kế hoạch|đề ra|hiện nay|"
    r"now|at present|today)\b",
    re.I,
)
"""Behind a figure that another is measured against, which is of the same time."""
_DOCUMENT = re.compile(
    r"(?:\bsố|\bNos?\.?)\s+\S*\d\S*(?:\s+(?:of|dated|ngày))?\s+$|\bgiá so sánh\s+(?:năm\s+)?$|"
    r"\bconstant\s+(?:prices\s+of\s+)?$|"
    r"[,(]\s*(?:which\s+was\s+|được\s+|đã\s+được\s+)?(?:adopted|approved|passed|signed|enacted|"
    r"published|thông qua|phê duyệt|ban hành|công bố)\s+(?:on|ngày|vào ngày)\s+$"
)
"""Before the date of a document or the year of prices, which say nothing of figures."""
_PUT_OFF = re.compile(
    r"\b(?:chuyển|kéo dài|gia hạn|lùi|dời|hoãn)\b[^.;:,]{0,30}\b(?:sang|đến)\s+"
    r"(?:hết\s+)?(?:năm\s+)?$|"
    r"\b(?:carr(?:y|ied)|roll(?:ed)?|brought|moved|put off|deferred|postponed|extended)\s+"
    r"(?:(?:over|forward)\s+)?(?:(?:in)?to|until)\s+(?:the\s+end\s+of\s+)?$",
    re.I,
)
"""Before the time that something is left for, which is not the one of the figures."""
_TO = re.compile(rf"\b(?:to|lên|xuống|còn|thành)(?: (?:còn|mức|tới|đến))*{_MILD}", re.I)
_NEXT = re.compile(r"\s*(?:[^\W\d_]+\s*){0,2}")
"""What may stand between a time and the brackets that are of it: "quý IV cao nhất (46.900 căn)"."""


def bound(
    text: str,
    within: tuple[int, int],
    named: Sequence[Mention],
    quantities: Sequence[tuple[int, int]],
    span: tuple[int, int],
    reach: int,
    *,
    alone: bool = False,
) -> Bound:
    """Which of the times that a sentence names a figure of it is of.

    `within` is the sentence, `named` its mentions and `quantities` its figures that are no times,
    each in order; `reach` is how far a time behind the figure may stand. `alone` leaves out what is
    known by the figures beside it.
    """
    start, end = span
    # What stands in another cell of a row says nothing of this one, but for the first cell.
    named = [
        m
        for m in named
        if not _is_of_no_figure(text, m)
        and (not _is_in_cell(text, m) or CELL not in text[min(m.end, start) : max(m.start, start)])
    ]
    bracket = _bracket(text, within, start)
    behind = next((m for m in named if m.start >= end), None)
    base = _is_base(text, within, quantities, span)
    if (
        behind is not None
        and _OF.fullmatch(text[end : behind.start])
        and not _is_since(text, within, behind, span)
        and not _apart(text, within, behind, quantities, start)
    ):
        if _ONWARDS.match(text, end):
            # "€3.75 a week from 4 January": nothing is compared with that day.
            behind = replace(behind, compared=False)
        return Bound(behind, True, base, bracket is not None and behind.start < bracket[1])
    if bracket is not None:
        inside = [m for m in named if bracket[0] < m.start < bracket[1]]
        ahead = [
            m for m in named if m.end <= bracket[0] and _NEXT.fullmatch(text[m.end : bracket[0]])
        ]
        near = [m for m in inside if m.end <= start][-1:] or inside[:1] or ahead[-1:]
        if near:
            return Bound(near[0], True, base, True)
        before = [mark for mark in quantities if mark[1] <= bracket[0]]
        beside = before and before[-1] != span and not text[before[-1][1] : bracket[0]].strip()
        if beside and not alone:
            # "10,700 (1.5%) more": both are of one time.
            return bound(text, within, named, quantities, before[-1], bracket[0], alone=True)
    # "5.18% in the first quarter of 2022, short of the 7.1% planned": the quarter is the former's.
    ahead = [
        m
        for m in named
        if m.end <= start
        and not _apart(text, within, m, quantities, start)
        and not any(e <= m.start and _OF_TIME.fullmatch(text[e : m.start]) for _, e in quantities)
    ]
    if ahead and ahead[-1].compared:
        between = text[ahead[-1].end : start]
        # "So với cùng kỳ tăng 1,8%" is a change since then, "(cùng kỳ tăng 1,8%)" one of then.
        since = _BASE.search(text[max(0, ahead[-1].start - 40) : ahead[-1].start])
        # "…, cùng kỳ năm trước xuất siêu 200,8 triệu USD": all behind it is of that time.
        opens = _OPENS.search(text[: ahead[-1].start]) and _FEW_WORDS.fullmatch(between)
        if (opens or _ATTACHED.fullmatch(between)) and not (since and not _THEN.search(between)):
            return Bound(ahead[-1], True, base)
    following = next((mark for mark in quantities if mark[0] >= end), None)
    if base and following and not alone:
        between = text[end : following[0]]
        changed = _TO.search(between[-30:])
        if changed or (len(between) < 40 and _ALSO.search(between)):
            last = bound(text, within, named, quantities, following, reach, alone=True)
            if last.own:
                # "From £4.80 to £5.20 on 3 September": before the time of what it came to.
                # "Up from 2.61 lakh groups and 30.2 lakh members a year earlier": both are of then.
                return Bound(last.mention, not changed, True)
    former = next((mark for mark in reversed(quantities) if mark[1] <= start), None)
    came_to = former and _TO.search(text[max(former[1], start - 30) : start])
    if former and came_to and _is_base(text, within, quantities, former):
        # "From 8.74% at the end of 2016 to 6.95%": that time is the former's.
        ahead = [m for m in ahead if m.end <= former[1]]
    behind_it = [
        m
        for m in named
        if m.start >= end and not m.compared and not _apart(text, within, m, quantities, start)
    ]
    return Bound(_nearest(text, ahead, behind_it, quantities, span, reach), False, base)


def _nearest(
    text: str,
    ahead: Sequence[Mention],
    behind: Sequence[Mention],
    quantities: Sequence[tuple[int, int]],
    span: tuple[int, int],
    reach: int,
) -> Mention | None:
    """Which of the times before and behind a figure it is of, when none belongs to it alone."""
    start, end = span
    before = next((m for m in reversed(ahead) if not m.compared), None)
    after = next((m for m in behind if m.start <= reach and ";" not in text[end : m.start]), None)
    if before and after:
        # "Launched on 4 October, it drew 527 people, of whom 163 worked by March".
        stops = [stop for begin, stop in quantities if before.end <= begin and stop <= start]
        far = bool(stops) and "," in text[stops[-1] : start]
        return after if far and _WORKED_BY.fullmatch(text, end, after.start) else before
    if before or after or reach <= end:
        return before or after
    # "Only 142,000 of a planned 180,000 hectares were treated in 2020".
    same_clause = (m for m in behind if not re.search(r"[,;():]|\.\s", text[end : m.start]))
    return next(same_clause, None)


def _is_since(text: str, within: tuple[int, int], mention: Mention, span: tuple[int, int]) -> bool:
    """Whether a time right behind a figure is the one that the figure is a change since."""
    if mention.compared and _SINCE.match(text, span[1]):
        return True
    if not _ONWARDS.match(text, span[1]):
        return False
    said = text[mention.start : mention.end].lower()
    a_day = mention.period.start == mention.period.end
    changed = _GROWS.search(text, max(within[0], span[0] - 40), span[0])
    return bool(_SAME.match(said) or _PRIOR.match(said)) or (bool(changed) and not a_day)


def _bracket(text: str, within: tuple[int, int], at: int) -> tuple[int, int] | None:
    """The brackets in a sentence around a place."""
    opened = text.rfind("(", within[0], at)
    closed = text.find(")", at, within[1])
    if opened < 0 or closed < 0 or ")" in text[opened:at]:
        return None
    return opened, closed


def _apart(
    text: str,
    within: tuple[int, int],
    mention: Mention,
    quantities: Sequence[tuple[int, int]],
    at: int,
) -> bool:
    """Whether a time stands in brackets with a figure of its own, and a place does not.

    "2.41% (same period of 2018: 3.05%)": 2018 says nothing of the 2.41%.
    """
    bracket = _bracket(text, within, mention.start)
    if bracket is None or bracket[0] < at < bracket[1]:
        return False
    return any(bracket[0] < start < bracket[1] for start, _ in quantities)


def _is_base(
    text: str,
    within: tuple[int, int],
    quantities: Sequence[tuple[int, int]],
    span: tuple[int, int],
) -> bool:
    """Whether a figure is what another is compared with or starts from."""
    head = text[max(within[0], span[0] - 50) : span[0]]
    if _PLANNED.match(text, span[1]):
        return False
    if _AGAINST.search(head):
        return True
    if not _FROM.search(head):
        return False
    # "from 7 days to 3 days", "fell to 1,184 from 4,760"; not "from 47 communes".
    ahead = [text[max(within[0], start - 30) : start] for start, e in quantities if e <= span[0]]
    behind = [text[max(span[1], start - 30) : start] for start, _ in quantities if start >= span[1]]
    return any(map(_TO.search, [*ahead[-1:], *behind[:1]]))


def _fit(asked: Period, told: Period) -> float:
    if asked.year and told.year and asked.year != told.year:
        # What is told in the second year of a fiscal year may be of that, and the reverse.
        later = told.year - asked.year
        may = 0 < later < asked.years or 0 < -later < told.years
        return 0.0 if may and asked.years != told.years else -1.0
    sure = 1.0 if asked.year and told.year else 0.8
    if (asked.start, asked.end, asked.years) == (told.start, told.end, told.years):
        return sure
    if asked.whole_year:
        return 0.7 * sure
    if told.whole_year:
        return 0.3 * sure
    if asked.start >= told.start and asked.end <= told.end:
        return -0.3
    if told.start >= asked.start and told.end <= asked.end:
        # A day or a month within the asked stretch: dates are often within what is asked.
        return 0.2 if told.start == told.end else -0.4
    return -0.8
