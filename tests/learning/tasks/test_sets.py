"""Sets of classes beside answers, of every kind of label: what predict says is what the run has measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evenray.core.run import Run
from evenray.core.types import Dataset
from evenray.learning.predict.about import About
from evenray.learning.predict.sets import EMPTY, set_columns
from evenray.stages.uncertainty import COVERAGES
from evenray.verbs.predict import predict

from .conftest import KINDS

pytestmark = pytest.mark.parametrize("kind", KINDS)


def test_the_sets_of_test_files_hold_the_truth_as_often_as_was_measured(
    kind: str, drawn: Callable[[str], Dataset], whole_run: Callable[[str], Path]
) -> None:
    folder, data = whole_run(kind), drawn(kind)
    run = Run(folder)
    record, predictions = run.uncertainty, run.predictions
    assert record is not None
    assert predictions is not None
    assert set(record.questions) == (set(data.classes) if kind == "tag" else {""})
    assert record.ordered == data.facts.ordered
    test = predictions.part("test")
    files = data.cases.select("case", "file").join(test.table.select("case"), on="case", maintain_order="right")["file"]
    # The parts are small: the sets of a coverage that they suffice for.
    lower = record.model_copy(update={"coverage": COVERAGES[0]})
    about = About.of_run(folder)
    about = about.model_copy(update={"coverage": COVERAGES[0], "sets": tuple(map(lower.least, lower.questions))})
    said = set_columns(about, test.logits)
    table = predict(folder, [Path(data.root) / file for file in files]).table
    assert [each.name for each in said] == [name for name in table.columns if name.startswith("set")]
    for (name, question), column in zip(lower.questions.items(), said, strict=True):
        sets = next(each for each in question.sets if each.coverage == COVERAGES[0])
        own = test.finding(name) if name else test
        assert (column.null_count() == len(column)) == bool(sets.refused)
        if sets.refused:
            assert all(n < sets.needed for n in sets.refused.values())
            continue
        known = np.ones(len(column), bool) if not name else test.targets[:, data.classes.index(name)] >= 0
        told = [() if text == EMPTY else tuple(text.split("|")) for text in np.array(column.to_list())[known]]
        for k, (label, measured) in enumerate(zip(question.classes, sets.classes, strict=True)):
            mine = own.targets == k
            held = np.array([label in each for each in told])[mine]
            by_patient = [held[own.patients[mine] == p].mean() for p in np.unique(own.patients[mine])]
            assert measured.value == pytest.approx(np.mean(by_patient))
        share = np.bincount([len(each) for each in told], minlength=len(question.classes) + 1) / len(told)
        assert list(sets.sizes) == pytest.approx(share.tolist())


def test_neither_calibration_nor_prevalence_move_the_sets(kind: str, whole_run: Callable[[str], Path]) -> None:
    run = Run(whole_run(kind))
    assert run.predictions is not None
    logits = run.predictions.part("test").logits
    about = About.of_run(run.path)
    least = tuple((0.3,) * len(one.question.classes) for one in about.decisions)
    about = about.model_copy(update={"sets": least})
    prevalence = dict.fromkeys(about.classes, 0.9) if kind == "tag" else None
    moved = about.at(prevalence or {name: 1 / len(about.classes) for name in about.classes})
    assert [each.to_list() for each in set_columns(moved, logits)] == [
        each.to_list() for each in set_columns(about, logits)
    ]
