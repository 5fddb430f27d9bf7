"""A nested cross-validation through the whole line, and what every verb that reads a run makes of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
from safetensors.torch import save_file

from evenray.core.artefacts import RunFolder
from evenray.core.errors import DataError, UsageError
from evenray.core.events import Events
from evenray.core.facts import Facts
from evenray.core.recipe import Recipe, SplitSettings
from evenray.core.run import Run
from evenray.core.types import Dataset, Predictions
from evenray.data import design
from evenray.data.scan import scan
from evenray.evidence.compare.runs import compare_runs
from evenray.learning import networks
from evenray.learning.networks.importing import import_weights
from evenray.metrics import each_repeat, score
from evenray.reporting import report_page
from evenray.stages import evaluate as evaluation
from evenray.stages import nested as stage
from evenray.stages.line import Job, run
from evenray.stages.split import SplitInputs
from evenray.stages.split import split as divide
from evenray.verbs.ensemble import ensemble
from evenray.verbs.export import export
from evenray.verbs.predict import predict
from evenray.verbs.share import share
from evenray.verbs.table7 import table7

FOLDS, REPEATS = 2, 2
RECIPE: dict[str, Any] = {
    "network": "vgg11_bn(width=0.05)", "epochs": 1, "size": 28, "contrast": "none", "balance": "none", "learning_rate": 0.005,
    "design": "nested", "effort": "quick",
}  # fmt: skip


class Killed(BaseException):
    """As sudden as a signal: no code of ours catches it."""


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """Fewer outer folds than a study has, so that the tests are quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "FOLDS", FOLDS)
        patch.setattr(design, "REPEATS", REPEATS)
        yield


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 patients, every fourth of them sick, which a bright square tells; every fifth has two images."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("images")
    for patient in range(60):
        for image in range(2 if patient % 5 == 0 else 1):
            pixels = rng.integers(20, 90, (28, 28)).astype(np.uint8)
            pixels[8:16, 8:16] += 50 * (patient % 4 == 0)
            place = folder / ("sick" if patient % 4 == 0 else "well")
            place.mkdir(exist_ok=True)
            cv2.imwrite(str(place / f"p{patient:03d}_{image}.png"), pixels)
    return folder


def _cases(images: Path, kind: str) -> Dataset:
    data = scan(images, patient=r"(p\d+)_")
    if kind == "classify":
        return data
    told = [
        [label == "sick", int(file[-8:-6]) % 2 == 0] for label, file in data.cases.select("label", "file").iter_rows()
    ]
    cases = data.cases.with_columns(pl.Series("findings", told, pl.List(pl.Boolean)), label=pl.lit(None, pl.String))
    facts = data.facts.model_copy(update={"task": "tag"})
    return replace(data, cases=cases, classes=("square", "even"), positive="", facts=facts)


@pytest.fixture(scope="module")
def whole(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """whole(kind) is the folder of a nested run through every stage; copy it before changing anything."""
    made: dict[str, Path] = {}

    def get(kind: str) -> Path:
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp("nested") / kind
            go(made[kind], images, kind)
        return made[kind]

    return get


def go(folder: Path, images: Path, kind: str = "classify", until: str = "report", **changes: Any) -> None:
    data = _cases(images, kind)
    run(Job(RunFolder(folder), data.root, Recipe(**(RECIPE | changes)), given=data), until)


both = pytest.mark.parametrize("kind", ["classify", "tag"])


@both
def test_every_case_is_held_out_once_a_repeat_and_no_patient_is_on_both_sides(
    kind: str, whole: Callable[[str], Path]
) -> None:
    done = Run(whole(kind))
    assert done.dataset is not None
    assert set(done.dataset.cases["part"]) == {"train", "validation"}
    table = pl.read_parquet(done.path / "outer_folds.parquet").join(
        done.dataset.cases.select("case", "patient"), on="case"
    )
    sides = table.group_by("repeat", "fold", "patient").agg(pl.col("part").n_unique())
    assert sides["part"].max() == 1
    held = table.filter(pl.col("part") == "test")
    assert held.height == REPEATS * len(done.dataset) == held.select("repeat", "case").n_unique()
    assert table.select("repeat", "fold").n_unique() == FOLDS * REPEATS
    assert (
        table.filter(pl.col("part") == "train")["logit_0"].null_count()
        == table.filter(pl.col("part") == "train").height
    )
    assert held["logit_0"].null_count() == 0


def test_folds_that_cannot_be_divided_are_told_before_anything_is_trained() -> None:
    """Three patients have the finding, and two of them are of the same picture."""
    who = [f"p{i}" for i in range(12)]
    cases = pl.DataFrame({
        "case": who, "file": who, "patient": who, "pixel_hash": ["same", "same", *who[2:]], "part": [None] * 12,
        "findings": [[i < 3] for i in range(12)], "label": [None] * 12,
    }, schema_overrides={"part": pl.String, "label": pl.String})  # fmt: skip
    data = Dataset(cases, ("f",), "", ".", facts=Facts(task="tag"))
    none = pl.DataFrame(schema=dict.fromkeys(("case", "reason"), pl.String))
    with pytest.raises(DataError, match=r"That is so of an outer fold .*--design split makes .* Nothing was trained"):
        divide(SplitInputs(data, none), SplitSettings(design="nested"), SimpleNamespace(events=Events()))  # type: ignore[arg-type]


@both
def test_the_figures_are_those_of_the_held_out_cases(kind: str, whole: Callable[[str], Path]) -> None:
    done = Run(whole(kind))
    assert done.predictions is not None
    assert done.results is not None
    repeats, record = each_repeat(done.predictions.part("test")), done.results
    assert len(repeats) == REPEATS
    if kind == "tag":
        record, repeats = record.findings["square"], [each.finding("square") for each in repeats]
    for name in ("auroc", "auprc", "sensitivity", "specificity", "brier"):
        figure = record.parts["test"].metrics[name]
        each = [score(one, resamples=0).estimates[name].value for one in repeats]
        assert figure.value == pytest.approx(np.mean(each))
        assert figure.low <= figure.value <= figure.high
    assert record.parts["test"].cases == len(done.dataset or ())
    thresholds = [set(one.table.filter(pl.col("fold") == 1)["threshold"]) for one in repeats]
    assert all(len(chosen) == 1 for chosen in thresholds)  # one a fold
    assert record.threshold is not None  # that of the model for use
    assert done.results.baselines


@both
def test_label_errors_are_sought_at_the_shares_of_the_training_parts(
    kind: str, images: Path, whole: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, done = list[Predictions](), whole(kind)
    monkeypatch.setattr(evaluation, "label_errors", lambda found: looked.append(found) or [])
    for number, prevalence in enumerate((None, 0.01 if kind == "classify" else {"square": 0.01})):
        again = Path(shutil.copytree(done, tmp_path / str(number)))
        go(again, images, kind, until="evaluate", calibration="none", threshold="fixed(0.4)", prevalence=prevalence)
    here, there = (one for one in looked if one.table.height)
    np.testing.assert_allclose(here.probabilities, there.probabilities)


@both
def test_sets_are_calibrated_on_what_was_held_out(kind: str, whole: Callable[[str], Path]) -> None:
    done = Run(whole(kind))
    assert done.uncertainty is not None
    assert done.predictions is not None
    assert (done.uncertainty.calibrated_on, done.uncertainty.epoch_chosen) == ("held_out", False)
    first = each_repeat(done.predictions.part("test"))[0]
    for name, question in done.uncertainty.questions.items():
        own = first.finding(name) if name else first
        sets = next(each for each in question.sets if each.coverage == 0.8)
        assert [one.calibration for one in sets.classes] == [
            len(np.unique(own.patients[own.targets == k])) for k in range(2)
        ]
        for one in sets.classes:
            assert one.low <= one.value <= one.high
            assert one.value > 0.5
        assert question.abstention is not None


@both
def test_the_model_for_use_answers(kind: str, images: Path, whole: Callable[[str], Path], tmp_path: Path) -> None:
    done = Run(whole(kind))
    assert done.dataset is not None
    assert done.predictions is not None
    validation = done.predictions.part("validation")
    assert validation.folds is None
    files = dict(done.dataset.cases.select("case", "file").iter_rows())
    answers = predict(done.path, [images / files[case] for case in validation.table["case"]]).table
    told = answers.select(f"p_{name}" for name in done.dataset.classes).to_numpy()
    assert np.abs(told - validation.probabilities).max() < 1e-5
    card = (
        export(done.path, format="safetensors", output=tmp_path / "out").files[0].parent / "MODEL_CARD.md"
    ).read_text()
    assert f"repeated {REPEATS} times" in card


@both
@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_says_what_the_figures_are_of(
    kind: str, language: str, whole: Callable[[str], Path], tmp_path: Path
) -> None:
    said = {
        "en": ("60 patients", "in the same way on all 60", "two networks that have not seen a case differ"),
        "ko": ("60명", "같은 방법으로 학습했습니다", "같은 증례를 보지 못한 두 네트워크"),
    }[language]
    page = report_page(Run(whole(kind)), language=language)
    assert all(words in page for words in said)
    assert "plan.design" not in page
    handed = share(whole(kind), tmp_path / "shared").folder
    assert said[0] in (handed / "report.html").read_text() or language == "ko"
    if kind == "classify":  # what is handed on can be told anew, without the table of cases
        assert all(words in report_page(Run(handed), language=language) for words in said)


def test_what_is_shown_of_mistakes_was_not_trained_on(whole: Callable[[str], Path]) -> None:
    done = Run(whole("classify"))
    assert done.attributions is not None
    assert done.dataset is not None
    own = set(done.dataset.part("validation").cases["case"])
    assert {entry.case for entry in done.attributions.entries} <= own


def test_runs_are_compared_over_their_repeats(images: Path, whole: Callable[[str], Path], tmp_path: Path) -> None:
    other = Path(shutil.copytree(whole("classify"), tmp_path / "other"))
    go(other, images, until="evaluate", balance="weighted")
    table = compare_runs([whole("classify"), other], metric="sensitivity").table
    results = [Run(folder).results for folder in (whole("classify"), other)]
    assert table["value"].to_list() == pytest.approx(
        [found.parts["test"].metrics["sensitivity"].value for found in results if found]
    )
    assert "p_delong" not in compare_runs([whole("classify"), other], metric="auroc").table.columns


def test_what_needs_a_test_part_is_refused(whole: Callable[[str], Path], tmp_path: Path) -> None:
    copy = Path(shutil.copytree(whole("classify"), tmp_path / "copy"))
    with pytest.raises(DataError, match="has no test part"):
        ensemble([whole("classify"), copy], tmp_path / "both")
    with pytest.raises(UsageError, match="has no test part"):
        table7(copy)


def test_stopped_in_an_outer_fold_it_goes_on_with_the_same_bytes(
    images: Path, whole: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, calls = tmp_path / "run", list[int]()
    learn = stage.learn

    def counted(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise Killed
        return learn(*given)

    monkeypatch.setattr(stage, "learn", counted)
    with pytest.raises(Killed):
        go(folder, images)
    assert len(list((folder / "nested").rglob("*.parquet"))) == 2
    go(folder, images)
    assert len(calls) == 3 + FOLDS * REPEATS - 2
    for name in ("outer_folds.parquet", "predictions.parquet", "scores.json", "model.safetensors"):
        assert (folder / name).read_bytes() == (whole("classify") / name).read_bytes(), name


@both
def test_a_frozen_trunk_at_hand_is_learnt_on_in_every_fold(
    kind: str, images: Path, whole: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))
    spec = "vgg11_bn(head=levels, width=0.05)"
    save_file(networks.build(spec, classes=2, channels=1, size=28, seed=3).state(), tmp_path / "w.safetensors")
    import_weights(tmp_path / "w.safetensors", name="drawn", network=spec, size=28, mean=[0.5], std=[0.25])
    folder = Path(shutil.copytree(whole(kind), tmp_path / "run"))
    monkeypatch.setattr(stage, "learn", None)
    go(folder, images, kind, until="evaluate", threshold="accuracy")
    found = Run(folder).results
    assert found is not None
    trunk = next(one for one in found.baselines if one.name == "trunk")
    assert (trunk.weights, trunk.drawn) == ("drawn", None)
    assert trunk.metrics["auroc"].low < trunk.metrics["auroc"].value


def test_another_threshold_trains_nothing_and_another_design_forgets_the_folds(
    images: Path, whole: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(whole("classify"), tmp_path / "run"))
    monkeypatch.setattr(stage, "learn", None)
    go(folder, images, until="evaluate", threshold="accuracy")
    assert Run(folder).predictions is not None
    assert (folder / "outer_folds.parquet").exists()
    go(folder, images, until="evaluate", design="split")
    assert not (folder / "outer_folds.parquet").exists()
    assert "nested" not in Run(folder).ledger.stages
    found = Run(folder).predictions
    assert found is not None
    assert found.part("test").folds is None


def test_nested_is_refused_where_the_data_bring_a_test_part(tiny_archive: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="bring a test part"):
        run(Job(RunFolder(tmp_path / "run"), str(tiny_archive), Recipe(**RECIPE)), "evaluate")
    assert not (tmp_path / "run" / "plan.json").exists()
