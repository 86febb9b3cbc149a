"""Bytes into Unicode text, the encodings of twenty years of Vietnamese offices included.

What is no Unicode is decoded in every legacy Vietnamese way, and the way that gives Vietnamese
syllables is taken. The same test finds text that was typed in a legacy font and then saved as
Unicode ("Céng hßa x· héi" for "Cộng hòa xã hội"), as old Word and PDF files carry it.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple


class Decoded(NamedTuple):
    """Text in NFC and the name of the encoding that it had."""

    text: str
    encoding: str


class UnknownEncodingError(ValueError):
    """No known encoding gives text; the message says where the bytes stop being UTF-8."""


_LEAST_SHARE = 0.8
"""Of the words with diacritics, how many must be Vietnamese syllables."""
_MOST_FOREIGN = 0.15
"""Share of characters beyond ASCII up to which Western European text is believed."""


def decode(data: bytes) -> Decoded:
    """Text of a file: UTF-8, UTF-16 (with or without mark), TCVN3, VNI, VISCII, Windows-1258.

    What is none of these and mostly ASCII is Windows-1252. Raises `UnknownEncodingError`, whose
    message tells the first byte that is not UTF-8.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(name, errors="replace")
            return Decoded(unicodedata.normalize("NFC", text), name.upper())
    wide = _without_mark(data)
    if wide is not None:
        return wide
    try:
        return Decoded(unicodedata.normalize("NFC", data.decode("utf-8")), "UTF-8")
    except UnicodeDecodeError as error:
        found = _legacy(data)
        if found is not None:
            return found
        raise UnknownEncodingError(
            f"not UTF-8 (byte {error.start} is 0x{data[error.start]:02x}) and in no other "
            "encoding that is known here"
        ) from error


_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def _without_mark(data: bytes) -> Decoded | None:
    """UTF-16 without a byte order mark: every other byte of its spaces and figures is zero."""
    sample = data[:65536]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if (
        not data
        or len(data) % 2
        or max(even, odd) < 0.2 * len(sample)
        or min(even, odd) > 0.1 * len(sample)
    ):
        return None
    name = "utf-16-le" if odd > even else "utf-16-be"
    try:
        text = data.decode(name)
    except UnicodeDecodeError:
        return None
    strange = any(char == "\0" or unicodedata.category(char) in ("Co", "Cn") for char in text)
    return None if strange else Decoded(unicodedata.normalize("NFC", text), name.upper())


def _legacy(data: bytes) -> Decoded | None:
    best, best_share = None, 0.0
    for name, read in _LEGACY:
        try:
            text = read(data)
        except UnicodeDecodeError:
            continue
        valid, all_marked = _syllables(text)
        # Of two ways that say the same, the one that is listed first.
        if all_marked and valid / all_marked > best_share + 1e-9:
            best, best_share = Decoded(text, name), valid / all_marked
    if best is not None and best_share >= _LEAST_SHARE:
        return best
    try:
        western = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    foreign = sum(1 for char in western if ord(char) > 127)
    return Decoded(western, "Windows-1252") if foreign <= _MOST_FOREIGN * len(western) else None


# ---------------------------------------------------------------------------------------------
# Legacy encodings

_TCVN = (
    "\u00a0ĂÂÊÔƠƯĐăâêôơưđẰ\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴ"
    "ẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ"
)
"""TCVN 5712:1993, 0xA0 to 0xFF."""
_TCVN_CAPITALS = "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ"
"""TCVN 5712:1993, 0x80 to 0x9F; where Windows fonts keep quotation marks and dashes."""
_VISCII = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯ"
    "ÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
)
"""VISCII (RFC 1456), 0x80 to 0xFF."""
_VISCII_LOW = {0x02: "Ẳ", 0x05: "Ẵ", 0x06: "Ẫ", 0x14: "Ỷ", 0x19: "Ỹ", 0x1E: "Ỵ"}

_FROM_TCVN = {0xA0 + index: char for index, char in enumerate(_TCVN)}
_FROM_TCVN_CAPITALS = {0x80 + index: char for index, char in enumerate(_TCVN_CAPITALS)}
_FROM_VISCII = {0x80 + index: char for index, char in enumerate(_VISCII)} | _VISCII_LOW
_FROM_WINDOWS = {
    code: bytes([code]).decode("cp1252", errors="ignore") or chr(code) for code in range(128, 160)
}

_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT = "\u0301", "\u0300", "\u0309", "\u0303", "\u0323"
_VNI_MARKS = {
    **dict(zip("ùøûõï", (_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT), strict=True)),
    "â": "\u0302",
    **{
        char: "\u0302" + tone
        for char, tone in zip("áàåãä", (_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT), strict=True)
    },
    "ê": "\u0306",
    **{
        char: "\u0306" + tone
        for char, tone in zip("éèúüë", (_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT), strict=True)
    },
}
"""VNI writes a vowel's diacritics as a character after it."""
_VNI_MARKS |= {char.upper(): mark for char, mark in _VNI_MARKS.items()}
_VNI_LETTERS = dict(zip("ôöñæóòîÔÖÑÆÓÒÎ", "ơưđỉĩịỵƠƯĐỈĨỊỴ", strict=True))
_VNI_PAIR = re.compile(
    r"([aeouyôöAEOUYÔÖ])([ùøûõïâáàåãäêéèúüëÙØÛÕÏÂÁÀÅÃÄÊÉÈÚÜË])|([ôöñæóòî])", re.I
)


def _from_vni(text: str) -> str:
    """VNI text, given as the Windows-1252 characters of its bytes."""

    def letter(match: re.Match[str]) -> str:
        vowel, mark, single = match.groups()
        if single:
            return _VNI_LETTERS[single]
        whole = _VNI_LETTERS.get(vowel, vowel) + _VNI_MARKS[mark]
        return unicodedata.normalize("NFC", whole)

    return _VNI_PAIR.sub(letter, text)


def _from_tcvn3(text: str) -> str:
    """TCVN3 (ABC) text, given as the Latin-1 characters of its bytes.

    Capital letters with a tone have no codes of their own in it: a font shows the small ones as
    capitals. So in a word, or a line, of capitals the small letters are meant as capitals.
    """
    lines = []
    for line in text.translate(_FROM_TCVN).split("\n"):
        shown = _WORD.sub(_whole_capitals, line)
        # "Số: 04/TC-UBND" is no line of capitals: none of its words has shown to be one.
        capitals = shown != line and not re.search("[a-z]", line)
        lines.append(line.upper() if capitals else shown)
    return unicodedata.normalize("NFC", "\n".join(lines))


def _whole_capitals(match: re.Match[str]) -> str:
    word = match.group()
    plain = [char for char in word if char.isascii()]
    return word.upper() if len(plain) > 1 and all(char.isupper() for char in plain) else word


def _latin(data: bytes) -> str:
    return data.decode("latin-1")


_LEGACY: tuple[tuple[str, Callable[[bytes], str]], ...] = (
    ("Windows-1258", lambda data: unicodedata.normalize("NFC", data.decode("cp1258"))),
    ("TCVN3", lambda data: _from_tcvn3(_latin(data)).translate(_FROM_WINDOWS)),
    (
        "TCVN5712",
        lambda data: unicodedata.normalize(
            "NFC", _latin(data).translate(_FROM_TCVN | _FROM_TCVN_CAPITALS)
        ),
    ),
    ("VNI", lambda data: _from_vni(_latin(data)).translate(_FROM_WINDOWS)),
    ("VISCII", lambda data: _latin(data).translate(_FROM_VISCII)),
)

# ---------------------------------------------------------------------------------------------
# How Vietnamese a text is

_WORD = re.compile(r"[^\W\d_]+")
_TONE = re.compile(f"[{_ACUTE}{_GRAVE}{_HOOK}{_TILDE}{_DOT}]")
_ONSET = r"(?:ngh?|nh|ch|gh?|gi|kh|ph|qu|th|tr|[bcdđhklmnprstvx])?"
_OPEN = (
    r"(?:a[iouy]?|ây|âu|eo?|êu?|i[au]?|iêu|o[aei]?|oa[iyo]|oeo|ôi?|ơi?|u[aiyơ]?|uây?|uê|uôi"
    r"|uy[aêu]?|ưa?|ư[iu]|ươ[iu]?|y|yêu)"
)
_NASAL = (
    r"(?:(?:a|ă|â|e|ê|i|o|oo|ô|ơ|u|ư|iê|yê|oa|oă|oe|uâ|uê|uô|uy|uyê|ươ|y)(?:m|n|ng)"
    r"|(?:a|ê|i|oa|uê|uy|y)nh)"
)
_STOPPED = (
    r"(?:(?:a|ă|â|e|ê|i|o|ooc?|ô|ơ|u|ư|iê|yê|oa|oă|oe|uâ|uê|uô|uy|uyê|ươ|y)(?:c|p|t)"
    r"|(?:a|ê|i|oa|uê|uy|y)ch)"
)
_SYLLABLE = re.compile(f"{_ONSET}(?:{_OPEN}|{_NASAL}|(?P<stopped>{_STOPPED}))")
_TORN = re.compile(
    r"(?<=[^\W\d_])(?:[\u0080-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf×÷]"
    r"|[€‚ƒ„†‡ˆ‰‹‘“•˜™›](?=[^\W\d_]))"
)
"""Signs and controls within or at the end of a word, as the wrong decoding leaves them."""
_PUNCTUATION = re.compile(r"[\u0080-\u009f»’”…–—]+(?=\W|$)")


def _is_syllable(word: str) -> bool:
    """Whether a word with diacritics is written as Vietnamese writes a syllable."""
    if not (word.islower() or word.isupper() or word.istitle()):
        return False
    marks = unicodedata.normalize("NFD", word.lower())
    tones = _TONE.findall(marks)
    match = _SYLLABLE.fullmatch(unicodedata.normalize("NFC", _TONE.sub("", marks)))
    if match is None or len(tones) > 1:
        return False
    return match["stopped"] is None or (bool(tones) and tones[0] in _ACUTE + _DOT)


def _syllables(text: str) -> tuple[int, int]:
    """How many words with diacritics are Vietnamese syllables, and of how many."""
    sample = text[:200_000]
    marked = [word for word in _WORD.findall(sample) if not word.isascii()]
    torn = len(_TORN.findall(_PUNCTUATION.sub("", sample)))
    return sum(map(_is_syllable, marked)), len(marked) + torn


# ---------------------------------------------------------------------------------------------
# Legacy fonts in Unicode files

_LATIN_SIGNS = re.compile(r"[\u00a1-\u00bf\u00c5-\u00c7\u00cb\u00cf\u00d0\u00d1\u00d6-\u00d8"
                          r"\u00dc\u00de-\u00df\u00e4-\u00e7\u00eb\u00ee\u00ef\u00f0\u00f1"
                          r"\u00f6-\u00f8\u00fb\u00fc\u00fe\u00ff]")  # fmt: skip
"""Characters of Latin-1 that Unicode Vietnamese has no use for within words."""
_TO_LATIN = {ord(char): code for code, char in _FROM_WINDOWS.items() if len(char) == 1}


def mend_fonts(text: str) -> str:
    """Text that was typed in a TCVN3 or VNI font, in Unicode; any other text as it is.

    A text of such a font throughout is turned as a whole. In a mixed text those lines are turned
    that are no Vietnamese as they stand and plainly are afterwards.
    """
    if len(_LATIN_SIGNS.findall(text)) < 3 or not _in_words(text):
        return text
    valid, marked = _syllables(text)
    whole = _turned(text) if valid < 0.3 * marked else None
    if whole is not None:
        return whole
    return "\n".join(_mend_line(line) for line in text.split("\n"))


def _in_words(text: str) -> bool:
    """Whether most of the signs stand within words, as letters do; `£41` is an amount."""
    signs = [match.start() for match in _LATIN_SIGNS.finditer(text)]
    inside = sum(text[max(0, at - 1)].isalpha() or text[at + 1 : at + 2].isalpha() for at in signs)
    return 2 * inside > len(signs)


def _mend_line(line: str) -> str:
    if not _LATIN_SIGNS.search(line) or not _in_words(line):
        return line
    valid, marked = _syllables(line)
    return line if valid > 0.5 * marked else _turned(line) or line


def _turned(text: str) -> str | None:
    """The text read as the legacy font's that makes it Vietnamese; None when neither does."""
    codes = text.translate(_TO_LATIN)
    best, best_share = None, _LEAST_SHARE
    for read in (_from_tcvn3, _from_vni):
        turned = read(codes).translate(_FROM_WINDOWS)
        valid, marked = _syllables(turned)
        if valid >= 2 and valid / marked > best_share:
            best, best_share = turned, valid / marked
    return best
