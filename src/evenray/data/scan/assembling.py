"""What was read of the files as a data set: rows labelled and named, classes in order, and what is no image set aside."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from evenray.core.errors import DataError
from evenray.core.facts import Facts
from evenray.core.messages import Message
from evenray.core.names import as_text
from evenray.core.types import REJECTED, Dataset
from evenray.core.understood import Understood
from evenray.data.annotations.classes import with_classes
from evenray.data.tables.grades import grades
from evenray.data.tables.identifiers import FEWEST_SHARED, SHARED
from evenray.data.tables.join import join
from evenray.data.tables.positive import positive_class
from evenray.data.tables.pseudonym import case_names
from evenray.data.tables.words import composed
from evenray.data.volumes import named_volumes

from .entries import Listing

__all__ = ["NO_IMAGES", "assemble"]

# DICOM objects that are no image to train on, by Identity.kind, with the reason that rejected.csv gives.
NO_IMAGES = {
    "structured_report": "is a structured report or a dose report, not an image",
    "presentation_state": "is a presentation state, not an image",
    "segmentation": "is a segmentation or registration, not an image",
    "radiotherapy": "is a radiotherapy object, not an image",
    "document": "is a document, not an image",
}
# Images that are set aside where they stand among others.
AMONG_OTHERS = {
    "localizer": "is a localizer among images",
    "secondary_capture": "is a secondary capture (a screenshot or a scan of paper) among images",
}


def assemble(
    listed: Listing, rows: pl.DataFrame, rejected: pl.DataFrame, key: bytes, positive: str | None,
    value_range: tuple[float, float] | None, names: bool, shared: bool = False,
) -> Dataset:  # fmt: skip
    """Label the rows, name the cases, order the classes, and check that there is something to work with. With `shared` a patient of
    most images is one."""
    rows = rows.with_row_index("sketch")
    if not rows.height:
        example = f"; the first: {rejected['file'][0]}: {rejected['reason'][0]}" if rejected.height else ""
        raise DataError(f"None of the {len(listed.entries)} files of '{listed.root}' could be read{example}.")
    unlabelled, notes, reading = listed.unlabelled, [*listed.notes], listed.reading
    rows, rejected, aside = _among_others(rows, rejected)
    notes += [Message(f"scan.aside_{kind}", {"count": count}) for kind, count in aside.items()]
    notes += _volumes(rows)
    ratings = None
    if listed.table is not None:
        every = listed.annotations is not None
        joined = join(rows if listed.table.names else rows.drop("findings"), listed.table, key, rejected, every=every)
        rows, ratings = joined.rows, joined.ratings
        unlabelled += joined.unlabelled
        if joined.lost:
            values = {
                "count": joined.lost,
                "column": listed.understood.rows[0].place,
                "file": Path(listed.table.source).name,
            }
            notes.append(Message("scan.keys_lost", values))
    rows, nobody = (rows, 0) if shared else _without_nobody(rows)
    notes += [Message("scan.nobody_images", {"count": nobody})] if nobody else []
    met = rows["label"].drop_nulls().unique().to_list()
    label = pl.col("label").replace(met, [composed(name) for name in met])
    case = case_names(key, rows["file"], rows["fragment"], files_named=names)
    rows = rows.with_columns(case, given_part=pl.col("part").is_not_null(), label=label)
    if ratings is not None:
        ratings = rows.select("case", "file", "fragment").join(ratings, on=["file", "fragment"], maintain_order="left")
        ratings = ratings.drop("file", "fragment").drop_nulls("reader")
    synthetic = bool(rows["synthetic"].any())
    if reading.task == "segment":
        rows = named_volumes(rows, key)
    rows = rows.drop("sop_instance", "series", "accession", "patient_side", "kind", "synthetic")
    rows = rows.select("case", pl.all().exclude("case"))
    counts: dict[str, int] = {}
    if listed.annotations is not None:
        rows, classes, told = with_classes(rows, listed.annotations)
        notes += told
    elif reading.task == "tag":
        classes = listed.table.names if listed.table is not None else listed.names
    else:
        rows = rows.drop("findings", strict=False)
        counts = dict(rows["label"].drop_nulls().value_counts().iter_rows())
        classes = grades(counts) if reading.ordered else _in_order(counts)
    # Of several findings none is the positive one: figures are given for each.
    chosen, why = positive_class(classes, counts, positive) if reading.task == "classify" else ("", None)
    facts = Facts(
        layout=listed.layout, value_range=value_range, unlabelled=unlabelled, notes=tuple(notes), positive_why=why,
        patients_known=not rows["patient"].is_null().all(), patient_pattern=listed.pattern, synthetic=synthetic,
        box_tables=listed.boxes, task=reading.task, ordered=reading.ordered, understood=_understood(listed, rejected, aside),
        names_files=names,
    )  # fmt: skip
    before = pl.DataFrame(listed.rejected, schema=REJECTED, orient="row")
    root = as_text(listed.root.resolve())  # so that the run can go on from wherever it is called
    set_aside = pl.concat([before, rejected.select(REJECTED.keys())])
    return Dataset(rows, classes, chosen, root, set_aside, facts, ratings=ratings)


def _in_order(counts: dict[str, int]) -> tuple[str, ...]:
    """Classes by name; numbers by their size, after words."""

    def place(name: str) -> tuple[bool, int, str]:
        number = name.isascii() and name.isdecimal()
        return number, int(name) if number else 0, name

    return tuple(sorted(counts, key=place))


def _among_others(rows: pl.DataFrame, rejected: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """Localizers and secondary captures go where most images are none; where they are the data set they stay."""
    aside: dict[str, int] = {}
    for kind, reason in AMONG_OTHERS.items():
        such = rows.filter(pl.col("kind") == kind)
        if not such.height or such.height * 2 > rows.height:
            continue
        keys = [name for name in rejected.columns if name in such.columns]
        rejected = pl.concat([rejected, such.select(*keys, reason=pl.lit(reason)).select(rejected.columns)])
        rows = rows.filter(pl.col("kind").fill_null("") != kind)
        aside[kind] = such.height
    return rows, rejected, aside


def _volumes(rows: pl.DataFrame) -> list[Message]:
    """What is to be said of files that hold several volumes, such as the sequences of an examination: which was read."""
    read = rows["fragment"].str.extract(r",volume=(\d+)").drop_nulls()
    if not len(read):
        return []
    return [
        Message(
            "scan.volumes", {"count": len(read), "volumes": [f"volume={number}" for number in read.unique().sort()]}
        )
    ]


def _without_nobody(rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """A patient of more than half of many images is a placeholder, and no patient."""
    counts = rows["patient"].drop_nulls().value_counts()
    shared = counts.filter(pl.col("count") > SHARED * rows.height)["patient"].to_list()
    if not shared or rows.height < FEWEST_SHARED:
        return rows, 0
    count = int(rows["patient"].is_in(shared).sum())
    return rows.with_columns(pl.col("patient").replace(dict.fromkeys(shared))), count


def _understood(listed: Listing, rejected: pl.DataFrame, aside: dict[str, int]) -> Understood:
    kinds = {reason: kind for kind, reason in NO_IMAGES.items()}
    counts = dict(rejected.filter(pl.col("reason").is_in(list(kinds)))["reason"].value_counts().iter_rows())
    objects = {kinds[reason]: count for reason, count in sorted(counts.items())}
    return listed.understood.model_copy(
        update={"set_aside": {**listed.understood.set_aside, **objects, **aside}}
    ).kept()
