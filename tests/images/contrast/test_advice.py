from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from evenray.core.texts import Texts
from evenray.core.types import Image
from evenray.images.contrast import enhance
from evenray.images.contrast.advice import Advice, advise
from evenray.images.histogram import Histogram


def of(values: np.ndarray, high: int = 255) -> Histogram:
    return Histogram.of(Image(np.rint(values * high).astype(np.uint16 if high > 255 else np.uint8)[None], (0, high)))


RNG = np.random.default_rng(0)
LIGHT = {
    "over_exposed": 1 - RNG.beta(1.5, 8, 20_000),
    "under_exposed": RNG.beta(1.5, 8, 20_000),
    "low_contrast": RNG.normal(0.5, 0.04, 20_000).clip(0, 1),
    "clipped": np.concatenate([RNG.uniform(0, 1, 20_000), np.ones(800)]),
    "bimodal": np.concatenate([RNG.normal(0.25, 0.07, 9000), RNG.normal(0.75, 0.07, 11_000)]).clip(0.01, 0.99),
}


@pytest.mark.parametrize("high", [255, 4095])
@pytest.mark.parametrize("name", LIGHT)
def test_finds_each_trait_and_names_methods_that_run(name: str, high: int) -> None:
    found = {advice.name: advice for advice in advise(of(LIGHT[name], high))}
    assert name in found
    assert found[name].figures
    image = Image(RNG.integers(0, 256, (40, 40)).astype(np.uint8), (0, 255))
    for spec in found[name].methods:
        enhance(image, spec)


@pytest.mark.parametrize("name", LIGHT)
def test_advice_is_said_in_korean_with_its_figures(name: str) -> None:
    found = next(advice for advice in advise(of(LIGHT[name])) if advice.name == name)
    english, korean = (Texts(language).message(found.message) for language in ("en", "ko"))
    assert not re.search("[A-Za-z]", korean)
    figures = re.compile(r"-?\d+(?:\.\d+)?")
    assert sorted(figures.findall(korean)) == sorted(figures.findall(english))


@pytest.mark.parametrize("skewness", [-0.7, 0.04, 0.7])
@pytest.mark.parametrize("name", ["over_exposed", "under_exposed"])
def test_every_kind_of_exposure_is_said_in_korean(name: str, skewness: float) -> None:
    korean = Texts("ko").message(Advice(name, {"skewness": skewness, "mean": 0.8}, ()).message)
    assert not re.search("[A-Za-z]", korean)


def test_silent_on_even_light() -> None:
    assert advise(of(RNG.uniform(0.005, 0.995, 50_000))) == []
    assert advise(of(RNG.normal(0.5, 0.16, 50_000).clip(0.01, 0.99))) == []
    assert advise(Histogram(np.zeros(256, np.int64), np.arange(257) - 0.5)) == []


def test_left_skewed_is_over_exposed_as_on_the_slide() -> None:
    """Mass at the bright end, tail to the dark: skewness is negative."""
    histogram = of(LIGHT["over_exposed"])
    assert histogram.skewness < 0
    assert "left-skewed" in Texts("en").message(advise(histogram)[0].message)


@pytest.mark.parametrize("seed", range(6))
def test_bright_or_dark_is_told_whatever_the_skewness(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.03, 40_000)
    for mean, name in ((0.84, "over_exposed"), (0.16, "under_exposed")):
        found = {advice.name: advice for advice in advise(of(mean + noise))}
        assert "hardly skewed" in Texts("en").message(found[name].message)


def test_where_little_of_the_range_is_used_no_tiles_come_first() -> None:
    for spread, tiled in ((0.01, "percentile(1, 99) | clahe(clip=2)"), (0.08, "clahe(clip=2)")):
        found = {advice.name: advice for advice in advise(of(RNG.normal(0.5, spread, 20_000)))}
        assert found["low_contrast"].methods[-1] == tiled


def test_on_a_washed_out_x_ray(evenray_data: Path) -> None:
    file = min((evenray_data / "chest-xray-full" / "NORMAL").glob("*.jpeg"))
    pixels = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    washed = (200 + pixels / 255 * 40).astype(np.uint8)
    assert "low_contrast" in {advice.name for advice in advise(Histogram.of(Image(washed, (0, 255))))}


@pytest.mark.parametrize(("shift", "name"), [(-0.35, "under_exposed"), (0.4, "over_exposed")])
def test_on_x_rays_exposed_wrongly(evenray_data: Path, shift: float, name: str) -> None:
    files = sorted((evenray_data / "chest-xray-full" / "NORMAL").glob("*.jpeg"))[:5]
    unit = [cv2.imread(str(file), cv2.IMREAD_REDUCED_GRAYSCALE_4) / 255 for file in files]
    found = [{advice.name for advice in advise(of((grey + shift).clip(0, 1).ravel()))} for grey in unit]
    assert all(name in names for names in found)
