"""What every stage works with: the run folder, the recipe, and how to compute and to show progress."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from evenray.core.artefacts import RunFolder, atomic, digest, now, sweep
from evenray.core.errors import UsageError
from evenray.core.processes import processes
from evenray.core.progress import Progress, Silent
from evenray.core.recipe import Recipe
from evenray.core.types import Dataset
from evenray.data.exclusions import EXCLUSIONS
from evenray.data.scan import check_exclusions, load, read_exclusions, without
from evenray.scale import fetched, is_url

if TYPE_CHECKING:
    from evenray.data.scan.entries import Listing
    from evenray.learning.plan import Plan
    from evenray.learning.train.alone import Alone, Machine

__all__ = ["Context"]

SCANNED_BY = ("labels", "patient", "value_range", "positive")
PACKAGES = (
    "evenray",
    "torch",
    "numpy",
    "opencv-python-headless",
    "pydicom",
    "polars",
    "scikit-learn",
    "lightning-fabric",
)


@dataclass
class Context:
    """One run under way. `data` is what the user pointed at, as typed; `given` a data set that is scanned already.

    Within an epoch, training is saved every `save_every` minutes; it `shares` while other processes train along."""

    folder: RunFolder
    data: str
    recipe: Recipe
    device: str = "auto"
    language: str = "en"
    map: Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]] = map
    progress: Progress = field(default_factory=Silent)
    given: Dataset | None = None
    save_every: float = 10.0
    shares: bool = False

    @cached_property
    def fabric(self) -> Alone:
        from evenray.learning.train import keep_malloc, machine

        keep_malloc()
        return machine(self.device)

    @cached_property
    def kind(self) -> str:
        """The kind of the device, which training depends on."""
        return str(self.fabric.device.type)

    @cached_property
    def source(self) -> Path:
        """The data as a path: of a URL, its local copy."""
        return fetched(self.data) if is_url(self.data) else Path(self.data)

    @cached_property
    def team(self) -> Machine | None:
        """The processes that torchrun or srun started for this run, this one among them; None where it is alone."""
        if processes().count == 1:
            return None
        from evenray.learning.train import keep_malloc
        from evenray.learning.train.machine import team

        keep_malloc()
        return team(self.device)

    @cached_property
    def listed(self) -> Listing:
        """What there is to scan."""
        from evenray.data.scan.listing import listing

        labels = self.recipe.labels
        labels = str(fetched(labels)) if labels is not None and is_url(labels) else labels
        return listing(self.source, labels=labels, patient=self.recipe.patient)

    @cached_property
    def root(self) -> Path:
        """What the cases' paths are relative to."""
        return self.listed.root.resolve()

    def forget_listing(self) -> None:
        """Let go of the list of files, which after the scan nobody needs, and which takes 300 bytes a file."""
        if "listed" in self.__dict__:
            _ = self.root
            del self.listed

    @cached_property
    def exclusions(self) -> pl.DataFrame:
        """What the user leaves out, case and reason; as the run folder remembers it where the file is gone."""
        asked = self.recipe.exclude
        if not asked:
            return pl.DataFrame(schema=EXCLUSIONS)
        gone = not Path(asked).exists() and self.folder.has("excluded.csv")
        if gone and self.folder.read_json("recipe.json").get("exclude") == asked:
            kept = pl.read_csv(self.folder / "excluded.csv", infer_schema=False)
            return kept.filter(pl.col("by") == "user").select(list(EXCLUSIONS))
        return read_exclusions(asked)

    def whole(self) -> Dataset:
        """The data set before the split, without what the user leaves out."""
        found = load(self.folder, split=False)
        return without(found, check_exclusions(found, self.exclusions))

    @cached_property
    def near(self) -> list[tuple[str, ...]]:
        """Groups of cases that are nearly the same image."""
        from evenray.data.split import near_groups_of

        return near_groups_of(self.whole())

    @cached_property
    def dataset(self) -> Dataset:
        """The split data set, read back from the run folder."""
        return load(self.folder)

    @cached_property
    def plan(self) -> Plan:
        from evenray.learning.plan import fingerprint, make

        plan = make(self.dataset, self.recipe, gpu=self.fabric.device.type != "cpu")
        if processes().rank == 0:
            self.folder.write_json("plan.json", {"fingerprint": fingerprint(self.dataset), "choices": plan.choices()})
        return plan

    def key(self, stage: str, parts: Sequence[Any], after: Sequence[str]) -> str:
        """The digest of all that a stage depends on: its own settings and the bytes of the stages before it."""
        return digest([stage, version(), list(parts), {name: self.folder.stamp(name) for name in after}])

    def images_are_away(self) -> bool:
        """Whether the images are gone (a disk that is not mounted, say) but the table of cases, asked for alike, stands."""
        if (
            self.given is not None
            or is_url(self.data)
            or Path(self.data).exists()
            or not self.folder.has("recipe.json")
        ):
            return False
        former = Recipe.of(self.folder.read_json("recipe.json"))
        alike = all(getattr(former, name) == getattr(self.recipe, name) for name in SCANNED_BY)
        return alike and self.folder.intact("scan")

    def require_same_data(self) -> None:
        """UsageError where the folder holds a run of other images: it would be replaced.

        Images that are not where they were may have been moved here; those are let through.
        """
        if not self.folder.ledger["stages"] or not self.folder.has("recipe.json"):
            return
        former = str(self.folder.read_json("recipe.json")["data"])
        if is_url(former) or is_url(self.data):
            other = former != self.data
        else:
            there = Path(self.folder.ledger.get("directory") or "", former)
            former, other = str(there), there.exists() and not (self.source.exists() and there.samefile(self.source))
        if other:
            raise UsageError(
                f"'{self.folder.path}' holds a run of '{former}', not of '{self.data}'; name another folder with -o."
            )

    def begin(self) -> bytes | None:
        """Write what is asked for and where it runs; returns the former recipe.json, None in a new folder."""
        former = (self.folder / "recipe.json").read_bytes() if self.folder.has("recipe.json") else None
        sweep(self.folder.path)
        self.folder.write_json("recipe.json", {"data": self.data, **self.recipe.asked()})
        about = {
            "evenray": version(), "python": sys.version.split()[0], "packages": packages(),
            "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
            "directory": str(Path.cwd()),
        }  # fmt: skip

        def change(ledger: dict[str, Any]) -> None:
            started = ledger.get("started", now())
            ledger.update({**about, "started": started})

        self.folder.note(change)
        return former

    def withdraw(self, former: bytes | None, *, mistake: bool) -> None:
        """After an error: a mistaken recipe gives way to the former one, and a folder in which nothing was done goes."""
        if former is not None:
            if mistake:
                with atomic(self.folder / "recipe.json") as path:
                    path.write_bytes(former)
        elif not self.folder.ledger["stages"]:
            for name in ("recipe.json", "provenance.json"):
                (self.folder / name).unlink(missing_ok=True)
            with suppress(OSError):
                self.folder.path.rmdir()


def version() -> str:
    return importlib.metadata.version("evenray")


def packages() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):  # OpenCV, say, has packages of several names
            found[name] = importlib.metadata.version(name)
    return found
