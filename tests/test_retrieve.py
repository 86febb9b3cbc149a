"""From a question to passages, on real indexes: features, order, filters, names and times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from ingest import ingest
from rag.archive import Archive, Stored
from rag.embedding import Embedder
from rag.errors import NothingIngestedError
from rag.index import Index
from rag.period import mentioned, pack, unpack
from rag.question import understand
from rag.retrieve import (
    PASSAGE_FEATURES,
    Candidate,
    Retriever,
    Weights,
    about,
    hits,
    name_terms,
    own_terms,
    pair_of,
    told_by,
)
from rag.schema import Filters, Passage, Release
from rag.settings import Settings

QUESTIONS = (
    "Thành phố đã chi bao nhiêu tiền hỗ trợ người dân khó khăn do Covid-19?",
    "Kim ngạch xuất khẩu tháng 6 năm 2021 đạt bao nhiêu?",
    "How much was disbursed for COVID support?",
    "In which district is the waste-to-energy plant of Sóc Sơn?",
    "Tong thu ngan sach nha nuoc dat bao nhieu?",
    "Who signed the release?",
    "asdf qwer zxcv",
    "2021",
)


@pytest.fixture(scope="module")
def retriever(sample_settings: Settings, embedder: Embedder) -> Iterator[Retriever]:
    with (
        Archive.open(sample_settings) as archive,
        Index.open(sample_settings, archive, embedder.identity) as index,
    ):
        yield Retriever(archive, index, embedder)


def search(
    retriever: Retriever, text: str, k: int = 10, filters: Filters | None = None
) -> list[Candidate]:
    return retriever.search(retriever.ask(understand(text)), k, filters)


@pytest.mark.parametrize("text", QUESTIONS)
def test_every_feature_lies_in_its_range(retriever: Retriever, text: str) -> None:
    found = search(retriever, text)
    assert found
    for candidate in found:
        assert candidate.features.shape == (len(PASSAGE_FEATURES),)
        features = dict(zip(PASSAGE_FEATURES, candidate.features.tolist(), strict=True))
        assert features["bias"] == 1.0
        for name in ("dense", "late", "best", "period"):
            assert -1.01 <= features[name] <= 1.01, name
        for name in ("words", "terms", "exact", "about"):
            assert 0.0 <= features[name] <= 1.001, name
        # The best sentence cannot agree more than the passage that it is part of.
        assert features["best"] <= features["late"] + 1e-4


@pytest.mark.parametrize("text", QUESTIONS)
def test_passages_come_best_first_and_as_they_stand_in_the_release(
    retriever: Retriever, text: str
) -> None:
    found = search(retriever, text)
    scores = [candidate.score for candidate in found]
    assert scores == sorted(scores, reverse=True)
    assert len({candidate.passage.id for candidate in found}) == len(found)
    for candidate in found:
        passage, release = candidate.passage, candidate.release
        assert passage.release_id == release.id
        assert release.text[passage.start : passage.end] == passage.text


def test_hits_tell_rank_score_and_signals(retriever: Retriever) -> None:
    found = search(retriever, QUESTIONS[0])
    told = hits(found)
    assert [hit.rank for hit in told] == list(range(1, len(found) + 1))
    assert [hit.score for hit in told] == [candidate.score for candidate in found]
    assert all(set(hit.signals) == set(PASSAGE_FEATURES) for hit in told)
    assert hits([]) == ()


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("Thành phố đã chi bao nhiêu tiền hỗ trợ người khó khăn do Covid-19?", "608,5 tỷ đồng"),
        ("How much was spent on people in difficulty because of Covid-19?", "608,5 tỷ đồng"),
        ("Kim ngạch nhập khẩu tháng 6 ước đạt bao nhiêu?", "16,67 tỷ USD"),
        ("kim ngach nhap khau thang 6 uoc dat bao nhieu", "16,67 tỷ USD"),
        ("Công suất Nhà máy điện rác Sóc Sơn là bao nhiêu?", "4000 tấn/ngày"),
    ],
)
def test_the_passage_that_says_it_is_among_the_first(
    retriever: Retriever, text: str, quote: str
) -> None:
    assert any(quote in candidate.passage.text for candidate in search(retriever, text, 3))


def test_k_is_a_limit(retriever: Retriever) -> None:
    ten = [candidate.passage.id for candidate in search(retriever, QUESTIONS[0], 10)]
    three = [candidate.passage.id for candidate in search(retriever, QUESTIONS[0], 3)]
    assert len(ten) == 10
    assert three == ten[:3]


def test_asking_twice_gives_the_same(retriever: Retriever) -> None:
    first, second = (search(retriever, QUESTIONS[2]) for _ in range(2))
    assert [(c.passage.id, c.score) for c in first] == [(c.passage.id, c.score) for c in second]


def test_the_order_of_ingest_does_not_matter(embedder: Embedder, tmp_path: Path) -> None:
    names = ("lúa", "cá tra", "cà phê", "hồ tiêu")
    for number, name in enumerate(names):
        (tmp_path / f"{number}.md").write_text(
            f"# Sản lượng {name}\n\nSản lượng {name} năm 2023 đạt {number + 2},5 nghìn tấn.\n",
            encoding="utf-8",
        )
    files = sorted(tmp_path.glob("*.md"))
    rankings = []
    for name, order in (("there", files), ("back", files[::-1])):
        settings = Settings(data_dir=tmp_path / name)
        for path in order:
            ingest([path], settings, embedder=embedder)
        with (
            Archive.open(settings) as archive,
            Index.open(settings, archive, embedder.identity) as index,
        ):
            found = search(Retriever(archive, index, embedder), "Sản lượng cà phê là bao nhiêu?")
            rankings.append([(c.passage.text, round(c.score, 4)) for c in found])
    assert rankings[0] == rankings[1]
    assert "cà phê" in rankings[0][0][0]


def test_a_country_that_only_the_letterhead_names_finds_its_release_among_many(
    embedder: Embedder, tmp_path: Path
) -> None:
    """Made-up countries report alike, in more passages than either index is asked for."""
    places = [a + b for a in ("Kar", "Mor", "Tel", "Vash", "Nor", "Bel") for b in ("vonia", "dana",
              "haven", "mira", "stead")]  # fmt: skip
    files = []
    for number, place in enumerate(places):
        told = (
            f"{topic} in the first quarter of 2023 came to ${number + 3}.{at}5 billion, or "
            f"{20 + number}% of the plan for the year; ministries continue with the tasks of 2023. "
            + "The agencies report on progress each month and answer for the results. "
            * 6
            for at, topic in enumerate(("Revenue", "Spending", "Exports", "Public investment"))
        )
        head = f"REPUBLIC OF {place.upper()}\n\nMinistry of Finance\n\nPRESS RELEASE\n\n"
        files.append(tmp_path / f"{number}.md")
        files[-1].write_text(head + "# Budget in 2023\n\n" + "\n\n".join(told), encoding="utf-8")
    settings = Settings(data_dir=tmp_path / "var")
    ingest(files, settings, embedder=embedder)
    with (
        Archive.open(settings) as archive,
        Index.open(settings, archive, embedder.identity) as index,
    ):
        assert len(index.ids) > 100
        retriever = Retriever(archive, index, embedder)
        for number, place in enumerate(places):
            for question in (f"What was {place}'s revenue?", f"Thu ngân sách của {place}?"):
                found = search(retriever, question)[0]
                assert found.release.source == str(files[number]), question


def test_an_empty_collection(embedder: Embedder, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var")
    with (
        Archive.open(settings) as archive,
        Index.open(settings, archive, embedder.identity) as index,
        pytest.raises(NothingIngestedError, match="python -m ingest"),
    ):
        search(Retriever(archive, index, embedder), "Bao nhiêu?")


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        (Filters(), True),
        (Filters(issued_from=date(2021, 6, 24), issued_to=date(2021, 6, 24)), True),
        (Filters(issued_from=date(2021, 6, 25)), False),
        (Filters(issued_to=date(2021, 6, 23)), False),
        (Filters(release_ids=("0" * 16,)), False),
        (Filters(issuer="no such office"), False),
    ],
)
def test_filters(retriever: Retriever, filters: Filters, passes: bool) -> None:
    assert bool(search(retriever, QUESTIONS[0], filters=filters)) is passes


# The parts


@pytest.mark.parametrize("text", QUESTIONS)
def test_the_weights_of_a_question_s_tokens_sum_to_one(retriever: Retriever, text: str) -> None:
    asked = retriever.ask(understand(text))
    assert len(asked.token_weights) == len(asked.encoded.tokens)
    assert (asked.token_weights >= 0).all()
    assert float(asked.token_weights.sum()) == pytest.approx(1.0, abs=1e-4)


def test_a_function_word_weighs_less_than_a_topic_word(retriever: Retriever) -> None:
    asked = retriever.ask(understand("What was the revenue?"))
    text = asked.question.text
    weight = {
        text[start:end].strip(): float(weight)
        for (start, end), weight in zip(asked.encoded.spans, asked.token_weights, strict=True)
    }
    assert max(
        value for word, value in weight.items() if word in "revenue" and len(word) > 2
    ) > max(weight.get("What", 0.0), weight.get("was", 0.0), weight.get("the", 0.0))


def test_terms_of_a_question() -> None:
    marked = own_terms(understand("Thu ngân sách là bao nhiêu?"))
    assert {"thu", "ngân", "ngân sách"} <= set(marked)
    assert not any(term.startswith("~") for term in marked)
    bare = own_terms(understand("Thu ngan sach la bao nhieu?"))
    assert "~ngan ~sach" in bare
    assert all(term.startswith("~") for term in bare)


def test_names_and_numbers_cross_languages() -> None:
    terms = name_terms(understand("How much did Sóc Sơn pay in 2021?"))
    assert set(terms) == {"~soc", "~son", "~2021", "~soc ~son"}
    # What stands between them stands in the text too.
    terms = name_terms(understand("What did the Ministry of Finance of Arland report?"))
    assert {"~finance", "~arland"} <= set(terms)
    assert "~finance ~arland" not in terms


def test_pair_of_languages() -> None:
    question = understand("Bao nhiêu người?")
    assert (pair_of(question, "vi"), pair_of(question, "en")) == ("same", "cross")


def test_weights_that_were_not_fitted_are_zero() -> None:
    weights = Weights({"passage": {"same": {"dense": 2.0}}, "threshold": {"value": 0.25}})
    assert weights.vector("passage", "same", ("bias", "dense")).tolist() == [0.0, 2.0]
    assert weights.vector("passage", "cross", ("dense",)).tolist() == [0.0]
    assert (weights.number("threshold"), weights.number("other")) == (0.25, 0.0)


def test_the_bundled_weights_know_both_pairs_and_no_unknown_feature() -> None:
    weights = Weights.bundled()
    for pair in ("same", "cross"):
        assert set(weights.models["passage"][pair]) <= set(PASSAGE_FEATURES)
        assert np.any(weights.vector("passage", pair, PASSAGE_FEATURES))


TEXT = "Tổng sản phẩm của tỉnh tăng 5,91% theo Nghị quyết số 50/NQ-CP."
RELEASE = Release(
    id="a" * 16, source="a.md", sha256="", text=TEXT, language="vi", number="12/BC-UBND",
    title="Kết quả quý II năm 2023", issuer="UBND tỉnh Lào Cai", issued=date(2023, 7, 3),
    place="Lào Cai",
)  # fmt: skip
PASSAGE = Passage("p", RELEASE.id, 0, len(TEXT), TEXT, ("II- Kinh tế vùng Mường Khương",))


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("Tổng sản phẩm tăng bao nhiêu?", 1.0),
        ("Nghị quyết số 50 là gì?", 1.0),
        ("Nghị quyết số 51 là gì?", 0.0),
        ("Sản phẩm ở Mường Khương tăng bao nhiêu?", 1.0),
        ("Sản phẩm của Lào Cai tăng bao nhiêu?", 1.0),
        ("San pham o tinh cua Lao Cai tang bao nhieu?", 1.0),
        ("Sản phẩm của Hà Giang tăng bao nhiêu?", 0.0),
        ("Sản phẩm của Lào Cai và Hà Giang?", 0.5),
        ("How fast did the GRDP grow?", 1.0),
        ("How fast did the CPI grow?", 0.0),
    ],
)
def test_what_a_question_names_is_looked_for_in_text_headings_and_metadata(
    text: str, share: float
) -> None:
    assert about(understand(text), PASSAGE, RELEASE) == pytest.approx(share)


def test_the_time_of_a_passage_comes_from_its_heading_title_or_date() -> None:
    told = told_by(PASSAGE, RELEASE)
    assert told.around is not None
    assert (told.around.year, told.around.start, told.around.end) == (2023, 401, 630)
    assert [figure.text for figure in told.figures] == ["5,91%"]
    untitled = Release("b" * 16, "b.md", "", TEXT, "vi", issued=date(2022, 1, 5))
    around = told_by(Passage("q", untitled.id, 0, len(TEXT), TEXT), untitled).around
    assert around is not None
    assert around.year == 2022
    title = "Kế hoạch phát triển giai đoạn 2023-2024"
    planned = Release("d" * 16, "d.md", "", TEXT, "vi", title=title, issued=date(2022, 12, 5))
    around = told_by(Passage("s", planned.id, 0, len(TEXT), TEXT), planned).around
    assert around is not None
    assert around.year == 2022, "the dates in a plan's text are not all of the time to come"
    undated = Release("c" * 16, "c.md", "", TEXT, "vi")
    assert told_by(Passage("r", undated.id, 0, len(TEXT), TEXT), undated).around is None


def test_times_that_the_archive_keeps_are_those_of_the_text(
    retriever: Retriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [retriever.ask(understand(text)) for text in QUESTIONS[:3]]
    kept = [retriever.search(one, 30) for one in asked]
    assert any(candidate.features[-1] for candidate in kept[1])
    read = Archive.read

    def of_an_older_version(archive: Archive, ids: Sequence[str]) -> dict[str, Stored]:
        there = read(archive, ids)
        assert all(stored.times is not None for stored in there.values())
        return {name: replace(stored, times=None) for name, stored in there.items()}

    monkeypatch.setattr(Archive, "read", of_an_older_version)
    for one, before in zip(asked, kept, strict=True):
        now = retriever.search(one, 30)
        assert [c.passage.id for c in now] == [c.passage.id for c in before]
        assert [c.features.tolist() for c in now] == [c.features.tolist() for c in before]


def test_times_are_kept_as_text_and_others_of_another_form_ignored() -> None:
    text = "Quý II năm 2023 đạt 5,91%, cùng kỳ năm 2022 đạt 7,12%; 6 tháng tăng 3% so với năm 2019."
    named = mentioned(text, "vi")
    assert len(named) >= 3
    assert unpack(pack(named)) == tuple(named)
    assert unpack(None) is None
    assert unpack('["0",[[2023,101,1231,0,4,false]]]') is None
