"""The class that sensitivity is about."""

from __future__ import annotations

import re
from collections.abc import Iterable

from evenray.core.errors import UsageError

__all__ = ["no_class", "positive_class"]

HEALTHY = {"normal", "healthy", "negative", "benign", "control", "no finding", "no_finding", "none", "0", "no", "정상"}


def no_class(asked: str, classes: Iterable[str]) -> UsageError:
    """The error of a positive class that is none."""
    known = ", ".join(sorted(classes))
    return UsageError(
        f"There is no class named '{asked}'; {f'the classes are: {known}' if known else 'there are none'}."
    )


def positive_class(classes: tuple[str, ...], counts: dict[str, int], asked: str | None) -> tuple[str, str]:
    """The class that sensitivity is about, and why: the one asked for, the one that is not healthy, or the rarer.

    >>> positive_class(("NORMAL", "PNEUMONIA"), {"NORMAL": 5, "PNEUMONIA": 9}, None)
    ('PNEUMONIA', 'it is the class whose name does not mean healthy')
    """
    if asked is not None:
        if asked not in classes:
            raise no_class(asked, classes)
        return asked, "it was asked for"
    if not classes:
        return "", ""
    sick = [name for name in classes if not set(re.split(r"[,/;]\s*", name.lower())) & HEALTHY]
    if len(sick) == 1:
        return sick[0], "it is the class whose name does not mean healthy"
    candidates = sick if len(sick) > 1 else list(classes)
    return min(candidates, key=lambda name: (counts[name], name)), "it is the rarest class that may mean disease"
