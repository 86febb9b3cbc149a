"""Runs from questions to numbers: records, scoring, rescoring, comparison, gate, page, command."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from eval import evaluate, metrics
from eval.__main__ import main
from eval.baselines import Bm25, Naive
from eval.compare import compare, gate, update_baseline
from eval.gold import GoldSet, Question, Quote, load_gold, load_squad
from eval.report import render
from eval.run import Report, keep, load_report, report_from
from rag.embedding import Embedder
from rag.errors import GoldError
from rag.schema import Answer, Citation, Hit, Passage, Release

TEXT = (
    "Tỉnh chi 12,5 tỷ đồng cho trường học.\n"
    "Thu ngân sách đạt 300 tỷ đồng, tăng 7,5%.\n"
    "Có 16 dự án mới và 4 dự án cũ.\n"
)
"""A made-up release."""
RELEASE = Release("r1", "corpus/a.md", "0" * 64, TEXT, "vi")
OTHER = Release("r2", "corpus/b.md", "0" * 64, "Không liên quan gì.", "vi")


class Scripted:
    """Gives prepared answers, by question."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self._answers = answers

    def ask(self, question: str) -> Answer:
        return self._answers[question]


def citation(quote: str, marker: int = 1, release: Release = RELEASE) -> Citation:
    start = release.text.index(quote)
    return Citation(
        marker, release.id, None, None, None, None, release.source, None, start,
        start + len(quote), quote,
    )  # fmt: skip


def hit(quote: str, rank: int, release: Release = RELEASE) -> Hit:
    start = release.text.index(quote)
    passage = Passage(f"p{rank}", release.id, start, start + len(quote), quote)
    return Hit(passage, 1.0 / rank, rank)


def answered(
    question: str, short: str, *quotes: str, hits: tuple[Hit, ...] = (), text: str = ""
) -> Answer:
    return Answer(
        question,
        "answered",
        text or f"{short} [1]",
        short,
        "vi",
        citations=tuple(citation(quote, place) for place, quote in enumerate(quotes, start=1)),
        hits=hits,
        confidence=0.75,
    )


def refused(question: str, *hits: Hit) -> Answer:
    return Answer(question, "not_found", "Không tìm thấy.", "", "vi", hits=hits, confidence=0.1)


LINE1, LINE2, LINE3 = TEXT.splitlines()
GOLD = GoldSet(
    "made-up",
    (
        Question(
            "m1-vi", "Chi bao nhiêu?", "vi", True, ("12,5 tỷ đồng",), None,
            (Quote("a.md", "chi 12,5 tỷ đồng"),), ("money",),
        ),
        Question(
            "m1-en", "How much was spent?", "en", True, ("12,5 tỷ đồng",), None,
            (Quote("a.md", "chi 12,5 tỷ đồng"),), ("money", "cross-lingual"),
        ),
        Question(
            "m2-vi", "Thu bao nhiêu, tăng mấy?", "vi", True, ("300 tỷ đồng",), None,
            (Quote("a.md", "đạt 300 tỷ đồng"), Quote("a.md", "Có 16 dự án mới")), ("money",),
        ),
        Question("n1-vi", "Chi năm 2018?", "vi", False, tags=("wrong-year",)),
        Question("n2-vi", "Thời tiết?", "vi", False, tags=("off-topic",)),
    ),
)  # fmt: skip
ANSWERS = {
    # Right, evidence second in the ranking.
    "Chi bao nhiêu?": answered(
        "Chi bao nhiêu?", "12,5 tỷ đồng", LINE1, hits=(hit(LINE2, 1), hit(LINE1, 2))
    ),
    # Refused though the release says it; evidence first.
    "How much was spent?": refused("How much was spent?", hit(LINE1, 1)),
    # Wrong figure; the first citation is beside the point, the second shows one of two quotes.
    "Thu bao nhiêu, tăng mấy?": answered(
        "Thu bao nhiêu, tăng mấy?", "7,5 tỷ đồng", LINE1, LINE2, hits=(hit(LINE2, 1),)
    ),
    "Chi năm 2018?": refused("Chi năm 2018?"),
    "Thời tiết?": answered("Thời tiết?", "16 dự án mới", LINE3, hits=(hit(LINE3, 1),)),
}


@pytest.fixture
def report() -> Report:
    return evaluate(Scripted(ANSWERS), GOLD, corpus=[RELEASE, OTHER])


def test_every_metric_by_hand(report: Report) -> None:
    found = dict(report.metrics)
    for name in metrics.LATENCIES:
        assert found.pop(name) is not None
    # Ranks: m1-vi finds its quote second; m1-en first; m2-vi one of its two at rank 1.
    log2_3 = 1.584962500721156
    ideal2 = 1 + 1 / log2_3
    assert found == pytest.approx(
        {
            "recall@1": (0 + 1 + 1 / 2) / 3,
            "recall@5": (1 + 1 + 1 / 2) / 3,
            "ndcg@10": (1 / log2_3 + 1 + 1 / ideal2) / 3,
            "mrr@10": (1 / 2 + 1 + 1) / 3,
            "evidence@1": (1 + 0 + 0) / 3,
            "answer_accuracy": 1 / 3,
            "figure_accuracy": None,
            "exact_match": 1 / 3,
            # m2-vi: "7,5 tỷ đồng" and "300 tỷ đồng" share two of three words.
            "f1": (1 + 0 + 2 / 3) / 3,
            # Citations: m1-vi 1 of 1, m2-vi 1 of 2, n2-vi 0 of 1.
            "citation_precision": (1 + 1 + 0) / (1 + 2 + 1),
            # Gold quotes: m1-vi 1 of 1, m1-en 0 of 1, m2-vi 1 of 2.
            "citation_recall": (1 + 0 + 1) / (1 + 1 + 2),
            # "7,5 tỷ đồng" is in no quote: 7,5 % is.
            "unsupported_figures": 1,
            "refused_unanswerable": 1 / 2,
            "refused_answerable": 1 / 3,
            # +1 m1-vi, 0 m1-en, -1 m2-vi, +1 n1-vi, -1 n2-vi.
            "crag_score": 0 / 5,
        }
    )
    assert list(report.metrics) == list(metrics.NAMES)
    assert [each.correct for each in report.scored] == [True, False, False, True, False]
    assert [each.retrieved_rank for each in report.scored] == [2, 1, 1, None, None]
    assert [each.evidence_hit for each in report.scored] == [True, False, False, None, None]


def test_blocks_have_the_same_metrics_and_undefined_is_none(report: Report) -> None:
    assert list(report.by_lang) == ["en", "vi"]
    assert list(report.by_tag) == ["cross-lingual", "money", "off-topic", "wrong-year"]
    for block in (*report.by_lang.values(), *report.by_tag.values()):
        assert list(block) == ["questions", *metrics.NAMES]
    topic = report.by_tag["off-topic"]
    assert (topic["questions"], topic["answer_accuracy"], topic["recall@1"]) == (1, None, None)
    assert (topic["refused_unanswerable"], topic["citation_recall"]) == (0.0, None)
    # Given answers: one right and two wrong at confidence 0.75.
    assert report.ece == pytest.approx(0.75 - 1 / 3)


def test_a_figure_is_right_in_any_wording_but_not_at_another_scale() -> None:
    (gold_question,) = [each for each in GOLD.questions if each.id == "m1-en"]
    from rag import figures

    (wanted,) = figures.find("12,5 tỷ đồng", language="vi")
    gold = GoldSet("figures", (replace(gold_question, answers=("no such words",), figure=wanted),))
    for text, right in (("VND 12.5 billion", True), ("VND 12.5 million", False)):
        answer = answered("", text, LINE1)
        found = evaluate(Scripted({gold_question.question: answer}), gold, corpus=[RELEASE])
        assert found.metrics["figure_accuracy"] == float(right), text
        assert found.metrics["answer_accuracy"] == float(right), text


def test_without_a_corpus_the_answers_own_passages_locate_the_quotes(report: Report) -> None:
    blind = evaluate(Scripted(ANSWERS), GOLD)
    for name in metrics.AVERAGES:
        assert blind.metrics[name] == report.metrics[name], name


def test_quotes_of_another_release_do_not_count() -> None:
    twin = replace(RELEASE, id="r9", source="corpus/copy.md")
    question = GOLD.questions[0]
    answer = replace(
        answered("", "12,5 tỷ đồng"),
        citations=(citation(LINE1, release=twin),),
        hits=(hit(LINE1, 1, twin),),
    )
    for corpus in ([RELEASE, twin], None):
        found = evaluate(
            Scripted({question.question: answer}), GoldSet("one", (question,)), corpus=corpus
        )
        assert found.metrics["evidence@1"] == 0.0
        assert found.metrics["recall@5"] == 0.0


def test_squad_ranks_releases_and_wants_the_answer_in_the_right_context(tmp_path: Path) -> None:
    contexts = ["Có 16 dự án mới. Và 4 trường.", "Có 16 dự án mới ở tỉnh khác."]
    path = tmp_path / "s.json"
    path.write_text(
        json.dumps(
            {
                "data": [
                    {
                        "paragraphs": [
                            {
                                "context": contexts[0],
                                "qas": [
                                    {"id": str(n), "question": f"{n}?", "answers": [{"text": "16"}]}
                                    for n in range(3)
                                ],
                            },
                            {"context": contexts[1], "qas": []},
                        ]
                    }
                ]
            }
        )
    )
    gold = load_squad(path)
    assert gold.contexts == (contexts[0],)
    here = Release("c0", "x/00000.txt", "0" * 64, contexts[0], "vi")
    there = Release("c1", "x/00001.txt", "0" * 64, contexts[1], "vi")
    first, second = "Có 16 dự án mới.", "Và 4 trường."
    answers = {
        # Two hits of one release are one: the right release is second.
        "0?": replace(
            answered("", "16"),
            citations=(citation(first, release=here),),
            hits=(hit("Có", 1, there), hit("tỉnh", 2, there), hit(second, 3, here)),
        ),
        "1?": replace(answered("", "16"), citations=(citation(second, release=here),)),
        "2?": replace(answered("", "16"), citations=(citation(contexts[1], release=there),)),
    }
    report = evaluate(Scripted(answers), gold, corpus=[here, there])
    assert [each.evidence_hit for each in report.scored] == [True, False, False]
    assert [each.retrieved_rank for each in report.scored] == [2, None, None]
    assert report.metrics["recall@1"] == 0.0
    assert report.metrics["recall@5"] == pytest.approx(1 / 3)


def test_a_kept_run_is_scored_again_to_the_same_numbers(report: Report, tmp_path: Path) -> None:
    path = keep(report, tmp_path)
    again = load_report(path)
    assert path.parent.parent == tmp_path
    assert again.to_dict() == report.to_dict()
    assert keep(report, tmp_path) != path


def test_the_result_has_the_documented_shape(report: Report) -> None:
    document = json.loads(json.dumps(report.to_dict()))
    assert document["questions"] == 5
    assert document["metrics"]["figure_accuracy"] is None
    block = document["per_question"][0]
    assert block["citations"][0]["quote"] == LINE1
    assert block["citations"][0]["after"].startswith("\nThu ngân sách")
    assert block["gold_quotes"][0]["spans"] == [["r1", 5, 21]]
    assert {"id", "status", "short", "text", "correct", "retrieved_rank"} <= set(block)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document.pop("per_question"),
        lambda document: document["per_question"].clear(),
        lambda document: document["per_question"][1].pop("status"),
        lambda document: document["per_question"][1].update(status="perhaps"),
        lambda document: document.update(config=[]),
    ],
)
def test_a_damaged_result_is_refused(report: Report, spoil: Any) -> None:
    document = json.loads(json.dumps(report.to_dict()))
    spoil(document)
    with pytest.raises(GoldError) as caught:
        report_from(document, name="r.json")
    assert str(caught.value).startswith("r.json: ")
    assert "\n" not in str(caught.value)


# --- Comparison and gate -----------------------------------------------------------------------


def many(right: int, of: int = 40) -> Report:
    """A run on `of` questions, the first `right` of them answered right."""
    questions = tuple(
        replace(GOLD.questions[0], id=f"q{number}", question=str(number)) for number in range(of)
    )
    answers = {
        str(number): answered("", "12,5 tỷ đồng", LINE1)
        if number < right
        else answered("", "một khoản", LINE2)
        for number in range(of)
    }
    config = {"system": "ours"}
    return evaluate(Scripted(answers), GoldSet("many", questions), corpus=[RELEASE], config=config)


def test_compare_lists_what_changed_sides(report: Report) -> None:
    better = ANSWERS | {
        "How much was spent?": answered("", "12,5 tỷ đồng", LINE1, hits=(hit(LINE1, 1),)),
        "Chi năm 2018?": answered("", "12,5 tỷ đồng", LINE1),
    }
    found = compare(report, evaluate(Scripted(better), GOLD, corpus=[RELEASE, OTHER]))
    assert [two.record.id for _, two in found.gained] == ["m1-en"]
    assert [two.record.id for _, two in found.lost] == ["n1-vi"]
    # One each way: 2 * (1 + 1) / 2 is more than 1.
    assert found.mcnemar == 1.0
    by_name = {each.metric: each for each in found.differences}
    assert list(by_name) == [name for name in metrics.NAMES if name not in metrics.LATENCIES]
    assert by_name["answer_accuracy"].difference == pytest.approx(1 / 3)
    assert by_name["figure_accuracy"].difference is None
    assert by_name["refused_answerable"].difference == pytest.approx(-1 / 3)


def test_compare_needs_common_questions(report: Report) -> None:
    with pytest.raises(GoldError, match="no question in common"):
        compare(report, many(1, 1))


def test_verdicts_know_which_way_is_better() -> None:
    found = {each.metric: each for each in compare(many(30), many(10)).differences}
    assert found["answer_accuracy"].verdict == "worse"
    assert found["crag_score"].verdict == "worse"
    assert found["refused_answerable"].verdict == ""
    found = {each.metric: each for each in compare(many(10), many(30)).differences}
    assert found["evidence@1"].verdict == "better"


def test_gate(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    with pytest.raises(GoldError, match="--update-baseline"):
        gate(many(30), path)
    assert update_baseline(many(30), path) == ()
    assert gate(many(30), path).failures == ()
    # One of forty lost may be chance; twenty may not.
    assert gate(many(29), path).failures == ()
    assert any(line.startswith("answer_accuracy") for line in gate(many(10), path).failures)
    assert gate(many(40), path).failures == ()
    (gone,) = gate(many(30, 39), path).failures
    assert gone.startswith("1 questions of the baseline were not asked, the first is q39")
    changes = {each.metric: each for each in update_baseline(many(35), path)}
    assert changes["answer_accuracy"].difference == pytest.approx(5 / 40)


def test_gate_does_not_let_an_unsupported_figure_pass(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    update_baseline(report, path)
    (failure,) = gate(report, path).failures
    assert failure == "unsupported_figures is 1, must be 0: 7,5 tỷ đồng"


def test_a_damaged_baseline_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    update_baseline(many(3, 4), path)
    document = json.loads(path.read_text())
    document["many/all/ours"]["ids"].pop()
    for text in ("{", "[]", json.dumps(document)):
        path.write_text(text)
        with pytest.raises(GoldError, match=r"baseline\.json: "):
            gate(many(3, 4), path)


# --- Page --------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Collects tags, and complains about those that are not closed."""

    VOID = frozenset({"meta", "input", "br"})
    IMPLIED = frozenset({"th", "tr", "td", "thead"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID and tag not in self.IMPLIED:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.IMPLIED:
            assert self.open.pop() == tag


def test_page_is_whole_self_contained_and_escaped(report: Report) -> None:
    nasty = '<script>alert("x")</script> & "{{body}}"'
    evil = replace(GOLD.questions[0], question=nasty, id=nasty, tags=(nasty,), answers=(nasty,))
    evil_gold = GoldSet(nasty, (evil, *GOLD.questions))
    answers = ANSWERS | {nasty: replace(answered(nasty, nasty, LINE1), model=nasty)}
    found = evaluate(Scripted(answers), evil_gold, corpus=[RELEASE], config={"system": nasty})
    whole = render(found, other=report, other_name=nasty)
    assert whole.count(get_plotlyjs()) == 1
    page = whole.replace(get_plotlyjs(), "")
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    # The library, the page's own lines, and one call a plot.
    assert [tag for tag, _ in reader.tags].count("script") == 5
    assert "alert(" in page
    for _, attributes in reader.tags:
        assert not {"src", "href", "onclick"} & set(attributes)
    assert "http" not in page.replace("http-equiv", "").replace("https://plot.ly", "")
    assert "prefers-color-scheme" in page
    questions = [each for tag, each in reader.tags if each.get("class") == "q"]
    assert len(questions) == 6


def test_page_shows_gold_citation_and_kinds(report: Report) -> None:
    page = render(report)
    assert f"<mark>{LINE1}</mark>" in page
    assert 'data-kinds="right"' in page
    assert 'data-kinds="wrong refused"' in page
    assert 'data-kinds="right refused"' in page
    body = page.replace(get_plotlyjs(), "").split("</style>")[1].rsplit("<script>", 1)[0]
    assert "changed" not in body


def test_page_of_a_single_refusal_has_nothing_to_divide_by() -> None:
    gold = GoldSet("one", (GOLD.questions[3],))
    page = render(evaluate(Scripted(ANSWERS), gold, corpus=[RELEASE]))
    assert "expected error undefined" in page


# --- Baseline systems --------------------------------------------------------------------------


def test_bm25_answers_with_its_first_passage_and_a_true_citation() -> None:
    long = Release("r3", "c.md", "0" * 64, "\n\n".join(["Mưa to ở miền núi. " * 30] * 5), "vi")
    system = Bm25([RELEASE, OTHER, long])
    for question in ("Ngân sách thu bao nhiêu?", "zzz", ""):
        answer = system.ask(question)
        (cited,) = answer.citations
        text = {"r1": TEXT, "r2": OTHER.text, "r3": long.text}[cited.release_id]
        assert text[cited.start : cited.end] == cited.quote == answer.short
        assert [each.rank for each in answer.hits] == [1, 2, 3, 4]
    assert system.ask("Ngân sách thu bao nhiêu?").citations[0].release_id == "r1"


def test_naive_finds_by_meaning_and_starts_from_its_own_releases(embedder: Embedder) -> None:
    Naive([replace(OTHER, id="r8", text="Thu ngân sách của nơi khác.")], embedder.encoder)
    schools = replace(RELEASE, id="r4", text="Học sinh nghỉ hè từ tháng 6.")
    budget = replace(RELEASE, id="r5", text="Thu ngân sách đạt 300 tỷ đồng.")
    system = Naive([schools, budget], embedder.encoder)
    answer = system.ask("How much budget revenue was collected?")
    assert {each.passage.release_id for each in answer.hits} == {"r4", "r5"}
    (cited,) = answer.citations
    assert (cited.release_id, cited.quote) == ("r5", budget.text)
    assert budget.text[cited.start : cited.end] == cited.quote
    assert [each.score for each in answer.hits] == sorted(
        (each.score for each in answer.hits), reverse=True
    )


# --- Command -----------------------------------------------------------------------------------


@pytest.fixture
def saved(report: Report, tmp_path: Path) -> Path:
    return keep(report, tmp_path)


def test_rescore_prints_the_table_and_writes_json_and_page(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, page = tmp_path / "deep" / "out.json", tmp_path / "page.html"
    assert main(["--rescore", str(saved), "--json", str(out), "--report", str(page)]) == 0
    assert json.loads(out.read_text()) == json.loads(saved.read_text())
    assert "answer_accuracy" in capsys.readouterr().out
    assert page.read_text().startswith("<!doctype html>")
    assert main(["--rescore", str(saved), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["questions"] == 5


def test_compare_command(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--compare", str(saved), str(saved)]) == 0
    assert "right in B only 0, right in A only 0" in capsys.readouterr().out


def test_gate_command(saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    baseline = ["--baseline", str(tmp_path / "baseline.json")]
    assert main(["--rescore", str(saved), "--gate", *baseline]) == 2
    assert main(["--rescore", str(saved), "--update-baseline", *baseline]) == 0
    capsys.readouterr()
    assert main(["--rescore", str(saved), "--gate", *baseline]) == 1
    assert "gate: unsupported_figures is 1" in capsys.readouterr().err


def gold_file(folder: Path, quote: str) -> Path:
    path = folder / "gold.jsonl"
    line = {
        "id": "m1",
        "question": "Thu ngân sách đạt bao nhiêu?",
        "lang": "vi",
        "answerable": True,
        "answers": ["300 tỷ đồng"],
        "evidence": [{"release": "a.md", "quote": quote}],
    }
    path.write_text(json.dumps(line, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.md").write_text("# Thông cáo\n\n" + TEXT.replace("\n", "\n\n"), encoding="utf-8")
    return folder


def test_check_command(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--corpus", str(corpus), "--check"]
    assert main([*arguments, str(gold_file(tmp_path, "đạt **300** tỷ đồng"))]) == 0
    assert "1 questions" in capsys.readouterr().out
    assert main([*arguments, str(gold_file(tmp_path, "đạt 301 tỷ đồng"))]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "question m1: quote" in line


def test_a_whole_run_with_a_baseline_system(
    corpus: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    gold = gold_file(tmp_path, "đạt 300 tỷ đồng")
    arguments = ["--gold", str(gold), "--corpus", str(corpus), "--system", "bm25"]
    assert main([*arguments, "--json", "out.json"]) == 0
    document = json.loads(Path("out.json").read_text())
    assert document["metrics"]["evidence@1"] == 1.0
    assert document["config"]["system"] == "bm25"
    (kept,) = Path("results").glob("*/result.json")
    assert json.loads(kept.read_text()) == document
    assert "made-up" not in capsys.readouterr().out


def test_the_shipped_gold_set_fits_the_shipped_release() -> None:
    root = Path(__file__).parent.parent
    path = root / "eval" / "data" / "hanoi-2021-h1.jsonl"
    assert main(["--check", str(path), "--corpus", str(root / "data" / "releases")]) == 0
    gold = load_gold(path)
    assert len(gold.only("dev").questions) + len(gold.only("test").questions) == len(gold.questions)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "one of the arguments"),
        (["--gold"], "expected one argument"),
        (["--gold", "a", "--squad", "b"], "not allowed with"),
        (["--gold", "missing.jsonl"], "missing.jsonl: cannot be read"),
        (["--squad", "missing.json"], "missing.json: cannot be read"),
        (["--rescore", "missing.json"], "missing.json: cannot be read"),
        (["--compare", "missing.json", "b.json"], "missing.json: cannot be read"),
        (["--check", "missing.jsonl"], "missing.jsonl: cannot be read"),
        (["--check", "gold.jsonl", "--corpus", "void"], "no readable releases in void"),
        (["--check", "gold.jsonl", "--corpus", "missing"], "missing"),
        (["--gold", "gold.jsonl", "--data-dir", "missing"], "no data folder missing"),
        (["--gold", "bad.jsonl"], "bad.jsonl:2: "),
        (["--gold", "gold.jsonl", "--split", "test", "--limit", "0"], "--limit must be"),
        (["--gold", "gold.jsonl", "--system", "best"], "invalid choice"),
        (["--gold", "gold.jsonl", "--questions", "q.json"], "--questions goes with --squad"),
        (["--rescore", "r.json", "--corpus", "a"], "go with --gold or --check"),
        (["--squad", "s.json", "--corpus", "a"], "its own corpus"),
        (["--gold", "gold.jsonl", "--limit", "3", "--gate"], "need the whole set"),
        (["--rescore", "r.json", "--system", "naive"], "go with --gold or --squad"),
        (["--check", "gold.jsonl", "--gate"], "go with a run"),
        (["--check", "gold.jsonl", "--json", "x"], "--check writes no file"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    gold_file(tmp_path, "đạt 300 tỷ đồng")
    Path("bad.jsonl").write_text("\n{}\n")
    Path("void").mkdir()
    try:
        status = main(arguments)
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    assert status == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
