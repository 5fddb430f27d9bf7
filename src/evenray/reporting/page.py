"""Sections become one self-contained page: no request ever leaves it, and its own policy forbids any."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from evenray.core.spec import REFERENCE

from .language import LANGUAGES, Language
from .view import RunView

__all__ = ["ASIDE", "BEFORE", "SECTIONS", "TABLES", "Section", "fitting", "language_of", "page", "rendered", "template"]

# Each section in the order of the page, with the verb that makes what it shows.
SECTIONS = {
    "summary": "run", "asked": "run", "data": "scan", "audit": "audit", "contrast": "explain", "compare": "compare",
    "training": "train", "ranking": "evaluate", "calibration": "evaluate", "threshold": "evaluate",
    "metrics": "evaluate", "practice": "evaluate", "stability": "train", "mistakes": "explain", "attribution": "explain",
    "limits": "run", "costs": "run", "methods": "run", "checklists": "run", "repeat": "run",
}  # fmt: skip
# What stands in place of sections that are about classes, by task; "" where nothing does. With the verb that fills it in.
INSTEAD = {
    "tag": {"ranking": "findings", "calibration": "", "practice": ""},
    "segment": {"ranking": "masks", "calibration": "", "threshold": "", "practice": "", "mistakes": "outlines"},
    "detect": {"ranking": "boxes", "calibration": "", "threshold": "", "practice": "", "mistakes": "outlines"},
}
OTHERS = {"findings": "evaluate", "masks": "evaluate", "boxes": "evaluate", "outlines": "explain"}
# Beside the line: on the page of a run only where the file is there that they show, each before another section.
ASIDE = {
    "readers": "scan", "uncertainty": "evaluate", "groups": "evaluate", "robustness": "robustness", "external": "evaluate",
    "table7": "table7", "ensemble": "ensemble",
}  # fmt: skip
TABLES = {
    "readers": "ratings.parquet", "uncertainty": "uncertainty.json", "groups": "groups.json", "robustness": "robustness.json",
    "external": "external/*/external.json", "table7": "table7.parquet", "ensemble": "ensemble.parquet",
}  # fmt: skip
BEFORE = {
    "readers": "audit", "uncertainty": "mistakes", "groups": "mistakes", "robustness": "mistakes", "external": "mistakes",
    "table7": "limits", "ensemble": "limits",
}  # fmt: skip

SCRIPTS = ("page", "threshold", "figures")


def fitting(only: Sequence[str], task: str) -> tuple[str, ...]:
    """The sections that a task has, in place of those named.

    >>> fitting(("ranking", "calibration", "metrics"), "tag")
    ('findings', 'metrics')
    """
    instead = INSTEAD.get(task, {})
    return tuple(name for name in dict.fromkeys(instead.get(section, section) for section in only) if name)


@dataclass(frozen=True)
class Section:
    """A section by its name, the verb that fills it in, and what its template shows: None where nothing is there yet."""

    name: str
    verb: str
    shown: object


def page(run: RunView, language: str = "en", only: tuple[str, ...] = tuple(SECTIONS), kind: str = "report") -> str:
    """The HTML text of the named sections; one that cannot be told yet says which verb comes first."""
    say, verbs = Language(language), SECTIONS | ASIDE | OTHERS
    modules = {name: importlib.import_module(f".sections.{name}", __package__) for name in only}
    sections = [Section(name, verbs[name], module.context(run, say)) for name, module in modules.items()]
    hidden = run.asked.references if run.asked and not run.names_files else ()
    return rendered(say, run.title, sections, kind, run, hidden)


def rendered(
    say: Language, name: str, sections: Sequence[Section], kind: str, run: RunView | None = None, hidden: Sequence[str] = ()
) -> str:  # fmt: skip
    """The HTML of sections; `name` and, of a run, when it was started stand at the top. Paths that are `hidden` are not told."""
    files = {"css": _source("page.css"), "scripts": [_source(f"{name}.js") for name in SCRIPTS]}
    about = {"say": say, "name": name, "run": run, "sections": sections, "kind": kind}
    text = _environment().get_template("page.html.j2").render(**about, **files).strip() + "\n"
    for path in sorted(hidden, key=len, reverse=True):
        text = text.replace(str(escape(path)), REFERENCE)
    return text


def language_of(page: Path) -> str:
    """The language of a page that was written; English where there is none."""
    if not page.is_file():
        return "en"
    with page.open(encoding="utf-8", errors="replace") as file:
        found = re.search(r'<html[^>]*\blang="(\w+)"', file.read(4096))
    return found[1] if found and found[1] in LANGUAGES else "en"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("evenray.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"share": share, "breakable": breakable}
    return environment


def template(name: str, **filters: Callable[..., str]) -> Template:
    """A template of text that is no page: nothing is escaped but by the given filters."""
    environment = _environment().overlay(autoescape=False)
    environment.filters = {**environment.filters, **filters}
    return environment.get_template(name)


def _source(name: str) -> Markup:
    """One of our own files, put into the page as it is."""
    loader = _environment().loader
    assert loader is not None
    return Markup(loader.get_source(_environment(), name)[0])


def breakable(path: str) -> Markup:
    """A path or spec that may wrap after each slash, and before each hash sign and parenthesis.

    >>> breakable("a/b<c#d")
    Markup('a/<wbr>b&lt;c<wbr>#d')
    """
    return Markup("<wbr>").join(re.split(r"(?<=/)(?!$)|(?<!^)(?=[#(])", path))


def share(value: float, domain: tuple[float, float]) -> str:
    """Where a value lies in a range, as the percentage that a style takes.

    >>> share(0.25, (0.0, 0.5)), share(9.0, (0.0, 1.0))
    ('50.00', '100.00')
    """
    low, high = domain
    if high == low:  # nothing differs: the middle
        return "50.00"
    return f"{100 * min(max((value - low) / (high - low), 0.0), 1.0):.2f}"
