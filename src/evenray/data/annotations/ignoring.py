"""Whether a file of annotations says that an object counts neither way: that it is difficult or to be ignored, as a box a crowd."""

from __future__ import annotations

from typing import Any

from evenray.data.tables.meanings import FLAGS

__all__ = ["is_ignored"]

NOT_SAID = ("", "none", "unspecified")


def is_ignored(*flags: Any) -> bool:
    """Whether one of some flags, as numbers, words or None, is set.

    >>> is_ignored(0, "False"), is_ignored("Unspecified"), is_ignored(None, 1), is_ignored("yes")
    (False, False, True, True)
    """
    words = (str(flag).strip().casefold() for flag in flags)
    return any(word not in NOT_SAID and bool(FLAGS.get(word, True)) for word in words)
