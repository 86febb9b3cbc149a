"""Reads files in processes of their own, so that no file can take the others down with it.

`Readers` hands files to long-lived children (`ingest.worker`) and gives their releases back in the
order asked for, reading ahead meanwhile. A child that dies, hangs or needs more than the `Limits`
is killed with all that it has started; its file becomes a `Failure` and the next file gets a new
child. Children have a home, a folder for temporary files and a session of their own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from ingest.failure import Failure
from ingest.sources import Document
from ingest.worker import Limits, receive, release_from_json, send
from rag.errors import RagError
from rag.schema import Release

__all__ = ["Job", "Limits", "Readers"]

_AHEAD = 4
"""Files read or being read per child while the caller is busy with an earlier one."""
_START_SECONDS = 60.0
_MAX_REASON = 600
_LEAVE_OUT = "open it in its own program and save it anew, or leave it out"


@dataclass(frozen=True, slots=True)
class Job:
    """A file to be read."""

    document: Document
    overrides: Mapping[str, str]
    """Metadata that a person has given, by field of `Release`; it wins over the file's."""
    sha256: str
    """Of the bytes that are meant; other bytes are not taken for them."""


class Readers:
    """Children that read files; a context manager, for use by one thread.

    They are started when first needed, and at most `workers` at a time.
    """

    def __init__(self, *, workers: int = 1, limits: Limits = Limits()) -> None:  # noqa: B008
        if workers < 1:
            raise ValueError(f"workers is {workers}: give at least 1")
        self._workers = workers
        self._limits = limits
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="reader")
        self._lock = threading.Lock()
        self._children: set[_Child] = set()
        self._idle: list[_Child] = []
        self._closed = False

    def __enter__(self) -> Readers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop every child, whatever it is doing."""
        with self._lock:
            self._closed = True
            for child in self._children:
                child.kill()
        self._threads.shutdown(cancel_futures=True)
        for child in list(self._children):
            self._discard(child)

    def read(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Release | Failure]]:
        """Each job with its release, or why there is none, in the order given.

        A few jobs are taken from `jobs` ahead of what has been given. Raises `RagError` when a
        child cannot be started at all.
        """
        coming = iter(jobs)
        waiting: deque[tuple[Job, Future[Release | Failure]]] = deque()
        try:
            while True:
                while len(waiting) < _AHEAD * self._workers:
                    job = next(coming, None)
                    if job is None:
                        break
                    waiting.append((job, self._threads.submit(self._read, job)))
                if not waiting:
                    return
                job, future = waiting.popleft()
                yield job, future.result()
        finally:
            for _, future in waiting:
                future.cancel()

    def _read(self, job: Job) -> Release | Failure:
        source = job.document.source
        try:
            size = job.document.path.stat().st_size
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) else None
            return _failure(
                source,
                f"cannot read {source}: {(said or str(error)).lower()}; "
                "check the path and its permissions",
            )
        if size > self._limits.file_bytes:
            return _failure(
                source,
                f"{size >> 20:,} MB, more than {self._limits.file_bytes >> 20:,}: "
                f"{source}; split it",
            )
        while True:
            child, fresh = self._take()
            outcome = child.read(job, self._limits.seconds_for(size))
            if outcome.whole:
                with self._lock:
                    self._idle.append(child)
            else:
                self._discard(child)
            # What earlier files left behind in a child must not decide about this one.
            if outcome.whole or outcome.late or fresh or self._closed:
                break
        release = outcome.release
        if release is None:
            return _failure(source, outcome.reason)
        if release.sha256 != job.sha256:
            return _failure(source, f"changed while it was read: {source}; ingest it again")
        return release

    def _take(self) -> tuple[_Child, bool]:
        """A child that is free, and whether it is a new one."""
        with self._lock:
            if self._idle:
                return self._idle.pop(), False
            if self._closed:
                raise RuntimeError("the readers are closed")
            try:
                child = _Child(self._limits)
            except OSError as error:
                raise RagError(
                    f"cannot start a process to read files: {(error.strerror or '').lower()}; "
                    "free memory or disk space, and run again"
                ) from error
            self._children.add(child)
        child.start()
        return child, True

    def _discard(self, child: _Child) -> None:
        with self._lock:
            self._children.discard(child)
        child.close()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one request."""

    release: Release | None = None
    reason: str = ""
    whole: bool = True
    """The child can read another file."""
    late: bool = False


class _Child:
    """One child process."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._late = False
        self._allowed = 0.0
        # On Windows a file in use cannot be removed; a folder left there is no reason to fail.
        self._folder = tempfile.TemporaryDirectory(prefix="release-qa-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ingest.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            env=_variables(self._folder.name),
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout

    def start(self) -> None:
        """Wait until the limits hold; RagError when the child does not come up."""
        answer = self._ask(asdict(self._limits), _START_SECONDS)
        if answer is None:
            raise RagError(
                f"the process that reads files does not start with {sys.executable} "
                f"(memory limit {self._limits.memory_bytes >> 20:,} MB); "
                "install the project again, or allow more memory"
            )
        if not answer["limited"]:
            warnings.warn(
                "this system does not limit the memory of a process: a hostile file can use all",
                RuntimeWarning,
                stacklevel=2,
            )

    def read(self, job: Job, seconds: float) -> _Outcome:
        """Have one file read within so many seconds."""
        source = job.document.source
        request = {
            "path": str(job.document.path.absolute()),
            "source": source,
            "overrides": dict(job.overrides),
            "seconds": seconds,
        }
        try:
            answer = self._ask(request, seconds)
            if answer is not None:
                if "release" in answer:
                    release = release_from_json(answer["release"])
                    return _Outcome(release=release, whole=not self._late)
                whole = not (self._late or answer["memory"])
                return _Outcome(reason=str(answer["reason"]), whole=whole)
        except (ValueError, KeyError) as error:
            return _Outcome(
                reason=f"read into nonsense ({error}): {source}; {_LEAVE_OUT}", whole=False
            )
        if self._late:
            reason = f"not read within {self._allowed:,.3g} s: {source}; split it, or leave it out"
            return _Outcome(reason=reason, whole=False, late=True)
        return _Outcome(
            reason=f"its reader broke down ({self._end()}): {source}; {_LEAVE_OUT}", whole=False
        )

    def _ask(self, message: Mapping[str, Any], seconds: float) -> dict[str, Any] | None:
        """The answer to a message; None when the child has died, or was killed for being late."""
        try:
            with self._timed(seconds):
                send(self._requests, message)
                answer = receive(self._answers, self._limits.answer_bytes)
            if answer is None or "pictures" not in answer:
                return answer
            # Told once, so that a child cannot put off its end for ever.
            pages = min(int(answer["pictures"]), self._limits.pictures)
            with self._timed(seconds + pages * self._limits.seconds_per_picture):
                return receive(self._answers, self._limits.answer_bytes)
        except (BrokenPipeError, ConnectionResetError):
            return None

    @contextlib.contextmanager
    def _timed(self, seconds: float) -> Iterator[None]:
        """Kill the child when it takes longer."""
        self._allowed = seconds
        timer = threading.Timer(seconds, self._stop_late)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # so that it cannot fire during the next request

    def _stop_late(self) -> None:
        self._late = True
        self.kill()

    def _end(self) -> str:
        """How the process ended."""
        self.kill()
        status = self._process.wait()
        with contextlib.suppress(ValueError):
            return signal.Signals(-status).name
        return f"exit status {status}"

    def kill(self) -> None:
        """Stop the process and all that it has started."""
        if self._process.returncode is not None:
            return
        # Until `wait` the number belongs to this process, even when it has ended already.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def close(self) -> None:
        """Stop the process and remove its temporary files."""
        self.kill()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):
            self._requests.close()
        self._answers.close()
        self._folder.cleanup()


def _variables(folder: str) -> dict[str, str]:
    """What a child may know: where programs and modules are, and a folder for temporary files."""
    return {
        "PATH": os.pathsep.join(os.get_exec_path()),
        "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path),
        "PYTHONSAFEPATH": "1",
        "HOME": folder,
        "TMPDIR": folder,
        "LC_ALL": "C.UTF-8",
        # Several files are read at once; more threads for each only wait for one another.
        "OMP_THREAD_LIMIT": "1",
        # Each arena takes address space, which is what the memory limit counts.
        "MALLOC_ARENA_MAX": "2",
    }


def _failure(source: str, reason: str) -> Failure:
    """A failure whose reason is one printable line, whatever the file has put into it."""
    shown = "".join(char if char.isprintable() else " " for char in reason)
    shown = " ".join(shown.split())
    if len(shown) > _MAX_REASON:
        shown = f"{shown[: _MAX_REASON - 1]}…"
    return Failure(source, "read", shown)
