"""The cards of boxes and masks: they name a class only where it was called."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch

from evenray.core.types import Predictions
from evenray.learning.networks import build
from evenray.metrics.boxes import flat_column
from evenray.stages.attributing import noted_marks

CLASSES = ("mass", "nodule")
HERE, ELSEWHERE = (4, 4, 20, 20), (30, 30, 44, 44)


def boxes() -> Predictions:
    """A nodule each: missed, with a mass that is too unsure to be called; found, below a surer mass that is none; found alone beside
    such an unsure one."""
    found = [
        [(0, *ELSEWHERE, 0.01)],
        [(1, *HERE, 0.7), (0, *ELSEWHERE, 0.8)],
        [(1, *HERE, 0.4), (0, *ELSEWHERE, 0.45)],
    ]
    table = pl.DataFrame({"case": list("abc"), "target_0": [False] * 3, "target_1": [True] * 3}).with_columns(
        flat_column("objects", [np.array([(1, *HERE)], np.float64)] * 3),
        flat_column("found", [np.array(one, np.float64) for one in found]),
    )
    return Predictions(table, CLASSES, "", "detect")


def masks() -> Predictions:
    """A nodule each: of which nothing was called, and which was called beside a larger mass."""
    table = {
        "case": ["a", "b"], "target_0": [False] * 2, "target_1": [True] * 2, "called_0": [0, 90], "called_1": [0, 9],
        "hit_0": [0, 0], "hit_1": [0, 9],
    }  # fmt: skip
    return Predictions(pl.DataFrame(table), CLASSES, "", "segment")


@pytest.mark.parametrize(
    ("predictions", "network", "cuts", "expected"),
    [
        (boxes(), "ssd('vgg11_bn(width=0.05)')", [0.5, 0.3], [("", 1), ("mass", 0), ("nodule", 1)]),
        (masks(), "unet('vgg11_bn(width=0.05)')", [0.5, 0.5], [("", 1), ("mass", 0)]),
    ],
)
def test_a_card_names_what_was_called(
    predictions: Predictions, network: str, cuts: list[float], expected: list[tuple[str, int]]
) -> None:
    cases = predictions.table["case"].to_list()
    explained = SimpleNamespace(
        predictions=predictions, cuts=cuts, dataset=SimpleNamespace(classes=CLASSES), seen=lambda pairs: pairs,
        model=build(network, classes=2 + (predictions.task == "segment"), channels=1, size=48).eval(),
        inputs=lambda seen: torch.rand(len(seen), 1, 48, 48), place_of={case: i for i, case in enumerate(cases)},
    )  # fmt: skip
    noted = noted_marks(explained, [("worst", case) for case in cases])  # type: ignore[arg-type]
    assert [(one.called, one.output) for one in noted] == expected
    assert {one.label for one in noted} == {"nodule"}
