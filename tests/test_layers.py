"""Imports go down the layers only, siblings do not import each other, and torch stays out of the lower half."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import evenray

SOURCE = Path(evenray.__file__).parent

# Lowest first. A module may import from any row above its own in this table, and from its own package.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("core",),
    ("histogram",),
    ("readers", "writers", "contrast", "metrics"),
    ("audit",),
    ("dataset", "splitting", "store"),
    ("networks", "balance", "augment"),
    ("explain", "views"),
    ("plan", "train"),
    ("predict", "features"),
    ("compare", "table7", "report", "scale", "demo", "export"),
    ("pipeline",),
    ("cli", "serve", "app"),
)
LEVEL = {name: level for level, row in enumerate(LAYERS) for name in row}
TORCH_FROM = LEVEL["networks"]


def imports(path: Path) -> list[str]:
    """Absolute dotted names that the file imports, at any depth of nesting."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(resolve(path, node))
    return names


def resolve(path: Path, node: ast.ImportFrom) -> str:
    """The absolute name of a relative import; the package's root is the last folder named evenray."""
    folders = path.parts[:-1]
    root = len(folders) - 1 - folders[::-1].index("evenray")
    base = folders[root : len(folders) - (node.level - 1)]
    return ".".join([*base, node.module or node.names[0].name])


def breaches(source: Path) -> list[str]:
    found: list[str] = []
    for path in sorted(source.rglob("*.py")):
        own = path.relative_to(source).parts[0].removesuffix(".py")
        if own in {"__init__", "__main__"}:
            continue
        if own not in LEVEL:
            found.append(f"{own} is in no layer")
            continue
        for name in imports(path):
            head, *rest = name.split(".")
            if head == "torch" and LEVEL[own] < TORCH_FROM:
                found.append(f"{path.relative_to(source)} imports torch")
            if head != "evenray" or not rest or rest[0] == own:
                continue
            if LEVEL.get(rest[0], len(LAYERS)) >= LEVEL[own]:
                found.append(f"{path.relative_to(source)} imports {name}")
    return found


def test_imports_go_down_only() -> None:
    assert breaches(SOURCE) == []


@pytest.mark.parametrize(
    ("file", "line", "breach"),
    [
        ("core/types.py", "from evenray.audit import audit", "core/types.py imports evenray.audit.audit"),
        ("core/types.py", "from ..contrast import enhance", "core/types.py imports evenray.contrast"),
        ("readers/dicom.py", "import evenray.contrast", "readers/dicom.py imports evenray.contrast"),
        ("metrics/ranking.py", "def f():\n    import torch", "metrics/ranking.py imports torch"),
        ("gadgets.py", "import math", "gadgets is in no layer"),
    ],
)
def test_a_planted_breach_is_found(tmp_path: Path, file: str, line: str, breach: str) -> None:
    path = tmp_path / "evenray" / file
    path.parent.mkdir(parents=True)
    path.write_text(line)
    assert breach in breaches(tmp_path / "evenray")
