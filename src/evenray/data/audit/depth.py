"""Bit depth: files whose declared grey range is not that of their data."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import column, counted, numbers, warn

__all__ = ["depth_padded", "depth_stray", "levels_undeclared", "true_range"]

STRAY = 0.1  # the share of cases up to which a bit depth is an exception
DECLARES = ("dicom", "nifti")  # formats that state their own range
SLACK = 0.1  # how far resampling may throw floats beyond a range of 0 to 1
MOST_CUT = 0.25  # the share of an image's pixels that a given range may make black or white
OVER = 0.01  # the share by which it may throw them, or rounding, beyond the range of a detector
DEPTHS = tuple(2**bits - 1 for bits in range(8, 17))


def levels_undeclared(dataset: Dataset) -> list[Finding]:
    """Files of a format that does not state its range, which have another: 12 bits in 16, say, signed values, floats beyond
    0 to 1, a range that differs from file to file, or one that was given and cuts much off."""
    return [
        *_floats_beyond(dataset),
        *_few_of_sixteen_bits(dataset),
        *_range_by_file(dataset),
        *_range_that_cuts(dataset),
    ]


def _range_that_cuts(dataset: Dataset) -> list[Finding]:
    """A range that was given and makes much of the usual image black or white, where its files may hold more."""
    if dataset.facts.value_range is None:
        return []
    cases = dataset.cases
    low, high = dataset.facts.value_range
    black = np.nan_to_num(numbers(cases, "saturated_low")) * (numbers(cases, "smallest_value") < low)
    white = np.nan_to_num(numbers(cases, "saturated_high")) * (numbers(cases, "largest_value") > high)
    cut = black + white
    if not len(cut) or (share := float(np.median(cut))) <= MOST_CUT:
        return []
    evidence = {"images": int((cut > MOST_CUT).sum()), "share": round(share, 4), "range_low": low, "range_high": high}
    return [Finding("levels_undeclared", "warning", evidence=evidence, variant="asked")]


def _range_by_file(dataset: Dataset) -> list[Finding]:
    """Files whose range is that of their own extremes or of their own slope, as in PET: the same uptake looks otherwise in each."""
    cases = dataset.cases
    low, high = numbers(cases, "low"), numbers(cases, "high")
    own = np.isnan(numbers(cases, "window_center")) & np.isfinite(low) & np.isfinite(high)
    own &= column(cases, "dtype").eq("float32").fill_null(False).to_numpy()
    own &= ~((low == 0) & (high == 1))
    ranges = {(float(one), float(other)) for one, other in zip(low[own], high[own], strict=True)}
    if (
        dataset.facts.value_range is not None
        or len(ranges) < 3
        or len(ranges) * 2 < own.sum()
        or own.sum() * 2 < len(low)
    ):
        return []
    wide = max(high[own]) - min(low[own])
    if wide <= (1 + SLACK) * float(np.median(high[own] - low[own])):
        return []
    seen = numbers(cases, "level_min")[own]
    # A signed file may declare negative values and have none, but for what rounding makes of zero.
    negative = bool((seen < -1e-3 * (high[own] - low[own])).any())
    lowest = -_rounded_up(-float(min(low[own]))) if negative and min(low[own]) < 0 else 0.0
    evidence = {
        "images": int(own.sum()),
        "ranges": len(ranges),
        "range_low": lowest,
        "range_high": _rounded_up(float(max(high[own]))),
    }
    return [Finding("levels_undeclared", "warning", evidence=evidence, variant="by_file")]


def _floats_beyond(dataset: Dataset) -> list[Finding]:
    cases = dataset.cases
    taken = column(cases, "dtype").eq("float32").fill_null(False).to_numpy()
    taken &= (numbers(cases, "low") == 0) & (numbers(cases, "high") == 1)
    lowest, highest = numbers(cases, "smallest_value")[taken], numbers(cases, "largest_value")[taken]
    known = np.isfinite(lowest) & np.isfinite(highest)
    if dataset.facts.value_range is not None or not known.any():
        return []
    low, high = float(lowest[known].min()), float(highest[known].max())
    value_range = true_range(low, high)
    if value_range is None:
        return []
    evidence = {
        "images": int(((lowest < -SLACK) | (highest > 1 + SLACK)).sum()), "lowest_value": low, "highest_value": high,
        "range_low": value_range[0], "range_high": value_range[1],
    }  # fmt: skip
    return [Finding("levels_undeclared", "error", evidence=evidence, variant="floats")]


def true_range(lowest: float, highest: float) -> tuple[float, float] | None:
    """The range that floats seem to have which do not keep to 0 to 1; None where they do, but for what resampling does.

    >>> true_range(0, 249.5), true_range(3, 3071), true_range(-2.113, 4.5), true_range(0, 100), true_range(-0.02, 1.03)
    ((0.0, 255.0), (0.0, 4095.0), (-2.12, 4.5), (0.0, 100.0), None)
    >>> true_range(0, 255.00002), true_range(-0.05, 257), true_range(0, 258)
    ((0.0, 255.0), (0.0, 255.0), (0.0, 511.0))
    """
    if lowest >= -SLACK and highest <= 1 + SLACK:
        return None
    if lowest < -SLACK:
        return -_rounded_up(-lowest), _rounded_up(max(0.0, highest))
    top = next((top for top in DEPTHS if highest <= top * (1 + OVER)), None)
    return 0.0, float(top) if top is not None and highest > DEPTHS[0] // 2 else _rounded_up(highest)


def _rounded_up(value: float) -> float:
    """To three digits, whole numbers to one.

    >>> _rounded_up(4.8712), _rounded_up(1023.2), _rounded_up(-0.5)
    (4.88, 1024.0, -0.5)
    """
    step = min(1.0, 10.0 ** (math.floor(math.log10(abs(value))) - 2)) if value else 1.0
    return round(math.ceil(value / step - 1e-6) * step, 12)


def _few_of_sixteen_bits(dataset: Dataset) -> list[Finding]:
    cases = dataset.cases
    formats = column(cases, "format").fill_null("").str.to_lowercase()
    deep = (numbers(cases, "high") - numbers(cases, "low") >= 65535) & ~formats.is_in(DECLARES).to_numpy()
    top, bottom = numbers(cases, "level_max"), numbers(cases, "level_min")
    if deep.any() and float(bottom[deep].min()) < 0:
        lowest, highest = float(bottom[deep].min()), float(top[deep].max())
        if highest - lowest >= 65536 / 4:
            return []
        evidence = {"images": int(deep.sum()), "lowest_level": lowest, "highest_level": highest,
                    "range_low": -_rounded_up(-lowest), "range_high": _rounded_up(max(1.0, highest))}  # fmt: skip
        return [Finding("levels_undeclared", "warning", evidence=evidence, variant="signed")]
    if not deep.any() or not 0 < (highest := float(top[deep].max())) < 65536 / 4:
        return []
    bits = max(8, int(np.ceil(np.log2(highest + 1))))
    evidence = {"images": int(deep.sum()), "highest_level": highest, "bits": bits, "range_high": 2**bits - 1}
    return [Finding("levels_undeclared", "warning", evidence=evidence, variant="sixteen_bits")]


def depth_stray(dataset: Dataset) -> list[Finding]:
    """Images whose declared range has another number of bits than nearly all of their peers (8 among 12)."""
    bits = column(dataset.cases, "bits").cast(pl.Int64, strict=False)
    counts = bits.drop_nulls().value_counts().sort("count", "bits", descending=True)
    if counts.height < 2 or counts["count"][0] < (1 - STRAY) * bits.len():
        return []
    stray = (bits != counts["bits"][0]).fill_null(False).to_numpy()
    darkest = -bits.fill_null(0).to_numpy()
    return warn("depth_stray", dataset.cases, stray, darkest, typical=counts["bits"][0], bits=counted(bits))


def depth_padded(dataset: Dataset) -> list[Finding]:
    """Data of 8 bits or fewer in files that declare 10 or more: levels that never leave 0..255, or leave gaps."""
    cases = dataset.cases
    integer = ~column(cases, "dtype").fill_null("").str.starts_with("float").to_numpy()
    deep = (numbers(cases, "bits") >= 10) & integer & (numbers(cases, "std") > 0)
    step, used = numbers(cases, "level_step"), numbers(cases, "levels_used")
    gaps = (used <= 256) & (used >= 16) & (step >= 2)
    low = (numbers(cases, "level_max") <= 255) & (numbers(cases, "level_min") >= 0) & (used >= 16)
    found = deep & (gaps | low)
    most = bool(found.sum() > len(found) / 2)
    fewest = int(used[found].min(initial=256))
    return warn(
        "depth_padded", cases, found, -used, "most" if most else "", "info" if most else "warning", fewest_levels=fewest
    )
