"""Two plain pipelines to measure against: what every tutorial teaches, on the same releases.

`naive` splits into chunks of 1000 characters with 200 of overlap, embeds them with the project's
model into Chroma, takes the nearest four and answers with the first. `bm25` differs in the search
alone. Neither ever refuses.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import bm25s
import numpy as np
from langchain_chroma import Chroma
from langchain_core.embeddings import Embeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

from rag.embedding import Encoder
from rag.errors import GoldError
from rag.language import detect
from rag.schema import Answer, Citation, Hit, Passage, Release

TOP = 4
CHUNK = 1000
OVERLAP = 200
_ADD = 1000
"""Chunks a call, below what Chroma takes at once."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    release: Release
    passage: Passage


def _chunks(releases: Iterable[Release]) -> list[_Chunk]:
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=CHUNK, chunk_overlap=OVERLAP, add_start_index=True
    )
    found: list[_Chunk] = []
    for release in releases:
        for document in splitter.create_documents([release.text]):
            start = document.metadata["start_index"]
            text = document.page_content
            passage = Passage(f"{release.id}:{start}", release.id, start, start + len(text), text)
            found.append(_Chunk(release, passage))
    if not found:
        raise GoldError("the corpus holds no text; give releases")
    return found


class Baseline(ABC):
    """Answers with the first of the nearest chunks; the search is the subclass's own."""

    name: str

    def __init__(self, releases: Iterable[Release]) -> None:
        self._chunks = _chunks(releases)

    @abstractmethod
    def _nearest(self, question: str) -> Sequence[tuple[int, float]]:
        """Index and score of at most `TOP` chunks, best first, at least one."""

    def ask(self, question: str) -> Answer:
        """The first chunk as the answer, cited whole, at full confidence."""
        found = self._nearest(question)
        hits = tuple(
            Hit(self._chunks[index].passage, score, rank)
            for rank, (index, score) in enumerate(found, start=1)
        )
        first = self._chunks[found[0][0]]
        release, passage = first.release, first.passage
        citation = Citation(
            marker=1,
            release_id=release.id,
            number=release.number,
            title=release.title,
            issuer=release.issuer,
            issued=release.issued,
            source=release.source,
            page=release.page_at(passage.start),
            start=passage.start,
            end=passage.end,
            quote=passage.text,
        )
        return Answer(
            question=question,
            status="answered",
            text=f"{passage.text} [1]",
            short=passage.text,
            language=detect(question),
            citations=(citation,),
            hits=hits,
            confidence=1.0,
            model=self.name,
        )


class Naive(Baseline):
    """Dense search in an in-memory Chroma collection, through LangChain."""

    name = "naive"

    def __init__(self, releases: Iterable[Release], encoder: Encoder) -> None:
        super().__init__(releases)
        self._store = Chroma(
            collection_name="naive",
            embedding_function=_LangChainEmbeddings(encoder),
            collection_metadata={"hnsw:space": "cosine"},
        )
        # In-memory collections of one process share their store; start from an empty one.
        self._store.reset_collection()
        for start in range(0, len(self._chunks), _ADD):
            batch = self._chunks[start : start + _ADD]
            self._store.add_texts(
                [chunk.passage.text for chunk in batch],
                ids=[str(start + index) for index in range(len(batch))],
            )

    def _nearest(self, question: str) -> Sequence[tuple[int, float]]:
        found = self._store.similarity_search_with_score(question, k=TOP)
        return [(int(str(document.id)), 1.0 - distance) for document, distance in found]


class _LangChainEmbeddings(Embeddings):
    """The model's own vectors, without what the project adds to them."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[float(x) for x in each.vector] for each in self._encoder.encode("passage", texts)]

    def embed_query(self, text: str) -> list[float]:
        return [float(x) for x in self._encoder.encode("query", [text])[0].vector]


class Bm25(Baseline):
    """BM25 over lower-case words (Lucene's variant, default weights)."""

    name = "bm25"

    def __init__(self, releases: Iterable[Release]) -> None:
        super().__init__(releases)
        self._index = bm25s.BM25()
        self._index.index(
            [_words(chunk.passage.text) for chunk in self._chunks], show_progress=False
        )

    def _nearest(self, question: str) -> Sequence[tuple[int, float]]:
        known = [word for word in _words(question) if word in self._index.vocab_dict]
        # Without a known word every score is 0, and the first chunks are as good as any.
        scores = (
            self._index.get_scores(known)
            if known
            else np.zeros(len(self._chunks), dtype=np.float32)
        )
        order = np.argsort(-scores, kind="stable")[:TOP]
        return [(int(index), float(scores[index])) for index in order]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
