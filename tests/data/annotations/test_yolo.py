"""YOLO's lines of more than four numbers: outlines, or boxes with key points, or boxes with the numbers of a tracker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evenray.data.annotations.yolo import are_outlines, read_yolo

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
