"""What it takes to repeat the run: the command, versions, hashes, seeds, times, and when the test part was opened."""

from __future__ import annotations

import shlex
from typing import Any

from evenray.reporting.folder import Run
from evenray.reporting.language import Language

__all__ = ["command", "context"]


def context(run: Run, say: Language) -> dict[str, Any] | None:
    if run.recipe is None and not run.provenance:
        return None
    stages = run.provenance.get("stages", {})
    seconds = [float(stage.get("seconds") or 0) for stage in stages.values()]
    machine = run.provenance.get("machine") or {}
    return {
        "command": None if run.recipe is None else command(run.recipe),
        "versions": {
            "evenray": run.provenance.get("evenray"),
            "Python": run.provenance.get("python"),
            **(run.provenance.get("packages") or {}),
        },
        "machine": [(say.name("machine", name), say.value(value)) for name, value in machine.items()],
        "stages": [
            (say.name("verb", name), say.duration(s), s / (max(seconds) or 1), stage.get("finished", ""))
            for (name, stage), s in zip(stages.items(), seconds, strict=True)
        ],
        "total": say.duration(sum(seconds)),
        "hashes": [(file, sha) for stage in stages.values() for file, sha in stage.get("outputs", {}).items()],
        "opened": run.provenance.get("test_opened") or [],
        "started": run.provenance.get("started"),
        "seed": (run.recipe or {}).get("seed"),
    }


def command(recipe: dict[str, Any]) -> str:
    """The command line that asks for the same run.

    >>> command({"data": "scans/", "contrast": ["none", "clahe(clip=2)"], "seed": 3, "size": None, "flips": False})
    "evenray run scans/ --contrast none --contrast 'clahe(clip=2)' --seed 3"
    """
    words = ["evenray", "run", str(recipe.get("data", "DATA"))]
    for name, value in recipe.items():
        option = f"--{name.replace('_', '-')}"
        if name == "data" or value is None or value is False:
            continue
        if value is True:
            words.append(option)
        elif name == "value_range":
            words += [option, ",".join(f"{v:g}" for v in value)]
        else:
            for item in value if isinstance(value, (list, tuple)) else [value]:
                words += [option, str(item)]
    return shlex.join(words)
