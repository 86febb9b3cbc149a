"""Word processor files: DOCX by python-docx, RTF by striprtf, older ones through LibreOffice."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.markup import Content, bold, joined, plain, row, whole
from rag.errors import InputError

if TYPE_CHECKING:
    from docx.document import Document

_SECONDS = 180
"""For LibreOffice to convert one file; it usually takes two."""
_TEMPLATE_MADE = datetime(2013, 12, 23, 23, 15)
"""In files of the many programs that start from python-docx's template it says nothing."""
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


def read_docx(path: Path, data: bytes) -> Content:
    """Text of a DOCX file: headings, lists with their numbers, tables, text boxes; in order.

    Headers and footers repeat on every page and are left out, but for the first page's own, which
    is the letterhead. Deleted text, comments and field codes are left out, footnotes come last.
    Properties: title, author, subject, created, modified. Raises `InputError` when there is no
    text; whatever the parsers raise when it is damaged or encrypted.
    """
    import docx

    document = docx.Document(io.BytesIO(data))
    text = joined(list(_Body(document).paragraphs()))
    properties = _core_properties(document)
    if not text.strip():
        raise InputError(f"no text found in {path}; if it holds a picture, give the picture")
    return Content(text, properties=properties)


def read_rtf(path: Path, data: bytes) -> Content:
    """Text of an RTF file, table rows kept; title, author and subject as properties.

    Raises `InputError` when there is no text; whatever the parser raises when it is damaged.
    """
    from striprtf.striprtf import rtf_to_text

    source = data.decode("latin-1")
    text = rtf_to_text(source, encoding="cp1252", errors="replace")
    properties = {}
    for name in ("title", "author", "subject"):
        # Writers give it twice, the second time in Unicode.
        values = re.findall(rf"\{{\\{name} ((?:[^{{}}\\]|\\[^{{}}])*)\}}", source)
        shown = rtf_to_text(f"{{\\rtf1\\ansi {values[-1]}}}") if values else ""
        if shown.strip():
            properties[name] = " ".join(shown.split())
    if not text.strip():
        raise InputError(f"no text found in {path}; if it holds a picture, give the picture")
    return Content(joined(list(_rtf_paragraphs(text))), properties=properties)


def read_office(path: Path, data: bytes) -> Content:
    """Text of a legacy DOC or an ODT file: LibreOffice makes a DOCX of it, which is read.

    Raises `InputError` when LibreOffice is not installed or cannot read the file.
    """
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        raise InputError(
            f"needs LibreOffice, which is not installed: {path}; "
            "install the Debian package libreoffice-writer-nogui, or save the file as DOCX"
        )
    with tempfile.TemporaryDirectory(prefix="release-qa-") as name:
        folder = Path(name)
        # A profile of its own: no settings or macros of the user, and no waiting for a window.
        given = folder / f"given{path.suffix.lower()}"
        given.write_bytes(data)
        try:
            done = subprocess.run(
                [
                    program,
                    f"-env:UserInstallation={(folder / 'profile').as_uri()}",
                    "--headless",
                    "--norestore",
                    "--convert-to",
                    "docx:MS Word 2007 XML",
                    "--outdir",
                    str(folder / "made"),
                    str(given),
                ],
                capture_output=True,
                check=False,
                timeout=_SECONDS,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"LibreOffice took more than {_SECONDS} s: {path}; save it as DOCX and give that"
            ) from error
        made = folder / "made" / "given.docx"
        if not made.is_file():
            said = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
            reason = said[-1][:120] if said else "no reason given"
            raise InputError(
                f"LibreOffice cannot read it ({reason}): {path}; "
                "if it has a password or is damaged, save it again as DOCX"
            )
        return read_docx(path, made.read_bytes())


def _core_properties(document: Document) -> dict[str, str]:
    core = document.core_properties
    found = {"title": core.title, "author": core.author, "subject": core.subject}
    properties = {name: value.strip() for name, value in found.items() if value and value.strip()}
    for name, moment in (("created", core.created), ("modified", core.modified)):
        if isinstance(moment, datetime) and moment.replace(tzinfo=None) != _TEMPLATE_MADE:
            properties[name] = moment.isoformat()
    if properties.get("author") == "python-docx":
        del properties["author"]
    return properties


# ---------------------------------------------------------------------------------------------
# DOCX


class _Body:
    """A walk over the parts of a DOCX document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._styles = {
            style.get(_W + "styleId"): style
            for style in document.styles.element.iterchildren(_W + "style")
        }
        self._numbers = _Numbers(document)

    def paragraphs(self) -> Iterator[str]:
        section = self._document.sections[0] if len(self._document.sections) else None
        if section is not None and section.different_first_page_header_footer:
            yield from self._blocks(section.first_page_header._element)
        yield from self._blocks(self._document.element.body)
        yield from self._notes()

    def _notes(self) -> Iterator[str]:
        from lxml import etree

        for relation in self._document.part.rels.values():
            if relation.reltype.endswith("/footnotes") and not relation.is_external:
                parser = etree.XMLParser(resolve_entities=False, no_network=True)
                root = etree.fromstring(relation.target_part.blob, parser)
                for note in root.iterchildren(_W + "footnote"):
                    if note.get(_W + "type") in (None, "normal"):
                        yield from self._blocks(note)

    def _blocks(self, parent: Any) -> Iterator[str]:
        """Paragraphs and tables among the children, those in content controls as well."""
        for child in parent.iterchildren():
            if child.tag == _W + "p":
                yield from self._paragraph(child)
            elif child.tag == _W + "tbl":
                yield from self._table(child)
            elif child.tag in (_W + "sdt", _W + "sdtContent", _W + "customXml", _W + "ins"):
                yield from self._blocks(child)

    def _paragraph(self, element: Any) -> Iterator[str]:
        text, all_bold = self._runs(element)
        number = self._numbers.next(element, self._style_chain(element))
        if text.strip():
            level = self._heading_level(element)
            lines = [line.strip() for line in text.split("\n") if line.strip()]
            if level and len(lines) == 1:
                yield f"{'#' * level} {number}{plain(lines[0])}"
            else:
                marked = [bold(plain(line)) if all_bold else plain(line) for line in lines]
                yield number + "\n".join(marked)
        # What stands in a text box is anchored to a paragraph.
        for box in element.iter(_W + "txbxContent"):
            if not any(above.tag == _FALLBACK for above in box.iterancestors()):
                yield from self._blocks(box)

    def _runs(self, element: Any) -> tuple[str, bool]:
        """The text of a paragraph without that of its text boxes, and whether all is bold."""
        parts: list[str] = []
        lettered = thick = 0
        stack = list(element.iterchildren(reversed=True))
        while stack:
            child = stack.pop()
            tag = child.tag
            if tag in _LEFT_OUT:
                continue
            if tag in _SIGNS:
                parts.append(_SIGNS[tag])
            elif tag == _W + "t":
                parts.append(child.text or "")
                if child.text and re.search(r"\w", child.text):
                    lettered += 1
                    thick += self._is_bold(child.getparent(), element)
            else:
                stack.extend(child.iterchildren(reversed=True))
        return re.sub(r"[^\S\n]{4,}", "   ", "".join(parts)), lettered > 0 and thick == lettered

    def _is_bold(self, run: Any, paragraph: Any) -> bool:
        own = _switch(run.find(f"{_W}rPr/{_W}b"))
        if own is not None:
            return own
        for style in self._style_chain(paragraph):
            said = _switch(style.find(f"{_W}rPr/{_W}b"))
            if said is not None:
                return said
        return False

    def _style_chain(self, paragraph: Any) -> list[Any]:
        """The style of a paragraph and those that it is based on."""
        chosen = paragraph.find(f"{_W}pPr/{_W}pStyle")
        name = None if chosen is None else chosen.get(_W + "val")
        chain: list[Any] = []
        while name in self._styles and self._styles[name] not in chain:
            chain.append(self._styles[name])
            based = chain[-1].find(_W + "basedOn")
            name = None if based is None else based.get(_W + "val")
        return chain

    def _heading_level(self, paragraph: Any) -> int:
        """1-6 for a heading, 0 for anything else."""
        levels = [paragraph.find(f"{_W}pPr/{_W}outlineLvl")]
        for style in self._style_chain(paragraph):
            shown = style.find(_W + "name")
            name = "" if shown is None else shown.get(_W + "val", "").lower()
            if name == "title":
                return 1
            match = re.fullmatch(r"heading (\d)", name)
            if match:
                return min(int(match[1]), 6)
            levels.append(style.find(f"{_W}pPr/{_W}outlineLvl"))
        for level in levels:
            if level is not None:
                number = whole(level.get(_W + "val"), 9)
                return number + 1 if number < 6 else 0
        return 0

    def _table(self, table: Any) -> Iterator[str]:
        """Rows of a table; a frame around running text gives its paragraphs."""
        rows = list(_rows_of(table))
        cells = [cell for found in rows for cell in found]
        texts = {id(cell): list(self._blocks(cell)) for cell in cells}
        if len(cells) == 1 or any(sum(map(len, text)) > 1500 for text in texts.values()):
            for cell in cells:
                yield from texts[id(cell)]
            return
        for found in rows:
            # A cell as wide as several keeps those after it under their heads.
            shown = row(
                text
                for cell in found
                for text in ("\n".join(texts[id(cell)]), *[""] * (_span(cell) - 1))
            )
            if shown:
                yield shown


_LEFT_OUT = {
    _W + name for name in ("del", "moveFrom", "txbxContent", "pPr", "rPr", "instrText", "delText")
} | {_FALLBACK}
_SIGNS = {
    _W + "tab": "   ",
    _W + "br": "\n",
    _W + "cr": "\n",
    _W + "noBreakHyphen": "-",
}


def _switch(element: Any) -> bool | None:
    if element is None:
        return None
    return element.get(_W + "val", "true") not in ("0", "false", "off")


def _rows_of(table: Any) -> Iterator[list[Any]]:
    """Cells by row; a cell that only goes on from the row above is left empty."""
    for found in table.iter(_W + "tr"):
        if next(found.iterancestors(_W + "tbl")) is table:
            yield [
                cell
                for cell in found.iter(_W + "tc")
                if next(cell.iterancestors(_W + "tr")) is found
            ]


def _span(cell: Any) -> int:
    wide = cell.find(f"{_W}tcPr/{_W}gridSpan")
    return 1 if wide is None else min(whole(wide.get(_W + "val"), 1), 63)


class _Numbers:
    """The numbers and bullets that Word shows before paragraphs of lists."""

    def __init__(self, document: Document) -> None:
        self._levels: dict[str, dict[int, tuple[str, str, int]]] = {}
        self._counts: defaultdict[str, dict[int, int]] = defaultdict(dict)
        self._same: dict[str, str] = {}
        try:
            root = document.part.numbering_part.element
        except (KeyError, NotImplementedError):
            return
        abstract = {each.get(_W + "abstractNumId"): each for each in root.iter(_W + "abstractNum")}
        for each in root.iter(_W + "num"):
            chosen = each.find(_W + "abstractNumId")
            kind = None if chosen is None else chosen.get(_W + "val")
            if kind in abstract:
                number = each.get(_W + "numId")
                self._levels[number] = dict(map(_level, abstract[kind].iterchildren(_W + "lvl")))
                # Lists of one kind go on counting unless they say where to start.
                fresh = each.find(_W + "lvlOverride") is not None
                self._same[number] = number if fresh else f"kind {kind}"

    def next(self, paragraph: Any, styles: list[Any]) -> str:
        """What stands before a paragraph, with a blank at its end; empty outside of lists."""
        for holder in (paragraph, *styles):
            chosen = holder.find(f"{_W}pPr/{_W}numPr")
            if chosen is None:
                continue
            number, depth = chosen.find(_W + "numId"), chosen.find(_W + "ilvl")
            if number is None:
                continue
            at = 0 if depth is None else whole(depth.get(_W + "val"), 0)
            return self._shown(number.get(_W + "val"), at)
        return ""

    def _shown(self, number: str, at: int) -> str:
        levels = self._levels.get(number, {})
        if at not in levels:
            return ""
        form, pattern, start = levels[at]
        counts = self._counts[self._same[number]]
        counts[at] = counts.get(at, start - 1) + 1
        for deeper in [level for level in counts if level > at]:
            del counts[deeper]
        if form == "bullet":
            return "- "
        if form == "none":
            return ""

        def part(match: re.Match[str]) -> str:
            level = int(match[1]) - 1
            kind, _, first = levels.get(level, ("decimal", "", 1))
            return _counted(counts.get(level, first), kind)

        shown = re.sub(r"%(\d)", part, pattern).strip()
        return f"{shown} " if shown else ""


def _level(element: Any) -> tuple[int, tuple[str, str, int]]:
    values = []
    for name, default in (("numFmt", "decimal"), ("lvlText", ""), ("start", "1")):
        child = element.find(_W + name)
        values.append(default if child is None else child.get(_W + "val", default))
    return whole(element.get(_W + "ilvl"), 0), (values[0], values[1], whole(values[2], 1))


_ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
    (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip


def _counted(number: int, form: str) -> str:
    if form in ("upperRoman", "lowerRoman"):
        shown = ""
        for value, letters in _ROMAN:
            shown += letters * (number // value)
            number %= value
        return shown if form == "upperRoman" else shown.lower()
    if form in ("upperLetter", "lowerLetter") and number > 0:
        letter = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter.upper() if form == "upperLetter" else letter
    return f"{number:02d}" if form == "decimalZero" else str(number)


# ---------------------------------------------------------------------------------------------
# RTF


def _rtf_paragraphs(text: str) -> Iterator[str]:
    """Lines as paragraphs; striprtf ends every cell of a table with a bar."""
    for line in text.replace("\r", "").split("\n"):
        if not line.strip():
            continue
        if re.search(r"\|\s*$", line):
            shown = row(plain(cell) for cell in line.strip()[:-1].split("|"))
            if shown:
                yield shown
        else:
            yield plain(line.replace("\t", "   ").strip())
