"""Records: what is not defined is null in the file, and what is wrong with a file is told with its remedy."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import ClassVar

import pytest

from evenray.core.artefacts import Record
from evenray.core.artefacts.record import Number
from evenray.core.artefacts.scores import Figure
from evenray.core.errors import DataError


class Weather(Record):
    file: ClassVar[str] = "weather.json"

    degrees: Number
    figures: dict[str, Figure]


def test_what_is_not_defined_is_null_in_the_file_and_nan_here(tmp_path: Path) -> None:
    figure = Figure(value=0.1, low=math.nan, high=math.inf, baseline=1e-300)
    Weather(degrees=math.nan, figures={"a": figure}).write(tmp_path)
    written = json.loads((tmp_path / "weather.json").read_text(), parse_constant=pytest.fail)
    assert written == {
        "degrees": None, "figures": {"a": {"value": 0.1, "low": None, "high": None, "baseline": 1e-300}},
    }  # fmt: skip
    read = Weather.read(tmp_path)
    assert math.isnan(read.degrees)
    assert math.isnan(read.figures["a"].low)
    assert read.figures["a"].baseline == 1e-300


def test_a_damaged_file_is_told_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "weather.json").write_text('{"degrees": "warm"}')
    with pytest.raises(DataError, match=re.escape("makes it again.")):
        Weather.read(tmp_path)
    with pytest.raises(DataError, match=re.escape("of another version of evenray: ask the forecaster.")):
        Weather.parsed("{}", tmp_path / "weather.json", "ask the forecaster")
