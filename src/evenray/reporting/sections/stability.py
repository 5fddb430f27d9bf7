"""How far the figures move with the random seed and the patients who happen to be trained on: what the run knows of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import polars as pl

from evenray.core.types import Predictions
from evenray.metrics import decide, each_repeat, measured_by_task
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
CHOSEN = ("contrast", "balance", "pretrained", "beside")  # what a fold chose, with weights that it took


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
class Apart:
    """Two trainings from other seeds and on other folds of the same patients: the mean difference of their probabilities on a case
    that neither saw (Riley & Collins, Biom J 2023: prediction instability), 95 % of cases within `most`, and the share of cases that
    they call otherwise."""

    mean: float
    most: float
    called_otherwise: float


@dataclass(frozen=True)
class Shown:
    """`sentences` are what can be said in words; `repeats` has a row a repeat of a cross-validation, `apart` how far the answers of
    two repeats lie apart on the same case, `choices` how often each combination was chosen in its folds, `members` the best
    validation figure of each network that is averaged."""

    sentences: list[str]
    metric: str
    seeds: int
    cells: list[Cell]
    domain: tuple[float, float]
    figures: tuple[str, ...]
    repeats: list[list[float]]
    apart: Apart | None
    choices: list[tuple[str, int]]
    member_metric: str
    members: list[tuple[int, float]]


def context(run: RunView, say: Language) -> Shown | None:
    if run.grid is None and run.history is None and run.nested is None:
        return None
    metric, seeds, cells = _cells(run)
    held_out = _held_out(run)
    figures, repeats = _repeats(held_out)
    member_metric, members = _members(run)
    ends = [end for cell in cells for end in (cell.spread["low"], cell.spread["high"])]
    found = Shown(
        sentences=[], metric=metric, seeds=seeds, cells=cells, domain=(min(ends, default=0.0), max(ends, default=1.0)),
        figures=figures, repeats=repeats, apart=_apart(held_out), choices=_choices(run), member_metric=member_metric, members=members,
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
    if found.apart is not None:
        values = {"mean": say.percent(found.apart.mean), "most": say.percent(found.apart.most)}
        otherwise = say.percent(found.apart.called_otherwise)
        told.append(say("stability.apart", n=len(found.repeats), **values, otherwise=otherwise))
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


def _held_out(run: RunView) -> list[Predictions]:
    """Of a repeated cross-validation what each repeat says of every case, by networks that did not see it."""
    table = _table(run, "predictions.parquet") if run.current else None
    if table is None or "repeat" not in table.columns or run.results is None:
        return []
    return each_repeat(Predictions(table, run.classes, run.positive, run.facts.task).part("test"))


def _repeats(held_out: list[Predictions]) -> tuple[tuple[str, ...], list[list[float]]]:
    """The figures of each repeat, which differ by the folds and the seeds."""
    found = [measured_by_task(one, resamples=0) for one in held_out]
    names = tuple(name for name in SHOWN if found and name in found[0])
    return names, [[each[name].value for name in names] for each in found]


def _apart(held_out: list[Predictions]) -> Apart | None:
    """Over all pairs of repeats; of findings over all findings."""
    if len(held_out) < 2:
        return None
    ordered = [replace(one, table=one.table.sort("case")) for one in held_out]
    asked = [[one.finding(name) for name in one.classes] if one.task == "tag" else [one] for one in ordered]
    pairs = [pair for own in zip(*asked, strict=True) for pair in combinations(own, 2)]
    gaps = np.concatenate([np.abs(a.probabilities - b.probabilities).max(axis=1) for a, b in pairs])
    otherwise = np.concatenate([decide(a, None) != decide(b, None) for a, b in pairs])
    return Apart(float(gaps.mean()), float(np.quantile(gaps, 0.95)), float(otherwise.mean()))


def _choices(run: RunView) -> list[tuple[str, int]]:
    """How often the outer folds chose each combination."""
    table = _table(run, "outer_folds.parquet")
    if table is None:
        return []
    each = table.select("repeat", "fold", *(name for name in CHOSEN if name in table.columns)).unique()
    return Counter(" × ".join(found for found in chosen if found) for _, _, *chosen in each.iter_rows()).most_common()


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
