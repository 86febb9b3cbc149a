"""Gold and SQuAD files: what is read, what is refused and how, splits, and finding quotes."""

from __future__ import annotations

import json
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.gold import GoldSet, Question, load_gold, load_squad, locate, locate_quotes, split_of
from rag.errors import GoldError
from rag.schema import Release

GOOD: dict[str, Any] = {
    "id": "q1-vi",
    "question": "Chi bao nhiêu?",
    "lang": "vi",
    "answerable": True,
    "answers": ["12,5 tỷ đồng"],
    "figure": {"value": "12500000000", "unit": "VND"},
    "evidence": [{"release": "a.md", "quote": "chi 12,5 tỷ đồng"}],
    "tags": ["money"],
}


def written(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "gold.jsonl"
    texts = [
        line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines
    ]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def release(text: str, source: str = "corpus/a.md") -> Release:
    return Release(f"id of {source}", source, "0" * 64, text, "vi")


def test_reads_every_field_and_skips_blank_lines(tmp_path: Path) -> None:
    unanswerable = {"id": "q2", "question": "Who?", "lang": "en", "answerable": False}
    ranged = GOOD | {"id": "q3", "figure": {"low": 1.02, "high": "1.07", "unit": None}}
    gold = load_gold(written(tmp_path, GOOD, "", unanswerable, ranged))
    first, second, third = gold.questions
    assert gold.name == "gold"
    assert first.figure is not None
    assert (first.figure.value, first.figure.unit) == (Decimal("12500000000"), "VND")
    assert first.evidence[0].release == "a.md"
    assert first.pair == "q1"
    assert (second.answers, second.figure, second.evidence, second.tags) == ((), None, (), ())
    assert third.figure is not None
    assert (third.figure.low, third.figure.high) == (Decimal("1.02"), Decimal("1.07"))


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != key}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{oops", "not JSON"),
        ("[1]", "must be an object"),
        ('{"id": "a", "id": "b"}', "key id is repeated"),
        (GOOD | {"colour": 1}, "unknown key colour"),
        (without("lang"), "key lang is missing"),
        (GOOD | {"lang": "fr"}, "lang must be vi or en"),
        (GOOD | {"answerable": "yes"}, "answerable must be true or false"),
        (GOOD | {"id": " "}, "id must be a non-empty text"),
        (GOOD | {"answers": "12"}, "answers must be a list"),
        (GOOD | {"answers": [12]}, "an answer must be"),
        (GOOD | {"answers": [], "figure": None}, "needs answers or a figure"),
        (GOOD | {"answerable": False}, "takes no answers"),
        (GOOD | {"figure": {"value": "12,5"}}, "value must be a number"),
        (GOOD | {"figure": {"value": True}}, "value must be a number"),
        ('{"id":"a","question":"b","lang":"vi","answerable":NaN}', "NaN is not JSON"),
        (GOOD | {"figure": {"low": "2", "high": "1"}}, "low 2 is above high 1"),
        (GOOD | {"figure": {"value": "1", "scale": "tỷ"}}, "unknown key scale"),
        (GOOD | {"evidence": [{"release": "a.md"}]}, "key quote is missing"),
        (GOOD | {"evidence": [{"release": "a.md", "quote": "** _"}]}, "holds no text"),
        (GOOD | {"tags": [""]}, "a tag must be"),
        (GOOD | {"question": "\ud800"}, "half a character"),
        (GOOD, "id q1-vi is already on line 1"),
    ],
)
def test_a_bad_line_is_named_by_its_number(tmp_path: Path, line: object, complaint: str) -> None:
    if isinstance(line, dict) and line.get("question") == "\ud800":
        line = json.dumps(line)
    with pytest.raises(GoldError) as caught:
        load_gold(written(tmp_path, GOOD, "", line))
    message = str(caught.value)
    assert "gold.jsonl:3: " in message
    assert complaint in message
    assert "\n" not in message


def test_empty_missing_or_foreign_files_are_one_line(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n\n")
    binary = tmp_path / "binary.jsonl"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, complaint in (
        (empty, "no questions"),
        (binary, "not UTF-8"),
        (tmp_path, "cannot be read"),
        (tmp_path / "none.jsonl", "cannot be read"),
    ):
        with pytest.raises(GoldError, match=complaint):
            load_gold(path)


# --- SQuAD -------------------------------------------------------------------------------------


def squad(tmp_path: Path, name: str, *paragraphs: tuple[str, list[dict[str, Any]]]) -> Path:
    data = [{"title": "t", "paragraphs": [{"context": c, "qas": q} for c, q in paragraphs]}]
    path = tmp_path / name
    path.write_text(json.dumps({"data": data}), encoding="utf-8")
    return path


def plain(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def qa(id: str, question: str = "How many?", *answers: str, **more: Any) -> dict[str, Any]:
    found = [{"text": answer, "answer_start": 0} for answer in answers]
    return {"id": id, "question": question, "answers": found, **more}


def test_squad_joins_wording_by_id_and_counts_equal_contexts_once(tmp_path: Path) -> None:
    contexts = squad(
        tmp_path,
        "c.json",
        ("Hai dự án.", [qa("1", "Mấy dự án?", "Hai", "Hai")]),
        ("Ba trường. ", [qa("2", "Mấy trường?", "Ba")]),
        ("Hai dự án.", [qa("3", "Ai?", is_impossible=True)]),
    )
    other = squad(
        tmp_path,
        "o.json",
        ("x", [qa("3", "Who?", "x"), qa("2", "How many schools?", "x")]),
        ("y", [qa("1", "How many projects?", "x")]),
    )
    gold = load_squad(contexts, other)
    assert gold.name == "c+o"
    assert gold.contexts == ("Hai dự án.", "Ba trường.")
    assert [(q.id, q.question, q.lang, q.answers) for q in gold.questions] == [
        ("1", "How many projects?", "en", ("Hai",)),
        ("2", "How many schools?", "en", ("Ba",)),
        ("3", "Who?", "en", ()),
    ]
    assert [q.evidence[0].release for q in gold.questions[:2]] == ["00000.txt", "00001.txt"]
    assert not gold.questions[2].answerable


def test_squad_complaints(tmp_path: Path) -> None:
    good = squad(tmp_path, "good.json", ("Hai.", [qa("1", "?", "Hai")]))
    extra = squad(tmp_path, "extra.json", ("Hai.", [qa("1", "?", "Hai"), qa("9", "?", "Hai")]))
    for contexts, questions, complaint in (
        (good, extra, "first is 9"),
        (extra, good, "first is 9"),
        (squad(tmp_path, "a.json", ("Hai.", [qa("1", "?")])), None, 'question "1": no answers'),
        (squad(tmp_path, "b.json", ("Hai.", [{"id": "1"}])), None, "key answers is missing"),
        (squad(tmp_path, "c.json", ("Hai.", [qa("1", "?", "x")] * 2)), None, "repeated"),
        (squad(tmp_path, "d.json"), None, "no questions"),
        (plain(tmp_path / "list.json", "[1]"), None, "not in the SQuAD format"),
        (plain(tmp_path / "cut.json", "{"), None, "not JSON"),
    ):
        with pytest.raises(GoldError, match=complaint):
            load_squad(contexts, questions)


# --- Splits ------------------------------------------------------------------------------------


def question(id: str, *tags: str) -> Question:
    return Question(id, "?", "vi", False, tags=tags)


def test_split_keeps_translations_together_and_halves_every_tag() -> None:
    questions = [
        question(f"{tag}{number}-{lang}", tag)
        for tag in ("money", "date", "place")
        for number in range(21)
        for lang in ("vi", "en")
    ]
    sides = split_of(questions)
    assert sides == split_of(reversed(questions))
    for each in questions:
        assert sides[each.id] == sides[f"{each.pair}-vi"]
    for tag in ("money", "date", "place"):
        dev = sum(sides[q.id] == "dev" for q in questions if q.tags == (tag,))
        assert dev in (20, 22)


def test_a_limit_is_spread_evenly_and_an_empty_split_is_refused() -> None:
    gold = GoldSet("s", tuple(question(f"q{number}") for number in range(10)))
    assert [each.id for each in gold.only("all", 4).questions] == ["q0", "q2", "q5", "q7"]
    assert gold.only("all", 99) == gold
    one = GoldSet("one", (question("q1"),))
    (side,) = split_of(one.questions).values()
    with pytest.raises(GoldError, match="no question is left"):
        one.only("test" if side == "dev" else "dev")


# --- Quotes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quote", "text", "found"),
    [
        ("Số: **04** /TC", "x\nSố: 04 /TC-UBND", ["Số: 04 /TC"]),
        ("chế tạo (quý*\n\nII tăng", "chế tạo (quý II tăng 8%", ["chế tạo (quý II tăng"]),
        ("a  b", "a b, a\nb", ["a b", "a\nb"]),
        ("| Thu | 12 |", "Chi | 3\nThu | 12\n", ["Thu | 12"]),
        ("xem [trang này](http://x.vn/a_b)", "Xin xem trang này nhé", ["xem trang này"]),
        ("tỷ đồng", unicodedata.normalize("NFD", "5 tỷ đồng"), ["tỷ đồng"]),
        ("không có", "chẳng thấy", []),
    ],
)
def test_locate_ignores_marks_spaces_and_composition(
    quote: str, text: str, found: list[str]
) -> None:
    spans = [unicodedata.normalize("NFC", text[start:end]) for start, end in locate(quote, text)]
    assert spans == found


@given(
    st.text(alphabet="ab ộẹ\u0323\u0302*_\n", max_size=30),
    st.text(alphabet="ab ộẹ1", min_size=1, max_size=8).filter(str.strip),
    st.text(alphabet="ab ộẹ*_\n", max_size=30),
)
def test_a_quote_is_found_where_it_was_put(before: str, quote: str, after: str) -> None:
    text = f"{before}\n{quote}\n{after}"
    start = len(before) + 1 + len(quote) - len(quote.lstrip())
    end = len(before) + 1 + len(quote.rstrip())
    spans = locate(quote, text)
    # Occurrences do not overlap, so an earlier chance match may cover the place.
    assert any(low < end and start < high for low, high in spans)


def test_locate_quotes_names_question_and_release(tmp_path: Path) -> None:
    gold = load_gold(written(tmp_path, GOOD))
    first = release("Tỉnh chi 12,5 tỷ đồng. Đã chi 12,5 tỷ đồng.", "corpus/a.md")
    places = locate_quotes(gold, [first, release("khác", "corpus/b.md")])
    (spans,) = places.values()
    assert [first.text[start:end] for _, start, end in spans] == ["chi 12,5 tỷ đồng"] * 2
    with pytest.raises(GoldError, match=r"question q1-vi: release a\.md is not in the corpus"):
        locate_quotes(gold, [release("x", "corpus/ba.md")])
    with pytest.raises(GoldError, match=r"question q1-vi: quote .* is not in a\.md"):
        locate_quotes(gold, [release("chi 12,6 tỷ đồng", "a.md")])
