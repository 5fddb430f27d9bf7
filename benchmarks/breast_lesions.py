"""Breast lesions in ultrasound (BUSI, 647 images with masks): `python benchmarks/breast_lesions.py -o FOLDER [--quick] [--json FILE]`.

    unet       U-Net on VGG16 at 128 and at 256 pixels, from scratch (with batch normalisation) and on convolutions of ImageNet,
               frozen or fine-tuned, three splits each; Dice and IoU of the test part with their intervals, in the files' own pixels
    monai      MONAI's U-Net on the very same splits, pixels and number of steps, its best epoch by the validation part, its
               threshold the one best for Dice there; skipped without MONAI
    grid       contrast x remedy with three seeds by cross-validation on training and validation parts

Near-duplicates stay on one side of a split, for the split keeps groups of them together. A run that was stopped goes on.
These networks want a graphics card. On a processor `--scratch "unet(vgg16_bn(width=0.25))"` takes a quarter of an hour of a core at
128 pixels and 40 epochs, and `--pretrained "unet(efficientnet_lite0)" --weights efficientnet_lite0` half as long; fine-tuned with
`--finetune "all(decay=0.5)"` at 256 pixels it takes as long as the narrow VGG16. --quick is for seeing that it runs.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from figures import Figures, note, told

import evenray as er

DATA = Path(os.environ.get("EVENRAY_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
WEIGHTS = f"caffe:{DATA / 'weights' / 'vgg16-imagenet-conv-bgr-fp16.safetensors'}"
MONAI = "MONAI U-Net"
PUBLISHED = {"dice": 0.770, "iou": 0.686}  # of a U-Net at 256, three splits
REMEDIES = ("none", "weighted", "dice", "dice_cross_entropy", "focal_tversky")  # every image has a lesion to sample by
CUTS = np.arange(-3, 3.1, 0.5)  # thresholds of MONAI's log-odds, of which the validation part chooses
Row = dict[str, Any]


def settings(
    size: int, network: str, epochs: int, weights: str | None = None, finetune: str = "frozen"
) -> dict[str, Any]:
    """The recipe of one way to train: from scratch, or from these weights."""
    shared: dict[str, Any] = {
        "task": "segment", "masks": str(DATA / "breast-ultrasound-256-masks"), "size": size, "epochs": epochs, "batch": 8,
        "contrast": "none", "balance": "dice_cross_entropy", "flips": True, "choose": {"members": 1, "keep": "best"},
        "validation": 0.15, "test": 0.2,
    }  # fmt: skip
    shared |= {"network": network, "learning_rate": 1e-3}
    return shared if weights is None else shared | {"pretrained": weights, "finetune": finetune}


def unet(
    out: Path, networks: dict[str, tuple[str, str | None]], finetune: str, sizes: list[int], seeds: list[int], epochs: int,
    data: Path, device: str, tta: Sequence[str],
) -> Iterator[Row]:  # fmt: skip
    """Each training, looked at in each way of `tta`."""
    for size in sizes:
        for kind, (network, weights) in networks.items():
            for seed, view in product(seeds, tta):
                run = er.run(
                    data, None, out / f"unet-{size}-{kind}-{seed}", until="evaluate", seed=seed, device=device, tta=view,
                    **settings(size, network, epochs, weights, finetune),
                )  # fmt: skip
                found, kept = run.scores, run.predictions
                assert kept is not None
                each = kept.part("test").table.select(
                    "case", dice=2 * pl.col("hit_0") / (pl.col("true_0") + pl.col("called_0"))
                )
                yield {
                    "what": f"{network}, {size} px, {finetune if weights else kind}, {view}", "size": size, "seed": seed,
                    "validation": found["validation"].estimates["dice"].value,
                    **{
                        name: [getattr(found["test"].estimates[name], part) for part in ("value", "low", "high")]
                        for name in ("dice", "iou")
                    },
                    "cases": dict(each.iter_rows()),
                }  # fmt: skip


def monai(out: Path, sizes: list[int], seeds: list[int], epochs: int, images: Path, device: str) -> Iterator[Row]:
    """MONAI's U-Net on the pixels, parts and masks of the U-Nets above."""
    try:
        from monai.losses import DiceCELoss
        from monai.networks.nets import UNet
    except ImportError:
        print("MONAI is not installed: its U-Net is not run")
        return
    import torch

    from evenray.core.marks import OUTSIDE_PIXEL, UNKNOWN_PIXEL
    from evenray.data.annotations import read_mask
    from evenray.data.letterbox import Placement
    from evenray.data.store import prepare, store_folder
    from evenray.learning.augment import Chance, augment_masks
    from evenray.learning.train import machine
    from evenray.metrics.overlap import overlap

    for size in sizes:
        for seed in seeds:
            kept = out / f"monai-{size}-{epochs}-{seed}.json"
            if kept.exists():
                yield json.loads(kept.read_text())
                continue
            recipe = settings(size, "unet(vgg16_bn)", epochs)
            run = er.run(images, None, out / f"split-{seed}", until="split", seed=seed, device=device, **recipe)
            data = run.dataset
            assert data is not None
            store = prepare(data, ["none"], size=size, channels=1, folder=store_folder(run.path))["none"]
            rows = {
                name: np.flatnonzero((data.cases["part"] == name).to_numpy())
                for name in ("train", "validation", "test")
            }
            fabric = machine(device)
            torch.manual_seed(seed)
            model = UNet(2, 1, 2, (32, 64, 128, 256, 512), (2, 2, 2, 2), num_res_units=2).to(fabric.device)
            loss = DiceCELoss(include_background=False, softmax=True, to_onehot_y=True, batch=True)
            steps = epochs * (len(rows["train"]) // 8)
            optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=steps + 1)

            def odds(which: Any, model: Any = model, store: Any = store, fabric: Any = fabric) -> Any:
                model.eval()
                with torch.no_grad(), fabric.autocast():
                    found = [
                        model(torch.from_numpy(store[np.array([row])]).to(fabric.device)[:, None].float() / 255)
                        .float()[0]
                        .cpu()
                        for row in which
                    ]
                return [(z[1] - z[0]).numpy() for z in found]

            def dice(said: Any, which: Any, cuts: Any, data: Any = data, size: int = size) -> Any:
                """Dice and IoU of each image at each threshold, in the file's own pixels: (images, cuts, 2)."""
                each = []
                for z, row in zip(said, which, strict=True):
                    true = read_mask(data, int(row)) == 1
                    own = Placement.of(true.shape, size).restore(np.ascontiguousarray(z))
                    hits = [overlap(true, own >= cut) for cut in cuts]
                    each.append([
                        [2 * n.hit / (n.true + n.called), n.hit / (n.true + n.called - n.hit)] for n in hits
                    ])  # fmt: skip
                return np.array(each)

            best = (-1.0, 0.0, model.state_dict())
            for epoch in range(epochs):
                model.train()
                order = np.random.default_rng([seed, epoch]).permutation(rows["train"])
                for number in range(len(order) // 8):
                    which = order[8 * number : 8 * number + 8]
                    x = torch.from_numpy(store[which]).to(fabric.device)[:, None].float() / 255
                    y = torch.from_numpy(store.masks(which)).to(fabric.device)
                    x, y = augment_masks(x, y, Chance.of([seed, epoch, number], 8), flips=True)
                    optimizer.zero_grad()
                    with fabric.autocast():
                        logits = model(x)
                    unknown = (y == UNKNOWN_PIXEL)[:, None]  # what is cut out; background for certain adds nothing
                    logits = torch.where(unknown, logits.new_tensor([40.0, -40.0]).view(1, 2, 1, 1), logits.float())
                    loss(logits, torch.where(y >= OUTSIDE_PIXEL, 0, y)[:, None]).backward()
                    optimizer.step()
                    schedule.step()
                by_cut = dice(odds(rows["validation"]), rows["validation"], CUTS)[..., 0].mean(0)
                if by_cut.max() > best[0]:
                    kept_now = {name: tensor.clone() for name, tensor in model.state_dict().items()}
                    best = (float(by_cut.max()), float(CUTS[by_cut.argmax()]), kept_now)
            model.load_state_dict(best[2])
            found = dice(odds(rows["test"]), rows["test"], best[1:2])[:, 0]
            draws = np.random.default_rng(0).integers(0, len(found), (1000, len(found)))
            low, high = np.quantile(found[draws].mean(1), [0.025, 0.975], axis=0)
            row: Row = {"what": f"{MONAI}, {size} px", "size": size, "seed": seed, **{
                name: [float(found[:, i].mean()), float(low[i]), float(high[i])] for i, name in enumerate(("dice", "iou"))
            }, "cases": dict(zip(data.cases["case"].gather(rows["test"]), found[:, 0].tolist(), strict=True))}  # fmt: skip
            kept.write_text(json.dumps(row))
            yield row


def ahead(own: list[Row], others: list[Row]) -> tuple[float, float, float] | None:
    """The mean difference in Dice on the images that both were tested on, over all splits, with an interval from images drawn
    again; None where there are none."""
    gaps: dict[str, list[float]] = {}
    for row in own:
        for other in others:
            if row is not other and (row["size"], row["seed"]) == (other["size"], other["seed"]):
                for case, dice in row["cases"].items():
                    gaps.setdefault(case, []).append(dice - other["cases"][case])
    if not gaps or own[0]["what"].startswith(MONAI):
        return None
    each = [np.array(found) for found in gaps.values()]
    sums, counts = np.array([found.sum() for found in each]), np.array([len(found) for found in each])
    drawn = np.random.default_rng(0).integers(0, len(each), (2000, len(each)))
    low, high = np.quantile(sums[drawn].sum(1) / counts[drawn].sum(1), [0.025, 0.975])
    return float(sums.sum() / counts.sum()), float(low), float(high)


def grid(
    out: Path, remedies: Sequence[str], effort: str, size: int, epochs: int, seeds: int, data: Path, device: str
) -> Iterator[Row]:
    recipe = settings(size, "unet(vgg11_bn(width=0.25))", epochs) | {
        "contrast": ("none", "equalize", "clahe"), "balance": tuple(remedies), "seeds": seeds, "device": device,
        "effort": effort,
    }  # fmt: skip
    run = er.run(data, None, out / "grid", until="compare", **recipe)
    assert run.grid is not None
    for row in run.grid.iter_rows(named=True):
        yield {
            "what": f"{row['contrast']} x {row['balance']}", "dice": [row["dice"], row["dice_low"], row["dice_high"]],
            "difference": [row["difference"], row["difference_low"], row["difference_high"]], "p_holm": row["p_holm"],
            "chosen": row["chosen"],
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder of the runs")
    parser.add_argument("--quick", action="store_true", help="64 pixels, one split, few epochs: whether it runs")
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256], help="sides in pixels")
    parser.add_argument("--parts", nargs="+", default=["unet", "monai", "grid"], help="unet, monai, grid")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="the splits, each from a seed")
    parser.add_argument("--epochs", type=int, default=60, help="of the U-Nets")
    parser.add_argument("--remedies", nargs="+", default=REMEDIES, help="of the grid")
    parser.add_argument("--effort", default="standard", help="of the grid")
    parser.add_argument("--scratch", default="unet(vgg16_bn)", help="the U-Net from scratch, or none")
    parser.add_argument(
        "--pretrained", default="unet(vgg16, batch_norm=True)", help="the U-Net on trained convolutions, or none"
    )
    parser.add_argument("--weights", default=WEIGHTS, help="of the trained convolutions: a name or a file")
    parser.add_argument("--finetune", default="frozen", help="which of them may change: frozen, all(decay=0.5), ...")
    parser.add_argument("--tta", nargs="+", default=["centre"], help="how the test part is looked at: centre, flips")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--data", type=Path, default=DATA / "breast-ultrasound-256", help="the images")
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    options = parser.parse_args()
    sizes, seeds, epochs = ([64], [0], 3) if options.quick else (options.sizes, options.seeds, options.epochs)
    networks: dict[str, tuple[str, str | None]] = {"scratch": (options.scratch, None)}
    if options.pretrained != "none":
        networks["pretrained"] = (options.pretrained, options.weights)
    if options.scratch == "none":
        del networks["scratch"]
    works = {
        "unet": lambda: unet(
            options.output, networks, options.finetune, sizes, seeds, epochs, options.data, options.device, options.tta
        ),
        "monai": lambda: monai(options.output, sizes, seeds, epochs, options.data, options.device),
        "grid": lambda: grid(
            options.output, options.remedies, options.effort, *((32, 2, 1) if options.quick else (64, 20, 3)), options.data,
            options.device,
        ),
    }  # fmt: skip
    rows: list[Row] = []
    for part in options.parts:
        for row in works[part]():
            rows.append(row)
            print(json.dumps({name: value for name, value in row.items() if name != "cases"}), flush=True)
    figures: Figures = {}
    for what in dict.fromkeys(row["what"] for row in rows if "iou" in row):
        own = [row for row in rows if row["what"] == what]
        for name, published in PUBLISHED.items():
            note(figures, f"{what}: {name}", float(np.mean([row[name][0] for row in own])), f">= {published}")
        if (beside := ahead(own, [row for row in rows if row["what"].startswith(MONAI)])) is not None:
            value, low, high = beside
            print(f"{what}: Dice less that of MONAI's on the same test images {value:+.3f} ({low:+.3f} to {high:+.3f})")
            note(figures, f"{what}: Dice less MONAI's", value, ">= 0")
    told(figures, options.json)


if __name__ == "__main__":
    main()
