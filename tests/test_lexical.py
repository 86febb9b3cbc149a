"""The word index against an independent implementation of the same formula, and on damage."""

from __future__ import annotations

import json
from pathlib import Path

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.lexical import Words, build, digest, terms

SYLLABLES = ["thu", "chi", "ngân", "sách", "sach", "Thuỷ", "thủy", "sản", "7,5", "a", "B"]
TEXTS = st.lists(
    st.lists(st.sampled_from(SYLLABLES), max_size=12).map(" ".join), min_size=1, max_size=30
).filter(lambda texts: any(texts))


def made(texts: list[str], folder: Path) -> Words:
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    build(((f"p{number}", f"r{number // 3}", text) for number, text in enumerate(texts)), folder)
    return Words(folder)


@given(texts=TEXTS, question=st.lists(st.sampled_from(SYLLABLES), max_size=6).map(" ".join))
def test_scores_are_those_of_another_implementation(
    texts: list[str], question: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    words = made(texts, tmp_path_factory.mktemp("words"))
    other = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    other.index([terms(text) for text in texts], show_progress=False)
    wanted = terms(question)
    known = [term for term in wanted if term in other.vocab_dict]
    expected = other.get_scores(known) if known else np.zeros(len(texts), np.float32)
    assert words.scores(wanted).tolist() == expected.tolist()


@given(texts=TEXTS, wordings=st.lists(st.lists(st.sampled_from(SYLLABLES), max_size=4), max_size=5))
def test_the_best_wording_is_the_largest_share(
    texts: list[str], wordings: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    words = made(texts, tmp_path_factory.mktemp("words"))
    asked = [terms(" ".join(wording)) for wording in wordings]
    expected = np.zeros(len(texts), np.float32)
    for wanted in asked:
        if wanted:
            ceiling = np.float32(sum(words.most(term) for term in wanted))
            expected = np.maximum(expected, words.scores(wanted) / ceiling)
    for _ in range(2):  # nothing of one question is left for the next
        best, rarest = words.best(asked)
        assert best.tolist() == expected.tolist()
        assert rarest == max((words.most(wanted[0]) for wanted in asked if wanted), default=0.0)


def test_each_passage_has_the_label_that_it_was_given(tmp_path: Path) -> None:
    words = made(["thu", "chi", "sách"] * 3 + ["ngân"], tmp_path)
    assert [words.label(at) for at in range(10)] == [f"r{at // 3}" for at in range(10)]


def test_many_passages_are_counted_in_several_runs(tmp_path: Path) -> None:
    texts = [f"thu {number} chi {number % 7}" for number in range(9000)]
    words = made(texts, tmp_path / "words")
    other = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    other.index([list(terms(text)) for text in texts], show_progress=False)
    wanted = list(terms("thu 17 chi 3"))
    assert words.scores(wanted).tolist() == other.get_scores(wanted).tolist()


def test_an_index_without_passages(tmp_path: Path) -> None:
    words = made([], tmp_path / "words")
    assert words.ids == []
    assert words.scores(terms("thu chi")).shape == (0,)
    assert words.best([terms("thu")])[0].shape == (0,)


@pytest.mark.parametrize("name", ["terms", "starts", "passages", "scores"])
def test_a_cut_file_is_refused(name: str, tmp_path: Path) -> None:
    made(["thu chi", "thu"], tmp_path / "words")
    path = tmp_path / "words" / f"{name}.npy"
    for cut in (path.read_bytes()[:-1], b""):
        path.write_bytes(cut)
        with pytest.raises((ValueError, OSError)):
            Words(tmp_path / "words")


def test_the_digest_tells_a_changed_byte(tmp_path: Path) -> None:
    folder = tmp_path / "words"
    words = made(["thu chi", "thu"], folder)
    assert words.about["digest"] == digest(folder)
    data = bytearray((folder / "scores.npy").read_bytes())
    data[-1] ^= 1
    (folder / "scores.npy").write_bytes(bytes(data))
    assert json.loads((folder / "about.json").read_text("utf-8"))["digest"] != digest(folder)
