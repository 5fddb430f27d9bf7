"""What goes back into a study, made of files: no PACS is asked."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.uid import generate_uid

from evenray.learning.predict.decoding import Item, opened
from evenray.learning.predict.files import predict
from evenray.serve.models import Models
from evenray.serve.pacs.results import Results, Sources
from evenray.stages import file_overlays
from tests.serve.conftest import untrained
from tests.serve.pacs.conftest import film


@pytest.mark.parametrize("side", [None, 96])
def test_a_detector_answers_with_a_report_and_overlays_also_where_it_looks_at_windows(
    side: int | None, tmp_path: Path
) -> None:
    models = Models([str(untrained(tmp_path / "model", "detect", side=side))], "cpu")
    image = tmp_path / "1.dcm"
    film(generate_uid(), generate_uid()).save_as(image, enforce_file_format=True)
    loaded, sources = models.get(None), Sources({"1": image})
    found, results = predict(loaded.model, [Item("1", image)]), Results(loaded, "cpu")
    tasks = results.tasks(found, sources)
    decoded = (opened(task, found.about.preparation) for task in tasks)
    drawn = list(results.pictures(tasks, decoded, found, sources, tmp_path))
    assert drawn
    assert pydicom.dcmread(drawn[0]).SeriesDescription.startswith("evenray layer_attribution")
    results.report(found, sources, {}, tmp_path / "report.dcm")
    assert pydicom.dcmread(tmp_path / "report.dcm").Modality == "SR"
    models.close()


def told_and_drawn(model: Path, what: str) -> tuple[set[str], set[str]]:
    """The classes of which the answer of a film has boxes or pixels (`what`), and those that have overlays, by number."""
    models, image = Models([str(model)], "cpu"), model.parent / "1.dcm"
    film(generate_uid(), generate_uid()).save_as(image, enforce_file_format=True)
    loaded, sources = models.get(None), Sources({"1": image})
    found, results = predict(loaded.model, [Item("1", image)]), Results(loaded, "cpu")
    [row] = found.table.to_dicts()
    told = {str(k) for k, name in enumerate(found.about.classes) if row[f"{what}_{name}"] > 0}
    tasks = results.tasks(found, sources)
    decoded = (opened(task, found.about.preparation) for task in tasks)
    pictures = results.pictures(tasks, decoded, found, sources, model.parent)
    drawn = {path.stem.rpartition("-")[2] for path in pictures}
    models.close()
    return told, drawn


@pytest.mark.parametrize("threshold", [0.02, 0.6, 0.98])
def test_overlays_of_boxes_are_of_what_the_report_tells(
    threshold: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the thresholds of the run; the network is asked again only where no box was called, for the most probable class."""
    asked, own = list[object](), file_overlays.chances
    monkeypatch.setattr(file_overlays, "chances", lambda *given: asked.append(given) or own(*given))
    told, drawn = told_and_drawn(untrained(tmp_path / "model", "detect", threshold=threshold), "boxes")
    assert bool(told) == (threshold < 0.9)
    assert drawn == told or (not told and len(drawn) == 1)
    assert len(asked) == (not told)


@pytest.mark.parametrize("threshold", [0.02, 0.98])
def test_overlays_of_masks_are_of_what_the_report_tells_also_of_images_seen_in_windows(
    threshold: float, tmp_path: Path
) -> None:
    """The most probable class where none was called."""
    marked, drawn = told_and_drawn(untrained(tmp_path / "model", "segment", threshold=threshold, side=96), "pixels")
    assert bool(marked) == (threshold < 0.5)
    assert drawn == marked or (not marked and len(drawn) == 1)
