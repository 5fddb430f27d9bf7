"""Columns of persons among those of images: asked about where their constancy is no chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evenray.core.errors import DataError
from evenray.data.tables.person_columns import CHANCE, columns_of_persons

from .test_shapes import draw, read


def test_a_history_among_findings_is_asked_about(tmp_path: Path) -> None:
    files = [f"{n}.png" for n in range(32)]
    rows = ["image,patient,insulin,icdr,edema,scar"]
    for n, file in enumerate(files):
        rows.append(f"{file},p{n // 4},{n // 4 % 2},{(n // 4 + n) % 4},{int(n % 4 == 1)},{int(n % 4 == 2)}")
    folder = draw(tmp_path / "eyes", files)
    with pytest.raises(DataError, match=r"\('insulin'\) say the same of all images of a patient") as refused:
        read(folder, rows)
    assert "--column label=icdr or --column 'findings=edema+scar' or" in str(refused.value)
    assert read(folder, rows, "label=icdr")["label"].value_counts()["count"].to_list() == [8] * 4


def test_findings_that_agree_by_chance_are_not_taken_for_a_persons() -> None:
    """Two images a patient, findings that agree between them as often as both eyes do: how often any is taken for a person's."""
    rng, wrong, runs = np.random.default_rng(7), 0, 200
    for _ in range(runs):
        table = {"patient": [str(n // 2) for n in range(80)]}
        for name in ("a", "b", "c"):
            first, again = rng.random(40) < 0.3, rng.random(40) < 0.8
            second = np.where(again, first, rng.random(40) < 0.3)
            table[name] = [str(int(x)) for pair in zip(first, second, strict=True) for x in pair]
        wrong += bool(columns_of_persons(pl.DataFrame(table), "patient", ["a", "b", "c"]))
    assert wrong <= 10 * CHANCE * runs
