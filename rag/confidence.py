"""How sure a reading is: whether the releases answer at all, and whether this answer is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.embedding import Vector
from rag.evidence import SENTENCE_FEATURES, Reading
from rag.index import unspoken
from rag.language import bare, fold, sentences, stem, words
from rag.opposites import opposed
from rag.period import Period, fit, mentioned
from rag.question import Question
from rag.retrieve import PASSAGE_FEATURES, Asked, Candidate, Weights, about, pair_of, told_by
from rag.schema import Language
from rag.span_features import SPAN_FEATURES, Sentence, header_of, likelihood, said_of

CONFIDENCE_FEATURES = (
    "bias", "cross", "dense", "passage_late", "passage_words", "passage_terms", "about", "late",
    "words", "terms", "near", "kind", "weakest", "missing", "covered", "missed_name",
    "missed_whole", "other_time", "sentence_period", "chain", "own_words", "chain_words", "back",
    "noun", "other_noun", "counted", "period", "base", "before", "after", "clause", "told", "sort",
    "column", "strict_weakest", "strict_missing", "strict_covered", "unsaid",
    "unsaid_near", "unsaid_name", "other_year", "rival", "no_span", "text",
    "margin", "official", "missed_place", "reader", "reader_other", "pointer",
    "expected", "nothing", "opposed", "owner", "negated",
    "contrary", "other_part",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Coverage:
    """How well a question's words are covered, each 0 to 1."""

    weakest: float
    """The least covered word."""
    missing: float
    """What is lacking of a word times how rare it is, at its largest; 0 when nothing is."""
    mean: float
    """By how rare the words are."""


def _plain(sentence: Sentence, pieces: Sequence[tuple[int, int]]) -> str:
    """The words of some pieces, of the headings and of what is known of the release, stemmed."""
    passage = sentence.candidate.passage
    said = (passage.text[start:end] for start, end in pieces)
    text = " ".join((*passage.section, *said, unspoken(sentence.candidate.release)))
    return f" {' '.join(bare(stem(word)) for word, _, _ in words(text))} "


def _unsaid(asked: Asked, sentence: Sentence, plain: str) -> float:
    """The weightiest term of the question that the glossary knows and `plain` does not say.

    As a share of the question's weight, 0 to 1. What the glossary knows would be recognised in any
    of its wordings, so that its absence says more than that of another word.
    """
    question = asked.question
    language = sentence.candidate.release.language
    spans, largest = asked.encoded.spans, 0.0
    for concept in question.concepts:
        inside = [
            word
            for word, start, end in words(question.text)
            if concept.start <= start and end <= concept.end
        ]
        if all(question.skips(word) or bare(word) in question.timed for word in inside):
            continue
        if _worded(question, concept.start, concept.end, language, plain):
            continue
        mine = (spans[:, 0] < concept.end) & (spans[:, 1] > concept.start)
        largest = max(largest, float(asked.token_weights[mine].sum()))
    return largest


def _unsaid_name(question: Question, sentence: Sentence, plain: str) -> float:
    """Share of the question's names and numbers (not its times) that `plain` does not say."""
    wanted = {
        word
        for word in question.content
        if (word[0].isdigit() or word in question.names) and bare(word) not in question.timed
    }
    if not wanted:
        return 0.0
    language = sentence.candidate.release.language
    places = {fold(word): (start, end) for word, start, end in words(question.text)}
    unsaid = [
        word
        for word in wanted
        if f" {bare(stem(word))} " not in plain
        and not (word in places and _worded(question, *places[word], language, plain))
    ]
    return len(unsaid) / len(wanted)


def _other_year(question: Question, sentence: Sentence) -> bool:
    """Whether the question names years of which neither sentence, context nor title speaks."""
    asked = _years(question.periods)
    if not asked:
        return False
    candidate = sentence.candidate
    told = told_by(candidate.passage, candidate.release)
    at = told.period_at(sentence.start)
    here = _told_here(sentence)
    if not here:
        # "On 8 January 2024 the offices reported on 2023. The briefing was chaired by …".
        before = _around(sentence)[0][0]
        here = [m.period for m in told.mentions if before <= m.start < sentence.start]
    return not asked & _years([*here, *told.titled, *((at,) if at else ())])


def _told_here(sentence: Sentence, *, compared: bool = True) -> list[Period]:
    """The times that a sentence names, and those over the columns of its table.

    Without `compared`, those that something is compared with are left out.
    """
    candidate = sentence.candidate
    told = told_by(candidate.passage, candidate.release)
    here = [
        m.period
        for m in told.mentions
        if sentence.start <= m.start < sentence.end and (compared or not (m.compared or m.aside))
    ]
    over = " | ".join(header_of(sentence))
    return here + ([m.period for m in mentioned(over, candidate.release.language)] if over else [])


def _other_part(question: Question, sentence: Sentence) -> bool:
    """Whether a sentence names times as long as the one asked for, and all are others."""
    here = _told_here(sentence, compared=False)
    for asked in question.periods:
        if asked.whole_year and asked.years == 1:
            continue
        alike = [one for one in here if one.length == asked.length]
        if alike and all(fit([asked], one) <= 0 for one in alike):
            return True
    return False


def _years(periods: Sequence[Period]) -> set[int]:
    """The years that periods touch; a fiscal year is of two."""
    return {one.year + later for one in periods if one.year for later in range(min(2, one.years))}


def coverage(asked: Asked, sentence: Sentence, pieces: Sequence[tuple[int, int]]) -> Coverage:
    """How well pieces of a passage speak of each thing that the question names.

    A word counts 1 when it, or the glossary's wording of it, stands in one of them, in the headings
    or in the release's metadata, else its best late interaction there. Words that only say when do
    not count.
    """
    question, candidate = asked.question, sentence.candidate
    language = candidate.release.language
    plain = _plain(sentence, pieces)
    tokens = candidate.encoded.spans
    near = tokens[:, 1] <= 0
    for start, end in pieces:
        near |= (tokens[:, 0] < end) & (tokens[:, 1] > start)
    best = (
        np.maximum(candidate.similarity[:, near].max(axis=1), candidate.known)
        if near.any() and len(asked.token_weights)
        else np.zeros(len(asked.token_weights), np.float32)
    )
    scores, weights = [], []
    for word, at, stop in words(question.text):
        if question.skips(word) or bare(word) in question.timed:
            continue
        mine = (asked.encoded.spans[:, 0] < stop) & (asked.encoded.spans[:, 1] > at)
        score = float(best[mine].mean()) if mine.any() else 0.0
        if f" {bare(stem(word))} " in plain or _worded(question, at, stop, language, plain):
            score = 1.0
        scores.append(max(0.0, score))
        weights.append(float(asked.token_weights[mine].sum()) if mine.any() else 0.0)
    if not scores or sum(weights) <= 0:
        return Coverage(1.0, 0.0, 1.0)
    largest = max(weights)
    return Coverage(
        weakest=min(scores),
        missing=max((1 - s) * w / largest for s, w in zip(scores, weights, strict=True)),
        mean=float(np.average(scores, weights=weights)),
    )


def _around(sentence: Sentence) -> list[tuple[int, int]]:
    """The sentence with its neighbours in the passage."""
    bounds = sentences(sentence.candidate.passage.text)
    inside = [
        n for n, (start, end) in enumerate(bounds) if start < sentence.end and end > sentence.start
    ]
    first, last = max(0, inside[0] - 1), min(len(bounds) - 1, inside[-1] + 1)
    return [(bounds[first][0], bounds[last][1])]


def _worded(question: Question, start: int, end: int, language: Language, plain: str) -> bool:
    return any(
        f" {' '.join(bare(stem(word)) for word, _, _ in words(form))} " in plain
        for concept in question.concepts
        if concept.start <= start and end <= concept.end
        for form in concept.wordings(language)
    )


def confidence_features(asked: Asked, reading: Reading, candidates: Sequence[Candidate]) -> Vector:
    """What tells whether the releases answer the question at all.

    The features of the best passage, sentence and span, how well their words cover the question
    (`coverage`), and:

    - `margin`: how far the best passage stands above the next;
    - `missed_name`, `missed_whole`, `missed_place`: the passage, the release, or both lack a name;
    - `other_time`, `other_noun`, `no_span`: the span is of another time, counts something else, or
      there is none of the wanted kind;
    - `strict_…`: the coverage by what is said of the span alone, where its words are told;
    - `unsaid`, `unsaid_near`: the weightiest term that the glossary knows and the span's own words,
      or the sentence and its neighbours, do not say; `unsaid_name`: names missed by the former;
    - `other_year`: neither sentence, context nor title speaks of the year asked for;
    - `other_part`: the sentence tells months, quarters or the like, and not the one asked for;
    - `rival`: how near the second span of the sentence comes, 0 to 1;
    - `counted`: whether what is to be counted stands beside the figure;
    - `text`: the question asks for no span;
    - `reader`, `reader_other`: the cross-encoder's log-odds of the best sentence, and the highest
      of the others that it read; `pointer`: its log-probability of the span; `nothing`: its
      log-odds that no part of the sentence is the answer;
    - `expected`: how likely an answer of the span's kind is by the question's words;
    - `opposed`: the sentence is of the opposite of a term of the question (`rag.opposites`);
    - `official`: the text is known to be a release by its number or issuer.
    """
    question, candidate = asked.question, reading.best.candidate
    passage = dict(zip(PASSAGE_FEATURES, candidate.features, strict=True))
    margin = (
        min(1.0, max(0.0, candidates[0].score - candidates[1].score))
        if len(candidates) > 1
        else 0.5
    )
    sentence = dict(zip(SENTENCE_FEATURES, reading.best.features, strict=True))
    span = dict(zip(SPAN_FEATURES, reading.span.features, strict=True)) if reading.span else {}
    around, alone = _around(reading.best), said_of(reading.best, reading.span)
    near, own = _plain(reading.best, around), _plain(reading.best, alone)
    covered = coverage(asked, reading.best, around)
    strict = coverage(asked, reading.best, alone)
    wants_text = question.wants == {"text"}
    values = {
        "bias": 1.0,
        "cross": float(pair_of(question, candidate.release.language) == "cross"),
        "dense": passage["dense"],
        "passage_late": passage["late"],
        "passage_words": passage["words"],
        "passage_terms": passage["terms"],
        "about": passage["about"],
        "late": sentence["late"],
        "words": sentence["words"],
        "terms": sentence["terms"],
        "near": sentence["near"],
        "kind": sentence["kind"],
        "weakest": covered.weakest,
        "missing": covered.missing,
        "covered": covered.mean,
        "missed_name": float(passage["about"] < 1.0),
        "missed_whole": 1.0 - about(question, candidate.passage, candidate.release, whole=True),
        "other_time": float(
            bool(question.periods) and span.get("period", sentence["period"]) < 0.0
        ),
        "sentence_period": sentence["period"],
        **{
            name: span.get(name, 0.0)
            for name in (
                "chain",
                "own_words",
                "chain_words",
                "back",
                "noun",
                "period",
                "base",
                "before",
                "after",
                "clause",
                "told",
                "sort",
                "column",
                "owner",
                "negated",
                "contrary",
            )
        },
        "other_noun": float(span.get("noun", 0.0) < 0.0),
        "counted": _counted_fit(asked, reading),
        "strict_weakest": strict.weakest,
        "strict_missing": strict.missing,
        "strict_covered": strict.mean,
        "unsaid": _unsaid(asked, reading.best, own),
        "unsaid_near": _unsaid(asked, reading.best, near),
        "unsaid_name": _unsaid_name(question, reading.best, own),
        "other_year": float(_other_year(question, reading.best)),
        "other_part": float(_other_part(question, reading.best)),
        "rival": reading.rival,
        "no_span": float(reading.span is None and not wants_text),
        "text": float(wants_text),
        "margin": margin,
        "missed_place": _missed_place(question, reading.best),
        "official": float(bool(candidate.release.number or candidate.release.issuer)),
        "reader": reading.best.reader,
        "reader_other": max(
            (other.reader for other in reading.sentences[1:] if other.compared), default=-1.0
        ),
        "pointer": span.get("pointer", -1.0),
        "nothing": reading.best.nothing,
        "opposed": float(_opposed(question, reading.best)),
        "expected": likelihood(question, reading.span.span if reading.span else None),
    }
    return np.array([values[name] for name in CONFIDENCE_FEATURES], np.float32)


def _opposed(question: Question, sentence: Sentence) -> bool:
    """Whether sentence, headings and column names are of the opposite of what is asked."""
    told = (*sentence.candidate.passage.section, *header_of(sentence), sentence.text)
    return opposed(question.text, " ".join(told))


def _missed_place(question: Question, sentence: Sentence) -> float:
    """1 when the question names a place that neither passage nor metadata names."""
    plain = _plain(sentence, [(0, len(sentence.candidate.passage.text))])
    for concept in question.concepts:
        if concept.place and not (
            _worded(question, concept.start, concept.end, "vi", plain)
            or _worded(question, concept.start, concept.end, "en", plain)
        ):
            return 1.0
    return 0.0


def _counted_fit(asked: Asked, reading: Reading) -> float:
    """How well the words beside the figure name what is counted; 1 when nothing is."""
    question = asked.question
    if not question.counted or reading.span is None:
        return float(not question.counted)
    candidate, span = reading.best.candidate, reading.span.span
    text = candidate.passage.text
    start, end = max(reading.best.start, span.start - 30), min(reading.best.end, span.end + 30)
    plain = f" {' '.join(bare(stem(word)) for word, _, _ in words(text[start:end]))} "
    spans = candidate.encoded.spans
    near = (spans[:, 0] < end) & (spans[:, 1] > start)
    scores = []
    for word, at, stop in words(question.text):
        if fold(word) not in question.counted:
            continue
        mine = (asked.encoded.spans[:, 0] < stop) & (asked.encoded.spans[:, 1] > at)
        language = candidate.release.language
        if f" {bare(stem(word))} " in plain or _worded(question, at, stop, language, plain):
            scores.append(1.0)
        elif mine.any() and near.any():
            scores.append(float(candidate.similarity[mine][:, near].max(axis=1).mean()))
    return max(0.0, float(np.mean(scores))) if scores else 0.0


def judge(
    asked: Asked, reading: Reading, candidates: Sequence[Candidate], weights: Weights
) -> tuple[float, float]:
    """Two fitted logistics, each 0 to 1: (answerable, right).

    The probability that the releases answer the question, by which it is refused, and the
    calibrated probability that this reading of them is right.
    """
    if dict(zip(SENTENCE_FEATURES, reading.best.features, strict=True))["metadata"] == 1.0:
        # What a release says of itself is known, not guessed.
        return 1.0, 0.95
    features = confidence_features(asked, reading, candidates)
    span = dict(zip(SPAN_FEATURES, reading.span.features, strict=True)) if reading.span else {}
    if any(period.year for period in asked.question.periods) and span.get("period") == -1.0:
        # The year is told, and it is another: that figure is never the answer.
        return 0.0, 0.0
    scores = np.array(
        [
            float(weights.vector(model, "both", CONFIDENCE_FEATURES) @ features)
            for model in ("answerable", "confidence")
        ]
    )
    answerable, right = 1.0 / (1.0 + np.exp(-np.clip(scores, -30, 30)))
    return float(answerable), float(right)
