"""Contrast methods side by side: what each makes of an image, its histogram, its curve and its measures, on one page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError
from evenray.core.spec import parse
from evenray.core.types import Image
from evenray.images.contrast import curve, enhance
from evenray.images.contrast._engine import present
from evenray.images.contrast.advice import Advice, advise
from evenray.images.contrast.measures import measure
from evenray.images.histogram import Histogram
from evenray.images.levels import lightness

from .figures.histogram import before_and_after
from .figures.svg import Figure
from .figures.transfer import transfer
from .language import Language
from .page import Section, rendered
from .pictures import shown

__all__ = ["Panel", "gallery", "panel", "sheet"]

LONGEST = 440  # pixels of the longer side of a picture on the page
SINGLE = ("cii", "ambe", "psnr", "ssim")  # measures that compare two images; of entropy and eme each image has its own


@dataclass(frozen=True)
class Panel:
    """What one method makes of one image; of the original ("none") there are no measures, but the advice.

    `before` and `after` are histograms, int64 (256,). `curve` is (n,) of unit values; a method that looks at where
    pixels are has none, but a `band` (3, 256): the 5 %, 50 % and 95 % points of the outcomes.
    """

    title: str
    spec: str
    picture: str
    value_range: tuple[float, float]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    curve: NDArray[np.float64] | None = None
    band: NDArray[np.float64] | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    advice: tuple[Advice, ...] = ()


def panel(before: Image, spec: str, *, title: str = "", after: Image | None = None) -> Panel:
    """The panel of `spec` on an image; "none" gives that of the original, with the advice from its histogram."""
    after = enhance(before, spec) if after is None else after
    old, new = Histogram.of(before), Histogram.of(after)
    same = (title, spec, shown(after, LONGEST), before.value_range, old.rebin(256).counts, new.rebin(256).counts)
    if spec == "none":
        return Panel(*same, advice=tuple(advise(old)))
    try:
        values = curve(spec, old).values[:: max(1, old.bins // 1024)]
    except UsageError:
        return Panel(*same, band=_band(before, after), measures=measure(before, after))
    return Panel(*same, curve=values, measures=measure(before, after))


def gallery(image: Image) -> list[str]:
    """Specs that show every method on an image, the unchanged one first; CT also in its windows.

    >>> gallery(Image(np.zeros((4, 4), np.uint8), (0, 255)))[:3]
    ['none', 'invert', 'linear']
    """
    histogram = Histogram.of(image)
    low, high = (histogram.percentile(q) if histogram.total else 0.0 for q in (10, 90))
    windows = [f"window(center={(low + high) / 2:.6g}, width={max(high - low, 1):.6g})"]
    if image.header.get("modality") == "CT":
        windows += [f"window(preset={preset})" for preset in ("brain", "lung", "mediastinum")]
    return [
        *("none", "invert", "linear", "percentile(1, 99)", "piecewise", *windows, "voi", "gamma(0.5)", "gamma(2)"),
        *("auto_gamma", "agcwd", "log(base=10)", "exp(base=10)", "sigmoid", "equalize", "bbhe", "dsihe", "mmbebhe"),
        *("rmshe(depth=2)", "weighted", "match(normal)", "exact(normal)", "border | equalize"),
        *("local(equalize, tiles=8, clip=2)", "clahe(clip=2)", "clahe(clip=4)", "unsharp(radius=4)"),
    ]


def sheet(
    kind: Literal["pairs", "gallery"],
    rows: Sequence[Sequence[Panel]],
    name: str,
    *,
    note: str = "",
    language: str = "en",
    hidden: Sequence[str] = (),
) -> str:
    """The HTML of a sheet: one row an image, its panels side by side. `pairs` are before and after; a `gallery` has
    every method on one image. `name` stands in the page's head; `hidden` are paths in specs that are not told.

    >>> image = Image(np.arange(64, dtype=np.uint8).reshape(8, 8), value_range=(0, 255))
    >>> "gamma(0.5)" in sheet("gallery", [[panel(image, "none"), panel(image, "gamma(0.5)")]], "ramp")
    True
    """
    say = Language(language)
    shown = [[(one, _drawings(one, say), _measures(one.measures, say)) for one in row] for row in rows]
    return rendered(say, name, [Section(kind, "enhance", {"rows": shown, "note": note})], "sheet", hidden=hidden)


def _drawings(one: Panel, say: Language) -> list[Figure]:
    drawn = {"histogram": before_and_after(one.before, one.after, one.value_range, say("drawing.histogram"))}
    if one.spec != "none":
        drawn["curve"] = transfer(one.curve, say("drawing.curve"), say, band=one.band, width=120, height=120)
    methods = (
        "" if one.spec == "none" else "-".join(step.name for step in parse(one.spec))
    )  # parameters may name a file
    title = [part for part in (one.title, methods) if part]
    return [Figure(": ".join([*title, say(f"drawing.{kind}_name")]), svg) for kind, svg in drawn.items()]


def _measures(found: Mapping[str, float], say: Language) -> list[tuple[str, str]]:
    """Name and value of each measure."""
    if not found:
        return []
    told = {
        name: f"{_number(found[f'{name}_before'], say)} → {_number(found[name], say)}" for name in ("entropy", "eme")
    }
    told |= {name: _number(found[name], say) for name in SINGLE}
    shares = (found["clipped_low"], found["clipped_high"])
    told["clipped"] = " / ".join("–" if math.isnan(share) else f"{share:.1%}" for share in shares)
    return [(say(f"measure.{name}"), words) for name, words in told.items()]


def _number(value: float, say: Language) -> str:
    if math.isinf(value):
        return say("measure.same")
    return "–" if math.isnan(value) else f"{value:.3g}"


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
