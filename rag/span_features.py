"""What speaks for a span of a sentence: what is said of it, its time, its kind, and the like.

The scope of a span reaches from the span before it to the next comma or bracket after it, and fades
over the scopes before it. What the features are stands at `span_features`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

import numpy as np

from rag import figures, tables
from rag.embedding import Compared, Vector
from rag.expected import FIGURES, KINDS, kind_of
from rag.language import bare, fold, stem, words
from rag.opposites import opposed
from rag.period import bound, fit, fit_of, mentioned, resolved
from rag.question import Question, in_words_of, is_function_word
from rag.respective import respective
from rag.retrieve import Asked, Candidate, Told, told_by
from rag.schema import Evidence, Figure, Language, Release
from rag.spans import UPPER, Span, kind_fit

SPAN_FEATURES = (
    "kind", "chain", "own_words", "chain_words", "back", "noun", "period", "base", "change",
    "asked", "order", "before", "after", "aim", "limit", "sort", "clause", "told", "column",
    "row", "against", "counting", "part", "owner", "negated", "contrary", "pointer", "expected",
)  # fmt: skip
_SHARED = [
    SPAN_FEATURES.index(name)
    for name in ("chain", "own_words", "chain_words", "back", "before", "clause", "told")
]


@dataclass(frozen=True, slots=True)
class Weighed:
    """A span with the reasons for and against it."""

    span: Span
    features: Vector
    """(len(SPAN_FEATURES),)"""
    score: float


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a candidate passage, weighed."""

    candidate: Candidate
    start: int
    end: int
    """In the passage."""
    features: Vector
    """(len(SENTENCE_FEATURES),)"""
    score: float
    figures: tuple[Figure, ...]
    """All its figures; offsets are the passage's."""
    spans: tuple[Span, ...]
    """The possible short answers of the wanted kinds."""
    compared: Compared | None = None
    """What the cross-encoder makes of it; None when it was not read."""
    names: tuple[int, int] | None = None
    """For a row of a table: where in the release the names of its columns stand."""

    @property
    def reader(self) -> float:
        """The cross-encoder's log-odds over 8, cut to -1..1; 0 when it was not read."""
        return _cut(self.compared.relevance) if self.compared else 0.0

    @property
    def nothing(self) -> float:
        """Its log-odds that no part is the answer, over 8, cut to -1..1; 0 when it was not read."""
        return _cut(self.compared.nothing) if self.compared else 0.0

    @property
    def text(self) -> str:
        """The sentence as printed."""
        return self.candidate.passage.text[self.start : self.end]

    @property
    def release_start(self) -> int:
        """Where the sentence starts in the release's text."""
        return self.candidate.passage.start + self.start

    def as_evidence(self) -> Evidence:
        """The public value, offsets in the release."""
        passage = self.candidate.passage
        return Evidence(
            release_id=passage.release_id,
            passage_id=passage.id,
            start=passage.start + self.start,
            end=passage.start + self.end,
            quote=self.text,
            score=self.score,
            figures=tuple(moved(figure, passage.start) for figure in self.figures),
        )


def _cut(odds: float) -> float:
    return max(-1.0, min(1.0, odds / 8))


def moved(figure: Figure, by: int) -> Figure:
    """A figure with its offsets counted from elsewhere."""
    return replace(figure, start=figure.start + by, end=figure.end + by)


_ABOUT = r"(?:about|nearly|almost|over|around|some|more than|khoảng|gần|hơn|trên)"
_BREAK = re.compile(
    r"[,;()–]|\s-\s|\.\s|\b(?:và|nhưng|còn|and|but|while|whereas)\b|"
    rf"\b(?:through|to)\s+(?:{_ABOUT}\s+)?$"
)
_ASIDE = re.compile(rf"\s*\((?:tương đương\s+|or\s+|equal to\s+)?(?:{_ABOUT}\s+)?$")
"""Between a figure and the same in another unit."""
_GOES_ON = re.compile(r"\)\s+(?!(?:và|nhưng|còn|and|but|while|whereas)\b)(?=\w)")
"""The end of brackets that stand between a figure and the words on it."""
_CHANGE_WORD = re.compile(
    r"(?:tăng|giảm|bớt|(?<!thâm )(?<!thiếu )(?<!hao )hụt|nhích|sụt|tụt|vọt|tăng trưởng|"
    r"cao hơn|thấp hơn|nhiều hơn|ít hơn|thêm|increase[sd]?|"
    r"decrease[sd]?|rose|rise[ns]?|rising|grew|grow[ns]?|growing|growth|fell|falls?|fallen|falling|"
    r"(?<!ma[dk]e )(?<!makes )(?<!making )(?<!brought )(?<!set )(?<!broken )(?:up|down)|"
    r"declined?|dropped|gain(?:ed)?|"
    r"higher|lower|climbed|surged|jumped|expanded|contracted|shrank|reduction)"
    r"(?: (?:by|of|khoảng|thêm|gần|hơn|trên|about|nearly|over|around|an?|estimated|ước))*\s*$",
    re.I,
)


def span_features(asked: Asked, sentence: Sentence, weigh: Callable[[str], float]) -> list[Vector]:
    """The features of each span of a sentence, in the order of `sentence.spans`.

    `kind`: how exactly the kind fits; `chain`: late interaction with the span's scope and, fading,
    the scopes before it; `own_words`: share of the question's words (or the glossary's wordings of
    them) in its scope, `chain_words`: and, fading, in those before it; `back`: how much of the
    scope speaks of something in the question; `noun`: the question names the unit or noun;
    `period`: 1 the time asked for, -1 another; `base`: 1 when it is compared with what was asked,
    -1 when not; `change`: 1 when level or change is as asked, -1 when not; `asked`: share of the
    span that the question already says; `order`: -0.1 per earlier span; `before`, `after`: how near
    the question's words stand; `aim`: 1 for what is planned or required when that is asked for, -1
    when not; `limit`: 1 for the end or the beginning as asked, -1 for the other; `sort`: 1 for a
    document, agency or place of the sort asked for, -1 for another; `clause`, `told`: share of the
    question's words said in its clause, and in its own scope only; `column`: the same for a table's
    header; `row`: in a row of figures that belongs to a row of names (`rag.respective`), how much
    more its own name is asked about than any other, -1 to 1; `against`: 1 for a rate measured
    against the plan or against former times as asked, -1 for the other; `counting`: 1 for a total
    with or without some part as asked, -1 for the other; `part`: 1 for what is told as a part of a
    whole ("640 of the 1,800 houses"), -1 for that whole; `owner`: 1 when the name that it is told
    of is one that was asked about, -1 when it is another and the one asked about has figures of its
    own; `negated`: -1 when its clause says that something is not so and the question does not, 1
    when both do; `contrary`: -1 when its scope says the opposite of a term of the question
    (`rag.opposites`); `pointer`: the cross-encoder's
    log-probability of the span over 12, at least -1; `expected`: how likely an answer of its kind
    is by the question's words (`rag.expected`).
    `weigh` gives how rare a term is.
    """
    question, passage = asked.question, sentence.candidate.passage
    language = sentence.candidate.release.language
    told = told_by(passage, sentence.candidate.release)
    marks = _marks(sentence)
    printed = {stem(word) for word, _, _ in words(sentence.text)}
    content = _content(question, language, sentence.text)
    wanted = _wanted_words(question, language, content) & printed
    units = _units(question, language, weigh, content)
    located = _located(units, sentence.text, sentence.start)
    located += _stated(question, sentence, weigh)
    pulls = _pulls(sentence, located, marks)
    clauses = _clauses(passage.text, sentence)
    scopes = [_scope(passage.text, sentence, marks, span) for span in sentence.spans]
    told_here = _telling(located, scopes, marks, sentence)
    header = header_of(sentence)
    columns = _columns(units, header)
    cells = [cell_of(sentence, header, span) for span in sentence.spans]
    over = [header[cell] if header else "" for cell in cells]
    periods, beside = _period_fits(question, sentence, told, scopes, over)
    rows = _row_fits(asked, sentence, told, located)
    parts = _part_fits(question, sentence)
    owners = _owner_fits(question, sentence)
    out: list[Vector] = []
    for number, span in enumerate(sentence.spans):
        before, tail, after = scopes[number]
        cell = cells[number]
        own = [(before, tail, 1.0)]
        chain = _chain(sentence, marks, before, tail)
        out.append(
            np.array(
                [
                    kind_fit(question, span),
                    _local(asked, sentence, chain, span),
                    _words_in(passage.text, wanted, own, span),
                    _words_in(passage.text, wanted, chain, span),
                    _back(sentence, chain, span),
                    _noun_fit(question, sentence, span),
                    periods[number],
                    _base_fit(question, sentence, told, span, after),
                    _change_fit(
                        question,
                        span,
                        passage.text[max(sentence.start, before) : span.start],
                        passage.text[span.end : after],
                    ),
                    _asked_share(question, passage.text[span.start : span.end]),
                    -0.1 * number,
                    *pulls[number],
                    _aim(
                        question,
                        span,
                        passage.text[max(sentence.start, span.start - 90) : span.start],
                        passage.text[span.end : after],
                    ),
                    _limit(question, passage.text[sentence.start : span.start]),
                    _sort(question, passage.text[span.start : span.end], span),
                    _in_clause(located, clauses, span),
                    told_here[number],
                    columns[cell] if header else 0.0,
                    rows[number],
                    _against(question, span, passage.text[span.end : after]),
                    _counting(question, sentence, span),
                    parts[number],
                    owners[number],
                    _negated(question, sentence, span),
                    -float(opposed(question.text, passage.text[before : max(tail, span.end)])),
                    _pointer(sentence, span),
                    likelihood(question, span),
                ],
                np.float32,
            )
        )
    for number, other in enumerate(beside):
        if other is not None:
            # What is said of a figure is said of the one that it is compared with.
            out[number][_SHARED] = np.maximum(out[number][_SHARED], out[other][_SHARED])
    return out


def _row_fits(
    asked: Asked, sentence: Sentence, told: Told, located: Sequence[_Located]
) -> list[float]:
    """Per span: how much more its own name in a row of names is asked about than any other."""
    fits = [0.0] * len(sentence.spans)
    at = sentence.start
    inside = {(one.start - at, one.end - at) for one in sentence.figures if is_quantity(one)}
    total = sum(one.weight for one in located)
    tokens = sentence.candidate.encoded.spans
    for pairs in respective(sentence.text, sorted(inside)):
        said = []
        for (start, end), _ in pairs:
            start, end = start + at, end + at
            words_said = sum(
                one.weight for one in located if any(start <= a and b <= end for a, b in one.places)
            )
            times = [m.period for m in told.mentions if start <= m.start < end]
            said.append(
                (words_said / total if total > 0 else 0.0)
                + sentence.candidate.late(asked, (tokens[:, 0] < end) & (tokens[:, 1] > start))
                + max((fit(asked.question.periods, time) for time in times), default=0.0)
            )
        for number, span in enumerate(sentence.spans):
            for nth, (_, (start, end)) in enumerate(pairs):
                if span.start < end + at and span.end > start + at:
                    rest = max(said[:nth] + said[nth + 1 :])
                    fits[number] = max(-1.0, min(1.0, said[nth] - rest))
    return fits


_OF_PLAN = re.compile(
    r"\s*(?:so với |của |of |the )*(?:[^\W\d_]+ ){0,3}(?:dự toán|kế hoạch|chỉ tiêu|mục tiêu|plan|"
    r"target|estimates?|goal|forecast)\b",
    re.I,
)
_OF_FORMER = re.compile(
    r"\s*(?:so với |so |với |compared with |compared to |on |from |over |of |than |the )*"
    r"(?:[^\W\d_]+ ){0,2}(?:cùng kỳ|năm trước|năm ngoái|năm \d{4}|tháng trước|quý trước|"
    r"same (?:period|quarter|month)|(?:a )?year (?:earlier|before|ago)|last year|previous year)\b",
    re.I,
)
_ASKS_PLAN = re.compile(
    r"\b(?:ke hoach|chi tieu|muc tieu|du toan|duoc giao|plan(?:ned)?|targets?|estimates?|goals?|"
    r"forecasts?|budgeted)\b"
)
_ASKS_FORMER = re.compile(
    r"\b(?:cung ky|nam truoc|nam ngoai|last year|year (?:earlier|before|ago)|previous year|"
    r"same (?:period|quarter|month))\b"
)


def _against(question: Question, span: Span, behind: str) -> float:
    """1 for a rate measured against the plan or former times as asked, -1 for the other."""
    if span.figure is None or figures.kind(span.figure) != "percent":
        return 0.0
    plan, former = bool(_OF_PLAN.match(behind)), bool(_OF_FORMER.match(behind))
    asks_plan = bool(_ASKS_PLAN.search(question.plain))
    asks_former = question.base is not None or bool(_ASKS_FORMER.search(question.plain))
    if plan == former or asks_plan == asks_former:
        return 0.0
    return 1.0 if plan == asks_plan else -1.0


_COUNTED_OUT = re.compile(
    r"\b(?:(?:khong|chua) (?:ke|tinh|gom|bao gom)|excluding|exclusive of|(?:not|without|before) "
    r"(?:count|includ)ing|leaving (?:out|aside)|net of|apart from|loai tru|"
    r"bo (?:phan|khoan|tien)\b.{0,30}\bra)\b"
)
_COUNTED_IN = re.compile(
    r"\b(?:(?:tinh|ke|gom) (?:ca|them)|including|inclusive of|counting|(?:is|are|when) included)\b"
)


def _counted_with(plain: str) -> int:
    """1 when words without diacritics count some part in, -1 when they leave it out, else 0."""
    if _COUNTED_OUT.search(plain):
        return -1
    return int(bool(_COUNTED_IN.search(plain)))


def _counting(question: Question, sentence: Sentence, span: Span) -> float:
    """1 for a total with some part, or without it, as asked, -1 for the other.

    Where only the clause of another figure says which it is, this one is of the other sort. What
    would be with some part ("nếu tính cả …") is not what is asked for without a word on it, and
    the part itself is no total.
    """
    asked = _counted_with(question.plain)
    if not _counted_with(bare(sentence.text)):
        return 0.0
    clause = bare(_clause_of(sentence, span))
    own = _counted_with(clause)
    if not asked:
        return -1.0 if own > 0 and re.match(r"\s*(?:neu|if)\b", clause) else 0.0
    head = bare(sentence.text[: span.start - sentence.start])
    if re.search(rf"{_COUNTED_IN.pattern}\s*$", head):
        return -1.0
    if own:
        return float(asked * own)
    others = {
        _counted_with(bare(_clause_of(sentence, other)))
        for other in sentence.spans
        if other.end <= span.start or other.start >= span.end
    }
    told = others - {0}
    return float(-asked * told.pop()) if len(told) == 1 else 0.0


_ALL = re.compile(
    r"\b(?:tong (?:so|cong)|tat ca|toan bo|ca thay|total|altogether|in all|overall|all told|"
    r"phai|thuoc dien|can (?:duoc|phai)|planned|eligible|du kien)\b"
)
"""Asks for the whole rather than for a part of it."""


def _part_fits(question: Question, sentence: Sentence) -> list[float]:
    """Per span: 1 for a part of a whole, -1 for that whole; the reverse when all is asked for."""
    text = sentence.candidate.passage.text
    pairs = [
        ((part.start, part.end), (whole.start, whole.end))
        for part, whole in pairwise(filter(is_quantity, sentence.figures))
        if _is_of(text, part, whole)
    ]
    sign = -1.0 if _ALL.search(question.plain) else 1.0
    fits = [0.0] * len(sentence.spans)
    for number, span in enumerate(sentence.spans):
        if span.figure is None or not is_quantity(span.figure):
            continue
        for pair in pairs:
            inside = [span.start < end and start < span.end for start, end in pair]
            if any(inside):
                fits[number] = sign if inside[0] else -sign
                break
    return fits


_NAME = re.compile(rf"(?<!\w)[{UPPER}][\w’'-]*(?:\s+[{UPPER}][\w’'-]*)*")
_NO_NAMES = frozenset(
    """january february march april may june july august september october november december monday
    tuesday wednesday thursday friday saturday sunday""".split()
)
_SORTS_OF_NAMES = frozenset(
    map(fold, "tỉnh huyện xã quận phường thành phố thị trấn bệnh viện the in at of on by".split())
)
"""Words of a name that a question may leave out."""
_AT = re.compile(
    r"\s+(?:[^\W\d_]+\s+){0,2}?(?:in|at|on|of|ở|tại|của|thuộc|trên)"
    r"(?:\s+(?:the|[^\W\d_A-Z]+)){0,2}?\s+$"
)
"""Between a figure and the name behind it of which it is told."""


def _owner_fits(question: Question, sentence: Sentence) -> list[float]:
    """Per span: 1 when the name that it is told of was asked about, -1 when it is another one.

    Of the names before a figure it is the nearest one in its part of the sentence ("Nậm Tràu fell
    from 16 to 13, Khe Vọt from 17 to 15"), else one right behind it ("402 households in Vĩnh Lộc
    Hạ"). 0 where none of the names that were asked about has a figure.
    """
    fits = [0.0] * len(sentence.spans)
    if not question.names:
        return fits
    text = sentence.text
    named = []
    for match in _NAME.finditer(text):
        run = match.group()
        said = {fold(word) for word, _, _ in words(run)} - _SORTS_OF_NAMES
        mine = bool(said) and said <= set(question.names)
        # "COVID-19", "USD", "June" and the first word of a sentence own nothing.
        plain = run.isupper() or any(char.isdigit() for char in run) or said <= _NO_NAMES
        if mine or (said and not plain and (match.start() or len(said) > 1)):
            named.append((match.start(), match.end(), mine))
    if len({mine for _, _, mine in named}) < 2:
        return fits
    for number, span in enumerate(sentence.spans):
        start, end = span.start - sentence.start, span.end - sentence.start
        behind = next((one for one in named if one[0] >= end), None)
        if behind and not (span.figure and _AT.fullmatch(text, end, behind[0])):
            behind = None
        floor = max(text.rfind(";", 0, start), text.rfind("(", 0, start))
        ahead = [one for one in named if floor < one[1] <= start]
        owner = behind or (ahead[-1] if ahead else None)
        if owner:
            fits[number] = 1.0 if owner[2] else -1.0
    return fits if 1.0 in fits else [0.0] * len(fits)


_NOT = re.compile(
    r"\b(?:chưa(?! (?:đến|đầy|tới|kể|tính|gồm|bao gồm))|(?<!hàng )(?<!phòng )(?<!trên )không"
    r"(?! (?:khí|gian|quân|ít|chỉ|những|kể|tính|gồm|bao gồm|ngừng|dùng|phép|quá|dưới|hơn|vượt|"
    r"hoàn lại|chuyên|người lái))|"
    r"not(?! (?:only|including|counting|more|less|fewer|later|exceeding))|never|without|"
    r"no longer|yet to|failed to|unable|cannot|"
    r"\w+n['’]t)\b",
    re.I,
)
_ASKS_NOT = re.compile(
    r"\b(?:chưa|(?<!hàng )không|thiếu|còn|chờ|tồn|nợ|not|never|without|no longer|yet|fail\w*|"
    r"unable|cannot|lack\w*|remain\w*|left|outstanding|still|wait\w*|pending|missing|"
    r"un(?!it)\w+(?:ed|en|id)|\w+n['’]t)\b",
    re.I,
)
"""In a question; words for what is left tell that something is not done."""
_ASKS_NOT_UNMARKED = re.compile(r"\b(?:chua|khong|thieu|con lai)\b", re.I)
_PART = re.compile(r"[;()]|,(?!\d)|\.(?:\s|$)|\b(?:but|and|while|whereas|nhưng|và|còn)\b", re.I)
_OF_THESE = re.compile(
    r"\s*(?:nhiều nhất|trong đó|gồm|riêng|chủ yếu|of wh(?:ich|om)|including|most|mainly)\b", re.I
)
"""Goes on with what was said before the comma."""


def _negated(question: Question, sentence: Sentence, span: Span) -> float:
    """-1 when the clause of a span says that something is not so and the question does not."""
    text, start, end = sentence.text, span.start - sentence.start, span.end - sentence.start
    pieces = _PART.split(text[:start])
    head, tail = pieces[-1], re.split(rf"\d|{_PART.pattern}", text[end:])[0]
    if len(pieces) > 1 and _OF_THESE.match(head):
        # "1.158 hộ chưa nhận tiền, nhiều nhất là huyện Vĩnh Lộc Hạ với 402 hộ".
        head = f"{pieces[-2]} {head}"
    if not _NOT.search(f"{head} | {tail}"):
        return 0.0
    asked = question.text
    unmarked = asked.isascii() and _ASKS_NOT_UNMARKED.search(asked)
    return 1.0 if _ASKS_NOT.search(asked) or unmarked else -1.0


def _clause_of(sentence: Sentence, span: Span) -> str:
    """What a sentence says of a span up to the marks around it, and the brackets right behind it.

    Brackets with figures of their own are left out.
    """
    text, start, end = sentence.text, span.start - sentence.start, span.end - sentence.start
    head = re.split(r"[;()]|\.\s", text[:start])[-1]
    for other in sentence.spans:
        # Of two totals side by side each has the words behind it.
        if other.end <= span.start and sentence.start + start - len(head) < other.end:
            behind = re.split(r"\b(?:and|và|but|nhưng)\b", text[other.end - sentence.start : start])
            head = behind[-1] if len(behind) > 1 else head
    aside = re.match(r"\s*\([^()\d]*\)", text[end:])
    tail = aside[0] if aside else re.split(r"[;()\d]|\.(?:\s|$)|\b(?:and|và)\b", text[end:])[0]
    return f"{head} {tail}"


def likelihood(question: Question, span: Span | None) -> float:
    """How likely an answer of a span's kind is by the question's words, 0 to 1."""
    chances = dict(zip(KINDS, question.expected, strict=False))
    if span is None or span.figure is None:
        kind = span.kind if span else "text"
        return chances.get(kind if kind in KINDS else "text", 0.0)
    figure = span.figure
    if figure.unit is None:
        # What a bare number counts may stand elsewhere.
        return max((chances.get(kind, 0.0) for kind in FIGURES), default=0.0)
    return chances.get(kind_of(figure), 0.0)


def _pointer(sentence: Sentence, span: Span) -> float:
    if sentence.compared is None:
        return 0.0
    told = sentence.compared.pointer(span.start - sentence.start, span.end - sentence.start)
    return max(-1.0, told / 12)


@dataclass(frozen=True, slots=True)
class _Located:
    """Something of the question that a sentence says, and where."""

    weight: float
    places: tuple[tuple[int, int], ...]
    """In the passage."""


_ENDS = re.compile(
    r"\b(?:deadline|han (?:chot|cuoi|nop)|cham nhat|ket thuc|end(?:s|ed|ing)?|clos\w+|by when|"
    r"until|finish\w*|expir\w*|het han|latest)\b"
)
_BEGINS = re.compile(
    r"\b(?:bat dau|khoi cong|khai mac|start\w*|beg[aiu]n\w*|open\w*|launch\w*|"
    r"tu (?:ngay|khi) nao|since|from when)\b"
)
_TO = re.compile(
    r"\b(?:cham nhat|truoc|den|het|ket thuc|until|by|close[sd]?|no later than|end(?:s|ed)?|through|"
    r"to|hoan thanh)(?: (?:het|vao|on|at|the|ngay|thang|nam|\d{1,2} [ap]m|of))*$"
)
_FROM_TIME = re.compile(
    r"\b(?:tu|bat dau|ke tu|from|open(?:s|ed)?|start(?:s|ed)?|since|beg[ai]n(?:s|ning)?|launched)"
    r"(?: (?:vao|on|at|the|ngay|thang|nam))*$"
)


def _limit(question: Question, head: str) -> float:
    """1 for a date that is the end or the beginning as asked, -1 for the other of the two."""
    ends, begins = bool(_ENDS.search(question.plain)), bool(_BEGINS.search(question.plain))
    if "date" not in question.wants or ends == begins:
        return 0.0
    before = " ".join(bare(word) for word, _, _ in words(head[-40:]))
    last, first = bool(_TO.search(before)), bool(_FROM_TIME.search(before))
    if last == first:
        return 0.0
    return 1.0 if last == ends else -1.0


_SORTS: tuple[tuple[str, str], ...] = (
    (r"nghi quyet|resolution", r"nghi quyet|resolution"),
    (r"nghi dinh|decree", r"nghi dinh|decree"),
    (r"quyet dinh|decision", r"quyet dinh|decision"),
    (r"chi thi|directive", r"chi thi|directive"),
    (r"thong tu|circular", r"thong tu|circular"),
    (r"(?:du )?luat|law|act|bill", r"luat|law|.*\b(?:act|law|bill)"),
    (r"ke hoach|plan", r"ke hoach|.*\bplan"),
    (r"cong dien|cong van|dispatch|telegram", r"cong dien|cong van"),
    (r"so nao|department", r"so\b|.*\bdepartment"),
    (r"bo nao|ministry", r"bo\b|.*\bministry"),
    (r"(?<!co )quan nao|district", r"quan\b|.*\bdistrict|huyen\b"),
    (r"huyen nao", r"huyen\b|.*\bdistrict"),
    (r"tinh nao|province", r"tinh\b|.*\bprovince"),
    (r"county|counties", r".*\bcount(?:y|ies)"),
    (r"benh vien nao|hospital", r"benh vien|.*\bhospital"),
    (r"cong ty nao|company|firm", r"(?:tong )?cong ty|.*\b(?:company|corporation)"),
)
_ASKED_SORT = tuple((re.compile(rf"\b(?:{asked})\b"), re.compile(found)) for asked, found in _SORTS)


def _sort(question: Question, text: str, span: Span) -> float:
    """1 for a document, agency or place of the very sort that is asked for, -1 for another."""
    if span.figure is not None or "person" in question.wants:
        return 0.0
    wanted = [found for asked, found in _ASKED_SORT if asked.search(question.plain)]
    if not wanted:
        return 0.0
    plain = " ".join(bare(word) for word, _, _ in words(text))
    return 1.0 if any(found.match(plain) for found in wanted) else -1.0


@dataclass(frozen=True, slots=True)
class _Unit:
    """Something of the question that a text may say."""

    forms: tuple[tuple[str, ...], ...]
    """Its wordings as tuples of keys."""
    weight: float
    key: Callable[[str], str]
    """Gives the key of a word."""


def _units(
    question: Question,
    language: Language,
    weigh: Callable[[str], float],
    content: Sequence[str],
) -> list[_Unit]:
    """The question's words (`content`) and pairs of words, and the glossary's terms."""
    key = bare if question.unmarked and language == "vi" else stem
    wanted: dict[tuple[tuple[str, ...], ...], float] = {}
    if question.language == language:
        own = [word for word in content if bare(word) not in question.timed]
        keys = [key(word) for word in own]
        for number, word in enumerate(own):
            wanted[((keys[number],),)] = weigh(word)
            if number:
                wanted[((keys[number - 1], keys[number]),)] = weigh(f"{own[number - 1]} {word}")
    else:
        for word in question.content:
            if (word[0].isdigit() or word in question.names) and bare(word) not in question.timed:
                wanted[((key(word),),)] = weigh(word)
    for concept in question.concepts:
        forms = [tuple(key(word) for word, _, _ in words(form))
                 for form in concept.wordings(language)[:12]]  # fmt: skip
        rarest = max((weigh(part) for form in forms[:4] for part in form), default=0.0)
        if forms and not all(bare(part) in question.timed for part in forms[0]):
            wanted[tuple(forms)] = rarest
    return [_Unit(forms, max(weight, 0.1), key) for forms, weight in wanted.items()]


def _located(units: Sequence[_Unit], text: str, offset: int) -> list[_Located]:
    """Those of the units that a text says; places count from `offset`."""
    if not units:
        return []
    key = units[0].key
    said = [(key(word), offset + at, offset + end) for word, at, end in words(text)]
    found = []
    for unit in units:
        places = [
            (said[at][1], said[at + len(form) - 1][2])
            for form in filter(None, unit.forms)
            for at in range(len(said) - len(form) + 1)
            if all(said[at + step][0] == part for step, part in enumerate(form))
        ]
        if places:
            found.append(_Located(unit.weight, tuple(places)))
    return found


def _stated(
    question: Question, sentence: Sentence, weigh: Callable[[str], float]
) -> list[_Located]:
    """The figures that the question states itself, where the sentence has them."""
    found = []
    for asked in question.figures:
        places = [(one.start, one.end) for one in sentence.figures if figures.same(one, asked)]
        if places:
            found.append(_Located(weigh(asked.text), tuple(places)))
    return found


def said_of(sentence: Sentence, weighed: Weighed | None) -> list[tuple[int, int]]:
    """The pieces of a passage that speak of a span: what the sentence opens with, and its scope.

    The whole sentence when there is no span.
    """
    if weighed is None:
        return [(sentence.start, sentence.end)]
    span, marks = weighed.span, _marks(sentence)
    before, tail, _ = _scope(sentence.candidate.passage.text, sentence, marks, span)
    opening = min((start for start, _ in marks), default=sentence.end)
    return [(sentence.start, opening), (before, max(tail, span.end))]


def _marks(sentence: Sentence) -> list[tuple[int, int]]:
    """The quantities and spans of a sentence, in order."""
    return sorted(
        {(figure.start, figure.end) for figure in sentence.figures if is_quantity(figure)}
        | {(span.start, span.end) for span in sentence.spans}
    )


def _telling(
    located: Sequence[_Located],
    scopes: Sequence[tuple[int, int, int]],
    marks: Sequence[tuple[int, int]],
    sentence: Sentence,
) -> list[float]:
    """Per span: the share of what the sentence says of the question that its own scope says.

    What the sentence opens with is said of all its figures, and counts for none of them.
    """
    opening = min((start for start, _ in marks), default=sentence.end)
    total = sum(one.weight for one in located)
    said = [0.0] * len(scopes)
    for one in located:
        if any(end <= opening for _, end in one.places):
            continue
        for number, ((before, tail, _), span) in enumerate(
            zip(scopes, sentence.spans, strict=True)
        ):
            stop = max(tail, span.end)
            if any(start >= before and end <= stop for start, end in one.places):
                said[number] += one.weight / total
    return said


def with_units(
    found: Sequence[Figure], row: str, offset: int, release: Release, names: tuple[int, int]
) -> tuple[Figure, ...]:
    """The figures of a row of a table with the units over them; `found` count from the passage."""
    own = [moved(figure, -offset) for figure in found]
    over = release.text[slice(*names)]
    read = tables.with_units(own, row, over, language=release.language)
    return tuple(moved(figure, offset) for figure in read)


def header_of(sentence: Sentence) -> list[str]:
    """The names of the columns of the table that a row is in; empty outside of tables."""
    if sentence.names is None:
        return []
    return tables.columns(sentence.candidate.release.text[slice(*sentence.names)])


def cell_of(sentence: Sentence, header: Sequence[str], span: Span) -> int:
    """The number of the table's column that a span stands in; 0 outside of tables."""
    text = sentence.candidate.passage.text
    return min(text.count(tables.CELL, sentence.start, span.start), max(0, len(header) - 1))


def _columns(units: Sequence[_Unit], header: Sequence[str]) -> list[float]:
    """Per column: what stands over it of the question, as a share of the most over any."""
    said = [sum(one.weight for one in _located(units, cell, 0)) for cell in header]
    most = max(said, default=0.0)
    return [weight / most if most > 0 else 0.0 for weight in said]


def _clauses(text: str, sentence: Sentence) -> list[int]:
    """The number of the clause that each character of a sentence is in.

    Semicolons part clauses; what stands in brackets is one of its own.
    """
    numbers, open_brackets, current, last = [], [], 0, 0
    for char in text[sentence.start : sentence.end]:
        if char == "(":
            open_brackets.append(current)
            last += 1
            current = last
        elif char == ")" and open_brackets:
            numbers.append(current)
            current = open_brackets.pop()
            continue
        elif char == ";":
            last += 1
            current = last
        numbers.append(current)
    return [-1] * sentence.start + numbers


def _in_clause(located: Sequence[_Located], clauses: Sequence[int], span: Span) -> float:
    """Share of the located words' weight that is said in the span's own clause."""
    total = sum(one.weight for one in located)
    if total <= 0:
        return 0.0
    mine = clauses[span.start]
    return (
        sum(one.weight for one in located if any(clauses[start] == mine for start, _ in one.places))
        / total
    )


_GAP = 5.0
"""Words between a span and what is said of it at which that counts 1/e."""


def _gap(text: str, start: int, end: int, marks: Sequence[tuple[int, int]]) -> float:
    """How far apart two places are: words between them, marks and other figures counting more."""
    between = text[start:end]
    others = sum(start <= a and b <= end for a, b in marks)
    return (
        len(between.split())
        + 2 * len(re.findall(r"[,()–]|\s-\s", between))
        + 8 * between.count(";")
        + 4 * others
    )


def _pulls(
    sentence: Sentence, located: Sequence[_Located], marks: Sequence[tuple[int, int]]
) -> list[tuple[float, float]]:
    """Per span: how near the question's words stand before it and after it.

    Each a share of the weight of the words that the sentence has.
    """
    text = sentence.candidate.passage.text
    total = sum(one.weight for one in located)
    out = []
    for span in sentence.spans:
        before = after = 0.0
        for one in located:
            ahead = behind = 0.0
            for start, end in one.places:
                if end <= span.start:
                    gap = _gap(text, end, span.start, marks)
                    ahead = max(ahead, float(np.exp(-gap / _GAP)))
                elif start >= span.end:
                    gap = _gap(text, span.end, start, marks)
                    behind = max(behind, float(np.exp(-gap / _GAP)))
                elif span.figure is not None:
                    # The noun of a count is part of it.
                    behind = 1.0
            before += one.weight * ahead / total
            after += one.weight * behind / total
        out.append((before, after))
    return out


_AIM = re.compile(
    r"\b(?:kế hoạch|chỉ tiêu|mục tiêu|dự toán|định mức|quy chuẩn|kịch bản|dự kiến|yêu cầu|đề ra|"
    r"plan(?:s|ned)?|targets?|standards?|goals?|aims?|objectives?|forecasts?|projected|"
    r"estimates?(?! that\b)|"
    r"maximum|limit)\b[^\d;.,]{0,40}$",
    re.I,
)
_AIM_BEHIND = re.compile(
    r"(?: (?!than\b|as\b|hơn\b|với\b|vượt\b)[^\W\d_]+){0,1} "
    r"(?:planned|targeted|forecast|projected|theo kế hoạch)\b",
    re.I,
)
_ASKS_AIM = re.compile(
    r"\b(?:ke hoach|chi tieu|muc tieu|du toan|dinh muc|quy chuan|kich ban|du kien|duoc giao|"
    r"yeu cau|phan dau|se|(?<!phe )chuan(?! bi)|le ra|dat ra|required?|requires|meant|foreseen?|"
    r"plan\w*|targets?|standards?|goals?|aim\w*|objectives?|forecast\w*|"
    r"project(?:ed|ion)|estimates?|allot\w*|allocat\w*|will|should|expect\w*|intend\w*|want\w*|"
    r"supposed|due|limit|budgeted|du bao|maximum|toi da)\b"
)


def _aim(question: Question, span: Span, head: str, behind: str) -> float:
    """For a figure that is planned or required: 1 when that is asked for, -1 when not."""
    if not _AIM.search(head) and not _AIM_BEHIND.match(behind):
        return 0.0
    if _ASKS_AIM.search(question.plain):
        return 1.0
    # "When will it be done?" asks for a plan by itself.
    return 0.0 if span.figure and span.figure.unit in ("date", "period") else -1.0


def _scope(
    text: str, sentence: Sentence, marks: Sequence[tuple[int, int]], span: Span
) -> tuple[int, int, int]:
    """Where what is said of a span starts and ends, and where the next mark stands."""
    after = min((start for start, _ in marks if start >= span.end), default=sentence.end)
    start = _scope_start(text, sentence, marks, span.start)
    before = max((mark for mark in marks if mark[1] <= span.start), default=None)
    if before and _IN_BRACKETS.fullmatch(text, before[1], span.start):
        # "imports of 862 million (down 15.7%)": what is said of the one is said of the other.
        start = _scope_start(text, sentence, marks, before[0])
    inside = next((end for begin, end in marks if begin == after), None)
    shut = _shut(text, marks, inside) if inside else None
    if shut and _ASIDE.fullmatch(text, span.end, after):
        following = min((begin for begin, _ in marks if begin > shut), default=sentence.end)
        return start, _parting(text, shut, following), after
    return start, _parting(text, span.end, after), after


_IN_BRACKETS = re.compile(r"\s*\((?:[^\W\d_]+\s+){0,3}")
"""Between a figure and the first one in the brackets right behind it."""


def _scope_start(text: str, sentence: Sentence, marks: Sequence[tuple[int, int]], at: int) -> int:
    """Where what is said of the mark that begins at a place starts."""
    last = max((end for _, end in marks if end <= at), default=sentence.start)
    if last == sentence.start:
        return last
    # "150 tỷ đồng (khoảng 6,7 triệu USD) vay của ngân hàng và 96 tỷ đồng": the loan is of
    # the former.
    parting = _parting(text, _shut(text, marks, last) or last, at)
    # Without any break, the words between two figures are said of both.
    return parting if parting < at else last


def _shut(text: str, marks: Sequence[tuple[int, int]], end: int) -> int | None:
    """Behind the brackets of a figure that says again, in another unit, what stands before them.

    None when the mark that ends at `end` is no such figure, or when the words behind the brackets
    are not on it.
    """
    begin = max(start for start, stop in marks if stop == end)
    before = max((stop for _, stop in marks if stop <= begin), default=None)
    following = min((start for start, _ in marks if start >= end), default=len(text))
    if before is None or not _ASIDE.fullmatch(text, before, begin):
        return None
    if text.startswith("(", following - 1) or not _GOES_ON.match(text, end, following):
        # "the United States ($421 million), Japan ($267 million)": Japan is the latter's.
        return None
    return end + 1


def _parting(text: str, start: int, end: int) -> int:
    """Where the words between two figures part: at the last semicolon, else at the first break.

    A row of short words behind a figure is what it counts (`40 sở, ban, ngành, đơn vị, 30 …`): then
    they part at the last break.
    """
    if text.startswith(")", start):
        # "the United States ($421 million), Japan ($267 million)": Japan is the latter's.
        return start
    semicolon = text.rfind(";", start, end)
    if semicolon >= 0:
        return semicolon
    stops = list(_BREAK.finditer(text, start, end))
    if not stops:
        return end
    edges = [start, *(stop.end() for stop in stops)]
    parts = [text[edge : stop.start()].split() for edge, stop in zip(edges, stops, strict=False)]
    if len(parts) > 1 and all(len(part) <= 2 for part in parts):
        return stops[-1].start()
    return stops[0].start()


def _words_in(
    text: str, wanted: set[str], pieces: Sequence[tuple[int, int, float]], span: Span
) -> float:
    """Share of the wanted words in pieces of the text, each with a weight; the span left out."""
    if not wanted:
        return 0.0
    best: dict[str, float] = {}
    for start, end, weight in pieces:
        outside = f"{text[start : min(end, span.start)]} {text[max(start, span.end) : end]}"
        for word, _, _ in words(outside):
            key = stem(word)
            if key in wanted:
                best[key] = max(best.get(key, 0.0), weight)
    return sum(best.values()) / len(wanted)


def _back(sentence: Sentence, chain: Sequence[tuple[int, int, float]], span: Span) -> float:
    """Mean over the scope's tokens of their largest cosine with a token of the question.

    Where a span has no words of its own, as in brackets, the scope before it stands in.
    """
    candidate = sentence.candidate
    if not len(candidate.similarity):
        return 0.0
    starts, ends = candidate.encoded.spans[:, 0], candidate.encoded.spans[:, 1]
    outside = (ends <= span.start) | (starts >= span.end)
    for start, end, _ in chain:
        tokens = (starts < end) & (ends > start) & outside
        if tokens.any():
            return float(candidate.similarity[:, tokens].max(axis=0).mean())
    return 0.0


_OF_WHOLE = re.compile(
    r"\s+(?:(?:out )?of (?:the |its |their |all )?(?:[\w’']+ ){0,3}|trên (?:tổng )?(?:số )?|"
    r"trong (?:tổng số|tổng|số) )",
    re.I,
)
_OF_WHICH = re.compile(
    r"\b(?:of (?:which|whom|these|them)|including|trong (?:đó|số đó|số này)(?: có)?)\W*"
    r"(?:[^\W\d_]+ )?$",
    re.I,
)

_SAME_NOUN = re.compile(
    r"\s+(?:(?:to|lên|xuống|còn)|(?:and|và)\s+[^\W\d_]+)"
    r"(?:\s+(?:just|only|about|nearly|over|chỉ|còn|gần|hơn|khoảng|trên|the|a))*\s+",
    re.I,
)
"""Between a count with its noun and one without it."""


def _is_of(text: str, part: Figure, whole: Figure) -> bool:
    """Whether one figure is said to be a part of the one behind it.

    "640 of the 1,800 houses", "5 trong 14 khoản"; "5 tỷ đồng trong 14 tháng" is not.
    """
    if _OF_WHOLE.fullmatch(text, part.end, whole.start):
        return True
    counts = part.unit is None and figures.kind(whole) == "count"
    less = part.value is not None and whole.value is not None and part.value < whole.value
    return counts and less and text[part.end : whole.start].strip() == "trong"


def _lent_noun(sentence: Sentence, span: Span) -> str | None:
    """What a bare number counts: the noun of the whole that it is a part of, or of the one before.

    "412 of the state's 530 fire departments", "3,914 samples, of which 268 failed", "cut from 18
    days to 11", "kept 6,240 jobs and created 1,870".
    """
    text, figure = sentence.candidate.passage.text, span.figure
    if figure is None or figure.unit is not None:
        return None
    counts = [one for one in sentence.figures if figures.kind(one) == "count"]
    behind = next((one for one in counts if one.start >= span.end), None)
    if behind is not None and _is_of(text, figure, behind):
        return behind.unit
    before = [one for one in counts if one.end <= span.start]
    if before and _OF_WHICH.search(text[before[-1].end : span.start]):
        return before[-1].unit
    measured = [
        one
        for one in sentence.figures
        if one.end <= span.start and figures.kind(one) in ("count", "measure")
    ]
    if measured and _SAME_NOUN.fullmatch(text, measured[-1].end, span.start):
        return measured[-1].unit
    return None


def _base_fit(question: Question, sentence: Sentence, told: Told, span: Span, after: int) -> float:
    if question.base is None:
        return 0.0
    bases = [m for m in told.mentions if m.compared and span.end <= m.start <= after]
    if not bases:
        return 0.0
    if question.base.year is None and question.base.whole_year:
        # Year on year: what it is compared with is named as a year or as the same period.
        if bases[0].period.whole_year:
            return 1.0
        named = sentence.candidate.passage.text[bases[0].start : bases[0].end]
        return 1.0 if re.search(r"cùng|same|year|năm", named, re.I) else -1.0
    return 1.0 if fit([question.base], bases[0].period) > 0 else -1.0


def is_quantity(figure: Figure) -> bool:
    """Whether a figure is something other than a time."""
    return figures.kind(figure) not in ("date", "period")


def _chain(
    sentence: Sentence, marks: Sequence[tuple[int, int]], before: int, tail: int
) -> list[tuple[int, int, float]]:
    """The scope and those before it, each counting 0.7 of the next, 0.4 across a semicolon."""
    text = sentence.candidate.passage.text
    pieces = [(before, tail, 1.0)]
    edge, weight = before, 1.0
    for _start, end in reversed([mark for mark in marks if mark[1] <= before]):
        if end >= edge:
            continue
        weight *= 0.4 if ";" in text[end:edge] and edge != before else 0.7
        pieces.append((end, edge, weight))
        edge = end
    if edge > sentence.start:
        # What the sentence opens with is what all of it is about.
        pieces.append((sentence.start, edge, 1.0))
    return pieces


def _local(
    asked: Asked, sentence: Sentence, pieces: Sequence[tuple[int, int, float]], span: Span
) -> float:
    """Late interaction with pieces of the passage, each with a weight; the span itself left out."""
    candidate = sentence.candidate
    starts, ends = candidate.encoded.spans[:, 0], candidate.encoded.spans[:, 1]
    outside = (ends <= span.start) | (starts >= span.end)
    best = np.zeros(len(asked.token_weights), np.float32)
    for start, end, weight in pieces:
        tokens = (starts < end) & (ends > start) & outside
        if tokens.any():
            best = np.maximum(best, weight * candidate.similarity[:, tokens].max(axis=1))
    return float(best @ asked.token_weights) if len(best) else 0.0


def _content(question: Question, language: Language, text: str) -> Sequence[str]:
    """The question's words, folded; abbreviations as a text has them that is in its language."""
    asked = in_words_of(question, text) if question.language == language else question.text
    if asked == question.text:
        return question.content
    return [fold(word) for word, _, _ in words(asked) if not question.skips(word)]


def _wanted_words(question: Question, language: Language, content: Sequence[str]) -> set[str]:
    if question.language == language:
        return {stem(word) for word in content if bare(word) not in question.timed}
    wordings = [form for concept in question.concepts for form in concept.wordings(language)[:4]]
    found = {stem(word) for form in wordings for word, _, _ in words(form)}
    names = {word for word in question.content if word[0].isdigit() or word in question.names}
    return found | {word for word in names if bare(word) not in question.timed}


_TIMES = frozenset({"hour", "day", "week", "month", "quarter", "year"})


def _noun_fit(question: Question, sentence: Sentence, span: Span) -> float:
    """1 when the figure counts what the question asks to count, -1 when something else."""
    if span.figure is None or question.noun is None:
        return 0.0
    unit = span.figure.unit or _lent_noun(sentence, span)
    if unit is None:
        return 0.0
    if unit == question.noun:
        return 1.0
    probe = Figure("", Decimal(5), question.noun, 0, 0)
    counted, _, per = unit.partition("/")
    if per in _TIMES:
        # Tonnes, asked for by the day or not, and tonnes a day.
        return 0.5 if counted == question.noun else -1.0
    # Nouns of one family: people and workers, directives and dispatches.
    return 0.5 if figures.same(probe, replace(probe, unit=unit)) else -1.0


def _period_fits(
    question: Question,
    sentence: Sentence,
    told: Told,
    scopes: Sequence[tuple[int, int, int]],
    columns: Sequence[str],
) -> tuple[list[float], list[int | None]]:
    """Per span: whether it is of the asked time; one of a time that nobody asked for counts -1.

    And the number of the span of its kind before it that it is compared with, None when it is not.
    """
    text, within = sentence.candidate.passage.text, (sentence.start, sentence.end)
    language = sentence.candidate.release.language
    named = [m for m in told.mentions if within[0] <= m.start < within[1]]
    quantities = [(f.start, f.end) for f in sentence.figures if is_quantity(f)]
    found: list[float] = []
    beside: list[int | None] = []
    aside = []
    of_a_year = any(period.year for period in question.periods)
    for span, (_, tail, after), column in zip(sentence.spans, scopes, columns, strict=True):
        # What stands over a cell says its time, if anything does.
        dated = resolved(column, mentioned(column, language), None) if column else []
        if dated and question.periods:
            found.append(fit(question.periods, dated[0].period))
            aside.append(False)
            beside.append(None)
            continue
        # English says when behind the verb: "8.2% were in poor condition at the end of 2023".
        reach = tail if language == "vi" else after
        time = bound(text, within, named, quantities, (span.start, span.end), reach)
        compared = time.mention is not None and time.own and time.mention.compared
        earlier = time.base or compared
        aside.append(compared or time.bracketed or (time.base and question.earlier))
        beside.append(_compared_with(sentence, span) if earlier or time.bracketed else None)
        if question.earlier and not of_a_year:
            found.append(1.0 if earlier else -0.5)
        elif not question.periods:
            found.append(-1.0 if earlier else 0.0)
        elif time.own and time.mention is not None:
            value = fit_of(question.periods, time.mention)
            if compared and not of_a_year:
                # "The first six months": of this year, not of the one compared with.
                value = -1.0 if time.mention.loose else min(value, 0.3)
            found.append(value)
        elif time.base and question.earlier:
            found.append(1.0)
        else:
            value = (
                fit(question.periods, time.mention.period)
                if time.mention
                else inherited(question, told, sentence.start)
            )
            if time.base:
                # Of some time before that of the figure beside it.
                value = 0.5 if value == -1.0 else -0.7 if value > 0 else -0.3
            found.append(value)
    if any(apart and value >= 0.5 for apart, value in zip(aside, found, strict=True)):
        # Where a figure aside is of the time asked for, those that it stands beside are not, but
        # for what is known to be of that time as well.
        found = [
            v if apart or v >= 0.5 else min(v, -0.3) for apart, v in zip(aside, found, strict=True)
        ]
    return found, beside


def _sort_of(figure: Figure) -> str:
    """Its kind; a second number often goes without the noun of the first."""
    kind = figures.kind(figure)
    return "count" if kind in ("number", "measure") else kind


def _compared_with(sentence: Sentence, span: Span) -> int | None:
    """The last span of a figure's kind before it (before its brackets), not past a semicolon."""
    if span.figure is None:
        return None
    text = sentence.candidate.passage.text
    opened = text.rfind("(", sentence.start, span.start)
    edge = span.start if opened < 0 or ")" in text[opened : span.start] else opened
    kind = _sort_of(span.figure)
    before = [
        number
        for number, other in enumerate(sentence.spans)
        if other.end <= edge
        and other.figure is not None
        and _sort_of(other.figure) == kind
        and ";" not in text[other.end : edge]
    ]
    return before[-1] if before else None


_MORE = re.compile(
    r"\s*(?:\([^()]*\)\s*)?(?:more|fewer|less|higher|lower|above|below|up|down|extra|additional)\b"
    r"(?! than \d)",
    re.I,
)


def _change_fit(question: Question, span: Span, head: str, behind: str) -> float:
    changes = bool(_CHANGE_WORD.search(head[-60:].rstrip()) or _MORE.match(behind))
    if question.change and not changes and span.figure and span.figure.unit == "%":
        # A rate of growth is also "reached": GRDP ước đạt 5,91%.
        return 0.0
    return 1.0 if changes == question.change else -1.0


def _asked_share(question: Question, text: str) -> float:
    said = {bare(word) for word in question.content}
    kept = [bare(word) for word, _, _ in words(text) if not is_function_word(word, "vi")]
    return sum(word in said for word in kept) / len(kept) if kept else 0.0


def inherited(question: Question, told: Told, start: int) -> float:
    """Fit of the time that an earlier sentence named: months may have changed since, years not."""
    value = fit(question.periods, told.period_at(start))
    years = {period.year for period in question.periods}
    if value == -1.0 and years & {mention.period.year for mention in told.mentions}:
        # The passage speaks of the year too, and where is not sure.
        value = -0.5
    # What a release is about as a whole may be said in its title alone.
    value = max([value, *(0.8 * fit(question.periods, period) for period in told.titled)])
    return value if value > 0 or value in (-1.0, -0.5) else 0.0
