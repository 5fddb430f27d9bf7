"""External tests: figures that cannot be set beside each other are not."""

from __future__ import annotations

from evenray.core.artefacts.scores import Figure, PartScores, ScoresRecord
from evenray.stages.external import changes_of


def scores(unit: str, value: float) -> ScoresRecord:
    names = ("dice", "accuracy", "hd95", "area_bias", "area_low", "area_high", "volume_hd95")
    figure = Figure(value=value, low=value - 0.1, high=value + 0.1, baseline=0.0)
    test = PartScores.model_construct(metrics=dict.fromkeys(names, figure))
    return ScoresRecord.model_construct(unit=unit, parts={"test": test})


def test_pixels_are_not_set_beside_millimetres() -> None:
    same = changes_of(scores("mm", 0.7), scores("mm", 0.9))
    assert set(same) == {"dice", "accuracy", "hd95", "area_bias", "area_low", "area_high", "volume_hd95"}
    for here, inside in (("mm", "px"), ("px", "mm")):
        apart = changes_of(scores(here, 0.7), scores(inside, 0.9))
        assert apart == {name: same[name] for name in ("dice", "accuracy", "volume_hd95")}  # volumes are in mm always


def test_the_accuracy_of_whole_masks_is_not_set_beside_that_of_single_classes() -> None:
    assert "accuracy" not in changes_of(scores("mm", 0.7), scores("mm", 0.9), whole=False)
