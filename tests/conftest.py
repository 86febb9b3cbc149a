"""What the tests share: no network, the real model once, the sample releases ingested once.

`pyproject.toml` lets tests open loopback and Unix sockets only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from ingest import ingest
from rag.embedding import Embedder, open_embedder
from rag.settings import Settings

if TYPE_CHECKING:
    from rag.assistant import Assistant

ROOT = Path(__file__).resolve().parent.parent

# Settings of the person who runs the tests must not change what is tested.
for _name in [name for name in os.environ if name.upper().startswith("RAG_")]:
    if _name != "RAG_CACHE_DIR":
        del os.environ[_name]
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The bundled model; opened once."""
    return open_embedder(Settings())


@pytest.fixture(scope="session")
def sample_settings(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a collection that holds `data/releases`; not to be written to."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("sample") / "var")
    summary = ingest([ROOT / "data" / "releases"], settings, embedder=embedder)
    assert not summary.failed
    return settings


@pytest.fixture(scope="session")
def sample_assistant(sample_settings: Settings) -> Iterator[Assistant]:
    """An assistant over `data/releases`."""
    from rag.assistant import Assistant

    with Assistant.open(sample_settings) as assistant:
        yield assistant
