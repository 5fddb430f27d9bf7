"""Sources: does each class come from everywhere, or has one class a source of its own?"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.findings import Finding, Severity
from evenray.core.types import Dataset

from ._cases import column, patient_numbers

__all__ = ["association_p", "sources"]

NAMED = ("site", "manufacturer", "modality", "view", "photometric", "format", "sex")
STRONG, MODERATE = 0.5, 0.2  # Cramér's V
UNLIKELY = 1e-3
MANY = 20  # values: more than this is an identifier, not a source


def sources(dataset: Dataset) -> list[Finding]:
    """Properties whose values are spread unevenly over the classes: Cramér's V above 0.2 (remark) or 0.5 (warning).

    Told where chance makes so much of it less than once in a thousand times, by permuting patients and not images
    (`association_p`).
    """
    from scipy.stats.contingency import association

    found, patients = [], patient_numbers(dataset.cases)
    for name in NAMED:
        table = pl.DataFrame(
            {"value": column(dataset.cases, name).cast(pl.String), "label": dataset.cases["label"], "patient": patients}
        ).drop_nulls()
        if not 2 <= table["value"].n_unique() <= MANY or table["label"].n_unique() < 2:
            continue
        mixes: dict[str, dict[str, int]] = {}
        for value, label, count in table.group_by("value", "label").len().sort("value", "label").iter_rows():
            mixes.setdefault(value, {})[label] = count
        classes = table["label"].unique().to_list()
        observed = np.array([[mix.get(label, 0) for label in classes] for mix in mixes.values()])
        v = float(association(observed, method="cramer"))
        if (
            v < MODERATE
            or association_p(*(table[each].to_numpy() for each in ("value", "label", "patient"))) >= UNLIKELY
        ):
            continue
        largest_first = dict(sorted(mixes.items(), key=lambda item: -sum(item[1].values())))
        evidence = {"property": name, "cramers_v": round(v, 3), "counts": largest_first}
        severity: Severity = "warning" if v >= STRONG else "info"
        found.append(Finding("sources", severity, evidence=evidence, variant="clear" if v >= STRONG else "slight"))
    return found


def association_p(values_N: NDArray[Any], labels_N: NDArray[Any], patients_N: NDArray[np.int64]) -> float:
    """How often chance alone ties values to labels so closely, where patients are dealt out anew with all their images.

    Each patient has counts of the values and a share of the labels; permuting the shares over the patients leaves the table of
    values by labels with a known mean and covariance, and its squared distance from the mean, in units of that, is about
    chi-squared (Strasser & Weber 1999). Where each patient has one image that is Pearson's test.

    >>> value, label = np.repeat(["a", "b"], 50), np.repeat(["x", "y"], 50)
    >>> association_p(value, label, np.arange(100)) < 1e-9, association_p(value, label, np.repeat(np.arange(4), 25)) > 0.05
    (True, True)
    """
    from scipy.stats import chi2

    patients = np.unique(patients_N, return_inverse=True)[1]
    P = int(patients.max()) + 1
    if P < 3:
        return 1.0
    counted = []
    for each in (values_N, labels_N):
        kinds, kind = np.unique(each, return_inverse=True)
        table = np.zeros((P, len(kinds)))
        np.add.at(table, (patients, kind), 1)
        counted.append(table)
    values_PV, labels_PC = counted[0], counted[1] / counted[1].sum(axis=1, keepdims=True)
    gap = (values_PV.T @ (labels_PC - labels_PC.mean(axis=0))).ravel()
    covariance = np.kron(np.cov(values_PV.T) * (P - 1), np.cov(labels_PC.T) * (P - 1)) / (P - 1)
    inverse = np.linalg.pinv(covariance, rcond=1e-9, hermitian=True)
    rank = np.linalg.matrix_rank(covariance, tol=1e-9 * np.abs(covariance).max(), hermitian=True)
    return float(chi2.sf(gap @ inverse @ gap, rank)) if rank else 1.0
