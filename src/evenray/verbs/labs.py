"""labs: the slides as exercises, written into a folder."""

from __future__ import annotations

from pathlib import Path

from evenray.core.artefacts import atomic
from evenray.core.errors import UsageError
from evenray.core.events import Events, Listener
from evenray.core.names import as_text
from evenray.core.recipe import ReportSettings
from evenray.teaching import LABS, Source, as_notebook, as_script

__all__ = ["labs"]


def labs(output: str | Path, *, lang: str = "en", listener: Listener | None = None) -> tuple[Path, ...]:
    """Write the three labs into the folder `output`: exercise and solution, each as a script and as a notebook.

    Returns the files: LAB/exercise.py, LAB/exercise.ipynb, LAB/solution.py and LAB/solution.ipynb. `lang` is en or ko. A folder that
    has a file of such a name already is refused with UsageError: it may hold somebody's answers.
    """
    ReportSettings.of({"lang": lang})
    folder = Path(output)
    files = {
        folder / name / f"{what}.{ending}": write(Source.of(name), lang, solved=what == "solution")
        for name in LABS
        for what in ("exercise", "solution")
        for ending, write in (("py", as_script), ("ipynb", as_notebook))
    }
    if there := next((path for path in files if path.exists()), None):
        raise UsageError(f"'{there}' exists and may hold answers; give another folder with -o, or move it away.")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as written:
            written.write_text(text, encoding="utf-8")
    Events(listener).tell("labs.written", count=len(LABS), place=as_text(folder))
    return tuple(files)
