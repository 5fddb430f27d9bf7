"""Mangle tables of labels at random and count how they are read: right, refused, or wrong in silence.

    python tools/mangle_tables.py --tables 1000 --seed 0

A drawn table of known truth is renamed, reordered, re-encoded, shuffled, cut, given columns twice, columns of noise, other spellings
of its paths and patients. What evenray understands of it is compared with the truth, image by image: every label, every finding,
and that no patient is two. Anything but right or refused by one sentence is printed with its seed, and ends with exit code 1.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from evenray.core.errors import EvenrayError
from evenray.data.scan.listing import listing
from evenray.data.tables.identifiers import canonical

Row = dict[str, str]
SYNONYMS = {
    "path": [
        "path",
        "Image Index",
        "image_name",
        "FILE NAME",
        "파일명",
        "img",
        "filename",
        "isic_id",
        "Name",
        "c1",
        "X",
        "영상 파일",
    ],
    "label": ["label", "Diagnosis", "TARGET", "class", "진단", "dx", "Pathology", "c2", "Finding Labels", "라벨"],
    "patient": ["patient", "Patient ID", "PATIENT_ID", "subject", "환자 번호", "c3", "Subject Id", "pid"],
    "sex": ["sex", "Gender", "성별", "c4"],
    "age": ["age", "Patient Age", "나이", "c5"],
    "site": ["site", "Hospital", "병원", "center"],
    "split": ["split", "Set", "구분", "subset"],
}


class Truth:
    """Drawn images and what is true of each: its label or findings, and its patient."""

    def __init__(self, rng: random.Random, root: Path) -> None:
        self.kind = rng.choice(["classes", "classes", "numbers", "korean", "several", "flags", "one_hot"])
        self.rows: list[Row] = []
        self.labels: dict[str, str | frozenset[str]] = {}
        self.patients: dict[str, str] = {}
        self.flags: list[str] = []
        style = rng.choice(
            [
                "img{:04d}.png",
                "ISIC_{:07d}.jpg",
                "{:08d}_000.png",
                "s{0}/view_{0:03d}.png",
                "영상{:03d}.png",
                "{:012x}.png",
            ]
        )
        numbered = rng.choice(["P{:03d}", "{:d}", "IP_{:05d}", "환자{:02d}"])
        names = {"classes": ["benign", "malignant"], "numbers": ["0", "1"], "korean": ["정상", "폐렴"]}.get(
            self.kind, []
        )
        findings = ["Mass", "Edema", "Effusion"]
        for number in range(rng.randint(40, 80)):
            file, patient = style.format(number), numbered.format(number // 3 + 1)
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).touch()
            row = {"path": file}
            if self.kind in ("several", "flags", "one_hot"):
                said = [name for name in findings if rng.random() < 0.35]
                said = [rng.choice(findings)] if self.kind == "one_hot" else said
                self.labels[file] = said[0] if self.kind == "one_hot" else frozenset(said)
                if self.kind == "several":
                    rng.shuffle(said)
                    row["label"] = "|".join(said) or "No Finding"
                else:
                    self.flags = findings
                    row |= {name: rng.choice(["1", "1.0"]) if name in said else "0" for name in findings}
            else:
                row["label"] = names[(number // 3) % 3 == 0]
                self.labels[file] = row["label"]
            row["patient"] = patient
            row |= {"sex": "MF"[number // 3 % 2], "age": str(30 + number // 3), "site": "AB"[number // 6 % 2]}
            self.patients[file] = patient
            self.rows.append(row)


def mangled(truth: Truth, rng: random.Random) -> tuple[bytes, str, list[str]]:
    """The bytes of a table, the ending of its name, and what was done to it."""
    done: list[str] = []
    rows = [dict(row) for row in truth.rows]
    columns = list(rows[0])

    def maybe(name: str, share: float) -> bool:
        if rng.random() < share:
            done.append(name)
            return True
        return False

    if maybe("rows shuffled", 0.5):
        rng.shuffle(rows)
    for column in ("sex", "age", "site"):
        if rng.random() < 0.4:
            columns.remove(column)
    if maybe("no endings", 0.3):
        for row in rows:
            row["path"] = row["path"].rsplit(".", 1)[0]
    elif maybe("other folder", 0.15):
        for row in rows:
            row["path"] = "data/images/" + row["path"]
    if maybe("patients spelt twice", 0.2):
        for at, row in enumerate(rows):
            row["patient"] = row["patient"].lower() if at % 2 else row["patient"] + " " * (at % 3)
    if maybe("rows twice", 0.2):
        rows += [dict(row) for row in rng.sample(rows, 5)]
    if maybe("blanks", 0.2):
        for row in rng.sample(rows, 3):
            row["label" if "label" in row else columns[1]] = rng.choice(["", "NA"])
    for number in range(rng.choice([0, 0, 1, 2])):
        name = rng.choice(["width", "notes", "date", "", "score", "Follow-up #", "z", "uid"]) + (
            str(number) if number else ""
        )
        done.append(f"noise {name!r}")
        for row in rows:
            row[name] = rng.choice(
                [str(rng.randint(0, 3000)), f"{rng.random():.3f}", "text", "2021-01-02", rng.choice("ab")]
            )
        columns.append(name)
    headers = {column: column for column in columns}
    if maybe("renamed", 0.8):
        headers |= {column: rng.choice(SYNONYMS[column]) for column in columns if column in SYNONYMS}
    if maybe("case and space", 0.3):
        headers = {column: f" {name.upper()}  " for column, name in headers.items()}
    if maybe("headers swapped", 0.08) and {"label", "path"} <= set(columns):
        headers["path"], headers["label"] = headers["label"], headers["path"]
    if maybe("reordered", 0.6):
        rng.shuffle(columns)
    if maybe("a column twice", 0.25):
        columns.append(rng.choice(columns))
    separator = rng.choice([",", ",", ";", "\t", "|"]) if truth.kind != "several" else rng.choice([",", ";", "\t"])
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=rng.choice(["\n", "\r\n"]))
    writer.writerow([headers[column] for column in columns])
    writer.writerows([[row[column] for column in columns] for row in rows])
    whole = text.getvalue()
    encoding = rng.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp949"])
    done.append(encoding)
    data = whole.encode(encoding)
    if maybe("cut", 0.2):
        data = data[: rng.randint(len(data) // 3, len(data))]
    return data, rng.choice([".csv", ".csv", ".tsv", ".txt"]), done


def _one(true: str | frozenset[str]) -> str:
    return true if isinstance(true, str) else next(iter(true), "No Finding") if len(true) < 2 else "several"


def outcome(truth: Truth, root: Path, table: Path) -> str:
    """ "right", "refused: ..." or "WRONG: ..."."""
    try:
        found = listing(root, labels=table)
    except EvenrayError as error:
        return f"refused: {error}"
    labels = found.table
    assert labels is not None
    said = labels.table.drop_nulls(["path", labels.said]) if "path" in labels.table.columns else None
    if said is None:
        return f"WRONG: joined by {labels.key}"
    grouped: dict[str, set[str]] = {}
    for row in said.iter_rows(named=True):
        true = truth.labels[row["path"]]
        if labels.names:
            if not isinstance(true, frozenset):
                return "WRONG: findings for classes"
            answers = dict(zip(labels.names, row["findings"], strict=True))
            known = {name.casefold() for name in true}
            if any(answer is not None and answer != (name.casefold() in known) for name, answer in answers.items()):
                return f"WRONG: findings of {row['path']}: {answers} for {sorted(true)}"
        elif row["label"].casefold() != _one(true).casefold():
            return f"WRONG: label of {row['path']}: {row['label']!r} for {true!r}"
        if row.get("patient") is None:
            return f"WRONG: no patient of {row['path']}"
        grouped.setdefault(truth.patients[row["path"]], set()).add(canonical(row["patient"]))
    if any(len(names) > 1 for names in grouped.values()):
        return "WRONG: a patient on both sides"
    merged = [name for names in grouped.values() for name in names]
    if len(set(merged)) < len(merged):
        return "WRONG: two patients as one"
    return "right" if said.height else "WRONG: nothing labelled"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tables", type=int, default=1000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--show", action="store_true", help="print why tables were refused")
    asked = options.parse_args()
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for seed in range(asked.seed, asked.seed + asked.tables):
        rng = random.Random(seed)
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder, "images")
            root.mkdir()
            truth = Truth(rng, root)
            data, ending, done = mangled(truth, rng)
            table = Path(folder, f"table{ending}")
            table.write_bytes(data)
            attempt: Callable[[], str] = lambda: outcome(truth, root, table)  # noqa: B023, E731
            try:
                told = attempt()
            except Exception:
                told = f"TRACEBACK: {traceback.format_exc(limit=-3)}"
        kind = told.split(":")[0]
        counts[kind] += 1
        if kind in ("WRONG", "TRACEBACK"):
            print(f"seed {seed} ({truth.kind}; {', '.join(done)}): {told}")
        elif kind == "refused":
            reasons[told.replace(folder, "")[:110]] += 1
    print(dict(counts))
    if asked.show:
        for reason, count in reasons.most_common(40):
            print(f"{count:5} {reason}")
    return 1 if counts["WRONG"] + counts["TRACEBACK"] else 0


if __name__ == "__main__":
    sys.exit(main())
