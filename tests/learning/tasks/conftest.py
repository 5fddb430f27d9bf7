"""Drawn data sets, one for each kind of label, and a whole run of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest

from evenray.core.artefacts import RunFolder
from evenray.core.recipe import Recipe
from evenray.core.types import Dataset
from evenray.data.scan import scan
from evenray.stages.line import Job, run

KINDS = ("classify", "ordered", "tag")
MARKS = {
    "square": (slice(3, 9), slice(3, 9)),
    "bar": (slice(14, 17), slice(4, 24)),
    "spot": (slice(20, 24), slice(18, 22)),
}
FINDINGS = tuple(sorted(MARKS))


def draw(folder: Path, cases: int = 150, seed: int = 0) -> np.ndarray:
    """Images of 28 pixels, two of each patient, on which each mark tells a finding; which of them each has, (cases, 3)."""
    rng = np.random.default_rng(seed)
    has = np.repeat(rng.random((cases // 2, 3)) < (0.4, 0.25, 0.5), 2, axis=0)
    for i, marks in enumerate(has):
        pixels = rng.integers(20, 90, (28, 28)).astype(np.uint8)
        for name, there in zip(FINDINGS, marks, strict=True):
            if there:
                pixels[MARKS[name]] += 90
        cv2.imwrite(str(folder / f"p{i // 2:03d}_{i % 2}.png"), pixels)
    return has


def labelled(folder: Path, kind: str, cases: int = 150, seed: int = 0) -> Dataset:
    """The drawn images with labels of a kind; of findings a tenth of all entries is unknown."""
    has = draw(folder, cases, seed)
    data = scan(folder, patient=r"(p\d+)_")
    table, rng = data.cases.sort("file"), np.random.default_rng(1)
    if kind == "tag":
        told = [[None if rng.random() < 0.1 else bool(one) for one in row] for row in has]
        table = table.with_columns(pl.Series("findings", told, pl.List(pl.Boolean)), label=pl.lit(None, pl.String))
        return replace(
            data, cases=table, classes=FINDINGS, positive="", facts=data.facts.model_copy(update={"task": "tag"})
        )
    grades = np.minimum(has.sum(axis=1), 2) if kind == "ordered" else has[:, 0].astype(int)
    names = ("none", "mild", "severe")[: int(grades.max()) + 1]
    facts = data.facts.model_copy(update={"ordered": kind == "ordered"})
    table = table.with_columns(label=pl.Series([names[g] for g in grades]))
    return replace(data, cases=table, classes=names, positive=names[-1], facts=facts)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Dataset]:
    """drawn(kind) is the data set of a kind."""
    made: dict[str, Dataset] = {}

    def get(kind: str) -> Dataset:
        if kind not in made:
            made[kind] = labelled(tmp_path_factory.mktemp(kind), kind)
        return made[kind]

    return get


@pytest.fixture(scope="session")
def whole_run(
    drawn: Callable[[str], Dataset], tmp_path_factory: pytest.TempPathFactory, tiny_recipe_of_session: dict[str, Any]
) -> Callable[[str], Path]:
    """whole_run(kind) is the folder of a run through every stage; copy it before changing anything."""
    made: dict[str, Path] = {}

    def get(kind: str) -> Path:
        if kind not in made:
            data, folder = drawn(kind), tmp_path_factory.mktemp("whole") / kind
            recipe = tiny_recipe_of_session | ({} if kind == "tag" else {"balance": "weighted"})
            run(Job(RunFolder(folder), data.root, Recipe(**recipe), given=data))
            made[kind] = folder
        return made[kind]

    return get


@pytest.fixture(scope="session")
def tiny_recipe_of_session() -> dict[str, Any]:
    """A recipe that compares remedies (of classes other suites do that) and learns the marks in seconds."""
    return {
        "network": "vgg11_bn(width=0.05)", "epochs": 3, "size": 28, "folds": 2, "contrast": "none", "learning_rate": 0.005,
        "design": "split",
        "balance": ("none", "oversample"), "choose": {"compare_epochs": 1, "members": 2}, "explained": 8,
    }  # fmt: skip
