"""The verb that tells runs on the same cases apart."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evenray.core.types import Predictions
from evenray.metrics import delong_difference, difference

from ..stages.conftest import as_left
from .conftest import Cli, one_sentence

CLASSES = ("0", "1")


@pytest.fixture
def other(finished_run: Path, tmp_path: Path) -> Path:
    """The same run with noise on its probabilities, its cases in another order."""
    folder = Path(shutil.copytree(finished_run, tmp_path / "other"))
    table = pl.read_parquet(folder / "predictions.parquet")
    p = np.clip(table["p_1"].to_numpy() + np.random.default_rng(0).normal(0, 0.4, table.height), 0.001, 0.999)
    table = table.with_columns(p_0=pl.Series(1 - p), p_1=pl.Series(p))
    table.sample(fraction=1, shuffle=True, seed=1).write_parquet(folder / "predictions.parquet")
    as_left(folder, "evaluate")
    return folder


def test_two_runs_are_told_apart_in_pairs(cli: Cli, finished_run: Path, other: Path) -> None:
    ended = cli("compare-runs", finished_run, other, "--metric", "auroc", "--json")
    assert ended.code == 0
    found = json.loads(ended.out)["runs"]
    one, two = (
        Predictions(pl.read_parquet(f / "predictions.parquet"), CLASSES, "1").part("test")
        for f in (finished_run, other)
    )
    expected = difference(one, two, "auroc")  # in the order of the first one's cases, as there
    assert found[1]["difference"] == pytest.approx(-expected.value)
    assert (found[1]["difference_low"], found[1]["difference_high"]) == pytest.approx((-expected.high, -expected.low))
    assert found[1]["p_delong"] == pytest.approx(delong_difference(two, one).p)
    assert [row["model"] for row in found] == [str(finished_run), str(other)]


def test_people_get_a_table(cli: Cli, finished_run: Path, other: Path) -> None:
    ended = cli("compare-runs", finished_run, other, "--metric", "sensitivity", "--part", "validation")
    assert ended.code == 0
    assert "sensitivity, validation part" in ended.err
    assert ended.out == ""


def test_what_cannot_be_compared_is_said(cli: Cli, finished_run: Path, other: Path, tmp_path: Path) -> None:
    one_sentence(cli("compare-runs", finished_run), "Give two run folders or more", 2)
    one_sentence(cli("compare-runs", finished_run, finished_run), "each once", 2)
    one_sentence(cli("compare-runs", finished_run, tmp_path / "none"), "There is no run folder", 1)
    one_sentence(cli("compare-runs", finished_run, other, "--metric", "auprg"), "no metric named 'auprg'", 2)
    one_sentence(cli("compare-runs", finished_run, other, "--part", "train"), "give test or validation", 2)
    table = pl.read_parquet(other / "predictions.parquet")
    table.head(table.height - 3).write_parquet(other / "predictions.parquet")
    one_sentence(cli("compare-runs", finished_run, other), f"'{other}' is out of date", 1)
    as_left(other, "evaluate")
    one_sentence(cli("compare-runs", finished_run, other), "only models tested on the same cases", 2)
    scores = json.loads((other / "scores.json").read_text()) | {"positive": "0"}
    (other / "scores.json").write_text(json.dumps(scores))
    as_left(other, "evaluate")
    one_sentence(cli("compare-runs", finished_run, other), "only runs on the same classes", 1)


def test_runs_at_unlike_prevalences_are_refused_and_at_like_ones_compared_there(
    cli: Cli, finished_run: Path, other: Path, tmp_path: Path
) -> None:
    rare = []
    for folder in (finished_run, other):
        copy = Path(shutil.copytree(folder, tmp_path / f"rare-{folder.name}"))
        scores = json.loads((copy / "scores.json").read_text())
        (copy / "scores.json").write_text(json.dumps(scores | {"prevalence": 0.05}))
        as_left(copy, "evaluate")
        rare.append(copy)
    one_sentence(cli("compare-runs", finished_run, rare[1]), "evaluate both with the same --prevalence", 1)
    ended = cli("compare-runs", *rare, "--metric", "brier", "--json")
    one, two = (
        Predictions(pl.read_parquet(f / "predictions.parquet"), CLASSES, "1").part("test")
        for f in (finished_run, other)
    )
    expected = difference(two, one, "brier", prevalence=0.05)
    assert json.loads(ended.out)["runs"][1]["difference"] == pytest.approx(expected.value)
