"""The typer application and what every verb shares."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["Jobs", "Json", "Lang", "Seed", "app"]

EXAMPLES = """
[bold]Examples[/bold]

  evenray demo                                            the main job on synthetic data it makes itself
  evenray run chest_xray/ --patient '(person[0-9]+)'      folders of classes: the whole line, and a report
  evenray audit chest_xray/ --propose-exclusions out.csv  what is wrong with the data, and what to leave out
  evenray run breastmnist.npz -o breast                   a MedMNIST file
  evenray run archive/ --labels labels.csv --lang ko      a DICOM tree with a table of labels, a Korean report
  evenray enhance scan.dcm --all                          every contrast method side by side

[dim]Research software, not a medical device. --install-completion teaches your shell the verbs and options.[/dim]
"""

app = typer.Typer(
    name="evenray",
    epilog=EXAMPLES.replace("\n", "\n\n"),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"evenray {version('evenray')}")
        raise typer.Exit


@app.callback()
def _every_verb(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Classify medical images whose light is uneven and whose classes are unbalanced, and say honestly how well."""


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Processes that read images; 0 is one a core.", min=0)]
Seed = Annotated[int, typer.Option("--seed", help="The seed of everything random.", min=0)]
Lang = Annotated[str, typer.Option("--lang", help="The language of pages and messages: en or ko.")]
