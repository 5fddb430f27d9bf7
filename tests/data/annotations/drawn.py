"""Images with masks or boxes, drawn in the layouts and formats that people bring, with what is true of each image."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import nibabel
import numpy as np
from PIL import Image

__all__ = ["BOXES", "MASKS", "Truth", "boxes_of", "image", "mask_of"]

N, SHAPE = 6, (20, 30)


@dataclass
class Truth:
    """`classes` in order; `masks` (index 0 background, k + 1 class k) or `boxes` (class, corners) by the file of an image.
    `options` are those of `listing`'s Wanted."""

    classes: tuple[str, ...]
    masks: dict[str, np.ndarray] = field(default_factory=dict)
    boxes: dict[str, list[tuple[int, float, float, float, float]]] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    exact: bool = True
    frames: int = 1
    data: str = ""


MASKS: dict[str, Callable[[Path], Truth]] = {}
BOXES: dict[str, Callable[[Path], Truth]] = {}
Layout = Callable[[Path], Truth]


def masks(function: Layout) -> Layout:
    MASKS[function.__name__] = function
    return function


def boxes(function: Layout) -> Layout:
    BOXES[function.__name__] = function
    return function


def image(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    cv2.imwrite(str(path), cv2.resize(rng.integers(0, 256, (5, 6), np.uint8), SHAPE[::-1]))


def mask_of(number: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """Index 1 in an ellipse, 2 in a rectangle beside it; different for each number."""
    found = np.zeros(shape, np.uint8)
    cv2.ellipse(found, (8, 8), (4 + number % 3, 3 + number % 2), 0, 0, 360, 1, -1)
    found[12 : 16 + number % 3, 18 : 26 - number % 2] = 2
    return found


def boxes_of(number: int) -> list[tuple[int, float, float, float, float]]:
    return [(0, 2.0 + number, 3.0, 10.0 + number, 9.0), (1, 12.0, 4.0 + number, 20.0, 12.0 + number)][: 1 + number % 2]


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def binary(number: int) -> np.ndarray:
    return (mask_of(number) == 1).astype(np.uint8)


@masks
def beside(root: Path) -> Truth:
    for n in range(N):
        image(root / f"x{n}.jpg", n)
        write(root / f"x{n}_mask.png", binary(n) * 255)
    return Truth(("foreground",), {f"x{n}.jpg": binary(n) for n in range(N)})


@masks
def twin_folders(root: Path) -> Truth:
    for n in range(N):
        image(root / "train" / "images" / f"{n}.png", n)
        write(root / "train" / "masks" / f"{n}.png", binary(n).astype(bool))
    return Truth(("foreground",), {f"train/images/{n}.png": binary(n) for n in range(N)})


@masks
def several_an_image(root: Path) -> Truth:
    """As BUSI comes: one file a lesion, empty files for normal images, in folders of classes."""
    found = {}
    for n in range(N):
        name = f"benign ({n})" if n else "normal (0)"
        folder = root / ("benign" if n else "normal")
        image(folder / f"{name}.png", n)
        parts = [mask_of(n) == 1, mask_of(n) == 2] if n else [mask_of(n) > 5]
        for k, part in enumerate(parts):
            write(folder / (f"{name}_mask.png" if not k else f"{name}_mask_{k}.png"), part.astype(np.uint8) * 255)
        found[f"{folder.name}/{name}.png"] = np.any(parts, axis=0).astype(np.uint8)
    return Truth(("foreground",), found, options={"task": "segment"})


@masks
def one_file_an_object(root: Path) -> Truth:
    found = {}
    for n in range(N):
        folder = root / "stage1_train" / f"a{n}b{n}"
        image(folder / "images" / f"a{n}b{n}.png", n)
        for k in (1, 2):
            write(folder / "masks" / f"{7 * n + k:08x}ff.png", (mask_of(n) == k).astype(np.uint8) * 255)
        found[f"stage1_train/a{n}b{n}/images/a{n}b{n}.png"] = (mask_of(n) > 0).astype(np.uint8)
    return Truth(("foreground",), found)


@masks
def palette(root: Path) -> Truth:
    """As Pascal VOC has it: numbers with a palette, a border of 255."""
    found = {}
    for n in range(N):
        image(root / "JPEGImages" / f"{n}.jpg", n)
        own = mask_of(n)
        own[0, :] = 255
        picture = Image.fromarray(own)
        picture.putpalette([value for k in range(256) for value in (k * 37 % 256, k * 91 % 256, k * 13 % 256)])
        (root / "SegmentationClass").mkdir(exist_ok=True)
        picture.save(root / "SegmentationClass" / f"{n}.png")
        found[f"JPEGImages/{n}.jpg"] = own
    return Truth(("1", "2"), found, options={"masks": "SegmentationClass"})


@masks
def grey_levels(root: Path) -> Truth:
    for n in range(N):
        image(root / "img" / f"{n}.png", n)
        write(root / "gt" / f"{n}.png", np.array([0, 128, 255], np.uint8)[mask_of(n)])
    return Truth(("128", "255"), {f"img/{n}.png": mask_of(n) for n in range(N)})


@masks
def colours(root: Path) -> Truth:
    for n in range(N):
        image(root / "images" / f"{n}.png", n)
        write(root / "masks" / f"{n}.png", np.array([[0, 0, 0], [255, 0, 0], [0, 128, 0]], np.uint8)[mask_of(n)])
    order = np.array([0, 2, 1], np.uint8)  # by the colour's number: 008000, ff0000
    return Truth(("#008000", "#ff0000"), {f"images/{n}.png": order[mask_of(n)] for n in range(N)})


@masks
def jpeg(root: Path) -> Truth:
    for n in range(N):
        image(root / "images" / f"{n}.png", n)
        write(root / "masks" / f"{n}.jpg", binary(n) * 255)
    return Truth(("foreground",), {f"images/{n}.png": binary(n) for n in range(N)}, exact=False)


@masks
def folders_of_classes(root: Path) -> Truth:
    """A folder of binary masks for each organ."""
    for n in range(N):
        image(root / "images" / f"{n}.png", n)
        for k, name in enumerate(("liver", "spleen")):
            write(root / "masks" / name / f"{n}.png", (mask_of(n) == k + 1).astype(np.uint8) * 255)
    return Truth(("liver", "spleen"), {f"images/{n}.png": mask_of(n) for n in range(N)})


@masks
def names_of_classes(root: Path) -> Truth:
    for n in range(N):
        image(root / f"c_{n}.png", n)
        for k, name in enumerate(("disc", "cup")):
            write(root / f"c_{n}_{name}_mask.png", (mask_of(n) == k + 1).astype(np.uint8) * 255)
    order = np.array([0, 2, 1], np.uint8)
    return Truth(("cup", "disc"), {f"c_{n}.png": order[mask_of(n)] for n in range(N)})


@masks
def readers(root: Path) -> Truth:
    """As CHASE comes: two readers beside each image."""
    for n in range(N):
        image(root / f"Image_{n}L.jpg", n)
        write(root / f"Image_{n}L_1stHO.png", binary(n).astype(bool))
        write(root / f"Image_{n}L_2ndHO.png", (mask_of(n) > 0).astype(bool))
    return Truth(("foreground",), {f"Image_{n}L.jpg": binary(n) for n in range(N)})


@masks
def field_of_view(root: Path) -> Truth:
    """As HRF comes: a folder of the reader's vessels and one of the field of view."""
    for n in range(N):
        image(root / "images" / f"{n:02}_h.jpg", n)
        write(root / "manual1" / f"{n:02}_h.tif", binary(n) * 255)
        write(root / "mask" / f"{n:02}_h_mask.tif", np.full(SHAPE, 255, np.uint8))
    return Truth(("foreground",), {f"images/{n:02}_h.jpg": binary(n) for n in range(N)})


@masks
def nifti(root: Path) -> Truth:
    """As nnU-Net has it: volumes with a channel in the image's name, oblique affine."""
    found = {}
    for n in range(2):
        volume = np.stack([mask_of(n + k).T for k in range(3)], axis=2)
        rng = np.random.default_rng(n)
        affine = np.diag([-0.5, -0.7, 2.0, 1.0])
        for folder, name, values in (
            ("imagesTr", f"c_{n}_0000", rng.integers(0, 900, volume.shape).astype(np.int16)), ("labelsTr", f"c_{n}", volume)
        ):  # fmt: skip
            (root / folder).mkdir(exist_ok=True)
            nibabel.save(nibabel.Nifti1Image(values, affine), root / folder / f"{name}.nii.gz")
        for k in range(3):
            found[f"imagesTr/c_{n}_0000.nii.gz#{k}"] = mask_of(n + k)
    (root / "dataset.json").write_text(
        json.dumps({"labels": {"background": 0, "liver": 1, "tumour": 2}, "file_ending": ".nii.gz"})
    )
    return Truth(("liver", "tumour"), found, frames=3)


@masks
def runs_by_row(root: Path) -> Truth:
    """As the gastrointestinal tracts of UW-Madison have it, with a column of classes."""
    lines, found = ["id,class,segmentation"], {}
    for n in range(N):
        image(root / "scans" / f"s{n}.png", n)
        for k, name in enumerate(("bowel", "stomach")):
            flat = np.flatnonzero(np.diff(np.concatenate([[0], (mask_of(n) == k + 1).ravel(), [0]])))
            text = " ".join(f"{a + 1} {b - a}" for a, b in zip(flat[::2], flat[1::2], strict=True))
            lines.append(f"s{n},{name},{text}")
        found[f"scans/s{n}.png"] = mask_of(n)
    (root / "train.csv").write_text("\n".join(lines))
    return Truth(("bowel", "stomach"), found, options={"masks": "train.csv"})


@masks
def runs(root: Path) -> Truth:
    """As Kaggle's tables have it; the last image has nothing."""
    lines, found = ["ImageId,EncodedPixels"], {}
    for n in range(N):
        image(root / "train" / f"r{n}.png", n)
        own = binary(n) if n < N - 1 else np.zeros(SHAPE, np.uint8)
        flat = np.flatnonzero(np.diff(np.concatenate([[0], own.T.ravel(), [0]])))
        text = " ".join(f"{a + 1} {b - a}" for a, b in zip(flat[::2], flat[1::2], strict=True))
        lines.append(f"r{n},{text}")
        found[f"train/r{n}.png"] = own
    (root / "train.csv").write_text("\n".join(lines))
    return Truth(("foreground",), found)


def _coco(root: Path, shapes: Callable[[np.ndarray], object]) -> Truth:
    whole: dict[str, list[object]] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": 3, "name": "a"}, {"id": 7, "name": "b"}],
    }
    for n in range(N):
        image(root / "images" / f"{n}.png", n)
        whole["images"].append({"id": 100 + n, "file_name": f"{n}.png", "height": SHAPE[0], "width": SHAPE[1]})
        for k in (1, 2):
            whole["annotations"].append({
                "id": 10 * n + k, "image_id": 100 + n, "category_id": (3, 7)[k - 1], "iscrowd": 0, "bbox": [1, 2, 3, 4],
                "segmentation": shapes(mask_of(n) == k),
            })  # fmt: skip
    (root / "instances.json").write_text(json.dumps(whole))
    return Truth(("a", "b"), {f"images/{n}.png": mask_of(n) for n in range(N)}, options={"task": "segment"})


@masks
def coco_runs(root: Path) -> Truth:
    def encoded(mask: np.ndarray) -> object:
        from pycocotools import mask as coco

        found = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
        return {"size": found["size"], "counts": found["counts"].decode()}

    return _coco(root, encoded)


@masks
def coco_outlines(root: Path) -> Truth:
    def outline(mask: np.ndarray) -> object:
        """The outer corners of the pixels at the border, so that the polygon covers the mask exactly."""
        large = np.kron(mask.astype(np.uint8), np.ones((8, 8), np.uint8))
        contours, _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        return [((contour.reshape(-1, 2) + 0.5) / 8).ravel().tolist() for contour in contours]

    return _coco(root, outline)


def _images(root: Path, folder: str = "images") -> list[str]:
    names = [f"{folder}/p{n}.png" for n in range(N)]
    for n, name in enumerate(names):
        image(root / name, n)
    return names


def _truth(names: list[str], classes: tuple[str, ...] = ("a", "b"), **more: object) -> Truth:
    return Truth(classes, boxes={name: boxes_of(n) for n, name in enumerate(names)}, **more)  # type: ignore[arg-type]


@boxes
def coco(root: Path) -> Truth:
    names = _images(root)
    categories = [{"id": 3, "name": "b"}, {"id": 1, "name": "a"}, {"id": 9, "name": "supercategory never used"}]
    whole: dict[str, list[object]] = {"images": [], "annotations": [], "categories": categories}
    for n in range(N):
        whole["images"].append({"id": n, "file_name": f"p{n}.png", "height": SHAPE[0], "width": SHAPE[1]})
        for kind, x0, y0, x1, y1 in boxes_of(n):
            box = [x0, y0, x1 - x0, y1 - y0]
            whole["annotations"].append({"image_id": n, "category_id": 1 + 2 * kind, "bbox": box, "iscrowd": 0})
    (root / "annotations").mkdir()
    (root / "annotations" / "train.json").write_text(json.dumps(whole))
    return _truth(names)


def _voc(root: Path, first: int) -> Truth:
    names = [f"{part}/Images/p{n}.png" for n, part in enumerate(("Training", "Testing") * (N // 2))]
    for n, name in enumerate(names):
        image(root / name, n)
        objects = "".join(
            f"<object><name>{'ab'[kind]}</name><difficult>0</difficult><bndbox><xmin>{x0 + first:g}</xmin><ymin>{y0 + first:g}</ymin>"
            f"<xmax>{x1:g}</xmax><ymax>{y1:g}</ymax></bndbox></object>"
            for kind, x0, y0, x1, y1 in boxes_of(n)
        )
        if not first:
            objects += "<object><name>a</name><bndbox><xmin>0</xmin><ymin>0</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></object>"
        xml = root / name.replace("Images", "Annotations").replace(".png", ".xml")
        xml.parent.mkdir(parents=True, exist_ok=True)
        xml.write_text(f"<annotation><size><width>30</width><height>20</height></size>{objects}</annotation>")
    truth = _truth(names)
    for own in truth.boxes.values():
        own += [] if first else [(0, 0.0, 0.0, 3.0, 3.0)]
    return truth


@boxes
def voc(root: Path) -> Truth:
    return _voc(root, 1)


@boxes
def voc_from_0(root: Path) -> Truth:
    return _voc(root, 0)


@boxes
def yolo(root: Path) -> Truth:
    """As Ultralytics has it: twin folders with parts, and names in a .yaml file."""
    names = [f"images/{part}/p{n}.png" for n, part in enumerate(("train", "val") * (N // 2))]
    (root / "data.yaml").write_text("train: images/train\nnames:\n  0: a\n  1: b\n")
    for n, name in enumerate(names):
        image(root / name, n)
        lines = [
            f"{k} {(x0 + x1) / 2 / 30:.9f} {(y0 + y1) / 2 / 20:.9f} {(x1 - x0) / 30:.9f} {(y1 - y0) / 20:.9f}"
            for k, x0, y0, x1, y1 in boxes_of(n)
        ]
        text = root / name.replace("images", "labels").replace(".png", ".txt")
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text("\n".join(lines))
    return _truth(names, exact=False)


@boxes
def yolo_beside(root: Path) -> Truth:
    names = _images(root, "all")
    (root / "classes.txt").write_text("a\nb\n")
    for n, name in enumerate(names):
        lines = [
            f"{k} {(x0 + x1) / 60} {(y0 + y1) / 40} {(x1 - x0) / 30} {(y1 - y0) / 20}"
            for k, x0, y0, x1, y1 in boxes_of(n)
        ]
        (root / name).with_suffix(".txt").write_text("\n".join(lines) if n else "")
    truth = _truth(names, exact=False)
    truth.boxes[names[0]] = []
    return truth


@boxes
def corners(root: Path) -> Truth:
    """As VinDr has it, with rows of images in which nothing is; the classes label no image, so the task is named."""
    names = _images(root)
    lines = ["image_id,class_name,x_min,y_min,x_max,y_max,width,height", "p0,No finding,,,,,30,20"]
    for n in range(1, N):
        lines += [f"p{n},{'ab'[k]},{x0},{y0},{x1},{y1},30,20" for k, x0, y0, x1, y1 in boxes_of(n)]
    (root / "train.csv").write_text("\n".join(lines))
    truth = _truth(names, options={"task": "detect"})
    truth.boxes[names[0]] = []
    return truth


@boxes
def sides(root: Path) -> Truth:
    """As RSNA has it: DATA is a folder, the table is named, and one class."""
    names = _images(root)
    lines = ["patientId,x,y,width,height,Target", "p0,,,,,0"]
    for n in range(1, N):
        lines += [f"p{n},{x0},{y0},{x1 - x0},{y1 - y0},1" for _, x0, y0, x1, y1 in boxes_of(n)]
    (root / "labels.csv").write_text("\n".join(lines))
    truth = _truth(names, ("object",), options={"boxes": "labels.csv"})
    truth.boxes = {name: [(0, *own[1:]) for own in each] for name, each in truth.boxes.items()} | {names[0]: []}  # type: ignore[misc]
    return truth


@boxes
def texts(root: Path) -> Truth:
    """As the wheat heads have it: the box as one text, beside the size of the image; the table is DATA."""
    names = _images(root)
    lines = ["image_id,width,height,bbox,source"]
    for n in range(N):
        lines += [f'p{n},30,20,"[{x0}, {y0}, {x1 - x0}, {y1 - y0}]",usask_1' for _, x0, y0, x1, y1 in boxes_of(n)]
    (root / "train.csv").write_text("\n".join(lines))
    truth = _truth(names, ("object",), data="train.csv")
    truth.boxes = {name: [(0, *own[1:]) for own in each] for name, each in truth.boxes.items()}  # type: ignore[misc]
    return truth


@boxes
def shares(root: Path) -> Truth:
    names = _images(root)
    lines = ["file;label;xmin;ymin;xmax;ymax"]
    for n, name in enumerate(names):
        lines += [f"{name};{'ab'[k]};{x0 / 30};{y0 / 20};{x1 / 30};{y1 / 20}" for k, x0, y0, x1, y1 in boxes_of(n)]
    (root / "boxes.csv").write_text("\n".join(lines))
    return _truth(names, options={"boxes": "boxes.csv"}, exact=False)
