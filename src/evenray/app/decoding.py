"""Images decoded in other processes: a file that crashes its decoder costs an answer, not the server.

The processes import this module, so it imports no more than it takes to read.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from evenray.core.errors import ReadError
from evenray.core.types import Image
from evenray.images.readers import fragments, middle, read

__all__ = ["Wanted", "read_wanted"]


class Wanted(NamedTuple):
    """One image of a file; None is the middle one."""

    path: Path
    fragment: str | None
    value_range: tuple[float, float] | None


def read_wanted(wanted: Wanted) -> Image | str:
    """The image, or why it cannot be read."""
    try:
        fragment = middle(fragments(wanted.path)) if wanted.fragment is None else wanted.fragment
        return read(wanted.path, fragment=fragment, value_range=wanted.value_range)
    except ReadError as error:
        return error.reason
