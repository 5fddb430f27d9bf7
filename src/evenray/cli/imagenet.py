"""The half of the verb table7 that evaluates trained weights on ImageNet's validation images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evenray.core.errors import UsageError

from ._screen import cell, print_json, say, watching

__all__ = ["imagenet_errors"]


def imagenet_errors(folder: Path, **asked: Any) -> None:
    """Evaluate --pretrained of --network, print the errors beside the published ones, and leave them as CSV and Markdown."""
    if "network" not in asked or "pretrained" not in asked:
        raise UsageError(
            "--imagenet evaluates trained weights; name both, as with --network vgg16 --pretrained torchvision."
        )
    if len(asked["network"]) > 1:
        raise UsageError(f"--imagenet evaluates one network, not {' and '.join(asked['network'])}; name one.")
    from evenray.verbs.imagenet import imagenet

    output = Path(asked.get("output") or f"{folder.resolve().name}-imagenet")
    options = {name: asked[name] for name in ("tta", "size", "batch", "device") if name in asked}
    with watching() as listener:
        found = imagenet(folder, asked["network"][0], asked["pretrained"], output, listener=listener, **options)
    if asked.get("json"):
        print_json({"run": str(output), "network": found.network, "errors": found.table.to_dicts()})
        return
    from rich.console import Console
    from rich.table import Table

    titles, rows = found.cells()
    drawn = Table(*titles)
    for row in rows:
        drawn.add_row(*map(cell, row))
    Console(highlight=False).print(drawn)
    say(str(output / "imagenet.csv"), "bold")
