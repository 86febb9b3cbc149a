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
from pathlib import Path, PurePath
from types import TracebackType

from ingest import archives
from ingest.failure import Failure
from ingest.load import reason, supported
from rag.errors import InputError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


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
    ) -> None:
        self._options = options
        self._known = known or {}
        self._stack = ExitStack()
        self._folder: Path | None = None
        self._placed = 0
        self._seen: set[Path] = set()

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
        """Every document that the given files, folders and archives hold, in order, once each.

        A given file is taken as it is, whatever its suffix, so that reading it can say what is
        wrong. A folder gives its supported files and its ZIP archives at any depth, sorted by
        path; hidden files and folders and symbolic links that lead out of it are skipped. Never
        raises for what it meets: that is a `Failure`, and the rest goes on.
        """
        for given in paths:
            yield from self._from_disk(Path(given))

    def discard(self, document: Document) -> None:
        """Delete a document's file when it is a temporary one, to keep the disk free."""
        if self._folder and document.path.is_relative_to(self._folder):
            document.path.unlink(missing_ok=True)

    def gone(self, source: str) -> bool:
        """Whether a document is known to be no longer there; see the module's docstring."""
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
        if resolved in self._seen:
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

    def _place(self, suffix: str) -> Path:
        """A new path in the temporary folder; nothing of an untrusted name is in it."""
        if self._folder is None:
            made = tempfile.TemporaryDirectory(prefix="release-qa-")
            self._folder = Path(self._stack.enter_context(made))
        self._placed += 1
        return self._folder / f"{self._placed:06d}{suffix}"


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


def _refuse(error: OSError) -> None:
    raise error


def _is_archive(path: PurePath) -> bool:
    return path.suffix.lower() == archives.SUFFIX


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
