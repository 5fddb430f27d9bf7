"""The section of boxes: classes of which there is much, little or nothing to draw."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import polars as pl

from evenray.core.artefacts.scores import PartScores, ScoresRecord
from evenray.core.types import Predictions
from evenray.metrics.boxes import score_boxes
from evenray.reporting.language import Language
from evenray.reporting.sections import boxes


def test_a_class_of_which_nothing_is_detected_has_an_empty_curve_and_no_precision() -> None:
    box, other = [0.0, 0.0, 9.0, 9.0], [20.0, 20.0, 30.0, 30.0]
    table = pl.DataFrame({
        "case": ["a", "b"], "patient": [0, 1], "part": ["test"] * 2, "target_0": [1, 1], "target_1": [1, 0],
        "objects": [[0.0, *box, 1.0, *other], [0.0, *box]],
        "found": [[0.0, *box, 0.9], [0.0, *box, 0.8, 0.0, *other, 0.4]],
    })  # fmt: skip
    predictions = Predictions(table, ("cell", "rare"), "", "detect")
    means, each = score_boxes(predictions, [0.5, 0.5], resamples=10)
    assert each["rare"].map50.value == 0
    findings = {
        name: ScoresRecord.model_construct(threshold=0.5, parts={"test": PartScores.of(own)})
        for name, own in each.items()
    }
    results = ScoresRecord.model_construct(threshold_rule="f1", findings=findings)
    run: Any = SimpleNamespace(results=results, test=PartScores.of(means), predictions=predictions)
    shown = boxes.context(run, Language("en"))
    assert shown is not None
    froc, ranked = (figure.svg for figure in shown.figures)
    assert "rare" in froc.body
    assert "rare" in ranked.body
