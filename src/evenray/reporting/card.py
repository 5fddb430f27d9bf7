"""The model card: what a model is, what it was trained and tested on, and what it must not be used for, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evenray.core.artefacts import atomic
from evenray.core.errors import DataError
from evenray.core.types import PARTS
from evenray.learning.balance import make

from .folder import Run
from .language import Language
from .page import template
from .sections.limits import MISSING

__all__ = ["write_card"]

RULES = ("internal", "interval", "prevalence", "threshold", "labels")


def write_card(
    run_folder: str | Path, folder: str | Path, exported: Mapping[str, Any], *, language: str = "en"
) -> Path:
    """Write MODEL_CARD.md (of another language MODEL_CARD.ko.md) into `folder` from an evaluated run; returns its path.

    `exported` says what was handed on: `files` (names), `side` of the input, `difference` from torch, `validation`
    figures in f32 and int8, and `familiar` with the `rates` of false flags and the `cases` behind them. The card holds
    no path and no identifier.
    """
    run, say = Run(run_folder), Language(language)
    if run.scores is None:
        raise DataError(f"'{run.folder}' is not evaluated yet; 'evenray evaluate {run.folder}' does it.")
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


def _context(run: Run, say: Language, exported: Mapping[str, Any]) -> dict[str, Any]:
    assert run.scores is not None
    model = run._json("model.json") or {}
    test = run.scores["parts"]["test"]
    return {
        "model": _model(run, say, model, exported), "counts": _counts(run), "test": test, "whose": _whose(run, say),
        "units": say(f"card.units_{_units(run)}"), "corrected": _corrected(run, model),
        "metrics": [_metric(say, name, figures) for name, figures in test["metrics"].items()],
        "opened": len(run.provenance.get("test_opened", [])), "errors": _severity(run, "error"),
        "warnings": _severity(run, "warning"),
        "given": run.given,
        "rejected": 0 if run.rejected is None else run.rejected.height,
        "threshold": run.scores["threshold"], "rule": run.scores["threshold_rule"],
        "calibration": run.scores["calibration"]["method"], "shares": _shares(run, say, model),
        "flags": _flags(say, exported), "limits": _limits(run, say),
        "yours": [say(f"limits.missing_{n}") for n in range(len(MISSING))],
    }  # fmt: skip


def _metric(say: Language, name: str, figures: Mapping[str, Any]) -> tuple[str, str, str, str]:
    interval = say.interval(figures["low"], figures["high"])
    return say.name("metric", name), say.number(figures["value"]), interval, say.number(figures["baseline"])


def _model(run: Run, say: Language, model: Mapping[str, Any], exported: Mapping[str, Any]) -> list[tuple[str, str]]:
    network, recipe = model["network"], run.recipe or {}
    weights = network.get("weights")
    versions = run.provenance.get("packages", {})
    colour = say("card.grey" if network["channels"] == 1 else "card.colour")
    return [
        (say("card.network"), _spec(network)),
        (say("card.parameters"), say.count(network["parameters"])),
        (say("card.size"), say("card.size_text", side=exported["side"], colour=colour)),
        (say("card.contrast"), model["contrast"]),
        (say("card.balance"), model["balance"]),
        (say("card.weights"), Path(str(weights["file"])).name if weights else say("card.scratch")),
        (say("card.effort"), f"{recipe.get('effort')}, {recipe.get('seed')}"),
        (say("card.made"), f"evenray {versions.get('evenray', '')}, torch {versions.get('torch', '')}"),
        (say("card.files"), ", ".join(exported["files"])),
    ]  # fmt: skip


def _spec(network: Mapping[str, Any]) -> str:
    """The network, and how many of it are averaged."""
    members = network.get("members", 1)
    return f"{members} × {network['spec']}" if members > 1 else str(network["spec"])


def _counts(run: Run) -> list[tuple[str, list[int]]]:
    """(part, cases of each class) for the parts that are used."""
    if run.cases is None:
        return []
    found = {(part, label): n for part, label, n in run.cases.group_by("part", "label").len().iter_rows()}
    return [(part, [found.get((part, name), 0) for name in run.classes]) for part in PARTS if part in run.parts]


def _whose(run: Run, say: Language) -> str:
    """How many images of how many patients, and whether one is in two parts."""
    total, used = say.count(sum(n for _, counts in _counts(run) for n in counts)), run.used
    known = used.drop_nulls("patient")
    if known.is_empty():
        return say("card.data_unknown", cases=total)
    torn = len(run.torn)
    found = [say("card.data_text", cases=total, patients=say.count(known["patient"].n_unique()))]
    found.append(say("card.data_torn", n=say.count(torn)) if torn else say("card.data_apart"))
    if known.height < used.height:
        found.append(say("card.data_some", n=say.count(used.height - known.height)))
    return " ".join(found)


def _units(run: Run) -> str:
    """What counts once in the intervals of the test part; see core.whose for who stands for an unknown patient."""
    assert run.scores is not None
    test, patient = run.scores["parts"]["test"], run.used.filter(part="test")["patient"]
    if len(patient) and not patient.null_count():
        return "patients"
    if patient.null_count() < len(patient):
        return "some"
    return "images" if test["patients"] == test["cases"] else "studies"


def _corrected(run: Run, model: Mapping[str, Any]) -> bool:
    """Whether what the remedy does to probabilities had to be undone."""
    remedy = make(model["balance"], model["counts"], run.classes, run.positive)
    return remedy.prior is not None or remedy.link is not None


def _limits(run: Run, say: Language) -> list[tuple[str, str]]:
    """What bounds the figures; a threshold only where there is one that the data chose."""
    found = {
        name: (say(f"limits.{name}"), say(f"limits.{name}_text")) for name in RULES if name != "threshold" or run.chosen
    }
    found["prevalence"] = say("limits.prevalence"), say("card.prevalence_text")
    return list(found.values())


def _severity(run: Run, severity: str) -> int:
    return 0 if run.findings is None else int((run.findings["severity"] == severity).sum())


def _shares(run: Run, say: Language, model: Mapping[str, Any]) -> str:
    return say.shares(run.prevalence or dict(zip(run.classes, model["prior"], strict=True)))


def _flags(say: Language, exported: Mapping[str, Any]) -> str:
    rates = (exported["familiar"] or {"rates": {}})["rates"]
    return "; ".join(f"{name} {say.percent(rate)}" for name, rate in rates.items() if name != "all")
