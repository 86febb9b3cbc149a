"""Tables in a release's text: a row is a line whose cells are parted by ` | `.

The first row names the columns, and often only there, or in a line above it ("Đơn vị: tỷ đồng"), it
says in which unit the numbers below are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from rag import figures
from rag.schema import Figure, Language

CELL = " | "
_BRACKETS = re.compile(r"\(([^()]+)\)")
_UNIT_LINE = re.compile(
    r"[\s(*_]*(?:(?:đơn vị(?: tính)?|đvt|units?(?: of measure(?:ment)?)?)\s*:|\(\s*in\b)\s*"
    r"(?P<unit>(?:[^|:.]|\.(?=\S)){1,40}?)[\s).*_]*",
    re.I,
)
"""A line over a table that says in which unit its numbers are."""
_CAPTION = re.compile(r"[^|\n]*[^|\n(\s][^|\n(]*\((?P<unit>[^()|\n]{1,40})\)[\s.:*_]*")
"""A title over a table that ends with the unit of its numbers."""
_SHARE = re.compile(
    r"\b(?:tỷ lệ|tỉ lệ|tỷ trọng|cơ cấu|so với|tốc độ|share|rate|change|growth|percent|per cent)\b",
    re.I,
)
"""The name of a column that is in percent when the line over the table says so."""
_BESIDE = re.compile(r"(?P<currency>\w{0,3}[$£€₹¥])\s*(?P<scale>\w*)")
"""A currency's sign with the letters of a scale: "$m"."""
_SPELLED = (
    (re.compile(r"(?:in )?(thousand|million|billion|trillion|lakh|crore)s(?: of)?\b", re.I), r"\1"),
    (re.compile(r"^(?:['’]000s?|000s|1[.,]?000)\b"), "nghìn"),
    (re.compile(r"\btr\.?\s?đ(?:ồng)?\b", re.I), "triệu đồng"),
)
"""How a unit is written over numbers, and how it is beside one."""
_OWN = re.compile(
    r"%|^\W*số (?!tiền|thu|chi|vốn|dư|nợ)|"
    r"\b(?:tỷ lệ|tỉ lệ|tỷ trọng|cơ cấu|so với|tốc độ|chỉ số|stt|tt|năm|share|"
    r"rate|ratio|change|growth|index|number|no|year|rank)\b",
    re.I,
)
"""The name of a column whose numbers are not in the unit of the table."""
_LEVEL = re.compile(
    r"^\W*(?:plans?|targets?|estimates?|results?|kế hoạch|chỉ tiêu|mục tiêu|dự toán)\b", re.I
)
"""The name of a column that says how far a number is known, not what it counts."""
_TOTAL = re.compile(
    r"^\W*(?:tổng(?! (?:công ty|cục)\b)|(?:cộng|chung)\s*$|toàn (?:tỉnh|quốc|ngành|thành phố|"
    r"huyện)|cả (?:nước|năm|tỉnh)|bình quân|(?:grand |sub-?)?total\b|"
    r"(?:all|overall|average|whole)\b)",
    re.I,
)
"""The name of a row that sums up the others."""
_TIMES = frozenset(("date", "period"))
_CALENDAR = frozenset(("second", "minute", "hour", "day", "week", "month", "quarter", "year"))


def first_row(text: str, at: int) -> tuple[int, int] | None:
    """Where the names of the columns stand over the row at an offset: start and end.

    They are the first row of its table, and the line above it that says the unit of all numbers.
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
    over = len(text[:top].rstrip())
    above = text.rfind("\n", 0, over) + 1
    first = above if _units_over(text[above:over]) else top
    return first, top + len(names)


def columns(names: str) -> list[str]:
    """The names of a table's columns; `names` as `first_row` gives them."""
    return names.rpartition("\n")[2].split(CELL)


def extreme_row(
    text: str, names: tuple[int, int], column: int, *, highest: bool, language: Language | None
) -> tuple[int, int] | None:
    """Where the row with the highest or lowest number of a column stands; `names` as `first_row`.

    Rows of totals do not count. None for fewer than three numbers, where two share the first place,
    and where they are of several units.
    """
    over = text[slice(*names)]
    found: list[tuple[Decimal, tuple[int, int]]] = []
    units = set()
    start = names[1] + 1
    while CELL in (row := _line(text, start)):
        cells = row.split(CELL)
        figures_of_row = figures.find(row, language=language)
        for figure in with_units(figures_of_row, row, over, language=language):
            alone = cells[row.count(CELL, 0, figure.start)].strip() == figure.text
            mine = row.count(CELL, 0, figure.start) == column and not _TOTAL.search(cells[0])
            if alone and mine and figure.value is not None:
                found.append((figure.value, (start, start + len(row))))
                units.add(figure.unit)
        start += len(row) + 1
    found.sort(key=lambda item: item[0], reverse=highest)
    clear = len(found) > 2 and found[0][0] != found[1][0] and len(units) == 1
    return found[0][1] if clear else None


def names_columns(text: str, at: int) -> bool:
    """Whether the row at an offset is the first of a table that goes on below it."""
    start = text.rfind("\n", 0, at) + 1
    row = _line(text, start)
    if CELL not in row or any(char.isdigit() for char in row.partition(CELL)[0]):
        return False
    below = first_row(text, start + len(row) + 1)
    return below is not None and below[1] == start + len(row)


def _line(text: str, start: int) -> str:
    end = text.find("\n", start)
    return text[start:] if end < 0 else text[start:end]


def with_units(
    found: Sequence[Figure], row: str, names: str, *, language: Language | None = None
) -> list[Figure]:
    """The figures of a row (offsets in it), bare numbers with the unit that stands over them.

    Only a number that is all of its cell takes one. The figures as they are when the row has not as
    many cells as the first row, the last line of `names`.
    """
    cells, over = row.split(CELL), columns(names)
    if len(cells) != len(over):
        return list(found)
    title = names.partition("\n")[0] if "\n" in names else ""
    all_over = _units_over(title)
    out = []
    for figure in found:
        column = row.count(CELL, 0, figure.start)
        if cells[column].strip() == figure.text:
            name = over[column]
            units = [(unit, True) for unit in _units(name)]
            units += [(unit, True) for unit in all_over if _is_in(unit, name, all_over, language)]
            if not _LEVEL.search(name):
                units.append((name.strip(), False))
            figure = _with_unit(figure, units, language)
        out.append(figure)
    return out


def _is_in(unit: str, name: str, units: Sequence[str], language: Language | None) -> bool:
    """Whether the numbers of a column are in one of the units that stand over the table."""
    if unit == "%" and len(units) > 1:
        return bool(_SHARE.search(name))
    if _OWN.search(name):
        return unit == "%" and bool(_SHARE.search(name))
    # Under "Vốn và dự án (tỷ đồng)" a column of projects still counts projects.
    counts = not _LEVEL.search(name) and any(
        figures.kind(read) == "count" for read in _read("2", name.strip(), language)
    )
    return not (counts and any(figures.kind(read) == "money" for read in _read("2", unit, None)))


def _with_unit(
    figure: Figure, units: Iterable[tuple[str, bool]], language: Language | None
) -> Figure:
    for unit, sure in units:
        for read in _read(figure.text, unit, language):
            if read.unit in _TIMES or (not sure and (read.unit is None or read.unit in _CALENDAR)):
                # "15" under "June" is no date.
                continue
            if figure.unit in (None, read.unit):
                return replace(
                    figure, value=read.value, low=read.low, high=read.high, unit=read.unit
                )
    return figure


def _read(number: str, unit: str, language: Language | None) -> Iterator[Figure]:
    """What a number in a unit is, by each way in which the two may be written together."""
    for pattern, written in _SPELLED:
        unit = pattern.sub(written, unit)
    currency, _, scale = unit.partition(" ")
    # "(VND billion)" is said around a number: VND 3 billion.
    texts = [f"{number} {unit}", f"{currency} {number} {scale}".strip()]
    if beside := _BESIDE.fullmatch(unit):
        texts.append(f"{beside['currency']}{number}{beside['scale']}")
    for text in texts:
        try:
            yield figures.parse(text, language=language)
        except ValueError:
            continue


@lru_cache(maxsize=1000)
def _units_over(line: str) -> tuple[str, ...]:
    """The units that a line over a table says its numbers are in: one, or "%", or both."""
    said = _UNIT_LINE.fullmatch(line) or (len(line) < 200 and _CAPTION.fullmatch(line)) or None
    parts = re.split(r"[;,]\s+|\s(?:and|và)\s", said["unit"].strip()) if said else []
    if not all(any(map(_is_unit, _read("2", part, None))) for part in parts):
        return ()
    others = [part for part in parts if part != "%"]
    # Of several, none is known to be a column's.
    return tuple(parts if len(others) < 2 else (part for part in parts if part == "%"))


def _is_unit(read: Figure) -> bool:
    return (read.unit is not None and read.unit not in _TIMES | _CALENDAR) or read.value != 2


def _units(name: str) -> Iterator[str]:
    """What must be the unit in a column's name, if anything is, likeliest first."""
    for inside in reversed(_BRACKETS.findall(name)):
        yield inside.strip()
    head, comma, last = name.rpartition(",")
    if comma and head.strip():
        yield last.strip()
