"""What the comparison's choice is worth on test cases: `python benchmarks/choice.py [--quick] [--results FILE]`.

For each set and seed the comparison chooses, with the test part closed; then every cell of the grid is trained as the final
network, and the test part says what was lost: test AUPRC of the cell chosen, of none x none, of a random cell (the mean of all)
and of the best in hindsight, the seconds that the choice took, and what would have been lost with its gate elsewhere.
`--quick` takes 700 of the demo's phantoms, two contrasts and two remedies. Every figure is kept in `--results` (a line of JSON
each), so that a stopped benchmark goes on there.
`--data FOLDER` holds medmnist, chest-xray-224 and breast-ultrasound-256; `--json FILE` writes {name: {"value", "target", "met"}}.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from figures import Figures, note, told
from sets import Made, Row, arguments, folder_of, medmnist, phantoms, rows_of

import evenray as er

CONTRASTS, REMEDIES = ("none", "equalize", "clahe"), ("none", "weighted", "oversample")

SETS: dict[str, Made] = {
    "phantoms": phantoms(1480),
    "BreastMNIST": medmnist("breastmnist"),
    "PneumoniaMNIST 1:1": medmnist("pneumoniamnist", 1),
    "PneumoniaMNIST 1:50": medmnist("pneumoniamnist", 50),
    "chest X-rays 1:15": folder_of("chest-xray-224", ("NORMAL", "PNEUMONIA"), r"(train|test)/.*?(person\d+|IM-\d+)", 1200, 15),
    "ultrasound": folder_of("breast-ultrasound-256", ("benign", "malignant"), None, 500, None),
}  # fmt: skip


def one(data: Path, folder: Path, name: str, seed: int, *, quick: bool) -> Row:
    """Choose, train every cell, and open the test part."""
    make = phantoms(700) if quick else SETS[name]
    contrasts, remedies = (CONTRASTS[:2], REMEDIES[::2]) if quick else (CONTRASTS, REMEDIES)
    target, more = make(data, folder, seed)
    where = folder / name.replace(" ", "-").replace(":", "-") / str(seed)
    asked = {"seed": seed, "effort": "quick", "allow": ("leakage_duplicates", "leakage_patients"), **more}
    start = time.perf_counter()
    compared = er.compare(target, None, where / "choice", contrast=contrasts, balance=remedies, **asked)
    seconds = time.perf_counter() - start
    chosen, grid = compared.choice, compared.grid
    assert chosen is not None
    assert grid is not None
    expected = {f"{row['contrast']} x {row['balance']}": row["expected"] for row in grid.iter_rows(named=True)}
    tested = {}
    for contrast in contrasts:
        for balance in remedies:
            cell = where / f"{contrast}-{balance}"
            run = er.evaluate(target, None, cell, contrast=contrast, balance=balance, **asked)
            tested[f"{contrast} x {balance}"] = float(run.scores["test"].auprc.value)
    print(f"{name}, seed {seed}: {chosen.contrast} x {chosen.balance}; {chosen.why['code']}; {tested}", flush=True)
    return {
        "set": name, "seed": seed, "chosen": f"{chosen.contrast} x {chosen.balance}", "why": chosen.why["code"],
        "seconds": seconds, "tested": tested, "expected": expected, "luck": grid["luck"][0],
    }  # fmt: skip


def summary(rows: list[Row], figures: Figures) -> None:
    """The table of regrets, and the targets."""
    print("\n| set | seeds | chosen | none x none | random | best | regret | of none x none | s |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    lost, plain = [], []
    for name in dict.fromkeys(row["set"] for row in rows):
        own = [row for row in rows if row["set"] == name]
        best = np.array([max(row["tested"].values()) for row in own])
        taken = np.array([row["tested"][row["chosen"]] for row in own])
        none = np.array([row["tested"]["none x none"] for row in own])
        random = np.mean([np.mean(list(row["tested"].values())) for row in own])
        lost, plain = [*lost, *(best - taken)], [*plain, *(best - none)]
        print(
            f"| {name} | {len(own)} | {taken.mean():.3f} | {none.mean():.3f} | {random:.3f} | {best.mean():.3f} |"
            f" {(best - taken).mean():.3f} | {(best - none).mean():.3f} | {np.mean([row['seconds'] for row in own]):.0f} |"
        )
        if len(own) > 1:
            error = (none - taken).std(ddof=1) / len(own) ** 0.5
            ratio = (none - taken).mean() / max(error, 1e-9)
            note(figures, f"{name}: AUPRC below none x none / its standard error", ratio, "<= 1.0")
    note(figures, "regret / regret of none x none", float(np.mean(lost) / max(np.mean(plain), 1e-9)), "<= 0.333")
    known = foreknown(rows)
    if known is not None:
        print(
            f"\nA choice that knew the test part of the other seeds would have lost {known:.2f} of what none x none loses."
        )
    gates([row for row in rows if "expected" in row])


def foreknown(rows: list[Row]) -> float | None:
    """What the cell that is best on the test parts of a set's other seeds loses, as a share of what none x none loses: a bound for
    every choice, for the best in hindsight is in part the luckiest. None where no set has two seeds."""
    lost = plain = 0.0
    for row in rows:
        others = [other for other in rows if other["set"] == row["set"] and other["seed"] != row["seed"]]
        if others:
            known = max(row["tested"], key=lambda cell: np.mean([other["tested"][cell] for other in others]))
            best = max(row["tested"].values())
            lost, plain = lost + best - row["tested"][known], plain + best - row["tested"]["none x none"]
    return lost / plain if plain else None


def gates(rows: list[Row]) -> None:
    """What would have been lost with the gate elsewhere: none x none is left where equals promise as much at most so often."""
    if not rows:
        return
    print("\n| none x none is left where luck is at most | left in | regret | of none x none |\n|---|---:|---:|---:|")
    best = np.array([max(row["tested"].values()) for row in rows])
    plain = float(np.mean(best - [row["tested"]["none x none"] for row in rows]))
    for most in (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0):
        left = [row["luck"] <= most for row in rows]
        taken = [
            max(row["expected"], key=row["expected"].__getitem__) if go else "none x none"
            for row, go in zip(rows, left, strict=True)
        ]
        lost = float(np.mean(best - [row["tested"][cell] for row, cell in zip(rows, taken, strict=True)]))
        print(f"| {most:g} | {sum(left)} of {len(rows)} | {lost:.3f} | {lost / max(plain, 1e-9):.2f} |")


def main() -> None:
    options = arguments(__doc__, list(SETS), "phantoms, one seed, a grid of 2 x 2").parse_args()
    names, seeds = (["phantoms"], 1) if options.quick else (options.sets, options.seeds)
    there = [name for name in names if options.data is not None or name == "phantoms"]
    rows = rows_of(
        there,
        seeds,
        options.results,
        lambda folder, name, seed: one(options.data, folder, name, seed, quick=options.quick),
    )
    figures: Figures = {}
    summary(rows, figures)
    told(figures, options.json)


if __name__ == "__main__":
    main()
