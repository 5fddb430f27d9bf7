"""Twenty public collections as they come, drawn: their folders, their tables with the original headers, a few dozen images each.

    python tests/data/drawn_layouts.py FOLDER

draws them all. Nothing is taken from the collections but how files and columns are called.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

__all__ = ["LAYOUTS", "Layout"]


@dataclass
class Layout:
    """What to give to evenray, and what is true: `labels` counts images a class or finding, `patients` is how many there are (None:
    nobody can know), `options` what the refusal must propose, "" where no option is needed."""

    data: str
    labels: dict[str, int]
    patients: int | None
    table: str = ""
    task: str = "classify"
    options: str = ""
    parts: int = 0
    masks: int = 0
    images: int = field(default=0)


LAYOUTS: dict[str, Callable[[Path], Layout]] = {}


def layout(name: str) -> Callable[[Callable[[Path], Layout]], Callable[[Path], Layout]]:
    def kept(function: Callable[[Path], Layout]) -> Callable[[Path], Layout]:
        LAYOUTS[name] = function
        return function

    return kept


def pixels(seed: int, top: int = 255) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.clip(cv2.resize(rng.random((4, 4)), (16, 16), interpolation=cv2.INTER_CUBIC) * top, 0, top)


def picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ok, data = cv2.imencode(path.suffix, pixels(seed).astype(np.uint8))
    assert ok
    path.write_bytes(data.tobytes())


def dicom(path: Path, seed: int, modality: str, **tags: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = tags.pop("SOPClassUID", "1.2.840.10008.5.1.4.1.1.1.2")
    meta.MediaStorageSOPInstanceUID = tags.pop("SOPInstanceUID", generate_uid(entropy_srcs=[str(path)]))
    file = FileDataset("", {}, b"\0" * 128, meta)
    file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    file.Rows, file.Columns, file.SamplesPerPixel, file.PhotometricInterpretation = 16, 16, 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 12, 11, 0
    file.Modality, file.PixelData = modality, pixels(seed, 4000).astype(np.uint16).tobytes()
    for keyword, value in tags.items():
        setattr(file, keyword, value)
    pydicom.dcmwrite(path, file, enforce_file_format=True)


def table(path: Path, header: str, rows: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


@layout("NIH ChestX-ray14")
def nih(root: Path) -> Layout:
    rows, labels = [], Counter[str]()
    for patient in range(1, 13):
        for follow in range(3):
            name = f"{patient:08d}_{follow:03d}.png"
            picture(root / f"images_{1 + patient % 3:03d}/images/{name}", patient * 10 + follow)
            found = ["No Finding", "Effusion", "Effusion|Mass", "Infiltration|Effusion"][(patient + follow) % 4]
            labels.update(found.split("|") if found != "No Finding" else [])
            rows.append(
                f"{name},{found},{follow},{patient},{40 + patient},{'MF'[patient % 2]},{['PA', 'AP'][follow % 2]},2682,2749,0.143,0.143,"  # noqa: E501
            )
    table(
        root / "Data_Entry_2017.csv",
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,OriginalImage[Width,Height],"
        "OriginalImagePixelSpacing[x,y],",
        rows,
    )
    for name, patients in (("train_val_list", range(1, 10)), ("test_list", range(10, 13))):
        listed = (f"{patient:08d}_{follow:03d}.png\n" for patient in patients for follow in range(3))
        (root / f"{name}.txt").write_text("".join(listed))
    return Layout(".", dict(labels), 12, task="tag", images=36, parts=2)


CHEXPERT = ("No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,"
            "Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices")  # fmt: skip


def chexpert_rows(prefix: Callable[[int, int], str]) -> tuple[list[str], Counter[str]]:
    names, rows, labels = CHEXPERT.split(","), [], Counter[str]()
    for patient in range(1, 13):
        for study in (1, 2):
            values = [["", "1.0", "0.0", "-1.0", ""][(patient * 3 + study + at * 2) % 5] for at in range(len(names))]
            values[0] = "" if "1.0" in values[1:] else "1.0"
            labels.update(name for name, value in zip(names[1:], values[1:], strict=True) if value == "1.0")
            rows.append(f"{prefix(patient, study)},{','.join(values)}")
    return rows, labels


@layout("CheXpert")
def chexpert(root: Path) -> Layout:
    def row(patient: int, study: int) -> str:
        file = f"train/patient{patient:05d}/study{study}/view1_frontal.jpg"
        picture(root / f"CheXpert-v1.0-small/{file}", patient * 10 + study)
        return f"CheXpert-v1.0-small/{file},{['Male', 'Female'][patient % 2]},{40 + patient},Frontal,AP"

    rows, labels = chexpert_rows(row)
    table(root / "CheXpert-v1.0-small/train.csv", f"Path,Sex,Age,Frontal/Lateral,AP/PA,{CHEXPERT}", rows)
    return Layout("CheXpert-v1.0-small", dict(labels), 12, task="tag", parts=1, images=24)


@layout("MIMIC-CXR-JPG")
def mimic(root: Path) -> Layout:
    def row(patient: int, study: int) -> str:
        subject, number = 10000000 + patient * 31, 50000000 + patient * 100 + study
        picture(root / f"files/p10/p{subject}/s{number}/{patient:08x}-{study:04x}.jpg", patient * 10 + study)
        return f"{subject},{number}"

    rows, labels = chexpert_rows(row)
    table(root / "mimic-cxr-2.0.0-chexpert.csv", f"subject_id,study_id,{CHEXPERT}", rows)
    return Layout("files", dict(labels), 12, table="mimic-cxr-2.0.0-chexpert.csv", task="tag", images=24)


@layout("RSNA pneumonia")
def rsna(root: Path) -> Layout:
    rows = []
    for number in range(30):
        name = f"{number * 7919 + 4660:08x}-1111-4444-8888-{number:012x}"
        dicom(
            root / f"stage_2_train_images/{name}.dcm",
            number,
            "CR",
            PatientID=name,
            SOPClassUID="1.2.840.10008.5.1.4.1.1.7",
        )
        rows += (
            [f"{name},{100 + number}.0,200.0,50.0,{60 + k}.0,1" for k in (0, 1)]
            if number % 3 == 0
            else [f"{name},,,,,0"]
        )
    table(root / "stage_2_train_labels.csv", "patientId,x,y,width,height,Target", rows)
    return Layout("stage_2_train_images", {"0": 20, "1": 10}, 30, table="stage_2_train_labels.csv", images=30)


@layout("VinDr-CXR")
def vindr(root: Path) -> Layout:
    rows, labels = [], Counter[str]()
    for number in range(24):
        name = f"{number * 104729 + 57005:032x}"
        picture(root / f"train/{name}.png", number)
        found = [[], ["Cardiomegaly"], ["Aortic enlargement", "Cardiomegaly"]][number % 3]
        labels.update(found)
        for reader in ("R8", "R9", "R10"):
            said = found if reader != "R9" else []
            rows += [f"{name},{label},{3 if label[0] == 'C' else 0},{reader},10,20,30,40" for label in said] or [
                f"{name},No finding,14,{reader},,,,"
            ]
    table(root / "train.csv", "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max", rows)
    return Layout(".", dict(labels), None, task="tag", parts=1, images=24)


@layout("SIIM-ISIC melanoma")
def siim(root: Path) -> Layout:
    rows = []
    for number in range(36):
        bad = number % 6 == 0
        picture(root / f"jpeg/train/ISIC_{15719 + number:07d}.jpg", number)
        kind = "melanoma" if bad else ["nevus", "unknown"][number % 2]
        rows.append(
            f"ISIC_{15719 + number:07d},IP_{number // 3:07d},male,45.0,torso,{kind},{'malignant' if bad else 'benign'},{int(bad)}"
        )
    header = "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target"
    table(root / "train.csv", header, rows)
    return Layout(
        "jpeg/train", {"benign": 30, "malignant": 6}, 12, table="train.csv", options="label=benign_malignant", images=36
    )


@layout("HAM10000")
def ham(root: Path) -> Layout:
    rows = []
    for number in range(36):
        picture(root / f"HAM10000_images_part_{1 + number % 2}/ISIC_{24306 + number:07d}.jpg", number)
        kind = ["nv", "mel", "bkl"][number // 2 % 3]
        rows.append(f"HAM_{number // 2:07d},ISIC_{24306 + number:07d},{kind},histo,{45 + number % 4}.0,male,back")
    table(root / "HAM10000_metadata.csv", "lesion_id,image_id,dx,dx_type,age,sex,localization", rows)
    return Layout(".", {"nv": 12, "mel": 12, "bkl": 12}, 18, images=36)


@layout("ISIC 2019 (one-hot)")
def isic(root: Path) -> Layout:
    names, rows = ["MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK"], []
    for number in range(36):
        picture(root / f"ISIC_2019_Training_Input/ISIC_{number:07d}.jpg", number)
        rows.append(f"ISIC_{number:07d}," + ",".join(str(float(at == number % 4)) for at in range(len(names))))
    table(root / "ISIC_2019_Training_GroundTruth.csv", "image," + ",".join(names), rows)
    return Layout(".", {"MEL": 9, "NV": 9, "BCC": 9, "AK": 9}, None, images=36)


@layout("APTOS 2019")
def aptos(root: Path) -> Layout:
    rows = []
    for number in range(30):
        picture(root / f"train_images/{number * 15485863 + 43981:012x}.png", number)
        rows.append(f"{number * 15485863 + 43981:012x},{number % 5}")
    table(root / "train.csv", "id_code,diagnosis", rows)
    return Layout(".", {str(grade): 6 for grade in range(5)}, None, images=30)


@layout("CBIS-DDSM")
def cbis(root: Path) -> Layout:
    rows, root_uid = [], "1.3.6.1.4.1.9590.100.1.2"
    for number in range(24):
        patient, view = f"P_{number // 2:05d}", ["CC", "MLO"][number % 2]
        case = f"Mass-Training_{patient}_LEFT_{view}"
        study, series = f"{root_uid}.{1000 + number}", f"{root_uid}.{2000 + number}"
        dicom(root / f"CBIS-DDSM/{case}/07-20-2016-DDSM-NA-{number:05d}/1.000000-full mammogram images-{number:05d}/1-1.dcm", number, "MG",  # noqa: E501
              PatientID=case, StudyInstanceUID=study, SeriesInstanceUID=series)  # fmt: skip
        kind = ["MALIGNANT", "BENIGN", "BENIGN_WITHOUT_CALLBACK"][number // 2 % 3]
        rows.append(
            f'{patient},{1 + number % 4},LEFT,{view},1,mass,OVAL,SPICULATED,4,{kind},4,{case}/{study}/{series}/000000.dcm,{case}_1/x/y/000001.dcm,"{case}_1/x/y/000000.dcm"'  # noqa: E501
        )
    header = ("patient_id,breast_density,left or right breast,image view,abnormality id,abnormality type,mass shape,mass margins,"
              "assessment,pathology,subtlety,image file path,cropped image file path,ROI mask file path")  # fmt: skip
    table(root / "mass_case_description_train_set.csv", header, rows)
    labels = {"MALIGNANT": 8, "BENIGN": 8, "BENIGN_WITHOUT_CALLBACK": 8}
    return Layout("CBIS-DDSM", labels, 12, table="mass_case_description_train_set.csv", images=24)


@layout("INbreast")
def inbreast(root: Path) -> Layout:
    rows = []
    for number in range(24):
        name, code = 20586908 + number * 26, f"{number // 4 * 977 + 61453:016x}"
        side, view = "LR"[number % 2], ["CC", "ML"][number // 2 % 2]
        dicom(root / f"ALL-IMGS/{name}_{code}_MG_{side}_{view}_ANON.dcm", number, "MG", PatientID=code)
        rows.append(
            f"removed;removed;{side};{view};201001;{name};{1 + number % 4};{'X' if number % 3 else ''};;;;{[1, 2, 5][number % 3]};;;"
        )
    header = ("Patient ID;Patient age;Laterality;View;Acquisition date;File Name;ACR;Mass ;Micros;Distortion;Asymmetry;Bi-Rads;"
              "Pectoral Muscle Annotation;Other Annotations;Lesion Annotation Status")  # fmt: skip
    table(root / "INbreast.csv", header, rows)
    return Layout("ALL-IMGS", {"1": 8, "2": 8, "5": 8}, 6, table="INbreast.csv", images=24)


@layout("CMMD")
def cmmd(root: Path) -> Layout:
    rows = []
    for number in range(12):
        patient, side = f"D1-{number + 1:04d}", "LR"[number % 2]
        for breast in "LR":
            for view in (1, 2):
                dicom(root / f"CMMD/{patient}/07-18-2010-NA-NA-79377/1.000000-NA-70244/1-{view + 2 * (breast == 'R')}.dcm", number * 10 + view, "MG",  # noqa: E501
                      PatientID=patient, ImageLaterality=breast)  # fmt: skip
        rows.append(
            f"{patient},{side},{44 + number},{number % 2 + 1},calcification,{['Benign', 'Malignant'][number % 3 == 0]},"
        )
    table(root / "CMMD_clinicaldata_revision.csv", "ID1,LeftRight,Age,number,abnormality,classification,subtype", rows)
    return Layout("CMMD", {"Benign": 16, "Malignant": 8}, 12, table="CMMD_clinicaldata_revision.csv", images=24)


@layout("MURA")
def mura(root: Path) -> Layout:
    for part, first in (("train", 1), ("valid", 41)):
        for patient in range(first, first + 6):
            for bone in ("XR_ELBOW", "XR_WRIST"):
                kind = "positive" if patient % 2 else "negative"
                picture(
                    root / f"MURA-v1.1/{part}/{bone}/patient{patient:05d}/study1_{kind}/image1.png",
                    patient + len(bone) * 100,
                )
    (root / "MURA-v1.1/train_image_paths.csv").write_text(
        "MURA-v1.1/train/XR_ELBOW/patient00001/study1_positive/image1.png\n"
    )
    return Layout("MURA-v1.1", {"negative": 12, "positive": 12}, 12, parts=2, images=24)


@layout("BreaKHis")
def breakhis(root: Path) -> Layout:
    seed = 0
    for kind, types in (
        ("benign", ("adenosis", "fibroadenoma")),
        ("malignant", ("ductal_carcinoma", "lobular_carcinoma")),
    ):
        for subtype in types:
            for slide in range(3):
                name = f"SOB_{kind[0].upper()}_{subtype[0].upper()}_14-{22549 + slide * 7 + len(subtype)}AB"
                for zoom in ("40X", "100X"):
                    seed += 1
                    picture(
                        root
                        / f"BreaKHis_v1/histology_slides/breast/{kind}/SOB/{subtype}/{name}/{zoom}/{name}-{zoom[:-1]}-001.png",
                        seed,
                    )
    return Layout("BreaKHis_v1", {"benign": 12, "malignant": 12}, 12, images=24)


@layout("OCT2017")
def oct2017(root: Path) -> Layout:
    seed = 0
    for part in ("train", "test", "val"):
        for kind in ("CNV", "DME", "DRUSEN", "NORMAL"):
            for number in range(3):
                seed += 1
                picture(root / f"OCT2017 /{part}/{kind}/{kind}-{1000000 + (seed + 2) // 3}-{number + 1}.jpeg", seed)
    return Layout("OCT2017 ", dict.fromkeys(("CNV", "DME", "DRUSEN", "NORMAL"), 9), 12, parts=3, images=36)


@layout("C-NMC 2019")
def cnmc(root: Path) -> Layout:
    seed = 0
    for fold in range(3):
        for kind, count in (("all", 6), ("hem", 4)):
            for number in range(count):
                seed += 1
                name = (
                    f"UID_{fold * 10 + number}_1_1_all.bmp"
                    if kind == "all"
                    else f"UID_H{fold * 10 + number}_1_1_hem.bmp"
                )
                picture(root / f"C-NMC_training_data/fold_{fold}/{kind}/{name}", seed)
    return Layout("C-NMC_training_data", {"all": 18, "hem": 12}, None, images=30)


@layout("IDC")
def idc(root: Path) -> Layout:
    seed = 0
    for patient in (8863, 9173, 10253, 12748, 13402, 16896):
        for kind, count in ((0, 4), (1, 2)):
            for number in range(count):
                seed += 1
                picture(
                    root
                    / f"IDC_regular_ps50_idx5/{patient}/{kind}/{patient}_idx5_x{number * 50}_y{seed}_class{kind}.png",
                    seed,
                )
    return Layout("IDC_regular_ps50_idx5", {"0": 24, "1": 12}, 6, images=36)


@layout("derm7pt")
def derm7pt(root: Path) -> Layout:
    rows = []
    for number in range(24):
        for at, kind in enumerate(("derm", "clinic")):
            picture(root / f"images/NEL/NEL{number:03d}{kind[0]}.jpg", number * 2 + at)
        rows.append(
            f"{number + 1},{['melanoma', 'clark nevus', 'blue nevus'][number % 3]},{number % 5},absent,NEL/NEL{number:03d}c.jpg,NEL/NEL{number:03d}d.jpg,female,back,excision,"  # noqa: E501
        )
    table(
        root / "meta/meta.csv",
        "case_num,diagnosis,seven_point_score,pigment_network,clinic,derm,sex,location,management,notes",
        rows,
    )
    labels = {"melanoma": 8, "clark nevus": 8, "blue nevus": 8}
    return Layout("images", labels, 24, table="meta/meta.csv", options="path=derm", images=24)


@layout("PadChest")
def padchest(root: Path) -> Layout:
    rows, labels = [], Counter[str]()
    for number in range(24):
        name = f"{216840111366964012819207061112010307142602253 + number}_04-{number:03d}-{number % 7:03d}.png"
        picture(root / f"{number % 3}/{name}", number)
        found = [["normal"], ["cardiomegaly"], ["cardiomegaly", "pleural effusion"]][number % 3]
        labels.update(label for label in found if label != "normal")
        rows.append(
            f'{number},{name},{number % 3},{20140915 + number},{839860488694292331637988235681460987 + number},{63829130016370042 + number // 2},1938.0,F,PA,Manual review of DICOM fields,PA,CR,Physician,"{found}"'  # noqa: E501
        )
    header = (",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,ViewPosition_DICOM,MethodProjection,"
              "Projection,Modality_DICOM,MethodLabel,Labels")  # fmt: skip
    table(root / "PADCHEST_chest_x_ray_images_labels_160K.csv", header, rows)
    return Layout(".", dict(labels), 12, task="tag", images=24)


@layout("MedMNIST")
def medmnist(root: Path) -> Layout:
    rng, arrays = np.random.default_rng(0), {}
    for part, count in (("train", 20), ("val", 6), ("test", 10)):
        arrays[f"{part}_images"] = rng.integers(0, 255, (count, 28, 28), np.uint8)
        arrays[f"{part}_labels"] = np.arange(count, dtype=np.uint8)[:, None] % 2
    root.mkdir(parents=True, exist_ok=True)
    np.savez(root / "mine.npz", **arrays)
    return Layout("mine.npz", {"0": 18, "1": 18}, None, parts=3, images=36)


def main() -> None:
    for name, draw in LAYOUTS.items():
        place = Path(sys.argv[1], name.replace(" ", "-"))
        place.mkdir(parents=True)
        told = draw(place)
        print(f"{place / told.data}{f' --labels {place / told.table}' if told.table else ''}")


if __name__ == "__main__":
    main()
