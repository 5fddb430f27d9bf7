"""The headline: the verdict in plain words, beside what answering the majority always would give."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from evenray.core.artefacts.scores import Figure, PartScores
from evenray.metrics.masks import told_whole
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

from .notices import Notice, notices

__all__ = ["context", "majority"]

GRADES = ("auroc", "auprc", "weighted_kappa", "grade_error")  # of ordered classes
BOXES = ("map50", "map", "froc", "sensitivity_at_1")
MASKS = ("dice", "iou", "lesion_sensitivity", "hd95")
TILES = {True: ("auroc", "auprc", "sensitivity", "specificity"), False: ("auroc", "auprc", "balanced_accuracy", "mcc")}


@dataclass(frozen=True)
class Shown:
    verdict: str
    sentences: list[str]
    notices: list[Notice]
    tiles: list[tuple[str, Figure]]


def context(run: RunView, say: Language) -> Shown:
    test, told = run.test, notices(run, say)
    if test is None:
        return Shown(say("verdict.none"), [say("verdict.none_text")], told, [])
    if run.marked:
        return (_of_boxes if run.facts.task == "detect" else _of_masks)(run, test, told, say)
    sentences = [_tested(run, test, say), _findings(run, say) if run.tags else _baseline(run, test, say)]
    if run.binary:
        sentences.insert(1, _operating(run, test, say))
    if run.prevalence:
        sentences.append(say("verdict.prevalence", prevalence=say.shares(run.prevalence)))
    ordered = run.results is not None and run.results.ordered
    tiles = [(name, test.metrics[name]) for name in (GRADES if ordered else TILES[run.binary]) if name in test.metrics]
    return Shown(_verdict(run, say), sentences, told, tiles)


def _of_masks(run: RunView, test: PartScores, told: list[Notice], say: Language) -> Shown:
    """What masks are worth: the overlap, and what marking nothing would be right for."""
    figures = test.metrics
    gain = figures["dice_gain"]
    kind = "better" if gain.low > 0 else "worse" if gain.high < 0 else "unclear"
    sentences, right = [_tested(run, test, say)], figures["accuracy"]
    if run.predictions is not None and told_whole(run.predictions):
        share, accuracy = say.percent(right.baseline), say.percent(right.value)
        sentences.append(say("verdict.masks_paradox", share=share, accuracy=accuracy))
    tiles = [(name, figures[name]) for name in MASKS if name in figures]
    everything = figures["dice"].value - gain.value
    return Shown(
        say(f"verdict.masks_{kind}", dice=say.number(figures["dice"].value), everything=say.number(everything)),
        sentences,
        told,
        tiles,
    )


def _of_boxes(run: RunView, test: PartScores, told: list[Notice], say: Language) -> Shown:
    """What boxes are worth, and that finding nothing, which is right about nearly every place, misses everything."""
    figures, objects = test.metrics, sum(test.counts.values())
    kind = "better" if figures["map50"].low > 0 else "unclear"
    found = figures["sensitivity"]
    counts = {"share": say.percent(found.value), "objects": say.count(objects)}
    sentences = [
        _tested(run, test, say),
        say("verdict.boxes_found", **counts, rate=say.number(figures["false_positives"].value, 2, 1e9)),
        say("verdict.boxes_paradox", objects=counts["objects"]),
    ]
    tiles = [(name, figures[name]) for name in BOXES if name in figures]
    return Shown(say(f"verdict.boxes_{kind}", map50=say.number(figures["map50"].value)), sentences, told, tiles)


def majority(run: RunView, counts: dict[str, int]) -> str:
    """The class that the baseline always answers: the most frequent at the prevalence asked for, else in training, else
    of `counts`.
    """
    if run.prevalence:
        return max(run.classes, key=run.prevalence.__getitem__)
    if "train" in run.parts and run.cases is not None:
        train = run.cases.filter(pl.col("part") == "train")["label"].value_counts()
        counts = dict(train.iter_rows())
    return max(run.classes, key=lambda name: counts.get(name, 0))


def _verdict(run: RunView, say: Language) -> str:
    auroc = run.auroc
    if auroc is None:
        return say("verdict.unranked")
    kind = "better" if auroc.low > 0.5 else "worse" if auroc.high < 0.5 else "unclear"
    if run.binary:
        names = {"positive": run.positive, "negative": run.negative}
        return say(f"verdict.{kind}", **names, pairs=say.number(100 * auroc.value, 0, 100))
    if run.tags:
        return say(f"verdict.{kind}_findings", k=len(run.results.averaged) if run.results else 0)
    return say(f"verdict.{kind}_many", k=len(run.classes))


def _findings(run: RunView, say: Language) -> str:
    """Which finding is told best and which worst, and for how many the ranking is better than guessing."""
    assert run.results is not None
    parts = {name: record.parts.get("test") for name, record in run.results.findings.items()}
    areas = {name: part.metrics["auroc"] for name, part in parts.items() if part and name in run.results.averaged}
    best, worst = (choose(areas, key=lambda name: areas[name].value) for choose in (max, min))
    told = {"best": best, "worst": worst, "n": sum(area.low > 0.5 for area in areas.values()), "k": len(areas)}
    figures = {"high": say.number(areas[best].value), "low": say.number(areas[worst].value)}
    alike = "_alike" if len(areas) > 1 and figures["high"] == figures["low"] else ""
    return say(f"verdict.findings{alike}", **told, **figures)


def _tested(run: RunView, test: PartScores, say: Language) -> str:
    """On how many images of how many patients, and whether the model had seen any of them."""
    patient = run.tested["patient"]
    known = patient.drop_nulls()
    if run.nested is not None:
        told = {"folds": run.nested.folds, "repeats": run.nested.repeats, "cases": say.count(test.cases)}
        if patient.null_count():
            return say("verdict.nested_images", **told)
        return say("verdict.nested", **told, patients=say.count(known.n_unique() or test.patients))
    if known.is_empty():
        return say("verdict.tested_images" if len(patient) else "verdict.tested_only", cases=say.count(test.cases))
    torn = len(set(known) & set(run.torn))
    values = {"cases": say.count(len(known)), "patients": say.count(known.n_unique()), "torn": say.count(torn)}
    said = [say("verdict.tested_torn" if torn else "verdict.tested", **values)]
    if patient.null_count():
        said.append(say("verdict.tested_some", n=say.count(patient.null_count())))
    return " ".join(said)


def _operating(run: RunView, test: PartScores, say: Language) -> str:
    i, j = run.classes.index(run.positive), run.classes.index(run.negative)
    scores, confusion = run.results, test.confusion
    assert scores is not None
    counts = {
        "found": confusion[i][i], "positives": sum(confusion[i]), "alarms": confusion[j][i], "negatives": sum(confusion[j]),
    }  # fmt: skip
    return say(
        "verdict.operating_given" if run.given else "verdict.operating_nested" if run.nested else "verdict.operating",
        threshold=say.brief(scores.threshold), rule=scores.threshold_rule,
        positive=run.positive, negative=run.negative, **{name: say.count(n) for name, n in counts.items()},
    )  # fmt: skip


def _baseline(run: RunView, test: PartScores, say: Language) -> str:
    counts, accuracy = test.counts, test.metrics.get("accuracy")
    most = majority(run, counts)
    share = run.prevalence[most] if run.prevalence else counts[most] / max(sum(counts.values()), 1)
    values = {
        "majority": most, "share": say.percent(share), "accuracy": say.percent(accuracy.value if accuracy else None),
    }  # fmt: skip
    if not run.binary:
        return say("verdict.baseline_many", **values)
    other = run.negative if most == run.positive else run.positive
    key = "verdict.baseline_alarms" if most == run.positive else "verdict.baseline"
    return say(key, **values, other=other, n=say.count(counts[other]))
