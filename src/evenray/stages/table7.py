"""The stage table7, beside the line: it needs the scan and the split, and leaves the rest of the run alone."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import polars as pl

from evenray.core.artefacts import atomic, now
from evenray.core.errors import UsageError
from evenray.core.lock import alone
from evenray.core.progress import plain
from evenray.core.recipe import Recipe
from evenray.evidence.table7 import System, budget, chosen, nets_of
from evenray.evidence.table7.nets import Bench, Trained
from evenray.evidence.table7.table import PARTS, Looks, look_all, markdown, predicted, rows
from evenray.learning import balance as remedies
from evenray.learning.plan import native_side
from evenray.learning.train import Part, batches_an_epoch
from evenray.learning.tta import reach

from . import line
from .audit import stop_where_void
from .context import Context
from .train import stores_of

__all__ = ["table7"]

MATTER = ("contrast", "balance", "effort", "size", "epochs", "batch", "learning_rate", "flips", "seed")
FOLDER = "table7"
OUTPUTS = ["table7.parquet", "table7.csv", "table7.md", "table7.json", f"{FOLDER}/predictions.parquet"]


def table7(context: Context, asked: Recipe, systems: str | None = None) -> pl.DataFrame:
    """Make the table for the data of a run: train what is missing, net by net, then open the test part once.

    `context.recipe` is the run's, up to the split; `asked` says how the nets are trained. The run's own network, scores
    and report stay as they are. Returns the table, which stands in table7.parquet, .csv and .md too.
    """
    wanted = chosen(systems)
    _check(asked)
    _ = context.fabric  # a device that is not there is told now
    line.run(context, "split")
    stop_where_void(context)
    settings = [getattr(asked, name) for name in MATTER]
    settings += [[system.name for system in wanted], str(context.fabric.device.type)]
    key = context.key("table7", settings, ("scan", "split"))
    if context.folder.fresh("table7", key):
        context.progress.say("[dim]table7    unchanged[/dim]")
        return context.folder.read_table("table7.parquet")
    start = time.perf_counter()
    with alone(context.folder.path):
        table = _make(context, asked, wanted)
        context.folder.finish("table7", key, OUTPUTS, time.perf_counter() - start)
    return table


def _check(asked: Recipe) -> None:
    if len(asked.contrasts) > 1 or len(asked.balances) > 1:
        raise UsageError(
            "Table 7 compares networks: give one --contrast and one --balance, or leave them out for none."
        )


def _make(context: Context, asked: Recipe, systems: tuple[System, ...]) -> pl.DataFrame:
    bench, parts = _bench(context, asked, systems)
    say, plan = context.progress.say, bench.budget
    net_list = nets_of(systems)
    say(
        f"{len(net_list)} nets for {len(systems)} rows: {plan.size} pixels, {plan.width:g} of the papers' channels, "
        f"{plan.epochs} epochs of batches of {plan.batch}, learning rate {plan.learning_rate:g}"
    )
    nets: dict[Any, Trained] = {}
    steps = plan.epochs * batches_an_epoch(len(bench.train), plan.batch)
    for number, net in enumerate(net_list, 1):
        with context.progress.task(f"net {number} of {len(net_list)}", steps) as tick:
            nets[net] = bench.trained(net, lambda: tick(1))
        done = nets[net]
        say(plain(f"{number:2}/{len(net_list)} {net.name}: loss {done.loss:.3f}, {done.seconds:.1f} s"))
    looks = {"validation": _looks(context, bench, nets, systems, parts, "validation")}
    pairs = {(net, bench.view(system)) for system in systems for net in system.nets}
    if not all(bench.looks(nets[net], parts["test"], view).exists() for net, view in pairs):
        context.folder.note(lambda ledger: ledger.setdefault("test_opened", []).append(now()))
    looks["test"] = _looks(context, bench, nets, systems, parts, "test")
    return _write(context, asked, systems, bench, nets, looks)


def _bench(context: Context, asked: Recipe, systems: tuple[System, ...]) -> tuple[Bench, dict[str, Part]]:
    dataset = context.dataset
    plan = budget.make(dataset, asked, systems, gpu=context.fabric.device.type != "cpu")
    furthest = max(reach(system.look(False, plan.size), net.scale) for system in systems for net in system.nets)
    side = max(plan.size, min(native_side(dataset), round(plan.size * furthest)))
    store = stores_of(context, dataset, [asked.contrasts[0]], side, plan.channels)[asked.contrasts[0]]
    parts = {}
    for name in ("train", *PARTS):
        where = np.flatnonzero((dataset.cases["part"] == name).to_numpy())
        own = dataset.part(name)
        parts[name] = Part(store, where, own.targets, own.cases["case"])
    counts = np.bincount(parts["train"].targets, minlength=len(dataset.classes))
    remedy = remedies.make(asked.balances[0], counts, dataset.classes, dataset.positive, epochs=plan.epochs)
    bench = Bench(
        parts["train"], len(dataset.classes), plan, remedy, asked.balances[0], context.fabric,
        context.folder / FOLDER, asked.seed, asked.flips,
    )  # fmt: skip
    return bench, parts


def _looks(
    context: Context,
    bench: Bench,
    nets: dict[Any, Trained],
    systems: tuple[System, ...],
    parts: dict[str, Part],
    name: str,
) -> Looks:
    number = len({(net, bench.view(system)) for system in systems for net in system.nets})
    with context.progress.task(f"evaluating, {name}", number) as tick:
        return look_all(bench, nets, systems, parts[name], lambda: tick(1))


def _write(
    context: Context, asked: Recipe, systems: tuple[System, ...], bench: Bench, nets: dict[Any, Trained],
    looks: dict[str, Looks],
) -> pl.DataFrame:  # fmt: skip
    dataset, folder = context.dataset, context.folder
    counts = np.bincount(bench.train.targets, minlength=len(dataset.classes))
    prior = counts / counts.sum()
    said = {
        (system.name, part): predicted(system, looks[part], bench, dataset.part(part), prior)
        for system in systems
        for part in PARTS
    }
    table = rows(systems, nets, looks, said, bench, prior, seed=asked.seed)
    every = [each.table.with_columns(system=pl.lit(name)) for (name, _), each in said.items()]
    folder.write_table(f"{FOLDER}/predictions.parquet", pl.concat(every))
    about = {
        "choices": bench.budget.choices(), "contrast": asked.contrasts[0], "balance": bench.balance_spec,
        "flips": bench.flips, "classes": dataset.classes, "nets": len(nets),
        "cases": {part: len(dataset.part(part)) for part in ("train", *PARTS)},
        "training_seconds": round(sum(net.seconds for net in nets.values()), 1),
        "evaluation_seconds": round(sum(seconds for found in looks.values() for _, seconds in found.values()), 1),
        "members": [
            {"net": net.name, "loss": one.loss, "parameters": one.parameters, "seconds": one.seconds}
            for net, one in nets.items()
        ],
    }  # fmt: skip
    folder.write_json("table7.json", about)
    folder.write_table("table7.parquet", table)
    folder.write_table("table7.csv", table)
    with atomic(folder / "table7.md") as path:
        path.write_text(markdown(table, sentences(about)), encoding="utf-8")
    return table


def sentences(about: dict[str, Any]) -> list[str]:
    """How the table came about, for its foot."""
    value = {choice["name"]: choice["value"] for choice in about["choices"]}
    cases = about["cases"]
    return [
        f"{about['nets']} nets, each trained on {cases['train']} images from the same recipe: {value['size']} pixels,"
        f" {value['width']:g} of the papers' channels, {value['epochs']} epochs, batches of {value['batch']}, AdamW at"
        f" {value['learning_rate']:g}, one cycle; contrast {about['contrast']}, remedy {about['balance']}.",
        f"Validation {cases['validation']} cases, test {cases['test']}; 95 % intervals over patients. No figure of the"
        " validation part chose anything.",
        f"Mirror images {'were' if about['flips'] else 'were not'} shown (--flips).",
        f"Training took {about['training_seconds'] / 60:.1f} minutes, evaluation {about['evaluation_seconds'] / 60:.1f};"
        " a net that several rows share was trained once and counts in each.",
    ]
