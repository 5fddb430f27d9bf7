"""Columns of several readers: each reader's word counts once, and the majority labels."""

from __future__ import annotations

from pathlib import Path

from evenray.data.scan import scan

from .test_shapes import FILES, draw


def test_findings_of_three_readers_are_their_majority(tmp_path: Path) -> None:
    said = [[int(n % 3 == 0), int(n % 4 == 0)] for n in range(12)]
    rows = ["name," + ",".join(f"R{who}:{name}" for who in (1, 2, 3) for name in ("ICH", "SDH"))]
    for n, (ich, sdh) in enumerate(said):
        votes = [str(int(bool(x) != (who == n % 3))) for who in range(3) for x in (ich, sdh)]  # one of three errs
        rows.append(f"{FILES[n]},{','.join(votes)}")
    table = tmp_path / "reads.csv"
    table.write_text("\n".join(rows) + "\n")
    found = scan(draw(tmp_path / "img", FILES), labels=table)
    assert (found.facts.task, found.classes) == ("tag", ("ICH", "SDH"))
    told = dict(zip(found.cases["file"], found.cases["findings"].to_list(), strict=True))
    assert told == {file: [bool(x) for x in said[n]] for n, file in enumerate(FILES)}


def test_a_consensus_beside_readers_is_the_label(tmp_path: Path) -> None:
    table = tmp_path / "reads.csv"
    rows = [f"{f},{'ab'[n % 2]},{'ab'[n % 3 == 0]},{'ab'[n % 4 == 0]}" for n, f in enumerate(FILES)]
    table.write_text("\n".join(["file,reader1,reader2,label", *rows]) + "\n")
    assert scan(draw(tmp_path / "img", FILES), labels=table).counts == {"a": 9, "b": 3}
