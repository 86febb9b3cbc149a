"""Words on pages into text: reading order, table rows, paragraphs, without running heads.

The same steps serve a PDF's text layer and what OCR saw. They only look at where words stand:

1. words into rows, rows into pieces that wide gaps set apart;
2. what repeats at the edges of the pages goes away, page numbers too;
3. side-by-side rows are columns of prose, a table without rules, or a letterhead;
4. rows into paragraphs, by indents, gaps and lines that end early.

Sentences that a page end breaks are not joined here; `ingest.release` does that for all formats.
"""

from __future__ import annotations

import itertools
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest.markup import bold, joined, plain, row


class Word(NamedTuple):
    """A word and its box; the top of the page is 0, any unit of length."""

    text: str
    x0: float
    top: float
    x1: float
    bottom: float
    bold: bool = False


class Table(NamedTuple):
    """A ruled table: cells as printed, and where it stands."""

    top: float
    bottom: float
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on one page; its tables' words are not among `words`."""

    height: float
    words: Sequence[Word]
    tables: Sequence[Table] = ()


@dataclass(slots=True)
class _Row:
    """Words on one line, from left to right."""

    words: list[Word]
    top: float = field(init=False)
    bottom: float = field(init=False)

    def __post_init__(self) -> None:
        self.words.sort(key=lambda word: word.x0)
        self.top = min(word.top for word in self.words)
        self.bottom = max(word.bottom for word in self.words)

    @property
    def x0(self) -> float:
        return self.words[0].x0

    @property
    def x1(self) -> float:
        return max(word.x1 for word in self.words)

    @property
    def bold(self) -> bool:
        lettered = [word for word in self.words if any(map(str.isalnum, word.text))]
        return bool(lettered) and all(word.bold for word in lettered)

    def text(self, em: float) -> str:
        """The words; a space where there is one, three where the line is set apart."""
        parts = [self.words[0].text]
        for before, after in itertools.pairwise(self.words):
            gap = after.x0 - before.x1
            marker = len(parts) == 1 and _MARKER.fullmatch(parts[0])
            parts.append("" if gap < 0.08 * em else "   " if gap > 2 * em and not marker else " ")
            parts.append(after.text)
        return "".join(parts)


_MARKER = re.compile(
    r"[-–—+*•●▪■◦○‣·➢➤✓❖\uf02d\uf0a7\uf0b7\uf0d8\uf0fc]|\(?(?:\d{1,2}|[a-zđA-ZĐ]|[IVX]{1,5})[.)/:–-]+"
)
_LINE_MARKER = re.compile(
    rf"(?:{_MARKER.pattern}|(?:Điều|Mục|Phần|Chương|Phụ lục)\s+[\dIVXA-Z]+[.:]?)(?=\s|$)"
)
_PAGE_NUMBER = re.compile(
    r"[-–—\[(\s]*(?:(?:trang|page|tr\.)\s*(?:số\s*)?)?(\d{1,4})(?:\s*(?:/|of|trên)\s*\d{1,4})?[-–—\])\s]*",
    re.I,
)


def text_of(pages: Sequence[Page]) -> tuple[str, tuple[int, ...]]:
    """The marked text of some pages and the offset at which each of them starts."""
    rows = [_rows(page.words) for page in pages]
    _drop_margins(rows, [page.height for page in pages])
    texts = [_page_paragraphs(found, page.tables) for found, page in zip(rows, pages, strict=True)]
    _drop_repeated_heads(texts)
    known = _hyphenated(rows)
    _join_hyphens_across(texts)
    parts: list[str] = []
    starts: list[int] = []
    length = 0
    for paragraphs in texts:
        text = joined([_mend_hyphens(each, known) for each in paragraphs])
        if text and length:
            parts.append("\n\n")
            length += 2
        starts.append(length)
        parts.append(text)
        length += len(text)
    return "".join(parts), tuple(starts)


# ---------------------------------------------------------------------------------------------
# Rows


def _rows(words: Iterable[Word]) -> list[_Row]:
    """Words whose boxes overlap by half their height stand on one row."""
    lines: list[list[Word]] = []
    bounds: list[tuple[float, float]] = []
    for word in sorted((word for word in words if word.text.strip()), key=lambda each: each.top):
        for index in range(len(lines) - 1, max(-1, len(lines) - 6), -1):
            top, bottom = bounds[index]
            shared = min(bottom, word.bottom) - max(top, word.top)
            if shared >= 0.5 * min(bottom - top, word.bottom - word.top):
                lines[index].append(word)
                if word.bottom - word.top > bottom - top:
                    bounds[index] = (word.top, word.bottom)
                break
        else:
            lines.append([word])
            bounds.append((word.top, word.bottom))
    return sorted(map(_Row, lines), key=lambda each: each.top)


def _em(rows: Sequence[_Row]) -> float:
    heights = [word.bottom - word.top for each in rows for word in each.words]
    return statistics.median(heights) if heights else 1.0


# ---------------------------------------------------------------------------------------------
# Running heads, feet and page numbers


def _drop_margins(pages: list[list[_Row]], heights: Sequence[float]) -> None:
    """Take away page numbers, and rows that stand at the same edge of most pages.

    From the edge inwards, so that nothing between two paragraphs goes. A large heading that every
    page repeats stays on the first.
    """
    sides = [
        (index, step) for index, found in enumerate(pages) if len(found) > 1 for step in (0, -1)
    ]
    seen: Counter[tuple[str, int, str]] = Counter()
    for index, _ in sides[::2]:
        found = pages[index]
        seen.update(
            {
                _edge_key(each, index, heights[index])
                for each in found
                if _near_edge(each, heights[index])
            }
        )
    # A head may be missing on the first page; two pages that agree are the least there can be.
    habit = max(2, 0.6 * (len(sides) // 2 - 1))
    numbers = {
        (index, step): each.text(1.0).strip(" -–—")
        for index, step in sides
        for each in pages[index][step:][:1]
    }
    for index, step in sides:
        found, height, kept = pages[index], heights[index], 0
        em = _em(found)
        while len(found) > kept + 1:
            each = found[kept] if step == 0 else found[-1 - kept]
            if not _near_edge(each, height):
                break
            if _is_page_number(each, index, step, numbers):
                found.remove(each)
            elif seen[_edge_key(each, index, height)] >= habit:
                if index == 0 and each.bottom - each.top > 1.2 * em:
                    kept += 1
                else:
                    found.remove(each)
            else:
                break


def _edge_key(each: _Row, index: int, height: float) -> tuple[str, int, str]:
    """Words, the page's own number aside, and roughly where: the same on every page for a head."""
    middle = (each.top + each.bottom) / 2
    text = re.sub(rf"(?<!\d){index + 1}(?!\d)", "#", each.text(1.0)).lower()
    return ("top" if middle < height / 2 else "bottom", round(40 * middle / height), text)


def _is_page_number(
    each: _Row, index: int, step: int, numbers: Mapping[tuple[int, int], str]
) -> bool:
    """Whether a row at the edge of a page says nothing but which page it is."""
    text = each.text(1.0).strip()
    number = _PAGE_NUMBER.fullmatch(text)
    if number is None:
        return False
    if not text.isdigit() or int(text) == index + 1:
        return True
    # Numbers may start anywhere; they go up by one from page to page.
    return any(numbers.get((index + way, step)) == str(int(number[1]) + way) for way in (-1, 1))


def _near_edge(each: _Row, height: float) -> bool:
    return each.bottom < 0.12 * height or each.top > 0.88 * height


def _drop_repeated_heads(pages: list[list[str]]) -> None:
    """A table that goes on over a page end repeats its head row there."""
    for before, after in itertools.pairwise(pages):
        if not before or not after or not (before[-1][:1] == after[0][:1] == "|"):
            continue
        first = len(before)
        while first and before[first - 1].startswith("|"):
            first -= 1
        head = 0
        while head < len(after) - 1 and after[head] == before[min(first + head, len(before) - 1)]:
            head += 1
        del after[:head]


# ---------------------------------------------------------------------------------------------
# Columns and tables without rules


def _page_paragraphs(rows: list[_Row], tables: Sequence[Table]) -> list[str]:
    """Paragraphs of a page in reading order; a ruled table stands between what it parts."""
    paragraphs: list[str] = []
    rest = rows
    for table in sorted(tables):
        middle = (table.top + table.bottom) / 2
        above = [each for each in rest if (each.top + each.bottom) / 2 < middle]
        rest = rest[len(above) :]
        paragraphs.extend(_in_order(above))
        paragraphs.extend(filter(None, (row(map(plain, cells)) for cells in table.rows)))
    paragraphs.extend(_in_order(rest))
    return paragraphs


def _in_order(rows: list[_Row]) -> list[str]:
    """Paragraphs of rows: bands of rows that are parted side by side, and what is between."""
    em = _em(rows)
    paragraphs: list[str] = []
    done = index = 0
    while index < len(rows):
        band = _band(rows, index, done, em)
        if band is None:
            index += 1
            continue
        first, end, cut = band
        paragraphs.extend(_paragraphs(rows[done:first]))
        paragraphs.extend(_band_paragraphs(rows[first:end], cut, em))
        done = index = end
    paragraphs.extend(_paragraphs(rows[done:]))
    return paragraphs


def _gaps(each: _Row, least: float) -> list[tuple[float, float]]:
    """White stretches within a row, not the one after a list mark."""
    found = []
    right = each.words[0].x1
    for index, word in enumerate(each.words[1:]):
        marker = index == 0 and _MARKER.fullmatch(each.words[0].text)
        if word.x0 - right >= least and not marker:
            found.append((right, word.x0))
        right = max(right, word.x1)
    return found


def _band(rows: list[_Row], start: int, free: int, em: float) -> tuple[int, int, float] | None:
    """Rows around `start`, from `free` on, that one white stretch parts: first, end, and the cut.

    Some of them stand on one side only: the office above a signature, the end of a longer column.
    """
    best: tuple[int, int, int, float] | None = None
    for gap in _gaps(rows[start], 1.2 * em):
        first = start
        gaps = [gap]
        for index in range(start - 1, free - 1, -1):
            each = rows[index]
            narrower = _beside(each, gaps[-1], rows[first : start + 1], em)
            if narrower is None or rows[index + 1].top - each.bottom > 3 * em:
                break
            gaps.append(narrower)
            if narrower[1] < gaps[-2][1] or each.x0 >= narrower[1]:
                first = index
                gap = narrower
        both, last_both, end = 1, start + 1, start + 1
        for index in range(start + 1, len(rows)):
            each, above = rows[index], rows[index].top - rows[index - 1].bottom
            narrower = _beside(each, gap, rows[first:index], em)
            if narrower is not None and above <= 6 * em:
                gap, end = narrower, index + 1
                continue
            shared = [
                (max(gap[0], other[0]), min(gap[1], other[1])) for other in _gaps(each, 0.9 * em)
            ]
            gap_here = max(shared, key=lambda other: other[1] - other[0], default=(0.0, 0.0))
            if gap_here[1] - gap_here[0] < 0.8 * em or above > 3 * em:
                break
            gap = gap_here
            both, last_both, end = both + 1, index + 1, index + 1
        # Lines on one side at the end belong to the band when they stand close.
        while end > last_both and rows[end - 1].top - rows[end - 2].bottom > 0.9 * em:
            end -= 1
        cut = sum(gap) / 2
        before = sum(1 for each in rows[first:end] if each.x0 < cut)
        after = sum(1 for each in rows[first:end] if each.x1 > cut)
        if (both >= 2 or min(before, after) >= 2) and (best is None or both > best[0]):
            best = (both, first, end, cut)
    return None if best is None else best[1:]


def _beside(
    each: _Row, gap: tuple[float, float], band: Sequence[_Row], em: float
) -> tuple[float, float] | None:
    """The gap that is left when a row stands on one side of it, in line with the band's rows there.

    None when the row reaches across, or stands in line with nothing.
    """
    on_left, on_right = each.x1 < gap[1] - 1.2 * em, each.x0 > gap[0] + 1.2 * em
    if on_left == on_right:
        return None
    for other in band:
        words = [word for word in other.words if (word.x1 <= gap[0] + 0.1) == on_left]
        if words:
            x0, x1 = words[0].x0, max(word.x1 for word in words)
            if abs(x0 - each.x0) < 1.5 * em or abs((x0 + x1) - (each.x0 + each.x1)) < 2 * em:
                return (max(gap[0], each.x1), gap[1]) if on_left else (gap[0], min(gap[1], each.x0))
    return None


def _band_paragraphs(band: list[_Row], cut: float, em: float) -> list[str]:
    table = _unruled(band, em)
    if table is not None:
        return table
    left = [[word for word in each.words if (word.x0 + word.x1) / 2 < cut] for each in band]
    right = [[word for word in each.words if (word.x0 + word.x1) / 2 >= cut] for each in band]
    return [
        paragraph
        for side in (left, right)
        for paragraph in _in_order([_Row(words) for words in side if words])
    ]


def _unruled(band: list[_Row], em: float) -> list[str] | None:
    """The rows of a table without rules: three or more of several cells, figures among them."""
    cells = []
    for each in band:
        parts, start = [], 0
        for index, (before, after) in enumerate(itertools.pairwise(each.words), start=1):
            if after.x0 - before.x1 >= em:
                parts.append(each.words[start:index])
                start = index
        parts.append(each.words[start:])
        cells.append([_Row(part) for part in parts])
    full = [parts for parts in cells if len(parts) > 1]
    later = [part.text(em) for parts in full for part in parts[1:]]
    figures = sum(1 for text in later if re.fullmatch(r"[-+±(]?[\d.,\s]*\d[\d.,\s]*[%)]?", text))
    if len(full) < 3 or figures < 0.4 * len(later):
        return None
    return [row(plain(part.text(em)) for part in parts) for parts in cells]


# ---------------------------------------------------------------------------------------------
# Paragraphs


def _paragraphs(rows: list[_Row]) -> list[str]:
    """Paragraphs of one column: what fills its lines goes on, what ends early is finished."""
    if not rows:
        return []
    em = _em(rows)
    left = statistics.quantiles([each.x0 for each in rows], n=20)[0] if rows[1:] else rows[0].x0
    right = max(each.x1 for each in rows)
    steps = [after.top - before.bottom for before, after in itertools.pairwise(rows)]
    usual = statistics.median(steps) if steps else 0.0
    if len(steps) < 3:
        # Too few to tell what is usual here.
        usual = min(usual, 0.6 * em)
    paragraphs: list[list[_Row]] = []
    for index, each in enumerate(rows):
        paragraph = paragraphs[-1] if paragraphs else None
        if paragraph is None or _begins(each, paragraph, steps[index - 1] - usual, right, em):
            paragraphs.append([each])
        else:
            paragraph.append(each)
    found: list[str] = []
    centred_before = False
    for index, paragraph in enumerate(paragraphs):
        text = _flow(paragraph, em)
        centred = len(paragraph) == 1 and _is_centred(paragraph[0], left, right, em)
        if centred and centred_before and steps[_rows_before(paragraphs, index) - 1] - usual < em:
            # Lines of one title, or of a letterhead: the reader of releases tells which.
            found[-1] += "\n" + text
        else:
            found.append(text)
        centred_before = centred
    return found


def _rows_before(paragraphs: list[list[_Row]], index: int) -> int:
    return sum(map(len, paragraphs[:index]))


def _begins(each: _Row, paragraph: list[_Row], extra: float, right: float, em: float) -> bool:
    """Whether a row begins a new paragraph rather than going on with the one above."""
    last = paragraph[-1]
    if extra > 0.4 * em:
        return True
    height = statistics.median(word.bottom - word.top for word in each.words)
    above = statistics.median(word.bottom - word.top for word in last.words)
    if not 0.8 < height / above < 1.25 and min(len(each.words), len(last.words)) > 1:
        return True
    first = each.words[0]
    beyond = first.x1 - first.x0 + 0.6 * em
    # A first line may be cut by a figure set apart; what would have fitted was not meant to go on.
    early = last.x1 + beyond < right
    if early:
        return True
    text, before = each.text(em), last.text(em)
    finished = before.rstrip("\"'”’»)")[-1:] in tuple(".;:!?,")
    indented = each.x0 > last.x0 + 0.8 * em
    if _LINE_MARKER.match(text) and (finished or indented):
        return True
    if indented:
        # Under a list mark the text hangs.
        hanging = len(paragraph) == 1 and _LINE_MARKER.match(before)
        return not hanging
    return len(paragraph) > 1 and each.x0 < last.x0 - 0.8 * em


def _is_centred(each: _Row, left: float, right: float, em: float) -> bool:
    before, after = each.x0 - left, right - each.x1
    return before > 2 * em and abs(before - after) < 1.5 * em


def _flow(paragraph: list[_Row], em: float) -> str:
    """The words of a paragraph on one line; in bold when all of it is."""
    text = ""
    for each in paragraph:
        added = plain(each.text(em))
        if _HYPHEN_END.search(text) and added[:1].isalnum():
            text += _SEAM + added
        else:
            text = f"{text} {added}" if text else added
    return bold(text) if all(each.bold for each in paragraph) else text


# ---------------------------------------------------------------------------------------------
# Words broken at line ends

_SEAM = "\u00ad"
"""Stands after a hyphen at a line end until it is known whether the hyphen belongs to the word."""
_HYPHEN_END = re.compile(r"\w[-\u00ad\u2010]$")
_BROKEN = re.compile(rf"((?:[^\W\d_]+[-\u2010])*[^\W\d_]+)([-\u2010]?){_SEAM}+(\w+)")


def _hyphenated(pages: Sequence[Sequence[_Row]]) -> frozenset[str]:
    """Words that the text has with a hyphen in the middle of a line."""
    return frozenset(
        found.lower()
        for rows in pages
        for each in rows
        for word in each.words
        for found in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)+", word.text)
    )


def _mend_hyphens(text: str, known: frozenset[str]) -> str:
    """A word without the hyphen that only a line end gave it.

    The hyphen stays before capitals and figures, in words that are written with one elsewhere, in
    names of several hyphens, and between Vietnamese syllables, which are never broken.
    """

    def mended(match: re.Match[str]) -> str:
        first, hyphen, second = match.groups()
        own = (
            not second[0].islower()
            or "-" in first
            or not (first + second).isascii()
            or f"{first}-{second}".lower() in known
        )
        return first + (hyphen if own else "") + second

    return _BROKEN.sub(mended, text).replace(_SEAM, "") if _SEAM in text else text


def _join_hyphens_across(pages: list[list[str]]) -> None:
    """The rest of a word that a page end broke goes to the page that has its beginning."""
    for before, after in itertools.pairwise(pages):
        if not before or not after or not _HYPHEN_END.search(before[-1]):
            continue
        rest = re.match(r"[^\W_]+\S*", after[0])
        if rest is None:
            continue
        before[-1] += _SEAM + rest.group()
        after[0] = after[0][rest.end() :].lstrip()
        if not after[0]:
            del after[0]
