"""Association with the label: what is found, how grave, and its table of counts."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evenray.core.types import Dataset
from evenray.data.audit.sources import sources


def dataset(agree: float, count: int = 400) -> Dataset:
    """Sites that are of one class in this share of the cases; Cramér's V is 2 agree - 1."""
    labels = np.arange(count) % 2
    sites = np.where(np.arange(count) // 2 < agree * count / 2, labels, 1 - labels)
    table = pl.DataFrame({"case": np.arange(count).astype(str), "label": labels.astype(str), "site": sites.astype(str)})
    return Dataset(table, ("0", "1"), "1", "d")


@pytest.mark.parametrize(("agree", "severity"), [(0.55, None), (0.7, "info"), (0.9, "warning"), (1.0, "warning")])
def test_the_stronger_the_association_the_graver(agree: float, severity: str | None) -> None:
    found = sources(dataset(agree))
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    for finding in found:
        assert finding.evidence["property"] == "site"
        assert finding.evidence["cramers_v"] == pytest.approx(2 * agree - 1, abs=1e-3)
        assert sum(n for mix in finding.evidence["counts"].values() for n in mix.values()) == 400


def test_what_chance_may_do_is_not_reported() -> None:
    assert sources(dataset(1.0, count=8)) == []


@pytest.mark.parametrize("label", ["value", "len", "site"])
def test_a_class_may_be_called_anything(label: str) -> None:
    data = dataset(1.0)
    cases = data.cases.with_columns(label=pl.col("label").replace({"1": label}))
    [finding] = sources(Dataset(cases, ("0", label), label, "d"))
    assert finding.evidence["counts"] == {"0": {"0": 200}, "1": {label: 200}}
