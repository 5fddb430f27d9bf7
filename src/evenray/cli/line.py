"""The verbs of the line: run, and each stage by its own name. All are one function with another last stage."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from evenray.core.errors import DataError, UsageError
from evenray.core.events import Told, Understanding

from ._app import app
from ._options import given, of_stages, plain_option, signed
from ._screen import Watcher, print_json, say, watching

if TYPE_CHECKING:
    from evenray.core.run import Run

__all__ = ["TARGET", "finish"]

HELP = {
    "run": "The main job: everything from the images to the report.",
    "scan": "Read every image once into a table of cases.",
    "audit": "Find what would ruin a study, before anything is trained.",
    "split": "Divide the cases into train, validation and test, by patient.",
    "plan": "Decide what would be trained, and say why; nothing is trained.",
    "compare": "Compare contrasts and remedies for imbalance, the test part closed.",
    "train": "Train the network on what the comparison chose.",
    "evaluate": "Open the test part and score it.",
    "explain": "Show what the contrast did and where the network looked.",
    "report": "Write the report; of several run folders one page that sets them side by side.",
}
TARGET = Annotated[
    str, typer.Argument(help="Images (folder, label table or .npz), or a run folder.", show_default=False)
]
SEVERAL = Annotated[
    list[str],
    typer.Argument(help="Images, or a run folder; several run folders are set side by side.", show_default=False),
]
GRAVITIES = ("error", "warning")
_PROPOSE = "Write a CSV that proposes what to leave out, to be edited and given to --exclude."
_FAIL = "End with exit code 1 where there is a finding as grave as this: error or warning."
_LAYERS = (
    "Look into a network in place of a run's decisions: a spec, a model's file, a run folder, or all for the counts of every"
    " network."
)
_ERRORS = "Write errors.html into the run folder: false negatives and false positives with their maps."
_OPACITY = "Of overlays on files: the opacity of the warmest colour, from 0 to 1 [default: 0.5]."
FILES = Annotated[
    Optional[list[str]],  # noqa: UP045  (typer reads it at run time)
    typer.Argument(
        help="Images, or folders of them, to explain by the run in place of its own cases.", show_default=False
    ),
]
_IMAGE = "An image or a folder of images to show the layers on."
_ON = "Test a finished run on these images of another hospital, as it is; its own test part is left alone."
_RECALIBRATE = (
    "With --on: fit the probabilities on half of the set's patients too, and tell what that changes on the others."
)
_DRY = "Print what columns and folders are taken to mean, and do nothing else."
OWN = {
    "scan": {"dry_run": plain_option(bool, "--dry-run", panel="The data", help=_DRY)},
    "audit": {
        "propose_exclusions": plain_option(Path, "--propose-exclusions", panel="The data", help=_PROPOSE),
        "fail_on": plain_option(str, "--fail-on", help=_FAIL),
    },
    "evaluate": {
        "on": plain_option(str, "--on", panel="The data", help=_ON),
        "recalibrate": plain_option(bool, "--recalibrate", panel="The method", help=_RECALIBRATE),
    },
    "explain": {
        "layers": plain_option(str, "--layers", panel="The method", help=_LAYERS),
        "image": plain_option(str, "--image", panel="The method", help=_IMAGE),
        "errors": plain_option(bool, "--errors", panel="The method", help=_ERRORS),
        "opacity": plain_option(float, "--opacity", panel="The method", help=_OPACITY),
    },
}


def _verb(name: str) -> None:
    until = "report" if name == "run" else name

    def verb(target: Any = None, files: list[str] | None = None, **options: Any) -> None:
        if name == "report" and len(target) > 1:
            _side_by_side(target, options)
            return
        target = target[0] if name == "report" else target
        if options.get("layers"):
            from .layers import explain_layers

            explain_layers(target, **options, files=files)
        elif target is None:
            raise UsageError("Give images or a run folder, or --layers NETWORK.")
        elif name == "explain":
            from .explain import explain_run

            done = explain_run(target, files or None, **options)
            if done is not None:
                finish(done, "explain", lang=options.get("lang"), as_json=bool(options.get("json")))
        elif name == "audit":
            _audit(target, options)
        elif options.get("on") or options.get("recalibrate"):
            from .external import evaluate_on

            evaluate_on(target, **options)
        elif options.get("dry_run"):
            _understand(target, options)
        else:
            _run(target, until, options)

    nothing = None if name == "explain" else inspect.Parameter.empty  # explain --layers needs no data
    own = inspect.Parameter(
        "target",
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=nothing,
        annotation=SEVERAL if name == "report" else TARGET,
    )
    verb.__doc__ = HELP[name]
    more = [inspect.Parameter("files", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=FILES)]
    panel = "The main job" if name == "run" else "Its stages"
    parameters = [own, *(more if name == "explain" else [])]
    app.command(name, rich_help_panel=panel)(signed(verb, of_stages(until) | OWN.get(name, {}), *parameters))


for _name in HELP:
    _verb(_name)


def _run(target: str, until: str, options: dict[str, Any]) -> None:
    settings = given(options)
    from evenray.core.processes import processes
    from evenray.verbs.run import run

    with watching(settings.get("lang"), options.get("events")) as listener:
        done = run(target, None, options.get("output"), until=until, listener=listener, **settings)
    if processes().rank == 0:
        finish(done, until, lang=settings.get("lang"), as_json=bool(options.get("json")))


def _side_by_side(runs: list[str], options: dict[str, Any]) -> None:
    from evenray.reporting.side_by_side import letters
    from evenray.verbs.report import report

    page = report(runs, options.get("output"), **given(options))
    if options.get("json"):
        print_json({"runs": runs, "report": str(page)})
        return
    for letter, run in zip(letters(len(runs)), runs, strict=True):
        say(f"{letter}  {run}")
    say(str(page), "bold")


def _understand(target: str, options: dict[str, Any]) -> None:
    from evenray.core.recipe import ScanSettings
    from evenray.verbs.understand import understand

    settings = given(options)
    found = understand(target, **{name: value for name, value in settings.items() if name in ScanSettings.model_fields})
    if options.get("json"):
        print_json(found.kept().model_dump(mode="json"))
        return
    watcher = Watcher(settings.get("lang") or "en")
    watcher(Understanding(found))
    for note in found.notes:
        watcher(Told(note, "note"))


def _audit(target: str, options: dict[str, Any]) -> None:
    level, settings = options.get("fail_on"), given(options)
    if level is not None and level not in GRAVITIES:
        raise UsageError(f"--fail-on is '{level}'; give {' or '.join(GRAVITIES)}.")
    from evenray.verbs.data import audited

    with watching(settings.get("lang"), options.get("events")) as listener:
        done = audited(target, options.get("output"), options.get("propose_exclusions"), listener, **settings)
    finish(done, "audit", lang=settings.get("lang"), as_json=bool(options.get("json")))
    if level is not None:
        from evenray.core.texts import Texts

        worst = GRAVITIES[: GRAVITIES.index(level) + 1]
        grave = [Texts("en").message(finding.title) for finding in done.findings or () if finding.severity in worst]
        if grave:
            raise DataError(
                f"The audit has findings that --fail-on {level} does not accept: {'; '.join(dict.fromkeys(grave))}."
            )


def finish(run: Run, until: str, *, lang: str | None = None, as_json: bool = False) -> None:
    """Say where the results are: for people on standard error, for scripts as one JSON object on standard output."""
    page = _page(run, until, lang or "en")
    if as_json:
        print_json(_told(run, until, page))
        return
    if until == "plan":
        from ._plan import show_plan

        show_plan(run, lang or "en")
    if until == "compare" and run.grid is not None:
        from ._grid import print_grid

        print_grid(run.grid)
    say(str(page or run.path), "bold")


def _page(run: Run, until: str, lang: str) -> Path | None:
    """The page that shows what a verb did."""
    if until == "compare":
        from evenray.reporting import compare_page

        return compare_page(run.path, language=lang)
    return {"report": run.path / "report.html", "audit": run.path / "audit.html"}.get(until)


def _told(run: Run, until: str, page: Path | None) -> dict[str, Any]:
    found: dict[str, Any] = {"run": str(run.path), "report": str(page) if page else None}
    if run.results is not None and until in ("evaluate", "explain", "report"):
        found |= {name: part["metrics"] for name, part in run.results.as_json()["parts"].items()}
    if until == "plan" and run.planned is not None:
        found |= run.planned.as_json()
    if until == "compare" and run.choice is not None:
        found["choice"] = run.choice.as_json()
        found["grid"] = [] if run.grid is None else run.grid.fill_nan(None).to_dicts()
    if until == "audit":
        found["findings"] = [
            {"check": f.check, "variant": f.variant, "severity": f.severity, "cases": list(f.cases)}
            for f in run.findings or ()
        ]
    return found
