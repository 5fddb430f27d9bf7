"""How a set differs from the training images: what is named, and how rarely where nothing differs."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from evenray.core.types import Dataset
from evenray.data.external.drift import SLIGHT, drifted


def images(rng: np.random.Generator, n: int = 120, *, level: float = 0.0, sick: float = 0.4, **columns: Any) -> Dataset:
    """Two images a patient; the sick are brighter, so that class shares alone would look like light."""
    patient = np.repeat(np.arange(n // 2), 2)
    label = (rng.random(n // 2) < sick)[patient]
    mean = 0.4 + level + 0.1 * label + 0.05 * rng.standard_normal(n // 2)[patient] + 0.02 * rng.standard_normal(n)
    counts = np.stack(
        [np.bincount(np.clip(rng.normal(255 * one, 30, 500), 0, 255).astype(int), minlength=256) for one in mean]
    )
    table = pl.DataFrame({
        "case": [f"c{i}" for i in range(n)], "patient": [f"p{i}" for i in patient], "label": np.where(label, "sick", "well"),
        "sketch": np.arange(n, dtype=np.uint32), "mean": mean, "std": 0.2 + 0.02 * rng.standard_normal(n),
        "noise": np.exp(rng.normal(-4, 0.3, n)), "sharpness": np.exp(rng.normal(-2, 0.3, n)), "rows": 200, "columns": 200,
        "manufacturer": "A", "bits": 12,
    } | columns)  # fmt: skip
    return Dataset(table, ("sick", "well"), "sick", ".", sketches={"histogram": counts.astype(np.uint32)})


def named(training: Dataset, other: Dataset) -> dict[str, float]:
    return {one.name: one.effect for one in drifted(training, other) if one.shown}


def test_light_is_named_with_its_size_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    found = named(images(rng), images(rng, level=0.15))
    assert set(found) == {"light", "brightness"}
    assert found["light"] == pytest.approx(0.15, abs=0.03)
    assert found["brightness"] == pytest.approx(0.15 / np.hypot(0.05, 0.02), rel=0.25)


def test_class_shares_are_no_light() -> None:
    rng = np.random.default_rng(1)
    assert named(images(rng, sick=0.2), images(rng, sick=0.8)) == {}


def test_another_device_and_another_size() -> None:
    rng = np.random.default_rng(2)
    other = images(rng, rows=150, manufacturer=["A", "B"] * 60)
    found = {one.name: one for one in drifted(images(rng), other)}
    assert found["manufacturer"].effect == pytest.approx(0.5)
    assert (found["manufacturer"].before, found["manufacturer"].after) == ("A 100 %", "A 50 %, B 50 %")
    assert found["size"].clear
    assert found["aspect"].shown
    assert "bits" not in found  # the same everywhere, and nothing to tell


def test_where_nothing_differs_one_set_in_twenty_or_fewer_shows_anything() -> None:
    rng = np.random.default_rng(3)
    alarms = sum(bool(named(images(rng, 60), images(rng, 60))) for _ in range(40))
    assert alarms <= 6  # of 40 at .05: 7 or more come once in 300 times


def test_small_effects_are_not_named_however_sure() -> None:
    rng = np.random.default_rng(4)
    found = {
        one.name: one
        for one in drifted(images(rng, 3000), images(rng, 3000, std=0.202 + 0.02 * rng.standard_normal(3000)))
    }
    assert found["contrast"].p < 0.05
    assert abs(found["contrast"].effect) < SLIGHT["number"]
    assert not found["contrast"].shown
