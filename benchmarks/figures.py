"""The figures of a benchmark: each a value with its target, told as a table and written as JSON."""

from __future__ import annotations

import json
import operator
from pathlib import Path
from typing import Any

Figures = dict[str, dict[str, Any]]
RELATIONS = {">=": operator.ge, "<=": operator.le}
VERDICTS = {True: "met", False: "NOT MET", None: "-"}


def note(figures: Figures, name: str, value: float | None, target: str) -> None:
    """Keep a figure; None is one that could not be measured."""
    relation, bound = target.split()
    met = None if value is None else bool(RELATIONS[relation](value, float(bound)))
    figures[name] = {"value": None if value is None else round(float(value), 3), "target": target, "met": met}


def told(figures: Figures, file: Path | None) -> None:
    """Print all figures with their targets, and write them where a file is asked for."""
    print(f"\n{'figure':66} {'value':>12} {'target':>9}")
    for name, found in figures.items():
        value = "not measured" if found["value"] is None else f"{found['value']:.2f}"
        print(f"{name:66} {value:>12} {found['target']:>9} {VERDICTS[found['met']]}")
    if file:
        file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
