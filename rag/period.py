"""Which time a question asks about, and which time a stretch of a release speaks of."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from rag import figures
from rag.language import bare
from rag.schema import Figure, Language


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, from a day to years."""

    year: int | None
    """None when the text does not say."""
    start: int
    end: int
    """First and last day as month * 100 + day; 101 and 1231 for whole years."""

    @property
    def whole_year(self) -> bool:
        """It names a year only."""
        return (self.start, self.end) == (101, 1231)


@dataclass(frozen=True, slots=True)
class Mention:
    """A period with its place in a text."""

    period: Period
    start: int
    end: int
    compared: bool
    """It is what something is compared with: `so với …`, `compared with …`, `cùng kỳ …`."""


_PACKED = "1"
"""Raise it when `mentions` finds others than before: kept ones are then ignored."""


def pack(found: Sequence[Mention]) -> str:
    """Mentions as text, to be kept."""
    rows = [
        [m.period.year, m.period.start, m.period.end, m.start, m.end, m.compared] for m in found
    ]
    return json.dumps([_PACKED, rows], separators=(",", ":"))


def unpack(text: str | None) -> tuple[Mention, ...] | None:
    """Mentions that were kept; None when there are none of this form."""
    form, rows = json.loads(text) if text else ("", [])
    if form != _PACKED:
        return None
    return tuple(Mention(Period(*row[:3]), *row[3:]) for row in rows)


_SAME = re.compile(
    r"cùng (?:kỳ|thời điểm)(?:\s+(?:của\s+)?(?:năm\s+)?(?P<vi>(?:19|20)\d\d|trước|ngoái))?|"
    r"(?:the )?same (?:period|month|quarter|time)(?: (?:of|in) (?:the )?(?P<en>(?:19|20)\d\d|"
    r"previous year|last year))?|a year (?:earlier|ago|before)|year[- ]on[- ]year|"
    r"year[- ]over[- ]year",
    re.I,
)
_BASE = re.compile(
    r"(?:so với|so cùng|so|(?:cao|thấp|nhiều|ít|lớn|nhỏ|nhanh|chậm) hơn|compared (?:with|to)|"
    r"versus|vs\.?|than|from|against|over)"
    r"(?:\s+(?:mức|kế hoạch|của|the|of|in|cả|tổng|level|figure|[\d.,]+\s?%?))*\s*$",
    re.I,
)
_MONTHS = re.compile(
    r"(?<![\w.,/-])(?P<n>3|6|9|10|11|[4578])\s+(?:tháng|months)(?!\s*(?:tuổi|trước|tới|liên|một|lại|/|"
    r"ago|old|later))", re.I
)  # fmt: skip
_WORD_MONTHS = re.compile(
    r"\b(?:the )?(?:first |last |past )?(?P<en>three|four|five|six|seven|eight|nine|ten|eleven)"
    r"[- ]months?\b(?! (?:ago|old|later|before|after))|"
    r"(?<!\w)(?P<vi>ba|bốn|năm|sáu|bảy|bẩy|tám|chín|mười một|mười)\s+tháng"
    r"(?=\s+(?:đầu|năm|(?:19|20)\d\d))",
    re.I,
)
_PRIOR = re.compile(
    r"month[- ]on[- ]month|quarter[- ]on[- ]quarter|(?:so với )?(?:tháng|quý) trước|"
    r"(?:the )?(?:previous|preceding|prior) (?:month|quarter)|a (?:month|quarter) earlier",
    re.I,
)
_THIS_YEAR = re.compile(r"this year|năm nay|current year", re.I)
_PART = re.compile(r"\b(?P<which>first|second) half\b|\bnửa (?P<nua>đầu|cuối) năm\b", re.I)
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
        return Period(first // 10000, first % 10000, 1231)
    return Period(year, first % 10000, last % 10000)


def resolved(text: str, named: Sequence[Mention], around: Period | None) -> list[Mention]:
    """Mentions with years and `same period` filled in from what comes before.

    `around` is the period that holds where the text begins.
    """
    current = around
    out: list[Mention] = []
    same = {match.start(): match for match in _SAME.finditer(text)}
    same.update({match.start(): match for match in _PRIOR.finditer(text)})
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
                period = replace(period, year=current.year)
            elif period.whole_year and event.compared and current is not None:
                # "than in 2020" beside half-year figures means that half of 2020.
                period = Period(period.year, current.start, current.end)
            out.append(replace(event, period=period))
            if not event.compared:
                current = period
            continue
        base = current or Period(None, 101, 1231)
        if event.re is _PRIOR:
            out.append(Mention(_prior(base), event.start(), event.end(), True))
            continue
        told = event.groupdict().get("vi") or event.groupdict().get("en") or ""
        year = int(told) if told.isdigit() else (base.year - 1 if base.year else None)
        out.append(Mention(replace(base, year=year), event.start(), event.end(), True))
    return out


def _prior(period: Period) -> Period:
    """The month or quarter before one."""
    first, last = period.start // 100, period.end // 100
    length = 3 if last - first == 2 else 1
    year = period.year
    first, last = last - 2 * length + 1, last - length
    if last < 1:
        first, last, year = first + 12, last + 12, year - 1 if year else None
    return Period(year, max(1, first) * 100 + 1, last * 100 + (30 if last in (4, 6, 9, 11) else 31))


_GROWS = re.compile(
    r"\b(?:tăng|giảm|grow\w*|grew|ris\w+|rose|f[ae]ll\w*|increas\w*|decreas\w*|declin\w*|drop\w*|"
    r"chang\w*|higher|lower|up|down)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Times:
    """What a question says of time."""

    periods: tuple[Period, ...]
    """The times asked for."""
    base: Period | None
    """What it wants the figure compared with."""
    same_period: bool
    """It asks for the value of the earlier period that a release compares with."""


def asked_times(text: str, language: Language, *, today: date | None = None) -> Times:
    """The times that a question names; relative ones count from `today` when it is given."""
    if language == "vi" and text.isascii():
        words = re.split(r"(\s+)", text)
        text = "".join(_UNMARKED.get(word.lower(), word) for word in words)
        text = re.sub(r"\bcung ky\b", "cùng kỳ", re.sub(r"\bso voi\b", "so với", text))
    found = resolved(text, mentioned(text, language), None)
    same = [m for m in found if _SAME.match(text, m.start) and not _PRIOR.match(text, m.start)]
    compared = [m for m in found if m.compared and m not in same]
    asks_same = False
    for mention in same:
        head = text[max(0, mention.start - 30) : mention.start]
        if re.search(r"\b(?:over|from)\s*$", head, re.I) and not _GROWS.search(text):
            # "cases over the same period": during it, nothing is compared.
            asks_same = True
        elif _BASE.search(head) or re.match(r"year[- ]o", text[mention.start :], re.I):
            compared.append(mention)
        else:
            asks_same = True
    periods = [mention.period for mention in found if mention not in compared]
    years = {period.year for period in periods if period.year}
    if len(years) == 1:
        periods = [replace(p, year=p.year or next(iter(years))) for p in periods]
        # "June 2021" is not also "2021".
        periods = [period for period in periods if not period.whole_year] or periods
    if today and not asks_same and (relative := _relative(bare(text), today)):
        periods.append(relative)
    return Times(
        periods=tuple(dict.fromkeys(periods)),
        base=compared[0].period if compared else None,
        same_period=asks_same and not any(p.year for p in periods),
    )


def _relative(plain: str, today: date) -> Period | None:
    quarter = (today.month - 1) // 3
    if re.search(r"\bthis year\b|\bnam nay\b", plain):
        return Period(today.year, 101, 1231)
    if re.search(r"\blast year\b|\bprevious year\b|\bnam ngoai\b|\bnam truoc\b", plain):
        return Period(today.year - 1, 101, 1231)
    if re.search(r"\b(?:last|previous) quarter\b|\bquy truoc\b", plain):
        year, index = (today.year, quarter - 1) if quarter else (today.year - 1, 3)
        return _quarter(year, index)
    if re.search(r"\bthis quarter\b|\bquy nay\b", plain):
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


def _fit(asked: Period, told: Period) -> float:
    if asked.year and told.year and asked.year != told.year:
        return -1.0
    sure = 1.0 if asked.year and told.year else 0.8
    if (asked.start, asked.end) == (told.start, told.end):
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
