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
from evenray.core.errors import DataError, UsageError
from evenray.core.numbers import signed
from evenray.evidence.compare.runs import compare_runs


@pytest.fixture
def pair(finished_run: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The finished run, and the same with noisier test probabilities."""
    one, two = (Path(shutil.copytree(finished_run, tmp_path / name)) for name in ("first", "second"))
    table, rng = pl.read_parquet(two / "predictions.parquet"), np.random.default_rng(1)
    p = np.clip(0.5 * table["p_1"].to_numpy() + 0.5 * rng.random(table.height), 1e-6, 1 - 1e-6)
    table.with_columns(p_1=pl.Series(p), p_0=pl.Series(1 - p)).write_parquet(two / "predictions.parquet")
    ledger = json.loads((two / "provenance.json").read_text(encoding="utf-8"))
    for name in ("evaluate", "explain", "report"):
        ledger["stages"].pop(name, None)
    (two / "provenance.json").write_text(json.dumps(ledger), encoding="utf-8")
    return one, two


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
    html = er.report(pair, tmp_path / "both.html", lang="ko").read_text(encoding="utf-8")
    assert "다른 증례로 테스트했습니다" in html
    assert "같은 테스트 증례에서의 대응 차이" not in html


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
