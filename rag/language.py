"""Vietnamese and English as text: which one it is, how it is normalised, where sentences end."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rag.schema import Language

_VI_ONLY = re.compile(
    r"[ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ]", re.I
)
_WORD = re.compile(r"[^\W_]+(?:[.,/][^\W_]+)*", re.UNICODE)
_SYLLABLE = re.compile(
    r"(?:ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdghklmnpqrstvx])?[aeiouy]{1,3}(?:ng|nh|ch|[cmnpt])?"
)
"""A Vietnamese syllable without its diacritics; few English phrases consist of such words only."""
_VI_BARE = frozenset(
    "la cua bao nhieu gi nao khong nhung cac trong thang nam quy dong ty trieu nghin duoc cho voi "
    "tai tu den ai dau khi co mot hai ba bon thanh pho tinh huyen quan nguoi so tong chi thu ngan "
    "sach tang giam hoc sinh doanh nghiep dau tu nuoc ngoai kinh te xa hoi lam viec dich "
    "muc ke hoach cung ky".split()
)
_EN_COMMON = frozenset(
    "the of and in to a an is was were are what which who whom whose when where how many much did "
    "does do for on by with at from as that this it be has have had been or not than into during "
    "after before between about their its there will would can could".split()
)


def detect(text: str) -> Language:
    """Vietnamese or English, whichever the text looks more like; English when it has no letters.

    Vietnamese typed without diacritics is told by the form of its syllables.
    """
    printed = re.findall(r"[^\W\d_]+", text[:20000])
    if not printed:
        return "en"
    # Names say little, and a question may be full of those of the other language.
    small = [word for word in printed if word.islower()]
    words = [nfc(word).lower() for word in small or printed]
    marked = sum(1 for word in words if _VI_ONLY.search(word))
    alike = sum(1 for word in words if _SYLLABLE.fullmatch(word))
    typed_bare = sum(1 for word in words if word in _VI_BARE and word not in _EN_COMMON)
    if not marked:
        # Most English words could be no Vietnamese syllable.
        common = {word.lower() for word in printed} & _EN_COMMON
        english = sum(1 for word in common if not _SYLLABLE.fullmatch(word))
        if len(printed) < 2 or english > typed_bare or (len(words) == 1 and words[0] in _EN_COMMON):
            return "en"
        return "vi" if alike >= 0.75 * len(words) else "en"
    english = sum(1 for word in words if word in _EN_COMMON)
    foreign = len(words) - marked - alike if small else 0
    told = marked + typed_bare
    return "vi" if told > 2 * english and 2 * told >= foreign else "en"


def nfc(text: str) -> str:
    """Unicode normal form C."""
    return unicodedata.normalize("NFC", text)


_TONES = "\u0300\u0301\u0309\u0303\u0323"
_OLD_STYLE = re.compile(rf"(?<![qQ])([oOuU])([{_TONES}])([aeyAEY])(?![\w\u0300-\u036f])")


@lru_cache(maxsize=200_000)
def fold(word: str) -> str:
    """One spelling per word: NFKC, lower case, tone marks where the newer convention puts them.

    >>> fold("Thuỷ") == fold("thủy"), fold("HÒA") == fold("hoà")
    (True, True)
    """
    word = unicodedata.normalize("NFKC", word).lower()
    if word.isascii():
        return word
    # The older convention marks the first vowel of a final oa, oe, uy; move it to the second.
    moved = _OLD_STYLE.sub(r"\1\3\2", unicodedata.normalize("NFD", word))
    return unicodedata.normalize("NFC", moved)


@lru_cache(maxsize=200_000)
def bare(word: str) -> str:
    """A folded word without any diacritic; đ becomes d."""
    return stripped(word)


def stripped(text: str) -> str:
    """A text of any length in lower case and without any diacritic; đ becomes d."""
    text = unicodedata.normalize("NFKC", text).lower()
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d"))
    for mark in set(decomposed):
        if unicodedata.combining(mark):
            decomposed = decomposed.replace(mark, "")
    return decomposed


def words(text: str) -> list[tuple[str, int, int]]:
    """Syllables and numbers with their spans: (as printed, start, end).

    A number keeps its inner separators (`608,5`, `24/6/2021`).
    """
    found = []
    for match in _WORD.finditer(text):
        word = match.group()
        if word.isalnum() or word[0].isdigit():
            found.append((word, *match.span()))
            continue
        for part in re.finditer(r"[^.,/]+", word):
            found.append((part.group(), match.start() + part.start(), match.start() + part.end()))
    return found


_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|Hon|Rev|Capt|Col|Lt|Maj|Sgt|Supt|Messrs|Smt|Dept|Govt|St|No|vs|etc|"
    r"e\.g|i\.e|Inc|Ltd|Co|U\.S|U\.K|Gen|Sen|Rep|Gov|Rs|approx|TP|Tp|Q|P|GS|TS|ThS|"
    r"PGS|BS|Đ/c|đ/c|TS|KS|v\.v|TX|Art|Sec|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)|"
    r"\b[A-ZĐ])\.$"
)
_BOUNDARY = re.compile(r"(?:[.!?…]+[\"”’')\]]*(?=\s+\S)|\n+)")
_LIST_MARK = re.compile(r"(?:^|\n)\s*(?:\d{1,2}|[a-zđ]|[IVX]{1,4})\.$")


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences, in order, without the white space around them.

    Line ends end a sentence too; semicolons, abbreviations, initials and list numbers do not.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        mark = match.group()
        head = text[start : match.end()].rstrip()
        if mark[0] == ".":
            if _ABBREVIATION.search(head) or _LIST_MARK.search(
                text[max(0, start - 1) : match.end()]
            ):
                continue
            after = text[match.end() :].lstrip()
            if after[:1].islower():
                continue
        if mark[0] in "!?…" and text[match.end() :].lstrip()[:1].islower():
            continue
        _add(spans, text, start, match.end())
        start = match.end()
    _add(spans, text, start, len(text))
    return spans


def _add(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if any(char.isalnum() for char in text[start:end]):
        spans.append((start, end))


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """A folded word without the endings of English plurals and verb forms.

    Words of up to four letters and words with diacritics are left alone, so Vietnamese syllables
    are not touched.
    """
    word = fold(word)
    if len(word) <= 4 or not word.isascii() or not word.isalpha():
        return word
    for ending, keep in (("ies", "y"), ("ied", "y"), ("sses", "ss"), ("ing", ""), ("ed", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return _undouble(word[: -len(ending)] + keep)
    if word.endswith("es") and word[-3] in "sxzho":
        return word[:-2]
    if word.endswith("s") and word[-2] not in "su":
        word = word[:-1]
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def _undouble(word: str) -> str:
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        return word[:-1]
    return word
