"""The half of the verb table7 that evaluates given weights on ImageNet's validation images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from evenray.core.errors import UsageError
from evenray.core.progress import plain

from ._app import print_json
from ._progress import Bars

if TYPE_CHECKING:
    import polars as pl

__all__ = ["imagenet_errors"]


def imagenet_errors(folder: Path, given: dict[str, Any]) -> None:
    """Evaluate --weights of --network, print the errors beside the published ones, and leave them as CSV and Markdown."""
    if "network" not in given or "weights" not in given:
        raise UsageError(
            "--imagenet evaluates trained weights; name both, as with --network vgg16 --weights torchvision."
        )
    if len(given["network"]) > 1:
        raise UsageError(f"--imagenet evaluates one network, not {' and '.join(given['network'])}; name one.")
    from evenray.core.artefacts import RunFolder, atomic
    from evenray.core.lock import alone
    from evenray.evidence.table7.classes import listing
    from evenray.evidence.table7.imagenet import Job, errors, evaluate, given_weights, wanted
    from evenray.learning.train import keep_malloc, machine

    keep_malloc()
    bars, network, views = Bars(), given["network"][0], wanted(given.get("views"))
    images = listing(folder)
    fabric = machine(given.get("device", "auto"))
    model = given_weights(network, given["weights"], images.classes, given.get("size", 224)).to(fabric.device)
    output = RunFolder(given.get("output") or f"{folder.resolve().name}-imagenet")
    with alone(output.path):
        job = Job(model, images, views, output / "ranks", fabric, given.get("batch", 16))
        with bars.task("evaluating", len(images.files)) as tick:
            ranks, rejected = evaluate(job, tick)
        table = errors(ranks, network, images.classes)
        output.write_table("imagenet.csv", table)
        output.write_table("rejected.csv", rejected)
        with atomic(output / "imagenet.md") as path:
            path.write_text(_markdown(table, network, given["weights"], rejected.height), encoding="utf-8")
    if rejected.height:
        bars.say(
            f"[yellow]{rejected.height} images could not be read[/yellow]; see {plain(str(output / 'rejected.csv'))}"
        )
    if given.get("json"):
        print_json({"run": str(output.path), "network": network, "errors": table.to_dicts()})
        return
    _show(table)
    bars.say(f"[bold]{plain(str(output / 'imagenet.csv'))}[/bold]")


def _cells(table: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    ks = [k for k in (1, 5) if f"top{k}" in table.columns]
    heads = ["Evaluation", "Images", *(f"Top-{k} error, %" for k in ks), "Published", "Where"]
    rows = []
    for row in table.iter_rows(named=True):
        found = [f"{row[f'top{k}']:.2f} ({row[f'top{k}_low']:.2f} to {row[f'top{k}_high']:.2f})" for k in ks]
        known = row["published_top1"] is not None
        published = f"{row['published_top1']:.1f} / {row['published_top5']:.1f}" if known else "-"
        rows.append([row["evaluation"], f"{row['images']:,}", *found, published, row["where"] or "-"])
    first = table.row(0, named=True)
    baseline = [f"{first[f'top{k}_baseline']:.2f}" for k in ks]
    return heads, [*rows, ["always the most frequent", "", *baseline, "", ""]]


def _show(table: pl.DataFrame) -> None:
    from rich.console import Console
    from rich.table import Table

    heads, rows = _cells(table)
    drawn = Table(*heads)
    for row in rows:
        drawn.add_row(*map(plain, row))
    Console(highlight=False).print(drawn)


def _markdown(table: pl.DataFrame, network: str, weights: str, rejected: int) -> str:
    heads, rows = _cells(table)
    lines = [f"# {network} on ImageNet's validation images, weights {Path(weights).name}", ""]
    lines += ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|", *("| " + " | ".join(r) + " |" for r in rows)]
    lines += ["", f"95 % score intervals over images (Wilson 1927). {rejected} images could not be read.", ""]
    return "\n".join(lines)
