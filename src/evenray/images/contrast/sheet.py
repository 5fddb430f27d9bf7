"""Before and after on one page: image, histogram, curve and measures, in one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError
from evenray.core.texts import Texts
from evenray.core.types import Image
from evenray.images.histogram import Histogram, lightness

from . import _svg
from ._chain import curve, enhance
from ._engine import present
from .advice import advise
from .measures import measure
from .window import PRESETS

__all__ = ["Panel", "gallery", "page", "panel", "words"]

SHOWN = 440  # pixels of the longer side of a picture on the page


@dataclass(frozen=True)
class Panel:
    """One method on one image, ready to be laid out; `picture` and `drawing` are HTML, the original without measures."""

    title: str
    spec: str
    picture: str
    drawing: str
    measures: dict[str, float]
    advice: tuple[str, ...] = ()


@cache
def words(language: str) -> Texts:
    """The texts of sheets in "en" or "ko"; UsageError for another language.

    >>> words("ko")("sheet.before")
    '적용 전'
    """
    return Texts(language)


def panel(before: Image, spec: str, *, title: str = "", after: Image | None = None, language: str = "en") -> Panel:
    """What `spec` does to an image; "none" gives the panel of the original, with the advice from its histogram."""
    say = words(language)
    after = enhance(before, spec) if after is None else after
    old, new = Histogram.of(before), Histogram.of(after)
    counts = old.rebin(256).counts, new.rebin(256).counts
    drawing = _svg.levels(*counts, _ends(before.value_range), say("drawing.histogram"))
    if spec == "none":
        return Panel(title, spec, _picture(before), drawing, {}, tuple(_advice(old, say)))
    try:
        found: NDArray[np.float64] | None = curve(spec, old).values[:: max(1, old.bins // 1024)]
    except UsageError:
        found = None
    band = None if found is not None else _band(before, after)
    drawing += _svg.mapping(found, band, say("drawing.axis"), say("drawing.curve"))
    return Panel(title, spec, _picture(after), drawing, measure(before, after))


def gallery(image: Image) -> list[str]:
    """Specs that show every method on an image, the unchanged one first; CT also in its windows.

    >>> gallery(Image(np.zeros((4, 4), np.uint8), (0, 255)))[:3]
    ['none', 'invert', 'linear']
    """
    histogram = Histogram.of(image)
    low, high = (histogram.percentile(q) if histogram.total else 0.0 for q in (10, 90))
    windows = [f"window(center={(low + high) / 2:.6g}, width={max(high - low, 1):.6g})"]
    if image.header.get("modality") == "CT":
        windows += [f"window(preset={preset})" for preset in PRESETS if preset in ("lung", "mediastinum", "brain")]
    return [
        *("none", "invert", "linear", "percentile(1, 99)", "piecewise", *windows, "voi", "gamma(0.5)", "gamma(2)"),
        *("auto_gamma", "agcwd", "log(base=10)", "exp(base=10)", "sigmoid", "equalize", "bbhe", "dsihe", "mmbebhe"),
        *("rmshe(depth=2)", "weighted", "match(normal)", "exact(normal)", "border | equalize"),
        *("local(equalize, tiles=8, clip=2)", "clahe(clip=2)", "clahe(clip=4)", "unsharp(radius=4)"),
    ]


def page(title: str, rows: Sequence[Sequence[Panel]], *, note: str = "", language: str = "en") -> str:
    """The HTML of a sheet: one row an image, its panels side by side; give panels and page the same language.

    >>> image = Image(np.arange(64, dtype=np.uint8).reshape(8, 8), value_range=(0, 255))
    >>> "gamma(0.5)" in page("Sheet", [[panel(image, "none"), panel(image, "gamma(0.5)")]])
    True
    """
    say, body = words(language), ""
    for row in rows:
        name = next((item.title for item in row if item.title), "")
        body += f"<h2>{escape(name)}</h2>" if name else ""
        body += f'<div class="row">{"".join(_card(item, say) for item in row)}</div>'
    return (
        f'<!doctype html><html lang="{say.code}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1><p>{escape(note)}</p>{body}<p class=foot>{escape(say('sheet.legend'))}</p></body></html>"
    )


def _card(item: Panel, say: Texts) -> str:
    name = say("sheet.before") if item.spec == "none" else f"<code>{escape(item.spec)}</code>"
    rows = "".join(f"<tr><th>{escape(text)}<td>{shown}" for text, shown in _table(item.measures, say))
    advice = "".join(f"<li>{text}" for text in item.advice)
    advised = f"<p class=advice>{escape(say('advice.intro'))}<ul>{advice}</ul>" if advice else ""
    return (
        f'<section class="card"><h3>{name}</h3>{item.picture}'
        f'<div class="draw">{item.drawing}</div>{f"<table>{rows}</table>" if rows else ""}'
        f"{advised}</section>"
    )


def _table(found: dict[str, float], say: Texts) -> list[tuple[str, str]]:
    if not found:
        return []
    pairs = {
        name: f"{_number(found[f'{name}_before'], say)} → {_number(found[name], say)}" for name in ("entropy", "eme")
    }
    pairs |= {name: _number(found[name], say) for name in ("cii", "ambe", "psnr", "ssim")}
    pairs["clipped"] = f"{_share(found['clipped_low'])} / {_share(found['clipped_high'])}"
    return [(say(f"measure.{name}"), shown) for name, shown in pairs.items()]


def _number(value: float, say: Texts) -> str:
    if math.isinf(value):
        return say("measure.same")
    return "–" if math.isnan(value) else f"{value:.3g}"


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1%}"


def _advice(histogram: Histogram, say: Texts) -> list[str]:
    return [
        say(
            "advice.try",
            advice=_said(found.title, say),
            methods=", ".join(f"<code>{escape(m)}</code>" for m in found.methods),
        )
        for found in advise(histogram)
    ]


def _said(sentence: str, say: Texts) -> str:
    text, known = say.sentence(sentence)
    return escape(text) if known else f'<span lang="en">{escape(text)}</span>'


def _ends(value_range: tuple[float, float]) -> tuple[str, str]:
    return f"{value_range[0]:.6g}", f"{value_range[1]:.6g}"


def _picture(image: Image) -> str:
    """The image in its levels as a PNG of at most `SHOWN` pixels, missing pixels transparent, inline."""
    low, high = image.value_range
    unit = np.clip((image.pixels.astype(np.float32) - low) / (high - low), 0, 1)
    shown = np.rint(np.nan_to_num(unit) * 255).astype(np.uint8)
    if shown.ndim == 3:
        shown = shown[..., ::-1]
    there = present(image)
    if there is not None:
        shown = cv2.cvtColor(shown, cv2.COLOR_GRAY2BGRA if shown.ndim == 2 else cv2.COLOR_BGR2BGRA)
        shown[..., 3] = np.where(there, 255, 0)
    scale = SHOWN / max(shown.shape[:2])
    if scale < 1:
        size = (max(1, round(shown.shape[1] * scale)), max(1, round(shown.shape[0] * scale)))
        shown = np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA))
    elif scale >= 2:  # small images in whole multiples, so that their pixels can be seen
        shown = shown.repeat(int(scale), axis=0).repeat(int(scale), axis=1)
    data = base64.b64encode(cv2.imencode(".png", np.ascontiguousarray(shown))[1].tobytes()).decode()
    return f'<img src="data:image/png;base64,{data}" alt="">'


def _band(before: Image, after: Image) -> NDArray[np.float64]:
    """For each of 256 levels in, the 5 %, 50 % and 95 % points of the levels out; NaN where it does not occur."""
    there = present(before)
    one, other = (_levels256(image, there) for image in (before, after))
    pairs = np.bincount(one.astype(np.int64) * 256 + other, minlength=65_536).reshape(256, 256)
    total = pairs.sum(axis=1)
    share = np.cumsum(pairs, axis=1) / np.maximum(total, 1)[:, None]
    points = np.stack([(share >= q).argmax(axis=1) / 255 for q in (0.05, 0.5, 0.95)])
    points[:, total < max(1, int(total.sum()) // 50_000)] = np.nan
    return points


def _levels256(image: Image, there: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    low, high = image.value_range
    grey = lightness(image)
    grey = grey.ravel() if there is None else grey[there]
    return np.asarray(np.rint(np.clip((grey.astype(np.float32) - low) / (high - low), 0, 1) * 255), np.uint8)


_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;color:#1b2430;background:#f4f6f8;margin:clamp(12px,4vw,24px)}
:lang(ko){word-break:keep-all}p{overflow-wrap:anywhere}
h1{font-size:22px;margin:0 0 4px}h2{font-size:15px;margin:20px 0 0;overflow-wrap:anywhere}
h3{font-size:14px;margin:0 0 8px;font-weight:normal}code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}
.row{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(472px,100%),1fr));gap:16px;margin:8px 0 16px}
.card{background:#fff;border:1px solid #dde3e8;border-radius:8px;padding:14px}
.card img{display:block;max-width:100%;max-height:440px;margin:0 auto 10px;background:#000;
background:repeating-conic-gradient(#d9dee3 0 25%,#fff 0 50%) 0/14px 14px}
.draw{display:flex;gap:12px;align-items:flex-end;justify-content:center}.draw svg{max-width:100%;height:auto}
@media(max-width:520px){.draw{flex-wrap:wrap}}
table{border-collapse:collapse;margin:8px auto 0;font-size:13px;columns:2}
th{font-weight:normal;color:#5b6673;text-align:left;padding:1px 14px 1px 0}
td{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.advice{margin:10px 0 0;color:#5b6673}ul{margin:2px 0 0;padding-left:20px}.foot{color:#5b6673;max-width:90ch}
"""
