"""What a run can answer about its model and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenray.images.corruptions import CORRUPTIONS
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

from .data import patients_known

FIRST = {"segment": "dice", "detect": "map50"}  # the figure that stands for the performance of a task, by default AUROC
Found = tuple[str, Mapping[str, str | int]] | None  # the key of a text, and its values


def _decided(run: RunView, name: str) -> Any:
    return run.planned.value(name) if run.planned else None


def goal(run: RunView, say: Language) -> Found:
    return ("goal_external" if run.external else "goal", {}) if run.test else None


def network(run: RunView, say: Language) -> Found:
    model = run.model
    if model is None:
        return None
    if model.image_side is not None:
        values = {"network": model.network.named, "side": model.network.size, "whole": model.image_side}
        return "networks", {"networks": say("answer.network_windows", **values)}
    each = model.network.parts or (model.network,)
    told = " ".join(say("answer.network", network=one.named, side=one.size) for one in each)
    return "networks", {"networks": told}


def preparation(run: RunView, say: Language) -> Found:
    model = run.model
    if model is None:
        return None
    key = "preparation_plain" if model.contrast == "none" else "preparation"
    return key, {"side": model.image_side or model.network.size, "contrast": model.contrast}


def size(run: RunView, say: Language) -> Found:
    if run.test is None:
        return None
    return "size" if patients_known(run) else "size_images", {"patients": say.count(run.test.patients)}


def software(run: RunView, say: Language) -> Found:
    ledger = run.ledger
    if not ledger.evenray:
        return None
    return "software", {
        "evenray": ledger.evenray,
        "torch": ledger.packages.get("torch", "–"),
        "python": ledger.python,
    }


def start(run: RunView, say: Language) -> Found:
    if run.model is None or run.recipe is None:
        return None
    weights = _decided(run, "pretrained") or run.recipe.weights
    if (beside := _decided(run, "beside")) is not None:
        return "scratch_beside", {"seed": run.recipe.seed, "weights": beside}
    if weights in (None, "none"):
        return "scratch", {"seed": run.recipe.seed}
    return "weights", {"weights": weights, "finetune": _decided(run, "finetune") or run.recipe.finetune}


def training(run: RunView, say: Language) -> Found:
    if run.model is None or run.planned is None:
        return None
    balance = {"balance": run.model.balance}
    if run.planned.plan.frozen and not run.marked:
        return "training_frozen", balance
    values = {
        name: _decided(run, of) for name, of in (("rate", "learning_rate"), ("batch", "batch"), ("epochs", "epochs"))
    }
    key = "training_flips" if run.recipe and run.recipe.flips else "training"
    return key, {name: say.value(value) for name, value in values.items()} | balance


def chosen(run: RunView, say: Language) -> Found:
    if run.model is None:
        return None
    kept = {"keep": say.word("keep", say.value(_decided(run, "keep")))}
    return ("not_compared", kept) if run.grid is None else ("chosen", kept | {"cells": run.grid.height})


def members(run: RunView, say: Language) -> Found:
    if run.model is None:
        return None
    n, beside = _decided(run, "members") or 1, _decided(run, "beside")
    if beside is not None:
        return ("members_beside" if n > 1 else "one_beside"), {"n": n, "weights": beside}
    return ("members", {"n": n}) if n > 1 else ("one", {})


def measures(run: RunView, say: Language) -> Found:
    if run.test is None:
        return None
    return "measures", {"measures": ", ".join(say.name("metric", name) for name in run.test.metrics)}


def uncertainty(run: RunView, say: Language) -> Found:
    if run.test is None:
        return None
    return "uncertainty" if patients_known(run) else "uncertainty_images", {}


def robustness(run: RunView, say: Language) -> Found:
    return ("robustness", {"n": len(CORRUPTIONS)}) if run.robustness is not None and run.current else None


def stability(run: RunView, say: Language) -> Found:
    several = run.grid is not None and "seeds" in run.grid.columns and (run.grid["seeds"].max() or 1) != 1
    return ("stability", {}) if several or run.nested is not None else None


def maps(run: RunView, say: Language) -> Found:
    maps = run.attributions
    if maps is None or run.marked:
        return None
    passed = sum(check.passed is True for check in maps.checks)
    return "maps", {"method": say.word("attribution", maps.method), "passed": passed, "checks": len(maps.checks)}


def internal(run: RunView, say: Language) -> Found:
    if run.test is None:
        return None
    values = {"cases": say.count(run.test.cases), "patients": say.count(run.test.patients)}
    return "internal" if patients_known(run) else "internal_images", values


def external(run: RunView, say: Language) -> Found:
    told = []
    for one in run.external.values():
        text = say.count(one.cases)
        if one.fall is not None:
            figure = one.fall.external
            value, interval = say.number(figure.value), say.interval(figure.low, figure.high)
            text += f": {say.name('metric', one.main)} {value} ({interval})"
        told.append(text)
    return ("external", {"n": len(told), "tests": "; ".join(told)}) if told else None


def drift(run: RunView, say: Language) -> Found:
    return ("drift", {}) if run.external else None


def updated(run: RunView, say: Language) -> Found:
    return ("updated", {}) if any(one.recalibrated for one in run.external.values()) else None


def _groups(run: RunView, *names: str) -> list[str]:
    """Columns by which the page shows figures of groups; of findings and marks it shows none."""
    return [name for name in names if run.results and not run.tags and run.results.groups.get(name)]


def _gaps(run: RunView, say: Language, *names: str) -> Found:
    record = run.groups if run.current else None
    held = [name for name in names if record is not None and any(each.column == name for each in record.compared)]
    return ("gaps", {"columns": ", ".join(say(f"group.{name}") for name in held)}) if held else None


def site_gaps(run: RunView, say: Language) -> Found:
    return _gaps(run, say, "site")


def gaps(run: RunView, say: Language) -> Found:
    return _gaps(run, say, "sex", "age_band")


def clusters(run: RunView, say: Language) -> Found:
    return ("fairness", {"columns": say("group.site")}) if _groups(run, "site") else None


def fairness(run: RunView, say: Language) -> Found:
    held = _groups(run, "sex", "age_band")
    return ("fairness", {"columns": ", ".join(say(f"group.{name}") for name in held)}) if held else None


def performance(run: RunView, say: Language) -> Found:
    name = FIRST.get(run.facts.task, "auroc")
    figure = run.test.metrics.get(name) if run.test else None
    if figure is None:
        return None
    values = {"value": say.number(figure.value), "interval": say.interval(figure.low, figure.high)}
    return "performance", values | {"metric": say.name("metric", name)}


def accuracy(run: RunView, say: Language) -> Found:
    if run.test is None or not run.binary:
        return performance(run, say)
    figures = {name: run.test.metrics[name] for name in ("sensitivity", "specificity") if name in run.test.metrics}
    told = {str(name): f"{say.number(f.value)} ({say.interval(f.low, f.high)})" for name, f in figures.items()}
    return ("accuracy", told) if len(told) == 2 else performance(run, say)


def failures(run: RunView, say: Language) -> Found:
    if run.marked:
        return ("outlines", {"n": min(10, len(run.overlays.entries))}) if run.overlays else None
    maps = run.attributions
    return ("failures", {"n": sum(entry.kind == "mistake" for entry in maps.entries)}) if maps else None


def limits(run: RunView, say: Language) -> Found:
    return "limits", {}


def decision(run: RunView, say: Language) -> Found:
    return ("decision", {}) if run.results and run.results.decision_curve else None


def repeat(run: RunView, say: Language) -> Found:
    return ("repeat", {}) if run.ledger.stages else None


def open_of(run: RunView, say: Language) -> Found:
    return ("open", {"evenray": run.ledger.evenray}) if run.model is not None else None


def pixels(run: RunView, say: Language) -> Found:
    if run.model is None:
        return None
    return ("pixels" if run.results and run.results.baselines else "pixels_only"), {}


def nobody(run: RunView, say: Language) -> Found:
    return ("nobody", {}) if run.model else None


def imbalance(run: RunView, say: Language) -> Found:
    if run.model is None:
        return None
    key = "imbalance_marks" if run.marked else "imbalance"
    return "imbalance_none" if run.model.balance == "none" else key, {"balance": run.model.balance}


def calibrated(run: RunView, say: Language) -> Found:
    if run.results is None or run.tags:
        return None
    method = run.results.calibration.method
    return "uncalibrated" if method == "none" else "calibrated", {"method": say.word("calibration", method)}


def output(run: RunView, say: Language) -> Found:
    if run.results is None:
        return None
    if run.marked:
        return f"output_{run.marked}", {}
    rule = run.results.threshold_rule or (run.recipe.threshold if run.recipe else None)
    return ("output", {"rule": rule}) if rule else ("likeliest", {})


def no_update(run: RunView, say: Language) -> Found:
    return ("no_update", {}) if run.results and len(run.ledger.test_opened) <= 1 else None


def predict(run: RunView, say: Language) -> Found:
    return ("predict", {}) if run.model else None


def unfamiliar(run: RunView, say: Language) -> Found:
    return ("unfamiliar", {}) if run.model and run.model.training_images else None
