"""Whether a sentence is about the opposite of what a question asks about, or another of its kind.

"Exports" asked, imports told; "phase 1" asked, phase 2 told. The words of such a question and
sentence are otherwise the same, so that nothing else tells them apart as surely.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9}
_NUMBER = r"(?:số\s+|no\.?\s*)?(?P<number>\d{1,2}|[ivx]{1,4})(?![\w/.,-]*\d)\b"


def _read() -> tuple[list[list[re.Pattern[str]]], list[re.Pattern[str]]]:
    """Terms that exclude one another, and what is numbered, of `rag/data/opposites.tsv`."""
    rows: list[list[re.Pattern[str]]] = []
    text = files("rag").joinpath("data/opposites.tsv").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        groups = [
            rf"(?<![\w-])(?:{'|'.join(map(re.escape, column.split('|')))})(?![\w-])"
            for column in line.split("\t")
        ]
        if len(groups) > 1:
            rows.append([re.compile(group) for group in groups])
        else:
            rows.append([re.compile(rf"{groups[0]}\s+{_NUMBER}")])
    return [row for row in rows if len(row) > 1], [row[0] for row in rows if len(row) == 1]


_OPPOSED, _NUMBERED = _read()
_Terms = tuple[re.Pattern[str], list[re.Pattern[str]]]
"""A term of the question and what excludes it."""


def opposed(question: str, told: str) -> bool:
    """Whether what is told is of another term or number than the question's.

    `told` is the sentence with its headings. A term that both have, or that the question has on
    both sides, says nothing.
    """
    told = told.lower()
    terms, numbers = _asked(question.lower())
    if any(
        not asked.search(told) and any(group.search(told) for group in others)
        for asked, others in terms
    ):
        return True
    return any(
        found and not wanted & found
        for label, wanted in numbers
        for found in [_numbers(label, told)]
    )


@lru_cache(maxsize=64)
def _asked(question: str) -> tuple[list[_Terms], list[tuple[re.Pattern[str], set[int]]]]:
    """What a question in lower case names of the list: terms with their opposites, and numbers.

    A question is held against each figure that is weighed.
    """
    terms = []
    for groups in _OPPOSED:
        asked = [group for group in groups if group.search(question)]
        if len(asked) == 1:
            terms.append((asked[0], [group for group in groups if group is not asked[0]]))
    numbers = [(label, _numbers(label, question)) for label in _NUMBERED]
    return terms, [(label, wanted) for label, wanted in numbers if wanted]


def _numbers(label: re.Pattern[str], text: str) -> set[int]:
    printed = (match["number"] for match in label.finditer(text))
    return {int(one) if one.isdigit() else _ROMAN.get(one, 0) for one in printed}
