"""What a run can answer of what reporting guidelines ask: a sentence each, with the section of the page that says more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from evenray.reporting.language import Language
from evenray.reporting.page import INSTEAD
from evenray.reporting.view import RunView

from . import data, model

__all__ = ["ANSWERS", "Answer", "answer"]

Find = Callable[[RunView, Language], tuple[str, Mapping[str, str | int]] | None]


@dataclass(frozen=True)
class Answer:
    """A sentence and the section that it links to."""

    text: str
    target: str


def answer(name: str, run: RunView, say: Language) -> Answer | None:
    """The answer of this name; None where the run knows nothing of it."""
    target, find = ANSWERS[name]
    found = find(run, say)
    if found is None:
        return None
    key, values = found
    instead = INSTEAD.get(run.facts.task, {})
    return Answer(say(f"answer.{key}", **values), instead.get(target, target) or "metrics")


# Each answer with the section that it links to.
ANSWERS: dict[str, tuple[str, Find]] = {
    "task": ("data", data.task),
    "goal": ("metrics", model.goal),
    "network": ("asked", model.network),
    "preparation": ("asked", model.preparation),
    "quality": ("audit", data.quality),
    "left_out": ("data", data.left_out),
    "flow": ("data", data.flow),
    "privacy": ("data", data.privacy),
    "missing": ("data", data.missing),
    "acquisition": ("data", data.acquisition),
    "readers": ("readers", data.readers),
    "parts": ("data", data.parts),
    "disjoint": ("data", data.disjoint),
    "size": ("metrics", model.size),
    "software": ("repeat", model.software),
    "start": ("asked", model.start),
    "training": ("training", model.training),
    "chosen": ("compare", model.chosen),
    "members": ("asked", model.members),
    "measures": ("metrics", model.measures),
    "uncertainty": ("metrics", model.uncertainty),
    "stability": ("stability", model.stability),
    "robustness": ("robustness", model.robustness),
    "maps": ("attribution", model.maps),
    "internal": ("metrics", model.internal),
    "external": ("external", model.external),
    "drift": ("external", model.drift),
    "updated": ("external", model.updated),
    "known": ("data", data.known),
    "sites": ("data", data.sites),
    "clusters": ("practice", model.clusters),
    "site_gaps": ("groups", model.site_gaps),
    "fairness": ("practice", model.fairness),
    "gaps": ("groups", model.gaps),
    "performance": ("ranking", model.performance),
    "accuracy": ("threshold", model.accuracy),
    "failures": ("mistakes", model.failures),
    "limits": ("limits", model.limits),
    "decision": ("practice", model.decision),
    "repeat": ("repeat", model.repeat),
    "open": ("repeat", model.open_of),
    "pixels": ("asked", model.pixels),
    "nobody": ("asked", model.nobody),
    "outcome": ("data", data.outcome),
    "imbalance": ("compare", model.imbalance),
    "calibrated": ("calibration", model.calibrated),
    "output": ("threshold", model.output),
    "same_source": ("data", data.same_source),
    "no_update": ("repeat", model.no_update),
    "predict": ("repeat", model.predict),
    "numbers": ("data", data.numbers),
    "unfamiliar": ("limits", model.unfamiliar),
}
