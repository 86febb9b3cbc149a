"""A release into passages: what is embedded and found as one.

Passages follow the blocks of the canonical text (paragraphs, bullets, table rows). Together they
hold all of it, and they never overlap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from langchain_text_splitters import RecursiveCharacterTextSplitter

from rag.language import sentences
from rag.schema import Passage, Release

CHUNKER = "1"
"""Version of the rules below; part of every passage id, so that a change renews the index."""

MERGE_TOKENS = 120
"""Short neighbours of one section are put together up to this size."""
_TINY_TOKENS = 20
_HEADING_CHARS = 100
_CONTEXT_CHARS = 240


def context(section: tuple[str, ...]) -> str:
    """The headings over a passage as one line, at most 240 characters; empty without headings.

    Long headings are cut; when there are too many, the innermost are kept.
    """
    parts = [_cut(title, _HEADING_CHARS) for title in section]
    while len(parts) > 1 and len(" > ".join(parts)) > _CONTEXT_CHARS:
        del parts[0]
    return " > ".join(parts)


def _cut(title: str, limit: int) -> str:
    if len(title) <= limit:
        return title
    head = title[: limit - 1]
    return (head.rsplit(" ", 1)[0] if " " in head else head).rstrip(" ,;:-–") + "…"


def split(release: Release, count: Callable[[str], int], limit: int = 400) -> list[Passage]:
    """The passages of a release in the order of its text; empty for a text of white space.

    `count` gives the tokens of a string. Heading context, a line end and the passage's text
    together count at most `limit` tokens; a context of more than three quarters of the limit is
    counted as three quarters. No passage begins or ends with white space.
    Raises ValueError when `limit` is below 8.
    """
    if limit < 8:
        raise ValueError(f"limit is {limit}: a passage needs at least 8 tokens")
    spans: list[tuple[_Span, tuple[str, ...]]] = []
    for group, path in _groups(release):
        head = context(path)
        room = max(limit - (count(head + "\n") if head else 0), limit // 4)
        spans.extend((span, path) for span in _pack(release.text, group, count, room))
    return [_passage(release, span, path) for span, path in spans]


def passage_id(release_id: str, start: int, end: int) -> str:
    """The id of a passage: 32 hexadecimal digits that follow from what it is and how it was cut."""
    key = f"{release_id}\n{start}\n{end}\n{CHUNKER}"
    return hashlib.sha256(key.encode("utf-8")).hexdigest()[:32]


class _Span(NamedTuple):
    start: int
    end: int


class _Unit(NamedTuple):
    """A block, with the heading lines that stand right above it."""

    start: int
    end: int


def _passage(release: Release, span: _Span, path: tuple[str, ...]) -> Passage:
    return Passage(
        id=passage_id(release.id, span.start, span.end),
        release_id=release.id,
        start=span.start,
        end=span.end,
        text=release.text[span.start : span.end],
        section=path,
        page=release.page_at(span.start),
    )


def _groups(release: Release) -> Iterator[tuple[list[_Unit], tuple[str, ...]]]:
    """Runs of units under the same headings."""
    headings = {section.start for section in release.sections}
    group: list[_Unit] = []
    path: tuple[str, ...] = ()
    pending: _Span | None = None
    last: _Span | None = None
    for line in _lines(release.text):
        last = line
        if line.start in headings:
            pending = pending or line
            continue
        here = _path(release, line.start)
        # Headings without text of their own go with what follows, whatever its place.
        unit = _Unit(pending.start if pending else line.start, line.end)
        if group and here != path:
            yield group, path
            group = []
        path = here
        group.append(unit)
        pending = None
    if pending is not None and last is not None:
        here = _path(release, last.start)
        if group and here != path:
            yield group, path
            group = []
        path = here
        group.append(_Unit(pending.start, last.end))
    if group:
        yield group, path


def _lines(text: str) -> Iterator[_Span]:
    start = 0
    for line in text.split("\n"):
        span = _trim(text, start, start + len(line))
        if span is not None:
            yield span
        start += len(line) + 1


def _trim(text: str, start: int, end: int) -> _Span | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return _Span(start, end) if start < end else None


def _path(release: Release, offset: int) -> tuple[str, ...]:
    over = [section for section in release.sections if section.start <= offset < section.end]
    return tuple(section.title for section in sorted(over, key=lambda item: item.level))


def _pack(text: str, units: list[_Unit], count: Callable[[str], int], room: int) -> Iterator[_Span]:
    """Merge short units, keep middling ones, cut long ones."""
    merged = min(MERGE_TOKENS, room)
    open_span: _Span | None = None
    starts_short = False
    for unit in units:
        if open_span is not None:
            together = count(text[open_span.start : unit.end])
            # A line of a few words means little alone: it may join a passage that is just full.
            tiny = starts_short and count(text[unit.start : unit.end]) <= _TINY_TOKENS
            if together <= (min(merged + 2 * _TINY_TOKENS, room) if tiny else merged):
                open_span = _Span(open_span.start, unit.end)
                continue
            yield open_span
            open_span = None
        size = count(text[unit.start : unit.end])
        if size > room:
            yield from _cut_long(text, unit, count, room)
        else:
            open_span = _Span(unit.start, unit.end)
            starts_short = size <= merged
    if open_span is not None:
        yield open_span


def _cut_long(text: str, unit: _Unit, count: Callable[[str], int], room: int) -> Iterator[_Span]:
    """Cut at sentences, then at clauses, then at words, then anywhere; pieces of similar size."""
    # Sentence starts are marked by a line end in place of the space before them: the same length,
    # so the offsets of the pieces are those of the text.
    raw = text[unit.start : unit.end]
    marked = list(raw)
    for start, _ in sentences(raw):
        if start and marked[start - 1].isspace() and marked[start - 2 : start - 1] != [";"]:
            marked[start - 1] = "\n"
    source = "".join(marked)
    parts = -(-count(raw) // room)
    size = min(room, -(-count(raw) // parts) + room // 8)
    while True:
        pieces = _splitter(count, size).split_text(source)
        if size == 1 or all(count(piece.strip()) <= room for piece in pieces):
            break
        # Tokens of a whole can be more than those of its parts.
        size = max(1, size * 9 // 10)
    offset = unit.start
    for piece in pieces:
        span = _trim(text, offset, offset + len(piece))
        offset += len(piece)
        if span is not None:
            yield span


def _splitter(count: Callable[[str], int], size: int) -> RecursiveCharacterTextSplitter:
    # A split that counts nothing would be kept as overlap, so every piece counts at least one.
    return RecursiveCharacterTextSplitter(
        separators=["\n", "; ", ", ", " ", ""],
        keep_separator="end",
        strip_whitespace=False,
        chunk_size=size,
        chunk_overlap=0,
        length_function=lambda piece: max(1, count(piece)) if piece else 0,
    )
