"""Feeds (RSS, Atom) and sitemaps: which pages they list, and of which date.

The files come from a server and are untrusted: they are bounded before they are parsed, and no
entity or address in them is resolved.
"""

from __future__ import annotations

import calendar
import io
import re
import time
import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path

import feedparser
import httpx
from lxml import etree

from ingest import web
from rag.errors import InputError

MAX_BYTES = 50 << 20
"""What the sitemap protocol allows."""
_MAX_FEED_BYTES = 4 << 20
"""A feed is parsed into memory as a whole; a hostile one takes up to ten seconds a megabyte."""
MAX_ENTRIES = 50_000
"""Likewise."""
_MAX_CHARS = 4096
_HEAD_BYTES = 4096
# Atomic groups and possessive repeats: a hostile head cannot make the search run on.
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>\s++|<\?(?>.*?\?>)|<!--(?>.*?-->)|<!DOCTYPE[^>\[]*+>)*+"
    rb"<(?:[A-Za-z]\w*+:)?(rss|feed|RDF|urlset|sitemapindex)[\s>]",
    re.DOTALL,
)
_ITEM = re.compile(rb"<(?:\w+:)?(?:item|entry)\b")
_AHEAD = 14 * 3600
"""Seconds: the clock that is furthest ahead of UTC. Feeds are read as UTC, whatever they print."""


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
    """When it was published or last changed; None when the list does not say."""

    def since(self, limit: date | None) -> bool:
        """Whether it may be of that day or later; what has no date may."""
        if limit is None or self.moment is None:
            return True
        first = datetime(limit.year, limit.month, limit.day, tzinfo=UTC)
        return self.moment.timestamp() >= first.timestamp() - _AHEAD


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
    most = _MAX_FEED_BYTES if listed is Kind.FEED else MAX_BYTES
    if path.stat().st_size > most:
        raise InputError(
            f"a {listed.value} of more than {most >> 20} MB: {url}; give the URLs of its pages"
        )
    found = _feed(path, url) if listed is Kind.FEED else _sitemap(path, listed, url)
    unique: dict[str, Entry] = {}
    for entry in found:
        unique.setdefault(entry.url, entry)
    return sorted(
        unique.values(),
        key=lambda entry: -entry.moment.timestamp() if entry.moment else float("inf"),
    )


def _feed(path: Path, url: str) -> list[Entry]:
    data = path.read_bytes()
    if sum(1 for _ in _ITEM.finditer(data)) > MAX_ENTRIES:
        raise InputError(_too_many(Kind.FEED, url))
    # Bytes in a stream are never taken for a URL to be fetched; relative links start from `url`.
    parsed = feedparser.parse(
        io.BytesIO(data),
        response_headers={"content-location": url},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if parsed.bozo and not parsed.entries:
        reason = " ".join(str(parsed.bozo_exception).split())[:200]
        raise InputError(f"cannot read the feed ({reason}): {url}; give the URLs of its pages")
    found = []
    for entry in parsed.entries:
        moment = entry.get("published_parsed") or entry.get("updated_parsed")
        if link := _absolute(entry.get("link", ""), url):
            found.append(Entry(link, _from_utc(moment) if moment else None))
    return found


def _from_utc(moment: time.struct_time) -> datetime | None:
    try:
        return datetime.fromtimestamp(calendar.timegm(moment), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _sitemap(path: Path, listed: Kind, url: str) -> list[Entry]:
    listing = _Listing("url" if listed is Kind.SITEMAP else "sitemap")
    parser: etree.XMLParser = etree.XMLParser(
        target=listing, resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
    )
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 16):
                parser.feed(chunk)
                if len(listing.found) > MAX_ENTRIES:
                    raise InputError(_too_many(listed, url))
        parser.close()
    except etree.XMLSyntaxError as error:
        reason = " ".join(str(error.msg).split())[:200]
        raise InputError(
            f"cannot read the {listed.value} ({reason}): {url}; give the URLs of its pages"
        ) from error
    found = []
    for location, changed in listing.found:
        if link := _absolute(location, url):
            found.append(Entry(link, _moment(changed)))
    return found


class _Listing:
    """Takes the parts of a sitemap as they are parsed; no tree of it is ever made."""

    def __init__(self, wanted: str) -> None:
        self.found: list[tuple[str, str]] = []
        self._wanted = wanted
        self._values = {"loc": "", "lastmod": ""}
        self._open = ""

    def start(self, tag: str, attributes: object) -> None:
        name = _local(tag)
        if name == self._wanted:
            self._values = {"loc": "", "lastmod": ""}
        # In an image or video within the entry, `loc` stands under another namespace's element.
        self._open = name if name in self._values and not self._values[name] else ""

    def end(self, tag: str) -> None:
        self._open = ""
        if _local(tag) == self._wanted and self._values["loc"]:
            self.found.append((self._values["loc"], self._values["lastmod"]))

    def data(self, text: str) -> None:
        if self._open and len(self._values[self._open]) < _MAX_CHARS:
            self._values[self._open] += text

    def close(self) -> None:
        """lxml asks for it; there is nothing to finish."""


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _too_many(listed: Kind, url: str) -> str:
    return f"a {listed.value} of more than {MAX_ENTRIES:,} entries: {url}; give the URLs wanted"


def _moment(text: str) -> datetime | None:
    """A W3C date, with or without a time of day; None for anything else."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    # Without a zone it may be anyone's clock.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _absolute(link: str, base: str) -> str | None:
    link = link.strip()
    if not link:
        return None
    try:
        return str(httpx.URL(base).join(link))
    except (httpx.InvalidURL, ValueError):
        # Told when it is fetched.
        return link
