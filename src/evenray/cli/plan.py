"""The verb plan: what a run would train, each choice with its reason; nothing is trained."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from rich.table import Table

from evenray.core.errors import UsageError
from evenray.core.progress import plain

from ._app import app, print_json, screen
from ._language import language_of
from ._options import options_until
from ._progress import Bars
from .line import STAGES, Target, place

if TYPE_CHECKING:
    from evenray.core.artefacts import RunFolder
    from evenray.core.recipe import Recipe

__all__ = ["plan"]


def plan(target: str, **options: Any) -> None:
    """Say what would be trained, and why: scans, audits and splits, but trains nothing."""
    given = {name: value for name, value in options.items() if value not in (None, [])}
    language = language_of(given)
    folder, data, recipe = place(target, given)
    from evenray.scale import engine
    from evenray.stages import Context, run

    chosen, jobs = given.get("engine", "local"), given.get("jobs", 0)
    with engine(chosen, given.get("address"), jobs) as map, closing(folder):
        context = Context(folder, data, recipe, given.get("device", "auto"), language, map=map, progress=Bars())
        with _left_alone(folder, recipe):
            run(context, "split")
            choices = context.plan.choices()
            found = folder.read_json("plan.json")
    if given.get("json"):
        print_json({"run": str(folder.path), **found})
    else:
        _show(found["fingerprint"], choices)


@contextmanager
def _left_alone(folder: RunFolder, recipe: Recipe) -> Iterator[None]:
    """A run that has trained keeps its recipe and plan; UsageError where the plan asks for another split of it."""
    from evenray.core.artefacts import atomic
    from evenray.core.recipe import Recipe
    from evenray.stages.line import BEFORE_TRAINING

    if not folder.has("recipe.json") or not {"compare", "train"} & set(folder.ledger["stages"]):
        yield
        return
    asked = folder.read_json("recipe.json")
    former = Recipe.of({name: value for name, value in asked.items() if name != "data"})
    changed = [name for name in BEFORE_TRAINING if getattr(former, name) != getattr(recipe, name)]
    if changed:
        raise UsageError(
            f"'{folder.path}' holds a trained run, and {', '.join(f'--{name}' for name in changed)} would change what it was"
            " trained on; name another folder with -o."
        )
    kept = {name: (folder / name).read_bytes() for name in ("recipe.json", "plan.json") if folder.has(name)}
    try:
        yield
    finally:
        for name, content in kept.items():
            with atomic(folder / name) as path:
                path.write_bytes(content)


def _show(fingerprint: dict[str, Any], choices: list[dict[str, Any]]) -> None:
    classes = ", ".join(f"{name} {count}" for name, count in fingerprint["classes"].items())
    cases = ", ".join(f"{name} {count}" for name, count in fingerprint["cases"].items())
    kind = "grey" if not fingerprint["colour"] else f"{fingerprint['colour']:.0%} in colour"
    screen.print(plain(f"{cases}; to train on: {classes} (up to {fingerprint['imbalance']:g} to 1)"))
    screen.print(plain(f"{fingerprint['side']} pixels long (median), {kind}, {fingerprint['bits']} bits"))
    table = Table("choice", "value", "because", box=None, header_style="bold", pad_edge=False)
    for choice in choices:
        value = choice["value"]
        words = ", ".join(map(str, value)) if isinstance(value, list | tuple) else f"{value}"
        table.add_row(choice["name"], plain(words), plain(choice["why"]))
    screen.print(table)


_own = inspect.Parameter("target", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Target)
plan.__signature__ = inspect.Signature([_own, *options_until("evaluate", STAGES)])  # type: ignore[attr-defined]
plan.__annotations__ = {p.name: p.annotation for p in plan.__signature__.parameters.values()}  # type: ignore[attr-defined]
app.command("plan", rich_help_panel="Its stages")(plan)
