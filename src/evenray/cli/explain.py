"""explain: where a network looks, in its run's cases or in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._options import given
from ._screen import print_json, say, watching

if TYPE_CHECKING:
    from evenray.core.run import Run

__all__ = ["explain_run"]


def explain_run(target: str, files: list[str] | None, **options: Any) -> Run | None:
    """Explain the cases of a run, its errors as well where that is asked for; or files by the run as it is, which gives None."""
    settings = given(options)
    from evenray.verbs.explain import Explanations, explain

    own: dict[str, Any] = {"errors": bool(options.get("errors"))}
    if options.get("opacity") is not None:
        own["opacity"] = options["opacity"]
    with watching(settings.get("lang"), options.get("events")) as listener:
        done = explain(target, None, options.get("output"), files=files, listener=listener, **own, **settings)
    if isinstance(done, Explanations):
        if options.get("json"):
            rejected = done.rejected.to_dicts()
            print_json({"folder": str(done.folder), "rows": done.table.to_dicts(), "rejected": rejected})
        else:
            say(str(done.folder), "bold")
        return None
    if own["errors"] and not options.get("json"):
        say(str(done.path / "errors.html"), "bold")
    return done
