"""What every stage works with: the run folder, the recipe, and how to compute and to show progress."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from evenray.core.artefacts import RunFolder, digest, now
from evenray.core.progress import Progress, Silent
from evenray.core.recipe import Recipe
from evenray.core.types import Dataset

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from evenray.dataset.listing import Listing
    from evenray.plan import Plan

__all__ = ["Context"]

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
    """One run under way. `data` is what the user pointed at, as typed; `given` a data set that is scanned already."""

    folder: RunFolder
    data: str
    recipe: Recipe
    device: str = "auto"
    language: str = "en"
    map: Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]] = map
    progress: Progress = field(default_factory=Silent)
    given: Dataset | None = None

    @cached_property
    def fabric(self) -> Fabric:
        from evenray.train import keep_malloc, machine

        keep_malloc()
        return machine(self.device)

    @cached_property
    def listed(self) -> Listing:
        """What there is to scan."""
        from evenray.dataset.listing import listing

        return listing(self.data, labels=self.recipe.labels, patient=self.recipe.patient)

    @cached_property
    def near(self) -> list[tuple[str, ...]]:
        """Groups of cases that are nearly the same image."""
        from evenray.dataset import load
        from evenray.splitting import near_groups_of

        return near_groups_of(load(self.folder, split=False).cases)

    @cached_property
    def dataset(self) -> Dataset:
        """The split data set, read back from the run folder."""
        from evenray.dataset import load

        return load(self.folder)

    @cached_property
    def plan(self) -> Plan:
        from evenray.plan import make

        plan = make(self.dataset, self.recipe, gpu=self.fabric.device.type != "cpu")
        self.folder.write_json("plan.json", {"choices": plan.choices()})
        return plan

    def key(self, stage: str, parts: Sequence[Any], after: Sequence[str]) -> str:
        """The digest of all that a stage depends on: its own settings and the bytes of the stages before it."""
        return digest([stage, version(), list(parts), {name: self.folder.stamp(name) for name in after}])

    def begin(self) -> None:
        """Write what was asked for and where it runs."""
        self.folder.write_json("recipe.json", {"data": self.data, **self.recipe.asked()})
        about = {
            "evenray": version(), "python": sys.version.split()[0], "packages": packages(),
            "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
        }  # fmt: skip

        def change(ledger: dict[str, Any]) -> None:
            started = ledger.get("started", now())
            ledger.update({**about, "started": started})

        self.folder.note(change)


def version() -> str:
    return importlib.metadata.version("evenray")


def packages() -> Mapping[str, str]:
    return {name: importlib.metadata.version(name) for name in PACKAGES}
