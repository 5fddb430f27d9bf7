"""Archives laid out as MedMNIST's, and what its authors call the classes that they number."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from evenray.core.errors import DataError, ReadError
from evenray.readers import fragments

from .entries import Entry, Listing
from .labels import PARTS

__all__ = ["archive"]

MEDMNIST = {
    "pneumoniamnist": ("normal", "pneumonia"),
    "breastmnist": ("malignant", "normal, benign"),
    "octmnist": ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    "retinamnist": ("0", "1", "2", "3", "4"),
    "dermamnist": (
        "actinic keratoses and intraepithelial carcinoma", "basal cell carcinoma", "benign keratosis-like lesions",
        "dermatofibroma", "melanoma", "melanocytic nevi", "vascular lesions",
    ),
    "bloodmnist": (
        "basophil", "eosinophil", "erythroblast", "immature granulocytes", "lymphocyte", "monocyte", "neutrophil", "platelet",
    ),
    "pathmnist": (
        "adipose", "background", "debris", "lymphocytes", "mucus", "smooth muscle", "normal colon mucosa",
        "cancer-associated stroma", "colorectal adenocarcinoma epithelium",
    ),
}  # fmt: skip


def archive(path: Path) -> Listing:
    """A MedMNIST file: arrays train_images, train_labels, val_..., test_...; without labels, its images are unlabelled."""
    names = _medmnist_names(path.stem)
    entries: list[Entry] = []
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            for part in ("train", "val", "test"):
                if f"{part}_labels" in arrays:
                    labels = arrays[f"{part}_labels"]
                    if labels.ndim == 2 and labels.shape[1] > 1:
                        raise DataError(
                            f"'{path}' gives each image {labels.shape[1]} labels; a classifier here needs exactly one."
                        )
                    for row, label in enumerate(labels.reshape(-1).tolist()):
                        entries.append(
                            Entry(path.name, f"{part}/{row}", names.get(str(label), str(label)), part=PARTS[part])
                        )
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"'{path}' cannot be read as a .npz archive: {error}") from None
    bare = () if entries else _bare(path)
    return Listing(path.parent, tuple(entries) or bare, layout="MedMNIST archive", unlabelled=len(bare))


def _bare(path: Path) -> tuple[Entry, ...]:
    """The images of an archive without labels."""
    try:
        found = [name.partition("/") for name in fragments(path)]
    except ReadError as error:
        raise DataError(f"'{path}' {error.reason}; expected a file laid out as MedMNIST's.") from None
    return tuple(Entry(path.name, f"{part}/{row}", part=PARTS.get(part)) for part, _, row in found)


def _medmnist_names(stem: str) -> dict[str, str]:
    """The class names that the MedMNIST authors give to the numbers in the file (medmnist.com, INFO)."""
    for known, names in MEDMNIST.items():
        if stem.lower().startswith(known):
            return {str(i): name for i, name in enumerate(names)}
    return {}
