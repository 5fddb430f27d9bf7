"""The auxiliary heads of GoogLeNet, and the preprocessing of torchvision's file."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from evenray.learning.networks import build

SPEC = "googlenet(width=0.05)"


def loss(logits: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1]))


def test_the_auxiliary_heads_add_their_share_once() -> None:
    model = build(SPEC, classes=2, channels=1, size=32).train()
    x = torch.rand(2, 1, 32, 32)
    model(x)
    pending = model.network.take_auxiliary()
    assert [weight for weight, _ in pending] == [0.3, 0.3]
    assert {logits.shape for _, logits in pending} == {(2, 2)}
    model(x)
    assert model.auxiliary_loss(loss) > 0
    assert model.auxiliary_loss(loss) == 0.0


def test_the_auxiliary_heads_rest_in_evaluation() -> None:
    model = build(SPEC, classes=2, channels=1, size=32).eval()
    model(torch.rand(2, 1, 32, 32))
    assert model.auxiliary_loss(loss) == 0.0


def test_other_networks_have_no_auxiliary_loss() -> None:
    model = build("vgg11(head=average, width=0.05)", classes=2, channels=1, size=32).train()
    model(torch.rand(2, 1, 32, 32))
    assert model.auxiliary_loss(loss) == 0.0


def test_a_model_with_a_pending_loss_can_be_copied_and_pickled() -> None:
    model = build(SPEC, classes=2, channels=1, size=32).train()
    model(torch.rand(2, 1, 32, 32))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.auxiliary_loss(loss) == 0.0
        assert all(torch.equal(a, b) for a, b in zip(other.state().values(), model.state().values(), strict=True))


def test_without_auxiliary_heads() -> None:
    model = build("googlenet(width=0.05, auxiliary=False)", classes=2, channels=1, size=32)
    assert not [name for name, _ in model.named_parameters() if "aux" in name]


def test_torchvisions_file_wants_another_mean_and_its_auxiliary_heads_are_left(tmp_path: Path) -> None:
    """torchvision feeds this file (x - 0.5) / 0.5, behind its own ImageNet normalisation (transform_input)."""
    spec = "googlenet_bn(width=0.05)"
    save_file(build(spec, classes=3, channels=3, size=32, seed=2).state(), tmp_path / "w.safetensors")
    model = build(spec, classes=3, channels=3, size=32, pretrained=f"torchvision:{tmp_path / 'w.safetensors'}")
    assert model.description.mean == model.description.std == (0.5, 0.5, 0.5)
    fresh = model.description.pretrained.fresh
    assert fresh
    assert all(name.startswith("aux") for name in fresh)


def test_the_vgg16_features_file_is_told_by_its_empty_head(tmp_path: Path) -> None:
    """torchvision's vgg16_features holds the Caffe convolutions in RGB and a head of NaN."""
    spec = "vgg16(width=0.05, head=classical, grid=7)"
    state = build(spec, classes=3, channels=3, size=224).state()
    for name in state:
        if name.startswith("classifier"):
            state[name] = torch.full_like(state[name], torch.nan)
    save_file(state, tmp_path / "w.safetensors")
    model = build(spec, classes=3, channels=3, size=224, pretrained=f"torchvision:{tmp_path / 'w.safetensors'}")
    assert model.description.std == pytest.approx([1 / 255] * 3)
    assert not any(tensor.isnan().any() for tensor in model.state().values())
