"""Ingest as a whole, with real stores and the real model: idempotent, and safe to interrupt."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ingest import Summary, ingest, rebuild, remove, verify
from ingest.pipeline import encode, prune
from rag.archive import Archive, writer_lock
from rag.embedding import Embedder, Encoded, Head, Kind
from rag.errors import InputError, LockedError, ModelMismatchError, StoreError
from rag.index import Index, terms
from rag.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
REPORTS = {
    "may.md": "# Kinh tế tháng 5\n\nThu tháng 5 đạt 812 tỷ đồng.\n\nChi đạt 640 tỷ đồng.\n",
    "june.md": "# Kinh tế tháng 6\n\nThu ngân sách tháng 6 đạt 905 tỷ đồng.\n",
    "schools.txt": "The province opened 14 new schools in 2023.\n\nEnrolment rose 3.2 per cent.\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "releases"
    made.mkdir()
    for name, text in REPORTS.items():
        (made / name).write_text(text, encoding="utf-8")
    return made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "var")


@pytest.fixture
def other_model(embedder: Embedder) -> Embedder:
    """The same encoder under another head: vectors that cannot be compared with the former."""
    return Embedder(embedder.encoder, Head("other", Head.empty().means, None, {}, 0))


def counts(summary: Summary) -> tuple[int, int, int, int]:
    return (
        len(summary.added),
        len(summary.updated),
        len(summary.unchanged),
        len(summary.failed),
    )


def texts(settings: Settings) -> list[str]:
    with Archive.open(settings) as archive:
        return sorted(release.text for release in archive.releases())


def one_line(error: BaseException) -> str:
    assert "\n" not in str(error)
    return str(error)


def test_files_go_in_and_both_indexes_agree(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    summary = ingest([folder], settings, embedder=embedder)
    assert counts(summary) == (3, 0, 0, 0)
    assert summary.embedded >= 3
    assert verify(settings) == []
    with Archive.open(settings) as archive:
        assert {Path(release.source).name for release in archive.releases()} == set(REPORTS)
        for release in archive.releases():
            for passage in archive.passages_of(release.id):
                assert release.text[passage.start : passage.end] == passage.text


def test_a_second_run_changes_and_embeds_nothing(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    with Archive.open(settings) as archive:
        before = (archive.passage_ids(), archive.meta("generation"))
    summary = ingest([folder], settings, embedder=embedder)
    assert counts(summary) == (0, 0, 3, 0)
    assert summary.embedded == 0
    with Archive.open(settings) as archive:
        assert (archive.passage_ids(), archive.meta("generation")) == before


def test_a_changed_file_replaces_its_passages(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    (folder / "june.md").write_text(REPORTS["june.md"].replace("905", "950"), encoding="utf-8")
    summary = ingest([folder], settings, embedder=embedder)
    assert counts(summary) == (0, 1, 2, 0)
    found = "\n".join(texts(settings))
    assert "950 tỷ" in found
    assert "905 tỷ" not in found
    assert verify(settings) == []


def test_a_change_that_leaves_the_text_alone_costs_no_embedding(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    path = folder / "schools.txt"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    summary = ingest([folder], settings, embedder=embedder)
    assert counts(summary) == (0, 1, 2, 0)
    assert summary.embedded == 0
    assert verify(settings) == []


def test_the_same_text_twice_is_one_release(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    shutil.copy(folder / "may.md", folder / "copy.md")
    summary = ingest([folder], settings, embedder=embedder)
    assert counts(summary) == (1, 0, 3, 0)
    assert summary.embedded == 0
    assert len(texts(settings)) == 3
    # It stays while one of the two is there.
    (folder / "may.md").unlink()
    assert prune(settings) == [str(folder / "may.md")]
    assert len(texts(settings)) == 3
    (folder / "copy.md").unlink()
    prune(settings)
    assert len(texts(settings)) == 2
    assert verify(settings) == []


def test_a_renamed_file_costs_no_embedding(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    (folder / "may.md").rename(folder / "renamed.md")
    summary = ingest([folder], settings, embedder=embedder)
    assert summary.embedded == 0
    assert prune(settings) == [str(folder / "may.md")]
    assert len(texts(settings)) == 3
    assert verify(settings) == []


def test_a_release_is_removed_by_path_and_by_id(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    assert remove(str(folder / "may.md"), settings) == [str(folder / "may.md")]
    with Archive.open(settings) as archive:
        first = archive.releases()[0]
    assert remove(first.id, settings) == [first.source]
    assert len(texts(settings)) == 1
    assert verify(settings) == []
    with pytest.raises(InputError, match="--list") as caught:
        remove("99/TC-UBND", settings)
    one_line(caught.value)


def test_bad_files_are_named_and_do_not_stop_the_others(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    bad = {
        "empty.md": b"",
        "blank.md": b" \n\n",
        "binary.md": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        "latin.txt": "Thành phố Hồ Chí Minh".encode("cp1258", errors="replace"),
        "utf16.md": "Thông cáo".encode("utf-16"),
        "marks.md": b"# \n\n---\n\n***\n",
    }
    for name, data in bad.items():
        (folder / name).write_bytes(data)
    summary = ingest([folder, folder / "may.md"], settings, embedder=embedder)
    assert counts(summary) == (3, 0, 0, len(bad))
    assert {Path(failure.source).name for failure in summary.failed} == set(bad)
    for failure in summary.failed:
        assert Path(failure.source).name in failure.reason
        assert "\n" not in failure.reason
    assert verify(settings) == []


def test_a_file_that_turned_bad_keeps_its_last_good_release(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    (folder / "june.md").write_bytes(b"\x00\x01")
    assert counts(ingest([folder], settings, embedder=embedder)) == (0, 0, 2, 1)
    assert len(texts(settings)) == 3


def test_a_path_that_does_not_exist_changes_nothing(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    with pytest.raises(InputError, match="gone") as caught:
        ingest([folder, folder / "gone.md"], settings, embedder=embedder)
    one_line(caught.value)
    assert not settings.data_dir.exists()


# Interruptions

KILL = """
import os, signal, sys
from pathlib import Path
import ingest.pipeline as pipeline
from rag.archive import Archive
from rag.index import Index
from rag.settings import Settings

action, owner, name, moment, times = sys.argv[1:6]
owner = {"archive": Archive, "index": Index, "pipeline": pipeline}[owner]
original = getattr(owner, name)
left = int(times)

def stop(*args, **options):
    global left
    left -= 1
    if left == 0 and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = original(*args, **options)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(owner, name, stop)
settings = Settings(data_dir=sys.argv[7])
if action == "rebuild":
    pipeline.rebuild(settings)
else:
    pipeline.ingest([Path(sys.argv[6])], settings)
"""


def kill(action: str, where: tuple[str, str, str, int], folder: Path, settings: Settings) -> None:
    """Run an action in a process that is killed at some call of some function."""
    killed = subprocess.run(
        [sys.executable, "-c", KILL, action, *map(str, where), folder, settings.data_dir],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()


@pytest.mark.parametrize(
    "where",
    [
        ("pipeline", "encode", "after", 1),
        ("archive", "add", "after", 1),
        ("archive", "link", "after", 2),
        ("index", "upsert", "after", 1),
        ("archive", "mark_indexed", "after", 1),
        ("archive", "mark_indexed", "after", 2),
        ("index", "finish", "before", 1),
        ("archive", "set_meta", "after", 3),
        ("index", "delete", "after", 1),
    ],
    ids=lambda where: "-".join(map(str, where)),
)
def test_the_next_run_completes_one_that_was_killed(
    where: tuple[str, str, str, int],
    folder: Path,
    settings: Settings,
    embedder: Embedder,
    tmp_path: Path,
) -> None:
    ingest([folder / "may.md"], settings, embedder=embedder)
    (folder / "may.md").write_text(REPORTS["may.md"].replace("812", "821"), encoding="utf-8")
    kill("ingest", where, folder, settings)

    ingest([folder], settings, embedder=embedder)
    assert verify(settings) == []
    # The outcome is that of a run that nothing disturbed.
    undisturbed = Settings(data_dir=tmp_path / "undisturbed")
    ingest([folder], undisturbed, embedder=embedder)
    with Archive.open(settings) as one, Archive.open(undisturbed) as other:
        assert one.passage_ids() == other.passage_ids()
        assert one.sources() == other.sources()
    assert ingest([folder], settings, embedder=embedder).embedded == 0


@pytest.mark.parametrize(
    "where",
    [
        ("archive", "mark_indexed", "after", 1),
        ("index", "clear", "after", 1),
        ("index", "upsert", "after", 2),
        ("index", "finish", "before", 1),
    ],
    ids=lambda where: "-".join(map(str, where)),
)
def test_the_next_run_completes_a_rebuild_that_was_killed(
    where: tuple[str, str, str, int], folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    kill("rebuild", where, folder, settings)
    assert ingest([folder], settings, embedder=embedder).embedded == 0
    assert verify(settings) == []


def test_encodings_of_a_killed_first_run_are_not_taken_for_another_models(
    folder: Path, settings: Settings, embedder: Embedder, other_model: Embedder
) -> None:
    kill("ingest", ("archive", "add", "after", 1), folder, settings)
    with pytest.raises(ModelMismatchError):
        ingest([folder], settings, embedder=other_model)
    ingest([folder], settings, embedder=embedder)
    assert verify(settings) == []


def test_a_second_writer_is_refused_within_a_second_and_loses_nothing(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder / "may.md"], settings, embedder=embedder)
    with writer_lock(settings):
        for action in (
            lambda: ingest([folder], settings, embedder=embedder),
            lambda: rebuild(settings, embedder=embedder),
            lambda: remove(str(folder / "may.md"), settings),
            lambda: prune(settings),
        ):
            start = time.perf_counter()
            with pytest.raises(LockedError) as caught:
                action()
            assert time.perf_counter() - start < 1
            assert str(settings.data_dir) in one_line(caught.value)
        # Readers are free.
        assert verify(settings) == []
    assert len(texts(settings)) == 1


def test_a_reader_finds_what_another_process_brought_in(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder / "may.md"], settings, embedder=embedder)
    with (
        Archive.open(settings) as archive,
        Index.open(settings, archive, embedder.identity) as reader,
    ):
        vector = embedder.query("How many new schools were opened?", "en").vector
        before = set(reader.nearest(vector, 10))
        assert before == set(reader.ids)
        subprocess.run(
            [sys.executable, "-m", "ingest", str(folder), "--data-dir", str(settings.data_dir)],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            check=True,
        )
        reader.refresh()
        found = reader.nearest(vector, 10)
        assert set(found) == set(reader.ids) == set(archive.passage_ids())
        assert "14 new schools" in archive.passages([next(iter(found))])[next(iter(found))].text
        assert reader.lexical(terms("schools")).scores.max() > 0


# Damage


def test_an_index_of_another_model_is_refused_and_rebuilt(
    folder: Path, settings: Settings, embedder: Embedder, other_model: Embedder
) -> None:
    ingest([folder / "may.md"], settings, embedder=embedder)
    with pytest.raises(ModelMismatchError, match="--rebuild") as caught:
        ingest([folder], settings, embedder=other_model)
    one_line(caught.value)
    assert len(texts(settings)) == 1
    assert rebuild(settings, embedder=other_model) > 0
    assert verify(settings) == []
    assert counts(ingest([folder], settings, embedder=other_model)) == (2, 0, 1, 0)
    with pytest.raises(ModelMismatchError):
        ingest([folder / "june.md", folder / "may.md"], settings, embedder=embedder)


def test_a_model_mismatch_shows_even_when_no_file_changed(
    folder: Path, settings: Settings, embedder: Embedder, other_model: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    with pytest.raises(ModelMismatchError):
        ingest([folder], settings, embedder=other_model)


def test_an_unfinished_rebuild_for_another_model_never_mixes_vectors(
    folder: Path, settings: Settings, embedder: Embedder, other_model: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    interrupted = Embedder(_Interrupted(embedder), other_model.head)
    with pytest.raises(KeyboardInterrupt):
        rebuild(settings, embedder=interrupted)
    for model in (embedder, other_model):
        with pytest.raises(ModelMismatchError, match="--rebuild"):
            ingest([folder], settings, embedder=model)
    rebuild(settings, embedder=other_model)
    assert verify(settings) == []
    with (
        Archive.open(settings) as archive,
        Index.open(settings, archive, other_model.identity) as index,
    ):
        for release in archive.releases():
            for passage in archive.passages_of(release.id):
                (encoded,) = encode(release, [passage], other_model)
                assert index.nearest(encoded.vector, 1)[passage.id] > 0.999


@pytest.mark.parametrize("damage", ["gone", "sqlite", "vectors"])
def test_a_damaged_vector_store_is_told_and_rebuilt_without_embedding(
    damage: str, folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    chroma = settings.data_dir / "chroma"
    if damage == "gone":
        shutil.rmtree(chroma)
    elif damage == "sqlite":
        (chroma / "chroma.sqlite3").write_bytes(b"nonsense " * 2000)
    else:
        for path in chroma.rglob("*.bin"):
            path.write_bytes(b"")
    try:
        told = " ".join(verify(settings))
    except StoreError as error:
        told = one_line(error)
    if damage != "vectors":
        assert "--rebuild" in told
    assert rebuild(settings, embedder=Embedder(_Unusable(embedder), embedder.head)) > 0
    assert verify(settings) == []
    with (
        Archive.open(settings) as archive,
        Index.open(settings, archive, embedder.identity) as index,
    ):
        vector = embedder.query("Thu ngân sách tháng 6", "vi").vector
        assert set(index.nearest(vector, 100)) == set(archive.passage_ids())


class _Unusable:
    """An encoder that must not be asked to encode."""

    def __init__(self, embedder: Embedder) -> None:
        self.identity = embedder.encoder.identity
        self.dim = embedder.encoder.dim
        self.prompts = embedder.encoder.prompts
        self.count = embedder.encoder.count

    def encode(
        self, kind: Kind, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[Encoded]:
        raise AssertionError("a rebuild with the same model must not embed")


class _Interrupted(_Unusable):
    """An encoder during whose second release the person presses Ctrl-C."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(embedder)
        self._encode = embedder.encoder.encode
        self._releases = 0

    def encode(
        self, kind: Kind, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[Encoded]:
        self._releases += 1
        if self._releases == 2:
            raise KeyboardInterrupt
        return self._encode(kind, texts)


def test_a_lost_word_index_is_made_again(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    shutil.rmtree(settings.data_dir / "bm25")
    assert verify(settings) == []
    rebuild(settings, embedder=embedder)
    assert (settings.data_dir / "bm25").is_dir()
    assert verify(settings) == []


def test_verify_tells_what_chroma_lacks_and_has_too_much(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    with (
        Archive.open(settings) as archive,
        Index.open(settings, archive, embedder.identity) as index,
    ):
        first = archive.releases()[0]
        index.delete(first.id)
    assert any("Chroma lacks" in problem for problem in verify(settings))
    with Archive.open(settings) as archive:
        archive.mark_indexed([first.id], indexed=False)
    problems = " ".join(verify(settings))
    assert "not indexed yet" in problems
    ingest([folder], settings, embedder=embedder)
    assert verify(settings) == []


@pytest.mark.parametrize("where", ["file", "file/below", "/proc/below"])
def test_a_data_folder_that_cannot_be_used(
    where: str, folder: Path, tmp_path: Path, embedder: Embedder
) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    settings = Settings(data_dir=tmp_path / where)
    for action in (
        lambda: ingest([folder], settings, embedder=embedder),
        lambda: verify(settings),
        lambda: rebuild(settings, embedder=embedder),
    ):
        with pytest.raises(StoreError) as caught:
            action()
        assert "--data-dir" in one_line(caught.value)
    assert (tmp_path / "file").read_text("utf-8") == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_data_folder(folder: Path, settings: Settings, embedder: Embedder) -> None:
    ingest([folder / "may.md"], settings, embedder=embedder)
    paths = [settings.data_dir, *settings.data_dir.rglob("*")]
    try:
        for path in paths:
            path.chmod(0o500 if path.is_dir() else 0o400)
        with pytest.raises(StoreError) as caught:
            ingest([folder], settings, embedder=embedder)
        one_line(caught.value)
    finally:
        for path in paths:
            path.chmod(0o700 if path.is_dir() else 0o600)
    assert len(texts(settings)) == 1


FULL = """
import resource, sys
from ingest.__main__ import main
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.exit(main([sys.argv[2], "--data-dir", sys.argv[3]]))
"""


@pytest.mark.parametrize("room", [0, 20_000, 90_000])
def test_a_full_disk_is_told_in_one_line_and_loses_nothing(
    room: int, folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder / "may.md"], settings, embedder=embedder)
    (folder / "long.md").write_text(
        "\n\n".join(f"Dự án số {number} trị giá {number} tỷ đồng." for number in range(150)),
        encoding="utf-8",
    )
    full = subprocess.run(
        [sys.executable, "-c", FULL, str(room), folder / "long.md", settings.data_dir],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert full.returncode == 1, full.stderr
    assert "Traceback" not in full.stderr
    assert full.stderr.strip().splitlines()[-1].startswith("error: ")
    assert "tỷ đồng" in "".join(texts(settings))
    assert counts(ingest([folder], settings, embedder=embedder))[3] == 0
    assert verify(settings) == []
