"""The process in which files are parsed: `python -m ingest.worker`, started by `ingest.isolate`.

It takes requests on standard input and answers each on standard output. A message is its length in
bytes (four bytes, the highest first) and a JSON value in UTF-8. The first message carries the
`Limits`, and is answered with `{"limited": …}` once they hold; each later one names a file, and is
answered with `{"release": …}`, or with `{"reason": …}` when the file cannot be read; before that,
`{"pictures": …}` tells how many pages are about to go through OCR.

Only parsers are imported here, none of the stores and no model, so that a process which died on a
bad file is replaced in a moment.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import threading
import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Literal

from ingest.load import Loaded, load
from ingest.markup import Pages
from ingest.release import read_release
from rag.errors import InputError
from rag.schema import Release

try:
    import resource
except ImportError:  # pragma: no cover - only where the system has no such limits
    resource = None  # type: ignore[assignment]

_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may take; ValueError when one of them is not above zero.

    The defaults let every ordinary release through, a scanned report of hundreds of pages too.
    """

    file_bytes: int = 200 << 20
    """Size of a file; a larger one is not opened."""
    memory_bytes: int = 1500 << 20
    """Address space of a reading process, and of each program that it calls (OCR, LibreOffice)."""
    seconds: float = 120.0
    """Time for a file of no size …"""
    seconds_per_megabyte: float = 10.0
    """… and what a larger one may take on top."""
    pages: int = 2_000
    """Pages of a document."""
    pictures: int = 500
    """Pages that go through OCR …"""
    seconds_per_picture: float = 30.0
    """… and what each of them may take on top; one of dense text takes about ten."""
    characters: int = 10_000_000
    """Length of a document's text; a page has about 2,500."""
    temporary_bytes: int = 1 << 30
    """Size of any file written on the way, as by OCR; they are removed with the process."""

    def __post_init__(self) -> None:
        for each in fields(self):
            if not getattr(self, each.name) > 0:
                raise ValueError(f"{each.name} is {getattr(self, each.name)}: give more than 0")

    def seconds_for(self, size: int) -> float:
        """How long a file of so many bytes may take."""
        return self.seconds + self.seconds_per_megabyte * size / (1 << 20)

    @property
    def answer_bytes(self) -> int:
        """The longest answer: a text of the full length with its headings, as JSON."""
        return 6 * self.characters + 100_000


# ---------------------------------------------------------------------------------------------
# Messages


def send(stream: IO[bytes], message: Mapping[str, Any]) -> None:
    """Write one message."""
    _write(stream, _encode(message))


def _encode(message: Mapping[str, Any]) -> bytes:
    # File names that are not UTF-8 are strings with lone surrogates.
    text = json.dumps(message, ensure_ascii=False, default=date.isoformat)
    return text.encode("utf-8", "surrogatepass")


def _write(stream: IO[bytes], body: bytes) -> None:
    stream.write(len(body).to_bytes(_LENGTH_BYTES, "big") + body)
    stream.flush()


def receive(stream: IO[bytes], limit: int) -> dict[str, Any] | None:
    """Read one message; None when the stream ends before or within it.

    Raises ValueError for one that is longer than `limit` bytes or no JSON object.
    """
    head = stream.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    size = int.from_bytes(head, "big")
    if size > limit:
        raise ValueError(f"a message of {size} bytes, more than {limit}")
    body = stream.read(size)
    if len(body) < size:
        return None
    try:
        message = json.loads(body.decode("utf-8", "surrogatepass"))
    except RecursionError as error:
        raise ValueError("a message nested too deeply") from error
    if not isinstance(message, dict):
        raise ValueError(f"a message that is a {type(message).__name__}, not an object")
    return message


def release_to_json(release: Release) -> dict[str, Any]:
    """Every field of a release as JSON values; dates are left to `send`."""
    return asdict(release)


def release_from_json(values: object) -> Release:
    """The release that `release_to_json` was given, after a way through JSON.

    Raises ValueError when a field is missing, unknown, or not of its type: what comes from a
    process that parses hostile files is checked like any other input.
    """
    release = _typed(Release, values)
    assert isinstance(release, Release)
    return release


@lru_cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _typed(kind: Any, value: Any) -> Any:
    """A JSON value as the type that an annotation names."""
    if kind in (str, int, float, bool, types.NoneType):
        if type(value) is kind:
            return value
    elif kind is date:
        if isinstance(value, str):
            return date.fromisoformat(value)
    elif is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        if isinstance(value, dict) and value.keys() == hints.keys():
            return kind(**{name: _typed(hint, value[name]) for name, hint in hints.items()})
    else:
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin is Literal:
            if value in arguments:
                return value
        elif origin is types.UnionType and types.NoneType in arguments and len(arguments) == 2:
            other = arguments[0] if arguments[1] is types.NoneType else arguments[1]
            return None if value is None else _typed(other, value)
        elif origin is tuple:
            if isinstance(value, list):
                if arguments[1:] == (...,):
                    return tuple([_typed(arguments[0], item) for item in value])
                if len(arguments) == len(value):
                    return tuple(map(_typed, arguments, value))
        else:
            raise NotImplementedError(f"no way from JSON to {kind}")
    raise ValueError(f"{str(value)[:40]!r} is no {kind}")


# ---------------------------------------------------------------------------------------------
# The process


def main() -> None:
    """Answer requests until standard input ends."""
    requests, answers = _streams()
    message = receive(requests, 1_000_000)
    if message is None:
        return
    limits = Limits(**message)
    limited = _restrict(limits)
    queue: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests, queue), daemon=True).start()
    send(answers, {"limited": limited})
    while True:
        request = queue.get()
        _allow_cpu(request["seconds"])
        _write(answers, _answer(request, limits, answers))


def _streams() -> tuple[IO[bytes], IO[bytes]]:
    """Standard input and output for messages alone: what libraries print goes nowhere."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return requests, answers


def _listen(requests: IO[bytes], queue: SimpleQueue[dict[str, Any]]) -> None:
    """Hand on requests as they come, and end with the one who sends them, whatever is going on."""
    with contextlib.suppress(ValueError):
        while (request := receive(requests, 100_000_000)) is not None:
            queue.put(request)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # with the programs that were called
    os._exit(0)


def _restrict(limits: Limits) -> bool:
    """Put the limits of the system in force; whether it has one for memory."""
    _limit("RLIMIT_CORE", 0)
    _limit("RLIMIT_FSIZE", limits.temporary_bytes)
    return _limit("RLIMIT_AS", limits.memory_bytes)


def _limit(name: str, value: int) -> bool:
    kind = getattr(resource, name, None)
    if kind is None:
        return False
    try:
        hard = resource.getrlimit(kind)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (most, most))
    except (OSError, ValueError):  # macOS takes no limit of the address space
        return False
    return True


def _allow_cpu(seconds: float) -> None:
    """End this process when it computes on although nobody is left to stop it.

    Twice the time allowed: several threads use more of it than the clock shows.
    """
    if resource is not None:
        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        soft = math.ceil(used + 2 * seconds)
        if hard == resource.RLIM_INFINITY or soft < hard:
            resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _answer(request: Mapping[str, Any], limits: Limits, answers: IO[bytes]) -> bytes:
    """The encoded answer to one request; what comes before it is sent to `answers`.

    Parsers of third parties fail on damaged files in every way there is; here, where one file is
    all that can be lost, any of them is a reason and not an end.
    """
    path, source = Path(request["path"]), request["source"]
    again = "open it in its own program and save it anew, or leave it out"
    memory = False

    def pictures(count: int) -> None:
        if count > limits.pictures:
            raise InputError(
                f"{count:,} pages that are pictures, more than {limits.pictures:,}: {source}; "
                "split it"
            )
        _allow_cpu(request["seconds"] + count * limits.seconds_per_picture)
        send(answers, {"pictures": count})

    try:
        loaded = load(path, pages=Pages(limits.pages, pictures))
        encoded = _encode({"release": _release(loaded, source, request["overrides"], limits)})
        if len(encoded) <= limits.answer_bytes:
            return encoded
        reason = f"more text and headings than can be kept: {source}; split it"
    except InputError as error:
        # A member of an archive is read from a temporary file, whose name says nothing.
        reason = str(error).replace(str(path), source)
    except MemoryError:
        memory = True
        reason = (
            f"needs more than {limits.memory_bytes >> 20:,} MB of memory: {source}; "
            "split it, or leave it out"
        )
    except RecursionError:
        reason = f"nested too deeply: {source}; {again}"
    except Exception as error:
        reason = f"damaged ({type(error).__name__}: {str(error)[:200]}): {source}; {again}"
    return _encode({"reason": reason, "memory": memory})


def _release(
    loaded: Loaded, source: str, overrides: Mapping[str, str], limits: Limits
) -> dict[str, Any]:
    if len(loaded.text) > limits.characters:
        raise InputError(
            f"{len(loaded.text):,} characters of text, more than {limits.characters:,}: "
            f"{source}; split it"
        )
    return release_to_json(read_release(loaded, source, overrides))


if __name__ == "__main__":
    main()
