"""Choose a training recipe under a shift that is made inside the training and validation parts: `python tools/shift.py ARCHIVE.npz`.

A validation part drawn from the training distribution can be told apart so well that it no longer tells recipes apart. So
images are grouped by what they look like as a whole (k-means on light, sharpness and coarse shape, with what the
classes differ in taken out), each group in turn is what a test part from elsewhere would be, and networks are trained on
the other groups. They are judged on the group as it is and after changes of acquisition (gamma, blur, noise, crop), with
the threshold chosen on other cases of the groups that were trained on. An archive's test part is never read.

    python tools/shift.py pneumoniamnist.npz --out OUT --candidates base,weak --groups 0,1 --seeds 0  # trains
    python tools/shift.py pneumoniamnist.npz --out OUT --table                                            # what came of it
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from torch.nn import functional

import evenray.learning.augment
import evenray.learning.train.average
import evenray.learning.train.loop
from evenray.core.types import Image, Predictions
from evenray.images.contrast import enhance
from evenray.learning import networks
from evenray.learning.balance import Balance
from evenray.learning.train import Part, Settings, fit, forward, keep_malloc, machine, statistics
from evenray.learning.train.feed import Transform
from evenray.metrics import calibrate, choose_threshold
from evenray.metrics.ranking import Ranking

GROUPS = 5
LEAST = 0.1  # of the cases of each class, for a group to be held out
RULES = ("fixed(0.5)", "youden", "accuracy", "prevalence", "even")
Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Candidate:
    """What differs from the default: the network, constants of modules, a remedy's loss or mixing, the contrast, settings."""

    network: str = "vgg16_bn(head=average, width=0.5)"
    steps: int = 600
    constants: dict[Any, dict[str, Any]] = field(default_factory=dict)
    balance: Balance = field(default_factory=Balance)
    contrast: str = "none"
    keep: str = "best"
    light: float = 0.0  # random gammas exp(-light) to exp(light)


def smoothed(share: float) -> Balance:
    return Balance(loss=lambda logits, targets, _: functional.cross_entropy(logits, targets, label_smoothing=share))


def mixed(alpha: float) -> Balance:
    """Mixup of all cases (Zhang et al. 2018)."""

    def mix(x: torch.Tensor, targets: torch.Tensor, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        share, partner = float(rng.beta(alpha, alpha)), torch.from_numpy(rng.permutation(len(targets)))
        hot = functional.one_hot(targets, 2).to(x)
        return share * x + (1 - share) * x[partner], share * hot + (1 - share) * hot[partner]

    return Balance(mix=mix)


AUGMENT, LOOP, AVERAGE = evenray.learning.augment, evenray.learning.train.loop, evenray.learning.train.average
WEAK = {AUGMENT: {"NOISY": 0.0, "CUT": 0.0}}
CANDIDATES = {
    "base": Candidate(),
    "last": Candidate(keep="last"),
    "weak": Candidate(constants=WEAK),
    "light": Candidate(light=0.4),
    "geometry": Candidate(constants={AUGMENT: {"SCALE": 0.2, "SHIFT": 0.1}}),
    "smooth": Candidate(balance=smoothed(0.05)),
    "mixup": Candidate(balance=mixed(0.2)),
    "decay": Candidate(constants={LOOP: {"WEIGHT_DECAY": 0.1}}),
    "dropout": Candidate(network="vgg16_bn(head=average, width=0.5, dropout=0.3)"),
    "average": Candidate(constants={AVERAGE: {"MEMORY": 0.25}}),
    "percentile": Candidate(contrast="percentile"),
    "equalize": Candidate(contrast="equalize"),
    "clahe": Candidate(contrast="clahe"),
    "vgg11": Candidate(network="vgg11_bn"),
    "wide": Candidate(network="vgg16_bn", steps=800),
    "mixup-weak": Candidate(constants=WEAK, balance=mixed(0.2)),
    "wide-weak": Candidate(network="vgg16_bn", steps=800, constants=WEAK),
    "weak-light": Candidate(constants=WEAK, light=0.4),
    "weak-long": Candidate(constants=WEAK, steps=1200),
    "mixup-much": Candidate(balance=mixed(0.4)),
    "wide-weak-smooth": Candidate(network="vgg16_bn", steps=800, constants=WEAK, balance=smoothed(0.05)),
}


@dataclass(frozen=True)
class Held:
    """As many pixels as fit in memory, in place of a store."""

    pixels: Images
    scale: int = 255

    def __getitem__(self, rows: NDArray[np.int64]) -> Images:
        return self.pixels[rows]


def learnable(archive: Path) -> tuple[Images, NDArray[np.int64]]:
    """The training and the validation part together."""
    with np.load(archive) as arrays:
        images = np.concatenate([arrays[f"{part}_images"] for part in ("train", "val")])
        return images, np.concatenate([arrays[f"{part}_labels"] for part in ("train", "val")]).ravel().astype(np.int64)


def groups(images: Images, targets: NDArray[np.int64]) -> list[NDArray[np.bool_]]:
    """Groups of images alike as a whole, those with enough cases of each class, the largest first."""
    x = images.astype(np.float64) / 255
    flat = x.reshape(len(x), -1)
    value_range = np.quantile(flat, [0.05, 0.25, 0.5, 0.75, 0.95], axis=1).T
    across, down = np.abs(np.diff(x, axis=2)).mean((1, 2)), np.abs(np.diff(x, axis=1)).mean((1, 2))
    border = np.concatenate([x[:, :2].reshape(len(x), -1), x[:, -2:].reshape(len(x), -1)], 1)
    coarse = np.stack([cv2.resize(one, (7, 7), interpolation=cv2.INTER_AREA) for one in x]).reshape(len(x), -1)
    coarse = coarse - coarse.mean(1, keepdims=True)
    coarse = coarse - coarse.mean(0)
    shape = coarse @ np.linalg.svd(coarse, full_matrices=False)[2][:6].T
    features = np.column_stack([
        flat.mean(1), flat.std(1), value_range, (flat < 0.02).mean(1), (flat > 0.98).mean(1), across, down,
        border.mean(1), border.std(1), shape,
    ])  # fmt: skip
    for k in np.unique(targets):
        features[targets == k] -= features[targets == k].mean(0)
    features /= features.std(0) + 1e-12
    _, label = kmeans2(features, GROUPS, minit="++", seed=0, iter=100)
    found = [label == k for k in np.argsort(-np.bincount(label, minlength=GROUPS))]
    enough = np.bincount(targets) * LEAST
    return [group for group in found if (np.bincount(targets[group], minlength=2) >= enough).all()]


def changes() -> dict[str, Callable[[Images], Images]]:
    """Changes of acquisition."""
    rng = np.random.default_rng(5)
    each = lambda change: lambda images: np.stack([change(image) for image in images])  # noqa: E731
    gamma = lambda by: lambda images: np.round(255 * (images / 255.0) ** by).astype(np.uint8)  # noqa: E731
    return {
        "plain": lambda images: images,
        "gamma .7": gamma(0.7),
        "gamma 1.4": gamma(1.4),
        "blur": each(lambda image: cv2.GaussianBlur(image, (5, 5), 0.7)),
        "noise": lambda images: np.clip(images + rng.normal(0, 8, images.shape), 0, 255).astype(np.uint8),
        "crop": each(lambda image: cv2.resize(image[2:-2, 2:-2], image.shape[::-1], interpolation=cv2.INTER_LINEAR)),
    }


def prepared(images: Images, contrast: str) -> Images:
    if contrast == "none":
        return images
    return np.stack([np.asarray(enhance(Image(image, (0, 255)), contrast).pixels) for image in images])


def transform(candidate: Candidate) -> Transform:
    def change(x_NCHW: torch.Tensor, answers: torch.Tensor, chance: Any) -> tuple[torch.Tensor, torch.Tensor]:
        x_NCHW = evenray.learning.augment.augment(x_NCHW, chance)
        if candidate.light:
            power = torch.exp((chance.uniform(17)[:, 16] * 2 - 1) * candidate.light)
            x_NCHW = x_NCHW.clamp_min(1e-4) ** power.view(-1, 1, 1, 1)
        return x_NCHW, answers

    return change


def train(archive: Path, candidate: Candidate, group: int, seed: int, path: Path) -> None:
    """Train on all groups but one and keep the logits of the validation cases, and of the group under every change."""
    images, targets = learnable(archive)
    away = groups(images, targets)[group]
    known = np.random.default_rng(11).permutation(np.flatnonzero(~away))
    own = known[: len(known) // 8]  # validation
    rows = known[len(known) // 8 :]
    batch = 64 if len(rows) >= 2000 else 32
    epochs = int(np.clip(round(candidate.steps * batch / len(rows)), 6, 60))
    for module, values in candidate.constants.items():
        for name, value in values.items():
            assert hasattr(module, name)
            setattr(module, name, value)
    part = lambda pixels, rows: Part(Held(prepared(pixels, candidate.contrast)), np.arange(len(rows)), targets[rows])  # type: ignore[arg-type]  # noqa: E731
    learn, check = part(images[rows], rows), part(images[own], own)
    mean, std = statistics(learn)
    model = networks.build(
        candidate.network, classes=2, channels=1, size=images.shape[1], seed=seed, mean=mean, std=std
    )
    keep = candidate.keep if np.bincount(targets[own]).min() >= 20 else "last"
    settings = Settings(epochs, batch, 1e-3, seed, keep=keep, patience=max(5, -(-epochs // 2)) if keep == "best" else 0)
    alone, begun = machine("cpu"), time.process_time()
    model, history = fit(model, learn, check, settings, candidate.balance, alone, transform=transform(candidate))
    found = {
        "validation": forward(model, check, 256, alone),
        "validation_targets": targets[own],
        "targets": targets[away],
    }
    for name, change in changes().items():
        found[name] = forward(model, part(change(images[away]), np.flatnonzero(away)), 256, alone)
    np.savez(path, seconds=time.process_time() - begun, epochs=len(history), **found)


def said(logits: NDArray[np.float64], targets: NDArray[np.int64]) -> Predictions:
    p = torch.softmax(torch.from_numpy(logits), 1).numpy()
    return Predictions(pl.DataFrame({"target": targets, "p_0": p[:, 0], "p_1": p[:, 1]}), ("0", "1"), "1")


def area(logits: NDArray[np.float64], targets: NDArray[np.int64]) -> float:
    margin = logits[:, 1] - logits[:, 0]
    return float(Ranking.of(margin, targets == 1).areas(np.ones((1, len(targets))))[0][0])


def judged(found: list[dict[str, NDArray[Any]]]) -> dict[str, float]:
    """AUROC and accuracy of the average of some networks, on the validation cases and on the group under every change."""

    def mean(name: str) -> NDArray[np.float64]:
        p = np.mean([torch.softmax(torch.from_numpy(one[name]), 1).numpy() for one in found], 0)
        return np.asarray(np.log(p + 1e-12), np.float64)

    own, away = found[0]["validation_targets"], found[0]["targets"]
    fitted = calibrate(mean("validation"), own)
    logits = {name: np.log(fitted.apply(mean(name)) + 1e-12) for name in ("validation", *changes())}
    cuts = {rule: choose_threshold(said(logits["validation"], own), rule) for rule in RULES if rule != "even"}
    cuts["even"] = choose_threshold(said(logits["validation"], own), "accuracy", [0.5, 0.5])
    row = {"validation": area(logits["validation"], own)} | {name: area(logits[name], away) for name in changes()}
    for rule, cut in cuts.items():
        for name in ("validation", *changes()):
            p = np.exp(logits[name][:, 1])
            row[f"{rule}|{name}"] = float(np.mean((p >= cut) == ((own if name == "validation" else away) == 1)))
    return row


def table(out: Path, together: bool) -> None:
    """A row a candidate: means over groups and seeds; with `together` the seeds of a group are averaged as one network."""
    by: dict[str, dict[str, list[dict[str, NDArray[Any]]]]] = {}
    seconds: dict[str, list[float]] = {}
    for path in sorted(out.glob("*.npz")):
        name, group, seed = path.stem.rsplit(",", 2)
        kept = dict(np.load(path))
        by.setdefault(name, {}).setdefault(group if together else f"{group},{seed}", []).append(kept)
        seconds.setdefault(name, []).append(float(kept["seconds"]))
    changed = [name for name in changes() if name != "plain"]
    rows = []
    for name, sets in by.items():
        each = pl.DataFrame([judged(found) for found in sets.values()])
        rows.append(
            {"candidate": name, "n": len(sets), "cpu s": np.mean(seconds[name]), "validation": each["validation"].mean(),
             "plain": each["plain"].mean(), "changed": each.select(changed).to_numpy().mean()}
            | {f"acc {rule} {kind}": each.select([f"{rule}|{c}" for c in names]).to_numpy().mean()
               for kind, names in (("plain", ["plain"]), ("changed", changed)) for rule in RULES}
        )  # fmt: skip
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=300, float_precision=4):
        print(pl.DataFrame(rows).sort("plain", descending=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--out", type=Path, default=Path("shift"))
    parser.add_argument("--candidates", default=",".join(CANDIDATES))
    parser.add_argument("--groups", default="0,1")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--table", action="store_true", help="only say what is there")
    parser.add_argument("--together", action="store_true", help="the seeds of a group averaged")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.table:
        table(options.out, options.together)
        return
    keep_malloc()
    torch.set_num_threads(1)
    images, targets = learnable(options.archive)
    print([np.bincount(targets[group]).tolist() for group in groups(images, targets)], flush=True)
    defaults = {module: dict(vars(module)) for module in (AUGMENT, LOOP, AVERAGE)}
    asked = [part.split(",") for part in (options.seeds, options.groups, options.candidates)]
    for seed, group, name in itertools.product(*asked):
        path = options.out / f"{name},{group},{seed}.npz"
        try:
            path.with_suffix(".claim").touch(exist_ok=False)  # of several processes one does it
        except FileExistsError:
            continue
        for module, values in defaults.items():
            vars(module).update(values)
        begun = time.perf_counter()
        train(options.archive, CANDIDATES[name], int(group), int(seed), path)
        row = judged([dict(np.load(path))])
        print(
            path.stem,
            f"{time.perf_counter() - begun:.0f} s",
            {k: round(row[k], 4) for k in ("validation", *changes())},
            flush=True,
        )


if __name__ == "__main__":
    main()
