"""What the audit says of images without labels and of what could not be read."""

from __future__ import annotations

import polars as pl
import pytest

from evenray.core.facts import Facts
from evenray.core.types import REJECTED, Dataset
from evenray.data.audit import audit


def dataset(files: list[str], fragments: list[str], rejected: int = 0, unlabelled: int = 0) -> Dataset:
    names = [f"{file}#{fragment}" for file, fragment in zip(files, fragments, strict=True)]
    cases = pl.DataFrame({"case": names, "file": files, "fragment": fragments, "label": ["a", "b"] * (len(files) // 2)})
    lost = pl.DataFrame({"file": [f"x{i}" for i in range(rejected)], "reason": ["bad"] * rejected}, schema=REJECTED)
    return Dataset(cases, ("a", "b"), "b", ".", lost, Facts(unlabelled=unlabelled))


@pytest.mark.parametrize(
    ("files", "fragments", "share"),
    [
        (["own.npz"] * 12, [f"train/{i}" for i in range(12)], 0.2),  # 3 of 15 images
        ([f"{i // 2}.dcm" for i in range(12)], [f"frame={i % 2}" for i in range(12)], 0.3333),  # 3 of 9 files
        ([f"{i}.png" for i in range(12)], [""] * 12, 0.2),
    ],
)
def test_the_share_of_what_cannot_be_read(files: list[str], fragments: list[str], share: float) -> None:
    found = audit(dataset(files, fragments, rejected=3), only=("unreadable",))[0]
    assert (found.evidence["files"], found.evidence["share"]) == (3, share)


def test_images_without_a_label_among_others_are_a_warning() -> None:
    files = [f"{i}.png" for i in range(12)]
    assert not audit(dataset(files, [""] * 12), only=("labels",))
    found = audit(dataset(files, [""] * 12, unlabelled=4), only=("labels",))
    assert [(finding.severity, dict(finding.evidence)) for finding in found] == [
        ("warning", {"images": 4, "share": 0.25})
    ]
