"""external.json: what came of a run on another set of images, as an external test."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from evenray.core.annotations import Task

from .record import Number, Record
from .scores import Figure

__all__ = [
    "FOLDER", "Change", "Copies", "DriftRecord", "ExternalRecord", "Light", "LossPart", "RateChange", "Recalibrated", "names_of",
]  # fmt: skip

FOLDER = "external"  # of a run folder; each external test has a folder of its own name in it


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", ser_json_inf_nan="null")


class Change(_Part):
    """A figure of the external test and of the internal one, and how far the first lies above the second (unpaired: the patients
    are others), with a 95 % interval."""

    external: Figure
    internal: Figure
    value: Number
    low: Number
    high: Number
    p: Number


class DriftRecord(_Part):
    """See `data.external.drift.Drifted`; `shown` and `clear` are those of the effect and p."""

    name: str
    kind: str
    effect: Number
    p: Number
    before: str
    after: str
    shown: bool
    clear: bool


class Copies(_Part):
    """Cases of the set by name that are not new to the run: `pixels` the same images as it learnt from, `tested` as it was tested
    on, `near` either changed a little, `patients` of patients that it learnt from. `compared` says whether patients could be;
    `left_out` counts copies that were left out, `allowed` are what the user went on in spite of."""

    pixels: tuple[str, ...] = ()
    tested: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()
    compared: bool = True
    left_out: int = 0
    allowed: tuple[str, ...] = ()


class LossPart(_Part):
    """What prevalence, calibration or ranking adds to the log loss; `shown` says whether it differs beyond chance."""

    value: Number
    low: Number
    high: Number
    p: Number
    shown: bool


class Light(_Part):
    """The set once more with its grey levels brought to those of the training images by one `curve`: a figure before and after,
    and the paired difference. `part` of the loss it explains, NaN where there is none."""

    curve: str
    metric: str
    before: Figure
    after: Figure
    value: Number
    low: Number
    high: Number
    part: Number

    @property
    def inverted(self) -> bool:
        """Whether the images are negatives of the training images."""
        return self.curve.startswith("invert")


class RateChange(_Part):
    """A figure on the same cases without and with the recalibration, and the paired difference."""

    before: Figure
    after: Figure
    value: Number
    low: Number
    high: Number


class Recalibrated(_Part):
    """Probabilities fitted anew on one part of the set's patients, and what that changes on the other.

    `threshold` is that of the run's rule on the fitted part, None where there is none; of findings there are none. `refused` is the
    rule where that part has too few patients for what it promises. `figures` at the threshold as it was, and `rates` at the new one
    on the recalibrated probabilities.
    """

    method: str
    fitted_cases: int
    fitted_patients: int
    cases: int
    patients: int
    threshold: float | None
    figures: dict[str, RateChange]
    rates: dict[str, Figure]
    refused: str | None = None


class ExternalRecord(Record):
    """`network` and `scores` are the digests of model.safetensors and scores.json of the run that was tested.

    `names` are classes of the set by those that the network has for them, `missing` classes of the network without a case, `aside`
    what the network does not know, with the cases that have it; `unlabelled` counts images without a label. `flagged` images
    are unlike the training images, None where the model cannot tell; `false_flags` is the share of the others flagged too.
    `changes` are the figures beside those of the internal test. `over` are the classes or findings that both sets can be measured on,
    where these are not all that the network tells: then `changes`, `total`, `parts` and `light` are over them alone; where there
    are none there are no changes. `total` is the log loss that was lost, `parts` what it is made of, and
    `causes` what explains it (docs/decisions/0030), the most important first; of masks and boxes there is no log loss, and the
    fall of `main` is looked at in its place. `units` are those of distances and areas here and in the internal test, mm or px, None
    where there are none; where they differ, `changes` has no figure of them.
    """

    file: ClassVar[str] = "external.json"

    version: int = 1
    name: str
    made: str
    task: Task
    network: str
    scores: str
    seed: int
    cases: int
    patients: int
    names: dict[str, str] = Field(default_factory=dict)
    missing: tuple[str, ...] = ()
    aside: dict[str, int] = Field(default_factory=dict)
    unlabelled: int = 0
    rejected: int = 0
    copies: Copies
    flagged: int | None
    false_flags: float | None
    drift: tuple[DriftRecord, ...]
    prevalence: dict[str, Change]
    changes: dict[str, Change]
    over: tuple[str, ...] = ()
    units: tuple[str, str] | None = None
    main: str
    total: LossPart | None
    parts: dict[str, LossPart] = Field(default_factory=dict)
    light: Light | None = None
    causes: tuple[str, ...] = ()
    recalibrated: Recalibrated | None = None

    @property
    def fall(self) -> Change | None:
        """The change of the main figure."""
        return self.changes.get(self.main)

    @classmethod
    def of(cls, run: Path, name: str) -> Self:
        """That of a run folder by the name of the test."""
        return cls.read(run / FOLDER / name)


def names_of(run: Path) -> list[str]:
    """The external tests that stand in a run folder."""
    return sorted(path.parent.name for path in run.glob(f"{FOLDER}/*/{ExternalRecord.file}"))
