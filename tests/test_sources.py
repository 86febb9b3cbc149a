"""Finding documents, with real files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.sources import discover
from rag.errors import InputError


def write(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return path


def test_folder_gives_supported_files_at_any_depth_in_order(tmp_path: Path) -> None:
    kept = [
        write(tmp_path, "a.md", "x"),
        write(tmp_path, "b/c.TXT", "x"),
        write(tmp_path, "b/d.md", "x"),
    ]
    for name in ("note.pdfx", ".hidden.md", ".git/e.md", "b/.f/g.txt"):
        write(tmp_path, name, "x")
    assert discover([tmp_path]) == kept


def test_files_are_taken_as_given_and_once(tmp_path: Path) -> None:
    odd = write(tmp_path, "z.odt", "x")
    first = write(tmp_path, "b.md", "x")
    second = write(tmp_path, "a.md", "x")
    again = tmp_path / "." / "b.md"
    assert discover([odd, first, again, tmp_path]) == [odd, first, second]


def test_links_out_of_the_folder_are_skipped(tmp_path: Path) -> None:
    outside = write(tmp_path, "outside/secret.md", "x")
    folder = tmp_path / "in"
    inside = write(folder, "z.md", "x")
    (folder / "link.md").symlink_to(outside)
    (folder / "again.md").symlink_to(inside)
    (folder / "dir").symlink_to(tmp_path / "outside", target_is_directory=True)
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "broken.md").symlink_to(folder / "none.md")
    assert discover([folder]) == [inside]


def test_nothing_and_an_empty_folder_give_nothing(tmp_path: Path) -> None:
    assert discover([]) == []
    assert discover([tmp_path]) == []


def test_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="path not found"):
        discover([tmp_path / "none"])
