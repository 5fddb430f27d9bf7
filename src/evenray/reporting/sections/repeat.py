"""What it takes to repeat the run: the command, versions, hashes, seeds, and when the test part was opened."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evenray.core.artefacts import Ledger
from evenray.core.artefacts.asked import Asked
from evenray.core.recipe import Recipe
from evenray.core.settings import Form, declared
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["command", "context"]


@dataclass(frozen=True)
class Shown:
    command: str | None
    versions: dict[str, str]
    machine: list[tuple[str, str]]
    hashes: list[tuple[str, str]]
    opened: tuple[str, ...]
    started: str
    seed: int | None


def context(run: RunView, say: Language) -> Shown | None:
    if run.asked is None and not run.folder.has(Ledger.file):
        return None
    ledger = run.ledger
    stages = ledger.stages
    return Shown(
        command=command(run.told) if run.told else None,
        versions={"evenray": ledger.evenray, "Python": ledger.python, **ledger.packages},
        machine=[(say.name("machine", name), say.value(value)) for name, value in ledger.machine.items()],
        hashes=[(file, sha) for stage in stages.values() for file, sha in stage.outputs.items()],
        opened=ledger.test_opened,
        started=ledger.started,
        seed=run.recipe.seed if run.recipe else None,
    )


def command(asked: Asked) -> str:
    """The command line that asks for the same run.

    >>> command(Asked("my scans/", Recipe(contrast=("none", "clahe(clip=2)"), flips=True, choose={"keep": "last"})))
    "evenray run 'my scans/' ... --flips ... --contrast none --contrast 'clahe(clip=2)' ... --choose keep=last ..."
    """
    about, words = declared(Recipe), ["evenray", "run", asked.data]
    for name, value in asked.recipe:
        if value is None or value is False:
            continue
        for item in _typed(about[name].form, value):
            words += [about[name].option, *item]
    return shlex.join(words)


def _typed(form: Form, value: Any) -> list[list[str]]:
    """What is typed after an option, for each time that it is given."""
    if form == "flag":
        return [[]]
    if form == "pair":
        return [[",".join(f"{end:g}" for end in value)]]
    if isinstance(value, Mapping):
        pairs = [f"{name}={item}" for name, item in value.items()]
        return [[",".join(pairs)]] if form == "shares" else [[pair] for pair in pairs]
    return [[str(item)] for item in (value if isinstance(value, (list, tuple)) else [value])]
