"""The Ray engine: the same collection as the local one, and no Ray for anybody else.

What runs Ray runs in a process of its own, as people run it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest import ingest, verify
from ingest.isolate import Limits
from ingest.ray_engine import Prepared, RayEngine
from rag.archive import Archive, pack
from rag.embedding import Embedder, Head
from rag.errors import SettingsError
from rag.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
REPORTS = {
    "may.md": "# Kinh tế tháng 5\n\nThu tháng 5 đạt 812 tỷ đồng.\n\nChi đạt 640 tỷ đồng.\n",
    "june.md": "# Kinh tế tháng 6\n\nThu ngân sách tháng 6 đạt 905 tỷ đồng.\n",
    "copy-of-june.md": "# Kinh tế tháng 6\n\nThu ngân sách tháng 6 đạt 905 tỷ đồng.\n",
    "schools.txt": "The province opened 14 new schools in 2023.\n\nEnrolment rose 3.2 per cent.\n",
    "broken.md": "\0",
    "long.md": "\n\n".join(f"# Phần {n}\n\nDự án số {n} trị giá {n} tỷ đồng." for n in range(90)),
}
"""Made up for these tests."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "releases"
    made.mkdir()
    for name, text in REPORTS.items():
        (made / name).write_text(text, encoding="utf-8")
    return made


# Run by a Python that begins with these lines, Ray is in its local mode on two cores.
TWO_CORES = """
import functools, os, signal, sys
import ray

started = ray.init
ray.init = lambda **options: started(**{**options, "address": "local", "num_cpus": 2})
"""
RUN = """
from ingest.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
KILL = """
from rag.archive import Archive

written = Archive.write

def write(*args, **options):
    written(*args, **options)
    os.kill(os.getpid(), signal.SIGKILL)

Archive.write = write
"""


def run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def by_ray(folder: Path, settings: Settings) -> dict[str, Any]:
    """What `python -m ingest FOLDER --engine ray --json` says."""
    arguments = (folder, "--data-dir", settings.data_dir, "--engine", "ray", "--json")
    done = run(TWO_CORES + RUN, *arguments)
    assert done.stdout, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == bool(said["failed"])
    return said


def assert_same(one: Settings, other: Settings) -> None:
    """Two collections hold the same, encodings up to rounding."""
    with Archive.open(one) as left, Archive.open(other) as right:
        assert left.releases() == right.releases()
        assert left.sources() == right.sources()
        assert left.passage_ids() == right.passage_ids()
        ids = list(left.passage_ids())
        assert left.passages(ids) == right.passages(ids)
        for mine, theirs in zip(
            left.encoded(ids).values(), right.encoded(ids).values(), strict=True
        ):
            np.testing.assert_allclose(mine.vector, theirs.vector, atol=1e-4)
            np.testing.assert_allclose(mine.tokens, theirs.tokens, atol=1e-2)
            np.testing.assert_array_equal(mine.spans, theirs.spans)


@pytest.mark.slow
def test_ray_makes_the_collection_that_the_local_engine_makes(
    folder: Path, embedder: Embedder, tmp_path: Path
) -> None:
    ray, local = (Settings(data_dir=tmp_path / name) for name in ("ray", "local"))
    expected = ingest([folder], local, embedder=embedder)
    said = by_ray(folder, ray)
    assert said["added"] == expected.added
    assert said["embedded"] == expected.embedded
    assert [each["source"] for each in said["duplicates"]] == [
        each.source for each in expected.duplicates
    ]
    ((failed,), (expected_failed,)) = said["failed"], expected.failed
    assert failed == {
        "source": expected_failed.source,
        "stage": expected_failed.stage,
        "reason": expected_failed.reason,
    }
    assert_same(ray, local)
    assert verify(ray) == []

    # What is there already is not read again, by either engine.
    (folder / "broken.md").unlink()
    again = by_ray(folder, ray)
    assert (again["embedded"], again["added"], len(again["unchanged"])) == (0, [], 5)
    assert ingest([folder], ray, embedder=embedder).embedded == 0


@pytest.mark.slow
def test_a_run_on_ray_that_was_killed_is_completed(
    folder: Path, embedder: Embedder, tmp_path: Path
) -> None:
    settings, local = (Settings(data_dir=tmp_path / name) for name in ("ray", "local"))
    arguments = (folder, "--data-dir", settings.data_dir, "--engine", "ray", "--json")
    killed = run(TWO_CORES + KILL + RUN, *arguments)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    whole = ingest([folder], local, embedder=embedder).embedded
    said = by_ray(folder, settings)
    assert 0 < said["embedded"] < whole
    assert_same(settings, local)
    assert verify(settings) == []


@pytest.mark.slow
def test_a_cluster_that_cannot_be_reached_is_one_line(folder: Path, tmp_path: Path) -> None:
    program = "import os, sys\nos.environ['RAG_RAY_ADDRESS'] = '127.0.0.1:9'\n" + RUN
    done = run(program, folder, "--data-dir", tmp_path / "var", "--engine", "ray", "--json")
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "127.0.0.1:9" in line
    assert "RAG_RAY_ADDRESS" in line
    assert "Traceback" not in done.stderr


def test_without_ray_installed_the_package_is_named(
    folder: Path, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingsError) as caught:
        ingest([folder], Settings(data_dir=tmp_path / "var"), embedder=embedder, engine="ray")
    assert "pip install" in str(caught.value)
    assert "[ray]" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ray_is_imported_by_nobody_else(folder: Path, tmp_path: Path) -> None:
    program = """
import sys
from ingest.__main__ import main
main(sys.argv[1:])
sys.exit("ray" in sys.modules)
"""
    (folder / "broken.md").unlink()
    done = run(program, folder, "--data-dir", tmp_path / "var", "--json")
    assert json.loads(done.stdout)["added"]
    assert done.returncode == 0


def test_another_model_than_that_of_the_settings_is_refused(embedder: Embedder) -> None:
    other = Embedder(embedder.encoder, Head("other", {}, None, {}, 0))
    with pytest.raises(SettingsError, match="embedding_model"):
        RayEngine(Settings(), other, limits=Limits())


def test_what_was_encoded_elsewhere_is_handed_out_once_and_the_rest_is_made(
    embedder: Embedder,
) -> None:
    made: list[int] = []
    prepared = Prepared(embedder)
    sent = embedder.passages(["Thu đạt 5 tỷ đồng."], "vi")[0]
    prepared.prepare([("vi", "Thu đạt 5 tỷ đồng.", pack(sent))])
    texts = ["Chi đạt 3 tỷ đồng.", "Thu đạt 5 tỷ đồng.", "Thu đạt 5 tỷ đồng."]
    found = prepared.passages(texts, "vi", progress=made.append)
    assert sum(made) == 2
    for mine, theirs in zip(found, embedder.passages(texts, "vi"), strict=True):
        np.testing.assert_allclose(mine.vector, theirs.vector, atol=1e-4)
        np.testing.assert_allclose(mine.tokens, theirs.tokens, atol=1e-2)
    # A text is encoded for its language.
    prepared.prepare([("vi", "14 schools", pack(sent))])
    made.clear()
    prepared.passages(["14 schools"], "en", progress=made.append)
    assert sum(made) == 1
