"""What scores.json must hold beyond the types of its fields."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from evenray.core.artefacts.scores import ScoresRecord


@pytest.mark.parametrize("curve", [{"at": [0.1]}, {"x": [1.0]}])
def test_a_decision_curve_has_all_its_columns(curve: dict[str, list[float]]) -> None:
    with pytest.raises(ValidationError, match="needs the columns at, net_benefit"):
        ScoresRecord.model_validate({"decision_curve": curve})
