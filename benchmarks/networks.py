"""Networks: counts against the published ones, grey against colour, dense against multi-crop.

    python benchmarks/networks.py                 everything, about four minutes on one core
    python benchmarks/networks.py --quick         a narrow VGG16 at fewer scales, under a minute
    python benchmarks/networks.py counts grey     some parts: counts, grey, dense
    python benchmarks/networks.py --json FILE     also {name: {value, target, met}}

Times are processor seconds of one thread (they hold on a machine that does other work too); ratios are what counts.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from evenray.learning.networks import build
from evenray.learning.networks._grey import fold_grey, install_grey
from evenray.learning.networks.published import as_text, counts
from evenray.learning.train import keep_malloc
from evenray.learning.tta import dense, multicrop, paper_scales

# How the paper trains, the scales it then looks at, and what is compared: mirrored dense against its 150 mirrored crops.
SETS = {
    "fixed S = 256 (Q 224, 256, 288)": (8 / 7, 8 / 7),
    "fixed S = 384 (Q 352, 384, 416)": (12 / 7, 12 / 7),
    "jittered (Q 256, 384, 512)": (8 / 7, 16 / 7),
}
TENTH = 0.1

Found = dict[str, dict[str, Any]]


def counted(quick: bool) -> Found:
    print(as_text())
    exact = [(one, p) for one, p, _ in counts() if one.parameters and "," in one.parameters]
    same = sum(f"{parameters:,}" == one.parameters for one, parameters in exact)
    return {"counts equal to the published": _figure(same / len(exact), ">= 1.0", same == len(exact))}


def grey(quick: bool) -> Found:
    """The first layer of VGG16 at 224, batch 8: three channels, against one with the map that makes it exact."""
    colour = torch.nn.Conv2d(3, 64, 3, padding=1)
    holder = torch.nn.Sequential(torch.nn.Conv2d(3, 64, 3, padding=1))
    install_grey(holder)
    weight, offset, *_ = fold_grey(colour.weight.detach(), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    holder[0].weight.data, holder[0].offset = weight, offset
    x = torch.rand(8, 1, 224, 224)
    repeated = x.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
    colour, holder = (layer.to(memory_format=torch.channels_last) for layer in (colour, holder))
    repeats = 5 if quick else 15
    times = [_seconds(lambda: colour(repeated), repeats), _seconds(lambda: holder(x), repeats)]
    print("| First layer, 8 images | multiply-adds | ms |\n|---|---|---|")
    print(f"| three channels | {27 * 64 * 224**2:,} | {times[0] * 1000:.0f} |")
    print(f"| one channel and its map | {9 * 64 * 224**2:,} | {times[1] * 1000:.0f} |")
    ratio = times[1] / times[0]
    return {"grey first layer, of the colour one": _figure(ratio, "<= 1.0", ratio <= 1)}


def dense_against_multicrop(quick: bool) -> Found:
    """One image. Four crops stand for twenty-five; both sides mirrored, as in the paper, so mirroring cancels."""
    found: Found = {}
    print("| Network | Scales | dense, s | 5 x 5 crops, s | ratio | of the pixels | unmirrored against mirrored |")
    print("|---|---|---|---|---|---|---|")
    specs = ("vgg16(head=average, width=0.25)",) if quick else ("vgg16(head=average)", "vgg16")
    x = torch.rand(1, 1, 256, 256)
    for spec in specs:
        model = build(spec, classes=2, channels=1, size=224).eval()
        for name, trained in SETS.items():
            scales = paper_scales(trained)
            once = sum(_seconds(lambda: dense(model, x, [scale]), 2) for scale in scales)  # noqa: B023
            crop = _seconds(lambda: model(x[..., :224, :224]), 2)  # noqa: B023
            crops = 25 * len(scales) * crop
            pixels = sum(scale**2 for scale in scales) / (25 * len(scales))
            ratio = once / crops
            print(f"| {spec} | {name} | {once:.2f} | {crops:.2f} | {ratio:.3f} | {pixels:.3f} | {ratio / 2:.3f} |")
            found[f"dense over multi-crop, {spec}, {name}"] = _figure(ratio, f"<= {TENTH}", ratio <= TENTH)
        # The crops are really cut and averaged once, so that the product above is not only arithmetic.
        whole = _seconds(lambda: multicrop(model, x, 2, [8 / 7]), 1)  # noqa: B023
        overhead = whole / (4 * _seconds(lambda: model(x[..., :224, :224]), 2))  # noqa: B023
        print(f"| {spec} | cutting and averaging crops costs {overhead:.2f} of the passes alone | | | | | |")
    return found


def _figure(value: float, target: str, met: bool) -> dict[str, Any]:
    return {"value": round(value, 4), "target": target, "met": met}


def _seconds(work: Callable[[], object], repeats: int) -> float:
    """Processor seconds of the best of some repeats, after one to warm up."""
    found = []
    with torch.no_grad():
        for _ in range(repeats + 1):
            started = time.process_time()
            work()
            found.append(time.process_time() - started)
    return min(found[1:])


PARTS = {"counts": counted, "grey": grey, "dense": dense_against_multicrop}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if unknown := [name for name in asked.parts if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    keep_malloc()
    torch.set_num_threads(1)
    found: Found = {}
    for name in asked.parts or PARTS:
        found |= PARTS[name](asked.quick)
        print()
    for name, figure in found.items():
        print(f"{'met   ' if figure['met'] else 'MISSED'} {name}: {figure['value']} ({figure['target']})")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
