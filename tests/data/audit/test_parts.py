"""The sizes at which parts are found too small."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from evenray.core.types import Dataset
from evenray.data.audit import checks


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
