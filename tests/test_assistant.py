"""Questions to answers over real collections: citations, refusals, history, filters, LangChain."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from langchain_core.runnables import RunnableLambda

import rag
from ingest import ingest
from rag import Answer, Assistant, Filters, Settings, figures, verify
from rag.answer import MARKER
from rag.embedding import Embedder
from rag.errors import NothingIngestedError, QuestionError, StoreError

MARKED_UP = """# Kết quả sản xuất nông nghiệp năm 2023

Số: 17/TC-SNN

Lào Cai, ngày 5 tháng 1 năm 2024

Diện tích gieo trồng vụ xuân đạt 1.234 ha, tăng 4,5% so với cùng kỳ năm trước.

Sản lượng cà phê <script>alert(1)</script> đạt 52,3 nghìn tấn [1] theo &lt;b&gt;bảng [2]&lt;/b&gt;.

Chi phí **đắt** cho máy bơm là 7,5 tỷ đồng [1] và ![ảnh](https://evil.example/p.png) ~~chưa~~ `x`.

| Chỉ tiêu | Giá trị |
|---|---|
| Đàn bò sữa | 18.400 con |
"""
ENGLISH = """# Support for small firms

Leeds, 12 March 2024

The council paid $4.5 million to nearly 300 small firms after the flood of February 2024.

The library of the town will open on 9 April 2024.
"""
QUESTIONS = (
    "How much was disbursed for COVID support?",
    "Thành phố đã chi bao nhiêu tiền hỗ trợ người gặp khó khăn do Covid-19?",
    "Kim ngạch xuất khẩu tháng 6 đạt bao nhiêu?",
    "Tong thu ngan sach nha nuoc dat bao nhieu?",
    "Công suất Nhà máy điện rác Sóc Sơn là bao nhiêu?",
    "How many students registered for the exam?",
    "Ai chủ trì hội nghị giao ban?",
    "Kỳ thi tốt nghiệp THPT diễn ra khi nào?",
    "Vì sao giải ngân vốn đầu tư công chậm?",
    "Which districts have zoning plans?",
    "Who won the football world cup?",
    "2021",
)


def still(answer: Answer) -> Answer:
    """An answer without its timings, to be compared."""
    return replace(answer, timings={})


@pytest.fixture(scope="module")
def bold(sample_settings: Settings, embedder: Embedder) -> Iterator[Assistant]:
    """Over the sample; answers whatever it is asked."""
    settings = Settings(data_dir=sample_settings.data_dir, threshold=0.0)
    with Assistant.open(settings, embedder=embedder) as assistant:
        yield assistant


@pytest.fixture(scope="module")
def shy(sample_settings: Settings, embedder: Embedder) -> Iterator[Assistant]:
    """Over the sample; refuses whatever it is asked."""
    settings = Settings(data_dir=sample_settings.data_dir, threshold=1.0)
    with Assistant.open(settings, embedder=embedder) as assistant:
        yield assistant


@pytest.fixture(scope="module")
def two(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """Over a release full of marks and an English one; answers whatever it is asked."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "farm.md").write_text(MARKED_UP, encoding="utf-8")
    (folder / "firms.md").write_text(ENGLISH, encoding="utf-8")
    settings = Settings(data_dir=folder / "var", threshold=0.0)
    ingest([folder / "farm.md", folder / "firms.md"], settings, embedder=embedder)
    with Assistant.open(settings, embedder=embedder) as assistant:
        yield assistant


# Answers and what they cite


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_citation_is_a_span_of_its_release(bold: Assistant, question: str) -> None:
    answer = bold.ask(question)
    assert answer.status == "answered"
    assert answer.citations
    for each in answer.citations:
        release = bold.release(each.release_id)
        assert release.text[each.start : each.end] == each.quote
        assert (each.number, each.issued, each.source) == (
            release.number, release.issued, release.source,
        )  # fmt: skip
    markers = {int(number) for number in MARKER.findall(answer.text)}
    assert markers == {each.marker for each in answer.citations}


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_figure_of_an_answer_is_in_a_cited_span(bold: Assistant, question: str) -> None:
    answer = bold.ask(question)
    quotes = [each.quote for each in answer.citations]
    printed = [figure for quote in quotes for figure in figures.find(quote)]
    lead = MARKER.sub("", answer.text.split("\n\n")[0]).replace("**", "")
    for figure in figures.find(lead, language=answer.language):
        assert any(figures.same(figure, other) for other in printed), figure
    for figure in answer.figures:
        [cited] = [each for each in answer.citations if each.start <= figure.start < each.end]
        assert bold.release(cited.release_id).text[figure.start : figure.end] == figure.text
    assert any(answer.short in quote for quote in quotes)
    assert still(verify(answer)) == still(answer)


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_speaks_the_language_of_the_question(bold: Assistant, question: str) -> None:
    answer = bold.ask(question)
    english = question.startswith(("How", "Which", "Who", "2021"))
    assert answer.language == ("en" if english else "vi")
    assert answer.question == question
    assert 0.0 <= answer.confidence <= 1.0
    assert answer.model == "extractive"


def test_the_main_question(sample_assistant: Assistant) -> None:
    answer = sample_assistant.ask("How much was disbursed for COVID support?")
    assert answer.status == "answered"
    assert answer.short == "608,5 tỷ đồng"
    assert "**VND 608.5 billion** (608,5 tỷ đồng) [1]\n\n> Thực hiện chi " in answer.text
    [figure] = answer.figures
    assert (str(figure.value), figure.unit) == ("608500000000", "VND")
    [cited] = answer.citations
    assert (cited.number, cited.issued) == ("04/TC-UBND", date(2021, 6, 24))


def test_a_vietnamese_answer_gives_the_printed_form_alone(bold: Assistant) -> None:
    answer = bold.ask(QUESTIONS[1])
    assert "**608,5 tỷ đồng** [1]\n\n> " in answer.text


def test_an_english_release_is_told_in_vietnamese(two: Assistant) -> None:
    answer = two.ask("Hội đồng đã chi bao nhiêu tiền cho các doanh nghiệp nhỏ sau trận lũ?")
    assert answer.short == "$4.5 million"
    assert r"**4,5 triệu USD** (\$4.5 million) [1]" in answer.text
    answer = two.ask("Bao nhiêu doanh nghiệp nhỏ được nhận tiền sau trận lũ?")
    assert "**gần 300 doanh nghiệp" in answer.text


def test_a_number_that_reads_otherwise_in_english_is_still_told(two: Assistant) -> None:
    answer = two.ask("How many hectares were sown in the spring crop?")
    assert "**1,234 ha** (1.234 ha) [1]" in answer.text


def test_evidence_and_hits_come_with_an_answer(bold: Assistant) -> None:
    answer = bold.ask(QUESTIONS[0])
    assert [hit.rank for hit in answer.hits] == list(range(1, len(answer.hits) + 1))
    assert 1 <= len(answer.evidence) <= 10
    for each in answer.evidence:
        assert bold.release(each.release_id).text[each.start : each.end] == each.quote
    assert set(answer.timings) == {"embed", "retrieve", "read", "write", "total"}
    parts = sum(value for name, value in answer.timings.items() if name != "total")
    assert parts == pytest.approx(answer.timings["total"], abs=0.005)


def test_an_answer_as_json(bold: Assistant) -> None:
    told = bold.ask(QUESTIONS[0]).to_dict()
    assert json.loads(json.dumps(told, ensure_ascii=False)) == told
    assert told["figures"][0]["value"] == "608500000000"
    assert told["citations"][0]["issued"] == "2021-06-24"
    assert told["status"] == "answered"


# Refusals


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_refusal_cites_nothing_and_offers_related_passages(shy: Assistant, question: str) -> None:
    answer = shy.ask(question)
    assert answer.status == "not_found"
    assert (answer.short, answer.citations, answer.figures) == ("", (), ())
    assert answer.hits
    assert not MARKER.search(answer.text)
    assert not figures.find(answer.text)


def test_a_refusal_says_what_it_looked_for(shy: Assistant) -> None:
    assert shy.ask("Who won the football cup in 1998?").text == (
        "The releases do not say. Looked for: won, football, cup. "
        "The nearest passages are listed as related reading, not as an answer."
    )
    text = shy.ask("Ai vô địch bóng đá năm 1998?").text
    assert text.startswith("Các thông cáo không cho biết điều này. Đã tìm: vô, địch, bóng")
    assert "Đã tìm: mùa, lúa" in shy.ask("Mùa lúa năm 1998?").text


@pytest.mark.parametrize(
    "question", ["Who won the football world cup?", "Ai phát minh ra điện thoại?"]
)
def test_a_question_about_something_else_is_refused(
    sample_assistant: Assistant, question: str
) -> None:
    assert sample_assistant.ask(question).status == "not_found"


def test_marks_in_a_question_have_no_effect_in_a_refusal(shy: Assistant) -> None:
    text = shy.ask("Where is **bold** <script>alert</script> [1] ![x](http://a.b)?").text
    assert not MARKER.search(text)
    assert not re.search(r"(?<!\\)[<>*\[\]]", text)


def test_filters_that_let_nothing_through_give_a_refusal(bold: Assistant) -> None:
    answer = bold.ask(QUESTIONS[0], filters=Filters(issued_to=date(1999, 1, 1)))
    assert (answer.status, answer.hits, answer.citations) == ("not_found", (), ())
    assert answer.text == "The releases do not say. Looked for: disbursed, covid, support."


# Questions that cannot be asked


@pytest.mark.parametrize(
    "question",
    ["", "   ", "?!…", "\u200b\u200d", "x" * 1001, "a\x00b", "a\x1bb", None, 7, b"how", ["how"]],
)
def test_a_question_that_cannot_be_asked(sample_assistant: Assistant, question: object) -> None:
    ask = sample_assistant.as_runnable()
    for call in (sample_assistant.ask, sample_assistant.search, ask.invoke):
        with pytest.raises(QuestionError) as caught:
            call(question)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)
    with pytest.raises(QuestionError):
        list(sample_assistant.stream(question))  # type: ignore[arg-type]


def test_the_limit_of_a_question_is_a_setting(
    sample_settings: Settings, embedder: Embedder
) -> None:
    settings = Settings(data_dir=sample_settings.data_dir, max_question_chars=20)
    with Assistant.open(settings, embedder=embedder) as assistant:
        with pytest.raises(QuestionError, match="at most 20"):
            assistant.ask("How much was disbursed for support?")
        assistant.ask("How much was it?")


def test_asking_before_anything_is_ingested(embedder: Embedder, tmp_path: Path) -> None:
    with Assistant.open(Settings(data_dir=tmp_path / "var"), embedder=embedder) as assistant:
        assert assistant.releases() == []
        with pytest.raises(NothingIngestedError, match="python -m ingest"):
            assistant.ask("Bao nhiêu?")


def test_an_unknown_release(sample_assistant: Assistant) -> None:
    with pytest.raises(StoreError):
        sample_assistant.release("0" * 16)


# A series of releases


@pytest.fixture(scope="module")
def series(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """Over two quarters of a made-up province."""
    folder = tmp_path_factory.mktemp("series")
    for name in ("15-TC-UBND-2023-03-30.md", "38-TC-UBND-2023-06-29.md"):
        source = Path(__file__).parent / "data" / "releases" / name
        (folder / name).write_bytes(source.read_bytes())
    settings = Settings(data_dir=folder / "var")
    ingest([folder], settings, embedder=embedder)
    with Assistant.open(settings, embedder=embedder) as assistant:
        yield assistant


@pytest.mark.parametrize(
    ("question", "number", "told"),
    [
        ("Thu ngân sách bao nhiêu?", "38/TC-UBND", "5.962 tỷ đồng"),
        ("How many new businesses?", "38/TC-UBND", "612"),
        ("latest number of new businesses", "38/TC-UBND", "612"),
        ("Thu ngân sách quý I?", "15/TC-UBND", "2.874 tỷ đồng"),
        ("How many new businesses in the first quarter?", "15/TC-UBND", "286"),
    ],
)
def test_what_names_no_time_is_answered_from_the_latest_release(
    series: Assistant, question: str, number: str, told: str
) -> None:
    answer = series.ask(question)
    assert answer.citations[0].number == number
    assert told in answer.short
    assert all(hit.passage.release_id for hit in answer.hits)


def test_a_filter_keeps_later_releases_out(series: Assistant) -> None:
    first, _ = series.releases()
    question = "Thu ngân sách bao nhiêu?"
    for filters in (Filters(release_ids=(first.id,)), Filters(issued_to=date(2023, 3, 31))):
        assert series.ask(question, filters=filters).citations[0].number == "15/TC-UBND"


# Follow-ups


@pytest.mark.parametrize(
    ("before", "question", "quote"),
    [
        ("Kim ngạch xuất khẩu tháng 6 đạt bao nhiêu?", "Còn nhập khẩu?", "Kim ngạch nhập khẩu"),
        ("What were exports in June?", "And imports?", "Kim ngạch nhập khẩu"),
    ],
)
def test_a_follow_up_leans_on_the_question_before(
    bold: Assistant, before: str, question: str, quote: str
) -> None:
    earlier = bold.ask(before)
    answer = bold.ask(question, ((before, earlier.text),))
    assert quote in answer.citations[0].quote
    assert answer.question == question
    assert answer.language == earlier.language


def test_a_follow_up_with_a_question_of_its_own_is_one_question(bold: Assistant) -> None:
    before = "How much was disbursed for COVID support?"
    answer = bold.ask("And how many people?", ((before, "VND 608.5 billion"),))
    assert answer.short == "515 nghìn người"
    assert len(answer.citations) == 1


def test_a_part_without_a_subject_takes_that_of_the_one_before(bold: Assistant) -> None:
    answer = bold.ask(
        "Bao nhiêu tổ chức, cá nhân đăng ký ủng hộ quỹ phòng chống Covid-19 "
        "và tổng số tiền là bao nhiêu?"
    )
    assert answer.short.endswith("290 tỷ đồng")
    assert len(answer.citations) == 1


@pytest.mark.parametrize(
    "question",
    [
        "When was the press release issued?",
        "Thông cáo được ban hành ngày nào?",
        "Who signed the release and when was it issued?",
    ],
)
def test_the_day_of_issue_is_the_release_s_own(bold: Assistant, question: str) -> None:
    figure = bold.ask(question).figures[-1]
    assert figure.unit == "date"
    assert figure.value == 20210624


def test_a_sentence_that_answers_twice_is_cited_once(bold: Assistant) -> None:
    question = "Đã chi bao nhiêu tiền và hỗ trợ cho bao nhiêu người gặp khó khăn do Covid-19?"
    answer = bold.ask(question)
    assert answer.status == "answered"
    assert answer.short == "608,5 tỷ đồng; 515 nghìn người"
    assert [citation.marker for citation in answer.citations] == [1]
    assert answer.text.count("[1]") == 4


def test_the_first_of_two_figures_may_leave_out_what_the_second_names(bold: Assistant) -> None:
    both = bold.ask("How many new projects and how much foreign investment did Hanoi attract?")
    assert both.short == "171 dự án; 694,26 triệu USD"
    apart = bold.ask("Who signed the release and how many workers found jobs?")
    assert apart.short == "Nguyễn Anh Dũng; 97 nghìn lao động"


def test_a_whole_question_does_not_lean_on_the_one_before(bold: Assistant) -> None:
    alone = bold.ask(QUESTIONS[1])
    after = bold.ask(QUESTIONS[1], (("Kim ngạch xuất khẩu tháng 6 đạt bao nhiêu?", "1,37 tỷ USD"),))
    assert still(after) == still(alone)


@pytest.mark.parametrize("before", ["", "\x00", "?!", "x" * 5000])
def test_a_turn_that_cannot_be_read_is_left_aside(bold: Assistant, before: str) -> None:
    assert bold.ask("Còn nhập khẩu?", ((before, ""),)).question == "Còn nhập khẩu?"


# Filters and search


@pytest.mark.parametrize(
    ("filters", "source"),
    [
        (Filters(issued_from=date(2024, 2, 1)), "firms.md"),
        (Filters(issued_to=date(2024, 2, 1)), "farm.md"),
        (Filters(issued_from=date(2024, 1, 5), issued_to=date(2024, 1, 5)), "farm.md"),
    ],
)
def test_filters_choose_the_release(two: Assistant, filters: Filters, source: str) -> None:
    for question in ("How much was paid?", "Chi phí là bao nhiêu tiền?"):
        answer = two.ask(question, filters=filters)
        assert {Path(each.source).name for each in answer.citations} <= {source}
        found = two.search(question, filters=filters)
        assert found
        releases = {two.release(hit.passage.release_id).source for hit in found}
        assert {Path(name).name for name in releases} == {source}


def test_filters_by_release(two: Assistant) -> None:
    for release in two.releases():
        found = two.search("Bao nhiêu?", filters=Filters(release_ids=(release.id,)))
        assert {hit.passage.release_id for hit in found} == {release.id}


def test_search_gives_k_hits_as_in_the_answer(bold: Assistant) -> None:
    found = bold.search(QUESTIONS[0], k=3)
    assert [hit.rank for hit in found] == [1, 2, 3]
    assert tuple(found) == bold.ask(QUESTIONS[0]).hits[:3]


def test_releases_come_by_date(two: Assistant) -> None:
    assert [release.issued for release in two.releases()] == [date(2024, 1, 5), date(2024, 3, 12)]


# A release that is full of marks

MARKS = (
    "Sản lượng cà phê đạt bao nhiêu tấn?",
    "Chi phí máy bơm là bao nhiêu tiền?",
    "How much did the pumps cost?",
    "Đàn bò sữa có bao nhiêu con?",
)


@pytest.mark.parametrize("question", MARKS)
def test_marks_of_a_release_have_no_effect(two: Assistant, question: str) -> None:
    markdown = pytest.importorskip("markdown_it").MarkdownIt("commonmark", {"html": True})
    markdown.enable(["table", "strikethrough"])
    answer = two.ask(question)
    page = markdown.render(MARKER.sub("", answer.text))
    tags = set(re.findall(r"<(\w+)", page))
    assert tags <= {"p", "strong", "blockquote"}, page
    assert page.count("<strong>") == 1
    # The reader sees the sentence as it stands in the release.
    shown = re.sub(r"<[^>]*>", "", page.split("<blockquote>")[1])
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        shown = shown.replace(entity, char)
    assert " ".join(answer.citations[0].quote.split()) in " ".join(shown.split())


def test_markers_printed_in_a_release_are_not_ours(two: Assistant) -> None:
    answer = two.ask("Sản lượng cà phê đạt bao nhiêu tấn?")
    assert "52,3 nghìn tấn" in answer.citations[0].quote
    assert {int(number) for number in MARKER.findall(answer.text)} == {1}


# Streams, threads and LangChain


def test_a_stream_ends_with_the_answer(bold: Assistant) -> None:
    for question in QUESTIONS[:4]:
        *_, last = bold.stream(question)
        assert still(last) == still(bold.ask(question))


def test_an_abandoned_stream_leaves_the_assistant_free(bold: Assistant) -> None:
    stream = bold.stream(QUESTIONS[0])
    next(stream)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(bold.ask, QUESTIONS[1]).result(timeout=60).citations


def test_four_threads_get_the_answers_of_one(bold: Assistant) -> None:
    alone = [still(bold.ask(question)) for question in QUESTIONS]
    with ThreadPoolExecutor(4) as pool:
        together = [still(answer) for answer in pool.map(bold.ask, QUESTIONS)]
    assert together == alone


def test_a_runnable_takes_a_question_or_a_dictionary(bold: Assistant) -> None:
    chain = bold.as_runnable()
    wanted = still(bold.ask(QUESTIONS[0]))
    assert still(chain.invoke(QUESTIONS[0])) == wanted
    assert still(chain.invoke({"question": QUESTIONS[0]})) == wanted
    assert still(chain.invoke({"question": QUESTIONS[0], "history": None})) == wanted
    history = [("Kim ngạch xuất khẩu tháng 6 đạt bao nhiêu?", "1,37 tỷ USD")]
    followed = chain.invoke({"question": "Còn nhập khẩu?", "history": history})
    assert still(followed) == still(bold.ask("Còn nhập khẩu?", history))


def test_a_runnable_in_batches_streams_and_chains(bold: Assistant) -> None:
    chain = bold.as_runnable()
    questions = list(QUESTIONS[:4])
    wanted = [still(bold.ask(question)) for question in questions]
    assert [still(answer) for answer in chain.batch(questions)] == wanted
    *_, last = chain.stream(questions[0])
    assert still(last) == wanted[0]
    short = (chain | RunnableLambda(lambda answer: answer.short)).invoke(questions[0])
    assert short == wanted[0].short


def test_a_runnable_without_waiting(bold: Assistant) -> None:
    chain = bold.as_runnable()

    async def several() -> tuple[Answer, list[Answer], list[Answer]]:
        one = await chain.ainvoke(QUESTIONS[0])
        both = await chain.abatch(list(QUESTIONS[:2]))
        grown = [answer async for answer in chain.astream({"question": QUESTIONS[0]})]
        return one, both, grown

    one, both, grown = asyncio.run(several())
    wanted = [still(bold.ask(question)) for question in QUESTIONS[:2]]
    assert still(one) == wanted[0]
    assert [still(answer) for answer in both] == wanted
    assert still(grown[-1]) == wanted[0]


@pytest.mark.parametrize("wrong", [{}, {"question": 5}, {"query": "how much?"}, 3.5])
def test_a_runnable_says_how_to_ask(bold: Assistant, wrong: object) -> None:
    with pytest.raises(QuestionError, match="question"):
        bold.as_runnable().invoke(wrong)


def test_a_retriever_gives_documents(bold: Assistant) -> None:
    documents = bold.as_retriever(k=3).invoke(QUESTIONS[0])
    found = bold.search(QUESTIONS[0], k=3)
    assert [document.id for document in documents] == [hit.passage.id for hit in found]
    for document in documents:
        told = document.metadata
        assert set(told) == {
            "release_id", "number", "title", "issuer", "issued", "source", "section", "page",
            "start", "end", "score",
        }  # fmt: skip
        text = bold.release(told["release_id"]).text
        assert text[told["start"] : told["end"]] == document.page_content
        assert (told["number"], told["issued"]) == ("04/TC-UBND", "2021-06-24")
    scores = [document.metadata["score"] for document in documents]
    assert scores == sorted(scores, reverse=True)
    none = bold.as_retriever(filters=Filters(issuer="nobody at all"))
    assert none.invoke(QUESTIONS[0]) == []


def test_ask_opens_the_default_collection_once(
    sample_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_DATA_DIR", str(sample_settings.data_dir))
    monkeypatch.setattr("rag.assistant._default", None)
    opened: list[Assistant] = []
    real = Assistant.open

    def counted(settings: Settings | None = None) -> Assistant:
        opened.append(real(settings))
        return opened[-1]

    monkeypatch.setattr(Assistant, "open", counted)
    try:
        assert rag.ask(QUESTIONS[0]).short == rag.ask(QUESTIONS[0]).short == "608,5 tỷ đồng"
    finally:
        for assistant in opened:
            assistant.close()
    assert len(opened) == 1
