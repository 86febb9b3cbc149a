"""What a question leaves out: parts of one that asks several things, and follow-ups."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.language import bare, detect, fold, words
from rag.period import mentioned
from rag.question import PLAIN_TOPICS, Question, is_function_word, name_spans
from rag.schema import Language

_JOINT = re.compile(r"[?;]\s+(?=\w)|,?\s+(?:and|và|va)\s+(?=\w)|,\s+(?=(?:how|what)\b)", re.I)
_ASKS: dict[Language, re.Pattern[str]] = {
    # `Which` and the like that stand elsewhere go on with the noun before them.
    "en": re.compile(
        r"\b(?:how|what)\b|"
        r"(?:^|, )(?:(?:in|on|at|by|for|from|to|of|under|since|until|with|during) )?"
        r"(?:which|who|whom|whose|when|where|why)\b",
        re.I,
    ),
    "vi": re.compile(r"\b(?:bao nhiêu|mấy|ai|gì|nào|đâu|bao giờ|bao lâu|vì sao|tại sao)\b", re.I),
}
_ASKS_UNMARKED = re.compile(
    r"\b(?:bao nhieu|ai|gi|nao|o dau|tai dau|bao gio|bao lau|vi sao|tai sao)\b", re.I
)
_NO_SUBJECT = frozenset(
    "how what which who whom whose when where why nao gi ai may time day date year they them it "
    "money tien".split()
)
"""Words that stand for what is asked or was named, without marks."""
_EACH = re.compile(r"\b(?:each|every|apiece|mỗi|từng)\b", re.I)
_COUNTS = re.compile(r"\bhow (?:many|much)\b|\bbao nhi[eê]u\b|\bmấy\b", re.I)


def parts(text: str) -> tuple[str, ...]:
    """The questions that are asked in one, in order; the text alone when there is only one.

    It is parted where both sides ask for something and the first names something of its own.
    "Which donors gave, and how much each" asks for a list, which is one answer.
    """
    language = detect(text)
    for joint in _JOINT.finditer(text):
        first, second = text[: joint.start()].strip(), text[joint.end() :].strip()
        if _EACH.search(second) and not _COUNTS.search(first):
            continue
        if _asks(first, language) and _asks(second, language) and _subject(first, language):
            return (*parts(first), *parts(second))
    return (text,)


def _asks(text: str, language: Language) -> bool:
    return bool((_ASKS_UNMARKED if _unmarked(text, language) else _ASKS[language]).search(text))


def _unmarked(text: str, language: Language) -> bool:
    return language == "vi" and fold(text).isascii()


def _subject(text: str, language: Language) -> list[tuple[int, int]]:
    """Where words stand that say what is asked about."""
    unmarked = _unmarked(text, language)
    return [
        (start, end)
        for word, start, end in words(text)
        if not is_function_word(word, language, unmarked=unmarked) and bare(word) not in _NO_SUBJECT
    ]


_GOES_ON = re.compile(
    r"(?:còn|thế còn|vậy còn|thế(?! giới| vận| hệ)|và|trong đó|and|what about|how about|then|"
    r"of (?:which|those|these|them)) |(?:with (?:what|how much)|với) (?:\S+ ){0,4}\S+\W*$",
    re.I,
)
_POINTS_BACK = re.compile(
    r"\b(?P<pronoun>they|them|their|it|its|he|she|his|her)\b|^(?:họ|nó|chúng)\b(?! tên)|"
    r"\b(?:của|trong số) (?:họ|nó|chúng)\b|"
    r"\b(?:trong|số|việc|điều|các \w+(?: \w+)?) (?:đó|này|ấy)\b|"
    r"\bthat\W*$|\b(?:do|does|did|is|was|are|were) (?:that|those|this|these)\b"
    r"(?! (?:year|month|quarter|week))",
    re.I,
)


def goes_on(question: Question) -> bool:
    """Whether a question leaves out what the one before it was about."""
    text, language = question.text, question.language
    if _GOES_ON.match(text):
        return True
    subject = _subject(text, language)
    back = _POINTS_BACK.search(text)
    # "How many firms lost their licence" points to its own firms.
    if back and not (back["pronoun"] and any(end <= back.start() for _, end in subject)):
        return True
    if len(question.content) <= (2 if question.noun is None else 1):
        return True
    plain = [one for one in question.concepts if one.topic in PLAIN_TOPICS]
    return all(
        any(one.start <= start and end <= one.end for one in plain) for start, end in subject
    )


_PLACED = re.compile(
    r"\b(?:in|at|from|ở|tại|tỉnh|thành phố|tp|huyện|quận|xã|phường|thị xã)\.? $", re.I
)


def left_out(question: Question, before: Sequence[Question]) -> list[str]:
    """The place and the time that questions before this one name, when it names none itself."""
    found: list[str] = []
    text = question.text
    if all(text[start:end].isupper() for start, end in name_spans(text, words(text))):
        found += next(filter(None, map(_place, reversed(before))), [])
    timed = next((one for one in reversed(before) if one.periods and not one.earlier), None)
    if timed and not (question.periods or question.base or question.earlier or question.timed):
        found += [
            timed.text[one.start : one.end]
            for one in mentioned(timed.text, timed.language)
            if one.period in timed.periods
        ]
    return found


def _place(question: Question) -> list[str]:
    """The name behind the first word that tells a place, as written: "in Hòa Lĩnh"."""
    text = question.text
    times = mentioned(text, question.language)
    named: list[tuple[int, int]] = []
    for start, end in name_spans(text, words(text)):
        if any(time.start <= start and end <= time.end for time in times):
            continue
        follows = bool(named) and text[named[-1][1] : start] == " "
        placed = not named and _PLACED.search(text[:start]) and not text[start:end].isupper()
        if follows or placed:
            named.append((start, end))
    return [text[start:end] for start, end in named]


def without_times(question: Question) -> str:
    """The words of a question without the times that it names."""
    text = question.text
    for time in reversed(mentioned(text, question.language)):
        text = f"{text[: time.start]} {text[time.end :]}"
    return " ".join(text.split())


def in_its_place(question: Question, before: Question) -> str:
    """The question before with a term of the same topic in place of its own.

    "And imports?" after "What were exports in June?" asks what imports were in June.
    """
    text = before.text
    for new in question.concepts:
        for old in reversed(before.concepts):
            if new.topic == old.topic and new.forms != old.forms:
                return text[: old.start] + question.text[new.start : new.end] + text[old.end :]
    return text
