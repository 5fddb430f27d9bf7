"""Tables of boxes without a line of column names: the line that the error names makes them readable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evenray.core.errors import DataError
from evenray.data.annotations import read_boxes
from evenray.data.annotations.finding import Wanted
from evenray.data.annotations.headless import without_header
from evenray.data.scan import scan

from .drawn import N, boxes_of, image


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("sides", [True, False])
def test_the_line_that_is_missing_is_named_and_works(named: bool, sides: bool, tmp_path: Path) -> None:
    lines = ["images/0.png,,,,,"]
    for n in range(N):
        image(tmp_path / "images" / f"{n}.png", n)
        for kind, x0, y0, x1, y1 in boxes_of(n) if n else ():
            four = (x0, y0, x1 - x0, y1 - y0) if sides else (x0, y0, x1, y1)
            lines.append(f"images/{n}.png,{','.join(map(str, four))},c{kind}")
    table = tmp_path / "annotations.csv"
    table.write_text("\n".join(lines) + "\n")
    wanted = Wanted("detect", boxes=str(table) if named else None)
    with pytest.raises(DataError, match="no line that names its columns") as error:
        scan(tmp_path, wanted=wanted)
    line = re.search(r"write '([^']+)' above", str(error.value))
    assert line is not None
    table.write_text("\n".join([line[1], *lines]) + "\n")
    dataset = scan(tmp_path, wanted=wanted)
    for row, file in enumerate(dataset.cases["file"]):
        n = int(Path(file).stem)
        assert sorted(map(tuple, read_boxes(dataset, row).tolist())) == (sorted(boxes_of(n)) if n else [])


@pytest.mark.parametrize("text", ["a,b,c,d,e,f\n", "name,1,2,3,4\n", "x.png,1,2,3,many,cell\n", "x.png,,,,,\n", ""])
def test_other_tables_are_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    assert not without_header([tmp_path / "a.csv", tmp_path / "absent.csv"])
