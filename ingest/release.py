"""The text of a file into a `Release`: canonical text, sections and metadata.

The work goes in steps, each a pure function: prepare the characters, cut paragraphs, clear marks,
build blocks (a paragraph, a bullet, a table row), mend what page ends broke, then read metadata
and headings off the blocks. The canonical text is the blocks, one a line.

The layout rules are those of Vietnamese administrative documents (Decree 30/2020/NĐ-CP: organ,
number, place and date, document type, title, body, recipients, signature) and of usual English
press releases.
"""

from __future__ import annotations

import hashlib
import html
import itertools
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Literal, NamedTuple

from ingest.fields import (
    blank_number,
    dateline,
    is_place,
    labelled,
    leading_place,
    number_of,
    stated_number,
    supersedes,
    unaccented,
)
from ingest.load import Loaded
from ingest.overrides import FIELDS, clean
from ingest.properties import from_properties
from rag.language import detect
from rag.schema import Language, Release, Section

MAX_HEADING_CHARS = 200
_MAX_TITLE_CHARS = 400
_FINAL = ".!?…"
_CLOSERS = "\"'”’»)]}*_ "
_BREAK_IN_CELL = "\x01"

# ---------------------------------------------------------------------------------------------
# Characters


def read_release(
    loaded: Loaded, source: str, overrides: Mapping[str, str] = MappingProxyType({})
) -> Release:
    """What a loaded file says, as a `Release`; `source` is stored as given.

    Every offset (sections, pages) counts characters of the canonical text. Metadata comes from
    `overrides` (see `ingest.overrides.overrides_for`), else from the text, else from the file's
    properties, and is None when none of them has it; a text without headings has no sections.
    """
    prepared, pages = _prepare(loaded.text, loaded.pages)
    blocks = _mend(_blocks(prepared))
    text, starts = _assemble(blocks)
    language = detect(text)
    header = _read_header(blocks, language)
    closing, appendix = _closing(blocks, header.body)
    said = _metadata(blocks, header, closing, appendix, text, language)
    known, provenance = _combined(said, from_properties(loaded.properties, _is_organ), overrides)
    return Release(
        id=hashlib.sha256(text.encode("utf-8")).hexdigest()[:16],
        source=source,
        sha256=loaded.sha256,
        text=text,
        language="vi" if known.get("language") == "vi" else "en",
        number=known.get("number"),
        title=known.get("title"),
        issuer=known.get("issuer"),
        issued=date.fromisoformat(known["issued"]) if "issued" in known else None,
        place=known.get("place"),
        signer=known.get("signer"),
        kind=known.get("kind"),
        subject=known.get("subject"),
        supersedes=known.get("supersedes"),
        provenance=provenance,
        sections=_sections(blocks, starts, len(text), header, closing, appendix),
        pages=_page_offsets(pages, blocks, starts, len(text)),
    )


def _combined(
    text: Mapping[str, str], properties: Mapping[str, str], overrides: Mapping[str, str]
) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Each known field's value, and where it came from; what goes first overwrites."""
    found = {name: (value, "properties") for name, value in properties.items()}
    found |= {name: (value, "text") for name, value in text.items()}
    for key, value in overrides.items():
        where, _, name = key.rpartition(":")
        found[name] = (clean(name, value), where or "sidecar")
    known = {name: (value, where) for name, (value, where) in found.items() if value}
    return (
        {name: value for name, (value, _) in known.items()},
        tuple((name, known[name][1]) for name in FIELDS if name in known),
    )


def canonical(text: str) -> str:
    """The canonical form of a text: what `read_release` stores as `Release.text`.

    NFC; Markdown and HTML marks, zero-width and control characters gone; paragraphs that were
    broken by line or page ends joined with one space; one paragraph, bullet or table row a line.
    Empty for a text without anything to keep.
    """
    return _assemble(_mend(_blocks(_prepare(text, ())[0])))[0]


_INVISIBLE = re.compile(
    r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufdd0-\ufdef\ufffe\uffff"
    r"\x00-\x08\x0e-\x1b\x1d-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]"
)
_LINE_END = re.compile(r"\r\n?|[\v\f\x1c\x85\u2028\u2029]")
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_HTML_ROW = re.compile(r"<tr\b[^<>]*>(.*?)</tr\s{0,9}>", re.S | re.I)
_HTML_ROW_END = re.compile(r"</tr\s{0,9}>", re.I)
_HTML_CELL_END = re.compile(r"</t[dh]\s*>\s*(?:<t[dh]\b[^<>]*>)", re.I)
_HTML_BREAK = re.compile(r"<br\s*/?>", re.I)
_HTML_BLOCK_END = re.compile(r"</(?:p|div|li|h[1-6]|table)\s*>", re.I)


def _prepare(text: str, pages: Sequence[int]) -> tuple[str, list[int]]:
    """NFC text with plain line ends, and where the pages start in it."""
    cuts = sorted({0, *(min(max(0, page), len(text)) for page in pages)})
    pieces = [
        _prepare_piece(text[start:end])
        for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True)
    ]
    moved, length = {}, 0
    for cut, piece in zip(cuts, pieces, strict=True):
        moved[cut] = length
        length += len(piece)
    return "".join(pieces), [moved[min(max(0, page), len(text))] for page in pages]


def _prepare_piece(text: str) -> str:
    text = _INVISIBLE.sub("", _LINE_END.sub("\n", text))
    text = unicodedata.normalize("NFC", text)
    if "<" not in text:
        return text
    # Up to the last end mark only: what is never closed would be searched for again and again.
    cut = text.rfind("-->") + 3 if "-->" in text else 0
    text = _COMMENT.sub("", text[:cut]) + text[cut:]
    cut = max((end.end() for end in _HTML_ROW_END.finditer(text)), default=0)
    text = _HTML_ROW.sub(_plain_row, text[:cut]) + text[cut:]
    lines = []
    for line in text.split("\n"):
        inside_row = line.lstrip().startswith("|")
        lines.append(_HTML_BREAK.sub(_BREAK_IN_CELL if inside_row else "\n", line))
    return _HTML_BLOCK_END.sub("\n", "\n".join(lines))


def _plain_row(match: re.Match[str]) -> str:
    cells = _HTML_CELL_END.sub(" | ", match.group(1))
    cells = _HTML_BREAK.sub(_BREAK_IN_CELL, cells)
    return "\n| " + " ".join(cells.split("\n")).strip() + " |\n"


# ---------------------------------------------------------------------------------------------
# Marks within a paragraph

_TAGS = (
    "a|abbr|article|b|blockquote|body|br|caption|center|code|col|colgroup|del|div|em|figcaption|"
    "figure|font|footer|h[1-6]|head|header|hr|html|i|img|ins|li|main|mark|meta|nav|ol|p|pre|s|"
    "section|small|span|strike|strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|tt|u|ul"
)
_TAG = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>\n]*)?/?>", re.I)
_AUTOLINK = re.compile(r"<((?:https?|ftp|mailto):[^<>\s]+|[\w.+-]+@[\w.-]+)>")
_TARGET = r"\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"\n]*\")?\)"
_IMAGE = re.compile(rf"!\[[^\[\]\n]*\]{_TARGET}")
_LINK = re.compile(rf"\[([^\[\]\n]+)\]{_TARGET}")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_CODE = re.compile(r"(?<!`)(`+)(?!`)([^\n]+?)(?<!`)\1(?!`)")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!<>~&])")
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S*[^\s*_]|[\w.+-]{1,64}@[\w.-]{1,200}\w")
_EMPHASIS = re.compile(r"\*+|_+|~~")


@dataclass(slots=True)
class _Mark:
    """A run of emphasis characters that has not found its partner."""

    char: str
    size: int
    start: int
    opens: bool
    closes: bool
    inside_word: bool


@dataclass(slots=True)
class _Cleared:
    """A paragraph with the positions of what goes away; line ends always stay."""

    raw: str
    dropped: set[int] = field(default_factory=set)
    replaced: dict[int, str] = field(default_factory=dict)
    strong: list[tuple[int, int]] = field(default_factory=list)
    openers: list[_Mark] = field(default_factory=list)
    closers: list[_Mark] = field(default_factory=list)
    open_end: bool = False
    """Its emphasis goes on in the next paragraph."""

    def drop(self, start: int, end: int) -> None:
        self.dropped.update(range(start, end))

    def lines(self) -> Iterable[tuple[int, str, bool]]:
        """Offset in `raw`, text without marks, and whether all of it is bold."""
        start = 0
        for raw in self.raw.split("\n"):
            kept = [i for i in range(start, start + len(raw)) if i not in self.dropped]
            text = "".join(self.replaced.get(i, self.raw[i]) for i in kept)
            # Taking a mark away can bring a letter and its accent side by side.
            text = unicodedata.normalize("NFC", text)
            words = [i for i in kept if self.raw[i].isalnum()]
            bold = bool(words) and any(
                first <= words[0] and words[-1] < last for first, last in self.strong
            )
            yield start, text, bold
            start += len(raw) + 1


def _clear(raw: str) -> _Cleared:
    """Find the marks of one paragraph."""
    cleared = _Cleared(raw)
    if not re.search(r"[*_~`\\<\[&!]", raw):
        return cleared
    protected: set[int] = set()
    for match in _IMAGE.finditer(raw):
        cleared.drop(*match.span())
    for match in _LINK.finditer(raw):
        if match.start() not in cleared.dropped:
            cleared.drop(match.start(), match.start(1))
            cleared.drop(match.end(1), match.end())
    for match in _TAG.finditer(raw):
        cleared.drop(*match.span())
    for match in _AUTOLINK.finditer(raw):
        cleared.drop(match.start(), match.start(1))
        cleared.drop(match.end(1), match.end())
    for match in _CODE.finditer(raw):
        cleared.drop(match.start(), match.start(2))
        cleared.drop(match.end(2), match.end())
        protected.update(range(match.start(2), match.end(2)))
    for match in _ESCAPE.finditer(raw):
        if match.start() not in protected:
            cleared.drop(match.start(), match.start() + 1)
            protected.update((match.start(), match.start() + 1))
    for match in _ENTITY.finditer(raw):
        char = html.unescape(match.group())
        if match.start() not in protected and len(char) == 1 and not _INVISIBLE.match(char):
            cleared.replaced[match.start()] = " " if char in "\r\n\f\v" else char
            cleared.drop(match.start() + 1, match.end())
    # An address keeps its underscores.
    for match in _ADDRESS.finditer(raw):
        protected.update(i for i in range(*match.span()) if raw[i] == "_")
    _pair_emphasis(cleared, protected)
    return cleared


def _pair_emphasis(cleared: _Cleared, protected: set[int]) -> None:
    raw = cleared.raw
    for match in _EMPHASIS.finditer(raw):
        size, start = len(match.group()), match.start()
        if size > 3 or start in protected or start in cleared.dropped:
            continue
        before = _neighbour(cleared, start - 1, -1)
        after = _neighbour(cleared, match.end(), 1)
        inside = before.isalnum() and after.isalnum()
        double = size > 1 and match.group()[0] == "*"
        opens = not after.isspace() and after not in ")]}.,;:!?%" and not (inside and not double)
        opens = opens and (double or not before.isalnum())
        closes = not before.isspace() and before not in "([{“‘" and (double or not after.isalnum())
        mark = _Mark(match.group()[0], size, start, opens, closes, inside)
        if closes:
            _close(cleared, mark)
        if mark.size and mark.opens:
            cleared.openers.append(mark)
        elif mark.size and closes:
            cleared.closers.append(mark)
    # A bold mark that lost its partner is still a mark when it touches a word on one side only.
    for mark in [*cleared.openers, *cleared.closers]:
        if mark.char == "*" and mark.size == 2 and not mark.inside_word:
            cleared.drop(mark.start, mark.start + mark.size)
            line_start = raw.rfind("\n", 0, mark.start) + 1
            line_end = raw.find("\n", mark.start)
            if mark.opens:
                cleared.strong.append((mark.start, line_end if line_end >= 0 else len(raw)))
            else:
                cleared.strong.append((line_start, mark.start))


def _neighbour(cleared: _Cleared, position: int, step: int) -> str:
    raw = cleared.raw
    while 0 <= position < len(raw):
        if position not in cleared.dropped and raw[position] not in "*_~":
            return raw[position]
        position += step
    return " "


def _close(cleared: _Cleared, mark: _Mark) -> None:
    """Pair a closing run with the openers before it, the nearest first."""
    while mark.size:
        partner = next(
            (
                opener
                for opener in itertools.islice(reversed(cleared.openers), 50)
                if opener.char == mark.char
                and (opener.size <= mark.size or opener.size == 3)
                and not (opener.inside_word and mark.inside_word)
            ),
            None,
        )
        if partner is None:
            return
        size = min(partner.size, mark.size)
        first = partner.start + partner.size - size
        cleared.drop(first, first + size)
        cleared.drop(mark.start, mark.start + size)
        if size > 1 and mark.char in "*_":
            cleared.strong.append((first, mark.start + size))
        partner.size -= size
        mark.start += size
        mark.size -= size
        del cleared.openers[cleared.openers.index(partner) + (1 if partner.size else 0) :]


# ---------------------------------------------------------------------------------------------
# Blocks

_Kind = Literal["text", "item", "row", "heading"]


@dataclass(slots=True)
class _Block:
    """A paragraph, bullet, table row or Markdown heading: one line of the canonical text."""

    kind: _Kind
    text: str
    gap: bool
    """A blank line stands before it."""
    parts: list[tuple[int, int]]
    """Where each line of the file starts: (offset in `shown`, offset in the prepared text)."""
    cells: list[str]
    """What the file shows apart: table cells, columns set off by wide space, single lines."""
    mark: str = ""
    level: int = 0
    """Of a Markdown heading, 1-6."""
    bold: bool = False
    open_end: bool = False
    last_line: str = ""

    @property
    def shown(self) -> str:
        return self.mark + self.text


_FENCE = re.compile(r"\s*(?:>\s*)*(?:```|~~~)[^`]*$")
_RULE = re.compile(r"\s*(?:([-*_=])(?:\s*\1){2,}|[-*_=]{3,})\s*$")
_TABLE_RULE = re.compile(r"(?=.*\|)\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_HASH = re.compile(r"\s{0,3}(#{1,6})(?:\s+(.*?))?\s*#*\s*$")
_BULLET = re.compile(
    r"\s*(?:([-*+•●▪■◦○‣⁃·–—➢➤✓❖\uf02d\uf0a7\uf0b7\uf0d8\uf0fc])\s+(?=\S)"
    r"|(-)(?=[^\W\d_])|([•●▪■◦‣➢➤❖\uf0a7\uf0b7\uf0d8])(?=\S))"
)
_WIDE = re.compile(r"\t+|\s{3,}")
_SPACE = re.compile(r"\s+")


class _Line(NamedTuple):
    kind: _Kind
    text: str
    cells: list[str]
    mark: str = ""
    level: int = 0


def _squeeze(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def _parse_line(raw: str) -> _Line | None:
    """One line without inner marks; None for a rule or an empty line."""
    line = re.sub(r"^\s*(?:>\s?)+", "", raw).replace("\\|", "\x00")
    if not line.strip() or _RULE.match(line) or _TABLE_RULE.match(line.strip()):
        return None
    match = _HASH.match(line)
    if match:
        text = _restore(match.group(2) or "")
        return _Line("heading", text, [text], level=len(match.group(1))) if text else None
    stripped = line.strip()
    if stripped.startswith("|") or (stripped.endswith("|") and stripped.count("|") > 1):
        cells = [_restore(cell) for cell in stripped.strip("|").split("|")]
        if not any(cells):
            return None
        text = _squeeze(" | ".join(cells).replace(_BREAK_IN_CELL, " "))
        parts = [_squeeze(part) for cell in cells for part in cell.split(_BREAK_IN_CELL)]
        return _Line("row", text, [part for part in parts if part])
    bullet = _BULLET.match(line)
    if bullet and not (bullet.group(2) and line[bullet.end()].islower()):
        mark = "+ " if bullet.group(1) == "+" else "- "
        text = _restore(line[bullet.end() :])
        return _Line("item", text, [text], mark) if text else None
    cells = [_restore(cell) for cell in _WIDE.split(line) if cell.strip()]
    return _Line("text", _restore(line), cells)


def _restore(text: str) -> str:
    return _squeeze(text.replace("\x00", "|"))


def _blocks(prepared: str) -> list[_Block]:
    """Blocks of a prepared text, lines that belong together already joined."""
    paragraphs = _paragraphs(prepared)
    _pair_across(paragraphs)
    width = _wrap_width(paragraphs)
    blocks: list[_Block] = []
    for offset, cleared in paragraphs:
        first = True
        for position, raw, bold in cleared.lines():
            source = offset + position
            line = _parse_line(raw)
            if line is None:
                if blocks and not first and _is_underline(raw, blocks[-1]):
                    blocks[-1].kind, blocks[-1].level = "heading", 1 if "=" in raw else 2
                continue
            if not first and line.kind == "text" and _wraps(blocks[-1], line, width):
                _append(blocks[-1], line, source)
                blocks[-1].bold = blocks[-1].bold and bold
            else:
                blocks.append(
                    _Block(
                        line.kind,
                        line.text,
                        gap=first,
                        parts=[(0, source)],
                        cells=line.cells,
                        mark=line.mark,
                        level=line.level,
                        bold=bold,
                        last_line=line.text,
                    )
                )
            first = False
        if blocks:
            blocks[-1].open_end = cleared.open_end
    return blocks


def _paragraphs(prepared: str) -> list[tuple[int, _Cleared]]:
    """Stretches between blank lines, with their offsets."""
    found: list[tuple[int, _Cleared]] = []
    start = position = 0
    for line in [*prepared.split("\n"), ""]:
        if not line.strip() or _FENCE.match(line):
            raw = prepared[start:position].rstrip("\n")
            if raw.strip():
                found.append((start, _clear(raw)))
            start = position + len(line) + 1
        position += len(line) + 1
    return found


def _pair_across(paragraphs: list[tuple[int, _Cleared]]) -> None:
    """Emphasis that a page end cut in two."""
    prose = [cleared for _, cleared in paragraphs if not _PAGE_MARK.fullmatch(cleared.raw)]
    for before, after in itertools.pairwise(prose):
        if not before.openers or not after.closers:
            continue
        opener, closer = before.openers[-1], after.closers[0]
        if opener.char == closer.char and opener.size == closer.size:
            before.open_end = True
            before.drop(opener.start, opener.start + opener.size)
            after.drop(closer.start, closer.start + closer.size)


def _is_underline(raw: str, block: _Block) -> bool:
    return (
        re.fullmatch(r"\s*(?:={3,}|-{3,})\s*", raw) is not None
        and block.kind == "text"
        and block.gap
        and len(block.parts) == 1
        and len(block.text) <= 120
        and block.text[-1] not in _FINAL + ";,"
        and not _MOTTO.match(block.text)
    )


def _wrap_width(paragraphs: list[tuple[int, _Cleared]]) -> int:
    """Length at which the file breaks its lines; 0 when its lines are whole paragraphs."""
    lengths = sorted(
        len(text.strip())
        for _, cleared in paragraphs
        for _, text, _ in list(cleared.lines())[:-1]
        if text.strip() and not text.lstrip().startswith(("|", "#"))
    )
    if not lengths:
        return 0
    width = lengths[int(0.95 * (len(lengths) - 1))]
    return width if 50 <= width <= 130 else 0


def _wraps(block: _Block, line: _Line, width: int) -> bool:
    """Whether a line goes on where the line before it stopped."""
    last = block.last_line
    if block.kind in ("row", "heading") or _marker(line.text) or _stands_alone(line.text):
        return False
    if _is_caps(last) or _CLOSING_LINE.match(last):
        return False
    if _closes_bracket(block.text, line.text) and not _is_final(last):
        return True
    if _starts_lower(line.text):
        return len(last) >= 50 or last[-1] not in ":;"
    if not width:
        return False
    next_word = line.text.split(" ", 1)[0]
    full = len(last) + 1 + len(next_word) > 0.8 * width
    # A numbered line that could be a heading is not drawn into the paragraph under it.
    titled = _marker(block.text) and len(block.parts) == 1 and last[-1] not in ",;-–("
    return full and not (titled and len(last) + len(next_word) < width)


def _append(block: _Block, line: _Line, source: int) -> None:
    block.text += " "
    block.parts.append((len(block.shown), source))
    block.text += line.text
    block.cells.extend(line.cells)
    block.last_line = line.text


# ---------------------------------------------------------------------------------------------
# Paragraphs broken by page ends

_PAGE_MARK = re.compile(
    r"[-–—\[(\s]*(?:(?:trang|page)\s*)?\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?[-–—\])\s]*", re.I
)
_NAMED_PAGE_MARK = re.compile(
    r"(?:trang|page)\s*\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?|[-–—]\s*\d{1,4}\s*[-–—]", re.I
)
_DANGLING = re.compile(
    r"\b(?:và|của|với|tại|cho|trong|các|những|là|về|từ|theo|để|bằng|do|hoặc|ở|đến|trên|"
    r"and|of|the|to|in|for|with|by|at|a|an|or|from|on)$"
)


def _mend(blocks: list[_Block]) -> list[_Block]:
    """Join what page ends broke; page numbers that stood in between go away."""
    torn = any(
        before.kind == after.kind == "text" and after.gap and _is_torn(before, after)
        for before, after in itertools.pairwise(blocks)
    )
    mended: list[_Block] = []
    pending: _Block | None = None
    for block in blocks:
        if block.gap and block.kind in ("text", "item") and _PAGE_MARK.fullmatch(block.shown):
            if _NAMED_PAGE_MARK.fullmatch(block.shown):
                continue
            if mended and pending is None:
                pending = block
                continue
        if mended and block.gap and _is_broken(mended[-1], block, torn=torn):
            _join(mended[-1], block)
        else:
            if pending is not None:
                mended.append(pending)
            mended.append(block)
        pending = None
    if pending is not None:
        mended.append(pending)
    return mended


def _is_torn(before: _Block, after: _Block) -> bool:
    """Whether a sentence plainly goes on: no end in the one, a small letter in the other."""
    return (
        len(before.text) >= 40
        and not _is_final(before.text)
        and before.text[-1] not in ":;"
        and not _is_caps(before.text)
        and _starts_lower(after.text)
        and not _marker(after.text)
    )


def _is_broken(before: _Block, after: _Block, *, torn: bool) -> bool:
    """Whether a block is the rest of the one before it.

    `torn` says that page ends did break other sentences of this text, which makes it likelier that
    a paragraph that just stops goes on with a name.
    """
    if after.kind != "text" or before.kind not in ("text", "item"):
        return False
    text, following = before.text, after.text
    if _is_final(text) or text.endswith(":") or _is_caps(text):
        return False
    if _CLOSING_LINE.match(text) or _stands_alone(following):
        return False
    if before.open_end or _closes_bracket(text, following):
        return True
    if _starts_lower(following) and not _marker(following):
        return before.kind == "text" or not text.endswith(";")
    if _marker(following) or _is_caps(following) or after.bold or not following[0].isalnum():
        return False
    prose = len(text) >= 100 and re.search(r"[^\W\d_]{2}[.!?] +[^\W\d_]", text) is not None
    return (
        (len(text) >= 60 and text.endswith(",") and before.kind == "text")
        or (len(text) >= 40 and _DANGLING.search(text) is not None)
        or (torn and prose and text[-1].isalnum())
    )


def _join(before: _Block, after: _Block) -> None:
    offset = len(before.shown) + 1
    before.parts.extend((offset + part, source) for part, source in after.parts)
    before.text += " " + after.text
    before.cells.extend(after.cells)
    before.last_line, before.open_end = after.last_line, after.open_end


def _is_final(text: str) -> bool:
    bare = text.rstrip(_CLOSERS + "✓✔")
    return not bare or bare[-1] in _FINAL


def _starts_lower(text: str) -> bool:
    first = re.search(r"[^\W_]", text)
    return first is not None and first.group().islower()


def _closes_bracket(before: str, after: str) -> bool:
    """Whether a bracket or quote left open in one paragraph is closed in the next."""
    for opening, closing in ("()", "[]", "“”", "«»"):
        left = before.count(opening) - before.count(closing)
        if left <= 0 or before.rfind(opening) < before.rfind(closing):
            continue
        depth = 0
        for char in after:
            depth += (char == opening) - (char == closing)
            if depth < 0:
                return True
    return False


def _is_caps(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return len(letters) >= 4 and not any(char.islower() for char in letters)


def _assemble(blocks: list[_Block]) -> tuple[str, list[int]]:
    """The canonical text and where each block starts in it."""
    starts, length, shown = [], 0, []
    for block in blocks:
        starts.append(length)
        shown.append(block.shown)
        length += len(block.shown) + 1
    return "\n".join(shown), starts


def _page_offsets(
    pages: list[int], blocks: list[_Block], starts: list[int], length: int
) -> tuple[int, ...]:
    """Offsets of pages in the canonical text: the first line that came from each."""
    lines = [
        (source, start + part)
        for block, start in zip(blocks, starts, strict=True)
        for part, source in block.parts
    ]
    sources = [source for source, _ in lines]
    found: list[int] = []
    for page in pages:
        # A page may begin with blanks, or (when a format gives none) in the middle of a line.
        index = bisect_right(sources, page - 1)
        found.append(min(lines[index][1], length) if index < len(lines) else length)
    return tuple(found)


# ---------------------------------------------------------------------------------------------
# Headings

_PUNCT = r"\s*[.:–-]?"
_STYLES: tuple[tuple[str, int, re.Pattern[str]], ...] = tuple(
    (name, rank, re.compile(pattern))
    for name, rank, pattern in (
        ("part", 10, rf"(?:PHẦN|Phần|PART|Part)\s+(?:THỨ|[Tt]hứ|[IVXLC]+\b|\d+\b|[A-E]\b){_PUNCT}"),
        ("chapter", 11, rf"(?:CHƯƠNG|Chương|CHAPTER|Chapter)\s+(?:[IVXLC]+|\d+)\b{_PUNCT}"),
        ("section", 12, rf"(?:MỤC|Mục|SECTION|Section)\s+(?:[IVXLC]+|\d+|[A-Z])\b{_PUNCT}"),
        ("article", 13, rf"(?:ĐIỀU|Điều|ARTICLE|Article)\s+\d+[a-z]?\b{_PUNCT}"),
        ("roman", 15, r"(?:[IVX]{1,6}|[LC][IVXLC]+)\s*(?:[.)/:]|[–-])\s*(?=[\"“(]?[^\W_])"),
        ("letter", 14, r"[A-HKĐ]\s*(?:[.)/]|[–-])\s+(?=[\"“(]?[^\W\d_])"),
        ("decimal-3", 19, r"\d{1,2}\.\d{1,2}\.\d{1,2}[.)]?\s+(?=[\"“(]?[^\W\d_])"),
        ("decimal-2", 18, r"\d{1,2}\.\d{1,2}[.)]?\s+(?=[\"“(]?[^\W\d_])"),
        ("arabic", 17, r"\d{1,2}\s*(?:[.:]|[–-])(?:\s+(?=[\"“(]?[^\W_])|(?=[^\W\d_]))"),
        ("bracket", 20, r"\(?\d{1,2}\)\s*(?=[\"“(]?[^\W_])"),
        ("small", 21, r"\(?[a-zđ][.)]\s*(?=[\"“(]?[^\W_])"),
    )
)
_RANKS = {name: rank for name, rank, _ in _STYLES}


def _marker(text: str) -> str | None:
    """The numbering style that a line begins with; what is numbered starts with a capital."""
    for name, _, pattern in _STYLES:
        match = pattern.match(text)
        if match is None:
            continue
        rest = text[match.end() :].lstrip('"“(')
        if not rest:
            return name if _RANKS[name] <= 13 else None
        if rest[0].islower() and name not in ("small", "part"):
            return None
        return name
    return None


def _is_heading_text(text: str) -> bool:
    return (
        len(text) <= MAX_HEADING_CHARS
        and not text.rstrip(_CLOSERS).endswith((".", ";", ",", "!", "?", "…"))
        and any(char.isalpha() for char in text)
    )


def _heading_styles(blocks: list[_Block], first: int, closing: int, appendix: int) -> list[str]:
    """The heading style of each block, empty for what is no heading."""
    styles = [""] * len(blocks)
    markers = [_marker(block.text) or "" if block.kind == "text" else "" for block in blocks]
    for index, block in enumerate(blocks):
        if closing <= index < appendix or index + 1 >= len(blocks):
            continue
        if block.kind == "heading":
            styles[index] = f"hash-{block.level}"
            continue
        if block.kind != "text" or not _is_heading_text(block.text) or index + 1 == closing:
            continue
        marker = markers[index]
        if marker:
            # Numbered lines one after another are a list, not headings without text.
            after = markers[index + 1] == marker and blocks[index + 1].kind == "text"
            before = index > 0 and markers[index - 1] == marker and not styles[index - 1]
            if block.bold or (not after and not (before and index > first)):
                styles[index] = marker
        elif index >= first and not _METADATA.match(block.text):
            if block.bold and not block.text.endswith(":"):
                styles[index] = "bold"
            elif _is_caps(block.text) and len(block.text) <= 120 and " " in block.text:
                styles[index] = "caps"
            elif _is_plain_heading(blocks, index):
                styles[index] = "plain"
    return styles


def _is_plain_heading(blocks: list[_Block], index: int) -> bool:
    """A short line set apart by blank lines, between finished text and a paragraph."""
    block, before, after = blocks[index], blocks[index - 1], blocks[index + 1]
    return (
        index > 0
        and block.gap
        and after.gap
        and len(block.text) <= 80
        and " " in block.text
        and block.text[0].isupper()
        and block.text[-1].isalnum()
        and (before.kind in ("item", "row") or _is_final(before.text))
        and (after.kind == "item" or (len(after.text) >= 40 and _is_final(after.text)))
        and after.kind != "row"
    )


def _sections(
    blocks: list[_Block],
    starts: list[int],
    length: int,
    header: _Header,
    closing: int,
    appendix: int,
) -> tuple[Section, ...]:
    styles = _heading_styles(blocks, header.body, closing, appendix)
    stack: list[str] = []
    opened: list[tuple[int, int]] = []
    found: list[tuple[int, int, int]] = []
    body_end = starts[closing] - 1 if closing < len(blocks) else length
    for index, style in enumerate(styles):
        if index == appendix:
            found.extend((at, level, body_end) for at, level in opened)
            opened, stack = [], []
        if not style or index in header.used:
            continue
        _nest(stack, style)
        level = len(stack)
        end = starts[index] - 1
        found.extend((at, above, end) for at, above in opened if above >= level)
        opened = [(at, above) for at, above in opened if above < level]
        opened.append((index, level))
    last = length if appendix < len(blocks) or closing >= len(blocks) else body_end
    found.extend((at, level, last) for at, level in opened)
    return tuple(
        Section(blocks[at].text, level, starts[at], end) for at, level, end in sorted(found)
    )


def _nest(stack: list[str], style: str) -> None:
    """Put a heading style in its place: under the styles that are higher, in place of its own.

    Capitals and bold have no rank of their own: they nest under whatever stood before them.
    """
    if style in stack:
        del stack[stack.index(style) + 1 :]
        return
    rank = _rank(style)
    for index, above in enumerate(stack):
        above_rank = _rank(above)
        if rank is not None and above_rank is not None and above_rank > rank:
            del stack[index:]
            break
    stack.append(style)


def _rank(style: str) -> int | None:
    if style.startswith("hash-"):
        return int(style[5:])
    return _RANKS.get(style)


# ---------------------------------------------------------------------------------------------
# Header: what stands before the body

_MOTTO = re.compile(
    r"(?:cộng h(?:òa|oà) xã hội chủ nghĩa việt nam|độc lập\s*[-–]\s*tự do|"
    r"socialist republic of viet ?nam|independence\s*[-–]\s*freedom)",
    re.I,
)
_NUMBER_VI = re.compile(
    r"(?:văn bản\s+|thông cáo\s+)?số\s*[:.]?\s*"
    r"(\d[\d ]{0,6}[a-zA-Z]?(?:\s*/\s*\d{4}(?=\s*/))?\s*/\s*[^\W\d_][\w&]*"
    r"(?:-[\w&]+|\s+-\s*[A-ZĐ]{2}[\w&]*|-\s+[A-ZĐ]{2}[\w&]*|/[\w&]+)*)",
    re.I,
)
_NUMBER_EN = re.compile(
    r"(?:(?:(?:press|news|media)\s+)?(?:release|statement|notice|communiqu[eé])\s*)?"
    r"(?:no\b|number\b|nr\b|#|ref(?:erence)?\b)\.?\s*(?:no\b\.?|number\b)?\s*[:.]?\s*"
    r"([A-Za-z0-9][\w./-]*)",
    re.I,
)
_KINDS = (
    "thông cáo báo chí|thông cáo|thông báo|báo cáo|công điện|chỉ thị|quyết định|nghị quyết|"
    "nghị định|thông tư|kế hoạch|tờ trình|công văn|hướng dẫn|kết luận|phương án|đề án|chương trình|"
    "biên bản|tuyên bố|lời kêu gọi|công bố|bản tin|tin báo chí|press release|news release|"
    "media release|press statement|joint statement|joint press statement|media statement|statement|"
    "press communiqu[eé]|communiqu[eé]|media advisory|advisory|fact sheet|report|announcement|"
    "notice|bulletin|directive|decision|resolution|official dispatch|press note|press notice"
)
_KIND_LINE = re.compile(rf"(?:\W*)({_KINDS})(?:\s*[:–-]?\s*)", re.I)
_TYPE_LINE = re.compile(
    rf"\W*((?:{unaccented(_KINDS)}|thong tin bao chi|corrigendum|backgrounder)\b)(?:\s*[:–—-]?\s*)"
)
"""On text without accents, which recognition often takes from large letters."""
_TYPES = {unaccented(kind): kind for kind in _KINDS.split("|") if kind.replace(" ", "").isalpha()}
_SUBJECT_LINE = re.compile(r"v/v\b", re.I)
_ABOUT = re.compile(r"\W*(?:v/v|về việc)\b", re.I)
_METADATA = re.compile(
    r"(?:for (?:immediate )?(?:press )?release\b|immediate release\b|embargo|"
    r"(?:media |press )?contacts?\b|date\s*:|ngày (?:đăng|ban hành|phát hành)\s*:|cập nhật|"
    r"kính gửi|to\s*:|subject\s*:|tel\b|email\b|đt\s*:|điện thoại|địa chỉ|số\s*:)",
    re.I,
)
_ORGAN_VI = re.compile(
    r"(?:[uủ][yỷ] ban nhân dân|ubnd|hội đồng nhân dân|hđnd|bộ|sở|ban|tổng cục|chi cục|cục|vụ|viện|"
    r"văn phòng|chính phủ|thủ tướng chính phủ|ngân hàng|thanh tra|kiểm toán nhà nước|"
    r"bảo hiểm xã hội|kho bạc|t(?:òa|oà) án|công an|thành [uủ][yỷ]|tỉnh [uủ][yỷ]|quận [uủ][yỷ]|"
    r"huyện [uủ][yỷ]|trung tâm|hải quan|phòng|quốc hội|[uủ][yỷ] ban|học viện|bệnh viện|trường|"
    r"đài|tổng công ty|tập đoàn|hội|liên đoàn|thống kê|bộ tư lệnh|thuế)(?=\s|$)",
    re.I,
)
_ORGAN_BARE = re.compile(
    r"(?:u[yỷ] ban nhan dan|ubnd|hoi dong nhan dan|van phong|tong cuc|chi cuc|"
    r"cuc (?:thong ke|thue|hai quan)|"
    r"(?:so|bo) (?:y te|tai chinh|cong thuong|xay dung|noi vu|tu phap|giao duc|giao thong|"
    r"ke hoach|nong nghiep|khoa hoc|thong tin|van hoa|lao dong|tai nguyen|ngoai giao))(?=\s|$)",
    re.I,
)
"""Printed, or recognised, without accents."""
_DUST = " .,;:'‘`\"*|_~-–"
_ORGAN_EN_WORD = (
    r"(?:Ministry|Department|Office|Government|Cabinet|Treasury|Agency|Authority|Bureau|"
    r"Commission|Directorate|Embassy|Council|Committee|Bank|Service|Secretariat|Administration|"
    r"Inspectorate|Board|Parliament|Assembly|Institute|Centre|Center)"
)
_ORGAN_EN = re.compile(
    r"(?:the\s+)?(?:.*people['’]s (?:committee|council)\b.*|"
    rf"(?:[\w&’'.-]+\s+){{0,5}}{_ORGAN_EN_WORD}(?:\s+(?:of|for|on|to)\s+.+)?|"
    r"(?:city|state|province|county) of [\w .-]+)",
    re.I,
)
_UNIT = re.compile(
    r"(?:thành phố|tỉnh|quận|huyện|thị xã|thị trấn|phường|xã(?! hội)|đặc khu|t\.?\s?p\.?)(?=\s)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class _Header:
    """Where the header's parts stand, as indexes of blocks."""

    body: int
    """First block of the body."""
    kind: str | None
    kind_at: int | None
    title: str | None
    used: frozenset[int]
    """Blocks that are title, type or organ, and therefore no headings of sections."""


def _read_header(blocks: list[_Block], language: Language) -> _Header:
    kind: str | None = None
    kind_at: int | None = None
    title_parts: list[str] = []
    used: set[int] = set()
    limit = _header_end(blocks)
    for index in range(limit):
        found = _kind_of(blocks[index])
        if found is None:
            continue
        kind, rest = found
        kind_at = index
        used.add(index)
        if rest:
            title_parts.append(rest)
        break
    body = limit
    after = 0 if kind_at is None else kind_at + 1
    if kind_at is not None:
        index = after
        while index < limit and _is_metadata(blocks[index], language):
            index += 1
        stop = _title_end(blocks, index, limit, language, started=bool(title_parts))
        title_parts.extend(blocks[i].text for i in range(index, stop))
        used.update(range(index, stop))
    title = _squeeze(" ".join(title_parts)) or None
    if title is None:
        title, at = _fallback_title(blocks, limit, language)
        used.update(at)
    for index in range(limit):
        if _is_metadata(blocks[index], language):
            used.add(index)
    return _Header(body, kind, kind_at, title, frozenset(used))


def _header_end(blocks: list[_Block]) -> int:
    """Index of the first block that is text rather than letterhead, type or title."""
    for index, block in enumerate(blocks[:40]):
        if block.kind == "item":
            return index
        if block.kind == "row":
            continue
        text = block.text
        if re.match(r"(?:căn cứ|thực hiện|kính gửi|ngày \d)", text, re.I):
            return index
        if block.kind != "heading" and (
            len(text) > _MAX_TITLE_CHARS
            or (len(text) > 60 and _is_final(text) and not re.search(r"\b[ap]\.m\.\W*$", text))
        ):
            return index
        opened = dateline(text, "en")
        if opened is not None and len(text) - opened.end > 40:
            return index
        if _marker(text) and block.kind == "text" and index:
            return index
    return min(len(blocks), 40)


def _kind_of(block: _Block) -> tuple[str, str] | None:
    """Document type as printed and what follows it on its line (a title), if a type line."""
    if block.kind not in ("text", "heading", "row"):
        return None
    for cell in [block.text, *block.cells]:
        match = _TYPE_LINE.match(unaccented(cell))
        if match is None:
            continue
        printed, rest = _repaired(cell[slice(*match.span(1))]), cell[match.end() :].strip()
        separated = cell[match.end(1) : match.end()].strip() != ""
        if not rest:
            return printed, ""
        if _NUMBER_EN.match(rest) or re.match(r"số\b|[#\d]", rest, re.I):
            return printed, ""
        if re.match(r"\W*(?:for immediate release|immediate release)\b", rest, re.I):
            return printed, ""
        if separated and len(cell) <= _MAX_TITLE_CHARS and not _is_final(rest):
            return printed, rest
        if cell is block.text and len(block.cells) > 1:
            continue
        if _is_caps(cell) and len(cell) <= _MAX_TITLE_CHARS and not _is_final(cell):
            return printed, cell
    return None


def _repaired(kind: str) -> str:
    """A document type with the accents that belong to it."""
    known = _TYPES.get(unaccented(kind))
    if known is None or known == kind.lower():
        return kind
    return known.upper() if _is_caps(kind) else known.capitalize()


def _is_metadata(block: _Block, language: Language) -> bool:
    """Whether all that a block shows is number, date, motto, organ or release notice."""
    return bool(block.cells) and all(
        _MOTTO.match(cell)
        or _METADATA.match(cell)
        or _NUMBER_VI.match(cell)
        or number_of(cell) is not None
        or blank_number(cell) is not None
        or _is_label(cell)
        or (_NUMBER_EN.match(cell) and len(cell) < 60 and re.search(r"\d", cell))
        or _is_dateline_only(cell, language)
        or _is_organ(cell)
        or not any(char.isalnum() for char in cell)
        for cell in block.cells
    )


def _is_label(cell: str) -> bool:
    """Whether a line names a field and gives its value; "V/v …" may also be the title itself."""
    found = labelled(cell)
    return found is not None and found[0] != "title" and not _ABOUT.match(cell)


def _is_dateline_only(cell: str, language: Language) -> bool:
    found = dateline(cell, language)
    return found is not None and len(cell) - found.end <= 3


def _is_organ(cell: str) -> bool:
    cell = cell.lstrip(_DUST)
    if len(cell) > 110 or re.search(r"[.!?;:]$|\d", cell):
        return False
    if _ORGAN_VI.match(cell) or _ORGAN_BARE.match(cell):
        return _is_caps(cell) or len(cell.split()) <= 9
    return _ORGAN_EN.fullmatch(cell) is not None and (_is_caps(cell) or _is_title_case(cell))


def _is_title_case(text: str) -> bool:
    small = {"of", "and", "the", "for", "on", "to", "in", "&", "’s"}
    return all(word[0].isupper() or word in small for word in re.findall(r"[^\s,]+", text))


def _title_end(
    blocks: list[_Block], start: int, limit: int, language: Language, *, started: bool
) -> int:
    """Index after the title's last block; `start` itself when no title stands there."""
    index = start
    while index < limit and index < start + 6:
        block = blocks[index]
        if block.kind not in ("text", "heading") or (
            _marker(block.text) and not (index == start and block.kind == "heading")
        ):
            break
        if len(block.text) > _MAX_TITLE_CHARS or block.text.endswith((".", ":", ";")):
            break
        if index > start and (block.kind == "heading" or _is_metadata(block, language)):
            break
        if index == start and started and block.gap and not _is_caps(block.text):
            break
        if index > start:
            previous = blocks[index - 1]
            same_look = (block.bold and previous.bold) or (
                _is_caps(block.text) and _is_caps(previous.text)
            )
            about = re.match(r"\(?(?:về|v/v)\b", block.text, re.I)
            if block.gap and not same_look and not about:
                break
        index += 1
    return index


def _fallback_title(
    blocks: list[_Block], limit: int, language: Language
) -> tuple[str | None, list[int]]:
    """A Markdown title, else a line that looks like one, else the first short line."""
    free = [
        index
        for index in range(min(limit + 1, len(blocks)))
        if not _is_metadata(blocks[index], language) and _kind_of(blocks[index]) is None
    ]
    for index in free:
        if blocks[index].kind == "heading" and blocks[index].level == 1:
            return blocks[index].text, [index]
    candidates = [index for index in free if index < limit and blocks[index].kind != "row"]
    for index in candidates:
        block = blocks[index]
        if block.kind == "heading" or (
            (block.bold or _is_caps(block.text)) and _is_heading_text(block.text)
        ):
            stop = index + 1
            if block.kind == "text":
                stop = max(stop, _title_end(blocks, index, limit, language, started=False))
            parts = [blocks[i].text for i in range(index, stop)]
            return _squeeze(" ".join(parts)), list(range(index, stop))
    for index in candidates:
        block = blocks[index]
        if _is_heading_text(block.text) and index + 1 < len(blocks) and not _marker(block.text):
            return block.text, [index]
    return None, []


# ---------------------------------------------------------------------------------------------
# Closing: recipients, signature, contacts

_SIGNING = re.compile(r"(?:T\s?L|K\s?T|T\s?M|T\s?U\s?Q|Q|T/L|K/T|T/M|TUN)\s?[./]\s*[A-ZĐÀ-Ỹ]")
_ROLE = re.compile(
    r"(?:phó\s+)?(?:chủ tịch|chánh|bộ trưởng|thứ trưởng|giám đốc|phó|trưởng|cục trưởng|tổng cục|"
    r"thủ tướng|thống đốc|tổng giám đốc|viện trưởng|vụ trưởng|chi cục trưởng|bí thư|tổng thanh tra|"
    r"tổng kiểm toán|văn phòng|người phát ngôn|ủy ban|bộ|sở|ban)\b",
    re.I,
)
_ROLE_EN = re.compile(
    r"(?:(?:deputy|vice|acting|prime|permanent|chief|director|press)[\s-]+)*"
    r"(?:minister|director|chairman|chairwoman|chairperson|chair|secretary|spokesperson|governor|"
    r"commissioner|mayor|president|head|officer|general|of staff)\b",
    re.I,
)
_CLOSING_LINE = re.compile(
    r"(?:nơi nhận\b|(?:T\.?L|K\.?T|T\.?M|TUQ|T/L|K/T|T/M)\s?\.\s?[A-ZĐÀ-Ỹ]{2})"
    r"|(?i:\(?đã ký\)?$|\(?signed\)?\b[:,]?|media contacts?\b|press contacts?\b|"
    r"notes? (?:to|for) editors?\b|(?:#\s?#\s?#|-\s?30\s?-|[-–*\s]*ends?[-–*\s]*)$)"
    r"|(?i:nơi nhận\s*:)"
)
_APPENDIX = re.compile(r"(?:phụ lục|phụ biểu|biểu số|appendix|annex)\b", re.I)
_END_MARK = re.compile(r"\./\.\W{0,40}$|^\W{0,40}###\W{0,40}$|^\W{0,40}-\s?30\s?-\W{0,40}$")
_NAME_PREFIX = re.compile(
    r"(?:(?:GS|PGS|TS|ThS|Ths|BS|CKI|CKII|KS|LS|Đại tá|Thượng tá|Trung tá|Thiếu tướng|Trung tướng|"
    r"Thượng tướng|Đại tướng|Hon|The Honou?rable|Dr|Mr|Mrs|Ms|Prof|Shri|Smt)\b\.?\s*)+"
)


def _closing(blocks: list[_Block], body: int) -> tuple[int, int]:
    """Indexes where recipients and signature begin and where appendices begin after them.

    Both are the number of blocks when there is no such part.
    """
    total = len(blocks)
    start = total
    for index in range(min(body, total), total):
        cells = blocks[index].cells
        if index > 0 and any(_CLOSING_LINE.match(cell) for cell in cells):
            start = index
            break
        if _END_MARK.search(blocks[index].text) and not _more_text(blocks[index + 1 :]):
            start = index if blocks[index].text.startswith(("#", "-")) else index + 1
            break
    if start == total:
        start = _signature_start(blocks, body)
    for index in range(start, total):
        if blocks[index].kind != "item" and _APPENDIX.match(blocks[index].text):
            return start, index
    return start, total


def _signature_start(blocks: list[_Block], body: int) -> int:
    """First line of a signature that ends the text: titles and a name, in either order."""
    total = len(blocks)
    first = total
    for index in range(total - 1, max(body, total - 8, 0), -1):
        block = blocks[index]
        if block.kind != "text" or not all(
            (_person(cell) and not _is_final(cell))
            or _looks_like_role(cell)
            or _is_role_en(cell)
            or _is_dateline_only(cell, "en")
            for cell in block.cells
        ):
            break
        first = index
    tail = [cell for block in blocks[first:] for cell in block.cells]
    named = any(_person(cell) for cell in tail)
    titled = any(_looks_like_role(cell) or _is_role_en(cell) for cell in tail)
    return first if named and titled else total


def _more_text(rest: list[_Block]) -> bool:
    """Whether prose goes on: an end mark in the middle of a text is no end."""
    for block in rest:
        if any(_CLOSING_LINE.match(cell) for cell in block.cells) or _APPENDIX.match(block.text):
            return False
        if len(block.text) > 200:
            return True
    return False


def _looks_like_role(cell: str) -> bool:
    return bool(_SIGNING.match(cell)) or (
        len(cell) <= 90 and (_is_caps(cell) and _ROLE.search(cell) is not None)
    )


def _is_role_en(cell: str) -> bool:
    return (
        len(cell) <= 80
        and _ROLE_EN.match(cell) is not None
        and re.search(r"[:@.!?]", cell) is None
        and _is_title_case(cell)
    )


def _person(cell: str) -> str | None:
    """The personal name that makes up a line, without academic or military titles."""
    name = _NAME_PREFIX.sub("", cell.strip(" .,;:()✓✔*")).strip()
    words = name.split()
    if not 2 <= len(words) <= 6 or len(name) > 50 or _ROLE.match(name) or _ROLE_EN.search(name):
        return None
    if _is_organ(name) or _MOTTO.match(name) or _TYPE_LINE.match(unaccented(name)):
        return None
    for word in words:
        letters = re.sub(r"[-'’.]", "", word)
        if not letters.isalpha() or not word[0].isupper():
            return None
        if not (letters[1:].islower() or letters.isupper()) and "-" not in word and "c" not in word:
            return None
    if _is_caps(name) and re.search(r"\b(?:phòng|tịch|trưởng|đốc|thư|tướng)\b", name, re.I):
        return None
    return name


def _signer(blocks: list[_Block], first: int, appendix: int) -> str | None:
    """The name under the last signing title; a caps line counts as a title when OCR spoilt it."""
    cells = [
        (block, cell)
        for block in blocks[first:appendix]
        if block.kind != "item"
        for cell in block.cells
    ]
    titled = False
    name: str | None = None
    for position, (block, cell) in enumerate(cells):
        signed = re.match(r"\(?signed(?: by)?\)?\s*[:,]?\s*(.*)$", cell, re.I)
        if signed:
            titled = True
            name = _person(signed.group(1)) or name
            continue
        person = _person(cell)
        if _looks_like_role(cell) or (block.bold and _is_caps(cell) and person is None):
            titled = True
            continue
        if re.fullmatch(r"\W*đã ký(?: điện tử| số)?\W*", cell, re.I):
            titled = True
            continue
        if person is None:
            continue
        following = cells[position + 1][1] if position + 1 < len(cells) else ""
        previous = cells[position - 1][1] if position else ""
        english_role = _is_role_en(following) or _is_role_en(previous)
        if titled or english_role:
            name = person
    return name


# ---------------------------------------------------------------------------------------------
# Metadata

_BLANK_DATE = re.compile(r"([^,]{2,60}),\s*ngày[\s….\d]*(?:tháng|$)", re.I)
_VIETNAM = re.compile(r"\bvi[eệ]t\s?nam\b|\bh[aà]\s?n[oộ]i\b|\bhanoi\b|\bho chi minh\b", re.I)
_CENTRAL_CITIES = ("hà nội", "hải phòng", "đà nẵng", "cần thơ", "hồ chí minh", "huế")
_OPENING = 3
"""Paragraphs of the body in which a correction says what it corrects."""
_NATIONAL = {
    "CP": "Chính phủ",
    "TTg": "Thủ tướng Chính phủ",
    "VPCP": "Văn phòng Chính phủ",
    "QH": "Quốc hội",
    "UBTVQH": "Ủy ban Thường vụ Quốc hội",
    "BCA": "Bộ Công an",
    "BQP": "Bộ Quốc phòng",
    "BNG": "Bộ Ngoại giao",
    "BNV": "Bộ Nội vụ",
    "BTP": "Bộ Tư pháp",
    "BTC": "Bộ Tài chính",
    "BCT": "Bộ Công Thương",
    "BXD": "Bộ Xây dựng",
    "BYT": "Bộ Y tế",
    "BGDĐT": "Bộ Giáo dục và Đào tạo",
    "BKHĐT": "Bộ Kế hoạch và Đầu tư",
    "BGTVT": "Bộ Giao thông vận tải",
    "BKHCN": "Bộ Khoa học và Công nghệ",
    "BTTTT": "Bộ Thông tin và Truyền thông",
    "BTNMT": "Bộ Tài nguyên và Môi trường",
    "BNNMT": "Bộ Nông nghiệp và Môi trường",
    "BNN": "Bộ Nông nghiệp và Phát triển nông thôn",
    "BNNPTNT": "Bộ Nông nghiệp và Phát triển nông thôn",
    "BVHTTDL": "Bộ Văn hóa, Thể thao và Du lịch",
    "BLĐTBXH": "Bộ Lao động - Thương binh và Xã hội",
    "BDTTG": "Bộ Dân tộc và Tôn giáo",
    "NHNN": "Ngân hàng Nhà nước Việt Nam",
    "TTCP": "Thanh tra Chính phủ",
    "KTNN": "Kiểm toán Nhà nước",
    "UBDT": "Ủy ban Dân tộc",
    "TCTK": "Tổng cục Thống kê",
    "TCHQ": "Tổng cục Hải quan",
    "TCT": "Tổng cục Thuế",
    "KBNN": "Kho bạc Nhà nước",
    "UBCK": "Ủy ban Chứng khoán Nhà nước",
    "BHXH": "Bảo hiểm xã hội Việt Nam",
}
_LOCAL = {
    "UBND": "UBND",
    "HĐND": "HĐND",
    "SYT": "Sở Y tế",
    "STC": "Sở Tài chính",
    "SCT": "Sở Công Thương",
    "SXD": "Sở Xây dựng",
    "SNV": "Sở Nội vụ",
    "STP": "Sở Tư pháp",
    "SDL": "Sở Du lịch",
    "SGDĐT": "Sở Giáo dục và Đào tạo",
    "SKHĐT": "Sở Kế hoạch và Đầu tư",
    "SGTVT": "Sở Giao thông vận tải",
    "STTTT": "Sở Thông tin và Truyền thông",
    "STNMT": "Sở Tài nguyên và Môi trường",
    "SNNMT": "Sở Nông nghiệp và Môi trường",
    "SNN": "Sở Nông nghiệp và Phát triển nông thôn",
    "SNNPTNT": "Sở Nông nghiệp và Phát triển nông thôn",
    "SKHCN": "Sở Khoa học và Công nghệ",
    "SVHTT": "Sở Văn hóa và Thể thao",
    "SVHTTDL": "Sở Văn hóa, Thể thao và Du lịch",
    "SLĐTBXH": "Sở Lao động - Thương binh và Xã hội",
    "CTK": "Cục Thống kê",
}


def _metadata(
    blocks: list[_Block],
    header: _Header,
    closing: int,
    appendix: int,
    text: str,
    language: Language,
) -> dict[str, str]:
    """What the text says about itself; fields that it does not give are left out."""
    top = [cell for block in blocks[: header.body] for cell in _cells(block)]
    labels = _labels(blocks, header, closing)
    number, codes = _number([*top, *(block.text for block in blocks[: header.body])])
    issued, place = _issued(blocks, header, closing, language, text)
    before_kind = header.body if header.kind_at is None else header.kind_at + 1
    organ_cells = [cell for block in blocks[:before_kind] for cell in _cells(block)]
    issuer = (
        _issuer_from_header(organ_cells, place)
        or _issuer_from_header([cell for cell in top if _is_organ(cell)], place)
        or _issuer_from_label(labels.get("issuer"), place)
        or _issuer_from_codes(codes, place, text)
        or _issuer_from_dateline(blocks, header, language)
        or _issuer_from_closing(blocks[closing:appendix], place, text)
    )
    title = header.title or labels.get("title") or labels.get("subject")
    found: dict[str, str | None] = {
        "number": number,
        "title": title,
        "issuer": issuer,
        "issued": issued.isoformat() if issued else None,
        "place": place or labels.get("place"),
        "signer": _person(labels.get("signer", ""))
        or _signer(
            blocks, max(header.body, appendix - 8) if closing == appendix else closing, appendix
        ),
        "subject": labels.get("subject"),
        "kind": header.kind,
        "supersedes": _supersedes(blocks, header, closing, labels, title),
        "language": language,
    }
    return {name: value for name, value in found.items() if value}


def _cells(block: _Block) -> list[str]:
    """What a block of the header shows apart, by place or by a bar or a long dash."""
    return [
        part
        for cell in block.cells
        for part in (re.split(r"\s+[|•·—]\s+", cell) if len(cell) <= _MAX_TITLE_CHARS else [cell])
    ]


def _labels(blocks: list[_Block], header: _Header, closing: int) -> dict[str, str]:
    """Fields that lines of the header, or the last ones, name; the first of each counts."""
    found: dict[str, str] = {}
    last = max(header.body, closing - 4)
    for block in [*blocks[: header.body + 1], *blocks[last : closing + 12]]:
        for cell in dict.fromkeys([block.text, *block.cells]):
            named = labelled(cell) if len(cell) <= _MAX_TITLE_CHARS else None
            if named:
                found.setdefault(*named)
    return found


def _supersedes(
    blocks: list[_Block],
    header: _Header,
    closing: int,
    labels: Mapping[str, str],
    title: str | None,
) -> str | None:
    if "supersedes" in labels:
        return stated_number(labels["supersedes"])
    for line in (title, labels.get("subject")):
        found = supersedes(line or "", header.kind, "title")
        if found:
            return found
    for index in range(header.body, closing):
        opening = index < header.body + _OPENING
        found = supersedes(blocks[index].text, header.kind, "opening" if opening else "body")
        if found:
            return found
    return None


def _number(cells: list[str]) -> tuple[str | None, list[str]]:
    """The release's number without spaces, and the organ codes in it."""
    blank: list[str] | None = None
    for cell in cells:
        kind = _TYPE_LINE.match(unaccented(cell))
        # "Press release No. 5" and "PRESS RELEASE: No. 5" alike.
        found = number_of(cell) or (number_of(cell[kind.end() :]) if kind else None)
        if found:
            return found
        blank = blank or blank_number(cell)
    return None, blank or []


def _issued(
    blocks: list[_Block], header: _Header, closing: int, language: Language, text: str
) -> tuple[date | None, str | None]:
    day_first: Language = "vi" if language == "vi" or _VIETNAM.search(text[:3000]) else "en"
    first_body = blocks[header.body : header.body + 2]
    last = blocks[closing : closing + 12]
    bare: date | None = None
    updated: date | None = None
    for block in [*blocks[: header.body], *first_body, *last]:
        for cell in dict.fromkeys([*_cells(block), block.text]):
            found = dateline(cell, day_first)
            if found is None:
                continue
            if found.updated:
                updated = updated or found.issued
            elif found.place is not None:
                # In running text a place and a date are a dateline only when a dash follows.
                rest, before = cell[found.end :], cell[: found.end].rstrip()
                set_off = len(rest) <= 3 or rest[0] in "–—-:|" or before[-1] in ")]"
                if block in first_body and not set_off:
                    continue
                return found.issued, found.place
            elif bare is None and block not in first_body:
                bare = found.issued
    issued = bare or updated
    for block in blocks[: header.body]:
        for cell in [block.text, *block.cells]:
            blank = _BLANK_DATE.match(cell)
            if blank and is_place(blank.group(1)):
                return issued, blank.group(1)
    opened = [found for found in (leading_place(block.text) for block in first_body) if found]
    return issued, opened[0][0] if opened else None


def _issuer_from_header(cells: list[str], place: str | None) -> str | None:
    """The last organ of the letterhead; a local body also gets the place of the one above it."""
    organs: list[str] = []
    open_end = False
    for cell in (cell.lstrip(_DUST) for cell in cells):
        if _MOTTO.match(cell):
            continue
        goes_on = bool(organs) and open_end and _is_caps(cell) and _continues_organ(cell)
        if goes_on:
            organs[-1] += " " + cell
        elif _is_organ(cell):
            organs.append(cell)
            open_end = True
        elif _NUMBER_VI.match(cell) or _KIND_LINE.match(cell):
            open_end = False
    if not organs:
        return None
    issuer = _name_case(organs[-1], place)
    if len(organs) > 1 and re.fullmatch(r"văn phòng|thanh tra|ban tiếp công dân", issuer, re.I):
        # An office without a name of its own is its organ's.
        return f"{issuer} {_name_case(organs[-2], place)}"
    above = re.search(r"people['’]s committee of (.+)", organs[-2], re.I) if organs[1:] else None
    if above and not re.search(r"committee|council", issuer, re.I):
        return f"{issuer}, {_name_case(above.group(1), place)}"
    if len(organs) > 1 and re.match(r"(?:sở|phòng|ban|chi cục|công an|trung tâm)\b", issuer, re.I):
        unit = _UNIT.search(organs[-2])
        if unit and not _UNIT.search(issuer):
            where = _name_case(organs[-2][unit.start() :], place)
            name = where[unit.end() - unit.start() :].strip().lower()
            issuer = issuer if issuer.lower().endswith(name) else f"{issuer} {where}"
    return issuer


def _issuer_from_label(name: str | None, place: str | None) -> str | None:
    """The organ named in `From: …`, which may also name a person or give an address."""
    name = re.sub(r"\s*[<(\[].*", "", name or "").strip(" \"'")
    return _name_case(name, place) if name and _person(name) is None and "@" not in name else None


def _issuer_from_closing(closing: Sequence[_Block], place: str | None, text: str) -> str | None:
    """The organ that signs ("TM. ỦY BAN NHÂN DÂN …"), or an English one among the contacts."""
    for block in closing:
        if block.kind == "item":
            continue
        for cell in block.cells:
            on_behalf = re.match(r"T\s?/?\.?\s?M\s?[./]\s*(?=\S)", cell)
            organ = cell[on_behalf.end() :] if on_behalf else cell
            if on_behalf and _is_organ(organ) and _UNIT.search(organ):
                return _name_case(organ, place)
            if on_behalf and re.match(r"(?:[uủ][yỷ] ban nhân dân|ubnd)$", organ, re.I) and place:
                return _local_issuer("UBND", place, text)
            if _ORGAN_EN.fullmatch(cell) and _is_organ(cell):
                return _name_case(cell, place)
    return None


def _continues_organ(cell: str) -> bool:
    return bool(_UNIT.match(cell) or re.match(r"(?:và|of|and|việt nam|nhà nước)\b", cell, re.I))


_ORGAN_WORD = re.compile(
    r"(?:[uủ][yỷ] ban nhân dân|hội đồng nhân dân|thủ tướng|tổng cục|chi cục|văn phòng|ngân hàng|"
    r"kiểm toán|bảo hiểm xã hội|kho bạc|trung tâm|bệnh viện|học viện|thanh tra|[uủ][yỷ] ban|bộ|sở|"
    r"ban|cục|vụ|viện|phòng) "
)
_OFFICIAL = sorted({*_NATIONAL.values(), *_LOCAL.values()}, key=len, reverse=True)
_PARTY = re.compile(r"(?:thành|tỉnh|quận|huyện|thị|đảng) [uủ][yỷ] ", re.I)
_UNIT_BARE = re.compile(r"(?:thanh pho|tinh|quan|huyen|thi xa|phuong|xa)(?=\s)", re.I)
_ACRONYMS = {"UBND", "HĐND", "TP", "TP.", "TP.HCM", "UBMTTQ"}
_SMALL_EN = {"OF", "AND", "THE", "FOR", "ON", "TO", "IN"}


def _name_case(name: str, place: str | None) -> str:
    """An organ's name printed in capitals, in the case that running text gives it."""
    name = _squeeze(name)
    if not _is_caps(name):
        return name
    official = next((known for known in _OFFICIAL if _begins_with(name, known)), None)
    if official and len(official) == len(name):
        return official
    if official and _UNIT.match(name[len(official) :].strip()):
        return f"{official} {_name_case(name[len(official) :].strip(), place)}"
    if _ORGAN_VI.match(name) is None and _UNIT.match(name) is None:
        words = [
            word.lower() if word in _SMALL_EN and index else _capital(word)
            for index, word in enumerate(name.split())
        ]
        return " ".join(words)
    lower = name.lower()
    capital_at = {0} if _ORGAN_VI.match(name) else set()
    names = [match.span() for match in re.finditer(r"việt nam", lower)]
    bare = name.isascii()
    party = _PARTY.match(lower)
    if party:
        names.append((party.end(), len(lower)))
    organ = None if bare else _ORGAN_WORD.match(lower)
    if organ:
        capital_at.add(organ.end())
        # An office of an organ: after "văn phòng ủy ban nhân dân" the name goes on as the organ's.
        inner = _ORGAN_WORD.match(lower, organ.end())
        if inner and organ.group() in ("văn phòng ", "thanh tra "):
            capital_at.add(inner.end())
    capital_at.update(match.end() for match in re.finditer(r"(?<!\S)(?:và|-|–)\s|,\s", lower))
    place = _UNIT.sub("", place or "", count=1).strip()
    if place:
        names += [match.span() for match in re.finditer(re.escape(place.lower()), lower)]
    unit = None if party else (_UNIT_BARE if bare else _UNIT).search(lower)
    if unit and (unit.start() == 0 or lower[unit.start() - 1] == " "):
        capital_at.discard(unit.start())
        if lower.startswith("thành phố", unit.start()):
            capital_at.add(unit.start())
        names.append((unit.end(), len(lower)))
    shown = []
    for match in re.finditer(r"\S+", name):
        at = match.start()
        word = match.group()
        if word.strip(",") in _ACRONYMS:
            shown.append(word)
        elif at in capital_at or any(first <= at < last for first, last in names):
            shown.append(_capital(word))
        else:
            shown.append(word.lower())
    return " ".join(shown)


def _begins_with(name: str, known: str) -> bool:
    return name.lower().startswith(known.lower()) and name[len(known) : len(known) + 1] in ("", " ")


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:].lower()


def _issuer_from_codes(codes: list[str], place: str | None, text: str) -> str | None:
    """The organ whose code stands in the number; a local one with its place."""
    by_upper = {code.upper(): name for code, name in _NATIONAL.items()}
    for code in codes:
        plain = code.replace("&", "").replace("Đ", "Đ").upper()
        if plain in _LOCAL:
            return _local_issuer(_LOCAL[plain], place, text)
        if plain in by_upper:
            return by_upper[plain]
    return None


def _local_issuer(organ: str, place: str | None, text: str) -> str:
    if place is None:
        return organ
    name = re.sub(rf"^{_UNIT.pattern}\s*", "", place, flags=re.I).strip() or place
    written = re.compile(
        r"(?:UBND|HĐND|Ủy ban nhân dân|Hội đồng nhân dân)\s+"
        r"((?:[Tt]hành phố|[Tt]ỉnh|[Qq]uận|[Hh]uyện|[Tt]hị xã|[Pp]hường|[Xx]ã)"
        rf"\s+{re.escape(name)})(?!\w)"
    )
    unit = re.compile(
        r"((?:thành phố|tỉnh|quận|huyện|thị xã|phường|xã)"
        rf"\s+{re.escape(name)})(?!\w)",
        re.I,
    )
    for pattern in (written, unit):
        found = Counter(match.group(1).lower() for match in pattern.finditer(text))
        if found:
            kind = found.most_common(1)[0][0][: -len(name)].strip()
            kind = "Thành phố" if kind == "thành phố" else kind
            return f"{organ} {kind} {name}"
    return f"{organ} Thành phố {name}" if name.lower() in _CENTRAL_CITIES else f"{organ} {name}"


_SUBJECT_EN = re.compile(
    r"(?:[Tt]he\s+)?((?:[A-Z][\w’'.-]*\s+){0,4}"
    + _ORGAN_EN_WORD
    + r"(?:\s+(?:of|for|on)\s+(?:the\s+)?[A-Z][\w-]*"
    r"(?:(?:,\s+|\s+and\s+|\s+of\s+|\s+)[A-Z][\w-]*)*)?)"
)
_SUBJECT_VI = re.compile(
    r"((?:UBND|Ủy ban nhân dân|Bộ|Sở|Tổng cục|Cục|Ngân hàng Nhà nước|Văn phòng Chính phủ|Chính phủ)"
    r"(?:\s+[A-ZĐÀ-Ỹ]\w*(?:\s+[a-zà-ỹđ]+(?=\s+(?:và|[A-ZĐÀ-Ỹ]))|\s+(?:tế|chính|phòng|an|vụ|pháp|"
    r"dựng|thương|giao|kê|lịch)\b|\s+và\b|,(?=\s+[A-ZĐ]))*)*)"
)


def _issuer_from_dateline(blocks: list[_Block], header: _Header, language: Language) -> str | None:
    """The organ that stands after a dateline, or that the first sentence there begins with."""
    for block in blocks[: header.body + 2]:
        found = dateline(block.text, language)
        opened = leading_place(block.text)
        if found is not None and found.place is not None:
            end = found.end
        elif opened is not None:
            end = opened[1]
        else:
            continue
        start = re.sub(r"^[\s)\]–—:-]+", "", block.text[end:])
        pattern = _SUBJECT_VI if language == "vi" else _SUBJECT_EN
        match = pattern.match(start)
        if match:
            return match.group(1).strip(" ,")
    return None


def _stands_alone(text: str) -> bool:
    """Lines of letterhead and closing that are never a continuation."""
    lone = (_MOTTO, _CLOSING_LINE, _NUMBER_VI, _SUBJECT_LINE)
    return any(pattern.match(text) for pattern in lone) or (
        _is_caps(text) and _KIND_LINE.match(text) is not None
    )
