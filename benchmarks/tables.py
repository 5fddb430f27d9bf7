"""Tables of labels at scale: 500,000 rows that label 200,000 files, from the text to a file with its label.

    python benchmarks/tables.py [--quick] [--json FILE]

CPU seconds of one process, and by how much the peak of memory grows, in multiples of the table's own (its columns as text; nothing
where an earlier row grew as far). The files are names
alone: listing a real folder and reading images is not measured here.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

from evenray.data.scan.table_listing import list_tree
from evenray.data.tables.labels import LabelTable
from evenray.data.tables.raw_table import read_raw_table
from evenray.data.tables.seen import Seen

TARGET_SECONDS = 5.0


def drawn(folder: Path, rows: int, files: int, style: str) -> tuple[Path, list[str]]:
    """A table with rows for files that are there and others that are not, and the files' names."""
    ending = "" if style == "stems" else ".png"
    place = "data/images/" if style == "other folder" else ""
    lines = ["image_id,patient_id,sex,age,site,diagnosis"]
    for n in range(rows):
        person = f"P{n // 4:06d},{'MF'[n // 4 % 2]},{20 + n // 4 % 70}"
        lines.append(f"{place}img_{n:07d}{ending},{person},site {n % 5},{['benign', 'malignant'][n % 9 == 0]}")
    table = folder / "labels.csv"
    table.write_text("\n".join(lines) + "\n")
    return table, [f"part_{n % 12:02d}/img_{n:07d}.png" for n in range(0, rows, rows // files)][:files]


def measured(rows: int, files: int, style: str) -> tuple[float, float, int]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        table, names = drawn(folder, rows, files, style)
        size = read_raw_table(table).estimated_size()
        held, before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        found = LabelTable.read(table, Seen(folder, lambda: names, lambda file: None))
        listed = list_tree(folder, found, names, lambda file: None)
        seconds = time.process_time() - before
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) * 1024
        assert listed.table is not None
        return seconds, grown / size, listed.table.table.height


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="a tenth of the rows and files")
    options.add_argument("--json", type=Path, help="write the figures to this file")
    asked = options.parse_args()
    rows, files = (50_000, 20_000) if asked.quick else (500_000, 200_000)
    figures = {}
    print(f"{rows:,} rows, {files:,} files\n\n| paths | CPU s | memory / table | files labelled |\n|---|---|---|---|")
    for style in ("names", "stems", "other folder"):
        seconds, memory, labelled = measured(rows, files, style)
        print(f"| {style} | {seconds:.2f} | {memory:.1f} | {labelled:,} |")
        figures[f"match {style}, CPU s"] = {
            "value": seconds,
            "target": TARGET_SECONDS,
            "met": seconds <= TARGET_SECONDS,
        }
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
