"""What the readers of all formats give: text with the marks that `ingest.release` reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.errors import InputError

_MARKS = re.compile(r"([\\*_`\[<])")


@dataclass(frozen=True, slots=True)
class Content:
    """What a reader found in one file."""

    text: str
    pages: tuple[int, ...] = ()
    """Offset in `text` at which each page starts; empty when the format has no pages."""
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pages:
    """How many pages a document may have, told and checked before they are read."""

    most: int = 2_000
    pictures: Callable[[int], None] | None = None
    """Told how many pages are about to go through OCR, which takes seconds for each."""

    def check(self, count: int, path: Path) -> None:
        """Raise `InputError` for too many pages."""
        if count > self.most:
            raise InputError(f"{count:,} pages, more than {self.most:,}: {path}; split it")

    def announce(self, count: int) -> None:
        """Tell how many pages go through OCR."""
        if self.pictures:
            self.pictures(count)


def whole(value: str | None, default: int) -> int:
    """A number in an attribute of a file; the default for anything else, an absurd one too."""
    return int(value) if value and re.fullmatch(r"[0-9]{1,5}", value) else default


def plain(text: str) -> str:
    """Text whose characters mean themselves, safe among marks."""
    return _MARKS.sub(r"\\\1", text)


def bold(text: str) -> str:
    """Marked text in bold; without words it stays as it is."""
    inner = text.strip()
    return text.replace(inner, f"**{inner}**") if re.search(r"\w", inner) else text


def row(cells: Iterable[str]) -> str:
    """A table row of marked texts; line ends within a cell are kept as breaks, empty for none."""
    shown = [
        "<br>".join(filter(None, (part.strip() for part in cell.split("\n")))).replace("|", "\\|")
        for cell in cells
    ]
    return "| " + " | ".join(shown) + " |" if any(shown) else ""


def joined(paragraphs: Sequence[str]) -> str:
    """Paragraphs with a blank line between; rows and items that follow one another without."""
    parts: list[str] = []
    for index, paragraph in enumerate(paragraphs):
        if index:
            tight = paragraph[:1] == "|" and parts[-1][:1] == "|"
            parts.append("\n" if tight else "\n\n")
        parts.append(paragraph)
    return "".join(parts)
