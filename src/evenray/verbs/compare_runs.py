"""compare_runs: runs that were tested on the same cases, compared in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evenray.core.artefacts import RunFolder
from evenray.core.artefacts.asked import Asked
from evenray.evidence.compare import runs as in_pairs
from evenray.evidence.compare.runs import RunComparison
from evenray.stages.up_to_date import require_up_to_date

__all__ = ["RunComparison", "compare_runs"]


def compare_runs(
    runs: Sequence[str | Path], metric: str | None = None, part: str = "test", *, on: str | None = None
) -> RunComparison:
    """Compare runs in pairs, each at the threshold that it chose; differences are to the first run and to the best. `metric` is by
    default what comparisons of the task rank by.

    Of runs without a test part every case was held out in a fold once a repeat: all repeats are compared, each case at the
    threshold of its fold, and the differences answer for the trainings too.

    With `on` they are compared on the external test of that name, which each has gone through (`evaluate` with on): the same
    cases, paired by patient, whatever each was trained on.

    UsageError for fewer than two runs or another part than test and validation; DataError where the runs are not finished or out of
    date, of other classes, or evaluated at other prevalences.
    """
    for folder in map(RunFolder, runs):
        if on is None and folder.has(Asked.file):  # an ensemble has none; an external test is of the scores as they are
            require_up_to_date(folder)
    return in_pairs.compare_runs(runs, metric, part, on=on)
