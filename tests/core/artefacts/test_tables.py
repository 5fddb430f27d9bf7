"""Tables of a run folder that were changed: one sentence with the file, the column and what was expected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from evenray.core.artefacts import RunFolder
from evenray.core.artefacts.choice import Choice
from evenray.core.artefacts.model import ModelRecord
from evenray.core.artefacts.plan import Planned
from evenray.core.errors import DataError
from evenray.core.findings import findings_of
from evenray.core.run import Run

Change = Callable[[pl.DataFrame], pl.DataFrame]
SPLIT = pl.DataFrame({"case": ["a", "b"], "part": ["train", "test"]})
FINDINGS = pl.DataFrame({"check": ["blank"], "variant": [""], "severity": ["error"], "cases": [["a"]], "groups": [[["a"]]],
                         "evidence": ["{}"]})  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda table: table.drop("part"),
            r"split\.parquet: it has no column part; the file was changed or damaged: 'evenray run",
        ),
        (lambda table: table.with_columns(part=1), r"its column part is Int32, where String was expected"),
        (lambda table: table.with_columns(part=pl.lit(None, pl.String)), r"its column part has a gap"),
        (lambda table: pl.concat([table, table]), r"it names a case twice"),
        (lambda table: pl.DataFrame(), r"it has no column case"),
    ],
)
def test_a_changed_table_says_what_is_wrong(tmp_path: Path, change: Change, said: str) -> None:
    folder = RunFolder(tmp_path)
    folder.write_table("split.parquet", SPLIT)
    assert folder.read_table("split.parquet").equals(SPLIT)
    folder.write_table("split.parquet", change(SPLIT))
    with pytest.raises(DataError, match=said):
        folder.read_table("split.parquet")


GRID = pl.DataFrame(
    {name: ["a"] for name in ("contrast", "balance", "network", "imbalance")}
    | {name: [True] for name in ("chosen", "tied", "reference")}
    | {
        name: [0.5]
        for name in ("auroc", "brier", "ece", "difference", "difference_low", "difference_high", "p_holm", "seconds")
    }
    | {"metric": ["auprc"], "auprc": [0.5], "auprc_low": [0.4], "auprc_high": [0.6]}
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.drop("auprc_low"), "no numbers in a column 'auprc_low'"),
        (lambda table: table.with_columns(auprc_high=pl.lit("x")), "no numbers in a column 'auprc_high'"),
        (lambda table: table.with_columns(metric=pl.lit("x")), "ranks by 'x'"),
        (lambda table: table.with_columns(metric=pl.lit(None, pl.String)), "ranks by None"),
    ],
)
def test_a_comparison_has_the_figure_that_it_ranks_by(tmp_path: Path, change: Change, said: str) -> None:
    folder = RunFolder(tmp_path)
    folder.write_table("grid.parquet", GRID)
    assert folder.read_table("grid.parquet").equals(GRID)
    folder.write_table("grid.parquet", change(GRID))
    with pytest.raises(DataError, match=said):
        folder.read_table("grid.parquet")


@pytest.mark.parametrize(
    "change",
    [
        {"severity": "grave"},
        {"evidence": "[1"},
        {"evidence": "7"},
        {"evidence": None},
        {"cases": None},
        {"groups": None},
    ],
)
def test_findings_that_were_changed_are_one_sentence(change: dict[str, object]) -> None:
    assert len(findings_of(FINDINGS)) == 1
    with pytest.raises(DataError, match="findings was changed or damaged"):
        findings_of(
            FINDINGS.with_columns(
                pl.lit(value).cast(FINDINGS.schema[name]).alias(name) for name, value in change.items()
            )
        )


def test_text_that_begins_like_a_formula_comes_back(tmp_path: Path) -> None:
    names = ["=1+1.png", "+a.png", "-x.png", "@b", "'quoted", "-1.5", "007", "\tx", 'plain, "odd"']
    table = pl.DataFrame({"file": names, "reason": names})
    RunFolder(tmp_path).write_table("rejected.csv", table)
    assert RunFolder(tmp_path).read_table("rejected.csv").equals(table)
    lines = (tmp_path / "rejected.csv").read_text().splitlines()
    assert lines[1:4] == ["'=1+1.png,'=1+1.png", "'+a.png,'+a.png", "'-x.png,'-x.png"]
    assert lines[6] == "-1.5,-1.5"


@pytest.mark.parametrize("text", ["null", "7", "[]", '"x"', "{}", "[" * 5000, '{"version":' * 3000, "", "\ufeff{}"])
@pytest.mark.parametrize("kind", [Choice, Planned, ModelRecord])
def test_json_of_another_shape_is_one_sentence(
    tmp_path: Path, text: str, kind: type[Choice] | type[Planned] | type[ModelRecord]
) -> None:
    (tmp_path / kind.file).write_text(text)
    with pytest.raises(DataError) as error:
        kind.read(tmp_path)
    assert str(error.value).startswith(f"{tmp_path / kind.file}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["null", "7", "[]", "{}", '{"version": 2}', '{"version": 2, "data": 7}', "[" * 9000, "\xff"]
)
def test_a_recipe_of_another_shape_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "recipe.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError) as error:
        _ = Run(tmp_path).asked
    assert str(tmp_path) in str(error.value)


def test_a_model_makes_nobody_read_a_file(finished_run: Path, tmp_path: Path) -> None:
    text = (finished_run / "model.json").read_text()
    contrast = ModelRecord.read(finished_run).contrast
    (tmp_path / "model.json").write_text(text.replace(f'"{contrast}"', "\"match('/dev/zero')\"", 1))
    with pytest.raises(
        DataError, match=r"contrast is .*: a contrast without files was expected, and it names /dev/zero"
    ):
        ModelRecord.read(tmp_path)
