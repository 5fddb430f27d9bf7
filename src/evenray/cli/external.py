"""evaluate --on: a finished run on another hospital's images."""

from __future__ import annotations

from typing import Any

from evenray.core.artefacts.external import FOLDER

from ._options import given
from ._screen import print_json, say, watching

__all__ = ["evaluate_on"]


def evaluate_on(target: str, **options: Any) -> None:
    settings = given(options)
    from evenray.verbs._external import test_name
    from evenray.verbs.run import evaluate

    with watching(settings.get("lang"), options.get("events")) as listener:
        run = evaluate(
            target, None, options.get("output"), on=options.get("on"), recalibrate=bool(options.get("recalibrate")),
            listener=listener, **settings,
        )  # fmt: skip
    record = run.external[test_name(options["on"], options.get("output"))]
    page = run.path / FOLDER / record.name / "external.html"
    if options.get("json"):
        print_json({"run": str(run.path), "report": str(page), **record.as_json()})
        return
    say(str(page), "bold")
