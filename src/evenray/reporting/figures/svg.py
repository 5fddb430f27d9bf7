"""The core of every drawing: colours, marks as SVG text, and the finished drawing in a page, in a file, or as a PNG."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from html import escape
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np
import polars as pl
from markupsafe import Markup
from numpy.typing import NDArray

from evenray.core.errors import DataError

from .series import csv

__all__ = [
    "ACCENT", "FAINT", "GREY", "INK", "LINE", "MUTED", "OTHERS", "PAPER", "SIZE", "WIDTH", "Figure", "Svg", "class_colours",
    "line", "number", "path", "percent", "picture", "pixel", "png_uri", "polygon", "rect", "shortened", "text",
    "text_width", "titled",
]  # fmt: skip

# page.css maps each of these to a variable, so they double as names: a colour of a chart is one of them or of OTHERS.
INK, MUTED, LINE, PAPER = "#1b2430", "#5b6673", "#dde3e8", "#fefefe"
ACCENT, GREY, FAINT = "#0f64ad", "#98a4b0", "#c9d2da"
OTHERS = ("#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8c6d31", "#7f7f7f")  # Okabe and Ito's, told apart by all

WIDTH = 330  # pixels inside the axes of most charts; with its labels about 400, which a phone shows at nearly full size
SIZE = 12  # pixels of text
NARROW_AND_WIDE = dict.fromkeys(" .,:;!|'ijl", 0.28) | dict.fromkeys("()-frt", 0.36) | dict.fromkeys("%@MWmw", 0.87)
# A converter to PNG takes the first of these that is installed, and has no letters where none is.
FONTS = (
    *("Noto Sans CJK KR", "Noto Sans KR", "Apple SD Gothic Neo", "Malgun Gothic", "NanumGothic"),
    *("Noto Sans", "Helvetica", "Arial", "Liberation Sans", "DejaVu Sans", "sans-serif"),
)


@dataclass(frozen=True)
class Svg:
    """The inside of a drawing, how many pixels wide and high it is, in a sentence what it shows, and the numbers of a chart."""

    width: float
    height: float
    body: str
    label: str
    data: pl.DataFrame | None = None

    def inline(self) -> Markup:
        """For a page: in the page's own letters and in its light or dark colours."""
        shape = f'viewBox="0 0 {self.width:.0f} {self.height:.0f}" style="max-width:{1.25 * self.width:.0f}px"'
        return Markup(f'<svg class="drawing" role="img" aria-label="{escape(self.label)}" {shape}>{self.body}</svg>')

    def file(self) -> str:
        """A file of its own, on white."""
        width, height = math.ceil(self.width), math.ceil(self.height)
        fonts = ", ".join(f"'{name}'" if " " in name else name for name in FONTS)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            f' role="img" aria-label="{escape(self.label)}" font-family="{fonts}" font-size="{SIZE}">'
            f"{rect(0, 0, width, height, PAPER)}{self.body}</svg>"
        )

    def png(self, scale: float = 2) -> bytes:
        """A PNG file, `scale` pixels to one of the drawing; DataError where no font is installed to write with."""
        import resvg_py  # 40 ms, which only who asks for a PNG waits for

        sample = Svg(SIZE, SIZE, text(0, SIZE, "M", "start"), "").file()
        ink = cv2.imdecode(np.frombuffer(resvg_py.svg_to_bytes(svg_string=sample), np.uint8), cv2.IMREAD_GRAYSCALE)
        if ink is None or np.ptp(ink) == 0:
            raise DataError("There is no font to write a PNG with; install one, such as Noto Sans, or export an .svg.")
        return bytes(resvg_py.svg_to_bytes(svg_string=self.file(), zoom=scale))


@dataclass(frozen=True)
class Figure:
    """A drawing with the words around it on a page."""

    title: str
    svg: Svg
    caption: str = ""

    @property
    def name(self) -> str:
        """The name of its files, without their endings.

        >>> Figure("Distribution of the probabilities: ‘sick/x’", Svg(1, 1, "", "")).name
        'distribution-of-the-probabilities-sick-x'
        """
        return re.sub(r"[^\w]+", "-", self.title.lower()).strip("-")[:60] or "figure"

    @property
    def csv(self) -> str:
        """Its numbers as the data URI of a CSV file; empty where it has none."""
        return "" if self.svg.data is None else f"data:text/csv;charset=utf-8,{quote(csv(self.svg.data))}"


def titled(drawing: Svg, title: str) -> Svg:
    """The same drawing below a line of text, which is its label too.

    >>> titled(Svg(10, 20, "", ""), "Grey levels").height
    44
    """
    body = f'{text(8, 18, title, "start", INK)}<g transform="translate(0,24)">{drawing.body}</g>'
    return replace(
        drawing, width=max(drawing.width, 16 + text_width(title)), height=drawing.height + 24, body=body, label=title
    )


def class_colours(classes: tuple[str, ...], positive: str) -> dict[str, str]:
    """The positive class in the accent; the other one of two in grey, the others of many in Okabe and Ito's colours.

    >>> class_colours(("healthy", "sick"), "sick")
    {'healthy': '#98a4b0', 'sick': '#0f64ad'}
    """
    rest = [name for name in classes if name != positive]
    found = {rest[0]: GREY} if len(rest) == 1 else {name: OTHERS[i % len(OTHERS)] for i, name in enumerate(rest)}
    return {name: found.get(name, ACCENT) for name in classes}


# -- marks ----------------------------------------------------------------------------------------------------------
def text(
    x: float, y: float, words: str, anchor: str = "start", colour: str = MUTED, *, size: float = SIZE, bold: bool = False,
    turn: float = 0,
) -> str:  # fmt: skip
    """Words at a place; `anchor` is start, middle or end, `turn` degrees clockwise."""
    words = escape(words.replace("-", "−") if words[:1] == "-" and words[1:2].isdigit() else words)
    place = (
        f'transform="translate({pixel(x)},{pixel(y)}) rotate({turn:g})"' if turn else f'x="{pixel(x)}" y="{pixel(y)}"'
    )
    weight = ' font-weight="bold"' if bold else ""
    return f'<text {place} text-anchor="{anchor}" font-size="{size:g}"{weight} fill="{colour}">{words}</text>'


def rect(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    """A rectangle; `more` are further attributes."""
    shape = f'x="{pixel(x)}" y="{pixel(y)}" width="{pixel(width)}" height="{pixel(height)}"'
    return f'<rect {shape} fill="{fill}"{" " if more else ""}{more}/>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1) -> str:
    """A straight line."""
    return f'<path d="M{pixel(x1)},{pixel(y1)}L{pixel(x2)},{pixel(y2)}" stroke="{colour}" stroke-width="{width:g}"/>'


def polygon(points: Iterable[tuple[float, float]], fill: str, more: str = "") -> str:
    """A filled outline."""
    return f'<path d="M{path(np.array(list(points)))}Z" fill="{fill}"{" " if more else ""}{more}/>'


def picture(pixels: NDArray[np.uint8], x: float, y: float, scale: float) -> str:
    """An image (H, W) or (H, W, 3) in OpenCV's order of colours, `scale` units a pixel, its pixels left square."""
    height, width = pixels.shape[:2]
    shape = f'x="{pixel(x)}" y="{pixel(y)}" width="{pixel(width * scale)}" height="{pixel(height * scale)}"'
    return f'<image {shape} style="image-rendering:pixelated" href="{png_uri(pixels)}"/>'


def png_uri(pixels: NDArray[np.uint8]) -> str:
    """Pixels as a PNG data URI.

    >>> png_uri(np.zeros((32, 32), np.uint8))[:22]
    'data:image/png;base64,'
    """
    encoded = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
    return f"data:image/png;base64,{base64.b64encode(encoded.tobytes()).decode('ascii')}"


def path(points: NDArray[np.float64], step: str = "") -> str:
    """Points joined in their order, straight or in steps "after" or "before" the change of x."""
    x, y = ([pixel(value) for value in column] for column in points.T)
    if step:
        pairs = zip(x[1:], y[1:], strict=True)
        return f"{x[0]},{y[0]}" + "".join(f"H{a}V{b}" if step == "after" else f"V{b}H{a}" for a, b in pairs)
    return "L".join(f"{a},{b}" for a, b in zip(x, y, strict=True))


# -- words ----------------------------------------------------------------------------------------------------------
def text_width(words: str, size: float = SIZE) -> float:
    """About how many pixels wide a text is, whatever sans-serif it is set in; Hangul and Han are square."""
    return size * sum(
        NARROW_AND_WIDE.get(letter) or (1.0 if ord(letter) > 0x2E7F else 0.68 if letter.isupper() else 0.57)
        for letter in words
    )


def shortened(words: str, pixels: float) -> str:
    """A text cut to fit.

    >>> shortened("manufacturer unknown", 60)
    'manufa…'
    """
    if text_width(words) <= pixels:
        return words
    while words and text_width(words) > pixels - SIZE:
        words = words[:-1]
    return words.rstrip() + "…"


def number(value: float) -> str:
    """
    >>> number(0.5), number(250.0)
    ('0.5', '250')
    """
    return f"{value:.6g}"


def percent(value: float) -> str:
    """
    >>> percent(0.125), percent(1)
    ('12.5%', '100%')
    """
    return f"{100 * value:.6g}%"


def pixel(value: Any) -> str:
    """Hundredths of a pixel at most.

    >>> pixel(3.14159), pixel(2.0), pixel(-0.001)
    ('3.14', '2', '0')
    """
    return f"{round(float(value), 2) + 0.0:.6g}"  # + 0.0: no minus zero
