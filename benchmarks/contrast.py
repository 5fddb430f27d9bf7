"""How fast contrast is beside OpenCV and scikit-image, and whether it is right: `python benchmarks/contrast.py [--quick]`.

Everything is measured in one process, in turn, round by round; a ratio is the median over rounds, so that a busy machine
moves both sides alike. `--data FOLDER` (with chest-xray-full) times whole folders and takes real X-rays for the pictures;
`--json FILE` writes {name: {"value", "target", "met"}}; `--tables` prints what each method does on the conformance suite,
the parity with the references and the same picture at 8, 12 and 16 bits. scikit-image, kornia and SimpleITK run where
installed; what needs one that is not says "not measured".
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import operator
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.threads import ONE_THREAD
from evenray.core.types import Image
from evenray.images.contrast import contrasts, enhance
from evenray.images.contrast._kinds import needs_pixels

Array = NDArray[Any]
CHAINS = ("percentile(1, 99) | gamma(0.8)", "linear | equalize | gamma(0.8) | sigmoid | log")
LOCAL = "clahe(clip=2, tiles=8)"
BRIEF, LONG = 0.05, 0.5  # seconds that a runner is called for in every round; long where a single call may be
RELATIONS = {">=": operator.ge, "<=": operator.le}
VERDICTS = {True: "met", False: "NOT MET", None: "-"}
Figures = dict[str, dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute: fewer rounds, one size")
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    parser.add_argument("--data", type=Path, default=default_data(), help="folder that holds chest-xray-full")
    parser.add_argument("--tables", action="store_true", help="conformance, parity and depth instead of speed")
    options = parser.parse_args()
    if options.tables:
        conformance()
        parity(options.data)
        depth(options.data)
        return
    figures: Figures = {}
    rounds = 3 if options.quick else 11
    for threads in (2, 1):
        cv2.setNumThreads(threads)
        name = f"{threads} thread{'s' if threads > 1 else ''}"
        speed(figures, options.data, 3000, name, rounds, slow=(2 if options.quick else 9) if threads == 2 else 0)
    if not options.quick:
        cv2.setNumThreads(2)
        for size in (512, 1024, 2048, 4096):
            speed({}, options.data, size, f"2 threads, {size} square", 5, slow=0)
    if options.data and (options.data / "chest-xray-full").is_dir():
        folder(figures, options.data / "chest-xray-full", 2 if options.quick else 4)
    else:
        print("no chest-xray-full: the folder is not timed; give --data")
        for spec in ("equalize", "gamma(0.8)"):
            note(figures, f"folder, {spec}: share outside decoding and encoding", None, "<= 0.1")
            note(figures, f"folder, {spec}: one job / two jobs", None, ">= 1.7")
    print(f"\n{'figure':62} {'value':>12} {'target':>9}")
    for key, found in figures.items():
        value = "not measured" if found["value"] is None else f"{found['value']:.2f}"
        print(f"{key:62} {value:>12} {found['target']:>9} {VERDICTS[found['met']]}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def default_data() -> Path | None:
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    found = Path(os.environ.get("EVENRAY_DATA", beside))
    return found if found.is_dir() else None


def note(figures: Figures, name: str, value: float | None, target: str) -> None:
    """Keep a figure; None is one that could not be measured."""
    if value is None:
        figures[name] = {"value": None, "target": target, "met": None}
        return
    relation, bound = target.split()
    figures[name] = {
        "value": round(float(value), 3),
        "target": target,
        "met": bool(RELATIONS[relation](value, float(bound))),
    }


# -- speed ----------------------------------------------------------------------------------------------------------


def race(runners: dict[str, Callable[[], Any]], rounds: int, seconds: float = BRIEF) -> dict[str, Array]:
    """Seconds a call of every runner in every round, (rounds,): the median of as many calls as fill `seconds`.

    All get the same time in a round, so that what takes two milliseconds is not judged by one of them beside what takes
    half a second. The first call is not counted: none pays for what the one before it left in the caches.
    """
    found: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(rounds):
        for name, run in runners.items():
            run()
            calls: list[float] = []
            while sum(calls) < seconds:
                start = time.perf_counter()
                run()
                calls.append(time.perf_counter() - start)
            found[name].append(float(np.median(calls)))
    return {name: np.array(times) for name, times in found.items()}


def ratio(one: Array, other: Array) -> float:
    """Median over rounds of one / other."""
    return float(np.median(one / other))


def speed(figures: Figures, data: Path | None, size: int, title: str, rounds: int, slow: int) -> None:
    for bits in (8, 12):
        pixels = picture(data, size, bits)
        image, high = Image(pixels, (0, 2**bits - 1)), 2**bits - 1
        table = np.arange(256 if bits == 8 else 65_536, dtype=pixels.dtype)

        def count(pixels: Array = pixels, high: int = high) -> None:
            cv2.calcHist([pixels], [0], None, [high + 1], [0, high + 1])

        specs = [name for name in contrasts if name != "none" and not needs_pixels(contrasts[name])] + list(CHAINS)
        runners: dict[str, Callable[[], Any]] = {
            "copy": pixels.copy,
            "OpenCV calcHist": count,
            "OpenCV LUT": lambda pixels=pixels, table=table: cv2.LUT(pixels, table),
            **{spec: lambda image=image, spec=spec: enhance(image, spec) for spec in specs},
        }
        if bits == 8:
            runners["OpenCV equalizeHist"] = lambda pixels=pixels: cv2.equalizeHist(pixels)
        found = race(runners, rounds)
        clahe = cv2.createCLAHE(2.0, (8, 8))
        found |= race(
            {
                "OpenCV CLAHE": lambda pixels=pixels, clahe=clahe: clahe.apply(pixels),
                LOCAL: lambda image=image: enhance(image, LOCAL),
                "local(gamma(0.7))": lambda image=image: enhance(image, "local(gamma(0.7))"),
            },
            rounds,
        )
        show(f"{size} x {size}, {bits} bits, {title}", found)
        judge(figures, found, specs, bits, title)
        if slow:
            ours = {name: lambda image=image, name=name: enhance(image, name) for name in ("equalize", LOCAL)}
            alone = "equalize, 1 thread"
            late = race(slow_ones(pixels, high) | ours | {alone: with_one(ours["equalize"])}, slow, LONG)
            show("the slow ones, and ours in turn with them", late)
            print(f"  two threads equalize {ratio(late[alone], late['equalize']):.2f} times as fast as one")
            judge_slow(figures, late, bits)


def judge(figures: Figures, found: dict[str, Array], specs: list[str], bits: int, title: str) -> None:
    floor = found["OpenCV calcHist"] + found["OpenCV LUT"]
    where = f"{bits} bits, {title}"
    if bits == 8:
        note(
            figures,
            f"OpenCV equalizeHist / equalize, {where}",
            ratio(found["OpenCV equalizeHist"], found["equalize"]),
            ">= 1.0",
        )
    note(figures, f"equalize / (calcHist + LUT), {where}", ratio(found["equalize"], floor), "<= 1.3")
    worst = max(specs, key=lambda spec: ratio(found[spec], floor))
    note(figures, f"slowest global / (calcHist + LUT), {where}", ratio(found[worst], floor), "<= 1.3")
    print(f"  slowest global method: {worst}")
    note(
        figures, f"OpenCV CLAHE / {LOCAL.split('(')[0]}, {where}", ratio(found["OpenCV CLAHE"], found[LOCAL]), ">= 1.0"
    )


def judge_slow(figures: Figures, found: dict[str, Array], bits: int) -> None:
    """The figures against scikit-image, round by round."""
    for other, ours, bound in (("equalize_hist", "equalize", 150), ("equalize_adapthist", LOCAL, 25)):
        if bits == 12 or bound == 25:
            name = f"scikit-image {other} / {ours.split('(')[0]}, {bits} bits, 2 threads"
            theirs = found.get(f"scikit-image {other}")
            note(figures, name, None if theirs is None else ratio(theirs, found[ours]), f">= {bound}")


def slow_ones(pixels: Array, high: int) -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {}
    if importlib.util.find_spec("skimage"):
        from skimage import exposure

        found["scikit-image equalize_hist"] = lambda: exposure.equalize_hist(pixels, nbins=high + 1)
        found["scikit-image equalize_adapthist"] = lambda: exposure.equalize_adapthist(pixels, clip_limit=0.01)
    if importlib.util.find_spec("kornia"):
        import kornia
        import torch

        batch = torch.from_numpy((pixels / high).astype(np.float32))[None, None]
        found["kornia equalize_clahe"] = lambda: kornia.enhance.equalize_clahe(batch, 2.0)
    if importlib.util.find_spec("SimpleITK"):
        import SimpleITK as sitk  # noqa: N813

        itk = sitk.GetImageFromArray(pixels)
        found["SimpleITK HistogramMatching"] = lambda: sitk.HistogramMatching(itk, itk)
    return found


def with_one(run: Callable[[], Any]) -> Callable[[], Any]:
    """The same with one thread: what two are worth beside it tells how much of the second processor there was."""

    def alone() -> None:
        with ONE_THREAD:
            run()

    return alone


def show(title: str, found: dict[str, Array]) -> None:
    print(f"\n{title}: median ms")
    items = [f"{name} {np.median(seconds) * 1e3:.2f}" for name, seconds in found.items()]
    width = max(map(len, items)) + 3
    for start in range(0, len(items), 3):
        print("  " + "".join(f"{item:<{width}}" for item in items[start : start + 3]).rstrip())


def picture(data: Path | None, size: int, bits: int) -> Array:
    """A radiograph of size x size: a real one, or smooth shapes with noise; 12 bits have noise in the lower four."""
    rng = np.random.default_rng(0)
    files = sorted((data / "chest-xray-full").glob("NORMAL/*")) if data else []
    if files:
        grey = cv2.imread(str(files[3]), cv2.IMREAD_GRAYSCALE)
        eight = cv2.resize(grey, (size, size), interpolation=cv2.INTER_CUBIC)
    else:
        smooth = cv2.GaussianBlur(rng.random((size, size)), (0, 0), size / 30)
        unit = (smooth - smooth.min()) / np.ptp(smooth) + rng.normal(0, 0.01, smooth.shape)
        eight = np.rint(unit.clip(0, 1) * 255).astype(np.uint8)
    if bits == 8:
        return np.asarray(eight)
    return (eight.astype(np.uint16) << (bits - 8)) + rng.integers(0, 2 ** (bits - 8), eight.shape).astype(np.uint16)


def folder(figures: Figures, root: Path, rounds: int) -> None:
    """Enhanced copies of a folder: what share of the time is not reading or writing, and two jobs against one."""
    from evenray.cli._copies import Job, copies, files_of

    files = files_of(root)
    with tempfile.TemporaryDirectory() as out:
        pairs = [(file, Path(out) / file.relative_to(root)) for file in files]
        outside: dict[str, list[float]] = {}
        for spec in ("equalize", "gamma(0.8)", LOCAL):
            list(copies(pairs[:2], Job(spec), 1))
            seconds: dict[int, list[float]] = {1: [], 2: []}
            for _ in range(rounds):
                for jobs in (1, 2):
                    start = time.perf_counter()
                    done = list(copies(pairs, Job(spec), jobs))
                    seconds[jobs].append(time.perf_counter() - start)
                    if jobs == 1:
                        spent = sum(d.seconds["reading"] + d.seconds["writing"] for d in done)
                        outside.setdefault(spec, []).append(1 - spent / seconds[1][-1])
            one, two = np.array(seconds[1]), np.array(seconds[2])
            share = float(np.median(outside[spec]))
            print(
                f"\nfolder of {len(files)}, {spec}: one job {np.median(one):.2f} s, two {np.median(two):.2f} s,"
                f" {share:.1%} of one job outside reading and writing"
            )
            if spec != LOCAL:  # a local method keeps both processors busy in one job already
                note(figures, f"folder, {spec}: share outside decoding and encoding", share, "<= 0.1")
                note(figures, f"folder, {spec}: one job / two jobs", ratio(one, two), ">= 1.7")


# -- right ----------------------------------------------------------------------------------------------------------


def conformance() -> None:
    """Every method on every check of the suite in tests/images/contrast."""
    path = Path(__file__).resolve().parents[1] / "tests" / "images" / "contrast" / "test_conformance.py"
    spec = importlib.util.spec_from_file_location("conformance", path)
    assert spec is not None
    assert spec.loader is not None
    suite = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(suite)
    checks = [*suite.CHECKS, suite.is_a_curve]
    print("conformance: " + ", ".join(f"{i} {check.__name__.replace('_', ' ')}" for i, check in enumerate(checks, 1)))
    print(f"{'':24} " + " ".join(f"{i:>2}" for i in range(1, len(checks) + 1)))
    for name, method in suite.SPECS.items():
        marks = []
        for check in checks:
            if check is suite.is_a_curve:
                pixels = name not in contrasts or needs_pixels(contrasts[name])
                marks.append("-" if pixels else verdict(check, contrasts[name]))
            else:
                marks.append(verdict(check, lambda image, method=method: enhance(image, method)))
        print(f"{name:24} " + " ".join(f"{mark:>2}" for mark in marks))


def verdict(check: Callable[..., None], argument: Any) -> str:
    try:
        check(argument)
    except AssertionError:
        return "NO"
    return "+"


def xrays(data: Path | None, number: int) -> Iterable[Array]:
    files = sorted((data / "chest-xray-full").glob("*/*.jpeg")) if data else []
    if not files:
        yield picture(None, 1500, 8)
    for file in files[:: max(1, len(files) // number)][:number]:
        yield np.asarray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE))


def parity(data: Path | None) -> None:
    """The largest difference to the reference over real X-rays, in grey levels of 255; 0.5 is rounding."""
    if not importlib.util.find_spec("skimage"):
        print("\nparity: not measured, scikit-image is not installed (pip install scikit-image)")
        return
    from skimage import exposure

    from evenray.images.contrast.match import matched
    from evenray.images.histogram import Histogram

    references: dict[str, tuple[str, Callable[[Array], Array]]] = {
        "equalize": ("OpenCV equalizeHist", lambda x: cv2.equalizeHist(x)),
        "clahe(clip=2)": ("OpenCV CLAHE, clip 2", lambda x: cv2.createCLAHE(2, (8, 8)).apply(x)),
        "clahe(clip=40)": ("OpenCV CLAHE, clip 40", lambda x: cv2.createCLAHE(40, (8, 8)).apply(x)),
        "linear": ("rescale_intensity", lambda x: exposure.rescale_intensity(x * 1.0, "image", (0, 255))),
        "percentile(1, 99)": (
            "rescale_intensity, percentiles",
            lambda x: exposure.rescale_intensity(x * 1.0, tuple(np.percentile(x, (1, 99))), (0, 255)),
        ),
        "gamma(0.5)": ("adjust_gamma", lambda x: exposure.adjust_gamma(x / 255, 0.5) * 255),
        "log": ("adjust_log", lambda x: exposure.adjust_log(x / 255) * 255),
        "sigmoid": ("adjust_sigmoid", lambda x: exposure.adjust_sigmoid(x / 255) * 255),
        "equalize(stretch=False)": ("equalize_hist", lambda x: exposure.equalize_hist(x) * 255),
    }
    images = list(xrays(data, 12))
    print(
        f"\nparity over {len(images)} X-rays: largest difference in grey levels of 255, share of pixels that differ by more than 0.5"
    )
    for spec, (name, reference) in references.items():
        apart = [np.abs(enhance(Image(x, (0, 255)), spec).pixels - np.asarray(reference(x), float)) for x in images]
        share = np.mean([np.mean(a > 0.5 + 1e-6) for a in apart])
        print(f"  {spec:26} {name:34} {max(a.max() for a in apart):6.3f} {share:8.2%}")
    last = images[-1]
    target = Histogram.of(Image(last, (0, 255)))
    apart = [
        np.abs(
            np.rint(matched(Histogram.of(Image(x, (0, 255))), target).values[x] * 255)
            - exposure.match_histograms(x, last)
        )
        for x in images
    ]
    print(f"  {'match(reference)':26} {'match_histograms':34} {max(a.max() for a in apart):6.3f}")


def depth(data: Path | None) -> None:
    """The same picture at 8, 12 and 16 bits: the largest difference in grey levels of 255 (0.5 is rounding at 8 bits)."""
    from evenray.images.contrast.sheet import gallery

    images = list(xrays(data, 6))
    print(
        f"\nthe same picture at 12 and at 16 bits against 8, over {len(images)} X-rays: largest difference in levels of 255"
    )
    specs = [*dict.fromkeys([*gallery(Image(images[0], (0, 255))), "clahe(clip=40)"])]
    rows: dict[str, Callable[[Array, int], Array]] = {
        spec: lambda x, high, spec=spec: enhance(Image(x, (0, high)), spec).pixels
        for spec in specs
        if not spec.startswith("window(center")
    }
    rows["OpenCV CLAHE, clip 2"] = lambda x, high: cv2.createCLAHE(2, (8, 8)).apply(x)
    if importlib.util.find_spec("skimage"):
        rows["scikit-image equalize_adapthist"] = adapthist
    for name, method in rows.items():
        few = images[:2] if name.startswith("scikit") else images
        found = []
        for high in (4095, 65_535):
            scale = 255 / (65_535 if name.startswith("OpenCV") else high)
            worst = 0.0
            for x in few:
                deep = method(np.rint(x * (high / 255)).astype(np.uint16), high).astype(float) * scale
                worst = max(worst, float(np.abs(deep - method(x, 255)).max()))
            found.append(worst)
        print(f"  {name:34} 12 bits {found[0]:8.3f}   16 bits {found[1]:8.3f}")


def adapthist(x: Array, high: int) -> Array:
    from skimage import exposure

    return np.asarray(exposure.equalize_adapthist(x) * high)


if __name__ == "__main__":
    main()
