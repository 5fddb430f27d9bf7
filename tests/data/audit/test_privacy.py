"""What identifies a person stands in no finding and no proposal."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import polars as pl

from evenray.core.types import Dataset
from evenray.data.audit import audit, propose_exclusions

CANARY = "ROSSI^MARIA-19510203"
IDENTIFYING = ("patient", "study", "file", "fragment", "sha256", "pixel_hash", "sex_birth_hash", "window_explanation")


def test_canaries_in_identifying_columns_reach_no_finding(clean: Dataset) -> None:
    """Every check is provoked, with a canary in each column that may come near a name, an identifier or a date."""
    count = len(clean)
    marked = clean.cases.with_columns(
        **{name: pl.Series([f"{CANARY}-{name}-{i // 3}" for i in range(count)]) for name in IDENTIFYING},
        birth_year=pl.lit(19510203),
        part=pl.Series(["train", "test", "validation"] * (count // 3)),
        manufacturer=pl.Series(["Maker", "Other"] * (count // 2)),
        sex=pl.Series(["F", "M"] * (count // 2)),
    )
    rejected = pl.DataFrame({"file": [f"{CANARY}.dcm"], "reason": ["the pixel data ends after 12 of 512 rows"]})
    data = replace(clean, cases=marked, rejected=rejected)
    found = audit(data)
    assert {"leakage_patients", "leakage_duplicates", "patients_reused", "unreadable"} <= {f.check for f in found}
    written = json.dumps([asdict(finding) for finding in found]) + propose_exclusions(found, data).write_csv()
    for secret in ("ROSSI", "MARIA", "19510203"):
        assert secret not in written
