"""A stage is a function `f(inputs, settings, tools) -> outputs`; what it depends on is read from the types of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from importlib import import_module
from typing import Any, Generic, Protocol, TypeVar, get_type_hints

from evenray.core.artefacts import RunFolder, digest, file_digest
from evenray.core.artefacts.contents import contents_of_file, contents_of_place
from evenray.core.errors import UsageError
from evenray.core.settings import Declared, Settings, declared

__all__ = ["Artefact", "Stage", "artefact", "contents", "stage"]

T = TypeVar("T")


@dataclass(frozen=True)
class Artefact(Generic[T]):
    """Something that stands in a run folder: how it is read and written, and the stages that make it.

    `of` names the stages whose outputs it is read from; `files` are what it is read from beside them (none of a stage's), or
    patterns of their names.
    """

    of: tuple[str, ...]
    read: Callable[[RunFolder], T]
    write: Callable[[RunFolder, T], list[str]] | None = None
    files: tuple[str, ...] = ()

    def stamps(self, folder: RunFolder) -> dict[str, str]:
        """What stands for its content in the ledger of the stage that reads it."""
        stages = {name: folder.stamp(name) for name in self.of}
        files = {name: file_digest(folder / name) if folder.has(name) else "" for name in self.files if "*" not in name}
        for pattern in (name for name in self.files if "*" in name):
            for path in sorted(folder.path.glob(pattern)):
                files[path.relative_to(folder.path).as_posix()] = file_digest(path)
        return stages | files


def artefact(kind: Artefact[T]) -> T:
    """Declare a field of a stage's inputs or outputs."""
    found: T = field(metadata={"artefact": kind})
    return found


class Contents(Protocol):
    """How a value that names files enters a key: by what the files hold."""

    def __call__(self, value: Any) -> Any: ...


@dataclass(frozen=True)
class Stage:
    """A stage by its function, with what the types of that function say."""

    name: str
    work: Callable[..., Any]
    inputs: type[Any]
    settings: type[Settings]
    outputs: type[Any]
    on_device: bool = False

    @cached_property
    def reads(self) -> dict[str, Artefact[Any]]:
        """The artefacts that it reads, by the names of its inputs."""
        return {each.name: each.metadata["artefact"] for each in fields(self.inputs)}

    @property
    def after(self) -> tuple[str, ...]:
        """The stages that have to be done before it."""
        return tuple(dict.fromkeys(name for kind in self.reads.values() for name in kind.of))

    def stamps(self, folder: RunFolder) -> dict[str, str]:
        """What all of its inputs hold now."""
        found: dict[str, str] = {}
        for kind in self.reads.values():
            found |= kind.stamps(folder)
        return found

    def key(self, settings: Settings, contents: Mapping[str, Contents]) -> str:
        """The digest of the settings that it depends on; `contents` says what counts of those that name files."""
        values = {
            name: _counts(about, getattr(settings, name), contents)
            for name, about in declared(self.settings).items()
            if about.content != "input"
        }
        return digest([self.name, values])

    def read(self, folder: RunFolder) -> Any:
        """Its inputs as they stand in the folder."""
        return self.inputs(**{name: kind.read(folder) for name, kind in self.reads.items()})

    def write(self, folder: RunFolder, outputs: Any) -> list[str]:
        """Write its outputs and return the names of the files."""
        written: list[str] = []
        for each in fields(self.outputs):
            kind: Artefact[Any] = each.metadata["artefact"]
            assert kind.write is not None
            written += kind.write(folder, getattr(outputs, each.name))
        return written


def _counts(about: Declared, value: Any, contents: Mapping[str, Contents]) -> Any:
    if about.content is None or value is None:
        return value
    return contents[about.content](value)


def stage(module: str, *, on_device: bool = False) -> Stage:
    """The stage that stands in a module of its name; the module is imported now, and what it needs comes with it.

    Raises UsageError where the function is not of the form of a stage.
    """
    name = module.rpartition(".")[2]
    work = getattr(import_module(module), name)
    hints = get_type_hints(work)
    if not {"inputs", "settings", "tools", "return"} <= set(hints):
        raise UsageError(f"{module}.{name} is no stage: expected {name}(inputs, settings, tools) with their types.")
    return Stage(name, work, hints["inputs"], hints["settings"], hints["return"], on_device)


def contents() -> Mapping[str, Contents]:
    """What counts of the settings that name files."""
    return {"file": contents_of_file, "place": contents_of_place, "contrast": _contrasts}


def _contrasts(value: str | tuple[str, ...]) -> list[str]:
    from evenray.images.contrast import fix_references

    return [fix_references(spec)[0] for spec in ((value,) if isinstance(value, str) else value)]
