"""share: what may be handed on of a run, in a folder of its own."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from evenray.core.artefacts import RunFolder, atomic
from evenray.core.artefacts.asked import Asked
from evenray.core.artefacts.cases import DatasetRecord
from evenray.core.artefacts.external import FOLDER, ExternalRecord, names_of
from evenray.core.errors import DataError, UsageError
from evenray.core.events import Events, Listener
from evenray.core.names import as_text
from evenray.core.run import Run
from evenray.reporting import KINDS, language_of, page_of
from evenray.scale import is_url

__all__ = ["Shared", "share"]

# What names no file and holds no picture but those of the pages. Whatever else lies in the folder is left out.
COPIED = (
    "findings.parquet", "label_errors.parquet", "split.parquet", "design.json", "excluded.csv", "plan.json", "grid.parquet",
    "choice.json", "out_of_fold.parquet", "outer_folds.parquet", "model.json", "model.safetensors", "history.csv",
    "predictions.parquet", "scores.json", "uncertainty.json", "groups.json", "robustness.json",
    "attributions/*.png", "attributions/index.json", "masks/*.png", "masks/index.json",
    "overlays/*.png", "overlays/index.json", "contrast/*.png", "contrast/index.json", "ensemble.json", "table7.parquet",
    "table7.csv", "table7.md", "table7.json", "table7/predictions.parquet", "export/model*.onnx", "export/model*.xml",
    "export/model*.bin", "export/model.safetensors", "export/model.json", "export/MODEL_CARD*.md",
)  # fmt: skip


@dataclass(frozen=True)
class Shared:
    """The new folder, the files in it, and what of the run was left out (folders of pixels by their name)."""

    folder: Path
    files: tuple[str, ...]
    left_out: tuple[str, ...]


def share(run: str | Path, output: str | Path, *, listener: Listener | None = None) -> Shared:
    """Copy what may be handed on of a run, or of an ensemble, into the new folder `output`.

    These are the pages, the predictions, scores, findings and the split, where cases have pseudonyms; the network and what was
    exported of it; and the recipe with words in place of paths. Left out are the files that hold paths (cases.parquet,
    rejected.csv, dataset.json, provenance.json) or pictures of all images (sketches/, store/), what each reader said, as readers
    are persons, too (ratings.parquet; the page tells how far they agree), checkpoints, and whatever evenray
    did not make. The network can still predict, and `Run` opens the folder. Raises DataError where cases are called by their
    files, UsageError where `output` holds something or lies in the run.
    """
    for given in (run, output):
        if is_url(given):
            raise UsageError(f"'{given}' is a URL; share reads and writes folders of this machine alone, so give one.")
    source, target = Run(run), Path(output)
    _check(source, target)
    quoting = source.asked if source.asked and source.asked.references else None
    files = sorted({path for pattern in COPIED for path in source.path.glob(pattern) if path.is_file()})
    for path in files:
        _copy(path, target / path.relative_to(source.path), quoting)
    for kind in ("report", *KINDS):
        _write_page(source, kind, source.path / f"{kind}.html", target / f"{kind}.html")
    for number, name in enumerate(names_of(source.path), 1):
        _share_external(source.path / FOLDER / name, target / FOLDER / str(number), quoting)
    if source.asked is not None:
        source.asked.without_paths().write(target)
    made = tuple(sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()))
    if not made:
        raise DataError(f"'{source.path}' holds nothing to hand on yet; 'evenray run {source.path}' makes it.")
    left = _left_out(source.path, set(made))
    Events(listener).tell("share.done", count=len(made), place=as_text(target), left=list(left))
    return Shared(target, made, left)


def _check(source: Run, target: Path) -> None:
    source.folder.needed(DatasetRecord.file)
    named = DatasetRecord.read(source.path).facts.names_files
    if named is not False:
        why = "--names was given" if named else "nobody knows what its cases are called by"
        raise DataError(
            f"'{source.path}' is not to be handed on: {why}, and names of files may name patients. Run it again without --names:"
            " 'evenray run DATA -o NEW'."
        )
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"'{target}' exists and is not empty; give a new folder with -o.")
    if target.resolve().is_relative_to(source.path.resolve()):
        raise UsageError(f"'{target}' lies in the run folder; give a folder beside it with -o.")


def _write_page(shown: Run, kind: str, page: Path, target: Path) -> None:
    """A page written anew where there is one: it may be older than what it shows."""
    if page.is_file():
        with atomic(target) as path:
            path.write_text(page_of(shown, kind, language=language_of(page)), encoding="utf-8")


def _share_external(place: Path, target: Path, quoting: Asked | None) -> None:
    """An external test by its number, as it may be called by its data; not one whose cases are called by their files."""
    if not (place / DatasetRecord.file).is_file() or DatasetRecord.read(place).facts.names_files is not False:
        return
    for name in ("scores.json", "predictions.parquet"):
        _copy(place / name, target / name, quoting)
    ExternalRecord.read(place).model_copy(update={"name": target.name}).write(target)
    _write_page(Run(place), "external", place / "external.html", target / "external.html")


def _copy(source: Path, target: Path, quoting: Asked | None) -> None:
    """A file as it is; where contrasts match to files, with a word for the paths that its texts quote."""
    if quoting is not None and source.suffix in (".parquet", ".csv"):
        table = RunFolder(source.parent).read_table(source.name)
        texts = pl.col(pl.String).map_elements(quoting.told, return_dtype=pl.String)
        RunFolder(target.parent).write_table(target.name, table.with_columns(texts))
        return
    with atomic(target) as path:
        if quoting is not None and source.suffix in (".json", ".md"):
            text = source.read_text(encoding="utf-8")
            path.write_text(
                quoting.told(text) if source.suffix == ".md" else _told(source, text, quoting), encoding="utf-8"
            )
        else:
            shutil.copyfile(source, path)


def _told(source: Path, text: str, quoting: Asked) -> str:
    def walked(value: Any) -> Any:
        if isinstance(value, str):
            return quoting.told(value)
        if isinstance(value, list):
            return [walked(item) for item in value]
        return {quoting.told(name): walked(item) for name, item in value.items()} if isinstance(value, dict) else value

    try:
        return json.dumps(walked(json.loads(text)), indent=2, ensure_ascii=False) + "\n"
    except (ValueError, RecursionError):
        raise DataError(f"{source} is no JSON; the file was changed or damaged: make the run again.") from None


def _left_out(folder: Path, made: set[str]) -> tuple[str, ...]:
    """What is not in the new folder: by name, whole folders with a slash."""
    found = set()
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in made:
            top = name.split("/")[0]
            found.add(f"{top}/" if "/" in name and not any(one.startswith(f"{top}/") for one in made) else name)
    return tuple(sorted(as_text(name) for name in found))
