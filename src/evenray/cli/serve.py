"""The verb serve: the REST service."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from evenray.core.recipe import ReportSettings
from evenray.core.texts import Texts

from ._app import Jobs, Lang, app
from ._screen import say

__all__ = ["serve"]

PANEL = "The result at work"


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
    jobs: Jobs = 0,
    lang: Lang = "en",
) -> None:
    """Answer other programs over HTTP: predictions, contrast and histograms of images and DICOM files."""
    texts = Texts(ReportSettings.of({"lang": lang}).lang)
    from evenray.serve.limits import Limits
    from evenray.serve.models import Models
    from evenray.serve.rest import rest_application
    from evenray.serve.running import serve as run
    from evenray.serve.security import Access
    from evenray.serve.service import Service

    access = Access(host, token or None, tuple(name or ()))
    service = Service(Models(runs, device), jobs=jobs, queue=queue, seconds=seconds)
    application = rest_application(
        service, access, Limits(megabytes * 10**6, 2 * seconds, together=8 * megabytes * 10**6)
    )

    def ready(url: str) -> None:
        say(texts("serve.started", url=url, models=", ".join(service.models.loaded)))

    run(application, host, port, ready=ready)
    say(texts("serve.stopped"))
