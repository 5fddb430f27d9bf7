"""How pages name the simple model on a frozen trunk: by its weights, and by the images that it learnt from."""

from __future__ import annotations

from evenray.core.artefacts.scores import ScoresRecord

from .language import Language

__all__ = ["trunk_told"]


def trunk_told(scores: ScoresRecord, say: Language) -> dict[str, str] | None:
    """`trunk` and `images` as phrases, None where there is no such model. Records that an earlier version left do not say
    of which weights it is, nor how many images it learnt from."""
    one = next((simple for simple in scores.baselines if simple.name == "trunk"), None)
    if one is None:
        return None
    if one.weights is None:
        return {"trunk": say("baselines.trunk"), "images": say("baselines.images_unknown")}
    drawn = say("baselines.images_drawn", n=say.count(one.drawn)) if one.drawn is not None else None
    return {
        "trunk": say("baselines.trunk_of", weights=one.weights),
        "images": drawn or say("baselines.images_all"),
    }
