"""Imports run one way, and third parties have one home each."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

ORDER = [
    "schema",
    "errors",
    "settings",
    "language",
    "diacritics",
    "units",
    "numerals",
    "figure_writing",
    "figures",
    "tables",
    "period",
    "respective",
    "weights",
    "embedding",
    "archive",
    "lexical",
    "index",
    "question",
    "conversation",
    "expected",
    "retrieve",
    "spans",
    "opposites",
    "span_features",
    "evidence",
    "confidence",
    "answer",
    "assistant",
    "__init__",
    "__main__",
]
"""A module of `rag` imports only modules that stand before it."""
INGEST_MAY_USE = ORDER[: ORDER.index("index") + 1]

HOMES = {
    "chromadb": {"rag.index"},
    "sentence_transformers": {"rag.embedding"},
    "torch": {"rag.embedding"},
    "onnxruntime": {"rag.embedding"},
    "onnx": {"rag.weights"},
    "safetensors": {"rag.weights"},
    "tokenizers": {"rag.weights", "rag.embedding"},
    "ray": {"ingest.ray_engine"},
    "sqlalchemy": {"rag.archive"},
    "threadpoolctl": {"rag.retrieve"},
    "filelock": {"rag.archive"},
    "langchain": {"rag.answer"},
    "langchain_text_splitters": {"ingest.passages"},
    "httpx": {"ingest.web", "ingest.feeds"},
    "httpcore": {"ingest.web"},
    "protego": {"ingest.web"},
    "watchfiles": {"ingest.watch"},
    "pdfplumber": {"ingest.pdf"},
    "pdfminer": {"ingest.pdf"},
    "pypdfium2": {"ingest.pdf"},
    "docx": {"ingest.word"},
    "striprtf": {"ingest.word"},
    "PIL": {"ingest.pdf", "ingest.ocr"},
}
"""Modules of the product in which a third party may be imported."""


def _modules(package: str) -> dict[str, Path]:
    return {path.stem: path for path in sorted((ROOT / package).glob("*.py"))}


def _imports(path: Path) -> set[str]:
    """Every module named in an import statement of a file, at any depth."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            found.add(module)
            # `from rag import schema` names a module too.
            if module in ("rag", "ingest", "eval"):
                names = {alias.name for alias in node.names}
                found.update(f"{module}.{name}" for name in names & set(_modules(module)))
    return found


def _within(package: str, imports: set[str]) -> set[str]:
    """The modules of a package that are imported; the package itself counts as `__init__`."""
    inner = {name.split(".")[1] for name in imports if name.startswith(f"{package}.")}
    return inner | ({"__init__"} if package in imports and not inner else set())


@pytest.mark.parametrize("name", _modules("rag"))
def test_a_module_imports_only_what_stands_before_it(name: str) -> None:
    assert name in ORDER, f"give rag/{name}.py its place in the order"
    imports = _imports(_modules("rag")[name])
    later = [
        other
        for other in _within("rag", imports)
        if other not in ORDER or ORDER.index(other) >= ORDER.index(name)
    ]
    assert not later, f"rag/{name}.py imports {later}"
    above = {found for found in imports if found.split(".")[0] in ("ingest", "eval", "app", "ui")}
    assert not above, f"rag/{name}.py imports {above}"


@pytest.mark.parametrize("name", _modules("ingest"))
def test_ingest_uses_nothing_above_the_index(name: str) -> None:
    imports = _imports(_modules("ingest")[name])
    assert _within("rag", imports) <= set(INGEST_MAY_USE)
    assert not {found for found in imports if found.split(".")[0] in ("eval", "app", "ui")}


@pytest.mark.parametrize("name", _modules("eval"))
def test_eval_does_not_use_the_app(name: str) -> None:
    imports = _imports(_modules("eval")[name])
    assert not {found for found in imports if found.split(".")[0] in ("app", "ui")}


@pytest.mark.parametrize("package", ["rag", "ingest"])
def test_third_parties_stay_at_home(package: str) -> None:
    for name, path in _modules(package).items():
        for found in {imported.split(".")[0] for imported in _imports(path)} & set(HOMES):
            assert f"{package}.{name}" in HOMES[found], f"{package}/{name}.py imports {found}"
        assert "gradio" not in {imported.split(".")[0] for imported in _imports(path)}


def test_the_environment_is_read_in_one_place() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for package in ("rag", "ingest")
        for path in _modules(package).values()
        if "environ" in path.read_text("utf-8") or "getenv" in path.read_text("utf-8")
    ]
    # Ray takes some of its own settings from the environment alone; there they are written.
    assert sorted(readers) == ["ingest/ray_engine.py", "rag/settings.py"]


@pytest.mark.parametrize("module", ["rag", "ingest", "rag.__main__", "ingest.__main__"])
def test_importing_does_no_heavy_work(module: str, tmp_path: Path) -> None:
    code = (
        f"import sys, {module}\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'chromadb', 'onnxruntime', "
        "'gradio', 'onnx', "
        "'pdfplumber', 'pypdfium2', 'docx', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
    assert list(tmp_path.iterdir()) == []
