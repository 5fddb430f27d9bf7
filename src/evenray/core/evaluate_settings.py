"""The settings of the stage evaluate."""

from __future__ import annotations

from typing import Literal

from .settings import SeedSettings, Settings, setting

__all__ = ["EvaluateSettings", "ViewSettings"]


class ViewSettings(Settings):
    """How the network looks at a case."""

    tta: str | None = setting(
        None,
        "Test-time augmentation: centre, flips, dense, 'multicrop(grid=3)', 'dense | multicrop'; soft-maxes are averaged.",
    )


class EvaluateSettings(SeedSettings, ViewSettings):
    """How the test part is scored."""

    threshold: str | None = setting(
        None,
        "The rule for the operating point, such as youden or 'sensitivity(0.95)', applied on the validation part; by default"
        " youden, of masks dice, of boxes f1.",
    )
    calibration: str = setting(
        "bias_corrected_temperature",
        "bias_corrected_temperature, temperature, platt, isotonic, beta or none; fitted on the validation part.",
    )
    coverage: float = setting(
        0.9, "How often the sets of classes that are given beside each answer hold the truth, for every class.",
        expected="give a share above 0 and below 1", example="0.95", gt=0, lt=1,
    )  # fmt: skip
    patient_score: Literal["mean", "max"] = setting(
        "mean",
        "What stands for a patient of several images: the mean of their probabilities, or the largest of the positive class.",
    )
    prevalence: float | dict[str, float] | None = setting(
        None, "The share of the positive class where the model will be used, such as 0.01 (or a=0.9,b=0.1): probabilities, PPV"
        " and NPV are given for it.", form="shares",
    )  # fmt: skip
