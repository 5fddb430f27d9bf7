"""How files and tables of labels are read: the settings of the stage scan."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from .annotations import Task
from .settings import DATA, Settings, setting

__all__ = ["ScanSettings"]

Pair = tuple[float, float]


class ScanSettings(Settings):
    """How the files are read."""

    labels: str | None = setting(
        None, "A CSV or Parquet table of labels, with a column that finds the images and one of labels, or one a finding.", panel=DATA,
        content="input",
    )  # fmt: skip
    patient: str | None = setting(
        None, "A regular expression that finds the patient in a file's path, such as '(person[0-9]+)'; groups are joined.",
        panel=DATA,
    )  # fmt: skip
    task: Task | None = setting(
        None, "What is learnt: one class an image (classify), several findings (tag), masks (segment) or boxes (detect); without it"
        " what lies there says it, labels before masks and boxes.", panel=DATA,
    )  # fmt: skip
    masks: str | None = setting(
        None, "Where the masks are: a folder of files called as the images, a COCO JSON file, or a table of runs.", panel=DATA,
        content="input",
    )  # fmt: skip
    boxes: str | None = setting(
        None, "Where the boxes are: a COCO JSON file, a table, or a folder of Pascal VOC XML or YOLO text files.", panel=DATA,
        content="input",
    )  # fmt: skip
    unannotated: Literal["leave-out", "empty"] = setting(
        "leave-out", "What an image without a mask or boxes is: left out, or one with nothing in it.", panel=DATA
    )
    value_range: Pair | None = setting(
        None, "LOW,HIGH: the true range of pixel values of 16-bit PNG or TIFF, such as 0,4095.", panel=DATA, form="pair",
        expected="give LOW,HIGH with LOW below HIGH", example="0,4095",
    )  # fmt: skip
    column: tuple[str, ...] = setting(
        (), "MEANING=COLUMN: what a column of the table means, such as path=Name,label=dx:mel+bcc=malignant,*=benign; meanings are"
        " path, sop, series, study, accession, patient, side, label, findings, reader, site, sex, age, split,"
        " fill (for the blank cells below) and ignore. Without a table, folder1, folder2, ... are levels of folders, and name1,"
        " name2, ..., name-1 words of the files' names.", panel=DATA, form="texts",
    )  # fmt: skip
    uncertain: Literal["ignore", "positive", "negative"] = setting(
        "ignore", "What -1 means in columns of findings: left out, yes or no.", panel=DATA
    )
    reader: str | None = setting(
        None, "The reader whose labels count, where several read each image; without it the majority does.", panel=DATA
    )
    ordered: bool = setting(False, "The classes are grades: 0 to 4, or none, mild, severe.", panel=DATA)
    positive: str | None = setting(None, "The positive class: sensitivity and AUPRC are about it.", panel=DATA)
    names: bool = setting(
        False,
        "Call the cases by their files, which may name patients, everywhere; without it they have pseudonyms.",
        panel=DATA,
    )

    @field_validator("value_range")
    @classmethod
    def _low_below_high(cls, pair: Pair | None) -> Pair | None:
        if pair is not None and not pair[0] < pair[1]:
            raise ValueError
        return pair
