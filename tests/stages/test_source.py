"""What a run is made of: when it is another than before."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.core.recipe import ScanSettings
from evenray.core.run import Run
from evenray.stages.line import run
from evenray.stages.source import Source

from ..data.annotations.drawn import N, image, mask_of, write
from .conftest import Heard, job


@pytest.mark.parametrize("place", ["data", "masks"])
def test_names_of_masks_that_are_corrected_are_read_again(place: str, tmp_path: Path) -> None:
    """Beside the images, and in a folder of masks that the user names."""
    for n in range(N):
        image(tmp_path / "data" / f"{n}.png", n)
        write(tmp_path / "masks" / f"{n}.png", mask_of(n))
    names = tmp_path / place / "classes.txt"
    wrong, right = ("liver", "spleeen"), ("liver", "spleen")
    for text, classes, worked in (
        ("\n".join(wrong), wrong, ["scan"]),
        ("\n".join(right), right, ["scan"]),
        (None, right, []),
    ):
        if text:
            names.write_text(text)
        heard = Heard()
        run(job(tmp_path / "run", tmp_path / "data", events=heard, masks=str(tmp_path / "masks")), "scan")
        assert heard.done == worked
        found = Run(tmp_path / "run").dataset
        assert found is not None
        assert found.classes == classes


def test_moved_files_are_the_same(tmp_path: Path) -> None:
    for n in range(N):
        image(tmp_path / "one" / f"{n}.png", n)
        write(tmp_path / "one" / "masks" / f"{n}.png", mask_of(n))
    (tmp_path / "one" / "classes.txt").write_text("liver\nspleen\n")
    before = Source(str(tmp_path / "one"), ScanSettings()).stamp
    (tmp_path / "one").rename(tmp_path / "other")
    assert Source(str(tmp_path / "other"), ScanSettings()).stamp == before
