"""The help of every verb: what it says of defaults is not lost to rich's markup."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer
from rich.text import Text
from typer.testing import CliRunner

from evenray.cli import app

VERBS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
HOLE = re.compile(r"\s[.,;](?:\s|$)|\[default:\s*\]|\(\s*\)|\(default:\s*\)")


def shown(verb: str) -> str:
    """The help as it is printed, the frames taken away and the lines joined."""
    done = CliRunner().invoke(app, [verb, "--help"])
    assert done.exit_code == 0
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stdout).split())


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_no_help_has_a_hole_where_a_default_was(verb: str) -> None:
    assert HOLE.search(shown(verb)) is None
    for parameter in VERBS[verb].params:
        written = parameter.help or ""
        plain = Text.from_markup(written).plain
        assert plain == written.replace("\\[", "["), parameter.name
        assert HOLE.search(plain) is None, parameter.name


@pytest.mark.parametrize(
    ("verb", "said"),
    [("train", "within an epoch [default: 10]."), ("run", "to test on [default: 0.2]."), ("run", "0 is one a core [default: 0]."),
     ("run", "halving for large grids (auto, grid, halving) [default: auto]."), ("predict", "[default: CSV on standard output]"),
     ("export", "[default: RUN/export]")],
)  # fmt: skip
def test_defaults_that_are_written_are_shown(verb: str, said: str) -> None:
    texts = [Text.from_markup(parameter.help or "").plain for parameter in VERBS[verb].params]
    assert any(said in text for text in texts)


def test_the_choices_without_an_option_are_named() -> None:
    text = next(parameter.help for parameter in VERBS["plan"].params if parameter.name == "choose")
    assert "members" in text
    assert "compare_networks" in text
