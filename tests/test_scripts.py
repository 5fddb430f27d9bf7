"""The benchmarks and tools keep up with the package: what they import from it is there."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(
    path.relative_to(ROOT).as_posix() for folder in ("benchmarks", "tools") for path in (ROOT / folder).glob("*.py")
)


def missing(source: str) -> list[str]:
    """What a script takes from the package, by name or as an attribute of `er`, and does not find there."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "evenray":
            module = importlib.import_module(node.module or "")
            found += [f"{node.module}.{each.name}" for each in node.names if not _has(module, each.name)]
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "er":
            found += [] if _has(importlib.import_module("evenray"), node.attr) else [f"er.{node.attr}"]
    return found


def _has(module: object, name: str) -> bool:
    if hasattr(module, name):
        return True
    try:
        importlib.import_module(f"{module.__name__}.{name}")  # type: ignore[attr-defined]
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("script", SCRIPTS)
def test_what_a_script_imports_is_there(script: str) -> None:
    assert missing((ROOT / script).read_text(encoding="utf-8")) == []


def test_a_name_that_has_gone_is_found() -> None:
    assert missing("from evenray.scale import nowhere, engine\nimport evenray as er\ner.nothing()\n") == [
        "evenray.scale.nowhere",
        "er.nothing",
    ]
