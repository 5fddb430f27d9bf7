"""The verb table7: every system of the VGG paper's Table 7 on the user's images, or given weights on ImageNet's."""

from __future__ import annotations

import inspect
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from evenray.core.errors import UsageError
from evenray.core.progress import plain

from ._app import app, print_json
from ._language import language_of
from ._options import OPTIONS
from ._progress import Bars
from .line import place

if TYPE_CHECKING:
    import polars as pl

__all__ = ["table7"]

DATA = (
    "labels",
    "patient",
    "value_range",
    "positive",
    "test",
    "validation",
    "seed",
)  # what the scan and the split depend on
TRAINING = ("contrast", "balance", "weight", "effort", "size", "epochs", "batch", "learning_rate", "flips")
OF_THE_LINE = (
    "output",
    *DATA,
    *TRAINING,
    "network",
    "weights",
    "views",
    "device",
    "jobs",
    "engine",
    "address",
    "lang",
    "json",
)
IMAGENET = ("output", "network", "weights", "views", "size", "batch", "device", "json")
WIDE = 165  # columns of a terminal that the whole table needs


def table7(data: str | None = None, systems: str | None = None, imagenet: Path | None = None, **options: Any) -> None:
    """Train the systems of Table 7 of the VGG paper on your images, and print that table for them."""
    given = {name: value for name, value in options.items() if value not in (None, [])}
    if imagenet is not None:
        from ._imagenet import imagenet_errors

        _only(given, IMAGENET, "--imagenet")
        if data is not None or systems is not None:
            raise UsageError(
                "--imagenet takes no data and no --systems: it evaluates one network on ImageNet's images."
            )
        imagenet_errors(imagenet, given)
        return
    if data is None:
        raise UsageError("Give images (a folder, a label table or a .npz file) or a run folder, or --imagenet DIR.")
    _only(given, tuple(name for name in OF_THE_LINE if name not in ("network", "weights", "views")), "table7 DATA")
    _of_data(data, systems, given)


def _only(given: dict[str, Any], known: tuple[str, ...], what: str) -> None:
    for name in given:
        if name not in known:
            raise UsageError(f"--{name.replace('_', '-')} does nothing with {what}; leave it out.")


def _of_data(data: str, systems: str | None, given: dict[str, Any]) -> None:
    language = language_of(given)
    folder, source, recipe = place(data, {n: v for n, v in given.items() if n in (*DATA, "output")})
    asked = place(data, given)[2]
    asked = asked.but(**{name: _single(getattr(asked, name), name in given) for name in ("contrast", "balance")})
    from evenray import reporting as report
    from evenray.scale import engine
    from evenray.stages import Context
    from evenray.stages.table7 import table7

    with engine(given.get("engine", "local"), given.get("address"), given.get("jobs", 0)) as map, closing(folder):
        context = Context(folder, source, recipe, given.get("device", "auto"), language, map=map, progress=Bars())
        table = table7(context, asked, systems)
        page = report.table7_page(folder.path, language=language)
    if given.get("json"):
        print_json({"run": str(folder.path), "report": str(page), "table": table.to_dicts()})
        return
    show(table)
    Bars().say(f"[bold]{plain(str(page))}[/bold]")


def _single(spec: str | tuple[str, ...], named: bool) -> str | tuple[str, ...]:
    """What the run's recipe leaves to a comparison, the table leaves out."""
    return spec if isinstance(spec, str) or named else "none"


def show(table: pl.DataFrame) -> None:
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
            drawn.add_row(*(plain("\n(".join(row[i].rsplit(" (", 1))) for i in (0, *group)))
        console.print(drawn)


def _register() -> None:
    """The verb takes the line's options that mean something here."""
    typed = {
        "data": (Optional[str], typer.Argument(help="Images, or a run folder.", show_default=False)),  # noqa: UP045
        "systems": (Optional[str], typer.Option("--systems", help="Only these rows, such as 'vgg, googlenet-1'.")),  # noqa: UP045
        "imagenet": (Optional[Path], typer.Option("--imagenet", help="ImageNet's validation images: class folders, or flat"  # noqa: UP045
                     " files beside a table of true classes; evaluates --network with --weights.")),
    }  # fmt: skip
    parameters = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Annotated[kind, option])
        for name, (kind, option) in typed.items()
    ]  # fmt: skip
    for name in OF_THE_LINE:
        _, kind, option = OPTIONS[name]
        annotation = Annotated[Optional[kind], option]  # type: ignore[valid-type]  # noqa: UP045
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation))
    table7.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    table7.__annotations__ = {p.name: p.annotation for p in parameters}
    app.command("table7", rich_help_panel="Networks")(table7)


_register()
