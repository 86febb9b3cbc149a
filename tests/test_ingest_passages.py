"""Passages: no text lost, offsets exact, limits held."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.load import Loaded, load
from ingest.passages import MERGE_TOKENS, context, split
from ingest.release import read_release
from rag.schema import Passage, Release

SAMPLE = Path(__file__).parents[1] / "data" / "releases" / "04-TC-UBND-2021-06-24.md"


def tokens(text: str) -> int:
    """A tokenizer's stand-in: words and marks, and two more for begin and end."""
    return len(re.findall(r"\w+|[^\w\s]", text)) + 2


def made(text: str) -> Release:
    return read_release(Loaded(text, (), "0" * 64, "md"), "made-up.md")


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def check(release: Release, passages: list[Passage], count: object, limit: int) -> None:
    assert callable(count)
    end = 0
    for passage in passages:
        assert passage.start >= end
        assert passage.end > passage.start
        assert passage.text == release.text[passage.start : passage.end]
        assert passage.text == passage.text.strip()
        assert passage.release_id == release.id
        head = context(passage.section)
        if not head or count(head + "\n") <= limit - limit // 4:
            assert count(f"{head}\n{passage.text}" if head else passage.text) <= limit
        end = passage.end
    assert bare("".join(passage.text for passage in passages)) == bare(release.text)
    assert len({passage.id for passage in passages}) == len(passages)


@pytest.mark.parametrize("limit", [40, 120, 400])
def test_sample_is_cut_whole_and_within_the_limit(limit: int) -> None:
    release = read_release(load(SAMPLE), str(SAMPLE))
    check(release, split(release, tokens, limit), tokens, limit)


WORDS = st.sampled_from(
    re.findall(
        r"\S+", "Thành phố đạt 5,91% ; tăng nhanh. Trong 1.561 tỷ đồng, (quý I) TP. Hồ Chí Minh"
    )
)
LINE = st.lists(WORDS, min_size=1, max_size=90).map(" ".join)
BLOCK = st.one_of(
    LINE,
    LINE.map(lambda line: "- " + line),
    st.integers(1, 9).map(lambda n: f"{n}. Nhiệm vụ trọng tâm số {n}"),
    st.sampled_from(["I. TÌNH HÌNH", "II. NHIỆM VỤ", "# Kết quả", "## Chi tiết", "**Đậm**"]),
    st.text(max_size=60),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(BLOCK, max_size=12).map("\n\n".join), st.integers(8, 200))
def test_any_release_is_cut_whole_and_within_the_limit(text: str, limit: int) -> None:
    release = made(text)
    check(release, split(release, tokens, limit), tokens, limit)


@settings(deadline=None, max_examples=60)
@given(st.lists(BLOCK, max_size=8).map("\n\n".join), st.integers(60, 300))
def test_the_limit_holds_for_a_count_of_characters(text: str, limit: int) -> None:
    release = made(text)
    check(release, split(release, len, limit), len, limit)


def test_a_word_longer_than_the_limit_is_cut_anywhere() -> None:
    release = made("x" * 1000)
    passages = split(release, len, 60)
    check(release, passages, len, 60)
    assert len(passages) >= 17


def test_long_paragraph_is_cut_between_sentences() -> None:
    sentence = "Thành phố Hà Nội đã chi 12,5 tỷ đồng hỗ trợ người dân tại TP. Thủ Đức."
    release = made("Lời dẫn.\n\n" + " ".join([sentence] * 40))
    passages = [p for p in split(release, tokens, 120) if sentence in p.text]
    assert len(passages) > 1
    for passage in passages:
        assert passage.text.endswith("Thủ Đức.")
        assert passage.text.startswith(("Thành phố", "Lời dẫn"))


def test_long_sentence_is_cut_between_clauses() -> None:
    clause = "tăng 5 phần trăm so với cùng kỳ năm trước"
    release = made("Thành phố " + ", ".join([clause] * 30) + ".")
    passages = split(release, tokens, 60)
    assert all(passage.text.endswith((",", ".")) for passage in passages)


def test_short_neighbours_are_merged_and_middling_ones_are_not() -> None:
    short = "\n\n".join(f"- Mục số {n} rất ngắn" for n in range(5))
    long = "Câu này có đúng mười từ trong một dòng văn. " * 12
    release = made(f"{long}\n\n{short}\n\n{long}")
    sizes = [tokens(passage.text) for passage in split(release, tokens)]
    assert len(sizes) == 3
    assert sizes[0] == sizes[2]
    assert sizes[1] <= MERGE_TOKENS


def test_a_line_of_a_few_words_does_not_stand_alone_after_a_list() -> None:
    recipients = "\n".join(f"- Sở thứ {n} của Thành phố;" for n in range(14))
    release = made(f"Nội dung.\n\nNơi nhận:\n{recipients}\n\nCHỦ TỊCH\n\nLê Văn Một\n")
    assert split(release, tokens)[-1].text.endswith("Một")
    assert tokens(split(release, tokens)[-1].text) > 20


def test_heading_stands_with_the_text_under_it() -> None:
    release = made(
        "Lời dẫn của văn bản này.\n\nI. Kết quả\n\n1. Kinh tế\n\nTăng 5%.\n\n2. Xã hội\n\nTốt hơn."
    )
    assert [(p.section, p.text) for p in split(release, tokens)] == [
        ((), "Lời dẫn của văn bản này."),
        (("I. Kết quả", "1. Kinh tế"), "I. Kết quả\n1. Kinh tế\nTăng 5%."),
        (("I. Kết quả", "2. Xã hội"), "2. Xã hội\nTốt hơn."),
    ]


def test_ids_depend_on_the_text_alone() -> None:
    first, second = made("Một.\n\nHai."), made("Một.\n\n\n**Hai**.")
    assert split(first, tokens) == split(second, tokens)
    assert all(re.fullmatch("[0-9a-f]{32}", p.id) for p in split(first, tokens))
    assert split(made("Một.\n\nBa."), tokens)[0].id != split(first, tokens)[0].id


def test_pages_are_those_of_the_start() -> None:
    text = "Trang đầu.\n\nTrang sau."
    release = read_release(Loaded(text, (0, 12), "0" * 64, "pdf"), "x.pdf")
    passages = split(release, lambda part: 100 * len(part.split()))
    assert [passage.page for passage in passages[:1] + passages[-1:]] == [1, 2]


def test_nothing_gives_nothing_and_a_tiny_limit_is_refused() -> None:
    assert split(made(" \n "), tokens) == []
    with pytest.raises(ValueError, match="limit is 3"):
        split(made("x"), tokens, 3)


def test_context_is_short_whatever_the_headings() -> None:
    assert context(()) == ""
    assert context(("I. A", "1. B")) == "I. A > 1. B"
    long = context(tuple(f"{n}. " + "rất dài " * 40 for n in range(6)))
    assert len(long) <= 240
    assert long.endswith("…")
    assert "5. rất" in long
