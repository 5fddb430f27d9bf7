"""Simple models: each learns what it may see and nothing else, from the training part alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evenray.core.types import Dataset, Predictions
from evenray.learning.baselines import baselines
from evenray.metrics import score


def dataset(
    *, header: bool = False, grey: bool = False, place: bool = False, cases: int = 240, seed: int = 0
) -> Dataset:
    """Two classes that differ in the number of rows, in brightness, or only in where the bright pixels lie."""
    rng = np.random.default_rng(seed)
    targets = np.arange(cases) % 2
    pictures = rng.integers(60, 180, (cases, 32, 32)).astype(np.uint8)
    if grey:
        pictures += (30 * targets).astype(np.uint8)[:, None, None]
    if place:
        half = np.where(targets[:, None, None] == 1, np.arange(32) < 16, np.arange(32) >= 16)
        pictures = np.sort(pictures.reshape(cases, -1), axis=1)[:, rng.permutation(1024)].reshape(cases, 32, 32)
        pictures = np.where(
            half, np.maximum(pictures, pictures[:, :, ::-1]), np.minimum(pictures, pictures[:, :, ::-1])
        )
    histograms = np.stack([np.bincount(each.ravel(), minlength=256) for each in pictures])
    table = pl.DataFrame(
        {
            "case": [f"c{i}" for i in range(cases)], "label": targets.astype(str), "patient": [f"p{i}" for i in range(cases)],
            "part": np.where(np.arange(cases) < cases * 2 // 3, "train", "test"),
            "rows": 500 + (20 * targets if header else 0 * targets), "modality": ["DX"] * cases,
            "sketch": np.arange(cases),
        }
    )  # fmt: skip
    return Dataset(table, ("0", "1"), "1", "d", sketches={"histogram": histograms, "thumbnail": pictures})


def network(data: Dataset) -> Predictions:
    """What a network without a clue says of the test part, in another order than the table's."""
    test = data.part("test")
    order = np.random.default_rng(0).permutation(len(test))
    columns = test.cases.select("case", "patient", "part", "label").with_columns(
        pl.Series("target", test.targets), p_0=pl.lit(0.5), p_1=pl.lit(0.5)
    )
    return Predictions(columns[order], data.classes, data.positive)


@pytest.mark.parametrize(
    ("differs", "told_by", "silent"),
    [("header", {"header"}, {"histogram", "thumbnail"}), ("grey", {"histogram", "thumbnail"}, set()),
     ("place", {"thumbnail"}, {"histogram"})],
)  # fmt: skip
def test_each_tells_the_classes_apart_by_what_it_sees(differs: str, told_by: set[str], silent: set[str]) -> None:
    data = dataset(**{differs: True})
    found = baselines(data, network(data))
    assert ("header" in found) == (differs == "header")  # where nothing varies there is nothing to learn
    areas = {name: score(each, resamples=0).auroc.value for name, each in found.items()}
    assert all(areas[name] > 0.95 for name in told_by)
    assert all(abs(areas[name] - 0.5) < 0.2 for name in silent)


def test_they_never_see_the_labels_they_are_tested_on() -> None:
    data = dataset(grey=True)
    like = network(data)
    number = pl.col("label").cast(pl.Int8)
    other = pl.when(pl.col("part") == "test").then(1 - number).otherwise(number)
    swapped = data.cases.with_columns(label=other.cast(pl.String))
    again = baselines(data.with_cases(swapped), like)
    for name, each in baselines(data, like).items():
        assert (each.probabilities == again[name].probabilities).all()
        assert each.table["case"].equals(like.table["case"])


def test_another_prevalence_moves_them_in_closed_form() -> None:
    data = dataset(grey=True)
    like = network(data)
    here, there = baselines(data, like), baselines(data, like, np.array([0.99, 0.01]))
    for name in here:
        moved = here[name].probabilities * np.array([0.99, 0.01]) / 0.5
        np.testing.assert_allclose(there[name].probabilities, moved / moved.sum(axis=1, keepdims=True), atol=1e-9)
