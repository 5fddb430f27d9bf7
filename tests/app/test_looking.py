"""What is shown of one case."""

from __future__ import annotations

from evenray.app.looking import _true_boxes

NAMES = ("class", "x0", "y0", "x1", "y1", "ignored")


def test_objects_that_count_are_shown_as_they_were_learnt() -> None:
    """One is cut off at the border; one is to be ignored, one has no area, one lies beside the image."""
    rows = [(1, -3, 2, 8, 9, False), (0, 2, 2, 5, 5, True), (0, 4, 4, 4, 9, False), (0, 40, 4, 49, 9, False)]
    case = {"rows": 20, "columns": 30, "boxes": [dict(zip(NAMES, row, strict=True)) for row in rows]}
    assert [(box.label, box.corners) for box in _true_boxes(case)] == [(1, (0, 2, 8, 9))]
    assert _true_boxes({"rows": 20, "columns": 30, "boxes": None}) == []
