"""What lies beside images and masks and is neither: maps computed of masks; and folders of images that only a choice tells apart."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from evenray.core.errors import UsageError
from evenray.core.types import Dataset
from evenray.data.annotations import read_mask
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan
from evenray.data.scan.listing import listing

from ..annotations.drawn import image

N = 5
TISSUES = ("mouse fat", "mouse liver")


def mask(number: int) -> np.ndarray:
    found = np.zeros((20, 30), np.uint8)
    found[3 : 9 + number, 4:20] = 255
    return found


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)


def nuclei(root: Path, *beside: str) -> None:
    """Images of tissues with masks in twin folders, and folders of grey pictures `beside`, as NuInsSeg has them."""
    for tissue in TISSUES:
        for n in range(N):
            name = f"{tissue.replace(' ', '_')}_{n:02}.png"
            image(root / tissue / "tissue images" / name, n)
            write(root / tissue / "mask binary" / name, mask(n))
            write(root / tissue / "vague areas" / "mask binary" / name, 255 - mask(n))
            for folder in beside:
                grey = cv2.distanceTransform(mask(n), cv2.DIST_L2, 3) * 20
                write(root / tissue / folder / name, np.clip(grey, 0, 255).astype(np.uint8))


def masks_of(dataset: Dataset) -> dict[str, np.ndarray]:
    return {row["file"]: read_mask(dataset, k) for k, row in enumerate(dataset.cases.iter_rows(named=True))}


@pytest.mark.parametrize("wanted", [Wanted("segment"), Wanted(masks="mask binary/*")])
def test_maps_of_masks_are_no_images(wanted: Wanted, tmp_path: Path) -> None:
    nuclei(tmp_path, "distance maps", "weighted_maps", "overlay_with_vague")
    found = listing(tmp_path, wanted=wanted)
    assert {entry.file.split("/")[1] for entry in found.entries} == {"tissue images"}
    assert "scan.aside_map" in {note.code for note in found.notes}
    read = masks_of(scan(tmp_path, wanted=wanted, names=True))
    assert len(read) == 2 * N
    for file, pixels in read.items():
        assert ((pixels > 0) == (mask(int(file[-6:-4])) > 0)).all(), file


def test_maps_may_be_what_is_learnt_on_where_nothing_else_is_there(tmp_path: Path) -> None:
    for n in range(N):
        image(tmp_path / "distance maps" / f"{n}.png", n)
        write(tmp_path / "masks" / f"{n}.png", mask(n))
    assert len(listing(tmp_path, wanted=Wanted("segment")).entries) == N


def test_maps_that_the_user_names_are_masks(tmp_path: Path) -> None:
    nuclei(tmp_path, "weight maps")
    found = listing(tmp_path, wanted=Wanted(masks="weight maps/*"))
    assert {entry.file.split("/")[1] for entry in found.entries} == {"tissue images"}
    assert found.annotations is not None
    assert {file.split("/")[1] for file in found.annotations.files} == {"weight maps"}


def test_two_folders_that_pair_equally_are_asked_about(tmp_path: Path) -> None:
    nuclei(tmp_path)
    for file in sorted(tmp_path.glob("*/tissue images/*")):
        image(file.parents[1] / "stain" / file.name, len(file.name) + int(file.stem[-2:]))
    with pytest.raises(UsageError, match=r"'mouse fat/stain', 'mouse fat/tissue images'.*as DATA") as error:
        listing(tmp_path, wanted=Wanted(masks="mask binary/*"))
    one = tmp_path / "mouse fat"
    assert f"'{one / 'tissue images'}' --masks '{one / 'mask binary'}'" in str(error.value)
    chosen = scan(one / "tissue images", wanted=Wanted(masks=str(one / "mask binary")), names=True)
    read = masks_of(chosen)
    assert len(read) == N
    assert all(((pixels > 0) == (mask(int(file[-6:-4])) > 0)).all() for file, pixels in read.items())


def test_images_that_need_no_label_have_the_name_of_their_folder(tmp_path: Path) -> None:
    for n in range(N):
        image(tmp_path / "lungs" / "a" / f"x{n}_{'kl'[n % 2]}.png", n)
        image(tmp_path / "lungs" / "b" / f"y{n}.png", n + N)
        write(tmp_path / "lungs" / "masks" / f"y{n}.png", mask(n))
    assert listing(tmp_path / "lungs", wanted=Wanted("segment")).understood.source == "lungs"


def test_texts_notebooks_and_caches_of_tools_are_no_images_without_a_mask(tmp_path: Path) -> None:
    """As Kaggle's chest X-rays have a ReadMe.docx beside them, and YOLO leaves `train.cache` among labels."""
    for n in range(N):
        image(tmp_path / "CXR" / f"{n}.png", n)
        write(tmp_path / "masks" / f"{n}.png", mask(n))
    for name in ("NLM-ReadMe.docx", "labels/train.cache", "look.ipynb", "Notes.RTF"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"PK")
    found = listing(tmp_path, wanted=Wanted("segment"))
    assert (len(found.entries), found.unlabelled, found.rejected) == (N, 0, ())
