"""Exclusions: what the user has left out, on the record like everything else that shaped the result."""

from __future__ import annotations

import polars as pl

from evenray.core.findings import Finding

from ._cases import counted, grouped

__all__ = ["excluded"]


def excluded(exclusions: pl.DataFrame) -> list[Finding]:
    """A remark that lists the cases left out (columns case and reason), together where the reason is the same."""
    ordered = exclusions.sort(pl.len().over("reason"), "reason", "case", descending=[True, False, False])
    groups = [tuple(group["case"]) for group in ordered.partition_by("reason", maintain_order=True)]
    return grouped("excluded", "info", groups, reasons=counted(exclusions["reason"]))
