"""Tables in a release's text: a row is a line whose cells are parted by ` | `.

The first row names the columns, and often only there it says in which unit the numbers below are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag import figures
from rag.schema import Figure, Language

CELL = " | "
_BRACKETS = re.compile(r"\(([^()]+)\)")
_TIMES = frozenset(("date", "period"))
_CALENDAR = frozenset(("second", "minute", "hour", "day", "week", "month", "quarter", "year"))


def first_row(text: str, at: int) -> tuple[int, int] | None:
    """Start and end of the first row of the table that the row at an offset is in.

    None outside of tables, in a first row itself, and where the two differ in their cells.
    """
    start = text.rfind("\n", 0, at) + 1
    row = _line(text, start)
    if CELL not in row:
        return None
    top = start
    while top > 0:
        above = text.rfind("\n", 0, top - 1) + 1
        if CELL not in _line(text, above):
            break
        top = above
    names = _line(text, top)
    if top == start or names.count(CELL) != row.count(CELL):
        return None
    return top, top + len(names)


def names_columns(text: str, at: int) -> bool:
    """Whether the row at an offset is the first of a table that goes on below it."""
    start = text.rfind("\n", 0, at) + 1
    row = _line(text, start)
    if CELL not in row or any(char.isdigit() for char in row.partition(CELL)[0]):
        return False
    return first_row(text, start + len(row) + 1) == (start, start + len(row))


def _line(text: str, start: int) -> str:
    end = text.find("\n", start)
    return text[start:] if end < 0 else text[start:end]


def with_units(
    found: Sequence[Figure], row: str, names: str, *, language: Language | None = None
) -> list[Figure]:
    """The figures of a row (offsets in it), bare numbers with the unit that stands over them.

    Only a number that is all of its cell takes one. The figures as they are when the row has not as
    many cells as the first row, `names`.
    """
    cells, over = row.split(CELL), names.split(CELL)
    if len(cells) != len(over):
        return list(found)
    out = []
    for figure in found:
        column = row.count(CELL, 0, figure.start)
        alone = cells[column].strip() == figure.text
        out.append(_with_unit(figure, over[column], language) if alone else figure)
    return out


def _with_unit(figure: Figure, name: str, language: Language | None) -> Figure:
    for unit, sure in _units(name):
        currency, _, scale = unit.partition(" ")
        # "(VND billion)" is said around a number: VND 3 billion.
        for text in (f"{figure.text} {unit}", f"{currency} {figure.text} {scale}".strip()):
            try:
                read = figures.parse(text, language=language)
            except ValueError:
                continue
            if read.unit in _TIMES or (not sure and (read.unit is None or read.unit in _CALENDAR)):
                # "15" under "June" is no date.
                continue
            if figure.unit in (None, read.unit):
                return replace(
                    figure, value=read.value, low=read.low, high=read.high, unit=read.unit
                )
    return figure


def _units(name: str) -> Iterator[tuple[str, bool]]:
    """What may be the unit in a column's name, likeliest first, and whether it can be only that."""
    for inside in reversed(_BRACKETS.findall(name)):
        yield inside.strip(), True
    head, comma, last = name.rpartition(",")
    if comma and head.strip():
        yield last.strip(), True
    yield name.strip(), False
