"""Whether the results in a run folder belong together: each stage of exactly what the stages before it left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from evenray.core.artefacts import RunFolder
from evenray.core.errors import DataError, UsageError
from evenray.core.recipe import Recipe
from evenray.images.contrast import settled

from .context import Context, version
from .line import LINE, Stage

__all__ = ["require_current"]

NEEDED = ("split", "compare", "train", "evaluate")  # the scan's key lists the images, which may be away
KINDS = ("cpu", "cuda", "mps")  # of device: the network stands, whichever it was trained on


def require_current(folder: RunFolder) -> None:
    """DataError where the network or its scores are missing, or of other data, splits or settings than the folder's now.

    The keys of the ledger decide, as they do for the line itself. Nothing is written.
    """
    stages = folder.ledger["stages"]
    context, keyed = _context(folder)
    old: list[Stage] = []
    for stage in LINE:
        if stage.name in NEEDED and (
            any(before.name in stage.after for before in old) or not _stands(context, stage, stages, keyed)
        ):
            old.append(stage)
    if not old:
        return
    command = f"'evenray evaluate {folder.path}'"
    if (missing := next((stage.name for stage in old if stage.name not in stages), None)) is not None:
        raise DataError(f"'{folder.path}' has not been through {missing} yet; {command} does it.")
    raise DataError(
        f"'{folder.path}' is out of date: {_why(folder, old[0], stages)}, so {_listed([stage.name for stage in old])}"
        f" {'is' if len(old) == 1 else 'are'} not of what stands there now; {command} makes"
        f" {'it' if len(old) == 1 else 'them'} anew."
    )


def _context(folder: RunFolder) -> tuple[Context, bool]:
    """What the folder asks for, its paths those of the same files from here, and whether keys can be made from that."""
    asked = folder.read_json("recipe.json")
    data, recipe = asked.pop("data"), Recipe.of(asked)
    ledger = folder.ledger
    for name in ("weights", "exclude"):
        *kind, path = (getattr(recipe, name) or "").split(":", 1)
        if (file := Path(ledger.get("directory") or "", path)).is_file():
            recipe = recipe.but(**{name: ":".join([*kind, str(file)])})
    # Of a file of weights that is gone, and of another evenray, nobody can tell the key.
    known = recipe.weights is None or Path(recipe.weights.split(":", 1)[-1]).is_file()
    known = known and ledger.get("evenray") == version() and _there(recipe)
    return Context(folder, data, recipe), known


def _there(recipe: Recipe) -> bool:
    """Whether the files that the contrasts match to can be read."""
    try:
        return all(settled(spec) for spec in recipe.contrasts)
    except UsageError:
        return False


def _stands(context: Context, stage: Stage, stages: Mapping[str, Any], keyed: bool) -> bool:
    if stage.name not in stages or not context.folder.intact(stage.name):
        return False
    if not keyed:
        return not _later(stage, stages)
    return any(stages[stage.name]["key"] == _key(context, stage, kind) for kind in KINDS)


def _key(context: Context, stage: Stage, kind: str) -> str:
    context.kind = kind
    return context.key(stage.name, stage.settings(context), stage.after)


def _later(stage: Stage, stages: Mapping[str, Any]) -> list[str]:
    """The stages before this one that were done after it."""
    done = datetime.fromisoformat(stages[stage.name]["finished"])
    return [name for name in stage.after if name in stages and datetime.fromisoformat(stages[name]["finished"]) > done]


def _why(folder: RunFolder, stage: Stage, stages: Mapping[str, Any]) -> str:
    if later := _later(stage, stages):
        return f"{_listed(later)} {'was' if len(later) == 1 else 'were'} done again after {stage.name}"
    if not folder.intact(stage.name):
        return f"files that {stage.name} left are gone or changed ({', '.join(stages[stage.name]['outputs'])})"
    return f"what recipe.json asks for has changed since {stage.name}"


def _listed(names: list[str]) -> str:
    """
    >>> _listed(["train"]), _listed(["compare", "train", "evaluate"])
    ('train', 'compare, train and evaluate')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
