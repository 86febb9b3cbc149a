"""The same release read twice is reported, two releases of one series are not.

The series, the noise and the five thousand releases are made up here.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.fields import unaccented
from ingest.load import load
from ingest.relations import NearDuplicates, compare, signature
from ingest.release import read_release
from rag.archive import Archive
from rag.embedding import Encoded
from rag.schema import Release
from rag.settings import Settings

FILES = sorted((Path(__file__).parent / "data" / "releases").glob("*.md"))
HEADER = Encoded(
    np.zeros(2, np.float32),
    np.zeros((1, 2), np.float32),
    np.zeros((1, 2), np.int32),
    np.zeros(1, np.int32),
)
DIGITS = dict(zip("0135689", "OlBSb3g", strict=True))


def release_of(text: str, source: str = "a.md", **fields: object) -> Release:
    return replace(
        Release(f"{abs(hash((text, source))):016x}"[:16], source, "", text, "vi"),
        **fields,  # type: ignore[arg-type]
    )


def scanned(text: str, share: float, seed: int) -> str:
    """The text with that share of its characters misread, lost or doubled."""
    chance = random.Random(seed)
    shown = []
    for char in text:
        if char != "\n" and chance.random() < share:
            kind = chance.random()
            if kind < 0.1:
                continue
            plain = unaccented(char)
            other = plain if plain != char.lower() else chr(ord(char) ^ 1)
            shown.append(DIGITS.get(char, other).replace("\n", "") + " " * (kind < 0.2))
            if kind > 0.95:
                shown.append(char)
        else:
            shown.append(char)
    return "".join(shown)


def monthly(month: int, seed: int, paragraphs: int = 12) -> str:
    """One release of a series: the words of a template, figures of its own."""
    chance = random.Random(seed)
    lines = [
        f"Số: {chance.randint(1, 400)}/TC-CTK",
        f"Tân Giang, ngày 29 tháng {month} năm 2023",
        "THÔNG CÁO BÁO CHÍ",
        f"Tình hình kinh tế - xã hội tháng {month} và {month} tháng đầu năm 2023",
    ]
    for name in ("công nghiệp", "bán lẻ", "xuất khẩu", "nhập khẩu", "vận tải", "du lịch") * 9:
        if len(lines) == paragraphs + 4:
            break
        lines.append(
            f"Về {name}: tháng {month} ước đạt {chance.randint(100, 9000)} tỷ đồng, tăng "
            f"{chance.randint(1, 99) / 10}% so với tháng trước và {chance.randint(10, 300) / 10}% "
            f"so với cùng kỳ năm 2022; lũy kế {month} tháng đạt {chance.randint(9000, 90000)} tỷ "
            f"đồng, bằng {chance.randint(10, 90)},{chance.randint(0, 9)}% kế hoạch năm."
        )
    return "\n".join(lines)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("share", [0.01, 0.03, 0.05])
def test_a_release_that_was_scanned_again_is_the_same(path: Path, share: float) -> None:
    release = read_release(load(path), str(path))
    again = release_of(scanned(release.text, share, seed=7), "again.pdf")
    near = compare(again, release)
    assert near is not None
    assert (near.source, near.other) == ("again.pdf", str(path))
    assert near.similarity > 0.9
    assert len(near.line().splitlines()) == 1


def test_two_releases_of_the_test_data_are_never_the_same() -> None:
    releases = [read_release(load(path), str(path)) for path in FILES]
    for at, release in enumerate(releases):
        assert not [each for each in releases[:at] if compare(release, each)]


@settings(max_examples=40)
@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(0, 999),
    st.integers(3, 30),  # a paragraph or two have too few figures to tell
    st.sampled_from([0.0, 0.02, 0.04]),
)
def test_two_releases_of_a_series_are_two(
    month: int, other: int, seed: int, paragraphs: int, share: float
) -> None:
    first = release_of(scanned(monthly(month, seed, paragraphs), share, seed))
    second = release_of(monthly(other, seed + 1000, paragraphs), "b.md")
    assert compare(first, second) is None


def test_a_corrected_figure_is_shown() -> None:
    text = monthly(6, 1)
    figure = text.split("ước đạt ")[1].split()[0]
    noisy = scanned(text, 0.02, 3)
    assert figure in noisy
    near = compare(release_of(noisy.replace(figure, "77777")), release_of(text, "b.md"))
    assert near is not None
    assert "77777" in near.differing
    assert "77777" in near.line()


def test_a_copy_with_one_other_figure_and_nothing_else_is_another_release() -> None:
    text = monthly(6, 1)
    figure = text.split("ước đạt ")[1].split()[0]
    assert compare(release_of(text.replace(figure, "77777")), release_of(text, "b.md")) is None


def test_other_number_and_other_date_make_another_release() -> None:
    text = monthly(6, 1)
    first = release_of(text + ".", number="1/TC", issued=date(2023, 6, 29))
    again = release_of(text, "b.md", number="1/TC", issued=date(2023, 6, 29))
    assert compare(first, again) is not None
    assert compare(first, replace(again, number="2/TC")) is not None
    assert compare(first, replace(again, number="2/TC", issued=date(2023, 7, 29))) is None
    assert compare(first, replace(again, number=None, issued=None)) is not None


# --- against an archive -------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(Settings(data_dir=tmp_path / "var")) as opened:
        yield opened


def store(archive: Archive, release: Release) -> Release:
    archive.add(release, [], [], HEADER)
    return release


def test_near_duplicates_are_found_among_the_archived(archive: Archive) -> None:
    texts = [monthly(month, month) for month in range(1, 13)]
    near = NearDuplicates(archive)
    for month, text in enumerate(texts):
        assert near.add(store(archive, release_of(text, f"{month}.md"))) == []
    again = store(archive, release_of(scanned(texts[4], 0.03, 1), "again.pdf"))
    assert [found.other for found in near.add(again)] == ["4.md"]
    # Another run knows them from the archive.
    once_more = store(archive, release_of(scanned(texts[4], 0.03, 2), "once-more.pdf"))
    found = NearDuplicates(archive).add(once_more)
    assert {each.other for each in found} == {"4.md", "again.pdf"}


def test_signatures_that_are_missing_are_made(archive: Archive) -> None:
    old = store(archive, release_of(monthly(3, 3), "old.md"))
    archive.set_signature(old.id, b"\x00made by an older version")
    new = store(archive, release_of(scanned(old.text, 0.02, 1), "new.pdf"))
    assert [each.other for each in NearDuplicates(archive).add(new)] == ["old.md"]
    kept = archive.signatures()
    assert kept[old.id] == signature(old.text)
    assert kept[new.id] == signature(new.text)


def test_an_earlier_state_of_the_same_file_is_no_duplicate(archive: Archive) -> None:
    near = NearDuplicates(archive)
    near.add(store(archive, release_of(monthly(3, 3), "a.md")))
    assert near.add(store(archive, release_of(monthly(3, 3) + ".", "a.md"))) == []


def test_a_release_that_was_taken_out_is_not_reported(archive: Archive) -> None:
    near = NearDuplicates(archive)
    gone = store(archive, release_of(monthly(3, 3), "gone.md"))
    near.add(gone)
    archive.remove(gone.id)
    assert near.add(store(archive, release_of(gone.text + ".", "new.md"))) == []


@pytest.mark.parametrize("text", ["", "a", "Số", "12", "x" * 20_000])
def test_any_text_has_a_signature(text: str) -> None:
    assert len(signature(text)) == len(signature("one"))


@pytest.mark.slow
def test_the_cost_of_a_release_among_five_thousand(archive: Archive) -> None:
    for at in range(5000):
        text = monthly(1 + at % 12, at, paragraphs=40)
        release = store(archive, release_of(text, f"{at}.md"))
        archive.set_signature(release.id, signature(text))
    start = time.perf_counter()
    near = NearDuplicates(archive)
    opened = time.perf_counter() - start
    spent = []
    for at in range(0, 5000, 250):
        text = scanned(monthly(1 + at % 12, at, paragraphs=40), 0.03, at)
        release = store(archive, release_of(text, f"again-{at}.pdf"))
        start = time.perf_counter()
        found = near.add(release)
        spent.append(time.perf_counter() - start)
        assert [each.other for each in found] == [f"{at}.md"]
    print(f"opened in {opened:.2f} s; {np.median(spent) * 1000:.0f} ms a release")
    assert np.median(spent) < 0.2
