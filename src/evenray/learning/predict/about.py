"""What a model needs beside its weights to answer for a file: it travels in model.json, in ONNX metadata, beside an OpenVINO file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts import file_digest
from evenray.core.errors import DataError
from evenray.core.spec import Step
from evenray.core.types import Image
from evenray.data.store import fit
from evenray.images.contrast import enhance, hold
from evenray.images.histogram import Histogram
from evenray.learning.balance import correct, make
from evenray.learning.plan import kept_side
from evenray.learning.tta import reach
from evenray.metrics import Calibration
from evenray.metrics.operating import TINY

from .cases import target_prior
from .familiar import Familiar

__all__ = ["About"]

VERSION = 1
BY_RATE = ("youden", "sensitivity", "specificity")  # rules that choose a place on the ROC curve


@dataclass(frozen=True)
class About:
    """Everything between pixels and a decision but the network itself.

    `counts` are the training images of each class, from which the class prior follows; `prevalence` the class shares
    (K,) that probabilities and `threshold` are for where that is not the training part's. `side` is that of the images
    which the graph takes, `size` that of the network; they differ under a view that looks closer. `scale` is white in
    the prepared pixels, 255 or 65535. `weights` is the digest of the run's model.safetensors. `references` are the histograms
    that the contrast matches to, by the names that it has for them.
    """

    classes: tuple[str, ...]
    positive: str
    contrast: str
    value_range: tuple[float, float] | None
    size: int
    side: int
    channels: int
    scale: int
    view: str
    balance: str
    counts: tuple[int, ...]
    calibration: Calibration
    threshold: float | None
    rule: str | None
    prevalence: tuple[float, ...] | None
    familiar: Familiar | None
    network: Mapping[str, Any]
    weights: str = ""
    references: Mapping[str, Histogram] = field(default_factory=dict)

    def __post_init__(self) -> None:
        hold(self.references)

    @classmethod
    def of_run(cls, folder: Path) -> About:
        """Of a run folder: model.json, and scores.json for the calibration, the view and the operating point."""
        model = _json(folder / "model.json", "train")
        if "counts" not in model.get("about", model):
            raise DataError(f"'{folder / 'model.json'}' is of an older evenray; 'evenray run {folder}' makes it anew.")
        if "about" in model:
            return cls.of_json(model["about"])
        scores = _json(folder / "scores.json", "evaluate")
        classes, positive, network = tuple(model["classes"]), model["positive"], model["network"]
        target = target_prior(scores.get("prevalence"), classes, positive)
        view = scores.get("views", "centre")
        side = kept_side(network["size"], model["native"], reach(view, network.get("scale_jitter")))
        return cls(
            classes=classes, positive=positive, contrast=model["contrast"],
            value_range=None if model["value_range"] is None else (float(model["value_range"][0]), float(model["value_range"][1])),
            size=network["size"], side=side,
            channels=network["channels"], scale=model["scale"], view=view, balance=model["balance"],
            counts=tuple(model["counts"]), calibration=Calibration(**scores["calibration"]),
            threshold=scores["threshold"], rule=scores["threshold_rule"],
            prevalence=None if target is None else tuple(target.tolist()),
            familiar=None if model["familiar"] is None else Familiar.of_json(model["familiar"]), network=network,
            weights=file_digest(folder / "model.safetensors"),
            references={name: Histogram.of_json(found) for name, found in model.get("references", {}).items()},
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        familiar = None if self.familiar is None else self.familiar.as_json()
        about = {name: getattr(self, name) for name in self.__dataclass_fields__}
        about |= {"calibration": self.calibration.as_json(), "familiar": familiar, "network": dict(self.network)}
        about |= {"references": {name: found.as_json() for name, found in self.references.items()}}
        return {"version": VERSION, **about}

    @classmethod
    def of_json(cls, about: Mapping[str, Any]) -> About:
        """What `as_json` gave; DataError for what a newer evenray wrote."""
        values = dict(about)
        if (version := values.pop("version", None)) != VERSION:
            raise DataError(
                f"The model was exported in form {version}; this evenray reads form {VERSION}. Export it anew."
            )
        for name in ("classes", "counts", "value_range", "prevalence"):
            values[name] = None if values[name] is None else tuple(values[name])
        values["references"] = {n: Histogram.of_json(found) for n, found in values.get("references", {}).items()}
        values["calibration"] = Calibration(**values["calibration"])
        values["familiar"] = None if values["familiar"] is None else Familiar.of_json(values["familiar"])
        return cls(**values)

    @property
    def prior(self) -> NDArray[np.float64]:
        """The class shares of the training part, float64 (K,)."""
        counts = np.array(self.counts, dtype=np.float64)
        return np.asarray(counts / counts.sum())

    @property
    def given(self) -> NDArray[np.float64]:
        """The class shares that the probabilities are for, float64 (K,)."""
        return self.prior if self.prevalence is None else np.array(self.prevalence)

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
        return replace(self, prevalence=tuple(target.tolist()), threshold=threshold)

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
        return fit(enhance(image, self.contrast), self.side, self.channels, self.scale)

    def probabilities(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Corrected and calibrated probabilities at `given`, float64 (N, K), as `predictions` has them."""
        balance = make(self.balance, np.array(self.counts), self.classes, self.positive)
        posterior = self.calibration.apply(balance.correct(logits, self.prior))
        if self.prevalence is not None:
            posterior = np.exp(correct(np.log(np.clip(posterior, TINY, 1)), self.given, self.prior))
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


def _json(path: Path, maker: str) -> dict[str, Any]:
    if not path.is_file():
        raise DataError(f"There is no {path.name} in '{path.parent}'; 'evenray {maker} {path.parent}' makes it.")
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise DataError(f"'{path}' is damaged: it holds no JSON; 'evenray run {path.parent}' makes it anew.") from None
    return found
