"""ZIP archives: their members as plain files in a temporary folder.

An archive is untrusted. No name in it becomes a path on disk, sizes are counted while members are
unpacked rather than believed, and its table of contents is bounded before it is read.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ingest.failure import Failure
from ingest.load import supported
from ingest.overrides import SIDECAR, is_sidecar
from rag.errors import InputError

SUFFIX = ".zip"
MARK = "!/"
"""Stands between an archive and the name of a member, as in `2021.zip!/06/report.pdf`."""

_CHUNK = 1 << 16
_ENTRY_BYTES = 512
"""Room for one member in the table of contents; a usual entry takes 50 to 200 bytes."""
_RATIO_FLOOR = 10 << 20
"""Bytes up to which any ratio is taken: blank pages and empty tables compress very well."""
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    IndexError,
    OSError,
)
"""What `zipfile` raises on bytes that are no good archive."""
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one archive may unpack to, the archives inside it included."""

    max_bytes: int
    """Bytes of one member."""
    max_total_bytes: int
    """Bytes of all members together."""
    max_members: int
    """Entries of the table of contents, folders included."""
    max_ratio: int
    """Unpacked to packed bytes of one member, once it is past 10 MiB."""


def unpack(
    path: Path,
    source: str,
    *,
    limits: Limits,
    wanted: Callable[[str], bool],
    place: Callable[[str], Path],
) -> Iterator[tuple[str, Path] | Failure]:
    """The readable members of an archive, in its order, each as (source, unpacked file).

    `wanted` is asked with the name of each member as printed after `!/`; `place` gives a new path
    in the temporary folder for a suffix. The sidecar of a member is put beside it. Folders, hidden
    members and unsupported formats are skipped, as in a folder; an archive in the archive is
    entered, one in that is reported. Never raises for what the archive contains.
    """
    yield from _Unpacking(limits, wanted, place).walk(path, source, "")


def names(path: Path, *, limits: Limits) -> frozenset[str]:
    """The members of an archive by the names that `unpack` gives them, not of archives inside.

    Raises `InputError` when it cannot be read.
    """
    try:
        with _Counted(path, limits) as raw, zipfile.ZipFile(raw) as archive:
            return frozenset(_tidy(_decoded(info)) for info in archive.infolist())
    except (_TooLong, *_DAMAGED) as error:
        raise InputError(f"cannot read the archive: {path}; {_DAMAGED_REMEDY}") from error


_DAMAGED_REMEDY = "check that it opens, and pack it again"


class _Unpacking:
    def __init__(
        self, limits: Limits, wanted: Callable[[str], bool], place: Callable[[str], Path]
    ) -> None:
        self._limits = limits
        self._wanted = wanted
        self._place = place
        self._members_left = limits.max_members
        self._bytes_left = limits.max_total_bytes

    def walk(self, path: Path, source: str, above: str) -> Iterator[tuple[str, Path] | Failure]:
        """`above` is the name of the inner archive with its mark; empty for the outer one."""
        try:
            raw = _Counted(path, self._limits)
        except OSError as error:
            reason = f"cannot read {source}: {(error.strerror or str(error)).lower()}"
            yield Failure(source, "find", f"{reason}; check the path and its permissions")
            return
        with raw:
            try:
                archive = zipfile.ZipFile(raw)
                entries = archive.infolist()
            except _TooLong:
                yield self._too_many(source)
                return
            except _DAMAGED:
                yield Failure(source, "find", f"not a ZIP archive: {source}; {_DAMAGED_REMEDY}")
                return
            self._members_left -= len(entries)
            if self._members_left < 0:
                yield self._too_many(source)
                return
            seen: set[str] = set()
            sidecars = {
                name[: -len(SIDECAR)]: info
                for info in entries
                if is_sidecar(name := _tidy(_decoded(info)))
            }
            for info in entries:
                yield from self._member(archive, raw, info, source, above, seen, sidecars)
                if self._bytes_left <= 0:
                    most = _size(self._limits.max_total_bytes)
                    yield Failure(
                        source,
                        "find",
                        f"unpacks to more than {most}: {source}; "
                        "unpack what you need of it and give the folder",
                    )
                    return

    def _member(
        self,
        archive: zipfile.ZipFile,
        raw: _Counted,
        info: zipfile.ZipInfo,
        source: str,
        above: str,
        seen: set[str],
        sidecars: Mapping[str, zipfile.ZipInfo],
    ) -> Iterator[tuple[str, Path] | Failure]:
        name = _decoded(info)
        tidy = _tidy(name)
        member = f"{source}{MARK}{_CONTROL.sub('?', tidy)}"
        suffix = PurePosixPath(tidy).suffix.lower()
        if name.endswith(("/", "\\")) or not (suffix == SUFFIX or supported(Path(tidy))):
            return
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in tidy.split("/"))
        # A name that climbs out begins with dots too, but is told below.
        if hidden and not _leads_out(name):
            return
        if suffix != SUFFIX and not self._wanted(above + tidy):
            return
        if problem := self._refusal(info, name, tidy, inner=bool(above), seen=seen):
            yield Failure(member, "find", _line(problem, member))
            return
        seen.add(tidy)
        path = self._place(suffix)
        try:
            self._copy(archive, raw, info, path)
            if tidy in sidecars:
                beside = path.with_name(path.name + SIDECAR)
                self._copy(archive, raw, sidecars[tidy], beside)
        except InputError as error:
            path.unlink(missing_ok=True)
            if self._bytes_left > 0:
                yield Failure(member, "find", _line(str(error), member))
        except _DAMAGED:
            path.unlink(missing_ok=True)
            yield Failure(member, "find", _line(f"is damaged; {_DAMAGED_REMEDY}", member))
        else:
            if suffix == SUFFIX:
                yield from self.walk(path, member, f"{above}{tidy}{MARK}")
                path.unlink(missing_ok=True)
            else:
                yield member, path

    def _refusal(
        self, info: zipfile.ZipInfo, name: str, tidy: str, *, inner: bool, seen: set[str]
    ) -> str | None:
        """What forbids unpacking a member, with the remedy; None when nothing does."""
        kind = stat.S_IFMT(info.external_attr >> 16)
        if _CONTROL.search(name):
            return "has control characters in its name; rename it and pack it again"
        if _leads_out(name):
            return "has a name that leads out of the archive; pack it again with plain names"
        if stat.S_ISLNK(kind):
            return "is a symbolic link; pack the file that it points to"
        if kind not in (0, stat.S_IFREG):
            return "is not a regular file; pack plain files"
        if tidy in seen:
            return "occurs twice in the archive; give each file its own name"
        if inner and tidy.lower().endswith(SUFFIX):
            return "is a ZIP within a ZIP within a ZIP; unpack it and give the folder"
        return None

    def _copy(
        self, archive: zipfile.ZipFile, raw: _Counted, info: zipfile.ZipInfo, path: Path
    ) -> None:
        """Unpack one member; raises `InputError` (what and remedy) when that must not be."""
        limits = self._limits
        if info.flag_bits & _ENCRYPTED:
            raise InputError("is encrypted; pack it again without a password")
        # The others give any amount of data at once, where deflate gives as much as is asked for.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError("is compressed in an unusual way; pack it again as an ordinary ZIP")
        with archive.open(info) as packed, _writing(path) as out:
            before, written = raw.taken, 0
            while chunk := packed.read(_CHUNK):
                written += len(chunk)
                self._bytes_left -= len(chunk)
                if written > limits.max_bytes:
                    raise InputError(
                        f"unpacks to more than {_size(limits.max_bytes)}; give a smaller file"
                    )
                taken = max(1, raw.taken - before)
                if written > _RATIO_FLOOR and written > limits.max_ratio * taken:
                    raise InputError(
                        f"unpacks to more than {limits.max_ratio} times its size, like a "
                        "decompression bomb; unpack it yourself if you trust it"
                    )
                if self._bytes_left <= 0:
                    raise InputError("is past the limit of its archive; unpack the archive")
                try:
                    out.write(chunk)
                except OSError as error:
                    raise InputError(_no_room(error)) from error

    def _too_many(self, source: str) -> Failure:
        return Failure(
            source,
            "find",
            f"has more than {self._limits.max_members:,} members: {source}; "
            "unpack it and give the folder",
        )


class _TooLong(Exception):
    """A single read of an archive asked for more than a table of contents may take."""


class _Counted(io.BufferedReader):
    """An archive file that counts what is read of it.

    `zipfile` reads the whole table of contents at once, so a bound on one read bounds the memory
    that a table takes, whichever header told its size.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__(io.FileIO(path))
        self._most = limits.max_members * _ENTRY_BYTES + _CHUNK
        self.taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self._most:
            raise _TooLong
        data = super().read(self._most if size is None or size < 0 else size)
        self.taken += len(data)
        return data


def _writing(path: Path) -> io.BufferedWriter:
    try:
        return path.open("xb")
    except OSError as error:
        raise InputError(_no_room(error)) from error


def _no_room(error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    return f"cannot be unpacked into the temporary folder ({reason}); free some disk space"


def _decoded(info: zipfile.ZipInfo) -> str:
    """The name of a member as its maker saw it.

    Names without the UTF-8 flag are cp437 by the standard. Many programs store UTF-8 all the same,
    and Windows in Vietnamese stores its own code page, whose letters lie where cp437 has lines and
    symbols.
    """
    name = info.orig_filename
    if info.flag_bits & _UTF8_NAME or name.isascii():
        return name
    stored = name.encode("cp437")
    try:
        return stored.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if all(byte < 0x80 or byte >= 0xC0 for byte in stored):
        try:
            return stored.decode("cp1258")
        except UnicodeDecodeError:
            pass
    return name


def _tidy(name: str) -> str:
    """A name with `/` between its parts, composed, without empty parts."""
    parts = unicodedata.normalize("NFC", name).replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", "."))


def _leads_out(name: str) -> bool:
    name = name.replace("\\", "/")
    return name.startswith("/") or bool(_DRIVE.match(name)) or ".." in name.split("/")


def _line(problem: str, member: str) -> str:
    what, _, remedy = problem.partition("; ")
    return f"{what}: {member}; {remedy}"


def _size(count: int) -> str:
    return f"{count / (1 << 20):,.0f} MB" if count >= 1 << 20 else f"{count:,} bytes"
