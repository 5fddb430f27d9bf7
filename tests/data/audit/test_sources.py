"""Association with the label: what is found, how grave, and its table of counts."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evenray.core.types import Dataset
from evenray.data.audit.sources import association_p, sources


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


def test_ten_images_of_a_patient_count_as_one() -> None:
    """Sites of patients that have nothing to do with their class: by images more than half of such sets look tied."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(300):
        label, site = rng.integers(0, 2, 20), rng.integers(0, 3, 20)
        found.append(association_p(*(np.repeat(each, 10) for each in (site, label, np.arange(20)))))
    assert np.mean(np.array(found) < 0.05) < 0.09
    assert min(found) > 1e-4


def test_permuting_patients_by_hand_gives_the_same() -> None:
    rng = np.random.default_rng(1)
    patients = np.repeat(np.arange(40), rng.integers(1, 6, 40))
    label = (rng.random(40) < 0.4)[patients]
    value = np.where(rng.random(len(patients)) < 0.3, rng.integers(0, 3, len(patients)), label * 1)

    def table(labels: np.ndarray) -> np.ndarray:
        return np.array([labels[value == v].sum() for v in range(3)])

    of_patient = label[np.unique(patients, return_index=True)[1]]
    drawn = np.array([table(rng.permutation(of_patient)[patients]) for _ in range(4000)])
    away = np.linalg.pinv(np.cov(drawn.T), rcond=1e-9)
    distance = [(each - drawn.mean(axis=0)) @ away @ (each - drawn.mean(axis=0)) for each in (table(label), *drawn)]
    share = np.mean(np.array(distance[1:]) >= distance[0])
    assert association_p(value, label, patients) == pytest.approx(share, abs=0.02)


def test_where_each_patient_has_one_image_it_is_pearsons_test() -> None:
    from scipy.stats import chi2_contingency

    rng = np.random.default_rng(2)
    value, label = rng.integers(0, 4, 300), rng.integers(0, 3, 300)
    observed = np.array([[((value == v) & (label == k)).sum() for k in range(3)] for v in range(4)])
    pearson = chi2_contingency(observed, correction=False)
    assert association_p(value, label, np.arange(300)) == pytest.approx(pearson.pvalue, rel=0.02)
