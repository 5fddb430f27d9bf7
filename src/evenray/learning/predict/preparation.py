"""How the pixels of a file become those that a network takes. Processes that decode files need this and no PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from evenray.core.types import Image
from evenray.data.letterbox import Placement, letterbox
from evenray.images.contrast import add_references, enhance
from evenray.images.histogram import Histogram

__all__ = ["Preparation"]


@dataclass(frozen=True)
class Preparation:
    """The part of `About` between a file and the network: `side`, `channels` and `scale` (white) are those of the network's
    pixels, `references` the histograms that `contrast` names; `described` asks for the fingerprints that tell unfamiliar images.

    >>> import numpy as np
    >>> image = Image(np.array([[0, 255], [255, 0]], np.uint8), (0, 255))
    >>> Preparation("none", side=4, channels=1, scale=255).pixels(image).shape
    (4, 4)
    """

    contrast: str
    side: int
    channels: int
    scale: int
    value_range: tuple[float, float] | None = None
    described: bool = False
    references: Mapping[str, Histogram] = field(default_factory=dict)

    def pixels(self, image: Image) -> NDArray[Any]:
        """An image as the network takes it but for the division by `scale`: (side, side[, 3]) of uint8 or uint16."""
        return self.placed(image)[0]

    def placed(self, image: Image) -> tuple[NDArray[Any], Placement]:
        """`pixels`, and where the image lies in them."""
        add_references(self.references)  # this may be another process than the one that read the model
        return letterbox(enhance(image, self.contrast), self.side, self.channels, self.scale)
