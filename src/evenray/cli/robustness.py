"""The verb robustness: a run's figures under graded corruptions of its images."""

from __future__ import annotations

import inspect
from typing import Any

from ._app import app
from ._options import given, of_stages, plain_option, signed
from ._screen import print_json, say, watching
from .line import TARGET

__all__ = ["robustness"]

_AGAINST = "The contrast of a second network, trained like the first one [default: none, where the run chose another]."


def robustness(target: str, against: str | None = None, **options: Any) -> None:
    """Score the network under noise, blur, wrong exposure and other corruptions, with its contrast and without."""
    settings = given(options)
    from evenray.verbs.robustness import robustness as measure

    with watching(settings.get("lang"), options.get("events")) as listener:
        done = measure(target, options.get("output"), against=against, listener=listener, **settings)
    page, record = done.path / "robustness.html", done.robustness
    assert record is not None
    if options.get("json"):
        print_json({"run": str(done.path), "report": str(page), "robustness": record.as_json()})
        return
    say(str(page), "bold")


_own = inspect.Parameter("target", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=TARGET)
_OPTIONS = {"against": plain_option(str, "--against", panel="The method", help=_AGAINST), **of_stages("evaluate")}
app.command("robustness", rich_help_panel="The result at work")(signed(robustness, _OPTIONS, _own))
