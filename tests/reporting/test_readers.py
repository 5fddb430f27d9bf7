"""The agreement of readers on the page: of classes, of grades, of findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import cohen_kappa_score

from evenray.core.artefacts import RunFolder
from evenray.core.artefacts.cases import DatasetRecord
from evenray.core.facts import Facts
from evenray.core.run import Run
from evenray.metrics import fleiss_kappa
from evenray.reporting import report_page
from evenray.reporting.language import Language
from evenray.reporting.sections.readers import context
from evenray.reporting.view import RunView

CLASSES = ("none", "mild", "severe")


def folder(path: Path, readers: int, task: str = "classify", ordered: bool = False) -> tuple[RunView, np.ndarray]:
    """A run of 60 cases of 30 patients that so many readers read, the last of them every other one."""
    rng = np.random.default_rng(readers)
    truth = rng.integers(0, 3, 60)
    said = np.stack([np.where(rng.random(60) < 0.7, truth, rng.integers(0, 3, 60)) for _ in range(readers)], axis=1)
    said[::2, -1] = -1
    rows: list[dict[str, Any]] = []
    for case, readings in enumerate(said.tolist()):
        for reader, k in enumerate(readings):
            label = {"findings": [k == 0, k == 2]} if task == "tag" else {"label": CLASSES[k]}
            rows += [{"case": f"c{case}", "reader": f"reader {reader + 1}", **label}] if k >= 0 else []
    run = RunFolder(path)
    run.write_table("ratings.parquet", pl.DataFrame(rows))
    cases = {"case": [f"c{i}" for i in range(60)], "patient": [f"p{i // 2}" for i in range(60)], "label": ["none"] * 60}
    table = pl.DataFrame(cases)
    if task == "tag":
        table = table.with_columns(pl.Series("findings", [[True, False]] * 60))
    run.write_table("cases.parquet", table)
    classes = ("mass", "nodule") if task == "tag" else CLASSES
    facts = Facts(task=task, ordered=ordered)  # type: ignore[arg-type]
    DatasetRecord(classes=classes, positive="", facts=facts).write(path)
    return RunView(path), said


def test_two_readers_are_compared_by_cohens_kappa(tmp_path: Path) -> None:
    run, said = folder(tmp_path, 2, ordered=True)
    shown = context(run, Language("en"))
    assert shown is not None
    (row,) = shown.rows
    both = (said >= 0).all(axis=1)
    assert row.images == both.sum()
    assert row.kappa.value == pytest.approx(cohen_kappa_score(*said[both].T))
    assert row.weighted is not None
    assert row.weighted.value == pytest.approx(cohen_kappa_score(*said[both].T, weights="quadratic"))
    assert row.kappa.low < row.kappa.value < row.kappa.high


def test_more_readers_are_compared_in_pairs_and_all_together(tmp_path: Path) -> None:
    run, said = folder(tmp_path, 3)
    shown = context(run, Language("en"))
    assert shown is not None
    assert [row.who for row in shown.rows] == [
        "reader 1 – reader 2",
        "reader 1 – reader 3",
        "reader 2 – reader 3",
        "all 3",
    ]
    assert shown.rows[-1].kappa.value == pytest.approx(fleiss_kappa(said, resamples=0).value)
    assert all(row.weighted is None for row in shown.rows)


def test_of_findings_each_has_its_own_agreement(tmp_path: Path) -> None:
    run, said = folder(tmp_path, 3, task="tag")
    shown = context(run, Language("en"))
    assert shown is not None
    assert [row.what for row in shown.rows] == ["mass", "nodule"]
    mass = np.where(said < 0, -1, said == 0)
    assert shown.rows[0].kappa.value == pytest.approx(fleiss_kappa(mass, resamples=0).value)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_it_stands_on_the_page_where_there_were_readers(language: str, tmp_path: Path) -> None:
    folder(tmp_path, 2)
    page = report_page(Run(tmp_path), language=language)
    assert page.index('<section id="data"') < page.index('<section id="readers"') < page.index('<section id="audit"')
    (tmp_path / "ratings.parquet").unlink()
    assert 'id="readers"' not in report_page(Run(tmp_path), language=language)
