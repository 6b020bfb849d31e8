"""Every error that the library raises on purpose.

A message says what was given, what was expected and what to do next. Anything else that escapes is a bug.
"""

from __future__ import annotations


class CommitmentsError(Exception):
    """Base of every error raised on purpose by this library."""


class ReadError(CommitmentsError):
    """A source could not be turned into text: missing, undecodable, damaged, or without a text layer.

    Args:
        name: the file or row that was given, as the user would recognise it.
        reason: what is wrong with it, and what to do about it.

    >>> str(ReadError("letter.pdf", "has no text layer; run OCR on it first"))
    'letter.pdf: has no text layer; run OCR on it first'
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class SchemaError(CommitmentsError):
    """A dict, a JSON row, a gold file or a table of rules does not have the fields that it must have."""


class ModelError(CommitmentsError):
    """A model is unknown, incomplete, or not what its name says."""


class MissingExtra(CommitmentsError, ImportError):  # noqa: N818 - named in the public interface
    """A feature needs an optional package that is not installed.

    Args:
        what: the feature that was asked for.
        extra: the extra that provides it, as in ``commitments[extra]``.

    >>> str(MissingExtra("Reading .pdf", "files"))
    "Reading .pdf needs an extra that is not installed: pip install 'commitments[files]'"
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an extra that is not installed: pip install 'commitments[{extra}]'")
        self.extra = extra
