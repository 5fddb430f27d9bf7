"""How every figure of the page looks, and how a chart becomes inline SVG that follows the page's light and dark."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup, escape

__all__ = ["ACCENT", "FAINT", "GREY", "INK", "LINE", "MUTED", "PAPER", "Figure", "class_colours", "figure"]

# page.css maps each of these to a variable, so they double as names: a colour of a figure is one of them or of OTHERS.
INK, MUTED, LINE, PAPER = "#1b2430", "#5b6673", "#dde3e8", "#fefefe"
ACCENT, GREY, FAINT = "#0f64ad", "#98a4b0", "#c9d2da"
OTHERS = ("#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8c6d31", "#7f7f7f")  # Okabe and Ito's, told apart by all

WIDTH = (
    330  # pixels inside the axes; with its labels a figure is about 400 wide, which a phone shows at nearly full size
)


TEXT = {"labelColor": MUTED, "titleColor": MUTED, "labelFontSize": 12, "titleFontSize": 12}
LINES = {"gridColor": LINE, "domainColor": GREY, "tickColor": GREY, "tickSize": 4}
CONFIG: dict[str, Any] = {
    "font": "sans-serif",
    "background": "transparent",
    "padding": 4,
    "view": {"stroke": None, "continuousWidth": WIDTH, "discreteWidth": WIDTH},
    "axis": TEXT | LINES | {"titleFontWeight": "normal", "titlePadding": 8},
    "axisBand": {"grid": False, "ticks": False, "labelPadding": 8},
    "legend": {
        **{"labelColor": INK, "labelFontSize": 12, "labelLimit": 160, "title": None},
        **{"orient": "top", "offset": 8, "symbolSize": 90, "symbolStrokeWidth": 2},
    },
}


@dataclass(frozen=True)
class Figure:
    """One drawing and the words around it; `alt` says in a sentence what it shows to who cannot see it."""

    svg: Markup
    title: str
    caption: str = ""


def figure(chart: Any, name: str, title: str, caption: str = "", alt_text: str = "") -> Figure:
    """Draw an Altair chart; `name` is unique on the page, `alt_text` falls back to the title."""
    return Figure(_svg(chart, name, alt_text or title), title, caption)


def class_colours(classes: tuple[str, ...], positive: str) -> dict[str, str]:
    """The positive class in the accent; the other one of two in grey, the others of many in Okabe and Ito's colours.

    >>> class_colours(("healthy", "sick"), "sick")
    {'healthy': '#98a4b0', 'sick': '#0f64ad'}
    """
    rest = [name for name in classes if name != positive]
    found = {rest[0]: GREY} if len(rest) == 1 else {name: OTHERS[i % len(OTHERS)] for i, name in enumerate(rest)}
    return {name: found.get(name, ACCENT) for name in classes}


def colour_scale(colours: dict[str, str]) -> alt.Scale:
    return alt.Scale(domain=list(colours), range=list(colours.values()))


def _svg(chart: Any, name: str, alt_text: str) -> Markup:
    spec = chart.to_dict(validate=False) | {"config": CONFIG}
    text: str = vl_convert.vegalite_to_svg(spec, vl_version=_version())
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    assert size is not None  # vega always writes one
    body = text[text.index(">") + 1 : text.rindex("</svg>")]
    body = re.sub(
        r'\bid="|url\(#', lambda m: f"{m[0]}{name}-", body
    )  # clip paths: their names are unique in one SVG only
    body = re.sub(r'\b(?:d|transform|[xy][12]?)="[^"]*"', lambda m: _rounded(m[0]), body)
    body = re.sub(r' (role|aria-roledescription|aria-hidden|pointer-events)="[^"]*"', "", body)
    body = re.sub(r'<path class="(?:background|foreground)"[^>]*d="(?:M0,0h\d+v0h-\d+Z|M0,0h0v0h0Z|)"[^>]*/>', "", body)
    return Markup(
        f'<svg class="drawing" data-figure="{name}" role="img" aria-label="{escape(alt_text)}" '
        f'viewBox="0 0 {size[1]} {size[2]}" style="max-width:{1.25 * float(size[1]):.0f}px">{body}</svg>'
    )


def _rounded(geometry: str) -> str:
    return re.sub(r"-?\d+\.\d{3,}(e-?\d+)?", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), geometry)


def _version() -> str:
    """The newest Vega-Lite of the converter that is no newer than Altair's."""
    ours = tuple(int(n) for n in alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    have = [tuple(int(n) for n in version.split(".")) for version in vl_convert.get_vegalite_versions()]
    return ".".join(str(n) for n in max(version for version in have if version <= ours))
