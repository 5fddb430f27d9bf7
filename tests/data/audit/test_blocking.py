"""What stops a run, and what the split can mend."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from evenray.core.findings import Finding
from evenray.core.types import Dataset
from evenray.data.audit import BLOCKING, blocking, checks, excluded


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
    assert [finding.evidence["share_of_test"] for finding in found] == pytest.approx(
        [copies / 300] * bool(copies), rel=1e-3
    )
    assert bool(blocking(found)) == stops


def test_patients_on_both_sides_always_stop() -> None:
    finding = Finding("leakage_patients", "error", evidence={"patients": 1})
    assert blocking([finding]) == [finding]


def test_no_other_finding_stops() -> None:
    assert blocking([Finding(name, "error") for name in checks if name not in BLOCKING]) == []
    assert blocking([Finding("leakage_duplicates", "warning", variant="validation")]) == []


def test_what_was_left_out_is_on_record_with_its_reasons() -> None:
    asked = pl.DataFrame({"case": ["c", "a", "b"], "reason": ["blank", "moved", "blank"]})
    [finding] = excluded(asked)
    assert finding.cases == ("b", "c", "a")
    assert finding.evidence == {"reasons": {"blank": 2, "moved": 1}}
    assert finding.groups == (("b", "c"), ("a",))
    assert excluded(asked.clear()) == []
