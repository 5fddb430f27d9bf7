"""The verb enhance: copies with better contrast, and pages before and after."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from evenray.core.errors import DataError, UsageError
from evenray.core.spec import parse

from ._app import Jobs, Json, app, print_json, screen
from ._language import language_of
from ._light import PANEL, ValueRange, Window, pair
from ._progress import Bars

if TYPE_CHECKING:
    from evenray.core.types import Image

    from ._copies import Copied, Job

__all__ = ["enhance"]

NARROW = 0.1  # of the range
STRETCH = ("percentile", "window")  # what spreads a small part of the range over the whole


@app.command("enhance", rich_help_panel=PANEL)
def enhance(
    data: Annotated[Path, typer.Argument(help="An image, a .npz file or a folder.", show_default=False)],
    method: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--method", "-m", help="A contrast, such as 'clahe(clip=2)' or 'percentile(1, 99) | gamma(0.8)'."),
    ] = None,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--output", "-o", help="The folder, or for one image the file (default: the name with -enhanced)."
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
    lang: Annotated[Optional[str], typer.Option("--lang", help="The language of the page: en or ko.")] = None,  # noqa: UP045
    jobs: Jobs = 0,
    json: Json = False,
) -> None:
    """Write copies with better contrast in the format and depth of the originals, and a page before and after."""
    language = language_of({} if lang is None else {"lang": lang})
    if every:
        result = _show_all(data, output, window, pair(value_range), language)
    else:
        if method is None and reference is None:
            raise UsageError("Say which contrast: --method 'clahe(clip=2)', or --all to see every one on one image.")
        result = _copy_all(data, method, output, reference, sheet, window, pair(value_range), jobs, language)
    lines = result.pop("lines")
    if json:
        print_json(result)
        return
    for line in lines:
        screen.print(line, highlight=False, soft_wrap=True)


def _copy_all(
    data: Path,
    method: str | None,
    output: Path | None,
    reference: Path | None,
    sheet: int,
    window: str,
    value_range: tuple[float, float] | None,
    jobs: int,
    language: str,
) -> dict[str, Any]:
    from evenray.core.types import Image
    from evenray.images.contrast import enhance as check

    from ._copies import Job, copies, files_of

    files = files_of(data)
    folder, pairs = _targets(data, files, output)
    spec = _spec(method, reference, folder, window, value_range)
    check(_blank(Image), spec)  # a wrong spec ends here, before a file is read
    job = Job(spec, window, value_range)
    done: list[Copied] = []
    with Bars().task("enhancing", len(pairs)) as tick:
        for result in copies(pairs, job, jobs):
            done.append(result)
            tick(1)
    written, skipped = [r for r in done if not r.reason], [r for r in done if r.reason]
    if not written:
        raise DataError(f"None of the {len(done)} files could be enhanced; the first: {skipped[0].reason}")
    page = _write_sheet(data, folder, written, job, sheet, language) if sheet else None
    lines = [
        f"[bold]{len(written)}[/bold] enhanced with [bold]{spec}[/bold], in {pairs[0][1] if files == [data] else folder}"
    ]
    lines += [f"skipped {r.source}: {r.reason}" for r in skipped[:20]]
    lines += [f"and {len(skipped) - 20} more skipped"] if len(skipped) > 20 else []
    lines += _narrow(written[0].source, job) if value_range is None else []
    lines += [f"before and after: {page}"] if page else []
    return {
        "method": spec,
        "written": [str(r.target) for r in written],
        "skipped": [{"file": str(r.source), "reason": r.reason} for r in skipped],
        "sheet": str(page) if page else None,
        "seconds": {n: sum(r.seconds[n] for r in written) for n in ("reading", "enhancing", "writing")},
        "lines": lines,
    }


def _narrow(file: Path, job: Job) -> list[str]:
    """What to say where the first image goes beyond the range that it is taken to have, or uses so little of it that
    curves over the range do little."""
    from evenray.images import readers
    from evenray.images.histogram import Histogram

    from ._copies import beyond, unit_span

    image = readers.read(file, window=job.window)
    if said := beyond(unit_span(image)):
        return [f"[yellow]note[/yellow] {file.name}: {said}"]
    found = Histogram.of(image)
    if not found.total:
        return []
    (low, high), (first, last) = found.range, (found.percentile(1), found.percentile(99))
    if last - first >= NARROW * (high - low):
        return []
    begins = ", or begin with 'percentile(1, 99) |'" if parse(job.spec)[0].name not in STRETCH else ""
    return [
        f"[yellow]note[/yellow] 98 % of the pixels of {file.name} lie from {first:g} to {last:g}, of a range of {low:g} to {high:g}:"
        f" give --value-range LOW,HIGH if that is not the true one{begins}"
    ]


def _blank(kind: type[Image]) -> Image:
    import numpy as np

    return kind(np.arange(64, dtype=np.uint8).reshape(8, 8), (0, 255))


def _targets(data: Path, files: list[Path], output: Path | None) -> tuple[Path, list[tuple[Path, Path]]]:
    """The folder of the results, and for every file where its copy goes."""
    from ._copies import relative

    if files != [data]:
        folder = output or Path(f"{data.resolve().stem if data.is_file() else data.resolve().name}-enhanced")
        if data.is_dir() and (folder.resolve() == data.resolve() or data.resolve() in folder.resolve().parents):
            raise UsageError(f"{folder} lies in the folder that is read; choose another with -o.")
        pairs = [(file, folder / relative(file, data)) for file in files]
        same = next((file for file, target in pairs if file.resolve() == target.resolve()), None)
        if same is not None:
            raise UsageError(f"the copy of {same} would be written over it; choose another folder with -o.")
        return folder, pairs
    if output is None:
        target = Path(f"{_stem(data)}-enhanced{data.name.removeprefix(_stem(data))}")
    else:
        target = output if output.suffix and not output.is_dir() else output / data.name
    return target.parent, [(data, target)]


def _stem(path: Path) -> str:
    """The name without its format.

    >>> _stem(Path("brain.nii.gz"))
    'brain'
    """
    return path.name.removesuffix(".nii.gz") if path.name.lower().endswith(".nii.gz") else path.stem


def _spec(
    method: str | None, reference: Path | None, folder: Path, window: str, value_range: tuple[float, float] | None
) -> str:
    """The spec to apply; a reference becomes a saved histogram beside the copies, so that the spec can be repeated."""
    if reference is None:
        return str(method)
    from ._counting import reference_histogram

    saved = reference
    if reference.suffix != ".json":
        saved = folder / "reference.json"
        folder.mkdir(parents=True, exist_ok=True)
        reference_histogram(reference, value_range, window).save(saved)
    match = f"match('{saved.as_posix()}')"
    return f"{method} | {match}" if method else match


def _write_sheet(data: Path, folder: Path, written: list[Copied], job: Job, number: int, language: str) -> Path:
    from evenray.core.artefacts import atomic
    from evenray.images import readers
    from evenray.images.contrast.sheet import page, panel, words

    from ._copies import shown

    rows = []
    for result in written[:: max(1, len(written) // number)][:number]:
        parts = readers.fragments(result.source)
        part = parts[len(parts) // 2]
        before = readers.read(result.source, fragment=part, value_range=job.value_range, window=job.window)
        title = shown(result.source, data) + (f" {part}" if part else "")
        after = panel(before, job.spec, language=language)
        rows.append([panel(before, "none", title=title, language=language), after])
    name = f"{_stem(written[0].target)}-sheet.html" if written[0].source == data else "sheet.html"
    say = words(language)
    note = say("sheet.note", images=len(written), method=job.spec, shown=len(rows))
    target = folder / name
    with atomic(target) as path:
        path.write_text(page(say("sheet.pairs"), rows, note=note, language=language), encoding="utf-8")
    return target


def _show_all(
    data: Path, output: Path | None, window: str, value_range: tuple[float, float] | None, language: str
) -> dict[str, Any]:
    from evenray.core.artefacts import atomic
    from evenray.images import readers
    from evenray.images.contrast.sheet import gallery, page, panel, words

    from ._copies import files_of, shown

    if files_of(data) != [data]:
        raise UsageError(f"--all shows one image; give a file, such as '{files_of(data)[0]}'.")
    target = output or Path(f"{_stem(data)}-contrasts.html")
    if target.suffix.lower() not in ("", ".html", ".htm") and not target.is_dir():
        raise UsageError(
            f"'{target}' cannot be written; --all makes a page: give a name that ends in .html, or a folder."
        )
    if target.is_dir() or not target.suffix:
        target = target / f"{_stem(data)}-contrasts.html"
    parts = readers.fragments(data)
    part = parts[len(parts) // 2]
    before = readers.read(data, fragment=part, value_range=value_range, window=window)
    specs = gallery(before)
    panels = []
    with Bars().task("enhancing", len(specs)) as tick:
        for spec in specs:
            panels.append(panel(before, spec, title=shown(data, data) if spec == "none" else "", language=language))
            tick(1)
    with atomic(target) as path:
        path.write_text(page(words(language)("sheet.all"), [panels], language=language), encoding="utf-8")
    found = {
        item.spec: {name: value if math.isfinite(value) else None for name, value in item.measures.items()}
        for item in panels
        if item.measures
    }
    return {"sheet": str(target), "measures": found, "lines": [f"{len(specs)} panels: {target}"]}
