"""The verb enhance: copies with better contrast, and pages before and after."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from evenray.core.messages import Message
from evenray.core.texts import Texts

from ._app import Jobs, Json, Lang, app
from ._light import PANEL, ValueRange, Window, pair
from ._screen import print_json, say, watching

if TYPE_CHECKING:
    from evenray.verbs.enhance import Enhanced, Gallery

__all__ = ["enhance"]

SHOWN = 20  # skipped files that are named


@app.command("enhance", rich_help_panel=PANEL)
def enhance(
    data: Annotated[
        str, typer.Argument(help="An image, a .npz file or a folder, or the URL of one.", show_default=False)
    ],
    method: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--method", "-m", help="A contrast, such as 'clahe(clip=2)' or 'percentile(1, 99) | gamma(0.8)'."),
    ] = None,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--output",
            "-o",
            help="The folder of the copies, or for one image the file \\[default: the name with -enhanced].",
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every method side by side on one page instead.")] = False,
    reference: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--reference", help="An image, a folder or a saved histogram to match the grey levels of."),
    ] = None,
    sheet: Annotated[int, typer.Option("--sheet", help="Images on the page before and after; 0 for none.", min=0)] = 3,
    value_range: ValueRange = None,
    window: Window = "header",
    names: Annotated[
        bool, typer.Option("--names", help="Call images on the pages by their files, which may name patients.")
    ] = False,
    lang: Lang = "en",
    jobs: Jobs = 0,
    json: Json = False,
) -> None:
    """Write copies with better contrast in the format and depth of the originals, and a page before and after."""
    from evenray.verbs import enhance as verb

    with watching(lang) as listener:
        span = pair(value_range)
        if every:
            _show_gallery(
                verb.gallery(data, output, value_range=span, window=window, lang=lang, names=names, listener=listener),
                json,
            )
            return
        done = verb.enhance(
            data, method, output, reference=reference, sheet=sheet, value_range=span, window=window, lang=lang, jobs=jobs,
            names=names, listener=listener,
        )  # fmt: skip
    _show_copies(done, lang, json)


def _show_gallery(done: Gallery, as_json: bool) -> None:
    if as_json:
        measures = {
            spec: {name: value if math.isfinite(value) else None for name, value in found.items()}
            for spec, found in done.measures.items()
        }
        print_json({"sheet": str(done.page), "measures": measures})
        return
    say(str(done.page), "bold")


def _show_copies(done: Enhanced, lang: str, as_json: bool) -> None:
    if as_json:
        skipped = [{"file": str(file), "reason": reason} for file, reason in done.skipped.items()]
        print_json({
            "method": done.method, "written": [str(path) for path in done.written], "skipped": skipped,
            "sheet": str(done.sheet) if done.sheet else None, "seconds": dict(done.seconds),
        })  # fmt: skip
        return
    count = len(done.written)
    place = done.written[0] if count == 1 else os.path.commonpath([path.parent for path in done.written])
    texts = Texts(lang)
    say(texts.message(Message("enhance.done", {"count": count, "method": done.method, "place": str(place)})))
    for file, reason in list(done.skipped.items())[:SHOWN]:
        say(texts("enhance.skipped", file=file, reason=reason))
    if len(done.skipped) > SHOWN:
        say(texts("enhance.more_skipped", count=len(done.skipped) - SHOWN))
    if done.sheet:
        say(texts("enhance.sheet", file=done.sheet))
