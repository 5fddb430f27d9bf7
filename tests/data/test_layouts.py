"""Twenty collections as they come: read right with no option, or refused by a sentence whose command reads them right."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.core.errors import DataError
from evenray.data.scan.listing import listing
from evenray.data.scan.scanning import scan_listed
from evenray.data.tables.expressions import columns_asked
from evenray.data.tables.labels import Choices

from .drawn_layouts import LAYOUTS


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_collection_as_it_comes(name: str, tmp_path: Path) -> None:
    truth = LAYOUTS[name](tmp_path)
    data, labels = tmp_path / truth.data, tmp_path / truth.table if truth.table else None
    if truth.options:
        with pytest.raises(DataError, match=f"say .*--column {truth.options}"):
            listing(data, labels=labels)
    choices = Choices(columns_asked([truth.options] if truth.options else []))
    found = listing(data, labels=labels, choices=choices)
    assert found.reading.task == truth.task
    dataset = scan_listed(found)
    assert len(dataset) == truth.images
    assert dataset.facts.task == truth.task
    if truth.task == "tag":
        counts = {
            name: int(dataset.cases["findings"].list.get(at).sum() or 0) for at, name in enumerate(dataset.classes)
        }
        assert {name: count for name, count in counts.items() if count} == truth.labels
        assert dataset.cases["label"].null_count() == len(dataset)
    else:
        assert dataset.counts == truth.labels
    patients = dataset.cases["patient"]
    assert (patients.n_unique() if patients.null_count() == 0 else None) == truth.patients
    assert dataset.cases["part"].drop_nulls().n_unique() == truth.parts
    assert not dataset.rejected.height
