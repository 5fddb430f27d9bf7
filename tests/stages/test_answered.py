"""What was found where it is: a box elsewhere finds nothing, and objects that are not to be counted are neither there nor missed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from evenray.core.types import Predictions
from evenray.learning.tasks.task import Notable
from evenray.metrics.boxes import flat_column
from evenray.stages.answered import Answered
from evenray.stages.errors import errors_of

HERE, ELSEWHERE = (10, 10, 30, 30), (60, 60, 80, 80)
CASES = {  # objects of one class (-1: not to be counted), and boxes with their scores; cut .5
    "missed, with a false alarm": ([(0, *HERE)], [(0, *ELSEWHERE, 0.9), (0, *HERE, 0.2)]),
    "found": ([(0, *HERE)], [(0, *HERE, 0.8)]),
    "found, with a false alarm": ([(0, *HERE)], [(0, *HERE, 0.8), (0, *ELSEWHERE, 0.9)]),
    "missed": ([(0, *HERE)], []),
    "not counted": ([(-1, *HERE)], []),
    "not counted, with a box on it": ([(-1, *HERE)], [(0, *HERE, 0.9)]),
    "not counted, with a false alarm": ([(-1, *HERE)], [(0, *ELSEWHERE, 0.6)]),
    "false alarm": ([], [(0, *ELSEWHERE, 0.7)]),
    "nothing": ([], [(0, *ELSEWHERE, 0.3)]),
}


def boxes() -> Predictions:
    def flat(rows: Sequence[Sequence[float]], width: int) -> np.ndarray:
        return np.array(rows, np.float64).reshape(-1, width)

    table = pl.DataFrame({"case": list(CASES), "target_0": [bool(objects) for objects, _ in CASES.values()]})
    table = table.with_columns(
        flat_column("objects", [flat(objects, 5) for objects, _ in CASES.values()]),
        flat_column("found", [flat(found, 6) for _, found in CASES.values()]),
    )
    return Predictions(table, ("lesion",), "", "detect")


def test_an_object_is_found_by_a_box_on_it() -> None:
    answered = Answered.of(boxes(), [0.5])
    told = {
        name: tuple(bool(each[i, 0]) for each in (answered.has, answered.called, answered.found))
        for i, name in enumerate(CASES)
    }
    assert told == {
        "missed, with a false alarm": (True, True, False),
        "found": (True, True, True),
        "found, with a false alarm": (True, True, True),
        "missed": (True, False, False),
        "not counted": (False, False, False),
        "not counted, with a box on it": (False, False, False),
        "not counted, with a false alarm": (False, True, False),
        "false alarm": (False, True, False),
        "nothing": (False, False, False),
    }


def test_masks_are_found_where_they_are() -> None:
    """One class in all but the last: called on it, elsewhere, nowhere, and where it is not."""
    table = pl.DataFrame(
        {"case": list("abcd"), "target_0": [True] * 3 + [False], "called_0": [9, 9, 0, 9], "hit_0": [5, 0, 0, 0]}
    )
    answered = Answered.of(Predictions(table, ("lesion",), "", "segment"), [0.5])
    assert answered.found[:, 0].tolist() == [True, False, False, False]
    assert answered.called[:, 0].tolist() == [True, True, False, True]


def test_the_page_of_errors_lists_what_no_box_lies_on() -> None:
    class Explained:
        cuts, predictions = [0.5], boxes()

        def entries(self, noted: list[Notable], *, missed: bool) -> tuple[tuple[()], dict[str, bytes]]:
            found.append([(one.case, one.called, round(one.probability, 9)) for one in noted])
            return (), {}

    found: list[list[tuple[str, str, float]]] = []
    errors_of(Explained())  # type: ignore[arg-type]
    assert found == [
        [("missed", "absent", 1.0), ("missed, with a false alarm", "absent", 0.8)],
        [("false alarm", "present", 0.7), ("not counted, with a false alarm", "present", 0.6)],
    ]
