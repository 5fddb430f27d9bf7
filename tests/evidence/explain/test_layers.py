"""Filters, feature maps, one convolution step by step, and the patches that excite a channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from evenray.core.errors import UsageError
from evenray.evidence.explain import convolution_step, exciting_patches, feature_maps, filters, sheet
from evenray.learning.networks import Classifier, build


@pytest.fixture
def model() -> Classifier:
    return build("vgg11(head=average, width=0.1)", classes=2, channels=1, size=32)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_feature_maps_are_what_the_layer_makes_not_what_the_next_one_does_to_it(model: Classifier) -> None:
    """The ReLU behind the convolution works in place; its negative inputs must still be seen."""
    x = noise(2, 1, 32, 32)
    first = model.network.features[0]
    expected = nn.functional.conv2d(model.normalise(x), first.weight, first.bias, padding=1).detach().numpy()
    maps = feature_maps(model, x, "features.0")
    np.testing.assert_allclose(maps, expected, atol=1e-6)
    assert maps.min() < 0 <= feature_maps(model, x, "features.1").min()


def test_maps_behind_linear_layers_are_vectors(model: Classifier) -> None:
    assert feature_maps(model, noise(3, 1, 32, 32), "network.classifier.1").shape == (3, 2)


def test_filters_are_the_weights(model: Classifier) -> None:
    assert np.array_equal(filters(model, "features.3"), model.state()["features.3.weight"].numpy())


@pytest.mark.parametrize(
    ("layer", "message"), [("features.99", "it has features.0"), ("features.1", "only a convolution")]
)
def test_layers_without_filters_are_refused(model: Classifier, layer: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        filters(model, layer)


@pytest.mark.parametrize(
    ("spec", "layer", "size"),
    [
        ("vgg11(head=average, width=0.1)", "features.0", 32),
        ("vgg11(head=average, width=0.1)", "features.6", 32),
        ("krizhevsky(width=0.1)", "features.4", 64),  # groups
        ("overfeat_fast(width=0.1)", "features.3", 32),  # padded because it is small
        ("googlenet(width=0.1)", "conv1.conv", 64),  # stride 2, padding 3
    ],
)
@pytest.mark.parametrize("place", [(0, 0), None])
def test_a_step_adds_up_to_the_output(spec: str, layer: str, size: int, place: tuple[int, int] | None) -> None:
    model = build(spec, classes=2, channels=1, size=size)
    x = noise(1, 1, size, size)
    maps = feature_maps(model, x, layer)[0]
    channel = maps.shape[0] - 1
    step = convolution_step(model, x, layer, channel, *(place or (None, None)))
    assert step.products.sum() + step.bias == pytest.approx(step.output, abs=1e-4)
    assert step.output == maps[channel][step.place]
    if place is None:
        assert step.output == maps[channel].max()
    assert (step.patch[:, ~step.inside] == 0).all()


def test_a_step_through_a_grey_first_layer_adds_up_in_the_corner(evenray_data: Path) -> None:
    path = evenray_data / "weights" / "vgg16-imagenet-conv-bgr-fp16.safetensors"
    model = build("vgg16", classes=2, channels=1, size=28, pretrained=path)
    step = convolution_step(model, noise(1, 1, 28, 28), "features.0", 7, 0, 0)
    assert step.products.sum() + step.bias == pytest.approx(step.output, rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("features.1",), "give a convolution"),
        (("features.0", 6), "channels 0 to 5"),
        (("features.0", 0, 32, 0), "outside the output"),
    ],
)
def test_wrong_steps_are_refused(model: Classifier, arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        convolution_step(model, noise(1, 1, 32, 32), *arguments)  # type: ignore[arg-type]


def test_the_exciting_patch_is_where_the_planted_spot_is(model: Classifier) -> None:
    """The first filter becomes a detector of bright spots; the brightest spot comes first, with its surroundings."""
    with torch.no_grad():
        model.network.features[0].weight.zero_()
        model.network.features[0].weight[0, 0, 1, 1] = 1
    x = torch.zeros(6, 1, 32, 32)
    x[4, 0, 10, 20], x[1, 0, 31, 0], x[2, 0, 5, 5] = 1.0, 0.8, 0.6
    patches = exciting_patches(model, x.split(4), "features.0", 0, top=3)
    assert [patch.image for patch in patches] == [4, 1, 2]
    assert patches[0].box == (9, 19, 12, 22)
    assert patches[0].pixels[0].tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert patches[1].box == (30, 0, 32, 2)  # cut at the border
    assert [patch.value for patch in patches] == sorted((patch.value for patch in patches), reverse=True)


def test_the_patch_alone_excites_a_deep_channel_as_much_as_it_did_in_the_image() -> None:
    """Everything outside the receptive field may change."""
    model = build("vgg11(head=average, width=0.1)", classes=2, channels=1, size=64)
    x = noise(3, 1, 64, 64)
    patch = exciting_patches(model, [x], "features.6", 2, top=1)[0]
    top, left, bottom, right = patch.box
    other = noise(1, 1, 64, 64, seed=9)
    other[0, :, top:bottom, left:right] = x[patch.image][:, top:bottom, left:right]
    assert feature_maps(model, other, "features.6")[0, 2].max() >= patch.value - 1e-5


def test_no_more_patches_than_asked_for_or_than_images(model: Classifier) -> None:
    batches = list(noise(7, 1, 32, 32).split(3))
    assert len(exciting_patches(model, batches, "features.3", 0, top=4)) == 4
    assert len(exciting_patches(model, batches, "features.3", 0, top=40)) == 7
    with pytest.raises(UsageError, match="no channel 99"):
        exciting_patches(model, batches, "features.3", 99)
    with pytest.raises(UsageError, match="makes no maps"):
        exciting_patches(model, batches, "classifier.1", 0)


def test_a_sheet_shows_each_picture_over_its_own_range() -> None:
    pictures = np.stack([np.full((2, 3), 7.0), np.arange(6.0).reshape(2, 3), -np.arange(6.0).reshape(2, 3)])
    canvas = sheet(pictures.astype(np.float32), columns=2)
    assert canvas.shape == (5, 7)
    assert (canvas[:2, :3] == 0).all()
    assert canvas[:2, 4:].tolist() == [[0, 51, 102], [153, 204, 255]]
    assert canvas[3:, :3].tolist() == [[255, 204, 153], [102, 51, 0]]
    assert (canvas[2] == 255).all()
