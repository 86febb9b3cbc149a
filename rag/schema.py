"""The values that travel between stages: frozen, slotted, one meaning each.

Every offset counts characters (Unicode code points) of a release's canonical text, `start`
inclusive and `end` exclusive, so that `release.text[start:end]` is the span itself.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

Language = Literal["vi", "en"]
Status = Literal["answered", "partial", "not_found"]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the stretch of text it governs (heading included)."""

    title: str
    level: int
    """1 for the outermost heading."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Release:
    """One release: its metadata and its canonical text."""

    id: str
    """16 hexadecimal digits of the SHA-256 of the canonical text."""
    source: str
    """Where it was read from: a path as given at ingest."""
    sha256: str
    """Of the source's bytes."""
    text: str
    language: Language
    number: str | None = None
    title: str | None = None
    issuer: str | None = None
    issued: date | None = None
    place: str | None = None
    signer: str | None = None
    kind: str | None = None
    """Document type as printed, e.g. `THÔNG CÁO BÁO CHÍ`."""
    subject: str | None = None
    """What it is about, where the release says so apart from its title (`V/v …`, `Subject: …`)."""
    supersedes: str | None = None
    """Number, as printed, of the release that this one replaces or corrects."""
    provenance: tuple[tuple[str, str], ...] = ()
    """Where each known field came from: pairs of its name and `text`, `properties` (of the file),
    `sidecar` or `manifest`."""
    sections: tuple[Section, ...] = ()
    pages: tuple[int, ...] = ()
    """Offset at which each page starts; empty when the source has no pages."""

    def page_at(self, offset: int) -> int | None:
        """The 1-based page of an offset, None when the source has no pages."""
        if not self.pages:
            return None
        return max(1, sum(1 for start in self.pages if start <= offset))


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a release that is embedded and found as one."""

    id: str
    """Content hash of (release id, start, end, chunker version)."""
    release_id: str
    start: int
    end: int
    text: str
    """Always the release's `text[start:end]`."""
    section: tuple[str, ...] = ()
    """Headings from the outermost to the innermost."""
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search may look at; an empty filter lets everything through."""

    issuer: str | None = None
    """Compared without case and diacritics; a part of the name is enough."""
    issued_from: date | None = None
    issued_to: date | None = None
    """Both ends inclusive; a release without a date does not pass a date filter."""
    release_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage."""

    passage: Passage
    score: float
    """Higher is better; comparable within one search only."""
    rank: int
    """1 for the best."""
    signals: dict[str, float] = field(default_factory=dict)
    """The parts of the score by name."""


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A quantity, date or period as printed, with its value in base units.

    Either `value` or both `low` and `high` are set. Two figures are equal when their values (or
    bounds) and units are; wording, hedges and offsets do not count.
    """

    text: str
    value: Decimal | None
    unit: str | None
    """`VND`, `USD`, `%`, `pp` (percentage points), `times`, `ratio`, `person`, `tonne/day`,
    `date` (value is YYYYMMDD), `period`, …; None for a bare number."""
    start: int
    end: int
    low: Decimal | None = None
    high: Decimal | None = None
    approximate: bool = False
    """The release hedges it: hơn, gần, ước, about, over …"""

    def _key(self) -> tuple[Decimal | None, Decimal | None, Decimal | None, str | None]:
        return (self.value, self.low, self.high, self.unit)

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Figure) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of a release that was weighed as an answer to the question."""

    release_id: str
    passage_id: str
    start: int
    end: int
    quote: str
    score: float
    """Higher is better; comparable within one question only."""
    figures: tuple[Figure, ...] = ()
    """Offsets are the release's."""


@dataclass(frozen=True, slots=True)
class Citation:
    """An exact span of a stored release that an answer rests on."""

    marker: int
    """The number in the answer's `[1]`."""
    release_id: str
    number: str | None
    title: str | None
    issuer: str | None
    issued: date | None
    source: str
    page: int | None
    start: int
    end: int
    quote: str
    """Always `archive.text(release_id)[start:end]`."""
    names_columns_of: int | None = None
    """For the first row of a table: marker of the row below whose numbers it gives units to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the product says to one question."""

    question: str
    status: Status
    text: str
    """Markdown with `[1]` markers, in the language of the question."""
    short: str
    """The shortest complete answer as printed in the release; empty on refusal."""
    language: Language
    figures: tuple[Figure, ...] = ()
    """The figures that answer the question; offsets are the release's."""
    citations: tuple[Citation, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    hits: tuple[Hit, ...] = ()
    """The nearest passages; on a refusal they are related reading, never support."""
    confidence: float = 0.0
    """Calibrated probability (0-1) that the releases answer the question this way."""
    model: str = "extractive"
    timings: dict[str, float] = field(default_factory=dict)
    """Seconds by stage."""

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON-ready values: decimals as strings, dates as ISO 8601."""
        return _plain(asdict(self))  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, date):
        return value.isoformat()
    return value
