"""Where documents come from: the search for files in folders."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ingest.load import reason, supported
from rag.errors import InputError


def discover(paths: Iterable[Path]) -> list[Path]:
    """The files to read for the given files and folders, in the order given, each file once.

    A file is taken as it is, whatever its suffix, so that `load` can say what is wrong with it. A
    folder gives its supported files at any depth, sorted by path; hidden files and folders and
    symbolic links that lead out of the folder are skipped, and linked folders are not entered.
    Empty when nothing is given or no folder holds a supported file.
    Raises `InputError` for a path that does not exist and for a folder that cannot be listed.
    """
    found: dict[Path, Path] = {}
    for given in paths:
        path = Path(given)
        try:
            if path.is_dir():
                candidates = _in_folder(path)
            elif path.exists():
                candidates = [path]
            else:
                raise InputError(f"path not found: {path}; check the path")
            for candidate in candidates:
                found.setdefault(candidate.resolve(), candidate)
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(f"cannot read {str(path)!r}: {reason(error)}") from error
    return list(found.values())


def _in_folder(folder: Path) -> list[Path]:
    root = folder.resolve()
    files: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            if name.startswith(".") or not supported(path) or not path.is_file():
                continue
            if path.resolve().is_relative_to(root):
                files.append(path)
    # A link sorts after what it points to, so that the file itself is the one that is kept.
    return sorted(files, key=lambda path: (path.is_symlink(), path))


def _refuse(error: OSError) -> None:
    raise error
