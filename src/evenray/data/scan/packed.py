"""Many small tables on their way to one: held as they are they take three times its memory, so they are packed as they come."""

from __future__ import annotations

import io

import polars as pl

__all__ = ["Packed"]

MANY = 64  # tables that are packed together


class Packed:
    """Tables, added one by one, and in the end all of them as one, in order; columns that some lack are null there.

    >>> tables = Packed()
    >>> tables.add(pl.DataFrame({"a": [1]}))
    >>> tables.add(pl.DataFrame({"a": [2]}))
    >>> tables.table()["a"].to_list()
    [1, 2]
    """

    def __init__(self) -> None:
        self.packed: list[bytes] = []
        self.loose: list[pl.DataFrame] = []

    def add(self, table: pl.DataFrame) -> None:
        self.loose.append(table)
        if len(self.loose) == MANY:
            with io.BytesIO() as file:
                pl.concat(self.loose, how="diagonal_relaxed").write_ipc(file, compression="lz4")
                self.packed.append(file.getvalue())
            self.loose.clear()

    def table(self) -> pl.DataFrame:
        """All of them, in order; what was packed is let go."""
        tables = [*map(pl.read_ipc, self.packed), *self.loose]
        self.packed.clear()
        self.loose.clear()
        return pl.concat(tables, how="diagonal_relaxed")
