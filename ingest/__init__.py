"""From files to a searchable collection of releases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.pipeline import Failure, Summary, ingest, rebuild, remove, verify

__all__ = ["Failure", "Summary", "ingest", "rebuild", "remove", "verify"]


def __getattr__(name: str) -> Any:
    # The pipeline pulls in the stores; a process that only reads files must start without them.
    if name in __all__:
        from ingest import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
