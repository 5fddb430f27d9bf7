"""What a page shows of a network's layers: the same as the parts say that it is put together from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evenray.evidence.explain import exciting_patches, feature_maps
from evenray.evidence.explain.layers import all_exciting_patches
from evenray.evidence.explain.network_view import view
from evenray.learning.networks import Classifier, build
from evenray.learning.networks.anatomy import totals
from evenray.learning.networks.published import PUBLISHED, as_text


@pytest.fixture(scope="module")
def model() -> Classifier:
    return build("vgg11(width=0.1)", classes=2, channels=1, size=32).eval()


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(5, 1, 32, 32, generator=torch.Generator().manual_seed(0))


def test_without_an_image_there_is_the_anatomy_alone(model: Classifier) -> None:
    found = view(model, None)
    assert (found.first, found.steps, found.maps, found.patches) == ("features.0", (), None, None)
    row = found.anatomy[0]
    assert (row.name, row.kernel, row.stride, row.padding, row.output) == ("features.0", 3, 1, 1, (6, 32, 32))
    assert totals(found.anatomy)["parameters"] == sum(p.numel() for p in model.parameters())


def test_one_image_excites_nothing_against_another(model: Classifier, images: torch.Tensor) -> None:
    assert view(model, images[:1]).patches is None


def test_small_maps_are_left_out_and_the_step_is_the_strongest(model: Classifier, images: torch.Tensor) -> None:
    found = view(model, images)
    assert found.maps is not None
    assert [maps.shape[1] for maps in found.maps.values()] == [32, 16, 8, 4]
    maps = feature_maps(model, images[:1], "features.0")[0]
    assert found.steps[0].channel == int(np.unravel_index(maps.argmax(), maps.shape)[0])
    assert found.steps[0].output == maps.max()


def test_patches_of_many_channels_are_those_of_each(model: Classifier, images: torch.Tensor) -> None:
    batches = [images[:3], images[3:]]
    wanted = {"features.1": [0, 3], "features.4": [2]}
    together = all_exciting_patches(model, batches, wanted, top=2)
    for (layer, channel), patches in together.items():
        alone = exciting_patches(model, batches, layer, channel, top=2)
        assert [(p.image, p.box, p.value) for p in patches] == [(p.image, p.box, p.value) for p in alone]
        maps = feature_maps(model, images, layer)[:, channel]
        assert [p.image for p in patches] == np.argsort(-maps.max((1, 2)), kind="stable")[:2].tolist()


def test_the_patches_are_those_of_the_channels_that_answer_most(model: Classifier, images: torch.Tensor) -> None:
    found = view(model, images, batch=2).patches
    assert found is not None
    channel, patches = next(iter(found["features.1"].items()))
    assert channel == feature_maps(model, images[:1], "features.1")[0].max((1, 2)).argmax()
    [best] = exciting_patches(model, [images], "features.1", channel, top=1)
    assert (patches[0].image, patches[0].box) == (best.image, best.box)
    np.testing.assert_array_equal(patches[0].pixels, best.pixels)


def test_the_counts_are_ours_beside_the_published_ones() -> None:
    text = as_text()
    for one in PUBLISHED:
        line = next(line for line in text.splitlines() if line.startswith(f"| {one.spec} |"))
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if one.parameters and "," in one.parameters:
            assert cells[2] == cells[4]
        if one.multiply_adds:
            ours, theirs = (float(cells[i].removesuffix(" G")) for i in (3, 5))
            assert ours == pytest.approx(theirs, rel=0.06)  # GoogLeNet's paper says "1.5 billion"
