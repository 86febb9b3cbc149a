"""The text of a file into blocks: a paragraph, a bullet, a table row.

The characters are prepared, paragraphs cut, marks cleared, and what page ends broke is mended. The
canonical text is the blocks, one a line.
"""

from __future__ import annotations

import html
import itertools
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

_FINAL = ".!?…"
CLOSERS = "\"'”’»)]}*_ "
_BREAK_IN_CELL = "\x01"

# ---------------------------------------------------------------------------------------------
# Characters

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


def prepare(text: str, pages: Sequence[int]) -> tuple[str, list[int]]:
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
class Block:
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
        """With its bullet or number."""
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


def squeeze(text: str) -> str:
    """With one space between words."""
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
        text = squeeze(" | ".join(cells).replace(_BREAK_IN_CELL, " "))
        parts = [squeeze(part) for cell in cells for part in cell.split(_BREAK_IN_CELL)]
        return _Line("row", text, [part for part in parts if part])
    bullet = _BULLET.match(line)
    if bullet and not (bullet.group(2) and line[bullet.end()].islower()):
        mark = "+ " if bullet.group(1) == "+" else "- "
        text = _restore(line[bullet.end() :])
        return _Line("item", text, [text], mark) if text else None
    cells = [_restore(cell) for cell in _WIDE.split(line) if cell.strip()]
    return _Line("text", _restore(line), cells)


def _restore(text: str) -> str:
    return squeeze(text.replace("\x00", "|"))


def build_blocks(prepared: str) -> list[Block]:
    """Blocks of a prepared text, lines that belong together already joined."""
    paragraphs = _paragraphs(prepared)
    _pair_across(paragraphs)
    width = _wrap_width(paragraphs)
    blocks: list[Block] = []
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
                    Block(
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


def _is_underline(raw: str, block: Block) -> bool:
    return (
        re.fullmatch(r"\s*(?:={3,}|-{3,})\s*", raw) is not None
        and block.kind == "text"
        and block.gap
        and len(block.parts) == 1
        and len(block.text) <= 120
        and block.text[-1] not in _FINAL + ";,"
        and not MOTTO.match(block.text)
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


def _wraps(block: Block, line: _Line, width: int) -> bool:
    """Whether a line goes on where the line before it stopped."""
    last = block.last_line
    if block.kind in ("row", "heading") or marker_of(line.text) or _stands_alone(line.text):
        return False
    if is_caps(last) or CLOSING_LINE.match(last):
        return False
    if _closes_bracket(block.text, line.text) and not is_final(last):
        return True
    if _starts_lower(line.text):
        return len(last) >= 50 or last[-1] not in ":;"
    if not width:
        return False
    next_word = line.text.split(" ", 1)[0]
    full = len(last) + 1 + len(next_word) > 0.8 * width
    # A numbered line that could be a heading is not drawn into the paragraph under it.
    titled = marker_of(block.text) and len(block.parts) == 1 and last[-1] not in ",;-–("
    return full and not (titled and len(last) + len(next_word) < width)


def _append(block: Block, line: _Line, source: int) -> None:
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


def mend(blocks: list[Block]) -> list[Block]:
    """Join what page ends broke; page numbers that stood in between go away."""
    torn = any(
        before.kind == after.kind == "text" and after.gap and _is_torn(before, after)
        for before, after in itertools.pairwise(blocks)
    )
    mended: list[Block] = []
    pending: Block | None = None
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


def _is_torn(before: Block, after: Block) -> bool:
    """Whether a sentence plainly goes on: no end in the one, a small letter in the other."""
    return (
        len(before.text) >= 40
        and not is_final(before.text)
        and before.text[-1] not in ":;"
        and not is_caps(before.text)
        and _starts_lower(after.text)
        and not marker_of(after.text)
    )


def _is_broken(before: Block, after: Block, *, torn: bool) -> bool:
    """Whether a block is the rest of the one before it.

    `torn` says that page ends did break other sentences of this text, which makes it likelier that
    a paragraph that just stops goes on with a name.
    """
    if after.kind != "text" or before.kind not in ("text", "item"):
        return False
    text, following = before.text, after.text
    if is_final(text) or text.endswith(":") or is_caps(text):
        return False
    if CLOSING_LINE.match(text) or _stands_alone(following):
        return False
    if before.open_end or _closes_bracket(text, following):
        return True
    if _starts_lower(following) and not marker_of(following):
        return before.kind == "text" or not text.endswith(";")
    if marker_of(following) or is_caps(following) or after.bold or not following[0].isalnum():
        return False
    prose = len(text) >= 100 and re.search(r"[^\W\d_]{2}[.!?] +[^\W\d_]", text) is not None
    return (
        (len(text) >= 60 and text.endswith(",") and before.kind == "text")
        or (len(text) >= 40 and _DANGLING.search(text) is not None)
        or (torn and prose and text[-1].isalnum())
    )


def _join(before: Block, after: Block) -> None:
    offset = len(before.shown) + 1
    before.parts.extend((offset + part, source) for part, source in after.parts)
    before.text += " " + after.text
    before.cells.extend(after.cells)
    before.last_line, before.open_end = after.last_line, after.open_end


def is_final(text: str) -> bool:
    """Whether a text ends as a sentence does."""
    bare = text.rstrip(CLOSERS + "✓✔")
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


def is_caps(text: str) -> bool:
    """Whether a text is in capitals, of four letters and more."""
    letters = [char for char in text if char.isalpha()]
    return len(letters) >= 4 and not any(char.islower() for char in letters)


def assemble(blocks: list[Block]) -> tuple[str, list[int]]:
    """The canonical text and where each block starts in it."""
    starts, length, shown = [], 0, []
    for block in blocks:
        starts.append(length)
        shown.append(block.shown)
        length += len(block.shown) + 1
    return "\n".join(shown), starts


def page_offsets(
    pages: list[int], blocks: list[Block], starts: list[int], length: int
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
# Marks of numbered headings

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
RANKS = {name: rank for name, rank, _ in _STYLES}


def marker_of(text: str) -> str | None:
    """The numbering style that a line begins with; what is numbered starts with a capital."""
    for name, _, pattern in _STYLES:
        match = pattern.match(text)
        if match is None:
            continue
        rest = text[match.end() :].lstrip('"“(')
        if not rest:
            return name if RANKS[name] <= 13 else None
        if rest[0].islower() and name not in ("small", "part"):
            return None
        return name
    return None


# ---------------------------------------------------------------------------------------------
# Lines of the letterhead and the closing

MOTTO = re.compile(
    r"(?:cộng h(?:òa|oà) xã hội chủ nghĩa việt nam|độc lập\s*[-–]\s*tự do|"
    r"socialist republic of viet ?nam|independence\s*[-–]\s*freedom)",
    re.I,
)
NUMBER_VI = re.compile(
    r"(?:văn bản\s+|thông cáo\s+)?số\s*[:.]?\s*"
    r"(\d[\d ]{0,6}[a-zA-Z]?(?:\s*/\s*\d{4}(?=\s*/))?\s*/\s*[^\W\d_][\w&]*"
    r"(?:-[\w&]+|\s+-\s*[A-ZĐ]{2}[\w&]*|-\s+[A-ZĐ]{2}[\w&]*|/[\w&]+)*)",
    re.I,
)
KINDS = (
    "thông cáo báo chí|thông cáo|thông báo|báo cáo|công điện|chỉ thị|quyết định|nghị quyết|"
    "nghị định|thông tư|kế hoạch|tờ trình|công văn|hướng dẫn|kết luận|phương án|đề án|chương trình|"
    "biên bản|tuyên bố|lời kêu gọi|công bố|bản tin|tin báo chí|press release|news release|"
    "media release|press statement|joint statement|joint press statement|media statement|statement|"
    "press communiqu[eé]|communiqu[eé]|media advisory|advisory|fact sheet|report|announcement|"
    "notice|bulletin|directive|decision|resolution|official dispatch|press note|press notice"
)
KIND_LINE = re.compile(rf"(?:\W*)({KINDS})(?:\s*[:–-]?\s*)", re.I)
_SUBJECT_LINE = re.compile(r"v/v\b", re.I)
CLOSING_LINE = re.compile(
    r"(?:nơi nhận\b|(?:T\.?L|K\.?T|T\.?M|TUQ|T/L|K/T|T/M)\s?\.\s?[A-ZĐÀ-Ỹ]{2})"
    r"|(?i:\(?đã ký\)?$|\(?signed\)?\b[:,]?|media contacts?\b|press contacts?\b|"
    r"notes? (?:to|for) editors?\b|(?:#\s?#\s?#|-\s?30\s?-|[-–*\s]*ends?[-–*\s]*)$)"
    r"|(?i:nơi nhận\s*:)"
)


def _stands_alone(text: str) -> bool:
    """Lines of letterhead and closing that are never a continuation."""
    lone = (MOTTO, CLOSING_LINE, NUMBER_VI, _SUBJECT_LINE)
    return any(pattern.match(text) for pattern in lone) or (
        is_caps(text) and KIND_LINE.match(text) is not None
    )
