"""More public collections as they come, drawn as in drawn_layouts.py: each shows a habit that the first twenty do not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np

from .drawn_layouts import Layout, dicom, picture, pixels, table

__all__ = ["MORE"]

MORE: dict[str, Callable[[Path], Layout]] = {}


def layout(name: str) -> Callable[[Callable[[Path], Layout]], Callable[[Path], Layout]]:
    def kept(function: Callable[[Path], Layout]) -> Callable[[Path], Layout]:
        MORE[name] = function
        return function

    return kept


def mask(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = np.zeros((16, 16), np.uint8)
    drawn[seed % 5 + 2 : seed % 5 + 7, 3:9] = 255
    path.write_bytes(cv2.imencode(path.suffix, drawn)[1].tobytes())


def volume(path: Path, seed: int, *, labels: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    slices = np.stack([pixels(seed * 10 + z).astype(np.int16) for z in range(3)], -1)
    if labels:
        slices[:] = 0
        slices[4:8, 5:9, 1] = 1
    nib.save(nib.Nifti1Image(slices, np.eye(4)), path)


@layout("EyePACS")  # two eyes a person, told by the names alone
def eyepacs(root: Path) -> Layout:
    rows = []
    for person in range(10, 30):
        for at, side in enumerate(("left", "right")):
            picture(root / f"train/{person}_{side}.jpeg", person * 2 + at)
            rows.append(f"{person}_{side},{(person + at) % 5}")
    table(root / "trainLabels.csv", "image,level", rows)
    return Layout("train", dict.fromkeys("01234", 8), 20, table="trainLabels.csv", images=40)


@layout("Knee osteoarthritis")  # a side without a sign before it
def knee(root: Path) -> Layout:
    for at, part in enumerate(("train", "val", "test")):
        for number in range(5):
            for side in "LR":
                name = f"{9003175 + number * 101 + at * 10000}{side}"
                picture(root / f"kneeKL224/{part}/{number}/{name}.png", at * 100 + number * 2 + (side == "L"))
    return Layout("kneeKL224", dict.fromkeys("01234", 6), 15, parts=3, images=30)


@layout("OASIS slices")  # slices of a person, numbered on from 100
def oasis(root: Path) -> Layout:
    for at, kind in enumerate(("Mild Dementia", "Non Demented")):
        for person in range(4):
            for number in (100, 101, 102):
                name = f"OAS1_{at * 40 + person:04d}_MR1_mpr-1_{number}"
                picture(root / f"Data/{kind}/{name}.jpg", at * 1000 + person * 10 + number)
    return Layout("Data", {"Mild Dementia": 12, "Non Demented": 12}, 8, images=24)


@layout("VinDr-Mammo")  # sizes are no boxes; four images a study, and no patient
def vindr_mammo(root: Path) -> Layout:
    rows = []
    for number in range(24):
        study, name, side, view = (
            number // 4,
            f"{number * 7919 + 3:032x}",
            "LLRR"[number % 4],
            ["CC", "MLO"][number % 2],
        )
        picture(root / f"images/{study:032x}/{name}.png", number)
        part = "training" if study < 4 else "test"
        rows.append(
            f"{study:032x},{number // 2:032x},{side},{view},{name},3518,2800,BI-RADS {1 + study % 3},DENSITY C,{part}"
        )
    header = "study_id,series_id,laterality,view_position,image_id,height,width,breast_birads,breast_density,split"
    table(root / "breast-level_annotations.csv", header, rows)
    labels = {f"BI-RADS {grade}": 8 for grade in (1, 2, 3)}
    return Layout("images", labels, 6, table="breast-level_annotations.csv", parts=2, images=24)


@layout("CheXpert, both parts")  # a table a part
def chexpert_parts(root: Path) -> Layout:
    labels = Counter[str]()
    for part, first in (("train", 1), ("valid", 64541)):
        rows = []
        for number in range(8):
            file = f"CheXpert-v1.0-small/{part}/patient{first + number:05d}/study1/view1_frontal.jpg"
            picture(root / file, first + number)
            edema, fracture = (
                ["1.0", "0.0", "-1.0", ""][number % 4] if part == "train" else "0.0",
                str(float(number % 2)),
            )
            labels.update(name for name, v in (("Edema", edema), ("Fracture", fracture)) if v == "1.0")
            rows.append(f"{file},Male,{40 + number},Frontal,AP,{edema},{fracture}")
        table(root / f"CheXpert-v1.0-small/{part}.csv", "Path,Sex,Age,Frontal/Lateral,AP/PA,Edema,Fracture", rows)
    return Layout("CheXpert-v1.0-small", dict(labels), 16, task="tag", parts=2, images=16)


@layout("RSNA haemorrhage")  # a row an image and finding
def haemorrhage(root: Path) -> Layout:
    rows, labels = [], Counter[str]()
    for number in range(12):
        name = f"ID_{number * 7919 + 77:09x}"
        dicom(root / f"stage_2_train/{name}.dcm", number, "CT", PatientID=f"ID_{number // 2:08x}")
        flags = {"epidural": number % 4 == 1, "subdural": number % 3 == 0}
        for kind, there in {**flags, "any": any(flags.values())}.items():
            labels[kind] += there
            rows.append(f"{name}_{kind},{int(there)}")
    table(root / "stage_2_train.csv", "ID,Label", rows)
    return Layout("stage_2_train", dict(labels), 6, table="stage_2_train.csv", task="tag", images=12)


@layout("KiTS19")  # one file a case is called segmentation, and JSON is the table
def kits(root: Path) -> Layout:
    cases = []
    for number in range(6):
        volume(root / f"data/case_{number:05d}/imaging.nii.gz", number)
        volume(root / f"data/case_{number:05d}/segmentation.nii.gz", number, labels=True)
        case = {"case_id": f"case_{number:05d}", "gender": "male", "comorbidities": {"diabetes": False}}
        cases.append({**case, "body_mass_index": 27.31 + number, "malignant": number % 3 != 0})
    (root / "data/kits.json").write_text(json.dumps(cases))
    return Layout("data", {"True": 4, "False": 2}, 6, table="data/kits.json", images=6)


@layout("BUS-BRA")  # masks called after images in another way; boxes in one column
def bus_bra(root: Path) -> Layout:
    rows = []
    for number in range(18):
        name, kind = f"{number // 2 + 1:04d}-{'lr'[number % 2]}", ["benign", "benign", "malignant"][number // 2 % 3]
        picture(root / f"BUSBRA/Images/bus_{name}.png", number)
        mask(root / f"BUSBRA/Masks/mask_{name}.png", number)
        rows.append(f'bus_{name},{number // 2 + 1},Fibroadenoma,{kind},{2 + number % 4},349,375,left,"[3,4,6,9]"')
    table(root / "BUSBRA/bus_data.csv", "ID,Case,Histology,Pathology,BIRADS,Width,Height,Side,BBOX", rows)
    return Layout("BUSBRA", {"benign": 12, "malignant": 6}, 9, images=18)


@layout("Shenzhen")  # the class is the last number of the name
def shenzhen(root: Path) -> Layout:
    for number in range(14):
        picture(root / f"ChinaSet_AllFiles/CXR_png/CHNCXR_{number + 1:04d}_{int(number >= 9)}.png", number)
    return Layout("ChinaSet_AllFiles", {"0": 9, "1": 5}, None, options="label=name-1", images=14)


@layout("JSRT")  # the class is the letters of the name
def jsrt(root: Path) -> Layout:
    for kind, count in (("JPCLN", 9), ("JPCNN", 5)):
        for number in range(count):
            picture(root / f"{kind}{number + 1:03d}.png", number + count * 10)
    return Layout(".", {"JPCLN": 9, "JPCNN": 5}, None, options="label=name-1", images=14)


@layout("MosMed")  # folders of grades that count up
def mosmed(root: Path) -> Layout:
    for grade, count in enumerate((2, 3, 2)):
        for number in range(count):
            volume(
                root / f"COVID19_1110/studies/CT-{grade}/study_{grade * 10 + number:04d}.nii.gz", grade * 10 + number
            )
    return Layout("COVID19_1110", {"CT-0": 2, "CT-1": 3, "CT-2": 2}, None, options="label=folder1", images=7)


@layout("DDI")  # a disease, and whether it is malignant
def ddi(root: Path) -> Layout:
    rows = []
    for number in range(24):
        picture(root / f"{number + 1:06d}.png", number)
        kind = "melanoma" if number % 4 == 0 else ["nevus", "wart", "acne"][number % 3]
        rows.append(
            f"{number},{number + 1},{number + 1:06d}.png,{[12, 34, 56][number % 3]},{kind == 'melanoma'},{kind}"
        )
    table(root / "ddi_metadata.csv", ",DDI_ID,DDI_file,skin_tone,malignant,disease", rows)
    return Layout(".", {"False": 18, "True": 6}, None, options="label=malignant", images=24)
