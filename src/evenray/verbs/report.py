"""The page of a run, written anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evenray.core.events import Listener

from .run import Target, run

__all__ = ["report"]


def report(
    target: Target, output: str | Path | None = None, *, listener: Listener | None = None, **settings: Any
) -> Path:
    """Write report.html and return its path; stages that are missing or out of date are done first. See `run`."""
    done = run(target, None, output, until="report", listener=listener, **settings)
    assert done.report is not None
    return done.report
