"""An ingest that ends at any moment loses nothing: the next one makes the collection whole.

Real stores, real reading processes and a tiny embedding model. What is killed is a fork of
`crash_driver.py`, at a call of some function or after some time.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny import tiny

from ingest import ingest, verify
from rag.archive import Archive, writer_lock
from rag.assistant import Assistant
from rag.errors import LockedError, RagError
from rag.index import Index
from rag.schema import Filters
from rag.settings import Settings

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
STAGES: list[tuple[str, str, str, int]] = [
    ("readers", "read", "before", 1),
    ("writer", "_encoded", "before", 1),
    ("writer", "_encoded", "after", 2),
    ("archive", "write", "after", 1),
    ("archive", "write", "after", 3),
    ("index", "upsert", "before", 2),
    ("index", "upsert", "after", 3),
    ("index", "finish", "before", 1),
    ("rag.index", "build", "before", 1),
    ("rag.index", "build", "after", 1),
    ("archive", "publish", "before", 1),
    ("archive", "publish", "after", 1),
    ("index", "finish", "after", 1),
    ("index", "delete", "before", 1),
    ("index", "delete", "after", 1),
    ("archive", "remove", "after", 1),
]
"""Before and after each step of a write; all of them occur in the ingest that is killed."""


class Driver:
    """The process that forks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(TESTS / "crash_driver.py")],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, do: str = "ingest", **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {name: str(v) if isinstance(v, Path) else v for name, v in order.items()}
        self._process.stdin.write(json.dumps({"do": do, **order}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    made = Driver()
    yield made
    made.close()


def report(number: int, figure: int) -> str:
    paragraphs = [
        f"Chỉ tiêu số {number}{at} của huyện Mẫu {number} đạt {figure + at} tỷ đồng vào kỳ {at}."
        for at in range(3 + number % 3)
    ]
    return "\n\n".join(
        f"# Phần {at} báo cáo {number}\n\n{text}" for at, text in enumerate(paragraphs)
    )


class Scene:
    """A folder that was ingested, and then changed in every way: what is ingested next is killed.

    `clean` is what undisturbed ingests of both states come to.
    """

    def __init__(self, folder: Path, driver: Driver) -> None:
        self._driver = driver
        self.folder = folder / "releases"
        self.before = folder / "before"
        self.folder.mkdir(parents=True)
        for number in range(6):
            (self.folder / f"{number}.md").write_text(report(number, 100), encoding="utf-8")
        self("ingest", self.before)
        (self.folder / "0.md").write_text(report(0, 500), encoding="utf-8")
        (self.folder / "1.md").rename(self.folder / "renamed.md")
        shutil.copy(self.folder / "2.md", self.folder / "copy.md")
        (self.folder / "3.md.meta.json").write_text('{"number": "7/TC-MAU"}', encoding="utf-8")
        for number in range(6, 10):
            (self.folder / f"{number}.md").write_text(report(number, 100), encoding="utf-8")
        clean = folder / "clean"
        shutil.copytree(self.before, clean)
        done = self("ingest", clean)
        self.embedded, self.seconds = int(done["embedded"]), float(done["seconds"])
        self.clean = state(clean)

    def __call__(self, do: str, data: Path, **order: Any) -> dict[str, Any]:
        return self._driver(do, folder=self.folder, data=data, **order)

    def fresh(self, folder: Path) -> Path:
        """A data folder as it was before the ingest that is going to be killed."""
        data = folder / "var"
        shutil.copytree(self.before, data)
        return data

    def check(self, data: Path) -> None:
        """Hold the next ingest to what it promises."""
        missing = len(set(self.clean["passages"]) - archived(data))
        done = self("ingest", data)
        assert "error" not in done
        assert done["failed"] == []
        # What was archived is not embedded again.
        assert done["embedded"] == missing
        assert state(data) == self.clean
        assert verify(Settings(data_dir=data)) == []
        finds_itself(data)
        assert self("ingest", data)["embedded"] == 0


@pytest.fixture(scope="module")
def scene(driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("scene"), driver)


def archived(data: Path) -> set[str]:
    """Ids of all passages in the archive, visible or not."""
    with Archive.open(Settings(data_dir=data)) as archive:
        return {passage.id for passage in archive.texts(archive.release_ids())}


def state(data: Path) -> dict[str, Any]:
    """What a collection holds."""
    settings = Settings(data_dir=data)
    with Archive.open(settings) as archive, Index.open(settings, archive, "tiny+none") as index:
        return {
            "passages": archive.passage_ids(),
            "sources": archive.sources(),
            "releases": archive.releases(),
            "vectors": index.stored_ids(),
            "words": set(index.ids),
        }


def finds_itself(data: Path) -> None:
    settings = Settings(data_dir=data)
    with Archive.open(settings) as archive, Index.open(settings, archive, "tiny+none") as index:
        vectors = archive.vectors(list(archive.passage_ids()))
        for name, vector in vectors.items():
            assert next(iter(index.nearest(vector, 1))) == name


@pytest.mark.parametrize("at", [STAGES[4], STAGES[6], STAGES[10], STAGES[13]], ids=str)
def test_a_kill_between_two_steps(
    at: tuple[str, str, str, int], scene: Scene, tmp_path: Path
) -> None:
    data = scene.fresh(tmp_path)
    assert scene("ingest", data, at=at)["killed"]
    scene.check(data)


@pytest.mark.slow
@pytest.mark.parametrize("at", STAGES, ids=str)
def test_a_kill_at_every_step(at: tuple[str, str, str, int], scene: Scene, tmp_path: Path) -> None:
    data = scene.fresh(tmp_path)
    assert scene("ingest", data, at=at)["killed"]
    scene.check(data)


@pytest.mark.slow
def test_kills_at_random_moments(scene: Scene, tmp_path: Path) -> None:
    chance = random.Random(20240531)
    killed = 0
    for trial in range(36):
        data = scene.fresh(tmp_path / str(trial))
        killed += scene("ingest", data, after=chance.uniform(0, scene.seconds))["killed"]
        scene.check(data)
        shutil.rmtree(tmp_path / str(trial))
    assert killed > 18


@pytest.mark.slow
@pytest.mark.parametrize(
    "at",
    [
        ("index", "clear", "after", 1),
        ("index", "upsert", "after", 2),
        ("index", "finish", "before", 1),
        ("archive", "publish", "after", 1),
    ],
    ids=str,
)
def test_a_kill_during_a_rebuild(
    at: tuple[str, str, str, int], scene: Scene, tmp_path: Path
) -> None:
    data = tmp_path / "var"
    scene("ingest", data)
    assert scene("rebuild", data, at=at)["killed"]
    scene.check(data)


@pytest.mark.parametrize("at", [STAGES[2], STAGES[11]], ids=str)
def test_ctrl_c(at: tuple[str, str, str, int], scene: Scene, tmp_path: Path) -> None:
    data = scene.fresh(tmp_path)
    assert scene("ingest", data, at=at, how="interrupt").get("interrupted")
    scene.check(data)


def test_a_first_run_that_is_killed(scene: Scene, tmp_path: Path) -> None:
    data = tmp_path / "var"
    assert scene("ingest", data, at=("archive", "write", "after", 2))["killed"]
    scene.check(data)


# Two at a time


def test_a_second_writer_is_refused_within_a_second(scene: Scene, tmp_path: Path) -> None:
    data = scene.fresh(tmp_path)
    with writer_lock(Settings(data_dir=data)):
        begun = time.perf_counter()
        with pytest.raises(LockedError):
            ingest([scene.folder], Settings(data_dir=data), embedder=tiny())
        assert time.perf_counter() - begun < 1


def test_readers_go_on_and_see_a_release_whole_or_not_at_all(scene: Scene, tmp_path: Path) -> None:
    data = scene.fresh(tmp_path)
    settings = Settings(data_dir=data)
    seen: list[set[str]] = []
    wrong: list[str] = []
    begun, done = threading.Event(), threading.Event()
    with Archive.open(settings) as archive:
        before = archive.passage_ids()
    after = scene.clean["passages"]
    wholes: dict[str, set[str]] = {}
    for name, release_id in {**before, **after}.items():
        wholes.setdefault(release_id, set()).add(name)
    # One that goes, one that comes in its place, one that is new and one that stays; a search
    # reads no more passages than these have.
    leaving = sorted(set(before.values()) - set(after.values()))
    coming = sorted(set(after.values()) - set(before.values()))
    staying = sorted(set(after.values()) & set(before.values()))
    asked = Filters(release_ids=(*leaving[:1], *coming[:3], *staying[:1]))

    def read() -> None:
        with Assistant.open(settings, embedder=tiny()) as assistant:
            last = False
            while not last:
                last = done.is_set()
                try:
                    hits = assistant.search("Chỉ tiêu huyện Mẫu đạt bao nhiêu?", 100, asked)
                except RagError as error:
                    wrong.append(str(error))
                    continue
                seen.append({hit.passage.id for hit in hits})
                begun.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert begun.wait(60)
        scene("ingest", data)
    finally:
        done.set()
        reader.join()
    assert wrong == []
    assert len(seen) > 3
    for found in seen:
        for whole in wholes.values():
            assert found & whole in (set(), whole)
        assert found >= wholes[staying[0]]
    assert seen[0] >= wholes[leaving[0]]
    assert seen[-1] >= wholes[coming[0]]
    assert not seen[-1] & wholes[leaving[0]]


# Stores that cannot be written


FULL = """
import resource, sys
sys.path.insert(0, "tests")
from tiny import tiny
from ingest import ingest
from rag.errors import StoreError
from rag.settings import Settings
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    ingest([sys.argv[2]], Settings(data_dir=sys.argv[3]), embedder=tiny())
except StoreError as error:
    sys.exit(f"error: {error}")
"""


@pytest.mark.parametrize("room", [0, 60_000])
def test_a_full_disk(room: int, scene: Scene, tmp_path: Path) -> None:
    data = scene.fresh(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(room), str(scene.folder), str(data)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ")
    scene.check(data)
