"""Documents from URLs, feeds and sitemaps, from a real server on this machine."""

from __future__ import annotations

import gzip
import io
import shutil
import socket
import ssl
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpcore
import pytest

from ingest import ingest
from ingest.failure import Failure
from ingest.sources import Document, SourceOptions, Sources, Unchanged, Validators
from ingest.web import Web, clean
from rag import Settings
from rag.embedding import Embedder
from rag.errors import InputError

TEXT = "Thu ngân sách tháng 6 đạt 905 tỷ đồng."
Found = Document | Failure | Unchanged
Serve = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Site:
    """A web site: what it answers by path, and what it was asked."""

    port: int = 0
    pages: dict[str, Serve] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def add(
        self,
        path: str,
        body: bytes | str = TEXT,
        content_type: str = "text/plain; charset=utf-8",
        status: int = 200,
        **headers: str,
    ) -> str:
        """Serve a page; its URL."""
        data = body if isinstance(body, bytes) else body.encode()

        def serve(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            if content_type:
                handler.send_header("Content-Type", content_type)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data)

        self.pages[path] = serve
        return self.url(path)

    def move(self, path: str, target: str) -> str:
        return self.add(path, b"", status=302, Location=target)

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked if path != "/robots.txt"]

    def sent(self, path: str) -> Mapping[str, str]:
        return next(headers for asked, headers in reversed(self.asked) if asked == path)


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            made.asked.append((self.path, dict(self.headers)))
            serve = made.pages.get(self.path)
            if serve is None:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                serve(self)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that gives up in the middle is what some tests are about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_port
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.closing.set()
        server.shutdown()


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Route(httpcore.SyncBackend):
    """A network on which every address leads to this machine."""

    def __init__(self) -> None:
        self.connected: list[str] = []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        self.connected.append(host)
        return super().connect_tcp("127.0.0.1", port, timeout, local_address, socket_options)


PUBLIC = "93.184.215.14"
NAMES = {
    "ministry.example": [PUBLIC],
    "other.example": [PUBLIC],
    "inside.example": ["10.1.2.3"],
    "both.example": ["192.168.0.1", PUBLIC],
}


def names(host: str, port: int) -> list[str]:
    return NAMES.get(host, [host])


def client(clock: Clock | None = None, **options: Any) -> Web:
    clock = clock or Clock()
    return Web(**{"allow_private": True, "clock": clock, "sleep": clock.sleep, **options})


@dataclass(frozen=True)
class Walked:
    texts: dict[str, str]
    failed: dict[str, str]
    unchanged: list[str]
    documents: list[Document]


def walk(
    paths: Sequence[str],
    options: SourceOptions | None = None,
    known: Mapping[str, Validators] | None = None,
    web: Web | None = None,
) -> Walked:
    with web or client() as used, Sources(options or SourceOptions(), known, client=used) as found:
        documents: list[Document] = []
        failed: dict[str, str] = {}
        unchanged: list[str] = []
        texts: dict[str, str] = {}
        for each in found.walk(paths):
            if isinstance(each, Document):
                documents.append(each)
                assert each.path.suffix == each.suffix
                texts[each.source] = each.path.read_text("utf-8", errors="replace")
            elif isinstance(each, Failure):
                assert each.stage in ("find", "fetch")
                assert "\n" not in each.reason
                assert "; " in each.reason, f"no remedy: {each.reason}"
                assert each.source not in failed
                failed[each.source] = each.reason
            else:
                unchanged.append(each.source)
    return Walked(texts, failed, unchanged, documents)


def refused(url: str, web: Web | None = None) -> str:
    """Why the one URL was refused."""
    walked = walk([url], web=web)
    assert not walked.documents
    (told,) = walked.failed.values()
    return told


# One document


def test_a_url_is_a_document_under_its_own_name(site: Site) -> None:
    url = site.add("/news/june.txt", ETag='"v1"', Last_Modified="Thu, 24 Jun 2021 00:00:00 GMT")
    walked = walk([f"{url}#part", url])
    (document,) = walked.documents
    assert (document.source, document.suffix) == (url, ".txt")
    assert (document.etag, document.modified) == ('"v1"', "Thu, 24 Jun 2021 00:00:00 GMT")
    assert walked.texts == {url: TEXT}
    assert not document.path.exists()
    assert site.sent("/news/june.txt")["User-Agent"].startswith("release-qa/")


def test_a_page_that_has_not_changed_is_not_fetched_again(site: Site) -> None:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        same = handler.headers["If-None-Match"] == '"v1"'
        handler.send_response(304 if same else 200)
        handler.send_header("ETag", '"v1"')
        handler.send_header("Content-Type", "text/plain")
        handler.send_header("Content-Length", "0" if same else "3")
        handler.end_headers()
        if not same:
            handler.wfile.write(b"new")

    site.pages["/a"] = serve
    url = site.url("/a")
    assert walk([url]).texts == {url: "new"}
    known = {url: Validators('"v1"', "Thu, 24 Jun 2021 00:00:00 GMT")}
    walked = walk([url], known=known)
    assert walked.unchanged == [url]
    assert not walked.documents
    assert not walked.failed
    assert site.sent("/a")["If-Modified-Since"] == "Thu, 24 Jun 2021 00:00:00 GMT"
    assert walk([url], known={url: Validators('"v0"')}).texts == {url: "new"}


@pytest.mark.parametrize(
    ("path", "content_type", "headers", "suffix"),
    [
        ("/a", "text/plain", {}, ".txt"),
        ("/a.md", "text/plain", {}, ".md"),
        ("/a.bin", "text/plain", {}, ".txt"),
        ("/a.php?id=5", "TEXT/Markdown; charset=UTF-8", {}, ".md"),
        ("/a.TXT", "application/octet-stream", {}, ".txt"),
        ("/a.md", "", {}, ".md"),
        (
            "/download?id=7",
            "application/octet-stream",
            {"Content_Disposition": "attachment; filename*=UTF-8''th%C3%B4ng%20c%C3%A1o.txt"},
            ".txt",
        ),
        (
            "/download?id=8",
            "application/force-download",
            {"Content_Disposition": 'attachment; filename="../../../etc/x.md"'},
            ".md",
        ),
    ],
)
def test_the_type_comes_from_the_server_and_then_from_the_name(
    site: Site, path: str, content_type: str, headers: dict[str, str], suffix: str
) -> None:
    (document,) = walk([site.add(path, TEXT, content_type, 200, **headers)]).documents
    assert document.suffix == suffix


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/a.txt", "video/mp4"),
        ("/a.exe", "application/octet-stream"),
        ("/a", "application/octet-stream"),
        ("/a", ""),
        ("/a.txt", "no/\x7fsense"),
        ("/a.xml", "application/xml"),
        ("/a.gz", "application/gzip"),
    ],
)
def test_a_type_that_cannot_be_read_is_told(site: Site, path: str, content_type: str) -> None:
    told = refused(site.add(path, "some <text/>", content_type))
    assert "type cannot be read" in told or "neither a document nor" in told


def test_a_type_that_cannot_be_read_is_not_downloaded(site: Site) -> None:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "video/mp4")
        handler.send_header("Content-Length", "1000000000")
        handler.end_headers()
        site.closing.wait()

    site.pages["/film"] = serve
    assert "video/mp4" in refused(site.url("/film"))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, "not there"),
        (410, "not there"),
        (403, "not open"),
        (401, "not open"),
        (500, "try again later"),
        (503, "try again later"),
        (429, "try again later"),
        (204, "no document"),
        (304, "no document"),
        (302, "no document"),
    ],
)
def test_a_status_that_brings_no_document_is_told(site: Site, status: int, said: str) -> None:
    told = refused(site.add("/a", b"", status=status))
    assert str(status) in told
    assert said in told


def test_one_bad_url_does_not_stop_the_others(site: Site, tmp_path: Path) -> None:
    good = site.add("/good")
    walked = walk([site.url("/none"), "http://", str(tmp_path / "none.md"), good])
    assert list(walked.texts) == [good]
    assert len(walked.failed) == 3


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/a.txt",
        "file:///etc/passwd",
        "javascript://x",
        "http://",
        "http:///a",
        "http://[bad/a",
        "http://999.1.1.1/",
        "http://a..b/",
        "http://127.0.0.1:99999999/",
        "http://user:secret@host/a.txt",
        "http://secret@host/a.txt",
    ],
)
def test_what_is_no_public_http_url_is_told_and_no_password_repeated(url: str) -> None:
    walked = walk([url])
    ((source, told),) = walked.failed.items()
    assert "secret" not in source + told


def test_a_url_is_kept_in_one_spelling() -> None:
    assert clean("HTTP://Example.ORG:80/a b?q=ế#part") == "http://example.org/a%20b?q=%E1%BA%BF"
    assert clean(" https://example.org ") == clean("https://example.org/")


# Robots and pace


@pytest.mark.parametrize("agent", ["*", "release-qa"])
def test_robots_txt_is_obeyed_and_asked_once(site: Site, agent: str) -> None:
    site.add("/robots.txt", f"User-agent: {agent}\nDisallow: /private*\nAllow: /private/open\n")
    good = [site.add("/a"), site.add("/private/open")]
    bad = site.add("/private/b")
    walked = walk([*good, bad])
    assert list(walked.texts) == good
    assert "robots.txt" in walked.failed[bad]
    assert "/private/b" not in site.paths()
    assert [path for path, _ in site.asked].count("/robots.txt") == 1


def test_without_a_robots_txt_everything_may_be_fetched(site: Site) -> None:
    site.add("/robots.txt", status=403)
    assert walk([site.add("/a")]).documents


def test_a_broken_robots_txt_forbids_everything(site: Site) -> None:
    site.add("/robots.txt", status=500)
    urls = [site.add("/a"), site.add("/b")]
    walked = walk(urls)
    assert set(walked.failed) == set(urls)
    assert all("robots.txt" in told for told in walked.failed.values())
    assert site.paths() == []


def test_a_redirected_or_packed_or_endless_robots_txt_is_read(site: Site) -> None:
    site.move("/robots.txt", "/rules")
    rules = "User-agent: *\nDisallow: /a\n" + "# " * 1_000_000
    site.add("/rules", gzip.compress(rules.encode()), Content_Encoding="gzip")
    assert "robots.txt" in refused(site.add("/a"))


def test_requests_to_one_host_keep_their_distance(site: Site) -> None:
    clock = Clock()
    walk([site.add(f"/{number}") for number in range(3)], web=client(clock))
    # robots.txt counts as well; the first request waits for nothing.
    assert clock.slept == pytest.approx([1.0, 1.0, 1.0])


def test_a_host_may_ask_for_more_distance(site: Site) -> None:
    site.add("/robots.txt", "User-agent: *\nCrawl-delay: 7\n")
    clock = Clock()
    walk([site.add(f"/{number}") for number in range(3)], web=client(clock, interval=0.5))
    assert clock.slept == pytest.approx([0.5, 7.0, 7.0])


def test_two_hosts_do_not_wait_for_each_other(site: Site) -> None:
    clock = Clock()
    site.add("/a")
    web = client(clock, resolve=names, backend=Route())
    walk([site.url("/a", "ministry.example"), site.url("/a", "other.example")], web=web)
    assert clock.slept == pytest.approx([1.0, 1.0])
    assert clock.now == pytest.approx(1002.0)


# Servers that ask to wait


def busy(site: Site, path: str, times: int, retry_after: str, status: int = 503) -> str:
    left = [times]
    site.add(path)
    ready = site.pages[path]

    def serve(handler: BaseHTTPRequestHandler) -> None:
        left[0] -= 1
        if left[0] < 0:
            ready(handler)
            return
        handler.send_response(status)
        handler.send_header("Retry-After", retry_after)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    site.pages[path] = serve
    return site.url(path)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_to_wait_a_little_is_waited_for(site: Site, status: int) -> None:
    clock = Clock()
    url = busy(site, "/a", 2, "5", status)
    assert walk([url], web=client(clock)).texts == {url: TEXT}
    assert clock.slept.count(5.0) == 2


@pytest.mark.parametrize("asked", ["86400", "9" * 400, "Fri, 31 Dec 2999 23:59:59 GMT"])
def test_a_server_that_asks_to_wait_long_is_left_alone(site: Site, asked: str) -> None:
    clock = Clock()
    assert "come back later" in refused(busy(site, "/a", 9, asked), client(clock))
    assert site.paths() == ["/a"]
    assert sum(clock.slept) < 10


def test_a_server_that_keeps_asking_is_given_up(site: Site) -> None:
    assert "come back later" in refused(busy(site, "/a", 99, "1"))
    assert len(site.paths()) == 3


@pytest.mark.parametrize("asked", ["soon", "-5", "", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_an_odd_wish_to_wait_is_no_reason_to_wait(site: Site, asked: str) -> None:
    clock = Clock()
    walk([busy(site, "/a", 1, asked)], web=client(clock))
    assert sum(clock.slept) < 5


# Redirects


def test_a_redirect_is_followed_and_the_given_url_kept(site: Site) -> None:
    site.add("/deep/final.md", TEXT, "application/octet-stream", ETag='"f"')
    site.move("/b", "deep/final.md")
    url = site.move("/a", "/b#x")
    (document,) = walk([url]).documents
    assert (document.source, document.suffix, document.etag) == (url, ".md", '"f"')


def test_endless_redirects_are_cut(site: Site) -> None:
    assert "redirects" in refused(site.move("/a", "/a"))
    assert len(site.paths()) == 6


@pytest.mark.parametrize(
    "target",
    ["ftp://host/a", "file:///etc/passwd", "http://user:secret@host/", "http://[bad", "//"],
)
def test_a_redirect_to_what_is_not_fetched_is_refused(site: Site, target: str) -> None:
    told = refused(site.move("/a", target))
    assert "secret" not in told


def test_a_redirect_is_held_to_the_robots_txt_of_where_it_leads(site: Site) -> None:
    site.add("/robots.txt", "User-agent: *\nDisallow: /b\n")
    site.add("/b")
    assert "robots.txt" in refused(site.move("/a", "/b"))
    assert site.paths() == ["/a"]


def test_a_redirect_to_a_private_address_is_refused(site: Site) -> None:
    route = Route()
    site.move("/a", site.url("/secret", "inside.example"))
    site.add("/secret")
    web = client(allow_private=False, resolve=names, backend=route)
    assert "private or reserved" in refused(site.url("/a", "ministry.example"), web)
    assert site.paths() == ["/a"]
    assert set(route.connected) == {PUBLIC}


# Addresses


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "0x7f.1",
        "2130706433",
        "10.0.0.1",
        "172.16.5.5",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fc00::1]",
        "[ff02::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:db8::1]",
    ],
)
def test_addresses_that_are_not_public_are_refused_unconnected(host: str) -> None:
    route = Route()
    told = refused(f"http://{host}/", client(allow_private=False, backend=route))
    assert "private or reserved" in told or "cannot connect" in told or "not a URL" in told
    assert route.connected == []


def test_of_several_addresses_only_public_ones_are_tried(site: Site) -> None:
    route = Route()
    site.add("/a")
    web = client(allow_private=False, resolve=names, backend=route)
    assert walk([site.url("/a", "both.example")], web=web).documents
    assert set(route.connected) == {PUBLIC}


def test_a_name_that_changes_its_address_is_checked_at_each_connection(site: Site) -> None:
    route = Route()
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
    site.add("/robots.txt", "", Connection="close")
    site.add("/a")
    web = client(allow_private=False, resolve=lambda host, port: next(answers), backend=route)
    assert "private or reserved" in refused(site.url("/a", "rebinding.example"), web)
    assert route.connected == [PUBLIC]
    assert site.paths() == []


def test_the_next_address_is_tried_when_one_does_not_answer(site: Site) -> None:
    class Half(Route):
        def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> Any:
            if host == "1.1.1.1":
                raise httpcore.ConnectError("refused")
            return super().connect_tcp(host, port, *rest, **more)

    site.add("/a")
    web = client(resolve=lambda host, port: ["1.1.1.1", PUBLIC], backend=Half())
    assert walk([site.url("/a", "ministry.example")], web=web).documents


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate")
def test_certificates_are_checked_by_name_though_connections_go_by_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout k.pem -out c.pem "
        "-subj /CN=ministry.example -addext subjectAltName=DNS:ministry.example".split(),
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path != "/robots.txt" else 404)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(self.headers["Host"].encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that does not like the certificate."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        good = f"https://ministry.example:{server.server_port}/a"
        bad = f"https://other.example:{server.server_port}/a"
        web = client(allow_private=False, resolve=names, backend=Route())
        walked = walk([good, bad], web=web)
        server.shutdown()
    assert walked.texts == {good: f"ministry.example:{server.server_port}"}
    assert "certificate" in walked.failed[bad].lower()


# Sizes and times


def test_a_document_that_is_announced_too_large_is_not_downloaded(site: Site) -> None:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain")
        handler.send_header("Content-Length", "1001")
        handler.end_headers()
        site.closing.wait()

    site.pages["/a"] = serve
    assert "larger than 1,000 bytes" in refused(site.url("/a"), client(max_bytes=1000))


def test_a_document_that_turns_out_too_large_is_stopped(site: Site) -> None:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain")
        handler.send_header("Connection", "close")
        handler.end_headers()
        while not site.closing.is_set():
            handler.wfile.write(b"x" * 10_000)

    site.pages["/a"] = serve
    assert "larger than 50,000 bytes" in refused(site.url("/a"), client(max_bytes=50_000))


def test_sizes_count_after_unpacking(site: Site) -> None:
    bomb = gzip.compress(bytes(20_000_000))
    url = site.add("/a", bomb, Content_Encoding="gzip")
    assert "larger than" in refused(url, client(max_bytes=1_000_000))
    good = site.add("/b", gzip.compress(TEXT.encode() * 10_000) + b"\0\0", Content_Encoding="gzip")
    assert walk([good]).texts == {good: TEXT * 10_000}


@pytest.mark.parametrize(
    ("data", "encoding", "said"),
    [
        (b"nonsense", "gzip", "damaged"),
        (gzip.compress(b"text" * 1000)[:-10], "gzip", "broke off"),
        (b"text", "br", "encoding"),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_told(
    site: Site, data: bytes, encoding: str, said: str
) -> None:
    assert said in refused(site.add("/a", data, Content_Encoding=encoding))


def test_a_server_that_says_nothing_is_given_up(site: Site) -> None:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        site.closing.wait()

    site.pages["/a"] = serve
    assert "no answer in time" in refused(site.url("/a"), client(timeout=0.2))


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_server_that_says_little_at_a_time_is_given_up(site: Site, part: str) -> None:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        if part == "body":
            handler.send_response(200)
            handler.send_header("Content-Type", "text/plain")
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
        else:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not site.closing.wait(0.01):
            handler.wfile.write(b"x")

    site.pages["/a"] = serve
    told = refused(site.url("/a"), client(timeout=10, deadline=0.4))
    assert "no answer in time" in told


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000,
    ],
)
def test_an_answer_that_breaks_off_or_is_no_http_is_told(site: Site, data: bytes) -> None:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(data)
        handler.close_connection = True

    site.pages["/a"] = serve
    told = refused(site.url("/a"))
    assert "broke off" in told or "cannot connect" in told


def test_a_name_that_nobody_knows_is_told() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    web = client(resolve=unknown)
    assert "no address is known for nobody.example" in refused("http://nobody.example/", web)


def test_a_host_that_does_not_listen_is_told() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port
    assert f"127.0.0.1:{port}" in refused(f"http://127.0.0.1:{port}/a")


# Archives, feeds and sitemaps


def test_an_archive_from_the_web_is_opened(site: Site) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a/b.md", TEXT)
        archive.writestr("../c.md", TEXT)
    url = site.add("/2021.zip", packed.getvalue(), "application/zip", ETag='"z"')
    walked = walk([url])
    assert walked.texts == {f"{url}!/a/b.md": TEXT}
    assert walked.documents[0].etag is None
    assert len(walked.failed) == 1


def feed(items: Sequence[tuple[str, str]]) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- news -->\n<rss version="2.0"><channel>'
        "<title>Press</title>"
        + "".join(
            f"<item><link>{link}</link>" + (f"<pubDate>{day}</pubDate>" if day else "") + "</item>"
            for link, day in items
        )
        + "</channel></rss>"
    )


ITEMS = [
    ("/old", "Sat, 01 May 2021 08:00:00 +0700"),
    ("/undated", ""),
    ("/may", "Wed, 23 Jun 2021 23:00:00 -0700"),
    ("/june", "Thu, 24 Jun 2021 01:00:00 +0700"),
    ("/july", "Thu, 01 Jul 2021 08:00:00 +0700"),
    ("july", "Thu, 01 Jul 2021 08:00:00 +0700"),
]


@pytest.mark.parametrize(
    "content_type", ["application/rss+xml", "text/xml", "text/html", "text/plain", ""]
)
def test_a_feed_gives_its_pages_since_a_day_newest_first(site: Site, content_type: str) -> None:
    for path in ("/old", "/undated", "/june", "/july"):
        site.add(path, path)
    url = site.add("/feed.xml", feed(ITEMS), content_type)
    walked = walk([url], SourceOptions(since=date(2021, 6, 24)))
    assert not walked.failed
    # By the clock of who published it, not the day before, as it was in London.
    assert list(walked.texts) == [site.url(path) for path in ("/july", "/june", "/undated")]
    assert "/old" not in site.paths()
    assert site.url("/old") in walk([url]).texts


def test_a_feed_that_is_slightly_wrong_is_read(site: Site) -> None:
    pages = [site.add("/a?x=1&y=2"), site.add("/b?x=1&y=2"), site.add("/c?x=1&y=2")]
    url = site.add(
        "/feed",
        "<rss><channel><title>Tin&nbsp;tức & báo</title><item><source url='/no'/><author>"
        "<link>/author</link></author><title>A & B</title><link>/a?x=1&amp;y=2</link>"
        "<guid isPermaLink='false'>/guid</guid><pubDate>hôm nay</pubDate></item>"
        "<item><guid isPermaLink='false'>5</guid></item>"
        "<item><link><![CDATA[/b?x=1&y=2]]></link></item><item><link>/c?x=1&y=2</link></item>"
        "<item><title>no link</title></item></channel>",
        "application/rss+xml",
    )
    walked = walk([url])
    assert list(walked.texts) == pages
    assert not walked.failed


def test_an_atom_feed_is_read(site: Site) -> None:
    page = site.add("/tin-tuc/1?a=1&b=2")
    url = site.add(
        "/atom",
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Tin</title><entry><title>Một</title>'
        '<id>tag:x,2021:1</id><link rel="enclosure" href="/film"/>'
        '<link rel="alternate" href="tin-tuc/1?a=1&amp;b=2"/>'
        "<updated>2021-06-24T10:00:00+07:00</updated></entry></feed>",
        "application/atom+xml",
    )
    assert list(walk([url]).texts) == [page]


def test_pages_of_a_feed_are_asked_for_with_what_is_known_of_them(site: Site) -> None:
    site.add("/july", b"", status=304)
    url = site.add("/feed", feed([("/july", "")]), "text/xml")
    page = site.url("/july")
    walked = walk([url], known={page: Validators('"v1"')})
    assert walked.unchanged == [page]
    assert site.sent("/july")["If-None-Match"] == '"v1"'


def test_what_a_feed_lists_is_untrusted(site: Site) -> None:
    route = Route()
    links = [
        "file:///etc/passwd",
        "http://user:secret@host/",
        site.url("/inside", "inside.example"),
        "/other-feed",
        "/good",
    ]
    site.add("/good")
    site.add("/other-feed", feed([("/good", "")]), "text/xml")
    site.add("/feed", feed([(link, "") for link in links]), "text/xml")
    web = client(allow_private=False, resolve=names, backend=route)
    walked = walk([site.url("/feed", "ministry.example")], web=web)
    assert list(walked.texts) == [site.url("/good", "ministry.example")]
    assert len(walked.failed) == 4
    assert "secret" not in str(walked.failed)
    assert set(route.connected) == {PUBLIC}


def test_patterns_and_a_limit_choose_among_what_a_feed_lists(site: Site) -> None:
    links = [site.add(f"/press/{number}") for number in range(4)] + [site.add("/sport/1")]
    url = site.add("/feed", feed([(link, "") for link in links]), "text/xml")
    options = SourceOptions(include=("*/press/*",), exclude=("*/2",))
    assert list(walk([url], options).texts) == [links[0], links[1], links[3]]
    walked = walk([url], SourceOptions(include=("*/press/*",), max_entries=2))
    assert list(walked.texts) == links[:2]
    assert "more than 2" in walked.failed[url]
    assert not walk([url], SourceOptions(max_entries=5)).failed


def sitemap(pages: Sequence[tuple[str, str]], root: str = "urlset", each: str = "url") -> str:
    return (
        f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">'
        + "".join(
            f"<{each}><loc>\n{url}</loc>"
            + (f"<lastmod>{day}</lastmod>" if day else "")
            + f"<image:image><image:loc>/i.png</image:loc></image:image></{each}>"
            for url, day in pages
        )
        + f"</{root}>"
    )


def test_an_index_of_sitemaps_gives_the_pages_since_a_day(site: Site) -> None:
    pages = [site.add(path) for path in ("/new", "/edge", "/undated", "/past", "/older")]
    new, edge, undated, past, older = pages
    packed = gzip.compress(sitemap([(edge, "2021-06-24"), (new, "2021-07-01T08:00Z")]).encode())
    maps = [
        (site.add("/past.xml", sitemap([(older, "")]), "text/xml"), "2020-01-01"),
        (site.add("/undated.xml", sitemap([(undated, "")]), "text/xml"), ""),
        (
            site.add(
                "/2021.xml.gz", gzip.compress(sitemap([(past, "2021-05")]).encode()), "text/xml"
            ),
            "2021-06-30",
        ),
        (site.add("/new.xml.gz", packed, "application/x-gzip"), "2021-07-02"),
    ]
    url = site.add("/sitemap.xml", sitemap(maps, "sitemapindex", "sitemap"), "application/xml")
    walked = walk([url], SourceOptions(since=date(2021, 6, 24)))
    assert list(walked.texts)[:2] == [new, edge]
    assert undated in walked.texts
    assert older not in walked.texts
    assert "/past.xml" not in site.paths()
    # Packed, but announced as plain XML: told, while the rest goes on.
    assert list(walked.failed) == [site.url("/2021.xml.gz")]


def test_an_index_of_indexes_is_not_followed(site: Site) -> None:
    inner = site.add("/b", sitemap([("/c", "")], "sitemapindex", "sitemap"), "text/xml")
    url = site.add("/a", sitemap([(inner, "")], "sitemapindex", "sitemap"), "text/xml")
    assert list(walk([url]).failed) == [inner]
    assert "/c" not in site.paths()


def test_sitemaps_are_read_no_further_than_needed(site: Site) -> None:
    maps = [
        (
            site.add(
                f"/{number}.xml",
                sitemap([(site.add(f"/{number}/{page}"), "") for page in range(3)]),
                "text/xml",
            ),
            "",
        )
        for number in range(5)
    ]
    url = site.add("/sitemap.xml", sitemap(maps, "sitemapindex", "sitemap"), "text/xml")
    walked = walk([url], SourceOptions(max_entries=4))
    assert len(walked.texts) == 4
    assert list(walked.failed) == [url]
    assert "/2.xml" not in site.paths()


ENTITIES = "".join(
    f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' if level else '<!ENTITY e0 "aaaaaaaaaa">'
    for level in range(12)
)


@pytest.mark.parametrize(
    "body",
    [
        "<rss>broken <<<",
        "<urlset>broken <<<",
        f"<!DOCTYPE x [{ENTITIES}]><urlset><url><loc>/&e11;</loc></url></urlset>",
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        "<urlset><url><loc>/&e;</loc></url></urlset>",
        "<urlset>" + "<a>" * 100_000,
        "<?" * 2000,
        "<!---->" * 1000,
        "<rss><channel>" + "<item/>" * 60_000,
        "<urlset>" + "<url><loc>a</loc></url>" * 60_000,
    ],
)
def test_a_hostile_list_is_told(site: Site, body: str) -> None:
    walked = walk([site.add("/list.xml", body, "text/xml")])
    assert walked.failed
    assert not walked.documents
    assert "root:" not in str(walked.failed)


def test_a_packed_sitemap_is_no_bomb(site: Site) -> None:
    bomb = gzip.compress(b"<urlset>" + bytes(60 << 20))
    assert "unpacks to more than" in refused(site.add("/s.xml.gz", bomb, "application/gzip"))


# Gone


def test_a_url_is_gone_when_its_server_says_so(site: Site) -> None:
    here = [
        site.add("/a"),
        site.add("/busy", status=500),
        site.add("/login", status=403),
        site.add("/same", b"", status=304),
        site.add("/2021.zip", "packed") + "!/a.md",
    ]
    gone = [
        site.url("/none"),
        site.add("/removed", status=410),
        site.move("/moved", "/none"),
        site.url("/none.zip") + "!/a.md",
    ]
    with client() as web, Sources(client=web) as sources:
        assert [sources.gone(url) for url in here] == [False] * len(here)
        assert [sources.gone(url) for url in gone] == [True] * len(gone)


def test_a_client_of_its_own_refuses_this_machine(site: Site) -> None:
    url = site.add("/a")
    with Sources() as sources:
        (failed,) = sources.walk([url])
    assert isinstance(failed, Failure)
    assert "private or reserved" in failed.reason
    with Sources(SourceOptions(allow_private=True, interval=0)) as sources:
        (document,) = sources.walk([url])
    assert isinstance(document, Document)


def test_a_download_that_cannot_be_written_is_told(site: Site, tmp_path: Path) -> None:
    url = site.add("/a")
    with client() as web, web.open(url) as answer, pytest.raises(InputError, match="disk space"):
        answer.save(tmp_path / "none" / "a.txt")


def test_a_file_on_disk_asks_no_server_about_its_twin_on_the_web(
    site: Site, embedder: Embedder, tmp_path: Path
) -> None:
    url = site.add("/release.txt")
    settings = Settings(data_dir=tmp_path / "var")
    assert ingest(
        [url], settings, embedder=embedder, options=SourceOptions(allow_private=True, interval=0)
    ).added == [url]
    copy = tmp_path / "copy.txt"
    copy.write_text(TEXT, encoding="utf-8")
    before = len(site.asked)
    summary = ingest(
        [copy], settings, embedder=embedder, options=SourceOptions(allow_private=True, interval=0)
    )
    assert len(site.asked) == before
    assert not summary.renamed
    assert not summary.embedded
