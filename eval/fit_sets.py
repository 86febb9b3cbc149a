"""The sets that the fits learn from: their questions, and what is right about a reading of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.gold import Question, Split, load_gold, locate_quotes, split_of
from eval.metrics import agrees, exact_match
from ingest.pipeline import ingest
from rag.embedding import Embedder
from rag.figures import in_dollars_of
from rag.retrieve import Candidate
from rag.schema import Figure, Release
from rag.settings import Settings
from rag.span_features import Sentence
from rag.spans import Span

_PARTS = 8
"""Parts of a set, by article or by question pair; what reads is not trained on the last."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question of a public set."""

    text: str
    context: int
    answers: tuple[str, ...]
    article: str


@dataclass(frozen=True, slots=True)
class Set:
    """A public set: contexts and the questions asked of all of them."""

    name: str
    contexts: list[str]
    questions: list[Ask]


def read_set(name: str) -> Set:
    """Read `CONTEXTS.json` or `CONTEXTS.json:QUESTIONS.json` (joined on id)."""
    first, _, second = name.partition(":")
    texts: dict[str, str] = {}
    if second:
        for article in json.loads(Path(second).read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                texts.update({qa["id"]: qa["question"] for qa in paragraph["qas"]})
    contexts: list[str] = []
    questions: list[Ask] = []
    for number, article in enumerate(json.loads(Path(first).read_text(encoding="utf-8"))["data"]):
        for paragraph in article["paragraphs"]:
            contexts.append(paragraph["context"])
            questions.extend(
                Ask(
                    texts[qa["id"]] if second else qa["question"],
                    len(contexts) - 1,
                    tuple(answer["text"] for answer in qa["answers"]),
                    f"{number}",
                )
                for qa in paragraph["qas"]
            )
    label = Path(first).stem + (f" asked by {Path(second).stem}" if second else "")
    return Set(label, contexts, questions)


def opened(one: Set, folder: Path, embedder: Embedder) -> tuple[Settings, dict[str, int]]:
    """Ingest the contexts of a set; settings to open it, and release source -> context number."""
    texts = folder / "texts"
    texts.mkdir()
    sources = {}
    for number, context in enumerate(one.contexts):
        path = texts / f"{number:05d}.txt"
        path.write_text(context, encoding="utf-8")
        sources[str(path)] = number
    settings = Settings(data_dir=folder / "var")
    ingest([texts], settings, embedder=embedder, progress=True)
    return settings, sources


def set_name(path: Path) -> str:
    """The name of a gold file's set: several files can be the parts of one (`NAME.a.jsonl`)."""
    return path.name.split(".")[0]


def seen_sets(path: Path) -> set[str]:
    """The names of the sets that a file of arrays was trained on."""
    with np.load(path) as arrays:
        return set(arrays["sets"].tolist())


def is_public(name: str) -> bool:
    """Whether a set is one of general knowledge rather than of releases."""
    return name.startswith(("xquad", "mlqa"))


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what is right about a reading of it."""

    text: str
    group: int
    """The number of its article, or one of its question pair; a group is learned from whole."""
    name: str
    answerable: bool
    holds: Callable[[Candidate], bool]
    """Whether a passage is one of those that the question was written for."""
    right: Callable[[Sentence], bool]
    """Whether a sentence holds the gold evidence."""
    fits: Callable[[Sentence, Span], bool] | None
    """Whether a span is the gold answer; None when no short span is known to be."""
    answers: tuple[str, ...]
    """The gold answers, any of which is right; empty when there is none."""
    figure: Figure | None = None
    """The gold figure."""

    @property
    def left_out(self) -> bool:
        """Whether cross-encoder and kinds do not learn from it."""
        return left_out(self.group)

    @property
    def fold(self) -> int:
        """A number that does not tell whether it is left out; its remainder deals folds."""
        return self.group // _PARTS


def left_out(group: int) -> bool:
    """Whether a group is in the part that cross-encoder and kinds do not learn from."""
    return group % _PARTS == _PARTS - 1


def squad_questions(one: Set, sources: dict[str, int]) -> list[Asked]:
    """The questions of a public set over its ingested contexts."""
    out = []
    for question in one.questions:
        answers = [" ".join(answer.split()) for answer in question.answers]

        def right(
            sentence: Sentence, question: Ask = question, answers: list[str] = answers
        ) -> bool:
            if sources[sentence.candidate.release.source] != question.context:
                return False
            return any(answer in " ".join(sentence.text.split()) for answer in answers)

        def holds(candidate: Candidate, question: Ask = question) -> bool:
            return sources[candidate.release.source] == question.context

        group = int(question.article)
        out.append(
            Asked(question.text, group, one.name, True, holds, right, None, question.answers)
        )
    return out


def group_of(question: Question) -> int:
    """The group of a gold question; those of one pair are in the same."""
    return int(hashlib.sha256(question.pair.encode()).hexdigest(), 16)


def gold_questions(path: Path, releases: Sequence[Release], split: Split) -> list[Asked]:
    """The questions of a gold file over the releases they were written for."""
    gold = load_gold(path)
    spans = locate_quotes(gold, releases)
    parts = split_of(gold.questions)
    out = []
    for question in gold.questions:
        if split != "all" and parts[question.id] != split:
            continue
        where = [span for quote in question.evidence for span in spans[quote]]

        def right(sentence: Sentence, where: list[tuple[str, int, int]] = where) -> bool:
            start = sentence.release_start
            end = start + sentence.end - sentence.start
            release = sentence.candidate.release.id
            return any(r == release and s < end and e > start for r, s, e in where)

        def fits(sentence: Sentence, span: Span, question: Question = question) -> bool:
            if span.figure is not None and question.figure is not None:
                text = sentence.candidate.release.text
                return agrees(question.figure, in_dollars_of(span.figure, text))
            text = sentence.candidate.passage.text[span.start : span.end]
            return exact_match(text, question.answers) == 1.0

        def holds(candidate: Candidate, where: list[tuple[str, int, int]] = where) -> bool:
            passage = candidate.passage
            return any(
                r == passage.release_id and s < passage.end and e > passage.start
                for r, s, e in where
            )

        out.append(
            Asked(
                question.question,
                group_of(question),
                set_name(path),
                question.answerable,
                holds,
                right,
                fits,
                question.answers,
                question.figure,
            )
        )
    return out
