"""Checkpoints: all that a killed training goes on from, written whole or not at all, by a thread while training goes on."""

from __future__ import annotations

import time
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from evenray.core.artefacts import atomic

from .alone import Machine

__all__ = ["Checkpoints", "Kept", "Position", "State"]

Kept = dict[str, Tensor]  # the weights that are kept so far


@dataclass
class Position:
    """How far a training has come: the epoch and the batch in it that are next, and what was summed up until there.

    Nothing else is random state: the order of rows, the changes of images, and dropout follow from the seed and this.
    """

    epoch: int = 0
    batch: int = 0
    losses: list[float] = field(default_factory=list)
    images: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class State:
    """All that a training goes on from; `optimizer` is what torch's `state_dict` gives."""

    model: Kept
    average: Kept
    optimizer: Mapping[str, object]
    position: Position


class Checkpoints:
    """`last.pt`, to go on from, and `best.pt`, the weights that are kept so far; without a folder, nothing is written.

    Only the first process writes and reads. Raises StorageError, at the next checkpoint or at the end, where the disk
    refused.
    """

    def __init__(self, folder: Path | None, fabric: Machine, minutes: float) -> None:
        self.folder, self.fabric, self.seconds = folder, fabric, minutes * 60
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._writing: Future[None] | None = None
        self._written = time.monotonic()

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if error is None:
                self._wait()
        finally:
            self._thread.shutdown()

    def due(self) -> bool:
        return time.monotonic() - self._written > self.seconds

    def load(self) -> tuple[State, Kept | None] | None:
        """What was saved last, for every process; None where nothing was."""
        found = self._read() if self.fabric.global_rank == 0 else None
        return self.fabric.broadcast(found) if self.fabric.world_size > 1 else found

    def _read(self) -> tuple[State, Kept | None] | None:
        if self.folder is None or not (self.folder / "last.pt").exists():
            return None
        try:
            last = _load(self.folder / "last.pt", ("model", "average", "optimizer", "position"))
            state = State(**{**last, "position": Position(**last["position"])})
            best = self.folder / "best.pt"
            return state, _load(best, ("model",))["model"] if best.exists() else None
        except Exception as error:  # a damaged file may raise anything
            aside = self.folder / "last.pt.damaged"
            (self.folder / "last.pt").replace(aside)
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            warnings.warn(
                f"The checkpoint in {self.folder} cannot be read ({reason}); it is set aside as {aside.name}, and training"
                " starts anew.", stacklevel=2,
            )  # fmt: skip
            return None

    def save(self, state: State, kept: Kept | None) -> None:
        """Write a copy of `state`, and `kept` where it is new, while training goes on."""
        self._written = time.monotonic()
        if self.folder is None or self.fabric.global_rank != 0:
            return
        self._wait()
        folder, copied = self.folder, _copied({**vars(state), "position": asdict(state.position)})
        self._writing = self._thread.submit(lambda: _write(folder, copied, kept))

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()


def _write(folder: Path, state: dict[str, Any], kept: Kept | None) -> None:
    # First what is kept: killed in between, the epoch that made it is trained again, to the same weights.
    if kept is not None:
        _save({"model": kept}, folder / "best.pt")
    _save(state, folder / "last.pt")


def _load(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """What `_save` wrote, a dictionary of these names; every byte is checked, as torch itself does not."""
    with zipfile.ZipFile(path) as archive:
        if (wrong := archive.testzip()) is not None:
            raise ValueError(f"{wrong} is not what was written")
    found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(found, dict) or not set(names) <= set(found):
        raise ValueError(f"it does not hold {', '.join(names)}")
    return found


def _save(value: Any, target: Path) -> None:
    with atomic(target, durable=True) as path:
        torch.save(value, path)


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
