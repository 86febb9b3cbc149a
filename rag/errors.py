"""Errors that a user can meet.

    RagError                    anything below; `except RagError` at an edge
    ├── QuestionError           empty, too long, or not text
    ├── SettingsError           an unknown or ill-formed setting
    ├── InputError              a path or file that cannot be read as a release
    ├── WeightsError            bundled weights missing or corrupted
    ├── StoreError              data folder unreadable, full or damaged
    │   ├── NothingIngestedError    asked before any release was ingested
    │   ├── ModelMismatchError      the index was made by another embedding model
    │   └── LockedError             another process is writing
    ├── ChatModelError          the configured chat model failed
    └── GoldError               a gold file or question set that cannot be used

Each message is one line: what happened, to which input, and what to do.
"""

from __future__ import annotations


class RagError(Exception):
    """Base of every error that this product raises on purpose."""


class QuestionError(RagError):
    """The question is empty, too long, or not text."""


class SettingsError(RagError):
    """A setting is unknown or has a value that cannot be used."""


class InputError(RagError):
    """A path or file cannot be read as a release."""


class WeightsError(RagError):
    """The bundled weights are missing or do not match their checksum."""


class StoreError(RagError):
    """The data folder cannot be read or written, or its content is damaged."""


class NothingIngestedError(StoreError):
    """A question was asked before any release was ingested."""


class ModelMismatchError(StoreError):
    """The index was made by another embedding model than the one in use."""


class LockedError(StoreError):
    """Another process holds the writer's lock."""


class ChatModelError(RagError):
    """The configured chat model cannot be made or did not answer."""


class GoldError(RagError):
    """A gold file or a public question set cannot be used as it is."""
