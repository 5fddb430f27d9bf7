"""The headline: the verdict in plain words, beside what answering the majority always would give."""

from __future__ import annotations

from typing import Any

import polars as pl

from evenray.reporting.folder import Run
from evenray.reporting.language import Language

from .notices import notices

__all__ = ["context", "majority"]

TILES = {True: ("auroc", "auprc", "sensitivity", "specificity"), False: ("auroc", "auprc", "balanced_accuracy", "mcc")}


def context(run: Run, say: Language) -> dict[str, Any]:
    found: dict[str, Any] = {"notices": notices(run, say), "tiles": [], "sentences": []}
    test = (run.scores or {}).get("parts", {}).get("test")
    if test is None:
        return found | {"verdict": say("verdict.none"), "sentences": [say("verdict.none_text")]}
    metrics = test["metrics"]
    found["verdict"] = _verdict(run, say)
    found["sentences"] = [_tested(run, test, say), _baseline(run, test, say)]
    if run.binary:
        found["sentences"].insert(1, _operating(run, test, say))
    if run.prevalence:
        found["sentences"].append(say("verdict.prevalence", prevalence=say.shares(run.prevalence)))
    found["tiles"] = [(name, metrics[name]) for name in TILES[run.binary] if name in metrics]
    return found


def majority(run: Run, counts: dict[str, int]) -> str:
    """The class that the baseline always answers: the most frequent at the prevalence asked for, else in training, else
    of `counts`.
    """
    if run.prevalence:
        return max(run.classes, key=run.prevalence.__getitem__)
    if "train" in run.parts and run.cases is not None:
        train = run.cases.filter(pl.col("part") == "train")["label"].value_counts()
        counts = dict(train.iter_rows())
    return max(run.classes, key=lambda name: counts.get(name, 0))


def _verdict(run: Run, say: Language) -> str:
    auroc = run.auroc
    if auroc is None:
        return say("verdict.unranked")
    kind = "better" if auroc["low"] > 0.5 else "worse" if auroc["high"] < 0.5 else "unclear"
    if run.binary:
        names = {"positive": run.positive, "negative": run.negative}
        return say(f"verdict.{kind}", **names, pairs=say.number(100 * auroc["value"], 0, 100))
    return say(f"verdict.{kind}_many", k=len(run.classes))


def _tested(run: Run, test: dict[str, Any], say: Language) -> str:
    """On how many images of how many patients, and whether the model had seen any of them."""
    patient = run.used.filter(part="test")["patient"]
    known = patient.drop_nulls()
    if known.is_empty():
        return say("verdict.tested_images" if len(patient) else "verdict.tested_only", cases=say.count(test["cases"]))
    torn = len(set(known) & set(run.torn))
    values = {"cases": say.count(len(known)), "patients": say.count(known.n_unique()), "torn": say.count(torn)}
    said = [say("verdict.tested_torn" if torn else "verdict.tested", **values)]
    if patient.null_count():
        said.append(say("verdict.tested_some", n=say.count(patient.null_count())))
    return " ".join(said)


def _operating(run: Run, test: dict[str, Any], say: Language) -> str:
    i, j = run.classes.index(run.positive), run.classes.index(run.negative)
    confusion = test["confusion"]
    return say(
        "verdict.operating_given" if run.given else "verdict.operating",
        threshold=say.brief((run.scores or {}).get("threshold")),
        rule=(run.scores or {}).get("threshold_rule"),
        found=say.count(confusion[i][i]),
        positives=say.count(sum(confusion[i])),
        positive=run.positive,
        alarms=say.count(confusion[j][i]),
        negatives=say.count(sum(confusion[j])),
        negative=run.negative,
    )


def _baseline(run: Run, test: dict[str, Any], say: Language) -> str:
    counts: dict[str, int] = test["counts"]
    most = majority(run, counts)
    values = {
        "majority": most,
        "share": say.percent(run.prevalence[most] if run.prevalence else counts[most] / max(sum(counts.values()), 1)),
        "accuracy": say.percent(test["metrics"].get("accuracy", {}).get("value")),
    }
    if not run.binary:
        return say("verdict.baseline_many", **values)
    other = run.negative if most == run.positive else run.positive
    key = "verdict.baseline_alarms" if most == run.positive else "verdict.baseline"
    return say(key, **values, other=other, n=say.count(counts[other]))
