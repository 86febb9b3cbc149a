"""Runs ingests in processes that are killed at a chosen moment, for `test_crash.py`.

Started once: it has imported everything, so that each ingest is a fork of it that begins at once.
Takes one JSON object a line on standard input and answers each with one line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import chromadb  # noqa: F401 - imported once here rather than in every fork
from tiny import TinyEncoder

import ingest.isolate
import ingest.pipeline as pipeline
import ingest.transfer
import ingest.writer as writer
import rag.index
from rag.archive import Archive
from rag.embedding import Embedder, Head
from rag.errors import RagError
from rag.index import Index
from rag.settings import Settings

OWNERS: dict[str, Any] = {
    "archive": Archive,
    "index": Index,
    "readers": ingest.isolate.Readers,
    "rag.index": rag.index,
    "writer": writer,
}
writer._WINDOW = 4
"""So that a few small releases take several transactions."""


def stop_at(owner: str, name: str, moment: str, times: int, how: str) -> None:
    """Have this process end at some call of a function."""
    original = getattr(OWNERS[owner], name)
    left = times

    def ending(*args: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and moment == "before":
            end(how)
        result = original(*args, **options)
        if left == 0 and moment == "after":
            end(how)
        return result

    setattr(OWNERS[owner], name, ending)


def end(how: str) -> None:
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise KeyboardInterrupt


def act(order: dict[str, Any]) -> dict[str, Any]:
    """Do what is ordered; what came of it."""
    encoder = TinyEncoder()
    settings = Settings(data_dir=Path(order["data"]))
    if "at" in order:
        owner, name, moment, times = order["at"]
        stop_at(owner, name, moment, times, order.get("how", "kill"))
    try:
        embedder = Embedder(encoder, Head.empty())
        if order["do"] == "rebuild":
            return {"embedded": pipeline.rebuild(settings, embedder=embedder)}
        summary = pipeline.ingest([order["folder"]], settings, embedder=embedder)
        return {"embedded": summary.embedded, "failed": [each.reason for each in summary.failed]}
    except KeyboardInterrupt:
        return {"interrupted": True}
    except RagError as error:
        return {"error": str(error)}


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            result = act(order)
            os.write(writing, json.dumps(result).encode())
            os._exit(0)
        os.close(writing)
        begun = time.perf_counter()
        if "after" in order:
            time.sleep(order["after"])
            os.kill(child, signal.SIGKILL)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        answer = {
            "killed": os.WIFSIGNALED(status),
            "seconds": time.perf_counter() - begun,
            **(json.loads(said) if said else {}),
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
