"""The verbs of the line: run, and each stage by its own name. All are one function with another last stage."""

from __future__ import annotations

import inspect
import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evenray.core.errors import DataError, UsageError
from evenray.core.progress import plain
from evenray.core.spec import by_class

from ._app import app, print_json
from ._language import language_of
from ._options import options_until
from ._progress import Bars
from ._verdict import check_verdict, verdict

if TYPE_CHECKING:
    from evenray.core.artefacts import RunFolder
    from evenray.core.recipe import Recipe

__all__ = ["go", "place", "prevalence_of"]

STAGES = ("scan", "audit", "split", "compare", "train", "evaluate", "explain", "report")
HELP = {
    "run": "The main job: everything from the images to the report.",
    "scan": "Read every image once into a table of cases.",
    "audit": "Find what would ruin a study, before anything is trained.",
    "split": "Divide the cases into train, validation and test, by patient.",
    "compare": "Compare contrasts and remedies for imbalance, the test part closed.",
    "train": "Train the network on what the comparison chose.",
    "evaluate": "Open the test part and score it.",
    "explain": "Show what the contrast did and where the network looked.",
    "report": "Write the report.",
}
Target = Annotated[
    str, typer.Argument(help="Images (folder, label table or .npz), or a run folder.", show_default=False)
]
NOT_RECIPE = (
    "output", "save_every", "weight", "cost", "lang", "device", "jobs", "engine", "address", "json", "fix", "fail_on",
)  # fmt: skip


def _verb(name: str) -> None:
    until = "report" if name == "run" else name

    def verb(target: str | None = None, **options: Any) -> None:
        if options.get("layers"):
            from ._layers import explain_layers

            explain_layers(target, options)
            return
        if target is None:
            raise UsageError("Give images or a run folder, or --layers NETWORK.")
        go(target, until, options)

    nothing = None if name == "explain" else inspect.Parameter.empty  # explain --layers needs no data
    own = inspect.Parameter("target", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=nothing, annotation=Target)
    parameters = [own, *options_until(until, STAGES)]
    verb.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    verb.__annotations__ = {p.name: p.annotation for p in parameters}
    verb.__doc__ = HELP[name]
    app.command(name, rich_help_panel="The main job" if name == "run" else "Its stages")(verb)


for _name in ("run", *STAGES):
    _verb(_name)


def go(target: str, until: str, options: dict[str, Any]) -> None:
    """Run the line up to a stage, for images or for a run folder; print where the results are."""
    given = {name: value for name, value in options.items() if value not in (None, [])}
    language = language_of(given)
    check_verdict(given)
    folder, data, recipe = place(target, given)
    from evenray.core.processes import processes
    from evenray.core.progress import Silent
    from evenray.scale import engine
    from evenray.stages import Context, run

    first = processes().rank == 0
    chosen = given.get("engine", "local") if first else "local"
    with engine(chosen, given.get("address") if first else None, given.get("jobs", 0)) as map, closing(folder):
        context = Context(
            folder, data, recipe, given.get("device", "auto"), language, map=map,
            progress=Bars() if first else Silent(), save_every=given.get("save_every", 10.0),
        )  # fmt: skip
        run(context, until)
        if not first:
            return
        page = _page(folder, until, language)
    finish(folder, page, until, as_json=bool(given.get("json")))
    if until == "audit":
        verdict(context, given)


def place(target: str, given: dict[str, Any]) -> tuple[RunFolder, str, Recipe]:
    """The run folder, the data and the recipe: those that the folder remembers, changed by what is given now."""
    from evenray.core.artefacts import RunFolder
    from evenray.core.processes import processes
    from evenray.core.recipe import Recipe
    from evenray.scale import is_url

    values = {name: value for name, value in given.items() if name not in NOT_RECIPE}
    _spell_out(values, given)
    if (folder := _run_at(target)) is not None:
        before = _from_here(folder.read_json("recipe.json"), folder.ledger.get("directory"))
        return folder, before.pop("data"), Recipe.of(before | values)
    if not is_url(target) and not Path(target).exists():
        raise DataError(
            f"There is no '{target}'; give a folder of images, a label table (.csv, .parquet) or a .npz file."
        )
    if is_url(given.get("output", "")):
        if processes().count > 1:
            raise UsageError(
                f"{processes().count} processes need a run folder that all of them see; give -o a path on a shared disk."
            )
        return _new_at(given["output"]), target, Recipe.of(values)
    path = Path(target.rstrip("/").rsplit("/", 1)[-1] if is_url(target) else target)
    output = Path(given.get("output") or f"{path.resolve().name.removesuffix(path.suffix) or 'data'}-run")
    # Of several processes only the first looks: it begins to write while the others start.
    first = processes().rank == 0
    if first and output.exists() and not (output / "recipe.json").is_file() and not _empty(output):
        raise UsageError(f"'{output}' exists and is no run folder; name a new folder, or an earlier run's, with -o.")
    return RunFolder(output), target, Recipe.of(values)


def _run_at(target: str) -> RunFolder | None:
    """The run folder at a path or a URL; None where there is none."""
    from evenray.core.artefacts import RunFolder
    from evenray.scale import Mirror, RemoteFolder, is_url

    if not is_url(target):
        return RunFolder(target) if (Path(target) / "recipe.json").is_file() else None
    return RemoteFolder(target) if Mirror(target).holds("recipe.json") else None


def _new_at(url: str) -> RunFolder:
    """The run folder at a URL, empty or of an earlier run."""
    from evenray.scale import RemoteFolder

    folder = RemoteFolder(url)
    if not folder.has("recipe.json") and folder.mirror.there():
        raise UsageError(f"'{url}' holds files and is no run folder; name a new folder, or an earlier run's, with -o.")
    return folder


def _empty(folder: Path) -> bool:
    """Whether nothing is in a folder but, perhaps, the lock of a run that was killed as it began."""
    from evenray.core.lock import LOCK

    return folder.is_dir() and all(path.name == LOCK for path in folder.iterdir())


def _from_here(recipe: dict[str, Any], directory: str | None) -> dict[str, Any]:
    """A recipe whose paths, typed in another directory, are those of the same files."""
    if directory is None or Path(directory) == Path.cwd():
        return recipe
    typed = {name: recipe.get(name) for name in ("data", "labels", "weights", "exclude")}
    there = {name: Path(directory, path) for name, path in typed.items() if path is not None}
    return recipe | {name: str(path) for name, path in there.items() if path.exists()}


def _spell_out(values: dict[str, Any], given: dict[str, Any]) -> None:
    """Turn what is short on the command line into what the recipe holds."""
    for name, example in (("value_range", "0,4095"), ("scale_jitter", "1.14,2.29")):
        if name in values:
            try:
                low, high = (float(part) for part in values[name].split(","))
            except ValueError:
                option = f"--{name.replace('_', '-')}"
                raise UsageError(f"{option} is '{values[name]}'; give LOW,HIGH such as {example}.") from None
            values[name] = (low, high)
    if "allow" in values:
        values["allow"] = tuple(dict.fromkeys(name for text in values["allow"] for name in _specs(text)))
    if "choose" in values:
        values["choose"] = dict(_choice(text) for text in values["choose"])
    if "weight" in given and "balance" in values:
        raise UsageError("--weight and --balance both name the remedy; give one of them.")
    for name in ("contrast", "balance", "network", "imbalance"):
        if name in values:
            specs = [spec for text in values[name] for spec in _specs(text)]
            values[name] = specs[0] if len(specs) == 1 else tuple(dict.fromkeys(specs))
    if "weight" in given:
        values["balance"] = _by_class("weight", given["weight"])
    if "cost" in given:
        if values.get("threshold", "cost") != "cost":
            raise UsageError("--cost and --threshold both name the rule for the operating point; give one of them.")
        values["threshold"] = _by_class("cost", given["cost"])
    if "prevalence" in values:
        values["prevalence"] = prevalence_of(values["prevalence"])


def _choice(text: str) -> tuple[str, int | str]:
    """
    >>> _choice("compare_size=64"), _choice("keep=last")
    (('compare_size', 64), ('keep', 'last'))
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise UsageError(f"--choose is '{text}'; give NAME=VALUE, such as keep=last.")
    return name, int(value) if value.isdecimal() else value


def _pairs(option: str, text: str) -> dict[str, str]:
    """CLASS=NUMBER,CLASS=NUMBER, each class once; class names may hold blanks and commas."""
    pairs = re.findall(r"\s*([^=,][^=]*?)\s*=\s*([^,=]+?)\s*(?:,|$)", text)
    if not pairs or "".join(text.split()) != ",".join("".join(f"{name}={value}".split()) for name, value in pairs):
        example = {"weight": "sick=0.75,healthy=0.25", "cost": "sick=500,healthy=1"}.get(
            option, "sick=0.01,healthy=0.99"
        )
        raise UsageError(f"--{option} is '{text}'; give CLASS=NUMBER,CLASS=NUMBER, such as {example}.")
    numbers: dict[str, str] = {}
    for name, value in pairs:
        if name in numbers:
            raise UsageError(
                f"--{option} names the class '{name}' twice, with {numbers[name]} and with {value}; give each class one number."
            )
        numbers[name] = value
    return numbers


def _by_class(option: str, text: str) -> str:
    """The spec that --weight or --cost is short for.

    >>> _by_class("weight", "sick=0.75,healthy=0.25"), _by_class("cost", "normal, benign=1, malignant=3")
    ('weighted(sick=0.75, healthy=0.25)', "cost(costs={'normal, benign': 1, 'malignant': 3})")
    """
    name, table = {"weight": ("weighted", "weights"), "cost": ("cost", "costs")}[option]
    return by_class(name, table, _pairs(option, text))


def prevalence_of(text: str) -> float | dict[str, float]:
    """The share of the positive class, or a share for each class.

    >>> prevalence_of("0.01"), prevalence_of("1%"), prevalence_of("normal=0.9, sick=0.1")
    (0.01, 0.01, {'normal': 0.9, 'sick': 0.1})
    """
    try:
        if "=" in text:
            return {name: float(value) for name, value in _pairs("prevalence", text).items()}
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise UsageError(f"--prevalence is '{text}'; give a share such as 0.01, or one for each class.") from None


def _specs(text: str) -> list[str]:
    """Split at commas outside of brackets.

    >>> _specs("none, clahe(clip=2, tiles=8)")
    ['none', 'clahe(clip=2, tiles=8)']
    """
    depth, found = 0, [""]
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return [spec.strip() for spec in found if spec.strip()]


def _page(folder: RunFolder, until: str, language: str) -> Path | None:
    """The page that shows what a verb did, written where the line itself writes none."""
    if until == "report":
        return folder / "report.html"
    if until not in ("audit", "compare"):
        return None
    from evenray import reporting as report

    return (report.audit_page if until == "audit" else report.compare_page)(folder.path, language=language)


def finish(folder: RunFolder, page: Path | None, until: str, *, as_json: bool) -> None:
    """Say where the results are: for people on standard error, for scripts as one JSON object on standard output."""
    grid = folder.read_table("grid.parquet") if until == "compare" and folder.has("grid.parquet") else None
    if not as_json:
        if grid is not None:
            from ._grid import print_grid

            print_grid(grid)
        Bars().say(f"[bold]{plain(str(page or folder.path))}[/bold]")
        return
    found: dict[str, Any] = {"run": str(folder.path), "report": str(page) if page else None}
    if folder.has("scores.json") and until in ("evaluate", "explain", "report"):
        scores = folder.read_json("scores.json")
        found |= {name: part["metrics"] for name, part in scores["parts"].items()}
    if until == "compare":
        found["choice"] = folder.read_json("choice.json")
        found["grid"] = [] if grid is None else grid.fill_nan(None).to_dicts()
    if until == "audit":
        found["findings"] = (
            folder.read_table("findings.parquet").select("check", "severity", "title", "cases").to_dicts()
        )
    print_json(found)
