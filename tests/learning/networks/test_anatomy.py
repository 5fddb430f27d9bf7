"""The layer table against real forward passes and against gradients; the volumes of a figure."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from evenray.learning.networks import build, networks
from evenray.learning.networks._network import shapes
from evenray.learning.networks.anatomy import anatomy, as_text
from evenray.learning.networks.volumes import volumes


@pytest.mark.parametrize("name", ["vgg11_bn", "overfeat_accurate", "googlenet", "msra", "krizhevsky"])
def test_shapes_are_those_of_a_forward_pass(name: str) -> None:
    model = build(f"{name}(width=0.05)", classes=3, channels=1, size=61).eval()
    shapes: dict[str, tuple[int, ...]] = {}
    for label, module in model.network.named_modules():
        if not list(module.children()):
            module.register_forward_hook(lambda m, a, out, label=label: shapes.__setitem__(label, tuple(out.shape[1:])))
    model(torch.rand(1, 1, 61, 61))
    layers = anatomy(model)
    assert {layer.name: layer.output for layer in layers} == {layer.name: shapes[layer.name] for layer in layers}
    assert sum(layer.parameters for layer in layers) == sum(
        p.numel() for n, p in model.network.named_parameters() if not n.startswith("aux")
    )


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(2, 5, (3, 2), stride=(2, 1), padding=(1, 0), dilation=2), nn.Conv2d(2, 4, 3, groups=2, padding="same"),
        nn.MaxPool2d(3, 2, 1), nn.MaxPool2d((2, 3)), nn.MaxPool2d(3, 2, ceil_mode=True), nn.LocalResponseNorm(3),
        nn.BatchNorm2d(2), nn.Linear(17, 6),
    ],
    ids=str,
)  # fmt: skip
def test_the_arithmetic_on_shapes_is_that_of_the_layers(layer: nn.Module) -> None:
    shape = (4, 2, 14, 17)
    assert shapes(layer, torch.empty(shape, device="meta")).shape == layer(torch.zeros(shape)).shape


@pytest.mark.parametrize("options", [{}, {"dim": (2, 3)}, {"dim": -1}, {"dim": (0, -1), "keepdim": True}])
def test_the_arithmetic_on_shapes_of_means_and_joins(options: dict[str, Any]) -> None:
    class Joined(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([x, x[:, :1]], 1).mean(**options)

    shape = (4, 2, 5, 7)
    assert shapes(Joined(), torch.empty(shape, device="meta")).shape == Joined()(torch.zeros(shape)).shape


@pytest.mark.parametrize(
    ("spec", "layer"),
    [
        ("vgg11", "features.10"),
        ("vgg16_c", "features.12"),
        ("overfeat_accurate", "features.6"),
        ("zeiler_fergus", "features.4"),
        ("googlenet", "inception3b"),
    ],
)
def test_receptive_fields_are_those_of_the_gradient(spec: str, layer: str) -> None:
    """Every weight positive, pools averaged: the pixels with a gradient are the receptive field."""
    size = 119
    model = build(f"{spec}(width=0.05)", classes=2, channels=1, size=size).eval()
    inside = [row for row in anatomy(model) if row.name == layer or row.name.startswith(f"{layer}.")]
    for module in model.network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.ones_(module.weight)
        if isinstance(module, nn.MaxPool2d):
            module.forward = lambda x, m=module: nn.functional.avg_pool2d(  # type: ignore[method-assign]
                x, m.kernel_size, m.stride, m.padding, ceil_mode=m.ceil_mode
            )
        if isinstance(module, nn.LocalResponseNorm):
            module.forward = lambda x: x  # type: ignore[method-assign]
    x = (
        0.6 + 0.4 * torch.rand(1, 1, size, size, dtype=torch.float64)
    ).requires_grad_()  # above the mean: no ReLU closes
    found: list[torch.Tensor] = []
    model.double().network.get_submodule(layer).register_forward_hook(lambda m, a, out: found.append(out))
    model(x)
    middle = found[0].shape[-1] // 2
    found[0][0, :, middle, middle].sum().backward()
    touched = x.grad[0, 0].abs().sum(0).nonzero().flatten()
    sight = max((row.sight for row in inside), key=lambda sight: sight.field)
    assert int(touched[-1] - touched[0]) + 1 == sight.field
    assert int(touched[0]) == sight.start + middle * sight.jump


def test_the_text_has_a_row_a_layer_and_the_totals() -> None:
    lines = as_text(anatomy("vgg16(head=classical)")).splitlines()
    assert len(lines) == 2 + 36
    assert lines[-1].split() == ["total", "138,357,544", "15,470,264,320"]


@pytest.mark.parametrize("name", [name for name in networks if name not in ("torchvision", "timm", "onnx")])
def test_every_network_has_volumes_from_the_image_to_the_classes(name: str) -> None:
    found = volumes(f"{name}(width=0.1)", classes=2, channels=1, size=32)
    assert (found[0].kind, found[0].label) == ("image", "1 x 32 x 32")
    assert (found[-1].kind, found[-1].label) == ("linear", "2")


def test_the_volumes_are_those_of_a_forward_pass() -> None:
    model = build("vgg11(width=0.05)", classes=3, channels=1, size=61).eval()
    pools = [(found.maps, found.side, found.side) for found in volumes(model) if found.kind == "pool"]
    shapes: list[tuple[int, ...]] = []
    for module in model.network.modules():
        if isinstance(module, nn.MaxPool2d):
            module.register_forward_hook(lambda m, a, out: shapes.append(tuple(out.shape[1:])))
    model(torch.rand(1, 1, 61, 61))
    assert pools == shapes
