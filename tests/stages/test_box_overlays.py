"""What is drawn over test cases with boxes."""

from __future__ import annotations

import numpy as np

from evenray.stages.box_overlays import _corners


def test_what_does_not_count_is_not_drawn_as_an_object() -> None:
    boxes = np.array([[1, 2, 3, 6, 9], [-1, 0, 0, 4, 4], [-2, 1, 1, 5, 5.0]])
    [drawn] = _corners(boxes, ("cell", "cyst"), (2.0, 1.0))
    assert (drawn.label, drawn.points) == ("cyst", ((4, 3), (12, 3), (12, 9), (4, 9)))
