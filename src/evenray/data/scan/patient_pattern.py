"""The pattern of --patient: a regular expression of the user's, searched in every path, that must not take for ever."""

from __future__ import annotations

import unicodedata

import regex

from evenray.core.errors import UsageError

__all__ = ["compiled", "patient_of"]

SECONDS = 1.0  # in one path; a pattern that does not backtrack takes microseconds


def compiled(text: str | None) -> regex.Pattern[str] | None:
    """The pattern, None where none is given; UsageError where it is no regular expression."""
    try:
        return regex.compile(unicodedata.normalize("NFC", text)) if text else None
    except (regex.error, RecursionError, OverflowError) as error:
        raise UsageError(
            f"The patient pattern '{text}' is no regular expression: {error}; try '(person[0-9]+)'."
        ) from None


def patient_of(pattern: regex.Pattern[str] | None, file: str) -> str | None:
    """What the pattern finds in a relative path: its groups joined, or the whole match where it has none; never "".

    Both are composed (NFC) first, as macOS takes the letters of names apart.

    Raises UsageError for a pattern that tries too many ways to fit, as `(a+)+b` does.

    >>> patient_of(compiled(r"(train|test)/.*(person[0-9]+)"), "test/SICK/person12_virus_3.jpeg")
    'test/person12'
    >>> patient_of(compiled(r"(person[0-9]+)?"), "SICK/IM-1.jpeg") is None
    True
    """
    try:
        found = pattern.search(unicodedata.normalize("NFC", file), timeout=SECONDS) if pattern else None
    except TimeoutError:
        assert pattern is not None
        raise UsageError(
            f"The patient pattern '{pattern.pattern}' takes more than {SECONDS:g} s in the path '{file}', for it can fit in too many"
            " ways; leave out repeated groups within a repeat, such as (a+)+."
        ) from None
    if not found:
        return None
    groups = [group for group in found.groups() if group]
    return "/".join(groups) or found.group() or None
