"""Label Studio: several annotators of one task, addresses of images, and results that are no objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from evenray.data.annotations.found import Annotations
from evenray.data.annotations.label_studio import LABEL_STUDIO
from evenray.data.annotations.shapes import read_shapes


def box(x: float, label: str = "cell", **more: Any) -> dict[str, Any]:
    """From x, ten wide and high, in percent."""
    value = {"x": x, "y": 10, "width": 10, "height": 10, "rectanglelabels": [label]}
    return {"type": "rectanglelabels", "value": value, **more}


def outline(x: float) -> dict[str, Any]:
    value = {"points": [[x, 10], [x + 10, 10], [x + 10, 20]], "polygonlabels": ["cell"]}
    return {"type": "polygonlabels", "value": value}


def read(
    root: Path,
    data: dict[str, str],
    *readers: list[dict[str, Any]] | None,
    task: Literal["segment", "detect"] = "detect",
) -> Annotations:
    """One task; None is an annotation that was cancelled."""
    made = [{"result": [box(70)], "was_cancelled": True} if own is None else {"result": own} for own in readers]
    (root / "project.json").write_text(json.dumps([{"data": data, "annotations": made}]))
    return read_shapes(LABEL_STUDIO, root, ["project.json"], ["a.png", "b.png"], task)


def lefts(found: Annotations) -> list[float]:
    return sorted(round(box.x0, 6) for box in found.images["a.png"].boxes)


IMAGE = {"image": "/data/upload/1/a.png"}


def test_an_object_counts_that_most_of_three_annotators_drew(tmp_path: Path) -> None:
    found = read(tmp_path, IMAGE, [box(10), box(40, "rare")], [box(12)], None, [box(80), box(11)])
    assert lefts(found) == [0.11]
    assert found.classes == ("cell", "rare")
    assert [(note.code, note.values["count"]) for note in found.notes] == [("annotations.readers_of_boxes", 3)]


def test_of_two_annotators_both_count_and_of_masks_the_first_which_is_told(tmp_path: Path) -> None:
    assert lefts(read(tmp_path, IMAGE, [box(10)], [box(40)])) == [0.1, 0.4]
    masks = read(tmp_path, IMAGE, [outline(10)], [outline(40)], task="segment")
    assert len(masks.images["a.png"].masks) == 1
    assert [(note.code, note.values["count"]) for note in masks.notes] == [("annotations.first_readers", 1)]
    alone = read(tmp_path, IMAGE, [box(10)], None)
    assert (lefts(alone), alone.notes) == ([0.1], ())


@pytest.mark.parametrize(
    "data",
    [
        {"image": "https://bucket.s3.amazonaws.com/scans/a.png?X-Amz-Signature=0f&X-Amz-Date=2026"},
        {"image": "s3://bucket/scans/a.png"},
        {"image": "/data/local-files/?d=scans/a.png"},
        {"note": "v.2.png", "image": "/data/upload/1/a.png"},
        {"note": "see b.png", "scan": "/data/upload/1/a.png"},
        {"before": "/data/b.png", "after": "/data/a.png"},
    ],
)
def test_the_image_is_found_among_what_a_task_shows(tmp_path: Path, data: dict[str, str]) -> None:
    assert lefts(read(tmp_path, data, [box(10, to_name="after")])) == [0.1]


def test_a_task_without_an_image_is_set_aside_with_the_reason(tmp_path: Path) -> None:
    [(file, why)] = read(tmp_path, {"text": "nothing"}, [box(10)]).rejected
    assert (file, "a task has no image among text; expected the address of a file" in why) == ("project.json", True)


def test_results_that_are_no_objects_are_passed_over(tmp_path: Path) -> None:
    others = [
        {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"},
        {"type": "rating", "value": {"rating": 3}},
        {"type": "number", "value": {"number": 0}},
        {"type": "choices", "value": {"choices": ["good"]}},
    ]
    found = read(tmp_path, IMAGE, [*others, box(10)])
    assert (lefts(found), found.rejected) == ([0.1], ())
