"""The works that a run makes use of: BibTeX entries, and how they are named in a text."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

__all__ = ["bibtex", "named"]


def named(*keys: str) -> str:
    """Authors and years, as a text names works.

    >>> named("simonyan2015vgg", "buda2018imbalance"), named("efron1979bootstrap")
    ('(Simonyan & Zisserman, 2015; Buda et al., 2018)', '(Efron, 1979)')
    """
    return f"({'; '.join(_named(_entries()[key]) for key in dict.fromkeys(keys))})"


def bibtex(keys: list[str], version: str) -> str:
    """The entries of some works, each once, in their order here; `version` is that of the program."""
    return "\n\n".join(
        re.sub(r", (?=\w+ = \{)", ",\n  ", text).replace("{VERSION}", f"{{{version}}}")[:-1] + "\n}"
        for key, text in _entries().items()
        if key in keys
    )


def _named(entry: str) -> str:
    authors = re.search(r"author = \{(.*?)\}, title", entry)
    year = re.search(r"year = \{(\d+)\}", entry)
    assert authors is not None
    assert year is not None
    last = [name.split(",")[0].strip("{} ") for name in authors[1].split(" and ")]
    who = f"{last[0]} et al." if len(last) > 2 else " & ".join(last)
    return f"{who.removeprefix('The ').replace('evenray authors', 'evenray')}, {year[1]}"


@cache
def _entries() -> dict[str, str]:
    text = (resources.files("evenray.reporting") / "templates" / "references.bib").read_text(encoding="utf-8")
    return {line[line.index("{") + 1 : line.index(",")]: line for line in text.splitlines() if line}
