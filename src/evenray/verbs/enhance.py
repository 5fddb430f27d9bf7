"""enhance: an image with better contrast, or copies of files with pages before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

import numpy as np

from evenray.core.artefacts import atomic
from evenray.core.errors import DataError, UsageError
from evenray.core.events import Events, Listener
from evenray.core.names import as_text
from evenray.core.recipe import ReportSettings
from evenray.core.spec import parse, paths_in, without_paths
from evenray.core.types import Image
from evenray.images import contrast
from evenray.images.histogram import Histogram
from evenray.reporting.language import Language
from evenray.reporting.sheet import gallery as methods_to_show
from evenray.reporting.sheet import panel
from evenray.reporting.sheet import sheet as sheet_of
from evenray.scale import local

from ._copies import Copied, CopyJob, copies, files_of, proposed_range, read_middle, relative, unit_span
from ._counting import reference_histogram

__all__ = ["Enhanced", "Gallery", "enhance", "gallery"]

NARROW = 0.1  # of the range
STRETCH = ("percentile", "window")  # what spreads a small part of the range over the whole
Range = tuple[float, float]


@dataclass(frozen=True)
class Enhanced:
    """Enhanced copies: the method, what was written and what was skipped (file -> reason), the page before and after, and
    the seconds that reading, enhancing and writing took."""

    method: str
    written: tuple[Path, ...]
    skipped: Mapping[Path, str]
    sheet: Path | None
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Gallery:
    """Every method on one image: the page, and what the measures say of each method (NaN where not defined)."""

    page: Path
    measures: Mapping[str, Mapping[str, float]]


@overload
def enhance(data: Image, method: str) -> Image: ...
@overload
def enhance(
    data: str | Path, method: str | None = None, output: str | Path | None = None, *, reference: str | Path | None = None,
    sheet: int = 3, value_range: Range | None = None, window: str = "header", lang: str = "en", jobs: int = 0,
    names: bool = False, listener: Listener | None = None,
) -> Enhanced: ...  # fmt: skip
def enhance(
    data: Image | str | Path, method: str | None = None, output: str | Path | None = None, *,
    reference: str | Path | None = None, sheet: int = 3, value_range: Range | None = None, window: str = "header",
    lang: str = "en", jobs: int = 0, names: bool = False, listener: Listener | None = None,
) -> Image | Enhanced:  # fmt: skip
    """Give an image, or copies of files, better contrast by a method such as "clahe(clip=2)" or "percentile(1, 99) | gamma(0.8)".

    Files keep their format and depth. `output` is the folder (for one file it may be the file); `reference` an image, a folder
    or a saved histogram to match to; `sheet` how many images the page before and after shows, by number, or with `names` by
    file; `value_range` the true range of files that declare none; `window` header, none or a CT window. A file that cannot be
    copied is skipped with its reason, and the rest goes on. Raises UsageError for an unknown method, DataError where no file
    could be enhanced.
    """
    if isinstance(data, Image):
        if method is None:
            raise UsageError("Name a contrast, such as 'clahe(clip=2)'.")
        return contrast.enhance(data, method)
    if method is None and reference is None:
        raise UsageError("Name a contrast, such as --method 'clahe(clip=2)', or --all to see every one on one image.")
    ReportSettings.of({"lang": lang})  # a mistake in it is told before anything is written
    source = local(data)
    files = files_of(source)
    folder, pairs = _targets(source, files, None if output is None else Path(output))
    spec = _spec(method, None if reference is None else Path(reference), folder, window, value_range)
    contrast.enhance(Image(np.arange(64, dtype=np.uint8).reshape(8, 8), (0, 255)), spec)  # a wrong spec ends here
    events, job, done = Events(listener), CopyJob(spec, window, value_range), list[Copied]()
    with events.task("task.enhance", len(pairs)) as tick:
        for result in copies(pairs, job, jobs):
            done.append(result)
            tick(1)
    written, skipped = [r for r in done if not r.reason], [r for r in done if r.reason]
    if not written:
        if skipped[0].mistaken:
            raise UsageError(skipped[0].reason)
        raise DataError(f"None of the {len(done)} files could be enhanced; the first: {skipped[0].reason}")
    made = None
    if sheet:
        page = f"{_stem(pairs[0][1])}-sheet.html" if files == [source] and (output or names) else "sheet.html"
        made = _write_sheet(source, folder / page, written, job, sheet, lang, names, events)
    if value_range is None:
        _tell_range(written[0].source, job, events)
    return Enhanced(
        spec, tuple(r.target for r in written), {r.source: r.reason for r in skipped}, made,
        {name: sum(r.seconds[name] for r in written) for name in ("reading", "enhancing", "writing")},
    )  # fmt: skip


def _tell_range(file: Path, job: CopyJob, events: Events) -> None:
    """Where the first image goes beyond the range that it is taken to have, or uses so little of it that curves over the
    range do little."""
    image, _ = read_middle(file, None, job.window)
    if proposed := proposed_range(unit_span(image)):
        low, high = unit_span(image)
        events.tell("enhance.beyond", "note", file=file.name, low=low, high=high, range=proposed)
        return
    found = Histogram.of(image)
    if not found.total:
        return
    (low, high), (first, last) = found.range, (found.percentile(1), found.percentile(99))
    if last - first < NARROW * (high - low):
        code = "enhance.narrow" if parse(job.spec)[0].name in STRETCH else "enhance.narrow_unstretched"
        events.tell(code, "note", file=file.name, first=first, last=last, low=low, high=high)


def _targets(data: Path, files: list[Path], output: Path | None) -> tuple[Path, list[tuple[Path, Path]]]:
    """The folder of the results, and for every file where its copy goes."""
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


def _spec(method: str | None, reference: Path | None, folder: Path, window: str, value_range: Range | None) -> str:
    """The spec to apply; a reference becomes a saved histogram beside the copies, so that the spec can be repeated."""
    if reference is None:
        return str(method)
    saved = reference
    if reference.suffix != ".json":
        saved = folder / "reference.json"
        folder.mkdir(parents=True, exist_ok=True)
        reference_histogram(reference, value_range, window).save(saved)
    match = f"match('{saved.as_posix()}')"
    return f"{method} | {match}" if method else match


def _write_sheet(
    data: Path, target: Path, written: list[Copied], job: CopyJob, number: int, lang: str, names: bool, events: Events
) -> Path:
    """The page before and after. It calls images by their number among the copies, and whoever works here is told which
    those are: a file's name may be a patient's."""
    rows = []
    for place in range(0, len(written), max(1, len(written) // number))[:number]:
        source = written[place].source
        before, part = read_middle(source, job.value_range, job.window)
        file = as_text(relative(source, data))
        title = file if names else Language(lang)("sheet.image", number=place + 1)
        rows.append([panel(before, "none", title=title + (f" {part}" if part else "")), panel(before, job.spec)])
        if not names and len(written) > 1:
            events.tell("enhance.shown", number=place + 1, file=file)
    spec = without_paths(job.spec)
    note = Language(lang)("sheet.note", images=len(written), method=spec, shown=len(rows))
    hidden = paths_in(job.spec)
    with atomic(target) as path:
        name = as_text(data.name) if names else spec
        path.write_text(sheet_of("pairs", rows, name, note=note, language=lang, hidden=hidden), encoding="utf-8")
    return target


def gallery(
    data: str | Path, output: str | Path | None = None, *, value_range: Range | None = None, window: str = "header",
    lang: str = "en", names: bool = False, listener: Listener | None = None,
) -> Gallery:  # fmt: skip
    """Write a page that shows every method on one image; `output` is the page, or a folder for it; with `names` the page is
    called by the file."""
    ReportSettings.of({"lang": lang})
    source = local(data)
    if files_of(source) != [source]:
        raise UsageError(f"--all shows one image; give a file, such as '{files_of(source)[0]}'.")
    page = f"{_stem(source)}-contrasts.html" if names else "contrasts.html"
    target = Path(output) if output is not None else Path(page)
    if target.suffix.lower() not in ("", ".html", ".htm") and not target.is_dir():
        raise UsageError(
            f"'{target}' cannot be written; --all makes a page: give a name that ends in .html, or a folder."
        )
    if target.is_dir() or not target.suffix:
        target = target / page
    before, _ = read_middle(source, value_range, window)
    specs, panels = methods_to_show(before), []
    title = as_text(source.name) if names else ""
    with Events(listener).task("task.enhance", len(specs)) as tick:
        for spec in specs:
            panels.append(panel(before, spec, title=title if spec == "none" else ""))
            tick(1)
    with atomic(target) as path:
        path.write_text(
            sheet_of("gallery", [panels], title or Language(lang)("page.gallery"), language=lang), encoding="utf-8"
        )
    return Gallery(target, {item.spec: item.measures for item in panels if item.measures})
