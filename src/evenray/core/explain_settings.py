"""The settings of the stage explain."""

from __future__ import annotations

from .settings import DATA, SeedSettings, setting

__all__ = ["ExplainSettings"]


class ExplainSettings(SeedSettings):
    """What the explanation depends on."""

    attribution: str | None = setting(
        None, "How maps show where a decision came from: gradcam, gradcam_plus_plus, layer_attribution, integrated_gradients or"
        " occlusion, as in 'integrated_gradients(steps=64)'; by default gradcam, of masks and boxes layer_attribution.",
    )  # fmt: skip
    explained: int = setting(
        16,
        "The number of images that the checks of attribution maps look at; more make their intervals narrower.",
        ge=2,
    )
    regions: str | None = setting(
        None, "Boxes or masks of what matters in the images, to hold attribution maps against: a table, COCO JSON, a folder of XML,"
        " text or mask files. Left out, those that the run knows are taken.", panel=DATA, content="place",
    )  # fmt: skip
