"""Which column of a table of objects says their class: one that is called so, else the only one that looks so; others are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.core.errors import DataError, UsageError
from evenray.core.types import Dataset
from evenray.data.annotations import read_boxes
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan
from evenray.data.tables.expressions import columns_asked
from evenray.data.tables.labels import Choices

from .drawn import N, image

KINDS = ("RBC", "WBC")


def scanned(
    root: Path, columns: dict[str, str], marks: str = "xmin,xmax,ymin,ymax", cells: str = "2,9,3,{0}"
) -> Dataset:
    """Two objects an image; columns by their names, with what they say in terms of {n}, the image, and {kind}, the object."""
    rows = [f"filename,{','.join(columns)},{marks}"]
    for n in range(N):
        image(root / f"{n}.png", n)
        for k, kind in enumerate(KINDS):
            said = ",".join(text.format(n=n, k=k, kind=kind, half=n % 2) for text in columns.values())
            rows.append(f"{n}.png,{said},{cells.format(8 + k)}")
    (root / "table.csv").write_text("\n".join(rows))
    return scan(root, wanted=Wanted("segment" if "Pixels" in marks else "detect"))


def told(dataset: Dataset) -> list[tuple[str, str]]:
    assert dataset.facts.understood is not None
    return [(row.place, row.how) for row in dataset.facts.understood.rows if row.meaning == "label"]


def unused(dataset: Dataset) -> tuple[str, ...]:
    assert dataset.facts.understood is not None
    return dataset.facts.understood.unused


@pytest.mark.parametrize(
    "name",
    ["cell_type", "object_type", "species", "name", "annotation", "kind", "defect", "tissue", "object", "세포"],
)
def test_the_only_column_of_words_that_return_is_the_class(name: str, tmp_path: Path) -> None:
    """`cell_type` is what BCCD's own table calls it; what is the same for all objects of an image comes after it."""
    more = {"hospital": "H{half}", "plate_kind": "p{half}", "row_id": "{n}{k}", "ratio": "0.{n}", "score": "0.5"}
    dataset = scanned(tmp_path, {name: "{kind}", **more})
    assert dataset.classes == KINDS
    assert told(dataset) == [(name, "values")]
    assert read_boxes(dataset, 0)[:, 0].tolist() == [0, 1]


@pytest.mark.parametrize(
    "columns", [{"shape": "{kind}s", "edge": "{kind}e"}, {"scan_kind": "a{half}", "edge": "b{half}"}]
)
def test_of_several_such_columns_one_must_be_named(columns: dict[str, str], tmp_path: Path) -> None:
    shown = ", ".join(map(repr, columns))
    with pytest.raises(DataError, match=f"{shown} may say the classes"):
        scanned(tmp_path, columns)


def test_a_column_that_is_called_so_comes_first_and_the_others_are_named(tmp_path: Path) -> None:
    dataset = scanned(tmp_path, {"shape": "{kind}s", "class": "{kind}", "width": "30", "patient": "p{n}"})
    assert (dataset.classes, told(dataset)) == (KINDS, [("class", "name")])
    assert unused(dataset) == ("shape", "width")  # a patient is kept together in a split


@pytest.mark.parametrize(
    "said",
    ["cell", "{n}{k}", "a free text of {kind}{n}", "yes", "a/{kind}.png", "2020-01-0{k}", "{kind} " + "long " * 20],
)
def test_what_is_no_class_is_named_as_not_used(said: str, tmp_path: Path) -> None:
    dataset = scanned(tmp_path, {"remark": said})
    assert (dataset.classes, told(dataset), unused(dataset)) == (("object",), [], ("remark",))


def test_tables_of_runs_are_read_the_same_way(tmp_path: Path) -> None:
    dataset = scanned(tmp_path, {"defect": "{kind}", "width": "30"}, "EncodedPixels", "21 5 41 {0}")
    assert (dataset.classes, told(dataset), unused(dataset)) == (KINDS, [("defect", "values")], ("width",))


@pytest.mark.parametrize("option", ["label=edge", "class=edge", "ignore=shape"])
@pytest.mark.parametrize("marks", [("xmin,xmax,ymin,ymax", "2,9,3,{0}"), ("EncodedPixels", "{0} 3 40 5")])
def test_of_several_such_columns_the_one_that_is_asked_for_is_the_class(
    option: str, marks: tuple[str, str], tmp_path: Path
) -> None:
    """The options are those that the error names."""
    columns = {"shape": "{kind}s", "edge": "{kind}"}
    with pytest.raises(DataError, match=r"--column label=shape.*--column ignore=edge\."):
        scanned(tmp_path, columns, *marks)
    task = "segment" if "Pixels" in marks[0] else "detect"
    asked = Choices(columns_asked([option]))
    found = scan(tmp_path, wanted=Wanted(task), choices=asked)  # type: ignore[arg-type]
    assert found.classes == KINDS
    assert told(found) == [("edge", "values" if "ignore" in option else "asked")]


def test_names_given_to_classes_of_a_table_of_objects_are_refused(tmp_path: Path) -> None:
    scanned(tmp_path, {"edge": "{kind}"})
    with pytest.raises(UsageError, match="change the names in the table"):
        scan(tmp_path, wanted=Wanted("detect"), choices=Choices(columns_asked(["label=edge:RBC=red,*=white"])))


def test_a_column_that_no_table_has_is_still_refused(tmp_path: Path) -> None:
    scanned(tmp_path, {"edge": "{kind}"})
    with pytest.raises((DataError, UsageError), match="'egde'"):
        scan(tmp_path, wanted=Wanted("detect"), choices=Choices(columns_asked(["ignore=egde"])))
