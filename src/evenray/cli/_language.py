"""The language of the pages that a verb writes."""

from __future__ import annotations

from typing import Any

from evenray.core.errors import UsageError

__all__ = ["language_of"]


def language_of(given: dict[str, Any]) -> str:
    """The language asked for; UsageError where there is no report in it."""
    language: str = given.get("lang", "en")
    if language not in ("en", "ko"):
        raise UsageError(f"There is no report in '{language}'; give --lang en or --lang ko.")
    return language
