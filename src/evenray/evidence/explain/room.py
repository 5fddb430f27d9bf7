"""How many images are explained at once, and whether an image is too large for it: what is explained is of whole images, also where a
network is trained on patches of them."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from evenray.learning.networks import Classifier, members
from evenray.learning.networks.anatomy import anatomy, totals

__all__ = ["AT_ONCE", "fits", "parts_of"]

AT_ONCE = 16 * 320 * 320  # pixels that go through a network together, where no gradient of its trunk is taken
MOST = (
    4 * 2**30
)  # bytes of maps that one image may make; with their gradients and copies some three times as many are taken


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


def fits(model: Classifier, side: int) -> bool:
    """Whether a whole image of `side` pixels can be explained, by what the layers of one network make of it.

    >>> from evenray.learning.networks import build
    >>> model = build("unet(vgg11_bn(width=0.25))", classes=2, channels=1, size=224)
    >>> fits(model, 1024), fits(model, 4096)
    (True, False)
    """
    if side <= model.size:
        return True
    one = members(model)[0]
    return totals(anatomy(one))["activation_bytes"] * (side / one.size) ** 2 <= MOST
