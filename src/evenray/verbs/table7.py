"""Table 7 of the VGG paper: for the user's images, or of given weights on ImageNet's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evenray.core.artefacts.design import DesignRecord
from evenray.core.artefacts.lock import alone
from evenray.core.errors import UsageError
from evenray.core.events import Listener
from evenray.core.recipe import STAGES, Machine, Recipe, ReportSettings
from evenray.core.run import Run
from evenray.core.table7_settings import Table7Settings
from evenray.core.types import Dataset
from evenray.evidence.table7 import chosen
from evenray.reporting import table7_page
from evenray.stages.line import run as run_line
from evenray.stages.line import run_stage
from evenray.stages.stage import stage
from evenray.stages.void import stop_where_void

from ._line import job, one_training, spelt_out

__all__ = ["table7"]

EARLY = {name for each in ("scan", "audit", "split") for name in STAGES[each].model_fields} - {"effort", "design"}


def table7(
    target: str | Path | Dataset, output: str | Path | None = None, *, listener: Listener | None = None, **settings: Any
) -> Run:
    """Train the systems of Table 7 on images, and score them all the same way (`run.table7`); leaves table7.html too.

    `settings` are those of Table7Settings (systems, contrast, balance, effort, size, epochs, batch, learning_rate, flips, seed),
    of the scan and the split, and of the machine. A run folder serves as well, and keeps its own network and scores.
    """
    known = EARLY | set(Table7Settings.model_fields) | set(Machine.model_fields) | set(ReportSettings.model_fields)
    values = spelt_out({name: value for name, value in settings.items() if value is not None})
    for name in values:
        if name not in known:
            raise UsageError(f"{name} does nothing with table7; leave it out.")
    early = {n: v for n, v in values.items() if n in EARLY or n not in Table7Settings.model_fields}
    asked = {n: v for n, v in values.items() if n in Table7Settings.model_fields}
    with job(target, output, None, early, listener) as work, one_training():
        recipe = work.recipe if work.folder.has("recipe.json") else Recipe()
        if not work.folder.has("recipe.json"):
            work.recipe = work.recipe.but(design="split")
        elif work.folder.has(DesignRecord.file) and DesignRecord.read(work.folder.path).nested:
            raise UsageError(
                f"'{work.folder.path}' was cross-validated and has no test part, which the nets of Table 7 are tested on; name the"
                " images and another folder with -o."
            )
        single = {
            n: getattr(recipe, n) if isinstance(getattr(recipe, n), str) else "none" for n in ("contrast", "balance")
        }
        trained = Table7Settings.of({**dict(recipe), **single, **asked})
        _ = chosen(trained.systems), work.tools.machine  # what there is none of is told now
        run_line(work, "split")
        stop_where_void(work.folder, work.recipe)
        with alone(work.folder.path):
            run_stage(work, stage("evenray.stages.table7", on_device=True), trained)
        table7_page(work.folder.path, language=work.lang)
        return Run(work.folder.path)
