"""`python -m eval.fit`: fits the small files that the reader weighs with, from sets the user names.

    python -m eval.fit head  --squad CONTEXTS.json[:QUESTIONS.json] ...
    python -m eval.fit weights --squad ... --gold GOLD.jsonl:FOLDER[:dev] ... [--folds 4]

`head` writes `rag/data/head.npz`: the mean vectors of questions and passages by language, and how
many passages each vocabulary id occurs in. `weights` writes `rag/data/weights.json`: for the choice
of passage, sentence and span a listwise softmax regression over the features of `rag.retrieve` and
`rag.evidence`, and for the confidence a logistic regression. It prints how often the right one
comes first on folds that were left out, split by article or by question pair.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from tqdm import tqdm

from eval.gold import Question, Split, load_gold, locate_quotes, split_of
from eval.metrics import exact_match
from ingest.pipeline import ingest
from rag import figures
from rag.archive import Archive
from rag.embedding import Embedder, Head, Vector, open_embedder
from rag.evidence import (
    CONFIDENCE_FEATURES,
    SENTENCE_FEATURES,
    SPAN_FEATURES,
    Reader,
    Sentence,
    Span,
    confidence_features,
    span_features,
)
from rag.index import Index
from rag.language import detect
from rag.question import understand
from rag.retrieve import PASSAGE_FEATURES, Candidate, Retriever, Weights, pair_of
from rag.schema import Release
from rag.settings import Settings

_DATA = Path(__file__).parent.parent / "rag" / "data"


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


@dataclass(frozen=True, slots=True)
class Case:
    """One question with the features of its candidates."""

    pair: str
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


def softmax_fit(
    some: Sequence[Case], columns: Sequence[int], *, ridge: float = 0.003
) -> npt.NDArray[np.float64]:
    """Weights that maximise the mean log-probability of the right candidates, with a ridge."""
    usable = [case for case in some if case.right.any() and not case.right.all()]

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        total, gradient = 0.0, np.zeros_like(weights)
        for case in usable:
            features = case.features[:, columns].astype(np.float64)
            scores = features @ weights
            scores -= scores.max()
            exps = np.exp(scores)
            probabilities = exps / exps.sum()
            mass = probabilities[case.right].sum() + 1e-12
            total -= np.log(mass)
            within = np.where(case.right, probabilities / mass, 0.0)
            gradient += features.T @ (probabilities - within)
        size = len(usable)
        return (
            total / size + ridge * float(weights @ weights),
            gradient / size + 2 * ridge * weights,
        )

    result = minimize(loss, np.full(len(columns), 1.0), jac=True, method="L-BFGS-B")
    fitted: npt.NDArray[np.float64] = result.x
    return fitted


def top1(case: Case, columns: Sequence[int], weights: npt.NDArray[np.float64]) -> bool:
    """Whether the best-weighted candidate is a right one."""
    return bool(case.right[int(np.argmax(case.features[:, columns] @ weights))])


def cross_validate(
    all_cases: Sequence[Case], columns: Sequence[int], folds: int
) -> dict[str, tuple[float, int]]:
    """Recall@1 by set name, each fold scored by weights fitted on the others."""
    outcome: dict[str, list[bool]] = {}
    for pair in ("same", "cross"):
        mine = [case for case in all_cases if case.pair == pair]
        for fold in range(folds):
            weights = softmax_fit([case for case in mine if case.fold != fold], columns)
            for case in mine:
                if case.fold == fold:
                    outcome.setdefault(case.name, []).append(top1(case, columns, weights))
    return {name: (float(np.mean(marks)), len(marks)) for name, marks in outcome.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what is right about a reading of it."""

    text: str
    fold: int
    name: str
    answerable: bool
    holds: Callable[[Candidate], bool]
    """Whether a passage is one of those that the question was written for."""
    right: Callable[[Sentence], bool]
    """Whether a sentence holds the gold evidence."""
    fits: Callable[[Sentence, Span], bool] | None
    """Whether a span is the gold answer; None when no short span is known to be."""


def squad_questions(one: Set, sources: dict[str, int], folds: int) -> list[Asked]:
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

        fold = int(question.article) % folds
        out.append(Asked(question.text, fold, one.name, True, holds, right, None))
    return out


def gold_questions(
    path: Path, releases: Sequence[Release], split: Split, folds: int
) -> list[Asked]:
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

        fold = int(hashlib.sha256(question.pair.encode()).hexdigest(), 16) % folds
        out.append(
            Asked(question.question, fold, path.stem, question.answerable, holds, right, fits)
        )
    return out


@dataclass(slots=True)
class Store:
    """A collection that stays open during a fit."""

    archive: Archive
    index: Index
    embedder: Embedder
    asked: list[Asked]


def gather(
    stores: Sequence[Store], what: str, weights: Weights
) -> tuple[list[Case], list[tuple[Case, bool]]]:
    """Cases of sentences or spans, or (features, label) of confidence as cases of one row."""
    listwise: list[Case] = []
    sure: list[tuple[Case, bool]] = []
    for store in stores:
        reader = Reader(store.index, weights)
        retriever = Retriever(store.archive, store.index, store.embedder, weights)
        for item in tqdm(store.asked, desc=f"{what}: {store.asked[0].name}"):
            asked = retriever.ask(understand(item.text))
            found = retriever.search(asked, 10)
            if not found:
                continue
            if what == "confidence":
                rounds = [(found, item.answerable)]
                if item.answerable and item.fits is None:
                    # The same question with its context taken away is one without an answer.
                    gone = {
                        s.candidate.release.id for s in reader.rank(asked, found) if item.right(s)
                    }
                    rounds.append(([c for c in found if c.release.id not in gone], False))
                for candidates, answerable in rounds:
                    reading = reader.read(asked, candidates)
                    if reading is None:
                        continue
                    good = answerable and item.right(reading.best)
                    if good and item.fits and reading.span:
                        known = any(item.fits(reading.best, span) for span in reading.best.spans)
                        good = not known or item.fits(reading.best, reading.span.span)
                    row = confidence_features(asked, reading, candidates)
                    pair = pair_of(asked.question, reading.best.candidate.release.language)
                    case = Case(pair, item.fold, row[None, :], np.array([good]), item.name)
                    sure.append((case, answerable))
                continue
            if not item.answerable:
                continue
            if what == "passage":
                found = retriever.search(asked, 30)
                rows = np.stack([candidate.features for candidate in found])
                right = np.array([item.holds(candidate) for candidate in found])
                pair = pair_of(asked.question, found[0].release.language)
                listwise.append(Case(pair, item.fold, rows, right, item.name))
                continue
            ranked = reader.rank(asked, found)
            pair = pair_of(asked.question, ranked[0].candidate.release.language)
            if what == "sentence":
                rows = np.stack([sentence.features for sentence in ranked])
                right = np.array([item.right(sentence) for sentence in ranked])
                listwise.append(Case(pair, item.fold, rows, right, item.name))
            elif item.fits is not None:
                for sentence in ranked[:10]:
                    if not item.right(sentence) or len(sentence.spans) < 2:
                        continue
                    right = np.array([item.fits(sentence, span) for span in sentence.spans])
                    if right.any():
                        rows = np.stack(span_features(asked, sentence))
                        pair = pair_of(asked.question, sentence.candidate.release.language)
                        listwise.append(Case(pair, item.fold, rows, right, item.name))
                        break
    return listwise, sure


def logistic_fit(some: Sequence[Case], *, ridge: float = 0.002) -> npt.NDArray[np.float64]:
    """Weights of a logistic regression with a ridge; every set counts the same."""
    rows = np.concatenate([case.features for case in some]).astype(np.float64)
    labels = np.concatenate([case.right for case in some]).astype(np.float64)
    sizes = Counter(case.name for case in some)
    balance = np.array([1.0 / sizes[case.name] for case in some])
    balance /= balance.sum()

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        scores = rows @ weights
        chance = 1 / (1 + np.exp(-scores))
        value = float(balance @ (np.logaddexp(0, scores) - labels * scores))
        gradient = rows.T @ (balance * (chance - labels))
        return value + ridge * float(weights @ weights), gradient + 2 * ridge * weights

    result = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B")
    fitted: npt.NDArray[np.float64] = result.x
    return fitted


def fit_listwise(
    model: str, names: Sequence[str], found: Sequence[Case], folds: int, weights: dict[str, Any]
) -> None:
    """Fit one listwise model for both language pairs, print left-out accuracy, store it."""
    columns = list(range(len(names)))
    for name, (share, count) in cross_validate(found, columns, folds).items():
        print(f"{model}: {name}: right first {share:.3f} of {count}")
    weights[model] = {
        pair: _rounded(names, softmax_fit([case for case in found if case.pair == pair], columns))
        for pair in ("same", "cross")
    }


def fit_confidence(
    sure: Sequence[tuple[Case, bool]], folds: int, weights: dict[str, Any], wrong: float
) -> None:
    """Fit the calibrated confidence and set the threshold on left-out folds.

    The threshold is the largest that refuses at most `wrong` of the answerable questions of the
    gold files whose reading is right.
    """
    weights["confidence"] = {}
    scored: list[tuple[float, bool, bool, str]] = []
    for pair in ("same", "cross"):
        mine = [(case, answerable) for case, answerable in sure if case.pair == pair]
        for fold in range(folds):
            fitted = logistic_fit([case for case, _ in mine if case.fold != fold])
            for case, answerable in mine:
                if case.fold == fold:
                    chance = 1 / (1 + np.exp(-float(case.features[0] @ fitted)))
                    scored.append((chance, bool(case.right[0]), answerable, case.name))
        weights["confidence"][pair] = _rounded(
            CONFIDENCE_FEATURES, logistic_fit([case for case, _ in mine])
        )
    gold = sorted(
        chance
        for chance, good, _, name in scored
        if good and not name.startswith(("xquad", "mlqa"))
    )
    threshold = gold[int(wrong * len(gold))] if gold else 0.5
    weights["threshold"] = {"value": round(float(threshold), 4)}
    print(f"threshold {threshold:.3f}")
    for name in sorted({name for *_, name in scored}):
        mine_ = [(c, g, a) for c, g, a, n in scored if n == name]
        chances = np.array([c for c, _, _ in mine_])
        goods = np.array([g for _, g, _ in mine_])
        bins = np.minimum((chances * 10).astype(int), 9)
        error = sum(
            abs(chances[bins == b].mean() - goods[bins == b].mean()) * (bins == b).mean()
            for b in range(10)
            if (bins == b).any()
        )
        refused_no = np.mean([c < threshold for c, _, a in mine_ if not a] or [np.nan])
        refused_yes = np.mean([c < threshold for c, _, a in mine_ if a])
        print(
            f"confidence: {name}: calibration error {error:.3f}, refused unanswerable "
            f"{refused_no:.3f}, refused answerable {refused_yes:.3f}, right {goods.mean():.3f}"
        )


def _rounded(names: Sequence[str], values: npt.NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the fits."""
    parser = argparse.ArgumentParser(prog="python -m eval.fit", description=__doc__)
    parser.add_argument("what", choices=("head", "weights"))
    parser.add_argument("--squad", nargs="*", default=[], metavar="C.json[:Q.json]")
    parser.add_argument("--gold", nargs="*", default=[], metavar="G.jsonl:FOLDER[:SPLIT]")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--wrong", type=float, default=0.03, help="right answers refused at most")
    options = parser.parse_args(arguments)
    sets = [read_set(name) for name in options.squad]
    embedder = open_embedder(Settings())
    if options.what == "head":
        np.savez_compressed(_DATA / "head.npz", **fit_head(sets, embedder))
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
            stores[-1].asked = squad_questions(one, sources, options.folds)
        for number, name in enumerate(options.gold):
            path, corpus, *split = name.split(":")
            settings = Settings(data_dir=Path(data) / f"gold{number}")
            ingest([corpus], settings, embedder=embedder)
            stores.append(_store(settings, embedder, stack))
            with Archive.open(settings) as archive:
                stores[-1].asked = gold_questions(
                    Path(path), archive.releases(), split[0] if split else "all", options.folds
                )
        found, _ = gather(stores, "passage", Weights(weights))
        fit_listwise("passage", PASSAGE_FEATURES, found, options.folds, weights)
        first = [replace(case, features=case.features[:, :3]) for case in found]
        fit_listwise("first", PASSAGE_FEATURES[:3], first, options.folds, weights)
        for what, names in (("sentence", SENTENCE_FEATURES), ("span", SPAN_FEATURES)):
            found, _ = gather(stores, what, Weights(weights))
            fit_listwise(what, names, found, options.folds, weights)
        _, sure = gather(stores, "confidence", Weights(weights))
        fit_confidence(sure, options.folds, weights, options.wrong)
        _write(weights)
    return 0


def _store(settings: Settings, embedder: Embedder, stack: ExitStack) -> Store:
    archive = stack.enter_context(Archive.open(settings))
    index = stack.enter_context(Index.open(settings, archive, embedder.identity))
    return Store(archive, index, embedder, [])


def _write(weights: dict[str, Any]) -> None:
    (_DATA / "weights.json").write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {_DATA / 'weights.json'}")


if __name__ == "__main__":
    sys.exit(main())
