"""The documents say what the code has: every verb, every option, every folder, every registered method."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from evenray.cli import app
from evenray.cli._options import OPTIONS
from tools.document_options import documented

ROOT = Path(__file__).resolve().parents[1]
RUNNING = (ROOT / "docs/guides/running.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", [command.name for command in app.registered_commands])
def test_every_verb_is_documented(verb: str) -> None:
    assert f"| `{verb}` |" in RUNNING


def test_the_table_of_settings_is_that_of_their_declarations() -> None:
    assert documented(RUNNING) == RUNNING, "run: python tools/document_options.py"


def test_every_other_option_is_documented_and_no_more() -> None:
    rows = [line.split("|")[1] for line in RUNNING.splitlines() if line.startswith("| `--")]
    named = {name.replace("-", "_") for row in rows for name in re.findall(r"`--([a-z-]+)`", row)}
    more = {"propose_exclusions", "fail_on", "layers", "image", "on", "recalibrate", "errors", "opacity"}
    assert named == {*OPTIONS, *more}


def test_the_tree_in_the_readme_is_the_tree() -> None:
    source = ROOT / "src/evenray"
    found = {path.name.removesuffix(".py") for path in source.iterdir() if path.suffix == ".py" or path.is_dir()}
    for name in sorted(found - {"__init__", "__main__", "__pycache__", "py.typed"}):
        assert re.search(rf"\b{name}(/|\.py)", README), f"the README's tree does not name {name}"


@pytest.mark.parametrize(
    ("guide", "where", "table"),
    [
        ("contrast.md", "evenray.images.contrast", "contrasts"),
        ("networks.md", "evenray.learning.networks", "networks"),
        ("imbalance.md", "evenray.learning.balance", "balances"),
    ],
)
def test_every_registered_name_is_in_its_guide(guide: str, where: str, table: str) -> None:
    text = (ROOT / "docs/guides" / guide).read_text(encoding="utf-8")
    missing = [name for name in getattr(importlib.import_module(where), table) if name not in text]
    assert not missing


def test_decisions_have_numbers_of_their_own() -> None:
    files = sorted((ROOT / "docs/decisions").glob("*.md"))
    numbers = [int(file.name[:4]) for file in files]
    assert len(set(numbers)) == len(numbers)
    for number, file in zip(numbers, files, strict=True):
        assert file.read_text(encoding="utf-8").startswith(f"# {number}. "), (
            f"{file.name} has another number in its title"
        )


@pytest.mark.parametrize(
    "path", sorted(str(p.relative_to(ROOT)) for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
)
def test_links_lead_somewhere(path: str) -> None:
    file = ROOT / path
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", file.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (file.parent / target).exists(), f"{path} links to {target}"
