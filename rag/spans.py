"""The spans of a sentence that could be a short answer: figures, names, agencies, places, lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag import figures
from rag.language import bare, words
from rag.question import Question, Want
from rag.schema import Figure
from rag.tables import CELL


@dataclass(frozen=True, slots=True)
class Span:
    """A possible short answer within a sentence."""

    start: int
    end: int
    """In the passage."""
    kind: Want
    figure: Figure | None


_KINDS: dict[str, frozenset[Want]] = {
    "money": frozenset({"money", "quantity"}),
    "percent": frozenset({"percent", "quantity"}),
    "multiple": frozenset({"multiple", "percent", "quantity"}),
    "ratio": frozenset({"count", "quantity", "percent"}),
    "count": frozenset({"count", "quantity"}),
    "measure": frozenset({"count", "quantity"}),
    "rate": frozenset({"count", "quantity"}),
    "number": frozenset({"count", "quantity"}),
    "date": frozenset({"date"}),
    "period": frozenset({"date"}),
}
UPPER = "A-ZÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬÈÉẺẼẸÊỀẾỂỄỆÌÍỈĨỊÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢÙÚỦŨỤƯỪỨỬỮỰỲÝỶỸỴĐ"
_CAP = (
    rf"(?:(?:Chính phủ|Quốc hội|Thủ đô|Thủ tướng|Thành phố|Trung ương|Nhà nước|Thành ủy|Tỉnh ủy|"
    rf"Đại hội|Bí thư|Chủ tịch|Hội đồng|Ủy ban|Đảng bộ|Ngân hàng|Mặt trận)\b|[{UPPER}][^\W\d_]*)"
)
_VI_SURNAME = (
    "Nguyễn|Trần|Lê|Phạm|Hoàng|Huỳnh|Phan|Vũ|Võ|Đặng|Bùi|Đỗ|Hồ|Ngô|Dương|Lý|Đinh|Đoàn|Trương|Mai|"
    "Lâm|Trịnh|Đào|Hà|Chu|Cao|Tạ|Thái|Tô|Lương|Quách|Nông|Hứa|La|Kiều|Lưu|Vương|Tống|Phùng|Nghiêm|"
    "Châu|Quàng|Lò|Vi|Tăng|Từ|Giáp|Triệu|Khuất|Bạch|Doãn|Mạc|Thạch|Âu|Ông"
)
_PERSON = re.compile(
    rf"\b(?:{_VI_SURNAME})(?: {_CAP}){{1,4}}\b|"
    rf"(?:(?<=\bMr )|(?<=\bMs )|(?<=\bMr\. )|(?<=\bMs\. )|(?<=\bMrs\. )|(?<=\bDr\. )|(?<=\bDr ))"
    rf"{_CAP}(?:[ -]{_CAP}){{0,3}}"
)
_PERSON_LIKELY = re.compile(rf"\b{_CAP}(?: [A-Z]\.)?(?:[ -]{_CAP}){{1,2}}\b")
"""Capitalised words in a row: looked for only where no surname or title tells a person."""
_VI_PART = (
    rf"{_CAP}(?: (?:tế|dục|tạo|hoạch|tư|tải|thông|nguyên|trường|nghiệp|thôn|chính|vụ|hội|phố|án|sự|"
    rf"dân|sách|ngoại|hóa|thao|lịch|học|nghệ|binh|lao|động|ninh|phòng|bạc|hàng|nước|thuế|quan|kê|tra|ủy|"
    rf"tỉnh|quận|huyện|vực|dựng|thương|viện|công)\b)*"
)
_AGENCY = re.compile(
    rf"\b(?:Sở|Bộ|Ban|Cục|Tổng cục|Chi cục|Vụ|Viện|Ủy ban|Uỷ ban|UBND|HĐND|Hội đồng|"
    rf"Hội(?! nghị| thảo| nhập)|Công an|"
    rf"Văn phòng|Đảng bộ|Thành ủy|Tỉnh ủy|Chính phủ|Quốc hội|Ngân hàng|Quỹ|Trung tâm|Tập đoàn|"
    rf"Tổng công ty|Công ty|Liên đoàn|Mặt trận|Đoàn|Kho bạc|Bệnh viện|Trường|Phòng)\b"
    rf"(?: (?:tỉnh|thành phố|quận|huyện|dự án|quản lý)\b)*(?:(?:,| và| -)? {_VI_PART})*|"
    rf"\b(?:Ministry|Department|Office|Bureau|Agency|Committee|Commission|Council|Authority|Board|"
    rf"Administration|Institute|Bank|Centre|Center|Directorate|Treasury|Service)\b"
    rf"(?: (?:(?:of|for|and|on|the)\b|{_CAP}))*(?: {_CAP})?|"
    rf"\b(?:{_CAP} ){{1,5}}(?:Ministry|Department|Office|Bureau|Agency|Committee|Commission|"
    rf"Council|Authority|Board|Administration|Institute|Bank|Corporation|Trust)\b"
    rf"(?: (?:of|for) (?:the )?{_CAP}(?:,? (?:and )?{_CAP})*)?|"
    rf"\b[A-Z]{{2,6}}\b(?! (?!(?:19|20)\d\d\b)[\d.,]*\d)"
)
_PLACE = re.compile(
    rf"(?:(?<=\btại )|(?<=\bở )|(?<=\bat ))[^,;.()]{{2,60}}|"
    rf"(?:\b(?:tỉnh|thành phố|Thành phố|TP\.?|quận|huyện|thị xã|xã|phường|thị trấn|khu|tại|ở|"
    rf"in|at|near|of)\s+)?{_CAP}(?:[ -]{_CAP}){{0,4}}"
    rf"(?: (?:County|Province|District|City|State|Road|Street|Park|River))?"
)
_DOCUMENT = re.compile(
    rf"\b(?:Nghị quyết|Nghị định|Quyết định|Chỉ thị|Thông tư|Công văn|Công điện|Kế hoạch|Luật|"
    rf"Thông cáo|Chương trình|Thông báo|Tờ trình|Đề án|Văn bản)\b(?: số)?(?: [\w/.-]*\d[\w/.-]*)?"
    rf"(?: (?:ngày \S+|của {_CAP}(?: {_CAP})*|{_CAP}|[^\W\d_]+(?= \d)))*|"
    rf"\b(?:Resolution|Decree|Decision|Directive|Circular|Order|Act|Law|Regulation|Bill|Plan)\b"
    rf"(?: (?:No\.? ?)?[\w/.-]*\d[\w/.-]*)?|\b{_CAP}(?: {_CAP})* (?:Act|Law|Bill|Plan|Code)"
    rf"(?: \d{{4}})?\b|\b\d+/[\w/-]*[A-ZĐ][\w/-]*"
)
_AT = re.compile(r"(?:tại|ở|in|at|near|of)\s+", re.I)
"""What leads to a place and is no part of its name."""
_ITEM = r"[^,;:.()]{2,60}"
_NAMED = (
    rf"(?:(?:quận|huyện|thị xã|thành phố|xã|phường|tỉnh|Sở|Bộ|[a-z]+) )?"
    rf"{_CAP}(?:[ -](?:{_CAP}|(?:of|and|tế|phố)\b))*"
)
_NAMES = re.compile(
    rf"{_NAMED}(?:, {_NAMED})+(?:,? (?:và|and|or|&) {_NAMED})?|{_NAMED} (?:và|and) {_NAMED}"
)
_LIST = re.compile(rf"(?<=[:;,(“\"] )?{_ITEM}(?:, {_ITEM}){{1,12}}(?:,? (?:và|and|or|&) {_ITEM})?")
_PATTERNS: tuple[tuple[Want, re.Pattern[str]], ...] = (
    ("person", _PERSON),
    ("agency", _AGENCY),
    ("place", _PLACE),
    ("document", _DOCUMENT),
    ("list", _NAMES),
    ("list", _LIST),
)


def spans_of(
    question: Question,
    sentence: str,
    offset: int,
    quantities: Sequence[Figure],
) -> list[Span]:
    """The spans of a sentence that are of a wanted kind, in order; figures before other spans."""
    found: list[Span] = []
    for figure in quantities:
        fitting = wants_of(figure) & question.wants
        if not fitting and figure.unit is None and CELL in sentence:
            # The unit may stand elsewhere: over the table, or nowhere.
            fitting = question.wants & {"money", "percent", "multiple"}
        if fitting and not ("date" in fitting and _said(question, figure.text)):
            found.append(Span(figure.start, figure.end, sorted(fitting)[0], figure))
    for want, pattern in _PATTERNS:
        # Where nobody is named, an agency may be who did it.
        instead = want == "agency" and "person" in question.wants and not found
        if want not in question.wants and not instead:
            continue
        if want == "person" and sentence.isascii() and not pattern.search(sentence):
            pattern = _PERSON_LIKELY
        for match in pattern.finditer(sentence):
            start, end = trimmed(sentence, match.start(), match.end())
            if want == "place" and (before := _AT.match(sentence, start, end)):
                start = before.end()
            if end <= start or (want == "place" and start == 0 and " " not in match.group()):
                # A word is capitalised at the start of any sentence.
                continue
            found.append(Span(offset + start, offset + end, want, None))
    return _telling(question, sentence, offset, found)


def wants_of(figure: Figure) -> frozenset[Want]:
    """What a figure may answer; a price or an interest rate is money or a share as well."""
    kinds = _KINDS[figures.kind(figure)]
    if figures.kind(figure) == "rate":
        kinds |= _KINDS[figures.kind(figures.numerator(figure))] & {"money", "percent"}
    return kinds


def _telling(question: Question, sentence: str, offset: int, found: list[Span]) -> list[Span]:
    """Spans that tell something: not a part of an agency's name, nor what the question says itself.

    When nothing else is left, all stay.
    """
    agencies = [(span.start, span.end) for span in found if span.kind == "agency"]
    asked = {bare(word) for word, _, _ in words(question.text)}
    kept = []
    for span in found:
        if span.kind == "place" and any(
            start <= span.start and span.end <= end for start, end in agencies
        ):
            continue
        text = sentence[span.start - offset : span.end - offset]
        if span.kind == "document" and not re.search(rf"\d|\s[{UPPER}]", text):
            continue
        own = [bare(word) for word, _, _ in words(text)]
        if span.figure is None and own and all(word in asked for word in own):
            continue
        if span.figure is not None and any(
            figures.same(span.figure, figure) for figure in question.figures
        ):
            continue
        kept.append(span)
    return kept or found


def _said(question: Question, text: str) -> bool:
    """Whether a question names a date itself."""
    there = {bare(word) for word, _, _ in words(question.text)}
    return all(bare(word) in there for word, _, _ in words(text))


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A stretch of a text without white space and punctuation at its ends."""
    while start < end and (text[start].isspace() or text[start] in "-–,;:“\"'("):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in "-–,;:.”\"'"):
        end -= 1
    return start, end


def kind_fit(question: Question, span: Span) -> float:
    """How exactly the kind of a span is what the question asks for, 0.3 to 1."""
    if "list" in question.wants:
        return 1.0 if span.kind == "list" else 0.5
    exact = question.wants - {"quantity", "text"}
    if question.change and "percent" in exact and span.kind in ("money", "count"):
        # How much something grew is mostly told as a share.
        return 0.7
    if span.kind == "percent" and exact == set() and not question.change:
        return 0.6
    if span.kind not in exact and "quantity" not in question.wants:
        return 0.3
    return 1.0 if span.kind in exact or not exact else 0.5
