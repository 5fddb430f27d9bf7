"""Boxes of images of another size: a run stops where most are beyond their images, and goes on where a few are."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.core.errors import DataError
from evenray.data.annotations import read_boxes
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan

from .drawn import SHAPE, boxes_of, image

N = 8


def drawn(root: Path, times: list[float]) -> Wanted:
    """Images with boxes of copies so many times as large, and one without a box."""
    lines = ["file,class,xmin,ymin,xmax,ymax", "empty.png,,,,,"]
    for n, factor in enumerate(times):
        image(root / f"{n}.png", n)
        for kind, *four in boxes_of(1 + 2 * (n % 2)):
            lines.append(f"{n}.png,{kind}," + ",".join(str(value * factor) for value in four))
    image(root / "empty.png", N)
    (root / "boxes.csv").write_text("\n".join(lines))
    return Wanted(boxes=str(root / "boxes.csv"))


def test_boxes_of_larger_images_stop_the_run_with_both_sizes(tmp_path: Path) -> None:
    wanted = drawn(tmp_path, [3.0] * N)
    with pytest.raises(DataError) as error:
        scan(tmp_path, wanted=wanted)
    right, low = (3 * max(four[k] for four in boxes_of(3)) for k in (3, 4))
    assert f"{N} of the {N} images with boxes" in str(error.value)
    assert f"reach to x {right:.0f} and y {low:.0f}, and it is {SHAPE[1]} pixels wide and {SHAPE[0]} high" in str(
        error.value
    )


def test_the_fix_that_is_named_works(tmp_path: Path) -> None:
    wanted = drawn(tmp_path, [3.0] * N)
    down, across = (3 * side for side in SHAPE)
    lines = (tmp_path / "boxes.csv").read_text().splitlines()
    for k, line in enumerate(lines):
        name, kind, *four = line.split(",")
        if k > 1:
            four = [str(float(value) / side) for value, side in zip(four, (across, down) * 2, strict=True)]
            lines[k] = ",".join([name, kind, *four])
    (tmp_path / "boxes.csv").write_text("\n".join(lines))
    dataset = scan(tmp_path, wanted=wanted)
    row = dataset.cases["file"].to_list().index("0.png")
    assert sorted(map(tuple, read_boxes(dataset, row).round(6).tolist())) == sorted(boxes_of(1))


@pytest.mark.parametrize("times", [[3.0] * (N // 2) + [1.0] * (N // 2), [1.0] * N])
def test_a_few_such_images_are_left_to_the_audit(times: list[float], tmp_path: Path) -> None:
    assert len(scan(tmp_path, wanted=drawn(tmp_path, times))) == N + 1


def test_objects_at_the_edge_may_reach_over_it(tmp_path: Path) -> None:
    lines = [f"{n}.png,a,20,4,{SHAPE[1] + 2},{SHAPE[0]}" for n in range(N)]
    for n in range(N):
        image(tmp_path / f"{n}.png", n)
    (tmp_path / "boxes.csv").write_text("\n".join(["file,class,xmin,ymin,xmax,ymax", *lines]))
    assert len(scan(tmp_path, wanted=Wanted(boxes=str(tmp_path / "boxes.csv")))) == N
