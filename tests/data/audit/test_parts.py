"""The detectable difference against simulation, and the sizes at which parts are found too small."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from evenray.core.types import Dataset
from evenray.data.audit import checks
from evenray.data.audit.parts import detectable_difference


def test_the_difference_is_seen_in_four_of_five_simulated_studies() -> None:
    """Two readers of the same 60 sick and 90 healthy, whose AUROCs differ by what the formula says can be seen."""
    rng, sick, healthy = np.random.default_rng(0), 60, 90
    difference = detectable_difference(sick, healthy, auroc=0.8, correlation=0.5)
    better, worse = (np.sqrt(2) * norm.ppf(a) for a in (0.8 + difference / 2, 0.8 - difference / 2))
    targets = np.repeat([1, 0], [sick, healthy])
    drawn = []
    for _ in range(400):
        shared = rng.normal(0, 1, sick + healthy) * np.sqrt(0.55)
        first, second = (shared + rng.normal(0, np.sqrt(0.45), sick + healthy) for _ in range(2))
        drawn.append(
            roc_auc_score(targets, first + better * targets) - roc_auc_score(targets, second + worse * targets)
        )
    power = np.mean(np.abs(drawn) > 1.96 * np.std(drawn))
    assert power == pytest.approx(0.8, abs=0.08)


def test_more_cases_tell_smaller_differences() -> None:
    found = [detectable_difference(n, 3 * n) for n in (10, 40, 160, 640)]
    assert found == sorted(found, reverse=True)
    assert found[0] / found[2] == pytest.approx(4, rel=0.1)


def made(sick: int, healthy: int, patients: Callable[[int], str] = str) -> Dataset:
    labels = ["sick"] * (sick + 500) + ["healthy"] * (healthy + 500)
    parts = ["test"] * sick + ["train"] * 500 + ["test"] * healthy + ["train"] * 500
    columns = {"label": labels, "part": parts, "patient": [patients(i) for i in range(len(labels))]}
    return Dataset(
        pl.DataFrame({"case": [str(i) for i in range(len(labels))], **columns}), ("healthy", "sick"), "sick", "d"
    )


@pytest.mark.parametrize(
    ("sick", "healthy", "severities"),
    [(0, 50, ["error"]), (12, 200, ["warning"]), (100, 200, ["info"]), (400, 600, [])],
)
def test_the_smaller_the_part_the_graver(sick: int, healthy: int, severities: list[str]) -> None:
    assert [finding.severity for finding in checks["parts"](made(sick, healthy))] == severities


def test_images_of_one_patient_count_once() -> None:
    assert checks["parts"](made(400, 600)) == []
    [finding] = checks["parts"](made(400, 600, patients=lambda i: str(i // 40)))
    assert finding.severity == "warning"
    assert finding.evidence["patients"] == 10
