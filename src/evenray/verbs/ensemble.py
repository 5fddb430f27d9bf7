"""ensemble: the soft-maxes of finished runs averaged, scored beside each of them, in a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from evenray.core.annotations import OF_IMAGES
from evenray.core.artefacts import RunFolder, now
from evenray.core.artefacts.asked import Asked
from evenray.core.artefacts.cases import SKETCHES
from evenray.core.artefacts.ensemble import Difference, EnsembleMember, EnsembleRecord
from evenray.core.artefacts.lock import alone
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.errors import DataError, UsageError
from evenray.core.recipe import Recipe
from evenray.core.run import Run
from evenray.core.types import Predictions
from evenray.learning.predict import ensemble as average
from evenray.learning.tasks import task_of
from evenray.learning.tasks.question import Question, Target
from evenray.metrics import difference
from evenray.reporting import ensemble_page
from evenray.stages.up_to_date import require_up_to_date

__all__ = ["ensemble"]

SHOWN = ("auroc", "auprc", "balanced_accuracy", "brier")
COPIED = ("cases.parquet", "split.parquet", "dataset.json", "rejected.csv")  # what the page says of the data


def ensemble(
    runs: Sequence[str | Path], output: str | Path = "ensemble-run", *, member_weights: Sequence[float] | None = None,
    threshold: str | None = None, lang: str = "en", seed: int = 0,
) -> Run:  # fmt: skip
    """Average the soft-maxes of finished runs on the same data and split, and score the ensemble beside each of them.

    `member_weights` has one number a run (None: all count alike); `threshold` is the rule for the operating point, applied
    anew on the validation part (None: that of the first run). Leaves predictions.parquet, scores.json, ensemble.json and
    ensemble.html in `output`; `run.ensemble` has each member with its weight and scores, and the paired differences of the
    ensemble to it. DataError where the runs do not fit, or one is out of date.
    """
    members = dict(zip(_names(runs), map(_finished, runs), strict=True))
    scored = {name: _scores(run) for name, run in members.items()}
    _require_same_prevalence(scored)
    if (task_name := next(iter(scored.values())).task) not in OF_IMAGES:
        raise UsageError(
            f"Ensembles average answers for whole images, and these runs are of the task {task_name}; give --choose members=3."
        )
    predicted = {name: _predictions(run) for name, run in members.items()}
    if nested := [name for name, each in predicted.items() if each.part("test").folds is not None]:
        raise DataError(
            f"{nested[0]} has no test part but was cross-validated, and so would every ensemble have to be; make the runs again with"
            " --design split, or train more members in one: --choose members=3."
        )
    whole = average(predicted, member_weights)
    found = {part: whole.part(part) for part in ("validation", "test")}
    task = task_of(whole.task)
    if threshold is not None:
        task.check(Recipe(threshold=threshold), whole.classes, whole.positive)  # told before anything is written
    first = next(iter(members.values()))
    reference = next(iter(scored.values()))
    usual = reference.threshold_rule or task_of(reference.task).usual.threshold
    target = task.target(reference.prevalence, whole.classes, whole.positive)
    place = RunFolder(output)
    if place.has(Asked.file):
        raise UsageError(f"{output} is a run's folder; name another one for the ensemble with -o.")
    with alone(place.path):
        if first.folder.has(SKETCHES):
            shutil.copytree(first.path / SKETCHES, place / SKETCHES, dirs_exist_ok=True)
        place.note(lambda ledger: ledger.model_copy(update={"test_opened": (*ledger.test_opened, now())}))
        scores = task.summarise(
            found,
            threshold or usual,
            None,
            _questions(first),
            target,
            ordered=reference.ordered,
            patient_score="max" if reference.patient_score == "max" else "mean",
            seed=seed,
        ).model_copy(update={"prevalence": reference.prevalence})
        record = _record(members, scored, predicted, whole, member_weights, scores, target, seed)
        for name in COPIED:
            if first.folder.has(name):
                shutil.copyfile(first.path / name, place / name)
        place.write_table("predictions.parquet", whole.table)
        scores.write(place.path)
        record.write(place.path)
        ensemble_page(place.path, language=lang)
    return Run(place.path)


def _names(runs: Sequence[str | Path]) -> list[str]:
    """The folders' names, or their paths where names repeat."""
    paths = [str(run) for run in runs]
    if len(set(paths)) < len(paths):
        raise UsageError(f"{next(p for p in paths if paths.count(p) > 1)} is named twice; name each run once.")
    found = [Path(run).resolve().name for run in runs]
    return found if len(set(found)) == len(found) else paths


def _finished(path: str | Path) -> Run:
    run = Run(path)
    if run.asked is not None:  # an ensemble has none
        require_up_to_date(run.folder)
    return run


def _scores(run: Run) -> ScoresRecord:
    run.folder.needed(ScoresRecord.file)
    return ScoresRecord.read(run.path)


def _predictions(run: Run) -> Predictions:
    scores = _scores(run)
    return Predictions(run.folder.read_table("predictions.parquet"), scores.classes, scores.positive, scores.task)


def _require_same_prevalence(scored: Mapping[str, ScoresRecord]) -> None:
    (first, reference), *others = scored.items()
    for name, scores in others:
        if scores.prevalence != reference.prevalence:
            raise DataError(
                f"{name} was evaluated at the prevalence {scores.prevalence}, {first} at {reference.prevalence};"
                " evaluate both with the same --prevalence."
            )


def _questions(run: Run) -> tuple[Question, ...]:
    """What is asked, with the class shares of the training part."""
    assert run.dataset is not None
    dataset = run.dataset
    task = task_of(dataset.facts.task)
    return task.remedy("none", dataset.part("train").targets, dataset.classes, dataset.positive).questions


def _record(
    members: Mapping[str, Run], scored: Mapping[str, ScoresRecord], predicted: Mapping[str, Predictions], whole: Predictions,
    weights: Sequence[float] | None, scores: ScoresRecord, target: Target, seed: int,
) -> EnsembleRecord:  # fmt: skip
    shares = np.ones(len(members)) if weights is None else np.array(weights, dtype=np.float64)
    entries, task = [], task_of(whole.task)
    for number, ((name, run), share) in enumerate(zip(members.items(), shares / shares.sum(), strict=True), 1):
        named = run.dataset is not None and run.dataset.facts.names_files  # a folder is called after its data
        both, own = (whole.part("test"), predicted[name].part("test")), scored[name]
        thresholds, at = (task.thresholds(scores), task.thresholds(own)), task.scored_at(target)
        paired = {
            metric: Difference(**vars(difference(*both, metric, thresholds=thresholds, prevalence=at, seed=seed)))
            for metric in SHOWN
        }
        entries.append(
            EnsembleMember(
                run=name if named else f"run {number}", weight=float(share),
                network=run.model.network.named if run.model else "ensemble",
                contrast=run.choice.contrast if run.choice else "", balance=run.choice.balance if run.choice else "",
                threshold=own.threshold, test={metric: own.parts["test"].metrics[metric] for metric in SHOWN}, difference=paired,
            )
        )  # fmt: skip
    test = {metric: scores.parts["test"].metrics[metric] for metric in SHOWN}
    return EnsembleRecord(members=tuple(entries), test=test, threshold=scores.threshold)
