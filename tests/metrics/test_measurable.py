"""Predictions of some classes alone, against predictions that were made of these alone, and against scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from evenray.core.types import Predictions
from evenray.metrics import measured_by_task, score
from evenray.metrics.boxes import flat_column
from evenray.metrics.masks import told_whole
from evenray.metrics.measurable import among, measurable
from evenray.metrics.pixel_bins import BINS

N = 60
WHO = {"case": [f"c{i}" for i in range(N)], "patient": [f"p{i // 2}" for i in range(N)], "part": ["test"] * N}


def values(predictions: Predictions, cuts: list[float] | None = None) -> dict[str, float]:
    return {name: one.value for name, one in measured_by_task(predictions, cuts, resamples=0).items()}


def test_findings_alone_are_the_mean_of_each() -> None:
    rng = np.random.default_rng(0)
    has, p = rng.random((N, 3)) < 0.4, rng.random((N, 3))
    has[:, 1] = False
    columns = {f"{name}_{k}": each[:, k] for k in range(3) for name, each in (("target", has), ("p", p), ("logit", p))}
    whole = Predictions(pl.DataFrame({**WHO, "site": "x", **columns}), ("a", "b", "c"), "", "tag")
    assert measurable(whole) == ("a", "c")
    alone = among(whole, ("c",))
    assert (alone.classes, alone.table.columns) == (("c",), [*WHO, "site", "target_0", "p_0", "logit_0"])
    each = score(whole.finding("c"), 0.4, resamples=0)
    assert values(alone, [0.4])["f1"] == pytest.approx(each.f1.value)
    assert values(among(whole, ("a", "c"))) == values(whole)
    assert among(whole, whole.classes) is whole


def test_cases_of_some_classes_keep_what_was_said_of_all() -> None:
    rng = np.random.default_rng(1)
    target, p = rng.integers(0, 3, N), rng.dirichlet([1] * 4, N)
    table = pl.DataFrame({**WHO, "target": target, **{f"p_{k}": p[:, k] for k in range(4)}})
    whole = Predictions(table, ("a", "b", "c", "d"), "d")
    assert measurable(whole) == ("a", "b", "c")
    kept, alone = target != 1, values(among(whole, ("a", "c")))
    areas = [roc_auc_score(target[kept] == k, p[kept, k]) for k in (0, 2)]
    assert alone["auroc"] == pytest.approx(np.mean(areas))
    assert alone["accuracy"] == pytest.approx((p.argmax(axis=1) == target)[kept].mean())  # b or d is a mistake


def test_masks_and_boxes_of_one_class_are_those_without_the_other() -> None:
    rng = np.random.default_rng(2)
    bins = rng.poisson(0.3, (2, N, 2 * BINS))
    there = [np.arange(N) % 3 > 0, np.zeros(N, bool)]
    for own, has in zip(bins, there, strict=True):
        own[~has, BINS:] = 0
    columns = [{f"target_{at}": there[k], f"bins_{at}": bins[k].tolist()} for k, at in ((0, 0), (1, 1), (0, 0))]
    masks = Predictions(pl.DataFrame({**WHO, **columns[1], **columns[0]}), ("a", "b"), "", "segment")
    assert measurable(masks) == ("a",)
    only = Predictions(pl.DataFrame({**WHO, **columns[2]}), ("a",), "", "segment")
    assert values(among(masks, ("a",)), [0.5]) == values(only, [0.5])
    together = replace(masks, table=masks.table.with_columns(right=pl.lit(7)))  # pixels that are right in all classes
    assert told_whole(together)
    assert values(among(together, ("a",)), [0.5]) == values(only, [0.5])
    three = Predictions(pl.DataFrame({**WHO, **columns[0], **columns[1], "target_2": there[0], "bins_2": bins[0].tolist(),
                                      "right": [7] * N}), ("a", "b", "c"), "", "segment")  # fmt: skip
    assert not told_whole(among(three, ("a", "c")))

    def boxes(classes: tuple[str, ...], numbers: dict[int, int]) -> Predictions:
        rng, objects, found = np.random.default_rng(3), [], []
        for _ in range(N):
            true, said = [], []
            for k in (0, 1, 2):
                corner = rng.integers(0, 50, 2)
                box, near = [*corner, *(corner + 20)], [*(corner + rng.integers(0, 8, 2)), *(corner + 20)]
                ignored, score = rng.random() < 0.2, rng.random()
                if k in numbers and k != 1:
                    true.append([-1 - numbers[k] if ignored else numbers[k], *box])
                if k in numbers:
                    said.append([numbers[k], *near, score])
            objects.append(np.array(true, float).reshape(-1, 5))
            found.append(np.array(said, float).reshape(-1, 6))
        table = pl.DataFrame(WHO | {f"target_{j}": [True] * N for j in numbers.values()})
        table = table.with_columns(flat_column("objects", objects), flat_column("found", found))
        return Predictions(table, classes, "", "detect")

    whole, only = boxes(("a", "b", "c"), {0: 0, 1: 1, 2: 2}), boxes(("c",), {2: 0})
    assert measurable(whole) == ("a", "c")
    alone = among(whole, ("c",))
    assert alone.table.equals(only.table)
    assert 0 < values(alone, [0.5])["map50"] == values(only, [0.5])["map50"] < 1
