"""Patches with boxes: what is bright in a patch is what its boxes say, objects are in as many as asked, large ones in whole looks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evenray.data.store import Store
from evenray.learning.augment import Chance
from evenray.learning.train.box_part import WHOLE, BoxPart
from evenray.learning.train.part import Views

SIDE, SIZE, N = 160, 48, 120


def part(length: int, n: int = N) -> BoxPart:
    """Dark images with one bright rectangle each."""
    rng = np.random.default_rng(0)
    pixels, boxes = np.zeros((n, SIDE, SIDE), np.uint8), []
    for own in pixels:
        top, left = rng.integers(0, SIDE - length + 1, 2)
        own[top : top + length, left : left + length] = 255
        boxes.append(np.array([[0, left, top, left + length, top + length]], np.float32))
    return BoxPart(Store((pixels,), 255, boxed=boxes), np.arange(n), np.ones((n, 1), np.int64))


def changed(own: BoxPart, foreground: float | None) -> tuple[torch.Tensor, torch.Tensor]:
    which, device = np.arange(len(own)), torch.device("cpu")
    x, answers = own.inputs(which, device), own.answers(which, device)
    return own.changed(x, answers, Chance.of([1], len(own)), Views(SIZE, flips=True, foreground=foreground))


@pytest.mark.parametrize("length", [14, 100])
def test_boxes_of_patches_are_about_what_is_bright_in_them(length: int) -> None:
    x, boxes = changed(part(length), 1.0)
    assert x.shape == (N, 1, SIZE, SIZE)
    seen = 0
    for own, (_, *box) in zip(x[:, 0], boxes[:, 0].tolist(), strict=True):
        bright = torch.nonzero(own > 0.5)
        if np.isnan(box).any():  # of the object less than 40 % is in sight, at twice its size or less
            assert len(bright) < 0.45 * (2 * length) ** 2
            continue
        (top, left), (bottom, right) = bright.min(0).values.tolist(), (bright.max(0).values + 1).tolist()
        np.testing.assert_allclose(np.array(box) * SIZE, [left, top, right, bottom], atol=1.5)
        seen += 1
    assert seen > 20


@pytest.mark.parametrize("share", [None, 0.5, 1.0])
def test_patches_hold_an_object_as_often_as_asked(share: float | None) -> None:
    _, boxes = changed(part(8), share)
    by_chance = 0.12
    wanted = by_chance if share is None else share + (1 - share) * by_chance
    assert float((~boxes[:, 0, 1].isnan()).float().mean()) == pytest.approx(wanted, abs=0.13)


def test_an_object_lies_anywhere_in_its_patch() -> None:
    """Not in the middle alone: a network that knows where to look has learnt nothing."""
    _, boxes = changed(part(8), 1.0)
    middles = (boxes[:, 0, 1:3] + boxes[:, 0, 3:]) / 2
    middles = middles[~middles.isnan().any(1)]
    assert float(middles.std(0).min()) > 0.2


def test_objects_larger_than_windows_are_learnt_from_the_whole_image() -> None:
    """A share of the looks shows all of the image; where every object fits into windows none does."""
    sides = [changed(part(length), None)[1][:, 0] for length in (10, 100)]
    small, large = (one[~one[:, 1].isnan()] for one in sides)
    assert float((small[:, 3] - small[:, 1]).min()) > 0.4 * 10 / SIZE / 2  # of none is less left than patches show
    whole = (large[:, 3] - large[:, 1] < 0.95) & (large[:, 4] - large[:, 2] < 0.95)
    assert 0.4 * WHOLE < float(whole.sum()) / N < 2.5 * WHOLE


def test_the_same_examples_several_times_an_epoch() -> None:
    own = part(10, 5).repeated(3)
    assert len(own) == len(own.targets) == 15
    assert own.rows.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    x = own.inputs(np.arange(15), torch.device("cpu"))
    assert own.plain(x, Chance.of([0], 15), Views(SIZE)).shape == (15, 1, SIZE, SIZE)
