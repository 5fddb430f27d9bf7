"""Masks: the figures of each class, how Dice spreads over the cases, and whether areas are right."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from evenray.core.artefacts.scores import Figure as Told
from evenray.core.artefacts.scores import PartScores
from evenray.core.types import Predictions
from evenray.metrics.masks import background_share, told_whole
from evenray.metrics.volumes import VOLUME_METRICS, Volumes
from evenray.reporting.figures.agreement import areas, volumes
from evenray.reporting.figures.histogram import touching
from evenray.reporting.figures.plot import Axis, Scale, axis
from evenray.reporting.figures.svg import ACCENT, WIDTH, Figure, number
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]

TOLD = ("dice", "iou", "hd95", "lesion_sensitivity", "false_lesions", "clean", "sensitivity", "ppv", "area_bias")
BARS = 20
MOSTLY = 0.9  # background, from which on the share of right pixels says nothing


@dataclass(frozen=True)
class Row:
    """A class: in how many test images it is, its threshold, and its figures."""

    name: str
    images: int
    threshold: float | None
    figures: list[Told | None]


@dataclass(frozen=True)
class Whole:
    """Whole volumes: how many were measured, and how many not; the figures of each class and their means."""

    measured: int
    left: int
    told: tuple[str, ...]
    rows: list[Row]
    means: list[Told | None]
    figures: list[Figure]


@dataclass(frozen=True)
class Shown:
    told: tuple[str, ...]
    rows: list[Row]
    means: list[Told | None]
    unit: str
    rule: str
    background: float
    paradox: bool
    beside: list[tuple[str, Told]]
    figures: list[Figure]
    uncorrected: bool
    untold: list[str]
    volumes: Whole | None


def context(run: RunView, say: Language) -> Shown | None:
    results, test = run.results, run.test
    if results is None or test is None or run.predictions is None:
        return None
    told = tuple(name for name in TOLD if name in test.metrics)
    rows = [_row(name, record.parts.get("test"), record.threshold, told) for name, record in results.findings.items()]
    found = run.predictions.part("test")
    beside = (*(("accuracy",) if told_whole(found) else ()), "dice", "lesion_sensitivity")
    background = background_share(found)
    unit, calibrated = (
        results.unit or "px",
        [record.calibration.method != "none" for record in results.findings.values()],
    )
    return Shown(
        told=told, rows=rows, means=[test.metrics.get(name) for name in told], unit=unit, rule=results.threshold_rule or "",
        background=background, paradox=background >= MOSTLY,
        beside=[(name, test.metrics[name]) for name in beside if name in test.metrics],
        figures=[*_spread(found, say), *_areas(found, unit, say)], uncorrected=not any(calibrated), untold=results.untold,
        volumes=_volumes(run, found, test, say),
    )  # fmt: skip


def _volumes(run: RunView, found: Predictions, test: PartScores, say: Language) -> Whole | None:
    each = [Volumes.of(found.table, k) for k in range(len(found.classes))]
    assert run.results is not None
    told = tuple(name for name in VOLUME_METRICS if name in test.metrics)
    known = [(name, one) for name, one in zip(found.classes, each, strict=True) if one is not None]
    if not known or not told:
        return None
    rows, figures = [], []
    for name, one in known:
        record = run.results.findings[name]
        row = _row(name, record.parts.get("test"), record.threshold, told)
        rows.append(replace(row, images=int(one.has.sum())))
        shown = one.one > 0
        if shown.sum() > 1:
            drawn = volumes(one.ml_true[shown], one.ml_called[shown], name, say)
            figures.append(Figure(say("masks.volume_areas", name=name), drawn, say("masks.volume_areas_caption")))
    measured = int(known[0][1].one.sum())
    left = found.table["volume"].drop_nulls().n_unique() - measured
    return Whole(measured, left, told, rows, [test.metrics.get(name) for name in told], figures)


def _row(name: str, part: PartScores | None, threshold: float | None, told: tuple[str, ...]) -> Row:
    figures = [part.metrics.get(metric) if part else None for metric in told]
    return Row(name, part.counts.get(name, 0) if part else 0, threshold, figures)


def _dice(found: Predictions, k: int) -> pl.Series:
    """Dice of every image that has a class."""
    own = found.table.filter(pl.col(f"true_{k}") > 0)
    return own.select(2 * pl.col(f"hit_{k}") / (pl.col(f"true_{k}") + pl.col(f"called_{k}"))).to_series()


def _spread(found: Predictions, say: Language) -> list[Figure]:
    """A histogram of Dice over the images for each class."""
    figures = []
    edges = np.linspace(0, 1, BARS + 1)
    for k, name in enumerate(found.classes):
        values = _dice(found, k)
        if values.is_empty():
            continue
        counts, _ = np.histogram(values.to_numpy(), edges)
        ticks = {t: f"{t:g}" for t in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)}
        x = Axis(Scale(0, 1), ticks, say("metric.dice"), grid=False)
        y = axis(counts, say("axis.images"), words=number, count=3, least=1, zero=True)
        plot = touching(counts, edges, x, y, ACCENT, 120, WIDTH)
        median = float(np.median(values.to_numpy()))
        caption = say("masks.spread_caption", median=say.number(median), zero=say.count(int((values == 0).sum())))
        figures.append(Figure(say("masks.spread", name=name), plot.drawn(say("masks.spread", name=name)), caption))
    return figures


def _areas(found: Predictions, unit: str, say: Language) -> list[Figure]:
    """The difference of called and true area against their mean for each class (Bland & Altman 1986), of all images, as in the table:
    where nothing is and nothing was called, they agree."""
    figures = []
    for k, name in enumerate(found.classes):
        if f"area_true_{k}" not in found.table.columns:
            continue
        own = found.table.select(true=f"area_true_{k}", called=f"area_called_{k}")
        own = own.drop_nulls()
        if ((own["true"] > 0) | (own["called"] > 0)).sum() > 1:
            drawn = areas(own["true"].to_numpy(), own["called"].to_numpy(), unit, name, say)
            figures.append(Figure(say("masks.areas", name=name), drawn, say("masks.areas_caption")))
    return figures
