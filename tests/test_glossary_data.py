"""The bilingual glossary: well-formed, and Vietnamese where it says Vietnamese."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

GLOSSARY = Path(__file__).parents[1] / "rag" / "data" / "glossary.tsv"
TOPICS = {
    "administration",
    "legislature",
    "party",
    "economy",
    "budget",
    "investment",
    "trade",
    "enterprise",
    "labour",
    "social",
    "health",
    "education",
    "agriculture",
    "environment",
    "urban",
    "transport",
    "justice",
    "statistics",
    "time",
    "measure",
    "question",
    "organisation",
    "place",
    "general",
}

# What a Vietnamese syllable looks like once its diacritics are off.
SYLLABLE = re.compile(
    r"(?:ngh|ng|nh|gh|kh|ph|th|tr|ch|qu|[bcdghklmnprstvx])?[aeiouy]{1,3}(?:ng|nh|ch|[cmnpt])?"
)
# Words that Vietnamese took over, as they came or spelt by ear; one list for each field.
LOANWORDS = frozenset(
    # chemistry, minerals, medicine
    "acetic adrenalin agon amin amiăng amoniac ancol antimon asen axetic axit axít bari bazan bazơ "
    "benzen berili beryli bismut bitmut bor brom brôm butan bôxit cacbohydrat cacbon cacbonat "
    "cadimi cadmi caesi calci canxi carbohydrat carbon catmi citric clo clohiđric clohydric clorua "
    "coban crom crôm enzyme etanol etilen flo fluor fructozơ gali galli gecmani germani glucozơ "
    "granit graphen graphit heli hiđro hiđrocacbon hydro hêli iod iridi iriđi kali lactozơ lithi "
    "liti magie magiê magnesi mangan metan metanol molipđen molypden monome monoxit mêtan natri "
    "niken nitrat nitric nitơ nucleic nylon osimi osmi oxit oxy ozon paladi palađi peroxit phospho "
    "photpho platin plutoni poloni polyester polyetylen polyme propan protein radi rađi ribôxôm "
    "rubidi rubiđi scorbut selen seleni silic stronti sulfuric sunfuric telua teluri thori titan "
    "titani uran urani vaccine vanadi vanađi virus vonfram wolfram xenlulozơ xesi xênon xêsi "
    "zirconi ziriconi zona đinitơ ôxi ôxít ôzôn "
    # physics, mathematics, earth
    "elip entanpi entrôpi fjord gamma logarit lôgarit lôgic magma manti mol mácma mômen nano "
    "nơtron tôpô vectơ xcơ xtơ "
    # measures and money
    "ampe aoxơ baht byte calo cara cent cm decibel euro feet foot franc gallon gigabyte hertz inch "
    "insơ jun kg kilowatt kilôgam kilômét kilôoát km megabyte megawatt microgam micromet micrômét "
    "miligam mililít milimét nanomet nanômét niutơn ounce peso phrăng pound rupee watt won "
    "xentimét yard "
    # machines, trade, everyday things
    "bar bikini bina blockchain blog blogger boongke camera cartel casino diesel dinamit email fax "
    "golf hacker inox internet jean karaoke livestream logistics logo mafia marketing metro micro "
    "micrô napan oliu organ podcast poker radio resort robot scandal siro socola sofa taxi test "
    "tivi tuabin vani vest video visa web website yoga điêzen "
    # music, stage, games
    "album anime arcade aria atlas ballad bass blues cameo carnival cello clarinet concerto cover "
    "cricket dance game gameshow graffiti guitar jazz keyboard manga opera overture piano punk "
    "rapper rock saxophone show sitcom solo sonata sonnet tour trailer trumpet violin "
    # history and peoples
    "ayatollah caliph conquistador erectus haiku hanbok hiragana imam kana kanji katakana khalifah "
    "khalip kimono maharaja obelisk papyrus perestroika pharaoh pharaon rabbi samurai sapiens "
    "shaman shogun sultan ziggurat".split()
)
LOAN_PHRASES = re.compile("board game|hard rock|heavy metal|light novel|rock and roll|talk show")

Row = tuple[list[str], list[str], str]


@pytest.fixture(scope="module")
def lines() -> list[str]:
    text = GLOSSARY.read_bytes().decode("utf-8")
    assert text.endswith("\n")
    return text.removesuffix("\n").split("\n")


@pytest.fixture(scope="module")
def rows(lines: list[str]) -> list[Row]:
    cells = [line.split("\t") for line in lines[1:]]
    assert [row for row in cells if len(row) != 3] == []
    return [(en.split("|"), vi.split("|"), topic) for en, vi, topic in cells]


def is_vietnamese(word: str) -> bool:
    """Whether a lower-case word could be Vietnamese; names and abbreviations are not judged."""
    abbreviated = len(word) < 2 or not word.isalpha() or word != word.lower()
    if abbreviated or word in LOANWORDS:
        return True
    plain = "".join(
        char
        for char in unicodedata.normalize("NFD", word.replace("đ", "d"))
        if not unicodedata.combining(char)
    )
    return SYLLABLE.fullmatch(plain) is not None


def single_words(cell: str) -> list[str]:
    """Words of a cell, without names that are spelt syllable by syllable (Áp-ga-ni-xtan)."""
    chunks = LOAN_PHRASES.sub("", cell).split()
    whole = [chunk for chunk in chunks if not (chunk[0].isupper() and "-" in chunk)]
    return [word for chunk in whole for word in re.split(r"[,/().+&-]+", chunk)]


def test_starts_with_its_header(lines: list[str]) -> None:
    assert lines[0] == "en\tvi\ttopic"


def test_is_nfc_without_stray_whitespace(lines: list[str]) -> None:
    assert [line for line in lines if not unicodedata.is_normalized("NFC", line)] == []
    stray = re.compile(r"[^\S \t]|  | [|\t]|[|\t] |^ | $")
    assert [line for line in lines if stray.search(line)] == []


def test_no_alternative_is_empty_or_repeated(rows: list[Row]) -> None:
    for en, vi, _ in rows:
        assert all([*en, *vi]), (en, vi)
        assert len(set(en)) == len(en), en
        assert len(set(vi)) == len(vi), vi


def test_each_preferred_pair_stands_once(rows: list[Row]) -> None:
    pairs = Counter((en[0].lower(), vi[0].lower()) for en, vi, _ in rows)
    assert [pair for pair, count in pairs.items() if count > 1] == []


def test_topics_are_the_known_ones(rows: list[Row]) -> None:
    assert {topic for _, _, topic in rows} == TOPICS


def test_covers_domain_and_general_words(rows: list[Row]) -> None:
    general = sum(topic == "general" for _, _, topic in rows)
    assert len(rows) - general >= 900
    assert general >= 500


def test_vietnamese_cells_hold_vietnamese(rows: list[Row]) -> None:
    foreign = {
        (en[0], word)
        for en, vi, _ in rows
        for cell in vi
        for word in single_words(cell)
        if not is_vietnamese(word)
    }
    assert sorted(foreign) == []


def test_english_cells_hold_english(rows: list[Row]) -> None:
    """Only letters that English writes: a swapped row would carry Vietnamese diacritics."""
    assert [en for en, _, _ in rows if re.search(r"[^\x20-\x7eé]", "".join(en))] == []


@pytest.mark.parametrize("word", ["plan", "tax", "budget", "export", "vaccination", "school"])
def test_an_english_word_is_not_taken_for_vietnamese(word: str) -> None:
    assert not is_vietnamese(word)


@pytest.mark.parametrize(
    ("english", "vietnamese"),
    [
        ("GRDP", "tổng sản phẩm trên địa bàn"),
        ("state budget", "NSNN"),
        ("site clearance", "GPMB"),
        ("spent", "giải ngân"),
        ("jobs", "việc làm"),
        ("relief", "hỗ trợ"),
        ("year-on-year", "so với cùng kỳ"),
        ("first half of the year", "6 tháng đầu năm"),
        ("program", "chương trình"),
        ("programme", "chương trình"),
    ],
)
def test_a_citizens_word_leads_to_the_releases_word(
    rows: list[Row], english: str, vietnamese: str
) -> None:
    assert any(english in en and vietnamese in vi for en, vi, _ in rows)
