"""The balance bench: what a run's remedy for imbalance did to its probabilities, and what the correction makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from evenray.core.run import Run
from evenray.learning.tasks import task_of

__all__ = ["Remedy", "Seen", "seen"]

MOST = 2000  # cases that are drawn; of more, these are spread evenly over them
PARTS = ("test", "validation")  # the first that has cases


@dataclass(frozen=True)
class Remedy:
    """The best cell of a comparison with a remedy, by its figures over cross-validation; None where one is not defined."""

    balance: str
    contrast: str
    auprc: float | None
    brier: float | None
    log_loss: float | None
    chosen: bool


@dataclass(frozen=True)
class Seen:
    """The positive class of a run's cases: its observed `share`, and the mean of its probabilities as the network says them
    (`raw`), after the prior correction (`corrected`), and after calibration on the validation part (`calibrated`).

    `cases` has these three and whether the case is positive (1 or 0), a row a case; `learnt` is the class share that the network
    learnt under, None where that was the data's own; `threshold` is None with more than two classes.
    """

    name: str
    part: str
    positive: str
    balance: str
    contrast: str
    learnt: float | None
    total: int
    share: float
    raw: float
    corrected: float
    calibrated: float
    threshold: float | None
    cases: tuple[tuple[float, float, float, int], ...]
    remedies: tuple[Remedy, ...]


def seen(run: Run) -> Seen | None:
    """What there is to see of a run; None where it has no probabilities of classes yet."""
    predictions, model, results = run.predictions, run.model, run.results
    if predictions is None or model is None or results is None or model.task != "classify":
        return None
    part = next((name for name in PARTS if predictions.part(name).table.height), None)
    if part is None:
        return None
    chosen = predictions.part(part)
    logits = chosen.table.select(f"logit_{k}" for k in range(len(model.classes))).to_numpy().astype(np.float64)
    (question,) = task_of("classify").questions(model)
    k = chosen.positive_index
    raw = np.exp(logits - logits.max(1, keepdims=True))
    raw = (raw / raw.sum(1, keepdims=True))[:, k]
    corrected, calibrated = question.probabilities(logits)[:, k], chosen.probabilities[:, k]
    positive = (chosen.targets == k).astype(int)
    learnt = question.balance.prior
    rows = np.arange(len(raw)) if len(raw) <= MOST else np.linspace(0, len(raw) - 1, MOST).astype(int)
    columns = (column[rows].tolist() for column in (raw, corrected, calibrated, positive))
    return Seen(
        run.name, part, model.positive, model.balance, model.contrast, None if learnt is None else float(learnt[k]), len(raw),
        float(positive.mean()), float(raw.mean()), float(corrected.mean()), float(calibrated.mean()), results.threshold,
        tuple(zip(*columns, strict=True)), tuple(_remedies(run.grid)),
    )  # fmt: skip


def _remedies(grid: pl.DataFrame | None) -> Iterable[Remedy]:
    """The best cell of each remedy, in the order of the comparison."""
    if grid is None or not {"auprc", "brier", "log_loss", "balance"} <= set(grid.columns):
        return
    for part in grid.partition_by("balance", maintain_order=True):
        best = part.sort("auprc", descending=True, nulls_last=True).row(0, named=True)
        yield Remedy(
            best["balance"], best["contrast"], best["auprc"], best["brier"], best["log_loss"], bool(part["chosen"].any())
        )  # fmt: skip
