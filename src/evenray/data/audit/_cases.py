"""What the checks share to read a table of cases: columns that may be absent, peers to compare with, findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.findings import Finding, Severity
from evenray.core.patient_groups import patient_groups

__all__ = [
    "PEERS", "column", "counted", "deviations", "grouped", "numbers", "only", "patient_numbers", "typical", "warn",
]  # fmt: skip

PEERS = 20  # fewer cases than this say nothing about what is usual


def column(cases: pl.DataFrame, name: str) -> pl.Series:
    """A column of the table, all null where the table has none.

    >>> column(pl.DataFrame({"case": ["a"]}), "site").to_list()
    [None]
    """
    return cases[name] if name in cases.columns else pl.Series(name, [None] * cases.height, dtype=pl.String)


def only(cases: pl.DataFrame, *wanted: str) -> pl.DataFrame:
    """Those of the wanted columns that the table has: rows of few columns are taken without copying all."""
    return cases.select([name for name in wanted if name in cases.columns])


def numbers(cases: pl.DataFrame, name: str) -> NDArray[np.float64]:
    """A column as float64 (cases,), NaN where null or absent.

    >>> numbers(pl.DataFrame({"rows": [4, None]}), "rows")
    array([ 4., nan])
    """
    return column(cases, name).cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()


def counted(values: pl.Series) -> dict[str, int]:
    """How often each value occurs, the most frequent first; nulls do not count.

    >>> counted(pl.Series(["MR", "CT", "CT", None]))
    {'CT': 2, 'MR': 1}
    """
    counts = values.drop_nulls().cast(pl.String).value_counts().sort(["count", values.name], descending=[True, False])
    return dict(counts.iter_rows())


def patient_numbers(cases: pl.DataFrame) -> NDArray[np.int64]:
    """A number for each patient (see `whose`), int64 (cases,); cases of whom nothing is known have one each.

    >>> patient_numbers(pl.DataFrame({"case": ["a", "b", "c", "d"], "patient": ["p", None, "p", None]})).tolist()
    [3, 1, 3, 2]
    """
    # Every case of unknown patient stands alone, named so that it cannot be mistaken for a patient.
    who = pl.coalesce(patient_groups(cases), pl.lit("\0") + cases["case"])
    return pl.select(who.rank("dense")).to_series().to_numpy().astype(np.int64)


def typical(cases: pl.DataFrame, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each case the median of its peers (the cases of its modality), float64 (cases,).

    >>> typical(pl.DataFrame({"modality": ["CT", "CT", "MR"]}), np.array([1.0, 3.0, 7.0]))
    array([2., 2., 7.])
    """
    frame = pl.DataFrame({"group": column(cases, "modality").fill_null(""), "value": values})
    return frame.select(pl.col("value").median().over("group"))["value"].to_numpy()


def deviations(cases: pl.DataFrame, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many robust standard deviations each value lies from the median of its peers, float64 (cases,).

    Each side has its own scale, 1.4826 times the median distance of the values on that side, so that the long tail of a
    skewed measure does not stand out. NaN where fewer than 20 peers are known.

    >>> table = pl.DataFrame({"case": [str(i) for i in range(41)]})
    >>> deviations(table, np.r_[np.arange(40.0), 200.0]).round(1)[[0, 20, 40]]
    array([-1.3,  0. , 12.1])
    """
    result = np.full(len(values), np.nan)
    groups = column(cases, "modality").fill_null("").to_numpy()
    for group in np.unique(groups):
        rows = np.flatnonzero((groups == group) & np.isfinite(values))
        if len(rows) >= PEERS:
            distance = values[rows] - np.median(values[rows])
            below, above = _scale(-distance[distance <= 0]), _scale(distance[distance >= 0])
            result[rows] = distance / np.where(distance < 0, below, above)
    return result


def _scale(distances: NDArray[np.float64]) -> float:
    return max(1.4826 * float(np.median(distances)), 1e-12)


def warn(
    check: str, cases: pl.DataFrame, found: NDArray[np.bool_], badness: NDArray[Any], variant: str = "",
    severity: Severity = "warning", **evidence: Any,
) -> list[Finding]:  # fmt: skip
    """One finding that names the cases found, the worst first and equals by name; none where no case is found.

    Floats in `evidence` are rounded to four digits, and arrays are replaced by their median.

    >>> table = pl.DataFrame({"case": ["b", "a", "c"]})
    >>> warn("blur", table, np.array([True, True, False]), np.array([1, 1, 9]))[0].cases
    ('a', 'b')
    """
    rows = np.flatnonzero(found)
    if not len(rows):
        return []
    worst = sorted(zip((-badness[rows]).tolist(), cases["case"].gather(rows), strict=True))
    return [Finding(check, severity, tuple(name for _, name in worst), (), _plain(evidence), variant)]


def grouped(
    check: str, severity: Severity, groups: Sequence[tuple[str, ...]], variant: str = "", **evidence: Any
) -> list[Finding]:
    """One finding about groups of cases, such as copies of one image; none where there are no groups."""
    if not groups:
        return []
    cases = tuple(name for group in groups for name in group)
    return [Finding(check, severity, cases, tuple(groups), _plain(evidence), variant)]


def _plain(evidence: dict[str, Any]) -> dict[str, Any]:
    """Evidence that JSON holds: numbers of numpy as Python's, arrays by their median, no empty table."""
    plain = {name: np.nanmedian(value) if isinstance(value, np.ndarray) else value for name, value in evidence.items()}
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in plain.items()}
    return {name: float(f"{v:.4g}") if isinstance(v, float) else v for name, v in plain.items() if v != {}}
