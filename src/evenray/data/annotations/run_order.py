"""Whether runs of square images go down the columns or along the rows: a mask and its transpose are told apart by the image alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .runs import BY_ROW, from_runs

__all__ = ["edges_say_rows"]

LEAST, CERTAIN = 5, 0.001  # images, and the two-sided p below which their edges are taken for evidence
SMOOTH = 1.5  # pixels


def edges_say_rows(masks: Iterable[tuple[str, NDArray[np.float32]]]) -> bool | None:
    """Whether the borders of masks lie on the edges of their grey images, (H, W), when runs are read along the rows rather than down
    the columns, by Student's t over images; None where that cannot be told. Give one mask an image.

    >>> rng, masks = np.random.default_rng(0), []
    >>> for top in range(5, 13):
    ...     mask = np.zeros((40, 40), bool)
    ...     mask[top : top + 20, 5:15] = True
    ...     runs = " ".join(f"{40 * row + 6} 10" for row in range(top, top + 20))
    ...     masks.append((runs, (mask * 50 + rng.normal(0, 9, mask.shape)).astype(np.float32)))
    >>> edges_say_rows(masks), edges_say_rows([(runs, image.T) for runs, image in masks])
    (True, False)
    """
    gained = []
    for runs, image in masks:
        smooth = cv2.GaussianBlur(image, (0, 0), SMOOTH)
        edges = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
        try:
            across, down = (_along(from_runs(order + runs, image.shape), edges) for order in (BY_ROW, ""))
        except ValueError:
            return None
        gained.append(across - down)
    known = np.array(gained)[~np.isnan(gained)] if gained else np.zeros(0)
    if len(known) < LEAST or known.std() == 0:
        return None
    return bool(known.mean() > 0) if stats.ttest_1samp(known, 0.0).pvalue < CERTAIN else None


def _along(mask: NDArray[np.bool_], edges: NDArray[Any]) -> float:
    """The mean strength of edges along the border of a mask, in units of that of the image; NaN where there is none."""
    border = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    return float(edges[border].mean() / edges.mean()) if border.any() and edges.any() else float("nan")
