"""compare_runs: runs that were tested on the same cases, compared in pairs."""

from evenray.evidence.compare.runs import RunComparison, compare_runs

__all__ = ["RunComparison", "compare_runs"]
