"""Whether the results in a run folder belong together: each stage of exactly what the stages before it left."""

from __future__ import annotations

from evenray.core.artefacts import RunFolder, version
from evenray.core.artefacts.asked import Asked
from evenray.core.artefacts.contents import contents_of_file
from evenray.core.errors import DataError, UsageError

from .line import stage_of
from .stage import contents

__all__ = ["require_up_to_date"]

NEEDED = ("split", "plan", "compare", "train", "evaluate")  # the scan's inputs are the images, which may be away


def require_up_to_date(folder: RunFolder) -> None:
    """DataError where the network or its scores are missing, or of other data, splits or settings than the folder's now.

    The ledger decides, as it does for the line itself. Nothing is written.
    """
    folder.needed(Asked.file)
    done, command = folder.ledger.stages, f"'evenray evaluate {folder.path}'"
    if missing := next((name for name in NEEDED if name not in done), None):
        raise DataError(f"'{folder.path}' has not been through {missing} yet; {command} does it.")
    for name in NEEDED:
        if why := _why(folder, name):
            raise DataError(f"'{folder.path}' is out of date: {why}; {command} brings it up to date.")


def _why(folder: RunFolder, name: str) -> str:
    """Why a stage does not stand; empty where it does."""
    done = folder.ledger.stages[name]
    if not folder.intact(name):
        return f"files that {name} left are gone or changed ({', '.join(done.outputs)})"
    if folder.stale(name):
        return f"the inputs of stage {name} have changed since"
    key = _key(folder, name)
    return f"what recipe.json asks for has changed since {name}" if key not in (None, done.settings) else ""


def _key(folder: RunFolder, name: str) -> str | None:
    """The key of a stage with the settings that the folder asks for now; None where nobody can tell it.

    Nobody can where a file that the settings name is gone, or another evenray made the folder.
    """
    ledger, recipe = folder.ledger, Asked.read(folder.path).recipe
    if recipe.weights is not None:
        *kind, path = recipe.weights.split(":", 1)
        found = ":".join([*kind, str(ledger.from_here(path))])
        if contents_of_file(found) == found:
            return None
        recipe = recipe.but(pretrained=found)
    if ledger.evenray != version():
        return None
    stage = stage_of(name)
    try:
        return stage.key(stage.settings.of(recipe), contents())
    except UsageError:  # a file that a contrast matches to cannot be read
        return None
