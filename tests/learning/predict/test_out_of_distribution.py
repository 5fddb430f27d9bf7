"""Out-of-distribution images: few of the same kind are flagged, and what is of another kind is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from skimage import data as photos

from evenray.core.artefacts.model import DistributionRecord
from evenray.core.types import Dataset, Image
from evenray.learning.predict.out_of_distribution import Fingerprint, deviations, fit

SIDE = 64


def film(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A bright body with two dark fields in it, never twice the same: what chest films have in common."""
    y, x = np.mgrid[0:1:64j, 0:1:64j]
    shift, wide = rng.normal(0, 0.03, 2), rng.uniform(0.9, 1.1)
    picture = 40 + 130 * np.exp(-(((x - 0.5 - shift[0]) / 0.4 / wide) ** 4))
    for middle in (0.3, 0.7):
        picture -= 90 * np.exp(-(((x - middle - shift[0]) / 0.12 / wide) ** 2) - ((y - 0.45 - shift[1]) / 0.25) ** 2)
    picture = picture * rng.uniform(0.85, 1.15) + rng.normal(0, 4, (SIDE, SIDE))
    return np.asarray(cv2.GaussianBlur(np.clip(picture, 0, 255).astype(np.uint8), (3, 3), 0.6))


def prints(pictures: list[NDArray[np.uint8]]) -> list[Fingerprint]:
    return [Fingerprint.of(Image(np.ascontiguousarray(p), value_range=(0, 255))) for p in pictures]


def dataset(pictures: list[NDArray[np.uint8]], labels: list[str]) -> Dataset:
    described = [vars(found) for found in prints(pictures)]
    sketches = {
        name: np.stack([row[of] for row in described])
        for name, of in (("histogram", "histogram"), ("fingerprint", "picture"))
    }
    numbers = [{name: value for name, value in row.items() if np.isscalar(value)} for row in described]
    cases = pl.DataFrame(numbers).with_columns(label=pl.Series(labels)).with_row_index("sketch")
    classes = tuple(sorted(set(labels)))
    return Dataset(cases, classes, classes[0], ".", sketches=sketches)


@pytest.fixture(scope="module")
def films() -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    return [film(rng) for _ in range(700)]


@pytest.fixture(scope="module")
def known(films: list[NDArray[np.uint8]]) -> DistributionRecord:
    found = fit(dataset(films[:400], ["sick", "well"] * 200))
    assert found is not None
    return DistributionRecord.parsed(found.text(), Path("model.json"))


def flagged(known: DistributionRecord, pictures: list[NDArray[np.uint8]]) -> float:
    return float(np.mean([bool(found) for found in deviations(known, prints(pictures))]))


def test_of_the_same_kind_as_few_are_flagged_as_it_says(
    known: DistributionRecord, films: list[NDArray[np.uint8]]
) -> None:
    assert 0 <= known.rates["all"] <= 0.0101
    assert set(known.rates) == {"all", "sick", "well"}
    assert flagged(known, films[400:]) <= 0.03  # 1 % of 300, and three standard deviations of chance


@pytest.mark.parametrize("change", [
    lambda p: 255 - p, lambda p: np.rot90(p), lambda p: (p * 0.2).astype(np.uint8), lambda p: cv2.GaussianBlur(p, (0, 0), 3),
    lambda p: np.random.default_rng(1).permutation(p.ravel()).reshape(p.shape), lambda p: cv2.resize(p, (SIDE, SIDE // 2)),
    lambda p: np.dstack([p, p, 255 - p]), lambda p: np.zeros_like(p),
], ids=["negative", "turned", "dark", "blurred", "shuffled", "squeezed", "coloured", "blank"])  # fmt: skip
def test_another_kind_is_flagged(known: DistributionRecord, films: list[NDArray[np.uint8]], change: object) -> None:
    assert flagged(known, [change(p) for p in films[400:440]]) >= 0.95  # type: ignore[operator]


def test_photos_are_flagged_and_the_reason_names_what_is_odd(known: DistributionRecord) -> None:
    shown = [cv2.resize(getattr(photos, name)(), (SIDE, SIDE), interpolation=cv2.INTER_AREA) for name in
             ("camera", "coins", "moon", "text", "astronaut", "coffee")]  # fmt: skip
    found = deviations(known, prints(shown))
    assert all(found)
    assert "channels colour (trained on grey)" in [str(one) for one in found[4]]
    large = deviations(known, prints([cv2.resize(photos.camera(), (300, 300))]))[0]
    assert any(one.kind == "side" and one.value == pytest.approx(300) for one in large)


def test_too_few_images_tell_nothing(films: list[NDArray[np.uint8]]) -> None:
    assert fit(dataset(films[:19], ["sick"] * 19)) is None


def test_a_table_without_the_numbers_tells_nothing() -> None:
    bare = pl.DataFrame({"rows": [1] * 30, "label": ["sick"] * 30})
    assert fit(Dataset(bare, ("sick", "well"), "sick", ".")) is None


@pytest.mark.parametrize("name", ["pneumoniamnist", "breastmnist"])
def test_real_images(evenray_data: Path, name: str) -> None:
    with np.load(evenray_data / "medmnist" / f"{name}.npz") as archive:
        train, test = archive["train_images"][::4][:900], archive["test_images"]
        labels = archive["train_labels"].ravel()[::4][:900].astype(str)
    known = fit(dataset(list(train), labels.tolist()))
    assert known is not None
    assert flagged(known, list(test)) <= 0.04
    if name == "pneumoniamnist":
        assert flagged(known, [255 - picture for picture in test[::3]]) >= 0.95
