"""Networks of torchvision and timm, by a stand-in package with one small network of each kind."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from evenray.core.errors import MissingExtra, UsageError
from evenray.evidence.explain import attribute
from evenray.learning.networks import build, features, freeze, restore
from evenray.learning.tta import dense, tta_logits


class Small(nn.Module):
    """A convolutional network whose constructor computes numbers, as many do."""

    def __init__(self, channels: int = 3, classes: int = 1000) -> None:
        super().__init__()
        self.rate = torch.linspace(0, 0.1, 3)[1].item()
        self.stem = nn.Sequential(nn.Conv2d(channels, 8, 3, stride=2, padding=1), nn.ReLU())
        self.body = nn.Sequential(nn.Conv2d(8, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU())
        self.num_features = 12
        self.classifier = nn.Sequential(nn.Dropout(0.0), nn.Linear(12, classes)) if classes else nn.Identity()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        scores: Tensor = self.classifier(self.body(self.stem(x_NCHW)).mean((2, 3)))
        return scores


@pytest.fixture(autouse=True)
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    models = SimpleNamespace(get_model=lambda name, weights: Small(), list_models=lambda: ["small"])
    monkeypatch.setitem(sys.modules, "torchvision", ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)  # type: ignore[arg-type]
    timm = SimpleNamespace(
        create_model=lambda name, pretrained, num_classes, in_chans: Small(in_chans, num_classes),
        list_models=lambda: ["small"],
    )
    monkeypatch.setitem(sys.modules, "timm", timm)  # type: ignore[arg-type]


@pytest.mark.parametrize("spec", ["torchvision(small)", "timm(small)"])
def test_an_adapted_network_does_what_ours_do(spec: str) -> None:
    model = build(spec, classes=4, channels=1, size=32)
    x = torch.rand(3, 1, 32, 32)
    model(x).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.eval()
    assert model(x).shape == (3, 4)
    assert model.attribution_layer == "network.body.body.0"
    assert attribute(model, x, 2).shape == (3, 32, 32)
    torch.testing.assert_close(dense(model, x, scales=[1.0]), tta_logits(model, x).log_softmax(1))
    torch.testing.assert_close(model.head(features(model, x)), model(x))
    assert torch.equal(restore(model.description, model.state()).eval()(x), model(x))
    freeze(model, "frozen")
    assert [n for n, p in model.named_parameters() if p.requires_grad] == ["network.fc.weight", "network.fc.bias"]


@pytest.mark.parametrize("spec", ["torchvision(small)", "timm(small)"])
def test_the_seed_decides_and_the_global_state_is_left(spec: str) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = (build(spec, classes=2, channels=1, size=32, seed=seed).state() for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["fc.weight"], other["fc.weight"])


@pytest.mark.parametrize("spec", ["torchvision(large)", "timm(large)"])
def test_an_unknown_name_is_refused(spec: str) -> None:
    with pytest.raises(UsageError, match="has no network 'large'"):
        build(spec, classes=2, channels=1, size=32)


@pytest.mark.parametrize("package", ["torchvision", "timm"])
def test_an_absent_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, f"{package}.models", None)  # type: ignore[arg-type]
    with pytest.raises(MissingExtra, match=package):
        build(f"{package}(small)", classes=2, channels=1, size=32)
