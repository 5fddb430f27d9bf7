"""What other installed packages add: entry points in groups named after the kinds, found when a name is not ours or all are listed.

A package says in its pyproject.toml, for a contrast method and for the texts of its checks:

    [project.entry-points."evenray.contrast"]
    flatten = "its_package.flatten:flatten"

    [project.entry-points."evenray.texts"]
    its_package = "its_package.locales"
"""

from __future__ import annotations

import importlib
import json
from functools import cache
from importlib import metadata, resources
from importlib.metadata import EntryPoint
from typing import Any

from .errors import UsageError

__all__ = ["added", "group", "loaded", "packages", "texts"]

TEXTS = "evenray.texts"


def group(kind: str) -> str:
    """The group of entry points of a kind of plug-in.

    >>> group("network of masks")
    'evenray.network_of_masks'
    """
    return f"evenray.{kind.replace(' ', '_')}"


@cache
def added(name: str, ours: tuple[str, ...] = ()) -> dict[str, EntryPoint]:
    """The entry points of a group by their names; a name that is `ours`, or that two packages add, is a UsageError."""
    found: dict[str, EntryPoint] = {}
    for point in metadata.entry_points(group=name):
        if point.name in ours or found.setdefault(point.name, point).value != point.value:
            whose = "evenray has itself" if point.name in ours else f"{_package(found[point.name])} adds too"
            raise UsageError(
                f"The package {_package(point)} adds '{point.name}' to {name}, which {whose}; uninstall or rename one."
            )
    return found


def loaded(point: EntryPoint) -> Any:
    """What an entry point names; UsageError with the package's name where it cannot be imported."""
    try:
        return point.load()
    except Exception as error:
        raise UsageError(
            f"'{point.name}' of the package {_package(point)} cannot be loaded ({type(error).__name__}: {error}); uninstall it."
        ) from error


@cache
def packages() -> dict[str, str]:
    """The packages that add anything, with their versions."""
    groups = metadata.entry_points().groups
    points = [p for name in groups if name.startswith("evenray.") for p in metadata.entry_points(group=name)]
    return {p.dist.name: p.dist.version for p in points if p.dist}


def texts(language: str) -> dict[str, str]:
    """The texts that packages bring, in one language: flat JSON files in LANGUAGE/ below the module of each entry point."""
    found: dict[str, str] = {}
    for point in added(TEXTS).values():
        folder = resources.files(importlib.import_module(point.value)) / language
        for file in sorted(folder.iterdir(), key=lambda own: own.name) if folder.is_dir() else ():
            if file.name.endswith(".json"):
                found |= json.loads(file.read_text(encoding="utf-8"))
    return found


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.module
