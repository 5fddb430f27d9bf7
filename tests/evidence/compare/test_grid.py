"""The table of a comparison that halving stopped early for most cells: what is claimed and chosen in worlds of known truth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.stats import t

from evenray.core.messages import Message
from evenray.core.texts import Texts
from evenray.evidence.compare import _choice
from evenray.evidence.compare._cells import Cell
from evenray.evidence.compare._choice import LUCK
from evenray.evidence.compare._figures import Chance, Figures
from evenray.evidence.compare._grid import Grid, Measured, _claims, grid
from evenray.evidence.compare._search import _ahead
from evenray.evidence.compare._why import proven, why

CELLS = [Cell(str(c), str(b), str(n)) for n in range(3) for c in range(3) for b in range(3)]
RUNGS = (27, 9, 3)
SHARED = 0.9  # of the patients' part of a cell's error, between rungs
DEVIATION = 0.03  # of a cell's figure over patients
TRAINING = 0.01  # and between trainings


def climbed(rng: np.random.Generator, gains: Mapping[Cell, float], metric: str = "auprc") -> Grid:
    """Cells of the same figure but for their gains, on patients that all rungs share; each rung takes the best of the one before."""
    resamples = 300  # and last what was measured itself
    own = rng.normal(size=(27, resamples + 1))
    climb: list[list[Measured]] = []
    for count in RUNGS:
        left = CELLS if not climb else _ahead(climb, metric, count, 0)
        mixed = np.sqrt(SHARED) * own + np.sqrt(1 - SHARED) * rng.normal(size=own.shape)
        rung = []
        for cell in left:
            drawn = DEVIATION * mixed[CELLS.index(cell)]
            seeds = 3 if count == RUNGS[-1] else 1
            figure = 0.7 + drawn[-1] + gains.get(cell, 0.0) + TRAINING * rng.normal(size=(seeds, 2))
            known = Figures(figure, figure.mean() - 0.06, figure.mean() + 0.06, 0.7 + drawn[:-1], 200.0)
            rung.append(Measured(cell, {metric: known, "auroc": known}, Chance("auroc", 0.5, 0.02), 1.0, 27 // count))
        climb.append(rung)
    return grid([climb], metric)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_choice, "SCALES", (0.0, 1.0, 4.0))


@pytest.mark.usefixtures("quick")
def test_the_best_of_many_equal_cells_is_neither_proven_nor_often_taken() -> None:
    """It stands in a last rung of three, on the same patients on whom it was the best of 27."""
    rng, runs = np.random.default_rng(0), 60
    found = [climbed(rng, {}) for _ in range(runs)]
    assert sum(any(proven(row) for row in each.rows) for each in found) <= 6  # one in twenty; more come once in sixteen
    taken = sum(not each.chosen.reference for each in found)
    assert taken <= LUCK * runs + 2 * np.sqrt(LUCK * (1 - LUCK) * runs)


@pytest.mark.usefixtures("quick")
def test_a_cell_that_is_far_better_is_still_proven() -> None:
    best, rng = CELLS[13], np.random.default_rng(1)
    found = [climbed(rng, {best: 0.3}) for _ in range(5)]
    assert all(each.chosen.cell == best and proven(each.chosen) for each in found)
    said = why(found[0])
    assert isinstance(said, Message)
    assert (said.code, said.values["cells"], said.values["others"]) == ("choice.proven", 27, 26)


@pytest.mark.usefixtures("quick")
def test_claims_are_corrected_for_all_cells_that_were_tried() -> None:
    found = climbed(np.random.default_rng(2), {CELLS[13]: 0.3})
    others = sorted((row for row in found.rows if not row.reference), key=lambda row: row.p)
    assert len(others) == 26
    assert others[0].p_holm == pytest.approx(min(1, 26 * others[0].p))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("best", "words"), [(13, "the lowest Brier score of 27"), (0, "promises less Brier score below")]
)
def test_where_less_is_better_less_is_promised(best: int, words: str) -> None:
    found = climbed(np.random.default_rng(3), {CELLS[best]: -0.3}, "brier")
    assert found.chosen.cell == CELLS[best]
    assert words in Texts("en").message(why(found))
    assert "낮" in Texts("ko").message(why(found))


@pytest.mark.parametrize("freedom", [3.0, 38.0, np.inf])
def test_what_few_patients_show_is_students(freedom: float) -> None:
    """Against the simplest cell, and against chance where the deviation is that of the replicates."""
    rng = np.random.default_rng(0)
    drawn, gap = rng.normal(0, 0.1, (2, 20_000)), np.array([0.0, 0.35])
    rung = []
    for cell, own, more in zip(CELLS[:2], drawn, gap, strict=True):
        known = Figures(np.full((1, 2), 0.2 + more), 0.1, 0.3, own, freedom)
        rung.append(Measured(cell, {"dice_gain": known}, Chance("dice_gain", 0.0, float(own.std()), freedom), 1.0, 1))
    _, deviation, p = _claims(rung, "dice_gain")
    assert deviation[1] == pytest.approx(0.1 * 2**0.5, rel=0.02)
    assert p[1] == pytest.approx(2 * t.sf(0.35 / deviation[1], freedom))
    chance = rung[0].by_chance
    assert chance.p(rung[0].figures) == pytest.approx(t.sf(0.2 / chance.deviation, freedom))
