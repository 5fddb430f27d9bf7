"""What a workbench was given: a folder of runs, and the run or the images that it opens with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evenray.core.artefacts.asked import Asked
from evenray.core.errors import DataError
from evenray.serve.problems import Problem

__all__ = ["Workplace"]


@dataclass(frozen=True)
class Workplace:
    """`runs` is the folder in which runs are found, made and deleted; `opened` the name of the run to begin with; `data` the
    images to begin with; `language` that of who chose none.

    Requests name runs by their folders' names, and nothing else of the file system.
    """

    runs: Path
    opened: str | None = None
    data: Path | None = None
    language: str | None = None

    @classmethod
    def of(cls, target: str | Path | None = None, language: str | None = None) -> Workplace:
        """The workplace of a run folder (and those beside it), of images (runs are made in the working directory), or of a folder
        of runs, by default the working directory. DataError where there is no such file or folder.

        >>> Workplace.of("no-such-folder")
        Traceback (most recent call last):
        ...
        evenray.core.errors.DataError: There is no 'no-such-folder'; give a run folder, images, or a folder of runs.
        """
        path = Path.cwd() if target is None else Path(target).resolve()
        if not path.exists():
            raise DataError(f"There is no '{target}'; give a run folder, images, or a folder of runs.")
        if (path / Asked.file).is_file():
            return cls(path.parent, opened=path.name, language=language)
        if target is None or (path.is_dir() and (_holds_runs(path) or not any(path.iterdir()))):
            return cls(path, language=language)
        return cls(Path.cwd(), data=path, language=language)

    @property
    def names(self) -> list[str]:
        """The names of the runs in the folder, the one changed last first."""
        found = [path for path in _folders(self.runs) if (path / Asked.file).is_file()]
        return [path.name for path in sorted(found, key=lambda path: (path / Asked.file).stat().st_mtime, reverse=True)]

    def folder(self, name: str) -> Path:
        """The folder of a run; Problem 404 where there is none of this name, wherever it would lie."""
        path = next((path for path in _folders(self.runs) if path.name == name), None)
        if path is None or not (path / Asked.file).is_file():
            raise Problem(404, "serve.unknown_path")
        return path

    def new_folder(self, name: str) -> Path:
        """The place of a new run: its name, numbered where that is taken.

        >>> Workplace(Path("/nowhere")).new_folder("chest").as_posix()
        '/nowhere/chest'
        """
        number, path = 1, self.runs / name
        while path.exists():
            number += 1
            path = self.runs / f"{name}-{number}"
        return path


def _folders(place: Path) -> list[Path]:
    """The folders in a folder that are no links elsewhere and not hidden."""
    if not place.is_dir():
        return []
    found = [path for path in place.iterdir() if not path.name.startswith(".")]
    return [path for path in found if path.is_dir() and not path.is_symlink()]


def _holds_runs(place: Path) -> bool:
    return any((path / Asked.file).is_file() for path in _folders(place))
