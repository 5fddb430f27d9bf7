"""What is one for a whole process (threads, determinism, precision) is set once and never toggled while the line runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch

from evenray.core.artefacts import RunFolder
from evenray.core.events import Event, Events
from evenray.core.recipe import Machine, Recipe
from evenray.learning.train.machine import machine
from evenray.scale import apart
from evenray.stages.line import Job, run

State = tuple[object, ...]


def state() -> State:
    """Everything of this process that changes how sums are made."""
    return (
        torch.get_num_threads(), torch.get_num_interop_threads(), cv2.getNumThreads(), torch.get_default_dtype(),
        torch.get_deterministic_debug_mode(), torch.backends.mkldnn.enabled,  # type: ignore[attr-defined]
    )  # fmt: skip


def states(folder: Path, data: Path, recipe: dict[str, Any], each: Callable[..., Any]) -> set[State]:
    """The states at every event of a whole run."""
    machine("cpu")  # the owner of determinism sets it once, before anything trains
    seen = {state()}

    def listen(event: Event) -> None:
        seen.add(state())

    run(
        Job(RunFolder(folder), str(data), Recipe(**recipe), Machine(), "en", apart=each, events=Events(listen)),
        "explain",
    )
    return seen | {state()}


def toggling(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterable[Any]:
    """A map whose tasks set torch's threads and set them back, in the process that trains afterwards."""

    def toggled() -> Iterator[Any]:
        for item in items:
            before = torch.get_num_threads()
            torch.set_num_threads(before + 1)
            yield function(item)
            torch.set_num_threads(before)

    return toggled()


def test_a_run_leaves_the_state_of_its_process_alone(
    tmp_path: Path, tiny_archive: Path, tiny_recipe: dict[str, Any]
) -> None:
    assert len(states(tmp_path, tiny_archive, tiny_recipe, apart(1))) == 1


def test_a_task_that_toggles_threads_is_seen(tmp_path: Path, tiny_archive: Path, tiny_recipe: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        assert len(states(tmp_path, tiny_archive, tiny_recipe, toggling)) == 1
