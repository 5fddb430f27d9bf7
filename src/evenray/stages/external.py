"""An external test: a finished network, with the calibration and the threshold that it has, on another hospital's images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from evenray.core.annotations import OF_IMAGES
from evenray.core.artefacts.external import Change, Light, LossPart
from evenray.core.artefacts.scores import CalibrationRecord, Figure, ScoresRecord
from evenray.core.run import Run
from evenray.core.types import Dataset, Estimate, Predictions
from evenray.data.external.drift import Drifted
from evenray.data.external.light import light_put_back
from evenray.learning import networks
from evenray.learning.predict.about import About
from evenray.learning.predict.out_of_distribution import unlike
from evenray.learning.tasks import task_of
from evenray.learning.train import forward
from evenray.metrics import difference, each_repeat, measured_by_task
from evenray.metrics.intervals import clustered_share
from evenray.metrics.masks import IN_UNITS, told_whole
from evenray.metrics.measurable import among
from evenray.metrics.paired import Difference
from evenray.metrics.transport import Transport, causes, restored, transport
from evenray.metrics.unpaired import unpaired

from .alike import Alike, alike
from .measuring import called_masks, in_own_pixels, watched_masks
from .preparing import part_of, stores_of
from .tools import Tools

__all__ = ["External", "Tested", "changes_of", "tested"]

HALF = 0.5  # of a loss, from which on the light explains it


@dataclass(frozen=True)
class Tested:
    """What came of a set: predictions, the figures by the same measures as those of the internal test, and these side by side.

    `over` are the classes or findings that both sets can be measured on, where these are not all: `changes`, `transport` and
    `light` are over them.
    """

    predictions: Predictions
    scores: ScoresRecord
    flagged: int | None
    changes: dict[str, Change]
    over: tuple[str, ...]
    prevalence: dict[str, Change]
    main: str
    transport: Transport | None
    light: Light | None
    causes: tuple[str, ...]

    @property
    def parts(self) -> dict[str, LossPart]:
        if self.transport is None:
            return {}
        return {name: LossPart(**vars(one), shown=one.shown) for name, one in self.transport.parts.items()}

    @property
    def total(self) -> LossPart | None:
        if self.transport is None:
            return None
        whole = self.transport.total
        return LossPart(**vars(whole), shown=whole.low > 0)


@dataclass(frozen=True)
class External:
    """A run that is tested, and the set: its cases all in the part test, with the classes of the network."""

    run: Run
    about: About
    other: Dataset

    @property
    def scores(self) -> ScoresRecord:
        assert self.run.results is not None
        return self.run.results

    @property
    def training(self) -> Dataset:
        assert self.run.dataset is not None
        return self.run.dataset.part("train")

    @property
    def test(self) -> Predictions:
        """Those of the internal test; of a cross-validation all repeats."""
        assert self.run.predictions is not None
        return self.run.predictions.part("test")

    @property
    def internal(self) -> Predictions:
        """Those of the internal test, each case once."""
        return each_repeat(self.test)[0]


def tested(asked: External, drift: Sequence[Drifted], tools: Tools, *, seed: int) -> Tested:
    """Predict the set and measure it, and look into what a loss is made of."""
    task, about = task_of(asked.about.task), asked.about
    network = networks.load(asked.run.path / "model.safetensors").to(tools.machine.device).eval()
    found = _answers(asked, network, about.contrast, tools)
    scores = _scored(asked, found, seed)
    target = task.target(asked.scores.prevalence, about.classes, about.positive)
    both = alike(found, scores, asked.test, asked.scores, task.questions(about), target, seed=seed)
    changes = changes_of(*both.scores, whole=not task.draws or told_whole(asked.internal))
    main = "auroc" if about.task in OF_IMAGES else task.compared[0]
    fall, loss, lost = changes.get(main), None, False
    if fall is not None and about.task in OF_IMAGES:
        ranking = Difference(fall.value, fall.low, fall.high, fall.p)
        loss = transport(both.external, both.internal, ranking, seed=seed)
        lost = loss is not None and bool({"calibration", "ranking"} & set(loss.lost))
    elif fall is not None:
        lost = fall.high < 0
    light, gain = None, None
    if fall is not None and lost and any(one.name == "light" and one.shown for one in drift):
        light, gain = _with_light_put_back(asked, network, both, loss, fall, main, tools, seed)
    if loss is not None:
        why = causes(loss, gain)
    else:
        why = (
            ()
            if not lost
            else ("light",)
            if light is not None and light.low > 0 and light.part >= HALF
            else ("accuracy",)
        )
    over = both.over if len(both.over) < len(about.classes) else ()
    return Tested(found, scores, _flagged(asked), changes, over, _prevalences(asked, found), main, loss, light, why)


def _answers(asked: External, network: networks.Classifier, contrast: str, tools: Tools) -> Predictions:
    """What the network says of the set, prepared by a contrast; pixels that were prepared for it are not kept."""
    about, other, task = asked.about, asked.other, task_of(asked.about.task)
    batch = asked.run.planned.plan.batch if asked.run.planned else 16
    if about.references:  # which other processes do not know
        tools = replace(tools, map=map)
    with TemporaryDirectory(dir=tools.folder) as folder:
        store = stores_of(tools, other, [contrast], about.side, about.channels, Path(folder))[contrast]
        cases, part = part_of(other, store, "test")
        with tools.events.task("task.evaluate", len(part)) as tick:
            told = forward(network, part, batch, tools.machine, lambda: tick(batch), tta=about.view)
        found = task.predictions(cases, told, about.probabilities(told))
        if task.draws:
            with tools.events.task("task.masks", len(part)) as tick:
                drawn = called_masks(network, cases, part, about.calling, tools, batch, about.view)
                found, _ = in_own_pixels(cases, cases, found, watched_masks(drawn, tick))
    return found


def _scored(asked: External, found: Predictions, seed: int) -> ScoresRecord:
    """The figures of the set as those of a test part are made; the threshold is once more that of the validation part."""
    own, about, task = asked.scores, asked.about, task_of(asked.about.task)
    assert asked.run.predictions is not None
    validation = asked.run.predictions.part("validation")
    # Of a cross-validated run these columns are those of its folds, and the model for use was validated once.
    validation = replace(validation, table=validation.table.drop("repeat", "fold", strict=False))
    target = task.target(own.prevalence, about.classes, about.positive)
    refused = own.untold
    scores = task.summarise(
        {"validation": validation, "test": found}, own.threshold_rule or "", None, task.questions(about), target,
        ordered=own.ordered, patient_score="max" if own.patient_score == "max" else "mean", refused=refused, seed=seed,
    )  # fmt: skip
    records = list(own.findings.values()) or [own]
    kept = [CalibrationRecord(**dict(record.calibration)) for record in records]
    scores = scores.with_calibrations(kept)
    parts = {"test": scores.parts["test"]}
    return scores.model_copy(update={"prevalence": own.prevalence, "tta": own.tta, "parts": parts})


def changes_of(external: ScoresRecord, internal: ScoresRecord, *, whole: bool = True) -> dict[str, Change]:
    """The figures of a set beside those of the internal test; none of distances and areas where one is in mm, the other in pixels,
    and no accuracy where the internal one is not of the `whole` masks, as a former version told that of several classes."""
    outside, inside = external.parts["test"].metrics, internal.parts["test"].metrics
    apart = {*(() if external.unit == internal.unit else IN_UNITS), *(() if whole else ("accuracy",))}
    return {name: _change(outside[name], inside[name]) for name in outside if name in inside and name not in apart}


def _change(external: Figure, internal: Figure) -> Change:
    return Change(external=external, internal=internal, **vars(unpaired(external.estimate, internal.estimate)))


def _prevalences(asked: External, found: Predictions) -> dict[str, Change]:
    """The share of cases that have each class, here and in the internal test; `baseline` is that of the training part."""
    inside, training = asked.internal, asked.training.members
    result = {}
    for k, name in enumerate(found.classes):
        shares = []
        for each in (found, inside):
            known = each.targets[:, k] >= 0 if each.targets.ndim == 2 else np.ones(len(each.targets), bool)
            has = (each.targets[:, k] == 1 if each.targets.ndim == 2 else each.targets == k)[known]
            low, high = clustered_share(has, each.patients[known]) if len(has) else (np.nan, np.nan)
            share = float(has.mean()) if len(has) else np.nan
            shares.append(Figure.of(Estimate(share, low, high, float(training[name].mean()))))
        result[name] = _change(*shares)
    return result


def _flagged(asked: External) -> int | None:
    """How many images of the set are unlike the training images; None where the model cannot tell."""
    return None if asked.about.training_images is None else unlike(asked.about.training_images, asked.other)


def _with_light_put_back(
    asked: External, network: networks.Classifier, both: Alike, loss: Transport | None, fall: Change, main: str,
    tools: Tools, seed: int,
) -> tuple[Light | None, Difference | None]:  # fmt: skip
    """The set once more with its grey levels brought to those of the training images, and the log loss that this takes off."""
    curve = light_put_back(asked.training, asked.other)
    if curve is None:
        return None, None
    contrast = curve if asked.about.contrast == "none" else f"{curve} | {asked.about.contrast}"
    after, cuts = among(_answers(asked, network, contrast, tools), both.over), both.cuts
    paired = difference(after, both.external, main, thresholds=(cuts, cuts), seed=seed)
    whole = measured_by_task(after, cuts, seed=seed)[main]
    scored = Figure(value=whole.value, low=whole.low, high=whole.high, baseline=fall.external.baseline)
    gain = restored(both.external, after, both.internal, seed=seed) if loss is not None else None
    if gain is not None and loss is not None:
        lost = sum(loss.parts[name].value for name in ("calibration", "ranking"))
        part = gain.value / lost if lost > 0 else np.nan
    else:
        part = paired.value / -fall.value if fall.value < 0 else np.nan
    return Light(
        curve=curve, metric=main, before=fall.external, after=scored, value=paired.value, low=paired.low, high=paired.high,
        part=float(part),
    ), gain  # fmt: skip
