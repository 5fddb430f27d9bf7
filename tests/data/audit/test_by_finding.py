"""Checks that compare classes on several findings: each by itself, told once, the worst first."""

from __future__ import annotations

import numpy as np
import polars as pl

from evenray.core.facts import Facts
from evenray.core.texts import Texts
from evenray.core.types import Dataset
from evenray.data.audit import audit

NAMES = ("common", "rare", "sited")


def dataset(cases: int = 400) -> Dataset:
    """`rare` is in one of forty, and `sited` mostly at the site north."""
    rng = np.random.default_rng(0)
    north = rng.random(cases) < 0.5
    has = np.column_stack(
        [rng.random(cases) < 0.5, np.arange(cases) % 40 == 0, rng.random(cases) < np.where(north, 0.9, 0.1)]
    )
    told = [[None if k == 0 and i % 5 == 0 else bool(one) for k, one in enumerate(row)] for i, row in enumerate(has)]
    table = pl.DataFrame(
        {
            "case": [f"c{i:03d}" for i in range(cases)], "label": [None] * cases, "patient": [f"p{i}" for i in range(cases)],
            "site": ["north" if one else "south" for one in north], "pixel_hash": [f"h{i}" for i in range(cases)],
            "part": [None] * cases, "std": [0.1] * cases, "findings": told,
        },
        schema_overrides={"label": pl.String, "part": pl.String, "findings": pl.List(pl.Boolean)},
    )  # fmt: skip
    return Dataset(table, NAMES, "", ".", facts=Facts(task="tag", patients_known=True))


def test_each_thing_is_told_once_with_the_findings_that_it_is_about() -> None:
    found = {(one.check, one.variant): one for one in audit(dataset(), only=("classes", "sources", "labels"))}
    assert found["classes", "imbalanced"].evidence["findings"] == ["rare"]
    assert found["classes", "imbalanced"].evidence["counts"] == {"absent": 390, "present": 10}
    assert found["sources", "clear"].evidence["findings"] == ["sited"]
    assert not any(check == "labels" for check, _ in found)
    for language in ("en", "ko"):
        for one in found.values():
            assert Texts(language).message(one.advice) != one.advice.code


def test_copies_that_contradict_each_other_in_a_finding_are_label_conflicts() -> None:
    data = dataset()
    rows = data.cases.head(2).with_columns(pixel_hash=pl.lit("same"))
    apart = [[True, False, False], [True, True, False]]
    rows = rows.with_columns(pl.Series("findings", apart, pl.List(pl.Boolean)))
    data = data.with_cases(pl.concat([rows, data.cases[2:]]))
    (conflict,) = audit(data, only=("label_conflicts",))
    assert conflict.evidence["findings"] == ["rare"]
    assert conflict.groups == (("c000", "c001"),)
    unsure = [[True, False, False], [True, None, False], *data.cases["findings"].to_list()[2:]]
    data = data.with_cases(data.cases.with_columns(pl.Series("findings", unsure, pl.List(pl.Boolean))))
    assert audit(data, only=("label_conflicts",)) == []
