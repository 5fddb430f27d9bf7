"""Classifiers of different kinds as one: the mean of their probabilities, each from the image as it would be prepared for it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evenray.core.errors import UsageError
from evenray.evidence.explain.randomise import cascade
from evenray.learning.networks import Classifier, average, build, load, members, mix, save
from evenray.learning.networks.mixed import resampled
from evenray.learning.tta import dense, fuse

SMALL, LARGE = "vgg11_bn(head=average, width=0.05)", "efficientnet_lite0(head=levels, width=0.25)"


def made(size: int = 96) -> tuple[Classifier, Classifier, Classifier]:
    """A small network, a large one with other preprocessing, and both as one for images of `size`."""
    small = build(SMALL, classes=3, channels=1, size=32, seed=1, mean=(0.4,), std=(0.2,)).eval()
    large = build(LARGE, classes=3, channels=1, size=96, seed=2).eval()
    return small, large, mix([small, large], size).eval()


@pytest.mark.parametrize("size", [32, 64, 96])
def test_each_sees_the_image_as_opencv_would_have_resized_it(size: int) -> None:
    small, large, both = made(size)
    x = np.random.default_rng(0).random((4, size, size), np.float32)

    def given_to(model: Classifier) -> torch.Tensor:
        how = cv2.INTER_AREA if model.size < size else cv2.INTER_LINEAR
        resized = [cv2.resize(one, (model.size, model.size), interpolation=how) for one in x]
        logits: torch.Tensor = model(torch.from_numpy(np.stack(resized))[:, None])
        return logits.softmax(1)

    mean = (given_to(small) + given_to(large)) / 2
    torch.testing.assert_close(both(torch.from_numpy(x)[:, None]).softmax(1), mean, rtol=1e-4, atol=1e-5)


def test_dense_is_the_mean_of_what_each_says_of_the_whole_image_at_every_scale() -> None:
    small, large, both = made(96)
    x = torch.rand(2, 1, 96, 144)
    with torch.no_grad():
        torch.testing.assert_close(dense(both, x[..., :96], scales=[1.0]), both(x[..., :96]))
        each = [model.score_maps(resampled(x, side / 96))[0].mean((2, 3)) for model, side in ((small, 32), (large, 96))]
        torch.testing.assert_close(dense(both, x, scales=[1.0]), fuse(each))
        twice = dense(both, x, scales=[1.0, 1.25], flip=True)
    assert twice.shape == (2, 3)
    assert not torch.allclose(twice, fuse(each), atol=1e-4)


@given(st.integers(1, 80), st.integers(1, 80))
def test_resampling_keeps_what_is_even(before: int, after: int) -> None:
    found = resampled(torch.full((1, 1, before, before), 0.7), after / before)
    assert found.shape == (1, 1, after, after)
    torch.testing.assert_close(found, torch.full_like(found, 0.7))


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    small, large, _ = made()
    several = average([small, build(SMALL, classes=3, channels=1, size=32, seed=5, mean=(0.4,), std=(0.2,)).eval()])
    both, x = mix([several, large], 96).eval(), torch.rand(2, 1, 96, 96)
    save(both, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors").eval()
    assert again.description == both.description
    assert torch.equal(again(x), both(x))
    assert both.description.parameters == sum(p.numel() for p in both.network.parameters())


def test_its_members_are_told_one_by_one_and_take_its_images() -> None:
    small, large, both = made()
    x = torch.rand(2, 1, 96, 96)
    first, second = members(both)
    torch.testing.assert_close(first(x), small(resampled(x, 1 / 3)))
    torch.testing.assert_close(second(x), large(x))
    assert [one.description.spec for one in (first, second)] == [SMALL, LARGE]
    inner = members(mix([average([small, small]), large], 96))[0]
    assert len(members(inner)) == 2
    torch.testing.assert_close(members(inner)[0].eval()(x), small(resampled(x, 1 / 3)))
    for model in (both, first, second, inner):
        model.get_submodule(model.attribution_layer)


def test_noise_goes_through_all_members_from_the_head_down() -> None:
    _, _, both = made()
    x = torch.rand(2, 1, 96, 96)
    steps = [(name, other(x)) for name, other in cascade(both)]
    assert [name for name, _ in steps] == ["head", "5", "4", "3", "2", "1"]
    assert not torch.allclose(steps[0][1], both(x))


def test_what_differs_in_what_it_answers_cannot_be_averaged() -> None:
    small = made()[0]
    with pytest.raises(UsageError, match="classes"):
        mix([small, build(LARGE, classes=2, channels=1, size=96)], 96)
