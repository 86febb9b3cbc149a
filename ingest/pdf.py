"""PDF files: the text layer where there is one, OCR where a page is a picture."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ingest.layout import Page, Table, Word, text_of
from ingest.markup import Content, Pages
from rag.errors import InputError

if TYPE_CHECKING:
    import pdfplumber.page
    import pypdfium2
    from PIL.Image import Image

_LEAST_LETTERS = 16
"""A page with fewer letters in its text layer than this is looked at as a picture."""
_UNMAPPED = re.compile(r"\(cid:\d+\)|[\ufffd\ue000-\uefff]")
_DPI = 300
"""What Tesseract is trained for; the marks of Vietnamese letters are lost well below it."""
_BOLD = re.compile(r"bold|black|heavy|demi", re.I)


def read_pdf(path: Path, data: bytes, pages: Pages) -> Content:
    """Text, page starts and properties (title, author, subject, created, modified) of a PDF.

    `ocr` among the properties lists the pages that were read as pictures. Raises `InputError` when
    the file is encrypted, when it has no text at all or too many pages, or when pages need OCR and
    the programs for it are missing; whatever the parsers raise when it is damaged.
    """
    import pdfplumber
    from pdfminer.pdfdocument import PDFPasswordIncorrect
    from pdfplumber.utils.exceptions import PdfminerException

    try:
        with pdfplumber.open(io.BytesIO(data)) as document:
            pages.check(len(document.pages), path)
            properties = _properties(document.metadata)
            found, pictures = _text_layer(document.pages)
    except (PdfminerException, PDFPasswordIncorrect) as error:
        if isinstance(error, PDFPasswordIncorrect) or isinstance(
            error.args[0] if error.args else None, PDFPasswordIncorrect
        ):
            raise InputError(
                f"encrypted PDF: {path}; save it without its password and give that file"
            ) from error
        raise
    if not found:
        raise InputError(f"PDF without pages: {path}; save it again with its pages")
    if pictures:
        pages.announce(len(pictures))
    read = _read_pictures(path, data, found, pictures)
    text, starts = text_of(found)
    if not text.strip():
        raise InputError(f"no text found in {path}, not by OCR either; scan it again, darker")
    if read:
        properties["ocr"] = ",".join(map(str, read))
    return Content(text, starts, properties)


# ---------------------------------------------------------------------------------------------
# Text layer


def _text_layer(
    found: Iterable[pdfplumber.page.Page],
) -> tuple[list[Page], list[int]]:
    """The pages by their text layer, and the indexes of those that hardly have one."""
    pages: list[Page] = []
    pictures: list[int] = []
    for index, page in enumerate(found):
        words = _words(page)
        shown = "".join(word.text for word in words)
        unmapped = len(_UNMAPPED.findall(shown))
        letters = sum(map(str.isalnum, _UNMAPPED.sub("", shown)))
        if letters < _LEAST_LETTERS or unmapped > 0.2 * letters:
            pictures.append(index)
        tables = _tables(page)
        kept = [word for word in words if not _inside(word, tables)]
        pages.append(
            Page(
                height=float(page.height),
                words=kept,
                tables=[Table(box[1], box[3], rows) for box, rows in tables],
            )
        )
        page.close()
    return pages, pictures


def _words(page: pdfplumber.page.Page) -> list[Word]:
    upright = [char for char in page.chars if char["upright"]]
    # Watermarks run across the page; on a page turned as a whole everything does.
    if 2 * len(upright) > len(page.chars) > len(upright):
        page = page.filter(lambda each: each["object_type"] != "char" or each["upright"])
    left, top = page.bbox[:2]
    return [
        Word(
            word["text"],
            word["x0"] - left,
            word["top"] - top,
            word["x1"] - left,
            word["bottom"] - top,
            _BOLD.search(word["fontname"]) is not None,
        )
        for word in page.extract_words(
            x_tolerance_ratio=0.15, extra_attrs=["fontname"], return_chars=False
        )
    ]


class _Ruled(NamedTuple):
    """A table with its box: left, top, right, bottom."""

    box: tuple[float, float, float, float]
    rows: tuple[tuple[str, ...], ...]


def _inside(word: Word, tables: Iterable[_Ruled]) -> bool:
    x, y = (word.x0 + word.x1) / 2, (word.top + word.bottom) / 2
    return any(
        left <= x <= right and top <= y <= bottom for (left, top, right, bottom), _ in tables
    )


def _tables(page: pdfplumber.page.Page) -> list[_Ruled]:
    """Ruled tables of two columns and rows or more; frames around text are none."""
    if len(page.lines) + len(page.rects) + len(page.curves) < 4:
        return []
    found = []
    left, top = page.bbox[:2]
    for table in page.find_tables():
        rows = table.extract(x_tolerance_ratio=0.15)
        cells = [
            tuple(_one_line(cell or "") for cell in cells)
            for cells in rows
            if any((cell or "").strip() for cell in cells)
        ]
        columns = max((sum(map(bool, cells)) for cells in cells), default=0)
        longest = max((len(cell) for cells in cells for cell in cells), default=0)
        if len(cells) < 2 or columns < 2 or longest > 1500:
            continue
        x0, y0, x1, y1 = table.bbox
        found.append(_Ruled((x0 - left, y0 - top, x1 - left, y1 - top), tuple(cells)))
    return found


def _one_line(cell: str) -> str:
    return " ".join(re.sub(r"(?<=\w)-\s*\n\s*(?=\w)", "-", cell).split())


# ---------------------------------------------------------------------------------------------
# Pages that are pictures


def _read_pictures(
    path: Path, data: bytes, pages: list[Page], pictures: Iterable[int]
) -> list[int]:
    """Put what OCR sees in place of pages without a text layer; the numbers of those pages."""
    from ingest.ocr import is_blank, read_page

    wanted = list(pictures)
    if not wanted:
        return []
    import pypdfium2

    read: list[int] = []
    document = pypdfium2.PdfDocument(data)
    try:
        for index in wanted:
            if is_blank(_picture(document, index, dpi=50)):
                continue
            seen = read_page(_picture(document, index, dpi=_DPI), f"page {index + 1} of {path}")
            if seen.words:
                pages[index] = seen
                read.append(index + 1)
    finally:
        document.close()
    return read


def _picture(document: pypdfium2.PdfDocument, index: int, *, dpi: int) -> Image:
    page = document[index]
    try:
        # A page may be of any size; what is larger than A3 needs no more detail than A3 has.
        longest = max(page.get_size()) or 1.0
        scale = min(dpi / 72, dpi / 72 * 1191 / longest)
        bitmap = page.render(scale=scale, grayscale=True)
        picture: Image = bitmap.to_pil().copy()
        bitmap.close()
        return picture
    finally:
        page.close()


# ---------------------------------------------------------------------------------------------
# Properties

_DATE = re.compile(
    r"D?:?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([-+Zz])(?:(\d\d)'?(\d\d)?)?)?"
)
_KEYS = {"Title": "title", "Author": "author", "Subject": "subject"}
_DATES = {"CreationDate": "created", "ModDate": "modified"}
_NOTHING = {"", "(anonymous)", "(unspecified)", "untitled", "anonymous", "unspecified"}


def _properties(metadata: Mapping[str, object]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, name in _KEYS.items():
        value = " ".join(str(metadata.get(key) or "").split())
        if value.lower() not in _NOTHING:
            found[name] = value
    for key, name in _DATES.items():
        moment = _moment(str(metadata.get(key) or ""))
        if moment:
            found[name] = moment
    return found


def _moment(shown: str) -> str | None:
    """A PDF date as ISO 8601; None when it is none."""
    match = _DATE.match(shown.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (
        int(part) if part else start
        for part, start in zip(match.groups()[:6], (0, 1, 1, 0, 0, 0), strict=True)
    )
    sign, hours, minutes = match.groups()[6:]
    ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-ahead if sign == "-" else ahead) if sign else None
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).isoformat()
    except ValueError:
        return None
