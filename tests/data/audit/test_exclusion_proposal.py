"""The proposal of what to leave out."""

from __future__ import annotations

import polars as pl

from evenray.core.findings import Finding
from evenray.core.types import Dataset
from evenray.data.audit import audit, checks, propose_exclusions


def dataset(**columns: list[str | None]) -> Dataset:
    names = ["a", "b", "c", "d", "e", "f"]
    given: dict[str, list[str | None]] = {"case": [*names], "label": ["sick", "healthy"] * 3, **columns}
    return Dataset(pl.DataFrame(given), ("healthy", "sick"), "sick", "d")


def rows(table: pl.DataFrame) -> dict[str, str]:
    return dict(table.select("case", "action").iter_rows())


def test_the_copy_in_the_test_part_stays() -> None:
    data = dataset(
        pixel_hash=["x", "y", "x", "y", "z", "w"], part=["train", "train", "test", "validation", "train", "train"]
    )
    proposed = propose_exclusions(checks["leakage_duplicates"](data) + checks["duplicates"](data), data)
    assert rows(proposed) == {"a": "exclude", "b": "exclude"}


def test_conflicting_labels_exclude_the_whole_group() -> None:
    data = dataset(pixel_hash=["x", "x", "y", "z", "u", "v"])
    assert rows(propose_exclusions(checks["label_conflicts"](data), data)) == {"a": "exclude", "b": "exclude"}


def test_crossing_patients_leave_the_test_part_whole() -> None:
    data = dataset(
        patient=["p", "q", "p", "q", "r", "s"], part=["train", "train", "test", "validation", "train", "test"]
    )
    assert rows(propose_exclusions(checks["leakage_patients"](data), data)) == {
        "a": "exclude",
        "b": "exclude",
        "d": "exclude",
    }


def test_what_a_person_has_to_judge_is_to_be_reviewed() -> None:
    found = [
        Finding("blur", "warning", ("c",)),
        Finding("blank", "warning", ("b", "c")),
        Finding("classes", "info", variant="imbalanced"),
        Finding("text", "warning", ("a",)),
    ]
    proposed = propose_exclusions(found, dataset())
    assert proposed["case"].to_list() == ["a", "b", "c"]
    assert proposed["action"].to_list() == ["review", "exclude", "exclude"]
    assert proposed["check"].to_list() == ["text", "blank", "blur; blank"]
    assert proposed["severity"].unique().to_list() == ["warning"]
    assert proposed["reason"][2] == "Images far less sharp than the others; Blank or nearly blank images"


def test_nothing_found_proposes_nothing() -> None:
    assert propose_exclusions([], dataset()).is_empty()
    assert propose_exclusions([], dataset()).columns == ["case", "check", "severity", "reason", "action"]


def test_what_is_proposed_settles_the_findings(clean: Dataset) -> None:
    """The rest of the set has the error no more."""
    table = clean.cases.with_columns(
        pixel_hash=pl.when(pl.col("case").is_in(["case0000", "case0001"])).then(pl.lit("same")).otherwise("pixel_hash"),
        part=pl.Series(["train", "train", "test"] * (len(clean) // 3)),
        patient=pl.when(pl.col("case").is_in(["case0004", "case0005"])).then(pl.lit("one")).otherwise("patient"),
    )
    data = Dataset(table, clean.classes, clean.positive, clean.root)
    only = ("label_conflicts", "leakage_patients", "leakage_duplicates", "duplicates")
    left_out = propose_exclusions(audit(data, only), data).filter(pl.col("action") == "exclude")["case"]
    assert set(left_out) == {"case0000", "case0001", "case0004"}
    rest = Dataset(table.filter(~pl.col("case").is_in(left_out.implode())), clean.classes, clean.positive, clean.root)
    assert audit(rest, only) == []
