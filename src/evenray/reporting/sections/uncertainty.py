"""Doubt about single answers: sets of classes with a promised coverage, and what abstention brings."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.uncertainty import PredictionSets, QuestionUncertainty, UncertaintyRecord
from evenray.reporting.figures.abstention import abstention, answered
from evenray.reporting.figures.svg import ACCENT, GREY, OTHERS, Figure, class_colours
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]


@dataclass(frozen=True)
class Question:
    """A finding, or "" of classes; `asked` are the sets of the asked coverage."""

    name: str
    told: QuestionUncertainty
    asked: PredictionSets
    figures: list[Figure]


@dataclass(frozen=True)
class Shown:
    record: UncertaintyRecord
    questions: list[Question]


def context(run: RunView, say: Language) -> Shown | None:
    record = run.uncertainty if run.current else None
    if record is None:
        return None
    found = []
    for name, told in record.questions.items():
        asked = next(sets for sets in told.sets if sets.coverage == record.coverage)
        found.append(Question(name, told, asked, _figures(run, told, asked, say)))
    return Shown(record, found)


def _figures(run: RunView, told: QuestionUncertainty, asked: PredictionSets, say: Language) -> list[Figure]:
    curve = told.abstention
    if curve is None:
        return []
    area = {name: say.number(getattr(curve.area, name)) for name in ("value", "low", "high", "baseline")}
    first = Figure(say("uncertainty.figure"), abstention(curve, asked, say), say("uncertainty.figure_caption", **area))
    if run.tags:
        colours = dict(zip((say.word("finding", name) for name in told.classes), (GREY, ACCENT), strict=True))
    elif len(told.classes) > len(OTHERS) + 1:  # more than colours tell apart
        return [first]
    else:
        colours = class_colours(told.classes, run.positive)
        colours = {name: colours[name] for name in told.classes}
    second = answered(curve, colours, say)
    return [first, Figure(say("uncertainty.answered"), second, say("uncertainty.answered_caption"))]
