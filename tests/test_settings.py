"""Where settings come from, and what a person reads when one is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from rag.errors import RagError, SettingsError
from rag.settings import BUNDLED_MODEL, Settings


def test_the_defaults_work_offline_with_the_bundled_model() -> None:
    settings = Settings()
    assert settings.embedding_model == BUNDLED_MODEL
    assert settings.chat_model is None
    assert settings.chroma_url is None
    assert settings.database_url is None
    assert settings.data_dir == Path("var")


def test_keywords_win_over_the_environment_and_that_over_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAG_DATA_DIR", "/from/environment")
    monkeypatch.setenv("RAG_TOP_K", "7")
    settings = Settings(data_dir="/from/keyword")
    assert settings.data_dir == Path("/from/keyword")
    assert settings.top_k == 7


def test_an_empty_variable_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_CHAT_MODEL", "")
    monkeypatch.setenv("RAG_TOP_K", "")
    assert Settings().chat_model is None
    assert Settings().top_k == 10


def test_the_cache_folder_is_in_the_home_of_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings(cache_dir="~/weights").weights_dir == tmp_path / "weights"


@pytest.mark.parametrize("name", ["RAG_DATADIR", "RAG_EMBEDING_MODEL", "rag_nonsense"])
def test_an_unknown_variable_is_an_error_that_lists_the_known_ones(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(SettingsError) as caught:
        Settings()
    message = str(caught.value)
    assert name in message
    assert "RAG_DATA_DIR" in message
    assert "\n" not in message


def test_an_unknown_keyword_is_an_error_that_names_it() -> None:
    with pytest.raises(SettingsError, match="data_folder") as caught:
        Settings(data_folder="x")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RAG_TOP_K", "0"),
        ("RAG_TOP_K", "many"),
        ("RAG_THRESHOLD", "1.5"),
        ("RAG_MAX_QUESTION_CHARS", "-1"),
    ],
)
def test_a_value_that_does_not_fit_names_the_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        Settings()
    assert "\n" not in str(caught.value)


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.top_k = 3


def test_every_error_of_this_product_is_caught_as_one() -> None:
    with pytest.raises(RagError):
        Settings(top_k=0)
