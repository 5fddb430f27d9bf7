"""A lab as files: percent-format Python (jupytext, VS Code, Spyder) and a Jupyter notebook (nbformat 4.5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .source import Cell, Source

__all__ = ["as_notebook", "as_script"]

HEAD = """# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---"""
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def as_script(lab: Source, lang: str, *, solved: bool) -> str:
    """The lab as percent-format Python, with its solutions or with `...` in their place."""
    cells = [HEAD]
    for kind, body in _cells(lab, lang, solved):
        if kind == "markdown":
            body = "\n".join(f"# {line}".rstrip() for line in body.splitlines())
        cells.append(f"# %%{' [markdown]' if kind == 'markdown' else ''}\n{body}")
    return "\n\n".join(cells) + "\n"


def as_notebook(lab: Source, lang: str, *, solved: bool) -> str:
    """The lab as the JSON of a notebook without outputs."""
    cells = list[dict[str, Any]]()
    for number, (kind, body) in enumerate(_cells(lab, lang, solved)):
        own: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
        lines = body.splitlines(keepends=True)
        cells.append({"cell_type": kind, "id": f"{lab.name}-{number}", "metadata": {}, "source": lines, **own})
    whole = {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _cells(lab: Source, lang: str, solved: bool) -> Iterator[tuple[str, str]]:
    for cell in lab.cells:
        if cell.texts is not None:
            yield "markdown", cell.texts[lang]
        else:
            yield "code", _code(cell, lang, solved)


def _code(cell: Cell, lang: str, solved: bool) -> str:
    return (cell.solution if solved else cell.exercise).replace("{lang}", lang)
