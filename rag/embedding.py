"""Texts to vectors, one for search and one per token; questions and texts read together.

Two encoders give the same raw `Encoded`: the bundled multilingual-e5-small on ONNX Runtime (the
same fp32 arithmetic as Sentence Transformers at about twice the speed, and no import of torch), and
any other model through Sentence Transformers.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from rag.errors import SettingsError, WeightsError
from rag.schema import Language
from rag.settings import BUNDLED_MODEL, Settings
from rag.weights import SOURCE_SHA256, cross_encoder, unpack

Kind = Literal["query", "passage"]
Vector = npt.NDArray[np.float32]
_BUNDLED_IDENTITY = f"{BUNDLED_MODEL}@{SOURCE_SHA256[:12]}"
_BOS, _EOS = 0, 2
_LONGEST = 512
_BATCH = 4
"""Measured on two cores: larger batches are slower (cache), smaller ones too (overhead)."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the model makes of one text."""

    vector: Vector
    """(dim,), of length 1."""
    tokens: Vector
    """(tokens, dim); prompt and special tokens left out. Of length 1 once a head was applied."""
    spans: npt.NDArray[np.int32]
    """(tokens, 2): start and end of each token in the text, in characters."""
    ids: npt.NDArray[np.int32]
    """(tokens,): vocabulary ids."""


class Encoder(Protocol):
    """A model that turns prompted texts into raw hidden states."""

    identity: str
    """Names the model and its weights."""
    dim: int
    prompts: dict[str, str]
    """What is put before a `query` and a `passage`."""

    def encode(
        self, kind: Kind, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[Encoded]:
        """Encode texts; `progress` is told how many more are done."""
        ...

    def count(self, text: str) -> int:
        """How many tokens a text has as a passage, prompt and special tokens included."""
        ...


@dataclass(frozen=True, slots=True)
class Head:
    """What turns raw hidden states into vectors that can be compared (`eval/fit.py` makes it).

    Vectors of this model family share a large common part, which differs between questions and
    passages and between languages; taking its mean away makes similarities tell (see
    docs/decisions/). Without means, vectors are compared as they are.
    """

    identity: str
    means: dict[str, Vector]
    """By `vector|tokens.query|passage.vi|en`: (dim,)."""
    projection: Vector | None
    """(dim, out) for token vectors, or None to keep them."""
    document_frequency: dict[int, int]
    """Of vocabulary ids in the background passages; empty when unknown."""
    documents: int
    """How many background passages were counted."""

    @classmethod
    def bundled(cls) -> Head:
        """The head that was fitted for the bundled model; an empty one when none is there."""
        path = Path(__file__).parent / "data" / "head.npz"
        if not path.is_file():
            return cls.empty()
        data = path.read_bytes()
        with np.load(io.BytesIO(data)) as arrays:
            return cls(
                identity=hashlib.sha256(data).hexdigest()[:8],
                means={
                    name: arrays[name].astype(np.float32)
                    for name in arrays.files
                    if name.startswith(("vector.", "tokens."))
                },
                projection=(
                    arrays["projection"].astype(np.float32)
                    if "projection" in arrays.files
                    else None
                ),
                document_frequency=dict(
                    zip(arrays["df_ids"].tolist(), arrays["df_counts"].tolist(), strict=True)
                ),
                documents=int(arrays["df_documents"]),
            )

    @classmethod
    def empty(cls) -> Head:
        """A head that only normalises."""
        return cls("none", {}, None, {}, 0)

    def apply(self, encoded: Encoded, kind: Kind, language: Language) -> Encoded:
        """Centre, project and normalise one text's vectors."""
        vector, tokens = encoded.vector, encoded.tokens
        if self.means:
            vector = vector - self.means[f"vector.{kind}.{language}"]
            tokens = tokens - self.means[f"tokens.{kind}.{language}"]
        if self.projection is not None:
            tokens = tokens @ self.projection
        lengths = np.linalg.norm(tokens, axis=1, keepdims=True)
        tokens = (tokens / np.maximum(lengths, 1e-9)).astype(np.float32)
        return Encoded(_unit(vector), tokens, encoded.spans, encoded.ids)

    def token_weights(self, ids: npt.NDArray[np.int32]) -> Vector:
        """How much each token of a question counts: its inverse document frequency, at least 0."""
        if not self.documents:
            return np.ones(len(ids), np.float32)
        counts = [self.document_frequency.get(int(index), 0) for index in ids]
        return np.log((self.documents + 1) / (np.array(counts, np.float32) + 0.5)).astype(
            np.float32
        )


class Embedder:
    """An encoder and its head: the vectors that are stored and compared."""

    def __init__(self, encoder: Encoder, head: Head) -> None:
        self.encoder = encoder
        self.head = head
        self.identity = f"{encoder.identity}+{head.identity}"
        """Recorded in the index; another identity means vectors that cannot be compared."""
        self.dim = encoder.dim

    def passages(
        self,
        texts: Sequence[str],
        language: Language,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[Encoded]:
        """Encode passages in one language; an empty list gives an empty list."""
        raw = self.encoder.encode("passage", texts, progress=progress)
        return [self.head.apply(encoded, "passage", language) for encoded in raw]

    def query(self, text: str, language: Language) -> Encoded:
        """Encode one question."""
        return self.head.apply(self.encoder.encode("query", [text])[0], "query", language)

    def count(self, text: str) -> int:
        """How many tokens a text has as a passage, prompt and special tokens included."""
        return self.encoder.count(text)


def open_embedder(settings: Settings, *, threads: int | None = None) -> Embedder:
    """The model that the settings name, on so many threads (default: one for each core).

    Raises `WeightsError` when the bundled weights cannot be made, `SettingsError` when another
    model cannot be loaded.
    """
    if settings.embedding_model == BUNDLED_MODEL:
        return Embedder(OnnxEncoder(unpack(settings.weights_dir), threads=threads), Head.bundled())
    return Embedder(SentenceTransformerEncoder(settings.embedding_model), Head.empty())


def identity(settings: Settings) -> str:
    """What `open_embedder(settings).identity` is, without opening the model."""
    if settings.embedding_model == BUNDLED_MODEL:
        return f"{_BUNDLED_IDENTITY}+{Head.bundled().identity}"
    return f"{settings.embedding_model}+{Head.empty().identity}"


def _batches(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Indices by falling length, so that a batch is padded little and memory peaks at once."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32) if length > 0 else vector


class Onnx:
    """The bundled model's tokenizer and embeddings, on ONNX Runtime."""

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        from tokenizers import Tokenizer

        self._folder = folder
        self._threads = threads
        try:
            self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the library raises bare exceptions for damaged files
            raise self._damaged() from error
        self._embeddings = self.session(folder / "onnx" / "embeddings.onnx")

    def session(self, path: Path) -> Any:
        """Open a graph; `WeightsError` when it is damaged."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        options.intra_op_num_threads = self._threads or 0
        # Spinning threads win a little alone and lose a lot beside any other process.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the library raises bare exceptions for damaged files
            raise self._damaged() from error

    def run(self, layers: Any, sequences: Sequence[Sequence[int]]) -> list[Any]:
        """The outputs of a stack of layers, each (sequences, …), for padded sequences of ids."""
        longest = max(map(len, sequences))
        ids = np.full((len(sequences), longest), 1, np.int64)
        mask = np.zeros((len(sequences), longest), np.int32)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = sequence
            mask[row, : len(sequence)] = 1
        (embedded,) = self._embeddings.run(None, {"ids": ids})
        outputs: list[Any] = layers.run(None, {"embedded": embedded, "mask": mask})
        return outputs

    def _damaged(self) -> WeightsError:
        return WeightsError(
            f"the unpacked weights in {self._folder} are damaged; remove that folder and try again"
        )


class OnnxEncoder:
    """multilingual-e5-small from its unpacked folder, on ONNX Runtime."""

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        self.identity = _BUNDLED_IDENTITY
        self.dim = 384
        self.prompts = {"query": "query: ", "passage": "passage: "}
        self.model = Onnx(folder, threads=threads)
        self._layers = self.model.session(folder / "onnx" / "layers.onnx")
        self._tokenizer = self.model.tokenizer
        self._tokenizer.enable_truncation(_LONGEST)

    def count(self, text: str) -> int:
        """Tokens of the text as a passage, at most 512."""
        return len(self._tokenizer.encode(self.prompts["passage"] + text).ids)

    def encode(
        self, kind: Kind, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[Encoded]:
        """Raw hidden states of the prompted texts."""
        prompt = self.prompts[kind]
        # White space at the ends would add a token of its own; offsets are not moved by rstrip.
        encodings = self._tokenizer.encode_batch([prompt + text.rstrip() for text in texts])
        done: dict[int, Encoded] = {}
        for batch in _batches([len(encoding.ids) for encoding in encodings], _BATCH):
            (hidden,) = self.model.run(self._layers, [encodings[index].ids for index in batch])
            for row, index in enumerate(batch):
                length = len(encodings[index].ids)
                done[index] = _encoded(
                    hidden[row, :length],
                    np.array(encodings[index].ids, np.int32),
                    np.array(encodings[index].offsets, np.int32).reshape(-1, 2),
                    len(prompt),
                )
            if progress:
                progress(len(batch))
        return [done[index] for index in range(len(texts))]


def _encoded(
    hidden: Vector, ids: npt.NDArray[np.int32], spans: npt.NDArray[np.int32], prompt: int
) -> Encoded:
    own = (spans[:, 1] > prompt) & (spans[:, 1] > spans[:, 0])
    return Encoded(
        vector=_unit(hidden.mean(axis=0)),
        tokens=np.ascontiguousarray(hidden[own]),
        spans=np.maximum(spans[own] - prompt, 0),
        ids=ids[own],
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """What the cross-encoder makes of a question and a text."""

    relevance: float
    """Log-odds that the text answers the question, as trained; not calibrated."""
    starts: Vector
    ends: Vector
    """(tokens,): log-probability that the answer starts or ends with each token of the text."""
    spans: npt.NDArray[np.int32]
    """(tokens, 2): start and end of each token in the text; a long text is cut."""
    nothing: float = 0.0
    """Log-odds that no answer starts and that none ends in the text, summed; not calibrated."""

    def pointer(self, start: int, end: int) -> float:
        """Log-probability of an answer from `start` to `end` (characters), at least -20."""
        inside = np.flatnonzero((self.spans[:, 1] > start) & (self.spans[:, 0] < end))
        if not len(inside):
            return -20.0
        return max(-20.0, float(self.starts[inside[0]] + self.ends[inside[-1]]))

    def best(self, longest: int) -> tuple[int, int, float] | None:
        """The likeliest answer of at most so many tokens: start, end and log-probability.

        Start and end count characters. None for a text without tokens.
        """
        count = len(self.spans)
        if not count:
            return None
        both = self.starts[:, None] + self.ends[None, :]
        ahead = np.arange(count)[None, :] - np.arange(count)[:, None]
        both = np.where((ahead >= 0) & (ahead < longest), both, -np.inf)
        first, last = np.unravel_index(int(both.argmax()), both.shape)
        told = float(both[first, last])
        return int(self.spans[first, 0]), int(self.spans[last, 1]), told


@dataclass(frozen=True, slots=True)
class Pair:
    """A text that may answer a question, and what has to be known to understand it."""

    context: str
    text: str


def pair_ids(tokenizer: Any, question: str, pair: Pair) -> tuple[list[int], int, Any]:
    """The ids of a pair, where those of its text start, and the spans of these in the text."""
    asked = tokenizer.encode(f"query: {question}", add_special_tokens=False).ids[:64]
    context = tokenizer.encode(f"passage: {pair.context}", add_special_tokens=False).ids[:64]
    text = tokenizer.encode(pair.text, add_special_tokens=False)
    ids = [_BOS, *asked, _EOS, *context, _EOS, *text.ids[:190], _EOS]
    return ids, len(asked) + len(context) + 3, text.offsets[:190]


class CrossEncoder:
    """Reads a question and a text together: whether the one answers the other, and where.

    The bundled model's embeddings, and its layers trained for this (`eval/fit_cross.py`,
    docs/decisions/0013).
    """

    def __init__(self, model: Onnx, path: Path) -> None:
        self._model = model
        self._layers = model.session(path)

    def read(self, question: str, pairs: Sequence[Pair]) -> list[Compared]:
        """One result for each pair, in their order; an empty list gives an empty list.

        Each is read alone: in a batch, the short ones would be padded to the longest.
        """
        results = []
        for pair in pairs:
            ids, first, spans = pair_ids(self._model.tokenizer, question, pair)
            (heads,) = self._model.run(self._layers, [ids])
            told = heads[0, first : len(ids) - 1, 1:]
            chances = _log_softmax(told)
            results.append(
                Compared(
                    float(heads[0, 0, 0]),
                    chances[:, 0],
                    chances[:, 1],
                    np.array(spans, np.int32).reshape(-1, 2),
                    float((heads[0, 0, 1:] - told[:1] + chances[:1]).sum()) if len(told) else 0.0,
                )
            )
        return results


def _log_softmax(values: Vector) -> Vector:
    """Along the first axis; empty stays empty."""
    if not len(values):
        return values
    shifted = values - values.max(axis=0)
    chances: Vector = shifted - np.log(np.exp(shifted).sum(axis=0))
    return chances


def open_cross_encoder(settings: Settings, embedder: Embedder | None = None) -> CrossEncoder:
    """The bundled cross-encoder; it shares what it can with an embedder.

    Raises `WeightsError` when its weights cannot be made.
    """
    folder = unpack(settings.weights_dir)
    encoder = embedder.encoder if embedder else None
    model = encoder.model if isinstance(encoder, OnnxEncoder) else Onnx(folder)
    adapter = Path(__file__).parent / "data" / "cross_encoder.npz"
    return CrossEncoder(model, cross_encoder(folder, adapter))


class SentenceTransformerEncoder:
    """Any Sentence Transformers model, by id or path, on torch."""

    def __init__(self, name: str) -> None:
        from sentence_transformers import SentenceTransformer

        try:
            self._model: Any = SentenceTransformer(name, device="cpu")
        except Exception as error:  # the library raises many kinds, from many layers
            raise SettingsError(
                f"the embedding model {name} cannot be loaded ({type(error).__name__}); "
                f"set RAG_EMBEDDING_MODEL to a Sentence Transformers id or path, or unset it"
            ) from error
        self.identity = name
        self.dim = int(self._model.get_embedding_dimension() or 0)
        prompts = self._model.prompts
        self.prompts = {
            "query": prompts.get("query") or "",
            "passage": prompts.get("passage") or prompts.get("document") or "",
        }

    def count(self, text: str) -> int:
        """Tokens of the text as a passage."""
        return len(self._model.tokenizer(self.prompts["passage"] + text)["input_ids"])

    def encode(
        self, kind: Kind, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[Encoded]:
        """Raw hidden states of the prompted texts."""
        prompt = self.prompts[kind]
        full = [prompt + text.rstrip() for text in texts]
        done: dict[int, Encoded] = {}
        for batch in _batches([len(text) for text in full], _BATCH):
            rows = self._model.encode(
                [full[index] for index in batch],
                prompt="",
                output_value=None,
                batch_size=_BATCH,
                show_progress_bar=False,
            )
            for row, index in zip(rows, batch, strict=True):
                tokens = self._model.tokenizer(
                    full[index],
                    return_offsets_mapping=True,
                    truncation=True,
                    max_length=self._model.max_seq_length,
                )
                hidden = row["token_embeddings"].float().numpy()[: len(tokens["input_ids"])]
                encoded = _encoded(
                    hidden,
                    np.array(tokens["input_ids"], np.int32),
                    np.array(tokens["offset_mapping"], np.int32).reshape(-1, 2),
                    len(prompt),
                )
                vector = row["sentence_embedding"].float().numpy()
                done[index] = Encoded(_unit(vector), encoded.tokens, encoded.spans, encoded.ids)
            if progress:
                progress(len(batch))
        return [done[index] for index in range(len(texts))]
