"""Augmentation: small, seeded, inside the unit range, and each image in its own way."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from evenray.augment import augment, scale_jitter
from evenray.core.errors import UsageError


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def blob(row: int, column: int, n: int = 64) -> Tensor:
    x = torch.zeros(n, 1, 32, 32)
    x[:, :, row - 2 : row + 3, column - 2 : column + 3] = 1
    return x


def centres(x: Tensor) -> tuple[Tensor, Tensor]:
    mass = (x - x.amin((2, 3), keepdim=True)).squeeze(1)
    mass = mass / mass.sum((1, 2), keepdim=True)
    steps = torch.arange(32.0)
    return (mass.sum(2) * steps).sum(1), (mass.sum(1) * steps).sum(1)


def test_the_same_generator_gives_the_same_images() -> None:
    x = torch.rand(8, 3, 28, 28, generator=generator(0))
    assert torch.equal(augment(x, generator(1), flips=True), augment(x, generator(1), flips=True))
    assert not torch.equal(augment(x, generator(1)), augment(x, generator(2)))


def test_shape_range_and_input_are_kept() -> None:
    x = torch.rand(8, 3, 28, 40, generator=generator(0))
    before = x.clone()
    found = augment(x, generator(1), flips=True)
    assert found.shape == x.shape
    assert found.dtype == torch.float32
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert torch.equal(x, before)


def test_each_image_is_changed_in_its_own_way() -> None:
    found = augment(torch.rand(1, 1, 28, 28).expand(8, 1, 28, 28), generator(0))
    assert all(not torch.equal(found[0], other) for other in found[1:])


def test_changes_are_small() -> None:
    rows, columns = centres(augment(blob(16, 8), generator(0)))
    reach = 0.06 * 32 + 8 * 0.1 + 8 * 0.18 + 1  # shift, scale, rotation by 10 degrees, rounding
    assert float((rows - 16).abs().max()) < reach
    assert float((columns - 8).abs().max()) < reach
    assert float(rows.std()) > 0.3


def test_left_stays_left_unless_flips_are_asked_for() -> None:
    assert int((centres(augment(blob(16, 8), generator(0)))[1] > 16).sum()) == 0
    flipped = int((centres(augment(blob(16, 8), generator(0), flips=True))[1] > 16).sum())
    assert 20 < flipped < 44
    assert float((centres(augment(blob(8, 16), generator(0), flips=True))[0] > 16).sum()) == 0  # never upside down


def test_scale_jitter_cuts_within_its_scales_and_follows_its_seed() -> None:
    """A ramp tells where a crop was cut and how far the image had been enlarged."""
    ramp = torch.linspace(0, 1, 40).expand(6, 1, 40, 40).contiguous()
    found = [scale_jitter(ramp, 28, generator(seed), (1.5, 2.0)) for seed in (4, 4, 5)]
    assert found[0].shape == (6, 1, 28, 28)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    for crops in found:
        scales = 1 / (crops[:, 0, 14, 20] - crops[:, 0, 14, 7]) * 13 / 39 * 40 / 28
        assert 1.45 <= float(scales.min()) <= float(scales.max()) <= 2.05
        assert len(crops[:, 0, 0, 0].unique()) > 1


def test_scales_below_the_size_are_refused() -> None:
    with pytest.raises(UsageError, match="1 <= low"):
        scale_jitter(torch.rand(1, 1, 40, 40), 28, generator(0), (0.5, 2))
