"""Columns that say something of a person, as smoking or diabetes, and nothing of one image."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

__all__ = ["columns_of_persons"]

CHANCE = 0.001  # of a column of images whose values never differ within a person


def columns_of_persons(raw: pl.DataFrame, person: str, flags: Sequence[str], others: Sequence[str] = ()) -> list[str]:
    """The columns whose values never differ between the rows of one person, where other columns of yes and no (`flags`) differ so
    often that this is no chance; none where it may be.

    Of n persons with several rows and a rarer value all agree with a probability of (1 - q)^n, with q the share of those who do not
    agree in the columns that ever differ. Where that is next to nothing for one column, all that never differ are persons'.

    >>> raw = pl.DataFrame({"patient": [n // 2 for n in range(40)], "insulin": [n // 2 % 2 for n in range(40)]})
    >>> raw = raw.with_columns(edema=pl.Series([n % 2 for n in range(40)]))
    >>> columns_of_persons(raw, "patient", ["insulin", "edema"]), columns_of_persons(raw.head(4), "patient", ["insulin", "edema"])
    (['insulin'], [])
    """
    rows = raw.drop_nulls(person).filter(pl.len().over(person) > 1)
    told: dict[str, tuple[int, int]] = {}
    for name in (*flags, *others):
        values = rows.select(person, value=pl.col(name).cast(pl.String).fill_null(""))
        common = values["value"].value_counts(sort=True)["value"].head(1)
        each = values.group_by(person).agg(
            rare=(~pl.col("value").is_in(common.implode())).any(), kinds=pl.col("value").n_unique()
        )
        rare = each.filter("rare")
        told[name] = rare.height, int((rare["kinds"] > 1).sum())
    differing = [told[name] for name in flags if told[name][1]]
    share = sum(differ for _, differ in differing) / (sum(count for count, _ in differing) + 1)
    never = [name for name, (count, differ) in told.items() if count and not differ]
    return never if any((1 - share) ** told[name][0] < CHANCE for name in never if name in flags) else []
