"""What the columns of a table mean: told by their values first, by their names second, and by --column before both."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from evenray.core.errors import DataError, UsageError

from .ages import OLDEST, age_of
from .expressions import Asked
from .identifiers import FEWEST_SHARED, SHARED, looks_like_identifiers
from .keys import Key, best_keys, counts_rows, files_of, keys_of, others_images
from .label_columns import LabelColumns, box_columns, is_plain, label_columns, option
from .match_paths import ENDING, match_paths
from .meanings import FLAGS, KEYS, is_attribute, known_values, meaning_of, says_nothing, weak_label
from .parts import part_of
from .raw_table import header_line
from .seen import Seen, side_of, steps_of
from .words import DATE

__all__ = ["Columns", "How", "columns_of"]

SAMPLE = 200
How = Literal["asked", "values", "name"]
MOST, FEWEST = 0.95, 0.02  # shares of different values among the rows between which values are those of patients
FEWEST_BLOCKS = 5
OTHERS = ("side", "reader", "site", "sex", "age", "split", "view")


@dataclass(frozen=True)
class Columns:
    """The columns by what they mean, and how that is known: "asked", "values" or "name"."""

    key: Key
    labels: LabelColumns | None
    others: dict[str, str] = field(default_factory=dict)
    how: dict[str, How] = field(default_factory=dict)
    unused: tuple[str, ...] = ()


def columns_of(raw: pl.DataFrame, seen: Seen, asked: Asked, path: Path) -> Columns:
    """Tell the columns apart; `asked` has their names as the table writes them. DataError where a needed one is missing or
    could be either of two."""
    wanted = {
        meaning: columns[0]
        for meaning, columns in asked.columns.items()
        if meaning not in ("ignore", "findings", "fill")
    }
    free = [name for name in raw.columns if name not in asked.used]
    how: dict[str, How] = dict.fromkeys(wanted, "asked")
    key = _key(raw, seen, wanted, free, path)
    how.setdefault(key.meaning, "values" if key.matched else "name")
    free = [name for name in free if name != key.column]
    others = {meaning: name for meaning, name in wanted.items() if meaning not in (*KEYS, "label")}
    for meaning in OTHERS:
        if meaning not in others and (name := _named(raw, free, meaning)):
            others[meaning], how[meaning] = name, "name"
            free.remove(name)
    patient = wanted.get("patient") or _patient_named(raw, free, key)
    if patient:
        others["patient"] = patient
        how.setdefault("patient", "name")
        free = [name for name in free if name != patient]
    for name in list(free):
        told = _by_values(raw, name) if meaning_of(name) is None else None
        if told and told not in others:
            others[told], how[told] = name, "values"
        if told:
            free.remove(name)
    labels = _asked_labels(asked)
    how |= {"label": "asked"} if labels else {}
    if "patient" not in others and (name := _patient_by_values(raw, seen, free, key, labels)):
        others["patient"], how["patient"] = name, "values"
        free.remove(name)
    if labels is None:
        keys = (*KEYS, "group")
        candidates = [name for name in free if meaning_of(name) not in keys or is_plain(raw[name])]
        labels = label_columns(raw, candidates, path, others.get("patient"))
        _check_names(raw, [name for name in free if meaning_of(name) == "path"], labels, path)
        how["label"] = labels.by
        free = [name for name in free if name not in labels.columns]
    if "patient" not in others and key.rank < KEYS.index("patient"):
        _check_unnamed(raw, free, path)
    return Columns(key, labels, others, how, tuple(free))


def _key(raw: pl.DataFrame, seen: Seen, wanted: dict[str, str], free: list[str], path: Path) -> Key:
    for meaning in KEYS[:-1]:
        if meaning in wanted:
            found = best_keys(keys_of(raw, seen, [wanted[meaning]], meaning))
            how = "path" if meaning == "path" else "header"
            return found[0] if found else Key(wanted[meaning], meaning, how, 0, raw[wanted[meaning]].n_unique())  # type: ignore[arg-type]
    if named := [name for name in free if meaning_of(name) == "path" and _stand_there(raw[name])]:
        return Key(named[0], "path", "path", raw[named[0]].n_unique(), raw[named[0]].n_unique(), named=True)
    keys = keys_of(raw, seen, free, steps=False)
    if not any(key.meaning in ("path", "sop") and key.matched > 1 for key in keys):
        keys = keys_of(raw, seen, free)
    if "patient" in wanted:
        keys += keys_of(raw, seen, [wanted["patient"]], "patient")
    counts = [key for key in keys if key.how == "path" and says_nothing(key.column) and counts_rows(raw[key.column])]
    keys = [key for key in keys if key not in counts] or keys  # the number of a row may well be that of another image
    keys = [key for key in keys if key.meaning != "study" or key.how != "header" or key.named or key.matched > 0]
    best = best_keys(keys)
    best += others_images(raw, seen, best[0], keys) if len(best) == 1 else []
    if len(best) > 1 and not _same_images(raw, seen, best):
        columns = [key.column for key in best]
        shown, ways = (
            " and ".join(f"'{name}'" for name in columns),
            " or ".join(option(best[0].meaning, name) for name in columns),
        )
        raise DataError(f"The columns {shown} of '{path}' each find images, and not the same: say {ways}.")
    if best:
        return best[0]
    for meaning in KEYS:
        if name := next((name for name in free if meaning_of(name) == meaning), None) or wanted.get(meaning):
            return Key(name, meaning, "path" if meaning == "path" else "header", 0, raw[name].n_unique(), named=True)
    raise DataError(
        f"The label table '{path}' has no column that finds the images: none holds names or paths of the"
        f" {len(seen.files)} images, such as '{seen.files[0] if seen.files else ''}', or identifiers of their headers. If one"
        f" should, say --column path=COLUMN, or sop, series, study or patient. {header_line(raw.columns)}"
    )


def _stand_there(column: pl.Series) -> bool:
    """Whether the paths of a column are written in full, so that no folder need be searched."""
    values = column.drop_nulls()
    return len(values) > 0 and bool(values.str.contains(r"^([A-Za-z]:)?[/\\]").all())


def _same_images(raw: pl.DataFrame, seen: Seen, keys: list[Key]) -> bool:
    """Whether columns find the same image in every row, as a name and a path of it do."""
    if any(key.how == "header" for key in keys):
        return len({tuple(raw[key.column].to_list()) for key in keys}) == 1
    found = []
    for key in keys:
        values = raw[key.column].fill_null("").to_list()
        matches = match_paths(values, seen.files).found if key.how == "path" else {}
        found.append([matches.get(value) if matches else tuple(files_of(value, seen)) for value in values])
    return all(each == found[0] for each in found)


GRADE = r"(?i)^(sub)?(type|grade|stage|class|group|level|score|category|cat|bi-?rads|단계|등급|유형|군)\b"
CHECKS: dict[str, Callable[[list[str]], bool]] = {
    "sex": lambda values: known_values(values) == "sex" or {value.casefold() for value in values} <= {*FLAGS, "2"},
    "side": lambda values: all(
        side_of(value) or value.casefold() in ("b", "both", "bilateral", "양측") for value in values
    ),
    "view": lambda values: 2 * sum(_names_view(value) for value in values) >= len(values),
    "age": lambda values: sum(age_of(value) is not None for value in values) >= 0.5 * len(values),
}


def _names_view(value: str) -> bool:
    """Whether a value begins with a word for a view, as `AP supine` does."""
    return known_values([*re.split(r"[\W_]+", value.strip())[:1]]) == "view"


def _named(raw: pl.DataFrame, free: list[str], meaning: str) -> str | None:
    """The first column of this name whose values do not say otherwise."""
    for name in free:
        if meaning_of(name) != meaning:
            continue
        values = raw[name].drop_nulls().unique().sort().head(SAMPLE).to_list()
        if meaning not in CHECKS or not values or CHECKS[meaning](values):
            return name
    return None


def _by_values(raw: pl.DataFrame, name: str) -> str | None:
    """The sex, side, view or part that values name by themselves."""
    values = raw[name].drop_nulls().unique().head(SAMPLE).to_list()
    if len(values) < 2:
        return None
    if all(part_of(value) for value in values):
        return "split"
    return known_values(values)


def _patient_named(raw: pl.DataFrame, free: list[str], key: Key) -> str | None:
    if key.meaning == "patient":
        above = [
            name
            for name in free
            if meaning_of(name) == "patient" and key.how == "step" and _holds(raw, name, key.column)
        ]
        return above[0] if above else key.column
    for meaning in ("patient", "group", "study", "accession"):  # a study is of one patient
        for name in free:
            if meaning_of(name) == meaning and _groups(raw[name], strict=meaning in KEYS[:-1]):
                return name
    images = raw[key.column].drop_nulls().str.contains(ENDING).any()  # names of images, whatever the column is called
    return key.column if meaning_of(key.column) == "patient" and not images else None


def _holds(raw: pl.DataFrame, name: str, inner: str) -> bool:
    """Whether a column tells fewer things apart than another, each of which is of one of them: patients and their slides."""
    pairs = raw.select(name, inner).drop_nulls().unique()
    return pairs[name].n_unique() < pairs[inner].n_unique() == pairs.height


def _groups(column: pl.Series, *, strict: bool) -> bool:
    """Whether values can tell patients apart: no one of them is that of most rows, and (strictly) they repeat."""
    values = column.drop_nulls()
    if not len(values):
        return False
    counts = values.value_counts()["count"].to_list()
    most, kinds = max(counts), len(counts)
    if most > SHARED * len(values) and len(values) >= FEWEST_SHARED:
        return False
    return not strict or (FEWEST * len(values) < kinds < MOST * len(values) and kinds > 3)


def _patient_by_values(
    raw: pl.DataFrame, seen: Seen, free: list[str], key: Key, labels: LabelColumns | None
) -> str | None:
    """A column whose values are the patients of the headers, steps of the rows' own paths, or numbered and repeated."""
    free = [name for name in free if (labels is None or name not in labels.columns) and _groups(raw[name], strict=True)]
    free = [name for name in free if meaning_of(name) not in ("label", "sop", "series", "study", "accession", "site")]
    if not free:
        return None
    if key.how == "path" and key.meaning == "path":
        for found in keys_of(raw, seen, free, "patient", steps=False):
            if found.how == "header" and found.matched >= 0.5 * found.of:
                return found.column
        rows = raw.select(key.column, *free).drop_nulls(key.column)
        rows = rows.gather_every(max(1, rows.height // SAMPLE))
        matches = match_paths(rows[key.column].to_list(), seen.files).found
        for name in free:
            pairs = [(matches.get(p), v) for p, v in rows.select(key.column, name).iter_rows() if v is not None]
            hits = [str(value).casefold() in steps_of(file) for file, value in pairs if file]
            if sum(hits) >= MOST * len(hits) and 2 * len(hits) > len(pairs):
                return name
    free = [name for name in free if not weak_label(name)]
    telling = [name for name in free if _are_names(raw[name].drop_nulls().unique())]
    return min(telling, key=lambda name: raw[name].n_unique()) if telling else None


def _are_names(values: pl.Series) -> bool:
    """Whether values are numbered as patients are, and no bare numbers, which may measure something."""
    dates = all(map(DATE.fullmatch, values.head(SAMPLE)))
    grades = bool(values.str.contains(GRADE).all())
    numbers = bool(values.str.contains(r"^[-+]?[\d.,]+$").all())
    return not (dates or grades or numbers) and looks_like_identifiers(values.to_list())


def _check_unnamed(raw: pl.DataFrame, free: list[str], path: Path) -> None:
    """DataError where a column may hold patients, whom nothing else tells apart: repeated numbers below a name that says nothing (x
    beside y is a place), or numbers below any unknown name that stand in blocks, as rows of one patient do."""
    places = box_columns(free)
    for name in (name for name in free if name not in places):
        whole = raw[name].drop_nulls().str.contains(r"^\d+(\.0*)?$")
        unknown = meaning_of(name) is None and not is_attribute(name) and _in_blocks(raw[name])
        if (says_nothing(name) or unknown) and len(whole) and whole.all() and _groups(raw[name], strict=True):
            raise DataError(
                f"The column '{name}' of '{path}' holds repeated whole numbers, perhaps of patients, who must not stand on both"
                f" sides of a split: say {option('patient', name)}, or {option('ignore', name)}."
            )


def _in_blocks(column: pl.Series) -> bool:
    """Whether whole numbers are too large for a measure or count up, and none comes back once another has followed."""
    values = column.drop_nulls()
    values = values.filter(values.str.contains(r"^\d{1,15}$"))
    kinds = values.unique(maintain_order=True)
    if len(kinds) <= FEWEST_BLOCKS or values.rle_id()[-1] + 1 > len(kinds) or all(map(DATE.fullmatch, kinds.to_list())):
        return False
    numbers = kinds.cast(pl.Int64)
    return int(numbers.min()) > OLDEST or bool((numbers.diff().drop_nulls() == 1).all())  # type: ignore[arg-type]


def _check_names(raw: pl.DataFrame, free: list[str], labels: LabelColumns, path: Path) -> None:
    """DataError where a column that is called as paths holds a few repeated values: names may stand above the wrong columns."""
    for name in free:
        kinds = raw[name].drop_nulls().n_unique()
        if not labels.sure and kinds * 3 <= raw.height:
            ways = dict.fromkeys(option("label", each) for each in (name, labels.columns[0]))
            raise DataError(
                f"The column '{name}' of '{path}' names no image but repeats {kinds} values, as labels do; say"
                f" {' or '.join(ways)}."
            )


def _asked_labels(asked: Asked) -> LabelColumns | None:
    if "label" in asked.columns and "findings" in asked.columns:
        raise UsageError("--column names both label and findings; name one of them.")
    names = asked.columns.get("findings") or asked.columns.get("label")
    return LabelColumns(names, len(names) > 1, "asked") if names else None
