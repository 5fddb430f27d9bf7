"""Archives laid out as MedMNIST's, and what its authors call the classes that they number."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from evenray.core.errors import DataError, ReadError
from evenray.core.messages import Message
from evenray.data.tables.parts import PARTS
from evenray.data.tables.words import MISSING, check_labels, whole_numbers
from evenray.images.readers import fragments
from evenray.images.readers.npz import labels_of

from .entries import Entry, Listing

__all__ = ["list_archive"]

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


def list_archive(path: Path) -> Listing:
    """A MedMNIST file: arrays train_images, train_labels, val_..., test_...; without labels, its images are unlabelled."""
    labels = _labels(path)
    try:
        images = fragments(path)
    except ReadError as error:
        expected = "" if "; expected " in error.reason else "; expected a file laid out as MedMNIST's"
        raise DataError(f"'{path}' {error.reason}{expected}.") from None
    given = {label for of_part in labels.values() for label in of_part if label not in MISSING}
    whole = whole_numbers(given)
    check_labels({whole.get(label, label) for label in given}, path)
    names = _medmnist_names(path.stem)
    entries = []
    for part, of_part in labels.items():
        for row, text in enumerate(of_part):
            if text not in MISSING:
                label = whole.get(text, text)
                entries.append(Entry(path.name, f"{part}/{row}", names.get(label, label), part=PARTS[part]))
    notes = _notes(path, labels, images) if labels else ()
    unlabelled = len(set(images).difference(entry.fragment or "" for entry in entries))
    if not entries:  # an audit does without
        found = [name.partition("/") for name in images]
        entries = [Entry(path.name, f"{part}/{row}", part=PARTS.get(part)) for part, _, row in found]
    return Listing(path.parent, tuple(entries), layout="MedMNIST archive", unlabelled=unlabelled, notes=notes)


def _labels(path: Path) -> dict[str, list[str]]:
    """The labels of each part that has any, as text."""
    found: dict[str, list[str]] = {}
    for part in ("train", "val", "test"):
        try:
            labels = labels_of(str(path), part)
        except ReadError as error:
            raise DataError(f"'{path}' cannot be read as a .npz archive: it {error.reason}.") from None
        if labels is None:
            continue
        if labels.ndim == 2 and labels.shape[1] > 1:
            raise DataError(f"'{path}' gives each image {labels.shape[1]} labels; a classifier here needs exactly one.")
        found[part] = [str(label).strip() for label in labels.reshape(-1).tolist()]
    return found


def _notes(path: Path, labels: dict[str, list[str]], names: list[str]) -> tuple[Message, ...]:
    """Where there are more images than labels, or fewer, and where labels are missing."""
    images = Counter(name.partition("/")[0] for name in names)
    notes = []
    for part in dict.fromkeys([*images, *labels]):
        of_part, name = labels.get(part, []), PARTS.get(part, part)
        if images[part] != len(of_part):
            values = {"file": path.name, "images": images[part], "part": name, "labels": len(of_part)}
            notes.append(Message("scan.archive_counts", values))
        if missing := sum(label in MISSING for label in of_part):
            notes.append(Message("scan.archive_missing", {"count": missing, "part": name, "file": path.name}))
    return tuple(notes)


def _medmnist_names(stem: str) -> dict[str, str]:
    """The class names that the MedMNIST authors give to the numbers in the file (medmnist.com, INFO)."""
    for known, names in MEDMNIST.items():
        if stem.lower().startswith(known):
            return {str(i): name for i, name in enumerate(names)}
    return {}
