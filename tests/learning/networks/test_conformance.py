"""What every registered network promises, and a planted fault for each promise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from evenray.learning.networks import Classifier, NetworkDescription, build, load, networks, save
from evenray.learning.networks._network import ConvNet
from evenray.learning.tta import dense, tta_logits

SIZE = 32


def small(name: str, classes: int = 3, channels: int = 1, size: int = SIZE, head: str | None = None) -> Classifier:
    """The network at a tenth of its width and without dropout, so that gradients reach everything."""
    given = networks.parameters(name)
    options = {"width": 0.05} | ({"dropout": 0.0} if "dropout" in given else {}) | ({"head": head} if head else {})
    text = ", ".join(f"{key}={value}" for key, value in options.items())
    return build(f"{name}({text})", classes=classes, channels=channels, size=size)


def images(number: int, channels: int, height: int, width: int | None = None) -> Tensor:
    return torch.rand(number, channels, height, width or height, generator=torch.Generator().manual_seed(1))


def logits_have_their_shape(model: Classifier) -> None:
    logits = model.eval()(images(4, model.channels, model.size))
    assert logits.shape == (4, model.classes)
    assert torch.isfinite(logits).all()
    assert not torch.allclose(logits.exp().sum(1), torch.ones(4))
    assert not torch.allclose(logits.sum(1), torch.ones(4))


def every_parameter_gets_a_gradient(model: Classifier) -> None:
    model.train()
    logits = model(images(4, model.channels, model.size))
    (logits.log_softmax(1)[:, 0].sum() + model.auxiliary_loss(lambda a: a.log_softmax(1)[:, 0].sum())).backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert silent == []


def saving_changes_nothing(model: Classifier, folder: Path) -> None:
    x = images(2, model.channels, model.size)
    model.eval()
    save(model, folder / "model.safetensors")
    again = load(folder / "model.safetensors").eval()
    assert torch.equal(again(x), model(x))
    assert again.description == model.description


def odd_sizes_pass(model: Classifier) -> None:
    model.eval()
    for height, width in ((28, 28), (29, 37), (45, 31), (61, 64)):
        assert torch.isfinite(model(images(1, model.channels, height, width))).all()


def a_batch_of_one_is_one_of_a_batch(model: Classifier) -> None:
    x = images(3, model.channels, model.size)
    model.eval()
    torch.testing.assert_close(model(x[1:2]), model(x)[1:2], rtol=1e-4, atol=1e-5)


def dense_is_the_centre_at_the_training_size(model: Classifier) -> None:
    x = images(2, model.channels, model.size)
    model.eval()
    torch.testing.assert_close(dense(model, x, scales=[1.0]), tta_logits(model, x).log_softmax(1), rtol=0, atol=1e-5)


def the_attribution_layer_is_a_map(model: Classifier) -> None:
    seen: list[Tensor] = []
    handle = model.get_submodule(model.attribution_layer).register_forward_hook(
        lambda m, a, output: seen.append(output)
    )
    model.eval()(images(1, model.channels, model.size))
    handle.remove()
    assert seen[0].ndim == 4
    assert min(seen[0].shape[-2:]) > 1


def blocks_cover_the_network(model: Classifier) -> None:
    names = [name for block in model.network.blocks for name in block] + list(model.network.head_modules)
    covered = {id(p) for name in names for p in model.network.get_submodule(name).parameters()}
    assert covered == {id(p) for p in model.parameters()}
    assert len(set(names)) == len(names)


def features_lead_to_the_logits(model: Classifier) -> None:
    x = images(2, model.channels, model.size)
    model.eval()
    torch.testing.assert_close(model.head(model.features(x)), model(x))


def the_seed_decides_the_weights(model: Classifier) -> None:
    again = build(model.description.spec, classes=model.classes, channels=model.channels, size=model.size)
    other = build(model.description.spec, classes=model.classes, channels=model.channels, size=model.size, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(model.state().values(), again.state().values(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(model.state().values(), other.state().values(), strict=True))


PROMISES: list[Callable[[Classifier], None]] = [
    the_seed_decides_the_weights,  # first: a training step moves the batch statistics
    logits_have_their_shape,
    every_parameter_gets_a_gradient,
    odd_sizes_pass,
    a_batch_of_one_is_one_of_a_batch,
    dense_is_the_centre_at_the_training_size,
    the_attribution_layer_is_a_map,
    blocks_cover_the_network,
    features_lead_to_the_logits,
]


OURS = [
    name for name in networks if name not in ("torchvision", "timm", "onnx")
]  # test_adapter.py and test_onnx_trunk.py have those


HEADS = {"efficientnet_lite0": ("average", "levels")}


def variants() -> list[tuple[str, str | None]]:
    heads = {
        name: HEADS.get(name, ("average", "classical", "levels")) if "head" in networks.parameters(name) else (None,)
        for name in OURS
    }
    return [(name, head) for name, options in heads.items() for head in options]


@pytest.mark.parametrize(("name", "head"), variants())
def test_the_promises_are_kept(name: str, head: str | None, tmp_path: Path) -> None:
    model = small(name, head=head)
    for promise in PROMISES:
        promise(model)
    saving_changes_nothing(model, tmp_path)


@pytest.mark.parametrize("name", OURS)
def test_colour_and_28_pixels(name: str) -> None:
    model = small(name, classes=5, channels=3, size=28)
    assert model.eval()(images(2, 3, 28)).shape == (2, 5)


class Faulty(ConvNet):
    """A sound small network, into which one fault is planted."""

    def __init__(self, fault: str) -> None:
        layers = [nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2)]
        grid = 8
        super().__init__(nn.Sequential(*layers), nn.Sequential(nn.Linear(4 * grid * grid, 3)), grid)
        self.fault = fault
        if fault == "unused parameter":
            self.spare = nn.Linear(2, 2)
        if fault == "one size only":
            self._at_least_grid = lambda map_NCHW: map_NCHW.view(-1, 4, 8, 8)  # type: ignore[method-assign]

    def forward(self, x_NCHW: Tensor) -> Tensor:
        logits = super().forward(x_NCHW)
        if self.fault == "probabilities":
            return logits.softmax(1)
        if self.fault == "looks at the batch":
            return logits - logits.mean(0)
        return logits

    def score_map(self, map_NCHW: Tensor) -> Tensor:
        scores = super().score_map(map_NCHW)
        return scores.transpose(2, 3) * 1.001 if self.fault == "wrong dense form" else scores


def faulty(fault: str) -> Classifier:
    torch.manual_seed(0)
    layer = "classifier.0" if fault == "layer after the pooling" else "features.1"
    about = NetworkDescription(
        spec="", classes=3, channels=1, size=SIZE, mean=(0.5,), std=(0.25,), attribution_layer=layer
    )
    return Classifier(Faulty(fault), about)


@pytest.mark.parametrize(
    ("fault", "promise"),
    [
        ("probabilities", logits_have_their_shape),
        ("unused parameter", every_parameter_gets_a_gradient),
        ("unused parameter", blocks_cover_the_network),
        ("one size only", odd_sizes_pass),
        ("looks at the batch", a_batch_of_one_is_one_of_a_batch),
        ("looks at the batch", features_lead_to_the_logits),
        ("wrong dense form", dense_is_the_centre_at_the_training_size),
        ("layer after the pooling", the_attribution_layer_is_a_map),
    ],
)
def test_a_planted_fault_is_found(fault: str, promise: Callable[[Classifier], None]) -> None:
    promise(faulty("none"))
    with pytest.raises((AssertionError, RuntimeError)):
        promise(faulty(fault))


def test_a_model_that_saves_other_weights_is_found(tmp_path: Path) -> None:
    model = small("vgg11")
    model.state = lambda: {name: tensor * 1.01 for name, tensor in model.network.state_dict().items()}  # type: ignore[method-assign]
    with pytest.raises(AssertionError):
        saving_changes_nothing(model, tmp_path)
