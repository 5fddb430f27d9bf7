"""Clarifai, the winner of the ILSVRC 2013 classification task (11.7 % top-5 test error for several nets, 12.5 % for one).

Known: Russakovsky et al. 2015, section 5.1 and its table of entries. Several large convolutional networks, averaged;
their architectures chosen with the visualisation technique of Zeiler & Fergus; trained with dropout, following
Krizhevsky et al. The author is M. Zeiler. Nothing else was published: no table of layers, no weights.

Assumed: the best architecture that Zeiler & Fergus found that way and did publish, their (b), with 512, 1024 and 512
maps in layers 3 to 5. So a "Clarifai" row made with this file compares that assumption, not the winner's network.

>>> clarifai(2, 1, 28, width=0.05).features[12]
Conv2d(52, 26, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
"""

from __future__ import annotations

from ._layers import Dropout, Grid, Head, Width
from ._network import ConvNet
from .zeiler_fergus import zeiler_fergus

__all__ = ["clarifai"]


def clarifai(
    classes: int,
    channels: int,
    size: int,
    *,
    head: Head = "classical",
    dropout: Dropout = 0.5,
    width: Width = 1.0,
    grid: Grid | None = None,
) -> ConvNet:
    """The network (b) of Zeiler & Fergus; see the top of this file for what is known and what is assumed."""
    return zeiler_fergus(classes, channels, size, maps="b", head=head, dropout=dropout, width=width, grid=grid)
