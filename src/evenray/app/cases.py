"""The table of cases as a browser filters it: columns of small numbers, which name no file and no person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel

from evenray.core.annotations import Task
from evenray.core.findings import Finding
from evenray.core.run import Run
from evenray.core.sketches import blocks
from evenray.core.texts import Texts
from evenray.core.types import Dataset, Predictions
from evenray.metrics import decide

__all__ = ["Cases", "FindingRows", "GreyLevels", "cases_of", "finding_rows", "grey_levels"]

BINS = 256


class Cases(BaseModel):
    """A row a case, in the order of the data set.

    `members` are the classes or findings that it has, `called` those that the network called (null where it has not said, or
    says where rather than what), `probability` that of the positive class, of more classes that of the class called;
    `part` and `site` are indices of `parts` and `sites` (-1: none). `figure` is, of masks and boxes, the Dice or F1 of the case.
    """

    task: Task
    classes: tuple[str, ...]
    positive: str
    parts: list[str]
    sites: list[str]
    case: list[str]
    members: list[list[int]]
    part: list[int]
    site: list[int]
    rows: list[int]
    columns: list[int]
    bits: list[int | None]
    channels: list[int | None]
    called: list[list[int] | None]
    probability: list[float | None]
    figure: list[float | None]
    figure_name: str
    thumbnails: bool


class FindingRows(BaseModel):
    """A finding of the audit in words; `rows` and `groups` are numbers of cases."""

    check: str
    severity: str
    title: str
    advice: str
    rows: list[int]
    groups: list[list[int]]


class GreyLevels(BaseModel):
    """The share of pixels in each of 256 levels of the declared range, by class: the mean over its images."""

    images: dict[str, int]
    shares: dict[str, list[float]]


def cases_of(run: Run, dataset: Dataset) -> Cases:
    """What a browser needs of all cases, some 60 bytes each."""
    table = dataset.cases
    members = np.column_stack([*dataset.members.values()]) if dataset.classes else np.zeros((len(dataset), 0), bool)
    parts, part = _coded(table, "part")
    sites, site = _coded(table, "site")
    called, probability = _called(run, dataset)
    figure_name, figure = _figures(run, dataset)
    return Cases(
        task=dataset.facts.task, classes=dataset.classes, positive=dataset.positive, parts=parts, sites=sites,
        case=table["case"].to_list(), members=[np.flatnonzero(row).tolist() for row in members], part=part, site=site,
        rows=table["rows"].to_list(), columns=table["columns"].to_list(), bits=_column(table, "bits"),
        channels=_column(table, "channels"), called=called, probability=probability, figure=figure,
        figure_name=figure_name, thumbnails=dataset.has_sketch("thumbnail"),
    )  # fmt: skip


def _column(table: pl.DataFrame, name: str) -> list[int | None]:
    return table[name].to_list() if name in table.columns else [None] * table.height


def _coded(table: pl.DataFrame, name: str) -> tuple[list[str], list[int]]:
    """The values of a column in order, and for each case the number of its value."""
    if name not in table.columns:
        return [], [-1] * table.height
    names = table[name].drop_nulls().unique().sort().to_list()
    index = {value: k for k, value in enumerate(names)}
    return names, [index.get(value, -1) for value in table[name]]


def _called(run: Run, dataset: Dataset) -> tuple[list[list[int] | None], list[float | None]]:
    nothing: tuple[list[list[int] | None], list[float | None]] = ([None] * len(dataset), [None] * len(dataset))
    said, results = run.predictions, run.results
    if said is None or results is None or said.task not in ("classify", "tag"):
        return nothing
    once = Predictions(
        said.table.unique("case", keep="first", maintain_order=True), said.classes, said.positive, said.task
    )
    p_NK = once.probabilities
    if said.task == "tag":
        cuts = np.array(
            [results.findings[name].threshold if name in results.findings else None for name in said.classes], float
        )
        found = [np.flatnonzero(row >= cuts).tolist() for row in p_NK]
        p_N = p_NK.max(axis=1)
    else:
        index = decide(once, results.threshold)
        found = [[int(k)] for k in index]
        p_N = p_NK[:, once.positive_index] if len(said.classes) == 2 else p_NK[np.arange(len(index)), index]
    own = pl.DataFrame(
        {"case": once.table["case"], "called": found, "p": p_N}, schema_overrides={"called": pl.List(pl.Int64)}
    )
    joined = dataset.cases.select("case").join(own, on="case", how="left", maintain_order="left")
    return joined["called"].to_list(), joined["p"].round(4).to_list()


def _figures(run: Run, dataset: Dataset) -> tuple[str, list[float | None]]:
    """How well each case was marked: its mean Dice, or the F1 of its boxes."""
    from evenray.stages.box_overlays import case_boxes
    from evenray.stages.overlays import case_figures

    if run.predictions is None or run.results is None or run.predictions.task not in ("segment", "detect"):
        return "", [None] * len(dataset)
    if run.predictions.task == "segment":
        name, table = "dice", case_figures(run.predictions)
    else:
        cuts = [record.threshold or 0.0 for record in run.results.findings.values()]
        name, table = "f1", case_boxes(run.predictions, cuts)
    joined = dataset.cases.select("case").join(table.unique("case"), on="case", how="left", maintain_order="left")
    return name, joined[name].round(4).to_list()


def finding_rows(findings: Sequence[Finding], dataset: Dataset, texts: Texts) -> list[FindingRows]:
    """The findings of an audit as words and rows; cases that are not there any more are left out."""
    row_of = {case: row for row, case in enumerate(dataset.cases["case"])}

    def rows(cases: Sequence[str]) -> list[int]:
        return [row_of[case] for case in cases if case in row_of]

    return [
        FindingRows(
            check=each.check, severity=each.severity, title=texts.message(each.title), advice=texts.message(each.advice),
            rows=rows(each.cases), groups=[rows(group) for group in each.groups],
        )
        for each in findings
    ]  # fmt: skip


def grey_levels(dataset: Dataset) -> GreyLevels | None:
    """The mean histogram of each class, from the sketches; None where there are none."""
    if not dataset.has_sketch("histogram"):
        return None
    members = dataset.members or {"": np.ones(len(dataset), bool)}
    sums: dict[str, NDArray[np.float64]] = {name: np.zeros(BINS) for name in members}
    for rows in blocks(len(dataset)):
        counts = dataset.sketch("histogram", rows).astype(np.float64)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        for name, has in members.items():
            sums[name] += shares[has[rows]].sum(axis=0)
    images = {name: int(has.sum()) for name, has in members.items()}
    means = {name: np.round(total / max(images[name], 1), 6).tolist() for name, total in sums.items()}
    return GreyLevels(images=images, shares=means)
