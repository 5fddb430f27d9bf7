"""How an inner loop is compiled: without the interpreter's lock, without fast-math, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["compiled"]


def compiled(function: F) -> F:
    """Compiled on first use and kept on disk; where no folder can be written, compiled anew in each process.

    No fast-math: the same bytes on every machine of a kind. Threads share the work, as the interpreter is released.
    """
    made: Any
    try:
        made = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:
        made = numba.njit(nogil=True)(function)
    ready: F = made
    return ready
