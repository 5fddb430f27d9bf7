"""How the rows of a table find images: which of its columns holds paths, identifiers of the headers, or names of folders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from .identifiers import canonical
from .match_paths import ENDING, as_number, folded, match_paths
from .meanings import KEYS, meaning_of
from .seen import Seen, unpadded

__all__ = ["Key", "best_keys", "counts_rows", "files_of", "keys_of", "others_images", "values_at"]

HALF, NEARLY = 0.5, 0.9
KIND = re.compile(r"[-_ ](study|series|image|exam|scan|patient|subject|case)$")  # as SIIM's 00086460a852_study
FEWEST_RIVAL = 0.1  # share of the images that a column finds which another finds beside them
SHARED = ("series", "study", "accession", "patient")  # what several images have in common
PLAIN = ("accession", "patient")  # identifiers that people type
OTHERS = {"label", "site", "split", "sex", "age", "side", "view", "reader"}  # whose values may well be names of folders
ATTRIBUTES = {
    "sop": "sop_instance_uid",
    "series": "series_instance_uid",
    "study": "study_instance_uid",
    "accession": "accession_number",
    "patient": "patient_id",
}


@dataclass(frozen=True)
class Key:
    """A column that finds images. `how` says by what: file names ("path"), steps of their paths ("step") or headers.

    `matched` of `of` different values find an image, in the headers of a sample where `how` is "header". `position` is the step
    of a path in the column that holds the identifier, counted from its end; None where the whole value does. `exact` counts
    the signs of a path: folders and an ending. `named` says that the column's name tells the same.
    """

    column: str
    meaning: str
    how: Literal["path", "step", "header"]
    matched: int
    of: int
    exact: int = 0
    named: bool = False
    position: int | None = None

    @property
    def rank(self) -> int:
        """How exact it is, the most exact first: images, series, studies, patients."""
        return KEYS.index(self.meaning)


def values_at(column: pl.Series, position: int | None) -> pl.Series:
    """The values, or the step of a path that stands at a position from its end."""
    if position is None:
        return column
    steps = column.str.replace_all("\\", "/", literal=True).str.replace(ENDING, "").str.split("/")
    return steps.list.get(-1 - position, null_on_oob=True).alias(column.name)


def keys_of(
    raw: pl.DataFrame, seen: Seen, columns: Iterable[str], asked: str | None = None, *, steps: bool = True
) -> list[Key]:
    """All the ways in which these columns find images; with `asked`, ways of that meaning alone; without `steps`, not by
    steps of their paths, which takes longest."""
    found: list[Key] = []
    for name in columns:
        values = raw[name].drop_nulls().unique(maintain_order=True)
        if not len(values) or (len(values) < 2 and asked is None and meaning_of(name) not in KEYS):
            continue
        said = asked or meaning_of(name)
        repeated = len(values) / max(1, raw[name].count())
        plain = values.str.replace_all("\\", "/", literal=True).str.to_lowercase()
        numbers = bool(plain.str.contains(r"^[-+]?\d{1,4}([.,]0*)?$").all())
        trusted = said in KEYS or said == "group" or not numbers or repeated > HALF
        if asked in (None, "path"):
            found += _by_path(name, plain, seen, said, trusted)
        if asked is None or asked != "path":
            found += _by_header(name, values, seen, asked, said)
        if steps and asked in (None, *SHARED) and trusted and said not in OTHERS:
            found += _by_step(name, plain, seen, said, asked, repeated)
    return found


def best_keys(keys: list[Key]) -> list[Key]:
    """Of the most exact keys the ones that find most images: several only where nothing tells which is meant."""
    if not keys:
        return []
    rank = min(key.rank for key in keys)
    equal = [key for key in keys if key.rank == rank]
    most = max(key.matched for key in equal)
    equal = [key for key in equal if key.matched >= NEARLY * most]

    def order(key: Key) -> tuple[bool, int, bool]:
        return key.named, key.exact, key.how != "step"

    top = max(order(key) for key in equal)
    return [key for key in equal if order(key) == top]


def _by_path(name: str, plain: pl.Series, seen: Seen, said: str | None, trusted: bool) -> list[Key]:
    names = pl.DataFrame({"name": plain.str.extract(r"([^/]*)$")})
    hits = names.select(folded(pl.col("name"))).to_series().is_in(seen.stems.implode())
    if said in (None, "path"):  # a patient's number is no image's
        hits |= names.select(as_number(pl.col("name"))).to_series().is_in(seen.numbers.implode())
    matched = int(hits.sum())
    share = matched / max(1, min(len(plain), len(seen.stems)))
    if not matched or (said != "path" and (share < HALF or not trusted or matched < 2)):
        return []
    signs = (plain.str.contains(ENDING).sum(), plain.str.contains("/").sum())
    exact = sum(count > HALF * len(plain) for count in signs)
    return [Key(name, "path", "path", matched, len(plain), exact, said == "path")]


def _by_header(name: str, values: pl.Series, seen: Seen, asked: str | None, said: str | None) -> list[Key]:
    found = []
    slashes = bool(values.head(50).str.contains(r"[/\\]").any())
    for meaning, attribute in ATTRIBUTES.items():
        if asked not in (None, meaning):
            continue
        ids = {getattr(who, attribute) for _, who in seen.identities} - {None}
        if meaning == "patient":
            ids |= {seen.patient_of(file) for file, _ in seen.identities} - {None}
            ids |= {seen.patient_of(file) for file in seen.files[:: max(1, len(seen.files) // 200)]} - {None}
        if not ids:
            continue
        best = Key(name, meaning, "header", 0, len(ids), named=said == meaning)
        for position in range(4) if slashes else (None,):
            held = values_at(values, position).drop_nulls().to_list()
            known = {canonical(value) for value in held} if meaning in PLAIN else set(held)
            hits = sum((canonical(i) if meaning in PLAIN else i) in known for i in ids)
            if hits > best.matched:
                best = Key(name, meaning, "header", hits, len(ids), named=said == meaning, position=position)
        # Long identifiers meet by no accident; short ones need a name or half of the sample.
        telling = any(len(identifier) > 16 for identifier in ids) or said in (meaning, "group")
        if best.matched and (telling or best.matched >= HALF * len(ids)):
            found.append(best)
    return found


def _by_step(
    name: str, plain: pl.Series, seen: Seen, said: str | None, asked: str | None, repeated: float
) -> list[Key]:
    """Folders above the images, or beginnings of their names: of one image each, or of a patient's, a study's, a series' all."""
    known = seen.by_step
    files: set[str] = set()
    matched = most = 0
    for value in plain.to_list():
        if hit := _step(value, known):
            matched += 1
            most = max(most, len(known[hit]))
            files.update(known[hit] if len(files) < len(seen.files) else ())
    named = said in SHARED
    share = max(matched / len(plain), len(files) / max(1, len(seen.files)))
    alone = most == 1
    if (
        not matched
        or share < (0.05 if named else NEARLY)
        or (not named and not alone and repeated < 0.2)
        or (matched < 2 and not named)
    ):
        return []
    meaning = asked or (said if named else "path" if alone else "patient")
    if meaning == "path" and said not in (None, "path"):
        meaning = "patient"
    return [Key(name, str(meaning), "step", matched, len(plain), named=named or said == "path")]


def _step(value: str, known: dict[str, list[str]]) -> str | None:
    """The step of the images' paths that a value names: the whole of it, or the rarest of its own steps."""
    value = value.strip("/")
    if value in known:
        return value
    for way in (unpadded(value), bare := KIND.sub("", value), unpadded(bare)):
        if way in known:
            return way
    if "/" not in value:
        return None
    steps = [step for step in value.split("/") if step in known]
    return min(steps, key=lambda step: len(known[step])) if steps else None


def files_of(value: str, seen: Seen) -> list[str]:
    """The images that a value finds by a step of their paths."""
    hit = _step(value.replace("\\", "/").lower(), seen.by_step)
    return seen.by_step[hit] if hit else []


def others_images(raw: pl.DataFrame, seen: Seen, best: Key, keys: list[Key]) -> list[Key]:
    """The other columns of names that find images which the best one does not find, as many as one in ten of its own."""
    rivals = [key for key in keys if key.meaning == key.how == "path" and key.column != best.column]
    rivals = [key for key in rivals if key.exact >= best.exact and key.matched > FEWEST_RIVAL * best.matched]
    if not rivals or best.meaning != "path" or best.how != "path":
        return []
    images = {
        key.column: set(match_paths(raw[key.column].drop_nulls(), seen.files).found.values()) for key in [best, *rivals]
    }
    return [key for key in rivals if len(images[key.column] - images[best.column]) > FEWEST_RIVAL * best.matched]


def counts_rows(column: pl.Series) -> bool:
    """Whether values are 0, 1, 2, ... as an index that pandas wrote has them."""
    return column.to_list() == [str(number) for number in range(len(column))]
