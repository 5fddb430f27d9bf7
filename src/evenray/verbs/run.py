"""The main job from Python: `run(data, recipe)` and the Run that it returns."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evenray import scale
from evenray.core.artefacts import RunFolder
from evenray.core.progress import Progress, Silent
from evenray.core.recipe import Recipe
from evenray.core.types import Dataset, Estimate, Predictions, Scores
from evenray.stages import line
from evenray.stages.context import Context

__all__ = ["Run", "run"]


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, what it chose, and what came of it. `scores["test"].auroc` is an Estimate."""

    folder: Path
    choice: Mapping[str, str]
    scores: Mapping[str, Scores]
    predictions: Predictions
    report: Path

    @classmethod
    def load(cls, folder: str | Path) -> Run:
        """Read a run folder back."""
        artefacts = RunFolder(folder)
        about = artefacts.read_json("scores.json")
        classes, positive = tuple(about["classes"]), about["positive"]
        scores = {name: _scores(part, about, classes) for name, part in about["parts"].items()}
        predictions = Predictions(artefacts.read_table("predictions.parquet"), classes, positive)
        report = artefacts / "report.html"
        return cls(artefacts.path, artefacts.read_json("choice.json"), scores, predictions, report)


def _scores(part: dict[str, Any], about: dict[str, Any], classes: tuple[str, ...]) -> Scores:
    estimates = {
        name: Estimate(**{key: np.nan if value is None else value for key, value in figures.items()})
        for name, figures in part["metrics"].items()
    }
    return Scores(
        estimates,
        about["threshold"],
        np.array(part["confusion"]),
        classes,
        about["positive"],
        part["cases"],
        part["patients"],
    )


def run(
    data: str | Path | Dataset,
    recipe: Recipe | None = None,
    folder: str | Path | None = None,
    *,
    device: str = "auto",
    jobs: int = 0,
    engine: str = "local",
    address: str | None = None,
    language: str = "en",
    progress: Progress | None = None,
) -> Run:
    """The main job on images, or on a data set that is scanned already: compare, train, evaluate, explain, report.

    `folder` is the run folder (by default the data's name with -run); what stands there already is not done again. Both
    may be URLs. `engine` (local, dask, ray) reads and prepares images, on the cluster at `address` or on `jobs` processes.
    Raises EvenrayError with a sentence for whatever the user can mend.
    """
    given = data if isinstance(data, Dataset) else None
    source = str(data.root if isinstance(data, Dataset) else data)
    url = folder is not None and scale.is_url(folder)
    place = scale.RemoteFolder(str(folder)) if url else RunFolder(folder or f"{Path(source).resolve().stem}-run")
    with scale.engine(engine, address, jobs) as map, closing(place):
        line.run(Context(place, source, recipe or Recipe(), device, language, map, progress or Silent(), given=given))
    return Run.load(place.path)
