"""The settings of the stage robustness, which stands beside the line."""

from __future__ import annotations

from .recipe import EvaluateSettings, TrainSettings
from .settings import setting

__all__ = ["RobustnessSettings"]


class RobustnessSettings(EvaluateSettings, TrainSettings):
    """What becomes of a network under corruptions depends on how it, and a second one, are trained and scored."""

    against: str | None = setting(
        None, "The contrast of a second network, trained like the first: by default none, where the run chose another.",
        content="contrast",
    )  # fmt: skip
