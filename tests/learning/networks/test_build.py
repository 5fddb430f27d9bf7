"""What build refuses, and the forms of the heads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from evenray.core.errors import ReadError, UsageError
from evenray.learning.networks import build, load, networks, save
from evenray.learning.networks._layers import MaxPool

RIGHT: dict[str, Any] = {"classes": 2, "channels": 1, "size": 28}


@pytest.mark.parametrize(
    ("spec", "changes", "message"),
    [
        ("vgg17", {}, "did you mean vgg1"),
        ("vgg11(head=wide)", {}, "'average', 'classical' or 'levels'"),
        ("vgg11(head=average, width=2)", {}, "less than or equal to 1"),
        ("vgg11(head=average, dropout=1)", {}, "less than 1"),
        ("vgg11", {"classes": 1}, "at least 2"),
        ("vgg11", {"channels": 2}, r"1 \(grey\) or 3"),
        ("vgg11", {"size": 27}, "28 x 28"),
        ("vgg11", {"mean": [0.1, 0.2]}, "one a channel"),
        ("vgg11", {"std": [0.0]}, "positive"),
        ("vgg11", {"pretrained": "nowhere.pth"}, "no weight file nowhere.pth"),
        ("vgg11", {"pretrained": "x.pth", "mean": [0.5]}, "come with the weights"),
    ],
)
def test_wrong_requests_are_refused(spec: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build(spec, **(RIGHT | changes))


def test_images_of_other_channels_are_refused() -> None:
    model = build("vgg11(head=average, width=0.1)", **RIGHT)
    with pytest.raises(UsageError, match=r"takes \(N, 1, H, W\)"):
        model(torch.zeros(2, 3, 28, 28))


def test_small_inputs_shrink_to_one_pixel_and_large_ones_as_published() -> None:
    for side, sides in ((28, [14, 7, 4, 2, 1]), (224, [112, 56, 28, 14, 7])):
        x, found = torch.zeros(1, 1, side, side), []
        for _ in range(5):
            x = MaxPool(2, 2)(x)
            found.append(x.shape[-1])
        assert found == sides


def test_vgg16_is_the_papers_network_unless_its_spec_says_otherwise() -> None:
    """138,357,544 parameters (torchvision); with a global average 123 million fewer: 512 x 1000 weights and 1000 biases."""
    with torch.device("meta"):
        paper, average = (networks.bind(spec)(1000, 3, 224) for spec in ("vgg16", "vgg16(head=average)"))
    assert [type(layer).__name__ for layer in paper.classifier] == ["Linear", "ReLU", "Dropout"] * 2 + ["Linear"]
    assert [layer.out_features for layer in paper.classifier if isinstance(layer, torch.nn.Linear)] == [
        4096,
        4096,
        1000,
    ]
    assert sum(p.numel() for p in paper.parameters()) == 138_357_544
    convolutions = sum(p.numel() for p in paper.features.parameters())
    assert sum(p.numel() for p in average.parameters()) == convolutions + 513_000


@pytest.mark.parametrize(("size", "grid"), [(28, 1), (64, 2), (112, 4), (224, 7)])
def test_the_classical_head_fits_the_training_size(size: int, grid: int) -> None:
    with torch.device("meta"):
        network = networks["vgg16"](2, 1, size, head="classical")
    assert network.grid == grid
    assert network.classifier[0].in_features == 512 * grid**2


def test_a_pretrained_grid_stretches_a_smaller_map_as_torchvision_does() -> None:
    model = build("vgg11(head=classical, width=0.05, grid=7)", classes=2, channels=1, size=64).eval()
    x = torch.rand(2, 1, 64, 64)
    map_NCHW = model.network.trunk(model.normalise(x))
    expected = model.network.classifier(torch.nn.AdaptiveAvgPool2d(7)(map_NCHW).flatten(1))
    torch.testing.assert_close(model(x), expected)


def test_mean_and_std_are_applied() -> None:
    model = build("vgg11(head=average, width=0.1)", **RIGHT, mean=[0.2], std=[0.4])
    torch.testing.assert_close(model.normalise(torch.full((1, 1, 2, 2), 0.6)), torch.ones(1, 1, 2, 2))
    assert model.description.mean == pytest.approx([0.2])


def test_initial_weights_follow_he() -> None:
    model = build("vgg11", **RIGHT)
    weight = model.network.features[8].weight.detach()
    assert float(weight.std()) == pytest.approx((2 / (9 * weight.shape[1])) ** 0.5, rel=0.02)


def test_building_leaves_the_global_random_state_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    build("vgg11(head=average, width=0.1)", **RIGHT)
    assert torch.equal(torch.rand(2), expected)


def test_a_model_that_cannot_be_loaded_says_so(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(ReadError, match=r"model\.safetensors"):
        load(path)
    save(build("vgg11(head=average, width=0.05)", **RIGHT), path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ReadError, match="not a readable model"):
        load(path)
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(UsageError, match="not saved by evenray"):
        load(path)
    older = {"spec": "vgg11(width=0.05)", "classes": 2, "weights": None}
    save_file({"a": torch.zeros(2)}, path, {"evenray": json.dumps(older)})
    with pytest.raises(UsageError, match=r"another version of evenray .* train it again"):
        load(path)


def test_taps_that_only_ever_meet_padding_start_at_zero_and_no_others() -> None:
    """At 28 pixels the last maps of Zeiler & Fergus are 1 x 1; the gradient says which taps can learn."""
    model = build("zeiler_fergus(width=0.05)", classes=2, channels=1, size=28)
    model(torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))).square().sum().backward()
    silent = 0
    for layer in model.modules():
        if isinstance(layer, torch.nn.Conv2d):
            unmet = (layer.weight.grad == 0).all(0).all(0)
            assert torch.equal((layer.weight == 0).all(0).all(0), unmet)
            silent += int(unmet.sum())
    assert silent == 3 * 8


def test_at_the_papers_size_no_tap_is_silent() -> None:
    model = build("vgg11(head=average, width=0.05)", classes=2, channels=1, size=64)
    assert all(bool((p != 0).all()) for n, p in model.named_parameters() if n.endswith("weight"))
