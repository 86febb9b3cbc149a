"""The page in a real Chromium: what a person types, reads and sees, and that no other host is met.

`SCREENSHOT=docs/screenshot.png python -m pytest -m browser` also takes the README's picture.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect, sync_playwright
from test_app import HOSTILE, PANDAS, QUESTION, serving

from ingest import ingest
from rag.assistant import Assistant
from rag.embedding import Embedder
from rag.errors import ChatModelError
from rag.schema import Answer
from rag.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings(PANDAS)]

DESKTOP, PHONE = (1280, 800), (375, 740)
WIDTH = "document.documentElement.scrollWidth"
VIETNAMESE = "Đã chi bao nhiêu để hỗ trợ người gặp khó khăn do Covid-19?"
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

Visit = Callable[..., Page]
expect.set_options(timeout=15_000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        reason = "no chromium on this machine; on Debian: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def url(chromium: Browser, sample_assistant: Assistant) -> Iterator[str]:
    with serving(sample_assistant) as url:
        yield url


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """Opens a page as a new visitor; afterwards no visitor has met another host or an error."""
    contexts, met, errors = [], set(), []

    def refuse(dialog: Dialog) -> None:
        errors.append(dialog.message)
        dialog.dismiss()

    def open_page(url: str, size: tuple[int, int] = DESKTOP, *, scheme: Any = "light") -> Page:
        width, height = size
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: met.add(urlsplit(request.url)[:2]))
        page.on("websocket", lambda sent: met.add(urlsplit(sent.url)[:2]))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", refuse)
        page.goto(url)
        expect(page.locator(".qa-known")).to_be_visible(timeout=30_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors
    hosts = {host for scheme, host in met if scheme not in ("data", "blob")}
    assert {host.rpartition(":")[0] for host in hosts} == {"127.0.0.1"}


def ask(page: Page, question: str) -> Locator:
    """Type a question, send it with Enter, and wait for the whole answer; its bubble."""
    said = page.locator("#qa-chat .bot-row")
    before = said.count()
    page.locator("#qa-question textarea").fill(question)
    page.keyboard.press("Enter")
    expect(said).to_have_count(before + 1)
    expect(said.last).not_to_have_text("…")
    return said.last


def evidence(page: Page) -> Locator:
    """The open part of the evidence column."""
    return page.locator("#qa-evidence .qa-turn[open]")


def test_a_question_is_answered_with_its_sentence_highlighted_in_the_release(
    visit: Visit, url: str, sample_assistant: Assistant
) -> None:
    expected = sample_assistant.ask(QUESTION)
    first = expected.citations[0]
    page = visit(url)
    said = ask(page, QUESTION)
    expect(said.locator("strong").first).to_have_text("VND 608.5 billion")
    expect(said).to_contain_text("(608,5 tỷ đồng) [1]")
    card = evidence(page).locator(".qa-card").first
    mark = card.locator("blockquote").first.locator("mark")
    expect(mark).to_have_text(first.quote)
    assert mark.evaluate("mark => getComputedStyle(mark).backgroundColor") not in (
        "rgba(0, 0, 0, 0)",
        card.evaluate("card => getComputedStyle(card).backgroundColor"),
    )
    around = card.locator("blockquote").first.inner_text()
    assert len(around) > len(first.quote), "the sentence stands in its paragraph"
    for part in (
        "[1]",
        "04/TC-UBND",
        "24 June 2021",
        "UBND",
        "I- Kết quả",
        Path(first.source).name,
    ):
        expect(card).to_contain_text(part)
    expect(evidence(page).locator(".qa-level")).to_contain_text("%")


def test_a_vietnamese_question_gets_vietnamese_labels(visit: Visit, url: str) -> None:
    page = visit(url)
    said = ask(page, VIETNAMESE)
    expect(said).to_contain_text("608,5 tỷ đồng")
    expect(evidence(page).locator(".qa-kind")).to_contain_text("Căn cứ")
    expect(evidence(page).locator(".qa-card").first).to_contain_text("24/06/2021")


def test_the_page_says_which_releases_it_knows(visit: Visit, url: str) -> None:
    known = visit(url).locator(".qa-known")
    for part in ("1 thông cáo", "04/TC-UBND", "24/06/2021", "UBND", "Kết quả công tác chỉ đạo"):
        expect(known).to_contain_text(part)


def test_a_corrected_release_is_marked_where_it_is_listed_and_cited(
    visit: Visit, embedder: Embedder, tmp_path: Path
) -> None:
    releases = Path(__file__).parent / "data" / "releases"
    names = ("38-TC-UBND-2023-06-29.md", "41-TC-UBND-2023-07-05.md")
    settings = Settings(data_dir=tmp_path / "var")
    assert not ingest([releases / name for name in names], settings, embedder=embedder).failed
    with Assistant.open(settings, embedder=embedder) as assistant, serving(assistant) as url:
        page = visit(url)
        rows = page.locator(".qa-known li")
        expect(rows).to_have_count(2)
        old = rows.filter(has_text="Kết quả thực hiện nhiệm vụ")
        expect(old.locator(".qa-old")).to_contain_text("corrected by 41/TC-UBND · 05/07/2023")
        expect(rows.locator(".qa-old")).to_have_count(1)
        new = rows.filter(has_text="Về việc đính chính số liệu")
        expect(new.locator("dl")).to_be_hidden()
        new.locator("summary").click()
        for part in ("Trích yếu · Subject", "38/TC-UBND", "Võ Minh Khuê", "văn bản · text"):
            expect(new.locator("dl")).to_contain_text(part)
        ask(page, "Xuất khẩu 6 tháng đầu năm 2023 của tỉnh Tân Giang đạt bao nhiêu?")
        card = evidence(page).locator(".qa-card").first
        expect(card).to_contain_text("880,4 triệu USD")
        expect(card.locator(".qa-old")).to_contain_text("đính chính bởi 41/TC-UBND")
        assert page.evaluate(WIDTH) <= DESKTOP[0]


def test_an_example_asks_itself(visit: Visit, url: str) -> None:
    page = visit(url)
    page.get_by_role("button", name="How much was disbursed").click()
    expect(page.locator("#qa-chat .bot-row")).to_contain_text("608,5 tỷ đồng")
    expect(evidence(page).locator("mark").first).to_be_visible()


def test_a_refusal_shows_related_passages_and_no_citation(
    visit: Visit, sample_settings: Settings, embedder: Embedder
) -> None:
    # Nothing is ever certain: every question is refused.
    settings = sample_settings.model_copy(update={"threshold": 1.0})
    with Assistant.open(settings, embedder=embedder) as assistant, serving(assistant) as url:
        page = visit(url, PHONE)
        said = ask(page, QUESTION)
        expect(said).to_contain_text("The releases do not say.")
        expect(said.locator("a")).to_have_count(0)
        expect(evidence(page).locator(".qa-kind")).to_have_text("Nearest passages, not evidence")
        expect(evidence(page).locator(".qa-related").first).to_contain_text("04/TC-UBND")
        expect(page.locator("#qa-evidence mark")).to_have_count(0)
        expect(page.locator("#qa-evidence .qa-marker")).to_have_count(0)
        assert page.evaluate(WIDTH) <= PHONE[0]
        expect(ask(page, VIETNAMESE)).to_contain_text("Các thông cáo không")


@pytest.mark.parametrize(
    ("question", "message"),
    [("", "question"), ("a" * 1001, "1,001"), ("how\x07 much?", "control")],
    ids=["empty", "too long", "control character"],
)
def test_a_bad_question_gets_a_clear_message_and_loses_nothing(
    visit: Visit, url: str, question: str, message: str
) -> None:
    page = visit(url)
    ask(page, QUESTION)
    said = ask(page, question)
    expect(said).to_contain_text(message)
    expect(said).not_to_contain_text("Traceback")
    expect(page.locator("#qa-question textarea")).to_have_value(question)
    expect(evidence(page).locator("mark").first).to_be_visible()
    expect(ask(page, QUESTION)).to_contain_text("608,5 tỷ đồng")


def test_asking_before_anything_is_ingested_names_the_command(visit: Visit, tmp_path: Path) -> None:
    with Assistant.open(Settings(data_dir=tmp_path / "var")) as empty, serving(empty) as url:
        page = visit(url)
        expect(page.locator(".qa-known")).to_contain_text("python -m ingest data/releases")
        expect(ask(page, QUESTION)).to_contain_text("python -m ingest")


def test_everything_can_be_done_by_keyboard(visit: Visit, url: str) -> None:
    page = visit(url)
    focused = page.locator(":focus")
    tabbed_to(page, "TEXTAREA", "Tab")
    ring = page.locator("#qa-question").evaluate("box => getComputedStyle(box).outlineStyle")
    assert ring == "solid", "focus is visible"
    page.keyboard.type(QUESTION)
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    expect(page.locator("#qa-chat .bot-row a").first).to_be_visible()
    expect(page.locator("#qa-evidence mark").first).to_be_visible()
    tabbed_to(page, "A", "Shift+Tab")
    assert focused.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    marker = focused.inner_text()
    page.keyboard.press("Enter")
    expect(focused).to_have_class("qa-card")
    expect(focused.locator(".qa-marker")).to_have_text(marker)
    expect(focused).to_be_in_viewport()


def tabbed_to(page: Page, tag: str, key: str) -> None:
    """Press a key until an element of that tag has the focus."""
    for _ in range(20):
        if page.evaluate("document.activeElement.tagName") == tag:
            return
        page.keyboard.press(key)
    pytest.fail(f"{key} never reaches {tag}")


def test_a_marker_of_an_earlier_answer_unfolds_its_evidence(visit: Visit, url: str) -> None:
    page = visit(url)
    earlier = ask(page, QUESTION)
    ask(page, VIETNAMESE)
    expect(page.locator("#t1")).not_to_have_attribute("open", "")
    page.locator("#qa-chat .bot-row").first.locator("a").first.click()
    expect(page.locator("#t1-c1")).to_be_focused()
    expect(page.locator("#t1-c1 mark").first).to_be_in_viewport()
    assert earlier.page.url.rstrip("/") == url.rstrip("/")


def test_a_phone_shows_all_of_it_without_scrolling_sideways(visit: Visit, url: str) -> None:
    page = visit(url, PHONE)
    assert page.evaluate(WIDTH) <= PHONE[0]
    said = ask(page, QUESTION)
    mark = evidence(page).locator("mark").first
    expect(mark).to_be_visible()
    assert page.evaluate(WIDTH) <= PHONE[0]
    above, below = said.bounding_box(), mark.bounding_box()
    assert above
    assert below
    assert below["y"] > above["y"] + above["height"], "evidence stands below the answer"
    assert below["x"] >= 0
    assert below["x"] + below["width"] <= PHONE[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_highlight_are_readable_in_both_schemes(
    visit: Visit, url: str, scheme: str
) -> None:
    page = visit(url, scheme=scheme)
    said = ask(page, QUESTION)
    expect(evidence(page).locator("mark").first).to_be_visible()
    ground = _luminance(page.locator("body"), "backgroundColor")
    assert ground < 0.05 if scheme == "dark" else ground > 0.8
    card = evidence(page).locator(".qa-card").first
    mark = card.locator("mark").first
    message = said.locator(".prose").first
    for text, behind in (
        (card.locator("blockquote").first, card),
        (mark, mark),
        (card.locator("footer"), card),
        (card.locator(".qa-path"), card),
        (message.locator("a").first, said),
        (message, said),
    ):
        light, dark = sorted(
            (_luminance(text, "color"), _luminance(behind, "backgroundColor")), reverse=True
        )
        # WCAG 2 contrast ratio, level AA.
        assert (light + 0.05) / (dark + 0.05) >= 4.5, text


def test_markup_in_a_release_stays_text(visit: Visit, tmp_path: Path, embedder: Embedder) -> None:
    text = (
        "Số: 09/TC-UBND\n\nHà Nội, ngày 5 tháng 7 năm 2022\n\nTHÔNG CÁO BÁO CHÍ\n\n"
        f"Kết quả {HOSTILE}\n\nTổng kinh phí hỗ trợ doanh nghiệp là {HOSTILE}\n"
    )
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "hostile.txt").write_text(text, encoding="utf-8")
    settings = Settings(data_dir=tmp_path / "var")
    ingest([folder], settings, embedder=embedder)
    with Assistant.open(settings) as assistant, serving(assistant) as url:
        page = visit(url)
        said = ask(page, f"Tổng kinh phí hỗ trợ doanh nghiệp là bao nhiêu? {HOSTILE[:60]}")
        ask(page, "Tổng kinh phí hỗ trợ doanh nghiệp là bao nhiêu?")
        expect(page.locator("#qa-evidence .qa-card").first).to_be_visible()
        for part in ("#qa-chat .message-row", "#qa-evidence", ".qa-known"):
            for tag in ("img", "script", "iframe", "b b", 'a[href*="evil"]', 'a[href^="java"]'):
                expect(page.locator(f"{part} {tag}")).to_have_count(0)
        shown = page.locator("#qa-evidence").inner_text()
        assert "${alert(4)}" in shown
        assert "{{value}}" in shown
        expect(said).to_be_attached()


class Scripted:
    """An assistant whose words are given, to see what is done with each; the rest is real."""

    def __init__(self, real: Assistant, turns: Sequence[Sequence[Answer | Exception]]) -> None:
        self._turns = iter(turns)
        self.releases, self.release = real.releases, real.release
        self.superseded = real.superseded
        self.histories: list[list[tuple[str, str]]] = []

    def stream(self, question: str, history: Any = (), filters: Any = None) -> Iterator[Answer]:
        self.histories.append(list(history))
        for said in next(self._turns):
            if isinstance(said, Exception):
                raise said
            yield said


def saying(text: str) -> Answer:
    return Answer("Q?", "answered", text, "", "en", confidence=0.5)


def test_earlier_answers_are_handed_on_and_errors_are_not(
    visit: Visit, sample_assistant: Assistant
) -> None:
    broken = ChatModelError("the chat model <b>did</b> not answer; try again")
    script = Scripted(
        sample_assistant,
        [
            [saying("Part"), saying("Partly **one**.")],
            [saying("Half"), broken],
            [broken],
            [saying("Two.")],
        ],
    )
    with serving(script) as url:  # type: ignore[arg-type]
        page = visit(url)
        expect(ask(page, "first?")).to_contain_text("Partly one.")
        said = page.locator("#qa-chat .bot-row")
        ask(page, "second?")
        expect(said.last).to_contain_text("Half")
        expect(said.last).to_contain_text("the chat model <b>did</b> not answer; try again")
        expect(ask(page, "third?")).to_contain_text("the chat model <b>did</b> not answer")
        ask(page, "fourth?")
        expect(said.last).to_contain_text("Two.")
    first, second = ("first?", "Partly **one**."), ("second?", "Half")
    assert script.histories == [[], [first], [first, second], [first, second]]


def test_each_visitor_has_a_conversation_of_their_own(
    visit: Visit, sample_assistant: Assistant
) -> None:
    script = Scripted(sample_assistant, [[saying("One.")], [saying("Two.")], [saying("Three.")]])
    with serving(script) as url:  # type: ignore[arg-type]
        here, there = visit(url), visit(url)
        expect(ask(here, "mine?")).to_contain_text("One.")
        expect(ask(there, "yours?")).to_contain_text("Two.")
        expect(there.locator("#qa-chat")).not_to_contain_text("mine?")
        here.get_by_role("button", name="New chat").click()
        expect(here.locator("#qa-chat .bot-row")).to_have_count(0)
        expect(here.locator(".qa-empty")).to_be_visible()
        expect(ask(here, "again?")).to_contain_text("Three.")
    assert script.histories == [[], [], []]


def test_the_picture_for_the_readme(visit: Visit, url: str, tmp_path: Path) -> None:
    target = Path(os.environ.get("SCREENSHOT") or tmp_path / "screenshot.png")
    page = visit(url)
    expect(ask(page, QUESTION).locator("strong").first).to_have_text("VND 608.5 billion")
    expect(evidence(page).locator("mark").first).to_be_visible()
    page.screenshot(path=target)
    assert target.read_bytes().startswith(b"\x89PNG")


def _luminance(element: Locator, property_: str) -> float:
    """Relative luminance (WCAG 2) of a computed colour: 0 for black, 1 for white.

    A transparent background is looked up in the elements around it.
    """
    shown = element.evaluate(
        """(element, property) => {
            const at = (e) => getComputedStyle(e)[property];
            while (at(element) === "rgba(0, 0, 0, 0)" && element.parentElement)
                element = element.parentElement;
            const canvas = new OffscreenCanvas(1, 1).getContext("2d");
            canvas.fillStyle = at(element);
            canvas.fillRect(0, 0, 1, 1);
            return Array.from(canvas.getImageData(0, 0, 1, 1).data);
        }""",
        property_,
    )
    linear: list[float] = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in shown[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
