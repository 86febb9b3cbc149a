"""`python -m eval.fit`: fits the small files that the reader weighs with, from sets the user names.

    python -m eval.fit head  --squad CONTEXTS.json[:QUESTIONS.json] ...
    python -m eval.fit rank  --squad ... [--folds 4]

`head` writes `rag/data/head.npz`: the mean vectors of questions and passages by language, and how
many passages each vocabulary id occurs in. `rank` writes the passage part of
`rag/data/weights.json`: a listwise softmax regression over the features of `rag.retrieve`, and
prints recall@1 on folds that were left out, split by article.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from tqdm import tqdm

from ingest.pipeline import ingest
from rag.archive import Archive
from rag.embedding import Embedder, Head, Vector, open_embedder
from rag.index import Index
from rag.language import detect
from rag.question import understand
from rag.retrieve import PASSAGE_FEATURES, Retriever, Weights, pair_of
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


def cases(sets: Sequence[Set], embedder: Embedder, folds: int, data: Path) -> list[Case]:
    """The features of every question's candidates."""
    out: list[Case] = []
    for number, one in enumerate(sets):
        folder = data / str(number)
        folder.mkdir()
        settings, _ = opened(one, folder, embedder)
        with (
            Archive.open(settings) as archive,
            Index.open(settings, archive, embedder.identity) as index,
        ):
            retriever = Retriever(archive, index, embedder)
            for question in tqdm(one.questions, desc=one.name):
                found = retriever.search(retriever.ask(understand(question.text)), 30)
                gold = " ".join(one.contexts[question.context].split())
                right = [" ".join(candidate.passage.text.split()) in gold for candidate in found]
                out.append(
                    Case(
                        pair=pair_of(understand(question.text), found[0].release.language),
                        fold=int(question.article) % folds,
                        features=np.stack([candidate.features for candidate in found]),
                        right=np.array(right),
                        name=one.name,
                    )
                )
    return out


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the fits."""
    parser = argparse.ArgumentParser(prog="python -m eval.fit", description=__doc__)
    parser.add_argument("what", choices=("head", "rank"))
    parser.add_argument("--squad", nargs="+", required=True, metavar="C.json[:Q.json]")
    parser.add_argument("--folds", type=int, default=4)
    options = parser.parse_args(arguments)
    sets = [read_set(name) for name in options.squad]
    embedder = open_embedder(Settings())
    if options.what == "head":
        np.savez_compressed(_DATA / "head.npz", **fit_head(sets, embedder))
        print(f"wrote {_DATA / 'head.npz'}: {Head.bundled().identity}")
        return 0
    with tempfile.TemporaryDirectory() as data:
        found = cases(sets, embedder, options.folds, Path(data))
    report(found, options.folds)
    return 0


def report(found: Sequence[Case], folds: int) -> None:
    """Print left-out recall@1 and write the weights fitted on everything."""
    names = PASSAGE_FEATURES
    columns = list(range(len(names)))
    show: Callable[[str], None] = print
    for label, some in (("all features", columns), ("first stage", columns[:3])):
        for name, (recall, count) in cross_validate(found, some, folds).items():
            show(f"{label}: {name}: recall@1 {recall:.3f} of {count}")
    weights = dict(Weights.bundled().models)
    for model, some in (("passage", columns), ("first", columns[:3])):
        weights[model] = {}
        for pair in ("same", "cross"):
            mine = [case for case in found if case.pair == pair]
            fitted = softmax_fit(mine, some)
            weights[model][pair] = {
                names[column]: round(float(value), 4)
                for column, value in zip(some, fitted, strict=True)
            }
    (_DATA / "weights.json").write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")
    show(json.dumps(weights))


if __name__ == "__main__":
    sys.exit(main())
