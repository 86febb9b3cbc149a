"""Ingest as a whole, with real stores and the real model: idempotent, and safe to interrupt."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ingest import Summary, ingest, rebuild, remove, verify
from ingest.pipeline import Duplicate, Renamed, Superseded, encode, prune
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


def test_a_copy_is_one_release_with_two_sources(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    may, copy = str(folder / "may.md"), str(folder / "copy.md")
    shutil.copy(may, copy)
    summary = ingest([folder], settings, embedder=embedder)
    assert counts(summary) == (0, 0, 3, 0)
    assert summary.duplicates == [Duplicate(copy, may)]
    assert "1 duplicate" in summary.line()
    assert summary.embedded == 0
    assert len(texts(settings)) == 3
    # It stays while one of the two is there, and then goes by the name of that one.
    Path(may).unlink()
    assert prune(settings) == [may]
    with Archive.open(settings) as archive:
        assert copy in {release.source for release in archive.releases()}
    assert len(texts(settings)) == 3
    Path(copy).unlink()
    prune(settings)
    assert len(texts(settings)) == 2
    assert verify(settings) == []


def test_the_same_text_in_other_bytes_is_a_duplicate_too(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    shutil.copy(folder / "may.md", folder / "first.md")
    (folder / "crlf.txt").write_bytes((folder / "schools.txt").read_bytes().replace(b"\n", b"\r\n"))
    summary = ingest([folder], settings, embedder=embedder)
    assert counts(summary) == (3, 0, 0, 0)
    assert {duplicate.source for duplicate in summary.duplicates} == {
        str(folder / "may.md"),
        str(folder / "schools.txt"),
    }
    assert len(texts(settings)) == 3


def test_a_renamed_file_keeps_its_release(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    former, now = str(folder / "may.md"), str(folder / "renamed.md")
    Path(former).rename(now)
    summary = ingest([folder], settings, embedder=embedder)
    assert counts(summary) == (0, 0, 2, 0)
    assert summary.renamed == [Renamed(now, former)]
    assert summary.embedded == 0
    with Archive.open(settings) as archive:
        assert former not in archive.sources()
        assert {release.source for release in archive.releases()} >= {now}
    assert prune(settings) == []
    assert len(texts(settings)) == 3
    assert verify(settings) == []


def test_files_that_change_names_among_themselves_cost_no_embedding(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    (folder / "may.md").rename(folder / "x.md")
    (folder / "june.md").rename(folder / "may.md")
    (folder / "x.md").rename(folder / "june.md")
    summary = ingest([folder], settings, embedder=embedder)
    assert (len(summary.updated), summary.embedded) == (2, 0)
    with Archive.open(settings) as archive:
        found = {Path(release.source).name: release.text for release in archive.releases()}
    assert "905" in found["may.md"]
    assert "812" in found["june.md"]
    # One takes the other's place.
    (folder / "june.md").rename(folder / "may.md")
    summary = ingest([folder], settings, embedder=embedder)
    assert (len(summary.renamed), summary.embedded) == (1, 0)
    assert len(texts(settings)) == 2
    assert verify(settings) == []


def test_the_same_file_by_another_path_is_unchanged(
    folder: Path, settings: Settings, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest([folder], settings, embedder=embedder)
    monkeypatch.chdir(folder.parent)
    summary = ingest([folder.name], settings, embedder=embedder)
    assert counts(summary) == (0, 0, 3, 0)
    assert summary.duplicates == []


def test_a_sidecar_changes_what_is_known_and_embeds_no_passage(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    sidecar = folder / "may.md.meta.json"
    for number in ("99/TC-MAU", "100/TC-MAU", None):
        if number:
            sidecar.write_text(json.dumps({"number": number}), encoding="utf-8")
        else:
            sidecar.unlink()
        summary = ingest([folder], settings, embedder=embedder)
        assert summary.updated == [str(folder / "may.md")]
        assert summary.embedded == 0
        with Archive.open(settings) as archive:
            (release,) = (r for r in archive.releases() if r.source == str(folder / "may.md"))
            assert release.number == number
            with Index.open(settings, archive, embedder.identity) as index:
                scores = index.lexical(["100/tc"]).scores
                assert (scores.max() > 0) == (number == "100/TC-MAU")
        assert verify(settings) == []
    sidecar.write_text("{", encoding="utf-8")
    (failure,) = ingest([folder], settings, embedder=embedder).failed
    assert (failure.source, failure.stage) == (str(folder / "may.md"), "read")
    assert "may.md.meta.json" in failure.reason
    assert len(texts(settings)) == 3


def test_another_language_by_sidecar_embeds_again(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    (folder / "schools.txt.meta.json").write_text('{"language": "vi"}', encoding="utf-8")
    assert ingest([folder], settings, embedder=embedder).embedded == 1
    assert verify(settings) == []


def test_a_release_that_replaces_another_is_reported(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    for name, issued in (("may", "2024-05-31"), ("june", "2024-06-30")):
        known = {"number": "7/TC-MAU", "issuer": "Sở Tài chính Tân Giang", "issued": issued}
        (folder / f"{name}.md.meta.json").write_text(json.dumps(known), encoding="utf-8")
    summary = ingest([folder], settings, embedder=embedder)
    assert summary.superseded == [Superseded(str(folder / "may.md"), by=str(folder / "june.md"))]
    assert ingest([folder], settings, embedder=embedder).superseded == []


def test_a_large_release_goes_in_by_parts(
    folder: Path, settings: Settings, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.writer._WINDOW", 2)
    (folder / "long.md").write_text(
        "\n\n".join(f"# Phần {n}\n\nDự án số {n} trị giá {n} tỷ đồng." for n in range(9)),
        encoding="utf-8",
    )
    summary = ingest([folder], settings, embedder=embedder)
    assert summary.embedded >= 12
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
        "binary.md": bytes(range(32)) * 4,
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


def test_failures_come_in_the_order_met_with_their_stage(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    (folder / "a.md").write_bytes(b"\x00")
    (folder / "z.md").write_bytes(b"\x00")
    given = [folder / "gone.md", folder, folder / "lost.md"]
    summary = ingest(given, settings, embedder=embedder)
    assert [(Path(failure.source).name, failure.stage) for failure in summary.failed] == [
        ("gone.md", "find"),
        ("a.md", "read"),
        ("z.md", "read"),
        ("lost.md", "find"),
    ]
    assert counts(summary)[0] == 3


def test_nothing_but_failures_leaves_an_empty_collection(
    tmp_path: Path, settings: Settings, embedder: Embedder
) -> None:
    summary = ingest([tmp_path / "gone.md"], settings, embedder=embedder)
    assert counts(summary) == (0, 0, 0, 1)
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


@pytest.mark.parametrize("mended_by", [rebuild, ingest])
@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_damaged_word_index_is_told_and_made_again(
    damage: str, mended_by: object, folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    if damage == "gone":
        shutil.rmtree(settings.data_dir / "bm25")
    else:
        (path,) = settings.data_dir.rglob("scores.npy")
        path.write_bytes(path.read_bytes()[:-4])
    told = verify(settings)
    # Where there is none, as on another machine, it is made when it is needed.
    assert any("word index is damaged" in problem for problem in told) == (damage == "cut")
    if mended_by is rebuild:
        rebuild(settings, embedder=embedder)
    else:
        ingest([folder], settings, embedder=embedder)
    assert verify(settings) == []


def test_a_changed_byte_of_the_word_index_shows(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    (path,) = settings.data_dir.rglob("scores.npy")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert any("damaged" in problem for problem in verify(settings))


def test_another_vector_under_the_same_id_shows(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    ingest([folder], settings, embedder=embedder)
    with (
        Archive.open(settings) as archive,
        Index.open(settings, archive, embedder.identity) as index,
    ):
        release = archive.releases()[0]
        passage = archive.passages_of(release.id)[0]
        index.upsert([passage], [embedder.query("Không phải đoạn này", "vi")])
    (told,) = verify(settings)
    assert passage.id in told
    assert release.id in told
    assert "another vector" in told
    rebuild(settings, embedder=embedder)
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
        lost = [passage.id for passage in archive.passages_of(first.id)]
        index.delete(first.id)
    (told,) = verify(settings)
    assert "Chroma lacks" in told
    assert all(name in told for name in (first.id, first.source, *lost))
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
