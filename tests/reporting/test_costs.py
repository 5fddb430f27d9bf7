"""What a run cost and how stable it is: from what the ledger and the comparison hold."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from evenray.core.types import Predictions
from evenray.reporting.language import Language
from evenray.reporting.sections import costs, stability
from evenray.reporting.view import RunView

EN = Language("en")


def test_costs_are_those_of_the_ledger(finished_run: Path) -> None:
    run = RunView(finished_run)
    found = costs.context(run, EN)
    assert found is not None
    assert [row.stage for row in found.rows] == [EN.name("verb", name) for name in run.ledger.stages]
    assert max(row.share for row in found.rows) == 1.0
    assert all(row.processor != "–" for row in found.rows)
    assert not found.assumed
    assert not found.cards
    done = run.ledger.stages["train"]
    assert done.cpu_seconds is not None
    assert done.memory is not None
    watts = (costs.CORE * done.cpu_seconds + costs.MEMORY * done.memory / 2**30 * done.seconds) / 3600
    assert costs.watt_hours(done, 99) == pytest.approx(watts)


def test_a_run_of_before_is_told_with_what_is_assumed(copy_of_two: Path) -> None:
    found = costs.context(RunView(copy_of_two), EN)
    assert found is not None
    assert found.assumed
    assert found.rows[0].processor == "–"


def test_a_graphics_card_counts_for_as_long_as_it_was_used(copy_of_two: Path) -> None:
    path = copy_of_two / "provenance.json"
    ledger = json.loads(path.read_text(encoding="utf-8"))
    before = costs.watt_hours(RunView(copy_of_two).ledger.stages["train"], 2)
    ledger["stages"]["train"] |= {"device": "cuda", "device_memory": 3 * 2**30}
    path.write_text(json.dumps(ledger), encoding="utf-8")
    run = RunView(copy_of_two)
    done = run.ledger.stages["train"]
    assert costs.watt_hours(done, 2) - before == pytest.approx(costs.CARD * done.seconds / 3600)
    found = costs.context(run, EN)
    assert found is not None
    assert found.cards
    assert "3.0 GiB" in [row.card for row in found.rows]


def test_one_seed_knows_nothing_of_another(two: Path) -> None:
    found = stability.context(RunView(two), EN)
    assert found is not None
    assert found.cells == []
    assert "trained every network once" in found.sentences[0]


@pytest.mark.parametrize(
    ("more", "chosen"),
    [
        ({}, [("none × none", 3)]),
        ({"pretrained": [None, None, "lite"], "beside": [None, "lite", None]},
         [("none × none", 1), ("none × none × lite", 2)]),
    ],
)  # fmt: skip
def test_what_outer_folds_chose_names_weights_where_a_table_has_them(
    more: dict[str, list[str | None]], chosen: list[tuple[str, int]]
) -> None:
    folds = {"repeat": [1, 1, 1], "fold": [1, 2, 3], "contrast": ["none"] * 3, "balance": ["none"] * 3, **more}
    folder = SimpleNamespace(has=lambda name: True, read_table=lambda name: pl.DataFrame(folds))
    run: Any = SimpleNamespace(nested=True, folder=folder)
    assert sorted(stability._choices(run)) == chosen


@pytest.mark.parametrize(("by_seed", "word"), [(0.01, "less than"), (0.09, "no less than")])
def test_several_seeds_are_told_beside_the_patients(copy_of_two: Path, by_seed: float, word: str) -> None:
    grid = pl.read_parquet(copy_of_two / "grid.parquet").with_columns(seeds=pl.lit(3), seed_deviation=pl.lit(by_seed))
    grid.write_parquet(copy_of_two / "grid.parquet")
    found = stability.context(RunView(copy_of_two), EN)
    assert found is not None
    assert (found.seeds, len(found.cells)) == (3, grid.height)
    values = [cell.value for cell in found.cells]
    assert values == sorted(values, reverse=True)
    assert f"±{by_seed:.3f}" in found.sentences[0]
    assert f", {word}" in found.sentences[0]
    assert found.cells[0].spread["high"] - found.cells[0].spread["low"] == pytest.approx(2 * by_seed)


def test_repeats_of_a_cross_validation_tell_how_far_two_networks_lie_apart() -> None:
    """Four cases in two repeats: apart by .1, .2, .3 and 0; the third is called otherwise, by the threshold of its own fold."""
    repeats = []
    for positive, order in (([0.2, 0.6, 0.4, 0.9], [0, 1, 2, 3]), ([0.3, 0.8, 0.7, 0.9], [3, 1, 0, 2])):
        table = pl.DataFrame(
            {"case": list("abcd"), "target": [0, 1, 0, 1], "p_0": [1 - p for p in positive], "p_1": positive}
        ).with_columns(fold=pl.lit(0), threshold=pl.lit(0.5))
        repeats.append(Predictions(table[order], ("well", "sick"), "sick"))
    found = stability._apart(repeats)
    assert found is not None
    assert found.mean == pytest.approx(0.15)
    assert found.most == pytest.approx(0.285)
    assert found.called_otherwise == pytest.approx(0.25)
    assert stability._apart(repeats[:1]) is None
