"""The options of the verbs: those that are settings are made from the settings' own declarations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from rich.markup import escape

from evenray.core.forms import numbers_by_class, parsed
from evenray.core.recipe import STAGES, Machine, Recipe, ReportSettings
from evenray.core.settings import Declared, Settings, declared

__all__ = [
    "OPTIONS",
    "SHORT",
    "Events",
    "Json",
    "Output",
    "given",
    "of_settings",
    "of_stages",
    "plain_option",
    "signed",
]

PANELS = ("The data", "The method", "The machine")
RUN = "The machine"


def plain_option(kind: Any, *names: str, help: str, panel: str = RUN) -> Any:
    return Annotated[Optional[kind], typer.Option(*names, help=escape(help), rich_help_panel=panel, show_default=False)]  # noqa: UP045


# Options that are no settings: short forms of settings, what is printed, and where to.
_WEIGHTS = "Class weights of the loss, such as sick=0.75,healthy=0.25; short for --balance 'weighted(...)'."
_COST = (
    "What it costs to call a case of a class wrongly, such as sick=500,healthy=1; short for --threshold 'cost(...)'."
)
SHORT: dict[str, tuple[str, Any]] = {
    "class_weights": ("balance", plain_option(str, "--class-weights", panel="The method", help=_WEIGHTS)),
    "cost": ("threshold", plain_option(str, "--cost", panel="The method", help=_COST)),
}
Output = plain_option(
    str, "--output", "-o", help="The run folder, or its URL [default: the data's name with -run].", panel="The data"
)
Json = plain_option(bool, "--json", help="Print one JSON object on standard output.")
Events = plain_option(Path, "--events", help="Write what happens to a file as JSON lines.")


def _of(about: Declared) -> Any:
    """The option of one setting, as typer reads it."""
    kinds: dict[str, Any] = {
        "flag": bool,
        "number": int if about.whole else float,
        "specs": list[str],
        "names": list[str],
        "texts": list[str],
    }
    kind = kinds.get(about.form, list[str] if about.form == "values" else str)
    default = "" if about.default is False or about.default in (None, ()) else f" [default: {_shown(about.default)}]"
    choices = f" ({', '.join(about.choices)})" if about.choices else ""
    names = (about.option, "-j") if about.name == "jobs" else (about.option,)
    return plain_option(kind, *names, help=f"{about.help.rstrip('.')}{choices}{default}.", panel=about.panel)


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else f"{value}"


def of_settings(*kinds: type[Settings]) -> dict[str, Any]:
    """The options of settings, by panel and then in the order of their declaration."""
    found = {name: about for kind in kinds for name, about in declared(kind).items()}
    return {name: _of(about) for panel in PANELS for name, about in found.items() if about.panel == panel}


def of_stages(last: str) -> dict[str, Any]:
    """The options that mean something when the line runs up to a stage."""
    order = list(STAGES)
    kinds = [STAGES[name] for name in order[: order.index(last) + 1]]
    late = order.index(last) >= order.index("plan")
    machine = declared(Machine)
    names = set(machine) if late else {"jobs", "engine", "address"}
    names -= set() if order.index(last) >= order.index("compare") else {"save_every"}
    settings = of_settings(*kinds, ReportSettings)
    settings |= {"allow": _of(declared(Recipe)["allow"])} if late else {}
    settings |= {name: annotation for name, (of, annotation) in SHORT.items() if of in settings}
    return {
        "output": Output,
        **settings,
        **{n: _of(machine[n]) for n in machine if n in names},
        "events": Events,
        "json": Json,
    }


OPTIONS = of_stages("report")


def given(options: Mapping[str, Any], more: Mapping[str, Declared] | None = None) -> dict[str, Any]:
    """The settings (of a recipe, a machine, a report, and `more`) among the options that were given, as values; short forms are
    numbers by class."""
    known = declared(Recipe) | declared(Machine) | declared(ReportSettings) | dict(more or {})
    found: dict[str, Any] = {}
    for name, value in options.items():
        if value in (None, []):
            continue
        if name in SHORT:
            found[name] = numbers_by_class(name, value)
        elif name in known:
            found[name] = parsed(known[name], value)
    return found


def signed(verb: Callable[..., None], options: Mapping[str, Any], *own: inspect.Parameter) -> Callable[..., None]:
    """A verb that takes its own parameters and, by name, the options."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters: Iterable[inspect.Parameter] = [
        *own, *(inspect.Parameter(name, keyword, default=None, annotation=kind) for name, kind in options.items())
    ]  # fmt: skip
    verb.__signature__ = inspect.Signature(list(parameters))  # type: ignore[attr-defined]
    verb.__annotations__ = {p.name: p.annotation for p in parameters}
    return verb
