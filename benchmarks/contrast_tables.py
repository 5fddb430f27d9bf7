"""Whether contrast is right: each method on the conformance suite, parity with the references, and the same picture at
8, 12 and 16 bits. Called by `python benchmarks/contrast.py --tables`; scikit-image's rows need it installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from xray import picture

from evenray.core.types import Image
from evenray.images.contrast import contrasts, enhance
from evenray.images.contrast._kinds import needs_pixels

Array = NDArray[Any]


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
    from evenray.reporting.sheet import gallery

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
