"""How many images are explained at once."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

__all__ = ["AT_ONCE", "parts_of"]

AT_ONCE = 16 * 320 * 320  # pixels that go through a network together, where no gradient of its trunk is taken


def parts_of(x_NCHW: Tensor) -> Iterator[slice]:
    """Which images go through a network together.

    >>> import torch
    >>> [(part.start, part.stop) for part in parts_of(torch.zeros(3, 1, 1024, 1024))]
    [(0, 1), (1, 2), (2, 3)]
    >>> len(list(parts_of(torch.zeros(16, 1, 224, 224))))
    1
    """
    each = max(1, AT_ONCE // (x_NCHW.shape[-1] * x_NCHW.shape[-2]))
    yield from (slice(first, min(first + each, len(x_NCHW))) for first in range(0, len(x_NCHW), each))
