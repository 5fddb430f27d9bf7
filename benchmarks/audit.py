"""What the audit costs and what it finds: `python benchmarks/audit.py [--quick] [cost|near|memory|faults ...]`.

`--data FOLDER` holds chest-xray-224, chest-xray-full and breast-ultrasound-256. `faults` plants faults of every kind into copies
of real images, prints recall and precision of each check, and gives CleanVision the same folder. CleanVision needs an
environment of its own: `python -m venv cv && cv/bin/pip install cleanvision==0.3.7`, then `--cleanvision cv/bin/python` (or
$CLEANVISION); without it, what compares with it is not measured. Times are of the processor where one process works, so that a
busy machine does not count. `--json FILE` writes {name: {"value", "target", "met"}}.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
from figures import Figures, note, told
from numpy.typing import NDArray
from xray import default_data

from evenray.core.types import Dataset
from evenray.data.audit import audit, checks, measure, near_groups
from evenray.data.scan import scan
from evenray.images.histogram import Histogram
from evenray.images.readers import read

Grey = NDArray[np.uint8]
RNG = np.random.default_rng(0)


def cost(figures: Figures, data: Path, quick: bool) -> None:
    """All measures of an image against reading it; processor time, one thread, the least of several runs."""
    cv2.setNumThreads(1)
    print("an image (ms)                    read   measure   ratio")
    for name, kind, count in (
        ("chest-xray-224/train/NORMAL", "JPEG of 224 pixels", 200),
        ("breast-ultrasound-256/benign", "PNG of 256 pixels", 200),
        ("chest-xray-full", "full-size JPEG", 65),
    ):
        files = sorted(file for file in (data / name).rglob("*.*"))[: count // 4 if quick else count]
        images = [read(file) for file in files]
        histograms = [Histogram.of(image) for image in images]
        times = 3 if quick else 5
        reading = least(lambda files=files: [read(file) for file in files], times)
        pairs = list(zip(images, histograms, strict=True))
        measuring = least(lambda pairs=pairs: [measure(*pair) for pair in pairs], times)
        per = 1e3 / len(files)
        print(f"{name:30} {reading * per:6.2f}    {measuring * per:6.2f}    {measuring / reading:.2f}")
        note(figures, f"all measures / decoding, {kind}", measuring / reading, "<= 1.0")


def least(work: Callable[[], object], times: int) -> float:
    found = []
    for _ in range(times):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def near(figures: Figures, data: Path, quick: bool) -> None:
    """Near duplicates among 100,000 aligned images, blends of chest X-rays, of which 1 % are planted copies."""
    for count in (100_000,) if quick else (10_000, 100_000):
        seconds, recall, precision = alone(near_among, data, count)
    note(figures, "near duplicates among 100,000: s", seconds, "<= 10")
    note(figures, "near duplicates among 100,000: recall", recall, ">= 0.95")
    note(figures, "near duplicates among 100,000: precision", precision, ">= 0.95")


def alone(function: Callable[[Path, int], Any], data: Path, count: int) -> Any:
    """What it returns in a process of its own, so that its peak of memory is its own."""
    sys.stdout.flush()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, (data, count))


def near_among(data: Path, count: int) -> tuple[float, float, float]:
    dataset, copies = blends(data, count)
    before, start, spent = held(), time.perf_counter(), time.process_time()
    groups = near_groups(dataset)
    seconds = time.perf_counter() - start
    found = {frozenset((a, b)) for group in groups for a in group.cases for b in group.cases if a < b}
    recall, precision = len(found & copies) / len(copies), len(found & copies) / len(found)
    print(
        f"{count:,} images: {seconds:.1f} s ({time.process_time() - spent:.1f} s of processor), "
        f"{peak() - before:.0f} MB more at the peak; recall {recall:.3f}, precision {precision:.3f}",
        flush=True,
    )
    return seconds, recall, precision


def blends(data: Path, count: int) -> tuple[Dataset, set[frozenset[str]]]:
    files = sorted((data / "chest-xray-224/train").rglob("*.jpeg"))[::4]
    small = np.stack([cv2.resize(cv2.imread(str(f), 0), (32, 32), interpolation=cv2.INTER_AREA) for f in files])
    pixels = np.empty((count, 32, 32), np.uint8)
    for i in range(count):
        a, b = RNG.integers(0, len(small), 2)
        person = cv2.resize(RNG.normal(0, 10, (8, 8)).astype(np.float32), (32, 32), interpolation=cv2.INTER_CUBIC)
        mixed = cv2.addWeighted(small[a], w := RNG.uniform(0.3, 0.7), small[b], 1 - w, 0) + person
        pixels[i] = np.clip(mixed, 0, 255)
    copied = count // 100
    sources = RNG.choice(count - copied, copied, replace=False)
    for i, source in enumerate(sources):
        changed = 255 * (pixels[source] / 255) ** RNG.uniform(0.75, 1.3) + RNG.normal(0, 2, (32, 32))
        pixels[count - copied + i] = np.clip(changed, 0, 255)
    from evenray.data.audit._fingerprint import fingerprint_of

    names = [f"{i:07d}" for i in range(count)]
    prints = fingerprint_of(pixels).reshape(-1, 64).astype("<f2")
    columns = {"sketch": np.arange(count), "case": names, "pixel_hash": names}
    table = pl.DataFrame(columns).with_columns(std=pl.lit(0.2), label=pl.lit("a"))
    dataset = Dataset(table, ("a",), "a", ".", sketches={"fingerprint": prints, "thumbnail": pixels})
    return dataset, {frozenset((names[s], names[count - copied + i])) for i, s in enumerate(sources)}


def memory(figures: Figures, data: Path, quick: bool) -> None:
    """`evenray audit` of 10,000 and of 100,000 images, the same files listed many times: scan, checks, findings and page."""
    counts = (1_000, 10_000) if quick else (10_000, 100_000)
    (less, least), (more, most) = (memory_of(data, count) for count in counts)
    each = 1e3 * (more - less) / (counts[1] - counts[0])
    print(
        f"{each:.2f} kB an image more, of which {1e3 * (most - least) / (counts[1] - counts[0]):.2f} kB the table's row"
    )
    if not quick:
        beyond = more - less - (most - least)
        note(figures, "memory of the command beyond the table: MB more for 90,000 more images", beyond, "<= 100")
        note(figures, "memory of the command: kB an image", each, "<= 2")


TOLD = """
import atexit, sys
from pathlib import Path
def tell():
    lines = Path("/proc/self/status").read_text().splitlines()  # Linux, as all of /proc
    Path(sys.argv[-1]).with_name("peak").write_text(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
atexit.register(tell)
from evenray.cli import main
main()
"""


def memory_of(data: Path, count: int) -> tuple[float, float]:
    """MB at the peak of the command, and of the table of cases."""
    files = sorted((data / "chest-xray-224/test").rglob("*.jpeg"))
    with tempfile.TemporaryDirectory() as place:
        for i in range(count):
            file = files[i % len(files)].absolute()
            folder = Path(place) / "data" / file.parent.name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{i // len(files):05d}-{file.name}").symlink_to(file)
        start = time.perf_counter()
        run = [sys.executable, "-c", TOLD, "audit", f"{place}/data", "-o", f"{place}/run"]
        subprocess.run(run, capture_output=True, check=True)
        seconds, most = time.perf_counter() - start, int((Path(place) / "peak").read_text()) / 1e3
        with io.BytesIO() as packed:
            pl.read_parquet(f"{place}/run/cases.parquet").write_ipc(packed)
            table = packed.tell() / 1e6
    print(
        f"{count:,} images: {seconds:.1f} s, {most:.0f} MB at the peak, the table of cases {table:.0f} MB", flush=True
    )
    return most, table


def held() -> float:
    """MB that this process holds, its peak forgotten: what making the table took for a moment would hide what audits take."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # Linux, as all of /proc
    return _status("VmRSS")


def peak() -> float:
    return _status("VmHWM")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith(name))


def sprinkled(grey: Grey) -> Grey:
    done, spots = grey.copy(), max(8, grey.size // 400)
    done[RNG.integers(0, grey.shape[0], spots), RNG.integers(0, grey.shape[1], spots)] = RNG.choice([0, 255], spots)
    return done


def written(grey: Grey) -> Grey:
    done, scale = grey.copy(), grey.shape[0] / 400
    for place, text in ((0.3, "ERECT AP 12:31"), (0.6, "LEFT 76kV"), (0.9, "OP 4411 -->")):
        at = (int(0.05 * grey.shape[1]), int(place * grey.shape[0]))
        cv2.putText(done, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, max(1, round(scale)))
    return done


def framed(grey: Grey) -> Grey:
    done, by = np.zeros_like(grey), grey.shape[0] // 5
    done[by:-by, by:-by] = grey[by:-by, by:-by]
    return done


def recoded(grey: Grey, quality: int) -> Grey:
    return cv2.imdecode(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 0)


def scaled(factor: float, offset: float = 0) -> Callable[[Grey], Grey]:
    return lambda grey: np.clip(grey * factor + offset, 0, 255).astype(np.uint8)


# The fault, how it is made, and the checks that are to name it.
FAULTS: dict[str, tuple[Callable[[Grey], Grey], tuple[str, ...]]] = {
    "blank": (scaled(0, 30), ("blank",)),
    "over-exposed": (scaled(2.0, 20), ("overexposed",)),
    "under-exposed": (scaled(0.2), ("underexposed",)),
    "low contrast": (scaled(0.12, 110), ("low_contrast",)),
    "uneven light": (lambda g: (g * np.linspace(1, 0.25, g.shape[1])).astype(np.uint8), ("illumination",)),
    "negative": (lambda g: 255 - g, ("polarity",)),
    "noise": (lambda g: np.clip(g + RNG.normal(0, 20, g.shape), 0, 255).astype(np.uint8), ("noise",)),
    "blur": (lambda g: cv2.GaussianBlur(g, (0, 0), 2), ("blur",)),
    "enlarged from a third": (lambda g: cv2.resize(cv2.resize(g, None, fx=1 / 3, fy=1 / 3), g.shape[::-1]), ("blur",)),
    "stray pixels": (sprinkled, ("outliers",)),
    "frame": (framed, ("missing",)),
    "text": (written, ("text",)),
    "turned by 90 degrees": (lambda g: np.rot90(g).copy(), ("orientation",)),
    "upside down": (lambda g: g[::-1, ::-1].copy(), ("orientation",)),
    "mirrored": (lambda g: g[:, ::-1].copy(), ("orientation",)),
    "JPEG quality 10": (lambda g: recoded(g, 10), ("compression",)),
    "odd aspect": (lambda g: cv2.resize(g, (2 * g.shape[1], g.shape[0])), ("geometry",)),
    "odd size": (lambda g: cv2.resize(g, None, fx=4, fy=4), ("geometry",)),
    "exact copy": (lambda g: g, ("duplicates", "label_conflicts")),
    "near copy": (lambda g: recoded(cv2.resize(g, None, fx=0.9, fy=0.9), 70), ("near_duplicates",)),
}


def faults(figures: Figures, data: Path, quick: bool, cleanvision: str | None) -> None:
    """Precision and recall of each check on faults planted into real images, all kinds at once."""
    sets = {"chest-xray-224/train": "X-rays", "breast-ultrasound-256": "ultrasounds"}
    count, each = (400, 6) if quick else (1500, 15)
    for name, kind in list(sets.items())[: 1 if quick else 2]:
        with tempfile.TemporaryDirectory() as folder:
            planted = plant(data / name, Path(folder), count, each)
            total = sum(1 for file in Path(folder).rglob("*.png"))
            dataset = scan(folder)
            found = audit(dataset)
            blamed = {check: set() for check in checks}
            for finding in found:
                blamed[finding.check] |= set(finding.cases)
            print(f"\n{name}: {total} images, {each} of each fault")
            rivals = rival(cleanvision, folder) if cleanvision else {}
            ours, other, precision = report(planted, blamed, before(dataset, planted), rivals)
        note(figures, f"planted faults found, {kind}: share", ours, ">= 0.85")
        note(figures, f"planted faults, {kind}: precision, mean of the kinds", precision, ">= 0.9")
        note(
            figures, f"planted faults found, {kind}: evenray / CleanVision", ours / other if rivals else None, ">= 1.0"
        )


def plant(source: Path, folder: Path, count: int, each: int) -> dict[str, set[str]]:
    """Copies of so many images as PNG, of which some get a fault each; the planted names by fault."""
    files = sorted(file for file in source.rglob("*.*"))
    files = [files[i] for i in RNG.permutation(len(files))[:count]]
    kinds = [kind for kind in FAULTS for _ in range(each)]
    planted: dict[str, set[str]] = {kind: set() for kind in FAULTS}
    for i, file in enumerate(files):
        grey, label = cv2.imread(str(file), 0), file.parent.name
        (folder / label).mkdir(exist_ok=True)
        write(folder / label / f"{i:05d}.png", grey)
        if i < len(kinds):
            kind = kinds[i]
            copy = kind.endswith("copy")
            name = f"{label}/{i:05d}{'-copy' if copy else ''}.png"
            write(folder / name, FAULTS[kind][0](grey))
            planted[kind] |= {name, f"{label}/{i:05d}.png"} if copy else {name}
    return planted


def write(path: Path, grey: Grey) -> None:
    cv2.imwrite(str(path), grey)


def before(dataset: Dataset, planted: dict[str, set[str]]) -> dict[str, set[str]]:
    """What each check says of the images that nothing was planted in, judged alone: real faults, or false alarms."""
    touched = set().union(*planted.values())
    alone = replace(dataset, cases=dataset.cases.filter(~pl.col("case").is_in(list(touched))))
    return {check: {case for finding in checks[check](alone) for case in finding.cases} for check in checks}


def report(
    planted: dict[str, set[str]],
    blamed: dict[str, set[str]],
    own: dict[str, set[str]],
    rival_found: dict[str, set[str]],
) -> tuple[float, float, float]:
    """The table; then the share of all planted images that any check names, CleanVision's, and the mean precision."""
    print(f"{'fault':24} {'recall':>7} {'precision':>10} {'others named':>13} {'CleanVision':>12}")
    everything, precisions = set().union(*planted.values()), []
    for kind, (_, names) in FAULTS.items():
        named = set().union(*(blamed[name] for name in names))
        same = set().union(*(planted[other] for other in FAULTS if set(FAULTS[other][1]) & set(names)))
        hits, alarms = len(named & planted[kind]), named - everything - set().union(*(own[name] for name in names))
        precision = len(named & same) / max(1, len(named & same) + len(alarms))
        precisions += [precision] if hits or alarms else []
        theirs = (
            len(set().union(*rival_found.values()) & planted[kind]) / len(planted[kind]) if rival_found else math.nan
        )
        real = len(set().union(*(own[name] for name in names)))
        print(f"{kind:24} {hits / len(planted[kind]):7.2f} {precision:10.2f} {real:13d} {theirs:12.2f}")
    any_check = set().union(*blamed.values())
    theirs = set().union(*rival_found.values(), set())
    print(f"{'any fault by any check':24} {len(any_check & everything) / len(everything):7.2f}", end=" ")
    print(f"{'':10} {len(any_check - everything):13d} {len(theirs & everything) / len(everything):12.2f}", end=" ")
    print(f"(CleanVision names {len(theirs - everything)} others)")
    shares = [len(named & everything) / len(everything) for named in (any_check, theirs)]
    return shares[0], shares[1], float(np.mean(precisions))


RIVAL = """
import json, sys
from cleanvision import Imagelab
lab = Imagelab(data_path=sys.argv[1])
lab.find_issues()
kinds = [c for c in lab.issues.columns if c.startswith("is_") and lab.issues[c].mean() < 0.5]
print("FOUND" + json.dumps({c: [i for i in lab.issues.index[lab.issues[c].astype(bool)]] for c in kinds}))
"""


def rival(python: str, folder: Path | str) -> dict[str, set[str]]:
    """CleanVision's issues by kind, without the kinds that accuse over half of the set."""
    done = subprocess.run([python, "-c", RIVAL, str(folder)], capture_output=True, text=True, check=True)
    found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("FOUND"))[5:])
    root = str(Path(folder).resolve()) + "/"
    return {kind: {name.removeprefix(root) for name in names} for kind, names in found.items()}


PARTS: dict[str, Callable[..., None]] = {"cost": cost, "near": near, "memory": memory, "faults": faults}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)} [default: all]")
    parser.add_argument("--quick", action="store_true", help="under a minute: fewer images and rounds, X-rays only")
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    parser.add_argument("--data", type=Path, default=default_data(), help="folder of the three data sets")
    parser.add_argument(
        "--cleanvision", default=os.environ.get("CLEANVISION"), help="the python of an environment that has cleanvision"
    )
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if asked.data is None or not (asked.data / "chest-xray-224").is_dir():
        parser.error("the audit is measured on real images; give --data FOLDER that holds chest-xray-224")
    figures: Figures = {}
    for part in asked.parts or PARTS:
        print(f"\n== {part}")
        more = (asked.cleanvision,) if part == "faults" else ()
        PARTS[part](figures, asked.data, asked.quick, *more)
    told(figures, asked.json)


if __name__ == "__main__":
    main()
