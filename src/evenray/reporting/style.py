"""The colours of every figure of the page, and how a drawing becomes inline SVG that follows the page's light and dark."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup, escape

__all__ = [
    "ACCENT",
    "FAINT",
    "GREY",
    "INK",
    "LINE",
    "MUTED",
    "OTHERS",
    "PAPER",
    "Drawing",
    "Figure",
    "class_colours",
    "figure",
]

# page.css maps each of these to a variable, so they double as names: a colour of a figure is one of them or of OTHERS.
INK, MUTED, LINE, PAPER = "#1b2430", "#5b6673", "#dde3e8", "#fefefe"
ACCENT, GREY, FAINT = "#0f64ad", "#98a4b0", "#c9d2da"
OTHERS = ("#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8c6d31", "#7f7f7f")  # Okabe and Ito's, told apart by all

WIDTH = (
    330  # pixels inside the axes; with its labels a figure is about 400 wide, which a phone shows at nearly full size
)


@dataclass(frozen=True)
class Drawing:
    """The inside of an SVG and how many pixels wide and high it is."""

    width: float
    height: float
    body: str


@dataclass(frozen=True)
class Figure:
    """One drawing and the words around it; `alt` says in a sentence what it shows to who cannot see it."""

    svg: Markup
    title: str
    caption: str = ""


def figure(drawing: Drawing, name: str, title: str, caption: str = "", alt_text: str = "") -> Figure:
    """A drawing as inline SVG; `name` is unique on the page, `alt_text` falls back to the title."""
    svg = (
        f'<svg class="drawing" data-figure="{name}" role="img" aria-label="{escape(alt_text or title)}" viewBox="0 0'
        f' {drawing.width:.0f} {drawing.height:.0f}" style="max-width:{1.25 * drawing.width:.0f}px">{drawing.body}</svg>'
    )
    return Figure(Markup(svg), title, caption)


def class_colours(classes: tuple[str, ...], positive: str) -> dict[str, str]:
    """The positive class in the accent; the other one of two in grey, the others of many in Okabe and Ito's colours.

    >>> class_colours(("healthy", "sick"), "sick")
    {'healthy': '#98a4b0', 'sick': '#0f64ad'}
    """
    rest = [name for name in classes if name != positive]
    found = {rest[0]: GREY} if len(rest) == 1 else {name: OTHERS[i % len(OTHERS)] for i, name in enumerate(rest)}
    return {name: found.get(name, ACCENT) for name in classes}
