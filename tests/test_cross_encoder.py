"""The cross-encoder: the graph against torch, and what it makes of pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from eval.fit_cross import Example, Group, _contrasts, _Model, _Ready, train
from rag.embedding import Compared, CrossEncoder, Embedder, Pair, open_cross_encoder, pair_ids
from rag.settings import Settings
from rag.weights import cross_encoder, unpack

QUESTION = "Thành phố chi bao nhiêu hỗ trợ người gặp khó khăn do Covid-19?"
TELLS = Pair(
    "UBND Thành phố Hà Nội · 06/2021",
    "Thực hiện chi 608,5 tỷ đồng hỗ trợ cho hơn 515 nghìn người gặp khó khăn do Covid-19.",
)
OTHER = Pair(
    "UBND Thành phố Hà Nội · 06/2021",
    "Thu hút đầu tư nước ngoài đạt 694,26 triệu USD với 171 dự án mới.",
)
LONG = Pair("", "Kiểm tra, giám sát, hướng dẫn các quận, huyện, thị xã. " * 40)
PAIRS = [TELLS, OTHER, LONG, Pair("", "a")]


@pytest.fixture(scope="module")
def reader(embedder: Embedder) -> CrossEncoder:
    return open_cross_encoder(Settings(), embedder)


def _torch(arrays: dict[str, Any]) -> _Model:
    """The model that was trained, with the arrays that were kept of it."""
    model = _Model(unpack(Settings().weights_dir))
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.requires_grad:
                key = name.replace("layers.", "encoder.layer.", 1) if "layers." in name else name
                value.copy_(torch.tensor(arrays[key].astype(np.float32)))
    return model.eval()


def _agree(model: _Model, reader: CrossEncoder, tokenizer: Any) -> None:
    for pair, told in zip(PAIRS, reader.read(QUESTION, PAIRS), strict=True):
        ids, first, _ = pair_ids(tokenizer, QUESTION, pair)
        row, mask = torch.tensor([ids]), torch.ones(1, len(ids))
        with torch.no_grad():
            heads = model(row, mask)[0]
        chances = torch.log_softmax(heads[first : len(ids) - 1, 1:], 0).numpy()
        assert told.relevance == pytest.approx(float(heads[0, 0]), abs=1e-3)
        assert np.allclose(told.starts, chances[:, 0], atol=1e-3)
        assert np.allclose(told.ends, chances[:, 1], atol=1e-3)
        absent = heads[0, 1:] - torch.logsumexp(heads[first : len(ids) - 1, 1:], 0)
        assert told.nothing == pytest.approx(float(absent.sum()), abs=2e-3)


def test_the_graph_computes_what_was_trained(reader: CrossEncoder, embedder: Embedder) -> None:
    from importlib.resources import files

    with np.load(str(files("rag") / "data" / "cross_encoder.npz")) as arrays:
        model = _torch(dict(arrays))
    encoder: Any = embedder.encoder
    _agree(model, reader, encoder.model.tokenizer)


def test_a_sentence_that_answers_is_more_relevant(reader: CrossEncoder) -> None:
    tells, other, *_ = reader.read(QUESTION, PAIRS)
    assert tells.relevance > other.relevance
    english, off = reader.read("How much foreign investment was attracted?", [OTHER, TELLS])
    assert english.relevance > off.relevance


def test_the_pointer_prefers_the_figure_that_was_asked_for(reader: CrossEncoder) -> None:
    (tells,) = reader.read(QUESTION, [TELLS])
    money, people = TELLS.text.index("608,5 tỷ đồng"), TELLS.text.index("hơn 515 nghìn người")
    assert tells.pointer(money, money + 13) > tells.pointer(people, people + 19)


def test_company_and_order_do_not_matter(reader: CrossEncoder) -> None:
    forward = reader.read(QUESTION, PAIRS)
    for pair, told, again in zip(
        PAIRS, forward, reader.read(QUESTION, PAIRS[::-1])[::-1], strict=True
    ):
        (alone,) = reader.read(QUESTION, [pair])
        for other in (again, alone):
            assert told.relevance == pytest.approx(other.relevance, abs=1e-4)
            assert np.allclose(told.starts, other.starts, atol=1e-4)
    assert reader.read(QUESTION, []) == []


def test_what_lies_beyond_a_cut_text_has_the_least_chance(reader: CrossEncoder) -> None:
    (long,) = reader.read(QUESTION, [LONG])
    assert long.spans[-1, 1] < len(LONG.text)
    assert long.pointer(len(LONG.text) - 5, len(LONG.text)) == -20.0
    assert np.exp(long.starts).sum() == pytest.approx(1.0, abs=1e-4)


def test_a_pointer_over_no_tokens_is_the_least() -> None:
    nothing = np.zeros(0, np.float32)
    told = Compared(0.0, nothing, nothing, np.zeros((0, 2), np.int32))
    assert told.pointer(0, 5) == -20.0


def test_training_learns_and_its_arrays_make_a_graph(embedder: Embedder, tmp_path: Any) -> None:
    start = TELLS.text.index("608,5 tỷ đồng")
    groups = [
        Group(QUESTION, (Example(TELLS, True, ((start, start + 13),)), Example(OTHER, False, ()))),
        Group(
            "Thu hút được bao nhiêu dự án mới?",
            (Example(OTHER, True, ()), Example(TELLS, False, ())),
        ),
    ]
    folder = unpack(Settings().weights_dir)
    arrays = train(groups, folder, ["two questions"], epochs=50)
    assert arrays["sets"].tolist() == ["two questions"]
    np.savez(tmp_path / "adapter.npz", **arrays)
    # Going on starts from what was learned: the rate of the first step is zero.
    more = train(groups, folder, ["more"], epochs=1, start=tmp_path / "adapter.npz")
    assert more.pop("sets").tolist() == ["more", "two questions"]
    assert all(np.array_equal(value, arrays[name]) for name, value in more.items())
    path = cross_encoder(folder, tmp_path / "adapter.npz")
    try:
        encoder: Any = embedder.encoder
        learned = CrossEncoder(encoder.model, path)
        for group in groups:
            right, wrong = learned.read(group.question, [one.pair for one in group.examples])
            assert right.relevance > 0 > wrong.relevance
        told, other = learned.read(QUESTION, [TELLS, OTHER])
        assert told.pointer(start, start + 13) > -1.0
        assert told.nothing < 0 < other.nothing
        _agree(_torch(arrays), learned, encoder.model.tokenizer)
    finally:
        path.unlink()


def test_a_sentence_is_compared_between_its_questions() -> None:
    """It should be more relevant to the question that it answers than to the near miss."""
    answered = _Ready([0, 7, 2, 8, 9, 2], 3, True, [], [])
    missed = _Ready([0, 5, 2, 8, 9, 2], 3, False, [], [])
    other = _Ready([0, 7, 2, 4, 2], 3, False, [], [])
    flat = [answered, missed, other]
    (apart,) = _contrasts(flat, torch.tensor([3.0, -3.0, 9.0]))
    (alike,) = _contrasts(flat, torch.tensor([1.0, 1.0, 9.0]))
    assert float(apart) < 0.01
    assert float(alike) == pytest.approx(0.693, abs=0.01)
    assert _contrasts([answered, other], torch.tensor([1.0, 1.0])) == []
