"""Are attribution maps right where the truth is known? `python benchmarks/attribution.py [--quick] [--run FOLDER]`.

The pointing game on the phantoms of `evenray demo`, whose lesions are known: of correctly found ones, at least .8 is the target.
`--run` is a finished run of the demo (DEMO/run); without it the demo is made in a temporary folder. `--data FOLDER` holds
breast-ultrasound-256 and breast-ultrasound-256-masks: a classifier is trained quickly, and its maps are held against the outlined
lesions. Beside these stand the seconds that the stage explain takes. `--quick` leaves the ultrasounds out. `--json FILE` writes
{name: {"value", "target", "met"}}.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import evenray as er
from evenray.core.artefacts.explained import Check

Figures = dict[str, dict[str, float | str | bool | None]]
METHODS = ("gradcam", "gradcam_plus_plus", "layer_attribution")


def note(figures: Figures, name: str, value: float, target: float | None = None) -> None:
    """Keep a figure; with a target it is met from there up."""
    figures[name] = {"value": value, "target": target, "met": None if target is None else value >= target}


def told(check: Check | None) -> str:
    return (
        "none" if check is None else f"{check.value:.3f} ({check.low:.3f} to {check.high:.3f}) of {check.images} images"
    )


def look(figures: Figures, name: str, run: er.Run, target: float | None) -> None:
    """What the maps of every method are worth on the regions that are known."""
    for method in METHODS:
        found = er.explain(run.path, attribution=method, explained=60).attributions
        assert found is not None
        pointing = found.check("pointing")
        print(
            f"{name} {method:18} pointing {told(pointing)}; overlap {told(found.check('overlap'))}; believed {found.believed}"
        )
        if pointing is not None:
            note(figures, f"{name} {method} pointing", pointing.value, target if method == METHODS[0] else None)
    note(figures, f"{name} seconds of explain", er.explain(run.path).ledger.stages["explain"].seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as place:
        if asked.run is not None:
            shutil.copytree(asked.run, Path(place) / "demo")
            run = er.Run(Path(place) / "demo")
        else:
            run = er.demo(Path(place) / "demo")
        look(figures, "demo", run, 0.8)
        if asked.data is not None and not asked.quick:
            masks = str(asked.data / "breast-ultrasound-256-masks")
            run = er.run(
                asked.data / "breast-ultrasound-256", None, Path(place) / "busi", contrast="none", balance="weighted",
                effort="quick", design="split", regions=masks,
            )  # fmt: skip
            look(figures, "ultrasound", run, None)
    if asked.json is not None:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
