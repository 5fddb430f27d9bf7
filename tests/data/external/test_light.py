"""One curve that puts the light of a set back."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evenray.core.types import Dataset, Image
from evenray.data.audit import measure
from evenray.data.external.light import light_put_back
from evenray.images.contrast import enhance
from evenray.images.histogram import Histogram


def pictures(rng: np.random.Generator, n: int = 60) -> np.ndarray:
    """Bright above, dark below, each with its own light."""
    slope = np.linspace(0.75, 0.25, 32)[:, None] * np.ones(32)
    return np.clip(slope + 0.05 * rng.standard_normal((n, 1, 1)) + 0.03 * rng.standard_normal((n, 32, 32)), 0, 1)


def dataset(x: np.ndarray) -> Dataset:
    images = [Image((255 * one).round().astype(np.uint8), (0, 255)) for one in x]
    told = [measure(one, Histogram.of(one), only=("fingerprint",)) for one in images]
    sketches = {
        "histogram": np.stack([Histogram.of(one).rebin(256).counts for one in images]).astype(np.uint32),
        "fingerprint": np.stack([one["fingerprint"] for one in told]),
    }
    label = np.where(np.arange(len(x)) % 3 == 0, "sick", "well")
    table = pl.DataFrame(
        {"case": [str(i) for i in range(len(x))], "label": label, "sketch": np.arange(len(x), dtype=np.uint32)}
    )
    return Dataset(table, ("sick", "well"), "sick", ".", sketches=sketches)


@pytest.mark.parametrize(("gamma", "inverted"), [(2.0, False), (0.5, False), (1.0, True), (1.6, True)])
def test_it_undoes_a_gamma_and_a_negative(gamma: float, inverted: bool) -> None:
    rng = np.random.default_rng(0)
    true = pictures(rng)
    changed = true**gamma
    changed = 1 - changed if inverted else changed
    spec = light_put_back(dataset(pictures(rng)), dataset(changed))
    assert spec is not None
    assert spec.startswith("invert") == inverted
    back = (
        np.stack([enhance(Image((255 * one).round().astype(np.uint8), (0, 255)), spec).pixels for one in changed]) / 255
    )
    assert np.abs(back - true).mean() < 0.015
    assert np.abs(changed - true).mean() > 0.1


def test_the_same_light_stays_and_no_histogram_gives_no_curve() -> None:
    rng = np.random.default_rng(1)
    spec = light_put_back(dataset(pictures(rng)), dataset(pictures(rng)))
    assert spec is not None
    own = pictures(rng)[0]
    back = enhance(Image((255 * own).round().astype(np.uint8), (0, 255)), spec).pixels / 255
    assert np.abs(back - own).max() < 0.05
    bare = Dataset(dataset(own[None]).cases.drop("sketch"), ("sick", "well"), "sick", ".")
    assert light_put_back(bare, bare) is None
