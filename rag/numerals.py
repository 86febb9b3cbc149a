"""Numbers in words, Vietnamese and English, and exact arithmetic with numbers and days."""

from __future__ import annotations

import calendar
from decimal import Context, Decimal

from rag.units import VI_SCALES

EXACT = Context(prec=120)
DIVIDE = Context(prec=28)


def plain(value: Decimal) -> Decimal:
    """Without exponent or trailing zeros."""
    if value == value.to_integral_value():
        return Decimal(int(value))
    return EXACT.normalize(value)


def month_end(year: int | None, month: int) -> Decimal:
    """The last day of a month as YYYYMMDD, or MMDD without a year."""
    last = calendar.monthrange(year or 2001, month)[1]
    return Decimal((year or 0) * 10000 + month * 100 + last)


VI_DIGITS = {
    "một": 1,
    "hai": 2,
    "ba": 3,
    "bốn": 4,
    "năm": 5,
    "sáu": 6,
    "bảy": 7,
    "bẩy": 7,
    "tám": 8,
    "chín": 9,
}
VI_AFTER_TENS = VI_DIGITS | {"mốt": 1, "tư": 4, "lăm": 5, "nhăm": 5}
VI_BIG = {word: int(scale) for word, scale in VI_SCALES.items() if scale >= 1000}
VI_AFTER_FIVE = {"mươi", "chục", "trăm", *VI_BIG}
EN_SMALL = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
    if value
}
FRACTION_WORDS = {
    word: value for word, value in (*VI_DIGITS.items(), *EN_SMALL.items(), ("a", 1)) if value < 10
}
FRACTION_PARTS = {
    "hai": 2,
    "ba": 3,
    "tư": 4,
    "bốn": 4,
    "năm": 5,
    "mười": 10,
    "third": 3,
    "quarter": 4,
    "fifth": 5,
    "tenth": 10,
    "thirds": 3,
    "quarters": 4,
    "fifths": 5,
    "tenths": 10,
}
EN_TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
EN_BIG = {
    "thousand": 10**3,
    "lakh": 10**5,
    "million": 10**6,
    "crore": 10**7,
    "billion": 10**9,
    "trillion": 10**12,
}


def _vi_group(words: list[str], at: int) -> tuple[int, int]:
    """A number below a thousand at `words[at]`: words used (0 when none) and value."""

    def word(index: int) -> str:
        return words[index] if index < len(words) else ""

    def tens(index: int) -> tuple[int, int]:
        if word(index) == "mười":
            last = VI_AFTER_TENS.get(word(index + 1), 0)
            if word(index + 1) == "năm":  # "mười năm" is ten years, fifteen is "mười lăm"
                last = 0
            return (2, 10 + last) if last else (1, 10)
        if word(index) in VI_DIGITS and word(index + 1) in ("mươi", "chục"):
            last = VI_AFTER_TENS.get(word(index + 2), 0)
            if word(index + 2) == "năm" or word(index + 3) in ("mươi", "trăm"):
                last = 0
            value = VI_DIGITS[word(index)] * 10 + last
            return (3, value) if last else (2, value)
        return 0, 0

    first = word(at)
    if (first in VI_DIGITS or first == "không") and word(at + 1) == "trăm":
        value = VI_DIGITS.get(first, 0) * 100
        if word(at + 2) in ("linh", "lẻ") and word(at + 3) in VI_AFTER_TENS:
            return 4, value + VI_AFTER_TENS[word(at + 3)]
        used, rest = tens(at + 2)
        return 2 + used, value + rest
    used, value = tens(at)
    if used:
        return used, value
    if first in VI_DIGITS:
        return 1, VI_DIGITS[first]
    return 0, 0


def vi_number(words: list[str]) -> tuple[int, Decimal]:
    """Words used from the start and the value; (0, 0) when they are no number."""
    at = 0
    total = Decimal(0)
    bound = 10**18
    while at < len(words):
        used, value = _vi_group(words, at)
        if not used:
            break
        end, scale = at + used, 1
        while end < len(words) and words[end] in VI_BIG:
            if words[end] in ("tỷ", "tỉ") and words[end + 1 : end + 2] == ["lệ"]:
                break
            scale *= VI_BIG[words[end]]
            end += 1
        if scale == 1 and total and used == 1:
            break
        if scale >= bound:  # "hai nghìn năm trăm tỷ" counts 2500 of them
            total = (total + value) * scale
        else:
            total += value * Decimal(scale)
        at, bound = end, scale
        if scale == 1:
            break
        if words[at : at + 1] == ["rưỡi"]:
            return at + 1, total + Decimal(scale) / 2
    return at, total


def en_number(words: list[str]) -> tuple[int, Decimal]:
    """Words used from the start and the value; (0, 0) when they are no number."""
    total = current = Decimal(0)
    at = used = 0
    bound = 10**18
    room = 100  # what the next small number has to stay below
    while at < len(words):
        word = words[at]
        if (
            word in ("a", "an")
            and at == 0
            and words[1:2]
            and (words[1] in EN_BIG or words[1] in ("hundred", "dozen"))
        ):
            current, room = Decimal(1), 1
        elif word == "half" and words[1:2] == ["a"] and words[2:3] and words[2] in EN_BIG:
            current, room = Decimal("0.5"), 1
            at += 1
        elif word in EN_SMALL and EN_SMALL[word] < room:
            current, room = current + EN_SMALL[word], 1
        elif word in EN_TENS and room == 100:
            current, room = current + EN_TENS[word], 10
        elif word in ("hundred", "dozen") and 0 < current < 100:
            current, room = current * (100 if word == "hundred" else 12), 100
        elif word in EN_BIG and current and EN_BIG[word] < bound:
            bound = EN_BIG[word]
            total, current, room = total + current * bound, Decimal(0), 100
        elif word == "and" and used and words[at + 1 : at + 3] == ["a", "half"]:
            current += Decimal("0.5")
            at += 2
        elif (
            word == "and"
            and used
            and room == 100
            and words[at + 1 : at + 2]
            and (words[at + 1] in EN_SMALL or words[at + 1] in EN_TENS)
            and words[at - 1] in (*EN_BIG, "hundred")
        ):
            at += 1
            continue
        else:
            break
        at += 1
        used = at
    return used, total + current


NUMBER_WORDS = {*VI_DIGITS, "mười", *EN_SMALL, *EN_TENS, "a", "half"}
NUMBER_VOCABULARY = {
    *NUMBER_WORDS,
    *VI_AFTER_TENS,
    *VI_AFTER_FIVE,
    *EN_BIG,
    *("nửa", "rưỡi", "không", "linh", "lẻ", "and", "hundred", "dozen"),
}


def spelled(text: str) -> int | None:
    """The whole number that a text says in Vietnamese or English words; None for anything else."""
    words = text.casefold().split()
    for read in (vi_number, en_number):
        count, value = read(words)
        if words and count == len(words):
            return int(value)
    return None
