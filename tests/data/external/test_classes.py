"""The labels of another set as the classes of a network."""

from __future__ import annotations

import polars as pl
import pytest

from evenray.core.errors import DataError
from evenray.core.facts import Facts
from evenray.core.types import Dataset
from evenray.core.understood import Understood, UnderstoodRow
from evenray.data.external.classes import as_trained


def of_classes(labels: list[str], place: str = "dx") -> Dataset:
    row = UnderstoodRow(place=place, meaning="label", how="name", matched=2, of=2)
    facts = Facts(understood=Understood(source="t.csv", rows=(row,)))
    cases = pl.DataFrame({"case": [str(i) for i in range(len(labels))], "label": labels})
    return Dataset(cases, tuple(sorted(set(labels))), labels[0], "data", facts=facts)


def test_names_that_differ_in_writing_are_the_same() -> None:
    own = of_classes(["normal", "PLEURAL effusion", "normal"])
    found, told = as_trained(own, ("NORMAL", "Pleural_Effusion"), "NORMAL", "classify", ordered=False)
    assert found.cases["label"].to_list() == ["NORMAL", "Pleural_Effusion", "NORMAL"]
    assert (found.classes, found.positive) == (("NORMAL", "Pleural_Effusion"), "NORMAL")
    assert told.names == {"normal": "NORMAL", "PLEURAL effusion": "Pleural_Effusion"}
    assert found.targets.tolist() == [0, 1, 0]


@pytest.mark.parametrize("labels", [["0", "1"], ["NORMAL", "covid"]])
def test_what_could_be_either_is_asked_with_the_option_that_tells(labels: list[str]) -> None:
    with pytest.raises(DataError, match=r"--column 'label=dx:.*=") as error:
        as_trained(of_classes(labels), ("NORMAL", "PNEUMONIA"), "PNEUMONIA", "classify", ordered=False)
    assert "NORMAL, PNEUMONIA" in str(error.value)
    assert f"'label=dx:{labels[-1] if labels[0] == 'NORMAL' else '0'}='" in str(error.value)


def test_a_class_of_the_network_without_a_case_is_told() -> None:
    found, told = as_trained(of_classes(["a", "a"]), ("a", "b"), "b", "classify", ordered=True)
    assert told.missing == ("b",)
    assert found.facts.ordered


def test_findings_that_the_network_does_not_know_are_set_aside_and_counted() -> None:
    cases = pl.DataFrame({"case": ["1", "2"], "findings": [[True, False], [None, True]]})
    own = Dataset(cases, ("edema", "mass"), "", "data", facts=Facts(task="tag"))
    found, told = as_trained(own, ("Mass", "nodule"), "", "tag", ordered=False)
    assert found.cases["findings"].to_list() == [[False, None], [True, None]]
    assert told.aside == {"edema": 1}
    assert told.missing == ("nodule",)
    with pytest.raises(DataError, match="the run tells x, y apart"):
        as_trained(own, ("x", "y"), "", "tag", ordered=False)


def test_boxes_and_masks_of_unknown_classes_go() -> None:
    box = {"x0": 0.0, "y0": 0.0, "x1": 2.0, "y1": 2.0, "ignored": False}
    mask = {"file": "m.png", "fragment": "", "runs": "", "values": [0, 1, 2, 255], "indices": [0, 1, 2, 255]}
    boxed = pl.DataFrame(
        {"case": ["1"], "findings": [[True, True]], "boxes": [[{"class": 0, **box}, {"class": 1, **box}]]}
    )
    own = Dataset(boxed, ("cyst", "nodule"), "", "data", facts=Facts(task="detect"))
    found, told = as_trained(own, ("mass", "nodule"), "", "detect", ordered=False)
    assert [each["class"] for each in found.cases["boxes"][0].to_list()] == [1]
    assert found.cases["findings"].to_list() == [[False, True]]
    assert told.aside == {"cyst": 1}
    masked = pl.DataFrame({"case": ["1"], "findings": [[True, True]], "mask_pixels": [[5, 7]], "masks": [[mask]]})
    own = Dataset(masked, ("cyst", "nodule"), "", "data", facts=Facts(task="segment"))
    found, _ = as_trained(own, ("nodule",), "", "segment", ordered=False)
    assert found.cases["masks"][0].to_list()[0]["indices"] == [0, 0, 1, 255]
    assert found.cases["mask_pixels"].to_list() == [[7]]


def test_two_ways_of_writing_one_class_are_one_class() -> None:
    """An image has it that has it in either way, in whichever order they stand, and of masks the pixels of both."""
    box = {"x0": 0.0, "y0": 0.0, "x1": 2.0, "y1": 2.0, "ignored": False}
    has = [[True, False], [False, True], [True, True], [False, False]]
    boxes = [[{"class": k, **box} for k in (0, 1) if own[k]] for own in has]
    cases = pl.DataFrame({"case": list("1234"), "findings": has, "boxes": boxes})
    own = Dataset(cases, ("Mass", "mass"), "", "data", facts=Facts(task="detect"))
    found, told = as_trained(own, ("mass", "nodule"), "", "detect", ordered=False)
    assert found.cases["findings"].to_list() == [[any(each), False] for each in has]
    assert [[each["class"] for each in one] for one in found.cases["boxes"].to_list()] == [[0], [0], [0, 0], []]
    assert (told.names, told.missing) == ({"Mass": "mass"}, ("nodule",))
    mask = {"file": "m.png", "fragment": "", "runs": "", "values": [0, 1, 2], "indices": [0, 1, 2]}
    masked = cases.drop("boxes").with_columns(
        masks=pl.Series([[mask]] * 4), mask_pixels=pl.Series([[5, 0], [0, 7], [5, 7], [0, 0]])
    )
    own = Dataset(masked, ("Mass", "mass"), "", "data", facts=Facts(task="segment"))
    found, _ = as_trained(own, ("mass", "nodule"), "", "segment", ordered=False)
    assert found.cases["mask_pixels"].to_list() == [[5, 0], [7, 0], [12, 0], [0, 0]]
    assert found.cases["masks"][0].to_list()[0]["indices"] == [0, 1, 1]


def test_two_ways_of_writing_one_finding_are_one_finding() -> None:
    has = [[True, False], [False, True], [None, True], [None, False], [False, False]]
    cases = pl.DataFrame({"case": list("12345"), "findings": has})
    own = Dataset(cases, ("Mass", "mass"), "", "data", facts=Facts(task="tag"))
    found, _ = as_trained(own, ("mass",), "", "tag", ordered=False)
    assert found.cases["findings"].to_list() == [[True], [True], [True], [None], [False]]


def test_a_class_is_met_in_whichever_way_it_is_written() -> None:
    """No case has the second way."""
    cases = pl.DataFrame({"case": ["1", "2"], "findings": [[True, False], [False, False]]})
    own = Dataset(cases, ("Mass", "mass"), "", "data", facts=Facts(task="tag"))
    assert as_trained(own, ("mass",), "", "tag", ordered=False)[1].missing == ()


def test_another_task_is_refused() -> None:
    with pytest.raises(DataError, match=r"task segment.*read as classify.*--masks"):
        as_trained(of_classes(["a", "b"]), ("a",), "", "segment", ordered=False)
