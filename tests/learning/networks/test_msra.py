"""Spatial pyramid pooling, at any size."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from evenray.learning.networks import build
from evenray.learning.tta import tta_logits


@pytest.mark.parametrize("sides", [(13, 13), (10, 10), (18, 18), (1, 1), (2, 5), (7, 23), (31, 6)])
def test_the_pyramid_is_adaptive_max_pooling(sides: tuple[int, int]) -> None:
    network = build("msra(width=0.05)", classes=2, channels=1, size=28).network
    x = torch.randn(2, 26, *sides, generator=torch.Generator().manual_seed(0))
    expected = torch.cat([nn.AdaptiveMaxPool2d(side)(x).flatten(1) for side in (6, 3, 2, 1)], 1)
    assert torch.equal(network.pool(x), expected)


@pytest.mark.parametrize("side", [13, 10])
def test_at_the_papers_map_sizes_the_windows_are_the_papers(side: int) -> None:
    """Section 2.3: windows of ceil(a / n), a stride of floor(a / n), for 224 (a = 13) and 180 (a = 10) pixels."""
    network = build("msra(width=0.05, levels=[3, 2, 1])", classes=2, channels=1, size=28).network
    x = torch.randn(1, 26, side, side, generator=torch.Generator().manual_seed(0))
    pooled = [nn.functional.max_pool2d(x, -(-side // n), side // n).flatten(1) for n in (3, 2, 1)]
    assert torch.equal(network.pool(x), torch.cat(pooled, 1))


@pytest.mark.parametrize("base", ["overfeat7", "overfeat5", "zf5"])
@pytest.mark.parametrize("sides", [(28, 28), (61, 47), (97, 130), (33, 224)])
def test_one_model_takes_images_of_every_size(base: str, sides: tuple[int, int]) -> None:
    model = build(f"msra(base={base}, width=0.05)", classes=3, channels=1, size=48).eval()
    x = torch.rand(2, 1, *sides)
    with torch.no_grad():
        logits = model(x)
        assert logits.shape == (2, 3)
        assert torch.isfinite(logits).all()
        torch.testing.assert_close(model.score_maps(x)[0].mean((2, 3)), logits)
    assert torch.isfinite(tta_logits(model, x, "dense(scales=[0.9, 1.3])")).all()


def test_levels_can_be_chosen() -> None:
    model = build("msra(width=0.05, levels=[4, 3, 2, 1])", classes=2, channels=1, size=28)
    assert model.network.classifier[0].in_features == 30 * 26  # the paper's 30-bin pyramid
