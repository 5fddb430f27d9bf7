"""Which images of a study are for the model."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    EnhancedSRStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
)

from evenray.serve.pacs.rules import Rules


def header(**elements: Any) -> Dataset:
    found = Dataset()
    chest = {
        "SOPClassUID": ComputedRadiographyImageStorage,
        "Rows": 8,
        "Modality": "CR",
        "BodyPartExamined": "CHEST",
        "ViewPosition": "PA",
    }
    for keyword, value in (chest | {"ViewPosition": "PA"} | elements).items():
        setattr(found, keyword, value)
    return found


def code(meaning: str) -> list[Dataset]:
    found = Dataset()
    found.CodeMeaning = meaning
    return [found]


@pytest.mark.parametrize(
    ("elements", "chosen"),
    [
        ({}, True),
        ({"Modality": "DX"}, True),
        ({"Modality": "MG"}, False),
        ({"BodyPartExamined": "HAND"}, False),
        ({"BodyPartExamined": ""}, False),
        ({"BodyPartExamined": "", "AnatomicRegionSequence": code("Chest")}, True),
        ({"ViewPosition": "LL"}, False),
        ({"ViewPosition": "", "ViewCodeSequence": code("PA")}, True),
        ({"SOPClassUID": SegmentationStorage}, False),
        ({"SOPClassUID": SecondaryCaptureImageStorage, "ConversionType": "DF"}, True),
        ({"SOPClassUID": SecondaryCaptureImageStorage, "ConversionType": "WSD"}, False),
        ({"SOPClassUID": MultiFrameTrueColorSecondaryCaptureImageStorage, "ConversionType": "SYN"}, False),
        ({"SOPClassUID": EnhancedSRStorage, "Rows": None}, False),
    ],
)
def test_all_rules_have_to_fit(elements: dict[str, Any], chosen: bool) -> None:
    rules = Rules(modality=("CR", "DX"), body_part=("chest",), view=("PA", "AP"))
    assert bool(rules.chosen([header(**elements)])) == chosen


def test_images_come_in_the_order_of_their_series() -> None:
    images = [
        header(SeriesInstanceUID=f"1.{s}", InstanceNumber=n, SOPInstanceUID=f"1.{s}.{n}")
        for s, n in ((2, 1), (1, 10), (1, 9))
    ]
    assert [str(one.SOPInstanceUID) for one in Rules().chosen(images)] == ["1.1.9", "1.1.10", "1.2.1"]
