"""The parts of an image: body, border, text; and how maps are held against regions."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from evenray.core.types import Image
from evenray.evidence.explain.covering import without_border, without_text
from evenray.evidence.explain.places import Places, body_of, overlap, points_at, share_within


def film() -> Image:
    """A grey disc with two dark lungs on black, and a letter beside it."""
    pixels = np.zeros((200, 160), np.uint8)
    cv2.circle(pixels, (80, 100), 60, 100, -1)
    for x in (55, 105):
        cv2.circle(pixels, (x, 100), 15, 3, -1)
    cv2.putText(pixels, "R", (5, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    return Image(pixels, (0, 255))


def test_the_body_has_no_holes_and_no_letter() -> None:
    body = body_of(film())
    assert body[100, 55]
    assert not body[:35, :30].any()
    assert body.sum() == pytest.approx(np.pi * 60**2, rel=0.03)


def test_an_image_that_is_black_is_all_body() -> None:
    assert body_of(Image(np.zeros((20, 30), np.uint8), (0, 255))).all()


def test_the_ring_has_what_no_image_covers_and_the_text_its_strokes() -> None:
    places = Places.of(film(), 100)  # in a square of 100 the film is 80 wide, with 10 on each side
    assert places.ring[:, :10].min() == places.ring[:, 90:].min() == 1
    assert places.ring[50, 50] == 0
    assert places.ring.mean() == pytest.approx(1 - 0.8 * 0.875**2, abs=0.02)
    assert places.text[5:20, 10:22].max() > 0.5
    assert places.text[40:60, 30:70].max() == 0
    assert share_within(np.ones((100, 100), np.float32), places.body) == pytest.approx(np.pi * 30**2 / 1e4, rel=0.05)


def test_a_map_of_nothing_has_no_shares() -> None:
    assert np.isnan(share_within(np.zeros((4, 4), np.float32), np.ones((4, 4), np.float32)))
    assert not points_at(np.zeros((4, 4), np.float32), np.ones((4, 4), bool))


def test_overlap_is_dice_of_as_many_pixels() -> None:
    rng = np.random.default_rng(0)
    region, marked = rng.random((50, 40)) < 0.2, rng.random((50, 40)).astype(np.float32)
    most = marked >= np.sort(marked.ravel())[-region.sum()]
    dice = 2 * (most & region).sum() / (most.sum() + region.sum())
    assert overlap(marked, region) == pytest.approx(dice)


def test_a_covered_border_leaves_the_middle_and_what_is_beside_the_image() -> None:
    import torch

    x = torch.rand(1, 32, 32)
    x[:, :, :8] = x[:, :, 24:] = 0  # a film half as wide as high
    found = without_border(x, (64, 32))
    assert torch.equal(found[:, 2:30, 9:23], x[:, 2:30, 9:23])
    assert torch.equal(found[:, 0, 9:23], x[:, 2, 9:23])
    assert found[:, :, :8].max() == 0


def test_covered_text_is_gone() -> None:
    import torch

    places = Places.of(film(), 200)
    square = np.zeros((200, 200), np.float32)
    square[:, 20:180] = film().pixels / 255
    found = without_text(torch.from_numpy(square)[None], places.text)
    assert float(square[5:35, 20:50].max()) == 1
    assert float(found[0, 5:35, 20:50].max()) < 0.1
    assert torch.allclose(found[0, 80:], torch.from_numpy(square)[80:], atol=1e-4)
