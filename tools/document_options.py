"""Write the table of options in docs/guides/running.md from the settings' own declarations: `python tools/document_options.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evenray.core.recipe import STAGES, Machine, Recipe, ReportSettings
from evenray.core.settings import Declared, Settings, declared

GUIDE = Path(__file__).resolve().parents[1] / "docs/guides/running.md"
BEGIN, END = "| Option | Meaning | Default | Stages |\n|---|---|---|---|\n", "\n\n"


def row(about: Declared, stages: Mapping[str, type[Settings]] = STAGES) -> str:
    """A setting as a row of the table."""
    default = about.default
    shown = ", ".join(default) if isinstance(default, tuple) else "" if default in (None, False) else f"{default}"
    of = ", ".join(name for name, kind in stages.items() if about.name in kind.model_fields)
    choices = f" ({', '.join(about.choices)})" if about.choices else ""
    text = f"{about.help.rstrip('.')}{choices}".replace("|", r"\|")
    return f"| `{about.option}` | {text} | {shown} | {of} |"


def table() -> str:
    """All rows, as they are declared."""
    known = declared(Recipe) | declared(ReportSettings) | declared(Machine)
    panels = ("The data", "The method", "The machine")
    return "\n".join(row(about) for panel in panels for about in known.values() if about.panel == panel)


def documented(text: str) -> str:
    """The guide with its table as it should be."""
    start = text.index(BEGIN) + len(BEGIN)
    return text[:start] + table() + text[text.index(END, start) :]


if __name__ == "__main__":
    GUIDE.write_text(documented(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
