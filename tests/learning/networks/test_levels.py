"""The head that reads every block: against averages taken by hooks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from evenray.learning.networks import build


@pytest.mark.parametrize("spec", ["vgg16_bn(head=levels, width=0.05)", "efficientnet_lite0(head=levels, width=0.1)"])
def test_the_features_are_the_averages_of_every_block(spec: str) -> None:
    model = build(spec, classes=3, channels=1, size=64).eval()
    seen: list[Tensor] = []
    for block in model.network.blocks:
        model.network.get_submodule(block[-1]).register_forward_hook(
            lambda module, args, output: seen.append(output.mean((2, 3)))
        )
    x = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = model.features(x)
    assert len(seen) == 5
    torch.testing.assert_close(found, torch.cat(seen, 1))


def test_efficientnet_lite_is_as_large_as_published() -> None:
    """4.7 million parameters and 0.4 G multiply-adds (Tan & Le; tensorflow/tpu, efficientnet/lite)."""
    from evenray.learning.networks.anatomy import anatomy, totals

    found = totals(anatomy("efficientnet_lite0", classes=1000, channels=3, size=224))
    assert found["parameters"] == 4_652_008
    assert found["multiply_adds"] == pytest.approx(0.39e9, rel=0.03)


@pytest.mark.parametrize(("side", "kernel", "stride"), [(8, 3, 2), (9, 3, 2), (7, 5, 2), (8, 5, 1), (2, 5, 2)])
def test_same_padding_is_tensorflows(side: int, kernel: int, stride: int) -> None:
    """Its rule in words: output ceil(side / stride); the odd zero stands at the end. Against padding by hand."""
    from evenray.learning.networks._layers import SameConv

    layer = SameConv(1, 1, kernel, stride, bias=False)
    x = torch.rand(1, 1, side, side, generator=torch.Generator().manual_seed(side))
    out = -(-side // stride)
    total = max((out - 1) * stride + kernel - side, 0)
    canvas = torch.zeros(1, 1, side + total, side + total)
    first = total // 2
    canvas[:, :, first : first + side, first : first + side] = x
    expected = torch.nn.functional.conv2d(canvas, layer.weight, stride=stride)
    assert expected.shape[-1] == out
    torch.testing.assert_close(layer(x), expected)


def test_grey_folds_exactly_under_same_padding() -> None:
    from evenray.learning.networks._grey import fold_grey, install_grey
    from evenray.learning.networks._layers import SameConv

    mean, std = (0.2, 0.5, 0.7), (0.2, 0.3, 0.4)
    colour = SameConv(3, 4, 3, 2, bias=False)
    holder = torch.nn.Sequential(SameConv(3, 4, 3, 2, bias=False))
    install_grey(holder)
    weight, offset, (m,), (d,) = fold_grey(colour.weight.detach(), mean, std)
    holder[0].weight.data, holder[0].offset = weight, offset
    for side in (8, 9):
        x = torch.rand(2, 1, side, side, generator=torch.Generator().manual_seed(side))
        seen = (x - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)
        torch.testing.assert_close(holder((x - m) / d), colour(seen), rtol=1e-4, atol=1e-5)
