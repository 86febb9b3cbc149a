"""What stood in the way of one document."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that did not make it into the collection; the others go on."""

    source: str
    """As in `Document.source`, or the argument itself where nothing was found."""
    stage: str
    """`find`, `fetch`, `read`, `embed` or `store`."""
    reason: str
    """One line: what happened, to which input, and what to do."""
