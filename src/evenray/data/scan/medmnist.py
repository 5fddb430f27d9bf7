"""Archives laid out as MedMNIST's, and what its authors call the classes that they number."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from evenray.core.errors import DataError, ReadError
from evenray.core.messages import Message
from evenray.core.understood import Understood, UnderstoodRow
from evenray.data.tables.parts import PARTS
from evenray.data.tables.words import MISSING, check_labels, whole_numbers
from evenray.images.readers import fragments
from evenray.images.readers.npz import labels_of

from .entries import Entry, Listing

__all__ = ["list_archive"]

# The official files by the numbers of their training, validation and test images (medmnist.com, INFO): what their authors
# call the classes that they number. A file of other numbers is another file, whatever its name.
MEDMNIST: dict[tuple[int, ...], tuple[str, ...]] = {
    (4708, 524, 624): ("normal", "pneumonia"),
    (546, 78, 156): ("malignant", "normal, benign"),
    (97477, 10832, 1000): ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    (7007, 1003, 2005): (
        "actinic keratoses and intraepithelial carcinoma", "basal cell carcinoma", "benign keratosis-like lesions",
        "dermatofibroma", "melanoma", "melanocytic nevi", "vascular lesions",
    ),
    (11959, 1712, 3421): (
        "basophil", "eosinophil", "erythroblast", "immature granulocytes", "lymphocyte", "monocyte", "neutrophil", "platelet",
    ),
    (89996, 10004, 7180): (
        "adipose", "background", "debris", "lymphocytes", "mucus", "smooth muscle", "normal colon mucosa",
        "cancer-associated stroma", "colorectal adenocarcinoma epithelium",
    ),
    (78468, 11219, 22433): (
        "atelectasis", "cardiomegaly", "effusion", "infiltration", "mass", "nodule", "pneumonia", "pneumothorax", "consolidation",
        "edema", "emphysema", "fibrosis", "pleural", "hernia",
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
    several, plain = _findings(labels), {part: [row[0] for row in rows] for part, rows in labels.items()}
    official = MEDMNIST.get(tuple(len(labels.get(part, ())) for part in ("train", "val", "test")), ())
    entries = []
    if several:
        width = len(next(row for rows in labels.values() for row in rows))
        names = official if len(official) == width else tuple(str(at) for at in range(width))
        for part, rows in labels.items():
            for number, row in enumerate(rows):
                entries.append(
                    Entry(path.name, f"{part}/{number}", part=PARTS[part], findings=tuple(YES[word] for word in row))
                )
        found = {
            name: sum(entry.findings is not None and entry.findings[at] is True for entry in entries)
            for at, name in enumerate(names)
        }
        notes = _notes(path, {}, images)
        understood = _understood(path, "findings", found, len(entries))
        return Listing(
            path.parent, tuple(entries), layout="MedMNIST archive", notes=notes, names=names, understood=understood
        )
    given = {label for of_part in plain.values() for label in of_part if label not in MISSING}
    whole = whole_numbers(given)
    check_labels({whole.get(label, label) for label in given}, path)
    classes = (
        {str(number): name for number, name in enumerate(official)}
        if given <= set(map(str, range(len(official))))
        else {}
    )
    for part, of_part in plain.items():
        for number, text in enumerate(of_part):
            if text not in MISSING:
                label = whole.get(text, text)
                entries.append(Entry(path.name, f"{part}/{number}", classes.get(label, label), part=PARTS[part]))
    notes = _notes(path, plain, images) if plain else ()
    unlabelled = len(set(images).difference(entry.fragment or "" for entry in entries))
    counts = Counter(entry.label for entry in entries if entry.label is not None)
    if not entries:  # an audit does without
        parts = [name.partition("/") for name in images]
        entries = [Entry(path.name, f"{part}/{row}", part=PARTS.get(part)) for part, _, row in parts]
    understood = _understood(path, "label", dict(sorted(counts.items())), len(entries))
    return Listing(
        path.parent,
        tuple(entries),
        layout="MedMNIST archive",
        unlabelled=unlabelled,
        notes=notes,
        understood=understood,
    )


YES = {"0": False, "1": True, "0.0": False, "1.0": True, "False": False, "True": True}


def _findings(labels: dict[str, list[tuple[str, ...]]]) -> bool:
    """Whether each image has several labels, all of them yes or no."""
    return any(len(row) > 1 for rows in labels.values() for row in rows[:1])


def _understood(path: Path, meaning: str, counts: dict[str, int], entries: int) -> Understood:
    labelled = entries if counts else 0
    rows = (UnderstoodRow(place="*_labels", meaning=meaning, how="name", matched=labelled, of=entries, examples=tuple(counts)[:3]),
            UnderstoodRow(place="train, val, test", meaning="split", how="name", matched=entries, of=entries))  # fmt: skip
    return Understood(source=path.name, rows=rows if counts else rows[1:], counts=counts)


def _labels(path: Path) -> dict[str, list[tuple[str, ...]]]:
    """The labels of each part that has any, as text: one an image, or one a finding."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for part in ("train", "val", "test"):
        try:
            labels = labels_of(str(path), part)
        except ReadError as error:
            raise DataError(f"'{path}' cannot be read as a .npz archive: it {error.reason}.") from None
        if labels is None:
            continue
        rows = labels.reshape(len(labels), -1).tolist()
        found[part] = [tuple(str(label).strip() for label in row) for row in rows]
        if any(len(row) > 1 and not YES.keys() >= set(row) for row in found[part]):
            raise DataError(
                f"'{path}' gives each image {labels.shape[1]} labels that are not all 0 or 1; a column a finding holds 1 for"
                " yes and 0 for no."
            )
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
