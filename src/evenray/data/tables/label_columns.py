"""Which columns of a table say what an image is: one of labels, or one a finding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from evenray.core.errors import DataError

from .findings import flag_columns, nearly_flags
from .header import AGAIN
from .identifiers import looks_like_identifiers
from .match_paths import ENDING
from .meanings import PLACES, compact, is_attribute, is_torn, known_values, meaning_of, says_nothing, weak_label
from .one_hot import one_hot, one_hot_block
from .person_columns import columns_of_persons
from .raw_table import header_line
from .run_columns import run_columns
from .words import DATE, MISSING, quoted

__all__ = ["BoxTableError", "LabelColumns", "are_weights", "box_columns", "is_plain", "label_columns", "option"]

MOST_CLASSES, MOST_PLAIN, ROWS_EACH, SMALL = 50, 20, 3, 10
OUTCOMES = {"cancer", "malignant", "malignancy", "tumor", "tumour"}
SIZES = {"w", "h", "width", "height", "radius"}
SHOWN, MANY = 4, 10
SHORT = re.compile(r"[A-Za-z]\d?")


class BoxTableError(DataError):
    """A table that says where things lie in images, and labels none."""


@dataclass(frozen=True)
class LabelColumns:
    """The columns to take; `flags` says that each is a finding with yes or no. `by` is "name" or "values"; `sure` says
    that the name says labels and nothing else."""

    columns: tuple[str, ...]
    flags: bool = False
    by: Literal["asked", "values", "name"] = "name"
    sure: bool = False


def option(meaning: str, column: str) -> str:
    """--column as it is typed in a shell.

    >>> option("label", "dx"), option("label", "left, right")
    ('--column label=dx', '--column \\'label="left, right"\\'')
    """
    text = f"{meaning}={quoted(column)}"
    return f"--column {text}" if re.fullmatch(r"[\w=.-]+", text) else f"--column '{text}'"


def box_columns(columns: Sequence[str]) -> list[str]:
    """The columns that say where something lies in an image; it takes two beside those of a size.

    >>> box_columns(["image", "x_min", "y_min", "lesion"]), box_columns(["path", "y"]), box_columns(["width", "height", "y"])
    (['x_min', 'y_min'], [], [])
    """
    found = [name for name in columns if compact(name) in PLACES and not is_torn(name)]
    where = [name for name in found if compact(name) not in SIZES]
    return found if len(where) > 1 or (len(found) > 1 and "bbox" in map(compact, where)) else []


def label_columns(raw: pl.DataFrame, columns: Sequence[str], path: Path, person: str | None = None) -> LabelColumns:
    """The columns of labels among those that mean nothing else; `person` is the column of patients.

    A column whose name says so; else columns that say yes and no, one a finding; else one whose name may say so; else the only
    one with few repeated values. DataError where two readings differ, with the options that choose, or where there is none.
    """
    boxes = box_columns(columns) or run_columns(raw.select(columns))
    free = [name for name in columns if name not in boxes]
    called = [name for name in free if meaning_of(AGAIN.sub(r"\1", name)) == "label"]
    named = [name for name in called if _is_plausible(raw[name])]
    named = named or [name for name in called if _are_measurements(raw[name])]
    if not named and (files := next((name for name in called if _are_files(raw[name])), None)):
        raise DataError(
            f"The column '{files}' of the label table '{path}' names files, such as '{raw[files].drop_nulls()[0]}', perhaps masks:"
            " these are found beside the images with --task segment; for classes say --column label=COLUMN."
        )
    every = [name for name in flag_columns(raw, free) if not _is_constant(raw[name])]
    flags = _named_flags(every)
    weak = [name for name in free if weak_label(name) and is_plain(raw[name])]
    telling = [name for name in named if raw[name].drop_nulls().n_unique() > 1]
    named = telling if telling or weak or len(flags) > 1 else named
    if named:  # a yes or no such as `malignant` beside a `disease` is another question
        others = [name for name in flags if compact(name) in OUTCOMES]
        return LabelColumns((_only(raw, [*named, *others], path),), sure=True)
    if len(flags) > 1 and (odd := next((name for name in free if nearly_flags(raw[name])), None)):
        word = nearly_flags(raw[odd]) or ""
        raise DataError(
            f"The column '{odd}' of the label table '{path}' holds '{word}' besides yes and no: correct it, or say that it is"
            f" unknown with --column 'findings={'+'.join(map(quoted, [*flags, odd]))}:{quoted(word)}=', or leave the column out with"
            f" {option('ignore', odd)}."
        )
    if len(flags) > 1 and person and not one_hot(raw, flags):
        plain = [name for name in free if name not in flags and is_plain(raw[name]) and not is_attribute(name)]
        _check_persons(raw, person, flags, list(dict.fromkeys([*weak, *plain])), path)
    words = [name for name in free if name not in flags and meaning_of(name) is None and not is_attribute(name)]
    if set(flags) <= set(weak):  # finding___1, finding___2, ... are findings of one list
        weak = [name for name in weak if name not in flags]
    words = weak or [name for name in words if is_plain(raw[name]) and not _numbers(raw[name])]
    if len(flags) > 1 and (one_hot(raw, flags) or not words):
        return LabelColumns(tuple(flags), flags=True, by="values")
    if len(flags) > 1:
        block = one_hot_block(raw, flags) if len(flags) <= MOST_CLASSES else []
        single = _together("label", block) if block else " or ".join(option("label", name) for name in words[:SHOWN])
        chosen = f"{single} for one class, or {_together('findings', flags)} for several findings an image"
        raise DataError(f"The label table '{path}' can be read in two ways: say {chosen}.")
    if weak:
        if boxes:
            raise _boxes(path, raw, boxes, weak[0])
        nameless = [name for name in free if says_nothing(name) and is_plain(raw[name])]
        return LabelColumns((_only(raw, weak + nameless, path),))
    plain = [name for name in free if is_plain(raw[name]) and not is_attribute(name)]
    plain = [name for name in plain if meaning_of(name) is None] or plain  # few studies look like classes
    if plain:
        if boxes:
            raise _boxes(path, raw, boxes, plain[0])
        only = _only(raw, plain, path, every)
        _check_alone(raw, only, [name for name in free if name not in plain], path)
        return LabelColumns((only,), by="values")
    if boxes:
        raise _boxes(path, raw, boxes, None)
    for name in free:
        if raw[name].null_count() and raw[name].drop_nulls().n_unique() == 1:
            raise DataError(
                f"The label table '{path}' has no column of labels that can be told by its name or its values; where a blank of"
                f" '{name}' means no, say --column 'label={quoted(name)}:blank=no'."
            )
    shown = ", ".join(f"'{name}'" for name in columns[:SHOWN]) or "none is left"
    many = next((option("label", name) for name in free if _are_many_classes(raw[name])), "--column label=COLUMN")
    raise DataError(
        f"The label table '{path}' has no column of labels that can be told by its name or its values (of: {shown}); say which"
        f" it is with {many}. {header_line(raw.columns)}"
    )


def _check_persons(raw: pl.DataFrame, person: str, flags: list[str], single: list[str], path: Path) -> None:
    """DataError where some columns of yes and no speak of persons, as smoking does, and others of their images; `single` are those
    that may be one class."""
    apart = columns_of_persons(raw, person, flags, single)
    findings = [name for name in flags if name not in apart]
    if len(findings) == len(flags):
        return
    ways = [option("label", name) for name in single if name not in apart]
    ways = [
        *ways[:MANY],
        *([_together("findings", findings)] if len(findings) > 1 else []),
        _together("findings", flags),
    ]
    shown = ", ".join(f"'{name}'" for name in flags if name in apart)
    raise DataError(
        f"In the label table '{path}' some columns of yes and no ({shown}) say the same of all images of a patient, as his or her age"
        f" does, and others differ between them: say which are the labels, {' or '.join(ways)}."
    )


def _is_constant(column: pl.Series) -> bool:
    """Whether every row says the same, so that nothing can be learnt of it."""
    return not column.null_count() and column.n_unique() == 1


def _named_flags(every: Sequence[str]) -> list[str]:
    """The columns of yes and no that have names; a letter and a number (G3, or N) is one beside others of yes and no."""
    found = [name for name in every if (not says_nothing(name) or SHORT.fullmatch(name)) and not is_attribute(name)]
    short = [name for name in found if says_nothing(name)]
    return found if len(short) > 2 or len(short) < len(found) else []


def _check_alone(raw: pl.DataFrame, label: str, others: Sequence[str], path: Path) -> None:
    """DataError where a column of numbers is the only one with few values, and others hold measurements or many classes, which may
    as well be what is asked for."""
    if not _numbers(raw[label]) or label in flag_columns(raw, [label]):
        return
    free = [name for name in others if meaning_of(name) is None and not is_attribute(name) and not says_nothing(name)]
    classes = [name for name in free if _are_many_classes(raw[name])]
    measured = [name for name in free if name not in classes and _are_measurements(raw[name])]
    if classes or measured:
        ways = " or ".join(option("label", name) for name in [*classes, label][:SHOWN])
        what = f"many words ('{classes[0]}')" if classes else f"measurements ('{measured[0]}')"
        raise DataError(
            f"The column '{label}' of the label table '{path}' holds a few numbers and may be the labels, but others hold"
            f" {what}: say {ways}. Measurements are no classes: bin them first."
        )


def _are_many_classes(column: pl.Series) -> bool:
    """Whether values are words that repeat, more kinds than a column of labels without a name has."""
    values = column.drop_nulls()
    kinds = values.unique().to_list()
    words = kinds and not _numbers(values) and not looks_like_identifiers(kinds) and known_values(kinds) is None
    return bool(words) and MOST_PLAIN < len(kinds) <= 0.5 * len(values) and not all(map(DATE.fullmatch, kinds))


def _together(meaning: str, flags: list[str]) -> str:
    return f"--column '{meaning}={'+'.join(map(quoted, flags))}'"


def _only(raw: pl.DataFrame, names: list[str], path: Path, flags: Sequence[str] = ()) -> str:
    """The one of several columns to take where they divide the rows alike, words before numbers; DataError where not, which names
    the columns of yes and no (`flags`) as findings too."""
    twins = [names[0]]
    for name in names[1:]:
        if _alike(raw, names[0], name):
            twins.append(name)
    others = [name for name in names if name not in twins]
    if others:
        ways = " or ".join(option("label", name) for name in [twins[0], *others][:MANY])
        shown = ", ".join(f"'{name}'" for name in [twins[0], *others][:MANY])
        together = f", or {_together('findings', [*flags])} for several findings an image" if len(flags) > 1 else ""
        raise DataError(
            f"The columns {shown} of the label table '{path}' may each be the labels, and they differ: say {ways}{together}."
        )
    return next((name for name in twins if not _numbers(raw[name])), twins[0])


def _alike(raw: pl.DataFrame, first: str, second: str) -> bool:
    both = raw.select(first, second).drop_nulls()
    if both.height < 0.9 * max(raw[first].count(), raw[second].count()):
        return False
    if set(both[first]) == set(both[second]) and not (both[first] == both[second]).all():
        return False  # 0 and 1 the other way round are another answer
    kinds = both.unique().height
    return kinds == both[first].n_unique() == both[second].n_unique()


def _numbers(column: pl.Series) -> bool:
    return bool(column.drop_nulls().str.contains(r"^[-+]?\d+([.,]\d+)?$").all())


def _is_plausible(column: pl.Series) -> bool:
    """Whether values can be classes or findings: not nearly all different, and not numbered things."""
    values = column.drop_nulls()
    kinds = values.n_unique()
    if are_weights(values) or _are_files(values):
        return False
    if not kinds or (kinds > MOST_CLASSES and kinds > 0.5 * len(values)):
        return kinds == 0
    many = kinds > 10 and kinds > 0.1 * len(values)
    return not (many and looks_like_identifiers(values.unique().to_list()))


def _are_files(column: pl.Series) -> bool:
    values = column.drop_nulls()
    return len(values) > 0 and bool(values.str.contains(ENDING).all())


def _are_measurements(column: pl.Series) -> bool:
    """Whether values are fractions: labels that say so are refused with a better reason than that there are none."""
    return bool(column.drop_nulls().str.contains(r"^[-+]?\d*[.,]\d+$").any())


def is_plain(column: pl.Series) -> bool:
    """Whether an unnamed column may be labels by its values alone: a few words or whole numbers, each of them often."""
    values = column.drop_nulls()
    values = values.filter(~values.is_in(MISSING))
    kinds = values.unique().to_list()
    if (
        not 2 <= len(kinds) <= MOST_PLAIN
        or are_weights(values)
        or known_values(kinds) is not None
        or all(map(DATE.fullmatch, kinds))
    ):
        return False
    often = len(values) >= ROWS_EACH * len(kinds) or len(values) < SMALL
    return often and not any(re.fullmatch(r"[-+]?\d*[.,]\d*[1-9]\d*", kind) for kind in kinds)


def are_weights(column: pl.Series) -> bool:
    """Whether values give each class a weight, as {'nevus': 0.7, 'melanoma': 0.3} does."""
    values = column.drop_nulls()
    return len(values) > 0 and bool(values.str.contains(r"^\{(.*:.*)?\}$").all())


def _boxes(path: Path, raw: pl.DataFrame, boxes: list[str], label: str | None) -> BoxTableError:
    chosen = f"; to take '{label}' as the class of the whole image, say {option('label', label)}" if label else ""
    return BoxTableError(
        f"The label table '{path}' has no column of labels for whole images: its columns {', '.join(boxes[:SHOWN])} say where"
        f" something lies in an image{chosen}. {header_line(raw.columns)}"
    )
