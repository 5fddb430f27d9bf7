"""Imports go down the storeys only, no files import each other in a circle, and torch stays out of the lower storeys."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import evenray

SOURCE = Path(evenray.__file__).parent

# Lowest first. A file may import from its own folder and from whatever stands above its own line in this list.
STOREYS = (
    "core",
    "images.binning", "images.levels", "images.ct_windows", "images.histogram", "images.readers", "images.writers", "images.contrast",
    "images.corruptions",
    "metrics",
    "data.tables", "data.annotations", "data.audit", "data.exclusions", "data.scan", "data.iterative", "data.strata", "data.split",
    "data.design",
    "data.letterbox", "data.store", "data.regions", "data.external", "data.demo", "data.deidentify",
    "learning.balance", "learning.networks", "learning.boxes", "learning.tasks", "learning.augment", "learning.tta",
    "learning.windows", "learning.box_windows", "learning.looks", "learning.train", "learning.linear_head",
    "learning.features", "learning.plan", "learning.predict", "learning.baselines", "learning.export",
    "evidence.explain", "evidence.compare", "evidence.robustness", "evidence.table7",
    "reporting",
    "scale",
    "stages",
    "teaching",
    "verbs",
    "serve", "app",
    "cli",
)  # fmt: skip
TORCH_FROM = STOREYS.index("learning.balance")


def modules(source: Path) -> dict[str, Path]:
    """Every module below the package by its dotted name, without the package's own."""
    found = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules that a file imports, at any depth of nesting: those of the package as in `known`, others by full name."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.removeprefix("evenray.")
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - (node.level - 1)] if node.level else []
            full = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            full = "" if full == "evenray" else full.removeprefix("evenray.")
            for alias in node.names:
                inner = f"{full}.{alias.name}".strip(".")
                yield inner if inner in known else full


def storey(name: str) -> int:
    """The line of a module in the list; -1 where it stands in none."""
    return next((i for i, line in enumerate(STOREYS) if name == line or name.startswith(f"{line}.")), -1)


def breaches(source: Path) -> list[str]:
    known, found = modules(source), []
    for name, path in known.items():
        # Packages that only hold others, and the public names, have no line of their own.
        if not name or any(line.startswith(f"{name}.") for line in STOREYS):
            continue
        own = storey(name)
        if own < 0:
            found.append(f"{name} is on no storey")
            continue
        for other in imported(name, path, known):
            if other.split(".")[0] == "torch" and own < TORCH_FROM:
                found.append(f"{name} imports torch")
            if other in known and storey(other) > own:
                found.append(f"{name} imports {other}")
    return found


def circles(source: Path) -> list[list[str]]:
    """Groups of files each of which is reached from every other by imports (Tarjan's strongly connected components)."""
    known = modules(source)
    arrows = {
        name: {o for o in imported(name, path, known) if o in known and o != name} for name, path in known.items()
    }
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        stack.append(name)
        for other in arrows[name]:
            if other not in number:
                visit(other)
            if other in stack:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == number[name]:
            group = [stack.pop()]
            while group[-1] != name:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for name in arrows:
        if name not in number:
            visit(name)
    return sorted(found)


def test_imports_go_down_only() -> None:
    assert breaches(SOURCE) == []


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circles(SOURCE) == []


@pytest.mark.parametrize(
    ("file", "line", "breach"),
    [
        ("core/types.py", "from evenray.data.audit import audit", "core.types imports data.audit"),
        ("core/types.py", "from ..images.contrast import enhance", "core.types imports images.contrast"),
        ("images/readers/dicom.py", "import evenray.images.contrast", "images.readers.dicom imports images.contrast"),
        (
            "data/split.py",
            "def f():\n    from evenray.learning import networks",
            "data.split imports learning.networks",
        ),
        ("metrics/ranking.py", "def f():\n    import torch", "metrics.ranking imports torch"),
        ("gadgets.py", "import math", "gadgets is on no storey"),
    ],
)
def test_a_planted_breach_is_found(tmp_path: Path, file: str, line: str, breach: str) -> None:
    source = tmp_path / "evenray"
    for package in ("data/audit", "images/contrast", "learning/networks"):
        (source / package).mkdir(parents=True)
        (source / package / "__init__.py").touch()
    path = source / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(line)
    assert breaches(source) == [breach]


def test_a_planted_circle_is_found(tmp_path: Path) -> None:
    source = tmp_path / "evenray" / "core"
    source.mkdir(parents=True)
    (source / "one.py").write_text("from .two import a")
    (source / "two.py").write_text("def f():\n    from evenray.core import three")
    (source / "three.py").write_text("from . import one")
    (source / "four.py").write_text("from . import one")
    assert circles(source.parent) == [["core.one", "core.three", "core.two"]]


def test_no_file_is_longer_than_a_reader_takes_in() -> None:
    lines = {
        str(path.relative_to(SOURCE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in SOURCE.rglob("*.py")
    }
    assert {name: count for name, count in lines.items() if count > 300} == {}
