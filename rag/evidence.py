"""From passages to the span that answers: which sentence, and which words of it.

A sentence is weighed by a fitted sum of features (`eval/fit.py`), a constant `bias` and, about 0
to 1 each:

- `passage`: the passage's score below the best passage's (0 for the best, negative otherwise);
- `late`, `window`: late interaction with the sentence alone, and with its neighbours and headings;
- `words`, `terms`: share of the question's words, and of the glossary's wordings of them, that the
  sentence has, by how rare they are (within a language, a word of which it has another wording
  counts as said); `near`: the same for neighbours and headings;
- `kind`: the sentence holds an answer of the kind that the question asks for;
- `period`: how well the times that the sentence speaks of suit the question's;
- `heading`: it is a title or heading, not a statement;
- `metadata`: the question asks for the release's number, date, signer or issuer, and it is there.

The cross-encoder (`rag.embedding.CrossEncoder`) then reads the best few together with the question:
`reader` is its log-odds over 8, cut to -1..1. Within these sentences, every span of a fitting kind
(figure, date, name, agency, …) is weighed by what is said about it (`rag.span_features`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag import figures, tables
from rag.embedding import Compared, CrossEncoder, Pair, Vector
from rag.index import Index, terms
from rag.language import bare, sentences, stem, words
from rag.period import fit_of
from rag.question import QUANTITIES, Question, in_words_of
from rag.retrieve import (
    Asked,
    Candidate,
    Told,
    Weights,
    concept_weight,
    own_terms,
    pair_of,
    told_by,
    wordings_of,
)
from rag.schema import Language
from rag.span_features import (
    SPAN_FEATURES,
    Sentence,
    Weighed,
    cell_of,
    header_of,
    inherited,
    is_quantity,
    moved,
    span_features,
    with_units,
)
from rag.spans import Span, kind_fit, spans_of, trimmed

_Worded = tuple[float, list[dict[str, float]]]
"""What a term of the glossary counts, and for each wording its terms and how rare they are."""

SENTENCE_FEATURES = (
    "bias", "passage", "late", "window", "words", "terms", "near", "kind", "period", "heading",
    "metadata",
)  # fmt: skip
CHOICE_FEATURES = (
    "bias", "sentence", "reader", "nothing", "spanless", "first", *SPAN_FEATURES,
)  # fmt: skip
_BULLET = re.compile(r"(?:[-–—•+*▪◦]\s+)?")
_WHICH = re.compile(r"\b(?:which|where|(?<!the )nao|o dau|tai dau)\b")
"""Asks for one of several by name, in words without diacritics."""
_SORTS_OF_PLACE = frozenset("huyen xa tinh quan phuong thi tran thanh pho tp district".split())
"""Words that the name of a row may have and the question not."""
_METADATA_BONUS = 5.0
_PASSAGES = 8
_COMPARED = 12
"""Best sentences among which another release may say otherwise."""
_MORE = 2
"""Sentences that it reads besides when it finds no answer in the likely ones."""
_READ = 8
"""Sentences that the cross-encoder reads and whose spans are weighed, at most."""
_MARGIN = 4.0
"""How far below the best sentence they may lie."""
_CONTEXT = 150
"""Characters of context that a sentence is read with."""
_MOST_POINTED = 40
"""Tokens of an answer that the cross-encoder points at."""
_SURE = -4.0
"""Log-probability of such an answer below which the whole sentence is given."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The best sentence, its best span (None when no span fits), and the sentences behind it."""

    best: Sentence
    span: Weighed | None
    sentences: tuple[Sentence, ...]
    """Best first."""
    earlier: tuple[Sentence, Weighed] | None = None
    """What an earlier release says otherwise of the same thing."""
    rival: float = 0.0
    """How near the second best span comes to the best, 0 (far, or there is none) to 1 (equal)."""
    pointed: Span | None = None
    """What the cross-encoder takes for the answer: given where no span of a wanted kind is there,
    and in place of one for persons and places, which it tells better."""


def likely(ranked: Sequence[Sentence]) -> list[Sentence]:
    """Those of the ranked sentences that are worth reading with the question, best first."""
    return [one for one in ranked[:_READ] if one.score > ranked[0].score - _MARGIN]


def choice_features(readings: Sequence[tuple[Sentence, Sequence[Weighed]]]) -> Vector:
    """What tells between the best sentences by their best spans: (sentences, CHOICE_FEATURES).

    `sentence`: its score below the best one's, as far as likely sentences are; `reader`,
    `nothing`: the cross-encoder's log-odds that it answers, and that no part of it is the answer;
    `spanless`: it has no span of a wanted kind though another has; `first`: it is the best by
    itself; then the best span's features.
    """
    top = readings[0][0].score
    some = any(weighed for _, weighed in readings)
    rows = []
    for number, (sentence, weighed) in enumerate(readings):
        span = weighed[0].features if weighed else np.zeros(len(SPAN_FEATURES), np.float32)
        own = [
            1.0,
            max(sentence.score - top, -_MARGIN),
            sentence.reader,
            sentence.nothing,
            float(some and not weighed),
            float(number == 0),
        ]
        rows.append(np.concatenate([np.array(own, np.float32), span]))
    return np.stack(rows)


def _known_first(sentence: Sentence, weighed: Sequence[Weighed]) -> list[Weighed]:
    """The spans that say the release's own date, number or signer before all others."""
    release = sentence.candidate.release
    day = int(f"{release.issued:%Y%m%d}") if release.issued else None
    text = sentence.candidate.passage.text

    def says(item: Weighed) -> bool:
        figure = item.span.figure
        if figure is not None:
            return figure.unit == "date" and figure.value == day
        return text[item.span.start : item.span.end] in (release.number, release.signer)

    return sorted(weighed, key=lambda item: not says(item))


def pointed(sentence: Sentence) -> Span | None:
    """The words of a sentence that the cross-encoder takes for the answer, cut at whole words.

    None when it was not read, when the cross-encoder is not sure of them, and for a single syllable
    of Vietnamese in lower case, which is seldom a word.
    """
    found = sentence.compared.best(_MOST_POINTED) if sentence.compared else None
    if found is None or found[2] < _SURE:
        return None
    text, start, end = sentence.text, found[0], found[1]
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        end += 1
    start, end = trimmed(text, start, end)
    if end <= start:
        return None
    inside = [moved(figure, -sentence.start) for figure in sentence.figures]
    for figure in inside:
        # After trimming, which would take away a sign.
        if figure.start < end and figure.end > start:
            start, end = min(start, figure.start), max(end, figure.end)
    for figure in inside:
        rest = text[start : figure.start] + text[figure.end : end]
        if start <= figure.start and figure.end <= end and not any(map(str.isalnum, rest)):
            own = moved(figure, sentence.start)
            return Span(own.start, own.end, "quantity", own)
    told = text[start:end]
    if sentence.candidate.release.language == "vi" and told.isalpha() and told.islower():
        return None
    return Span(sentence.start + start, sentence.start + end, "text", None)


def _first_cell(sentence: Sentence) -> Span:
    """What a row of a table is named."""
    end = sentence.start + len(sentence.text.partition(tables.CELL)[0].rstrip())
    return Span(sentence.start, end, "text", None)


def capitalised(sentence: Sentence, span: Span) -> Span | None:
    """A stretch from its first to its last capitalised word; None without one."""
    first = span.start - sentence.start
    text = sentence.text[first : span.end - sentence.start]
    names = [match.span() for match in re.finditer(r"[^\W\d]\S*", text) if match[0][0].isupper()]
    if not names:
        return None
    start, end = trimmed(text, names[0][0], names[-1][1])
    return replace(span, start=span.start + start, end=span.start + end)


def counted(question: Question, sentence: Sentence, told: Span | None) -> Sentence:
    """A sentence with its quantities as possible answers, when what is pointed at begins with one.

    Without any otherwise, and for a question that asks for no quantity by its wording ("robberies
    in 2017-18") but does not ask to explain either.
    """
    starts = [figure.start for figure in sentence.figures if is_quantity(figure)]
    if told is None or told.start not in starts or question.explains:
        return replace(sentence, spans=())
    spans = spans_of(
        replace(question, wants=frozenset({"quantity"})),
        sentence.text,
        sentence.start,
        sentence.figures,
    )
    return replace(sentence, spans=tuple(spans))


def whole(best: Weighed, weighed: Sequence[Weighed]) -> Weighed:
    """The longest list that a span is an item of; the span itself when there is none."""
    lists = [
        item
        for item in weighed
        if item.span.kind == "list"
        and item.span.start <= best.span.start
        and best.span.end <= item.span.end
    ]
    return max(lists, key=lambda item: item.span.end - item.span.start, default=best)


def _alike(one: Sentence, other: Sentence, *, same_time: bool) -> float:
    """How far two sentences say the same but for their numbers: shared words over the fewer.

    0 when `same_time` is asked for and the times that hold where they stand differ or are unknown.
    """
    if same_time:
        times = [
            told_by(item.candidate.passage, item.candidate.release).period_at(item.end)
            for item in (one, other)
        ]
        if times[0] is None or times[0].year is None or times[0] != times[1]:
            return 0.0
    said = [
        {stem(word) for word, _, _ in words(item.text) if not word[0].isdigit()}
        for item in (one, other)
    ]
    fewer = min(len(words_) for words_ in said)
    return len(said[0] & said[1]) / fewer if fewer else 0.0


class Reader:
    """Reads the candidates of one question."""

    def __init__(
        self, index: Index, cross_encoder: CrossEncoder, weights: Weights | None = None
    ) -> None:
        self._index = index
        self._cross_encoder = cross_encoder
        self._weights = weights or Weights.bundled()

    def read(self, asked: Asked, candidates: Sequence[Candidate]) -> Reading | None:
        """The best sentence and span; None when no candidate has a sentence."""
        ranked = self.rank(asked, candidates)
        if not ranked:
            return None
        # Where the release says what is asked of it itself, no other sentence is better.
        known = ranked[0].features[SENTENCE_FEATURES.index("metadata")] == 1.0
        chosen = ranked[:1] if known else self._read_likely(asked, ranked)
        ranked[: len(chosen)] = chosen
        readings = [
            (sentence, sorted(self.weigh(asked, sentence), key=lambda item: -item.score))
            for sentence in chosen
        ]
        if known:
            readings = [(ranked[0], _known_first(*readings[0]))]
        rows = choice_features(readings)
        weights = self._weights.vector("choice", "both", CHOICE_FEATURES)
        sentence, weighed = readings[int(np.argmax(rows @ weights))]
        first = self._first_of_table(asked, sentence, ranked)
        if first is not None:
            sentence = first
            weighed = sorted(self.weigh(asked, sentence), key=lambda item: -item.score)
        by_name = first is not None and _WHICH.search(asked.question.plain)
        others = tuple(item for item in ranked if item is not sentence)
        if not weighed:
            told = _first_cell(sentence) if by_name else pointed(sentence)
            sentence = counted(asked.question, sentence, told)
            asked = replace(asked, question=replace(asked.question, wants=frozenset({"quantity"})))
            weighed = sorted(self.weigh(asked, sentence), key=lambda item: -item.score)
            if not weighed:
                return Reading(sentence, None, (sentence, *others), pointed=told)
        best = whole(weighed[0], weighed) if "list" in asked.question.wants else weighed[0]
        gaps = [best.score - item.score for item in weighed if item is not best]
        rival = float(np.exp(-max(0.0, min(gaps)))) if gaps else 0.0
        told = pointed(sentence) if asked.question.wants <= {"person", "place"} else None
        if by_name:
            told = _first_cell(sentence)
        if told is not None and best.span.kind == "person":
            told = capitalised(sentence, told)
        return Reading(sentence, best, (sentence, *others), rival=rival, pointed=told)

    def _first_of_table(
        self, asked: Asked, sentence: Sentence, ranked: Sequence[Sentence]
    ) -> Sentence | None:
        """The row with the highest or lowest number, when a question asks for that of a table.

        None outside of tables and for a question that names the row.
        """
        question, release = asked.question, sentence.candidate.release
        if not question.superlative or sentence.names is None:
            return None
        named = {bare(word) for word, _, _ in words(sentence.text.partition(tables.CELL)[0])}
        if named <= {*question.plain.split(), *_SORTS_OF_PLACE}:
            return None
        numbers = replace(question, wants=QUANTITIES)
        spans = spans_of(numbers, sentence.text, sentence.start, sentence.figures)
        weighed = self.weigh(
            replace(asked, question=numbers), replace(sentence, spans=tuple(spans))
        )
        if not weighed:
            return None
        over = SPAN_FEATURES.index("column")
        best = max(weighed, key=lambda item: (item.features[over], item.score))
        row = tables.extreme_row(
            release.text,
            sentence.names,
            cell_of(sentence, header_of(sentence), best.span),
            highest=question.superlative > 0,
            language=release.language,
        )
        if row is None:
            return None
        for other in ranked:
            if other.candidate.release.id == release.id and row[0] <= other.release_start < row[1]:
                return other if other.compared else self.compare(asked, [other])[0]
        return None

    def reconcile(self, asked: Asked, reading: Reading, superseded: Mapping[str, str]) -> Reading:
        """The latest of two releases that disagree, with what the earlier one says.

        Two releases are compared when one corrects the other (`superseded`: id of the older -> of
        the newer) or when they have the same issuer and speak of the same time.
        """
        mine = reading.best.candidate.release
        if reading.span is None or reading.span.span.figure is None:
            return reading
        figure = reading.span.span.figure
        for sentence in reading.sentences[1:_COMPARED]:
            other = sentence.candidate.release
            if other.id == mine.id or not other.issued or not mine.issued:
                continue
            linked = superseded.get(mine.id) == other.id or superseded.get(other.id) == mine.id
            if not linked and not (other.issuer and other.issuer == mine.issuer):
                continue
            if _alike(reading.best, sentence, same_time=not linked) < (0.3 if linked else 0.6):
                continue
            weighed = max(self.weigh(asked, sentence), key=lambda item: item.score, default=None)
            if weighed is None or weighed.span.figure is None:
                continue
            told = weighed.span.figure
            if told.unit != figure.unit or figures.same(told, figure):
                continue
            if (other.issued > mine.issued) or superseded.get(mine.id) == other.id:
                rest = tuple(item for item in reading.sentences if item is not sentence)
                earlier = (reading.best, reading.span)
                return replace(
                    reading, best=sentence, span=weighed, sentences=(sentence, *rest),
                    earlier=earlier,
                )  # fmt: skip
            return replace(reading, earlier=(sentence, weighed))
        return reading

    def _read_likely(self, asked: Asked, ranked: Sequence[Sentence]) -> list[Sentence]:
        """The likely sentences as the cross-encoder reads them; more where it finds nothing."""
        chosen = self.compare(asked, likely(ranked))
        if all(one.reader < 0 for one in chosen):
            chosen += self.compare(asked, ranked[len(chosen) : min(len(chosen) + _MORE, _READ)])
        return chosen

    def compare(self, asked: Asked, chosen: Sequence[Sentence]) -> list[Sentence]:
        """Sentences with what the cross-encoder makes of them, in their order."""
        return [replace(one, compared=self._compared(asked, one)) for one in chosen]

    def _compared(self, asked: Asked, sentence: Sentence) -> Compared:
        pair = pair_of_texts(sentence)
        question = in_words_of(asked.question, f"{pair.context} {pair.text}")
        return self._cross_encoder.read(question, [pair])[0]

    # Sentences

    def rank(self, asked: Asked, candidates: Sequence[Candidate]) -> list[Sentence]:
        """The sentences of the best passages, best first."""
        found: list[Sentence] = []
        question = asked.question
        own = {term: self._index.weight(term) for term in set(own_terms(question))}
        surfaces = [
            frozenset(terms(question.text[concept.start : concept.end]))
            for concept in question.concepts
        ]
        wordings = {
            language: self._wordings(question, language)
            for language in {candidate.release.language for candidate in candidates[:_PASSAGES]}
        }
        for candidate in candidates[:_PASSAGES]:
            gap = candidate.score - candidates[0].score
            language = candidate.release.language
            same = surfaces if language == question.language else []
            found += self._of_passage(asked, candidate, gap, own, wordings[language], same)
        return sorted(found, key=lambda sentence: -sentence.score)

    def _of_passage(
        self,
        asked: Asked,
        candidate: Candidate,
        gap: float,
        own: dict[str, float],
        wordings: Sequence[_Worded],
        surfaces: Sequence[frozenset[str]],
    ) -> list[Sentence]:
        question, text = asked.question, candidate.passage.text
        language = candidate.release.language
        pair = pair_of(question, language)
        weights = self._weights.vector("sentence", pair, SENTENCE_FEATURES)
        bounds = sentences(text)
        told = told_by(candidate.passage, candidate.release)
        starts, ends = candidate.encoded.spans[:, 0], candidate.encoded.spans[:, 1]
        headings = " ".join(candidate.passage.section)
        found = []
        for position, (whole, end) in enumerate(bounds):
            start = whole + len(_BULLET.match(text[whole:end])[0])  # type: ignore[index]
            if tables.names_columns(candidate.release.text, candidate.passage.start + start):
                continue
            near_start = bounds[max(0, position - 1)][0]
            near_end = bounds[min(len(bounds) - 1, position + 1)][1]
            inside = (starts < end) & (ends > start)
            around = ((starts < near_end) & (ends > near_start)) | (ends <= 0)
            sentence = text[start:end]
            quantities = tuple(f for f in told.figures if start <= f.start and f.end <= end)
            release = candidate.release
            names = tables.first_row(release.text, candidate.passage.start + start)
            over = ""
            if names:
                quantities = with_units(quantities, sentence, start, release, names)
                # What a row says is said by the names of its columns too.
                over = release.text[slice(*names)]
                first, last = (at - candidate.passage.start for at in names)
                inside |= (starts < last) & (ends > first)
                around |= inside
            here = terms(f"{over} {sentence}")
            nearby = terms(f"{headings} {over} {text[near_start:near_end]}")
            spans = tuple(spans_of(question, sentence, start, quantities))
            features = np.array(
                [
                    1.0,
                    gap,
                    candidate.late(asked, inside),
                    candidate.late(asked, around),
                    _share(own, _said_otherwise(here, wordings, surfaces)),
                    self._term_share(wordings, here),
                    max(
                        _share(own, _said_otherwise(nearby, wordings, surfaces)),
                        self._term_share(wordings, nearby),
                    ),
                    max((kind_fit(question, span) for span in spans), default=0.0)
                    if question.wants != {"text"}
                    else 1.0,
                    _sentence_period(question, told, start, end),
                    _heading(candidate, sentence),
                    _metadata_fit(question, candidate, start, sentence),
                ],
                np.float32,
            )
            # Questions about the release itself are too few to learn a weight from.
            score = float(weights @ features) + _METADATA_BONUS * float(features[-1])
            found.append(
                Sentence(candidate, start, end, features, score, quantities, spans, names=names)
            )
        return found

    def _wordings(self, question: Question, language: Language) -> list[_Worded]:
        """Per concept its weight, and per wording its terms and how rare they are."""
        found = []
        for concept in question.concepts:
            wordings = [
                {term: self._index.weight(term) for term in wording}
                for wording in wordings_of(concept, language)
            ]
            rarest = max((weight for each in wordings for weight in each.values()), default=0.0)
            found.append((concept_weight(concept, rarest), wordings))
        return found

    def _term_share(self, concepts: Sequence[_Worded], here: Sequence[str]) -> float:
        present = set(here)
        total = reached = 0.0
        for weight, wordings in concepts:
            total += weight
            reached += weight * max((_share(each, present) for each in wordings), default=0.0)
        return reached / total if total > 0 else 0.0

    # Spans

    def weigh(self, asked: Asked, sentence: Sentence) -> list[Weighed]:
        """The spans of a sentence with their scores, in the order of the text."""
        weights = self._weights.vector("span", "both", SPAN_FEATURES)
        features = span_features(asked, sentence, self._index.weight)
        return [
            Weighed(span, row, float(weights @ row))
            for span, row in zip(sentence.spans, features, strict=True)
        ]


def pair_of_texts(sentence: Sentence) -> Pair:
    """A sentence with its context: whose, of when, under which heading, what stands before it."""
    passage, release = sentence.candidate.passage, sentence.candidate.release
    heading = passage.section[-1] if passage.section else release.title or ""
    known = [
        release.issuer[:40] if release.issuer else "",
        f"{release.issued:%m/%Y}" if release.issued else "",
        heading[:60] if release.issuer or release.issued or release.number else "",
    ]
    label = " · ".join(filter(None, known))
    header = header_of(sentence)
    if header:
        before = tables.CELL.join(header)[:100]
    else:
        room = max(40, _CONTEXT - len(label))
        ahead = passage.text[: sentence.start].rstrip()
        before = ahead[-room:]
        if len(ahead) > room:
            before = before.partition(" ")[2] or before
    context = " … ".join(filter(None, (label, before.replace("\n", " "))))
    return Pair(context, sentence.text)


def _sentence_period(question: Question, told: Told, start: int, end: int) -> float:
    if not question.periods:
        return 0.0
    own = [mention for mention in told.mentions if start <= mention.start < end]
    fits = [
        fit_of(question.periods, mention) * (0.8 if mention.compared else 1.0) for mention in own
    ]
    if all(mention.compared for mention in own):
        fits.append(inherited(question, told, start))
    return max(fits)


def _heading(candidate: Candidate, sentence: str) -> float:
    release = candidate.release
    titles = (*candidate.passage.section, release.title or "", release.kind or "")
    flat = sentence.strip(" .:-")
    return float(flat.isupper() or any(flat and flat in title for title in titles))


_ASKS_SIGNER = re.compile(r"\bky\b|\bnguoi ky\b|\bsign")
_ASKS_NUMBER = re.compile(r"\bso\b|\bnumber\b|\bno\b|\breference\b|\bky hieu\b")
_ASKS_RELEASE = re.compile(r"\b(?:thong cao|van ban|press release|release|document)\b")
_ASKS_ISSUE = re.compile(
    r"\b(?:ban hanh|phat hanh|cong bo|ra ngay|issue[ds]?|publish|release[ds]?|dated?)\b"
)


def _metadata_fit(question: Question, candidate: Candidate, start: int, sentence: str) -> float:
    release, plain = candidate.release, question.plain
    tight = sentence.replace(" ", "")
    if "person" in question.wants and _ASKS_SIGNER.search(plain) and release.signer:
        return float(release.signer in sentence)
    if not _ASKS_RELEASE.search(plain):
        return 0.0
    if _ASKS_NUMBER.search(plain) and release.number and "date" not in question.wants:
        return float(release.number in tight)
    if question.wants & {"date"} and _ASKS_ISSUE.search(plain) and release.issued:
        day = int(release.issued.strftime("%Y%m%d"))
        near_top = candidate.passage.start + start < 800
        dates = figures.find(sentence, language=release.language)
        return float(near_top and any(figure.value == day for figure in dates))
    if question.wants & {"agency"} and _ASKS_ISSUE.search(plain):
        return float(bool(release.number) and str(release.number) in tight)
    return 0.0


def _said_otherwise(
    here: Sequence[str],
    wordings: Sequence[_Worded],
    surfaces: Sequence[frozenset[str]],
) -> set[str]:
    """Terms of a text, and those of a question of which the text has another wording (NSNN)."""
    present = set(here)
    return present.union(
        *(
            surface
            for surface, (_, forms) in zip(surfaces, wordings, strict=False)
            if any(form and form.keys() <= present for form in forms)
        )
    )


def _share(weights: dict[str, float], here: Sequence[str] | set[str]) -> float:
    total = sum(weights.values())
    if total <= 0:
        return 0.0
    present = here if isinstance(here, set) else set(here)
    return sum(weight for term, weight in weights.items() if term in present) / total
