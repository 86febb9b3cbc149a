"""HTML pages into text: what was published, without the menus around it.

What is left out has to show that it is no content (a menu, a list of links, a form); everything
else stays, since a lost table is worse than a line too many.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.encodings import UnknownEncodingError, decode
from ingest.markup import Content, bold, joined, plain, row, whole
from rag.errors import InputError

if TYPE_CHECKING:
    from lxml.html import HtmlElement


def read_html(path: Path, data: bytes) -> Content:
    """Main text of a page with headings, lists and tables.

    Properties as far as the page has them: title, author, created, modified, language. Raises
    `InputError` when there is no text or no HTML in it.
    """
    try:
        source = _decoded(data)
    except UnknownEncodingError as error:
        raise InputError(f"{error}: {path}; save it as UTF-8") from error
    try:
        content = page_content(source)
    except ValueError as error:
        raise InputError(f"damaged page ({error}): {path}; save it as PDF") from error
    if not content.text.strip():
        raise InputError(f"no text found in {path}; if it is filled in by a script, save it as PDF")
    return content


def page_content(source: str) -> Content:
    """Main text and properties of HTML; empty text when it has none.

    Raises `ValueError` for a page of which the parser would only give the beginning.
    """
    import lxml.html
    from lxml.etree import LxmlError, ParserError

    # A declared encoding concerned the bytes.
    source = re.sub(r"^\s*<\?xml[^>]*\?>", "", source).replace("\0", "")
    parser = lxml.html.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        page = lxml.html.document_fromstring(source, parser=parser)
    except (LxmlError, ParserError, ValueError):
        return Content("")
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise ValueError("elements nested too deep")
    properties = _properties(page)
    body = page.find("body")
    if body is None:
        return Content("", properties=properties)
    text = joined(list(_Walk(_main(body)).paragraphs()))
    return Content(text, properties=properties)


_UNTRUE = ("iso-8859-1", "windows-1252", "us-ascii", "x-user", "utf-16")
"""What pages in legacy Vietnamese fonts declare, and what cannot be true of bytes read so far."""
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]+)", re.I)


def _decoded(data: bytes) -> str:
    """Text of the page; what it declares is believed when it is neither Latin nor wrong."""
    declared = _CHARSET.search(data[:4096])
    name = declared[1].decode("ascii").lower() if declared else ""
    if not name or name.startswith(_UNTRUE):
        return decode(data).text
    try:
        return unicodedata.normalize("NFC", data.decode(name))
    except (UnicodeDecodeError, LookupError):
        return decode(data).text


# ---------------------------------------------------------------------------------------------
# What is content

_NO_CONTENT = frozenset(
    "script style noscript template head nav aside footer form button select textarea input label "
    "iframe object embed svg canvas dialog video audio map".split()
)
_ASIDE = re.compile(
    r"(?:^|[-_\s])(?:menu|nav|navbar|navigation|breadcrumbs?|sidebar|side|footer|foot|related|"
    r"share|sharing|social|comments?|banner|advert|ads?|cookies?|pag(?:ing|ination)|tags?|"
    r"toolbar|tools|widget|newsletter|subscribe|login|search|lien-?quan|tin-?khac|skip)"
    r"(?:$|[-_\s\d])",
    re.I,
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)


def _main(body: HtmlElement) -> HtmlElement:
    """The element that holds the content, with what is none taken out of it."""
    sizes = _sizes(body)
    whole = max(1, sizes[body][0])
    for element in list(body.iter()):
        if element is not body and element in sizes and _is_aside(element, sizes, whole):
            _take_out(element)
    left = _sizes(body)
    marked = [
        element
        for element in body.iter("article", "main", "div", "section", "td")
        if element.tag in ("article", "main")
        or element.get("role") == "main"
        or element.get("itemprop") == "articleBody"
    ]
    best = max(marked, key=lambda element: left[element][0], default=body)
    return best if left[best][0] >= 0.5 * left[body][0] else body


def _sizes(body: HtmlElement) -> dict[Any, tuple[int, int, int]]:
    """Characters of text, those within links, and links, of every element."""
    from lxml import etree

    sizes: dict[Any, tuple[int, int, int]] = {}
    for _, element in etree.iterwalk(body, events=("end",)):
        own = len((element.text or "").strip())
        text, linked, links = own, 0, 0
        for child in element:
            more = sizes.get(child, (0, 0, 0))
            text += more[0] + len((child.tail or "").strip())
            linked += more[1]
            links += more[2]
        if element.tag == "a" and element.get("href"):
            linked, links = text, 1
        sizes[element] = (text, linked, links)
    return sizes


def _is_aside(element: HtmlElement, sizes: dict[Any, tuple[int, int, int]], whole: int) -> bool:
    tag = element.tag
    if not isinstance(tag, str) or tag in _NO_CONTENT:
        # Some systems put the whole page into one form.
        return tag != "form" or sizes[element][0] < 0.4 * whole
    if element.get("hidden") is not None or _HIDDEN.search(element.get("style") or ""):
        return True
    text, linked, links = sizes[element]
    if text > 0.4 * whole:
        return False
    dense = links >= 3 and linked > 0.6 * text
    if tag == "header" or element.get("role") in ("navigation", "banner", "contentinfo"):
        return next(element.iterancestors("article", "main"), None) is None or dense
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    if _ASIDE.search(names) and (linked > 0.4 * text or text < 300):
        return True
    return dense and tag in ("ul", "ol", "div", "table", "section", "dl", "p") and linked < 3000


def _take_out(element: HtmlElement) -> None:
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
    parent.remove(element)


# ---------------------------------------------------------------------------------------------
# Elements into paragraphs

_BLOCKS = frozenset(
    "address article blockquote body center dd div dl dt fieldset figcaption figure h1 h2 h3 h4 "
    "h5 h6 header hr li main ol p pre section summary details table caption tbody thead tfoot tr "
    "td th ul form html".split()
)
_SPACE = re.compile(r"\s+")


@dataclass(slots=True)
class _Frame:
    """What is being gathered: the page itself, or one cell of a table."""

    paragraphs: list[str] = field(default_factory=list)
    runs: list[tuple[str, bool]] = field(default_factory=list)
    prefix: str = ""


@dataclass(slots=True)
class _Grid:
    """A table while its cells are read."""

    rows: list[list[list[str]]] = field(default_factory=list)
    taken: set[tuple[int, int]] = field(default_factory=set)
    """Places (row, column) that a cell from above reaches into."""
    nested: bool = False

    def place(self, cell: list[str], *, across: int, down: int) -> None:
        """Put a cell where the next free place of the last row is; what it covers stays empty."""
        if not self.rows:
            self.rows.append([])
        last = len(self.rows) - 1
        cells = self.rows[last]
        while (last, len(cells)) in self.taken:
            cells.append([])
        for below in range(1, down):
            for beside in range(across):
                self.taken.add((last + below, len(cells) + beside))
        cells.extend([cell, *[[] for _ in range(across - 1)]])


class _Walk:
    """Goes through the elements without calling itself, however deep they are nested."""

    def __init__(self, root: HtmlElement) -> None:
        self._root = root
        self._frames = [_Frame()]
        self._grids: list[_Grid] = []
        self._counts: list[int | None] = []
        self._thick = 0
        self._kept = 0

    def paragraphs(self) -> Iterator[str]:
        from lxml import etree

        for event, element in etree.iterwalk(self._root, events=("start", "end")):
            if event == "start":
                self._start(element)
                self._text(element.text)
            else:
                self._end(element)
                if element is not self._root:
                    self._text(element.tail)
        self._flush()
        yield from self._frames[0].paragraphs

    def _text(self, text: str | None) -> None:
        if text:
            shown = text if self._kept else _SPACE.sub(" ", text)
            self._frames[-1].runs.append((shown, self._thick > 0))

    def _start(self, element: HtmlElement) -> None:
        tag = element.tag
        if tag in _BLOCKS:
            self._flush()
        if tag == "br":
            self._frames[-1].runs.append(("\n", False))
        elif tag in ("b", "strong", "th"):
            self._thick += 1
        elif tag == "pre":
            self._kept += 1
        elif tag in ("ul", "ol"):
            self._counts.append(whole(element.get("start"), 1) if tag == "ol" else None)
        elif tag == "li":
            self._frames[-1].prefix = self._mark(element)
        elif tag == "table":
            if self._grids:
                self._grids[-1].nested = True
            self._grids.append(_Grid())
        elif tag == "tr" and self._grids:
            self._grids[-1].rows.append([])
        if tag in ("td", "th") and self._grids:
            self._frames.append(_Frame())

    def _end(self, element: HtmlElement) -> None:
        tag = element.tag
        if tag in _BLOCKS:
            self._flush(level=int(tag[1]) if re.fullmatch(r"h[1-6]", tag) else 0)
        if tag in ("b", "strong", "th"):
            self._thick -= 1
        elif tag == "pre":
            self._kept -= 1
        elif tag in ("ul", "ol"):
            self._counts.pop()
        elif tag == "li":
            self._frames[-1].prefix = ""
        if tag in ("td", "th") and self._grids and len(self._frames) > 1:
            cell = self._frames.pop().paragraphs
            self._grids[-1].place(
                cell, across=_span(element, "colspan"), down=_span(element, "rowspan")
            )
        elif tag == "table" and self._grids:
            self._frames[-1].paragraphs.extend(_table(self._grids.pop()))

    def _mark(self, item: HtmlElement) -> str:
        if not self._counts or self._counts[-1] is None:
            return "- "
        number = self._counts[-1]
        self._counts[-1] = number + 1
        given = item.get("value", "")
        return f"{given if given.isdigit() else number}. "

    def _flush(self, *, level: int = 0) -> None:
        frame = self._frames[-1]
        runs, frame.runs = frame.runs, []
        if not any(text.strip() for text, _ in runs):
            return
        lines: list[list[tuple[str, bool]]] = [[]]
        for text, thick in runs:
            for index, part in enumerate(text.split("\n")):
                if index:
                    lines.append([])
                lines[-1].append((part, thick))
        shown = [_line(line) for line in lines]
        if level and len(self._frames) == 1:
            title = " ".join(line.replace("**", "") for line in shown if line)
            frame.paragraphs.append(f"{'#' * level} {title}")
        else:
            # Old pages part their paragraphs by two breaks.
            parts = re.split(r"\n{2,}", "\n".join(shown).strip("\n"))
            parts[0] = frame.prefix + parts[0]
            frame.paragraphs.extend(parts)
        frame.prefix = ""


def _span(cell: HtmlElement, name: str) -> int:
    """Columns or rows that a cell covers; what is absurd counts as one."""
    value = cell.get(name, "1").strip()
    return int(value) if re.fullmatch(r"[1-9]\d?", value) else 1


def _line(runs: list[tuple[str, bool]]) -> str:
    text = _SPACE.sub(" ", "".join(part for part, _ in runs)).strip()
    lettered = [thick for part, thick in runs if re.search(r"\w", part)]
    return bold(plain(text)) if lettered and all(lettered) else plain(text)


def _table(grid: _Grid) -> list[str]:
    """Rows; or the paragraphs one after another, where a table only lays out the page."""
    cells = [cell for found in grid.rows for cell in found]
    filled = [cell for cell in cells if cell]
    frame = len(filled) <= 1 or any(sum(map(len, cell)) > 1500 for cell in cells)
    if grid.nested or frame:
        return [paragraph for cell in cells for paragraph in cell]
    shown = (row("\n".join(cell).replace("**", "") for cell in found) for found in grid.rows)
    return [found for found in shown if found]


# ---------------------------------------------------------------------------------------------
# Properties

_TITLE = ("og:title", "dc.title", "dcterms.title", "twitter:title", "title")
_AUTHOR = ("author", "article:author", "dc.creator", "dcterms.creator")
_CREATED = (
    "article:published_time", "datepublished", "pubdate", "publishdate", "dc.date",
    "dcterms.created", "dcterms.date", "date", "datecreated",
)  # fmt: skip
_MODIFIED = ("article:modified_time", "datemodified", "dcterms.modified", "last-modified")


def _properties(page: HtmlElement) -> dict[str, str]:
    said = dict(reversed(list(_metadata(page))))
    heading = page.find(".//title")
    found = {
        "title": _first(said, _TITLE) or ("" if heading is None else heading.text_content()),
        "author": _first(said, _AUTHOR),
        "created": _moment(_first(said, _CREATED)),
        "modified": _moment(_first(said, _MODIFIED)),
        "language": page.get("lang") or "",
    }
    shown = {name: " ".join(value.split()) for name, value in found.items()}
    return {name: value for name, value in shown.items() if value}


def _first(said: dict[str, str], names: tuple[str, ...]) -> str:
    return next((said[name] for name in names if said.get(name)), "")


def _metadata(page: HtmlElement) -> Iterator[tuple[str, str]]:
    """What the page says of itself, by lower-case names; the most telling first."""
    for element in page.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop") or ""
        if name:
            yield name.lower(), (element.get("content") or "").strip()
    for element in page.iter("script"):
        if (element.get("type") or "").lower() == "application/ld+json":
            try:
                said = json.loads(element.text or "")
            except (ValueError, RecursionError):
                continue
            for each in said if isinstance(said, list) else [said]:
                if isinstance(each, dict):
                    for name in ("datePublished", "dateModified"):
                        if isinstance(each.get(name), str):
                            yield name.lower(), each[name]
    for element in page.iter("time", "span", "div", "p"):
        name = (element.get("itemprop") or "").lower()
        if element.tag == "time" or name in ("datepublished", "datemodified"):
            value = element.get("datetime") or element.get("content") or ""
            yield name or "datepublished", value or element.text_content()


def _moment(shown: str) -> str:
    """ISO 8601 of a moment as pages write it; empty when it is not plain which day is meant."""
    match = re.search(
        r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?", shown
    )
    if match:
        return match.group().replace(" ", "T")
    match = re.search(r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b", shown)
    if match and int(match[2]) <= 12 and int(match[1]) <= 31:
        return f"{match[3]}-{int(match[2]):02d}-{int(match[1]):02d}"
    return ""
