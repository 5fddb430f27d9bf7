"""Whether runs of square images go along the rows or down the columns: by the edges of the images, or it is not told."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from evenray.data.annotations import read_mask
from evenray.data.annotations.finding import Wanted
from evenray.data.annotations.run_order import edges_say_rows
from evenray.data.annotations.runs import to_runs
from evenray.data.scan import scan
from evenray.data.scan.listing import listing

SIDE = 64


def organ(rng: np.random.Generator, noise: float, contrast: float = 40) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """An upright ellipse on a ramp of light, and where it is."""
    y, x = np.mgrid[:SIDE, :SIDE]
    mask = ((y - rng.uniform(28, 36)) / 22) ** 2 + ((x - rng.uniform(14, 24)) / 9) ** 2 < 1
    pixels = 90 + 0.5 * y + contrast * mask + rng.normal(0, noise, mask.shape)
    return pixels.clip(0, 255).astype(np.uint8), mask


def pairs(rng: np.random.Generator, count: int, **look: float) -> list[tuple[str, NDArray[np.float32]]]:
    """Runs along the rows, and their images."""
    drawn = [organ(rng, **look) for _ in range(count)]
    return [(to_runs(mask.T), pixels.astype(np.float32)) for pixels, mask in drawn]


@pytest.mark.parametrize("noise", [3, 12])
def test_edges_tell_both_ways(noise: float) -> None:
    for seed in range(10):
        found = pairs(np.random.default_rng(seed), 16, noise=noise)
        assert edges_say_rows(found) is True
        assert edges_say_rows([(runs, image.T.copy()) for runs, image in found]) is False


def test_nothing_is_told_without_edges_or_of_few_images() -> None:
    """400 sets of images in which nothing is drawn: about one in a thousand may be told by chance."""
    rng = np.random.default_rng(0)
    told = [edges_say_rows(pairs(rng, 8, noise=12, contrast=0)) for _ in range(400)]
    assert sum(one is not None for one in told) <= 4
    assert edges_say_rows(pairs(rng, 4, noise=3)) is None
    assert edges_say_rows([]) is None


@pytest.mark.parametrize("along_rows", [True, False])
def test_masks_of_square_images_are_read_as_they_were_written(along_rows: bool, tmp_path: Path) -> None:
    rng, rows, true = np.random.default_rng(1), ["image,Left Lung,Heart"], {}
    for n in range(12):
        pixels, mask = organ(rng, 4)
        other = np.zeros_like(mask)
        other[40:50, 40:60] = True
        cv2.imwrite(str(tmp_path / f"{n}.png"), pixels)
        rows.append(f"{n}.png," + ",".join(to_runs(one.T if along_rows else one) for one in (mask, other)))
        true[f"{n}.png"] = mask + 2 * other
    (tmp_path / "masks.csv").write_text("\n".join(rows))
    found = scan(tmp_path, wanted=Wanted("segment"))
    for row, file in enumerate(found.cases["file"]):
        np.testing.assert_array_equal(read_mask(found, row), true[file])
    codes = {note.code for note in listing(tmp_path, wanted=Wanted("segment")).notes}
    assert "annotations.square" not in codes
    assert ("annotations.by_row" in codes) is along_rows
