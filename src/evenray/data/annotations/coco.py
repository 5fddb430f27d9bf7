"""COCO JSON: `images`, `annotations` and `categories` in one file; boxes, and masks as polygons or runs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from evenray.core.errors import DataError
from evenray.core.marks import UNKNOWN_PIXEL
from evenray.core.messages import Message

from .coco_classes import Coco, category_names, check_categories, class_of, classes_of, number_of
from .corners import are_corners, is_there
from .found import Annotated, Annotations, Box, MaskFile
from .ignoring import is_ignored
from .joining import Joined
from .pairing import near_first
from .runs import from_counts, from_runs, inside, outlines, to_runs, uncompressed
from .shapes import rectangle

__all__ = ["coco_shapes", "is_coco", "read_coco"]

START = 1 << 16  # letters in which a file names one of its lists
LISTS = re.compile(r'"(?:(?:annotations|images|categories)"\s*:\s*\[|annotations"\s*:\s*\{\s*"\d+"\s*:\s*\{)')
OF_ONE = re.compile(r'"(?:image|item)"\s*:\s*\{')  # as a file of one image has it


def is_coco(path: Path) -> bool:
    """Whether a JSON file is COCO's, by its beginning."""
    with path.open("rb") as file:
        head = file.read(START).decode("utf-8", "replace")
    lists = head.lstrip("\ufeff \t\r\n").startswith("{") and LISTS.search(head) is not None
    return lists and OF_ONE.search(head) is None


def coco_shapes(paths: Sequence[Path]) -> bool:
    """Whether the files have masks of their objects, and not only boxes."""
    return any(_is_shape(each) for path in paths for each in _loaded(path)["annotations"])


def _is_shape(annotation: dict[str, Any]) -> bool:
    shape = annotation.get("segmentation")
    if isinstance(shape, dict):
        return True
    return isinstance(shape, list) and any(isinstance(one, list) and len(one) > 8 for one in shape)


def read_coco(
    root: Path, paths: Sequence[Path], images: Sequence[str], task: Literal["segment", "detect"]
) -> Annotations:
    """The boxes or masks of some files together. Images of a file without annotation have nothing in them. An object without a box has
    that of its outline.

    Classes are those that `categories` names and annotations have, by their number in the first file that names them. Raises
    DataError where a file is no such JSON, or one number stands for two images.
    """
    loaded = {path: _loaded(path) for path in paths}
    for path, whole in loaded.items():
        _check_numbers(path, whole)
        check_categories(path, whole)
        if task == "detect":
            whole["annotations"] = [each for each in whole["annotations"] if not _is_nothing(each.get("bbox"))]
    classes = classes_of(loaded.values())
    joined = Joined()
    lost = 0
    told: list[Message] = []
    for path, whole in loaded.items():
        names = category_names(whole)
        by_image: dict[str, list[dict[str, Any]]] = {number_of(image["id"]): [] for image in whole["images"]}
        for each in whole["annotations"]:
            if (of_image := by_image.get(number_of(each["image_id"]))) is None:
                lost += 1
            else:
                of_image.append(each)
        files = near_first([str(each["file_name"]) for each in whole["images"]], images, path.parent, root)
        corners = _are_corners(whole)
        told += [Message("annotations.corners", {"file": path.name})] if corners and task == "detect" else []
        for number, image in enumerate(whole["images"]):
            file = files.get(str(image["file_name"]))
            if file is None:
                lost += 1
                continue
            size = (int(image["height"]), int(image["width"])) if image.get("height") and image.get("width") else None
            annotations = [
                (classes.index(class_of(each, names, str(path))), each) for each in by_image[number_of(image["id"])]
            ]
            own = _annotated(annotations, size, task, path, corners)
            joined.add(file, own, (path, number))
    boxed = sum(_is_box_alone(each) for whole in loaded.values() for each in whole["annotations"])
    told += [Message("annotations.boxes_unknown", {"count": boxed})] if boxed and task == "segment" else []
    notes = [*told, *([Message("annotations.files_absent", {"count": lost})] if lost else []), *joined.notes]
    return Annotations(task, "coco", joined.images, classes, notes=tuple(notes))


def _check_numbers(path: Path, whole: Coco) -> None:
    """DataError where images share a number: each would have the other's objects."""
    files: dict[str, str] = {}
    for image in whole["images"]:
        if (before := files.setdefault(number_of(image["id"]), image["file_name"])) != image["file_name"]:
            raise DataError(
                f"'{path}' has the id {image['id']!r} for '{before}' and for '{image['file_name']}'; expected one of its own for each"
                " image. Number the images and their annotations anew."
            )


def _is_nothing(box: Any) -> bool:
    """Whether all numbers of a box are NaN, which says that there is none."""
    return isinstance(box, list) and bool(box) and all(isinstance(value, float) and math.isnan(value) for value in box)


def _is_box_alone(annotation: dict[str, Any]) -> bool:
    """Whether an object has a box and no outline."""
    box = annotation.get("bbox")
    return bool(box) and not annotation.get("segmentation") and not _is_nothing(box)


def _loaded(path: Path) -> Coco:
    try:
        whole = json.loads(path.read_text(encoding="utf-8-sig"))
        if isinstance(whole, dict) and isinstance(whole.get("annotations"), dict):  # by their ids, as LIVECell has them
            whole["annotations"] = list(whole["annotations"].values())
        if (
            isinstance(whole, dict)
            and isinstance(whole.get("images"), list)
            and isinstance(whole.get("annotations"), list)
        ):
            numbered = [each["id"] for each in whole.get("categories") or []]  # without any, annotations need no number
            _ = (
                [(each["id"], each["file_name"] + "") for each in whole["images"]],
                [(each["image_id"], each["category_id"] if numbered else each) for each in whole["annotations"]],
            )
            found: Coco = whole  # type: ignore[assignment]
            return found
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"'{path}' is no COCO file: {type(error).__name__} {error}; expected images with id and file_name,"
            " annotations with image_id and category_id, and categories with id."
        ) from None
    raise DataError(f"'{path}' is no COCO file; expected an object with the lists images, annotations and categories.")


def _are_corners(whole: Coco) -> bool:
    """Whether the boxes of a file are two corners each, as MIDOG's are, and not a corner and sides."""
    sizes = {number_of(each["id"]): (each.get("height"), each.get("width")) for each in whole["images"]}
    boxes = [
        (each["bbox"], sizes[number_of(each["image_id"])])
        for each in whole["annotations"]
        if isinstance(each.get("bbox"), list)
        and len(each["bbox"]) == 4
        and all(sizes.get(number_of(each["image_id"]), (None,)))
    ]
    try:
        return are_corners([four for four, _ in boxes], boxes)
    except TypeError:
        return False


def _annotated(
    annotations: list[tuple[int, dict[str, Any]]],
    size: tuple[int, int] | None,
    task: str,
    path: Path,
    corners: bool,
) -> Annotated:
    boxes, masks = [], []
    for kind, each in annotations:
        try:
            if task == "detect":
                ignored = is_ignored(each.get("iscrowd"), each.get("ignore"))
                boxes.append(Box(kind, *_corners(each, corners), ignored))
            elif each.get("segmentation"):
                # The pixels of a crowd are those of its class: CVAT says `iscrowd` of all that is drawn with a brush.
                index = UNKNOWN_PIXEL if is_ignored(each.get("ignore")) else kind + 1
                masks.append(MaskFile(runs=_runs(each["segmentation"], size), index=index))
            elif _is_box_alone(each):
                x0, y0, x1, y1 = _corners(each, corners)
                masks.append(MaskFile(runs=outlines(rectangle(x0, y0, x1, y1)), index=UNKNOWN_PIXEL))
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise DataError(
                f"'{path}' has an annotation (id {each.get('id')!r}) that cannot be read: {type(error).__name__} {error}."
            ) from None
    return Annotated(tuple(masks), tuple(boxes), size)


def _corners(each: dict[str, Any], corners: bool) -> tuple[float, float, float, float]:
    """The corners of an object's box, else of what its outline or runs cover."""
    if not each.get("bbox") and (shape := each.get("segmentation")):
        if isinstance(shape, dict):
            rows, columns = np.nonzero(from_runs(_runs(shape, None), (int(shape["size"][0]), int(shape["size"][1]))))
            return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)
        points = np.concatenate([np.array(one, np.float64).reshape(-1, 2) for one in shape])
        (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    else:
        x0, y0, width, height = (float(value) for value in each["bbox"])
        x1, y1 = (width, height) if corners else (x0 + width, y0 + height)
    if not is_there((x0, y0, x1, y1)):
        raise ValueError("its box is not a number")
    return x0, y0, x1, y1


def _runs(shape: Any, size: tuple[int, int] | None) -> str:
    if isinstance(shape, dict):
        counts = shape["counts"]
        return from_counts(uncompressed(counts) if isinstance(counts, str) else counts)
    if size is None:
        raise ValueError("polygons need the image's height and width")
    mask = np.zeros(size, bool)
    for polygon in shape:
        mask |= inside([np.array(polygon, np.float64).reshape(-1, 2)], size)
    return to_runs(mask)
