"""What the light bench calculates, against the engine itself and known truth."""

from __future__ import annotations

import numpy as np
import pytest

from evenray.app.benches.damage import Damage, grey_of, levels_of
from evenray.app.benches.light import CURVE, curve_of, frequencies, mended, slides_values
from evenray.core.errors import UsageError
from evenray.core.types import Image
from evenray.images.contrast import enhance
from evenray.images.histogram import Histogram


def picture(dtype: type = np.uint16, top: int = 4095) -> Image:
    rng = np.random.default_rng(3)
    pixels = np.clip(rng.normal(0.4, 0.15, (60, 80)), 0, 1) * top
    return Image(pixels.astype(dtype), (0, top))


@pytest.mark.parametrize("spec", ["equalize", "percentile(1, 99) | gamma(0.8)", "invert"])
@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 4095), (np.uint16, 65535), (np.float32, 1)])
def test_a_curve_looked_up_is_the_engines_picture(spec: str, dtype: type, top: int) -> None:
    image = picture(dtype, top)
    levels, number, _ = levels_of(image)
    values = curve_of(spec, Histogram.of(image))
    assert values is not None
    assert len(values) == min(number, CURVE)
    looked_up = np.interp(levels / (number - 1), np.linspace(0, 1, len(values)), values)
    after = np.clip(enhance(image, spec).pixels.astype(float) / top, 0, 1)
    assert np.abs(looked_up - after).max() < (1 / 255 if number > CURVE else 0.51 / (number - 1))


def test_methods_that_look_at_pixels_have_no_curve() -> None:
    assert curve_of("gamma(0.5) | clahe", Histogram.of(picture())) is None


def test_levels_are_the_bins_of_the_histogram() -> None:
    image = Image(np.array([[-1024, 0, 3071, 32000]], np.int16), (-1024, 3071))
    levels, number, _ = levels_of(image)
    assert np.array_equal(np.bincount(levels.ravel(), minlength=number), Histogram.of(image).counts)


def test_damage_does_what_it_says() -> None:
    image = Image(np.full((200, 200), 100, np.uint8), (0, 255))
    spread = Damage(noise=0.1).apply(image).pixels.astype(float).std() / 255
    assert spread == pytest.approx(0.1, rel=0.03)
    outliers = Damage(outliers=0.1).apply(image).pixels
    assert np.mean(outliers == 0) == pytest.approx(0.05, abs=0.005)
    assert np.mean(outliers == 255) == pytest.approx(0.05, abs=0.005)
    assert np.mean(Damage(missing=0.25).apply(image).pixels == 0) == pytest.approx(0.25, abs=0.01)
    bright = Damage(exposure=2).apply(Image(np.tile(np.arange(200, dtype=np.uint8), (200, 1)), (0, 255)))
    assert Histogram.of(bright).skewness < -0.5  # left-skewed, as the slides have it
    uneven = Damage(unevenness=0.5).apply(image).pixels
    assert (uneven[:, 0] == 100).all()
    assert (uneven[:, -1] == 50).all()
    assert Damage().apply(image) is image
    assert np.array_equal(Damage(noise=0.1).apply(image).pixels, Damage(noise=0.1).apply(image).pixels)


def test_missing_pixels_count_only_while_they_are_not_marked() -> None:
    image = picture()
    black = Histogram.of(Damage(missing=0.4).apply(image))
    marked = Histogram.of(Damage(missing=0.4, marked=True).apply(image))
    assert black.counts[0] > 0.3 * black.total
    assert marked.counts[0] < 0.01 * marked.total
    assert marked.missing == pytest.approx(0.4 * image.pixels.size, rel=0.05)


def test_what_mends_an_image_is_told_truly() -> None:
    dark = Damage(exposure=-2)
    found = {one.spec: one for one in mended(picture(), dark, ("none", "linear", "gamma(2)", "equalize"))}
    spoilt, clean = dark.apply(picture()), picture()
    left = np.sqrt(np.mean((enhance(spoilt, "linear").pixels / 4095 - clean.pixels / 4095) ** 2))
    assert found["linear"].left == pytest.approx(100 * left)
    assert found["linear"].left < found["none"].left < found["gamma(2)"].left
    assert found["equalize"].moved < 1  # equalization takes a change of light out altogether
    assert mended(picture(), Damage(), ("equalize", "none"))[0].spec == "none"


def test_the_values_of_the_slides_have_their_table() -> None:
    counts, _ = np.histogram(slides_values(), bins=np.arange(-3.5, 4.0))
    assert counts.tolist() == [9, 32, 109, 180, 132, 34, 4]
    assert np.array_equal(slides_values(), np.sort(slides_values()))


def test_colour_is_seen_as_lightness() -> None:
    colours = Image(np.random.default_rng(0).integers(0, 256, (20, 20, 3)).astype(np.uint8), (0, 255))
    assert np.array_equal(Histogram.of(colours).counts, Histogram.of(grey_of(colours)).counts)


def test_a_table_that_nobody_could_read_is_refused() -> None:
    with pytest.raises(UsageError, match="more than 400"):
        frequencies(Histogram.of(picture()), 0.5)
