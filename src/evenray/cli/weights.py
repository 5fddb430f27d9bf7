"""The verbs weights list, get and import: trained weights to start from, kept under names."""

from __future__ import annotations

from typing import Annotated, Any, Optional

import typer

from evenray.core.errors import UsageError

from ._app import Json, Lang, app
from ._screen import cell, print_json, say, watching
from .predict import PANEL

__all__ = ["get", "import_file", "weights"]

Text = Optional[str]  # noqa: UP045
weights = typer.Typer(no_args_is_help=True, help="Trained weights to start from: list them, get them, import a file.")
app.add_typer(weights, name="weights", rich_help_panel=PANEL)


@weights.command("list")
def weights_list(lang: Lang = "en", json: Json = False) -> None:
    """Show the weights that are at hand, and how to get the others that evenray knows."""
    from evenray.verbs.weights import weights as named

    here, known = named.list(), named.known()
    if json:
        print_json({"weights": [weight.as_json() for weight in here], "known": known})
        return
    from rich.console import Console
    from rich.table import Table

    from evenray.core.texts import Texts

    texts = Texts(lang)
    columns = ("name", "network", "size", "expects", "licence", "sha256")
    drawn = Table(*(texts(f"weights.{name}") for name in columns), box=None, header_style="bold", pad_edge=False)
    for weight in here:
        drawn.add_row(
            *map(
                cell,
                (weight.name, weight.network, f"{weight.size}", _expects(weight), weight.licence, weight.sha256[:12]),
            )
        )
    console = Console(highlight=False)
    if here:
        console.print(drawn)
    for name, command in known.items():
        console.print(cell(texts("weights.get", name=name, command=command)), soft_wrap=True)


def _expects(weight: Any) -> str:
    numbers = (" ".join(f"{value:.4g}" for value in values) for values in (weight.mean, weight.std))
    return f"{weight.channels} {' / '.join(numbers)}"


@weights.command("get")
def get(
    name: Annotated[str, typer.Argument(help="A name that 'evenray weights list' shows.")],
    lang: Lang = "en",
    json: Json = False,
) -> None:
    """Have weights of a known name: downloaded where they are not here, and checked by their SHA-256."""
    from evenray.verbs.weights import weights as named

    with watching(lang) as listener:
        found = named.get(name, listener=listener)
    _show(found, json)


@weights.command("import")
def import_file(
    file: Annotated[
        str,
        typer.Argument(
            help="A .safetensors, .pth or .onnx file; torchvision:PATH or caffe:PATH where it expects what those do."
        ),
    ],
    name: Annotated[Text, typer.Option("--name", help="What to call the weights [default: the file's name].")] = None,
    network: Annotated[
        Text, typer.Option("--network", help="The network that they fit, such as 'vgg16(head=average)'.")
    ] = None,
    size: Annotated[Optional[int], typer.Option("--size", help="The side of the images in pixels.", min=28)] = None,  # noqa: UP045
    mean: Annotated[
        Text, typer.Option("--mean", help="What is subtracted, a value a channel in unit levels: .485,.456,.406.")
    ] = None,
    std: Annotated[Text, typer.Option("--std", help="What is divided by, a value a channel: .229,.224,.225.")] = None,
    channels: Annotated[Text, typer.Option("--channels", help="The order of the channels: RGB, BGR or grey.")] = None,
    licence: Annotated[Text, typer.Option("--licence", help="The licence of the weights.")] = None,
    json: Json = False,
) -> None:
    """Keep a weight file under a name, with all that it takes to use it. Tensors alone are read: no code is ever loaded."""
    from evenray.verbs.weights import weights as named

    if channels not in (None, "RGB", "BGR", "grey"):
        raise UsageError(f"--channels is '{channels}'; give RGB, BGR or grey.")
    found = named.import_file(
        file, name=name, network=network, size=size, mean=_numbers("--mean", mean), std=_numbers("--std", std),
        channels=channels, licence=licence,  # type: ignore[arg-type]
    )  # fmt: skip
    _show(found, json)


def _numbers(option: str, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(value) for value in text.split(","))
    except ValueError:
        raise UsageError(
            f"{option} is '{text}'; give numbers with commas between them, such as .485,.456,.406."
        ) from None


def _show(weight: Any, as_json: bool) -> None:
    if as_json:
        print_json(weight.as_json())
    else:
        say(f"{weight.name}  {weight.network}  {weight.sha256[:12]}", "bold")
