"""Masks go through the whole line, and every verb that reads a run answers for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest

import evenray as er
from evenray.core.artefacts import RunFolder
from evenray.core.errors import UsageError
from evenray.core.events import Events, StageDone
from evenray.core.recipe import Recipe
from evenray.core.run import Run
from evenray.evidence.compare.runs import compare_runs
from evenray.learning.predict.engines import load
from evenray.learning.predict.files import items
from evenray.learning.predict.files import predict as predict_items
from evenray.learning.tasks.segment import Segment
from evenray.metrics import measured_by_task
from evenray.metrics.overlap import overlap
from evenray.reporting import report_page
from evenray.stages.line import Job, run
from evenray.verbs.export import export
from evenray.verbs.predict import predict

CLASSES = ("1", "2")
RECIPE: dict[str, Any] = {
    "network": "unet('vgg11_bn(width=0.1)')", "epochs": 10, "size": 48, "folds": 2, "seeds": 1, "contrast": "none",
    "learning_rate": 0.01, "batch": 6, "balance": ("weighted", "weighted | dice"), "choose": {"compare_epochs": 2, "members": 1},
    "patient": r"(p\d+)_", "task": "segment", "masks": "masks", "explained": 8,
}  # fmt: skip


def draw(folder: Path, patients: int = 30, seed: int = 0) -> None:
    """Grey images of 60 x 48 pixels, two a patient, some with a disc, a square, both or neither, and their masks."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    for i in range(2 * patients):
        pixels, mask = rng.integers(20, 70, (60, 48)).astype(np.uint8), np.zeros((60, 48), np.uint8)
        if i % 4 < 3:
            cv2.circle(mask, tuple(int(v) for v in rng.integers(12, 34, 2)), int(rng.integers(5, 9)), 1, -1)
        if i % 2:
            row, column = (int(v) for v in rng.integers(36, 46, 2) - (0, 20))
            mask[row : row + 10, column : column + 10] = 2
        pixels[mask == 1] += 90
        pixels[mask == 2] += 160
        name = f"p{i // 2:03d}_{i % 2}.png"
        cv2.imwrite(str(folder / "images" / name), pixels)
        cv2.imwrite(str(folder / "masks" / name), mask)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marked")
    draw(folder)
    return folder


def go(data: Path, folder: Path, until: str = "report", listener: Any = None, **more: Any) -> Path:
    recipe = Recipe(**(RECIPE | {"masks": str(data / "masks")} | more))
    run(Job(RunFolder(folder), str(data / "images"), recipe, events=Events(listener)), until)
    return folder


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go(data, tmp_path_factory.mktemp("runs") / "whole")


def test_no_patient_is_on_two_sides_and_every_part_has_every_class(whole: Path) -> None:
    found = Run(whole).dataset
    assert found is not None
    assert found.cases.group_by("patient").agg(pl.col("part").n_unique())["part"].max() == 1
    for name in ("train", "validation", "test"):
        assert all(members.any() for members in found.part(name).members.values())


def test_marks_are_learnt_and_figures_are_those_of_the_masks_that_were_written(whole: Path, data: Path) -> None:
    found = Run(whole)
    assert found.results is not None
    assert found.dataset is not None
    assert found.predictions is not None
    assert found.scores["test"].dice.value > 0.7
    table = found.predictions.part("test").table
    files = dict(found.dataset.cases.select("case", "file").iter_rows())
    dice: dict[int, list[float]] = {1: [], 2: []}
    for row in table.iter_rows(named=True):
        called = cv2.imread(str(whole / "masks" / f"{row['case']}.png"), cv2.IMREAD_UNCHANGED)
        true = cv2.imread(str(data / "masks" / files[row["case"]]), cv2.IMREAD_UNCHANGED)
        assert called.shape == true.shape == (60, 48)
        for k in (1, 2):
            own = overlap(true == k, called == k)
            assert (own.true, own.called, own.hit) == (
                row[f"true_{k - 1}"],
                row[f"called_{k - 1}"],
                row[f"hit_{k - 1}"],
            )
            dice[k] += [2 * own.hit / (own.true + own.called)] if own.true else []
    told = [found.results.findings[name].parts["test"].metrics["dice"] for name in CLASSES]
    assert [one.value for one in told] == pytest.approx([np.mean(dice[k]) for k in (1, 2)])
    assert all(one.low <= one.value <= one.high and one.baseline == 0 for one in told)
    means = found.results.parts["test"].metrics
    assert means["dice"].value == pytest.approx(np.mean([one.value for one in told]))
    again = measured_by_task(
        found.predictions.part("test"), [r.threshold for r in found.results.findings.values()], resamples=0
    )
    assert {name: one.value for name, one in again.items()} == pytest.approx(
        {n: means[n].value for n in again}, nan_ok=True
    )
    assert found.results.unit == "px"


def test_the_grid_ranks_by_dice(whole: Path) -> None:
    found = Run(whole)
    assert found.grid is not None
    assert found.choice is not None
    assert found.grid["balance"].to_list() == ["weighted", "weighted | dice"]
    assert found.grid["metric"].unique().to_list() == ["dice"]
    assert found.grid.filter("chosen")["balance"].to_list() == [found.choice.balance]
    assert found.grid["dice"].is_between(0, 1).all()
    assert set(found.grid["chance"]) == {"dice_gain"}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_shows_the_paradox_the_spread_and_outlines(whole: Path, language: str) -> None:
    page = report_page(Run(whole), language=language)
    for name in ("masks", "outlines", "metrics", "compare", "training"):
        assert f'<section id="{name}"' in page
    assert 'class="pending"' not in page
    assert page.count('<path class="true"') >= 10
    assert page.count('<path class="called"') >= 10
    assert all(name in page for name in CLASSES)
    assert {"calibration", "ranking", "threshold"}.isdisjoint(
        part.split('"')[0] for part in page.split('<section id="')[1:]
    )


def test_files_are_answered_as_cases_were(whole: Path, data: Path, tmp_path: Path) -> None:
    found = Run(whole)
    assert found.dataset is not None
    test = found.dataset.part("test").cases
    answers = predict(whole, [data / "images" / file for file in test["file"]], tmp_path / "answers.csv")
    for case, written in zip(test["case"], answers.table["mask"], strict=True):
        kept = cv2.imread(str(whole / "masks" / f"{case}.png"), cv2.IMREAD_UNCHANGED)
        said = cv2.imread(str(tmp_path / "answers_masks" / written), cv2.IMREAD_UNCHANGED)
        assert np.mean(kept != said) < 1e-3
    counted = [
        int((cv2.imread(str(whole / "masks" / f"{case}.png"), cv2.IMREAD_UNCHANGED) == 1).sum())
        for case in test["case"]
    ]
    assert answers.table["pixels_1"].to_numpy() == pytest.approx(np.array(counted), abs=4)
    alone = predict(whole, [data / "images" / test["file"][0]])
    assert next(iter(alone.masks.values())).shape == (60, 48)
    table = predict(whole, [data / "images" / test["file"][0]], keep_masks=False)  # as the command line asks for it
    assert not table.masks
    assert table.table.equals(alone.table)


def test_an_image_without_numbers_is_not_one_without_lesions(whole: Path, data: Path) -> None:
    model, images = load(whole), sorted((data / "images").iterdir())[:2]
    answers = predict_items(replace(model, run=lambda x: model.run(x) * np.nan), items(images))
    assert (answers.table.height, answers.masks) == (0, {})
    assert answers.rejected["reason"].str.contains("NaN or infinity").to_list() == [True, True]


def test_what_is_exported_answers_alike_and_says_how_to_decode(whole: Path, data: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    import onnx

    done = export(whole, tmp_path / "out", lang="ko")
    told = {each.key: each.value for each in onnx.load(str(done.files[0])).metadata_props}
    assert len(json.loads(told["least_log_odds"])) == 2
    assert "soft-max" in told["decoding"]
    card = (tmp_path / "out" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "image-segmentation" in card
    images = sorted((data / "images").iterdir())[:6]
    here, there = (predict(model, images).masks for model in (whole, done.files[0]))
    apart = [np.mean(a != b) for a, b in zip(here.values(), there.values(), strict=True)]
    assert max(apart) < 5e-3  # one computes in bfloat16, where the processor has it


def test_a_stopped_run_goes_on_to_the_same_bytes(
    whole: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    class Killed(BaseException):
        pass

    middles = {
        "compare": ("evenray.evidence.compare._cells", "fit", 1), "train": ("evenray.learning.train.loop", "validate", 4),
        "evaluate": ("evenray.stages.measuring", "overlap", 9), "explain": ("evenray.stages.overlays", "outlines", 3),
    }  # fmt: skip
    for module, name, works in middles.values():
        original, calls = getattr(importlib.import_module(module), name), iter(range(works))

        def work(*args: Any, original: Callable[..., Any] = original, calls: Any = calls, **options: Any) -> Any:
            if next(calls, None) is None:
                raise Killed
            return original(*args, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"{module}.{name}", work)
            with pytest.raises(Killed):
                go(data, tmp_path / "again")
    done: list[str] = []

    def listen(event: object) -> None:
        if isinstance(event, StageDone) and event.seconds is not None:
            done.append(event.stage)

    go(data, tmp_path / "again", listener=listen)
    assert done == ["explain", "report"]
    names = [
        "predictions.parquet",
        "model.safetensors",
        "scores.json",
        "grid.parquet",
        "overlays/index.json",
        "masks/index.json",
    ]
    names += [f"masks/{path.name}" for path in (whole / "masks").glob("*.png")]
    for name in names:
        if name == "grid.parquet":  # has the seconds of every training
            one, other = (pl.read_parquet(folder / name).drop("seconds") for folder in (whole, tmp_path / "again"))
            assert one.equals(other)
        else:
            assert (tmp_path / "again" / name).read_bytes() == (whole / name).read_bytes(), name


def test_two_runs_are_compared(whole: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(whole, tmp_path / "other"))
    table = compare_runs([whole, other], "dice").table
    assert table["difference"].to_list() == [0.0, 0.0]


def test_patches_are_trained_on_and_windows_predicted(data: Path, tmp_path: Path) -> None:
    """Of images of 96 pixels the network sees patches of 48; it answers whole images."""
    asked = {"size": 96, "patch": 48, "balance": "dice_cross_entropy | foreground_patches(0.7)", "epochs": 4}
    folder = go(data, tmp_path / "run", "evaluate", **asked)
    found = Run(folder)
    assert found.model is not None
    assert (found.model.network.size, found.model.image_side) == (48, 96)
    assert found.scores["test"].dice.value > 0.3
    answers = predict(folder, sorted((data / "images").iterdir())[:2])
    assert [mask.shape for mask in answers.masks.values()] == [(60, 48)] * 2
    pytest.importorskip("onnxruntime")
    done = export(folder, tmp_path / "out")
    there = predict(done.files[0], sorted((data / "images").iterdir())[:2])
    apart = [np.mean(a != b) for a, b in zip(answers.masks.values(), there.masks.values(), strict=True)]
    assert max(apart) < 1e-2  # one computes in bfloat16, where the processor has it


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"network": "vgg16_bn"}, r"give unet\(vgg16_bn\)"),
        ({"balance": "minority_mixup"}, "mixes images"),
        ({"prevalence": 0.1}, "share of patients"),
        ({"threshold": "youden"}, "rule for the threshold of masks"),
        ({"balance": "threshold"}, "rule for the threshold of masks is 'prevalence'"),
        (
            {"balance": "weighted | threshold(rule=youden)"},
            "rule for the threshold of masks is 'youden'; give dice, iou",
        ),
        ({"scale_jitter": (1.1, 1.5)}, "scale-jitter"),
        ({"tta": "dense"}, "give centre or flips"),
        ({"patch": 64, "size": 48}, "give a smaller one"),
    ],
)
def test_what_is_about_whole_images_is_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Segment().check(Recipe(**asked), CLASSES, "")
    Segment().check(Recipe(balance="weighted | threshold(rule=iou)", network="unet(vgg16_bn)"), CLASSES, "")


def test_the_comparison_ranks_by_a_figure_of_masks(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="dice"):
        go(data, tmp_path / "run", "compare", metric="auroc")


def test_what_is_about_masks_is_refused_of_whole_images(
    tiny_archive: Path, tiny_recipe: dict[str, Any], tmp_path: Path
) -> None:
    for asked, said in (({"balance": "dice"}, "pixels of masks"), ({"patch": 28}, "--patch")):
        with pytest.raises(UsageError, match=said):
            run(Job(RunFolder(tmp_path / "run"), str(tiny_archive), Recipe(**(tiny_recipe | asked))), "train")


def test_on_another_set_masks_are_measured_as_in_the_test_part(whole: Path, tmp_path: Path) -> None:
    """In the pixels of the files, at the thresholds as they were; of masks there is no log loss of cases and no recalibration."""
    folder, other = Path(shutil.copytree(whole, tmp_path / "run")), tmp_path / "other"
    other.mkdir()
    draw(other, 15, seed=7)
    with pytest.raises(er.DataError, match="--allow leakage_patients"):  # both sets number their patients from 0
        er.evaluate(folder, on=other / "images", masks=str(other / "masks"), patient=r"(p\d+)_")
    run = er.evaluate(
        folder,
        on=other / "images",
        masks=str(other / "masks"),
        patient=r"(p\d+)_",
        allow=("leakage_patients",),
        output="other",
    )
    record, place = run.external["other"], Run(folder / "external" / "other")
    assert place.predictions is not None
    assert run.results is not None
    cuts = [one.threshold for one in run.results.findings.values()]
    found = measured_by_task(place.predictions, cuts, resamples=0)
    assert record.main == "dice"
    assert record.changes["dice"].external.value == pytest.approx(found["dice"].value)
    assert record.changes["hd95"].external.value == pytest.approx(found["hd95"].value)
    assert (record.parts, record.total, record.recalibrated) == ({}, None, None)
    assert record.units == ("px", "px")
    assert set(record.prevalence) == set(CLASSES)
    page = (folder / "external" / "other" / "external.html").read_text(encoding="utf-8")
    assert "have no meaning for masks and boxes" in page
    assert '<section id="masks"' in page
    with pytest.raises(UsageError, match="--recalibrate is about the probabilities of cases"):
        er.evaluate(folder, on=other / "images", masks=str(other / "masks"), recalibrate=True)


@pytest.mark.parametrize("marked", ["one image", "every pixel"])
def test_a_class_that_hardly_any_image_has_does_not_stop_the_run(tmp_path: Path, marked: str) -> None:
    """A stray colour in one mask, in whichever part that image is; or tissue everywhere, so that there is no background."""
    draw(tmp_path)
    for i, path in enumerate(sorted((tmp_path / "masks").iterdir())):
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if marked == "every pixel":
            mask[mask == 0] = 3
        elif i == 0:
            mask[:6, :6] = 3
        cv2.imwrite(str(path), mask)
    found = Run(go(tmp_path, tmp_path / "run", epochs=2, balance="weighted"))
    assert found.dataset is not None
    assert found.dataset.classes == ("1", "2", "3")
    assert np.isfinite(found.scores["test"].estimates["dice"].value)
    assert "<h1" in report_page(found)
