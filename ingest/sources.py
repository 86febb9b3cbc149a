"""Where documents come from: files, folders, ZIP archives, URLs, feeds and sitemaps.

`Sources.walk` turns what a person gave on the command line into documents: local files that are
ready to be read, each with the name under which it is kept. It opens no document itself.

What keeps the collection in step asks `Sources.gone`: a file that no longer exists, a member that
its archive no longer has, and a URL that answers 404 or 410. A URL that cannot be reached, is
refused, or gives any other status is not gone, since the trouble may pass. A page that a feed or
sitemap has ceased to list is not gone either: feeds list the newest entries only.
"""

from __future__ import annotations

import fnmatch
import os
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePath
from types import TracebackType

from ingest import archives, feeds, web
from ingest.failure import Failure
from ingest.feeds import Kind
from ingest.load import reason, supported
from ingest.overrides import SIDECAR, is_sidecar
from rag.errors import InputError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_LISTS = (".xml", ".gz")
"""Suffixes of downloads that can be feeds and sitemaps."""
_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/rtf": ".rtf",
    "application/rtf": ".rtf",
    "application/pdf": ".pdf",
    "application/msword": ".doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.oasis.opendocument.text": ".odt",
    "message/rfc822": ".eml",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tiff",
    "application/zip": ".zip",
    "application/x-zip-compressed": ".zip",
    "application/gzip": ".gz",
    "application/x-gzip": ".gz",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "application/rss+xml": ".xml",
    "application/atom+xml": ".xml",
    "application/rdf+xml": ".xml",
}
"""By content type. Whether a format can be read is for `ingest.load` to say."""
_VAGUE = (
    "",
    "application/octet-stream",
    "binary/octet-stream",
    "application/x-download",
    "application/download",
    "application/force-download",
)
"""Content types that say nothing: the name of the file decides."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document as a local file."""

    source: str
    """What is kept: the path as given, `folder/a.zip!/b/c.docx`, or the URL."""
    path: Path
    """Holds the bytes; for members of archives and URLs in the temporary folder of `Sources`."""
    suffix: str
    """Decides the format; lower case, with its dot; empty when a given file has none."""
    etag: str | None = None
    """HTTP validators of a URL, to be given to the next `Sources` as `known`."""
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A URL whose server says that it has not changed since the validators that are known."""

    source: str


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said of a URL's state when it was last fetched."""

    etag: str | None = None
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What is taken, and how far `Sources` goes for it."""

    include: tuple[str, ...] = ()
    """Glob patterns of which one must fit; empty takes everything.

    A pattern is held against the name and against the path within the given folder or archive
    (`2021/*` covers `2021/06/a.md`: `*` stands for `/` too), or, for what a feed or sitemap lists,
    against the URL. Case makes no difference. A file or URL that is given itself is always taken.
    """
    exclude: tuple[str, ...] = ()
    """Glob patterns of which none may fit; stronger than `include`."""
    max_bytes: int = 200 << 20
    """Bytes of one member of an archive, unpacked, and of one download."""
    max_total_bytes: int = 2 << 30
    """Bytes of all members of one archive."""
    max_members: int = 10_000
    """Entries of one archive, folders included."""
    max_ratio: int = 200
    """Unpacked to packed bytes of one member, once it is past 10 MiB."""
    since: date | None = None
    """First day of what is taken from feeds and sitemaps; an entry without date is taken."""
    max_entries: int = 500
    """Entries of one feed or sitemap that are fetched, newest first."""
    allow_private: bool = False
    """Whether URLs may lead to private, loopback, link-local and reserved addresses."""
    interval: float = 1.0
    """Seconds between two requests to one host; robots.txt can ask for more."""
    timeout: float = 20.0
    """Seconds for a server to say something."""
    deadline: float = 300.0
    """Seconds for one whole answer."""

    def takes(self, name: str) -> bool:
        """Whether the patterns let a path (parts joined by `/`) or URL through."""
        return (not self.include or _fits(name, self.include)) and not self.excludes(name)

    def excludes(self, name: str) -> bool:
        """Whether a pattern keeps a path or URL out; an archive is asked this alone."""
        return _fits(name, self.exclude)

    @property
    def archive_limits(self) -> archives.Limits:
        """The limits of one archive."""
        return archives.Limits(
            max_bytes=self.max_bytes,
            max_total_bytes=self.max_total_bytes,
            max_members=self.max_members,
            max_ratio=self.max_ratio,
        )


class Sources:
    """Finds documents, and owns the temporary folder in which some of them stand.

    A context manager; the files of its documents are gone when it is closed.
    """

    def __init__(
        self,
        options: SourceOptions = SourceOptions(),
        known: Mapping[str, Validators] | None = None,
        *,
        client: web.Web | None = None,
        manifest: Path | None = None,
    ) -> None:
        """`known` has the validators of URLs by source; a `client` is made when needed.

        A `manifest` is no document, wherever it lies and whatever its suffix.
        """
        self._options = options
        self._known = known or {}
        self._web = client
        self._stack = ExitStack()
        self._folder: Path | None = None
        self._placed = 0
        self._seen: set[Path | str] = {Path(manifest).resolve()} if manifest else set()

    def __enter__(self) -> Sources:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def walk(self, paths: Sequence[str | Path]) -> Iterator[Document | Failure | Unchanged]:
        """The documents of files, folders, archives and URLs, in the order given, once each.

        A given file is taken as it is, whatever its suffix, so that reading it can say what is
        wrong; but not the sidecar of a file beside it, since `*` gives both. A folder gives its
        supported files and its ZIP archives at any depth, sorted by path; hidden files and folders
        and symbolic links that lead out of it are skipped. A URL is a document or an archive, or a
        feed or sitemap, whose entries are then the documents. Never raises for what it meets: that
        is a `Failure`, and the rest goes on.
        """
        for given in paths:
            if is_web(str(given)):
                yield from self._from_web(str(given))
            else:
                yield from self._from_disk(Path(given))

    def discard(self, document: Document) -> None:
        """Delete a document's file when it is a temporary one, to keep the disk free."""
        if self._folder and document.path.is_relative_to(self._folder):
            document.path.unlink(missing_ok=True)
            document.path.with_name(document.path.name + SIDECAR).unlink(missing_ok=True)

    def gone(self, source: str) -> bool:
        """Whether a document is known to be no longer there; see the module's docstring.

        For a URL its server is asked. Never raises for what it meets.
        """
        if is_web(source):
            return self._gone_from_web(source.partition(archives.MARK)[0])
        path, mark, member = source.partition(archives.MARK)
        if os.path.lexists(source):
            return False
        if not mark or not os.path.lexists(path):
            return True
        try:
            held = archives.names(Path(path), limits=self._options.archive_limits)
        except InputError:
            return False
        return member.split(archives.MARK)[0] not in held

    def _from_disk(self, path: Path) -> Iterator[Document | Failure]:
        try:
            if path.is_dir():
                failures: list[Failure] = []

                def report(error: OSError) -> None:
                    where = Path(error.filename or path)
                    failures.append(
                        _failure(where, f"cannot list {_shown(where)}: {reason(error)}")
                    )

                found = _in_folder(path, report)
                yield from failures
                for file in found:
                    within = file.relative_to(path).as_posix()
                    taken = self._options.takes(within)
                    # Of an archive, `include` chooses among the members.
                    if taken or (_is_archive(file) and not self._options.excludes(within)):
                        yield from self._file(file)
            elif path.exists():
                yield from self._file(path)
            else:
                yield _failure(path, f"path not found: {_shown(path)}; check the path")
        except (OSError, ValueError, RuntimeError) as error:
            yield _failure(path, f"cannot read {_shown(path)}: {reason(error)}")

    def _file(self, path: Path) -> Iterator[Document | Failure]:
        resolved = path.resolve()
        if resolved in self._seen or _is_beside(path):
            return
        self._seen.add(resolved)
        source = str(path)
        if not _is_text(source):
            told = "its name is no valid text"
            yield _failure(path, f"{told}: {_shown(path)}; rename the file")
        elif _is_archive(path):
            yield from self._archive(path, source)
        else:
            yield Document(source, path, path.suffix.lower())

    def _archive(self, path: Path, source: str) -> Iterator[Document | Failure]:
        for found in archives.unpack(
            path,
            source,
            limits=self._options.archive_limits,
            wanted=self._options.takes,
            place=self._place,
        ):
            if isinstance(found, Failure):
                yield found
            else:
                member, file = found
                yield Document(member, file, file.suffix)

    def _from_web(self, given: str) -> Iterator[Document | Failure | Unchanged]:
        try:
            url = web.clean(given)
        except InputError as error:
            yield Failure(web.shown(given), "fetch", str(error))
            return
        if url in self._seen:
            return
        self._seen.add(url)
        fetched = self._fetch(url)
        if isinstance(fetched, Document):
            try:
                listed = _list(fetched)
            except InputError as error:
                yield Failure(url, "fetch", str(error))
                return
            if listed:
                yield from self._listed(fetched, listed)
                return
        yield from self._opened(fetched)

    def _fetch(self, url: str) -> Document | Failure | Unchanged:
        """One download; its suffix can also be that of an archive or of XML."""
        known = self._known.get(url)
        path = None
        try:
            with self._client().open(
                url,
                etag=known.etag if known else None,
                modified=known.modified if known else None,
            ) as answer:
                if answer.status == 304 and known:
                    return Unchanged(url)
                if answer.status != 200:
                    raise InputError(_refusal(answer.status, url))
                suffix = _suffix(answer.content_type, answer.filename, url)
                path = self._place(suffix)
                answer.save(path)
        except InputError as error:
            if path:
                path.unlink(missing_ok=True)
            return Failure(url, "fetch", str(error))
        return Document(url, path, suffix, answer.etag, answer.modified)

    def _opened(
        self, fetched: Document | Failure | Unchanged
    ) -> Iterator[Document | Failure | Unchanged]:
        """A download as documents: itself, or the members of an archive.

        Members carry no validators, since an archive of which some member failed must be fetched
        again even when it has not changed.
        """
        if not isinstance(fetched, Document):
            yield fetched
        elif fetched.suffix == archives.SUFFIX:
            yield from self._archive(fetched.path, fetched.source)
            self.discard(fetched)
        elif fetched.suffix in _LISTS:
            self.discard(fetched)
            yield Failure(
                fetched.source,
                "fetch",
                f"neither a document nor a feed or sitemap that was given itself: {fetched.source};"
                " give the URL of a page or file",
            )
        else:
            yield fetched

    def _listed(self, document: Document, listed: Kind) -> Iterator[Document | Failure | Unchanged]:
        """The pages of a feed or sitemap."""
        taken = 0
        for entry in self._entries(document, listed):
            if isinstance(entry, Failure):
                yield entry
                continue
            try:
                url = web.clean(entry.url)
            except InputError as error:
                yield Failure(web.shown(entry.url), "fetch", str(error))
                continue
            if url in self._seen or not self._options.takes(url):
                continue
            if taken == self._options.max_entries:
                yield Failure(
                    document.source,
                    "find",
                    f"lists more than {taken} wanted pages: {document.source}; "
                    "raise the limit, or give a later date or a pattern",
                )
                return
            taken += 1
            self._seen.add(url)
            yield from self._opened(self._fetch(url))

    def _entries(self, document: Document, listed: Kind) -> Iterator[feeds.Entry | Failure]:
        """What a list names, the sitemaps of an index followed, as far as it is asked for."""
        url = document.source
        try:
            found = feeds.entries(document.path, listed, url)
        except InputError as error:
            yield Failure(url, "fetch", str(error))
            return
        finally:
            self.discard(document)
        for entry in found:
            if not entry.since(self._options.since):
                continue
            if listed is not Kind.INDEX:
                yield entry
                continue
            inner = self._sitemap(entry.url, url)
            if isinstance(inner, Document):
                yield from self._entries(inner, Kind.SITEMAP)
            else:
                yield inner

    def _sitemap(self, given: str, index: str) -> Document | Failure:
        """A sitemap that an index names."""
        url = web.shown(given)
        try:
            url = web.clean(given)
            fetched = self._fetch(url)
            if isinstance(fetched, Document) and _list(fetched) is Kind.SITEMAP:
                return fetched
        except InputError as error:
            return Failure(url, "fetch", str(error))
        if isinstance(fetched, Failure):
            return fetched
        told = f"no sitemap, though {index} names it as one: {url}; give the URLs of its pages"
        return Failure(url, "fetch", told)

    def _gone_from_web(self, source: str) -> bool:
        known = self._known.get(source, Validators())
        try:
            url = web.clean(source)
            with self._client().open(url, etag=known.etag, modified=known.modified) as answer:
                return answer.status in (404, 410)
        except InputError:
            return False

    def _client(self) -> web.Web:
        if self._web is None:
            self._web = self._stack.enter_context(
                web.Web(
                    allow_private=self._options.allow_private,
                    max_bytes=self._options.max_bytes,
                    interval=self._options.interval,
                    timeout=self._options.timeout,
                    deadline=self._options.deadline,
                )
            )
        return self._web

    def _place(self, suffix: str) -> Path:
        """A new path in the temporary folder; nothing of an untrusted name is in it."""
        if self._folder is None:
            made = tempfile.TemporaryDirectory(prefix="release-qa-")
            self._folder = Path(self._stack.enter_context(made))
        self._placed += 1
        return self._folder / f"{self._placed:06d}{suffix}"


def is_web(source: str) -> bool:
    """Whether a source is a URL rather than a path."""
    return bool(_SCHEME.match(source))


def discover(paths: Iterable[Path]) -> list[Path]:
    """The files to read for the given files and folders, in the order given, each file once.

    As `Sources.walk`, for callers that want plain local files: archives are left out, and the first
    trouble is raised. Raises `InputError` for a path that does not exist and for a folder that
    cannot be listed.
    """
    found: dict[Path, Path] = {}
    for given in paths:
        path = Path(given)
        try:
            if path.is_dir():
                candidates = [file for file in _in_folder(path, _refuse) if supported(file)]
            elif path.exists():
                candidates = [path]
            else:
                raise InputError(f"path not found: {path}; check the path")
            for candidate in candidates:
                found.setdefault(candidate.resolve(), candidate)
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(f"cannot read {str(path)!r}: {reason(error)}") from error
    return list(found.values())


def _in_folder(folder: Path, report: Callable[[OSError], None]) -> list[Path]:
    """Supported files and archives at any depth; folders that cannot be listed are reported."""
    root = folder.resolve()
    files: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=report):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            if name.startswith(".") or not (supported(path) or _is_archive(path)):
                continue
            if path.is_file() and path.resolve().is_relative_to(root):
                files.append(path)
    # A link sorts after what it points to, so that the file itself is the one that is kept.
    return sorted(files, key=lambda path: (path.is_symlink(), path))


def _list(document: Document) -> Kind | None:
    """What a download lists pages as; a packed one is unpacked in its place.

    Raises `InputError` when it cannot be unpacked.
    """
    if document.suffix == ".gz":
        feeds.unpack(document.path, document.source)
    # Feeds are now and then sent as plain text or as HTML.
    if document.suffix in (*_LISTS, ".txt", ".html"):
        return feeds.kind(document.path)
    return None


def _suffix(content_type: str, filename: str, url: str) -> str:
    """The suffix under which a download is read; raises `InputError` when it cannot be."""
    named = PurePath(filename).suffix.lower()
    suffix = _SUFFIXES.get(content_type, "")
    if content_type in _VAGUE or (suffix == ".txt" and supported(Path(f"x{named}"))):
        # Markdown and e-mail are often sent as plain text.
        suffix = named
    if suffix in (*_LISTS, archives.SUFFIX) or (suffix and supported(Path(f"x{suffix}"))):
        return suffix
    told = content_type if content_type not in _VAGUE else named or "none given"
    raise InputError(
        f"its type cannot be read ({web.shown(told)}): {url}; give the URL of a page or document"
    )


def _refusal(status: int, url: str) -> str:
    """Why an answer is no document, with the remedy."""
    if status in (404, 410):
        return f"not there any more (status {status}): {url}; check the URL, or use --prune"
    if status in (401, 402, 403, 407):
        return f"not open to everyone (status {status}): {url}; download the file and give it"
    if status >= 500 or status == 429:
        return f"the server cannot answer now (status {status}): {url}; try again later"
    return f"no document (status {status}): {url}; check the URL"


def _refuse(error: OSError) -> None:
    raise error


def _is_archive(path: PurePath) -> bool:
    return path.suffix.lower() == archives.SUFFIX


def _is_beside(path: Path) -> bool:
    """Whether a file is the sidecar of one that is there."""
    return is_sidecar(path) and path.with_name(path.name[: -len(SIDECAR)] or "..").is_file()


def _is_text(name: str) -> bool:
    """Whether a path can be stored and printed on one line."""
    return not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name)


def _shown(path: PurePath) -> str:
    """A path on one line, with what cannot be printed escaped."""
    return str(path) if _is_text(str(path)) else ascii(str(path))


def _failure(path: PurePath, told: str) -> Failure:
    return Failure(_shown(path), "find", told)


def _folded(name: str) -> str:
    """For comparing names: without regard to case, and however their diacritics are stored."""
    return unicodedata.normalize("NFC", name).casefold()


def _fits(name: str, patterns: Iterable[str]) -> bool:
    whole = _folded(name)
    last = whole.rsplit("/", 1)[-1]
    return any(
        fnmatch.fnmatchcase(each, _folded(pattern))
        for pattern in patterns
        for each in (whole, last)
    )
