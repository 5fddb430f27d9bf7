"""Training and predicting masks beside a bare loop and beside MONAI: `python benchmarks/tasks.py [--quick] [--json FILE]`.

    bare       an epoch of `fit` of a U-Net on VGG16 (fetching image and mask, one turn for both, clipping, the average) against a
               loop that does nothing but step the same network over one batch in memory, same precision, in turns
    monai      the same network, batch, loss and precision in a MONAI pipeline: CacheDataset in memory, its affine, flip and
               intensity transforms for image and mask, its DataLoader with two workers, DiceCELoss; skipped without MONAI
    memory     prediction of one image of 2,000 x 2,000 pixels in windows of 256, beside one of 512 x 512: what the process
               held at most, less what it held before

All in one process each, in turns, the least of the rounds, for anything else that runs makes times longer. `--json FILE` writes
{name: {"value", "target", "met"}}.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Figures = dict[str, dict[str, Any]]
NETWORKS = ("unet(vgg16_bn)", "unet(vgg16_bn(width=0.25))")  # the paper's, and one for two cores


def drawn(count: int, size: int) -> tuple[Any, Any]:
    """Grey images with a bright disc each, and its mask."""
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    pixels, masks = rng.integers(20, 90, (count, size, size)).astype(np.uint8), np.zeros((count, size, size), np.uint8)
    for image, mask in zip(pixels, masks, strict=True):
        centre = tuple(int(place) for place in rng.integers(size // 4, 3 * size // 4, 2))
        cv2.circle(mask, centre, size // 8, 1, -1)
        image[mask == 1] += 90
    return pixels, masks


def network(spec: str, size: int) -> Any:
    import torch

    from evenray.learning import networks

    model = networks.build(spec, classes=2, channels=1, size=size)
    return model.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]


def fitted(spec: str, size: int, batch: int, steps: int) -> Callable[[], float]:
    """An epoch of `fit`, and the seconds that its steps took."""
    import numpy as np

    from evenray.data.store import Store
    from evenray.learning.tasks.segment import Segment
    from evenray.learning.train import Settings, examples, fit, machine

    pixels, masks = drawn(batch * steps, size)
    shares = np.array([[mask.size - mask.sum(), mask.sum()] for mask in masks]) * 1_000_000 // (size * size)
    part = examples("segment", Store((pixels,), 255, masked=(masks,)), np.arange(len(pixels)), shares.astype(np.int64))
    remedy, fabric = Segment().remedy("dice_cross_entropy", part.targets, ("disc",), ""), machine("cpu")

    def epoch() -> float:
        settings = Settings(1, batch, 1e-3, task="segment", flips=True)
        return fit(network(spec, size), part, None, settings, remedy.balance, fabric)[1][0]["seconds"] / steps

    return epoch


def bare(spec: str, size: int, batch: int, steps: int) -> Callable[[], float]:
    """Steps of the same network over one batch in memory."""
    import torch

    from evenray.learning.balance import make
    from evenray.learning.tasks.pixels import pixel_loss
    from evenray.learning.train import machine

    pixels, masks = drawn(batch, size)
    x = (torch.from_numpy(pixels)[:, None].float() / 255).contiguous(memory_format=torch.channels_last)
    y, fabric = torch.from_numpy(masks).long(), machine("cpu")
    loss = pixel_loss(make("dice_cross_entropy", [9, 1], ("background", "disc")))
    model = network(spec, size)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)

    def some() -> float:
        begun = time.perf_counter()
        for _ in range(steps):
            with fabric.autocast():
                logits = model(x)
            found = loss(logits.float(), y, 0.0)
            optimizer.zero_grad()
            found.backward()
            optimizer.step()
            found.item()
        return (time.perf_counter() - begun) / steps

    return some


def monai(spec: str, size: int, batch: int, steps: int) -> Callable[[], float]:
    """Steps of the same network in a MONAI pipeline."""
    import torch
    from monai.data import CacheDataset, DataLoader
    from monai.losses import DiceCELoss
    from monai.transforms import (
        Compose,
        EnsureChannelFirstd,
        RandAdjustContrastd,
        RandAffined,
        RandFlipd,
        RandGaussianNoised,
        RandScaleIntensityd,
        ScaleIntensityRanged,
        ToTensord,
    )  # fmt: skip

    from evenray.learning.train import machine

    pixels, masks = drawn(batch * steps, size)
    keys = ["image", "label"]
    change = Compose([
        EnsureChannelFirstd(keys, channel_dim="no_channel"), ScaleIntensityRanged("image", 0, 255, 0, 1), RandFlipd(keys, 0.5, 1),
        RandAffined(
            keys, (size, size), prob=1.0, rotate_range=(0.17,), scale_range=(0.1, 0.1),
            translate_range=(size * 0.06,) * 2, mode=("bilinear", "nearest"),
        ),
        RandScaleIntensityd("image", 0.1, 1.0), RandAdjustContrastd("image", 0.5), RandGaussianNoised("image", 0.25, std=0.02),
        ToTensord(keys),
    ])  # fmt: skip
    rows = [{"image": image, "label": mask} for image, mask in zip(pixels, masks, strict=True)]
    held = CacheDataset(rows, change, progress=False)
    loader = DataLoader(held, batch_size=batch, shuffle=True, num_workers=2, persistent_workers=True)
    loss = DiceCELoss(include_background=False, softmax=True, to_onehot_y=True, batch=True)
    fabric, model = machine("cpu"), network(spec, size)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)

    def epoch() -> float:
        begun = time.perf_counter()
        for rows in loader:
            x = rows["image"].as_tensor().contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad()
            with fabric.autocast():
                logits = model(x)
            found = loss(logits.float(), rows["label"].as_tensor())
            found.backward()
            optimizer.step()
            found.item()
        return (time.perf_counter() - begun) / steps

    epoch()  # its workers start
    return epoch


def memory(side: int) -> float:
    """Megabytes that predicting one image of this side in windows of 256 takes at most, beyond the network itself."""
    import torch

    from evenray.learning import networks
    from evenray.learning.windows import map_logits

    model = networks.build("unet(vgg16_bn(width=0.5))", classes=2, channels=1, size=256).eval()
    map_logits(model, torch.zeros(1, 1, 256, 256))
    before = held()
    map_logits(model, torch.rand(1, 1, side, side))
    return held() - before


def held() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def told(figures: Figures, name: str, value: float, target: float) -> None:
    figures[name] = {"value": round(value, 3), "target": target, "met": value <= target}
    print(f"{name:<72}{value:10.3f}   target {target:g}   {'met' if value <= target else 'missed'}", flush=True)


def turns(rounds: int, *works: Callable[[], float]) -> Iterator[float]:
    """The least of each over so many rounds in turns."""
    return (min(each) for each in zip(*([work() for work in works] for _ in range(rounds)), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="small images and few rounds: whether it runs, not how fast it is"
    )
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        print(memory(options.memory))
        return
    from evenray.learning.train import keep_malloc

    keep_malloc()
    size, batch, steps, rounds = (64, 8, 4, 2) if options.quick else (128, 8, 12, 5)
    figures: Figures = {}
    for spec in NETWORKS[1:] if options.quick else NETWORKS:
        whole, loop = turns(rounds, fitted(spec, size, batch, steps), bare(spec, size, batch, steps))
        told(figures, f"{spec}: a step of fit over a bare one, {size} px", whole / loop, 1.1)
        try:
            theirs = monai(spec, size, batch, steps)
        except ImportError:
            print("MONAI is not installed: its pipeline is not measured")
            continue
        ours, other = turns(rounds, fitted(spec, size, batch, steps), theirs)
        told(figures, f"{spec}: a step of fit over MONAI's, {size} px", ours / other, 0.8)
    for side in (512, 2000):
        done = subprocess.run(
            [sys.executable, __file__, "--memory", str(side)], capture_output=True, text=True, check=True
        )
        told(figures, f"MB to predict {side} x {side} pixels", float(done.stdout), 600)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
