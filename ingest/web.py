"""Polite HTTP: one request at a time, only where it is welcome, and only to where it may go.

A server's answer is untrusted, and so is every address that a page, feed or redirect names. Each
hop is checked, and the address that is connected to is the one that was checked: names are resolved
here, once for each connection, so that a name cannot point elsewhere a moment later.
"""

from __future__ import annotations

import email.message
import email.utils
import ipaddress
import re
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any

import httpcore
import httpx
from protego import Protego

from rag.errors import InputError

NAME = "release-qa"
"""What robots.txt files call this program."""

_MAX_REDIRECTS = 5
_MAX_ATTEMPTS = 3
_MAX_WAIT = 60.0
"""Seconds that a server may ask to wait; robots.txt may space requests as far apart."""
_MAX_ROBOTS_BYTES = 500 << 10
"""What RFC 9309 asks every crawler to read; the rest of a longer file is left out."""
_MAX_VALIDATOR_CHARS = 512
_CHUNK = 1 << 16
GZIP = b"\x1f\x8b"
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")

Resolve = Callable[[str, int], Iterable[str]]
"""The addresses of a host, each as `socket` prints it."""


def clean(url: str) -> str:
    """A URL as it is fetched and kept: normalised, without fragment.

    Raises `InputError` for any scheme but http and https, for one without host, and for one with a
    user name or password, since sources are kept and shown.
    """
    return str(_checked(url))


def _checked(url: str | httpx.URL) -> httpx.URL:
    try:
        parsed = httpx.URL(url.strip() if isinstance(url, str) else url)
        host = parsed.host
    except (httpx.InvalidURL, ValueError) as error:
        raise InputError(f"not a URL: {shown(url)}; check its spelling") from error
    if parsed.userinfo:
        plain = str(parsed.copy_with(username=None, password=None))
        raise InputError(
            f"the URL holds a user name or password, which would be kept with the release: {plain};"
            " download the file and give it"
        )
    if parsed.scheme not in ("http", "https"):
        raise InputError(
            f"only http and https are fetched: {shown(url)}; download the file and give it"
        )
    if not host:
        raise InputError(f"the URL names no host: {shown(url)}; check its spelling")
    # The path of a URL without one is `/`.
    return parsed.copy_with(raw_path=parsed.raw_path, fragment=None)


def shown(url: str | httpx.URL) -> str:
    """An untrusted URL in a message: one line, not too long, without what might be a password."""
    return _CONTROL.sub("?", re.sub(r"//[^/?#]*@", "//", str(url)))[:300]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; the body is still on its way."""

    url: str
    """Where the answer came from, after redirects."""
    status: int
    content_type: str
    """Without parameters, in lower case; empty when none is given."""
    filename: str
    """The name that the server or else the URL gives the file; empty when none."""
    etag: str | None
    modified: str | None
    _response: httpx.Response
    _max_bytes: int

    def save(self, path: Path) -> None:
        """Write the body to a new file.

        Raises `InputError` when it is too large, breaks off, or cannot be written.
        """
        try:
            with path.open("xb") as out:
                for chunk in _body(self._response, self._max_bytes, self.url):
                    out.write(chunk)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(
                f"cannot write the download of {self.url} to the temporary folder ({reason}); "
                "free some disk space"
            ) from error


class Web:
    """A client for one run: connections, robots.txt files and the pace by host are kept.

    A context manager. For one thread at a time.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        max_bytes: int = 200 << 20,
        interval: float = 1.0,
        timeout: float = 20.0,
        deadline: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        resolve: Resolve | None = None,
        backend: httpcore.NetworkBackend | None = None,
    ) -> None:
        """Times are in seconds.

        `interval` stands between requests to one host, `timeout` is for the server to say
        something, `deadline` for a whole answer. `clock` and `sleep` keep the pace; `resolve` and
        `backend` are the network.
        """
        self._max_bytes = max_bytes
        self._interval = interval
        self._deadline = deadline
        self._clock = clock
        self._sleep = sleep
        self._guard = _Guard(backend or httpcore.SyncBackend(), resolve or _resolve, allow_private)
        self._next: dict[str, float] = {}
        self._robots: dict[str, Protego | str] = {}
        self._client = httpx.Client(
            transport=_Transport(self._guard),
            timeout=timeout,
            # A proxy would connect to addresses that are not checked; ~/.netrc holds passwords.
            trust_env=False,
            headers={
                "User-Agent": f"{NAME}/{_version()}",
                "Accept": "*/*",
                "Accept-Encoding": "gzip",
            },
        )

    def __enter__(self) -> Web:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    @contextmanager
    def open(
        self, url: str, *, etag: str | None = None, modified: str | None = None
    ) -> Iterator[Answer]:
        """Ask for a URL, following redirects; any status but a redirect is an answer.

        With validators of an earlier answer, the status is 304 when nothing has changed. Raises
        `InputError` when the URL may not be fetched or no answer comes.
        """
        headers = {}
        if etag:
            headers["If-None-Match"] = etag
        if modified:
            headers["If-Modified-Since"] = modified
        with self._follow(_checked(url), headers, obey=True) as response:
            final = _checked(response.url)
            yield Answer(
                url=str(final),
                status=response.status_code,
                content_type=_content_type(response),
                filename=_filename(response, final),
                etag=_validator(response, "etag"),
                modified=_validator(response, "last-modified"),
                _response=response,
                _max_bytes=self._max_bytes,
            )

    @contextmanager
    def _follow(
        self, url: httpx.URL, headers: dict[str, str], *, obey: bool
    ) -> Iterator[httpx.Response]:
        """The answer after redirects; `obey` says whether robots.txt is asked at each hop."""
        first = url
        for _ in range(_MAX_REDIRECTS + 1):
            if obey:
                self._obey(url)
            response = self._send(url, headers)
            try:
                if response.next_request is None:
                    yield response
                    return
                target = _checked(response.next_request.url)
            finally:
                response.close()
            if url.scheme == "https" and target.scheme == "http":
                raise InputError(
                    f"{first} leads from https to http: {target}; give that URL if you trust it"
                )
            url = target
        raise InputError(f"more than {_MAX_REDIRECTS} redirects: {first}; give the final URL")

    def _send(self, url: httpx.URL, headers: dict[str, str]) -> httpx.Response:
        """One answer without its body; a server that asks to wait a little is waited for."""
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            self._keep_pace(url)
            self._guard.until = time.monotonic() + self._deadline
            with _told(str(url)):
                request = self._client.build_request("GET", url, headers=headers)
                response = self._client.send(request, stream=True)
            wait = _asked_to_wait(response)
            if wait is None:
                return response
            if wait > _MAX_WAIT or attempt == _MAX_ATTEMPTS:
                break
            response.close()
            self._sleep(wait)
        response.close()
        raise InputError(
            f"the server asks to come back later (status {response.status_code}): {url}; "
            f"try again in {wait:.0f} seconds"
        )

    def _keep_pace(self, url: httpx.URL) -> None:
        wait = self._next.get(url.host, 0.0) - self._clock()
        if wait > 0:
            self._sleep(wait)
        rules = self._robots.get(_origin(url))
        asked = rules.crawl_delay(NAME) if isinstance(rules, Protego) else None
        self._next[url.host] = self._clock() + max(self._interval, min(asked or 0.0, _MAX_WAIT))

    def _obey(self, url: httpx.URL) -> None:
        """Raise `InputError` when robots.txt, or the lack of an answer on it, forbids a URL."""
        origin = _origin(url)
        if origin not in self._robots:
            self._robots[origin] = self._read_robots(url)
        rules = self._robots[origin]
        if isinstance(rules, str):
            raise InputError(
                f"{rules} (asked before anything else of that host); try again later: {url}"
            )
        if not rules.can_fetch(str(url), NAME):
            raise InputError(
                f"robots.txt of {url.host} does not allow it: {url}; "
                "download the file yourself, or ask the site's owner"
            )

    def _read_robots(self, url: httpx.URL) -> Protego | str:
        """The rules of a host, or why they cannot be read, in which case nothing is allowed."""
        robots = httpx.URL(f"{_origin(url)}/robots.txt")
        data = b""
        try:
            with self._follow(robots, {}, obey=False) as response:
                if response.status_code >= 500:
                    return f"{robots} answered with status {response.status_code}"
                if response.status_code == 200:
                    for chunk in _inflated(response, str(robots)):
                        data += chunk
                        if len(data) >= _MAX_ROBOTS_BYTES:
                            break
        except InputError as error:
            return str(error).partition(";")[0]
        # Any other answer means that there are no rules.
        return Protego.parse(data[:_MAX_ROBOTS_BYTES].decode("utf-8", errors="replace"))


def _version() -> str:
    try:
        return version(NAME)
    except PackageNotFoundError:
        return "0"


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


# ---------------------------------------------------------------------------------------------
# Answers


def _content_type(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _filename(response: httpx.Response, url: httpx.URL) -> str:
    told = email.message.Message()
    told["content-disposition"] = _CONTROL.sub(" ", response.headers.get("content-disposition", ""))
    return told.get_filename() or url.path.rsplit("/", 1)[-1]


def _validator(response: httpx.Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value if value and value.isascii() and len(value) <= _MAX_VALIDATOR_CHARS else None


def _asked_to_wait(response: httpx.Response) -> float | None:
    """Seconds until the server wants to be asked again; None when it does not say."""
    told = response.headers.get("retry-after", "").strip()
    if response.status_code not in (429, 503) or not told:
        return None
    if told.isdecimal():
        return float(min(int(told[:9]), 10**9))
    try:
        moment = email.utils.parsedate_to_datetime(told)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _body(response: httpx.Response, most: int, url: str) -> Iterator[bytes]:
    """The decoded body; raises `InputError` past `most` bytes."""
    length = response.headers.get("content-length", "")
    too_large = f"larger than {most:,} bytes: {url}; download the file and give it"
    # A digit more than any real size has: the number is not even read.
    if length.isdecimal() and (len(length) > 18 or int(length) > most):
        raise InputError(too_large)
    size = 0
    for chunk in _inflated(response, url):
        size += len(chunk)
        if size > most:
            raise InputError(too_large)
        yield chunk


def _inflated(response: httpx.Response, url: str) -> Iterator[bytes]:
    """The body without its content encoding, in chunks of bounded size.

    Only gzip was offered to the server, and it is undone here rather than by httpx, which would
    give a whole decompression bomb at once.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    with _told(url):
        if encoding in ("", "identity"):
            yield from response.iter_raw(_CHUNK)
        elif encoding in ("gzip", "x-gzip"):
            yield from gunzip(response.iter_raw(_CHUNK))
        else:
            raise InputError(
                f"sent in an encoding that was not asked for ({shown(encoding)}): {url}; "
                "download the file and give it"
            )


def gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress gzip bytes into chunks of bounded size; raises `zlib.error` and `EOFError`."""
    engine = zlib.decompressobj(zlib.MAX_WBITS | 16)
    for chunk in chunks:
        while chunk:
            if engine.eof:
                if not chunk.startswith(GZIP):
                    # Padding: what `gzip` ignores too.
                    return
                engine = zlib.decompressobj(zlib.MAX_WBITS | 16)
            yield engine.decompress(chunk, _CHUNK)
            chunk = engine.unused_data if engine.eof else engine.unconsumed_tail
    # All input may be taken while output still waits for room.
    while data := b"" if engine.eof else engine.decompress(b"", _CHUNK):
        yield data
    if not engine.eof:
        raise EOFError


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Turns what goes wrong on the way into one line."""
    try:
        yield
    except (httpx.TimeoutException, httpcore.TimeoutException) as error:
        raise InputError(f"no answer in time from {url}; try again later") from error
    except (httpx.RemoteProtocolError, httpcore.RemoteProtocolError, EOFError) as error:
        raise InputError(f"the answer broke off or is no HTTP: {url}; try again later") from error
    except zlib.error as error:
        raise InputError(f"the answer is damaged gzip: {url}; try again later") from error
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        OSError,
        ValueError,
    ) as error:
        reason = _CONTROL.sub(" ", str(error))[:200] or type(error).__name__
        raise InputError(
            f"cannot connect ({reason}): {url}; check the address and the connection"
        ) from error


# ---------------------------------------------------------------------------------------------
# The network


def _resolve(host: str, port: int) -> Iterator[str]:
    for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        yield str(address[0])


def _is_public(address: str) -> bool:
    """Whether an address belongs to the internet at large.

    Addresses of version 6 that carry one of version 4 (mapped, 6to4, NAT64) lead to the latter.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        carried = parsed.ipv4_mapped or parsed.sixtofour
        if carried is None and parsed in _NAT64:
            carried = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if carried is not None:
            return _is_public(str(carried))
    return parsed.is_global and not parsed.is_multicast


class _Guard(httpcore.NetworkBackend):
    """Connects only to addresses that may be reached, and not beyond a moment in time."""

    def __init__(
        self, backend: httpcore.NetworkBackend, resolve: Resolve, allow_private: bool
    ) -> None:
        self._backend = backend
        self._resolve = resolve
        self._allow_private = allow_private
        self.until = float("inf")
        """`time.monotonic()` after which nothing is read or written any more."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = list(dict.fromkeys(self._resolve(host.strip("[]"), port)))
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"no address is known for {host}") from error
        allowed = [each for each in addresses if self._allow_private or _is_public(each)]
        if addresses and not allowed:
            raise InputError(
                f"{host} is a private or reserved address ({addresses[0]}), which pages of others "
                "must not lead to; allow private addresses if you trust what is fetched"
            )
        failed: Exception = httpcore.ConnectError(f"no address is known for {host}")
        for address in allowed:
            try:
                stream = self._backend.connect_tcp(
                    address, port, self.left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
            else:
                return _Stream(stream, self)
        raise failed

    def left(self, timeout: float | None) -> float:
        """Seconds that the next step on the network may take."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer takes too long")
        return left if timeout is None else min(left, timeout)


class _Stream(httpcore.NetworkStream):
    """A connection whose every step is bounded by its guard."""

    def __init__(self, stream: httpcore.NetworkStream, guard: _Guard) -> None:
        self._stream = stream
        self._guard = guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._guard.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._guard.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._guard.left(timeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._guard)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Transport(httpx.BaseTransport):
    """httpx over a connection pool of httpcore with a guard; httpx itself offers no place for it.

    Certificates are checked against certifi's roots, or those that `SSL_CERT_FILE` names.
    """

    def __init__(self, guard: _Guard) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(), network_backend=guard, keepalive_expiry=30.0
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Incoming(answer),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._pool.close()


class _Incoming(httpx.SyncByteStream):
    """The body of an answer of httpcore, for httpx."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
