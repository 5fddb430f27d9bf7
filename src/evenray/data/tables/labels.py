"""A table of labels, understood: one row an image, study or patient, its columns called by what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from evenray.core.annotations import Reading
from evenray.core.errors import DataError
from evenray.core.messages import Message
from evenray.core.understood import Understood, UnderstoodRow

from .cleaning import cleaned, labels_cleaned, refuse_codes
from .columns import Columns, How, columns_of
from .expressions import Asked
from .findings import Told, Uncertain, findings_in_columns, findings_in_text
from .identifiers import canonical
from .keys import files_of, values_at
from .label_columns import BoxTableError, are_weights, box_columns, option
from .meanings import KEYS, meaning_of, sexes_of
from .opinions import rows_of_places, settled
from .part_tables import read_parts
from .places import placed
from .raw_table import read_raw_table
from .run_columns import run_columns
from .seen import Seen, side_of
from .shaping import check_rows, found_columns, images_by_words, numbers_named, shaped, whole_paths
from .words import check_labels, quoted

__all__ = ["BoxTableError", "Choices", "LabelTable"]

COLUMN = {"sop": "sop_instance_uid", "series": "series_instance_uid", "study": "study_instance_uid",
          "accession": "accession_number", "split": "part"}  # fmt: skip
EXAMPLES = 3
ABSOLUTE = r"^([A-Za-z]:)?[/\\]"


@dataclass(frozen=True)
class Choices:
    """What the user says of a table: its columns, what -1 means, whose reading counts, whether classes are grades."""

    asked: Asked = field(default_factory=Asked)
    uncertain: Uncertain = "ignore"
    reader: str | None = None
    ordered: bool = False


@dataclass(frozen=True)
class LabelTable:
    """One row an image (or study, or patient) with the columns `key`, `label` or `findings` (FINDINGS, in the order of `names`),
    and patient, site, sex, age, part where the table has them; text or null. `key` finds the images: path,
    sop_instance_uid, series_instance_uid, study_instance_uid, accession_number, patient_side or patient.

    `ratings` has what each reader said, by the same key. `boxes` says that it also has places in the images;
    `exact` are the paths that were written in full; `others` are the tables of other parts that were read with it.
    """

    table: pl.DataFrame
    source: str
    key: str
    reading: Reading
    understood: Understood
    names: tuple[str, ...] = ()
    notes: tuple[Message, ...] = ()
    ratings: pl.DataFrame | None = None
    boxes: bool = False
    exact: frozenset[str] = frozenset()
    others: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """The column that labels: `label` or `findings`."""
        return "findings" if self.names else "label"

    @property
    def named(self) -> bool:
        """Whether more than the few values of one column tells that it labels."""
        said = [row for row in self.understood.rows if row.meaning in ("label", "finding")]
        return bool(self.names) or len(said) > 1 or any(row.how != "values" for row in said)

    @property
    def labels(self) -> list[str]:
        """The classes that rows have, or the names of the findings."""
        return list(self.names) or self.table["label"].drop_nulls().unique().to_list()

    @classmethod
    def read(cls, path: Path, seen: Seen, choices: Choices | None = None, others: Sequence[Path] = ()) -> LabelTable:
        """Read a table, and with it `others` of its columns that hold other parts; DataError says what is missing or can be read in
        two ways, and with which option to choose."""
        choices = choices or Choices()
        raw = read_parts([path, *others]) if others else read_raw_table(path)
        raw, asked, said = shaped(raw.unique(maintain_order=True), choices.asked, path, seen)
        choices = replace(choices, asked=found_columns(raw, asked, path))
        raw = images_by_words(numbers_named(raw, seen), seen, choices.asked)
        columns = columns_of(raw, seen, choices.asked, path)
        if columns.labels is None:  # columns_of raises where there are none
            raise DataError(f"The label table '{path}' has no column of labels.")
        whole_paths(raw, seen, columns, path)
        check_rows(raw, columns, path)
        told, notes = _labels(raw, columns, choices, path)
        renamed = {name: _renamed(raw[name], asked.values[meaning], asked.rest.get(meaning))
                   for meaning, name in columns.others.items() if meaning in asked.values}  # fmt: skip
        table, key = _columns(raw.with_columns(**renamed), columns, seen, path)
        boxes = bool(box_columns(raw.columns) or run_columns(raw))
        ratings = None
        if "reader" in table.columns and _repeats(table, key):
            opinions = settled(table, key, told, choices.reader)
            table, told, ratings = opinions.table, opinions.told, opinions.ratings
            notes += opinions.notes
        elif (boxes or "findings" in choices.asked.columns) and _repeats(table, key):
            table, told = rows_of_places(table, key, told)
            notes += told.notes
        table = table.drop("reader", strict=False).with_columns(
            told.values.alias("findings" if told.names else "label")
        )
        labels = list(told.names) or table["label"].drop_nulls().unique().to_list()
        check_labels(labels, path, "" if told.names else columns.labels.columns[0])
        table, more = cleaned(table, key, path, columns.others.get("split", ""))
        if columns.key.rank >= KEYS.index("series") and key != "patient_side":
            more.append(Message("scan.label_of_all", {"column": columns.key.column, "meaning": columns.key.meaning}))
        found = cls(
            table, str(path), key, Reading("tag" if told.names else "classify", choices.ordered and not told.names),
            _understood(raw, columns, told, path), told.names, (*said, *notes, *more), ratings, boxes,
            _exact(raw, columns, seen, path), tuple(map(str, others)),
        )  # fmt: skip
        return replace(found, table=_one_row_a_patient(raw, found, columns, seen), key=key.replace("_step", "path"))


def _labels(raw: pl.DataFrame, columns: Columns, choices: Choices, path: Path) -> tuple[Told, tuple[Message, ...]]:
    """What the rows say, in classes or findings."""
    labels, asked = columns.labels, choices.asked
    assert labels is not None
    meaning = "findings" if "findings" in asked.columns else "label"
    values, rest = asked.values.get(meaning, {}), asked.rest.get(meaning)
    if labels.flags:
        said = [_renamed(raw[name], values, rest).alias(name) for name in labels.columns]
        told = findings_in_columns(pl.DataFrame(said), labels.columns, choices.uncertain, several=meaning == "findings")
        if told.names and "label" in asked.columns:
            raise DataError(
                f"The columns {', '.join(map(repr, labels.columns))} of '{path}' are to be one class an image, and some rows say yes"
                f" in none or in several of them: say --column 'findings={'+'.join(map(quoted, labels.columns))}'."
            )
        return told, told.notes
    column, notes = labels_cleaned(raw[labels.columns[0]], path)
    if are_weights(column):
        raise DataError(
            f"The column '{column.name}' of '{path}' gives each class a weight, such as {column.drop_nulls()[0]}; give a column of"
            " one class, or of a list of findings, with --column label=COLUMN."
        )
    if not values and rest is None and set(column.drop_nulls().unique()) == {"-1", "0", "1"}:
        values = {"-1": {"ignore": "", "positive": "1", "negative": "0"}[choices.uncertain]}
        count = int((column == "-1").sum())
        notes += (Message("scan.uncertain", {"count": count, "variant": choices.uncertain}),)
    if not values and rest is None:
        refuse_codes(column, path)
    column = _renamed(column, values, rest)
    notes = () if values.get("blank") else notes
    several = findings_in_text(column, several=meaning == "findings")
    told = several if several is not None else Told(column)
    return told, (*notes, *told.notes)


def _renamed(column: pl.Series, values: dict[str, str], rest: str | None) -> pl.Series:
    """The values by the names that --column gives them: "" makes one missing, `blank` names a missing one."""
    if not values and rest is None:
        return column
    known = {old: new or None for old, new in values.items()}
    if rest is not None:
        known |= {old: rest or None for old in column.drop_nulls().unique().to_list() if old not in known}
    found = column.replace(known)
    blank = values.get("blank")
    return found if not blank else found.fill_null(blank) if column.null_count() else found


def _columns(raw: pl.DataFrame, columns: Columns, seen: Seen, path: Path) -> tuple[pl.DataFrame, str]:
    """The columns beside labels under the names of their meanings, paths as files; and the name of the key."""
    key = columns.key
    others = {COLUMN.get(meaning, meaning): raw[name] for meaning, name in columns.others.items() if meaning != "view"}
    if "sex" in others and (told := sexes_of(columns.others["sex"], others["sex"].drop_nulls().unique().to_list())):
        others["sex"] = others["sex"].replace(told)
    name = "_step" if key.how == "step" else COLUMN.get(key.meaning, key.meaning)
    values = raw[key.column] if key.how == "step" else values_at(raw[key.column], key.position)
    if key.how != "step" and key.meaning == "path":
        values = placed(values, path.parent, seen)
    table = pl.DataFrame([column.alias(of) for of, column in {**others, name: values}.items()])
    if key.meaning == "patient" and "side" in table.columns and seen.with_side > 0.5:
        side = table["side"].map_elements(side_of, return_dtype=pl.String)
        if key.how == "step":
            return table.drop("side").with_columns(pl.concat_str("_step", side, separator="|").alias("_step")), name
        person = table["patient"].map_elements(canonical, return_dtype=pl.String)
        table = table.with_columns(side=side).with_columns(patient_side=person + "|" + pl.col("side"))
        return table, "patient_side"
    return table, name


def _repeats(table: pl.DataFrame, key: str) -> bool:
    return bool(table[key].drop_nulls().is_duplicated().any())


def _one_row_a_patient(raw: pl.DataFrame, found: LabelTable, columns: Columns, seen: Seen) -> pl.DataFrame:
    """The table, with the files of its steps of paths; DataError where rows of one patient cannot be told apart."""
    table, key = found.table, columns.key
    grouped = key.meaning == "patient" and found.key in ("patient", "_step")
    if grouped:
        rows = table.drop_nulls(found.key).select(found.key, found.said).unique()
        several = rows.height - rows[found.key].n_unique()
        repeated = table.drop_nulls(found.key).height - table[found.key].drop_nulls().n_unique()
        if several or repeated or "side" in table.columns:
            side = columns.others.get("side")
            what = (
                f"a column of sides ('{side}')" if side and not several and not repeated else "several rows a patient"
            )
            codes = [name for name in columns.unused if meaning_of(name) == "side" and raw[name].n_unique() == 2]
            if codes:
                first, second = raw[codes[0]].unique().sort().to_list()
                ways = [f"--column 'side={quoted(codes[0])}:{first}={a},{second}={b}'" for a, b in ("RL", "LR")]
                raise DataError(
                    f"'{found.source}' finds the images by the patient alone ('{key.column}'), and '{codes[0]}' may tell the side by"
                    f" {first} and {second}: say {' or '.join(ways)}."
                )
            keep = (
                f"; to give each patient's label to all of his or her images, say {option('ignore', side)}"
                if side
                else ""
            )
            raise DataError(
                f"'{found.source}' finds the images by the patient alone ('{key.column}'), and it has {what}, so a row"
                f" cannot be given its own images. Give it a column of paths, image names or instance UIDs (--column path=COLUMN)"
                f"{keep or ', or keep one row a patient'}."
            )
    if found.key != "_step":
        return table
    values = table["_step"].drop_nulls().unique().to_list()
    files = {value: files_of(value, seen) for value in values}
    if "side" in columns.others and "side" not in table.columns:  # the steps end in sides
        people = {value: value.rpartition("|") for value in values}
        files = {
            value: [file for file in files_of(person, seen) if side_of(file) == side]
            for value, (person, _, side) in people.items()
        }
    paths = table["_step"].replace_strict(files, default=None, return_dtype=pl.List(pl.String))
    return table.with_columns(path=paths).drop("_step").explode("path")


def _exact(raw: pl.DataFrame, columns: Columns, seen: Seen, path: Path) -> frozenset[str]:
    if columns.key.how != "path":
        return frozenset()
    full = raw[columns.key.column].drop_nulls().unique()
    return frozenset(placed(full.filter(full.str.contains(ABSOLUTE)), path.parent, seen).to_list())


def _understood(raw: pl.DataFrame, columns: Columns, told: Told, path: Path) -> Understood:
    """What each column was taken to mean, the key first."""
    key, how = columns.key, columns.how
    rows = [UnderstoodRow(place=key.column, meaning=key.meaning, how=how.get(key.meaning, "values"), matched=key.matched,
                          of=key.of, examples=_examples(raw[key.column]))]  # fmt: skip
    assert columns.labels is not None
    places: list[tuple[str, str, How]] = [
        (name, "findings" if told.names else "label", how["label"]) for name in columns.labels.columns
    ]
    places += [(name, meaning, how.get(meaning, "name")) for meaning, name in columns.others.items()]
    for name, meaning, why in places:
        if name == key.column and meaning == key.meaning:
            continue
        known = raw[name].count()
        rows.append(
            UnderstoodRow(
                place=name, meaning=meaning, how=why, matched=known, of=raw.height, examples=_examples(raw[name])
            )
        )
    if told.names:
        counts = {name: int(told.values.list.get(at).sum() or 0) for at, name in enumerate(told.names)}
    else:
        counts = dict(sorted(told.values.drop_nulls().value_counts().iter_rows()))
    return Understood(source=path.name, rows=tuple(rows), unused=columns.unused, counts=counts)


def _examples(column: pl.Series) -> tuple[str, ...]:
    values = column.drop_nulls()
    if not len(values):
        return ()
    counted = values.alias("value").value_counts(sort=True)
    if counted["count"][0] == 1:
        return tuple(values.head(EXAMPLES).to_list())
    best = counted.sort("count", "value", descending=[True, False])
    return tuple(best["value"].head(EXAMPLES).to_list())
