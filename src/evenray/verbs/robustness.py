"""robustness: what becomes of a run's figures as images get worse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evenray.core.artefacts.asked import Asked
from evenray.core.artefacts.cases import DatasetRecord
from evenray.core.artefacts.lock import alone
from evenray.core.events import Listener
from evenray.core.recipe import Recipe
from evenray.core.robustness_settings import RobustnessSettings
from evenray.core.run import Run
from evenray.core.types import Dataset
from evenray.learning.tasks import of_images
from evenray.reporting import robustness_page
from evenray.stages.line import run as run_line
from evenray.stages.line import run_stage
from evenray.stages.recipe_check import check_recipe
from evenray.stages.stage import stage

from ._line import job, one_training

__all__ = ["robustness"]


def robustness(
    target: str | Path | Dataset, output: str | Path | None = None, *, against: str | None = None,
    listener: Listener | None = None, **settings: Any,
) -> Run:  # fmt: skip
    """Score the network of a run under eight corruptions in five grades each, beside a second one trained without its contrast
    (`run.robustness`); leaves robustness.html too.

    `target` is a run folder, or images, which are evaluated first; `settings` are as in `run`. `against` is the contrast of the
    second network (None: none, and no second network where that is the run's own). UsageError for masks and boxes.
    """
    if against is not None:
        check_recipe(Recipe(contrast=against))  # a mistake is told before anything is done
    with job(target, output, None, settings, listener) as work, one_training():
        if work.folder.has(DatasetRecord.file) and work.folder.has(Asked.file):
            of_images(DatasetRecord.read(work.folder.path).facts.task)  # told before anything is done again
        run_line(work, "evaluate")
        of_images(DatasetRecord.read(work.folder.path).facts.task)
        with alone(work.folder.path):
            measure = stage("evenray.stages.robustness", on_device=True)
            run_stage(work, measure, RobustnessSettings.of({**dict(work.recipe), "against": against}))
        robustness_page(work.folder.path, language=work.lang)
        return Run(work.folder.path)
