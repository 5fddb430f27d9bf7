"""Who stands for a patient that is unknown, and that the split, the intervals and the audit all go by it."""

from __future__ import annotations

import numpy as np
import polars as pl

from evenray.core.patient_groups import patient_groups
from evenray.core.types import Dataset
from evenray.data.split import split
from evenray.learning.tasks.classify import Classify


def studies(count: int, each: int = 4) -> Dataset:
    """`count` studies of `each` images, every fourth one sick; nobody's name is known."""
    n = count * each
    study = [f"s{i // each}" for i in range(n)]
    table = {
        "case": [f"c{i}" for i in range(n)], "file": [f"f{i}" for i in range(n)], "pixel_hash": [f"h{i}" for i in range(n)],
        "label": ["sick" if i // each % 4 == 0 else "well" for i in range(n)], "study": study,
        "patient": pl.Series([None] * n, dtype=pl.String), "part": pl.Series([None] * n, dtype=pl.String),
    }  # fmt: skip
    return Dataset(pl.DataFrame(table), ("sick", "well"), "sick", ".")


def test_no_study_is_torn_apart() -> None:
    done = split(studies(40), test=0.2, validation=0.15, seed=7, together=())
    assert done.cases.group_by("study").agg(pl.col("part").n_unique())["part"].to_list() == [1] * 40
    assert done.cases["part"].n_unique() == 3


def test_intervals_count_studies() -> None:
    cases = studies(10)
    found = Classify().predictions(cases, np.zeros((40, 2)), np.full((40, 2), 0.5))
    assert found.patients.tolist() == [i // 4 for i in range(40)]


def test_a_study_under_every_case_tells_nothing() -> None:
    table = pl.DataFrame({"patient": [None, None], "study": ["only", "only"], "file": ["a", "b"]})
    assert patient_groups(table).to_list() == [None, None]


def test_frames_of_one_file_are_of_one_patient_but_not_the_images_of_an_archive() -> None:
    frames = pl.DataFrame({"file": ["a.dcm", "a.dcm", "b.dcm"]})
    assert patient_groups(frames).to_list() == ["file a.dcm", "file a.dcm", None]
    assert patient_groups(frames.with_columns(file=pl.lit("all.npz"))).null_count() == 3


def test_nothing_known() -> None:
    assert patient_groups(pl.DataFrame({"case": ["a", "b"]})).to_list() == [None, None]
