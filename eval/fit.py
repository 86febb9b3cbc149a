"""`python -m eval.fit`: fits the small files that the reader weighs with, from sets the user names.

    python -m eval.fit head  --squad CONTEXTS.json[:QUESTIONS.json] ...
    python -m eval.fit kinds --gold GOLD.jsonl:FOLDER[:dev] ... [--squad ...]
    python -m eval.fit cross-encoder --squad ... --gold GOLD.jsonl:FOLDER[:dev] ...
    python -m eval.fit weights --squad ... --gold GOLD.jsonl:FOLDER[:dev] ... [--folds 4]
    python -m eval.fit syllables --squad ... --gold GOLD.jsonl:FOLDER[:dev] ...

`head` writes `rag/data/head.npz`: the mean vectors of questions and passages by language, and how
many passages each vocabulary id occurs in. `kinds` writes `rag/data/kinds.npz`: the kind of answer
that a question's words let expect, see `eval.fit_kinds`. `cross-encoder` writes
`rag/data/cross_encoder.npz`, see `eval.fit_cross`. Both leave out an eighth of each set, and of the
sets that they learned from only that eighth serves the fits that use them. `weights` writes
`rag/data/weights.json`: for the choice of passage, sentence and span a listwise softmax regression
over the features of `rag.retrieve` and `rag.evidence`, and for the confidence a logistic
regression; passages are found in one collection of all gold folders. It prints how often the right
one comes first on folds that were left out, split by article or by question pair, and how the
logistics judge sets that were left out as a whole.
`syllables` writes `rag/data/syllables.npz`, the counts by which `rag.diacritics` marks what was
typed without diacritics, from all Vietnamese texts and questions of the sets and from the glossary.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from eval.fit_kinds import fit_kinds, general, kind_of
from eval.fit_sets import (
    Asked,
    Set,
    gold_questions,
    group_of,
    is_public,
    left_out,
    opened,
    read_set,
    seen_sets,
    set_name,
    squad_questions,
)
from eval.fit_weights import Case, Judged, fit_judges, fit_listwise
from eval.gold import Question, Split, load_gold, split_of
from eval.metrics import agrees
from eval.twins import all_told, names, twin
from ingest.pipeline import ingest
from rag import retrieve
from rag.archive import Archive
from rag.confidence import confidence_features
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
from rag.figures import in_dollars_of
from rag.index import Index
from rag.language import detect
from rag.question import vietnamese_wordings
from rag.retrieve import FIRST_FEATURES, PASSAGE_FEATURES, Candidate, Retriever, Weights, pair_of
from rag.settings import Settings
from rag.span_features import SPAN_FEATURES, Sentence, span_features
from rag.weights import unpack

if TYPE_CHECKING:
    from eval.fit_cross import Group

_DATA = Path(__file__).parent.parent / "rag" / "data"


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


@dataclass(slots=True)
class Store:
    """A collection that stays open during a fit."""

    archive: Archive
    index: Index
    embedder: Embedder
    cross_encoder: CrossEncoder
    asked: list[Asked]


def unseen(stores: Sequence[Store]) -> list[Store]:
    """The stores with only those questions that neither cross-encoder nor kinds learned from.

    On the others they are better than they will be, and would be trusted too much.
    """
    seen = seen_sets(_DATA / "cross_encoder.npz") | seen_sets(_DATA / "kinds.npz")
    left = [
        replace(store, asked=[one for one in store.asked if one.name not in seen or one.left_out])
        for store in stores
    ]
    return [store for store in left if store.asked]


_TAKEN_AWAY = 0.25
"""What a question counts whose context was taken away, beside the same question with it."""


def gather(
    stores: Sequence[Store], what: str, weights: Weights, *, read: bool = True
) -> list[Case]:
    """The listwise cases of passages, sentences, spans, or sentences by their spans.

    Without `read`, spans are weighed without the cross-encoder and without how likely their kind
    is; what is looked for at all is as in use, also where that was learned from the question.
    """
    out: list[Case] = []
    for store in stores:
        reader = Reader(store.index, store.cross_encoder, weights)
        retriever = Retriever(store.archive, store.index, store.embedder, weights)
        for item in tqdm(store.asked, desc=f"{what}: {store.asked[0].name}"):
            if not item.answerable or (what == "span" and item.fits is None):
                continue
            asked = retriever.ask(retriever.understand(item.text))
            found = retriever.search(asked, 100 if what == "passage" else 10)
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
                        else:
                            asked = replace(asked, question=replace(asked.question, expected=()))
                        rows = span_features(asked, sentence, store.index.weight)
                        same = [sentence.candidate] * len(rows)
                        out.append(_case(asked, same, item, rows, right))
                        break
    return out


_TWINS = 0.3
"""The share of answerable questions on releases that get a twin which cannot be answered."""


_LEARNED = ("pointer", "expected", "kind")
"""Features of a span whose weights are fitted on questions that nothing was learned from."""
_KEPT = 0.25
"""The share of the questions that the cross-encoder has learned from that it is asked again."""


def pairs(stores: Sequence[Store], weights: Weights, *, known: Collection[str] = ()) -> list[Group]:
    """What the cross-encoder is trained on: what is not left out, and twins (`eval.twins`).

    Of the sets that it has learned from before (`known`) a part of the questions, so that it does
    not forget them.
    """
    from eval.fit_cross import CANDIDATES, Example, Group

    rng, out = random.Random(3), []
    named = [
        {
            language: names([one.text for one in store.asked if detect(one.text) == language])
            for language in ("vi", "en")
        }
        for store in stores
    ]
    for number, store in enumerate(stores):
        reader = Reader(store.index, store.cross_encoder, weights)
        retriever = Retriever(store.archive, store.index, store.embedder, weights)
        public = is_public(store.asked[0].name)
        told = "" if public else all_told(one.text for one in store.archive.releases())
        strange = {
            language: sorted({n for at, k in enumerate(named) if at != number for n in k[language]})
            for language in named[number]
        }
        for item in tqdm(store.asked, desc=f"pairs: {store.asked[0].name}"):
            if item.left_out or (item.name in known and rng.random() > _KEPT):
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
                text = twin(item.text, named[number][language], strange[language], told, rng)
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
        if item.figure is not None
        and agrees(item.figure, in_dollars_of(figure, sentence.candidate.release.text))
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the fits."""
    parser = argparse.ArgumentParser(prog="python -m eval.fit", description=__doc__)
    parser.add_argument("what", choices=("head", "kinds", "cross-encoder", "weights", "syllables"))
    parser.add_argument("--squad", nargs="*", default=[], metavar="C.json[:Q.json]")
    parser.add_argument("--gold", nargs="*", default=[], metavar="G.jsonl:FOLDER[:SPLIT]")
    parser.add_argument(
        "--apart", default="short", metavar="PREFIX",
        help="gold files with questions that name no release, which are searched in their own "
        "folder alone: those whose name begins so",
    )  # fmt: skip
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--judges", action="store_true", help="fit only the two logistics")
    parser.add_argument(
        "--every", type=int, default=1, metavar="N",
        help="fit what does not read with the cross-encoder on one question in N",
    )  # fmt: skip
    parser.add_argument(
        "--refused", type=float, default=0.05, help="answerable questions refused, as a share"
    )
    parser.add_argument("--epochs", type=int, default=2, help="times each question is learned from")
    parser.add_argument(
        "--start", type=Path, metavar="NPZ", help="go on from this cross-encoder's file"
    )
    options = parser.parse_args(arguments)
    if options.every < 1:
        parser.error("--every counts from 1")
    sets = [read_set(name) for name in options.squad]
    known_by = {one.name for one in sets}
    if lacking := [name for name in options.gold if ":" not in name]:
        parser.error(f"{lacking[0]}: name the folder of its releases too: GOLD.jsonl:FOLDER")
    gold = [_gold_set(name) for name in options.gold]
    known_by |= {set_name(path) for path, _, _ in gold}
    if options.what == "weights" and len(known_by) < 2:
        parser.error("the judges leave out whole sets; name at least two sets")
    if not known_by:
        parser.error("name the sets to learn from: --squad, --gold")
    if options.what == "syllables":
        counted = count_syllables(sets, gold)
        np.savez_compressed(_DATA / "syllables.npz", **counted.packed())
        print(f"wrote {_DATA / 'syllables.npz'}: {len(counted.single)} syllables")
        return 0
    if options.what == "kinds":
        learned_from = [(one.question, kind_of(one)) for one in _learned_from(gold)]
        for one in sets:
            asked = squad_questions(one, {})
            learned_from += general([each for each in asked if not each.left_out])
        try:
            arrays: Any = fit_kinds(learned_from, sorted(known_by))
        except ValueError as error:
            parser.error(f"{error}; name more sets: --gold")
        np.savez_compressed(_DATA / "kinds.npz", **arrays)
        print(f"wrote {_DATA / 'kinds.npz'} from {len(learned_from)} questions")
        return 0
    embedder = open_embedder(Settings())
    if options.what == "head":
        arrays = fit_head(sets, embedder)
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
        public = len(stores)
        for number, one_set in enumerate(gold):
            folder = Path(data) / f"gold{number}"
            stores.append(_gold_store([one_set], folder, embedder, stack))
        if options.what == "cross-encoder":
            from eval.fit_cross import train  # torch is slow to import

            known = seen_sets(options.start) if options.start else set()
            groups = pairs(stores, Weights(weights), known=known)
            folder = unpack(Settings().weights_dir)
            learned = train(
                groups,
                folder,
                [store.asked[0].name for store in stores],
                epochs=options.epochs,
                start=options.start,
            )
            np.savez_compressed(_DATA / "cross_encoder.npz", **learned)
            print(f"wrote {_DATA / 'cross_encoder.npz'} from {len(groups)} questions")
            return 0
        try:
            apart = [one for one in stores if one.asked[0].name.startswith(options.apart)]
            joined = [one for one in gold if not one[0].name.startswith(options.apart)]
            searched = [*stores[:public], *apart]
            if joined and not options.judges:
                # Finding is hardest where there is much: all releases in one collection.
                together = Path(data) / "together"
                searched.append(_gold_store(joined, together, embedder, stack))
            _fit_weights(searched, stores, options, weights)
        except ValueError as error:
            parser.error(f"{error}; name more sets: --squad, --gold")
        _write(weights)
    return 0


def _gold_store(
    gold: Sequence[tuple[Path, Path, Split]], folder: Path, embedder: Embedder, stack: ExitStack
) -> Store:
    """The releases of some gold files in one collection, with their questions."""
    settings = Settings(data_dir=folder)
    ingest(sorted({str(corpus) for _, corpus, _ in gold}), settings, embedder=embedder)
    store = _store(settings, embedder, stack)
    releases = store.archive.releases()
    for path, _, split in gold:
        store.asked += gold_questions(path, releases, split)
    return store


def _fit_weights(
    searched: Sequence[Store],
    stores: Sequence[Store],
    options: argparse.Namespace,
    weights: dict[str, Any],
) -> None:
    """Fit the models of `weights.json` one on the other. Raises ValueError if questions lack.

    Passages are found in the collections `searched`, and read in `stores`.
    """
    if not options.judges:
        rng = random.Random(5)

        def some_of(collections: Sequence[Store]) -> list[Store]:
            return [
                replace(one, asked=rng.sample(one.asked, -(-len(one.asked) // options.every)))
                for one in collections
            ]

        some = some_of(stores)
        found = gather(some_of(searched), "passage", Weights(weights))
        fit_listwise("passage", PASSAGE_FEATURES, found, options.folds, weights)
        first = [replace(case, features=case.features[:, : len(FIRST_FEATURES)]) for case in found]
        fit_listwise("first", FIRST_FEATURES, first, options.folds, weights)
        found = gather(some, "sentence", Weights(weights))
        fit_listwise("sentence", SENTENCE_FEATURES, found, options.folds, weights)
        found = gather(some, "span", Weights(weights), read=False)
        fit_listwise("span", SPAN_FEATURES, found, options.folds, weights)
    stores = unseen(stores)
    if not options.judges:
        found = gather(stores, "span", Weights(weights))
        fit_listwise("span", SPAN_FEATURES, found, options.folds, weights, only=_LEARNED)
        found = gather(stores, "choice", Weights(weights))
        fit_listwise("choice", CHOICE_FEATURES, found, options.folds, weights)
    fit_judges(judge(stores, Weights(weights)), weights, options.refused)


def _gold_set(name: str) -> tuple[Path, Path, Split]:
    """The parts of `GOLD.jsonl:FOLDER[:SPLIT]`."""
    path, corpus, split = [*name.split(":"), "all"][:3]
    return Path(path), Path(corpus), cast(Split, split)


def _learned_from(gold: Sequence[tuple[Path, Path, Split]]) -> list[Question]:
    """The answerable gold questions that are not left out, as the cross-encoder has them."""
    found = []
    for path, _, split in gold:
        questions = load_gold(path).questions
        parts = split_of(questions)
        found += [
            question
            for question in questions
            if question.answerable
            and split in ("all", parts[question.id])
            and not left_out(group_of(question))
        ]
    return found


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
