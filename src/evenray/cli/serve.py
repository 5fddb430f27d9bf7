"""The verb serve: the REST service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from evenray.core.errors import UsageError
from evenray.core.recipe import ReportSettings
from evenray.core.texts import Texts

from ._app import Jobs, Lang, app
from ._screen import say

if TYPE_CHECKING:
    from evenray.serve.pacs.loop import Pacs

__all__ = ["serve"]

PANEL = "The result at work"
BESIDE = "Beside a PACS"


@app.command("serve", rich_help_panel=PANEL)
def serve(
    runs: Annotated[
        list[str],
        typer.Argument(help="Run folders, model.safetensors, .onnx or OpenVINO .xml files.", metavar="RUN..."),
    ],
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on; one beyond this machine needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="The port; 0 takes a free one.", min=0, max=65535)] = 8000,
    token: Annotated[
        Optional[str],  # noqa: UP045  (typer reads it at run time)
        typer.Option(
            "--token",
            envvar="EVENRAY_TOKEN",
            help="A secret that requests must bring; better given in the environment, where others cannot read it.",
        ),
    ] = None,
    name: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--name", help="A host name that the server is reached by, such as a proxy's; repeatable."),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:1.")] = "auto",
    queue: Annotated[
        int, typer.Option("--queue", help="Requests at once; the next one is told to come again.", min=1, max=1024)
    ] = 64,
    megabytes: Annotated[int, typer.Option("--megabytes", help="The most that one request may send.", min=1)] = 256,
    seconds: Annotated[
        float, typer.Option("--seconds", help="The most that one request may take; and its upload twice that.", min=1)
    ] = 60,
    pacs: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--pacs",
            help="A PACS whose new studies are answered: dicomweb://HOST[:PORT]/PATH, or dicomwebs://.",
            metavar="URL",
            rich_help_panel=BESIDE,
        ),
    ] = None,
    modality: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--modality", help="Only images of this modality, such as DX; repeatable.", rich_help_panel=BESIDE
        ),
    ] = None,
    body_part: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--body-part",
            help="Only images of this part of the body, such as CHEST; repeatable.",
            rich_help_panel=BESIDE,
        ),
    ] = None,
    view: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--view", help="Only images of this view, such as PA; repeatable.", rich_help_panel=BESIDE),
    ] = None,
    every: Annotated[
        float,
        typer.Option(
            "--every",
            help="Seconds between two questions for new studies; 0 leaves that to the webhook.",
            min=0,
            rich_help_panel=BESIDE,
        ),
    ] = 10,
    everything: Annotated[
        bool,
        typer.Option(
            "--everything", help="Answer also the studies that the PACS has at the first start.", rich_help_panel=BESIDE
        ),
    ] = False,
    state: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--state",
            help="The folder that remembers which studies are answered; one in ~/.local/state.",
            rich_help_panel=BESIDE,
        ),
    ] = None,
    jobs: Jobs = 0,
    lang: Lang = "en",
) -> None:
    """Answer other programs over HTTP: predictions, contrast and histograms of images and DICOM files; and, of a PACS, new
    studies in the PACS itself."""
    texts = Texts(ReportSettings.of({"lang": lang}).lang)
    from evenray.serve.limits import Limits
    from evenray.serve.models import Models
    from evenray.serve.rest import rest_application
    from evenray.serve.running import serve as run
    from evenray.serve.security import Access
    from evenray.serve.service import Service

    access = Access(host, token or None, tuple(name or ()))
    rules = {"modality": modality, "body_part": body_part, "view": view}
    beside = _beside(pacs, runs, rules, state, every, everything, device)
    service = Service(Models(runs, device), jobs=jobs, queue=queue, seconds=seconds)
    application = rest_application(
        service, access, Limits(megabytes * 10**6, 2 * seconds, together=8 * megabytes * 10**6), beside
    )

    def ready(url: str) -> None:
        say(texts("serve.started", url=url, models=", ".join(service.models.loaded)))
        if beside is not None:
            key = "serve.pacs_all" if everything else "serve.pacs_new"
            say(texts(key, pacs=beside.archive.server, state=str(beside.ledger.folder)))

    run(application, host, port, ready=ready)
    say(texts("serve.stopped"))


def _beside(
    url: str | None, runs: list[str], rules: dict[str, list[str] | None], state: Path | None, every: float, everything: bool,
    device: str,
) -> Pacs | None:  # fmt: skip
    """The PACS whose studies are answered, None where none is named. UsageError for what does nothing, or is of two models."""
    if url is None:
        for option, given in {**rules, "state": state, "everything": everything}.items():
            if given:
                raise UsageError(
                    f"--{option.replace('_', '-')} is about the studies of a PACS; give --pacs URL with it."
                )
        return None
    if len(runs) > 1:
        raise UsageError(f"--pacs is answered by one model, and {len(runs)} are named; start a server for each.")
    from evenray.core.artefacts import digest, state_folder
    from evenray.scale.archive import Archive
    from evenray.serve.pacs.ledger import Ledger
    from evenray.serve.pacs.loop import Pacs
    from evenray.serve.pacs.rules import Rules

    archive = Archive(url)
    folder = state or state_folder() / "pacs" / digest([archive.server, str(Path(runs[0]).resolve())])[:16]
    chosen = Rules(**{name: tuple(values or ()) for name, values in rules.items()})
    return Pacs(archive, Ledger(folder), chosen, every=every, everything=everything, device=device)
