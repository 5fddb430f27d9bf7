"""What a finished run leaves behind, and that it hangs together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from evenray.core.artefacts import RunFolder
from evenray.core.recipe import STAGES
from evenray.core.run import Run
from evenray.core.types import Predictions
from evenray.metrics import choose_threshold, score


def read(run: Path, name: str) -> Any:
    return json.loads((run / name).read_text(encoding="utf-8"))


def test_every_artefact_is_there(finished_run: Path) -> None:
    names = {
        "recipe.json", "plan.json", "provenance.json", "dataset.json", "cases.parquet", "rejected.csv", "findings.parquet",
        "split.parquet", "grid.parquet", "choice.json", "history.csv", "model.safetensors", "model.json", "predictions.parquet",
        "scores.json", "attributions/index.json", "contrast/index.json", "report.html",
    }  # fmt: skip
    assert not {name for name in names if not (finished_run / name).is_file()}
    assert not list(finished_run.rglob("*.tmp"))


def test_the_ledger_has_every_stage_and_one_opening_of_the_test_part(finished_run: Path) -> None:
    ledger = read(finished_run, "provenance.json")
    assert tuple(ledger["stages"]) == tuple(STAGES)
    assert all(stage["seconds"] >= 0 and stage["finished"] and stage["outputs"] for stage in ledger["stages"].values())
    assert len(ledger["test_opened"]) == 1
    assert {"evenray", "python", "packages", "machine", "started"} <= set(ledger)


def test_the_scores_are_those_of_the_predictions(finished_run: Path) -> None:
    scores, table = read(finished_run, "scores.json"), pl.read_parquet(finished_run / "predictions.parquet")
    predictions = Predictions(table, tuple(scores["classes"]), scores["positive"])
    threshold = choose_threshold(predictions.part("validation"), "youden")
    assert (scores["threshold"], scores["threshold_rule"]) == (threshold, "youden")
    train = RunFolder(finished_run).read_table("split.parquet").filter(pl.col("part") == "train").height
    assert train == 60
    for name, part in scores["parts"].items():
        found = score(predictions.part(name), threshold, resamples=2000, prior=[40, 20])
        for metric, figures in part["metrics"].items():
            assert set(figures) == {"value", "low", "high", "baseline"}
            expected = vars(found.estimates[metric])
            for key, value in figures.items():
                assert np.isnan(expected[key]) if value is None else value == expected[key], (name, metric, key)
        assert part["confusion"] == found.confusion.tolist()
        assert sum(part["counts"].values()) == part["cases"] == {"validation": 24, "test": 30}[name]


def test_the_parts_of_the_archive_are_kept(finished_run: Path) -> None:
    parts = pl.read_parquet(finished_run / "split.parquet")
    assert dict(parts["part"].value_counts().iter_rows()) == {"train": 60, "validation": 24, "test": 30}


def test_the_comparison_never_saw_the_test_part(finished_run: Path) -> None:
    kept = pl.read_parquet(finished_run / "split.parquet").filter(pl.col("part").is_in(["train", "validation"]))
    held = [np.load(path)["cases"] for path in (finished_run / "compare").glob("*.npz")]
    assert len(held) == 4  # two cells in two folds
    assert sorted(np.concatenate(held)) == sorted(kept["case"].to_list() * 2)


def test_pictures_stand_beside_their_index(finished_run: Path) -> None:
    for folder, names in (("attributions", ("image", "map")), ("contrast", ("before", "after"))):
        index = read(finished_run, f"{folder}/index.json")["entries"]
        assert index
        for entry in index:
            assert all((finished_run / folder / entry[name]).read_bytes().startswith(b"\x89PNG") for name in names)
    test = set(pl.read_parquet(finished_run / "predictions.parquet").filter(pl.col("part") == "test")["case"])
    assert {entry["case"] for entry in read(finished_run, "attributions/index.json")["entries"]} <= test


def test_every_choice_of_the_plan_has_a_reason(finished_run: Path) -> None:
    assert all(choice["why"] for choice in read(finished_run, "plan.json")["choices"])


def test_a_run_is_read_back(finished_run: Path) -> None:
    run = Run(finished_run)
    assert (
        run.scores["test"].auroc.value
        == read(finished_run, "scores.json")["parts"]["test"]["metrics"]["auroc"]["value"]
    )
    assert run.predictions.part("test").table.height == 30
    assert run.choice.contrast in ("none", "equalize")
    assert run.report.is_file()


def test_where_the_run_lies_is_not_on_the_page(finished_run: Path) -> None:
    assert str(finished_run.parent) not in (finished_run / "report.html").read_text(encoding="utf-8")
