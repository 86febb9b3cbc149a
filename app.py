"""The page: a chat that answers from the releases, and beside it the passages it rests on.

`python app.py [--host H] [--port P] [--data-dir DIR]`; `build` makes the page for any assistant.
Programs ask through the endpoint `/ask`: `Client(url).predict(question, api_name="/ask")` returns
`Answer.to_dict()`.
"""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api

from rag.assistant import Assistant
from rag.errors import RagError
from rag.schema import Answer
from rag.settings import Settings
from ui.look import CSS, SANS, SCRIPT
from ui.render import asked, bubble, column, known, panel, plain, trouble

EXAMPLES = (
    "Đã chi bao nhiêu để hỗ trợ người gặp khó khăn do Covid-19?",
    "Kim ngạch xuất khẩu 6 tháng đầu năm đạt bao nhiêu?",
    "How much was disbursed for COVID support?",
    "How many new businesses were set up in the first half of the year?",
)
_AT_ONCE = 4
"""Questions answered at the same time; the rest wait in Gradio's queue."""
_TURNS = 30
"""Turns kept and shown in one conversation."""
_HISTORY = 6
"""Earlier turns handed to the assistant with a new question."""
_SESSION_SECONDS = 4 * 3600


@dataclass(frozen=True, slots=True)
class Turn:
    """One question of a conversation and what was said to it."""

    number: int
    """Counts from 1 within a conversation; part of the ids of its cards."""
    question: str
    said: str = "…"
    """Safe Markdown."""
    panel: str = ""
    """Safe HTML; empty when there is nothing to show beside the answer."""
    text: str = ""
    """The answer's own text; empty while searching, and when an error came instead."""


class Page(gr.Blocks):
    """Blocks that keep their looks, and their silence towards other hosts, however launched."""

    def launch(self, *args: Any, **options: Any) -> Any:
        """`gradio.Blocks.launch` with this page's theme, style and script as defaults."""
        defaults: dict[str, Any] = {
            "theme": _theme(),
            "css": CSS,
            "js": SCRIPT,
            "footer_links": [],
            "run_history": False,
            "share": False,
            "ssr_mode": False,
        }
        return super().launch(*args, **(defaults | options))


def build(assistant: Assistant) -> gr.Blocks:
    """The page over an open assistant, which must stay open as long as the page is served.

    Errors that a user can cause are shown as a message in the chat; the endpoint `/ask` raises
    them as `gradio.Error` with the same line.
    """

    def respond(question: str, turns: tuple[Turn, ...]) -> Iterator[tuple[Any, ...]]:
        turn = Turn(turns[-1].number + 1 if turns else 1, question)
        yield "", *_shown((*turns, turn)), turns
        history = [(past.question, past.text) for past in turns if past.text][-_HISTORY:]
        last: Answer | None = None
        try:
            superseded = assistant.superseded()
            for answer in assistant.stream(question, history=history):
                beside = turn.panel
                if last is None or _beside(last) != _beside(answer):
                    beside = panel(answer, turn.number, assistant.release, superseded)
                last = answer
                turn = Turn(turn.number, question, bubble(answer, turn.number), beside, answer.text)
                yield "", *_shown((*turns, turn)), turns
        except RagError as error:
            # What was already answered stays: a chat model may fail after the extractive answer.
            note = f"**Lưu ý / Note:** {plain(str(error))}"
            turn = replace(turn, said=f"{turn.said}\n\n{note}" if turn.text else note)
        kept = (*turns, turn)[-_TURNS:]
        # After an error the question goes back into its box, to be mended.
        yield "" if turn.text else question, *_shown(kept), kept

    def ask(question: str) -> dict[str, Any]:
        try:
            return assistant.ask(question).to_dict()
        except RagError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def refresh() -> str:
        try:
            return known(assistant.releases(), assistant.superseded())
        except RagError as error:
            return trouble(str(error))

    def forget() -> tuple[Any, ...]:
        return "", *_shown(()), ()

    bare: dict[str, Any] = {"js_on_load": None, "apply_default_css": False}
    page: gr.Blocks = Page(title="Release QA", analytics_enabled=False, fill_width=True)
    with page:
        turns = gr.State((), time_to_live=_SESSION_SECONDS)
        gr.HTML(
            '<div class="qa-title"><h1>Release QA</h1>'
            '<p><span lang="vi">Hỏi thông cáo báo chí; mỗi con số kèm nguyên văn.</span> '
            '<span lang="en">Ask government releases; every figure comes with its exact words.'
            "</span></p></div>",
            **bare,
        )
        with gr.Row(elem_id="qa-page"):
            with gr.Column(scale=5, min_width=300, elem_id="qa-talk"):
                chat = gr.Chatbot(
                    elem_id="qa-chat",
                    label="Hỏi đáp / Questions and answers",
                    show_label=False,
                    height="calc(100vh - 380px)",
                    min_height=340,
                    buttons=[],
                    feedback_options=None,
                    latex_delimiters=[],
                    allow_tags=False,
                    sanitize_html=True,
                    layout="panel",
                    placeholder="Thử một câu hỏi · Try a question",
                    examples=[{"text": text} for text in EXAMPLES],
                )
                box = gr.Textbox(
                    elem_id="qa-question",
                    label="Câu hỏi / Question",
                    show_label=False,
                    placeholder="Câu hỏi · Question",
                    max_lines=5,
                    autofocus=True,
                    submit_btn="Hỏi · Ask",
                )
                new = gr.Button("Hội thoại mới · New chat", elem_id="qa-new", size="sm")
                releases = gr.HTML(elem_id="qa-releases", **bare)
            with gr.Column(scale=6, min_width=300, elem_id="qa-beside"):
                evidence = gr.HTML(column(()), elem_id="qa-evidence", **bare)

        shown = [box, chat, evidence, turns]
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        box.submit(respond, [box, turns], shown, concurrency_limit=_AT_ONCE, **private)
        chat.example_select(_example, None, box, **private).then(
            respond, [box, turns], shown, concurrency_limit=_AT_ONCE, **private
        )
        new.click(forget, None, shown, **private)
        page.load(refresh, None, releases, **private)
        api(
            ask,
            api_name="ask",
            api_description="Ask one question; returns the answer with its citations.",
            concurrency_limit=_AT_ONCE,
        )
    return page


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until interrupted; the exit status (0 done, 1 failed, 2 bad usage)."""
    parser = argparse.ArgumentParser(
        prog="python app.py", description="Ask government releases in a browser."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (%(default)s)")
    parser.add_argument("--port", type=_port, default=7860, help="port to serve on (%(default)s)")
    parser.add_argument("--data-dir", type=Path, help="where the collection lives (default: var)")
    options = parser.parse_args(arguments)
    try:
        settings = Settings(**({"data_dir": options.data_dir} if options.data_dir else {}))
    except RagError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    busy = _refused(options.host, options.port)
    if busy:
        print(f"error: {busy}", file=sys.stderr)
        return 1
    try:
        with Assistant.open(settings) as assistant:
            _serve(build(assistant), options.host, options.port)
    except RagError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _serve(page: gr.Blocks, host: str, port: int) -> None:
    # Gradio checks its own server over HTTP; behind a proxy the check would leave the machine.
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1,localhost")))
    try:
        page.launch(server_name=host, server_port=port, quiet=True, prevent_thread_lock=True)
        print(f"Release QA: {page.local_url}  (Ctrl+C stops it)", flush=True)
        page.block_thread()
    finally:
        page.close(verbose=False)


def _shown(turns: Sequence[Turn]) -> tuple[list[dict[str, str]], str]:
    """The chat's messages and the evidence column."""
    messages = []
    for turn in turns:
        messages.append({"role": "user", "content": asked(turn.question)})
        messages.append({"role": "assistant", "content": turn.said})
    return messages, column(
        [(turn.number, turn.question, turn.panel) for turn in turns if turn.panel]
    )


def _beside(answer: Answer) -> tuple[object, ...]:
    """What the panel depends on: partial answers that differ in their text alone share one."""
    return answer.status, answer.citations, answer.figures, answer.hits, answer.confidence


def _example(chosen: gr.SelectData) -> str:
    return str(chosen.value["text"])


def _port(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 1 to 65535")


def _refused(host: str, port: int) -> str | None:
    """Why the address cannot be served on, None when it can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"port {port} on {host} is in use; choose another with --port"
        return f"cannot serve on {host}:{port} ({error.strerror or error}); check --host and --port"
    return None


def _theme() -> gr.themes.Base:
    return gr.themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        radius_size="sm",
        font=[*SANS, "sans-serif"],
        font_mono=["ui-monospace", "Consolas", "DejaVu Sans Mono", "monospace"],
    ).set(
        body_background_fill="#f3f5f7",
        body_background_fill_dark="#10171e",
        body_text_color="#16222e",
        body_text_color_dark="#e6ebf0",
        block_background_fill="#ffffff",
        block_background_fill_dark="#18212a",
        block_border_color="#d9dfe5",
        block_border_color_dark="#2e3a46",
        input_placeholder_color="#64717f",
        input_placeholder_color_dark="#93a1ae",
        input_background_fill="#ffffff",
        input_background_fill_dark="#18212a",
    )


if __name__ == "__main__":
    sys.exit(main())
