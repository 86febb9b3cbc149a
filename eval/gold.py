"""Question sets: gold files (JSON Lines) and SQuAD files, read strictly.

Also what belongs to a question set alone: finding its quotes in the releases, its dev/test split,
and the check that every quote stands in its release.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any, Literal, cast

from rag.errors import GoldError
from rag.language import detect
from rag.schema import Figure, Language, Release
from rag.units import canonical

Split = Literal["dev", "test", "all"]
Span = tuple[str, int, int]
"""Release id, start and end: offsets of the release's canonical text."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A piece of gold evidence."""

    release: str
    """File name of the release, with leading folders when the name alone is not enough."""
    text: str
    """As printed in the file; empty means the whole release (SQuAD contexts)."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what a right answer says and where the releases say it."""

    id: str
    question: str
    lang: Language
    answerable: bool
    answers: tuple[str, ...] = ()
    """Any of them is right; empty when not answerable."""
    figure: Figure | None = None
    evidence: tuple[Quote, ...] = ()
    """May be empty: retrieval and citations are then undefined for the question."""
    tags: tuple[str, ...] = ()

    @property
    def pair(self) -> str:
        """The id without a final `-vi` or `-en`: one key for the translations of a question."""
        return pair_key(self.id)


@dataclass(frozen=True, slots=True)
class GoldSet:
    """A named, non-empty set of questions; `contexts` are the corpus of a SQuAD file."""

    name: str
    questions: tuple[Question, ...]
    contexts: tuple[str, ...] = ()
    """Distinct contexts; the n-th is the release named `context_name(n)`. Empty: a gold file."""

    def only(self, split: Split, limit: int | None = None) -> GoldSet:
        """The questions of one split, at most `limit` of them, spread evenly over the set.

        Raises `GoldError` when none is left.
        """
        kept = self.questions
        if split != "all":
            sides = split_of(self.questions)
            kept = tuple(question for question in kept if sides[question.id] == split)
        if limit is not None and limit < len(kept):
            kept = tuple(kept[index * len(kept) // limit] for index in range(limit))
        if not kept:
            raise GoldError(f"{self.name}: no question is left in split {split}; use --split all")
        return replace(self, questions=kept)


def pair_key(question_id: str) -> str:
    """The id without a final `-vi` or `-en`."""
    return question_id.removesuffix("-vi").removesuffix("-en")


def context_name(index: int) -> str:
    """File name that stands for the n-th context of a SQuAD file, counted from 0."""
    return f"{index:05d}.txt"


# --- Gold files --------------------------------------------------------------------------------

_REQUIRED = ("id", "question", "lang", "answerable")
_OPTIONAL = ("answers", "figure", "evidence", "tags")


def load_gold(path: Path) -> GoldSet:
    """Read a gold file: one JSON object a line, blank lines allowed.

    Keys `id`, `question`, `lang` and `answerable` are needed; `answers`, `figure`, `evidence` and
    `tags` may be left out. Raises `GoldError` with file and line number for anything else: an
    unknown or repeated key, a value of the wrong type, an answerable question without an answer,
    an unanswerable one with one, a repeated id, no question at all, or an unreadable file.
    """
    questions: list[Question] = []
    line_of: dict[str, int] = {}
    # Not splitlines(): JSON strings may hold U+2028 and its like.
    for number, line in enumerate(_read(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            question = _question(_json(line))
        except (ValueError, RecursionError) as error:
            raise GoldError(f"{path}:{number}: {error}") from error
        if question.id in line_of:
            raise GoldError(
                f"{path}:{number}: id {question.id} is already on line {line_of[question.id]}"
            )
        line_of[question.id] = number
        questions.append(question)
    if not questions:
        raise GoldError(f"{path}: no questions; write one JSON object a line")
    return GoldSet(Path(path).stem, tuple(questions))


def _read(path: Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise GoldError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise GoldError(f"{path}: cannot be read: {error.strerror}") from error


def _json(text: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise ValueError(f"key {key} is repeated")
            found[key] = value
        return found

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(
            text, parse_float=Decimal, parse_constant=refuse, object_pairs_hook=unique
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from error


def _question(value: Any) -> Question:
    item = _object(value, "the line", _REQUIRED, _OPTIONAL)
    lang = item["lang"]
    if lang not in ("vi", "en"):
        raise ValueError(f"lang must be vi or en, not {_shown(lang)}")
    if not isinstance(item["answerable"], bool):
        raise ValueError(f"answerable must be true or false, not {_shown(item['answerable'])}")
    answerable = item["answerable"]
    answers = tuple(_text(answer, "an answer") for answer in _list(item, "answers"))
    figure = None if item.get("figure") is None else _figure(item["figure"])
    evidence = tuple(_quote(entry) for entry in _list(item, "evidence"))
    if answerable and not answers and figure is None:
        raise ValueError("an answerable question needs answers or a figure")
    if not answerable and (answers or evidence or figure is not None):
        raise ValueError("an unanswerable question takes no answers, figure or evidence")
    return Question(
        _text(item["id"], "id"),
        _text(item["question"], "question"),
        cast(Language, lang),
        answerable,
        answers,
        figure,
        evidence,
        tuple(_text(tag, "a tag") for tag in _list(item, "tags")),
    )


def _quote(value: Any) -> Quote:
    item = _object(value, "evidence", ("release", "quote"), ())
    quote = Quote(_text(item["release"], "release"), _text(item["quote"], "quote"))
    if not _folded(quote.text)[0]:
        raise ValueError(f"the quote {quote.text!r} holds no text")
    return quote


def _figure(value: Any) -> Figure:
    ranged = isinstance(value, dict) and "value" not in value
    item = _object(value, "figure", ("low", "high") if ranged else ("value",), ("unit",))
    unit = None if item.get("unit") is None else canonical(_text(item["unit"], "unit"))
    if ranged:
        low, high = _number(item["low"], "low"), _number(item["high"], "high")
        if low > high:
            raise ValueError(f"figure: low {low} is above high {high}")
        return Figure("", None, unit, 0, 0, low=low, high=high)
    return Figure("", _number(item["value"], "value"), unit, 0, 0)


def _number(value: Any, name: str) -> Decimal:
    plain = isinstance(value, (str, int, Decimal)) and not isinstance(value, bool)
    if not plain or not re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
        raise ValueError(f'figure: {name} must be a number such as "608500000000"')
    return Decimal(value)


def _object(
    value: Any, name: str, required: Sequence[str], optional: Sequence[str]
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object, not {_shown(value)}")
    for key in value:
        if key not in required and key not in optional:
            known = ", ".join((*required, *optional))
            raise ValueError(f"unknown key {key} in {name}; known: {known}")
    for key in required:
        if key not in value:
            raise ValueError(f"key {key} is missing in {name}")
    return value


def _list(item: dict[str, Any], key: str) -> list[Any]:
    value = item.get(key, [])
    if not isinstance(value, list):
        raise ValueError(f"{key} must be a list, not {_shown(value)}")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} must be a non-empty text, not {_shown(value)}")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError(f"{name} holds half a character (a lone surrogate)")
    return value


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


# --- SQuAD files -------------------------------------------------------------------------------


def load_squad(path: Path, questions: Path | None = None) -> GoldSet:
    """Read a SQuAD file (1.1, or 2.0 with `is_impossible`).

    With `questions`, a parallel file, each question's wording comes from there by id; contexts
    and gold answers stay those of `path`. Equal contexts count as one. Raises `GoldError` for a
    file of another shape, a repeated id, or ids that are in one of the two files only.
    """
    entries = _squad_entries(path)
    name = Path(path).stem
    wording: dict[str, str] = {}
    if questions is not None:
        wording = {entry.id: entry.question for entry in _squad_entries(questions)}
        ids = {entry.id for entry in entries}
        for here, there, missing in (
            (path, questions, [entry.id for entry in entries if entry.id not in wording]),
            (questions, path, [id for id in wording if id not in ids]),
        ):
            if missing:
                raise GoldError(
                    f"{there}: {len(missing)} of the ids of {here} are not there,"
                    f" the first is {missing[0]}; give parallel files"
                )
        name += f"+{Path(questions).stem}"
    index_of: dict[str, int] = {}
    found: list[Question] = []
    for entry in entries:
        index = index_of.setdefault(entry.context, len(index_of))
        text = wording.get(entry.id, entry.question)
        answerable = bool(entry.answers)
        evidence = (Quote(context_name(index), ""),) if answerable else ()
        found.append(
            Question(entry.id, text, detect(text), answerable, entry.answers, None, evidence)
        )
    return GoldSet(name, tuple(found), tuple(index_of))


@dataclass(frozen=True, slots=True)
class _Entry:
    id: str
    question: str
    answers: tuple[str, ...]
    context: str


def _squad_entries(path: Path) -> list[_Entry]:
    try:
        document = _json(_read(path))
    except (ValueError, RecursionError) as error:
        raise GoldError(f"{path}: {error}") from error
    entries: dict[str, _Entry] = {}
    place = "the file"
    try:
        for a, article in enumerate(document["data"]):
            for p, paragraph in enumerate(article["paragraphs"]):
                place = f"data[{a}].paragraphs[{p}]"
                context = _text(paragraph["context"], "context").strip()
                for qa in paragraph["qas"]:
                    place = f"data[{a}].paragraphs[{p}], question {_shown(qa.get('id'))}"
                    entry = _squad_entry(qa, context)
                    if entry.id in entries:
                        raise ValueError("the id is repeated")
                    entries[entry.id] = entry
    except KeyError as error:
        raise GoldError(f"{path}: {place}: key {error.args[0]} is missing") from error
    except (TypeError, AttributeError) as error:
        raise GoldError(f"{path}: {place}: not in the SQuAD format") from error
    except ValueError as error:
        raise GoldError(f"{path}: {place}: {error}") from error
    if not entries:
        raise GoldError(f"{path}: no questions")
    return list(entries.values())


def _squad_entry(qa: dict[str, Any], context: str) -> _Entry:
    impossible = qa.get("is_impossible", False)
    # Published files repeat an answer once per annotator; order is kept, repetition is not.
    answers = (
        ()
        if impossible
        else tuple(dict.fromkeys(_text(answer["text"], "an answer") for answer in qa["answers"]))
    )
    if not impossible and not answers:
        raise ValueError("no answers, and is_impossible is not true")
    return _Entry(_text(qa["id"], "id"), _text(qa["question"], "question"), answers, context)


# --- Splits ------------------------------------------------------------------------------------


def split_of(questions: Iterable[Question]) -> dict[str, Literal["dev", "test"]]:
    """The side of each question id, by a fixed rule that looks at ids and first tags only.

    Questions with the same pair key stay together. Within each first tag (of the pair's smallest
    id), pairs are ordered by the SHA-256 of their key and dealt to the two sides in turn, so that
    every tag is halved; the side that starts is the parity of the SHA-256 of the tag.
    """
    pairs: dict[str, list[Question]] = {}
    for question in questions:
        pairs.setdefault(question.pair, []).append(question)
    by_tag: dict[str, list[str]] = {}
    for key, members in pairs.items():
        tags = min(members, key=lambda member: member.id).tags
        by_tag.setdefault(tags[0] if tags else "", []).append(key)
    sides: dict[str, Literal["dev", "test"]] = {}
    for tag, keys in by_tag.items():
        start = int(_sha256(tag), 16) % 2
        for place, key in enumerate(sorted(keys, key=_sha256), start=start):
            for member in pairs[key]:
                sides[member.id] = "test" if place % 2 else "dev"
    return sides


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- Quotes in releases ------------------------------------------------------------------------

# What Markdown and OCR repair may take from a text or leave in it: marks, table bars, escapes,
# and characters of no width. White space is dropped as well, so joined lines do not matter.
_IGNORED = frozenset("*_#`\\|\u00ad\u200b\u200c\u200d\u2060\ufeff")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_HTML = re.compile(r"</?[A-Za-z][^<>\n]*>|<!--.*?-->", re.S)


def _folded(text: str) -> tuple[str, list[int], list[int]]:
    """The text as it is compared, and for each of its characters start and end in the original."""
    kept: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    size = len(text)
    start = 0
    while start < size:
        end = start + 1
        while end < size and unicodedata.combining(text[end]):
            end += 1
        # Base and marks together, so that composed and decomposed spellings meet.
        for char in unicodedata.normalize("NFC", text[start:end]):
            if char not in _IGNORED and not char.isspace():
                kept.append(char)
                starts.append(start)
                ends.append(end)
        start = end
    return "".join(kept), starts, ends


class Text:
    """A text in which quotes are looked up many times."""

    def __init__(self, text: str) -> None:
        self._folded, self._starts, self._ends = _folded(text)

    def locate(self, quote: str) -> list[tuple[int, int]]:
        """Every place of the quote, as (start, end) offsets of the text; empty when not there.

        White space, Markdown marks, links' targets, HTML tags and Unicode composition do not
        count, on either side.
        """
        wanted = _folded(_HTML.sub("", _LINK.sub(r"\1", quote)))[0]
        found: list[tuple[int, int]] = []
        at = self._folded.find(wanted) if wanted else -1
        while at >= 0:
            found.append((self._starts[at], self._ends[at + len(wanted) - 1]))
            at = self._folded.find(wanted, at + len(wanted))
        return found


def locate(quote: str, text: str) -> list[tuple[int, int]]:
    """Every place of the quote in the text; see `Text.locate`."""
    return Text(text).locate(quote)


def same_file(name: str, source: str) -> bool:
    """Whether `source` ends in the path `name`, compared folder by folder."""
    wanted, parts = PurePath(name).parts, PurePath(source).parts
    return bool(wanted) and parts[-len(wanted) :] == wanted


def locate_quotes(gold: GoldSet, releases: Iterable[Release]) -> dict[Quote, tuple[Span, ...]]:
    """Where each gold quote stands; a quote that is printed twice has two places.

    Raises `GoldError` that names the question when a release is missing or a quote is not in it.
    """
    known = [(release, Text(release.text)) for release in releases]
    by_name: dict[str, list[tuple[Release, Text]]] = {}
    places: dict[Quote, tuple[Span, ...]] = {}
    for question in gold.questions:
        for quote in question.evidence:
            if quote in places:
                continue
            if quote.release not in by_name:
                by_name[quote.release] = [
                    pair for pair in known if same_file(quote.release, pair[0].source)
                ]
            candidates = by_name[quote.release]
            if not candidates:
                raise GoldError(
                    f"{gold.name}: question {question.id}: release {quote.release} is not in the"
                    f" corpus ({len(known)} releases); check its name or give --corpus"
                )
            spans = tuple(
                (release.id, start, end)
                for release, text in candidates
                for start, end in (
                    text.locate(quote.text) if quote.text else [(0, len(release.text))]
                )
            )
            if not spans:
                raise GoldError(
                    f"{gold.name}: question {question.id}: quote {_shown(quote.text)} is not in"
                    f" {quote.release}; copy it from the file as printed"
                )
            places[quote] = spans
    return places
