"""Exclusions: what the user has left out, on the record like everything else that shaped the result."""

from __future__ import annotations

import polars as pl

from evenray.core.types import Finding

from ._table import group_sizes, values_text

__all__ = ["left_out"]


def left_out(exclusions: pl.DataFrame) -> list[Finding]:
    """A remark that lists the cases left out (columns case and reason), together where the reason is the same."""
    if not exclusions.height:
        return []
    ordered = exclusions.sort(pl.len().over("reason"), "reason", "case", descending=[True, False, False])
    groups = [tuple(group["case"]) for group in ordered.partition_by("reason", maintain_order=True)]
    return [
        Finding(
            "excluded",
            "info",
            "Images left out as asked",
            "Nothing was learnt from them, tested on them or judged by them. To have one back, say keep in its row of the file.",
            tuple(name for group in groups for name in group),
            {
                "images": exclusions.height,
                "reasons": values_text(exclusions["reason"]),
                "group_sizes": group_sizes(groups),
            },
        )
    ]
