"""The budget of Table 7: its reasons say when nothing fits and when the epochs are bounded."""

from __future__ import annotations

import re

import polars as pl
import pytest

from evenray.core.recipe import Recipe
from evenray.core.texts import Texts
from evenray.core.types import Dataset
from evenray.evidence.table7.budget import Budget, make
from evenray.evidence.table7.systems import chosen


def budget(train: int, effort: str) -> Budget:
    n = train + 100
    cases = pl.DataFrame({
        "label": ["sick", "well"] * (n // 2), "part": ["train"] * train + ["validation"] * 50 + ["test"] * 50,
        "rows": [28] * n, "columns": [28] * n, "channels": [1] * n,
    })  # fmt: skip
    return make(Dataset(cases, ("sick", "well"), "sick", "."), Recipe.of({"effort": effort}), chosen("vgg"))


@pytest.mark.parametrize(
    ("train", "effort", "epochs", "width"),
    [(600, "standard", "about 350 steps of 32 images ('standard')", " fit about "),
     (100, "thorough", "420 steps of 16 images, where 'thorough' is for about 2000: 60 epochs are the most", " fit about "),
     (400_000, "quick", "6250 steps of 64 images, where 'quick' is for about 120: one epoch is the least", " come nearest to about ")],
)  # fmt: skip
def test_the_reasons_are_true_at_the_bounds(train: int, effort: str, epochs: str, width: str) -> None:
    found = budget(train, effort)
    told = {name: Texts("en").message(why) for name, why in found.why.items()}
    assert told["epochs"].startswith(epochs), told
    assert width in told["width"]
    assert all(re.search("[가-힣]", Texts("ko").message(why)) for why in found.why.values())
