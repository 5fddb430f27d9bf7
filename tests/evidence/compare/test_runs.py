"""Finished runs on the same cases: what stands in a row is of one figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evenray.core.artefacts import RunFolder
from evenray.core.artefacts.scores import CalibrationRecord, ScoresRecord
from evenray.core.types import Predictions
from evenray.evidence.compare.runs import compare_runs
from evenray.metrics import delong_difference, score

CLASSES = ("a", "b", "c")


def told(p: np.ndarray, target: np.ndarray) -> Predictions:
    names, labels = [str(i) for i in range(len(target))], [CLASSES[k] for k in target]
    table = pl.DataFrame({"case": names, "patient": names, "part": "test", "label": labels, "target": target})
    columns = {f"logit_{k}": np.log(p[:, k]) for k in range(3)} | {f"p_{k}": p[:, k] for k in range(3)}
    return Predictions(table.with_columns(**{name: pl.Series(each) for name, each in columns.items()}), CLASSES, "c")


def kept(folder: Path, predictions: Predictions, prevalence: dict[str, float] | None) -> Path:
    ScoresRecord(
        classes=CLASSES, positive="c", threshold=None, threshold_rule=None, prevalence=prevalence, tta=None, parts={},
        calibration=CalibrationRecord(method="none", parameters={}), patients=None, groups={}, decision_curve={},
    ).write(folder)  # fmt: skip
    RunFolder(folder).write_table("predictions.parquet", predictions.table)
    return folder


def runs(tmp_path: Path, prevalence: dict[str, float] | None = None) -> tuple[list[Predictions], list[Path]]:
    """Two runs that say the same of c, and of which the second tells a from b by lot."""
    rng = np.random.default_rng(0)
    target = rng.choice(3, 300)
    p = np.exp(1.5 * np.eye(3)[target] + rng.normal(size=(300, 3)))
    p /= p.sum(axis=1, keepdims=True)
    turned = np.where(rng.random((300, 1)) < 0.5, p[:, [1, 0, 2]], p)
    each, folders = [told(one, target) for one in (p, turned)], [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    return each, [kept(folder, one, prevalence) for folder, one in zip(folders, each, strict=True)]


def test_of_more_classes_delongs_p_is_of_the_auroc_beside_it(tmp_path: Path) -> None:
    each, folders = runs(tmp_path)
    table = compare_runs(folders, "auroc").table
    assert table["value"].to_list() == pytest.approx([score(one, resamples=0).auroc.value for one in each])
    assert table["p_delong"][1] < 1e-6
    assert table["p"][1] < 1e-6
    assert delong_difference(each[1], each[0], "c").p == 1  # the positive class alone


def test_at_a_prevalence_of_more_classes_delong_has_no_p(tmp_path: Path) -> None:
    _, folders = runs(tmp_path, {"a": 0.2, "b": 0.3, "c": 0.5})
    assert "p_delong" not in compare_runs(folders, "auroc").table.columns
