"""The run folder: artefacts by name, and the ledger of stages that makes a run resumable."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError
from evenray.core.memory import out_of_memory
from evenray.core.meter import Cost
from evenray.core.names import in_utf8
from evenray.core.spreadsheets import plain, to_csv

from .files import atomic, digest, file_digest, now
from .ledger import FORMAT, Done, Ledger, version
from .tables import checked, schema

__all__ = ["RunFolder"]

ROWS = 8192  # of a table that are packed together, so that writing and reading take little memory beyond them


class RunFolder:
    """The folder of one run: its files by name, and which stages are done with which settings and inputs."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def has(self, name: str) -> bool:
        return (self / name).exists()

    def write_table(self, name: str, table: pl.DataFrame) -> None:
        """Write a .csv or .parquet file."""
        with atomic(self / name) as path:
            if name.endswith(".csv"):
                path.write_text(to_csv(table), encoding="utf-8")
            else:
                with in_utf8(path) as named:
                    table.write_parquet(named, row_group_size=ROWS)

    def read_table(self, name: str) -> pl.DataFrame:
        """Read a .csv or .parquet file; DataError where it is absent, damaged or lacks what it needs."""
        path = self.needed(name)
        try:
            with in_utf8(path) as named:
                if name.endswith(".csv"):
                    table = plain(pl.read_csv(named, schema_overrides=schema(name), infer_schema_length=None))
                else:
                    table = pl.read_parquet(named)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            first = (str(error).splitlines() or [""])[0]
            if out_of_memory(error):  # which says nothing of the file
                raise MemoryError(first) from None
            raise DataError(f"{path} cannot be read ({first}); it is damaged: make it again.") from None
        return checked(table, path)

    def needed(self, name: str) -> Path:
        """The path of a file that has to be there; DataError where it is not."""
        if not self.path.is_dir():
            raise DataError(f"There is no run folder {self.path}; give the folder that 'evenray run' made.")
        path = self / name
        if not path.exists():
            raise DataError(f"{self.path} has no {name} yet; 'evenray run {self.path}' makes it.")
        return path

    # -- the ledger of stages ---------------------------------------------------------------------------------------
    @property
    def ledger(self) -> Ledger:
        """The ledger as it stands on the disk; DataError where another version made the folder."""
        path = self / Ledger.file
        if not path.exists():
            return Ledger()
        text = path.read_bytes()
        found = _format(text)
        if found not in (None, FORMAT):
            raise DataError(
                f"{self.path} was made by another version of evenray (format {found}; this version reads {FORMAT}). Run"
                " 'evenray run DATA -o NEW' with the options in its recipe.json to make it again."
            )
        return Ledger.parsed(text, path, "make the run again, in another folder")

    def note(self, change: Callable[[Ledger], Ledger]) -> None:
        """Change the ledger, atomically."""
        change(self.ledger).write(self.path)

    def stamp(self, stage: str) -> str:
        """What a later stage depends on: the digest of the outputs that `stage` left, empty where it never ran."""
        done = self.ledger.stages.get(stage)
        return digest(done.outputs) if done else ""

    def fresh(self, stage: str, settings: str, inputs: Mapping[str, str], device: str | None) -> bool:
        """Whether the stage is done with the same settings and inputs, and its outputs stand as it left them."""
        done = self.ledger.stages.get(stage)
        asked = (settings, dict(inputs), device, version())
        return (
            done is not None and (done.settings, done.inputs, done.device, done.evenray) == asked and self.intact(stage)
        )

    def intact(self, stage: str) -> bool:
        """Whether `stage` is done and its outputs stand as it left them."""
        done = self.ledger.stages.get(stage)
        return done is not None and all(
            self.has(name) and file_digest(self / name) == stamp for name, stamp in done.outputs.items()
        )

    def stale(self, stage: str) -> bool:
        """Whether what `stage` left is of other inputs than stand here now; a stage that is not in the ledger is not."""
        done = self.ledger.stages.get(stage)
        return done is not None and any(self._changed(name, stamp) for name, stamp in done.inputs.items())

    def _changed(self, name: str, stamp: str) -> bool:
        """Whether an input, a stage or a file, is another one than that of this stamp."""
        if name in self.ledger.stages:
            return self.stamp(name) != stamp or self.stale(name)
        return "." in name and stamp != (file_digest(self / name) if self.has(name) else "")

    def finish(
        self,
        stage: str,
        settings: str,
        inputs: Mapping[str, str],
        device: str | None,
        outputs: list[str],
        cost: Cost,
    ) -> None:
        """Write into the ledger that `stage` is done, and what it cost."""
        found = {name: file_digest(self / name) for name in outputs}
        done = Done(
            settings=settings, inputs=dict(inputs), device=device, evenray=version(), outputs=found,
            seconds=round(cost.seconds, 2), finished=now(), memory=cost.memory,
            device_memory=cost.device_memory,
            cpu_seconds=None if cost.cpu_seconds is None else round(cost.cpu_seconds, 2),
        )  # fmt: skip
        self.note(lambda ledger: ledger.model_copy(update={"stages": {**ledger.stages, stage: done}}))
        self.publish()

    def publish(self) -> None:
        """Send what was written to where the run lives; this folder is that place."""

    def close(self) -> None:
        """The work in the folder is over."""


def _format(text: bytes) -> int | None:
    """The format that a ledger says, 1 where it says none; None where it is no ledger."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    format = found.get("format", 1) if isinstance(found, dict) else None
    return format if isinstance(format, int) else None
