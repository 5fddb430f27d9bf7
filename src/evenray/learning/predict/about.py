"""What a model needs beside its weights to answer for a file: it travels in ONNX metadata, or beside the weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from evenray.core.artefacts import Record, file_digest
from evenray.core.artefacts.model import ModelRecord
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.spec import Step
from evenray.core.types import Image
from evenray.data.letterbox import letterbox
from evenray.images.contrast import add_references, enhance
from evenray.images.histogram import Histogram
from evenray.learning.balance import correct, make
from evenray.learning.plan import kept_side
from evenray.learning.tta import largest_scale
from evenray.metrics import Calibration
from evenray.metrics.operating import TINY

from .cases import target_prior

__all__ = ["About"]

BY_RATE = ("youden", "sensitivity", "specificity")  # rules that choose a place on the ROC curve


class _Side(Record):
    """The field that tells an exported model.json from that of a run."""

    model_config = ConfigDict(extra="ignore")

    file: ClassVar[str] = ModelRecord.file

    side: int | None = None


class About(ModelRecord):
    """Everything between pixels and a decision but the network itself.

    `prevalence` are the class shares (K,) that probabilities and `threshold` are for, where those are not the training
    part's. `side` is that of the images which the graph takes, `size` that of the network; they differ under a view that
    looks closer. `weights` is the digest of the run's model.safetensors.
    """

    side: int
    view: str
    calibration: Calibration
    threshold: float | None
    rule: str | None
    prevalence: tuple[float, ...] | None
    weights: str = ""

    def model_post_init(self, _: object) -> None:
        add_references({name: Histogram.of_json(found.model_dump()) for name, found in self.references.items()})

    @classmethod
    def of_run(cls, folder: Path) -> About:
        """Of a run folder: model.json, and scores.json for the calibration, the view and the operating point; of a folder with
        exported weights: model.json alone.
        """
        if _Side.read(folder).side is not None:
            path = folder / cls.file
            return cls.parsed(path.read_bytes(), path, "export it anew with 'evenray export RUN'")
        model, scores = ModelRecord.read(folder), ScoresRecord.read(folder)
        target = target_prior(scores.prevalence, model.classes, model.positive)
        view = scores.tta or "centre"
        return cls(
            **dict(model), view=view, threshold=scores.threshold, rule=scores.threshold_rule,
            calibration=Calibration(scores.calibration.method, scores.calibration.parameters),
            side=kept_side(model.network.size, model.native, largest_scale(view, model.network.scale_jitter)),
            prevalence=None if target is None else tuple(target.tolist()), weights=file_digest(folder / "model.safetensors"),
        )  # fmt: skip

    @property
    def size(self) -> int:
        return self.network.size

    @property
    def channels(self) -> int:
        return self.network.channels

    @property
    def class_prior(self) -> NDArray[np.float64]:
        """The class shares of the training part, float64 (K,)."""
        return np.array(self.prior)

    @property
    def given(self) -> NDArray[np.float64]:
        """The class shares that the probabilities are for, float64 (K,)."""
        return np.array(self.prior if self.prevalence is None else self.prevalence)

    def at(self, prevalence: float | Mapping[str, float] | None) -> About:
        """The same model where the classes have other shares; see docs/guides/deploying.md for what that does to the threshold."""
        target = target_prior(prevalence, self.classes, self.positive)
        if target is None:
            return self
        threshold = self.threshold
        if threshold is not None and self.rule is not None:
            step = Step.of(self.rule)
            if _by_rate(step):
                threshold = self._moved(threshold, target)
            elif step.name == "prevalence":
                threshold = float(target[self.classes.index(self.positive)])
        return self.model_copy(update={"prevalence": tuple(target.tolist()), "threshold": threshold})

    def _moved(self, threshold: float, target: NDArray[np.float64]) -> float:
        """The probability that a case at `threshold` has under the class shares `target`; what calls everybody, or nobody
        whatever they get, stays.
        """
        if not 0 < threshold < 1:
            return threshold
        k, ratio = self.classes.index(self.positive), target / self.given
        odds = threshold / (1 - threshold) * ratio[k] / ratio[1 - k]
        return float(odds / (1 + odds))

    def pixels(self, image: Image) -> NDArray[Any]:
        """An image as the network takes it but for the division by `scale`: (side, side[, 3]) of uint8 or uint16."""
        return letterbox(enhance(image, self.contrast), self.side, self.channels, self.scale)[0]

    def probabilities(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Corrected and calibrated probabilities at `given`, float64 (N, K), as `predictions` has them."""
        balance = make(self.balance, np.array(self.counts), self.classes, self.positive)
        posterior = self.calibration.apply(balance.correct(logits, self.class_prior))
        if self.prevalence is not None:
            posterior = np.exp(correct(np.log(np.clip(posterior, TINY, 1)), self.given, self.class_prior))
        return posterior

    def decide(self, probabilities: NDArray[np.float64]) -> list[str]:
        """The class that each case is called: by the threshold with two classes, the most probable with more."""
        called = probabilities.argmax(axis=1)
        if self.threshold is not None:
            k = self.classes.index(self.positive)
            called = np.where(probabilities[:, k] >= self.threshold, k, 1 - k)
        return [self.classes[k] for k in called]


def _by_rate(rule: Step) -> bool:
    """Whether a rule chooses a place on the ROC curve; the others choose a probability, and mean the same at any prevalence.

    >>> _by_rate(Step.of("net_benefit")), _by_rate(Step.of("net_benefit(at=0.1)"))
    (True, False)
    """
    given = any((*rule.args, *rule.kwargs.values()))
    return rule.name in BY_RATE or (
        rule.name == "net_benefit" and not given
    )  # at the prevalence, that is Youden's rule
