"""Label errors: cases that a model which has not seen them contradicts with confidence."""

from __future__ import annotations

import numpy as np
import polars as pl

from evenray.core.types import Finding, Predictions

__all__ = ["label_errors"]


def label_errors(predictions: Predictions) -> list[Finding]:
    """Likely label errors by confident learning (Northcutt, Jiang and Chuang, JAIR 2021, section 3.1).

    `predictions` must come from models that were not trained on these cases: out-of-fold, validation or test. A case is
    listed when its probability of another class reaches the mean probability that cases labelled so have of it, while
    that of its own label does not reach its own; the surest disagreement comes first. No label is changed.
    """
    if not predictions.table.height:
        return []
    probabilities, targets = predictions.probabilities, predictions.targets
    classes = len(predictions.classes)
    present = [k for k in range(classes) if (targets == k).any()]
    usual = np.full(classes, np.inf)
    usual[present] = [probabilities[targets == k, k].mean() for k in present]
    confident = np.where(probabilities >= usual, probabilities, -1.0)
    likely = confident.argmax(axis=1)
    own = probabilities[np.arange(len(targets)), targets]
    wrong = (likely != targets) & (confident.max(axis=1) >= 0) & (probabilities.argmax(axis=1) == likely)
    if not wrong.any():
        return []
    margin = probabilities[np.arange(len(targets)), likely] - own
    listed = predictions.table.select("case", "label").with_columns(
        margin=pl.Series(margin), likely=pl.Series([predictions.classes[k] for k in likely])
    )
    listed = listed.filter(pl.Series(wrong)).sort(["margin", "case"], descending=[True, False])
    pairs = listed.select(pl.concat_str("label", "likely", separator=" -> ").alias("pair"))["pair"].value_counts()
    shown = [f"{pair} {count}" for pair, count in pairs.sort(["count", "pair"], descending=[True, False]).iter_rows()]
    return [
        Finding(
            "label_errors",
            "info",
            "Labels that a model contradicts with confidence",
            "The model gives each of these cases another label, and is as sure as it usually is of that label. Have them "
            "read again without showing the label; change none because a model says so.",
            tuple(listed["case"]),
            {
                "images": listed.height,
                "share": round(listed.height / len(targets), 4),
                "labelled_but_likely": ", ".join(shown[:6]),
                "largest_margin": round(float(listed["margin"][0]), 4),
            },
        )
    ]
