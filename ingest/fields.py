"""Single lines of a release's header or closing: dates, datelines, numbers, labels, kinds.

Each function takes one line (a paragraph, a table cell, a column of a letterhead) and says what it
holds, if anything; which line of a release counts is decided in `ingest.release`. Patterns that
text recognition often damages are matched without accents, and letters that stand for digits are
read as digits there.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Literal

from rag.schema import Language


class _Letters(dict[int, str]):
    """Each character's small letter without accents, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        char = chr(code).lower()[:1]
        self[code] = "d" if char == "đ" else unicodedata.normalize("NFD", char)[0]
        return self[code]


_LETTERS = _Letters()


def unaccented(text: str) -> str:
    """Lower case without accents, character by character: offsets are those of `text`."""
    return text.translate(_LETTERS)


# ---------------------------------------------------------------------------------------------
# Dates

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:i[l1])?|may|june?|ju[l1]y?|"
    r"aug(?:ust)?|sept?(?:ember)?|[o0]ct(?:[o0]ber)?|n[o0]v(?:ember)?|dec(?:ember)?)\b\.?"
)
_DIGIT = r"[\doil|]"
_SPELT_VI = re.compile(
    rf"ngay\s*(?P<day>{_DIGIT}\s?{_DIGIT}?)\s*thang\s*(?P<month>{_DIGIT}\s?{_DIGIT}?)\s*,?\s*"
    rf"nam\s*(?P<year>{_DIGIT}\s?{_DIGIT}\s?{_DIGIT}\s?{_DIGIT})"
)
"""On text without accents."""
_DATES = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s*,?\s+(?P<year>\d{{4}})\b",
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+day)?(?:\s+of)?[\s-]+{_MONTH},?[\s-]+"
        r"(?P<year>\d{4})\b",
        r"\b(?P<year>\d{4})([-/])(?P<month>\d{2})\2(?P<day>\d{2})(?!\d)",
        r"(?<![\d/.-])(?P<day>\d{1,2})(?P<sep>[/.-])(?P<month>\d{1,2})(?P=sep)(?P<year>\d{4})"
        r"(?![\d/-])",
    )
)
_LETTER_DIGITS = str.maketrans("oil|", "0111")
_WEEKDAYS = (
    r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b\.?|"
    r"thứ\s+(?:hai|ba|tư|năm|sáu|bảy)\b|chủ nhật\b)"
)
_WEEKDAY = re.compile(rf"^(?:on\s+)?{_WEEKDAYS}[,\s]*|[,\s]+{_WEEKDAYS}$", re.I)
_TIME = re.compile(
    r"^(?:(?:at|until|from|lúc)\s+)?\d{1,2}(?:[:.hg]\d{2}|(?=\s?[ap]\.?m\b))"
    r"(?:\s?[ap]\.?m\b\.?)?(?:\s+[A-Z]{2,4}\b)?[,\s]*(?:on\s+)?",
    re.I,
)
_TIME_BEFORE = re.compile(r"(?:\blúc\s+)?\b\d{1,2}\s?(?:giờ|h)(?:\s?\d{1,2}(?:\s?phút)?)?,?$", re.I)
"""A time of day behind a place: "Hà Nội, 17 giờ 00 ngày 08 tháng 11 năm 2016"."""
_CLOCK = re.compile(r"(?:T|,?\s*(?:at\s+)?)\d{1,2}(?:[:.h]\d{2}|\s?[ap]\.?m\b)", re.I)
_DATE_LABEL = re.compile(
    r"^(?:(?:date(?:\s+of\s+(?:issue|publication|release))?|issued?|release\s+date|released|"
    r"publi(?:shed|cation date)|posted|dated|sent|for\s+(?:immediate\s+)?(?:press\s+)?release|"
    r"immediate\s+release|(?:strictly\s+)?embargo(?:ed)?(?:\s+(?:until|till|to|for))?|"
    r"ngày\s+(?:đăng|ban hành|phát hành|ký|công bố)|thời gian)\b(?:\s+on\b)?[\s:,–—-]*)+",
    re.I,
)
_UPDATED = re.compile(r"\W*(?:(?:last\s+)?(?:updated|modified|reviewed)|cập nhật)\b[^\d]*", re.I)
_BY = re.compile(
    r"\s*(?:\d{1,2}[:.]\d{2}\s*(?:[ap]\.?m\.?)?\s*)?by\s+(?:[^,]{2,60},\s*|[A-Z]{2,6}\s+)"
    r"(?P<place>[A-Z][\w .'’-]{1,40})$",
    re.I,
)
_AFTER_DATE = re.compile(
    r"\s*(?:–|—|--|-(?=\s))\s*(?P<place>[^\W\d_][^–—:;()\n]{1,58}?)(?=\s*(?:–|—|--|\s-\s))"
)


@dataclass(frozen=True, slots=True)
class Dateline:
    """A date, and the place that stands with it."""

    issued: date
    place: str | None
    end: int
    """Offset after the date, its bracket and its place."""
    updated: bool = False
    """It is the date of a change, not of the issue."""


def dateline(text: str, language: Language) -> Dateline | None:
    """A line or paragraph that opens with place and date, or with a date alone.

    `05/03/2023` is read day first, and only where that is the custom (`language` is `vi`) or where
    no other reading is possible.
    """
    head = text[:160]
    spelt = _SPELT_VI.search(unaccented(head))
    matches = [match for match in (pattern.search(head) for pattern in _DATES) if match]
    if spelt:
        matches.append(spelt)
    if not matches:
        return None
    match = min(matches, key=lambda found: found.start())
    issued = _date_of(match, language)
    if issued is None:
        return None
    lead = head[: match.start()].lstrip("(*[ \t'‘.`").rstrip("(*[ \t")
    update = _UPDATED.match(lead)
    if update:
        lead = lead[update.end() :]
    labelled = _DATE_LABEL.match(lead)
    if labelled:
        lead = lead[labelled.end() :]
    before = head[: match.start()].rstrip()
    vietnamese = match is spelt or re.search(r"\bngày$", before, re.I)
    if vietnamese:
        before = re.sub(r"\s*\bngày$", "", before, flags=re.I)
        lead = re.sub(r",?\s*ngày$", "", lead, flags=re.I).strip(" ,")
    lead, weekday = _without_time(lead)
    after = match.end()
    while after < len(text) and text[after] in ")] ":
        after += 1
    after = after if after < len(text) else match.end()
    set_off = bool(update or labelled or weekday or vietnamese)
    if lead and before[-1:] not in (",", "(", "[", "–", "—", "-", ":", "|", ".") and not set_off:
        return None
    if lead:
        place = lead.rstrip(" .") if re.search(r"\b[A-Z][a-z]+\s?\.$", lead) else lead
        return Dateline(issued, place, after) if is_place(place) else None
    by = _BY.match(text, match.end())
    if by:
        return Dateline(issued, by["place"].strip(), len(text), bool(update))
    follows = _AFTER_DATE.match(text, match.end())
    if follows and is_place(follows["place"]):
        return Dateline(issued, follows["place"], follows.end())
    # A paragraph that merely begins with a date tells of an event, not of its own date.
    rest = text[match.end() :].lstrip(")] .*")
    alone = len(rest) <= 3 or rest[0] in "–—-|" or _CLOCK.match(rest) is not None
    return Dateline(issued, None, after, bool(update)) if alone else None


def _without_time(lead: str) -> tuple[str, bool]:
    """What stands before a date, without weekday and time, and whether a weekday was there."""
    weekday = False
    edges = " ,:–—-([|"
    while True:
        lead = lead.strip(edges)
        shorter = _WEEKDAY.sub("", lead)
        weekday = weekday or shorter != lead
        shorter = _TIME_BEFORE.sub("", _TIME.sub("", shorter))
        shorter = re.sub(r"^on$", "", shorter, flags=re.I)
        if shorter == lead:
            return lead, weekday
        lead = shorter


def _date_of(match: re.Match[str], language: Language) -> date | None:
    parts = {
        name: re.sub(r"\s", "", value)
        for name, value in match.groupdict().items()
        if value is not None
    }
    if match.re is _SPELT_VI:
        parts = {name: value.translate(_LETTER_DIGITS) for name, value in parts.items()}
    day, year = int(parts["day"]), int(parts["year"])
    name = parts["month"].lower()
    if name.isdigit():
        month = int(name)
    else:
        month = _MONTHS.index(name[:3].replace("0", "o").replace("1", "l")) // 4 + 1
    if parts.get("sep", ".") != "." and language != "vi" and day != month and day <= 12:
        if month <= 12:
            return None
        day, month = month, day
    if "sep" in parts and month > 12 and language != "vi":
        day, month = month, day
    try:
        return date(year, month, day) if 1900 <= year <= 2100 else None
    except ValueError:
        return None


# ---------------------------------------------------------------------------------------------
# Places

_PLACE_SMALL = re.compile(r"of|the|de|la|on|thành|phố|tỉnh|thị|xã|huyện|quận|phường")
_NO_PLACE = re.compile(
    r"\b(?:date|updated?|posted|published|release[ds]?|embargo(?:ed)?|news|press|media|statement|"
    r"correct(?:ion|ed)|note|notice|background|advisory|alert|summary|new|breaking|exclusive|"
    r"press|video|photos?|contact|effective|deadline|ngày|từ|đến|cập nhật|thứ)\b",
    re.I,
)
_PLACE_LINE = re.compile(
    r"\(?(?P<place>[^\W\d_][^–—:;()\n]{1,58}?)\)?"
    r"(?:,?\s+(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d{1,2})?"
    r"\s*(?:–|—|--|(?<=\s)-(?=\s))\s*(?=[\"“'‘(]?[^\W\d_a-z])"
)


def is_place(text: str) -> bool:
    """Whether a text can be the name of a place: few words, each with a capital."""
    words = re.findall(r"[^\s,]+", text)
    return (
        len(text) <= 60
        and 1 <= len(words) <= 7
        and not re.search(r"[\d:;!?]|[.]\s+[A-ZĐ]\w{3}", text)
        and words[0][0].isupper()
        and all(word[0].isupper() or _PLACE_SMALL.fullmatch(word) is not None for word in words)
        and _NO_PLACE.search(text) is None
    )


def leading_place(text: str) -> tuple[str, int] | None:
    """The place of a paragraph that opens with a place and a dash, and the offset after the dash.

    `OTTAWA — …` and `Ottawa, ON – …`, the date being elsewhere; a mere word before a dash is none.
    """
    match = _PLACE_LINE.match(text)
    if match is None or len(text) - match.end() < 60 or text[match.end()].islower():
        return None
    place = match["place"].strip(" ,")
    first, comma, rest = place.partition(",")
    letters = [char for char in first if char.isalpha()]
    capitals = len(letters) > 3 and not any(char.islower() for char in letters)
    region = bool(comma) and len(rest.split()) <= 3 and len(first.split()) <= 3
    return (place, match.end()) if is_place(place) and (capitals or region) else None


# ---------------------------------------------------------------------------------------------
# Numbers

_CORE = (
    r"(?P<digits>[\dOoIl|][\dOoIl| ]{0,6}[a-zA-Z]?)(?P<rest>(?:\s*/\s*\d{4}(?=\s*/))?\s*/\s*"
    r"[^\W\d_][\w&]*(?:-[\w&]+|\s?[-–—]\s?[A-ZĐ]{2}[\w&]*|/[\w&]+)*)"
)
_PARTY = r"(?P<party>\d{1,5}\s?[-–]\s?[A-ZĐ]{2,6}/[A-ZĐ]{2,8}[\w-]*)"
_VI = re.compile(rf"(?:{_CORE}|{_PARTY})")
_VI_LEAD = re.compile(
    r"\W*(?:(?:van ban|thong cao(?: bao chi)?|thong bao)\s+)?"
    r"(?:s[o0](?:/ky hieu)?(?:\s+(?:hieu|ky hieu))?|s6(?=\s*[:.]))\s*[:.;]?\s*"
)
"""On text without accents."""
_VI_BLANK = re.compile(r"\W*số\s*[:.]?[\s….]*(/\s*[A-ZĐ][\w&]*(?:\s*-\s*[A-ZĐ]+[\w&]*)*)", re.I)
_RELEASE_WORDS = (
    r"(?:(?:press|news|media|public)\s+)?"
    r"(?:release|statement|notice|note|communiqu[eé]|advisory|bulletin|announcement)"
)
_VALUE = r"(?P<value>[A-Za-z0-9][\w./-]*)"
_EN_NAMED = re.compile(
    rf"\W*(?:[a-z]+\s+)?{_RELEASE_WORDS}\s*[:,–-]?\s*"
    rf"(?:no\b|number\b|nr\b|#|id\b|ref(?:erence)?\b)\.?\s*(?:no\b\.?|number\b)?\s*[:.]?\s*{_VALUE}",
    re.I,
)
_EN_BARE = re.compile(
    rf"\W*(?:no\b|number\b|nr\b|#|(?:our\s+)?ref(?:erence)?\b)\.?\s*(?:no\b\.?|number\b)?\s*[:.]?\s*"
    rf"{_VALUE}(?P<tail>.*)",
    re.I | re.S,
)
_EN_DIRECT = re.compile(rf"\W*(?:[a-z]+\s+)?{_RELEASE_WORDS}\s*[:–-]?\s*{_VALUE}\W*", re.I)
_CODED = re.compile(r"(?=.*\d)[A-Za-z0-9]+(?:[./-][A-Za-z0-9]+)+|[A-Z]{1,6}\d{2,}|\d{5,}")


def number_of(text: str) -> tuple[str, list[str]] | None:
    """The number that a line states and the organ codes in it; None when it states none."""
    lead = _VI_LEAD.match(unaccented(text))
    if lead:
        found = _VI.match(text, lead.end())
        if found:
            number = _vietnamese(found)
            return number, re.split(r"[-/]", number)[1:]
    named = _EN_NAMED.match(text)
    if named and re.search(r"\d", named["value"]):
        return _english(named["value"]), []
    bare = _EN_BARE.match(text)
    if bare and re.search(r"\d", bare["value"]) and _is_tail(bare["tail"]):
        return _english(bare["value"]), []
    if lead:
        plain = re.compile(r"\d[\w./-]*").match(text, lead.end())
        if plain and _is_tail(text[plain.end() :]):
            return plain.group().rstrip(".-/"), []
    direct = _EN_DIRECT.fullmatch(text)
    if direct and _CODED.fullmatch(direct["value"]) and not _is_date(direct["value"]):
        return _english(direct["value"]), []
    return None


def blank_number(text: str) -> list[str] | None:
    """The organ codes of a number whose digits were left open; None when it is no such line."""
    match = _VI_BLANK.match(text)
    return re.split(r"[-/]", re.sub(r"\s+", "", match.group(1)))[1:] if match else None


def _vietnamese(match: re.Match[str]) -> str:
    if match["party"]:
        return re.sub(r"\s+", "", match["party"]).replace("–", "-")
    digits = re.sub(r"\s+", "", match["digits"])
    digits = re.sub(r"[oO]", "0", re.sub(r"[Il|]", "1", digits))
    return digits + re.sub(r"[–—]", "-", re.sub(r"\s+", "", match["rest"]))


def _english(value: str) -> str:
    value = value.rstrip(".-/")
    # Between digits, a letter that looks like one is one.
    value = re.sub(r"(?<![A-Za-z])[lI](?=\d)|(?<=\d)[lI](?![A-Za-z])", "1", value)
    return re.sub(r"(?<=\d)[oO](?=\d)", "0", value)


def _is_tail(text: str) -> bool:
    """What may follow a number on its line: nothing, a date, or something set off from it."""
    return re.match(r"\s*$|\s*[,;|()–—]|\s+-\s|\s*\.\s*$|\s+(?:of|dated|on)\s", text) is not None


def _is_date(value: str) -> bool:
    return any(pattern.fullmatch(value) for pattern in _DATES)


# ---------------------------------------------------------------------------------------------
# Labels

_LABELS = (
    (
        "issuer",
        r"from|issued by|published by|released by|issuing (?:office|authority|body|agency)|"
        r"organi[sz]ation|cơ quan (?:ban hành|phát hành|công bố)|"
        r"đơn vị (?:ban hành|phát hành|công bố)|nơi ban hành",
    ),
    ("subject", r"subject|sub|re|v/v|về việc|trích yếu(?: nội dung)?|chủ đề"),
    ("signer", r"signed by|signatory|người ký|ký bởi"),
    ("title", r"title|headline|tiêu đề"),
    ("place", r"place of issue|nơi phát hành"),
    ("supersedes", r"replaces|supersedes|corrects|thay thế|đính chính"),
)
_LABELLED = tuple(
    (name, re.compile(rf"\W*(?:{words})\s*:\s*(?P<value>\S.*)", re.I | re.S))
    for name, words in _LABELS
)
_ABOUT = re.compile(r"\W*(?:v/v|về việc)\s*:?\s*(?P<value>\S.*)", re.I | re.S)


def labelled(text: str) -> tuple[str, str] | None:
    """The field that a line names and its value, as `From: …` and `V/v …` do."""
    about = _ABOUT.match(text)
    if about:
        return "subject", about["value"].strip(" .:;*_")
    for name, pattern in _LABELLED:
        match = pattern.match(text)
        if match:
            return name, match["value"].strip(" .:;*_")
    return None


# ---------------------------------------------------------------------------------------------
# What a release says it replaces

_ITS_KIND_VI = (
    r"(?:thong cao(?: bao chi)?|thong bao|thong tin bao chi|van ban|ban tin|cong van|cong bo|"
    r"bao cao|tin bao chi)"
)
_RELEASE_VI = r"(?:thong cao(?: bao chi)?|thong tin bao chi|tin bao chi)"
_CHANGES_VI = r"(?:thay the(?: cho)?|dinh chinh|cai chinh|huy bo|thu hoi|bai bo)"
_REPLACES_VI = rf"{_CHANGES_VI}\b(?!\s+(?:bang|boi)\b)[^.;\n]{{0,120}}?\b(?:%s)\s+s[o0]\s*[:.]?\s*"
_PASSIVE_VI = re.compile(r"\b(?:duoc|bi)\s+$")
_REPLACES_EN = re.compile(
    r"\b(?:replac(?:es|ing)|supersed(?:es|ing)|correct(?:s|ing)|withdraw(?:s|ing)|"
    r"cancel(?:s|l?ing)|retract(?:s|ing)|(?:correction|corrigendum|erratum|amendment)\s+(?:to|of|for)|"
    r"in\s+place\s+of)\b[^.;\n]{0,80}?\b"
    rf"{_RELEASE_WORDS}\s*(?:no\b|number\b|nr\b|#|id\b)?\.?\s*[:.]?\s*{_VALUE}",
    re.I,
)
_ITSELF_EN = re.compile(
    rf"\bthis\s+(?:\w+\s+)?{_RELEASE_WORDS}\b|\bthis\s+(?:version|correction)", re.I
)


def supersedes(
    text: str, kind: str | None, part: Literal["title", "opening", "body"]
) -> str | None:
    """The number of the release that a line says this one replaces, corrects or withdraws.

    News of one decree that replaces another does not count: in the title, what is replaced has to
    be some kind of release or of the same `kind` as this one; in the `opening` paragraphs a press
    release or of the same kind; in the rest of the body the line also has to speak of itself
    ("this release", "Thông báo này").
    """
    plain = unaccented(text)
    own = re.escape(unaccented(kind)) if kind else _RELEASE_VI
    itself = re.search(rf"\b(?:{_ITS_KIND_VI}|{own})\s+nay\b", plain)
    if part != "body" or itself:
        wide = part == "title" or itself
        kinds = f"{_ITS_KIND_VI if wide else _RELEASE_VI}|{own}"
        for match in re.finditer(_REPLACES_VI % kinds, plain):
            number = _leading_number(text[match.end() :])
            if number and not _PASSIVE_VI.search(plain[: match.start()]):
                return number
    if part != "body" or _ITSELF_EN.search(text):
        for match in _REPLACES_EN.finditer(text):
            if re.search(r"\d", match["value"]) and not _is_date(match["value"]):
                return _english(match["value"])
    return None


def stated_number(text: str) -> str | None:
    """The number that a labelled value begins with or names, as in `Replaces: PR 24-015`."""
    found = number_of(text)
    return found[0] if found else _leading_number(text)


def _leading_number(text: str) -> str | None:
    number = _VI.match(text)
    if number:
        return _vietnamese(number)
    plain = re.match(r"(?=[A-Za-z./-]{0,8}\d)[\w./-]+", text)
    return _english(plain.group()) if plain else None
