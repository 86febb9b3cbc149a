"""Rows of names with rows of figures: "rice, maize and tea reached 3, 4 and 5 t respectively".

The n-th figure belongs to the n-th name. In Vietnamese the word stands between the two rows ("lúa,
ngô và chè lần lượt đạt 3, 4 và 5 tấn"), in English mostly behind both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"\b(?:lần lượt|theo thứ tự|tương ứng (?:là|đạt|với)|respectively)\b", re.I)
_PARTED = re.compile(r"\s*(?:[,;]\s*(?:và|and|&)?|\b(?:và|and|&))\s+", re.I)
_LAST = re.compile(r"\s(?:và|and)\s(?!.*\s(?:và|and)\s)", re.I)
"""Before the last name of a row, also where that is one of several words with commas."""
_BETWEEN = re.compile(
    r"(?:\s+[^\W\d_]+(?:/[^\W\d_]+)?){0,3}\s*(?:[,;]\s*(?:và|and)?|(?:và|and))\s*"
    r"(?:(?:là|đạt|tăng|giảm|gần|hơn|trên|khoảng|còn|nearly|about|over|by|to)\s+)*",
    re.I,
)
"""What may stand between two figures of a row."""
_VERB = re.compile(r"(?:costing|worth|with|at|valued at|[a-z]+ing)")
"""What may stand alone between the names and the figures: "A and B, costing 3 and 4"."""
_EDGE = re.compile(r"[;:.](?=\s)|[()\n]")
_LEAD = re.compile(r"\s*(?:(?:for|in|of|at|on|to|by|ở|tại|cho|đối với|với|vào|trong)\s+)+", re.I)
_REACH = 60
"""Characters between the word and the row of figures, at most."""

Stretch = tuple[int, int]


def respective(text: str, marks: Sequence[Stretch]) -> list[list[tuple[Stretch, Stretch]]]:
    """For each such pair of rows its names with their figures, as stretches of the text.

    `marks` are the figures of the text, in order. Empty where no word tells that rows belong
    together, or where there are fewer names than figures.
    """
    named: dict[int, list[Stretch]] = {}
    telling = list(_WORD.finditer(text))
    rows = _rows(text, marks) if telling else []
    for word in telling:
        for number, row in enumerate(rows):
            names = _names(text, word.span(), row, marks)
            if not names:
                continue
            before = rows[number - 1] if number else []
            if len(before) == len(row) and all(
                name[0] <= mark[0] and mark[1] <= name[1]
                for name, mark in zip(names, before, strict=True)
            ):
                # "A and B stayed 2 and 3 nights and spent 4 and 5 a day, respectively".
                names = _ahead(text, before[0][0], len(row), marks)
                if not names:
                    continue
                named[number - 1] = names
            named[number] = names
            break
    for number, row in enumerate(rows[1:], 1):
        # "… lần lượt đạt 5 và 6, so với 3 và 4 của năm 2018": of the same names.
        same, end = named.get(number - 1, []), rows[number - 1][-1][1]
        near = row[0][0] - end <= _REACH and not _EDGE.search(text, end, row[0][0])
        if number not in named and len(same) == len(row) and near:
            named[number] = same
    return [list(zip(named[number], rows[number], strict=True)) for number in sorted(named)]


def _rows(text: str, marks: Sequence[Stretch]) -> list[list[Stretch]]:
    """Figures with nothing but commas and the like between them, two or more."""
    rows: list[list[Stretch]] = []
    for start, end in marks:
        if rows and start < rows[-1][-1][1]:
            continue  # One inside another.
        if rows and _BETWEEN.fullmatch(text, rows[-1][-1][1], start):
            rows[-1].append((start, end))
        else:
            rows.append([(start, end)])
    return [row for row in rows if len(row) > 1]


def _names(
    text: str, word: Stretch, row: Sequence[Stretch], marks: Sequence[Stretch]
) -> list[Stretch]:
    """The names for a row of figures that a word is about; empty when it is about other figures."""
    first, last = row[0][0], row[-1][1]
    if word[1] <= first:
        if first - word[1] > _REACH or _EDGE.search(text, word[1], first):
            return []
        return _ahead(text, word[0], len(row), marks)
    if word[0] < last or _EDGE.search(text, last, word[0]):
        return []
    behind = _LEAD.match(text, last)
    names = _parts(text, behind.end() if behind else last, word[0])
    if behind and len(names) == len(row):
        return names
    return _ahead(text, first, len(row), marks) if word[0] - last <= _REACH else []


def _ahead(text: str, end: int, count: int, marks: Sequence[Stretch]) -> list[Stretch]:
    """The last so many parts of what stands before a place in its clause.

    Those with a figure of their own, if there are so many: "A made 3, B 4, gains of 5 and 6 …".
    """
    edges = [0, *(edge.end() for edge in _EDGE.finditer(text, 0, end))]
    names = _parts(text, edges[-1], end)
    last = _LAST.search(text, edges[-1], end)
    tail = _parts(text, last.end(), end) if last else []
    short = all(len(text[start:stop].split()) < 3 for start, stop in tail[:-1])
    if last and len(tail) > 1 and short and not _VERB.fullmatch(text, *tail[-1]):
        # "Industry, services and farming, forestry, fishing made up 40, 35 and 20 %".
        first = _parts(text, edges[-1], last.start())
        if len(first) >= count - 1:
            names = [*first, (tail[0][0], tail[-1][1])]
    if len(names) > count and _VERB.fullmatch(text, *names[-1]):
        names.pop()
    counted = _counted(names, marks)
    if len(names) < count and len(edges) > 1:
        # The names may stand in the clause before, each with a figure of its own.
        counted = _counted(_parts(text, edges[-2], edges[-1] - 1), marks)
    plain = len(names) >= count and not _counted(names[-count:], marks)
    names = (counted if len(counted) >= count and not plain else names)[-count:]
    if len(names) < count:
        return []
    # What the first name begins with is mostly said of all: "the share of farming, trade and …".
    longest = max(len(text[start:stop].split()) for start, stop in names[1:])
    start, stop = names[0]
    kept = list(re.finditer(r"\S+", text[start:stop]))[-longest:]
    names[0] = (start + kept[0].start(), stop) if kept else names[0]
    return names


def _counted(names: Sequence[Stretch], marks: Sequence[Stretch]) -> list[Stretch]:
    """Those with a figure in them."""
    return [
        (start, stop)
        for start, stop in names
        if any(start <= mark[0] and mark[1] <= stop for mark in marks)
    ]


def _parts(text: str, start: int, end: int) -> list[Stretch]:
    """What stands between commas and the like, without white space around it."""
    found, at = [], start
    for mark in [*_PARTED.finditer(text, start, end), None]:
        stop = mark.start() if mark else end
        inner = text[at:stop]
        if inner.strip(" ,;"):
            left = at + len(inner) - len(inner.lstrip(" ,;"))
            found.append((left, left + len(inner.strip(" ,;"))))
        at = mark.end() if mark else end
    return found
