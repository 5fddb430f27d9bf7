"""recipe.json: the data of a run as it was named, and the recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evenray.core.errors import DataError, UsageError
from evenray.core.recipe import Recipe

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

    def write(self, folder: Path) -> None:
        with atomic(folder / self.file, durable=True) as path:
            path.write_text(json.dumps(self.as_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Asked:
        """What stands in a run folder; DataError where it is damaged or of another version."""
        path = folder / cls.file
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            raise DataError(f"{path} is no JSON; the file was changed or damaged: make the run again.") from None
        if not isinstance(values, dict) or values.get("version") != cls.VERSION:
            raise DataError(
                f"{folder} was made by another version of evenray. Run 'evenray run DATA -o NEW' with the options in its"
                " recipe.json to make it again."
            )
        try:
            return cls(str(values["data"]), Recipe(**{n: v for n, v in values.items() if n not in ("version", "data")}))
        except (UsageError, KeyError) as error:
            raise DataError(f"{path}: {error} The file was changed or damaged, or is of another version.") from None
