"""The demo: the main job on an archive of synthetic radiographs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from evenray import scale
from evenray.core.events import Events, Listener, watched
from evenray.core.run import Run
from evenray.data import demo as archive

from .run import run

__all__ = ["demo"]

IMAGES = 620
# Networks that mark places cost more than those that tell whole images apart: less is compared, to stay within minutes.
SHORTER: dict[str, dict[str, Any]] = {
    "classify": {}, "segment": {"seeds": 1, "balance": ("none", "dice_cross_entropy")},
    "detect": {"seeds": 1, "balance": ("none", "focal"), "choose": {"compare_cases": 300}},
}  # fmt: skip


def demo(
    output: str | Path = "demo-run", *, task: Literal["classify", "segment", "detect"] = "classify", seed: int = 0,
    lang: str = "en", jobs: int = 0, listener: Listener | None = None,
) -> Run:  # fmt: skip
    """Draw an archive of DICOM radiographs with planted faults into `output`/archive, and run the main job on it.

    The images are synthetic phantoms: no patient was ever seen by them. `task` says whether the films are classified, or the
    lesions in them segmented or detected. The run stands in `output`/run.
    """
    events, folder = Events(listener), Path(output) / "archive"
    events.tell("demo.synthetic")
    with events.task("task.draw", IMAGES) as tick, scale.engine("local", None, jobs) as engine:
        archive.make(folder, seed=seed, images=IMAGES, task=task, map=watched(engine.map, tick, lambda film: 1))
    return run(
        folder, None, Path(output) / "run", listener=listener, seed=seed, lang=lang, jobs=jobs, effort="quick", **SHORTER[task]
    )  # fmt: skip
