"""explain --layers: a look into a network, on the user's own images."""

from __future__ import annotations

from typing import Any

import typer

from evenray.core.errors import UsageError

from ._screen import print_json, say, watching

__all__ = ["explain_layers"]

KNOWN = ("layers", "image", "output", "pretrained", "size", "seed", "lang", "json")


def explain_layers(target: str | None, **options: Any) -> None:
    """Print the table of layers and write the page; `all` prints the counts of every network beside the published ones."""
    asked = {name: value for name, value in options.items() if value not in (None, [])}
    for name in asked:
        if name not in KNOWN:
            raise UsageError(f"--{name.replace('_', '-')} does nothing with --layers; leave it out.")
    if target is not None:
        raise UsageError(f"--layers takes no data beside it; for a run's network give --layers {target}.")
    if asked["layers"] == "all":
        _counts(bool(asked.get("json")))
        return
    from evenray.learning.networks.anatomy import as_text, totals
    from evenray.verbs.layers import layers

    known = {name: asked[name] for name in ("pretrained", "size", "seed", "lang") if name in asked}
    with watching(asked.get("lang")) as listener:
        found, page = layers(asked["layers"], asked.get("image"), asked.get("output"), listener=listener, **known)
    if asked.get("json"):
        rows = [
            {name: value for name, value in vars(layer).items() if name != "sight"}
            | {"field": layer.sight and layer.sight.field, "jump": layer.sight and layer.sight.jump}
            for layer in found.anatomy
        ]
        print_json({"network": found.name, "report": str(page), "rows": rows, "totals": totals(found.anatomy)})
        return
    typer.echo(as_text(found.anatomy))
    say(str(page), "bold")


def _counts(as_json: bool) -> None:
    from evenray.learning.networks.published import as_text, counts

    if not as_json:
        typer.echo(as_text())
        return
    rows = [
        {"network": one.spec, "size": one.size, "parameters": parameters, "multiply_adds": multiply_adds,
         "published_parameters": one.parameters, "published_multiply_adds": one.multiply_adds, "source": one.source}
        for one, parameters, multiply_adds in counts()
    ]  # fmt: skip
    print_json({"networks": rows})
