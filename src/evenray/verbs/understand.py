"""understand: what columns and folders are taken to mean, before any image is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evenray.core.recipe import ScanSettings
from evenray.core.understood import Understood
from evenray.stages.source import Source

__all__ = ["understand"]


def understand(data: str | Path, **settings: Any) -> Understood:
    """What the columns of a table, or the levels of folders, are taken to mean; no image is read but the headers of a few.

    `settings` are those of `scan`: labels, patient, column, uncertain, reader, ordered. Raises DataError where data can be read
    in two ways, with the option that chooses.
    """
    return Source(str(data), ScanSettings(**settings)).understood
