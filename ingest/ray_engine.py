"""Reads and embeds documents on Ray Data, on the cores of this machine or of a cluster.

`RayEngine.read` stands in for `ingest.isolate.Readers.read`: jobs go in, releases come out in the
same order, and whoever consumes them stays the only writer. What the workers have embedded comes
along and is handed out by `RayEngine.embedder`, which runs the model itself for anything else. So
the consumer works as it does without Ray, the archive being the record of what is done.

Ray is imported when the first document has to be read, and nowhere else.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import pickle
import socket
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from ingest.failure import Failure
from ingest.isolate import Job, Limits, Readers
from ingest.passages import split
from ingest.writer import encode, header
from rag.archive import pack, unpack_encoded
from rag.embedding import Embedder, Encoded, identity, open_embedder
from rag.errors import RagError, SettingsError
from rag.schema import Language, Release
from rag.settings import Settings, without_password

_TOGETHER = 1000
"""Jobs of one Ray dataset: starting one takes some seconds, and its input is held in memory …"""
_TOGETHER_BYTES = 128 << 20
"""… up to about this size."""
_BLOCK = 4
"""Jobs that a worker takes at a time; what it has of them is lost when it dies."""
_MOST = 1000
"""Passages of a release that are embedded by the workers, so that no row is too large."""
_OBJECT_STORE_BYTES = 512 << 20
_READER_CPUS, _ENCODER_CPUS = 0.2, 0.8
"""A reader mostly waits for its child; together they use one core."""

_Made = list[tuple[Language, str, bytes]]
"""Language, text and packed encoding."""


class RayEngine:
    """Readers and encoders on Ray Data. A context manager, for use by one thread.

    Raises `SettingsError` when Ray is not installed, and when `embedder` is not the model that the
    settings name: the workers open that one.
    """

    def __init__(self, settings: Settings, embedder: Embedder, *, limits: Limits) -> None:
        if importlib.util.find_spec("ray") is None:
            raise SettingsError(
                "--engine ray needs Ray, which is not installed; run: "
                ".venv/bin/pip install -c constraints.txt -e '.[ray]'"
            )
        if embedder.identity != identity(settings):
            raise SettingsError(
                f"--engine ray embeds with {identity(settings)}, not with {embedder.identity}; "
                "set embedding_model to the same model"
            )
        self.embedder = Prepared(embedder)
        """The model, with what the workers have embedded already."""
        self._settings = settings
        self._limits = limits
        self._readers = Readers(limits=limits)
        self._started: Any = None

    def __enter__(self) -> RayEngine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop what was started."""
        self._readers.close()
        if self._started is not None:
            self._started.shutdown()
            self._started = None

    def read(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Release | Failure]]:
        """Each job with its release, or why there is none, in the order given.

        Up to a thousand jobs are taken from `jobs` ahead of what has been given. Raises `RagError`
        when Ray cannot be reached or gives up.
        """
        coming = iter(jobs)
        while taken := list(_some(coming, self._limits)):
            rows = [
                {"number": number, "job": pickle.dumps(job), "data": data}
                for number, (job, data) in enumerate(taken)
                if data is not None
            ]
            results = self._run(rows) if rows else iter(())
            for job, data in taken:
                if data is None:
                    # It cannot be sent; the reader of this machine says why.
                    yield from self._readers.read([job])
                    continue
                outcome, made = pickle.loads(next(results)["outcome"])
                self.embedder.prepare(made)
                yield job, outcome

    def _run(self, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The rows with their outcome, in order, as they are done."""
        self._start()
        import ray
        import ray.data

        most = max(1, int(ray.cluster_resources().get("CPU", 1)))
        workers = ray.data.ActorPoolStrategy(min_size=1, max_size=most)
        blocks = -(-len(rows) // _BLOCK)
        try:
            yield from (
                ray.data.from_items(rows, override_num_blocks=blocks)
                .map(
                    _Reader,
                    fn_constructor_args=(self._limits,),
                    compute=workers,
                    num_cpus=_READER_CPUS,
                )
                .map(
                    _Encoder,
                    fn_constructor_args=(self._settings,),
                    compute=workers,
                    num_cpus=_ENCODER_CPUS,
                )
                .iter_rows()
            )
        except Exception as error:  # Ray lets errors of many layers through
            raise RagError(
                f"Ray gave up: {_first_line(getattr(error, 'cause', None) or error)}; run the same "
                "command again to go on, or leave out --engine ray"
            ) from error

    def _start(self) -> None:
        if self._started is not None:
            return
        # Ray reads these when it is imported. Nobody is told that it is used.
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        import ray
        import ray.data

        address = self._settings.ray_address
        here: dict[str, Any] = {
            "address": "local",
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE_BYTES,
            # Ray's ports have no password: they are for this machine alone.
            "_node_ip_address": "127.0.0.1",
        }
        try:
            if address:
                _knock(address)
            ray.init(
                **({"address": address} if address else here),
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (OSError, RuntimeError, ValueError) as error:
            where = f"reach the Ray cluster {without_password(address)}" if address else "start Ray"
            raise RagError(
                f"cannot {where}: {_first_line(error)}; check RAG_RAY_ADDRESS, or leave out "
                "--engine ray"
            ) from error
        self._started = ray
        logging.getLogger("ray").setLevel(logging.ERROR)
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True


class Prepared(Embedder):
    """A model that is given what others have encoded with it, and hands it out once."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(embedder.encoder, embedder.head)
        self._ready: dict[tuple[Language, str], list[bytes]] = {}
        self._order: deque[tuple[Language, str]] = deque()

    def prepare(self, made: _Made) -> None:
        """Keep encodings until they are asked for; the oldest go when there are too many."""
        for language, text, packed in made:
            self._ready.setdefault((language, text), []).append(packed)
            self._order.append((language, text))
        while len(self._order) > 2 * _MOST:
            self._take(self._order.popleft())

    def passages(
        self,
        texts: Sequence[str],
        language: Language,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[Encoded]:
        """Encodings of passages, made now where they are not there."""
        found = [self._take((language, text)) for text in texts]
        missing = [text for text, packed in zip(texts, found, strict=True) if packed is None]
        made = iter(super().passages(missing, language, progress=progress) if missing else ())
        return [unpack_encoded(packed) if packed else next(made) for packed in found]

    def _take(self, key: tuple[Language, str]) -> bytes | None:
        waiting = self._ready.get(key)
        if waiting is None:
            return None
        packed = waiting.pop()
        if not waiting:
            del self._ready[key]
        return packed


class _Kept(Embedder):
    """A model that keeps all that it encodes."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(embedder.encoder, embedder.head)
        self.made: _Made = []

    def passages(
        self,
        texts: Sequence[str],
        language: Language,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[Encoded]:
        """Encodings of passages."""
        made = super().passages(texts, language, progress=progress)
        for text, encoded in zip(texts, made, strict=True):
            self.made.append((language, text, pack(encoded)))
        return made


class _Taken(NamedTuple):
    job: Job
    data: bytes | None
    """What the file holds; None when it cannot be read or is too large."""


def _some(jobs: Iterator[Job], limits: Limits) -> Iterator[_Taken]:
    """Jobs with their bytes, as many as go together."""
    size = 0
    for number, job in enumerate(jobs, start=1):
        data = None
        try:
            if job.document.path.stat().st_size <= limits.file_bytes:
                data = job.document.path.read_bytes()
                size += len(data)
        except (OSError, ValueError):
            pass
        yield _Taken(job, data)
        if number >= _TOGETHER or size >= _TOGETHER_BYTES:
            return


class _Reader:
    """On a worker: a document's bytes to its release, in a child process with limits."""

    def __init__(self, limits: Limits) -> None:
        self._readers = Readers(limits=limits)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        job: Job = pickle.loads(row["job"])
        with tempfile.TemporaryDirectory(prefix="release-qa-") as folder:
            path = Path(folder, f"document{job.document.suffix}")
            path.write_bytes(row["data"])
            here = replace(job, document=replace(job.document, path=path))
            ((_, outcome),) = self._readers.read([here])
        return {"number": row["number"], "outcome": pickle.dumps(outcome)}


class _Encoder:
    """On a worker: a release to the encodings of its passages and of what is known about it."""

    def __init__(self, settings: Settings) -> None:
        self._embedder = open_embedder(settings, threads=1)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        outcome: Release | Failure = pickle.loads(row["outcome"])
        made: _Made = []
        if isinstance(outcome, Release):
            kept = _Kept(self._embedder)
            encode(outcome, split(outcome, kept.count)[:_MOST], kept)
            header(outcome, kept)
            made = kept.made
        return {"number": row["number"], "outcome": pickle.dumps((outcome, made))}


def _knock(address: str) -> None:
    """OSError when nothing listens at `host:port`: Ray itself would try for many minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
