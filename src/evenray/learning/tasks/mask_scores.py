"""What scores.json tells of masks: a record of each class, and the means over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from evenray.core.artefacts.scores import CalibrationRecord, PartScores, ScoresRecord
from evenray.core.types import Predictions, Scores
from evenray.metrics.masks import score_masks

from .scores import BESIDE, RESAMPLES
from .table import GROUPS

__all__ = ["summarise_masks"]

NONE = CalibrationRecord(method="none", parameters={})


def summarise_masks(
    found: Mapping[str, Predictions], cuts: list[float], rule: str, *, untold: Sequence[str] = (), seed: int = 0
) -> ScoresRecord:
    """The record of masks that are called from these thresholds of the probabilities on, one a class; the `rule` could not choose
    those of the `untold` classes."""
    test = found["test"]
    parts = {name: score_masks(each, cuts, seed=seed, resamples=RESAMPLES) for name, each in found.items()}
    columns = [name for name in GROUPS if name in test.table.columns and test.table[name].drop_nulls().n_unique() > 1]
    groups = {
        column: {
            str(name): _part(
                score_masks(_of(test, column, name), cuts, seed=seed, resamples=BESIDE)[0], _of(test, column, name)
            )
            for name in test.table[column].drop_nulls().unique().sort().to_list()
        }
        for column in columns
    }
    whole = ScoresRecord(
        task="segment", classes=test.classes, positive="", threshold=None, threshold_rule=rule, calibration=NONE,
        prevalence=None, tta=None, parts={part: _part(means, found[part]) for part, (means, _) in parts.items()},
        patients=None, groups=groups, decision_curve={}, averaged=test.classes, unit=unit_of(test),
    )  # fmt: skip
    findings = {
        name: whole.model_copy(update={
            "classes": (name,), "threshold": cut, "groups": {}, "averaged": (),
            "refused_points": (rule,) if name in untold else (),
            "parts": {part: _part(own[name], found[part], name) for part, (_, own) in parts.items()},
        })
        for name, cut in zip(test.classes, cuts, strict=True)
    }  # fmt: skip
    return whole.model_copy(update={"findings": findings})


def unit_of(predictions: Predictions) -> str:
    """mm, or px where the spacing of some image is not known; "" where no distance was measured."""
    table = predictions.table
    return str(table["unit"][0]) if "unit" in table.columns and table.height else ""


def _of(predictions: Predictions, column: str, name: object) -> Predictions:
    return Predictions(
        predictions.table.filter(pl.col(column) == name), predictions.classes, predictions.positive, predictions.task
    )


def _part(scores: Scores, predictions: Predictions, name: str | None = None) -> PartScores:
    """`counts` are the images that have each class."""
    has = {one: int(predictions.table[f"target_{k}"].sum()) for k, one in enumerate(predictions.classes)}
    return PartScores.of(scores).model_copy(update={"counts": has if name is None else {name: has[name]}})
