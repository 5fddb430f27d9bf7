"""Ensembles of runs: means by hand, scores of scikit-learn, and refusal where the runs do not fit."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from evenray.cli import main
from evenray.core.artefacts import RunFolder
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.errors import DataError, UsageError
from evenray.core.run import Run
from evenray.core.types import Predictions
from evenray.metrics import per_patient, score
from evenray.verbs.data import split
from evenray.verbs.ensemble import ensemble

from ..stages.conftest import as_left

Change = Callable[[pl.DataFrame], pl.DataFrame]


def other_opinion(table: pl.DataFrame) -> pl.DataFrame:
    """The same cases judged otherwise, in another order."""
    rng = np.random.default_rng(4)
    p = np.clip(0.5 * table["target"].to_numpy() + 0.25 + 0.35 * rng.standard_normal(table.height), 0.02, 0.98)
    columns = {"p_0": 1 - p, "p_1": p, "logit_0": np.log(1 - p), "logit_1": np.log(p)}
    return table.with_columns(**{name: pl.Series(values) for name, values in columns.items()}).reverse()


@pytest.fixture
def two(finished_run: Path, tmp_path: Path) -> Callable[..., list[Path]]:
    """Folders of two runs, the second one's predictions changed."""

    def make(change: Change = other_opinion) -> list[Path]:
        folders = [Path(shutil.copytree(finished_run, tmp_path / name)) for name in ("first", "second")]
        table = pl.read_parquet(folders[1] / "predictions.parquet")
        change(table).write_parquet(folders[1] / "predictions.parquet")
        as_left(folders[1], "evaluate")
        return folders

    return make


@pytest.mark.parametrize("weights", [None, [2.0, 1.0]])
def test_probabilities_are_the_weighted_means(
    two: Callable[..., list[Path]], tmp_path: Path, weights: list[float] | None
) -> None:
    runs = two()
    ensemble(runs, tmp_path / "both", member_weights=weights)
    tables = [pl.read_parquet(folder / "predictions.parquet").sort("case") for folder in runs]
    found = pl.read_parquet(tmp_path / "both/predictions.parquet").sort("case")
    expected = np.average([table["p_1"].to_numpy() for table in tables], axis=0, weights=weights)
    np.testing.assert_allclose(found["p_1"].to_numpy(), expected, atol=1e-12)
    np.testing.assert_allclose(np.exp(found["logit_0"].to_numpy()), 1 - expected, atol=1e-12)
    assert found["target"].equals(tables[0]["target"])


def test_scores_and_differences_are_those_of_the_mean(two: Callable[..., list[Path]], tmp_path: Path) -> None:
    runs = two()
    about = ensemble(runs, tmp_path / "both").ensemble
    assert about is not None
    test = pl.read_parquet(tmp_path / "both/predictions.parquet").filter(pl.col("part") == "test")
    scores = json.loads((tmp_path / "both/scores.json").read_text())["parts"]["test"]["metrics"]
    assert scores["auroc"]["value"] == pytest.approx(roc_auc_score(test["target"], test["p_1"]))
    assert scores["brier"]["value"] == pytest.approx(brier_score_loss(test["target"], test["p_1"]))
    own = pl.read_parquet(runs[1] / "predictions.parquet").filter(pl.col("part") == "test")
    gain = about.members[1].difference["auroc"]
    assert gain.value == pytest.approx(scores["auroc"]["value"] - roc_auc_score(own["target"], own["p_1"]))
    assert gain.low <= gain.value <= gain.high
    assert len(RunFolder(tmp_path / "both").ledger.test_opened) == 1


def test_at_a_prevalence_a_difference_is_that_of_the_values_beside_it(
    two: Callable[..., list[Path]], tmp_path: Path
) -> None:
    """Unweighted, the differences had the other sign now and then."""
    runs = two()
    for folder in runs:
        scores = json.loads((folder / "scores.json").read_text()) | {"prevalence": 0.02}
        table = pl.read_parquet(folder / "predictions.parquet")
        predictions = Predictions(table, tuple(scores["classes"]), scores["positive"]).part("test")
        found = score(predictions, scores["threshold"], resamples=0, prevalence=0.02).estimates
        scores["parts"]["test"]["metrics"] = {name: vars(estimate) for name, estimate in found.items()}
        (folder / "scores.json").write_text(json.dumps(scores))
        as_left(folder, "evaluate")
    about = ensemble(runs, tmp_path / "both").ensemble
    assert about is not None
    for member in about.members:
        for metric, paired in member.difference.items():
            gap = about.test[metric].value - member.test[metric].value
            assert paired.value == pytest.approx(gap, abs=1e-6)
            assert paired.low <= paired.value <= paired.high
    page = (tmp_path / "both" / "ensemble.html").read_text(encoding="utf-8")
    lead = page.split('<section id="ensemble"')[1].split("</p>")[0]
    assert "All figures use the requested prevalence: " in lead


@pytest.mark.parametrize("how", ["mean", "max"])
def test_patients_are_scored_as_those_of_the_members(
    two: Callable[..., list[Path]], tmp_path: Path, how: Literal["mean", "max"]
) -> None:
    def of_two(table: pl.DataFrame) -> pl.DataFrame:
        return other_opinion(table).with_columns(
            patient="p"
            + pl.col("case").rank("dense").over("part", "label").floordiv(2).cast(pl.String)
            + pl.col("part")
            + pl.col("label")
        )

    runs = two(of_two)
    patients = pl.read_parquet(runs[1] / "predictions.parquet").select("case", "patient")
    table = pl.read_parquet(runs[0] / "predictions.parquet").drop("patient").join(patients, on="case")
    table.write_parquet(runs[0] / "predictions.parquet")
    for folder in runs:
        scores = json.loads((folder / "scores.json").read_text()) | {"patient_score": how}
        (folder / "scores.json").write_text(json.dumps(scores))
        as_left(folder, "evaluate")
    ensemble(runs, tmp_path / "both")
    found = ScoresRecord.read(tmp_path / "both")
    whole = Predictions(pl.read_parquet(tmp_path / "both/predictions.parquet"), found.classes, found.positive).part(
        "test"
    )
    assert found.patient_score == how
    assert found.patients is not None
    own = score(per_patient(whole, how), resamples=0).auroc.value
    assert found.patients.metrics["auroc"].value == pytest.approx(own)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.head(50), r"predicted different cases: 0 are only in second, 4 only in first"),
        (lambda t: t.with_columns(part=pl.lit("test")), r"differ in the part of 24 cases"),
        (lambda t: t.with_columns(label=pl.lit("1")), r"differ in the label of \d+ cases, the first is"),
    ],
)
def test_runs_on_other_cases_or_splits_are_refused(
    two: Callable[..., list[Path]], tmp_path: Path, change: Change, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        ensemble(two(change), tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_runs_at_other_prevalences_or_classes_are_refused(two: Callable[..., list[Path]], tmp_path: Path) -> None:
    runs = two()
    scores = json.loads((runs[1] / "scores.json").read_text())
    for change, said in (
        ({"prevalence": 0.01}, "evaluated at the prevalence 0.01"),
        ({"positive": "0"}, "differ in their positive"),
    ):
        (runs[1] / "scores.json").write_text(json.dumps(scores | change))
        as_left(runs[1], "evaluate")
        with pytest.raises(DataError, match=said):
            ensemble(runs, tmp_path / "both")


def test_a_rule_for_three_classes_is_refused(two: Callable[..., list[Path]], tmp_path: Path) -> None:
    runs = two()
    for run in runs:
        table = pl.read_parquet(run / "predictions.parquet").with_columns(p_2=pl.lit(0.0), logit_2=pl.lit(-99.0))
        table.write_parquet(run / "predictions.parquet")
        scores = json.loads((run / "scores.json").read_text())
        (run / "scores.json").write_text(json.dumps(scores | {"classes": [*scores["classes"], "third"]}))
        as_left(run, "evaluate")
    with pytest.raises(
        UsageError, match=r"A threshold is for two classes, but there are 3; .* Leave out cost\(third=5\)"
    ):
        ensemble(runs, tmp_path / "both", threshold="cost(third=5)")
    assert not (tmp_path / "both").exists()


def test_all_that_a_member_averages_is_named(
    two: Callable[..., list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = two()
    first = Run(runs[0]).model
    assert first is not None
    mixed = first.network.model_copy(update={"parts": (first.network, first.network)})
    monkeypatch.setattr(Run, "model", first.model_copy(update={"network": mixed}))
    about = ensemble(runs, tmp_path / "both").ensemble
    assert about is not None
    assert about.members[0].network == f"{first.network.named} + {first.network.named}"


def test_a_member_that_is_out_of_date_is_refused(two: Callable[..., list[Path]], tmp_path: Path) -> None:
    runs = two()
    split(runs[1], positive="0")
    with pytest.raises(DataError, match=r"second' is out of date: .* 'evenray evaluate .*second' brings it up to date"):
        ensemble(runs, tmp_path / "both")
    assert not (tmp_path / "both").exists()


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0]])
def test_weights_that_do_not_fit_are_refused(
    two: Callable[..., list[Path]], tmp_path: Path, weights: list[float]
) -> None:
    with pytest.raises(UsageError, match="give 2, one a run"):
        ensemble(two(), tmp_path / "both", member_weights=weights)


class TestVerb:
    @pytest.fixture
    def cli(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
        def call(*words: object) -> tuple[int, str, str]:
            monkeypatch.setattr(sys, "argv", ["evenray", "ensemble", *map(str, words)])
            code = 0
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
            shown = capsys.readouterr()
            return code, shown.out, shown.err

        return call

    def test_it_prints_and_leaves_a_page(self, cli: Any, two: Callable[..., list[Path]], tmp_path: Path) -> None:
        runs = two()
        code, out, err = cli(*runs, "-o", tmp_path / "both", "--member-weights", "3,1", "--lang", "ko")
        assert code == 0, err
        for text in ("first", "0.75", "ensemble", "majority"):
            assert text in out
        page = (tmp_path / "both/ensemble.html").read_text(encoding="utf-8")
        assert "앙상블과 그 구성 실행" in page
        assert '<section id="ranking"' in page
        code, out, _ = cli(*runs, "-o", tmp_path / "both", "--json")
        assert [member["weight"] for member in json.loads(out)["members"]] == [0.5, 0.5]

    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            (("RUN",), 2, "needs two runs"),
            (("RUN", "RUN"), 2, "is named twice"),
            (("RUN", "nowhere"), 1, "There is no run folder nowhere"),
            (("RUN", "OTHER", "--member-weights", "a"), 2, "give one number a run"),
            (("RUN", "OTHER", "-o", "RUN"), 2, "is a run's folder"),
        ],
    )
    def test_it_fails_in_one_sentence(
        self, cli: Any, two: Callable[..., list[Path]], words: tuple[str, ...], code: int, said: str
    ) -> None:
        run, other = two()
        found, out, err = cli(*({"RUN": run, "OTHER": other}.get(word, word) for word in words))
        assert (found, out) == (code, "")
        assert said in err
        assert err.count("\n") == 1
