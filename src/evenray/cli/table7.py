"""The verb table7: every system of the VGG paper's Table 7 on the user's images, or given weights on ImageNet's."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from evenray.core.errors import UsageError
from evenray.core.recipe import STAGES, Machine, ReportSettings
from evenray.core.settings import Settings, declared
from evenray.core.table7_settings import Table7Settings

from ._app import app
from ._options import SHORT, Events, Json, Output, given, of_settings, signed
from ._screen import cell, print_json, say, watching

if TYPE_CHECKING:
    import polars as pl

__all__ = ["table7"]

WIDE = 165  # columns of a terminal that the whole table needs
IMAGENET = ("output", "network", "pretrained", "tta", "size", "batch", "device", "json")
OF_IMAGENET = ("network", "pretrained", "tta")


def table7(target: str | None = None, imagenet: Path | None = None, **options: Any) -> None:
    """Train the systems of Table 7 of the VGG paper on your images, and print that table for them."""
    asked = {name: value for name, value in options.items() if value not in (None, [])}
    if imagenet is not None:
        from .imagenet import imagenet_errors

        _only(asked, IMAGENET, "--imagenet")
        if target is not None:
            raise UsageError("--imagenet takes no data beside it: it evaluates one network on ImageNet's images.")
        imagenet_errors(imagenet, **asked)
        return
    if target is None:
        raise UsageError("Give images (a folder, a label table or a .npz file) or a run folder, or --imagenet DIR.")
    _only(asked, tuple(name for name in OPTIONS if name not in OF_IMAGENET), "table7 DATA")
    from evenray.verbs.table7 import table7 as make

    with watching(asked.get("lang"), asked.get("events")) as listener:
        done = make(target, asked.get("output"), listener=listener, **given(asked, declared(Table7Settings)))
    page, table = done.path / "table7.html", done.table7
    assert table is not None
    if asked.get("json"):
        print_json({"run": str(done.path), "report": str(page), "table": table.fill_nan(None).to_dicts()})
        return
    _show(table)
    say(str(page), "bold")


def _only(asked: dict[str, Any], known: tuple[str, ...], what: str) -> None:
    for name in asked:
        if name not in known:
            raise UsageError(f"--{name.replace('_', '-')} does nothing with {what}; leave it out.")


def _show(table: pl.DataFrame) -> None:
    """Print the table: whole where the terminal is wide enough, else validation, test and costs below one another."""
    from rich.console import Console
    from rich.table import Table

    from evenray.evidence.table7.table import cells, heads

    console, titles, body = Console(highlight=False), heads(table), cells(table)
    figures = (len(titles) - 5) // 2
    groups = [range(1, 1 + figures), range(1 + figures, 1 + 2 * figures), range(1 + 2 * figures, len(titles))]
    if console.width >= WIDE:
        groups = [range(1, len(titles))]
    for group in groups:
        drawn = Table(*(titles[i].replace(" error, %", "\nerror, %").replace(": ", ":\n") for i in (0, *group)))
        for row in body:
            drawn.add_row(*(cell("\n(".join(row[i].rsplit(" (", 1))) for i in (0, *group)))
        console.print(drawn)


def _options() -> dict[str, Any]:
    """The line's options that mean something here."""
    early: list[type[Settings]] = [STAGES[name] for name in ("scan", "split")]
    settings = of_settings(*early, Table7Settings, STAGES["compare"], STAGES["evaluate"], ReportSettings, Machine)
    kinds: list[type[Settings]] = [*early, Table7Settings, ReportSettings, Machine]
    names = {name for kind in kinds for name in kind.model_fields} | set(OF_IMAGENET)
    chosen = {name: kind for name, kind in settings.items() if name in names and name not in ("save_every", "design")}
    return {"output": Output, **chosen, "class_weights": SHORT["class_weights"][1], "events": Events, "json": Json}


OPTIONS = _options()
_IMAGENET_HELP = (
    "ImageNet's validation images: class folders, or flat files beside a table of true classes; evaluates --network with"
    " --pretrained."
)
_OWN = {
    "target": (Optional[str], typer.Argument(help="Images, or a run folder.", show_default=False)),  # noqa: UP045
    "imagenet": (Optional[Path], typer.Option("--imagenet", help=_IMAGENET_HELP)),  # noqa: UP045
}
app.command("table7", rich_help_panel="Networks")(
    signed(table7, OPTIONS, *(
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Annotated[kind, option])
        for name, (kind, option) in _OWN.items()
    ))
)  # fmt: skip
