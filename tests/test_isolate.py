"""Files are read in processes of their own: what they may take, and that nothing else suffers."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import release_files
from hypothesis import given
from hypothesis import strategies as st

from ingest.failure import Failure
from ingest.isolate import Job, Limits, Readers
from ingest.load import load
from ingest.release import read_release
from ingest.sources import Document, Sources
from ingest.worker import receive, release_from_json, release_to_json, send
from rag.errors import RagError
from rag.schema import Release

ROOT = Path(__file__).resolve().parent.parent
RELEASES = sorted((ROOT / "tests" / "data" / "releases").glob("*.md"))
LONG = "Thành phố giải ngân 608,5 tỷ đồng trong quý II.\n" * 200_000
"""Takes some seconds to read."""


def job(path: Path, *, source: str | None = None, sha256: str | None = None) -> Job:
    if sha256 is None:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    document = Document(source=source or str(path), path=path, suffix=path.suffix.lower())
    return Job(document=document, overrides={}, sha256=sha256)


def write(folder: Path, name: str, text: str = "Sở Y tế tiêm 1.200 liều vắc xin.") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def failure(outcome: Release | Failure) -> Failure:
    assert isinstance(outcome, Failure), outcome
    assert outcome.stage == "read"
    assert outcome.reason.isprintable()
    return outcome


def children(pid: int | str = "self") -> list[int]:
    """The processes that a process has started and that have not ended."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        # A thread may have ended since it was listed; its children are another's by then.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, (task / "children").read_text().split())
    return [child for child in found if alive(child)]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def busy() -> list[int]:
    """The children of this process, once they have been at work for half a second."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = children()
        ticks = [Path(f"/proc/{child}/stat").read_text().split()[13] for child in found]
        if found and min(map(int, ticks)) > os.sysconf("SC_CLK_TCK") / 2:
            return found
        os.sched_yield()
    raise AssertionError("no child came to work")


def gone(pid: int) -> bool:
    """Whether a process that is being killed is gone soon."""
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        os.sched_yield()
    return not alive(pid)


@pytest.fixture(autouse=True)
def _no_process_and_no_file_is_left(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    before = set(children())
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert set(children()) <= before
    assert list(folder.iterdir()) == []


# ---------------------------------------------------------------------------------------------
# What comes back


@pytest.mark.parametrize("workers", [1, 2])
def test_releases_are_those_of_this_process_in_the_order_given(workers: int) -> None:
    with Readers(workers=workers) as readers:
        outcomes = list(readers.read(job(path) for path in RELEASES))
    assert [each.document.path for each, _ in outcomes] == RELEASES
    for path, (_, release) in zip(RELEASES, outcomes, strict=True):
        assert release == read_release(load(path), str(path))


def test_what_a_person_has_given_wins(tmp_path: Path) -> None:
    plain = job(write(tmp_path, "a.txt"))
    with Readers() as readers:
        [(_, release)] = readers.read([Job(plain.document, {"title": "Tiêm chủng"}, plain.sha256)])
    assert isinstance(release, Release)
    assert release.title == "Tiêm chủng"


@given(release=st.builds(Release))
def test_no_field_is_lost_on_the_way(release: Release) -> None:
    stream = io.BytesIO()
    send(stream, {"release": release_to_json(release)})
    stream.seek(0)
    message = receive(stream, 10_000_000)
    assert message is not None
    assert release_from_json(message["release"]) == release


@pytest.mark.parametrize(
    "change",
    [
        {"text": 5},
        {"language": "fr"},
        {"issued": "yesterday"},
        {"pages": [0, "1"]},
        {"pages": 3},
        {"provenance": [["number"]]},
        {"sections": [{"title": "A"}]},
        {"unknown": 1},
    ],
)
def test_an_answer_that_is_no_release_is_refused(change: dict[str, object]) -> None:
    release = Release(id="0" * 16, source="a.md", sha256="0" * 64, text="a", language="vi")
    good = json.loads(json.dumps(release_to_json(release)))
    assert release_from_json(good) == release
    with pytest.raises(ValueError):
        release_from_json({**good, **change})


@pytest.mark.parametrize("cut", [0, 3, 4, 9])
def test_a_message_that_breaks_off_is_none(cut: int) -> None:
    stream = io.BytesIO()
    send(stream, {"reason": "x"})
    assert receive(io.BytesIO(stream.getvalue()[:cut]), 100) is None


@pytest.mark.parametrize(
    "body", [b"x" * 101, b"\xff\xfe", b"{", b"[]", b"[" * 99, b"[" * 60 + b"]" * 40]
)
def test_a_message_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        receive(io.BytesIO(len(body).to_bytes(4, "big") + body), 100)


def test_a_relative_path_and_a_name_that_is_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["a b.txt", "dòng\nhai.txt", os.fsdecode(b"\xff\xfe.txt"), "--help.txt"]
    for name in names:
        write(tmp_path, name)
    with Readers() as readers:
        outcomes = list(readers.read(job(Path(name)) for name in names))
    assert [outcome.source for _, outcome in outcomes] == names
    assert all(isinstance(outcome, Release) for _, outcome in outcomes)


# ---------------------------------------------------------------------------------------------
# What does not


def test_a_bad_file_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    good, empty = write(tmp_path, "good.txt"), write(tmp_path, "empty.txt", " ")
    binary = write(tmp_path, "binary.txt", "a\0b")
    other = write(tmp_path, "b.xyz")
    jobs = [
        job(tmp_path / "none.txt"),
        job(empty),
        job(good),
        job(binary, source="2021.zip!/06/binary.txt"),
        job(other),
        job(tmp_path),
        job(good, source="dòng\x1b[31m\nhai.txt", sha256="0" * 64),
        job(good),
    ]
    with Readers() as readers:
        outcomes = [outcome for _, outcome in readers.read(jobs)]
    reasons = [failure(outcomes[index]).reason for index in (0, 1, 3, 4, 5, 6)]
    assert "none.txt: no such file" in reasons[0]
    assert "empty file" in reasons[1]
    assert "2021.zip!/06/binary.txt" in reasons[2]
    assert str(tmp_path) not in reasons[2]
    assert "unsupported file type .xyz" in reasons[3]
    assert "is a folder" in reasons[4]
    assert reasons[5] == "changed while it was read: dòng [31m hai.txt; ingest it again"
    assert outcomes[6].source == "dòng\x1b[31m\nhai.txt"
    assert isinstance(outcomes[2], Release)
    assert isinstance(outcomes[7], Release)


def test_a_bad_member_is_named_by_its_archive(tmp_path: Path) -> None:
    good = release_files.write_docx(tmp_path / "good.docx").read_bytes()
    bad = {
        "06/cut.docx": (good[:9000], "save it again"),
        "bent.docx": (good[:700] + bytes(900) + good[1600:], "save it again"),
        "empty.txt": (b" ", "empty file"),
        "other.pdf": (b"MZ" + bytes(99), "program, not PDF"),
        "binary.md": (b"abc\0\xffdef", "binary file"),
        "broken.png": (b"\x89PNG\r\n\x1a\n\0", "save it again"),
    }

    def pack(more: dict[str, bytes]) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, (data, _) in bad.items():
                archive.writestr(name, data)
            for name, data in more.items():
                archive.writestr(name, data)
        return packed.getvalue()

    path = tmp_path / "packed.zip"
    path.write_bytes(pack({"good.docx": good, "inner.zip": pack({})}))
    with Sources() as sources, Readers() as readers:
        found = list(sources.walk([path]))
        documents = [each for each in found if isinstance(each, Document)]
        assert len(documents) == len(found) == 2 * len(bad) + 1
        jobs = [job(each.path, source=each.source) for each in documents]
        outcomes = {
            each.source: outcome
            for each, (_, outcome) in zip(documents, readers.read(jobs), strict=True)
        }
    assert isinstance(outcomes.pop(f"{path}!/good.docx"), Release)
    for source, outcome in outcomes.items():
        reason = failure(outcome).reason
        assert source in reason
        assert bad[source.rpartition("!/")[2]][1] in reason
        assert tempfile.gettempdir() not in reason


def test_a_file_that_is_too_large_is_not_opened(tmp_path: Path) -> None:
    large, good = tmp_path / "large.txt", write(tmp_path, "good.txt")
    with large.open("wb") as file:
        file.truncate(1 << 30)
    started = time.monotonic()
    with Readers() as readers:
        [(_, refused), (_, release)] = readers.read([job(large, sha256=""), job(good)])
    assert failure(refused).reason == f"1,024 MB, more than 200: {large}; split it"
    assert isinstance(release, Release)
    assert time.monotonic() - started < 20


def test_a_file_that_takes_too_much_memory(tmp_path: Path) -> None:
    paths = [write(tmp_path, name) for name in ("a.txt", "b.txt", "c.txt")]
    with paths[1].open("wb") as file:
        file.truncate(190 << 20)
    with Readers(limits=Limits(memory_bytes=150 << 20)) as readers:
        [(_, before), (_, refused), (_, after)] = readers.read(map(job, paths))
    assert f"needs more than 150 MB of memory: {paths[1]}" in failure(refused).reason
    assert isinstance(before, Release)
    assert isinstance(after, Release)


def test_a_file_that_takes_too_long(tmp_path: Path) -> None:
    paths = [write(tmp_path, "a.txt"), write(tmp_path, "b.txt", LONG), write(tmp_path, "c.txt")]
    limits = Limits(seconds=0.5, seconds_per_megabyte=1e-6)
    started = time.monotonic()
    with Readers(limits=limits) as readers:
        outcomes = [outcome for _, outcome in readers.read(map(job, paths))]
    assert f"not read within 0.5 s: {paths[1]}" in failure(outcomes[1]).reason
    assert isinstance(outcomes[0], Release)
    assert isinstance(outcomes[2], Release)
    assert time.monotonic() - started < 10


@pytest.mark.skipif(not shutil.which("tesseract"), reason="needs Tesseract")
def test_each_page_that_is_a_picture_has_time_of_its_own(tmp_path: Path) -> None:
    printed = release_files.write_pdf(tmp_path / "printed.pdf")
    scan = tmp_path / "scan.pdf"
    first, second, *_ = release_files.page_images(printed, dpi=150)
    first.save(scan, save_all=True, append_images=[second], resolution=150)
    limits = Limits(seconds=0.5, seconds_per_megabyte=1e-6, seconds_per_picture=60)
    with Readers(limits=limits) as readers:
        [(_, release)] = readers.read([job(scan)])
    assert isinstance(release, Release), release
    with Readers(limits=replace(limits, seconds_per_picture=0.01)) as readers:
        [(_, refused)] = readers.read([job(scan)])
    assert "not read within" in failure(refused).reason
    with Readers(limits=Limits(pictures=1)) as readers:
        [(_, refused)] = readers.read([job(scan)])
    assert failure(refused).reason == f"2 pages that are pictures, more than 1: {scan}; split it"


def test_a_text_that_is_too_long(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "ab " * 40)
    with Readers(limits=Limits(characters=100)) as readers:
        [(_, refused)] = readers.read([job(path)])
    assert failure(refused).reason == f"120 characters of text, more than 100: {path}; split it"


def test_more_headings_than_can_be_kept(tmp_path: Path) -> None:
    path = write(tmp_path, "a.md", "# A\n\n" * 6_000)
    with Readers(limits=Limits(characters=30_000)) as readers:
        [(_, refused)] = readers.read([job(path)])
    assert "more text and headings than can be kept" in failure(refused).reason


def test_a_large_file_may_take_longer() -> None:
    limits = Limits(seconds=10, seconds_per_megabyte=2)
    assert limits.seconds_for(0) == 10
    assert limits.seconds_for(5 << 20) == 20


def test_limits_and_workers_are_more_than_nothing() -> None:
    with pytest.raises(ValueError, match="pages is 0"):
        Limits(pages=0)
    with pytest.raises(ValueError, match="workers is 0"):
        Readers(workers=0)


# ---------------------------------------------------------------------------------------------
# The processes


def test_a_child_that_died_in_between_costs_no_file(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt")
    with Readers() as readers:
        for _ in range(3):
            [(_, release)] = readers.read([job(path)])
            assert isinstance(release, Release)
            [child] = children()
            os.kill(child, signal.SIGKILL)


def test_a_child_that_dies_over_a_file_is_replaced(tmp_path: Path) -> None:
    paths = [write(tmp_path, "a.txt", LONG), write(tmp_path, "b.txt")]

    def killing() -> Iterator[Job]:
        yield job(paths[0])
        [child] = busy()
        os.kill(child, signal.SIGSEGV)
        yield job(paths[1])

    with Readers() as readers:
        [(_, refused), (_, release)] = readers.read(killing())
    assert f"its reader broke down (SIGSEGV): {paths[0]}" in failure(refused).reason
    assert isinstance(release, Release)


def test_children_start_when_needed_and_only_so_many(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt")
    with Readers(workers=2) as readers:
        assert children() == []
        assert list(readers.read([])) == []
        assert children() == []
        assert len(list(readers.read([job(path)] * 50))) == 50
        assert 1 <= len(children()) <= 2


def test_files_are_read_ahead_but_not_without_end(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt")
    taken = 0

    def endless() -> Iterator[Job]:
        nonlocal taken
        while True:
            taken += 1
            yield job(path)

    with Readers(workers=2) as readers:
        reading = readers.read(endless())
        for given in range(1, 30):
            next(reading)
            assert given < taken <= given + 8


def test_stopping_halfway_leaves_the_readers_usable(tmp_path: Path) -> None:
    path, long = write(tmp_path, "a.txt"), write(tmp_path, "long.txt", LONG[:200_000])
    with Readers(workers=2) as readers:
        for _ in readers.read([job(path), *[job(long)] * 5]):
            break
        [(_, release)] = readers.read([job(path)])
        assert isinstance(release, Release)
    readers.close()
    assert children() == []


def test_a_child_knows_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_DATABASE_URL", "postgresql://user:hunter2@db/releases")
    with Readers() as readers:
        list(readers.read([job(write(tmp_path, "a.txt"))]))
        [child] = children()
        assert b"hunter2" not in Path(f"/proc/{child}/environ").read_bytes()
        assert os.getsid(child) == child


def test_limits_that_leave_no_room_to_start(tmp_path: Path) -> None:
    with (
        pytest.raises(RagError, match="does not start") as caught,
        Readers(limits=Limits(memory_bytes=1 << 20)) as readers,
    ):
        list(readers.read([job(write(tmp_path, "a.txt"))]))
    assert "\n" not in str(caught.value)


PARENT = """
import hashlib, sys
from pathlib import Path
from ingest.isolate import Job, Readers
from ingest.sources import Document

paths = [Path(name) for name in sys.argv[1:]]
jobs = [
    Job(Document(str(path), path, path.suffix), {}, hashlib.sha256(path.read_bytes()).hexdigest())
    for path in paths
]
with Readers() as readers:
    for each, _ in readers.read(jobs):
        print(each.document.source, flush=True)
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_children_end_with_their_parent(tmp_path: Path, stop: signal.Signals) -> None:
    paths = [write(tmp_path, "a.txt"), write(tmp_path, "long.txt", LONG)]
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, *map(str, paths)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().strip() == str(paths[0])
        [child] = children(parent.pid)
        parent.send_signal(stop)
        parent.communicate(timeout=20)
        assert gone(child)


NOISY = """
import os, subprocess, sys
from ingest import worker

def noisy(path, *, pages, load=worker.load):
    print("a library says hello")
    sys.stdout.flush()
    os.write(1, b"straight to the descriptor")
    subprocess.run(["echo", "and a program"])
    assert sys.stdin.read() == ""
    return load(path, pages=pages)

worker.load = noisy
worker.main()
"""


def test_what_libraries_print_does_not_get_between_the_messages(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt")
    request = {"path": str(path), "source": "a.txt", "overrides": {}, "seconds": 10}
    with subprocess.Popen(
        [sys.executable, "-c", NOISY],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        send(child.stdin, {})
        assert receive(child.stdout, 1000) == {"limited": True}
        for _ in range(2):
            send(child.stdin, request)
            answer = receive(child.stdout, 10_000)
            assert answer is not None
            assert release_from_json(answer["release"]).source == "a.txt"
        child.stdin.close()
        assert child.stdout.read() == b""


def test_a_reading_process_starts_without_stores_and_models(tmp_path: Path) -> None:
    code = (
        "import sys, ingest.worker\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'chromadb', 'onnxruntime', "
        "'gradio', 'onnx', 'sqlalchemy', 'numpy', 'pydantic', 'langchain_core', 'httpx'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
