"""What stops a run, and what the split can mend."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from evenray.core.types import Dataset, Finding
from evenray.data.audit import STOPS, checks, left_out, void


def crossing(clean: Dataset, copies: int) -> Dataset:
    """A given split, half of it test, in which so many test images are in train too."""
    half = len(clean) // 2
    rows = pl.int_range(pl.len())
    cases = clean.cases.with_columns(
        part=pl.when(rows < half).then(pl.lit("train")).otherwise(pl.lit("test")),
        pixel_hash=pl.when(rows < copies).then(pl.col("pixel_hash").shift(-half)).otherwise("pixel_hash"),
        label=pl.when(rows < copies).then(pl.col("label").shift(-half)).otherwise("label"),
    )
    return replace(clean, cases=cases)


@pytest.mark.parametrize(("copies", "stops"), [(0, False), (3, False), (4, True), (30, True)])
def test_a_few_copies_are_strays_and_many_are_a_habit(clean: Dataset, copies: int, stops: bool) -> None:
    """300 test images: 1 % are three."""
    found = checks["leakage_duplicates"](crossing(clean, copies))
    assert [finding.evidence["share_of_test"] for finding in found] == [round(copies / 300, 4)] * bool(copies)
    assert bool(void(found)) == stops


def test_patients_on_both_sides_always_stop() -> None:
    finding = Finding("leakage_patients", "error", "Patients", "Split again.", evidence={"patients": 1})
    assert void([finding]) == [finding]


def test_no_other_finding_stops() -> None:
    assert void([Finding(name, "error", "Bad", "Mend.") for name in checks if name not in STOPS]) == []
    assert void([Finding("leakage_duplicates", "warning", "In train and validation", "Exclude.")]) == []


def test_what_was_left_out_is_on_record_with_its_reasons() -> None:
    asked = pl.DataFrame({"case": ["c", "a", "b"], "reason": ["blank", "moved", "blank"]})
    [finding] = left_out(asked)
    assert finding.cases == ("b", "c", "a")
    assert finding.evidence == {"images": 3, "reasons": "blank (2), moved (1)", "group_sizes": "2,1"}
    assert left_out(asked.clear()) == []
