"""Vietnamese text in the encodings that came before Unicode, made for the tests.

The tables are written here a second time, the other way round, so that a slip in the product's
tables shows.
"""

from __future__ import annotations

import unicodedata

_TCVN3 = {
    "Ă": 0xA1, "Â": 0xA2, "Ê": 0xA3, "Ô": 0xA4, "Ơ": 0xA5, "Ư": 0xA6, "Đ": 0xA7,
    "ă": 0xA8, "â": 0xA9, "ê": 0xAA, "ô": 0xAB, "ơ": 0xAC, "ư": 0xAD, "đ": 0xAE,
    "à": 0xB5, "ả": 0xB6, "ã": 0xB7, "á": 0xB8, "ạ": 0xB9,
    "ằ": 0xBB, "ẳ": 0xBC, "ẵ": 0xBD, "ắ": 0xBE, "ặ": 0xC6,
    "ầ": 0xC7, "ẩ": 0xC8, "ẫ": 0xC9, "ấ": 0xCA, "ậ": 0xCB,
    "è": 0xCC, "ẻ": 0xCE, "ẽ": 0xCF, "é": 0xD0, "ẹ": 0xD1,
    "ề": 0xD2, "ể": 0xD3, "ễ": 0xD4, "ế": 0xD5, "ệ": 0xD6,
    "ì": 0xD7, "ỉ": 0xD8, "ĩ": 0xDC, "í": 0xDD, "ị": 0xDE,
    "ò": 0xDF, "ỏ": 0xE1, "õ": 0xE2, "ó": 0xE3, "ọ": 0xE4,
    "ồ": 0xE5, "ổ": 0xE6, "ỗ": 0xE7, "ố": 0xE8, "ộ": 0xE9,
    "ờ": 0xEA, "ở": 0xEB, "ỡ": 0xEC, "ớ": 0xED, "ợ": 0xEE,
    "ù": 0xEF, "ủ": 0xF1, "ũ": 0xF2, "ú": 0xF3, "ụ": 0xF4,
    "ừ": 0xF5, "ử": 0xF6, "ữ": 0xF7, "ứ": 0xF8, "ự": 0xF9,
    "ỳ": 0xFA, "ỷ": 0xFB, "ỹ": 0xFC, "ý": 0xFD, "ỵ": 0xFE,
}  # fmt: skip

_VNI_MARKS = {
    "\u0301": "ù", "\u0300": "ø", "\u0309": "û", "\u0303": "õ", "\u0323": "ï",
    "\u0302": "â", "\u0302\u0301": "á", "\u0302\u0300": "à", "\u0302\u0309": "å",
    "\u0302\u0303": "ã", "\u0302\u0323": "ä",
    "\u0306": "ê", "\u0306\u0301": "é", "\u0306\u0300": "è", "\u0306\u0309": "ú",
    "\u0306\u0303": "ü", "\u0306\u0323": "ë",
}  # fmt: skip
_VNI_WHOLE = {
    "đ": "ñ",
    "ơ": "ô",
    "ư": "ö",
    "í": "í",
    "ì": "ì",
    "ỉ": "æ",
    "ĩ": "ó",
    "ị": "ò",
    "ỵ": "î",
}


def _split(char: str) -> tuple[str, str]:
    """A letter without its marks, but with a horn; and its marks, the vowel's before the tone's."""
    marks = unicodedata.normalize("NFD", char)
    base = unicodedata.normalize("NFC", marks[0] + ("\u031b" if "\u031b" in marks else ""))
    kept = [mark for mark in marks[1:] if mark != "\u031b"]
    return base, "".join(sorted(kept, key=lambda mark: mark not in "\u0302\u0306"))


def tcvn3(text: str) -> bytes:
    """As Windows programs with ABC fonts write it: capitals with tones as small letters."""
    return b"".join(
        bytes([_TCVN3[char]]) if char in _TCVN3
        else bytes([_TCVN3[char.lower()]]) if char.lower() in _TCVN3
        else char.encode("cp1252")
        for char in unicodedata.normalize("NFC", text)
    )  # fmt: skip


def vni(text: str) -> bytes:
    """As Windows programs with VNI fonts write it: marks as a second character."""
    written = []
    for char in unicodedata.normalize("NFC", text):
        lower = char.lower()
        if lower in _VNI_WHOLE:
            shown = _VNI_WHOLE[lower]
        else:
            base, marks = _split(lower)
            shown = _VNI_WHOLE.get(base, base) + _VNI_MARKS.get(marks, "")
        written.append(shown if char == lower else shown.upper())
    return "".join(written).encode("cp1252")


def windows_1258(text: str) -> bytes:
    """Tone marks as characters of their own, as Windows' Vietnamese keyboard types them."""
    written = []
    for char in unicodedata.normalize("NFC", text):
        marks = unicodedata.normalize("NFD", char)
        tone = [mark for mark in marks if mark in "\u0301\u0300\u0309\u0303\u0323"]
        rest = "".join(mark for mark in marks if mark not in tone)
        written.append(unicodedata.normalize("NFC", rest) + "".join(tone))
    return "".join(written).encode("cp1258")


_VISCII = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯ"
    "ÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
)


def viscii(text: str) -> bytes:
    """RFC 1456; quotation marks and dashes, which it lacks, as ASCII ones."""
    low = {"Ẳ": 0x02, "Ẵ": 0x05, "Ẫ": 0x06, "Ỷ": 0x14, "Ỹ": 0x19, "Ỵ": 0x1E}
    plain = str.maketrans({"“": '"', "”": '"', "–": "-", "‘": "'", "’": "'", "…": "...", "✓": "v"})
    return bytes(
        low[char] if char in low else 0x80 + _VISCII.index(char) if char in _VISCII else ord(char)
        for char in unicodedata.normalize("NFC", text).translate(plain)
    )
