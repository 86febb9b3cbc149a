"""The stores on servers: a real PostgreSQL and a real `chroma run`, on free ports of this machine.

Two machines are two data folders that know the same URLs.
"""

from __future__ import annotations

import functools
import http.client
import http.server
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from test_archive import RELEASE, encoding, passages_of

from ingest import ingest, rebuild, remove, verify
from rag.archive import Archive, Source, writer_lock
from rag.assistant import Assistant
from rag.embedding import Embedder, Encoded, Encoder, Kind
from rag.errors import LockedError, NothingIngestedError, StoreError
from rag.index import Index
from rag.schema import Answer
from rag.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
REPORTS = {
    "may.md": "# Kinh tế tháng 5\n\nThu tháng 5 đạt 812 tỷ đồng.\n\nChi đạt 640 tỷ đồng.\n",
    "june.md": "# Kinh tế tháng 6\n\nThu ngân sách tháng 6 đạt 905 tỷ đồng.\n",
    "schools.txt": "The province opened 14 new schools in 2023.\n\nEnrolment rose 3.2 per cent.\n",
}
"""Made up for these tests."""
QUESTIONS = ("Thu ngân sách tháng 6 đạt bao nhiêu?", "How many new schools were opened in 2023?")
PASSWORD = "not-to-be-shown"


class Server:
    """A server process that can be stopped and started again where it was."""

    def __init__(self, command: Sequence[str], port: int, user: str | None = None) -> None:
        self.port = port
        self._command = command
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, ready: Callable[[], bool]) -> None:
        self._ready = ready
        self._process = subprocess.Popen(
            self._command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
            **_as_user(self._user),
        )
        deadline = time.monotonic() + 60
        while not ready():
            assert self._process.poll() is None, f"{self._command[0]} ended at once"
            assert time.monotonic() < deadline, f"{self._command[0]} does not answer"
            time.sleep(0.05)

    def again(self) -> None:
        self.start(ready=self._ready)

    def stop(self) -> None:
        if self._process is not None:
            # A fast shutdown for PostgreSQL, an interrupt for Chroma.
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None


def _as_user(name: str | None) -> dict[str, Any]:
    return {"user": name, "group": name, "cwd": "/"} if name else {}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    """Debian's PostgreSQL with an empty cluster; anybody on this machine may connect."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed: apt-get install postgresql")
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    programs = found[-1].parent
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="release-qa-postgres-"))
    try:
        if user:
            shutil.chown(folder, user, user)
        cluster = folder / "cluster"
        make = ["--pgdata", str(cluster), "--username", "postgres", "--auth", "trust", "--no-sync"]
        subprocess.run(
            [str(programs / "initdb"), *make, "--encoding", "UTF8", "--locale", "C"],
            check=True,
            stdout=subprocess.DEVNULL,
            **_as_user(user),
        )
        port = free_port()
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        flags = [f"--{name}={value}" for name, value in options.items()]
        server = Server(
            [str(programs / "postgres"), "-D", str(cluster), f"--port={port}", *flags], port, user
        )
        ready = [str(programs / "pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={port}"]
        try:
            server.start(ready=lambda: subprocess.run(ready, check=False).returncode == 0)
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Chroma's own server with an empty folder."""
    port = free_port()
    program = Path(sys.executable).with_name("chroma")
    folder = tmp_path_factory.mktemp("chroma-server")
    command = [
        str(program),
        "run",
        "--path",
        str(folder),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    server = Server(command, port)
    try:
        server.start(ready=lambda: _answers(port))
        yield server
    finally:
        server.stop()


def _answers(port: int) -> bool:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asked.request("GET", "/api/v2/heartbeat")
        with asked.getresponse() as response:
            return response.status == 200
    except OSError:
        return False
    finally:
        asked.close()


@pytest.fixture
def database_url(postgres: Server) -> str:
    """A new, empty database."""
    address = f"postgres:{PASSWORD}@127.0.0.1:{postgres.port}"
    name = f"test_{time.monotonic_ns()}"
    engine = sa.create_engine(
        f"postgresql+psycopg://{address}/postgres", isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"postgresql://{address}/{name}"


@pytest.fixture
def machines(database_url: str, chroma: Server, tmp_path: Path) -> tuple[Settings, Settings]:
    """Two machines that share both servers."""
    url = f"http://127.0.0.1:{chroma.port}"
    first, second = (
        Settings(data_dir=tmp_path / name, database_url=database_url, chroma_url=url)
        for name in ("machine-a", "machine-b")
    )
    return first, second


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "releases"
    made.mkdir()
    for name, text in REPORTS.items():
        (made / name).write_text(text, encoding="utf-8")
    return made


def answers(settings: Settings, embedder: Embedder) -> list[Answer]:
    """The answers to the questions, without the seconds they took."""
    with Assistant.open(settings, embedder=embedder) as assistant:
        return [replace(assistant.ask(question), timings={}) for question in QUESTIONS]


def one_line(error: BaseException) -> str:
    """The message, which shows no password."""
    assert "\n" not in str(error)
    assert PASSWORD not in str(error)
    return str(error)


# What a collection on servers does


def test_a_collection_on_servers_is_that_of_the_local_stores(
    machines: tuple[Settings, Settings], folder: Path, embedder: Embedder, tmp_path: Path
) -> None:
    here, there = machines
    local = Settings(data_dir=tmp_path / "local")
    ingest([folder], local, embedder=embedder)
    assert len(ingest([folder], here, embedder=embedder).added) == 3
    assert verify(here) == []
    expected = answers(local, embedder)
    assert [answer.status for answer in expected] == ["answered", "answered"]
    assert answers(here, embedder) == expected
    with Archive.open(local) as one, Archive.open(here) as other:
        assert one.releases() == other.releases()
        assert one.sources() == other.sources()
        assert one.passages(list(one.passage_ids())) == other.passages(list(other.passage_ids()))
    again = ingest([folder], here, embedder=embedder)
    assert (len(again.unchanged), again.embedded) == (3, 0)

    # Another machine, on which nothing is yet, answers the same and keeps its own word index.
    assert answers(there, embedder) == expected
    (kept,) = (there.data_dir / "bm25").iterdir()
    assert answers(there, embedder) == expected
    assert list((there.data_dir / "bm25").iterdir()) == [kept]
    # It may write as well.
    assert remove(str(folder / "june.md"), there) == [str(folder / "june.md")]
    for machine in machines:
        assert verify(machine) == []
        assert "905" not in answers(machine, embedder)[0].text
        assert len(list((machine.data_dir / "bm25").iterdir())) == 1


def test_a_rebuild_on_one_machine_is_taken_up_by_the_other(
    machines: tuple[Settings, Settings], folder: Path, embedder: Embedder
) -> None:
    here, there = machines
    ingest([folder], here, embedder=embedder)
    with Assistant.open(there, embedder=embedder) as assistant:
        before = assistant.ask(QUESTIONS[0])
        assert rebuild(here, embedder=embedder) == 3
        after = assistant.ask(QUESTIONS[0])
    assert replace(after, timings={}) == replace(before, timings={})
    assert verify(here) == []


def test_a_reader_finds_what_another_machine_brings_in(
    machines: tuple[Settings, Settings], folder: Path, embedder: Embedder
) -> None:
    here, there = machines
    with Assistant.open(there, embedder=embedder) as assistant:
        with pytest.raises(NothingIngestedError):
            assistant.ask(QUESTIONS[1])
        ingest([folder / "may.md"], here, embedder=embedder)
        assert "812" in assistant.ask("Thu tháng 5 đạt bao nhiêu?").text
        asked = []

        def ask_while_it_writes() -> None:
            asked.append(assistant.ask("Thu tháng 5 đạt bao nhiêu?"))

        ingest([folder], here, embedder=watched(embedder, ask_while_it_writes))
        assert asked
        assert all("812" in answer.text for answer in asked)
        assert assistant.ask(QUESTIONS[1]).short == "14 new schools"


class _Watched:
    """The same model, which tells each time that it is about to work."""

    def __init__(self, encoder: Encoder, tell: Callable[[], None]) -> None:
        self.identity, self.dim, self.prompts = encoder.identity, encoder.dim, encoder.prompts
        self._encoder = encoder
        self._tell = tell

    def encode(
        self, kind: Kind, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[Encoded]:
        self._tell()
        return self._encoder.encode(kind, texts, progress=progress)

    def count(self, text: str) -> int:
        return self._encoder.count(text)


def watched(embedder: Embedder, tell: Callable[[], None]) -> Embedder:
    return Embedder(_Watched(embedder.encoder, tell), embedder.head)


def test_archives_that_share_a_chroma_server_do_not_share_passages(
    chroma: Server, folder: Path, embedder: Embedder, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{chroma.port}/"
    one, other = (Settings(data_dir=tmp_path / name, chroma_url=url) for name in "xy")
    ingest([folder], one, embedder=embedder)
    ingest([folder / "may.md"], other, embedder=embedder)
    assert verify(one) == verify(other) == []
    remove(str(folder / "may.md"), other)
    assert verify(one) == verify(other) == []


# One writer

HOLD = """
import sys
from rag.archive import writer_lock
from rag.settings import Settings

with writer_lock(Settings(data_dir=sys.argv[1], database_url=sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_writer_on_another_machine_is_refused_until_the_first_is_done_or_dead(
    machines: tuple[Settings, Settings], folder: Path, embedder: Embedder
) -> None:
    here, there = machines
    ingest([folder / "may.md"], here, embedder=embedder)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(there.data_dir), str(there.database_url)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    for action in (
        lambda: ingest([folder], here, embedder=embedder),
        lambda: rebuild(here, embedder=embedder),
        lambda: remove(str(folder / "may.md"), here),
    ):
        start = time.perf_counter()
        with pytest.raises(LockedError) as caught:
            action()
        assert time.perf_counter() - start < 1
        assert "127.0.0.1" in one_line(caught.value)
    # Readers are free.
    assert verify(here) == []
    # No one has to clean up after a machine that was switched off.
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    assert len(ingest([folder], here, embedder=embedder).added) == 2


def test_archives_in_schemas_of_one_database_are_written_at_the_same_time(
    database_url: str, tmp_path: Path
) -> None:
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA other"))
    engine.dispose()
    one = Settings(data_dir=tmp_path / "one", database_url=database_url)
    elsewhere = f"{database_url}?options=-csearch_path%3Dother"
    other = Settings(data_dir=tmp_path / "other", database_url=elsewhere)
    with writer_lock(one), writer_lock(other), Archive.open(one) as here:
        here.set_meta("which", "one")
        with Archive.open(other) as there:
            assert there.meta("which") is None


def test_processes_that_open_an_empty_database_at_once_all_succeed(
    database_url: str, tmp_path: Path
) -> None:
    def first_collection(number: int) -> str:
        settings = Settings(data_dir=tmp_path / str(number), database_url=database_url)
        with Archive.open(settings) as archive:
            return archive.settle("collection", f"of machine {number}")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(first_collection, range(8)))) == 1


# Servers that stop


def test_a_database_that_stops_is_named_and_the_next_run_completes(
    machines: tuple[Settings, Settings], postgres: Server, folder: Path, embedder: Embedder
) -> None:
    here, _ = machines
    ingest([folder / "may.md"], here, embedder=embedder)
    with Assistant.open(here, embedder=embedder) as assistant:
        before = assistant.ask(QUESTIONS[0])
        with pytest.raises(StoreError) as caught:
            ingest([folder], here, embedder=watched(embedder, postgres.stop))
        assert str(postgres.port) in one_line(caught.value)
        for action in (
            lambda: ingest([folder], here, embedder=embedder),
            lambda: verify(here),
            lambda: assistant.ask(QUESTIONS[0]),
        ):
            with pytest.raises(StoreError) as caught:
                action()
            assert str(postgres.port) in one_line(caught.value)
        postgres.again()
        # A reader that was open all the time goes on.
        after = assistant.ask(QUESTIONS[0])
        assert replace(after, timings={}) == replace(before, timings={})
    assert not ingest([folder], here, embedder=embedder).failed
    assert verify(here) == []


def test_a_chroma_server_that_stops_is_named_and_the_next_run_completes(
    machines: tuple[Settings, Settings], chroma: Server, folder: Path, embedder: Embedder
) -> None:
    here, _ = machines
    ingest([folder / "may.md"], here, embedder=embedder)
    with Assistant.open(here, embedder=embedder) as assistant:
        assistant.ask(QUESTIONS[0])
        with pytest.raises(StoreError) as caught:
            ingest([folder], here, embedder=watched(embedder, chroma.stop))
        assert f"http://127.0.0.1:{chroma.port}" in one_line(caught.value)
        with pytest.raises(StoreError) as caught:
            assistant.ask(QUESTIONS[0])
        assert f"http://127.0.0.1:{chroma.port}" in one_line(caught.value)
        chroma.again()
        assert assistant.ask(QUESTIONS[0]).status
    assert not ingest([folder], here, embedder=embedder).failed
    assert verify(here) == []


# Text


@given(text=st.text(st.characters(exclude_categories=()), max_size=40))
@hypothesis_settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_any_text_comes_back_as_it_went_in(text: str, archives: tuple[Archive, Archive]) -> None:
    text = f"{text}\0\ud83d{text}\ufffd00ff\ufffd\udcff"
    release = replace(RELEASE, text=f"I\n{text}", title=text, source=f"in/{text}.md", sections=())
    for archive in archives:
        passages = passages_of(release)
        vectors = [encoding(index) for index in range(len(passages))]
        archive.add(release, passages, vectors, encoding())
        archive.link(Source(release.source, release.sha256, release.id))
        assert archive.release(release.id) == release
        assert archive.passages_of(release.id) == passages
        assert archive.sources()[release.source].path == release.source
        archive.remove(release.id)
        assert archive.sources() == {}


@pytest.fixture
def archives(database_url: str, tmp_path: Path) -> Iterator[tuple[Archive, Archive]]:
    """A local archive and one on the server."""
    with (
        Archive.open(Settings(data_dir=tmp_path / "local")) as local,
        Archive.open(Settings(data_dir=tmp_path, database_url=database_url)) as served,
    ):
        yield local, served


# Addresses


@pytest.mark.parametrize(
    ("database_url", "shown"),
    [
        (f"postgresql://me:{PASSWORD}@127.0.0.1:9/db", "postgresql://***@127.0.0.1:9/db"),
        (f"postgresql://127.0.0.1:9/db?user=me&password={PASSWORD}", "password=***"),
        (f"postgres://me:{PASSWORD}@127.0.0.1:9/db", "127.0.0.1:9"),
        (f"postgresql://me:{PASSWORD}@127.0.0.1:port/db", "127.0.0.1:port"),
        (f"postgresql://me:a/{PASSWORD}@127.0.0.1/db", "127.0.0.1"),
        (f"nothing://me:{PASSWORD}@127.0.0.1/db", "nothing://***@127.0.0.1/db"),
        (f"mysql+pymysql://me:{PASSWORD}@127.0.0.1/db", "pip install"),
        (f"// me:{PASSWORD}@host", "RAG_DATABASE_URL"),
    ],
)
def test_a_database_that_cannot_be_had_is_named_without_its_password(
    database_url: str, shown: str, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    for attempt in (lambda: Archive.open(settings), lambda: writer_lock(settings).__enter__()):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert shown in one_line(caught.value)


def test_a_database_that_does_not_exist_is_named(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        Archive.open(Settings(data_dir=tmp_path, database_url=f"{database_url}_not"))
    assert "does not exist" in one_line(caught.value)


@pytest.mark.parametrize(
    ("chroma_url", "shown"),
    [
        (f"http://me:{PASSWORD}@127.0.0.1:9", "http://***@127.0.0.1:9"),
        (f"https://me:{PASSWORD}@127.0.0.1:9/below", "https://***@127.0.0.1:9/below"),
        ("127.0.0.1:8000", "RAG_CHROMA_URL"),
        ("ftp://127.0.0.1", "RAG_CHROMA_URL"),
        ("http://127.0.0.1:port", "RAG_CHROMA_URL"),
    ],
)
def test_a_chroma_server_that_cannot_be_had_is_named_without_its_password(
    chroma_url: str, shown: str, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, chroma_url=chroma_url)
    with Archive.open(settings) as archive, Index.open(settings, archive, "any") as index:
        for attempt in (index.stored_ids, index.clear):
            with pytest.raises(StoreError) as caught:
                attempt()
            assert shown in one_line(caught.value)


class _Gateway(http.server.BaseHTTPRequestHandler):
    """Passes on to Chroma what comes to /vectors/ with the right token."""

    protocol_version = "HTTP/1.1"

    def __init__(self, port: int, *args: Any) -> None:
        self._port = port
        super().__init__(*args)

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != f"Bearer {PASSWORD}":
            status, answer = 401, b'{"error": "no token"}'
        elif not self.path.startswith("/vectors/api/"):
            status, answer = 404, b'{"error": "not here"}'
        else:
            chroma = http.client.HTTPConnection("127.0.0.1", self._port)
            headers = {"Content-Type": "application/json"}
            chroma.request(self.command, self.path.removeprefix("/vectors"), body, headers)
            got = chroma.getresponse()
            status, answer = got.status, got.read()
            chroma.close()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = _pass_on

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_a_chroma_server_below_a_path_and_behind_a_token(
    chroma: Server, folder: Path, embedder: Embedder, tmp_path: Path
) -> None:
    handler = functools.partial(_Gateway, chroma.port)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as gateway:
        thread = threading.Thread(target=gateway.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{gateway.server_port}/vectors/"
        settings = Settings(data_dir=tmp_path / "var", chroma_url=url, chroma_token=PASSWORD)
        assert PASSWORD not in repr(settings)
        ingest([folder], settings, embedder=embedder)
        assert verify(settings) == []
        refused = settings.model_copy(update={"chroma_token": None})
        with pytest.raises(StoreError) as caught:
            verify(refused)
        assert url in one_line(caught.value)
        gateway.shutdown()
        thread.join()


# The compose file


def test_compose_starts_the_tested_versions_on_the_loopback_interface() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    pinned = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    (client,) = [line.split("==")[1] for line in pinned if line.startswith("chromadb==")]
    assert services["chroma"]["image"] == f"chromadb/chroma:{client}"
    for service in services.values():
        assert service["image"].split(":")[1][0].isdigit()
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert service["volumes"]
        assert service["healthcheck"]
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${")


@pytest.mark.slow
def test_compose_accepts_its_file() -> None:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed")
    done = subprocess.run(
        [program, "--file", ROOT / "compose.yaml", "config", "--quiet"],
        env={**os.environ, "POSTGRES_PASSWORD": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# Everything at once


@pytest.mark.slow
def test_the_sample_release_on_servers_by_command_line(
    machines: tuple[Settings, Settings], sample_settings: Settings, embedder: Embedder
) -> None:
    here, there = machines
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "RAG_DATABASE_URL": str(here.database_url),
        "RAG_CHROMA_URL": str(here.chroma_url),
    }

    def run(*command: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    run("ingest", str(ROOT / "data" / "releases"), "--data-dir", str(here.data_dir))
    assert "04/TC-UBND" in run("ingest", "--list", "--data-dir", str(there.data_dir))
    question = "How much was disbursed for COVID support?"
    assert "608,5 tỷ đồng" in run("rag", question, "--data-dir", str(there.data_dir))
    with Assistant.open(sample_settings, embedder=embedder) as local:
        for settings in machines:
            with Assistant.open(settings, embedder=embedder) as served:
                for asked in SAMPLE_QUESTIONS:
                    found, expected = served.ask(asked), local.ask(asked)
                    assert found.text == expected.text
                    assert found.citations == expected.citations
                    assert found.confidence == pytest.approx(expected.confidence, abs=1e-4)


SAMPLE_QUESTIONS = (
    "How much was disbursed for COVID support?",
    "Thu ngân sách nhà nước đạt bao nhiêu?",
    "Kim ngạch xuất khẩu 6 tháng đầu năm 2021 đạt bao nhiêu?",
    "Có bao nhiêu doanh nghiệp thành lập mới?",
    "Giải ngân vốn đầu tư công đạt bao nhiêu?",
    "How many people were vaccinated?",
    "Who won the football match?",
)
