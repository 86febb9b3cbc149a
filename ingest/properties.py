"""What a file says about itself, as far as it can be believed about the release in it.

Properties are filled in by programs as often as by people: the name of the file as the title, the
typist as the author, the day of the scan as the day of creation. What is plainly not about the
release is left out; the rest stands in where the text is silent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from email.utils import parseaddr

_MAX_CHARS = 400
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_PROGRAM_TITLE = re.compile(
    r"(?:microsoft (?:word|excel|powerpoint)\b.*|(?:untitled|document|presentation|slide|book|"
    r"sheet|scan(?:ned)?|image|img|doc|page|tài liệu|văn bản)[\s_-]*\d*|no title|\(?anonymous\)?|"
    r"powerpoint presentation|\S+\.(?:docx?|pdf|rtf|odt|html?|txt|md|tiff?|jpe?g|png|indd|qxd)|"
    r"[\d\W_]+)",
    re.I,
)
_FIRST_YEAR = 1995
"""Clocks that were never set give 1970 or 1980."""


def from_properties(
    properties: Mapping[str, str], is_organ: Callable[[str], bool]
) -> dict[str, str]:
    """Fields of a release out of a file's properties: title, subject, issuer, issued.

    `is_organ` says whether a name is one of an office: the author of a file is its issuer only
    then, never its signer.
    """
    found: dict[str, str] = {}
    title = _line(properties.get("title", ""))
    if title and not _PROGRAM_TITLE.fullmatch(title):
        found["title"] = title
    subject = _line(properties.get("subject", ""))
    if subject and subject != title and not _PROGRAM_TITLE.fullmatch(subject):
        found["subject"] = subject
    sender = _line(parseaddr(properties.get("from", ""))[0])
    for name in (_line(properties.get("author", "")), sender):
        if name and is_organ(name):
            found["issuer"] = name
            break
    created = _day(properties.get("created", ""))
    if created is not None:
        found["issued"] = created.isoformat()
    return found


def _line(value: str) -> str:
    """A value on one line, without what cannot be seen; empty when it is too long to be one."""
    value = _INVISIBLE.sub("", unicodedata.normalize("NFC", value))
    value = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in value)
    value = " ".join(value.split())
    return value if len(value) <= _MAX_CHARS else ""


def _day(value: str) -> date | None:
    try:
        found = datetime.fromisoformat(value.strip()).date()
    except ValueError:
        return None
    return found if found.year >= _FIRST_YEAR and found <= date.today() else None
