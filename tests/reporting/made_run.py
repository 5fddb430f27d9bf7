"""A run folder made up from a seeded generator: every artefact that the report reads, plausible and small."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.recipe import Recipe
from evenray.core.sketches import Sketching
from evenray.core.types import Predictions
from evenray.metrics import choose_threshold, decision_curve, score

SITES = ("Alder", "Birch")


def make_run(folder: Path, *, classes: int = 2, seed: int = 7, cases: int = 900) -> Path:
    """Write a whole run of so many classes into `folder` and give it back."""
    rng = np.random.default_rng(seed)
    named = {2: (["healthy", "sick"], [0.9, 0.1]), 3: (["normal", "bacteria", "virus"], [0.5, 0.3, 0.2])}
    many = [f"kind {k}" for k in range(classes)], np.arange(1, classes + 1) / np.arange(1, classes + 1).sum()
    names, shares = named.get(classes, many)
    folder.mkdir(parents=True, exist_ok=True)
    table = _cases(rng, names, shares, cases)
    sketches = {"histogram": np.array(table["histogram"].to_list(), np.uint32)}
    sketches |= {"thumbnail": np.frombuffer(b"".join(table["thumbnail"]), np.uint8).reshape(-1, 32, 32)}
    with Sketching(folder / "sketches") as sketching:
        sketching.add(sketches)
    kept = table.drop("split", *sketches).with_row_index("sketch")
    kept.write_parquet(folder / "cases.parquet")
    table.select("case", part="split").write_parquet(folder / "split.parquet")
    predictions = _predictions(rng, table, names)
    predictions.write_parquet(folder / "predictions.parquet")
    _plans(folder, names)
    _findings(folder, table)
    _grid(rng, folder)
    _history(rng, folder)
    validation = Predictions(predictions, tuple(names), names[-1]).part("validation")
    threshold = choose_threshold(validation) if classes == 2 else None
    _json(folder / "scores.json", scores(predictions, names, threshold))
    _pictures(rng, folder, predictions, names)
    return folder


def at_prevalence(folder: Path, prevalence: dict[str, float]) -> Path:
    """The run in `folder` evaluated anew where the classes have other shares: probabilities, threshold and scores."""
    table, names = pl.read_parquet(folder / "predictions.parquet"), list(prevalence)
    before = table["target"].value_counts().sort("target")["count"].to_numpy() / table.height
    p = table.select(f"p_{k}" for k in range(len(names))).to_numpy() * list(prevalence.values()) / before
    p /= p.sum(axis=1, keepdims=True)
    table = table.with_columns(**{f"p_{k}": pl.Series(column) for k, column in enumerate(p.T)})
    table.write_parquet(folder / "predictions.parquet")
    validation = Predictions(table, tuple(names), names[-1]).part("validation")
    threshold = choose_threshold(validation) if len(names) == 2 else None
    _json(folder / "scores.json", scores(table, names, threshold, prevalence))
    return folder


def scores(
    table: pl.DataFrame, names: list[str], threshold: float | None, prevalence: dict[str, float] | None = None
) -> dict[str, Any]:
    """Scores as the evaluation writes them, from the metrics themselves."""
    at = None if prevalence is None else list(prevalence.values())
    predictions = Predictions(table, tuple(names), names[-1])
    parts = {}
    for part in ("validation", "test"):
        rows = predictions.part(part)
        found = score(rows, threshold, resamples=100, prior=at, prevalence=at)
        parts[part] = {
            "cases": found.cases,
            "patients": found.patients,
            "counts": {name: int((rows.targets == k).sum()) for k, name in enumerate(names)},
            "confusion": found.confusion.tolist(),
            "metrics": {name: asdict(estimate) for name, estimate in found.estimates.items()},
        }
    rule = "youden" if threshold is not None else None
    test, found = predictions.part("test"), {"threshold": threshold, "threshold_rule": rule, "parts": parts}
    rates = {name: parts["test"]["metrics"][name] for name in ("accuracy", "sensitivity", "specificity", "ppv", "npv")}
    rules = ("youden", "specificity(0.95)") if rule else ()
    return found | {
        "classes": names, "positive": names[-1], "prevalence": prevalence,
        "operating_points": [{"rule": each, "threshold": threshold, **rates} for each in rules],
        "decision_curve": decision_curve(test, prevalence=at, resamples=50).to_dict(as_series=False),
        "patients": parts["test"] | {"cases": parts["test"]["patients"]},
        "groups": {"site": {name: parts["test"] | {"cases": n} for n, name in enumerate(SITES, 40)}},
    }  # fmt: skip


def _cases(rng: np.random.Generator, names: list[str], shares: list[float], n: int) -> pl.DataFrame:
    label = rng.choice(names, n, p=shares)
    site = rng.choice(SITES, n, p=[0.6, 0.4])
    patient = [f"{h:012x}" for h in rng.integers(0, 2**48, n)]
    patient[1::9] = patient[0 : len(patient[1::9]) * 9 : 9]  # some patients have two images
    thumbs, histograms = [], []
    for i in range(n):
        picture = phantom(rng, 32, sick=label[i] != names[0], bright=site[i] == "Birch" and i % 2 == 0)
        thumbs.append(picture.tobytes())
        fine = phantom(rng, 96, sick=label[i] != names[0], bright=site[i] == "Birch" and i % 2 == 0)
        histograms.append(np.bincount(fine.ravel(), minlength=256).astype(np.uint32).tolist())
    split = rng.choice(["train", "validation", "test"], n, p=[0.6, 0.15, 0.25])
    split[:2] = "excluded"
    return pl.DataFrame(
        {
            "case": [f"{s.lower()}/{i:04d}.dcm" for i, s in enumerate(site)],
            "file": [f"{s.lower()}/{i:04d}.dcm" for i, s in enumerate(site)],
            "label": label,
            "patient": patient,
            "site": site,
            "part": pl.Series([None] * n, dtype=pl.String),
            "format": "dicom",
            "modality": "DX",
            "manufacturer": np.where(site == "Alder", "Norling", "Vesta"),
            "view": rng.choice(["PA", "AP"], n, p=[0.8, 0.2]),
            "photometric": rng.choice(["MONOCHROME2", "MONOCHROME1"], n, p=[0.7, 0.3]),
            "rows": rng.choice([512, 480, 500], n),
            "columns": rng.choice([512, 400], n),
            "channels": 1,
            "bits": np.where(np.arange(n) == 3, 8, 12),
            "dtype": "uint16",
            "low": 0.0,
            "high": 4095.0,
            "histogram": pl.Series(histograms, dtype=pl.List(pl.UInt32)),
            "thumbnail": thumbs,
            "split": split,
        }
    )


def phantom(rng: np.random.Generator, side: int, *, sick: bool, bright: bool) -> NDArray[np.uint8]:
    """A chest seen from afar: two dark lungs in a grey body on black, a bright blob where it is sick."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    picture = 170.0 * (x**2 / 0.85 + y**2 / 0.95 < 1)
    for centre in (-0.38, 0.38):
        picture -= 110 * np.exp(-(((x - centre) / 0.25) ** 4) - ((y + 0.05) / 0.55) ** 4)
    if sick:
        u, v = rng.uniform(-0.5, 0.5), rng.uniform(-0.4, 0.3)
        picture += 70 * np.exp(-(((x - u) / 0.12) ** 2) - ((y - v) / 0.12) ** 2)
    picture = picture * rng.uniform(0.85, 1.1) + rng.normal(0, 6, picture.shape)
    if bright:
        picture = 255 * (picture.clip(0, 255) / 255) ** 0.4
    return picture.clip(0, 255).astype(np.uint8)


def _predictions(rng: np.random.Generator, table: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    rows = table.filter(pl.col("split").is_in(["validation", "test"]))
    target = np.array([names.index(label) for label in rows["label"]])
    logits = rng.normal(0, 1.0, (len(target), len(names)))
    logits[np.arange(len(target)), target] += 1.9
    logits[:, 0] += 1.5
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    columns = {f"logit_{k}": logits[:, k] for k in range(len(names))} | {f"p_{k}": p[:, k] for k in range(len(names))}
    return rows.select("case", "patient", "label", part="split").with_columns(
        target=pl.Series(target, dtype=pl.Int64), **{name: pl.Series(column) for name, column in columns.items()}
    )


def _plans(folder: Path, names: list[str]) -> None:
    recipe = {"data": "archive/"} | Recipe(labels="labels.csv", size=64, epochs=12, seed=7, test=0.25).asked()
    _json(folder / "recipe.json", recipe)
    choices = [
        {
            "name": "network",
            "value": "vgg11_bn",
            "why": "the largest of 3 candidates whose training the budget covers at 64 pixels or more",
        },
        {
            "name": "batch",
            "value": 32,
            "why": "518 training images: large enough for a steady gradient, small enough for many steps",
        },
        {"name": "epochs", "value": 12, "why": "as asked"},
    ]
    _json(folder / "plan.json", {"choices": choices})
    stages = ["scan", "audit", "split", "compare", "train", "evaluate", "explain"]
    provenance = {
        "evenray": "0.1.0",
        "python": "3.11.9",
        "packages": {"torch": "2.13.0", "numpy": "2.4.6", "opencv-python-headless": "5.0.0", "polars": "2.1.0"},
        "machine": {"system": "Linux", "processor": "x86_64", "cores": 2, "device": "cpu"},
        "started": "2025-03-04T10:00:00+09:00",
        "stages": {
            name: {
                "seconds": 4.2 * 2**i,
                "finished": f"2025-03-04T10:0{i}:30+09:00",
                "outputs": {f"{name}.x": "ab" * 32},
            }
            for i, name in enumerate(stages)
        },
        "test_opened": ["2025-03-04T10:05:12+09:00"],
    }
    _json(folder / "provenance.json", provenance)
    facts = {"patients_known": True, "synthetic": True}
    dataset = {
        "classes": names,
        "positive": names[-1],
        "positive_why": "it is the rarest class that may mean disease",
        "root": "x",
        "facts": facts,
    }
    _json(folder / "dataset.json", dataset)
    (folder / "rejected.csv").write_text(
        "file,reason\nalder/broken.dcm,the pixel data ends after 12 of 512 rows\n", encoding="utf-8"
    )


def _findings(folder: Path, table: pl.DataFrame) -> None:
    case = table["case"].to_list()
    rows: list[tuple[str, str, str, str, list[str], dict[str, Any]]] = [
        (
            "leakage_duplicates",
            "error",
            "Test images that are also in another part",
            "The network is tested on images that it has learnt. Exclude the copies in train and validation.",
            case[10:14],
            {"groups": 2, "images": 4, "group_sizes": "2,2"},
        ),
        (
            "overexposed",
            "warning",
            "Over-exposed images",
            "What is clipped at white cannot be brought back by any contrast method; check the window and the rescaling "
            "of these files, read them again without a window, or exclude them.",
            case[20:77],
            {"images": 57, "largest_white_share": 0.412},
        ),
        ("unheard_of", "warning", "A finding that nobody has translated", "Look at it.", case[:1], {"reading": 0.4}),
        (
            "classes",
            "info",
            "Classes are imbalanced",
            "Always answering 'healthy' is right in 90.0% of the cases and finds none of the others: judge by sensitivity, "
            "AUROC and AUPRC rather than by accuracy, and compare balance strategies.",
            [],
            {"imbalance_ratio": 9.0, "always_majority_accuracy": 0.9},
        ),
    ]
    pl.DataFrame(
        {
            "check": [r[0] for r in rows],
            "severity": [r[1] for r in rows],
            "title": [r[2] for r in rows],
            "advice": [r[3] for r in rows],
            "cases": pl.Series([r[4] for r in rows], dtype=pl.List(pl.String)),
            "evidence": [json.dumps(r[5]) for r in rows],
        }
    ).write_parquet(folder / "findings.parquet")


def _grid(rng: np.random.Generator, folder: Path) -> None:
    rows = []
    for i, contrast in enumerate(["none", "gamma(0.8)", "equalize", "clahe(clip=2)"]):
        for j, balance in enumerate(["none", "weighted", "oversample", "undersample"]):
            auprc = 0.45 + 0.05 * i + 0.03 * (j == 2) - 0.04 * (j == 3) + rng.normal(0, 0.01)
            row: dict[str, Any] = {
                "contrast": contrast, "balance": balance, "network": "vgg11_bn", "imbalance": "own", "metric": "auprc",
                "seeds": 1, "sampling_deviation": 0.04, "seed_deviation": float("nan"), "epochs": 12,
                "reference": not rows,
            }  # fmt: skip
            for name, v in {
                "auprc": auprc,
                "auroc": 0.5 + auprc / 1.4,
                "sensitivity_at_specificity": auprc - 0.1,
                "brier": 0.06 + 0.01 * j,
                "ece": 0.02 + 0.01 * j,
            }.items():
                row |= {name: v, f"{name}_low": v - 0.09, f"{name}_high": v + 0.08}
            rows.append(row | {"seconds": 10.0 + 3 * i + 4 * (j == 2)})
    for row in rows:
        d = row["auprc"] - rows[0]["auprc"]
        row |= {"difference": d, "difference_low": d - 0.06, "difference_high": d + 0.06, "p_holm": max(0.001, 0.5 - d)}
        row |= {
            "tied": row["auprc"] > 0.55,
            "chosen": (row["contrast"], row["balance"]) == ("clahe(clip=2)", "oversample"),
        }
    pl.DataFrame(rows).write_parquet(folder / "grid.parquet")


def _history(rng: np.random.Generator, folder: Path) -> None:
    epoch = np.arange(1, 13)
    pl.DataFrame(
        {
            "epoch": epoch,
            "train_loss": 0.6 * np.exp(-epoch / 5) + 0.02,
            "validation_loss": 0.5 * np.exp(-epoch / 4) + 0.14 + 0.004 * epoch + rng.normal(0, 0.005, 12),
            "validation_auroc": 0.92 - 0.4 * np.exp(-epoch / 3) + rng.normal(0, 0.01, 12),
            "validation_auprc": 0.64 - 0.5 * np.exp(-epoch / 3) + rng.normal(0, 0.015, 12),
            "learning_rate": 1e-3 * np.sin(np.pi * epoch / 12.5),
            "seconds": 9.5,
        }
    ).write_csv(folder / "history.csv")


def _pictures(rng: np.random.Generator, folder: Path, predictions: pl.DataFrame, names: list[str]) -> None:
    index = []
    test = predictions.filter(pl.col("part") == "test")
    p = test.select(f"p_{k}" for k in range(len(names))).to_numpy()
    target = test["target"].to_numpy()
    said = p.argmax(1) if len(names) > 2 else (p[:, 1] >= 0.3).astype(int)
    sure = p[np.arange(len(p)), said] * np.where(said == target, -1, 1)
    y, x = np.mgrid[-1:1:224j, -1:1:224j]
    picked = [(int(i), "mistake") for i in np.argsort(-sure)[:6]] + [(int(i), "hit") for i in np.argsort(sure)[:2]]
    for n, (i, kind) in enumerate(picked):
        picture = phantom(rng, 224, sick=target[i] > 0, bright=False)
        u, v = rng.uniform(-0.5, 0.5, 2)
        glow = 255 * np.exp(-(((x - u) / 0.3) ** 2) - ((y - v) / 0.3) ** 2)
        _png(folder / f"attributions/{n}.png", picture)
        _png(folder / f"attributions/{n}_map.png", glow.astype(np.uint8))
        index.append(
            {
                "case": test["case"][i],
                "part": "test",
                "label": test["label"][i],
                "predicted": names[int(said[i])],
                "probability": float(p[i, said[i]]),
                "kind": kind,
                "image": f"{n}.png",
                "map": f"{n}_map.png",
            }
        )
    _json(folder / "attributions/index.json", index)
    checks = [
        {"name": "same map twice", "value": 0.0, "expected": "at most 1e-5", "passed": True},
        {"name": "map is not constant", "value": 1.0, "expected": "at least half of the images", "passed": True},
        {"name": "other weights, other map", "value": 0.81, "expected": "at most 0.7", "passed": False},
    ]
    _json(folder / "attributions/sanity.json", {"method": "gradcam", "layer": "features.28", "checks": checks})
    _json(folder / "contrast/index.json", _contrasts(rng, folder))


def _contrasts(rng: np.random.Generator, folder: Path) -> list[dict[str, Any]]:
    examples = []
    for n, (spec, bright) in enumerate([("equalize", True), ("clahe(clip=2)", False)]):
        before = phantom(rng, 320, sick=True, bright=bright)
        counts = np.bincount(before.ravel(), minlength=256)
        curve = np.cumsum(counts) / counts.sum() if spec == "equalize" else None
        after = before if curve is None else (255 * curve[before]).astype(np.uint8)
        if curve is None:
            after = cv2.createCLAHE(2.0, (8, 8)).apply(before)
        _png(folder / f"contrast/{n}_before.png", before)
        _png(folder / f"contrast/{n}_after.png", after)
        examples.append(
            {
                "case": f"birch/00{n}1.dcm",
                "contrast": spec,
                "before": f"{n}_before.png",
                "after": f"{n}_after.png",
                "value_range": [0, 4095],
                "histogram_before": counts.tolist(),
                "histogram_after": np.bincount(after.ravel(), minlength=256).tolist(),
                "curve": None if curve is None else curve.tolist(),
            }
        )
    return examples


def _png(path: Path, pixels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


def _json(path: Path, value: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")
