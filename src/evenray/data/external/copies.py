"""What another set shares with the images of a run: the same pixels, nearly the same pictures, and the same patients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from evenray.core.names import as_path
from evenray.core.types import PARTS, Dataset
from evenray.data.audit import near_copies
from evenray.data.scan.entries import Listing
from evenray.data.scan.scanning import identities
from evenray.data.tables.join import patients_told
from evenray.data.tables.pseudonym import case_names, draw_key

__all__ = ["Shared", "key_of", "patients_under", "shared"]

LEARNT = ("train", "validation")  # what the network, its calibration and its threshold have seen


@dataclass(frozen=True)
class Shared:
    """Cases of the other set, by name: `pixels` are images that the run learnt from, `tested` images of its test part, and `near`
    are either, changed a little; `patients` have images of a patient that the run learnt from. `compared` says whether patients
    could be."""

    pixels: tuple[str, ...]
    tested: tuple[str, ...]
    near: tuple[str, ...]
    patients: tuple[str, ...]
    compared: bool


def shared(other: Dataset, own: Dataset, patients: pl.Series | None) -> Shared:
    """What `other` shares with `own`, the divided data set of a run; blank images are no copies of each other. Near copies are
    found as the audit finds them.

    `patients` are those of the other set under the key of the run, in the order of its cases; None where there is no key to be
    had. Then patients can be told to be the same only where both sets were scanned with one key.
    """
    learnt = own.cases.filter(pl.col("part").is_in(LEARNT))
    compared = patients is not None
    cases = other.cases.with_columns(who=other.cases["patient"] if patients is None else patients)
    plain = cases.filter(pl.col("std") > 0) if "std" in cases.columns else cases

    def with_pixels_of(table: pl.DataFrame) -> tuple[str, ...]:
        hashes = table["pixel_hash"].drop_nulls().implode()
        return tuple(plain.filter(pl.col("pixel_hash").is_in(hashes))["case"].to_list())

    people = learnt["patient"].drop_nulls().implode()
    same = tuple(cases.filter(pl.col("who").is_in(people).fill_null(False))["case"].to_list())
    pixels = with_pixels_of(learnt)
    tested = tuple(
        name for name in with_pixels_of(own.cases.filter(pl.col("part") == "test")) if name not in set(pixels)
    )
    seen = {*pixels, *tested}
    used = own.with_cases(own.cases.filter(pl.col("part").is_in(PARTS)))
    near = tuple(name for name in near_copies(used, other) if name not in seen)
    return Shared(pixels, tested, near, same, compared or bool(same))


def key_of(own: Dataset, files: Iterable[str]) -> bytes | None:
    """The key that the patients of a run have their pseudonyms by, drawn again from its images; `files` are those listed, in order.

    None where the images are gone or changed: then the names of the cases come out otherwise.
    """
    key = draw_key(as_path(Path(own.root) / file) for file in files)
    some = own.cases.head(1)
    names_files = own.facts.names_files
    archive = some["file"][0].lower().endswith(".npz")
    again = case_names(key, own.cases["file"], own.cases["fragment"], files_named=bool(names_files))
    if names_files or archive:  # names that no key is in
        return key
    return key if set(own.cases["case"].to_list()) <= set(again.to_list()) else None


def patients_under(other: Dataset, listed: Listing, key: bytes) -> pl.Series:
    """The patients of the cases as another key has them, in their order; headers are read once more, no pixels."""
    rows = identities(listed, key)
    found = patients_told(rows, listed.table, key) if listed.table is not None else rows.select("file", "patient")
    found = found.unique("file", keep="first")
    if (
        listed.entries and listed.entries[0].fragment is not None
    ):  # an archive, of whose images nobody knows the patients
        return pl.Series("who", [None] * len(other), dtype=pl.String)
    return other.cases.select("file").join(found, on="file", how="left", maintain_order="left")["patient"].alias("who")
