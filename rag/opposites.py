"""Whether a sentence is about the opposite of what a question asks about, or another of its kind.

"Exports" asked, imports told; "phase 1" asked, phase 2 told. The words of such a question and
sentence are otherwise the same, so that nothing else tells them apart as surely.
"""

from __future__ import annotations

import re
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


def opposed(question: str, told: str) -> bool:
    """Whether what is told is of another term or number than the question's.

    `told` is the sentence with its headings. A term that both have, or that the question has on
    both sides, says nothing.
    """
    question, told = question.lower(), told.lower()
    for groups in _OPPOSED:
        asked = [group for group in groups if group.search(question)]
        others = [group for group in groups if group not in asked]
        if (
            len(asked) == 1
            and not asked[0].search(told)
            and any(group.search(told) for group in others)
        ):
            return True
    return any(
        wanted and found and not wanted & found
        for label in _NUMBERED
        for wanted, found in [(_numbers(label, question), _numbers(label, told))]
    )


def _numbers(label: re.Pattern[str], text: str) -> set[int]:
    printed = (match["number"] for match in label.finditer(text))
    return {int(one) if one.isdigit() else _ROMAN.get(one, 0) for one in printed}
