"""The options that the verbs histogram and enhance share: the grey range, and the window."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from evenray.core.errors import UsageError

__all__ = ["PANEL", "ValueRange", "Window", "pair"]

PANEL = "Light"
ValueRange = Annotated[
    Optional[str],  # noqa: UP045  (typer reads it at run time)
    typer.Option("--value-range", help="LOW,HIGH: the true grey range of files that declare none, such as 0,4095."),
]
Window = Annotated[
    str, typer.Option("--window", help="header, none, or a CT window such as brain, lung or mediastinum.")
]


def pair(text: str | None) -> tuple[float, float] | None:
    """LOW,HIGH as two numbers.

    >>> pair("0,4095")
    (0.0, 4095.0)
    """
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--value-range is '{text}'; expected LOW,HIGH, such as 0,4095.") from None
    return low, high
