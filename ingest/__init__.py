"""From files to a searchable collection of releases."""

from ingest.pipeline import Failure, Summary, ingest, rebuild, remove, verify

__all__ = ["Failure", "Summary", "ingest", "rebuild", "remove", "verify"]
