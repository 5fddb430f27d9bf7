"""The example of docs/adding-an-audit-check.md is a check that works."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from evenray.core.types import Dataset

GUIDE = Path(__file__).parents[3] / "docs" / "adding-an-audit-check.md"


def test_the_example_finds_bright_images_and_is_short(clean: Dataset, plant: Callable[..., Dataset]) -> None:
    [code] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert code.count("\n") < 30
    written: dict[str, Any] = {"__package__": "evenray.data.audit"}
    exec(code, written)
    assert written["mine"](clean) == []
    rows = (20, 41)
    bright = plant(lambda pixels: (pixels // 2 + 2000).astype(np.uint16), rows)
    [finding] = written["mine"](bright)
    assert set(finding.cases) == {clean.cases["case"][row] for row in rows}
    assert 0.5 < finding.evidence["highest"] < 1
