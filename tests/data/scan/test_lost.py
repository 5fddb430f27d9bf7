"""A file that ends the process which reads it is set aside, and the others of its task are read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from evenray.data.scan import scan, scanning
from evenray.scale import isolated


class Deadly:
    """The scan's own function, in a process where one of the files makes the decoder crash."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, task: Any) -> Any:
        read = scanning.read

        def deadly(path: Path, **options: Any) -> Any:
            if path.name.startswith("bad"):
                os.abort()
            return read(path, **options)

        scanning.read = deadly
        try:
            return self.function(task)
        finally:
            scanning.read = read


def test_only_the_file_that_ends_its_process_is_lost(tmp_path: Path) -> None:
    names = [f"{number:03d}.png" for number in range(80)]
    names[7], names[8], names[63] = "bad7.png", "bad8.png", "bad63.png"
    for number, name in enumerate(names):
        (tmp_path / "ab"[number % 2]).mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "ab"[number % 2] / name), np.full((9, 9), number, np.uint8))
    found = scan(tmp_path, map=lambda function, items: isolated(2)(Deadly(function), items))
    assert len(found) == 77
    assert sorted(Path(file).name for file in found.rejected["file"]) == ["bad63.png", "bad7.png", "bad8.png"]
    assert all("its decoder crashes on it (SIGABRT)" in reason for reason in found.rejected["reason"])
