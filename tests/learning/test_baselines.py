"""Simple models: each learns what it may see and nothing else, from the training part alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evenray.core.facts import Facts
from evenray.core.types import Dataset, Predictions
from evenray.learning.baselines import TrunkFeatures, baselines
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


def test_a_trunk_is_learnt_from_the_training_cases_that_have_features_alone() -> None:
    """Those of a nested cross-validation are of all cases, whichever part a fold puts them in."""
    data = dataset()
    cases, rng = data.cases["case"].to_list(), np.random.default_rng(0)
    features = (rng.normal(size=(len(cases), 4)) + data.targets[:, None]).astype(np.float32)
    validated = pl.when(pl.int_range(pl.len()) < 40).then(pl.lit("validation")).otherwise("part")
    fold = data.with_cases(data.cases.with_columns(part=validated))
    every = baselines(fold, network(fold), trunk=TrunkFeatures(cases, features, "drawn"))["trunk"]
    own = baselines(fold, network(fold), trunk=TrunkFeatures(cases[:39:-1], features[:39:-1], "drawn"))["trunk"]
    np.testing.assert_allclose(every.probabilities, own.probabilities, atol=1e-6)
    assert score(every, resamples=0).auroc.value > 0.9
    whole = baselines(data, network(data), trunk=TrunkFeatures(cases, features, "drawn"))["trunk"]
    assert np.abs(every.probabilities - whole.probabilities).max() > 1e-3


def test_another_prevalence_moves_them_in_closed_form() -> None:
    data = dataset(grey=True)
    like = network(data)
    here, there = baselines(data, like), baselines(data, like, [np.array([0.99, 0.01])])
    for name in here:
        moved = here[name].probabilities * np.array([0.99, 0.01]) / 0.5
        np.testing.assert_allclose(there[name].probabilities, moved / moved.sum(axis=1, keepdims=True), atol=1e-9)


def test_of_several_findings_each_is_learnt_by_itself_from_the_cases_of_which_it_is_known() -> None:
    """One finding is told by the header, one by the grey levels, and of one nothing is known in training."""
    two = dataset(grey=True)
    rng = np.random.default_rng(1)
    tall, bright = rng.random(len(two)) < 0.4, two.targets == 1
    training = (two.cases["part"] == "train").to_numpy()
    unknown = training & (rng.random(len(two)) < 0.3)

    def data(where_unknown: bool | None) -> Dataset:
        told = [
            [bool(a), where_unknown if hidden else bool(b), None if learnt else bool(a)]
            for a, b, hidden, learnt in zip(tall, bright, unknown, training, strict=True)
        ]
        cases = two.cases.with_columns(
            pl.Series("findings", told, pl.List(pl.Boolean)), rows=pl.Series(500 + 20 * tall), label=pl.lit("")
        )
        return Dataset(cases, ("tall", "bright", "new"), "", "d", sketches=two.sketches, facts=Facts(task="tag"))

    test = data(None).part("test")
    told = [pl.Series(f"target_{k}", test.targets[:, k] == 1) for k in range(3)]
    flat = {f"logit_{k}": pl.lit(0.0) for k in range(3)} | {f"p_{k}": pl.lit(0.5) for k in range(3)}
    table = test.cases.select("case", "patient", "part").with_columns(*told, **flat)
    like = Predictions(table, test.classes, "", "tag")
    found = baselines(data(None), like)
    areas = {
        (name, finding): score(each.finding(finding), resamples=0).auroc.value
        for name, each in found.items()
        for finding in test.classes
    }
    assert areas["header", "tall"] > 0.95
    assert areas["histogram", "bright"] > 0.95
    assert areas["header", "new"] == areas["histogram", "new"] == 0.5
    assert abs(areas["header", "bright"] - 0.5) < 0.25
    # Had the unknown cases counted as absent ones, the probabilities of the others would be lower.
    absent = baselines(data(False), like)["histogram"].probabilities
    assert (found["histogram"].probabilities[:, 0] == absent[:, 0]).all()
    assert found["histogram"].probabilities[:, 1].mean() > absent[:, 1].mean() + 0.05
    there = baselines(data(None), like, [None, np.array([0.99, 0.01]), None])["histogram"].probabilities
    assert (there[:, 0] == found["histogram"].probabilities[:, 0]).all()
    assert there[:, 1].mean() < found["histogram"].probabilities[:, 1].mean()
