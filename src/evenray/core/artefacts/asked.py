"""recipe.json: the data of a run as it was named, and the recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evenray.core.errors import DataError, UsageError
from evenray.core.recipe import Recipe
from evenray.core.settings import declared
from evenray.core.spec import paths_in, without_paths

from .files import atomic

__all__ = ["Asked"]


class Asked:
    """What a run was asked for. `data` is the folder, table, archive or URL, as typed."""

    file = "recipe.json"
    VERSION = 2

    def __init__(self, data: str, recipe: Recipe) -> None:
        self.data, self.recipe = data, recipe

    def as_json(self) -> dict[str, Any]:
        return {"version": self.VERSION, "data": self.data, **self.recipe.as_json()}

    @property
    def references(self) -> tuple[str, ...]:
        """The paths of what contrasts match to, which the results of a run quote with their contrast."""
        return tuple(dict.fromkeys(path for spec in self.recipe.contrasts for path in paths_in(spec)))

    def without_paths(self) -> Asked:
        """The same with a word in capitals for each path, as it is shown to others: a path may name a patient.

        >>> Asked("scans/kim", Recipe(labels="kim.csv", contrast="match('kim.json')")).without_paths().as_json()["contrast"]
        "match('REFERENCE')"
        """
        changes: dict[str, Any] = {}
        for name, about in declared(Recipe).items():
            value = getattr(self.recipe, name)
            if not value or about.content not in ("file", "place", "input"):
                continue
            kind, colon, _ = value.rpartition(":")
            plain = not any(mark in value for mark in "./\\:")  # "torchvision" is no path
            changes[name] = value if plain and about.content == "file" else f"{kind}{colon}{name.upper()}"
        specs = self.recipe.contrast
        changes["contrast"] = self.told(specs) if isinstance(specs, str) else tuple(map(self.told, specs))
        return Asked("DATA", self.recipe.but(**changes))

    def told(self, text: str) -> str:
        """A text that may quote the paths of references, without them."""
        return without_paths(text, *self.recipe.contrasts)

    def write(self, folder: Path) -> None:
        with atomic(folder / self.file, durable=True) as path:
            text = json.dumps(self.as_json(), indent=2, ensure_ascii=False) + "\n"
            path.write_text(
                text, encoding="utf-8", errors="backslashreplace"
            )  # a name that is no UTF-8, as JSON has it

    @classmethod
    def read(cls, folder: Path) -> Asked:
        """What stands in a run folder; DataError where it is damaged or of another version."""
        path = folder / cls.file
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError):
            raise DataError(f"{path} is no JSON; the file was changed or damaged: make the run again.") from None
        if not isinstance(values, dict) or values.get("version") != cls.VERSION:
            raise DataError(
                f"{folder} was made by another version of evenray. Run 'evenray run DATA -o NEW' with the options in its"
                " recipe.json to make it again."
            )
        data = values.get("data")
        if not isinstance(data, str):
            raise DataError(f"{path}: data is {data!r}, where a text was expected; the file was changed or damaged.")
        try:
            return cls(data, Recipe(**{n: v for n, v in values.items() if n not in ("version", "data")}))
        except UsageError as error:
            raise DataError(f"{path}: {error} The file was changed or damaged, or is of another version.") from None
