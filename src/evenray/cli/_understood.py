"""What data were taken to mean, as a table on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from evenray.core.names import printable

if TYPE_CHECKING:
    from evenray.core.texts import Texts
    from evenray.core.understood import Understood

__all__ = ["understood_lines"]

SHOWN, LONGEST = 12, 48  # columns that mean nothing, and letters of an example
NAMES = ("place", "meaning", "how", "matched", "examples")


def understood_lines(found: Understood, texts: Texts) -> list[str | Table]:
    """The columns with their meanings, how many values are of use, examples, and what is not used; texts are escaped."""
    table = Table(*(texts(f"understood.{name}") for name in NAMES), box=None, header_style="bold", pad_edge=False)
    for row in found.rows:
        examples = ", ".join(each if len(each) <= LONGEST else f"…{each[-LONGEST:]}" for each in row.shown)
        table.add_row(
            _shown(row.place), texts.word("meaning", row.meaning), texts.word("how", row.how), f"{row.matched:,} / {row.of:,}",
            _shown(examples or texts("understood.hidden")),
        )  # fmt: skip
    lines = []
    if found.unused:
        lines.append(texts("understood.unused", columns=_some(list(found.unused))))
    if found.set_aside:
        kinds = [f"{texts.word('kind', kind)} {count:,}" for kind, count in found.set_aside.items()]
        lines.append(texts("understood.set_aside", kinds=", ".join(kinds)))
    if found.counts:
        counts = texts.counts(dict(list(found.counts.items())[:SHOWN])) + _more(len(found.counts))
        lines.append(texts(f"understood.counts.{found.task}", counts=counts))
    if found.ordered:
        lines.append(texts("understood.ordered"))
    title = f"[bold]{_shown(texts('understood.title', source=found.source))}[/bold]"
    return [title, *([table] if found.rows else []), *map(_shown, lines)]


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + _more(len(names))


def _more(count: int) -> str:
    return f", + {count - SHOWN}" if count > SHOWN else ""


def _shown(text: str) -> str:
    """A text that is no markup and moves no cursor."""
    return escape(printable(text))
