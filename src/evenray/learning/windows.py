"""Windows of images that are larger than the network, which overlap by half; and masks of such images, in which they are blended."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from .networks import Classifier, mean_of
from .tasks.checking import check_view

__all__ = ["map_logits", "window_starts", "windows"]

OVERLAP = 0.5  # of a window's side, as in nnU-Net (Isensee et al. 2021)
SIGMA = 1 / 8  # of the weight's bell, in window sides, as there
TOGETHER = 4  # windows that are looked at at once


def map_logits(model: Classifier, x_NCHW: Tensor, view: str = "centre") -> Tensor:
    """Logits (N, K, H, W) float32 of images; where they are larger than the network's size, of windows, whose probabilities are
    averaged with a weight that falls from their middle to their border. In `flips` the mirror image is averaged with it.

    Beside the images themselves memory is needed for the sums, K + 1 values a pixel of one image, and a few windows.

    >>> from evenray.learning.networks import build
    >>> model = build("unet('vgg11(width=0.1)')", classes=2, channels=1, size=32).eval()
    >>> map_logits(model, torch.zeros(1, 1, 70, 40)).shape
    torch.Size([1, 2, 70, 40])
    """
    check_view(view)
    looks = [False] if view == "centre" else [False, True]
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            if max(x_NCHW.shape[-2:]) <= model.size:
                said = [_mirrored(model(_mirrored(x_NCHW, look)).float(), look) for look in looks]
                # Of logarithms, for a probability of a sure pixel may be 0, whose infinite logarithm resizing would make NaN.
                return said[0] if len(said) == 1 else mean_of(said, "softmax")
            return torch.cat([_blended(model, x[None], looks) for x in x_NCHW])
    finally:
        model.train(training)


def window_starts(side: int, size: int) -> list[int]:
    """Where windows of `size` begin along a side: from edge to edge, in even steps of half a window at most.

    >>> window_starts(100, 40), window_starts(30, 40)
    ([0, 20, 40, 60], [0])
    """
    room = max(0, side - size)
    steps = -(-room // max(1, int(size * (1 - OVERLAP))))
    return [round(room * i / steps) for i in range(steps + 1)] if steps else [0]


def windows(x_1CHW: Tensor, size: int) -> Iterator[tuple[Tensor, list[tuple[int, int]]]]:
    """The windows of an image, a few at once, (n, C, size, size) at most, with the (top, left) of each.

    >>> [(tuple(some.shape), places) for some, places in windows(torch.zeros(1, 1, 40, 90), 60)]
    [((2, 1, 40, 60), [(0, 0), (0, 30)])]
    """
    height, width = x_1CHW.shape[-2:]
    places = [(top, left) for top in window_starts(height, size) for left in window_starts(width, size)]
    for start in range(0, len(places), TOGETHER):
        some = places[start : start + TOGETHER]
        yield torch.cat([x_1CHW[..., top : top + size, left : left + size] for top, left in some]), some


def _blended(model: Classifier, x_1CHW: Tensor, looks: list[bool]) -> Tensor:
    height, width = x_1CHW.shape[-2:]
    bell = _bell(model.size).to(x_1CHW.device)
    total = weight = torch.zeros((), device=x_1CHW.device)
    for some, places in windows(x_1CHW, model.size):
        for look in looks:
            p_NKHW = _mirrored(model(_mirrored(some, look)).float().softmax(1), look)
            if total.ndim == 0:
                total = p_NKHW.new_zeros(p_NKHW.shape[1], height, width)
                weight = p_NKHW.new_zeros(height, width)
            for p_KHW, (top, left) in zip(p_NKHW, places, strict=True):
                rows, columns = p_KHW.shape[-2:]
                own = bell[:rows, :columns]
                total[:, top : top + rows, left : left + columns] += p_KHW * own
                weight[top : top + rows, left : left + columns] += own
    return total.div_(weight).clamp_min_(1e-9).log_()[None]


def _bell(size: int) -> Tensor:
    along = torch.exp(-(((torch.arange(size) - (size - 1) / 2) / (size * SIGMA)) ** 2) / 2)
    return (along[:, None] * along).clamp_min(1e-4)


def _mirrored(x: Tensor, look: bool) -> Tensor:
    return x.flip(-1) if look else x
