"""The whole way from a question to an answer, over one collection."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda

from rag import figures
from rag.answer import ChatWriter, combine, compose, refuse, verify
from rag.archive import Archive
from rag.confidence import judge
from rag.conversation import goes_on, in_its_place, left_out, parts, without_times
from rag.embedding import Embedder, open_cross_encoder, open_embedder
from rag.errors import QuestionError
from rag.evidence import Reader, Reading
from rag.index import Index
from rag.question import QUANTITIES, Question, clean
from rag.retrieve import Asked, Candidate, Retriever, Weights, hits
from rag.schema import Answer, Filters, Hit, Release
from rag.settings import Settings

History = Sequence[tuple[str, str]]
"""Earlier turns: (question, answer text), oldest first."""


_LATER = 50
"""Later releases of an issuer that are searched for what an undated question asks, the newest."""
_NEARLY = 4.0
"""How far below the best passage's score that of a later release may be."""
_READ_AGAIN = 2
"""Later releases that are read, at most."""
_AS_WELL, _NEARLY_AS_WELL = 0.75, 0.95
"""The least probability that a later release answers, as a share of that of the best.

With a figure of the same sort, and with any other answer."""


class Assistant:
    """Answers questions about the releases of one collection. Use as a context manager.

    Safe to use from several threads: questions are taken one at a time.
    """

    def __init__(
        self, settings: Settings, archive: Archive, index: Index, embedder: Embedder
    ) -> None:
        self.settings = settings
        self._archive = archive
        self._index = index
        self._weights = Weights.bundled()
        self._retriever = Retriever(archive, index, embedder, self._weights)
        self._reader = Reader(index, open_cross_encoder(settings, embedder), self._weights)
        self._writer = ChatWriter(settings.chat_model) if settings.chat_model else None
        self._corrected: tuple[str | None, Mapping[str, str]] | None = None
        self._lock = threading.RLock()
        self._stack = ExitStack()

    @classmethod
    def open(
        cls, settings: Settings | None = None, *, embedder: Embedder | None = None
    ) -> Assistant:
        """Open a collection, which may still be empty.

        Raises `ModelMismatchError`, `StoreError`, `WeightsError` or `ChatModelError` when a part
        cannot be opened.
        """
        settings = settings or Settings()
        with ExitStack() as stack:
            archive = stack.enter_context(Archive.open(settings))
            embedder = embedder or open_embedder(settings)
            index = stack.enter_context(Index.open(settings, archive, embedder.identity))
            assistant = cls(settings, archive, index, embedder)
            assistant._stack = stack.pop_all()
        return assistant

    def close(self) -> None:
        """Close the stores."""
        self._stack.close()

    def __enter__(self) -> Assistant:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def releases(self) -> list[Release]:
        """The releases that can be asked, by date."""
        return self._archive.releases()

    def release(self, release_id: str) -> Release:
        """One release with its text; `StoreError` when it is unknown."""
        return self._archive.release(release_id)

    def superseded(self) -> Mapping[str, str]:
        """Which releases a later one replaces or corrects: id of the older -> of the newer."""
        generation = self._archive.meta("generation")
        if self._corrected is None or self._corrected[0] != generation:
            self._corrected = (generation, MappingProxyType(self._archive.superseded()))
        return self._corrected[1]

    def search(self, question: str, k: int = 10, filters: Filters | None = None) -> list[Hit]:
        """The k best passages, best first; errors as `ask`."""
        understood = self._understand(question, ())
        with self._lock:
            found = self._retriever.search(self._retriever.ask(understood), k, filters)
        return list(hits(found))

    def ask(self, question: str, history: History = (), filters: Filters | None = None) -> Answer:
        """Answer a question, in its language, from the releases that pass the filters.

        Raises `QuestionError` for a question that is empty, too long or not text,
        `NothingIngestedError` when there are no releases, `ChatModelError` when the configured
        chat model fails.
        """
        *_, final = self.stream(question, history, filters)
        return final

    def stream(
        self, question: str, history: History = (), filters: Filters | None = None
    ) -> Iterator[Answer]:
        """The answer as it grows; the last one is complete. Errors as `ask`.

        With a chat model, the extractive answer comes first and is replaced by the model's once
        that has passed the gate: nothing unverified is ever shown.
        """
        clock = _Clock()
        asked_at_once = self._questions(question, history)
        answers: list[Answer] = []
        for understood in asked_at_once:
            with self._lock:
                asked = self._retriever.ask(understood)
                clock.lap("embed")
                candidates = self._retriever.search(asked, self.settings.top_k, filters)
                clock.lap("retrieve")
                reading = self._reader.read(asked, candidates)
                if reading is not None:
                    newer = self._newer(asked, reading, candidates, filters)
                    if newer:
                        reading, candidates = newer
                    elif len({one.release.id for one in candidates}) > 1:
                        reading = self._reader.reconcile(asked, reading, self.superseded())
                clock.lap("read")
            answers.append(self._answer(asked, reading, candidates))
        answer = answers[0] if len(answers) == 1 else combine(asked_at_once[0], answers)
        answer = replace(answer, question=question.strip(), timings=clock.laps("write"))
        yield answer
        if self._writer is None or reading is None or answer.status == "not_found":
            return
        if len(answers) > 1:
            return
        written = self._writer.write(understood, reading, answer)
        yield replace(written, timings=clock.laps("chat"))

    def _newer(
        self,
        asked: Asked,
        reading: Reading,
        candidates: Sequence[Candidate],
        filters: Filters | None,
    ) -> tuple[Reading, list[Candidate]] | None:
        """The reading of the newest release of the same issuer that answers an undated question.

        With the passages of the issuer's later releases. None when no later one tells as well, when
        the question names its time, or when it would be refused anyway.
        """
        mine = reading.best.candidate.release
        later = self._archive.later(mine, _LATER) if asked.question.undated else []
        if filters is not None and filters.release_ids:
            later = [name for name in later if name in filters.release_ids]
        if not later:
            return None
        known, _ = judge(asked, reading, candidates, self._weights)
        if known < self._threshold:
            return None
        among = replace(filters or Filters(), release_ids=tuple(later))
        found = self._retriever.search(asked, self.settings.top_k, among)
        least = reading.best.candidate.score - _NEARLY
        near = {one.release.id for one in found if one.score >= least}
        figure = _figure(reading)
        least_known = max(self._threshold, (_AS_WELL if figure else _NEARLY_AS_WELL) * known)
        for name in [one for one in later if one in near][:_READ_AGAIN]:
            other = self._reader.read(asked, [one for one in found if one.release.id == name])
            if other is None or _figure(other) != figure:
                continue
            answerable, _ = judge(asked, other, found, self._weights)
            if answerable >= least_known:
                # What the older release says of the same time is told too.
                both = replace(other, sentences=(other.best, *reading.sentences))
                both = self._reader.reconcile(asked, both, self.superseded())
                earlier = both.earlier if both.best is other.best else None
                return replace(other, earlier=earlier), found
        return None

    @property
    def _threshold(self) -> float:
        chosen = self.settings.threshold
        return self._weights.number("threshold") if chosen is None else chosen

    def _questions(self, question: str, history: History) -> list[Question]:
        """What is asked, one by one; a part may leave out what another names.

        A later part may have no subject ("and what was the total amount"), place or time; of two
        figures ("how much was paid and how many people got support") the first may leave out what
        the second names.
        """
        first, *later = parts(clean(question, longest=self.settings.max_question_chars))
        asked = [self._understand(first, history)]
        for part in later:
            one = self._understand(part, ((asked[-1].text, ""),))
            asked.append(self._with(one, " ".join(left_out(one, asked))))
        if not history and len(asked) > 1 and all(one.wants & QUANTITIES for one in asked[:2]):
            asked[0] = self._understand(first, ((later[0], ""),))
        return asked

    def _understand(self, question: str, history: History) -> Question:
        text = clean(question, longest=self.settings.max_question_chars)
        understood = self._read(text)
        short = len(understood.content) <= 2
        if not history or not (short or goes_on(understood)):
            return understood
        earlier = str(history[-1][0])[: self.settings.max_question_chars]
        try:
            before = self._read(clean(earlier, longest=self.settings.max_question_chars))
        except QuestionError:
            return understood
        if not goes_on(understood):
            return self._with(understood, " ".join(left_out(understood, [before])))
        if understood.latest:
            before = self._read(without_times(before))
        # A follow-up leaves out what was just talked about; its own words come first.
        return replace(self._with(understood, in_its_place(understood, before)), incomplete=True)

    def _read(self, text: str) -> Question:
        # "This year" is that of the newest release: a collection may be old when it is asked.
        today = self._archive.newest()
        with self._lock:
            return self._retriever.understand(text, today=today)

    def _with(self, question: Question, words: str) -> Question:
        """A question with words that it has left out."""
        if not words:
            return question
        ended = question.text if question.text[-1] in ".?!" else f"{question.text}?"
        joined = replace(
            self._read(f"{ended} {words}"),
            language=question.language,
            latest=question.latest,
            asked=question.asked or question.text,
        )
        if question.wants == {"text"}:
            return joined
        # It asks for something of its own: the kind of answer is not that of the words.
        return replace(joined, wants=question.wants, noun=question.noun, counted=question.counted)

    def _answer(
        self, asked: Asked, reading: Reading | None, candidates: Sequence[Candidate]
    ) -> Answer:
        if reading is None:
            return refuse(asked.question, hits(candidates), confidence=0.0)
        # What was read together with the question is known better than what was only found.
        best = reading.best.candidate
        found = hits([best, *(one for one in candidates if one.passage.id != best.passage.id)])
        answerable, sure = judge(asked, reading, candidates, self._weights)
        if answerable < self._threshold:
            return refuse(asked.question, found, confidence=sure, reading=reading)
        answer = verify(compose(asked.question, reading, found, confidence=sure))
        if answer.status == "not_found":
            return refuse(asked.question, found, confidence=sure, reading=reading)
        return answer

    # LangChain

    def as_runnable(self) -> Runnable[Any, Answer]:
        """A LangChain Runnable: a question, or {"question", "history"}, to an `Answer`."""

        def ask(asked: Any) -> Answer:
            return self.ask(*_asked(asked))

        def grow(inputs: Iterator[Any]) -> Iterator[Answer]:
            for asked in inputs:
                yield from self.stream(*_asked(asked))

        return _AnswerRunnable(ask, grow)

    def as_retriever(self, k: int = 10, filters: Filters | None = None) -> BaseRetriever:
        """A LangChain retriever over the same search."""
        return ReleaseRetriever(assistant=self, k=k, filters=filters)


def _figure(reading: Reading) -> str | None:
    """What sort of figure a reading tells; None for anything else."""
    figure = reading.span.span.figure if reading.span else None
    return figures.kind(figure) if figure else None


def _asked(value: Any) -> tuple[str, History]:
    if isinstance(value, str):
        return value, ()
    if isinstance(value, dict) and isinstance(value.get("question"), str):
        return value["question"], tuple(value.get("history") or ())
    raise QuestionError('ask with a string or with {"question": …, "history": …}')


class _AnswerRunnable(RunnableLambda[Any, Answer]):
    """Invokes once, but streams the growing answer."""

    def __init__(self, ask: Any, grow: Any) -> None:
        super().__init__(ask, name="release_qa")
        self._grow = RunnableGenerator(grow)

    def stream(self, input: Any, config: Any = None, **kwargs: Any) -> Iterator[Answer]:
        """Yield the answer as it grows."""
        yield from self._grow.stream(input, config, **kwargs)


class ReleaseRetriever(BaseRetriever):
    """Passages as LangChain documents, with release, offsets and score as metadata."""

    assistant: Any
    k: int = 10
    filters: Any = None

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        documents = []
        for hit in self.assistant.search(query, self.k, self.filters):
            release = self.assistant.release(hit.passage.release_id)
            documents.append(
                Document(
                    id=hit.passage.id,
                    page_content=hit.passage.text,
                    metadata={
                        "release_id": release.id,
                        "number": release.number,
                        "title": release.title,
                        "issuer": release.issuer,
                        "issued": release.issued.isoformat() if release.issued else None,
                        "source": release.source,
                        "section": " > ".join(hit.passage.section),
                        "page": hit.passage.page,
                        "start": hit.passage.start,
                        "end": hit.passage.end,
                        "score": hit.score,
                    },
                )
            )
        return documents


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self._begun = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self._laps[name] = round(self._laps.get(name, 0.0) + now - self._last, 6)
        self._last = now

    def laps(self, name: str) -> dict[str, float]:
        self.lap(name)
        return {**self._laps, "total": round(self._last - self._begun, 6)}


_default: Assistant | None = None
_default_lock = threading.Lock()


def ask(question: str, history: History = (), filters: Filters | None = None) -> Answer:
    """Answer a question with the default settings; the collection is opened once."""
    global _default
    with _default_lock:
        if _default is None:
            _default = Assistant.open(Settings())
    return _default.ask(question, history, filters)
