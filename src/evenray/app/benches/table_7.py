"""Table 7 of the VGG paper, and the user's own beside it."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.run import Run
from evenray.evidence.table7.systems import SYSTEMS

__all__ = ["Errors", "table_7"]


@dataclass(frozen=True)
class Errors:
    """A row: the paper's errors in per cent (top-1 and top-5 validation, top-5 test), None where it has none; and the user's own
    top-1 errors on the validation and the test part, each with its interval, None where the system was not trained."""

    system: str
    method: str
    nets: int
    evaluation: str
    published: tuple[float | None, float | None, float | None]
    own_validation: tuple[float, float, float] | None
    own_test: tuple[float, float, float] | None


def table_7(run: Run | None) -> list[Errors]:
    """The rows in the order of the paper.

    >>> [row.published for row in table_7(None)][:2]
    [(23.7, 6.8, 6.8), (24.4, 7.1, 7.0)]
    """
    own = {} if run is None or run.table7 is None else {row["system"]: row for row in run.table7.iter_rows(named=True)}

    def figure(name: str, part: str) -> tuple[float, float, float] | None:
        value, low, high = (own.get(name, {}).get(f"{part}_top1{end}") for end in ("", "_low", "_high"))
        return None if value is None or low is None or high is None else (value, low, high)

    return [
        Errors(
            system.name, system.method, len(system.nets), system.evaluation, system.published,
            figure(system.name, "validation"), figure(system.name, "test"),
        )
        for system in SYSTEMS.values()
    ]  # fmt: skip
