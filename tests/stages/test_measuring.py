"""Masks in the pixels of their files: what is right of a mask of several classes is counted once a pixel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

import evenray as er
from evenray.core.types import Predictions
from evenray.data.annotations import read_mask
from evenray.metrics.masks import score_masks
from evenray.metrics.pixel_bins import BINS
from evenray.stages.measuring import in_own_pixels


def test_accuracy_is_that_of_the_masks_themselves(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "masks").mkdir()
    for n in range(4):
        cv2.imwrite(str(tmp_path / f"{n}.png"), rng.integers(0, 255, (20, 24), dtype=np.uint8))
        cv2.imwrite(str(tmp_path / "masks" / f"{n}.png"), rng.choice([0, 1, 2], (20, 24)).astype(np.uint8))
    cases = er.scan(tmp_path, task="segment", masks=tmp_path / "masks")
    cases = cases.with_cases(cases.cases.with_columns(part=pl.lit("test")))
    true = np.stack([read_mask(cases, row) for row in range(4)])
    called = np.where(rng.random(true.shape) < 0.6, true, rng.choice([0, 1, 2], true.shape)).astype(np.uint8)
    targets = {f"target_{k}": pl.lit(1) for k in range(2)}
    bins = {f"bins_{k}": pl.lit([1] * (2 * BINS)) for k in range(2)}
    table = cases.cases.select("case", "part", patient="case", **targets, **bins)
    found, _ = in_own_pixels(cases, cases, Predictions(table, cases.classes, "", "segment"), iter(enumerate(called)))
    means, each = score_masks(found, [0.5, 0.5], resamples=200)
    accuracy = means.estimates["accuracy"]
    assert accuracy.value == pytest.approx((called == true).mean())
    assert accuracy.baseline == pytest.approx((true == 0).mean())
    assert accuracy.low < accuracy.value < accuracy.high
    for k, one in enumerate(each.values(), 1):  # each class by itself is against the rest
        assert one.estimates["accuracy"].value == pytest.approx(((called == k) == (true == k)).mean())
        assert one.estimates["accuracy"].baseline == pytest.approx((true != k).mean())
    lone = replace(found, table=found.table.drop("right"))
    assert score_masks(lone, [0.5, 0.5], resamples=0)[0].estimates["accuracy"].value == pytest.approx(
        np.mean([one.estimates["accuracy"].value for one in each.values()])
    )
