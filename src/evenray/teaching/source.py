"""The source of a lab: one Markdown file with the texts of both languages side by side and the code once.

- `<!-- en -->` and `<!-- ko -->` begin a text; one after the other they are one text cell.
- A fence of Python is a code cell. In an exercise, `...` stands where the student writes. What follows `#:` on its line, or stands on
  lines that begin with `#:` below it, takes the place of `...` in the solution. `{lang}` is the language.
- `<!-- hint NAME -->` begins the text for a wrong answer to the check NAME, `<!-- hint NAME = VALUE -->` that for this very answer,
  `<!-- right NAME -->` that for the right one, and `<!-- right NAME = VALUE -->` says which of a question's answers is right.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from evenray.core.errors import unknown_name
from evenray.core.texts import LANGUAGES

__all__ = ["LABS", "Cell", "Reply", "Source"]

LABS = ("1_histogram", "2_vgg16", "3_class_imbalance")
MARK = re.compile(r"^<!-- (en|ko|hint|right)(?: (\w+))?(?: = (.+?))? -->$|^(```)(?:python)?$", re.MULTILINE)
BLANK = re.compile(r"^(?P<indent> *)(?P<before>.*)\.\.\.  #: ?(?P<line>.*)(?P<more>(?:\n *#: ?.*)*)$", re.MULTILINE)
NO_VALUE = object()


@dataclass(frozen=True)
class Cell:
    """A text in every language, or code: `exercise` with `...` where the student writes, and `solution`."""

    texts: dict[str, str] | None = None
    exercise: str = ""
    solution: str = ""

    @property
    def asks(self) -> bool:
        """Whether the student writes something in it."""
        return self.exercise != self.solution


@dataclass(frozen=True)
class Reply:
    """What is said to an answer of a check, in every language; `value` is NO_VALUE where it is for any other one."""

    name: str
    right: bool
    value: Any
    texts: dict[str, str]


@dataclass(frozen=True)
class Source:
    """A lab as it is written: its cells in their order, and the replies to answers."""

    name: str
    cells: tuple[Cell, ...]
    replies: tuple[Reply, ...]

    @classmethod
    @lru_cache
    def of(cls, name: str) -> Source:
        """The lab of that name; UsageError where there is none.

        >>> Source.of("1_histogram").cells[0].texts["en"].splitlines()[0]
        '# Lab 1. Histograms and contrast'
        """
        if name not in LABS:
            raise unknown_name("lab", name, LABS)
        file = resources.files("evenray.teaching") / "labs" / f"{name}.md"
        return cls.parse(name, file.read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, name: str, text: str) -> Source:
        """A source from its text; ValueError where a text is missing in a language.

        >>> lab = Source.parse("x", "<!-- en -->\\nAdd.\\n<!-- ko -->\\n더하세요.\\n```python\\nx = ...  #: 1 + 1\\n```\\n")
        >>> lab.cells[1].exercise, lab.cells[1].solution
        ('x = ...', 'x = 1 + 1')
        """
        cells, replies = list[Cell](), list[Reply]()
        at, said = NO_VALUE, dict[str, str]()
        head: tuple[str, str, str | None] | None = None
        marks = [*MARK.finditer(text)]
        ends = [mark.start() for mark in marks[1:]] + [len(text)]
        inside = False
        for mark, end in zip(marks, ends, strict=True):
            kind, of, value, fence = mark.groups()
            body = text[mark.end() : end].strip("\n")
            if fence:
                inside = not inside
                if inside:
                    cells.append(_code(body))
            elif kind in LANGUAGES:
                said[kind] = body.strip()
                if len(said) == len(LANGUAGES):
                    if head is None:
                        cells.append(Cell(said))
                    else:
                        at = ast.literal_eval(head[2]) if head[2] else NO_VALUE
                        said = {lang: " ".join(words.split()) for lang, words in said.items()}  # on one line
                        replies.append(Reply(head[1], head[0] == "right", at, said))
                    head, said = None, {}
            elif said or head:
                raise ValueError(f"lab {name}: a text is missing in a language before '{mark[0]}'")
            else:
                head = (kind, of, value)
        if said or head or inside:
            raise ValueError(f"lab {name}: it ends within a cell")
        return cls(name, tuple(cells), tuple(replies))

    def replies_to(self, name: str) -> tuple[Reply, ...]:
        return tuple(reply for reply in self.replies if reply.name == name)


def _code(source: str) -> Cell:
    def solved(blank: re.Match[str]) -> str:
        lines = [blank["line"], *re.findall(r"#: ?(.*)", blank["more"])]
        lines = [line for line in lines if line]
        indent = blank["indent"] if not blank["before"] else ""
        return "\n".join([f"{blank['indent']}{blank['before']}{lines[0]}", *(f"{indent}{line}" for line in lines[1:])])

    exercise = BLANK.sub(lambda blank: f"{blank['indent']}{blank['before']}...", source)
    return Cell(None, exercise, BLANK.sub(solved, source))
