"""From a question to the passages that may answer it.

Candidates come from both indexes; each gets a handful of features, and a weighted sum ranks them.
What is known without reading a passage (`FIRST_FEATURES`) tells which of them are read.
The weights were fitted on public question sets and on made-up releases (`eval/fit.py`), one set for
questions in the language of the passage and one for questions in the other language.

Features of a passage besides a constant `bias`, each about 0 to 1 and independent of the size of
the collection:

- `dense`: cosine of question and passage vectors (mean-centred, see `rag.embedding.Head`);
- `words`: BM25 of the question's own words, as a share of the most that they could reach;
- `terms`: the same for the glossary's wordings in the passage's language, best wording per term;
- `names`: the same for the question's names and numbers, which survive a change of language, in
  that passage of the release that says most of them: one that is about a place seldom says so in
  every passage;
- `late`: late interaction (Khattab and Zaharia 2020): for each token of the question the largest
  cosine among the passage's tokens, averaged by inverse document frequency;
- `best`: late interaction with the passage's best sentence alone;
- `exact`: share of the question's tokens that the passage has too, by inverse document frequency;
- `about`: share of the question's names and numbers found in the passage, its headings or its
  release's metadata;
- `period`: how well the times that the passage speaks of suit the question's (`rag.period`).
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from rag import figures
from rag.archive import Archive, Stored
from rag.diacritics import Syllables
from rag.embedding import Embedder, Encoded, Vector
from rag.errors import NothingIngestedError
from rag.expected import expecting
from rag.index import Index, terms, unspoken
from rag.language import bare, fold, sentences, stripped, words
from rag.period import Mention, Period, fit, fit_of, mentioned, mentions, resolved
from rag.question import Concept, Question, spelled_out, understand
from rag.schema import Figure, Filters, Hit, Language, Passage, Release

FIRST_FEATURES = ("bias", "dense", "words", "terms", "names")
PASSAGE_FEATURES = (*FIRST_FEATURES, "late", "best", "exact", "about", "period")
_FROM_EACH = 50
"""Candidates taken from each index, at least."""
_READ = 20
"""Candidates whose token vectors are read, at least."""
_WORDINGS = 12
"""Wordings of a term that are looked for, at most."""
_NEAR = 20
"""Passages that tell which diacritics are meant."""
_KEPT = 2000
"""Releases kept in memory between questions."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Fitted weights by name of the model and of the language pair (`same`, `cross`)."""

    models: dict[str, dict[str, Any]]

    @classmethod
    @lru_cache(maxsize=1)
    def bundled(cls) -> Weights:
        """The weights that come with the project (`rag/data/weights.json`)."""
        text = (files("rag") / "data" / "weights.json").read_text(encoding="utf-8")
        return cls(json.loads(text))

    def number(self, name: str) -> float:
        """A single fitted number; 0 when it was not fitted."""
        return float(self.models.get(name, {}).get("value", 0.0))

    def vector(self, model: str, pair: str, names: Sequence[str]) -> Vector:
        """The weights of some features in their order; 0 for one that was not fitted."""
        fitted = self.models.get(model, {}).get(pair, {})
        return np.array([fitted.get(name, 0.0) for name in names], np.float32)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its encoding and the weight of its parts in this collection."""

    question: Question
    encoded: Encoded
    token_weights: Vector
    """(question tokens,), summing to 1 (0 for a question without tokens)."""


class _Row(NamedTuple):
    """A passage that may become a candidate, and what the indexes say of it."""

    passage_id: str
    release_id: str
    told: tuple[float, float, float]
    """Its `words`, `terms` and `names`."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage with what the reader needs of it."""

    passage: Passage
    release: Release
    encoded: Encoded
    features: Vector
    """(len(PASSAGE_FEATURES),)"""
    score: float
    similarity: npt.NDArray[np.float32]
    """(question tokens, passage tokens): cosines."""
    known: Vector
    """(question tokens,): the largest cosine with what is known about the release as a whole."""

    def late(self, asked: Asked, tokens: npt.NDArray[np.bool_] | None = None) -> float:
        """Late interaction of a question with some tokens of the passage (None: all of them).

        What a question says of the release (issuer, place, date) counts wherever it reads.
        """
        chosen = self.similarity if tokens is None else self.similarity[:, tokens]
        if not len(asked.token_weights) or not chosen.shape[1]:
            return 0.0
        return float(np.maximum(chosen.max(axis=1), self.known) @ asked.token_weights)


def pair_of(question: Question, language: Language) -> str:
    """`same` when question and text share their language, else `cross`."""
    return "same" if question.language == language else "cross"


def own_terms(question: Question) -> list[str]:
    """The terms of BM25 for the question's own words."""
    joined = " ".join(question.content)
    found = terms(joined)
    plain = [term for term in found if term.startswith("~")]
    if question.unmarked:
        return plain
    return [term for term in found if not term.startswith("~")]


def name_terms(question: Question) -> list[str]:
    """The terms that survive a change of language: names and numbers, without diacritics.

    Also pairs of them that stand side by side: "~lam ~khe" is rare where "~lam" is not.
    """
    said = [fold(word) for word, _, _ in words(question.text)]
    named = [
        word in question.content and (word[0].isdigit() or word in question.names) for word in said
    ]
    plain = ["~" + bare(word) for word in said]
    return [
        *itertools.compress(plain, named),
        *(
            f"{left} {right}"
            for (left, right), both in zip(
                itertools.pairwise(plain), itertools.pairwise(named), strict=True
            )
            if all(both)
        ),
    ]


def concept_weight(concept: Concept, rarest: float) -> float:
    """What a term of the glossary counts among those of a question.

    More, the more of the question's words it spans: "giới" alone is "gender", "circle" or
    "world", "thế giới" only the last. `rarest` is the inverse document frequency of its wording;
    by its root, since the rarest of wrong wordings would else tell which passages are found.
    """
    return concept.spanned * math.sqrt(rarest)


def wordings_of(concept: Concept, language: Language) -> list[list[str]]:
    """The terms of BM25 for each of the glossary's likeliest wordings of a term."""
    return [
        [term for term in terms(wording) if not term.startswith("~")]
        for wording in concept.wordings(language)[:_WORDINGS]
    ]


class Retriever:
    """Finds passages in one collection."""

    def __init__(
        self, archive: Archive, index: Index, embedder: Embedder, weights: Weights | None = None
    ) -> None:
        self._archive = archive
        self._index = index
        self._embedder = embedder
        self._weights = weights or Weights.bundled()
        self._releases: dict[str, tuple[Release, Encoded]] = {}
        self._blas = ThreadpoolController()

    def understand(self, text: str, *, today: date | None = None) -> Question:
        """Read a clean question; Vietnamese typed without diacritics is given them back first.

        The passages that share its syllables know the names and terms that are meant.
        """
        question = understand(text, today=today)
        if not question.unmarked:
            return question
        scores = self._index.lexical(own_terms(question)).scores
        near = [self._index.ids[number] for number in _largest(scores, _NEAR)]
        passages = self._archive.passages(near).values()
        marked = Syllables.bundled().restored(text, [passage.text for passage in passages])
        return understand(marked, today=today, restored=True) if marked != text else question

    def ask(self, question: Question) -> Asked:
        """Encode a question, and tell what kind of answer its words let expect.

        What an abbreviation is short for is read behind it: as tokens of the abbreviation, which
        share its weight with its own.
        """
        question = expecting(question)
        text, spelled = question.text, spelled_out(question)
        for concept, full in reversed(spelled):
            text = f"{text[: concept.end]} {full}{text[concept.end :]}"
        encoded = self._embedder.query(text, question.language)
        weights = self._embedder.head.token_weights(encoded.ids)
        spans = encoded.spans.copy()
        for concept, full in spelled:
            behind = spans[:, 0] >= concept.end
            added = behind & (spans[:, 1] <= concept.end + 1 + len(full))
            own = (spans[:, 0] >= concept.start) & (spans[:, 1] <= concept.end)
            spans[behind] -= 1 + len(full)
            spans[added] = concept.start, concept.end
            if weights[added].sum() > 0:
                weights[added] *= 0.5 * weights[own].sum() / weights[added].sum()
                weights[own] *= 0.5
        encoded = replace(encoded, spans=spans)
        content = np.zeros(len(weights), bool)
        for word, start, end in words(question.text):
            if not question.skips(word):
                content |= (encoded.spans[:, 0] < end) & (encoded.spans[:, 1] > start)
        weights[~content] *= 0.25
        total = float(weights.sum())
        return Asked(question, encoded, weights / total if total > 0 else weights)

    def search(self, asked: Asked, k: int, filters: Filters | None = None) -> list[Candidate]:
        """The k best passages, best first; empty when the filters let nothing through.

        Raises `NothingIngestedError` when the collection is empty.
        """
        if self._index.refresh():
            # What is known about a release can change, its text cannot.
            self._releases.clear()
        ids = self._index.ids
        if not ids:
            raise NothingIngestedError(
                "no releases have been ingested yet; run: python -m ingest data/releases"
            )
        position = self._index.position
        allowed = self._allowed(filters)
        if allowed is not None and not allowed:
            return []
        question = asked.question
        # Chroma and BM25 take about as long, and the one needs no Python.
        with ThreadPoolExecutor(1) as beside:
            nearest = beside.submit(
                self._index.nearest,
                asked.encoded.vector,
                min(max(k, _FROM_EACH), len(ids)),
                release_ids=sorted(allowed) if allowed is not None else None,
            )
            told, lexical = self._lexical(question)
            if allowed is not None:
                lexical *= self._index.of_releases(allowed)
            top = _largest(lexical, max(k, _FROM_EACH))
            near = nearest.result()
        worded = dict.fromkeys((ids[n] for n in top.tolist()), 0.0)
        lacking = [name for name in worded if name not in near]
        near = worded | self._index.similar(asked.encoded.vector, lacking) | near
        dense = {position[name]: cosine for name, cosine in near.items() if name in position}
        numbers = np.array(list(dense), np.intp)
        scores = lexical[numbers]
        cosines = np.array(list(dense.values()), np.float32)
        for language, here in self._index.by_language.items():
            bias, weight = self._fitted("first", question, language)[:2]
            scores += here[numbers] * (bias + weight * cosines)
        best = numbers[np.argsort(-scores, kind="stable")[: max(k, _READ)]]
        rows = [
            _Row(ids[n], self._index.release_of(n), (words, terms, names))
            for n, (words, terms, names) in zip(
                best.tolist(), told[:, best].T.tolist(), strict=True
            )
        ]
        found = self._rank(asked, rows)
        if question.of_release and found:
            # Number, date and signature stand where a release begins and ends.
            shown = {candidate.passage.id for candidate in found[:k]}
            first = found[0].release
            ends = self._archive.passages_of(first.id)
            ends = [p for p in dict.fromkeys((*ends[:2], *ends[-2:])) if p.id not in shown]
            names = float(told[2, position[found[0].passage.id]])
            added = [_Row(p.id, first.id, (0.0, 0.0, names)) for p in ends]
            return [*found[: max(1, k - len(ends))], *self._rank(asked, added)]
        return found[:k]

    def _fitted(self, model: str, question: Question, language: Language) -> Vector:
        names = FIRST_FEATURES if model == "first" else PASSAGE_FEATURES
        return self._weights.vector(model, pair_of(question, language), names)

    def _lexical(self, question: Question) -> tuple[npt.NDArray[np.float32], Vector]:
        """What BM25 tells of every passage, and its part of the first sum.

        (3, passages): `words`, `terms` and `names`; (passages,).
        """
        told = np.zeros((3, len(self._index.ids)), np.float32)
        told[0] = self._share(own_terms(question))
        told[2] = self._index.best_of_release(self._share(name_terms(question)))
        total = np.zeros(told.shape[1], np.float32)
        for language, here in self._index.by_language.items():
            told[1] += here * self._term_scores(question, language)
            total += here * (self._fitted("first", question, language)[2:] @ told)
        return told, total

    def _rank(self, asked: Asked, rows: Sequence[_Row]) -> list[Candidate]:
        question = asked.question
        releases = self._read({row.release_id for row in rows})
        read = self._archive.read([row.passage_id for row in rows])
        # A release that was taken out a moment ago may still be in the indexes.
        rows = [row for row in rows if row.passage_id in read and row.release_id in releases]
        if not rows:
            return []
        # One product for all candidates: many small ones cost more than they compute.
        tokens = np.concatenate([read[row.passage_id].encoded.tokens for row in rows])
        # On one thread: for so small a product, to wake and wait for others costs more.
        with self._blas.limit(limits=1, user_api="blas"):
            similarities = asked.encoded.tokens @ tokens.T
        knowns = {name: self._known(asked, name) for name in releases}
        fitted = {
            language: self._fitted("passage", question, language)
            for language in {release.language for release in releases.values()}
        }
        found, at = [], 0
        for row in rows:
            stored, release = read[row.passage_id], releases[row.release_id]
            passage, vectors = stored.passage, stored.encoded
            dense = float(vectors.vector @ asked.encoded.vector)
            similarity = similarities[:, at : at + len(vectors.tokens)]
            at += len(vectors.tokens)
            known = knowns[release.id]
            features = np.array(
                [
                    1.0,
                    dense,
                    *row.told,
                    *_late(asked, passage, vectors, similarity, known),
                    float(_among(asked.encoded.ids, vectors.ids) @ asked.token_weights),
                    about(question, passage, release),
                    _passage_period(question, stored, release),
                ],
                np.float32,
            )
            score = float(fitted[release.language] @ features)
            found.append(Candidate(passage, release, vectors, features, score, similarity, known))
        return sorted(found, key=lambda candidate: -candidate.score)

    def _share(self, wanted: list[str]) -> npt.NDArray[np.float32]:
        lexical = self._index.lexical(wanted)
        if lexical.ceiling <= 0:
            return np.zeros(len(self._index.ids), np.float32)
        return lexical.scores / np.float32(lexical.ceiling)

    def _term_scores(self, question: Question, language: Language) -> npt.NDArray[np.float32]:
        """The glossary's part: per term the best wording, by `concept_weight`."""
        total = np.zeros(len(self._index.ids), np.float32)
        ceiling = 0.0
        for concept in question.concepts:
            best, rarest = self._index.best(wordings_of(concept, language))
            weight = concept_weight(concept, rarest)
            total += np.float32(weight) * best
            ceiling += weight
        if ceiling <= 0:
            return total
        return total / np.float32(ceiling)

    def _allowed(self, filters: Filters | None) -> set[str] | None:
        if filters is None or filters == Filters():
            return None
        return {release.id for release in self._archive.releases(filters, texts=False)}

    def _known(self, asked: Asked, release_id: str) -> Vector:
        tokens = self._releases[release_id][1].tokens
        if not len(tokens):
            return np.zeros(len(asked.token_weights), np.float32)
        best: Vector = (asked.encoded.tokens @ tokens.T).max(axis=1)
        return best

    def _read(self, release_ids: Collection[str]) -> dict[str, Release]:
        """Releases by id; one that is no longer there is left out."""
        lacking = [name for name in release_ids if name not in self._releases]
        if len(self._releases) + len(lacking) > _KEPT:
            self._releases.clear()
            lacking = list(release_ids)
        self._releases |= self._archive.headed(lacking)
        return {name: self._releases[name][0] for name in release_ids if name in self._releases}


def _largest(values: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.intp]:
    """Places of the `count` largest positive values, largest first, the earlier of equal ones."""
    least = np.float32(0)
    if count < len(values):
        least = np.partition(values, len(values) - count)[len(values) - count]
    there = np.flatnonzero(values >= least if least > 0 else values > 0)
    return there[np.argsort(-values[there], kind="stable")][:count]


def _late(
    asked: Asked,
    passage: Passage,
    encoded: Encoded,
    similarity: npt.NDArray[np.float32],
    known: Vector,
) -> tuple[float, float]:
    """Late interaction with the whole passage and with its best sentence."""
    if not similarity.size:
        return 0.0, 0.0
    starts = _sentence_starts(passage.text)
    number = np.searchsorted(starts, encoded.spans[:, 0], side="right")
    edges = np.concatenate(([0], np.flatnonzero(number[1:] != number[:-1]) + 1))
    by_sentence = np.maximum.reduceat(similarity, edges, axis=1)
    whole = np.maximum(by_sentence.max(axis=1), known)
    each = np.maximum(by_sentence, known[:, None])
    return float(whole @ asked.token_weights), float((asked.token_weights @ each).max())


@lru_cache(maxsize=16384)
def _sentence_starts(text: str) -> tuple[int, ...]:
    return tuple(start for start, _ in sentences(text))


def _among(some: npt.NDArray[np.int32], others: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Which of some ids are among others: for a few, quicker than sorting them."""
    found: npt.NDArray[np.bool_] = (some[:, None] == others).any(axis=1)
    return found


_GAPS = re.compile(r"(?:[^\w.,/]|_|[.,/](?!\w)|(?<!\w)[.,/]|,(?!\d)|(?<!\d),)+")
"""What parts words; a number keeps its inner separators, as in `rag.language.words`."""
_INNER = str.maketrans("/.", "  ")


@lru_cache(maxsize=16384)
def _flat(text: str) -> str:
    """The words of a text without diacritics, one space around each; then the parts of dates."""
    plain = _GAPS.sub(" ", stripped(text))
    return f" {plain} {plain.translate(_INNER)} "


@lru_cache(maxsize=16384)
def _form(text: str) -> str:
    """A word or a few as `_flat` would write them."""
    return f" {' '.join(bare(word) for word, _, _ in words(text))} "


def about(question: Question, passage: Passage, release: Release, *, whole: bool = False) -> float:
    """Share of the question's names and numbers (not its times) that passage or release has.

    1 for a question without any. A name counts when the glossary's wording of it is there. With
    `whole`, all of the release's text is looked at.
    """
    wanted = {word for word in question.content if word[0].isdigit() or word in question.names}
    if not wanted:
        return 1.0
    flat = _flat(release.text if whole else passage.text)
    flat += _flat(" ".join((*passage.section, unspoken(release))))

    def said(form: str) -> bool:
        return _form(form) in flat

    translated: set[str] = set()
    for concept in question.concepts:
        surface = {fold(word) for word, _, _ in words(question.text[concept.start : concept.end])}
        if surface & wanted and any(map(said, concept.wordings(release.language))):
            translated |= surface
    return sum(word in translated or said(word) for word in wanted) / len(wanted)


@dataclass(frozen=True, slots=True)
class Told:
    """The figures of a passage and the times that it speaks of."""

    figures: tuple[Figure, ...]
    """Offsets in the passage."""
    mentions: tuple[Mention, ...]
    """With years filled in, in the order of the text."""
    around: Period | None
    """What holds before the first mention."""
    titled: tuple[Period, ...]
    """What the release's title says that it is about."""

    def period_at(self, offset: int) -> Period | None:
        """The period that the text speaks of where a sentence starts."""
        told = [
            m.period for m in self.mentions if m.start < offset and not m.compared and not m.aside
        ]
        return told[-1] if told else self.around


def told_by(passage: Passage, release: Release) -> Told:
    """Read the figures and times of a passage."""
    return _told(passage.text, passage.section, release.title, release.issued, release.language)


@lru_cache(maxsize=8192)
def _told(
    text: str,
    section: tuple[str, ...],
    title: str | None,
    issued: date | None,
    language: Language,
) -> Told:
    around = _around(section, title, issued, language)
    found = tuple(figures.find(text, language=language))
    year = around.year if around else None
    titled = tuple(
        replace(mention.period, year=mention.period.year or year)
        for mention in (_named(title, language) if title else ())
    )
    return Told(found, tuple(resolved(text, mentions(text, found), around)), around, titled)


@lru_cache(maxsize=8192)
def _named(heading: str, language: Language) -> tuple[Mention, ...]:
    return tuple(mentioned(heading, language))


def _around(
    section: tuple[str, ...], title: str | None, issued: date | None, language: Language
) -> Period | None:
    """The time that holds where a passage begins, by its headings and its release's date."""
    around = Period(issued.year, 101, 1231) if issued else None
    for heading in (title, *section):
        if heading:
            named = _named(heading, language)
            if heading is title:
                named = tuple(m for m in named if not _is_plan(m.period, issued))
            years = {mention.period.year for mention in named if mention.period.year}
            if len(years) == 1:
                around = Period(years.pop(), 101, 1231)
            if len(named) == 1:
                year = named[0].period.year or (around.year if around else None)
                around = replace(named[0].period, year=year)
    return around


def _is_plan(period: Period, issued: date | None) -> bool:
    """Whether a title's time is that of a plan: of many years, or of several to come.

    "For 2021-2025" does not tell the year of the dates in the text.
    """
    to_come = issued is not None and period.year is not None and period.year > issued.year
    return period.years > 2 or (period.years > 1 and to_come)


def _passage_period(question: Question, stored: Stored, release: Release) -> float:
    if not question.periods:
        return 0.0
    passage, times = stored.passage, stored.times
    if times is None:
        times = tuple(mentioned(passage.text, release.language))
    around = _around(passage.section, release.title, release.issued, release.language)
    fits = [
        fit_of(question.periods, mention) * (0.8 if mention.compared else 1.0)
        for mention in resolved(passage.text, times, around)
    ]
    return max(fits, default=fit(question.periods, around))


def hits(candidates: Sequence[Candidate]) -> tuple[Hit, ...]:
    """Candidates as the public value."""
    return tuple(
        Hit(
            passage=candidate.passage,
            score=candidate.score,
            rank=rank,
            signals={
                name: float(value)
                for name, value in zip(PASSAGE_FEATURES, candidate.features, strict=True)
            },
        )
        for rank, candidate in enumerate(candidates, 1)
    )
