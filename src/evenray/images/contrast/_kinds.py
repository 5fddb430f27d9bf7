"""What a method declares about itself, as marks that the engine and the conformance suite read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["is_monotone", "monotone", "needs_counts", "needs_pixels", "on_pixels", "pointwise"]


def monotone(function: F) -> F:
    """Declare that the curve never falls: a brighter level never becomes darker than a darker one."""
    function.monotone = True  # type: ignore[attr-defined]
    return function


def pointwise(function: F) -> F:
    """Declare that the curve follows from the levels alone: the engine then does not count the pixels."""
    function.pointwise = True  # type: ignore[attr-defined]
    return function


def on_pixels(function: F) -> F:
    """Declare `f(image, **params) -> Image`: the method looks at where pixels are, so one curve cannot describe it."""
    function.on_pixels = True  # type: ignore[attr-defined]
    return function


def is_monotone(function: Callable[..., Any]) -> bool:
    return bool(getattr(function, "monotone", False))


def needs_counts(function: Callable[..., Any]) -> bool:
    return not getattr(function, "pointwise", False)


def needs_pixels(function: Callable[..., Any]) -> bool:
    return bool(getattr(function, "on_pixels", False))
