"""Release QA: ask government releases, get the figure and the exact passage it stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag.errors import RagError
from rag.schema import Answer, Citation, Evidence, Figure, Filters, Hit, Passage, Release

if TYPE_CHECKING:
    from rag.answer import verify
    from rag.assistant import Assistant, ask
    from rag.settings import Settings

__all__ = [
    "Answer",
    "Assistant",
    "Citation",
    "Evidence",
    "Figure",
    "Filters",
    "Hit",
    "Passage",
    "RagError",
    "Release",
    "Settings",
    "ask",
    "verify",
]


def __getattr__(name: str) -> Any:
    # The assistant pulls in LangChain; who needs only the values should not wait for it.
    if name in ("Assistant", "ask"):
        from rag import assistant

        return getattr(assistant, name)
    if name == "verify":
        from rag.answer import verify

        return verify
    if name == "Settings":
        # Pydantic takes longer to import than a reader of files takes to start.
        from rag.settings import Settings

        return Settings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
