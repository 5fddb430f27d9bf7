"""An ensemble of finished runs: their soft-maxes averaged, scored beside each of them, in a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts import RunFolder, now
from evenray.core.errors import DataError, UsageError
from evenray.core.lock import alone
from evenray.core.recipe import Recipe
from evenray.core.types import Predictions
from evenray.data.case_table import SKETCHES
from evenray.learning.predict import ensemble, target_prior
from evenray.metrics import Calibration, choose_threshold, difference
from evenray.stages.currency import require_current
from evenray.stages.evaluate import summarise

__all__ = ["make_ensemble"]

SHOWN = ("auroc", "auprc", "balanced_accuracy", "brier")
COPIED = ("cases.parquet", "split.parquet", "dataset.json", "rejected.csv")  # what the page says of the data


def make_ensemble(
    runs: Sequence[str | Path], output: str | Path, weights: Sequence[float] | None = None, *, rule: str | None = None,
    seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Average the runs' soft-maxes, choose the threshold anew on validation, score, and write it all to `output`.

    Leaves predictions.parquet, scores.json and ensemble.json, and returns what ensemble.json tells: each member with its
    weight and test scores, and the paired differences of the ensemble to it. DataError where the runs do not fit, or
    one is not of what stands in its folder now.
    """
    folders = [RunFolder(run) for run in runs]
    names = _names(folders)
    scored = dict(zip(names, (_scores(folder) for folder in folders), strict=True))
    _same_prevalence(scored)
    members = {
        name: Predictions(folder.read_table("predictions.parquet"), tuple(about["classes"]), about["positive"])
        for (name, about), folder in zip(scored.items(), folders, strict=True)
    }
    whole = ensemble(members, weights)
    found = {part: whole.part(part) for part in ("validation", "test")}
    if rule is not None:
        choose_threshold(found["validation"], rule)  # one that does not fit is told before anything is written
    rules = [about["threshold_rule"] for about in scored.values()]
    rule = (rule or rules[0] or Recipe.threshold) if len(whole.classes) == 2 else None
    counts = np.array([_prior(folders[0])[name] for name in whole.classes], dtype=np.float64)
    prevalence = next(iter(scored.values()))["prevalence"]
    target = target_prior(prevalence, whole.classes, whole.positive)
    place = RunFolder(output)
    if place.has("recipe.json"):
        raise UsageError(f"{output} is a run's folder; name another one for the ensemble with -o.")
    with alone(place.path):
        if folders[0].has(SKETCHES):
            shutil.copytree(folders[0] / SKETCHES, place / SKETCHES, dirs_exist_ok=True)
        place.note(lambda ledger: ledger.setdefault("test_opened", []).append(now()))
        told = {"calibration": Calibration("none", {}).as_json(), "prevalence": prevalence, "views": None}
        summary = summarise(found, rule, counts / counts.sum(), target, seed=seed) | told
        about = _about(scored, members, whole, weights, summary, target, seed)
        for name in COPIED:
            if folders[0].has(name):
                shutil.copyfile(folders[0] / name, place / name)
        place.write_table("predictions.parquet", whole.table)
        place.write_json("scores.json", summary)
        place.write_json("ensemble.json", about)
    return about


def _names(folders: Sequence[RunFolder]) -> list[str]:
    """The folders' names, or their paths where names repeat."""
    found = [folder.path.resolve().name for folder in folders]
    paths = [str(folder.path) for folder in folders]
    if len(set(paths)) < len(paths):
        raise UsageError(f"{next(p for p in paths if paths.count(p) > 1)} is named twice; name each run once.")
    return found if len(set(found)) == len(found) else paths


def _scores(folder: RunFolder) -> dict[str, Any]:
    if not folder.path.is_dir():
        raise DataError(f"There is no run folder {folder.path}; give folders that 'evenray run' made.")
    if folder.has("recipe.json"):  # an ensemble has none
        require_current(folder)
    found: dict[str, Any] = folder.read_json("scores.json")
    choice = folder.read_json("choice.json") if folder.has("choice.json") else {}
    model = folder.read_json("model.json")["network"]["spec"] if folder.has("model.json") else "ensemble"
    return found | {"network": model, "contrast": choice.get("contrast", ""), "balance": choice.get("balance", "")}


def _same_prevalence(scored: dict[str, dict[str, Any]]) -> None:
    (first, reference), *others = scored.items()
    for name, about in others:
        if about.get("prevalence") != reference.get("prevalence"):
            raise DataError(
                f"{name} was evaluated at the prevalence {about.get('prevalence')}, {first} at {reference.get('prevalence')};"
                " evaluate both with the same --prevalence."
            )


def _prior(folder: RunFolder) -> dict[str, int]:
    """Cases a class in the training part."""
    cases = folder.read_table("cases.parquet").select("case", "label")
    parts = folder.read_table("split.parquet").select("case", "part")
    train = cases.join(parts, on="case").filter(pl.col("part") == "train")
    return dict(train["label"].value_counts().iter_rows())


def _about(
    scored: dict[str, dict[str, Any]], members: dict[str, Predictions], whole: Predictions,
    weights: Sequence[float] | None, summary: dict[str, Any], target: NDArray[np.float64] | None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    shares = np.ones(len(members)) if weights is None else np.array(weights, dtype=np.float64)
    entries = []
    for (name, about), share in zip(scored.items(), shares / shares.sum(), strict=True):
        thresholds = summary["threshold"], about["threshold"]
        both = whole.part("test"), members[name].part("test")
        options: dict[str, Any] = {"thresholds": thresholds, "prevalence": target, "seed": seed}
        paired = {metric: vars(difference(*both, metric, **options)) for metric in SHOWN}
        metrics = about["parts"]["test"]["metrics"]
        kept = {key: about[key] for key in ("network", "contrast", "balance", "threshold")}
        entries.append(
            {"run": name, "weight": float(share), **kept, "test": {m: metrics[m] for m in SHOWN}, "difference": paired}
        )
    test = summary["parts"]["test"]["metrics"]
    return {"members": entries, "test": {metric: test[metric] for metric in SHOWN}, "threshold": summary["threshold"]}
