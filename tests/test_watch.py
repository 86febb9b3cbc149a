"""Watching folders, with real changes in real ones."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ingest.watch import watch
from rag.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
LONG = 20.0


class Watched:
    """A watch in a thread, and the batches that it told."""

    def __init__(self, paths: Sequence[Path], ignore: Sequence[Path]) -> None:
        self.batches: queue.Queue[frozenset[Path]] = queue.Queue()
        self.stop = threading.Event()
        self.error: Exception | None = None
        self._paths = paths
        self._ignore = ignore
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            watch(
                self._paths,
                self.batches.put,
                self.stop,
                ignore=self._ignore,
                debounce=0.3,
                interval=0.05,
            )
        except InputError as error:
            self.error = error

    def next(self) -> frozenset[Path]:
        return self.batches.get(timeout=LONG)

    def until(self, path: Path) -> set[Path]:
        """What was told up to the batch with that path."""
        told: set[Path] = set()
        while path not in told:
            told |= self.next()
        return told

    def close(self) -> None:
        self.stop.set()
        self.thread.join(LONG)
        assert not self.thread.is_alive()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "releases"
    made.mkdir()
    (made / "first.md").write_text("x", "utf-8")
    return made


@pytest.fixture
def watched(folder: Path) -> Iterator[Watched]:
    made = Watched([folder], [folder / "var"])
    yield made
    made.close()


def test_the_first_call_comes_before_any_change_and_only_once(
    folder: Path, watched: Watched
) -> None:
    assert watched.next() == frozenset()
    (folder / "new.md").write_text("x", "utf-8")
    assert watched.next() == {folder / "new.md"}


def test_new_changed_renamed_and_removed_files_are_told(folder: Path, watched: Watched) -> None:
    watched.next()
    path = folder / "2021" / "a.md"
    path.parent.mkdir()
    path.write_text("x", "utf-8")
    watched.until(path.parent)
    path.write_text("y", "utf-8")
    watched.until(path)
    path.rename(folder / "b.md")
    assert path in watched.until(folder / "b.md")
    (folder / "b.md").unlink()
    watched.until(folder / "b.md")


def test_many_changes_at_once_are_one_batch_or_few(folder: Path, watched: Watched) -> None:
    watched.next()
    made = {folder / f"{number}.md" for number in range(200)}
    for path in made:
        path.write_text("x", "utf-8")
    told: set[Path] = set()
    batches = 0
    while not made <= told:
        told |= watched.next()
        batches += 1
    assert batches < 10


def test_hidden_files_and_the_data_folder_are_not_watched(folder: Path, watched: Watched) -> None:
    watched.next()
    for name in (".git/index", ".a.md.swp", "var/archive.sqlite", "last.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x", "utf-8")
    assert watched.until(folder / "last.md") == {folder / "last.md"}


def test_a_change_during_a_call_is_told_afterwards(folder: Path) -> None:
    told: list[frozenset[Path]] = []
    stop = threading.Event()

    def on_change(paths: frozenset[Path]) -> None:
        told.append(paths)
        if len(told) == 1:
            (folder / "meanwhile.md").write_text("x", "utf-8")
        else:
            stop.set()

    watch([folder], on_change, stop, debounce=0.3, interval=0.05)
    assert told == [frozenset(), frozenset({folder / "meanwhile.md"})]


def test_what_is_no_folder_is_refused(folder: Path) -> None:
    for path in (folder / "first.md", folder / "none"):
        with pytest.raises(InputError, match="not a folder"):
            watch([folder, path], lambda paths: None)


def test_a_folder_that_disappears_ends_the_watch_and_calls_no_more(
    folder: Path, watched: Watched
) -> None:
    watched.next()
    shutil.rmtree(folder)
    watched.thread.join(LONG)
    assert "gone" in str(watched.error)
    assert watched.batches.empty()


def test_an_error_of_the_call_ends_the_watch(folder: Path) -> None:
    def fail(paths: frozenset[Path]) -> None:
        raise InputError("broken")

    with pytest.raises(InputError, match="broken"):
        watch([folder], fail, interval=0.05)


# What starts the tests may have had Ctrl-C ignored, which children inherit.
WATCH = """
import signal, sys
from ingest.watch import watch

signal.signal(signal.SIGINT, signal.default_int_handler)

watch([sys.argv[1]], lambda paths: print("called", flush=True), interval=0.1)
print("ended")
"""


def test_ctrl_c_ends_it_without_a_word(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WATCH, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "called\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "ended\n"
        assert process.stderr.read() == ""
    assert process.returncode == 0
