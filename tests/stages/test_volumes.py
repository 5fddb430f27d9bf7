"""Volumes of known geometry: their figures beside an independent reference, and each volume counted once, by patient."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import polars as pl
import pytest
import scipy
from numpy.typing import NDArray

import evenray as er
from evenray.core.types import Dataset, Predictions
from evenray.data.annotations import read_mask
from evenray.data.volumes import stacks
from evenray.metrics.masks import score_masks
from evenray.metrics.pixel_bins import BINS
from evenray.stages.measuring import in_own_pixels

SHAPE, SPACING = (40, 36, 18), (0.8, 1.1, 3.0)  # of the stored axes, in mm
Solid = NDArray[np.bool_]


def ball(radius: float, middle: tuple[float, float, float]) -> Solid:
    """Voxels whose middles lie in a ball, in mm."""
    places = np.stack(np.meshgrid(*(np.arange(n) * s for n, s in zip(SHAPE, SPACING, strict=True)), indexing="ij"), -1)
    return np.asarray(((places - middle) ** 2).sum(-1) <= radius**2)


def reference_hd95(true: Solid, called: Solid) -> float:
    """Distances of whole volumes, nothing cut away; borders are voxels with a face to the outside."""
    borders = []
    for solid in (true, called):
        padded, inner = np.pad(solid, 1), solid.copy()
        for axis in range(3):
            for shift in (1, -1):
                inner &= np.roll(padded, shift, axis)[1:-1, 1:-1, 1:-1]
        borders.append(solid & ~inner)
    one, other = borders
    there = scipy.ndimage.distance_transform_edt(~other, sampling=SPACING)[one]
    back = scipy.ndimage.distance_transform_edt(~one, sampling=SPACING)[other]
    return float(max(np.percentile(there, 95), np.percentile(back, 95)))


TRUE = [ball(9, (16, 20, 27)), ball(7, (12, 18, 24)), ball(11, (15, 19, 26)), np.zeros(SHAPE, bool)]
CALLED = [ball(8, (17, 21, 29)), ball(9, (13, 18, 24)), np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)]


def stored(folder: Path) -> Path:
    """Four volumes with their masks, the second stored the other way round."""
    rng = np.random.default_rng(0)
    (folder / "masks").mkdir(parents=True)
    for i, true in enumerate(TRUE):
        affine = np.diag([*SPACING, 1.0])
        grey = (rng.integers(0, 60, SHAPE) + 150 * true).astype(np.uint8)
        voxels = [grey, true.astype(np.uint8)]
        if i == 1:
            voxels, affine[2, 2] = [one[:, :, ::-1] for one in voxels], -SPACING[2]
        nib.save(nib.Nifti1Image(voxels[0], affine), folder / f"v{i}.nii.gz")
        nib.save(nib.Nifti1Image(voxels[1], affine), folder / "masks" / f"v{i}.nii.gz")
    return folder


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = stored(tmp_path_factory.mktemp("volumes") / "ct")
    return er.scan(folder, task="segment", masks=folder / "masks")


def called_of(cases: Dataset) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The called slice of every case, in the pixels of its image, as a network would give them; in no order."""
    for row in np.random.default_rng(1).permutation(len(cases)).tolist():
        file, fragment = cases.cases.select("file", "fragment").row(row)
        k = int(fragment.removeprefix("slice="))
        own = CALLED[int(file[1])][:, :, k]
        yield row, own[::-1, ::-1].T.astype(np.uint8)  # R-L, A-P


def measured(scanned: Dataset) -> Predictions:
    cases = Dataset(
        scanned.cases.with_columns(part=pl.lit("test")), scanned.classes, scanned.positive, scanned.root, scanned.rejected,
        scanned.facts,
    )  # fmt: skip
    table = cases.cases.select(
        "case", pl.col("file").alias("patient"), "part", target_0=pl.col("mask_pixels").list.first() > 0,
        bins_0=pl.lit([1] * (2 * BINS)),
    )  # fmt: skip
    return in_own_pixels(cases, cases, Predictions(table, cases.classes, "", "segment"), called_of(cases))[0]


def test_slices_know_their_volume_and_where_they_lie_in_it(scanned: Dataset) -> None:
    found = stacks(scanned.cases)
    assert [len(stack.rows) for stack in found.values()] == [SHAPE[2]] * 4
    assert [stack.step for stack in found.values()] == pytest.approx([SPACING[2]] * 4)
    whole = np.stack([read_mask(scanned, row) for row in list(found.values())[1].rows])
    np.testing.assert_array_equal(whole == 1, TRUE[1][::-1, ::-1].transpose(2, 1, 0))


def test_figures_of_volumes_are_those_of_their_solids(scanned: Dataset) -> None:
    means, _ = score_masks(measured(scanned), [0.5], resamples=200)
    pairs = list(zip(TRUE, CALLED, strict=True))[:3]
    dice = [2 * (t & c).sum() / (t.sum() + c.sum()) for t, c in pairs]
    assert means.volume_dice.value == pytest.approx(np.mean(dice))
    diagonal = float(np.linalg.norm(np.multiply(SHAPE, SPACING)))
    distances = [reference_hd95(t, c) if c.any() else diagonal for t, c in pairs]
    assert means.volume_hd95.value == pytest.approx(np.mean(distances))
    assert means.volume_hd95.baseline == pytest.approx(diagonal)
    gaps = np.array([c.sum() - t.sum() for t, c in zip(TRUE, CALLED, strict=True)]) * np.prod(SPACING) / 1000
    assert means.volume_bias.value == pytest.approx(gaps.mean())
    assert means.volume_low.value == pytest.approx(gaps.mean() - 1.96 * gaps.std(), rel=1e-3)
    assert means.volume_bias.value == pytest.approx(
        4 / 3 * np.pi * (8**3 + 9**3 - 9**3 - 7**3 - 11**3) / 4000, rel=0.05
    )
    assert means.volume_dice.low <= means.volume_dice.value <= means.volume_dice.high
    assert means.dice.value != pytest.approx(means.volume_dice.value, abs=0.02)  # that of slices is another figure


def test_intervals_draw_patients_not_slices(scanned: Dataset) -> None:
    """Two volumes of one patient come and go together: of one patient alone there is no interval."""
    of_one = measured(scanned)
    table = of_one.table.with_columns(patient=pl.lit("p"))
    means, _ = score_masks(Predictions(table, of_one.classes, "", "segment"), [0.5], resamples=50)
    assert np.isnan([means.volume_dice.low, means.volume_dice.high]).all()
    apart, _ = score_masks(of_one, [0.5], resamples=50)
    assert apart.volume_dice.low < apart.volume_dice.value < apart.volume_dice.high


@pytest.mark.parametrize("left_out", ["slice=0", "slice=9"])
def test_a_volume_that_lacks_a_slice_is_not_measured_as_one(scanned: Dataset, left_out: str) -> None:
    """One in the middle; without its outermost slice a volume cannot know that it was larger."""
    fewer = scanned.cases.filter((pl.col("file") != "v0.nii.gz") | (pl.col("fragment") != left_out))
    assert len(stacks(fewer)) == (3 if left_out == "slice=9" else 4)
