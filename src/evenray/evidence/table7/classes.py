"""ImageNet's validation images as people keep them, with the true class of each.

    class folders   val/n01440764/ILSVRC2012_val_00000293.JPEG     torchvision's layout; classes in the order of their wnids
    flat, Caffe     val/ILSVRC2012_val_00000001.JPEG + val.txt     lines "ILSVRC2012_val_00000001.JPEG 65"
    flat, Kaggle    the same + LOC_val_solution.csv                the first word of PredictionString is the wnid
    flat, devkit    the same + ILSVRC2012_validation_ground_truth.txt and meta.mat, whose numbers are not in wnid order

The tables are looked for beside the images, one folder further up, and in `data` there. Where a list of wnids
(synsets.txt, synset_words.txt, LOC_synset_mapping.txt) lies there too, it gives the order of the classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.errors import DataError

__all__ = ["Listing", "listing"]

WNID = re.compile(r"n\d{8}")
IMAGES = (".jpeg", ".jpg", ".png")
SYNSETS = ("synsets.txt", "synset_words.txt", "LOC_synset_mapping.txt")
DEVKIT, META = "ILSVRC2012_validation_ground_truth.txt", "meta.mat"


@dataclass(frozen=True)
class Listing:
    """Files in the order of their names, the class index of each, and how many classes there are."""

    files: tuple[Path, ...]
    targets: NDArray[np.int64]
    classes: int


def listing(folder: Path) -> Listing:
    """What there is to evaluate; DataError says which table is missing, or which image it does not name."""
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}; give the one with ImageNet's validation images.")
    order = _order(folder)
    wnids = sorted(path.name for path in folder.iterdir() if path.is_dir() and WNID.fullmatch(path.name))
    if wnids:
        known: Sequence[object] = order or wnids
        index = {wnid: i for i, wnid in enumerate(known)}
        _all_known([w for w in wnids if w not in index], "class folders")
        pairs = [(path, index[wnid]) for wnid in wnids for path in _images(folder / wnid)]
    else:
        pairs, known = _flat(folder, order)
    if not pairs:
        raise DataError(
            f"{folder} holds no image and no class folder such as n01440764; give ImageNet's validation folder."
        )
    return Listing(tuple(path for path, _ in pairs), np.array([t for _, t in pairs], dtype=np.int64), len(known))


def _flat(folder: Path, order: Sequence[str]) -> tuple[list[tuple[Path, int]], Sequence[object]]:
    images = _images(folder)
    if not images:
        return [], order
    readers: tuple[tuple[str, Callable[[Path, Sequence[str]], tuple[dict[str, int], Sequence[object]]]], ...] = (
        ("val.txt", _caffe),
        ("LOC_val_solution.csv", _kaggle),
        (DEVKIT, _devkit),
    )
    for name, read in readers:
        table = _find(folder, name)
        if table is not None:
            truth, known = read(table, order)
            _all_known([path.stem for path in images if path.stem not in truth], f"images in {name}")
            return [(path, truth[path.stem]) for path in images], known
    raise DataError(
        f"{folder} has images but no table of their classes; put val.txt, LOC_val_solution.csv, or {DEVKIT} with {META}"
        " beside them."
    )


def _caffe(table: Path, order: Sequence[str]) -> tuple[dict[str, int], Sequence[object]]:
    pairs = [line.split() for line in table.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not all(len(pair) == 2 and pair[1].isdecimal() for pair in pairs):
        raise DataError(f"{table} has lines that are not 'FILE NUMBER', such as 'ILSVRC2012_val_00000001.JPEG 65'.")
    truth = {Path(name).stem: int(number) for name, number in pairs}
    return truth, order or range(max(truth.values()) + 1)


def _kaggle(table: Path, order: Sequence[str]) -> tuple[dict[str, int], Sequence[object]]:
    found = pl.read_csv(table)
    wnids = dict(zip(found["ImageId"], found["PredictionString"].str.split(" ").list.first(), strict=True))
    known = order or sorted(set(wnids.values()))
    index = {wnid: i for i, wnid in enumerate(known)}
    _all_known([wnid for wnid in set(wnids.values()) if wnid not in index], "classes")
    return {name: index[wnid] for name, wnid in wnids.items()}, known


def _devkit(table: Path, order: Sequence[str]) -> tuple[dict[str, int], Sequence[object]]:
    """The numbers of the development kit, which meta.mat translates to wnids."""
    from scipy.io import loadmat

    meta = _find(table.parent, META)
    if meta is None:
        raise DataError(
            f"{table.name} numbers the classes in an order of its own; put {META} of the development kit beside it."
        )
    synsets = np.atleast_1d(loadmat(meta, squeeze_me=True)["synsets"])
    wnid_of = {int(entry["ILSVRC2012_ID"]): str(entry["WNID"]) for entry in synsets if int(entry["num_children"]) == 0}
    known = order or sorted(wnid_of.values())
    index = {wnid: i for i, wnid in enumerate(known)}
    numbers = [int(line) for line in table.read_text(encoding="utf-8").split()]
    names = (f"ILSVRC2012_val_{i:08d}" for i in range(1, len(numbers) + 1))
    return {name: index[wnid_of[number]] for name, number in zip(names, numbers, strict=True)}, known


def _order(folder: Path) -> list[str]:
    for name in SYNSETS:
        path = _find(folder, name)
        if path is not None:
            return [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return []


def _find(folder: Path, name: str) -> Path | None:
    places = (folder, folder.parent, folder / "data", folder.parent / "data")
    return next((place / name for place in places if (place / name).is_file()), None)


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGES)


def _all_known(unknown: Sequence[str], what: str) -> None:
    if unknown:
        raise DataError(
            f"There is no class for {len(unknown)} of the {what}, the first is {unknown[0]}; mend the table."
        )
