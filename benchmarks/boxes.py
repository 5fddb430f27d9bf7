"""Training, suppression and measuring of boxes: `python benchmarks/boxes.py [--quick] [--json FILE]`.

    bare       an epoch of `fit` of SSD on VGG16 (fetching images and boxes, one affine for both, clipping, the average) against a
               loop that does nothing but step the same network with the same loss over one batch in memory, in turns
    suppress   non-maximum suppression of 2,000 boxes of three classes
    figures    matching and 1,000 resamples of every figure for 60 images with some 90 detections each

All in one process, in turns, the least of the rounds. `--json FILE` writes {name: {"value", "target", "met"}}.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Figures = dict[str, dict[str, Any]]


def drawn(count: int, size: int) -> tuple[Any, list[Any]]:
    """Grey images with three bright squares each, and their boxes."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(20, 90, (count, size, size)).astype(np.uint8)
    boxes = []
    for image in pixels:
        first, sides = rng.integers(0, size * 3 // 4, (3, 2)), rng.integers(size // 10, size // 4, (3, 2))
        for (x, y), (w, h) in zip(first, sides, strict=True):
            image[y : y + h, x : x + w] += 90
        boxes.append(np.column_stack([rng.integers(0, 2, 3), first, first + sides]).astype(np.float32))
    return pixels, boxes


def trained(size: int, batch: int, steps: int, rounds: int) -> Figures:
    """How much longer an epoch of `fit` takes than its steps alone."""
    import torch

    from evenray.data.store import Store
    from evenray.learning.balance import Balance
    from evenray.learning.boxes.multibox import MultiBox
    from evenray.learning.networks import build
    from evenray.learning.train import Settings, examples, fit, keep_malloc, machine

    keep_malloc()
    pixels, boxes = drawn(batch * steps, size)
    part = examples(
        "detect", Store((pixels,), 255, boxed=boxes), np.arange(len(pixels)), np.ones((len(pixels), 2), np.int64)
    )
    fabric = machine("cpu")

    def model() -> Any:
        made = build("ssd(vgg16_bn)", classes=2, channels=1, size=size, output="boxes")
        return made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def bare() -> Callable[[], None]:
        network, loss = model().train(), MultiBox()
        which = np.arange(batch)
        x = part.inputs(which, fabric.device).contiguous(memory_format=torch.channels_last)
        answers, optimizer = (
            part.answers(which, fabric.device),
            torch.optim.AdamW(network.parameters(), 1e-4, fused=True),
        )

        def step() -> None:
            with fabric.autocast():
                told = network(x)
            optimizer.zero_grad()
            loss(told, answers).backward()
            optimizer.step()

        return step

    step, found = bare(), {"bare": list[float](), "fit": list[float]()}
    step()
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(steps):
            step()
        found["bare"].append(time.perf_counter() - start)
        _, history = fit(
            model(), part, None, Settings(1, batch, 1e-4, task="detect"), Balance(hard_negatives=3.0), fabric
        )
        found["fit"].append(history[0]["seconds"])
    ratio = min(found["fit"]) / min(found["bare"])
    images = batch * steps / min(found["fit"])
    print(f"SSD on VGG16 at {size}: {images:.1f} images/s in training, {ratio:.2f} of a bare loop")
    return {f"training boxes at {size}, times a bare loop": {"value": ratio, "target": 1.1, "met": ratio <= 1.1}}


def suppressed(rounds: int) -> Figures:
    from evenray.learning.boxes.decoding import suppress

    rng = np.random.default_rng(0)
    first = rng.uniform(0, 0.8, (2000, 2))
    boxes = np.column_stack([first, first + rng.uniform(0.03, 0.2, (2000, 2))])
    classes, scores = rng.integers(0, 3, 2000), rng.uniform(size=2000)
    spent = []
    for _ in range(rounds):
        start = time.perf_counter()
        suppress(boxes, classes, scores)
        spent.append(1000 * (time.perf_counter() - start))
    print(f"suppression of 2,000 boxes: {min(spent):.1f} ms")
    return {"suppression of 2,000 boxes, ms": {"value": min(spent), "target": 20, "met": min(spent) <= 20}}


def measured(rounds: int) -> Figures:
    from evenray.metrics.detection import detected
    from evenray.metrics.matching import matches

    rng, truth, found = np.random.default_rng(0), [], []
    for _ in range(60):
        corner, sides = rng.uniform(0, 250, (8, 2)), rng.uniform(10, 60, (8, 2))
        own = np.column_stack([rng.integers(0, 3, 8), corner, corner + sides])
        truth.append(own)
        near = own[rng.integers(0, 8, 90)]
        near[:, 1:] += rng.normal(0, 6, (90, 4))
        found.append(np.column_stack([near, rng.uniform(size=90)]))
    spent = []
    for _ in range(rounds):
        start = time.perf_counter()
        detected(matches(truth, found, 3), list("abc"), np.arange(60), cuts=[0.5] * 3)
        spent.append(time.perf_counter() - start)
    print(f"figures of 60 images, 5,400 boxes, 1,000 resamples: {min(spent):.2f} s")
    return {"figures of boxes with 1,000 resamples, s": {"value": min(spent), "target": 2, "met": min(spent) <= 2}}


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    options.add_argument("--quick", action="store_true")
    options.add_argument("--json", type=Path)
    asked = options.parse_args()
    rounds = 2 if asked.quick else 4
    figures = suppressed(5 * rounds) | measured(rounds)
    for size, batch in ((96, 8),) if asked.quick else ((128, 16), (300, 4)):
        figures |= trained(size, batch, 4 if asked.quick else 12, rounds)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
