"""explain --layers: a look into a network, on the user's own images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from evenray.core.errors import DataError, ReadError, UsageError
from evenray.core.progress import plain

from ._app import print_json
from ._language import language_of
from ._progress import Bars

if TYPE_CHECKING:
    from torch import Tensor

    from evenray.core.types import Image
    from evenray.learning.networks import Classifier

__all__ = ["explain_layers"]

KNOWN = ("layers", "image", "output", "weights", "size", "seed", "lang", "json")
MOST = 200  # images that patches are looked for in
CLASSES, SIZE = 1000, 224


def explain_layers(target: str | None, options: dict[str, Any]) -> None:
    """Print the table of layers and write the page; `all` prints the counts of every network beside the published ones."""
    given = {name: value for name, value in options.items() if value not in (None, [])}
    for name in given:
        if name not in KNOWN:
            raise UsageError(f"--{name.replace('_', '-')} does nothing with --layers; leave it out.")
    if target is not None:
        raise UsageError(f"--layers takes no data beside it; for a run's network give --layers {target}.")
    language = language_of(given)
    if given["layers"] == "all":
        _counts(bool(given.get("json")))
        return
    from evenray import reporting as report
    from evenray.evidence.explain.inside import inside
    from evenray.learning.networks.anatomy import anatomy, as_text
    from evenray.learning.train import keep_malloc

    keep_malloc()
    model, trained, contrast = _network(given)
    images, first = _images(given, contrast)
    x_NCHW = _tensor(images, model) if images else None
    found = inside(model, x_NCHW)
    about = {
        "size": model.size, "channels": model.channels, "classes": model.classes, "trained": trained, "image": first,
        "images": len(images),
    }  # fmt: skip
    name = str(model.description["spec"])
    page = Path(given.get("output") or "layers.html")
    if page.is_dir():
        page = page / "layers.html"
    report.layers_page(page, found, name=name, about=about, language=language)
    if given.get("json"):
        shown = {key: found["anatomy"][key] for key in ("rows", "totals")}
        print_json({"network": name, "report": str(page), **shown})
        return
    typer.echo(as_text(anatomy(model)))
    Bars().say(f"[bold]{plain(str(page))}[/bold]")


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


def _network(given: dict[str, Any]) -> tuple[Classifier, str | None, str]:
    """The network, where its weights are from (None: nowhere), and the contrast that its images get."""
    from evenray.core.artefacts import RunFolder
    from evenray.learning import networks

    asked = Path(given["layers"])
    if (asked / "recipe.json").is_file():
        folder = RunFolder(asked)
        if not folder.has("model.safetensors"):
            raise DataError(f"{asked} has no trained network yet; 'evenray train {asked}' makes one.")
        about = folder.read_json("model.json")
        model = networks.members(networks.load(asked / "model.safetensors"))[0]
        return model, asked.resolve().name, str(about["contrast"])
    if asked.suffix == ".safetensors":
        return networks.members(networks.load(asked))[0], asked.name, "none"
    weights = given.get("weights")
    model = networks.build(
        given["layers"], classes=CLASSES, channels=3, size=given.get("size", SIZE), weights=weights,
        seed=given.get("seed", 0),
    )  # fmt: skip
    return model, Path(weights).name if weights else None, "none"


def _images(given: dict[str, Any], contrast: str) -> tuple[list[Image], str]:
    """The images to show the layers on, enhanced as the network has them, and the name of the first."""
    from evenray.images.contrast import enhance
    from evenray.images.readers import read

    bars = Bars()
    found, first = [], ""
    for path, fragment, value_range in _sources(given):
        try:
            image = enhance(read(path, fragment=fragment, value_range=value_range), contrast)
        except ReadError as error:
            bars.say(f"[yellow]left out[/yellow] {plain(str(error))}")
            continue
        first = first or (path.name if "image" in given else "")  # of a run no path is told
        found.append(image)
    if not found and "image" in given:
        raise DataError(f"{given['image']} holds no image that can be read; give an image file or a folder of them.")
    return found, first


def _sources(given: dict[str, Any]) -> list[tuple[Path, str, tuple[float, float] | None]]:
    """File, fragment and grey range of each image: those named, else training images of the run, spread over it."""
    from ._copies import files_of

    if "image" in given:
        path = Path(given["image"])
        if not path.exists():
            raise DataError(f"There is no '{path}'; give an image file or a folder of them.")
        return [(file, "", None) for file in _spread(files_of(path))]
    run = Path(given["layers"])
    if not (run / "recipe.json").is_file():
        return []
    from evenray.core.artefacts import RunFolder
    from evenray.data.scan import load

    dataset = load(RunFolder(run)).part("train")
    value_range = dataset.facts.get("value_range")
    pair = None if value_range is None else (float(value_range[0]), float(value_range[1]))
    rows = list(dataset.cases.select("file", "fragment").iter_rows())
    found = [(Path(dataset.root) / file, fragment, pair) for file, fragment in _spread(rows)]
    return [one for one in found if one[0].exists()]


def _spread(items: list[Any]) -> list[Any]:
    """At most MOST of them, evenly spaced.

    >>> len(_spread(list(range(1000)))), _spread([1, 2])
    (200, [1, 2])
    """
    return [items[i * len(items) // MOST] for i in range(MOST)] if len(items) > MOST else items


def _tensor(images: list[Image], model: Classifier) -> Tensor:
    import numpy as np
    import torch

    from evenray.data.store import fit

    pixels = np.stack([fit(image, model.size, model.channels, 65535) for image in images]).astype(np.float32) / 65535
    x = torch.from_numpy(pixels)
    return x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)
