"""Feeds (RSS, Atom) and sitemaps: which pages they list, and of which date.

The files come from a server and are untrusted: they are bounded, parsed without making a tree, and
nothing that they refer to is loaded.
"""

from __future__ import annotations

import email.utils
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from html.entities import html5
from pathlib import Path
from typing import NamedTuple

import httpx
from lxml import etree

from ingest import web
from rag.errors import InputError

MAX_BYTES = 20 << 20
"""Twice what 50,000 entries of usual length take."""
MAX_ENTRIES = 50_000
"""What the sitemap protocol allows."""
_MAX_CHARS = 4096
_HEAD_BYTES = 4096
# Atomic groups and possessive repeats: a hostile head cannot make the search run on.
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>\s++|<\?(?>.*?\?>)|<!--(?>.*?-->)|<!DOCTYPE[^>\[]*+>)*+"
    rb"<(?:[A-Za-z]\w*+:)?(rss|feed|RDF|urlset|sitemapindex)[\s>]",
    re.DOTALL,
)
_CHUNK = 1 << 16
# A part in which references are plain text, or a reference that is not numbered.
_REFERENCE = re.compile(
    rb"<!\[CDATA\[(?:(?!\]\]>).)*+|&(?!#)(?:[A-Za-z][A-Za-z0-9]{1,31};)?", re.DOTALL
)
_URNS = ("tag:", "urn:")


class Kind(Enum):
    """What lists pages."""

    FEED = "feed"
    SITEMAP = "sitemap"
    INDEX = "index of sitemaps"


@dataclass(frozen=True, slots=True)
class Entry:
    """A page, or in an index a sitemap, as listed."""

    url: str
    """Absolute, not checked further."""
    moment: datetime | None
    """When it was published or last changed, by the list's own clock; None when not said."""

    def since(self, limit: date | None) -> bool:
        """Whether it may be of that day or later; what has no date may."""
        return limit is None or self.moment is None or self.moment.date() >= limit


def unpack(path: Path, url: str) -> None:
    """Replace a gzip file by what it holds; one that is no gzip stays as it is.

    Servers also send what was already unpacked on the way. Raises `InputError` when it is damaged
    or too large.
    """
    with path.open("rb") as packed:
        if packed.read(2) != web.GZIP:
            return
        packed.seek(0)
        plain, size = path.with_suffix(".unpacked"), 0
        try:
            with plain.open("wb") as out:
                for chunk in web.gunzip(iter(lambda: packed.read(1 << 16), b"")):
                    size += len(chunk)
                    if size > MAX_BYTES:
                        raise InputError(
                            f"unpacks to more than {MAX_BYTES >> 20} MB: {url}; "
                            "give the URLs of its pages"
                        )
                    out.write(chunk)
            plain.replace(path)
        except (zlib.error, EOFError) as error:
            raise InputError(f"damaged gzip: {url}; give the URLs of its pages") from error
        finally:
            plain.unlink(missing_ok=True)


def kind(path: Path) -> Kind | None:
    """What a downloaded file lists pages as; None when it is no list."""
    with path.open("rb") as file:
        found = _ROOT.match(file.read(_HEAD_BYTES))
    if found is None:
        return None
    name = found.group(1)
    return {b"urlset": Kind.SITEMAP, b"sitemapindex": Kind.INDEX}.get(name, Kind.FEED)


def entries(path: Path, listed: Kind, url: str) -> list[Entry]:
    """The entries of a list that came from `url`, newest first, those without date last.

    Raises `InputError` when it is too large or cannot be parsed.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InputError(
            f"a {listed.value} of more than {MAX_BYTES >> 20} MB: {url}; give the URLs of its pages"
        )
    listing = _Listing(_FORMS[listed])
    parser: etree.XMLParser = etree.XMLParser(
        target=listing,
        # Those of the file itself only, within the bounds that libxml2 sets.
        resolve_entities="internal",
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        # Feeds are often slightly wrong, while half a sitemap would pass for the whole.
        recover=listed is Kind.FEED,
    )
    data = path.read_bytes()
    if listed is Kind.FEED:
        data = _REFERENCE.sub(_numbered, data)
    try:
        for start in range(0, len(data), _CHUNK):
            parser.feed(data[start : start + _CHUNK])
            if len(listing.found) > MAX_ENTRIES:
                raise InputError(
                    f"a {listed.value} of more than {MAX_ENTRIES:,} entries: {url}; "
                    "give the URLs of its pages"
                )
        parser.close()
    except etree.XMLSyntaxError as error:
        raise InputError(_unreadable(listed, url, error.msg)) from error
    if not listing.found and len(parser.feed_error_log):
        raise InputError(_unreadable(listed, url, parser.feed_error_log[0].message))
    found = []
    for printed, when in listing.found:
        if link := _absolute(printed, url):
            found.append(Entry(link, _moment(when)))
    unique: dict[str, Entry] = {}
    for entry in found:
        unique.setdefault(entry.url, entry)
    return sorted(
        unique.values(),
        key=lambda entry: -entry.moment.timestamp() if entry.moment else float("inf"),
    )


def _numbered(found: re.Match[bytes]) -> bytes:
    """A named reference as a numbered one; a bare `&`, or one of no known name, as itself.

    Names of HTML, and `&` alone, are frequent mistakes; libxml2 goes on after one, but then leaves
    out every named reference that follows, and the `&` between the parts of a link with them.
    """
    text = found.group()
    if text.startswith(b"<"):
        return text
    char = html5.get(text[1:].decode("ascii")) if len(text) > 1 else None
    if char is None:
        return b"&#38;" + text[1:]
    return "".join(f"&#{ord(each)};" for each in char).encode("ascii")


def _unreadable(listed: Kind, url: str, why: object) -> str:
    reason = " ".join(str(why).split())[:200]
    return f"cannot read the {listed.value} ({reason}): {url}; give the URLs of its pages"


class _Form(NamedTuple):
    """The local names by which a list of some kind says what it has; of several, the best first."""

    entries: tuple[str, ...]
    links: tuple[str, ...]
    dates: tuple[str, ...]


_FORMS = {
    # RSS in its versions, and Atom.
    Kind.FEED: _Form(
        ("item", "entry"),
        ("link", "guid", "id"),
        ("pubDate", "published", "date", "issued", "updated", "modified"),
    ),
    Kind.SITEMAP: _Form(("url",), ("loc",), ("lastmod",)),
    Kind.INDEX: _Form(("sitemap",), ("loc",), ("lastmod",)),
}


class _Listing:
    """Takes the entries of a list as they are parsed; no tree of it is ever made."""

    def __init__(self, form: _Form) -> None:
        self.found: list[tuple[str, str]] = []
        """Link and date of each entry as printed; empty when it has none."""
        self._form = form
        self._entry: dict[str, str] | None = None
        self._depth = 0
        self._open = ""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = _local(tag)
        if self._entry is None:
            if name in self._form.entries:
                self._entry = {}
                self._depth = 0
            return
        self._depth += 1
        # What stands deeper is about something else: an image, an author, where the entry is from.
        if self._depth > 1 or name not in self._form.links + self._form.dates:
            return
        elsewhere = attributes.get("rel", "alternate") != "alternate"
        if name not in self._entry and not elsewhere and attributes.get("isPermaLink") != "false":
            self._entry[name] = attributes.get("href", "")
            self._open = name

    def data(self, text: str) -> None:
        if self._entry is not None and self._open and len(self._entry[self._open]) < _MAX_CHARS:
            self._entry[self._open] += text

    def end(self, tag: str) -> None:
        if self._entry is None:
            return
        if self._depth == 0:
            link, when = self._best(self._form.links), self._best(self._form.dates)
            self.found.append((link, when))
            self._entry = None
        elif self._depth == 1:
            self._open = ""
        self._depth -= 1

    def close(self) -> None:
        """lxml asks for it; there is nothing to finish."""

    def _best(self, names: tuple[str, ...]) -> str:
        values = [(self._entry or {}).get(name, "").strip() for name in names]
        # An Atom id is a link only when it looks like one.
        return next((value for value in values if value and not value.startswith(_URNS)), "")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _moment(text: str) -> datetime | None:
    """A date as feeds (RFC 822) or Atom and sitemaps (W3C) write it; None for anything else."""
    for read in (datetime.fromisoformat, email.utils.parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, IndexError, OverflowError):
            continue
        # Without a zone it may be anyone's clock.
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _absolute(link: str, base: str) -> str | None:
    link = link.strip()
    if not link:
        return None
    try:
        return str(httpx.URL(base).join(link))
    except (httpx.InvalidURL, ValueError):
        # Told when it is fetched.
        return link
