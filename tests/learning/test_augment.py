"""Augmentation: small, seeded, inside the unit range, and each image in its own way."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from evenray.core.errors import UsageError
from evenray.learning.augment import CUT, CUT_AREA, NOISE, NOISY, Chance, augment, scale_jitter


def chance(seed: int, n: int) -> Chance:
    return Chance.of([seed], n)


def blob(row: int, column: int, n: int = 64) -> Tensor:
    x = torch.zeros(n, 1, 32, 32)
    x[:, :, row - 2 : row + 3, column - 2 : column + 3] = 1
    return x


def centres(x: Tensor) -> tuple[Tensor, Tensor]:
    mass = (x - x.amin((2, 3), keepdim=True)).squeeze(1)
    mass = mass / mass.sum((1, 2), keepdim=True)
    steps = torch.arange(32.0)
    return (mass.sum(2) * steps).sum(1), (mass.sum(1) * steps).sum(1)


def test_the_same_chance_gives_the_same_images() -> None:
    x = torch.rand(8, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    assert torch.equal(augment(x, chance(1, 8), flips=True), augment(x, chance(1, 8), flips=True))
    assert not torch.equal(augment(x, chance(1, 8)), augment(x, chance(2, 8)))


def test_shape_range_and_input_are_kept() -> None:
    x = torch.rand(8, 3, 28, 40, generator=torch.Generator().manual_seed(0))
    before = x.clone()
    found = augment(x, chance(1, 8), flips=True)
    assert found.shape == x.shape
    assert found.dtype == torch.float32
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert torch.equal(x, before)


def test_each_image_is_changed_in_its_own_way() -> None:
    found = augment(torch.rand(1, 1, 28, 28).expand(8, 1, 28, 28), chance(0, 8))
    assert all(not torch.equal(found[0], other) for other in found[1:])


@pytest.fixture
def moved_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither noise nor cut-out, which would move centres of mass."""
    monkeypatch.setattr("evenray.learning.augment.NOISY", 0.0)
    monkeypatch.setattr("evenray.learning.augment.CUT", 0.0)


@pytest.mark.usefixtures("moved_alone")
def test_changes_are_small() -> None:
    rows, columns = centres(augment(blob(16, 8), chance(0, 64)))
    reach = 0.06 * 32 + 8 * 0.1 + 8 * 0.18 + 1  # shift, scale, rotation by 10 degrees, rounding
    assert float((rows - 16).abs().max()) < reach
    assert float((columns - 8).abs().max()) < reach
    assert float(rows.std()) > 0.3


@pytest.mark.usefixtures("moved_alone")
def test_left_stays_left_unless_flips_are_asked_for() -> None:
    assert int((centres(augment(blob(16, 8), chance(0, 64)))[1] > 16).sum()) == 0
    flipped = int((centres(augment(blob(16, 8), chance(0, 64), flips=True))[1] > 16).sum())
    assert 20 < flipped < 44
    assert float((centres(augment(blob(8, 16), chance(0, 64), flips=True))[0] > 16).sum()) == 0  # never upside down


def test_a_part_of_a_batch_changes_as_within_the_whole() -> None:
    x, whole = torch.rand(32, 3, 28, 28, generator=torch.Generator().manual_seed(0)), chance(3, 32)
    part = slice(11, 29)
    assert torch.equal(augment(x, whole, flips=True)[part], augment(x[part], whole[part], flips=True))
    assert torch.equal(scale_jitter(x, 20, whole, (1.1, 2))[part], scale_jitter(x[part], 20, whole[part], (1.1, 2)))


STILL = ("ROTATION", "SCALE", "SHIFT", "BRIGHTNESS", "CONTRAST")


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Images that neither move nor change their light."""
    for name in STILL:
        monkeypatch.setattr(f"evenray.learning.augment.{name}", 0.0)
    return monkeypatch


def test_without_strength_images_stay_as_they_are(still: pytest.MonkeyPatch) -> None:
    still.setattr("evenray.learning.augment.NOISY", 0.0)
    still.setattr("evenray.learning.augment.CUT", 0.0)
    x = torch.rand(16, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(augment(x, chance(0, 16)), x)


def test_some_images_get_noise_each_of_its_own_strength(still: pytest.MonkeyPatch) -> None:
    still.setattr("evenray.learning.augment.CUT", 0.0)
    x = torch.full((800, 1, 28, 28), 0.5)
    noise = augment(x, chance(0, 800)) - x
    spread = noise.std((1, 2, 3))
    noisy = spread > 1e-6
    assert float(noisy.float().mean()) == pytest.approx(NOISY, abs=0.05)
    assert float(spread.max()) < NOISE * 1.1
    assert float(spread[noisy].mean()) == pytest.approx(NOISE / 2, rel=0.15)
    assert float((noise[noisy].mean((1, 2, 3)) / spread[noisy] * 28).abs().max()) < 5  # in standard errors
    first, second = noise[noisy][:2].flatten(1)
    assert abs(float(torch.corrcoef(torch.stack([first, second]))[0, 1])) < 0.15


def test_some_images_lose_a_rectangle_of_a_small_part(still: pytest.MonkeyPatch) -> None:
    still.setattr("evenray.learning.augment.NOISY", 0.0)
    x = torch.rand(800, 2, 40, 50, generator=torch.Generator().manual_seed(0))
    found = augment(x, chance(0, 800))
    changed = ((found - x).abs() > 1e-5).any(1)
    cut = changed.any((1, 2))
    assert float(cut.float().mean()) == pytest.approx(CUT, abs=0.05)
    corners = set()
    for image, before, where in zip(found[cut], x[cut], changed[cut], strict=True):
        rows, columns = where.any(1).nonzero().flatten(), where.any(0).nonzero().flatten()
        height, width = int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)
        inside = image[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        torch.testing.assert_close(inside, before.mean((1, 2))[:, None, None].expand_as(inside))
        assert CUT_AREA[0] * 0.7 < height * width / 2000 < CUT_AREA[1] * 1.3
        assert 0.4 < (height / 40) / (width / 50) < 2.6
        corners.add((int(rows[0]), int(columns[0])))
    assert len(corners) > 50


def test_scale_jitter_cuts_within_its_scales_and_follows_its_seed() -> None:
    """A ramp tells where a crop was cut and how far the image had been enlarged."""
    ramp = torch.linspace(0, 1, 40).expand(6, 1, 40, 40).contiguous()
    found = [scale_jitter(ramp, 28, chance(seed, 6), (1.5, 2.0)) for seed in (4, 4, 5)]
    assert found[0].shape == (6, 1, 28, 28)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    for crops in found:
        scales = 1 / (crops[:, 0, 14, 20] - crops[:, 0, 14, 7]) * 13 / 39 * 40 / 28
        assert 1.45 <= float(scales.min()) <= float(scales.max()) <= 2.05
        assert len(crops[:, 0, 0, 0].unique()) > 1


def test_scales_below_the_size_are_refused() -> None:
    with pytest.raises(UsageError, match="1 <= low"):
        scale_jitter(torch.rand(1, 1, 40, 40), 28, chance(0, 1), (0.5, 2))
