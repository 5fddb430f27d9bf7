"""histogram: the grey levels of images, or the values of a table's column, counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evenray.core.errors import UsageError
from evenray.core.events import Events, Listener
from evenray.scale import local

from . import _columns, _counting
from ._copies import files_of
from ._counting import Counted

__all__ = ["Counted", "histogram"]

RULES = (None, "freedman-diaconis", "equal-frequency")


def histogram(
    paths: str | Path | Sequence[str | Path], output: Sequence[str | Path] = (), *, column: str | None = None,
    bins: int | None = None, width: float | None = None, start: float | None = None, rule: str | None = None,
    value_range: tuple[float, float] | None = None, window: str = "header", jobs: int = 0, listener: Listener | None = None,
) -> Counted:  # fmt: skip
    """Count the grey levels of images, folders and .npz files, or the values of a `column` of tables (.csv, .parquet).

    `bins`, `width`, `start` and `rule` (freedman-diaconis, equal-frequency) make the intervals; a column of categories has
    frequencies and no intervals. `output` names files to write: .csv the table, .json the whole histogram, .svg or .png the
    chart. The result has the table (`rows`), the Histogram, figures, and advice on the light.
    """
    names = [str(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    targets = [Path(target) for target in output]
    if rule not in RULES:
        raise UsageError(f"There is no rule '{rule}'; known: freedman-diaconis, equal-frequency.")
    _counting.check_targets(targets)
    table = _columns.is_table(names)
    if column is not None and not table:
        raise UsageError(f"--column {column} is of a table; give .csv, .tsv or .parquet files alone.")
    if table and (column is not None or not _columns.names_images(names)):
        counted = _columns.of_column(names, column, bins=bins, width=width, start=start, rule=rule)
    else:
        files = [file for name in names for file in files_of(local(name))]
        with Events(listener).task("task.count", len(files)) as tick:
            counted = _counting.of_images(
                files, value_range, window, jobs, tick, bins=bins, width=width, start=start, rule=rule
            )
    for target in targets:
        _counting.export(counted, target)
    return counted
