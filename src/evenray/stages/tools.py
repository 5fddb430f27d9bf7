"""What a stage works with beside its inputs and settings: where to work, who listens, which machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from evenray.core.events import Event, Events, Map, Step
from evenray.core.meter import Cost, Meter
from evenray.core.processes import processes

if TYPE_CHECKING:
    from evenray.learning.train.alone import Alone, Machine

__all__ = ["Tools"]


@dataclass
class Tools:
    """`folder` is where a stage keeps what it can make again (prepared pixels, checkpoints, features); `key` names the work
    of this stage with these inputs and settings there. `map` reads and prepares; `apart` gives every task a process for
    itself. It `shares` while other processes train along. Within an epoch, training is saved every `save_every` minutes.
    Where one data set is divided `again` and again, pixels and features are prepared once of all its cases, whatever their part."""

    folder: Path
    events: Events = field(default_factory=Events)
    map: Map = map
    apart: Map = map
    device: str = "auto"
    save_every: float = 10.0
    key: str = ""
    shares: bool = False
    again: bool = False
    open_test: Callable[[], None] = lambda: None

    def inside(self, key: str, tick: Callable[[int], None]) -> Tools:
        """For a whole procedure inside a stage, which this process does alone: its steps are those of the task that `tick` moves."""

        def heard(event: Event) -> None:
            if isinstance(event, Step):
                tick(0)

        found = replace(self, key=key, events=Events(heard), again=True)
        found.__dict__ |= {"machine": self.machine, "team": None}
        return found

    @cached_property
    def machine(self) -> Alone:
        """The device that this process computes on; UsageError where there is none of that name."""
        from evenray.learning.train import keep_malloc, machine

        keep_malloc()
        return machine(self.device)

    @property
    def kind(self) -> str:
        """The kind of the device, which results depend on."""
        return str(self.machine.device.type)

    def meter(self, on_device: bool) -> Meter:
        """Measures a stage from now on."""
        if on_device and self.machine.device.type == "cuda":
            import torch

            torch.cuda.reset_peak_memory_stats(self.machine.device)
        return Meter()

    def cost(self, meter: Meter, on_device: bool) -> Cost:
        """What the stage has cost that `meter` measures."""
        if not (on_device and self.machine.device.type == "cuda"):
            return meter.read()
        import torch

        return replace(meter.read(), device_memory=torch.cuda.max_memory_allocated(self.machine.device))

    @cached_property
    def team(self) -> Machine | None:
        """The processes that torchrun or srun started for this run, this one among them; None where it is alone."""
        if processes().count == 1:
            return None
        from evenray.learning.train import keep_malloc
        from evenray.learning.train.machine import team

        keep_malloc()
        return team(self.device)
