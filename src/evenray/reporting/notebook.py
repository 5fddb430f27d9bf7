"""What values look like in a notebook: self-contained HTML, pictures and drawings inside it, no script."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from markupsafe import escape

from evenray.core.findings import SEVERITIES, Finding
from evenray.core.run import Run
from evenray.core.types import Curve, Dataset, Image, Scores
from evenray.images.histogram import Histogram

from .figures.bars import bars, counted
from .figures.histogram import frequency
from .figures.svg import Svg, class_colours, png_uri
from .figures.transfer import transfer
from .findings import having
from .language import Language
from .pictures import shown

__all__ = ["curve_html", "dataset_html", "findings_html", "histogram_html", "image_html", "run_html", "scores_html"]

LONGEST = 512  # pixels of the longer side of an image
THUMBNAILS = 24
SAY = Language("en")


def image_html(image: Image) -> str:
    """The picture in its value range, missing pixels transparent, with what is known of its pixels."""
    checks = "background:repeating-conic-gradient(#d9dee3 0 25%,#fff 0 50%) 0/14px 14px;max-width:100%"
    return f'<img src="{shown(image, LONGEST)}" alt="" style="{checks}">{_line(repr(image))}'


def histogram_html(histogram: Histogram) -> str:
    """The histogram, with its moments below."""
    if not histogram.total:
        return _line(repr(histogram))
    moments = ("mean", "variance", "skewness", "kurtosis", "entropy")
    told = ", ".join(f"{name} {getattr(histogram, name):.4g}" for name in moments)
    return _drawn(frequency(histogram, "Histogram")) + _line(repr(histogram)) + _line(told)


def curve_html(curve: Curve) -> str:
    """Grey level in against grey level out."""
    return _drawn(transfer(curve.values, "Transfer curve", SAY)) + _line(repr(curve))


def dataset_html(dataset: Dataset) -> str:
    """Counts of each class in each part, and up to 24 thumbnails, as many of each class."""
    colours = class_colours(dataset.classes, dataset.positive)
    cases = dataset.cases.with_columns(part=pl.col("part").fill_null("unsplit")) if "part" in dataset.cases.columns else (
        dataset.cases.with_columns(part=pl.lit("unsplit"))
    )  # fmt: skip
    cases = having(cases, dataset.classes) if dataset.facts.task != "classify" else cases
    counts = counted(cases, "part", dataset.classes, lambda n: f"{n} others")
    head = _line(repr(dataset))
    if not len(dataset) or not dataset.classes:
        return head
    table = _table(["part", *dataset.classes], ([part, *row.values()] for part, row in counts.items()))
    return head + _drawn(bars(counts, colours, "Cases of each class", legend=True)) + table + _thumbnails(dataset)


def findings_html(findings: Sequence[Finding]) -> str:
    """A table of findings, the gravest first."""
    ordered = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    rows = ([one.severity, SAY.message(one.title), len(one.cases) or "", SAY.message(one.advice)] for one in ordered)
    return _table(["severity", "finding", "cases", "advice"], rows) if findings else _line("no findings")


def scores_html(scores: Scores) -> str:
    """Every metric with its 95 % interval and the baseline."""
    rows = (
        [SAY.name("metric", name), SAY.number(e.value), SAY.interval(e.low, e.high), SAY.number(e.baseline)]
        for name, e in scores.estimates.items()
    )
    head = f"{scores.cases:,} cases of {scores.patients:,} patients"
    head += f"; positive: {scores.positive}" if scores.confusion.size else f"; means of {len(scores.classes)} findings"
    return _line(head) + _table(["metric", "value", "95 % interval", "baseline"], rows)


def run_html(run: Run) -> str:
    """Where a run is, what it chose, and its scores on each part."""
    chosen = run.choice.named if run.choice else {}
    found = _line(repr(run)) + (_table(["setting", "chosen"], chosen.items()) if chosen else "")
    return found + "".join(f"<h4>{escape(part)}</h4>{scores_html(scores)}" for part, scores in run.scores.items())


def _thumbnails(dataset: Dataset) -> str:
    if not dataset.has_sketch("thumbnail"):
        return ""
    numbered = dataset.cases.with_row_index("row")
    numbered = having(numbered, dataset.classes) if dataset.facts.task != "classify" else numbered
    numbered = numbered.filter(pl.col("label").is_in(dataset.classes))
    chosen = numbered.group_by("label", maintain_order=True).head(-(-THUMBNAILS // len(dataset.classes)))[:THUMBNAILS]
    pictures = dataset.sketch("thumbnail", chosen["row"].to_numpy().astype(np.int64))
    cells = (
        f'<figure style="margin:0;width:72px;font-size:11px;overflow-wrap:anywhere"><img src="{png_uri(picture)}" width="64" '
        f'height="64" alt=""><br>{escape(label)}</figure>'
        for picture, label in zip(pictures, chosen["label"], strict=True)
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px;max-width:720px">{"".join(cells)}</div>'


def _drawn(drawing: Svg) -> str:
    encoded = base64.b64encode(drawing.file().encode()).decode("ascii")
    return f'<img src="data:image/svg+xml;base64,{encoded}" alt="{escape(drawing.label)}" style="max-width:100%">'


def _line(words: str) -> str:
    return f'<div style="white-space:pre-line">{escape(words)}</div>'


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    def row(tag: str, values: Iterable[object]) -> str:
        return "<tr>" + "".join(f'<{tag} style="text-align:left">{escape(value)}</{tag}>' for value in values) + "</tr>"

    body = "".join(row("td", values) for values in rows)
    return f"<table><thead>{row('th', head)}</thead><tbody>{body}</tbody></table>"
