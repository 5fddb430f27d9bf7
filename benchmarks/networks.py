"""Networks: counts against the published ones, grey against colour, dense against multi-crop.

    python benchmarks/networks.py            everything, about three minutes on one core
    python benchmarks/networks.py counts     one part: counts, grey, dense

Times are processor seconds of one thread (they hold on a machine that does other work too); ratios are what counts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import torch

from evenray.networks import build
from evenray.networks._grey import fold_grey, install_grey
from evenray.networks.anatomy import anatomy, totals
from evenray.train import keep_malloc
from evenray.views import PAPER_SCALES, dense, multicrop

# spec, pixels, published parameters, published multiply-adds, where
PUBLISHED = [
    ("vgg11(head=classical)", 224, "132,863,336", "7.609 G", "torchvision"),
    ("vgg11_bn(head=classical)", 224, "132,868,840", "7.609 G", "torchvision"),
    ("vgg11_lrn(head=classical)", 224, "133 M", "", "VGG paper, Table 2"),
    ("vgg13(head=classical)", 224, "133,047,848", "11.308 G", "torchvision"),
    ("vgg13_bn(head=classical)", 224, "133,053,736", "11.308 G", "torchvision"),
    ("vgg16_c(head=classical)", 224, "134 M", "", "VGG paper, Table 2"),
    ("vgg16(head=classical)", 224, "138,357,544", "15.470 G", "torchvision"),
    ("vgg16_bn(head=classical)", 224, "138,365,992", "15.470 G", "torchvision"),
    ("vgg19(head=classical)", 224, "143,667,240", "19.632 G", "torchvision"),
    ("vgg19_bn(head=classical)", 224, "143,678,248", "19.632 G", "torchvision"),
    ("alexnet", 224, "61,100,840", "0.714 G", "torchvision"),
    ("krizhevsky", 224, "60,965,224", "0.724 G", "Caffe's bvlc_alexnet; paper: 60 M"),
    ("zeiler_fergus", 224, "62,357,608", "", "Figure 3, by hand"),
    ("zeiler_fergus(maps=b)", 224, "107,627,624", "", "Table 2 (b), by hand"),
    ("clarifai", 224, "not published", "", ""),
    ("overfeat_fast", 231, "145 M", "2.810 G", "paper, Table 4"),
    ("overfeat_accurate", 221, "144 M", "5.369 G", "paper, Table 4"),
    ("msra", 224, "not published", "", ""),
    ("googlenet", 224, "6,998,552", "1.5 G", "Caffe's bvlc_googlenet; paper, section 1"),
    ("googlenet_bn", 224, "6,624,904", "1.498 G", "torchvision"),
]


def counts() -> None:
    print(
        "| Network | Pixels | Parameters | Multiply-adds | Published | Published | Source |\n|---|---|---|---|---|---|---|"
    )
    for spec, size, parameters, multiply_adds, source in PUBLISHED:
        found = totals(anatomy(spec, size=size))
        ours = f"{found['parameters']:,} | {found['multiply_adds']:,}"
        print(f"| {spec} | {size} | {ours} | {parameters} | {multiply_adds} | {source} |")


def grey() -> None:
    """The first layer of VGG16 at 224, batch 8: three channels, against one with the map that makes it exact."""
    colour = torch.nn.Conv2d(3, 64, 3, padding=1)
    holder = torch.nn.Sequential(torch.nn.Conv2d(3, 64, 3, padding=1))
    install_grey(holder)
    weight, offset, *_ = fold_grey(colour.weight.detach(), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    holder[0].weight.data, holder[0].offset = weight, offset
    x = torch.rand(8, 1, 224, 224)
    repeated = x.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
    colour, holder = (layer.to(memory_format=torch.channels_last) for layer in (colour, holder))
    times = [_seconds(lambda: colour(repeated), 15), _seconds(lambda: holder(x), 15)]
    print("| First layer, 8 images | multiply-adds | ms |\n|---|---|---|")
    print(f"| three channels | {27 * 64 * 224**2:,} | {times[0] * 1000:.0f} |")
    print(f"| one channel and its map | {9 * 64 * 224**2:,} | {times[1] * 1000:.0f} |")


def dense_against_multicrop() -> None:
    """One image; five by five crops, mirrored, and the whole image, mirrored. Four crops stand for twenty-five."""
    print("| Network | Scale | dense, s | multi-crop, s | ratio |\n|---|---|---|---|---|")
    x = torch.rand(1, 1, 256, 256)
    for spec in ("vgg16", "vgg16(head=classical)"):
        model = build(spec, classes=2, channels=1, size=224).eval()
        both = []
        for scale in PAPER_SCALES:
            once = _seconds(lambda: dense(model, x, [scale], flip=True), 2)  # noqa: B023
            crops = _seconds(lambda: multicrop(model, x, 2, [scale], flip=True), 1) * 25 / 4  # noqa: B023
            both.append((once, crops))
            print(f"| {spec} | {round(224 * scale)} | {once:.2f} | {crops:.1f} | {once / crops:.3f} |")
        once, crops = (sum(column) for column in zip(*both, strict=True))
        print(f"| {spec} | all three | {once:.2f} | {crops:.1f} | {once / crops:.3f} |")


def _seconds(work: Callable[[], object], repeats: int) -> float:
    """Processor seconds of the best of some repeats, after one to warm up."""
    found = []
    with torch.no_grad():
        for _ in range(repeats + 1):
            started = time.process_time()
            work()
            found.append(time.process_time() - started)
    return min(found[1:])


PARTS = {"counts": counts, "grey": grey, "dense": dense_against_multicrop}

if __name__ == "__main__":
    keep_malloc()
    torch.set_num_threads(1)
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
        print()
