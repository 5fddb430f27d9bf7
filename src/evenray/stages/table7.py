"""The stage table7, beside the line: it needs the scan and the split, and leaves the rest of the run alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from evenray.core.artefacts.table7 import Member, Table7Record
from evenray.core.errors import UsageError
from evenray.core.table7_settings import Table7Settings
from evenray.core.types import Dataset, Predictions
from evenray.evidence.table7 import System, budget, chosen, nets_of
from evenray.evidence.table7.nets import Bench, Trained
from evenray.evidence.table7.systems import Net
from evenray.evidence.table7.table import PARTS, Logits, all_logits, cells, heads, markdown, predicted, rows
from evenray.learning import balance as remedies
from evenray.learning.plan import native_side
from evenray.learning.train import Part, batches_an_epoch
from evenray.learning.tta import largest_scale

from .artefacts import SPLIT_CASES, TABLE7, TABLE7_CSV, TABLE7_MARKDOWN, TABLE7_PREDICTIONS, TABLE7_RECORD
from .preparing import part_of, stores_of
from .stage import artefact
from .tools import Tools

__all__ = ["Table7Inputs", "Table7Outputs", "table7"]


@dataclass(frozen=True)
class Table7Inputs:
    cases: Dataset = artefact(SPLIT_CASES)


@dataclass(frozen=True)
class Table7Outputs:
    table: pl.DataFrame = artefact(TABLE7)
    csv: pl.DataFrame = artefact(TABLE7_CSV)
    markdown: str = artefact(TABLE7_MARKDOWN)
    record: Table7Record = artefact(TABLE7_RECORD)
    predictions: pl.DataFrame = artefact(TABLE7_PREDICTIONS)


def table7(inputs: Table7Inputs, settings: Table7Settings, tools: Tools) -> Table7Outputs:
    """Train what is missing, net by net, then open the test part once.

    The run's own network, scores and report stay as they are.
    """
    dataset, systems, events = inputs.cases, chosen(settings.systems), tools.events
    if dataset.facts.task != "classify":
        raise UsageError(
            "Table 7 counts the images whose class is not the first, or among the first five, that a system names; these images"
            " have several findings each, and no one class. Use 'evenray run', which scores every finding."
        )
    bench, parts = _bench(dataset, settings, systems, tools)
    net_list, plan = nets_of(systems), bench.budget
    events.tell(
        "table7.begun", nets=len(net_list), rows=len(systems), size=plan.size, width=plan.width, epochs=plan.epochs,
        batch=plan.batch, learning_rate=plan.learning_rate,
    )  # fmt: skip
    nets: dict[Net, Trained] = {}
    steps = plan.epochs * batches_an_epoch(len(bench.train), plan.batch)
    for number, net in enumerate(net_list, 1):
        with events.task("task.table7_net", steps, number=number, nets=len(net_list)) as tick:
            nets[net] = done = bench.trained(net, lambda: tick(1))
        events.tell(
            "table7.net_done", number=number, nets=len(net_list), net=net.name, loss=done.loss, seconds=done.seconds
        )
    logits = {"validation": _logits(tools, bench, nets, systems, parts, "validation")}
    pairs = {(net, bench.tta(system)) for system in systems for net in system.nets}
    if not all(bench.logits_file(nets[net], parts["test"], tta).exists() for net, tta in pairs):
        tools.open_test()
    logits["test"] = _logits(tools, bench, nets, systems, parts, "test")
    return _outputs(dataset, settings, systems, bench, nets, logits)


def _bench(
    dataset: Dataset, settings: Table7Settings, systems: tuple[System, ...], tools: Tools
) -> tuple[Bench, dict[str, Part]]:
    plan = budget.make(dataset, settings, systems, gpu=tools.kind != "cpu")
    furthest = max(
        largest_scale(system.tta_at(False, plan.size), net.scale) for system in systems for net in system.nets
    )
    side = max(plan.size, min(native_side(dataset), round(plan.size * furthest)))
    contrast, balance = settings.contrasts[0], settings.balances[0]
    store = stores_of(tools, dataset, [contrast], side, plan.channels)[contrast]
    parts = {name: part_of(dataset, store, name)[1] for name in ("train", *PARTS)}
    counts = np.bincount(parts["train"].targets, minlength=len(dataset.classes))
    remedy = remedies.make(balance, counts, dataset.classes, dataset.positive, epochs=plan.epochs)
    bench = Bench(
        parts["train"], len(dataset.classes), plan, remedy, balance, tools.machine, _folder(tools), settings.seed,
        settings.flips,
    )  # fmt: skip
    return bench, parts


def _folder(tools: Tools) -> Path:
    return tools.folder / "table7"


def _logits(
    tools: Tools, bench: Bench, nets: dict[Net, Trained], systems: tuple[System, ...], parts: dict[str, Part], name: str
) -> Logits:
    number = len({(net, bench.tta(system)) for system in systems for net in system.nets})
    with tools.events.task("task.table7_evaluate", number, part=name) as tick:
        return all_logits(bench, nets, systems, parts[name], lambda: tick(1))


def _outputs(
    dataset: Dataset, settings: Table7Settings, systems: tuple[System, ...], bench: Bench, nets: dict[Net, Trained],
    logits: dict[str, Logits],
) -> Table7Outputs:  # fmt: skip
    counts = np.bincount(bench.train.targets, minlength=len(dataset.classes))
    prior = counts / counts.sum()
    said: dict[tuple[str, str], Predictions] = {
        (system.name, part): predicted(system, logits[part], bench, dataset.part(part), prior)
        for system in systems
        for part in PARTS
    }
    table = rows(systems, nets, logits, said, bench, prior, seed=settings.seed)
    every = pl.concat([each.table.with_columns(system=pl.lit(name)) for (name, _), each in said.items()])
    record = Table7Record(
        choices=bench.budget.choices(), contrast=settings.contrasts[0], balance=bench.balance_spec, flips=bench.flips,
        classes=dataset.classes, nets=len(nets), cases={part: len(dataset.part(part)) for part in ("train", *PARTS)},
        training_seconds=round(sum(net.seconds for net in nets.values()), 1),
        evaluation_seconds=round(sum(seconds for found in logits.values() for _, seconds in found.values()), 1),
        members=tuple(
            Member(net=net.name, loss=one.loss, parameters=one.parameters, seconds=one.seconds)
            for net, one in nets.items()
        ),
    )  # fmt: skip
    return Table7Outputs(table, table, markdown(heads(table), cells(table), record.sentences()), record, every)
