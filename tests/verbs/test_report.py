"""Runs side by side: the differences are those of compare_runs, and other cases are said."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import evenray as er
from evenray.core.artefacts import RunFolder
from evenray.core.errors import DataError, UsageError
from evenray.core.meter import Cost
from evenray.core.numbers import signed
from evenray.evidence.compare.runs import compare_runs

from ..stages.conftest import as_left


@pytest.fixture
def pair(finished_run: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The finished run, and the same with noisier test probabilities."""
    one, two = (Path(shutil.copytree(finished_run, tmp_path / name)) for name in ("first", "second"))
    table, rng = pl.read_parquet(two / "predictions.parquet"), np.random.default_rng(1)
    p = np.clip(0.5 * table["p_1"].to_numpy() + 0.5 * rng.random(table.height), 1e-6, 1 - 1e-6)
    table.with_columns(p_1=pl.Series(p), p_0=pl.Series(1 - p)).write_parquet(two / "predictions.parquet")
    as_left(two, "evaluate")
    return one, two


def of_what_stands(folder: Path) -> None:
    """Note of every stage that what stands now is of what stands now."""
    run = RunFolder(folder)
    for stage, done in list(run.ledger.stages.items()):
        inputs = {name: run.stamp(name) if name in run.ledger.stages else was for name, was in done.inputs.items()}
        run.finish(stage, done.settings, inputs, done.device, list(done.outputs), Cost(done.seconds))


def test_the_differences_are_those_of_compare_runs(pair: tuple[Path, Path], tmp_path: Path) -> None:
    page = er.report(pair, tmp_path / "both.html")
    html = page.read_text(encoding="utf-8")
    row = compare_runs(pair, "auroc").table.row(1, named=True)
    assert signed(row["difference"]).replace("-", "−") in html
    assert signed(row["difference_high"]).replace("-", "−") in html
    assert "first" not in re.sub(r"<script>.*?</script>|<style>.*?</style>", "", html, flags=re.DOTALL).replace(
        "the first", ""
    )
    assert "default-src 'none'" in html


def test_other_cases_are_said_and_not_paired(pair: tuple[Path, Path], tmp_path: Path) -> None:
    for name in ("cases", "split", "predictions"):
        path = pair[1] / f"{name}.parquet"
        pl.read_parquet(path).with_columns(case="other-" + pl.col("case")).write_parquet(path)
    of_what_stands(pair[1])
    html = er.report(pair, tmp_path / "both.html", lang="ko").read_text(encoding="utf-8")
    assert "다른 증례로 테스트했습니다" in html
    assert "같은 테스트 증례에서의 대응 차이" not in html


def test_a_run_that_is_out_of_date_is_refused_as_compare_runs_refuses_it(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    path = pair[1] / "recipe.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"epochs": 9}))
    with pytest.raises(DataError, match=r"what recipe\.json asks for has changed since plan") as told:
        er.report(pair, tmp_path / "both.html")
    assert not (tmp_path / "both.html").exists()
    with pytest.raises(DataError) as compared:
        er.compare_runs(pair)
    assert str(told.value) == str(compared.value)


def test_mistakes_are_told(pair: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="named twice"):
        er.report([pair[0], pair[0]], tmp_path / "x.html")
    with pytest.raises(UsageError, match="seed cannot be set for several runs"):
        er.report(pair, tmp_path / "x.html", seed=3)
    with pytest.raises(UsageError, match="is a folder"):
        er.report(pair, tmp_path)
    (pair[1] / "scores.json").unlink()
    with pytest.raises(DataError, match="not evaluated yet"):
        er.report(pair, tmp_path / "x.html")
