"""The methods of a paper, told from what this run did, in both languages, with the works that it rests on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evenray.core.artefacts.plan import Planned
from evenray.images.corruptions import CORRUPTIONS
from evenray.reporting.answers.data import parts_given, patients_known
from evenray.reporting.bibliography import bibtex, named
from evenray.reporting.language import LANGUAGES, Language
from evenray.reporting.trunk import trunk_told
from evenray.reporting.view import RunView

__all__ = ["context", "paragraph"]

NETWORKS = {
    "vgg": "simonyan2015vgg", "_bn": "ioffe2015batchnorm", "unet": "ronneberger2015unet", "fcn": "long2015fcn", "ssd": "liu2016ssd",
    "alexnet": "krizhevsky2012alexnet", "googlenet": "szegedy2015googlenet", "zeiler": "zeiler2014visualizing",
    "clarifai": "zeiler2014visualizing", "overfeat": "sermanet2014overfeat", "msra": "he2014spp",
    "efficientnet": "tan2019efficientnet",
}  # fmt: skip
CONTRASTS = {
    "clahe": "zuiderveld1994clahe", "local": "pizer1987adaptive", "equalize": "hummel1977equalization", "bbhe": "kim1997bbhe",
    "dsihe": "wang1999dsihe", "mmbebhe": "chen2003mmbebhe", "rmshe": "chen2003rmshe", "weighted": "wang2007weighted",
    "exact": "coltuc2006exact", "agcwd": "huang2013agcwd", "sigmoid": "braun1999sigmoid",
}  # fmt: skip
REMEDIES = {
    **dict.fromkeys(("weighted", "oversample", "undersample", "oversample_augmented", "double"), "buda2018imbalance"),
    "progressive": "kang2020decoupling",
    "focal": "lin2017focal", "class_balanced_focal": "cui2019classbalanced", "logit_adjustment": "menon2021logit",
    "ldam": "cao2019ldam", "minority_mixup": "galdran2021balancedmixup", "threshold": "collell2018threshold",
    "dice": "milletari2016vnet", "dice_cross_entropy": "isensee2021nnunet", "tversky": "salehi2017tversky",
    "focal_tversky": "abraham2019focaltversky", "hard_negatives": "liu2016ssd",
}  # fmt: skip
CALIBRATIONS = {
    "bias_corrected_temperature": "alexandari2020bcts", "temperature": "guo2017calibration", "platt": "platt2000",
    "beta": "kull2017beta", "isotonic": "zadrozny2002isotonic",
}  # fmt: skip

# Notes of the scan on several people who read or drew, each with the sentence of it.
OBSERVERS = {
    "scan.readers": "methods.observers", "annotations.readers": "methods.observers_masks",
    "annotations.readers_of_boxes": "methods.observers_boxes", "annotations.first_readers": "methods.observers_first",
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A paragraph for each language, that of the page first, and the BibTeX entries of what they name."""

    paragraphs: list[tuple[str, str]]
    bibtex: str


class _Cited:
    """Names works, and remembers which."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.before = " "  # what stands before a parenthesis; nothing in Korean

    def __call__(self, *keys: str) -> str:
        """The works in parentheses; nothing where there are none."""
        self.keys += keys
        return f"{self.before}{named(*keys)}" if keys else ""


def context(run: RunView, say: Language) -> Shown | None:
    if run.model is None or run.planned is None or run.results is None:
        return None
    cite = _Cited()
    codes = sorted(LANGUAGES, key=lambda code: code != say.code)
    paragraphs = [(code, paragraph(run, Language(code), cite)) for code in codes]
    return Shown(paragraphs, bibtex(cite.keys, run.ledger.evenray))


def paragraph(run: RunView, say: Language, cite: _Cited) -> str:
    """What was done, in the order of a paper's methods."""
    assert run.planned is not None
    plan, cite.before = run.planned, "" if say.code == "ko" else " "
    told = [
        *_data(run, say, cite),
        *_network(run, plan, say, cite),
        *_choice(run, plan, say, cite),
        *_evaluation(run, say, cite),
    ]
    return " ".join([*told, _software(run, say, cite)])


def _works(spec: str, known: Mapping[str, str], *, whole: bool = True) -> list[str]:
    """The works behind what a spec names, whole words or parts of them."""
    words = re.findall(r"[a-z_]+", spec) if whole else [spec]
    return [key for name, key in known.items() if any(name == word if whole else name in word for word in words)]


def _data(run: RunView, say: Language, cite: _Cited) -> list[str]:
    cases = run.cases
    if cases is None:
        return []
    used = cases if "part" not in cases.columns else cases.filter(cases["part"].fill_null("") != "excluded")
    values: dict[str, Any] = {"images": say.count(used.height), "classes": ", ".join(run.classes)}
    known = run.used["patient"].drop_nulls().n_unique()
    key = "methods.data" if patients_known(run) else "methods.data_images"
    told = [say(key, patients=say.count(known), **values)]
    told += [say(OBSERVERS[note.code], **note.values) for note in run.facts.notes if note.code in OBSERVERS]
    rejected = 0 if run.rejected is None else run.rejected.height
    if rejected or used.height < cases.height:
        told.append(
            say("methods.left_out", excluded=say.count(cases.height - used.height), rejected=say.count(rejected))
        )
    if run.nested is not None:
        values = {"folds": run.nested.folds, "repeats": run.nested.repeats, "work": cite("varma2006nested")}
        told.append(say("methods.nested", **values))
    elif run.parts:
        sizes = {part: say.count(used.filter(part=part).height) for part in ("train", "validation", "test")}
        whole = patients_known(run)
        told.append(say(f"methods.{'given' if parts_given(run) else 'drawn' if whole else 'drawn_images'}", **sizes))
        told += [say("methods.apart")] if whole and not run.torn else []
        again = len(run.ledger.test_opened)
        told.append(say("methods.opened_again", n=again) if again > 1 else say("methods.opened"))
    return told


def _network(run: RunView, plan: Planned, say: Language, cite: _Cited) -> list[str]:
    model = run.model
    assert model is not None
    contrast = "methods.contrast_none" if model.contrast == "none" else "methods.contrast"
    told = [
        say("methods.size", side=model.image_side or model.network.size),
        say(contrast, contrast=model.contrast, work=cite(*_works(model.contrast, CONTRASTS))),
    ]
    works = cite(*_works(model.network.spec, NETWORKS, whole=False))
    if (weights := plan.value("pretrained")) in (None, "none"):
        told.append(say("methods.scratch", network=model.network.spec, work=works))
    else:
        values = {
            "weights": weights,
            "imagenet": cite("russakovsky2015imagenet") if "imagenet" in weights else "",
        }
        told.append(say("methods.weights", network=model.network.spec, work=works, **values))
    if plan.plan.frozen:
        told.append(say("methods.frozen_trunk" if run.marked else "methods.frozen"))
    if run.marked or not plan.plan.frozen:
        values = {name: say.value(plan.value(name)) for name in ("learning_rate", "batch", "epochs")}
        values |= {"adamw": cite("loshchilov2019adamw"), "cycle": cite("smith2019onecycle")}
        told.append(say("methods.training", **values, average=cite("polyak1992averaging")))
        told.append(say("methods.kept_last" if plan.value("keep") == "last" else "methods.kept_best"))
        told += [say("methods.flips")] if run.recipe and run.recipe.flips else []
    if model.image_side is not None:
        key = "methods.patches_boxes" if run.facts.task == "detect" else "methods.patches_masks"
        told.append(say(key, side=model.network.size, n=plan.value("patches") or 1))
    if (plan.value("members") or 1) > 1:
        told.append(say("methods.members", n=plan.value("members")))
    if (weights := plan.value("beside")) is not None:
        own, trunk = model.network.parts
        values = {"network": trunk.spec, "work": cite(*_works(trunk.spec, NETWORKS, whole=False)), "weights": weights}
        told.append(say("methods.beside", **values, own=own.size, side=trunk.size))
    if model.balance == "none":
        return [*told, say("methods.balance_none")]
    values = {"balance": model.balance, "work": cite(*_works(model.balance, REMEDIES))}
    if run.marked:
        return [*told, say("methods.balance_marks", **values)]
    return [*told, say("methods.balance", **values, prior=cite("saerens2002prior"))]


def _choice(run: RunView, plan: Planned, say: Language, cite: _Cited) -> list[str]:
    if run.grid is None or run.grid.is_empty():
        return []
    seeds = run.grid["seeds"].max() if "seeds" in run.grid.columns else 1
    values = {
        "cells": run.grid.height,
        "folds": say.value(plan.value("folds")),
        "seeds": seeds,
        "metric": say.name("metric", run.grid["metric"][0]),
    }
    return [say("methods.compared", **values, work=cite("holm1979"))]


def _evaluation(run: RunView, say: Language, cite: _Cited) -> list[str]:
    results, told = run.results, []
    assert results is not None
    method = results.calibration.method
    if method == "none" and not run.tags:
        told.append(say("methods.uncalibrated"))
    if method in CALIBRATIONS and not run.tags:
        told.append(say("methods.calibrated", method=say.word("calibration", method), work=cite(CALIBRATIONS[method])))
    if results.threshold_rule and results.threshold is not None:
        youden = cite("youden1950") if "youden" in results.threshold_rule else ""
        key = "methods.threshold_given" if run.given else "methods.threshold"
        told.append(say(key, rule=results.threshold_rule, threshold=say.brief(results.threshold), work=youden))
    if run.test is not None:
        measures = ", ".join(say.name("metric", name) for name in run.test.metrics)
        over = "methods.measures" if patients_known(run) else "methods.measures_images"
        told.append(say(over, measures=measures, work=cite("efron1979bootstrap")))
        if "calibration_slope" in run.test.metrics:
            told.append(say("methods.calibration_measures", work=cite("vancalster2019calibration")))
        if "area_bias" in run.test.metrics:
            told.append(say("methods.agreement", work=cite("bland1986agreement")))
        if "map" in run.test.metrics:
            told.append(say("methods.boxes", work=cite("lin2014coco")))
    if (doubt := run.uncertainty) is not None and any(doubt.least(name) for name in doubt.questions):
        share = say.percent(doubt.coverage, 0)
        told.append(say("methods.sets", coverage=share, work=cite("vovk2013conformal")))
    if results.decision_curve:
        told.append(say("methods.decision", work=cite("vickers2006decision")))
    trunk = trunk_told(results, say)
    if len(results.baselines) > (trunk is not None):
        told.append(say("methods.baselines", work=cite("geurts2006extratrees")))
    if trunk is not None:
        told.append(say("methods.baselines_trunk", **trunk))
    if run.attributions is not None and run.attributions.method == "gradcam" and not run.marked:
        told.append(say("methods.maps", work=cite("selvaraju2017gradcam"), sanity=cite("adebayo2018sanity")))
    if run.groups is not None and (columns := dict.fromkeys(each.column for each in run.groups.compared)):
        names = ", ".join(say(f"group.{name}") for name in columns)
        told.append(say("methods.groups", columns=names, work=cite("holm1979")))
    if run.robustness is not None:
        told.append(say("methods.robustness", n=len(CORRUPTIONS), work=cite("disalvo2024medmnistc")))
    if run.external:
        images = say.count(sum(one.cases for one in run.external.values()))
        told.append(say("methods.external", n=len(run.external), images=images))
    return told


def _software(run: RunView, say: Language, cite: _Cited) -> str:
    ledger = run.ledger
    packages = {
        "torch": "paszke2019pytorch",
        "opencv-python-headless": "bradski2000opencv",
        "scikit-learn": "pedregosa2011sklearn",
    }
    names = {"torch": "PyTorch", "opencv-python-headless": "OpenCV", "scikit-learn": "scikit-learn"}
    others = [f"{names[n]} {ledger.packages[n]}{cite(key)}" for n, key in packages.items() if n in ledger.packages]
    seed = run.recipe.seed if run.recipe else 0
    return say(
        "methods.software", evenray=f"evenray {ledger.evenray}{cite('evenray')}", others=", ".join(others), seed=seed
    )
