"""Both indexes on a real Chroma and a real BM25, with small vectors made by hand."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.archive import Archive, Source
from rag.embedding import Encoded
from rag.errors import ModelMismatchError, StoreError
from rag.index import Index, terms
from rag.schema import Passage, Release
from rag.settings import Settings

MODEL = "made-by-hand"
TEXTS = {
    "a": ["thu ngân sách tăng", "chi ngân sách giảm"],
    "b": ["xuất khẩu thủy sản tăng", "thu hút đầu tư"],
}


def vector(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    made = np.array(values, np.float32)
    return made / np.linalg.norm(made)


VECTORS = {
    "a0": vector(1, 0, 0),
    "a1": vector(1, 1, 0),
    "b0": vector(0, 1, 0),
    "b1": vector(0, 0, 1),
}


def put(archive: Archive, index: Index, name: str) -> None:
    text = "\n".join(TEXTS[name])
    release = Release(name * 16, f"{name}.md", name * 64, text, "vi")
    passages = [
        Passage(f"{name}{number}", release.id, text.index(line), text.index(line) + len(line), line)
        for number, line in enumerate(TEXTS[name])
    ]
    encodings = [
        Encoded(
            VECTORS[passage.id],
            np.zeros((0, 3), np.float32),
            np.zeros((0, 2), np.int32),
            np.zeros(0, np.int32),
        )
        for passage in passages
    ]
    archive.add(release, passages, encodings, encodings[0])
    archive.link(Source(release.source, release.sha256, release.id))
    index.upsert(passages, encodings)
    archive.mark_indexed([release.id])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "var")


@pytest.fixture
def archive(settings: Settings) -> Iterator[Archive]:
    with Archive.open(settings) as opened:
        yield opened


@pytest.fixture
def index(settings: Settings, archive: Archive) -> Iterator[Index]:
    with Index.open(settings, archive, MODEL) as opened:
        put(archive, opened, "a")
        put(archive, opened, "b")
        opened.finish()
        yield opened


def score(index: Index, question: str) -> dict[str, float]:
    return dict(zip(index.ids, index.lexical(terms(question)).scores.tolist(), strict=True))


def test_terms_are_syllables_and_pairs_with_and_without_diacritics() -> None:
    assert terms("Thuỷ sản 7,5") == (
        "thuỷ",
        "sản",
        "7,5",
        "thuỷ sản",
        "sản 7,5",
        "~thuy",
        "~san",
        "~7,5",
        "~thuy ~san",
        "~san ~7,5",
    )
    assert terms("thủy sản") == terms("THUỶ SẢN")
    assert terms("...") == ()


def test_the_nearest_come_with_their_cosine(index: Index) -> None:
    found = index.nearest(vector(1, 0.1, 0), 2)
    assert list(found) == ["a0", "a1"]
    # cos((1, 0.1), (1, 0)) = 1 / sqrt(1.01); cos((1, 0.1), (1, 1)) = 1.1 / sqrt(1.01 * 2).
    assert found["a0"] == pytest.approx(1 / math.sqrt(1.01), abs=1e-4)
    assert found["a1"] == pytest.approx(1.1 / math.sqrt(2.02), abs=1e-4)


def test_the_nearest_within_some_releases(index: Index) -> None:
    assert set(index.nearest(vector(1, 0, 0), 10, release_ids=["b" * 16])) == {"b0", "b1"}


def test_more_than_there_are_gives_all(index: Index) -> None:
    assert set(index.nearest(vector(1, 0, 0), 50)) == set(VECTORS)


def test_words_find_their_passages(index: Index) -> None:
    scores = score(index, "chi ngân sách")
    assert max(scores, key=lambda name: scores[name]) == "a1"
    assert scores["b0"] == scores["b1"] == 0
    scores = score(index, "thuy san")
    assert max(scores, key=lambda name: scores[name]) == "b0"


def test_a_question_with_diacritics_prefers_its_own_words(index: Index) -> None:
    with_marks = score(index, "thủy sản")
    without = score(index, "thuy san")
    assert with_marks["b0"] > without["b0"] > 0
    assert score(index, "thúy sạn")["b0"] == pytest.approx(without["b0"])


def test_each_passage_is_in_the_language_of_its_release(archive: Archive, index: Index) -> None:
    known = {release.id: release.language for release in archive.releases()}
    assert set(index.by_language) == set(known.values())
    for language, here in index.by_language.items():
        expected = [known[index.release_of(at)] == language for at in range(len(index.ids))]
        assert here.tolist() == expected


def test_passages_of_some_releases(index: Index) -> None:
    mine = index.of_releases({"a" * 16, "of none"})
    assert [name for name, here in zip(index.ids, mine, strict=True) if here] == ["a0", "a1"]


def test_the_best_passage_speaks_for_its_release(index: Index) -> None:
    scores = np.array([{"a1": 2.0, "b0": 1.0}.get(name, 0.0) for name in index.ids], np.float32)
    best = dict(zip(index.ids, index.best_of_release(scores).tolist(), strict=True))
    assert best == {"a0": 2.0, "a1": 2.0, "b0": 1.0, "b1": 1.0}


def test_similarity_with_passages_that_are_named(index: Index) -> None:
    found = index.similar(vector(1, 0, 0), ["a1", "b1", "gone"])
    assert found == pytest.approx({"a1": math.sqrt(0.5), "b1": 0.0}, abs=1e-6)
    assert index.similar(vector(1, 0, 0), []) == {}
    assert index.similar(vector(1, 0, 0), ["gone"]) == {}


def test_no_score_exceeds_the_ceiling(index: Index) -> None:
    for question in ("chi ngân sách", "thu hút đầu tư nước ngoài", "không có ở đây"):
        lexical = index.lexical(terms(question))
        assert 0 <= lexical.scores.max() <= lexical.ceiling


def test_rare_words_weigh_more(index: Index) -> None:
    # Lucene's idf, 4 passages: ln(1 + (4 - n + 0.5) / (n + 0.5)), n = 2 and n = 0.
    assert index.weight("tăng") == pytest.approx(math.log(1 + 2.5 / 2.5))
    assert index.weight("vaccine") == pytest.approx(math.log(1 + 4.5 / 0.5))
    assert index.weight("giảm") > index.weight("tăng")


def test_unknown_words_score_nothing(index: Index) -> None:
    lexical = index.lexical(terms("vaccine"))
    assert lexical.scores.tolist() == [0, 0, 0, 0]
    assert lexical.ceiling > 0
    assert index.lexical([]).ceiling == 0


def test_the_same_passage_twice_is_the_same_as_once(archive: Archive, index: Index) -> None:
    put(archive, index, "a")
    assert index.stored_ids() == set(VECTORS)


def test_what_chroma_holds_is_not_written_again(
    archive: Archive, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A point that HNSW is told twice makes it lose others, in one of some thirty openings."""
    collection = index._collection()
    written: list[str] = []
    for name in ("add", "upsert", "update"):
        original = getattr(collection, name)

        def noted(*, ids: list[str], original: Any = original, **rest: Any) -> None:
            written.extend(ids)
            original(ids=ids, **rest)

        monkeypatch.setattr(collection, name, noted)
    put(archive, index, "a")
    assert written == []
    monkeypatch.setitem(VECTORS, "a1", vector(-1, 0, 0))
    put(archive, index, "a")
    assert written == ["a1"]
    assert index.stored_ids() == set(VECTORS)
    assert index.stored(["a1"])["a1"][1] == pytest.approx(vector(-1, 0, 0))


def test_a_release_is_taken_out_of_both(archive: Archive, index: Index) -> None:
    archive.mark_indexed(["a" * 16], indexed=False)
    index.delete("a" * 16)
    index.finish()
    assert index.stored_ids() == {"b0", "b1"}
    assert index.ids == ["b0", "b1"]
    assert score(index, "ngân sách") == {"b0": 0, "b1": 0}


def test_an_empty_collection_finds_nothing(settings: Settings, archive: Archive) -> None:
    with Index.open(settings, archive, MODEL) as index:
        assert index.ids == []
        assert index.nearest(vector(1, 0, 0), 5) == {}
        assert index.lexical(terms("ngân sách")).scores.shape == (0,)
        index.finish()
        assert index.ids == []
        assert index.stored_ids() == set()


def test_a_reader_takes_up_what_a_writer_has_finished(
    settings: Settings, archive: Archive, index: Index
) -> None:
    with Index.open(settings, archive, MODEL) as reader:
        assert len(reader.ids) == 4
        TEXTS["c"] = ["học phí không tăng"]
        VECTORS["c0"] = vector(0, 1, 1)
        try:
            put(archive, index, "c")
            index.finish()
            reader.refresh()
            assert score(reader, "học phí")["c0"] > 0
            assert next(iter(reader.nearest(VECTORS["c0"], 1))) == "c0"
        finally:
            del TEXTS["c"], VECTORS["c0"]


def test_only_the_latest_word_index_is_kept(settings: Settings, index: Index) -> None:
    index.finish()
    index.finish()
    assert len(list((settings.data_dir / "bm25").iterdir())) == 1


@pytest.mark.parametrize("damage", ["gone", "ids", "model", "cut", "empty"])
def test_a_damaged_word_index_is_made_again_from_the_archive(
    damage: str, settings: Settings, archive: Archive, index: Index
) -> None:
    (folder,) = (settings.data_dir / "bm25").iterdir()
    if damage == "gone":
        shutil.rmtree(folder)
    elif damage == "ids":
        (folder / "ids.json").write_text("[", encoding="utf-8")
    elif damage == "model":
        (folder / "terms.npy").unlink()
    else:
        for path in folder.iterdir():
            path.write_bytes(path.read_bytes()[:20] if damage == "cut" else b"")
    with Index.open(settings, archive, MODEL) as again:
        assert score(again, "chi ngân sách") == score(index, "chi ngân sách")


def test_a_word_index_that_lost_passages_shows(settings: Settings, index: Index) -> None:
    (folder,) = (settings.data_dir / "bm25").iterdir()
    assert set(json.loads((folder / "ids.json").read_text("utf-8"))["ids"]) == set(VECTORS)


def test_another_model_is_refused_with_the_way_out(
    settings: Settings, archive: Archive, index: Index
) -> None:
    with pytest.raises(ModelMismatchError) as caught:
        Index.open(settings, archive, "another")
    message = str(caught.value)
    assert MODEL in message
    assert "another" in message
    assert "--rebuild" in message
    assert "RAG_EMBEDDING_MODEL" in message
    assert "\n" not in message


def test_a_vector_store_that_cannot_be_read_names_the_rebuild(
    settings: Settings, archive: Archive, index: Index
) -> None:
    index.close()
    (settings.data_dir / "chroma" / "chroma.sqlite3").write_bytes(b"nonsense " * 1000)
    with Index.open(settings, archive, MODEL) as damaged:
        with pytest.raises(StoreError, match="--rebuild") as caught:
            damaged.nearest(vector(1, 0, 0), 1)
        assert "\n" not in str(caught.value)
        damaged.clear()
        assert damaged.stored_ids() == set()


def test_a_server_that_does_not_answer_is_named(archive: Archive, settings: Settings) -> None:
    away = settings.model_copy(update={"chroma_url": "http://127.0.0.1:9"})
    with Index.open(away, archive, MODEL) as index:
        with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:9") as caught:
            index.nearest(vector(1, 0, 0), 1)
        assert "\n" not in str(caught.value)
