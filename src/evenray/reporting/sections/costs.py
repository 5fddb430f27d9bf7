"""What the run cost: time and memory by stage, and an estimate of the energy with what it assumes."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.ledger import Done
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["CARD", "CORE", "MEMORY", "context", "watt_hours"]

# What the estimate assumes, in watts: a busy core, a GiB of memory (Lannelongue et al., Adv Sci 2021), a graphics card.
CORE, MEMORY, CARD = 12.0, 0.3725, 300.0
GIB = 2**30


@dataclass(frozen=True)
class Row:
    stage: str
    time: str
    share: float
    processor: str
    memory: str
    card: str
    energy: str


@dataclass(frozen=True)
class Shown:
    rows: list[Row]
    total: str
    energy: str
    most: str
    cards: bool
    assumed: bool


def context(run: RunView, say: Language) -> Shown | None:
    stages = run.ledger.stages
    if not stages:
        return None
    cores = run.ledger.machine.get("cores")
    cores = cores if isinstance(cores, int) else 1
    longest = max(done.seconds for done in stages.values()) or 1
    used = {name: watt_hours(done, cores) for name, done in stages.items()}
    rows = [
        Row(
            say.name("verb", name), say.duration(done.seconds), done.seconds / longest,
            "–" if done.cpu_seconds is None else say.duration(done.cpu_seconds), _size(done.memory, say),
            _size(done.device_memory, say), _energy(used[name], say),
        )
        for name, done in stages.items()
    ]  # fmt: skip
    held = [done.memory for done in stages.values() if done.memory]
    whole = sum(used.values())
    return Shown(
        rows=rows, total=say.duration(sum(done.seconds for done in stages.values())), energy=_energy(whole, say),
        most=_size(max(held, default=None), say),
        cards=any(done.device == "cuda" for done in stages.values()),
        assumed=any(done.cpu_seconds is None for done in stages.values()),
    )  # fmt: skip


def watt_hours(done: Done, cores: int) -> float:
    """The energy of a stage; where its processor time was not measured, as if all cores had been busy throughout.

    >>> hour = dict(settings="", inputs={}, device="cpu", evenray="", outputs={}, seconds=3600.0, finished="")
    >>> watt_hours(Done(**hour, cpu_seconds=7200.0, memory=2 * 2**30), 2)
    24.745
    """
    worked = done.seconds * cores if done.cpu_seconds is None else done.cpu_seconds
    watts = MEMORY * (done.memory or 0) / GIB + (CARD if done.device == "cuda" else 0)
    return (CORE * worked + watts * done.seconds) / 3600


def _energy(watt_hours: float, say: Language) -> str:
    value, unit = (watt_hours, "wh") if watt_hours < 1000 else (watt_hours / 1000, "kwh")
    return say(f"costs.{unit}", value=say.number(value, 2, 1e12))


def _size(bytes: int | None, say: Language) -> str:
    return "–" if bytes is None else say("costs.gib", value=f"{bytes / GIB:.1f}" if bytes >= GIB / 20 else "<0.1")
