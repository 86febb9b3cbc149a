"""An embedding model of a few lines for tests of the stores: deterministic, and done in no time.

It enters through the same interface as the real one. A text's vector is the mean of its words'
vectors, which follow from the words alone, so texts with words in common are near each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from rag.embedding import Embedder, Encoded, Head, Kind, Vector
from rag.language import fold, words

DIM = 32


class TinyEncoder:
    """Counts what it encodes."""

    identity = "tiny"
    dim = DIM
    prompts = {"query": "", "passage": ""}  # noqa: RUF012 - part of the protocol

    def __init__(self) -> None:
        self.texts: list[str] = []
        """Every text that was encoded."""

    def encode(
        self, kind: Kind, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[Encoded]:
        self.texts += texts
        return [_encoded(text) for text in texts]

    def count(self, text: str) -> int:
        return 2 + len(words(text))


def tiny() -> Embedder:
    return Embedder(TinyEncoder(), Head.empty())


def _encoded(text: str) -> Encoded:
    found = words(text)
    tokens = np.array([_vector(fold(word)) for word, _, _ in found], np.float32).reshape(-1, DIM)
    mean = tokens.mean(axis=0) if found else np.ones(DIM, np.float32)
    return Encoded(
        vector=(mean / np.linalg.norm(mean)).astype(np.float32),
        tokens=tokens,
        spans=np.array([(start, end) for _, start, end in found], np.int32).reshape(-1, 2),
        ids=np.array([_number(fold(word)) % 30_000 for word, _, _ in found], np.int32),
    )


def _number(word: str) -> int:
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")


def _vector(word: str) -> Vector:
    made: Vector = np.random.default_rng(_number(word)).standard_normal(DIM).astype(np.float32)
    return made
