"""Figures of masks: per class and as means over the classes, with intervals over patients, beside those of calling nothing anywhere.

Nearly all are ratios of sums over cases, whose intervals have formulas that hold for few patients too (`clustered`): shares Wilson's,
the others Student's t. The limits of agreement have a bootstrap's, and a mean over classes joins those of its classes.

How images without the class count (Maier-Hein & Reinke et al. 2024, "Metrics reloaded", on empty masks): Dice, IoU and HD95 are
means over the images that have it, in which marking nothing is worth 0 (HD95: the diagonal of the image). Of the others it
is told in how many nothing was called (`clean`), and false regions and pooled figures count all images. Volumes count
in the same way, each once (`volumes`). Accuracy is that of the mask as a whole, where the pixels of several classes were measured
together (`told_whole`), and no mean over the classes: each of these is right where it leaves a pixel to another one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Estimate, Predictions, Scores

from .class_means import mean_measure
from .clustered import clusters_of, ratio_mean, ratio_share, widened
from .intervals import replicates
from .pixel_bins import BINS, CENTRES, best_threshold, edge_of, swept
from .scoring import Measure
from .volumes import VOLUME_METRICS, Volumes

__all__ = [
    "IN_UNITS",
    "MASK_METRICS",
    "background_share",
    "chosen_threshold",
    "counts_of",
    "measured_masks",
    "score_masks",
    "threshold_rule",
    "told_whole",
]

# Means over images that have the class; over those that have not; over all images; over all pixels or lesions.
MASK_METRICS = (
    "dice", "iou", "hd95", "clean", "false_lesions", "lesion_sensitivity", "dice_pooled", "sensitivity", "ppv", "accuracy",
    "area_bias", "area_low", "area_high", *VOLUME_METRICS, "brier", "dice_gain",
)  # fmt: skip
SHARES = ("clean", "lesion_sensitivity", "sensitivity", "ppv")  # of images, lesions, pixels
RANGES = dict.fromkeys(("dice", "iou", "dice_pooled", "accuracy", "brier", "volume_dice"), (0.0, 1.0)) | dict.fromkeys(
    ("hd95", "false_lesions", "volume_hd95"), (0.0, np.inf)
)
IN_UNITS = ("hd95", "area_bias", "area_low", "area_high")  # of distances and areas: mm or px
LOWEST_LIMIT = 1.959963984540054  # standard deviations of the limits of agreement (Bland & Altman 1986)
Floats = NDArray[np.float64]
Ratios = dict[str, tuple[Floats, Floats]]  # figures that are a sum over cases by another


def counts_of(predictions: Predictions, k: int) -> NDArray[np.int64]:
    """Pixels of each case by what is true (absent, present) and by bin of the log-odds of class k, int64 (cases, 2, BINS)."""
    flat = predictions.table[f"bins_{k}"].to_list()
    return np.array(flat, dtype=np.int64).reshape(len(flat), 2, BINS)


def told_whole(predictions: Predictions) -> bool:
    """Whether accuracy is that of the whole mask, and not a mean over classes that were each measured against the rest."""
    return len(predictions.classes) == 1 or "right" in predictions.table.columns


def background_share(predictions: Predictions) -> float:
    """The share of the pixels that no class has, which marking nothing is right for."""
    return _background([_Class(predictions, k, 0.5) for k in range(len(predictions.classes))])


def threshold_rule(rule: str) -> tuple[str, float]:
    """A rule for masks by its name and its number: dice, iou, sensitivity(0.9) or at(0.5); UsageError for any other.

    >>> threshold_rule("sensitivity(0.95)"), threshold_rule("dice")
    (('sensitivity', 0.95), ('dice', 0.9))
    """
    from evenray.core.errors import UsageError
    from evenray.core.spec import Step

    step = Step.of(rule)
    numbers = [*step.args, *step.kwargs.values()]
    takes = {"dice": 0, "iou": 0, "sensitivity": 1, "at": 1}.get(step.name)
    fits = (
        takes is not None and len(numbers) <= takes and all(isinstance(n, int | float) and 0 < n < 1 for n in numbers)
    )
    if not fits or (step.name == "at" and not numbers):
        raise UsageError(
            f"The rule for the threshold of masks is '{rule}'; give dice, iou, sensitivity(0.9) for the share of a lesion's pixels"
            " to be found, or at(0.5) for a probability."
        )
    return step.name, float(numbers[0]) if numbers else 0.9


def chosen_threshold(predictions: Predictions, k: int, rule: str) -> float:
    """The threshold of class k that a rule chooses on these cases."""
    name, number = threshold_rule(rule)
    return number if name == "at" else best_threshold(counts_of(predictions, k), name, number)


def measured_masks(
    predictions: Predictions, threshold: Any = None, *, prevalence: object = None, seed: int = 0, resamples: int = 1000
) -> dict[str, Measure]:
    """The figures of MASK_METRICS as means over the classes, with intervals and replicates.

    `threshold` has one a class. Without any, each class is called at the threshold that is best for Dice on these very cases:
    figures describe the ranking of the pixels then, as AUROC does. Prevalences move nothing here.
    """
    cuts = [None] * len(predictions.classes) if threshold is None else list(threshold)
    each = [_Class(predictions, k, cut) for k, cut in enumerate(cuts)]
    return _measures(each, predictions, seed, resamples)[0]


def score_masks(
    predictions: Predictions, cuts: list[float], *, seed: int = 0, resamples: int = 1000
) -> tuple[Scores, dict[str, Scores]]:
    """The scores of all classes together, means over those that an image has, and of each by itself."""
    each = [_Class(predictions, k, cut) for k, cut in enumerate(cuts)]
    means, own = _measures(each, predictions, seed, resamples)
    nothing = [one.nothing() for one in each]
    together = {"accuracy": _background(each)} if told_whole(predictions) else {}
    names, N, P = predictions.classes, predictions.table.height, int(predictions.patients.max()) + 1
    empty: NDArray[np.int64] = np.zeros((0, 0), np.int64)

    def scores(
        found: dict[str, Measure], beside: list[dict[str, float]], classes: tuple[str, ...], cut: float | None
    ) -> Scores:
        with np.errstate(all="ignore"):
            baseline = {name: _mean([one[name] for one in beside]) for name in MASK_METRICS}
        told = {name: Estimate(one.value, one.low, one.high, baseline[name]) for name, one in found.items()}
        return Scores(told, cut, empty, classes, "", N, P)

    by_class = {
        name: scores(found, [beside], (name,), cut)
        for name, found, beside, cut in zip(names, own, nothing, cuts, strict=True)
    }
    return scores(means, [one | together for one in nothing], names, None), by_class


class _Class:
    """One class in some cases: what each adds to the sums that figures are ratios of."""

    def __init__(self, predictions: Predictions, k: int, cut: float | None) -> None:
        table, counts = predictions.table, counts_of(predictions, k)
        edge = edge_of(best_threshold(counts) if cut is None else cut)
        pixels, true = counts.sum(axis=(1, 2)), counts[:, 1].sum(axis=1)
        called, hit = (each[:, edge] for each in swept(counts))
        p = 1 / (1 + np.exp(-CENTRES))
        self.squared = counts[:, 0] @ p**2 + counts[:, 1] @ (1 - p) ** 2
        self.pixels = pixels.astype(np.float64)
        self.true, self.called, self.hit = true.astype(np.float64), called.astype(np.float64), hit.astype(np.float64)
        names = {"area_true", "area_called", "hd95", "lesions", "found", "false_lesions"}
        own = {name: table[f"{name}_{k}"] for name in names if f"{name}_{k}" in table.columns}
        self.own = {name: values.cast(pl.Float64).fill_null(np.nan).to_numpy() for name, values in own.items()}
        if f"called_{k}" in table.columns:  # measured once more, in the files' own pixels
            self.true, self.called, self.hit, self.pixels = (
                table[f"{name}_{k}"].to_numpy().astype(np.float64) for name in ("true", "called", "hit", "pixels")
            )
            self.squared = self.squared / np.maximum(pixels, 1) * self.pixels
        if "diagonal" in table.columns:
            self.own["diagonal"] = table["diagonal"].to_numpy()
        self.has = self.true > 0
        self.volumes = Volumes.of(table, k)

    def ratios(self) -> Ratios:
        one, has, lacks = np.ones_like(self.true), self.has.astype(float), (~self.has).astype(float)
        T, C, H = self.true, self.called, self.hit
        dice = np.divide(2 * H, T + C, out=np.zeros_like(T), where=self.has)
        everything = np.divide(2 * T, T + self.pixels, out=np.zeros_like(T), where=self.has)
        found: Ratios = {
            "dice": (dice, has),
            "iou": (np.divide(H, T + C - H, out=np.zeros_like(T), where=self.has), has),
            "clean": ((~self.has & (C == 0)).astype(float), lacks),
            "dice_pooled": (2 * H, T + C), "sensitivity": (H, T), "ppv": (H, C),
            "accuracy": (self.pixels - T - C + 2 * H, self.pixels), "brier": (self.squared, self.pixels),
            "dice_gain": (dice - everything, has),
        }  # fmt: skip
        if self.own:
            own = self.own
            found |= {
                "hd95": (np.where(self.has, np.nan_to_num(own["hd95"]), 0.0), has),
                "false_lesions": (own["false_lesions"], one), "lesion_sensitivity": (own["found"], own["lesions"]),
                "area_bias": (own["area_called"] - own["area_true"], one),
                "_area_square": ((own["area_called"] - own["area_true"]) ** 2, one),
            }  # fmt: skip
        return found | (self.volumes.ratios() if self.volumes else {})

    def nothing(self) -> dict[str, float]:
        """The figures of marking nothing; NaN where such a forecast has none."""
        has, own = self.has, self.own
        share = float(self.true.sum() / self.pixels.sum())
        found = dict.fromkeys(MASK_METRICS, float("nan")) | {"accuracy": 1 - share, "brier": share * (1 - share)}
        if has.any():
            zero = dict.fromkeys(("dice", "iou", "dice_pooled", "sensitivity"), 0.0)
            everything = 2 * self.true[has] / (self.true[has] + self.pixels[has])
            found |= zero | {"dice_gain": -float(everything.mean())}
        if not has.all():
            found["clean"] = 1.0
        if own:
            gap = -own["area_true"]
            spread = LOWEST_LIMIT * float(gap.std())
            found |= {"false_lesions": 0.0, "area_bias": float(gap.mean())}
            found |= {"area_low": float(gap.mean()) - spread, "area_high": float(gap.mean()) + spread}
            found |= {"lesion_sensitivity": 0.0} if own["lesions"].sum() else {}
            if "diagonal" in own and has.any():
                found["hd95"] = float(own["diagonal"][has].mean())
        return found | (self.volumes.nothing(LOWEST_LIMIT) if self.volumes else {})


def _measures(
    each: list[_Class], predictions: Predictions, seed: int, resamples: int
) -> tuple[dict[str, Measure], list[dict[str, Measure]]]:
    """The means over the classes, and each class by itself, from the same resamples."""
    ratios, patients = [one.ratios() for one in each], predictions.patients
    whole: Ratios = {}
    if told_whole(predictions) and len(each) > 1:
        whole["accuracy"] = predictions.table["right"].to_numpy().astype(np.float64), each[0].pixels

    def figures(W: NDArray[Any]) -> list[dict[str, Floats]]:
        return [_figures(own, W) for own in (*ratios, whole)]

    def named(W: NDArray[Any]) -> dict[str, Floats]:
        return {f"{name}_{k}": values for k, own in enumerate(figures(W)) for name, values in own.items()}

    drawn = replicates(named, patients, resamples, seed)
    found = [
        {name: _measure(name, float(value[0]), ratios_k, drawn.get(f"{name}_{k}", np.empty(0)), patients)
         for name, value in own.items()}
        for k, (own, ratios_k) in enumerate(zip(figures(np.ones((1, len(patients)))), (*ratios, whole), strict=True))
    ]  # fmt: skip
    *by_class, together = found
    order = [name for name in MASK_METRICS if any(name in own for own in by_class)]
    means = {name: mean_measure([own[name] for own in by_class if name in own]) for name in order} | together
    return means, [{name: own[name] for name in order if name in own} for own in by_class]


def _figures(ratios: Ratios, W: NDArray[Any]) -> dict[str, Floats]:
    """The figures of a class for weights (R, N) of the cases; the limits of agreement from the mean of the differences and squares."""
    with np.errstate(divide="ignore", invalid="ignore"):
        told = {name: np.asarray((W @ top) / (W @ below)) for name, (top, below) in ratios.items()}
        for what in [name[1:-7] for name in told if name.endswith("_square")]:
            middle = told[f"{what}_bias"]
            spread = LOWEST_LIMIT * np.sqrt(np.maximum(told.pop(f"_{what}_square") - middle**2, 0))
            told |= {f"{what}_low": middle - spread, f"{what}_high": middle + spread}
    return told


def _measure(name: str, value: float, ratios: Ratios, spread: Floats, patients: NDArray[np.int64]) -> Measure:
    """One figure of one class with its interval; without replicates it has none."""
    limit = name not in ratios
    top, below = ratios[name.rsplit("_", 1)[0] + "_bias" if limit else name]
    P = clusters_of(below, patients)
    if not len(spread) or value != value:
        low, high = np.nan, np.nan
    elif limit:
        low, high = widened(value, spread, P)
    else:
        low, high = (ratio_share if name in SHARES else ratio_mean)(top, below, patients)
    least, most = RANGES.get(name, (-np.inf, np.inf))
    return Measure(value, float(np.maximum(low, least)), float(np.minimum(high, most)), spread, P - 1)


def _background(each: list[_Class]) -> float:
    return 1 - float(sum(one.true.sum() for one in each) / each[0].pixels.sum())


def _mean(values: list[float]) -> float:
    known = [value for value in values if value == value]
    return float(np.mean(known)) if known else float("nan")
