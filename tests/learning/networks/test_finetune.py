"""Frozen trunks, cached features, learning rates by depth."""

from __future__ import annotations

import copy

import pytest
import torch

from evenray.core.errors import UsageError
from evenray.learning.networks import Classifier, build, features, freeze, parameter_groups


@pytest.fixture
def model() -> Classifier:
    return build("vgg11_bn(head=average, width=0.05)", classes=2, channels=1, size=28)


def moved(model: Classifier, steps: int = 2) -> set[str]:
    """The tensors (batch statistics too) that training changes."""
    before = copy.deepcopy(model.network.state_dict())
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1)
    model.train()
    for step in range(steps):
        x = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(step))
        torch.nn.functional.cross_entropy(model(x), torch.tensor([0, 1] * 3)).backward()
        optimiser.step()
    return {name for name, tensor in model.network.state_dict().items() if not torch.equal(tensor, before[name])}


def test_a_frozen_trunk_stays_as_it_is_to_its_batch_statistics(model: Classifier) -> None:
    assert moved(freeze(model, "frozen")) == {"classifier.1.weight", "classifier.1.bias"}


def test_blocks_freeze_from_the_image_upwards(model: Classifier) -> None:
    changed = moved(freeze(model, "last(2)"))
    first = min(int(name.split(".")[1]) for name in changed if name.startswith("features"))
    assert first == 15  # the first convolution after the third pool of vgg11_bn
    assert model.network.features[14].__class__.__name__ == "MaxPool"


def test_none_trains_everything_again(model: Classifier) -> None:
    freeze(model, "frozen")
    freeze(model, "all")
    assert len(moved(model)) == len(model.network.state_dict())


@pytest.mark.parametrize("what", ["none", "last(6)", "last(0)", "last(1.5)", "frozen(1)", ""])
def test_other_words_are_refused(model: Classifier, what: str) -> None:
    with pytest.raises(
        UsageError, match=r"all, last, frozen|up to 5|greater than|valid integer|no parameters|cannot be read"
    ):
        freeze(model, what)


@pytest.mark.parametrize(
    "spec",
    [
        "vgg11_bn(head=average, width=0.05)",
        "vgg11(head=classical, width=0.05)",
        "googlenet(width=0.05)",
        "msra(width=0.05)",
    ],
)
def test_cached_features_give_the_same_logits(spec: str) -> None:
    model = freeze(build(spec, classes=2, channels=1, size=64), "frozen").eval()
    x = torch.rand(3, 1, 64, 64)
    cached = features(model, x)
    assert not cached.requires_grad
    torch.testing.assert_close(model.head(cached), model(x))


def test_groups_hold_every_parameter_once_and_slow_down_towards_the_image(model: Classifier) -> None:
    groups = parameter_groups(model, 0.1, decay=0.5)
    assert [group["name"] for group in groups] == ["head", "block5", "block4", "block3", "block2", "block1"]
    assert [group["lr"] for group in groups] == pytest.approx([0.1 * 0.5**i for i in range(6)])
    held = [id(p) for group in groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    torch.optim.AdamW(groups)


def test_frozen_parameters_are_left_out_of_the_groups(model: Classifier) -> None:
    groups = parameter_groups(freeze(model, "last"), 0.1)
    assert [group["name"] for group in groups] == ["head", "block5"]


def test_an_impossible_decay_is_refused(model: Classifier) -> None:
    with pytest.raises(UsageError, match="decay is 0"):
        parameter_groups(model, 0.1, decay=0)
