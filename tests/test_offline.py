"""Ingest and ask need no network: they work where no socket can be opened at all."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_socket import SocketConnectBlockedError

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "How much was disbursed for COVID support?"

# Every event of the socket module is refused, whatever library raises it.
WITHOUT_SOCKETS = """
import sys

def refuse(event, arguments):
    if event.startswith("socket.") and event != "socket.gethostname":
        raise RuntimeError(f"the network was used: {event} {arguments}")

sys.addaudithook(refuse)
from ingest.__main__ import main as ingest
from rag.__main__ import main as ask

data = ["--data-dir", sys.argv[1]]
status = ingest(["data/releases", "--json", *data]) or ask([sys.argv[2], "--json", *data])
sys.exit(status)
"""


def check(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr
    summary, answer = (json.loads(line) for line in done.stdout.splitlines())
    assert summary["added"]
    assert summary["failed"] == []
    assert answer["status"] == "answered"
    assert answer["citations"]


def run(tmp_path: Path, *prefix: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, sys.executable, "-c", WITHOUT_SOCKETS, str(tmp_path / "var"), QUESTION],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_ingest_and_ask_open_no_socket(tmp_path: Path) -> None:
    check(run(tmp_path))


def test_ingest_and_ask_work_on_a_machine_without_any_network(tmp_path: Path) -> None:
    # A new network namespace has no interface that is up; compiled code cannot get round it.
    unshare = shutil.which("unshare")
    prefix = (unshare or "unshare", "--user", "--map-root-user", "--net")
    if (
        not unshare
        or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this machine does not allow network namespaces")
    check(run(tmp_path, *prefix))


def test_a_test_cannot_reach_another_host() -> None:
    with (
        pytest.warns(UserWarning, match="tried to use socket"),
        socket.socket() as client,
        pytest.raises(SocketConnectBlockedError),
    ):
        client.connect(("192.0.2.1", 80))


def test_a_test_can_reach_its_own_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address) as client, server.accept()[0] as accepted:
            accepted.sendall(b"here")
            assert client.recv(4) == b"here"
