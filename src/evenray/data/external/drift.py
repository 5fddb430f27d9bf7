"""How the images of another set differ from those that a network was trained on, in what a scan measures of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.patient_groups import patient_groups
from evenray.core.types import Dataset
from evenray.data.audit.drift import cumulative_histograms, histogram_distance
from evenray.metrics import holm

__all__ = ["CLEAR", "LEVEL", "SLIGHT", "Drifted", "drifted"]

Floats = NDArray[np.float64]
LEVEL = 0.05
MOST = 3000  # images of a side that are looked at, evenly spread
# From which effect on a difference is slight or clear: of the grey levels in shares of the range as in the audit; of numbers in
# standard deviations (Cohen 1988); of shares of images.
SLIGHT = {"levels": 0.015, "number": 0.2, "share": 0.1}
CLEAR = {"levels": 0.04, "number": 0.8, "share": 0.3}
# What is compared, of numbers on the logarithm where they are sizes; the floor keeps zeros.
NUMBERS = {
    "brightness": ("mean", None),
    "contrast": ("std", None),
    "noise": ("noise", 0.002),
    "sharpness": ("sharpness", 0.05),
}
KINDS = ("manufacturer", "modality", "view", "photometric", "bits", "channels", "format")
BANDS = 4096


@dataclass(frozen=True)
class Drifted:
    """One thing that was compared: `kind` is levels (of grey), number or share. `effect` is the first Wasserstein distance of the
    mean histograms in shares of the grey range, the difference of the means in standard deviations of the training images
    (with its sign), or how much of the images stands in other values (total variation), each as the mean over the classes, so
    that the class shares move nothing. `p` is Holm's over all that is compared. `before` and `after` tell the training images
    and the set: medians, or the shares of the most frequent values."""

    name: str
    kind: str
    effect: float
    p: float
    before: str
    after: str

    @property
    def shown(self) -> bool:
        """Whether it differs beyond chance, and by enough to name."""
        return self.p < LEVEL and abs(self.effect) >= SLIGHT[self.kind]

    @property
    def clear(self) -> bool:
        return self.shown and abs(self.effect) >= CLEAR[self.kind]


@dataclass(frozen=True)
class _Compared:
    name: str
    kind: str
    columns: NDArray[np.float32]
    scale: float
    signed: Floats | None
    before: str
    after: str


def drifted(training: Dataset, other: Dataset, *, seed: int = 0) -> list[Drifted]:
    """Compare all that both scans know, the light first; patients are exchanged between the sets within their class (999 times).

    Where nothing differs, one set in twenty or fewer shows anything at all (Holm over all that is compared).
    """
    training, other = _few(training), _few(other)
    cases = pl.concat([_known(each, side) for side, each in enumerate((training, other))], how="diagonal_relaxed")
    _, patients = np.unique(cases["who"].to_numpy().astype(str), return_inverse=True)
    side, labels = cases["side"] == 1, cases["stratum"]
    found = []
    for one in _compared(training, other, cases):
        distance, p = histogram_distance(one.columns, side, labels, patients.astype(np.int64), seed)
        effect = distance * one.scale
        if one.signed is not None:
            effect = float(np.copysign(effect, _gap(one.signed, side.to_numpy(), labels.to_numpy().astype(str))))
        found.append(Drifted(one.name, one.kind, effect, p, one.before, one.after))
    adjusted = holm([one.p for one in found]).tolist()
    return [Drifted(**{**vars(one), "p": p}) for one, p in zip(found, adjusted, strict=True)]


def _few(dataset: Dataset) -> Dataset:
    return dataset.with_cases(dataset.cases.gather_every(max(1, -(-dataset.cases.height // MOST))))


def _known(dataset: Dataset, side: int) -> pl.DataFrame:
    """What is compared of every case, with a name for the patient that is that of this side alone, and the class."""
    cases, task = dataset.cases, dataset.facts.task
    own = pl.Series("own", [f"\0{row}" for row in range(cases.height)])
    who = pl.select(pl.coalesce(patient_groups(cases), own)).to_series()
    if task == "classify":
        stratum = cases["label"].fill_null("")
    else:
        stratum = pl.Series([str(int((row == 1).any())) for row in dataset.targets])
    wanted = [name for name in (*(c for c, _ in NUMBERS.values()), *KINDS, "rows", "columns") if name in cases.columns]
    return cases.select(wanted).with_columns(
        who=pl.lit(f"{side} ") + who, side=pl.lit(side), stratum=stratum.cast(pl.String)
    )


def _compared(training: Dataset, other: Dataset, cases: pl.DataFrame) -> Iterator[_Compared]:
    sides = [(cases["side"] == side).to_numpy() for side in (0, 1)]
    if training.has_sketch("histogram") and other.has_sketch("histogram"):
        histograms = [cumulative_histograms(each.sketch("histogram")) for each in (training, other)]
        levels = [f"{100 * float(np.mean(1 - one.mean(axis=1))):.0f} %" for one in histograms]
        yield _Compared("light", "levels", np.concatenate(histograms), 1.0, None, *levels)
    numbers = {name: (cases[column], floor) for name, (column, floor) in NUMBERS.items() if column in cases.columns}
    if {"rows", "columns"} <= set(cases.columns):
        numbers["size"] = ((cases["rows"].cast(pl.Float64) * cases["columns"]).sqrt(), 0.0)
        numbers["aspect"] = (cases["columns"].cast(pl.Float64) / cases["rows"], 0.0)
    for name, (column, floor) in numbers.items():
        plain = column.cast(pl.Float64).to_numpy()
        if np.isnan(plain).any() or column.null_count():
            continue
        values = plain if floor is None else np.log(np.maximum(plain, 0) + floor)
        spread = _within(values[sides[0]], cases["stratum"].filter(pl.Series(sides[0])).to_numpy())
        medians = [float(np.median(plain[one])) for one in sides]
        if spread <= 1e-9 * max(1.0, float(np.abs(values).max())):  # all training images have the same
            if np.ptp(values) == 0:
                continue
            spread = float(np.ptp(values))
        standard = values / spread
        told = [f"{median:.3g}" if median < 100 else f"{median:.0f}" for median in medians]
        yield _Compared(name, "number", standard.astype(np.float32)[:, None], 1.0, standard, *told)
    for name in KINDS:
        if name not in cases.columns or cases[name].n_unique() < 2:
            continue
        values = cases[name].cast(pl.String).fill_null("–")
        names = values.value_counts(sort=True)[name].to_list()
        if len(names) > BANDS:
            continue
        hot = np.stack([(values == one).to_numpy() for one in names], axis=1)
        told = [_shares(hot[one], names) for one in sides]
        yield _Compared(name, "share", hot.astype(np.float32), len(names) / 2, None, *told)


def _within(values: Floats, strata: NDArray[np.object_]) -> float:
    """The standard deviation within the classes."""
    left = values.copy()
    for name in np.unique(strata.astype(str)):
        own = strata.astype(str) == name
        left[own] -= left[own].mean()
    return float(left.std())


def _gap(values: Floats, side: NDArray[np.bool_], strata: NDArray[np.str_]) -> float:
    """The mean of the set less that of the training images, averaged over the classes that both have."""
    both = [own for name in np.unique(strata) if (own := strata == name)[side].any() and own[~side].any()]
    return float(np.mean([values[own & side].mean() - values[own & ~side].mean() for own in both])) if both else 0.0


def _shares(hot: NDArray[np.bool_], names: Sequence[str]) -> str:
    shares = hot.mean(axis=0)
    return ", ".join(f"{names[k]} {100 * shares[k]:.0f} %" for k in np.argsort(-shares)[:3] if shares[k] > 0)
