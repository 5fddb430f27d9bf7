"""The model card: what a model is, what it was trained and tested on, and what it must not be used for, as Markdown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evenray.core.artefacts import atomic
from evenray.core.artefacts.model import ModelRecord
from evenray.core.artefacts.scores import PartScores
from evenray.core.errors import DataError
from evenray.core.types import PARTS

from .findings import having
from .language import Language
from .page import template
from .sections.limits import rule_text
from .view import RunView

if TYPE_CHECKING:
    from evenray.learning.export.exported import Exported  # torch, which pages do without

__all__ = ["write_card"]

POINT = ("auroc", "auprc", "sensitivity", "specificity", "ppv")  # told of each finding
OF_BOXES = ("map50", "map", "sensitivity", "ppv", "false_positives")
OF_MASKS = ("dice", "iou", "hd95", "lesion_sensitivity", "false_lesions")  # and of each class of masks
YOURS = 6  # texts of what only people can add
RULES = ("internal", "interval", "prevalence", "threshold", "labels")


def write_card(run_folder: str | Path, folder: str | Path, exported: Exported, *, language: str = "en") -> Path:
    """Write MODEL_CARD.md (of another language MODEL_CARD.ko.md) into `folder` from an evaluated run; returns its path.

    `exported` says what was exported and measured. The card holds no path and no identifier.
    """
    run, say = RunView(run_folder), Language(language)
    if run.results is None:
        raise DataError(f"'{run.path}' is not evaluated yet; 'evenray evaluate {run.path}' does it.")
    name = "MODEL_CARD.md" if language == "en" else f"MODEL_CARD.{language}.md"
    text = template("card.md.j2", markdown=markdown).render(
        say=say, run=run, c=_context(run, say, exported), e=exported
    )
    with atomic(Path(folder) / name) as temporary:
        temporary.write_text(re.sub(r"\n{3,}", "\n\n", text).strip() + "\n", encoding="utf-8")
    return Path(folder) / name


def markdown(text: object) -> str:
    """Text that stands for itself in Markdown, in a table too.

    >>> markdown("a|b *c* <d>")
    'a\\\\|b \\\\*c\\\\* \\\\<d\\\\>'
    """
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", str(text)).replace("\n", " ")


def _context(run: RunView, say: Language, exported: Exported) -> dict[str, Any]:
    results, model, test = run.results, run.model, run.test
    assert results is not None
    assert model is not None
    assert test is not None
    severities = [] if run.findings is None else [finding.severity for finding in run.findings]
    flags = exported.flag_rates or {}
    return {
        "model": _model(run, say, model, exported), "counts": _counts(run), "test": test, "whose": _whose(run, say),
        "units": say(f"card.units_{_units(run, test)}"), "corrected": _corrected(model),
        "metrics": [
            (say.name("metric", name), say.number(e.value), say.interval(e.low, e.high), say.number(e.baseline))
            for name, e in test.metrics.items()
        ],
        "opened": len(run.ledger.test_opened),
        "errors": severities.count("error"), "warnings": severities.count("warning"),
        "given": run.given,
        "rejected": 0 if run.rejected is None else run.rejected.height,
        "threshold": results.threshold, "rule": results.threshold_rule,
        "calibration": results.calibration.method,
        "points": _points(run, say) if run.tags else [], "told": _told(run),
        "shares": say.shares(run.prevalence or dict(zip(run.classes, model.prior, strict=True))),
        "flags": "; ".join(f"{name} {say.percent(rate)}" for name, rate in flags.items() if name != "all"),
        "limits": _limits(run, say),
        "yours": [say(f"limits.missing_{n}") for n in range(YOURS)],
    }  # fmt: skip


def _model(run: RunView, say: Language, model: ModelRecord, exported: Exported) -> list[tuple[str, str]]:
    network, recipe = model.network.as_json(), run.recipe
    each = network.get("parts") or [network]  # networks of different kinds, averaged
    weights = [Path(str(of["file"])).name if (of := one.get("pretrained")) else say("card.scratch") for one in each]
    versions = run.ledger.packages
    colour = say("card.grey" if network["channels"] == 1 else "card.colour")
    return [
        (say("card.network"), model.network.named),
        (say("card.parameters"), say.count(network["parameters"])),
        (say("card.size"), say("card.size_text", side=exported.side, colour=colour)),
        (say("card.contrast"), model.contrast),
        (say("card.balance"), model.balance),
        (say("card.weights"), " + ".join(weights)),
        (say("card.effort"), f"{recipe and recipe.effort}, {recipe and recipe.seed}"),
        (say("card.made"), f"evenray {versions.get('evenray', '')}, torch {versions.get('torch', '')}"),
        (say("card.files"), ", ".join(path.name for path in exported.files)),
    ]  # fmt: skip


def _counts(run: RunView) -> list[tuple[str, list[int]]]:
    """(part, cases of each class, or with each finding) for the parts that are used."""
    if run.cases is None:
        return []
    cases = having(run.cases, run.classes) if run.tags else run.cases
    found = {(part, label): n for part, label, n in cases.group_by("part", "label").len().iter_rows()}
    return [(part, [found.get((part, name), 0) for name in run.classes]) for part in PARTS if part in run.parts]


def _whose(run: RunView, say: Language) -> str:
    """How many images of how many patients, and whether one is in two parts."""
    used = run.used
    total = say.count(used.height)
    known = used.drop_nulls("patient")
    if known.is_empty():
        return say("card.data_unknown", cases=total)
    torn = len(run.torn)
    found = [say("card.data_text", cases=total, patients=say.count(known["patient"].n_unique()))]
    found.append(say("card.data_torn", n=say.count(torn)) if torn else say("card.data_apart"))
    if known.height < used.height:
        found.append(say("card.data_some", n=say.count(used.height - known.height)))
    return " ".join(found)


def _units(run: RunView, test: PartScores) -> str:
    """What counts once in the intervals of the test part; core.patient_groups says who stands for an unknown patient."""
    patient = run.tested["patient"]
    if len(patient) and not patient.null_count():
        return "patients"
    if patient.null_count() < len(patient):
        return "some"
    return "images" if test.patients == test.cases else "studies"


def _corrected(model: ModelRecord) -> bool:
    """Whether what the remedy does to probabilities had to be undone."""
    from evenray.learning.tasks import task_of  # torch, which pages do without

    asked = [question.balance for question in task_of(model.task).questions(model)]
    return any(remedy.link is not None or remedy.prior is not None for remedy in asked)


def _told(run: RunView) -> tuple[str, ...]:
    """The figures of each class or finding."""
    return {"masks": OF_MASKS, "boxes": OF_BOXES}.get(run.marked, POINT)


def _points(run: RunView, say: Language) -> list[tuple[str, list[str]]]:
    """Of each finding its threshold and rule, how many test images have it and what is told of it there, its calibration."""
    assert run.results is not None
    found = []
    for name, record in run.results.findings.items():
        part = record.parts.get("test")
        told = [part.metrics.get(metric) if part else None for metric in _told(run)]
        cases = say.count(list(part.counts.values())[-1]) if part else "0"
        figures = [say.number(figure.value if figure else None) for figure in told]
        row = [cases, say.brief(record.threshold), record.threshold_rule or "", *figures, record.calibration.method]
        found.append((name, row))
    return found


def _limits(run: RunView, say: Language) -> list[tuple[str, str]]:
    """What bounds the figures; a threshold only where the data chose one, and the want of an external test only without one."""
    left_out = {*(() if run.chosen else ("threshold",)), *(("internal",) if run.external else ())}
    found = {name: (say(f"limits.{name}"), rule_text(run, say, name)) for name in RULES if name not in left_out}
    found["prevalence"] = say("limits.prevalence"), say("card.prevalence_text")
    return list(found.values())
