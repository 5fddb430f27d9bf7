"""The ledger of a run folder: which stages are done, of what, by which version on which machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from evenray.core.names import as_path, as_text
from evenray.core.plugins import packages

from .files import now
from .record import Record

__all__ = ["FORMAT", "Done", "Ledger", "version"]

FORMAT = 2  # of a run folder; one of another format is not read
PACKAGES = (
    "evenray", "torch", "numpy", "opencv-python-headless", "pydicom", "polars", "scikit-learn", "lightning-fabric",
)  # fmt: skip


class Done(Record):
    """A stage that is done. Two runs of it with the same `settings`, `inputs`, `device` and `evenray` give the same outputs.

    `settings` is the digest of the settings that it depends on, `inputs` holds the stamp of every stage and file that it
    read, `outputs` the SHA-256 of every file that it left. What it cost is told
    as by `core.meter.Cost`.
    """

    settings: str
    inputs: dict[str, str]
    device: str | None
    evenray: str
    outputs: dict[str, str]
    seconds: float
    finished: str
    cpu_seconds: float | None = None
    memory: int | None = None
    device_memory: int | None = None


class Ledger(Record):
    """provenance.json: where and with what a run was made, its stages, and when the test part was opened."""

    file: ClassVar[str] = "provenance.json"

    format: int = FORMAT
    evenray: str = ""
    python: str = ""
    packages: dict[str, str] = Field(default_factory=dict)
    machine: dict[str, str | int | None] = Field(default_factory=dict)
    directory: str = ""
    started: str = ""
    root: str = ""
    stages: dict[str, Done] = Field(default_factory=dict)
    test_opened: tuple[str, ...] = ()

    def begun(self, directory: str) -> Ledger:
        """The ledger of a run that is taken up here and now."""
        about = {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()}
        return self.model_copy(
            update={
                "evenray": version(), "python": sys.version.split()[0], "packages": _packages(), "machine": about,
                "directory": as_text(directory), "started": self.started or now(),
            }
        )  # fmt: skip

    def from_here(self, path: str | None) -> str | None:
        """A path that was typed in the directory of the run, as it is named from the present one, where it still exists."""
        if path is None or not self.directory or as_path(self.directory) == Path.cwd():
            return path
        there = Path(as_path(self.directory), path)
        return str(there) if there.exists() else path


def version() -> str:
    """The version of evenray, and of the packages that add to it: with others, a stage is done anew."""
    added = "".join(f", {name} {number}" for name, number in sorted(packages().items()))
    return importlib.metadata.version("evenray") + added


def _packages() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):  # OpenCV, say, has packages of several names
            found[name] = importlib.metadata.version(name)
    return found
