"""YOLO's lines of more than four numbers: outlines, or boxes with key points, or boxes with the numbers of a tracker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evenray.core.errors import DataError
from evenray.data.annotations.finding import Wanted
from evenray.data.annotations.yolo import are_outlines, read_yolo
from evenray.data.annotations.yolo_rows import lengths_of_poses
from evenray.data.scan import scan

from .drawn import SHAPE, image

RNG = np.random.default_rng(5)
N = 12


def boxes_drawn() -> np.ndarray:
    """Centres and sides of boxes all over an image."""
    sides = RNG.uniform(0.05, 0.3, (N, 2))
    return np.hstack([RNG.uniform(sides / 2, 1 - sides / 2), sides])


def key_points(box: np.ndarray, seen: bool, count: int) -> list[float]:
    """Points in a box; the second is not marked, and so at 0, 0."""
    found: list[float] = []
    for k in range(count):
        point = [0.0, 0.0] if k == 1 else (box[:2] + box[2:] * RNG.uniform(-0.5, 0.5, 2)).tolist()
        found += [*point, *([0 if k == 1 else 1 + k % 2] if seen else [])]
    return found


def written(root: Path, rows: list[list[float]]) -> list[str]:
    """Two lines a file, of the classes 0 and 1 in turn."""
    for n in range(0, len(rows), 2):
        lines = [" ".join(f"{value:.6g}" for value in (k, *row)) for k, row in enumerate(rows[n : n + 2])]
        (root / f"{n}.txt").write_text("\n".join(lines))
    return [f"{n}.txt" for n in range(0, len(rows), 2)]


def corners_read(root: Path, rows: list[list[float]]) -> list[tuple[float, ...]]:
    files = written(root, rows)
    found = read_yolo(root, files, [file.replace("txt", "png") for file in files])
    assert not found.rejected
    return [(box.x0, box.y0, box.x1, box.y1) for own in found.images.values() for box in own.boxes]


@pytest.mark.parametrize(("seen", "count"), [(True, 4), (True, 17), (True, 6), (False, 5), (False, 17)])
def test_of_a_pose_the_box_counts(tmp_path: Path, seen: bool, count: int) -> None:
    drawn = boxes_drawn()
    found = corners_read(tmp_path, [[*box, *key_points(box, seen, count)] for box in drawn])
    true = np.hstack([drawn[:, :2] - drawn[:, 2:] / 2, drawn[:, :2] + drawn[:, 2:] / 2])
    np.testing.assert_allclose(found, true, atol=1e-5)
    assert not are_outlines(tmp_path, sorted(file.name for file in tmp_path.iterdir()))


def test_of_a_tracker_the_box_counts(tmp_path: Path) -> None:
    drawn = boxes_drawn()
    found = corners_read(tmp_path, [[*box, 0.5, n + 1] for n, box in enumerate(drawn)])
    np.testing.assert_allclose([(x1 - x0, y1 - y0) for x0, y0, x1, y1 in found], drawn[:, 2:], atol=1e-5)


@pytest.mark.parametrize("where", [(0.05, 0.95), (0.3, 0.6)])
@pytest.mark.parametrize("corners", [3, 4, 9])
def test_outlines_of_equal_counts_stay_outlines(tmp_path: Path, where: tuple[float, float], corners: int) -> None:
    """Turned boxes have four corners each, and in the middle of the image they lie in the box that two of them would be."""
    rows, true = [], []
    for _ in range(N):
        turns = 2 * np.pi * (np.arange(corners) / corners) + RNG.uniform(0, 2 * np.pi)
        points = RNG.uniform(*where, 2) + RNG.uniform(0.01, 0.05) * np.column_stack([np.cos(turns), np.sin(turns)])
        points = points.clip(0, 1)
        rows.append(points.ravel().tolist())
        true.append((*points.min(0), *points.max(0)))
    np.testing.assert_allclose(corners_read(tmp_path, rows), true, atol=1e-5)
    assert are_outlines(tmp_path, sorted(file.name for file in tmp_path.iterdir()))


def test_numbers_in_pixels_are_set_aside_with_the_reason(tmp_path: Path) -> None:
    files = written(tmp_path, [[320, 240, 60, 40], [0.5, 0.5, 0.1, 0.1]])
    [(file, why)] = read_yolo(tmp_path, files, ["0.png"]).rejected
    assert (file, "line 1 has the number 320; expected shares of the image's sides" in why) == ("0.txt", True)


@pytest.mark.parametrize(
    ("file", "text", "lengths"),
    [("data.yaml", "names: [knee]\nkpt_shape: [17, 3]  # x, y and whether it is seen\n", {55}),
     ("knee.YML", "kpt_shape:\n  - 4\n  - 2\nnames:\n- knee\n", {12}), ("data.yaml", "kpt_shape:\n- 21\n- 3", {67}),
     ("data.yaml", "names: [kpt_shape]\n# kpt_shape: [4, 2]", set()), ("data.yaml", "kpt_shape: [4, 5]", set()),
     ("notes.txt", "kpt_shape: [4, 2]", set())],
)  # fmt: skip
def test_how_long_lines_of_poses_are_a_yaml_file_tells(tmp_path: Path, file: str, text: str, lengths: set[int]) -> None:
    (tmp_path / file).write_text(text)
    assert set(lengths_of_poses([tmp_path / "absent.yaml", tmp_path / file])) == lengths


@pytest.mark.parametrize("boxes", [None, "labels"])
def test_key_points_beside_their_box_are_none_of_an_outline_where_a_file_tells_their_number(
    tmp_path: Path, boxes: str | None
) -> None:
    """Four key points with whether they are seen, of a limb that reaches out of its box: twelve numbers could be six corners."""
    drawn = boxes_drawn()
    (tmp_path / "labels").mkdir()
    rows = [[*box, *(value for _ in range(4) for value in (*RNG.uniform(0, 1, 2), 2))] for box in drawn]
    files = written(tmp_path / "labels", rows)
    assert are_outlines(tmp_path / "labels", files)
    (tmp_path / "data.yaml").write_text("train: images\nkpt_shape: [4, 3]\nnames: [knee, hip]\n")
    for n, file in enumerate(files):
        image(tmp_path / "images" / file.replace("txt", "png"), n)
    wanted = Wanted(boxes=None if boxes is None else str(tmp_path / boxes))
    dataset = scan(tmp_path / "images" if boxes else tmp_path, wanted=wanted)
    assert dataset.classes == ("knee", "hip")
    found = [[box[k] for k in ("x0", "y0", "x1", "y1")] for own in dataset.cases["boxes"] for box in own]
    true = np.hstack([drawn[:, :2] - drawn[:, 2:] / 2, drawn[:, :2] + drawn[:, 2:] / 2]) * np.tile(SHAPE[::-1], 2)
    assert sorted(np.round(found, 2).tolist()) == sorted(np.round(true, 2).tolist())
    with pytest.raises(DataError):
        scan(tmp_path / "images", wanted=Wanted(masks=str(tmp_path / "labels")))


def test_lines_of_another_length_than_a_file_tells_of_poses_are_told_by_their_numbers(tmp_path: Path) -> None:
    rows = [[0.1, 0.1, 0.9, 0.1, 0.9, 0.9, 0.1, 0.9]] * N
    files = written(tmp_path, rows)
    assert are_outlines(tmp_path, files, {55})
    assert not are_outlines(tmp_path, files, {8, 55})
