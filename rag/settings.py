"""The one settings object: read once at the edge, passed in everywhere else."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import SettingsError

BUNDLED_MODEL = "multilingual-e5-small"
_PREFIX = "RAG_"
_USER = re.compile(r"//.*@")
_SECRET = re.compile(r"([?&](?:password|sslpassword|token)=)[^&]*", re.I)


class Settings(BaseSettings):
    """Settings from keyword arguments, then `RAG_*` environment variables, then defaults.

    Raises `SettingsError` for an unknown name or a value that does not fit.
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, extra="forbid", frozen=True, env_ignore_empty=True
    )

    data_dir: Path = Field(Path("var"), description="Folder of the archive and the indexes.")
    cache_dir: Path = Field(
        Path("~/.cache/release-qa"), description="Folder of the unpacked embedding weights."
    )
    embedding_model: str = Field(
        BUNDLED_MODEL, description="The bundled model, or a Sentence Transformers id or path."
    )
    chat_model: str | None = Field(
        None, description="What LangChain's init_chat_model takes, e.g. ollama:llama3.2."
    )
    database_url: str | None = Field(
        None, description="SQLAlchemy URL of the archive; default: a SQLite file in data_dir."
    )
    chroma_url: str | None = Field(
        None, description="URL of a Chroma server; default: a folder in data_dir."
    )
    chroma_token: SecretStr | None = Field(
        None, description="Token sent to the Chroma server, for a gateway that asks for one."
    )
    ray_address: str | None = Field(
        None, description="Address of a Ray cluster for --engine ray; default: this machine."
    )
    threshold: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        description="Chance of an answer below which a question is refused; default: fitted.",
    )
    top_k: int = Field(10, ge=1, le=100, description="Passages that the reader looks at.")
    max_question_chars: int = Field(1000, ge=1, description="Longest question taken.")

    def __init__(self, **values: Any) -> None:
        known = {_PREFIX + name.upper() for name in type(self).model_fields}
        for name in sorted(os.environ):
            if name.upper().startswith(_PREFIX) and name.upper() not in known:
                raise SettingsError(
                    f"unknown setting {name}: known are {', '.join(sorted(known))}; unset it"
                )
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "settings"
            raise SettingsError(
                f"setting {name}: {first['msg']} (environment variable {_PREFIX}{name.upper()})"
            ) from error

    @property
    def weights_dir(self) -> Path:
        """The cache folder with `~` resolved."""
        return self.cache_dir.expanduser()


def without_password(url: str) -> str:
    """A URL as it may be shown: the user with the password, and secret parameters, as `***`.

    Works on URLs that cannot be parsed too, since those are shown in errors.
    """
    return _SECRET.sub(r"\1***", _USER.sub("//***@", url))
