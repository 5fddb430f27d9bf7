"""Who the patients of each part are: each counted once, in the part that they stand in."""

from __future__ import annotations

from types import SimpleNamespace

import polars as pl

from evenray.reporting.characteristics import MOST, characteristics
from evenray.reporting.language import Language

EN = Language("en")


def shown(**columns: list[str | None]) -> object:
    cases = pl.DataFrame(columns)
    return SimpleNamespace(cases=cases, parts=[part for part in ("train", "test") if (cases["part"] == part).any()])


def test_patients_count_once_and_what_is_unknown_is_told() -> None:
    run = shown(
        part=["train", "train", "train", "test", "excluded"], patient=["a", "a", "b", "c", "d"],
        sex=["F", None, None, "M", "F"], site=["x", "x", "y", "y", "x"],
    )  # fmt: skip
    found = characteristics(run, EN)  # type: ignore[arg-type]
    assert found is not None
    assert found.of_patients
    assert found.parts == [("Training", "2"), ("Test", "1")]
    assert dict(found.rows)["sex"] == [
        ("F", ["1 (50 %)", "0 (0 %)"]), ("M", ["0 (0 %)", "1 (100 %)"]), ("unknown", ["1 (50 %)", "0 (0 %)"]),
    ]  # fmt: skip
    assert dict(found.rows)["site"] == [("x", ["1 (50 %)", "0 (0 %)"]), ("y", ["1 (50 %)", "1 (100 %)"])]


def test_images_are_counted_where_a_patient_is_unknown_and_rare_values_stand_together() -> None:
    sites = [f"s{k:02d}" for k in range(MOST)] * 2 + ["t1", "t2"]
    run = shown(part=["train"] * len(sites), patient=[None, *"b" * (len(sites) - 1)], site=sites)
    found = characteristics(run, EN)  # type: ignore[arg-type]
    assert found is not None
    assert not found.of_patients
    assert found.parts == [("Training", str(len(sites)))]
    (name, rows), *others = found.rows
    assert (name, others) == ("site", [])
    assert len(rows) == MOST + 1
    assert rows[-1] == ("2 others", ["2 (8 %)"])


def test_nothing_is_told_where_the_table_tells_nothing() -> None:
    assert characteristics(shown(part=["train"], patient=["a"]), EN) is None  # type: ignore[arg-type]
