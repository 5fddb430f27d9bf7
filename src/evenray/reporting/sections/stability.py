"""How far the figures move with the random seed and the patients who happen to be trained on: what the run knows of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import polars as pl

from evenray.core.types import Predictions
from evenray.metrics import each_repeat, measured_by_task
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]

RANKED = (
    "validation_macro_auprc",
    "validation_auroc",
    "validation_dice",
    "validation_map50",
)  # what epochs are kept by
SHOWN = ("auroc", "auprc", "balanced_accuracy")


@dataclass(frozen=True)
class Cell:
    """A combination that was compared from several seeds: its figure, and the deviations of one training and of the patients."""

    name: str
    value: float
    by_seed: float
    by_patients: float
    chosen: bool

    @property
    def spread(self) -> dict[str, float]:
        """About where a single training from another seed lands, twice in three."""
        return {"value": self.value, "low": self.value - self.by_seed, "high": self.value + self.by_seed}


@dataclass(frozen=True)
class Shown:
    """`sentences` are what can be said in words; `repeats` has a row a repeat of a cross-validation, `choices` how often each
    combination was chosen in its folds, `members` the best validation figure of each network that is averaged."""

    sentences: list[str]
    metric: str
    seeds: int
    cells: list[Cell]
    domain: tuple[float, float]
    figures: tuple[str, ...]
    repeats: list[list[float]]
    choices: list[tuple[str, int]]
    member_metric: str
    members: list[tuple[int, float]]


def context(run: RunView, say: Language) -> Shown | None:
    if run.grid is None and run.history is None and run.nested is None:
        return None
    metric, seeds, cells = _cells(run)
    figures, repeats = _repeats(run)
    member_metric, members = _members(run)
    ends = [end for cell in cells for end in (cell.spread["low"], cell.spread["high"])]
    found = Shown(
        sentences=[], metric=metric, seeds=seeds, cells=cells, domain=(min(ends, default=0.0), max(ends, default=1.0)),
        figures=figures, repeats=repeats, choices=_choices(run), member_metric=member_metric, members=members,
    )  # fmt: skip
    found.sentences.extend(_sentences(found, say))
    return found


def _sentences(found: Shown, say: Language) -> list[str]:
    told = []
    taken = next((cell for cell in found.cells if cell.chosen), None)
    if taken is not None:
        kind = "less" if taken.by_seed < taken.by_patients else "more"
        told.append(
            say(
                f"stability.seeds_{kind}", seeds=found.seeds, metric=say.name("metric", found.metric),
                by_seed=say.number(taken.by_seed), by_patients=say.number(taken.by_patients),
            )
        )  # fmt: skip
    if found.choices:
        told.append(
            say(
                "stability.folds",
                n=found.choices[0][1],
                of=sum(n for _, n in found.choices),
                name=found.choices[0][0],
            )
        )
    if not told and not found.repeats and len(found.members) < 2:
        told.append(say("stability.once"))
    return told


def _cells(run: RunView) -> tuple[str, int, list[Cell]]:
    """The cells of the comparison that were trained from several seeds, the best first."""
    grid = run.grid
    needed = {"seeds", "seed_deviation", "sampling_deviation", "chosen"}
    if grid is None or grid.is_empty() or not needed <= set(grid.columns):
        return "", 1, []
    metric = str(grid["metric"][0])
    several = grid.filter((pl.col("seeds") > 1) & pl.col("seed_deviation").is_finite() & pl.col(metric).is_finite())
    cells = [
        Cell(f"{row['contrast']} × {row['balance']}", row[metric], row["seed_deviation"], row["sampling_deviation"], row["chosen"])
        for row in several.sort(metric, descending=True).iter_rows(named=True)
    ]  # fmt: skip
    return metric, int(several["seeds"].max() or 1), cells  # type: ignore[arg-type]


def _table(run: RunView, name: str) -> pl.DataFrame | None:
    """A table of a cross-validation, with all its repeats."""
    return run.folder.read_table(name) if run.nested is not None and run.folder.has(name) else None


def _repeats(run: RunView) -> tuple[tuple[str, ...], list[list[float]]]:
    """Of a repeated cross-validation the figures of each repeat, which differ by the folds and the seeds."""
    table = _table(run, "predictions.parquet") if run.current else None
    if table is None or "repeat" not in table.columns or run.results is None:
        return (), []
    whole = Predictions(table, run.classes, run.positive, run.facts.task).part("test")
    found = [measured_by_task(one, resamples=0) for one in each_repeat(whole)]
    names = tuple(name for name in SHOWN if found and name in found[0])
    return names, [[each[name].value for name in names] for each in found]


def _choices(run: RunView) -> list[tuple[str, int]]:
    """How often the outer folds chose each combination."""
    table = _table(run, "outer_folds.parquet")
    if table is None:
        return []
    each = table.select("repeat", "fold", "contrast", "balance").unique()
    return Counter(f"{contrast} × {balance}" for _, _, contrast, balance in each.iter_rows()).most_common()


def _members(run: RunView) -> tuple[str, list[tuple[int, float]]]:
    """The best validation figure of each network of an average."""
    history = run.history
    if history is None or "member" not in history.columns or history["member"].n_unique() < 2:
        return "", []
    metric = next((name for name in RANKED if name in history.columns and history[name].is_not_null().any()), "")
    if not metric:
        return "", []
    best = history.group_by("member").agg(pl.col(metric).cast(pl.Float64).max()).sort("member")
    return metric, list(best.iter_rows())
