"""NIfTI masks beside their images: each is turned by its own affine, and the audit tells where these do not agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from evenray.data.annotations import read_mask
from evenray.data.annotations.finding import Wanted
from evenray.data.audit.mask_grid import mask_grid
from evenray.data.scan import scan
from evenray.images.readers import grid, read

IMAGE = np.diag([-1.0, -1.0, 1.0, 1.0])
PLAIN = np.eye(4)


def moved(affine: np.ndarray, *by: float) -> np.ndarray:
    return affine + np.column_stack([np.zeros((4, 3)), [*by, 0]])


def flipped(voxels: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same volume stored from the other side, which its affine says."""
    turned = affine.copy()
    turned[:, 0], turned[:, 3] = -affine[:, 0], affine[:, 3] + affine[:, 0] * (len(voxels) - 1)
    return voxels[::-1], turned


@pytest.mark.parametrize(
    ("of_image", "of_mask", "told", "same"),
    [
        (IMAGE, lambda voxels: (voxels, IMAGE), [], True),
        (IMAGE, lambda voxels: flipped(voxels, IMAGE), [], True),
        (IMAGE, lambda voxels: (voxels, moved(IMAGE, 0.2, 0.1, 0)), [], True),
        (IMAGE, lambda voxels: (voxels, PLAIN), [("turned", "error", 7.071)], False),
        (np.diag([0.5, 0.5, 2, 1]), lambda voxels: (voxels, PLAIN), [("", "warning", 7.089)], True),
        (IMAGE, lambda voxels: (voxels, moved(IMAGE, 3, 0, 0)), [("", "warning", 3.0)], True),
        (IMAGE, lambda voxels: (voxels, np.zeros((4, 4))), [], True),  # which tells nothing
    ],
)
@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
def test_a_mask_that_its_affine_turns_otherwise_is_told(
    of_image: np.ndarray,
    of_mask: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    told: list[tuple[str, str, float]],
    same: bool,
    ending: str,
    tmp_path: Path,
) -> None:
    """The bright corner of the image is what the mask marks, where the audit does not say otherwise."""
    image = np.zeros((6, 6, 2), np.int16)
    image[1, 1] = 300
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for n in range(2):
        image[2, 2:5] = n + 1
        nibabel.save(nibabel.Nifti1Image(image, of_image), tmp_path / "images" / f"c_{n}.{ending}")
        voxels, affine = of_mask((image == 300).astype(np.uint8))
        header = nibabel.Nifti1Header()
        header.set_sform(affine, code=1)
        nibabel.save(nibabel.Nifti1Image(voxels, None, header), tmp_path / "labels" / f"c_{n}.{ending}")
    dataset = scan(tmp_path, wanted=Wanted("segment"))
    assert len(dataset) == 4
    found = mask_grid(dataset)
    assert [(one.variant, one.severity, one.evidence["farthest_voxels"]) for one in found] == told
    assert all(len(one.cases) == 4 for one in found)
    pixels = read(tmp_path / "images" / f"c_0.{ending}").pixels
    assert np.array_equal(read_mask(dataset, 0) > 0, pixels == 300) == same


def test_a_damaged_mask_is_set_aside_as_such(tmp_path: Path) -> None:
    for name, n in (("c_0", 1), ("c_1", 2)):
        for folder, voxels in (("images", np.full((6, 6), n, np.int16)), ("labels", np.eye(6, dtype=np.uint8))):
            (tmp_path / folder).mkdir(exist_ok=True)
            nibabel.save(nibabel.Nifti1Image(voxels, IMAGE), tmp_path / folder / f"{name}.nii")
    broken = tmp_path / "labels" / "c_1.nii"
    content = bytearray(broken.read_bytes())
    content[40:42] = b"\xff\xff"  # a number of dimensions that there is not
    broken.write_bytes(content)
    dataset = scan(tmp_path, wanted=Wanted("segment"))
    assert len(dataset) == 1
    assert dataset.rejected["reason"].to_list() == [
        "cannot be used: its mask 'labels/c_1.nii' its header declares a volume of no voxels"
    ]


def test_only_nifti_has_a_grid(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(np.zeros((5, 4), np.uint8), IMAGE), tmp_path / "a.nii")
    (tmp_path / "b.txt").write_text("no volume")
    found = grid(tmp_path / "a.nii")
    assert found is not None
    assert (found.shape, found.axes) == ((5, 4, 1), "LPS")
    assert grid(tmp_path / "b.txt") is None
