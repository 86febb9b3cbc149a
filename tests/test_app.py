"""The page over a real server, asked by Gradio's client, and what it makes of untrusted text."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from hypothesis import given
from hypothesis import strategies as st

import app
from rag.assistant import Assistant
from rag.schema import Answer, Citation, Figure, Hit, Passage, Release, Section
from rag.settings import Settings
from ui.render import asked, bubble, card_id, column, known, panel, plain

# Gradio's queue uses what pandas 3 deprecates.
PANDAS = "ignore::pandas.errors.Pandas4Warning"
pytestmark = pytest.mark.filterwarnings(PANDAS)

ROOT = Path(app.__file__).parent
QUESTION = "How much was disbursed for COVID support?"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(assistant: Assistant) -> Iterator[str]:
    """The address of a page over `assistant`."""

    async def start() -> Any:
        page = app.build(assistant)
        page.launch(
            server_name="127.0.0.1", server_port=free_port(), prevent_thread_lock=True, quiet=True
        )
        return page

    # Without a running event loop Gradio would make several of its own and leave them unclosed; a
    # thread, because the caller's may have one running already.
    with ThreadPoolExecutor(1) as pool:
        page = pool.submit(lambda: asyncio.run(start())).result()
    try:
        yield page.local_url
    finally:
        page.close(verbose=False)


@contextmanager
def connected(url: str) -> Iterator[Client]:
    client = Client(url, verbose=False)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture(scope="module")
def url(sample_assistant: Assistant) -> Iterator[str]:
    with serving(sample_assistant) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with connected(url) as client:
        yield client


class TestEndpoint:
    def test_an_answer_comes_with_exact_citations(
        self, client: Client, sample_assistant: Assistant
    ) -> None:
        answer = client.predict(QUESTION, api_name="/ask")
        assert answer["status"] == "answered"
        assert "608,5 tỷ đồng" in answer["text"]
        assert "608500000000" in [figure["value"] for figure in answer["figures"]]
        assert answer["citations"]
        for citation in answer["citations"]:
            text = sample_assistant.release(citation["release_id"]).text
            assert text[citation["start"] : citation["end"]] == citation["quote"]

    def test_several_clients_at_once_get_the_answers_to_their_own_questions(
        self, url: str, sample_assistant: Assistant
    ) -> None:
        def ask(question: str) -> Any:
            with connected(url) as client:
                return client.predict(question, api_name="/ask")

        questions = [*app.EXAMPLES, *app.EXAMPLES]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(ask, questions))
        assert [answer["question"] for answer in answers] == questions
        for question, answer in zip(questions, answers, strict=True):
            assert answer["text"] == sample_assistant.ask(question).text

    @pytest.mark.parametrize(
        "question", ["", "   ", "a" * 1001, "how\x00 much?", "how\x1b[31m much?"]
    )
    def test_a_bad_question_is_one_clear_line(self, client: Client, question: str) -> None:
        with pytest.raises(AppError) as caught:
            client.predict(question, api_name="/ask")
        message = str(caught.value)
        assert message
        assert "\n" not in message
        assert "Traceback" not in message
        assert "question" in message

    def test_asking_before_anything_is_ingested_names_the_command(self, tmp_path: Path) -> None:
        with (
            Assistant.open(Settings(data_dir=tmp_path / "var")) as assistant,
            serving(assistant) as url,
            connected(url) as client,
            pytest.raises(AppError, match="python -m ingest"),
        ):
            client.predict(QUESTION, api_name="/ask")

    def test_it_is_the_only_public_endpoint(self, client: Client) -> None:
        described = client.view_api(return_format="dict", print_info=False)
        assert list(described["named_endpoints"]) == ["/ask"]
        assert not described["unnamed_endpoints"]


class TestCommand:
    def test_a_port_in_use_is_one_line_and_exit_1(self, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            assert app.main(["--port", str(port)]) == 1
        assert capsys.readouterr().err == (
            f"error: port {port} on 127.0.0.1 is in use; choose another with --port\n"
        )

    def test_a_host_that_is_not_ours_is_one_line_and_exit_1(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert app.main(["--host", "192.0.2.1", "--port", str(free_port())]) == 1
        error = capsys.readouterr().err
        assert error.startswith("error: cannot serve on 192.0.2.1:")
        assert error.count("\n") == 1

    def test_an_unknown_setting_is_one_line_and_exit_2(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RAG_COLOUR", "blue")
        assert app.main([]) == 2
        error = capsys.readouterr().err
        assert "RAG_COLOUR" in error
        assert error.count("\n") == 1

    @pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "7860.5", "²"])
    def test_a_bad_port_is_bad_usage(self, capsys: pytest.CaptureFixture[str], port: str) -> None:
        with pytest.raises(SystemExit) as caught:
            app.main([f"--port={port}"])
        assert caught.value.code == 2
        assert "is not a port" in capsys.readouterr().err

    def test_it_serves_until_interrupted(self, sample_settings: Settings) -> None:
        port = free_port()
        # A proxy that nobody listens on: the server must not depend on one to reach itself.
        environment = dict(os.environ, http_proxy="http://127.0.0.1:9", HTTP_PROXY="http://[::1]:9")
        environment.pop("no_proxy", None)
        environment.pop("NO_PROXY", None)
        arguments = ["--port", str(port), "--data-dir", str(sample_settings.data_dir)]
        with subprocess.Popen(
            [sys.executable, "app.py", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                assert f"http://127.0.0.1:{port}" in process.stdout.readline()
                opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                with opener.open(f"http://127.0.0.1:{port}/", timeout=30) as reply:
                    assert "Release QA" in reply.read().decode()
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=30)
            finally:
                process.kill()
        assert process.returncode == 0
        assert "Traceback" not in errors


HOSTILE = (
    '<img src=x onerror="alert(1)"> <script>alert(2)</script> ![x](http://evil.example/x.png) '
    "[here](javascript:alert(3)) <http://evil.example> https://evil.example/a www.evil.example "
    "`code` ```mermaid $$x$$ ${alert(4)} {{value}} &lt;b&gt; </mark> \\[y](http://evil.example) "
    "a@evil.example | 1.000 tỷ đồng."
)


def release_of(text: str, **facts: Any) -> Release:
    return Release(id="0" * 16, source="in/one.md", sha256="", text=text, language="vi", **facts)


def answer_of(release: Release, start: int, end: int, text: str = "So [1].", **more: Any) -> Answer:
    citation = Citation(
        marker=1,
        release_id=release.id,
        number=release.number,
        title=release.title,
        issuer=release.issuer,
        issued=release.issued,
        source=release.source,
        page=release.page_at(start),
        start=start,
        end=end,
        quote=release.text[start:end],
    )
    given: dict[str, Any] = {"language": "en", "citations": (citation,), "confidence": 0.5}
    return Answer("Q?", "answered", text, "", **(given | more))


class Read(HTMLParser):
    """What a browser would make of a panel: its tags, attributes, and the text in each tag."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self._open.append(tag)
        self.text.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, "tags nest"

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.text[tag][-1] += data


TAGS = {
    "article", "b", "blockquote", "code", "details", "footer", "header", "i", "mark", "p", "span",
    "strong", "summary", "time",
}  # fmt: skip
ATTRIBUTES = {"aria-hidden", "class", "datetime", "id", "lang", "style", "tabindex"}


def giving(release: Release) -> Callable[[str], Release]:
    return lambda _id: release


class TestEvidence:
    @given(before=st.text(), quote=st.text(min_size=1), after=st.text(), facts=st.text())
    def test_the_highlight_is_the_cited_span_whatever_the_release_holds(
        self, before: str, quote: str, after: str, facts: str
    ) -> None:
        # The parser reads carriage returns and NUL its own way; canonical text holds neither.
        before, quote, after = (
            part.translate({0: " ", 13: " "}) for part in (before, quote, after)
        )
        release = release_of(before + quote + after, number=facts, title=facts, issuer=facts)
        answer = answer_of(release, len(before), len(before) + len(quote))
        read = Read(panel(answer, 1, giving(release)))
        assert set(read.tags) <= TAGS
        assert read.attributes <= ATTRIBUTES
        assert set(read.text["mark"]) == {quote}

    def test_markup_in_a_release_is_shown_as_it_is_written(self) -> None:
        release = release_of(HOSTILE, number=HOSTILE, title=HOSTILE, issuer=HOSTILE)
        read = Read(panel(answer_of(release, 0, len(HOSTILE)), 1, giving(release)))
        assert set(read.tags) <= TAGS
        assert read.text["mark"] == [HOSTILE]
        assert read.text["strong"] == [HOSTILE]

    def test_a_card_says_where_its_span_stands(self) -> None:
        text = "I- Một\nMở đầu. Chi 5 tỷ đồng. Hết.\nĐoạn khác."
        release = release_of(
            text,
            number="07/TC",
            title="Kết quả",
            issuer="UBND Thành phố",
            issued=date(2022, 3, 9),
            sections=(Section("I- Một", 1, 0, len(text)),),
            pages=(0, 10),
        )
        start = text.index("Chi")
        figure = Figure("5 tỷ đồng", Decimal(5 * 10**9), "VND", start + 4, start + 13)
        answer = answer_of(release, start, start + 14, figures=(figure,))
        html = panel(answer, 3, giving(release))
        read = Read(html)
        assert f'id="{card_id(3, 1)}"' in html
        assert read.text["mark"] == ["Chi 5 tỷ đồng."]
        assert read.text["b"][-1] == "5 tỷ đồng"
        assert read.text["blockquote"] == ["Mở đầu. Chi 5 tỷ đồng. Hết."]
        shown = "".join(read.text["article"])
        for part in ("[1]", "07/TC", "9 March 2022", "UBND Thành phố", "I- Một", "page 2"):
            assert part in shown
        assert read.text["code"] == ["one.md"]
        assert "09/03/2022" in panel(replace(answer, language="vi"), 3, giving(release))

    def test_a_long_paragraph_is_cut_around_the_span_and_can_be_unfolded(self) -> None:
        words = "một hai ba bốn năm " * 200
        text = words + "Chi 5 tỷ đồng. " + words
        release = release_of(text)
        start = text.index("Chi")
        read = Read(panel(answer_of(release, start, start + 14), 1, giving(release)))
        near, whole = read.text["blockquote"]
        assert whole == text
        assert near.startswith("… ")
        assert near.endswith(" …")
        assert near.strip("… ") in text
        assert 500 < len(near) < 800
        assert read.text["mark"] == ["Chi 5 tỷ đồng."] * 2

    def test_a_refusal_shows_related_passages_without_markers_or_highlights(self) -> None:
        release = release_of(HOSTILE + "\n" + "chữ " * 500, number="07/TC")
        passages = [Passage(str(n), release.id, 0, len(release.text), release.text) for n in "1234"]
        hits = tuple(Hit(passage, 1.0, rank) for rank, passage in enumerate(passages, 1))
        answer = Answer("Q?", "not_found", "The releases do not say.", "", "en", hits=hits)
        read = Read(panel(answer, 1, giving(release)))
        assert read.tags.count("article") == 3
        assert set(read.tags) <= TAGS - {"mark", "b"}
        assert "not evidence" in read.text["p"][0]
        assert "[1]" not in "".join(read.text["article"])
        assert "Confidence" not in "".join(read.text["p"])

    def test_a_card_of_a_corrected_release_says_so(self) -> None:
        old = release_of("Chi 5 tỷ đồng.", number="38/TC")
        new = replace(release_of("", title="<b>Mới</b>", issued=date(2023, 7, 5)), id="1" * 16)
        answer = answer_of(old, 0, 5)
        html = panel(answer, 1, {old.id: old, new.id: new}.__getitem__, {old.id: new.id})
        said = [text for text in Read(html).text["span"] if "corrected" in text]
        assert said == ["Replaced or corrected by <b>Mới</b> · 5 July 2023"]
        refusal = Answer(
            "Q?", "not_found", "", "", "vi", hits=(Hit(Passage("p", old.id, 0, 3, "Chi"), 1.0, 1),)
        )
        html = panel(refusal, 1, {old.id: old, new.id: new}.__getitem__, {old.id: new.id})
        assert "thay thế hoặc đính chính bởi" in html

    def test_a_refusal_with_nothing_near_says_so(self) -> None:
        answer = Answer("Q?", "not_found", "Không thấy.", "", "vi")
        assert "Không có đoạn nào" in panel(answer, 1, giving(release_of("")))

    def test_the_newest_turn_stands_first_and_open(self) -> None:
        html = column([(1, "<one>", "A"), (2, "two", "B")])
        assert html.index('id="t2" open') < html.index('id="t1">')
        assert "&lt;one&gt;" in html


class TestKnown:
    def test_it_counts_and_lists_the_newest_first(self) -> None:
        old = release_of("", number="1/<TC>", issued=date(2020, 1, 2), issuer="Sở Y tế", title="Cũ")
        new = release_of("", number="2/TC", issued=date(2021, 1, 2))
        html = known([old, new])
        assert "2 thông cáo · releases" in html
        assert html.index("2/TC") < html.index("1/&lt;TC&gt;")
        for part in ("02/01/2020", "Sở Y tế", "Cũ", "one.md"):
            assert part in html

    def test_hundreds_are_counted_and_the_list_ends(self) -> None:
        html = known([release_of("", number=f"{n}/TC") for n in range(250)])
        assert "250 thông cáo" in html
        assert html.count("<strong>") == 100
        assert "+150" in html

    def test_a_release_unfolds_to_all_that_is_known_and_where_it_came_from(self) -> None:
        release = release_of(
            "",
            number="<i>41",
            issued=date(2023, 7, 5),
            issuer="Văn phòng",
            place="Tân Giang",
            kind="THÔNG CÁO",
            subject="đính chính <b>",
            signer="Võ Minh Khuê",
            supersedes="38/TC",
            provenance=(("number", "text"), ("subject", "sidecar"), ("issuer", "properties")),
        )
        read = Read(known([release]))
        facts = dict(zip(read.text["dt"], read.text["dd"], strict=True))
        assert facts["Số · Number"] == "<i>41 văn bản · text"
        assert facts["Ngày · Date"] == "05/07/2023"
        assert facts["Cơ quan · Issuer"] == "Văn phòng thuộc tính tệp · file properties"
        assert facts["Trích yếu · Subject"] == "đính chính <b> tệp kèm · sidecar"
        assert facts["Thay thế, đính chính · Replaces or corrects"] == "38/TC"
        assert facts["Tệp · File"] == "one.md"
        assert {"Tân Giang", "THÔNG CÁO", "Võ Minh Khuê"} <= set(facts.values())

    def test_a_release_that_was_corrected_says_by_which(self) -> None:
        old = release_of("", number="38/TC", issued=date(2023, 6, 29))
        new = replace(release_of("", number="41/<TC>", issued=date(2023, 7, 5)), id="1" * 16)
        html = known([old, new], {old.id: new.id})
        assert html.count("qa-old") == 1
        assert "bởi · Replaced or corrected by 41/&lt;TC&gt; · 05/07/2023" in html
        assert "qa-old" not in known([old], {old.id: new.id})

    def test_none_names_the_command(self) -> None:
        assert "python -m ingest" in known([])


class TestChat:
    @given(st.text())
    def test_an_answer_holds_no_markup_but_emphasis_and_its_own_markers(self, text: str) -> None:
        release = release_of("abc")
        said = bubble(answer_of(release, 0, 1, text + " [1] [2]"), 4)
        assert "<" not in said
        assert said.count("](") == said.count("](#t4-c1)") == 1 + text.count("[1]")
        assert "![" not in said.replace("[&#91;1&#93;](#t4-c1)", "")
        for mark in ("`", "://", "www.", "@", "$"):
            assert mark not in said

    def test_only_citations_are_linked(self) -> None:
        said = bubble(answer_of(release_of("abc"), 0, 1, "**5 tỷ** [1], [7], [x](y)"), 2)
        assert said == "**5 tỷ** [&#91;1&#93;](#t2-c1), &#91;7&#93;, &#91;x&#93;(y)"

    def test_escapes_and_entities_keep_their_meaning(self) -> None:
        said = bubble(answer_of(release_of("abc"), 0, 1, r"5\*3 &lt;b&gt; AT&T \[1\]"), 2)
        assert said == "5&#42;3 &lt;b&gt; AT&#38;T &#91;1&#93;"

    def test_a_question_is_repeated_as_typed(self) -> None:
        assert plain("How much? 50%, 1.5 - 2") == "How much? 50%, 1.5 - 2"
        assert plain("# a\n1. b\n- c") == "&#35; a\n1&#46; b\n&#45; c"
        assert plain("a\x07b") == "a\N{REPLACEMENT CHARACTER}b"
        assert asked("x" * 5000) == "x" * 300 + "…"
        assert "empty" in asked(" \n")
