"""The comparison: contrast x balance x network on out-of-fold predictions of the training and validation parts."""

from ._cells import Cell, Setup, out_of_fold, simplest_first
from ._grid import Grid, GridRow, check_metric
from ._search import compare, trainings
from ._starts import Judged, judge
from ._why import why

__all__ = [
    "Cell",
    "Grid",
    "GridRow",
    "Judged",
    "Setup",
    "check_metric",
    "compare",
    "judge",
    "out_of_fold",
    "simplest_first",
    "trainings",
    "why",
]
