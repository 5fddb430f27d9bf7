"""Iterative stratification: shares as asked, whole groups, better than chance, the rarest first."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evenray.core.errors import DataError
from evenray.core.facts import Facts
from evenray.core.types import Dataset
from evenray.data.iterative import divide
from evenray.data.split import folds, groups, share, split

RATES = (0.35, 0.2, 0.05, 0.02)
NAMES = tuple("abcd")


def findings(patients: int = 300, seed: int = 0, unknown: float = 0.1) -> Dataset:
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(patients), rng.integers(1, 4, patients))
    often = rng.random((patients, len(RATES))) < RATES
    has = often[who] & (rng.random((len(who), len(RATES))) < 0.8)
    told = [[None if rng.random() < unknown else bool(one) for one in row] for row in has]
    n = len(who)
    cases = pl.DataFrame(
        {
            "case": [f"c{i:04d}" for i in range(n)], "file": [f"f{i:04d}" for i in range(n)], "label": [None] * n,
            "patient": [f"p{i}" for i in who], "pixel_hash": [f"h{i}" for i in range(n)], "part": [None] * n,
            "findings": told,
        },
        schema_overrides={"label": pl.String, "part": pl.String, "findings": pl.List(pl.Boolean)},
    )  # fmt: skip
    return Dataset(cases, NAMES, "", ".", facts=Facts(task="tag", patients_known=True))


def held(dataset: Dataset, part: str) -> np.ndarray:
    return np.array(list(dataset.part(part).counts.values()))


@pytest.mark.parametrize("seed", range(4))
def test_every_finding_is_divided_by_patient_as_asked(seed: int) -> None:
    done = split(findings(seed=seed), test=0.2, validation=0.15, seed=seed, together=[])
    assert done.cases.group_by("patient").agg(pl.col("part").n_unique())["part"].max() == 1
    whole = np.array(list(done.counts.values()))
    for part, fraction in (("test", 0.2), ("validation", 0.15)):
        assert np.abs(held(done, part) - fraction * whole).max() <= np.maximum(0.1 * whole, 2).max()
        assert np.abs(held(done, part)[2:] - fraction * whole[2:]).max() <= 2  # the rare ones to two cases
        assert len(done.part(part)) / len(done) == pytest.approx(fraction, abs=0.03)


def test_it_divides_more_evenly_than_chance() -> None:
    data = findings(seed=7)
    group = groups(data)
    whole = np.array(list(data.counts.values()))
    rng = np.random.default_rng(0)

    def uneven(fold: np.ndarray) -> float:
        counts = np.array([[(data.targets[fold == f, k] == 1).sum() for k in range(3)] for f in range(5)])
        return float((np.abs(counts / whole[:3] - 0.2) / 0.2).mean())

    names, inverse = np.unique(group, return_inverse=True)
    chance = np.mean([uneven(rng.integers(0, 5, len(names))[inverse]) for _ in range(20)])
    assert uneven(folds(data, group, 5)) < 0.3 * chance


def test_the_same_seed_divides_alike_however_the_table_is_ordered() -> None:
    data = findings(seed=1)
    shuffled = data.with_cases(data.cases.sample(fraction=1.0, shuffle=True, seed=3))
    one, other = (
        split(each, seed=2, together=[]).cases.select("case", "part").sort("case") for each in (data, shuffled)
    )
    assert one.equals(other)
    assert not one.equals(split(data, seed=3, together=[]).cases.select("case", "part").sort("case"))


def test_a_finding_of_two_patients_does_not_stop_the_split() -> None:
    data = findings(seed=2)
    first = data.cases["patient"].unique(maintain_order=True)[:2].to_list()
    rare = [
        [*row[:3], patient in first] for row, patient in zip(data.cases["findings"], data.cases["patient"], strict=True)
    ]
    data = data.with_cases(data.cases.with_columns(pl.Series("findings", rare, pl.List(pl.Boolean))))
    done = split(data, together=[])
    assert held(done, "train")[3] > 0
    assert held(done, "train")[3] + held(done, "test")[3] + held(done, "validation")[3] == done.counts["d"]


def test_where_nothing_can_be_divided_it_says_so() -> None:
    data = findings(patients=2)
    with pytest.raises(DataError, match="No finding is known to be present in 3 patients"):
        split(data, together=[])
    none = data.with_cases(
        data.cases.with_columns(pl.Series("findings", [[False] * 4] * len(data), pl.List(pl.Boolean)))
    )
    with pytest.raises(DataError, match="None of the findings a, b, c, d"):
        split(none, together=[])


def test_copies_that_contradict_each_other_are_left_out() -> None:
    data = findings(seed=3, unknown=0.0)
    row = data.cases.row(0, named=True)
    other = [not row["findings"][0], *row["findings"][1:]]
    unsure = [None, *row["findings"][1:]]
    copy = pl.DataFrame(
        [
            row | {"case": "copy", "file": "g0", "findings": other},
            row | {"case": "unsure", "file": "g1", "findings": unsure},
        ],
        schema=data.cases.schema,
    )
    done = split(data.with_cases(pl.concat([data.cases, copy])), together=[])
    parts = dict(done.cases.select("case", "part").iter_rows())
    assert parts["copy"] == parts[row["case"]] == parts["unsure"] == "excluded"
    agreed = split(data.with_cases(pl.concat([data.cases, copy[1:]])), together=[])
    assert "excluded" not in set(agreed.cases["part"])


def test_a_share_keeps_the_findings() -> None:
    data = findings(seed=4)
    taken = share(data, groups(data), 0.5, 3)
    counts = (data.targets[taken] == 1).sum(axis=0)
    assert counts / np.array(list(data.counts.values())) == pytest.approx([0.5] * 4, abs=0.15)


def test_groups_go_where_most_is_wanted() -> None:
    counts = np.array([[3, 0], [1, 0], [1, 0], [1, 0], [0, 1], [0, 1]])
    parts = divide(counts, counts.sum(axis=1), [0.5, 0.5], np.random.default_rng(0))
    assert sorted(np.bincount(parts, counts[:, 0], 2)) == [3, 3]
    assert np.bincount(parts, counts[:, 1], 2).tolist() == [1, 1]
