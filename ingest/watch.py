"""Keeps folders in step: says when something in them has changed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import watchfiles

from rag.errors import InputError

_STEP = 200
"""Milliseconds without a change after which a batch is complete."""


def watch(
    paths: Sequence[str | Path],
    on_change: Callable[[frozenset[Path]], None],
    stop: threading.Event | None = None,
    *,
    ignore: Sequence[Path] = (),
    debounce: float = 1.6,
    interval: float = 0.5,
) -> None:
    """Call `on_change` once at the start, and again after each batch of changes below folders.

    It is given the absolute paths that were made, changed or removed, and none at the start. It
    runs in the calling thread. What changes meanwhile comes in the next batch, so that nothing is
    missed; its errors pass through and end the watch. Hidden files and folders are not watched, nor
    is what stands in `ignore`: the data folder, which each call writes to, may be among the
    releases. A file that is still being written is in its batch, and in a later one when complete.

    Returns when `stop` is set and on Ctrl-C, which also breaks off a call. `debounce` is the
    longest time in seconds over which changes are gathered, `interval` the time between looks at
    `stop`.
    Raises `InputError` for what is no folder, ceases to be one, or cannot be watched.
    """
    folders = [Path(path).resolve() for path in paths]
    for folder, path in zip(folders, paths, strict=True):
        if not folder.is_dir():
            raise InputError(f"not a folder: {path}; only folders can be watched")
    ignored = [path.resolve() for path in ignore]

    def concerns(change: watchfiles.Change, name: str) -> bool:
        path = Path(name)
        if any(path.is_relative_to(each) for each in ignored):
            return False
        return any(
            not any(part.startswith(".") for part in path.relative_to(folder).parts)
            for folder in folders
            if path.is_relative_to(folder)
        )

    batches = watchfiles.watch(
        *folders,
        watch_filter=concerns,
        stop_event=stop,
        yield_on_timeout=True,
        rust_timeout=int(interval * 1000),
        debounce=int(debounce * 1000),
        step=_STEP,
    )
    started = False
    with contextlib.suppress(KeyboardInterrupt):
        while (changes := _next(batches, paths)) is not None:
            for folder, path in zip(folders, paths, strict=True):
                if not folder.is_dir():
                    # To call on would look like the removal of every file in it.
                    raise InputError(f"the watched folder is gone: {path}; nothing was taken out")
            # The first return tells that the watch has begun: only then may the first call look at
            # the folders, or what changes in between would be seen by nobody.
            if changes or not started:
                on_change(frozenset(Path(name) for _, name in changes) if started else frozenset())
                started = True


def _next(
    batches: Iterator[set[watchfiles.main.FileChange]], paths: Sequence[str | Path]
) -> set[watchfiles.main.FileChange] | None:
    """The next batch, empty when nothing has changed for a while; None at the end."""
    try:
        return next(batches, None)
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"cannot watch {', '.join(map(str, paths))}: {error}; "
            "check the path and the system's limit on watches"
        ) from error
