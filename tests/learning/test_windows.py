"""Windows: every pixel is looked at, blended windows say what the network says, and memory stays bounded."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from evenray.core.errors import UsageError
from evenray.learning.networks import build
from evenray.learning.predict.calling import Calling
from evenray.learning.tasks.checking import check_view
from evenray.learning.windows import TOGETHER, map_logits, window_starts
from evenray.metrics.pixel_bins import log_odds_of


class Pixelwise(nn.Module):
    """Says of a pixel what it is alone, wherever the window lies; remembers how much it was shown."""

    size = 32

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[int, ...]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.shown.append(tuple(x.shape))
        return torch.cat([torch.zeros_like(x), 4 * x - 2], 1)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 80), (100, 71), (20, 90)])
def test_blended_windows_say_of_each_pixel_what_it_is(height: int, width: int) -> None:
    network, x = Pixelwise(), torch.rand(2, 1, height, width)
    found = map_logits(network, x)  # type: ignore[arg-type]
    torch.testing.assert_close(found.softmax(1)[:, 1:], (4 * x - 2).sigmoid(), rtol=1e-4, atol=1e-5)
    assert max(shape[0] for shape in network.shown) <= max(TOGETHER, 2)
    assert max(max(shape[2:]) for shape in network.shown) <= 32


def test_windows_overlap_by_half_and_reach_the_edges() -> None:
    for side in range(20, 130, 7):
        starts = window_starts(side, 32)
        assert starts[0] == 0
        assert starts[-1] == max(0, side - 32)
        assert all(0 < b - a <= 16 for a, b in pairwise(starts))


def test_a_whole_image_is_looked_at_as_it_is() -> None:
    model, x = build("unet('vgg11(width=0.1)')", classes=2, channels=1, size=48).eval(), torch.rand(2, 1, 48, 40)
    torch.testing.assert_close(map_logits(model, x), model(x))


def test_mirrored_images_are_averaged() -> None:
    model, x = build("unet('vgg11(width=0.1)')", classes=3, channels=1, size=48).eval(), torch.rand(1, 1, 48, 48)
    wanted = (model(x).softmax(1) + model(x.flip(3)).softmax(1).flip(3)) / 2
    torch.testing.assert_close(map_logits(model, x, "flips").softmax(1), wanted)


@pytest.mark.parametrize("side", [32, 60])
def test_sure_pixels_stay_sure_in_mirrored_images_that_are_resized(side: int) -> None:
    """A probability of 0 or 1 has log-odds without end, which nothing can be interpolated from."""

    class Sure(Pixelwise):
        def forward(self, x: Tensor) -> Tensor:
            return 200 * super().forward(x)

    x = torch.zeros(1, 1, side, side)
    x[..., 8:24, 8:20] = 1
    found = map_logits(Sure(), x, "flips")  # type: ignore[arg-type]
    assert bool(found.isfinite().all())
    log_odds = np.moveaxis(log_odds_of(found[0].numpy()), 0, -1)
    mask = Calling((0.0,)).in_image(log_odds, (2 * side, 2 * side))
    assert np.mean(mask == x[0, 0].numpy().repeat(2, 0).repeat(2, 1)) > 0.97


@pytest.mark.parametrize("view", ["dense", "multicrop", "centre | flips"])
def test_other_views_are_refused(view: str) -> None:
    with pytest.raises(UsageError, match="give centre or flips"):
        check_view(view)
