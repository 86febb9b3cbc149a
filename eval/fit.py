"""`python -m eval.fit`: fits the small files that the reader weighs with, from sets the user names.

    python -m eval.fit head  --squad CONTEXTS.json[:QUESTIONS.json] ...
    python -m eval.fit cross-encoder --squad ... --gold GOLD.jsonl:FOLDER[:dev] ...
    python -m eval.fit weights --squad ... --gold GOLD.jsonl:FOLDER[:dev] ... [--folds 4]
    python -m eval.fit syllables --squad ... --gold GOLD.jsonl:FOLDER[:dev] ...

`head` writes `rag/data/head.npz`: the mean vectors of questions and passages by language, and how
many passages each vocabulary id occurs in. `cross-encoder` writes `rag/data/cross_encoder.npz`, see
`eval.fit_cross`; it leaves out an eighth of each set, and of the sets that it was trained on only
that eighth serves the fits that use it. `weights` writes `rag/data/weights.json`: for the choice
of passage, sentence and span a listwise softmax regression over the features of `rag.retrieve` and
`rag.evidence`, and for the confidence a logistic regression. It prints how often the right one
comes first on folds that were left out, split by article or by question pair. `syllables` writes
`rag/data/syllables.npz`, the counts by which `rag.diacritics` marks what was typed without
diacritics, from all Vietnamese texts and questions of the sets and from the glossary.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from tqdm import tqdm

from eval.gold import Question, Split, load_gold, locate_quotes, split_of
from eval.metrics import exact_match
from eval.twins import all_told, names, twin
from ingest.pipeline import ingest
from rag import figures, retrieve
from rag.archive import Archive
from rag.confidence import CONFIDENCE_FEATURES, confidence_features
from rag.diacritics import Syllables
from rag.embedding import (
    CrossEncoder,
    Embedder,
    Head,
    Vector,
    open_cross_encoder,
    open_embedder,
)
from rag.evidence import (
    CHOICE_FEATURES,
    SENTENCE_FEATURES,
    Reader,
    choice_features,
    likely,
    pair_of_texts,
)
from rag.index import Index
from rag.language import detect
from rag.question import vietnamese_wordings
from rag.retrieve import PASSAGE_FEATURES, Candidate, Retriever, Weights, pair_of
from rag.schema import Figure, Release
from rag.settings import Settings
from rag.span_features import SPAN_FEATURES, Sentence, span_features
from rag.spans import Span
from rag.weights import unpack

if TYPE_CHECKING:
    from eval.fit_cross import Group

_DATA = Path(__file__).parent.parent / "rag" / "data"
FOLDS = 8
"""Parts of a set, by article or by question pair; the cross-encoder is not trained on the last."""


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


def fit_head(sets: Sequence[Set], embedder: Embedder) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays of `rag/data/head.npz`."""
    sums: dict[str, list[Vector]] = {}
    counts: Counter[int] = Counter()
    documents = 0
    seen: set[str] = set()
    for one in sets:
        for kind, texts in (
            ("passage", one.contexts),
            ("query", [question.text for question in one.questions]),
        ):
            fresh = [text for text in dict.fromkeys(texts) if kind + text not in seen]
            seen.update(kind + text for text in fresh)
            bar = tqdm(total=len(fresh), desc=f"{one.name}: {kind}")
            encoder = embedder.encoder
            for start in range(0, len(fresh), 64):
                part = fresh[start : start + 64]
                encodings = encoder.encode("query" if kind == "query" else "passage", part)
                bar.update(len(part))
                for text, encoded in zip(part, encodings, strict=True):
                    name = f"{kind}.{detect(text)}"
                    sums.setdefault(f"vector.{name}", []).append(encoded.vector)
                    sums.setdefault(f"tokens.{name}", []).append(encoded.tokens.mean(axis=0))
                    if kind == "passage":
                        counts.update(set(encoded.ids.tolist()))
                        documents += 1
            bar.close()
    arrays: dict[str, npt.NDArray[np.generic]] = {
        name: np.mean(np.stack(rows), axis=0).astype(np.float16) for name, rows in sums.items()
    }
    ids = sorted(counts)
    arrays["df_ids"] = np.array(ids, np.int32)
    arrays["df_counts"] = np.array([counts[index] for index in ids], np.int32)
    arrays["df_documents"] = np.array(documents, np.int32)
    return arrays


def count_syllables(sets: Sequence[Set], gold: Sequence[tuple[Path, Path, Split]]) -> Syllables:
    """The counts of `rag/data/syllables.npz`."""
    texts = [text for one in sets for text in one.contexts]
    texts += [question.text for one in sets for question in one.questions]
    for path, corpus, split in gold:
        texts += [file.read_text(encoding="utf-8") for file in sorted(corpus.glob("*.md"))]
        questions = load_gold(path).questions
        parts = split_of(questions)
        texts += [one.question for one in questions if split in ("all", parts[one.id])]
    counted = Syllables()
    for text in dict.fromkeys(texts):
        if detect(text) == "vi" and not text.isascii():
            counted.add(text)
    for wording in vietnamese_wordings():
        counted.add(wording)
    return counted


@dataclass(frozen=True, slots=True)
class Case:
    """One question with the features of its candidates."""

    cross: npt.NDArray[np.bool_]
    """(candidates,): the candidate's language is not the question's."""
    fold: int
    features: npt.NDArray[np.float32]
    """(candidates, features)"""
    right: npt.NDArray[np.bool_]
    """(candidates,)"""
    name: str


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


def blocks(case: Case) -> npt.NDArray[np.float64]:
    """(candidates, 2 * features): the features in the block of their language pair, else 0.

    One list can hold candidates in both languages, so both blocks are fitted together.
    """
    cross = case.cross[:, None]
    return np.concatenate(
        [np.where(cross, 0, case.features), np.where(cross, case.features, 0)], axis=1
    ).astype(np.float64)


def _is_public(name: str) -> bool:
    """Whether a set is one of general knowledge rather than of releases."""
    return name.startswith(("xquad", "mlqa"))


def softmax_fit(
    some: Sequence[Case],
    *,
    ridge: float = 0.0003,
    given: npt.NDArray[np.float64] | None = None,
    free: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.float64]:
    """Weights of both blocks that maximise the mean log-probability of the right candidates.

    Every set counts the same, however many questions it has; sets on releases count twice. With
    `given`, only the `free` of its weights are fitted.
    """
    usable = [c for c in some if c.right.any() and not c.right.all()]
    sizes = Counter(c.name for c in usable)
    counts = {name: 1.0 if _is_public(name) else 2.0 for name in sizes}
    total_count = sum(counts.values())
    lists = [(blocks(c), c.right, counts[c.name] / (sizes[c.name] * total_count)) for c in usable]
    start = np.full(lists[0][0].shape[1], 1.0) if given is None else given
    moving = np.ones(len(start), bool) if free is None else free

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        total, gradient = 0.0, np.zeros_like(weights)
        for features, right, share in lists:
            scores = features @ weights
            scores -= scores.max()
            exps = np.exp(scores)
            probabilities = exps / exps.sum()
            mass = probabilities[right].sum() + 1e-12
            total -= share * np.log(mass)
            within = np.where(right, probabilities / mass, 0.0)
            gradient += share * (features.T @ (probabilities - within))
        return (
            total + ridge * float(weights @ weights),
            np.where(moving, gradient + 2 * ridge * weights, 0.0),
        )

    result = minimize(loss, start, jac=True, method="L-BFGS-B")
    fitted: npt.NDArray[np.float64] = result.x
    return fitted


def cross_validate(
    some: Sequence[Case],
    folds: int,
    *,
    given: npt.NDArray[np.float64] | None = None,
    free: npt.NDArray[np.bool_] | None = None,
) -> dict[str, tuple[float, int]]:
    """How often a right candidate comes first, by set name, on folds left out of the fit."""
    outcome: dict[str, list[bool]] = {}
    for fold in range(folds):
        kept = [case for case in some if case.fold % folds != fold]
        weights = softmax_fit(kept, given=given, free=free)
        for case in some:
            if case.fold % folds == fold:
                best = int(np.argmax(blocks(case) @ weights))
                outcome.setdefault(case.name, []).append(bool(case.right[best]))
    return {name: (float(np.mean(marks)), len(marks)) for name, marks in outcome.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what is right about a reading of it."""

    text: str
    fold: int
    """0 to FOLDS - 1."""
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

        fold = int(question.article) % FOLDS
        out.append(Asked(question.text, fold, one.name, True, holds, right, None, question.answers))
    return out


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
                return figures.same(span.figure, question.figure)
            text = sentence.candidate.passage.text[span.start : span.end]
            return exact_match(text, question.answers) == 1.0

        def holds(candidate: Candidate, where: list[tuple[str, int, int]] = where) -> bool:
            passage = candidate.passage
            return any(
                r == passage.release_id and s < passage.end and e > passage.start
                for r, s, e in where
            )

        fold = int(hashlib.sha256(question.pair.encode()).hexdigest(), 16) % FOLDS
        out.append(
            Asked(
                question.question,
                fold,
                path.stem,
                question.answerable,
                holds,
                right,
                fits,
                question.answers,
                question.figure,
            )
        )
    return out


@dataclass(slots=True)
class Store:
    """A collection that stays open during a fit."""

    archive: Archive
    index: Index
    embedder: Embedder
    cross_encoder: CrossEncoder
    asked: list[Asked]


def unseen(stores: Sequence[Store]) -> list[Store]:
    """The stores with only those questions that the cross-encoder was not trained on.

    On the others its scores are better than they will be, and would be trusted too much.
    """
    with np.load(_DATA / "cross_encoder.npz") as arrays:
        seen = set(arrays["sets"].tolist())
    return [
        replace(
            store,
            asked=[one for one in store.asked if one.name not in seen or one.fold == FOLDS - 1],
        )
        for store in stores
    ]


_TAKEN_AWAY = 0.25
"""What a question counts whose context was taken away, beside the same question with it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One reading of one question, for the two logistics."""

    case: Case
    """Of one row; `right` when the reading is."""
    answerable: bool
    found: bool
    """The best sentence holds the gold evidence."""
    share: float
    """How much it counts."""


def gather(
    stores: Sequence[Store], what: str, weights: Weights, *, read: bool = True
) -> list[Case]:
    """The listwise cases of passages, sentences, spans, or sentences by their spans.

    Without `read`, spans are weighed without the cross-encoder.
    """
    out: list[Case] = []
    for store in stores:
        reader = Reader(store.index, store.cross_encoder, weights)
        retriever = Retriever(store.archive, store.index, store.embedder, weights)
        for item in tqdm(store.asked, desc=f"{what}: {store.asked[0].name}"):
            if not item.answerable or (what == "span" and item.fits is None):
                continue
            asked = retriever.ask(retriever.understand(item.text))
            found = retriever.search(asked, 30 if what == "passage" else 10)
            if what == "passage":
                rows = [candidate.features for candidate in found]
                right = [item.holds(candidate) for candidate in found]
                out.append(_case(asked, found, item, rows, right))
                continue
            ranked = reader.rank(asked, found)
            if what == "choice":
                best = reader.compare(asked, likely(ranked))
                if best:
                    readings = [
                        (one, sorted(reader.weigh(asked, one), key=lambda span: -span.score))
                        for one in best
                    ]
                    rows = list(choice_features(readings))
                    right = [item.right(one) for one in best]
                    out.append(_case(asked, [one.candidate for one in best], item, rows, right))
                continue
            if what == "sentence":
                rows = [sentence.features for sentence in ranked]
                right = [item.right(sentence) for sentence in ranked]
                out.append(_case(asked, [s.candidate for s in ranked], item, rows, right))
                continue
            for sentence in ranked[:10]:
                if item.fits and item.right(sentence) and len(sentence.spans) > 1:
                    right = [item.fits(sentence, span) for span in sentence.spans]
                    if any(right):
                        if read:
                            (sentence,) = reader.compare(asked, [sentence])
                        rows = span_features(asked, sentence, store.index.weight)
                        same = [sentence.candidate] * len(rows)
                        out.append(_case(asked, same, item, rows, right))
                        break
    return out


_TWINS = 0.3
"""The share of answerable questions on releases that get a twin which cannot be answered."""


def pairs(stores: Sequence[Store], weights: Weights) -> list[Group]:
    """What the cross-encoder is trained on: all folds but the last, and twins (`eval.twins`)."""
    from eval.fit_cross import CANDIDATES, Example, Group

    rng, out = random.Random(3), []
    known = [
        {
            language: names([one.text for one in store.asked if detect(one.text) == language])
            for language in ("vi", "en")
        }
        for store in stores
    ]
    for number, store in enumerate(stores):
        reader = Reader(store.index, store.cross_encoder, weights)
        retriever = Retriever(store.archive, store.index, store.embedder, weights)
        public = _is_public(store.asked[0].name)
        told = "" if public else all_told(one.text for one in store.archive.releases())
        strange = {
            language: sorted({n for at, k in enumerate(known) if at != number for n in k[language]})
            for language in known[number]
        }
        for item in tqdm(store.asked, desc=f"pairs: {store.asked[0].name}"):
            if item.fold == FOLDS - 1:
                continue
            asked = retriever.ask(retriever.understand(item.text))
            ranked = reader.rank(asked, retriever.search(asked, 10))
            right = [one for one in ranked if item.answerable and item.right(one)]
            wrong = [one for one in ranked[:8] if one not in right]
            others = wrong[2:]
            rng.shuffle(others)
            # The likeliest wrong ones are always there.
            count = CANDIDATES if item.answerable else CANDIDATES - 1
            chosen = [*right[:2], *wrong[:2], *others][:count]
            examples = tuple(
                Example(
                    pair_of_texts(one),
                    one in right,
                    _answers(item, one, one in right),
                    tuple((s.start - one.start, s.end - one.start) for s in one.spans),
                )
                for one in chosen
            )
            if not examples:
                continue
            out.append(Group(item.text, examples))
            if right and not public and rng.random() < _TWINS:
                language = detect(item.text)
                text = twin(item.text, known[number][language], strange[language], told, rng)
                if text:
                    mine = [Example(one.pair, False, (), ()) for one in examples]
                    out.append(Group(text, tuple(mine[: CANDIDATES - 1])))
    return out


def _answers(item: Asked, sentence: Sentence, right: bool) -> tuple[tuple[int, int], ...]:
    """Where the gold answers stand in a sentence; figures by value before other words."""
    if not right:
        return ()
    found = [
        (figure.start - sentence.start, figure.end - sentence.start)
        for figure in sentence.figures
        if item.figure is not None and figures.same(figure, item.figure)
    ]
    if not found:
        text = sentence.text.lower()
        for answer in {" ".join(answer.lower().split()) for answer in item.answers} - {""}:
            at = text.find(answer)
            while at >= 0:
                found.append((at, at + len(answer)))
                at = text.find(answer, at + 1)
    return tuple(sorted(set(found)))


def _case(
    asked: retrieve.Asked,
    candidates: Sequence[Candidate],
    item: Asked,
    rows: Sequence[npt.NDArray[np.float32]],
    right: Sequence[bool],
) -> Case:
    cross = [pair_of(asked.question, c.release.language) == "cross" for c in candidates]
    return Case(np.array(cross), item.fold, np.stack(rows), np.array(right), item.name)


def judge(stores: Sequence[Store], weights: Weights) -> list[Judged]:
    """Every question's reading with what is true of it.

    A question of a public set is asked twice: with its context, and without it (unanswerable).
    """
    out: list[Judged] = []
    for store in stores:
        reader = Reader(store.index, store.cross_encoder, weights)
        retriever = Retriever(store.archive, store.index, store.embedder, weights)
        for item in tqdm(store.asked, desc=f"confidence: {store.asked[0].name}"):
            asked = retriever.ask(retriever.understand(item.text))
            found = retriever.search(asked, 10)
            rounds = [(found, item.answerable)]
            if item.answerable and item.fits is None:
                gone = {c.release.id for c in found if item.holds(c)}
                rounds.append(([c for c in found if c.release.id not in gone], False))
            for candidates, answerable in rounds:
                reading = reader.read(asked, candidates)
                if reading is None:
                    continue
                good = held = answerable and item.right(reading.best)
                if held and item.fits and reading.span:
                    known = any(item.fits(reading.best, span) for span in reading.best.spans)
                    good = not known or item.fits(reading.best, reading.span.span)
                row = confidence_features(asked, reading, candidates)
                case = _case(asked, [reading.best.candidate], item, [row], [good])
                # Of real questions far fewer than half have no answer.
                share = _TAKEN_AWAY if candidates is not found else 1.0
                out.append(Judged(case, answerable, held, share))
    return out


def logistic_fit(
    some: Sequence[Case],
    labels: Sequence[bool],
    shares: Sequence[float],
    *,
    ridge: float = 0.005,
) -> npt.NDArray[np.float64]:
    """Weights of a logistic regression; every set counts the same, each case by its share.

    The ridge works on features scaled to unit deviation, so that it does not favour those with a
    wide range; the weights are given back for the features as they are. The first feature is the
    constant, which takes up what centring removes and is not held down.
    """
    rows = np.concatenate([case.features for case in some]).astype(np.float64)
    wanted = np.array(labels, np.float64)
    sizes = Counter(case.name for case in some)
    balance = np.array([share / sizes[case.name] for case, share in zip(some, shares, strict=True)])
    balance /= balance.sum()
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    mean[0] = 0.0
    scale[scale < 1e-6] = 1.0
    scaled = (rows - mean) / scale
    held = np.full(rows.shape[1], ridge)
    held[0] = 0.0

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        scores = scaled @ weights
        chance = 1 / (1 + np.exp(-np.clip(scores, -40, 40)))
        value = float(balance @ (np.logaddexp(0, scores) - wanted * scores))
        gradient = scaled.T @ (balance * (chance - wanted))
        return value + float(held @ weights**2), gradient + 2 * held * weights

    result = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B")
    fitted: npt.NDArray[np.float64] = result.x / scale
    fitted[0] -= float(fitted[1:] @ mean[1:])
    return fitted


def fit_listwise(
    model: str,
    names: Sequence[str],
    found: Sequence[Case],
    folds: int,
    weights: dict[str, Any],
    *,
    only: Collection[str] = (),
) -> None:
    """Fit one listwise model, print left-out accuracy, store it.

    What tells one span of a sentence from another is the same in any language: one set of weights.
    With `only`, the weights of these features are fitted and the others stay as they are.
    """
    shared = model in ("span", "choice")
    if shared:
        found = [replace(case, cross=np.zeros_like(case.cross)) for case in found]
    given = free = None
    if only:
        parts = ("both", "both") if shared else ("same", "cross")
        given = np.array([weights[model][part].get(name, 0.0) for part in parts for name in names])
        free = np.array([name in only for _ in parts for name in names])
    for name, (share, count) in cross_validate(found, folds, given=given, free=free).items():
        print(f"{model}: {name}: right first {share:.3f} of {count}", flush=True)
    fitted = softmax_fit(found, given=given, free=free)
    weights[model] = (
        {"both": _rounded(names, fitted[: len(names)])} if shared else _named(names, fitted)
    )


def fit_judges(
    judged: Sequence[Judged], folds: int, weights: dict[str, Any], refused: float
) -> None:
    """Fit both logistics; set the threshold on left-out folds and print what it does there.

    It is the value under which a share `refused` of the questions of gold files lies whose
    evidence was found. Answerable questions whose evidence was not found say nothing about what
    answerable ones look like, and are left out of that fit.
    """
    clear = [one for one in judged if one.found or not one.answerable]
    models = (
        ("answerable", clear, [one.answerable for one in clear]),
        ("confidence", list(judged), [bool(one.case.right[0]) for one in judged]),
    )
    chances: dict[str, npt.NDArray[np.float64]] = {}
    for model, some, labels in models:
        chances[model] = np.zeros(len(judged))
        for fold in range(folds):
            kept = [number for number, one in enumerate(some) if one.case.fold % folds != fold]
            fitted = logistic_fit(
                [some[n].case for n in kept],
                [labels[n] for n in kept],
                [some[n].share for n in kept],
            )
            for number, one in enumerate(judged):
                if one.case.fold % folds == fold:
                    score = float((one.case.features @ fitted)[0])
                    chances[model][number] = 1 / (1 + np.exp(-score))
        fitted = logistic_fit([one.case for one in some], labels, [one.share for one in some])
        weights[model] = {"both": _rounded(CONFIDENCE_FEATURES, fitted)}
    names = np.array([one.case.name for one in judged])
    answerable = np.array([one.answerable for one in judged])
    found = np.array([one.found for one in judged])
    right = np.array([bool(one.case.right[0]) for one in judged])
    gold = np.array([not _is_public(name) for name in names])
    threshold = float(np.quantile(chances["answerable"][gold & found], refused))
    weights["threshold"] = {"value": round(threshold, 4)}
    print(f"threshold {threshold:.3f}")
    for name in sorted(set(names)):
        mine = names == name
        shown = mine & (chances["answerable"] >= threshold)
        print(
            f"judged: {name}: refused unanswerable "
            f"{np.mean(chances['answerable'][mine & ~answerable] < threshold):.3f}, answerable "
            f"{np.mean(chances['answerable'][mine & answerable] < threshold):.3f}; of the answers "
            f"given right {np.mean(right[shown]):.3f}, calibration error "
            f"{calibration_error(chances['confidence'][shown], right[shown]):.3f}",
            flush=True,
        )


def calibration_error(chances: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error over ten bins of equal width; nan without answers."""
    if not len(chances):
        return float("nan")
    bins = np.minimum((chances * 10).astype(int), 9)
    return float(
        sum(
            abs(chances[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean()
            for b in range(10)
            if (bins == b).any()
        )
    )


def _named(names: Sequence[str], fitted: npt.NDArray[np.float64]) -> dict[str, dict[str, float]]:
    half = len(names)
    return {"same": _rounded(names, fitted[:half]), "cross": _rounded(names, fitted[half:])}


def _rounded(names: Sequence[str], values: npt.NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the fits."""
    parser = argparse.ArgumentParser(prog="python -m eval.fit", description=__doc__)
    parser.add_argument("what", choices=("head", "cross-encoder", "weights", "syllables"))
    parser.add_argument("--squad", nargs="*", default=[], metavar="C.json[:Q.json]")
    parser.add_argument("--gold", nargs="*", default=[], metavar="G.jsonl:FOLDER[:SPLIT]")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--judges", action="store_true", help="fit only the two logistics")
    parser.add_argument(
        "--refused", type=float, default=0.05, help="answerable questions refused, as a share"
    )
    options = parser.parse_args(arguments)
    sets = [read_set(name) for name in options.squad]
    if options.what == "syllables":
        gold = [(*name.split(":"), "all")[:3] for name in options.gold]
        counted = count_syllables(sets, [(Path(g), Path(c), s) for g, c, s in gold])
        np.savez_compressed(_DATA / "syllables.npz", **counted.packed())
        print(f"wrote {_DATA / 'syllables.npz'}: {len(counted.single)} syllables")
        return 0
    embedder = open_embedder(Settings())
    if options.what == "head":
        arrays: Any = fit_head(sets, embedder)
        np.savez_compressed(_DATA / "head.npz", **arrays)
        print(f"wrote {_DATA / 'head.npz'}: {Head.bundled().identity}")
        return 0
    weights: dict[str, Any] = dict(Weights.bundled().models)
    with tempfile.TemporaryDirectory() as data, ExitStack() as stack:
        stores = []
        for number, one in enumerate(sets):
            folder = Path(data) / str(number)
            folder.mkdir()
            settings, sources = opened(one, folder, embedder)
            stores.append(_store(settings, embedder, stack))
            stores[-1].asked = squad_questions(one, sources)
        for number, name in enumerate(options.gold):
            path, corpus, *split = name.split(":")
            settings = Settings(data_dir=Path(data) / f"gold{number}")
            ingest([corpus], settings, embedder=embedder)
            stores.append(_store(settings, embedder, stack))
            with Archive.open(settings) as archive:
                stores[-1].asked = gold_questions(
                    Path(path), archive.releases(), split[0] if split else "all"
                )
        if options.what == "cross-encoder":
            from eval.fit_cross import train  # torch is slow to import

            groups = pairs(stores, Weights(weights))
            folder = unpack(Settings().weights_dir)
            learned = train(groups, folder, [store.asked[0].name for store in stores])
            np.savez_compressed(_DATA / "cross_encoder.npz", **learned)
            print(f"wrote {_DATA / 'cross_encoder.npz'} from {len(groups)} questions")
            return 0
        if not options.judges:
            found = gather(stores, "passage", Weights(weights))
            fit_listwise("passage", PASSAGE_FEATURES, found, options.folds, weights)
            first = [replace(case, features=case.features[:, :4]) for case in found]
            fit_listwise("first", PASSAGE_FEATURES[:4], first, options.folds, weights)
            found = gather(stores, "sentence", Weights(weights))
            fit_listwise("sentence", SENTENCE_FEATURES, found, options.folds, weights)
            found = gather(stores, "span", Weights(weights), read=False)
            fit_listwise("span", SPAN_FEATURES, found, options.folds, weights)
        stores = unseen(stores)
        if not options.judges:
            found = gather(stores, "span", Weights(weights))
            fit_listwise("span", SPAN_FEATURES, found, options.folds, weights, only=("pointer",))
            found = gather(stores, "choice", Weights(weights))
            fit_listwise("choice", CHOICE_FEATURES, found, options.folds, weights)
        fit_judges(judge(stores, Weights(weights)), options.folds, weights, options.refused)
        _write(weights)
    return 0


def _store(settings: Settings, embedder: Embedder, stack: ExitStack) -> Store:
    archive = stack.enter_context(Archive.open(settings))
    index = stack.enter_context(Index.open(settings, archive, embedder.identity))
    settings = Settings()
    return Store(archive, index, embedder, open_cross_encoder(settings, embedder), [])


def _write(weights: dict[str, Any]) -> None:
    (_DATA / "weights.json").write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {_DATA / 'weights.json'}")


if __name__ == "__main__":
    sys.exit(main())
