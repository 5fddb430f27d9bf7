"""Several findings an image: `A|B` in a column, or a column a finding with 1, 0, -1 and blank."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from evenray.core.errors import DataError, UsageError
from evenray.core.messages import Message

from .meanings import FLAGS
from .positive import healthy
from .words import MISSING, quoted

__all__ = [
    "FINDINGS",
    "Told",
    "Uncertain",
    "findings_in_columns",
    "findings_in_text",
    "flag_columns",
    "nearly_flags",
    "one_class",
]

FINDINGS = pl.List(pl.Boolean)
Uncertain = Literal["ignore", "positive", "negative"]
LIST = re.compile(r"""[\[({](?!\s*"[^"]*"\s*:)(.*)[\])}]""", re.DOTALL)  # not a JSON object
SHOWN = 4
# Vectors of 0 and 1, as they are printed, or as lists in JSON become texts.
VECTOR = r"^[\[(] *[01]\.?0*(?:[ ,]+[01]\.?0*)+ *[\])]$|^[01](?:\|[01]){2,}$"
MOST_PLACES = 1000
FEW_BLANK, SOME_BLANK = 0.1, 0.3  # shares of rows: below the first blanks are slips, between the two it is asked
FEW_STRANGE = 0.25  # of the values that are yes or no
NUMBER = re.compile(r"[-+]?\d*[.,]?\d+")
OUTER = re.compile(r"^['\"]|['\"]$")


@dataclass(frozen=True)
class Told:
    """What the rows say: `values` is one class a row (text), or a list of findings (FINDINGS, in the order of `names`)."""

    values: pl.Series
    names: tuple[str, ...] = ()
    notes: tuple[Message, ...] = ()


def flag_columns(raw: pl.DataFrame, columns: Iterable[str]) -> list[str]:
    """The columns that say yes, no, uncertain or nothing, and yes at least once.

    >>> raw = pl.DataFrame({"Edema": ["1.0", None, "-1"], "grade": ["0", "1", "2"], "device": [None, None, "1"]})
    >>> flag_columns(raw, raw.columns)
    ['Edema', 'device']
    """
    found = []
    for name in columns:
        values = raw[name].drop_nulls().unique().head(len(FLAGS) + len(MISSING) + 1)
        words = {value.casefold() for value in values.to_list() if value not in MISSING}
        if words <= FLAGS.keys() and any(_flags_of(words).values()):
            found.append(name)
    return found


def _flags_of(words: Iterable[str]) -> dict[str, bool | None]:
    """What each word means; an x beside no o is a mark, and says yes.

    >>> _flags_of(["O", "X"]), _flags_of(["x"])
    ({'O': True, 'X': False}, {'x': True})
    """
    plain = {word: word.casefold() for word in words}
    marks = "o" not in plain.values()
    return {word: True if marks and flag == "x" else FLAGS[flag] for word, flag in plain.items()}


def nearly_flags(column: pl.Series) -> str | None:
    """The word that keeps a column from being one of yes and no, where all but a few of its values are these.

    >>> nearly_flags(pl.Series(["0", "1", "0", "0", "1", "tru"])), nearly_flags(pl.Series(["0", "1", "2"]))
    ('tru', None)
    """
    counts = dict(column.drop_nulls().value_counts().iter_rows())
    strange = [word for word in counts if word not in MISSING and word.casefold() not in FLAGS]
    rest = sum(count for word, count in counts.items() if word not in strange)
    few = strange and sum(counts[word] for word in strange) <= FEW_STRANGE * rest
    return min(strange) if few and not any(NUMBER.fullmatch(word) for word in strange) else None


def findings_in_columns(raw: pl.DataFrame, columns: Sequence[str], uncertain: Uncertain, *, several: bool) -> Told:
    """A column a finding: one class a row where every row says yes in one column alone and nothing is uncertain, else lists.

    -1 is what `uncertain` says; ignored, it is unknown. A blank is unknown too; but in tables that say -1, or never no in a
    column, as reports are read by CheXpert's labeller, a blank means that the report does not mention it, which is taken as
    no, in rows that say anything. A column such as No Finding is none itself: it says no to all that its row leaves open. With
    `several` the rows are findings even where each has one.
    """
    raw = raw.with_columns(pl.col(list(columns)).replace(dict.fromkeys(MISSING)))
    words = {value for name in columns for value in raw[name].drop_nulls().unique().to_list()}
    if strange := sorted(word for word in words if word.casefold() not in FLAGS):
        raise UsageError(
            f"The columns of findings hold '{strange[0]}', which is neither yes, no nor uncertain; say what it means, as"
            f" with --column 'findings=...:{strange[0]}=1', or name the column as label={columns[0]}."
        )
    known = _flags_of(words)
    flags = raw.select(pl.col(name).replace_strict(known, default=None, return_dtype=pl.Boolean) for name in columns)
    if False not in known.values() and not raw.select(columns).null_count().sum_horizontal().item():
        known |= dict.fromkeys(
            (word for word, flag in known.items() if flag is None), False
        )  # -1 is all that can mean no
        flags = flags.with_columns(pl.all().fill_null(False))
    if all(known.values()) and bool((flags.select(pl.sum_horizontal(pl.all().is_not_null())).to_series() == 1).all()):
        flags = flags.fill_null(False)  # a mark in each row
    doubtful = [word for word, flag in known.items() if flag is None]
    doubts = raw.select(pl.col(name).is_in(doubtful).fill_null(False) for name in columns)
    if not several and not doubtful and one_class(flags, SOME_BLANK) and not one_class(flags):
        together = "+".join(map(quoted, columns))
        raise DataError(
            f"In the columns {', '.join(map(repr, columns[:SHOWN]))} every row that leaves nothing blank says yes once, and more than"
            f" {FEW_BLANK:.0%} leave something blank: for one class an image fill these in or leave them out, for several findings say"
            f" --column 'findings={together}'."
        )
    if not several and not doubtful and one_class(flags):
        position = flags.select(pl.concat_list(pl.all().fill_null(False).cast(pl.UInt8)).list.arg_max()).to_series()
        one = flags.select(pl.any_horizontal(pl.all().fill_null(False))).to_series()
        classes = pl.Series(list(columns)).gather(position)
        classes = pl.select(pl.when(one).then(classes)).to_series()
        return Told(classes, (), (Message("scan.one_hot", {"count": len(columns)}),))
    notes: list[Message] = []
    none = [name for name in columns if healthy(name) and not _of_one_thing(name, columns)]
    names = [name for name in columns if name not in none]
    if not names:
        names, none = list(columns), []
    report = bool(doubtful) or any(not (flags[name] == False).any() for name in columns)  # noqa: E712
    said = (
        flags.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        | doubts.select(pl.any_horizontal(pl.all())).to_series()
    )
    clear = (
        flags.select(pl.any_horizontal(pl.col(none).fill_null(False))).to_series()
        if none
        else pl.Series([False]).new_from_index(0, raw.height)
    )
    answer = {"positive": True, "negative": False, "ignore": None}[uncertain]
    lists = []
    for name in names:
        column = flags[name].zip_with(
            ~doubts[name], pl.Series([answer], dtype=pl.Boolean).new_from_index(0, raw.height)
        )
        blank = flags[name].is_null() & ~doubts[name]
        no = blank & (clear | said if report else clear)
        lists.append(column.zip_with(~no, pl.Series([False]).new_from_index(0, raw.height)).alias(name))
    whole = pl.DataFrame(lists)
    values = whole.select(pl.concat_list(pl.all()).alias("findings")).to_series()
    empty = whole.select(pl.all_horizontal(pl.all().is_null())).to_series()
    values = pl.select(pl.when(~empty).then(values)).to_series().cast(FINDINGS)
    silent = not none and all((flags[name] != False).all() for name in columns)  # noqa: E712
    if silent and not several and not doubtful and int(empty.sum()) > FEW_BLANK * len(empty):
        asked = f"findings={'+'.join(map(quoted, columns))}"
        raise DataError(
            f"The columns {', '.join(map(repr, columns[:SHOWN]))} say yes or nothing, and {empty.sum()} of {len(empty)} rows say"
            f" nothing at all: where these have no finding, say --column '{asked}:blank=0', where nobody looked, --column '{asked}'."
        )
    if count := int(doubts.select(pl.sum_horizontal(pl.col(names).cast(pl.UInt32)).sum()).item() or 0):
        notes.append(Message("scan.uncertain", {"count": count, "variant": uncertain}))
    blanks = sum(int((flags[name].is_null() & ~doubts[name] & ~empty).sum()) for name in names)
    if blanks:
        notes.append(Message("scan.blank_no" if report else "scan.blank_unknown", {"count": blanks}))
    if none:
        notes.append(Message("scan.no_finding", {"names": none}))
    return Told(values, tuple(names), tuple(notes))


def _of_one_thing(name: str, columns: Iterable[str]) -> bool:
    """Whether a healthy name speaks of one thing alone, of which another finding speaks too: `ETT - Normal` beside `ETT - Abnormal`.

    >>> _of_one_thing("ETT - Normal", ["ETT - Abnormal"]), _of_one_thing("No Finding", ["Edema", "Nodule"])
    (True, False)
    """
    thing = re.split(r"[\W_]+", name.strip().casefold())[0]
    others = [other for other in columns if not healthy(other)]
    return not healthy(thing) and any(re.split(r"[\W_]+", other.strip().casefold())[0] == thing for other in others)


def one_class(flags: pl.DataFrame, most_blank: float = FEW_BLANK) -> bool:
    """Whether every row says yes in one column alone; a few rows, a share `most_blank` of them, may leave something blank."""
    blank = flags.select(pl.any_horizontal(pl.all().is_null())).to_series()
    yes = flags.select(pl.sum_horizontal(pl.all().fill_null(False).cast(pl.UInt32))).to_series()
    whole = yes.filter(~blank)
    few = blank.sum() <= most_blank * flags.height
    return flags.width > 1 and few and len(whole) > 0 and bool((whole == 1).all()) and bool((yes <= 1).all())


def findings_in_text(column: pl.Series, *, several: bool) -> Told | None:
    """Several findings in one text, `A|B`, `A; B`, `A, B` or `['A', 'B']`; None where the texts are single classes.

    Vectors of 0 and 1 are a finding a place. Numbers may also be put apart by spaces, `16 0`. A comma or semicolon separates only
    where one of its parts is found elsewhere as well, alone or beside another: the class 'normal, benign' is one. A word such as
    No Finding is no finding of its own: it says no to all of them. With `several` single classes are findings too.

    >>> told = findings_in_text(pl.Series(["Mass|Edema", "Edema|Mass", "No Finding", None, "Edema"]), several=False)
    >>> told.names, told.values.to_list()
    (('Edema', 'Mass'), [[True, True], [True, True], [False, False], None, [True, False]])
    >>> findings_in_text(pl.Series(["normal, benign", "malignant"]), several=False) is None
    True
    """
    texts = column.drop_nulls().unique().sort().to_list()
    if (vectors := _vectors(column)) is not None:
        return findings_in_columns(vectors, vectors.columns, "ignore", several=several)
    parts = _parted(texts)
    if parts is None and several:
        parts = {text: (text,) for text in texts}
    if parts is None:
        return None
    # A number beside others is the number of a class: 0 is no word for nothing there.
    beside = {part for found in parts.values() if len(found) > 1 for part in found if part.isdecimal()}
    none = sorted({part for found in parts.values() for part in found if healthy(part)} - beside)
    names = _in_order({part for found in parts.values() for part in found} - set(none))
    if not names:
        return None
    if (
        not several
        and all(len(set(found)) <= 1 for found in parts.values())
        and not any(not found for found in parts.values())
    ):
        plain = {text: found[0] for text, found in parts.items()}
        return Told(column.replace_strict(plain, default=None, return_dtype=pl.String))
    lists = {text: [name in found for name in names] for text, found in parts.items()}
    index = {text: number for number, text in enumerate(lists)}
    rows = pl.Series("findings", list(lists.values()), dtype=FINDINGS)
    at = column.replace_strict(index, default=None, return_dtype=pl.UInt32)
    notes = (Message("scan.no_finding", {"names": none}),) if none else ()
    return Told(rows.gather(at), tuple(names), notes)


def _in_order(names: set[str]) -> list[str]:
    """By name; numbers by their size."""
    return sorted(names, key=lambda name: (int(name) if name.isdecimal() else 0, name))


def _vectors(column: pl.Series) -> pl.DataFrame | None:
    """A column a place, called by its number, of texts such as [0, 1, 0]: as many 0 and 1 in every row; None for any other."""
    if not column.count() or not column.drop_nulls().str.contains(VECTOR).all():
        return None
    numbers = column.str.extract_all(r"[01](?:\.0*)?").list.eval(pl.element().str.slice(0, 1))
    width = numbers.drop_nulls().list.len()
    if width.n_unique() != 1 or width[0] > MOST_PLACES:
        return None
    return pl.DataFrame([numbers.list.get(at).alias(f"class {at}") for at in range(width[0])])


def _parted(texts: list[str]) -> dict[str, tuple[str, ...]] | None:
    """The parts of each text, by the sign that separates them; None where none does."""
    if texts and all(LIST.fullmatch(text) for text in texts):
        # numpy writes the texts of an array without commas
        return {text: _split(re.sub(r"(?<=['\"])\s+(?=['\"])", ",", LIST.fullmatch(text)[1]), ",") for text in texts}  # type: ignore[index]
    none = [text for text in texts if (found := LIST.fullmatch(text)) and not found[1].strip()]
    numbers = all(re.fullmatch(r"[\d ]+", text) for text in texts)  # only numbers of classes are put apart by spaces
    for sign in ("|", ";,", ";", ",", "/", "+", *((" ",) if numbers else ())):
        parts = {text: () if text in none else _split(text, sign) for text in texts}
        several = [found for found in parts.values() if len(found) > 1]
        if not several:
            continue
        if sign == "|" or (_recur(parts, sign) and not _qualify(parts)):
            return parts
    return {text: () if text in none else (text,) for text in texts} if none else None


def _recur(parts: dict[str, tuple[str, ...]], sign: str) -> bool:
    """Whether most parts of what a sign separates are found elsewhere too, alone or beside others."""
    count: dict[str, int] = {}
    for found in parts.values():
        for part in set(found):
            count[part] = count.get(part, 0) + 1
    joined = {part for found in parts.values() if len(found) > 1 for part in found}
    again = sum(count[part] > 1 for part in joined)
    return again * 2 > len(joined) if sign in ";, " else again == len(joined)


def _qualify(parts: dict[str, tuple[str, ...]]) -> bool:
    """Whether what stands behind a sign never stands before one or alone: `Carcinoma, NOS` is one class and no list."""
    firsts = {found[0] for found in parts.values() if found}
    behind = {part for found in parts.values() for part in found[1:]}
    return len(behind) > 1 and len(parts) > len(firsts) and firsts.isdisjoint(behind)


def _split(text: str, sign: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            name for part in re.split(f"[{re.escape(sign)}]", text) if (name := OUTER.sub("", part.strip()).strip())
        )
    )
