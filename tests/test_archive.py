"""The store of record: what goes in comes out, readers see only what is indexed, one writer."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rag.archive import Archive, Source, pack, unpack_encoded, writer_lock
from rag.embedding import Encoded
from rag.errors import LockedError, StoreError
from rag.schema import Filters, Passage, Release, Section
from rag.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
TEXT = "I- Kết quả\nThu đạt 5,9 tỷ đồng.\nChi đạt 3 tỷ đồng."
RELEASE = Release(
    id="a" * 16,
    source="in/a.md",
    sha256="0" * 64,
    text=TEXT,
    language="vi",
    number="07/TC-UBND",
    title="Kết quả tháng 5",
    issuer="UBND tỉnh Tân Giang",
    issued=date(2023, 5, 31),
    place="Tân Giang",
    signer="Lê Văn An",
    kind="THÔNG CÁO BÁO CHÍ",
    subject="Về kinh tế - xã hội tháng 5",
    supersedes="06/TC-UBND",
    provenance=(("number", "text"), ("title", "properties")),
    sections=(Section("I- Kết quả", 1, 0, len(TEXT)),),
    pages=(0, 32),
)


def passages_of(release: Release) -> list[Passage]:
    # Counted along the text: a line can stand in it twice.
    first = release.text.index("\n")
    found = list(re.finditer(r"[^\n]+", release.text[first:]))
    return [
        Passage(
            id=f"{release.id}-{first + line.start()}",
            release_id=release.id,
            start=first + line.start(),
            end=first + line.end(),
            text=line.group(),
            section=("I- Kết quả",),
            page=release.page_at(first + line.start()),
        )
        for line in found
    ]


def encoding(seed: int = 0, tokens: int = 3) -> Encoded:
    made = np.random.default_rng(seed)
    return Encoded(
        made.normal(size=8).astype(np.float32),
        made.normal(size=(tokens, 8)).astype(np.float32),
        np.arange(2 * tokens, dtype=np.int32).reshape(-1, 2),
        np.arange(tokens, dtype=np.int32),
    )


def add(archive: Archive, release: Release, *, indexed: bool = True) -> None:
    passages = passages_of(release)
    archive.add(release, passages, [encoding(index) for index in range(len(passages))], encoding())
    archive.link(Source(release.source, release.sha256, release.id))
    if indexed:
        archive.mark_indexed([release.id])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "var")


@pytest.fixture
def archive(settings: Settings) -> Iterator[Archive]:
    with Archive.open(settings) as opened:
        yield opened


def test_a_release_comes_out_as_it_went_in(archive: Archive) -> None:
    add(archive, RELEASE)
    assert archive.release(RELEASE.id) == RELEASE
    assert archive.text(RELEASE.id) == TEXT
    assert archive.releases() == [RELEASE]
    assert archive.passages_of(RELEASE.id) == passages_of(RELEASE)


def test_what_was_written_is_there_for_the_next_process(settings: Settings) -> None:
    with Archive.open(settings) as first:
        add(first, RELEASE)
    code = (
        "import sys; from rag.archive import Archive; from rag.settings import Settings\n"
        "with Archive.open(Settings(data_dir=sys.argv[1])) as archive:\n"
        "    print(len(archive.releases()), archive.releases()[0].number)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(settings.data_dir)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "07/TC-UBND"]


def test_readers_do_not_see_a_release_before_it_is_indexed(archive: Archive) -> None:
    add(archive, RELEASE, indexed=False)
    before = archive.fingerprint()
    assert archive.releases() == []
    assert archive.passage_ids() == {}
    assert archive.pending() == [RELEASE.id]
    archive.mark_indexed([RELEASE.id])
    assert archive.releases() == [RELEASE]
    assert archive.pending() == []
    assert archive.fingerprint() != before


def test_adding_a_release_again_replaces_its_passages(archive: Archive) -> None:
    add(archive, RELEASE)
    archive.add(RELEASE, passages_of(RELEASE)[:1], [encoding()], encoding())
    assert archive.passages_of(RELEASE.id) == passages_of(RELEASE)[:1]
    assert archive.pending() == [RELEASE.id]


def test_a_release_whose_passages_fail_is_not_there_at_all(archive: Archive) -> None:
    first = passages_of(RELEASE)[0]
    with pytest.raises(StoreError):
        archive.add(RELEASE, [first, first], [encoding(), encoding()], encoding())
    assert archive.release_ids() == []


def test_an_unknown_release_is_named(archive: Archive) -> None:
    with pytest.raises(StoreError, match="no release ffff"):
        archive.text("ffff")


def test_a_release_stays_while_one_source_stands_for_it(archive: Archive) -> None:
    add(archive, RELEASE)
    archive.link(Source("in/copy.md", RELEASE.sha256, RELEASE.id))
    archive.unlink("in/a.md")
    assert archive.orphans() == []
    archive.unlink("in/copy.md")
    assert archive.orphans() == [RELEASE.id]
    archive.remove(RELEASE.id)
    assert archive.release_ids() == []
    assert archive.sources() == {}
    assert archive.passages([passage.id for passage in passages_of(RELEASE)]) == {}


def test_a_source_stands_for_its_latest_release(archive: Archive) -> None:
    add(archive, RELEASE)
    newer = replace(RELEASE, id="b" * 16, text=TEXT + " Hết.", sha256="1" * 64)
    add(archive, newer)
    assert archive.sources() == {"in/a.md": Source("in/a.md", "1" * 64, newer.id)}
    assert archive.orphans() == [RELEASE.id]


def test_unknown_passages_are_left_out(archive: Archive) -> None:
    add(archive, RELEASE)
    known = passages_of(RELEASE)[0]
    assert archive.passages([known.id, "none"]) == {known.id: known}
    assert set(archive.encoded([known.id, "none"])) == {known.id}


def test_many_ids_are_more_than_one_query_takes(archive: Archive) -> None:
    add(archive, RELEASE)
    known = passages_of(RELEASE)[0]
    wanted = [f"none-{index}" for index in range(5000)] + [known.id]
    assert archive.passages(wanted) == {known.id: known}


OTHERS = [
    replace(
        RELEASE, id="b" * 16, source="b.md", issuer="Sở Y tế Hòa Châu", issued=date(2024, 9, 18)
    ),
    replace(RELEASE, id="c" * 16, source="c.md", issuer=None, issued=None),
]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), "cab"),
        (Filters(issuer="tan giang"), "a"),
        (Filters(issuer="SỞ Y TẾ"), "b"),
        (Filters(issuer="hoà châu"), "b"),
        (Filters(issued_from=date(2023, 5, 31)), "ab"),
        (Filters(issued_to=date(2023, 5, 31)), "a"),
        (Filters(issued_from=date(2023, 6, 1), issued_to=date(2024, 8, 31)), ""),
        (Filters(release_ids=("b" * 16, "c" * 16)), "cb"),
        (Filters(release_ids=("c" * 16,), issuer="tân giang"), ""),
    ],
)
def test_filters(filters: Filters, expected: str, archive: Archive) -> None:
    for release in (RELEASE, *OTHERS):
        add(archive, release)
    assert [release.id[0] for release in archive.releases(filters)] == list(expected)


def test_facts_about_the_archive_are_replaced(archive: Archive) -> None:
    assert archive.meta("embedder") is None
    archive.set_meta("embedder", "one")
    archive.set_meta("embedder", "two")
    assert archive.meta("embedder") == "two"


@given(
    vector=arrays.arrays(np.float32, 6, elements=st.floats(-1, 1, width=32)),
    tokens=arrays.arrays(
        np.float32,
        st.tuples(st.integers(0, 5), st.just(6)),
        elements=st.floats(-1, 1, width=32),
    ),
)
def test_packing_keeps_vectors_and_rounds_tokens(
    vector: np.ndarray[tuple[int], np.dtype[np.float32]],
    tokens: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> None:
    count = len(tokens)
    spans = np.arange(2 * count, dtype=np.int32).reshape(-1, 2)
    ids = np.arange(count, dtype=np.int32) * 70_000
    again = unpack_encoded(pack(Encoded(vector, tokens, spans, ids)))
    assert again.vector.tolist() == vector.tolist()
    assert again.spans.tolist() == spans.tolist()
    assert again.ids.tolist() == ids.tolist()
    assert again.tokens.shape == tokens.shape
    # Half a step of 1/127 of the largest value, and a little for the arithmetic.
    step = np.abs(tokens).max(axis=1, initial=0, keepdims=True) / 127
    assert (np.abs(again.tokens - tokens) <= 0.51 * step + 1e-6).all()


def test_packed_tokens_keep_their_direction() -> None:
    made = encoding(7, tokens=50)
    again = unpack_encoded(pack(made))
    cosines = (made.tokens * again.tokens).sum(axis=1) / (
        np.linalg.norm(made.tokens, axis=1) * np.linalg.norm(again.tokens, axis=1)
    )
    assert cosines.min() > 0.9995


# Stores that cannot be used


def one_line(error: BaseException) -> str:
    assert "\n" not in str(error)
    return str(error)


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("", encoding="utf-8")
    with pytest.raises(StoreError) as caught:
        Archive.open(Settings(data_dir=tmp_path / "var"))
    assert "--data-dir" in one_line(caught.value)


@pytest.mark.parametrize("parent", ["file", "/proc"])
def test_a_data_folder_that_cannot_be_made(parent: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    settings = Settings(data_dir=tmp_path / parent / "var")
    with pytest.raises(StoreError) as caught:
        Archive.open(settings)
    assert "--data-dir" in one_line(caught.value)
    with pytest.raises(StoreError) as caught, writer_lock(settings):
        pass
    assert "--data-dir" in one_line(caught.value)


def release_of(name: str, **fields: Any) -> Release:
    known = {"number": "38/TC-UBND", "issuer": "UBND tỉnh Tân Giang", "issued": None}
    return replace(RELEASE, id=name * 16, source=name, **({"supersedes": None} | known | fields))


@pytest.mark.parametrize(
    ("older", "newer", "linked"),
    [
        # It names the number.
        ({}, {"number": "41/TC-UBND", "supersedes": "38/TC-UBND"}, True),
        ({"number": "08/TC - UBND"}, {"number": "9", "supersedes": "8/tc-ubnd"}, True),
        (
            {"issued": date(2023, 6, 29), "issuer": "Ủy ban nhân dân tỉnh Tân Giang"},
            {
                "number": "41/TC-UBND",
                "supersedes": "38/TC-UBND",
                "issued": date(2023, 7, 5),
                "issuer": "Văn phòng UBND tỉnh Tân Giang",
            },
            True,
        ),
        ({}, {"number": None, "issuer": None, "supersedes": "38/TC-UBND"}, True),
        ({}, {"number": "41/TC-UBND", "supersedes": "39/TC-UBND"}, False),
        ({}, {"number": "41", "supersedes": "38/TC-UBND", "issuer": "UBND tỉnh Hòa Châu"}, False),
        (
            {"issued": date(2023, 7, 6)},
            {"number": "41", "supersedes": "38/TC-UBND", "issued": date(2023, 7, 5)},
            False,
        ),
        (
            {"issued": date(2021, 7, 6)},
            {"number": "41", "supersedes": "38/TC-UBND", "issued": date(2023, 7, 5)},
            False,
        ),
        # The same number with a later date.
        ({"issued": date(2023, 6, 29)}, {"issued": date(2023, 6, 30)}, True),
        (
            {"issued": date(2023, 6, 29), "issuer": "UBND TP. Hà Nội"},
            {"issued": date(2023, 6, 30), "issuer": "Ủy ban nhân dân thành phố Hà Nội"},
            True,
        ),
        ({"issued": date(2023, 6, 29)}, {"issued": date(2023, 6, 29)}, False),
        ({"issued": date(2023, 6, 29)}, {"issued": date(2024, 6, 29)}, False),
        ({"issued": date(2023, 6, 29)}, {"issued": None}, False),
        (
            {"issued": date(2023, 6, 29)},
            {"issued": date(2023, 6, 30), "issuer": "UBND tỉnh Hòa Châu"},
            False,
        ),
        (
            {"issued": date(2023, 6, 29), "issuer": None},
            {"issued": date(2023, 6, 30), "issuer": None},
            False,
        ),
    ],
)
def test_a_later_release_supersedes_an_older_one(
    older: dict[str, Any], newer: dict[str, Any], linked: bool, archive: Archive
) -> None:
    add(archive, release_of("b", **newer))
    add(archive, release_of("c", **older))
    assert archive.superseded() == ({"c" * 16: "b" * 16} if linked else {})


def test_the_newest_of_several_corrections_counts_and_unindexed_ones_do_not(
    archive: Archive,
) -> None:
    for name, day in (("b", 1), ("c", 2), ("d", 3)):
        add(archive, release_of(name, issued=date(2023, 6, day)), indexed=name != "d")
    assert archive.superseded() == {"b" * 16: "c" * 16}
    archive.mark_indexed(["d" * 16])
    assert archive.superseded() == {"b" * 16: "d" * 16, "c" * 16: "d" * 16}


def test_releases_that_claim_to_supersede_each_other_do_not_lead_round(archive: Archive) -> None:
    ring = [("b", "1", "3"), ("c", "2", "1"), ("d", "3", "2")]
    for name, number, older in ring:
        add(archive, replace(release_of(name, number=number), supersedes=older))
    links = archive.superseded()
    assert len(links) == 2
    assert set(links) != set(links.values())


def test_an_issuer_is_found_by_its_usual_abbreviation(archive: Archive) -> None:
    add(archive, replace(RELEASE, issuer="Ủy ban nhân dân thành phố Hà Nội"))
    for name in ("UBND Thành phố Hà Nội", "ubnd tp. ha noi", "Uỷ ban nhân dân"):
        assert archive.releases(Filters(issuer=name)) == archive.releases()
    assert archive.releases(Filters(issuer="HĐND")) == []


OLD_SCHEMA = """
CREATE TABLE releases (id VARCHAR(16) NOT NULL, sha256 VARCHAR(64) NOT NULL, source TEXT NOT NULL,
  language VARCHAR(2) NOT NULL, number TEXT, title TEXT, issuer TEXT, issued DATE, place TEXT,
  signer TEXT, kind TEXT, sections TEXT NOT NULL, pages TEXT NOT NULL, text TEXT NOT NULL,
  header BLOB NOT NULL, indexed BOOLEAN NOT NULL, PRIMARY KEY (id));
INSERT INTO releases VALUES ('bbbbbbbbbbbbbbbb', '', 'in/old.md', 'vi', '05/TC-UBND', NULL, NULL,
  '2022-01-05', NULL, NULL, NULL, '[]', '[]', 'Thu đạt 2 tỷ đồng.', x'00', 1);
"""


def test_a_database_of_an_older_version_gets_the_columns_it_lacks(settings: Settings) -> None:
    settings.data_dir.mkdir()
    with sqlite3.connect(settings.data_dir / "archive.sqlite3") as connection:
        connection.executescript(OLD_SCHEMA)
    connection.close()
    for _ in range(2):
        with Archive.open(settings) as archive:
            (old,) = [each for each in archive.releases() if each.id == "b" * 16]
            assert (old.number, old.text) == ("05/TC-UBND", "Thu đạt 2 tỷ đồng.")
            assert (old.subject, old.supersedes, old.provenance) == (None, None, ())
            add(archive, RELEASE)
            assert archive.release(RELEASE.id) == RELEASE


def test_a_damaged_database_says_what_to_do(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "archive.sqlite3").write_bytes(b"not a database, " * 500)
    with pytest.raises(StoreError) as caught:
        Archive.open(settings)
    assert "ingest again" in one_line(caught.value)


def test_a_database_cut_short_says_what_to_do(settings: Settings) -> None:
    with Archive.open(settings) as archive:
        add(archive, replace(RELEASE, text=TEXT + "\n" + "x" * 200_000))
    path = settings.data_dir / "archive.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(StoreError) as caught, Archive.open(settings) as archive:
        archive.releases()
    assert "ingest again" in one_line(caught.value)


@pytest.mark.parametrize("url", ["not a url", "nothing://x/y", "sqlite:////no/such/folder/a.db"])
def test_a_database_that_cannot_be_reached(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        Archive.open(Settings(data_dir=tmp_path, database_url=url))
    one_line(caught.value)


def test_another_database_is_used_when_it_is_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    with Archive.open(Settings(data_dir=tmp_path / "var", database_url=url)) as archive:
        add(archive, RELEASE)
        assert archive.releases() == [RELEASE]
    assert not (tmp_path / "var" / "archive.sqlite3").exists()


def test_a_second_writer_is_refused_within_a_second(settings: Settings) -> None:
    with writer_lock(settings):
        start = time.perf_counter()
        with pytest.raises(LockedError) as caught, writer_lock(settings):
            pass
        assert time.perf_counter() - start < 1
    assert str(settings.data_dir) in one_line(caught.value)
    with writer_lock(settings):
        pass


def test_errors_inside_the_lock_are_not_taken_for_its_own(settings: Settings) -> None:
    with pytest.raises(PermissionError, match="mine"), writer_lock(settings):
        raise PermissionError("mine")
