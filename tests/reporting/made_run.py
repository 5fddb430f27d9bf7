"""A run folder made up from a seeded generator: every artefact that the report reads, plausible and small."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts import Done, Ledger, RunFolder, digest, version
from evenray.core.artefacts.asked import Asked
from evenray.core.artefacts.cases import DatasetRecord
from evenray.core.artefacts.explained import NEEDED, SHORTCUTS, Attribution, Attributions, Check, Preview, Previews
from evenray.core.artefacts.plan import ASKED, Fingerprint, PlanChoice, Planned
from evenray.core.artefacts.scores import (
    BaselineScores,
    CalibrationRecord,
    Figure,
    Gap,
    OperatingPoint,
    PartScores,
    ScoresRecord,
)  # fmt: skip
from evenray.core.facts import Facts
from evenray.core.findings import Finding, table_of
from evenray.core.messages import Message
from evenray.core.recipe import Recipe
from evenray.core.run import Run
from evenray.core.sketches import SketchWriter
from evenray.core.types import Predictions
from evenray.metrics import calibration_by_class, choose_threshold, decision_curve, score
from evenray.reporting import report_page

SITES = ("Alder", "Birch")
# Each stage with those that it reads from.
STAGES: dict[str, tuple[str, ...]] = {
    "scan": (), "audit": ("scan",), "split": ("scan", "audit"), "plan": ("split",), "compare": ("split", "plan"),
    "train": ("split", "plan", "compare"), "evaluate": ("split", "plan", "compare", "train"),
    "explain": ("split", "train", "evaluate"),
}  # fmt: skip


def write(folder: Path, language: str = "en") -> Path:
    """Write the report of a run, as the stage of that name does, and give its path back."""
    path = folder / "report.html"
    path.write_text(report_page(Run(folder), language=language), encoding="utf-8")
    return path


def done_again(folder: Path, stage: str) -> None:
    """Note in the ledger that a stage was done again, on what stands there now, and left something else than before."""
    run = RunFolder(folder)
    former = run.ledger.stages[stage]
    outputs = {name: hashlib.sha256(content.encode()).hexdigest() for name, content in former.outputs.items()}
    done = former.model_copy(update={"inputs": {name: run.stamp(name) for name in STAGES[stage]}, "outputs": outputs})
    run.note(lambda ledger: ledger.model_copy(update={"stages": {**ledger.stages, stage: done}}))


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
    with SketchWriter(folder / "sketches") as sketching:
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
    scores(predictions, names, threshold).write(folder)
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
    scores(table, names, threshold, prevalence).write(folder)
    return folder


def scores(
    table: pl.DataFrame, names: list[str], threshold: float | None, prevalence: dict[str, float] | None = None
) -> ScoresRecord:
    """Scores as the evaluation writes them, from the metrics themselves."""
    at = None if prevalence is None else list(prevalence.values())
    predictions = Predictions(table, tuple(names), names[-1])
    parts = {
        part: PartScores.of(score(predictions.part(part), threshold, resamples=100, prior=at, prevalence=at))
        for part in ("validation", "test")
    }
    test = parts["test"]
    rates = {name: test.metrics[name] for name in ("accuracy", "sensitivity", "specificity", "ppv", "npv")}
    rules = ("youden", "specificity(0.95)") if threshold is not None else ()
    curve = decision_curve(predictions.part("test"), prevalence=at, resamples=50)
    return ScoresRecord(
        classes=tuple(names), positive=names[-1], threshold=threshold, threshold_rule=rules[0] if rules else None,
        calibration=CalibrationRecord(method="temperature", parameters={"temperature": 1.1}), prevalence=prevalence,
        tta="centre", parts=parts, patients=test.model_copy(update={"cases": test.patients, "threshold": threshold}),
        groups={"site": {name: test.model_copy(update={"cases": n}) for n, name in enumerate(SITES, 40)}},
        decision_curve={name: curve[name].fill_nan(None).to_list() for name in curve.columns},
        operating_points=tuple(
            OperatingPoint(
                rule=each, threshold=threshold, confusion=test.confusion, threshold_range=(0.8 * threshold, 1.2 * threshold),
                sensitivity_range=(0.7, 0.9), specificity_range=(0.8, 0.95), **rates,
            )
            for each in rules
        ),
        refused_points=("sensitivity(0.95)",) if rules else (),
        calibration_by_class={} if len(names) == 2 else {
            name: {
                each: Figure(value=value, low=low, high=high, baseline=1.0) for each, (value, low, high) in figures.items()
            }
            for name, figures in calibration_by_class(predictions.part("test")).items()
        },
        baselines=(
            BaselineScores(
                name="thumbnail", metrics={metric: test.metrics[metric] for metric in ("auroc", "auprc")},
                network_ahead=dict.fromkeys(("auroc", "auprc"), Gap(value=0.02, low=-0.01, high=0.05, p=0.2)),
            ),
        ),
    )  # fmt: skip


def _cases(rng: np.random.Generator, names: list[str], shares: list[float], n: int) -> pl.DataFrame:
    label = rng.choice(names, n, p=shares)
    site = rng.choice(SITES, n, p=[0.6, 0.4])
    patient = [f"{h:012x}" for h in rng.integers(0, 2**48, n)]
    patient[1::9] = patient[0 : len(patient[1::9]) * 9 : 9]  # some patients have two images
    thumbs, histograms, sketched = [], [], _sketches(rng)
    for i in range(n):
        kind = sketched[bool(label[i] != names[0]), bool(site[i] == "Birch" and i % 2 == 0)]
        thumb, histogram = kind[i % len(kind)]
        thumbs.append(thumb)
        histograms.append(histogram)
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


def _sketches(rng: np.random.Generator, each: int = 25) -> dict[tuple[bool, bool], list[tuple[bytes, list[int]]]]:
    """Thumbnails and histograms of pictures that are (sick, bright) or not, some of each kind."""
    return {
        (sick, bright): [
            (phantom(rng, 32, sick=sick, bright=bright).tobytes(),
             np.bincount(phantom(rng, 96, sick=sick, bright=bright).ravel(), minlength=256).tolist())
            for _ in range(each)
        ] for sick in (False, True) for bright in (False, True)
    }  # fmt: skip


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
    Asked("archive/", Recipe(labels="labels.csv", size=64, epochs=12, seed=7, test=0.25)).write(folder)
    largest = Message("plan.network.largest", {"candidates": 3, "pixels": 64, "variant": "or_more"})
    choices = (
        PlanChoice.of("network", "vgg11_bn", largest),
        PlanChoice.of("batch", 32, Message("plan.batch", {"images": 518})),
        PlanChoice.of("epochs", 12, ASKED),
    )
    about = Fingerprint(cases={"train": 540}, classes={}, imbalance=9.0, side=512, colour=0.0, bits=12)
    Planned(fingerprint=about, contrasts=("none", "equalize", "clahe"), choices=choices).write(folder)
    stages = dict[str, Done]()
    for i, (name, before) in enumerate(STAGES.items()):
        stages[name] = Done(
            settings="cd" * 32, inputs={each: digest(stages[each].outputs) for each in before}, device=None,
            evenray=version(), outputs={f"{name}.x": "ab" * 32}, seconds=4.2 * 2**i,
            finished=f"2025-03-04T10:0{i}:30+09:00",
        )  # fmt: skip
    Ledger(
        evenray="0.1.0", python="3.11.9", started="2025-03-04T10:00:00+09:00",
        packages={"torch": "2.13.0", "numpy": "2.4.6", "opencv-python-headless": "5.0.0", "polars": "2.1.0"},
        machine={"system": "Linux", "processor": "x86_64", "cores": 2, "device": "cpu"},
        stages=stages, test_opened=("2025-03-04T10:05:12+09:00",),
    ).write(folder)  # fmt: skip
    facts = Facts(patients_known=True, synthetic=True, positive_why=Message("scan.positive_rarest"))
    DatasetRecord(classes=tuple(names), positive=names[-1], facts=facts).write(folder)
    (folder / "rejected.csv").write_text(
        "file,reason\nalder/broken.dcm,the pixel data ends after 12 of 512 rows\n", encoding="utf-8"
    )


def _findings(folder: Path, table: pl.DataFrame) -> None:
    case = table["case"].to_list()
    copies, counts = (tuple(case[10:12]), tuple(case[12:14])), {"healthy": 810, "sick": 90}
    majority = {"counts": counts, "majority": "healthy", "imbalance_ratio": 9.0, "majority_accuracy": 0.9}
    found = [
        Finding("leakage_duplicates", "error", tuple(case[10:14]), copies, {"share_of_test": 0.018}),
        Finding("overexposed", "warning", tuple(case[20:77]), evidence={"largest_white_share": 0.412}),
        Finding("unheard_of", "warning", tuple(case[:1]), evidence={"reading": 0.4}),
        Finding("classes", "info", evidence=majority, variant="imbalanced"),
    ]
    table_of(found).write_parquet(folder / "findings.parquet")


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
            "better": min(0.99, 0.5 + 3 * max(d, 0.0)),
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
            "validation_macro_auprc": 0.64 - 0.5 * np.exp(-epoch / 3) + rng.normal(0, 0.015, 12),
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
            Attribution(
                case=test["case"][i], part="test", label=test["label"][i], predicted=names[int(said[i])],
                probability=float(p[i, said[i]]), kind=kind, image=f"{n}.png", map=f"{n}_map.png",
            )
        )  # fmt: skip

    Attributions(
        method="gradcam", layer="network.features.28", explains="class", checks=attribution_checks(),
        cascade={"head": 0.6, "2": 0.8, "1": 0.81}, shares=(0.05, 0.2, 0.7), entries=tuple(index),
        curves={
            f"{kind}_{order}": tuple(rng.uniform(0, 1, 3).tolist())
            for kind in ("deletion", "insertion") for order in ("map", "random", "centre")
        },
    ).write(folder)  # fmt: skip
    _previews(rng, folder).write(folder)


def attribution_checks(**passed: bool) -> tuple[Check, ...]:
    """Every check there is, all passed but that of the weights; `passed` says otherwise of some."""
    names = (*NEEDED, "pointing", *SHORTCUTS)
    results = dict.fromkeys(names, True) | {"weights_randomised": False} | passed
    told = dict.fromkeys(("overlap", "body_share", "border_share", "text_share"))
    limit = Message("sanity.at_most", {"limit": 0.7})
    return tuple(
        Check(name=name, value=0.81, low=float("nan") if name == "same_twice" else 0.72, high=0.9, expected=limit,
              passed=result, images=16, patients=14)
        for name, result in (results | told).items()
    )  # fmt: skip


def _previews(rng: np.random.Generator, folder: Path) -> Previews:
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
            Preview(
                case=f"birch/00{n}1.dcm", contrast=spec, before=f"{n}_before.png", after=f"{n}_after.png",
                value_range=(0, 4095), histogram_before=counts.tolist(),
                histogram_after=np.bincount(after.ravel(), minlength=256).tolist(),
                curve=None if curve is None else curve.tolist(),
            )
        )  # fmt: skip
    return Previews(entries=tuple(examples))


def _png(path: Path, pixels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
