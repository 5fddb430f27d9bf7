"""Boxes through the whole line, and what the task of boxes answers by itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
import torch

import evenray as er
from evenray.core.artefacts.drawn import Overlays
from evenray.core.errors import UsageError
from evenray.core.recipe import Recipe
from evenray.core.run import Run
from evenray.learning.balance import DoubleCorrectionWarning
from evenray.learning.boxes.decoding import Detected
from evenray.learning.boxes.told import found_in, objects_in, told
from evenray.learning.predict.answers import NO_NUMBER
from evenray.learning.predict.engines import load
from evenray.learning.predict.files import items, predict
from evenray.learning.tasks import task_of
from evenray.learning.tasks.box_remedies import box_balance
from evenray.learning.tasks.detect import Detect
from evenray.metrics import Calibration, measured_by_task
from evenray.metrics.boxes import found_boxes, true_boxes
from evenray.metrics.matching import matches
from evenray.reporting import report_page
from evenray.stages.box_overlays import case_boxes, chosen_by_f1

CLASSES = ("disc", "square")
SETTINGS = {
    "network": "ssd(vgg11_bn(width=0.1))", "size": 48, "epochs": 6, "learning_rate": 0.004, "batch": 16, "folds": 2,
    "seeds": 1, "contrast": "none", "balance": ("none", "focal"), "choose": {"compare_epochs": 1, "members": 2}, "explained": 8,
}  # fmt: skip


def draw(folder: Path, images: int = 90, seed: int = 0) -> None:
    """Grey images of two shapes with bright discs and fewer darker squares, some with none, and their boxes as COCO JSON."""
    rng = np.random.default_rng(seed)
    about, boxes = [], []
    for i in range(images):
        height, width = (48, 64) if i % 2 else (56, 56)
        pixels = rng.normal(60, 10, (height, width))
        for _ in range(int(rng.integers(0, 4))):
            k, r = int(rng.random() < 0.35), int(rng.integers(5, 9))
            x, y = int(rng.integers(r, width - r)), int(rng.integers(r, height - r))
            if k:
                cv2.rectangle(pixels, (x - r, y - r), (x + r, y + r), 120.0, -1)
            else:
                cv2.circle(pixels, (x, y), r, 190.0, -1)
            side = 2 * r + 1
            boxes.append({
                "id": len(boxes) + 1, "image_id": i + 1, "category_id": k + 1, "bbox": [x - r, y - r, side, side],
                "area": side**2, "iscrowd": 0,
            })  # fmt: skip
        cv2.imwrite(str(folder / f"{i:03d}.png"), pixels.clip(0, 255).astype(np.uint8))
        about.append({"id": i + 1, "file_name": f"{i:03d}.png", "width": width, "height": height})
    categories = [{"id": k + 1, "name": name} for k, name in enumerate(CLASSES)]
    (folder / "boxes.json").write_text(json.dumps({"images": about, "annotations": boxes, "categories": categories}))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shapes")
    draw(folder)
    return folder


@pytest.fixture(scope="module")
def run(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run through every stage."""
    return er.run(images, output=tmp_path_factory.mktemp("runs") / "shapes", task="detect", **SETTINGS)


def test_the_objects_are_found(run: Run) -> None:
    test = run.scores["test"]
    assert test.map50.value > 0.35
    assert test.map50.low <= test.map50.value <= test.map50.high
    assert test.map50.baseline == test.froc.baseline == 0.0
    assert run.results is not None
    assert set(run.results.findings) == set(CLASSES)
    assert all(0 <= one.threshold <= 1 for one in run.results.findings.values() if one.threshold is not None)


def test_an_image_without_numbers_is_not_one_without_boxes(run: Run) -> None:
    assert run.dataset is not None
    model, files = load(run.path), items([Path(run.dataset.root) / file for file in run.dataset.cases["file"][:2]])

    def broken(x: np.ndarray) -> np.ndarray:
        answers = model.run(x)
        answers[0] = np.nan
        return answers

    answers = predict(replace(model, run=broken), files)
    assert answers.table["file"].to_list() == [files[1].file]
    assert answers.rejected.rows() == [(files[0].file, NO_NUMBER)]
    assert answers.boxes is not None
    assert answers.boxes.images.height == 1


def test_predictions_hold_what_metrics_need(run: Run) -> None:
    assert run.predictions is not None
    assert run.dataset is not None
    assert run.results is not None
    test, data = run.predictions.part("test"), run.dataset.part("test")
    for boxes, structs in zip(true_boxes(test), data.cases["boxes"].to_list(), strict=True):
        assert boxes[:, 1:].tolist() == [[b["x0"], b["y0"], b["x1"], b["y1"]] for b in structs]
    for boxes, (rows, columns) in zip(found_boxes(test), data.cases.select("rows", "columns").rows(), strict=True):
        assert (boxes[:, 1] >= 0).all()
        assert (boxes[:, 4] <= rows).all()
        assert (boxes[:, 3] <= columns).all()
        assert ((boxes[:, 5] >= 0) & (boxes[:, 5] <= 1)).all()
    found = measured_by_task(test, task_of("detect").thresholds(run.results), resamples=0)
    told_there = run.results.parts["test"].metrics
    for name in ("map50", "map", "froc", "sensitivity", "ppv", "f1", "false_positives"):
        assert told_there[name].value == pytest.approx(found[name].value, nan_ok=True)


def test_the_grid_is_ranked_by_average_precision(run: Run) -> None:
    assert run.grid is not None
    assert run.choice is not None
    assert run.grid["balance"].to_list() == ["none", "focal"]
    assert run.grid["metric"].unique().to_list() == ["map50"]
    assert run.grid.filter("chosen")["balance"].to_list() == [run.choice.balance]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_tells_of_boxes(run: Run, language: str) -> None:
    page = report_page(run, language=language)
    assert all(f'<section id="{name}"' in page for name in ("boxes", "outlines", "metrics"))
    assert not any(f'<section id="{name}"' in page for name in ("ranking", "mistakes", "threshold"))
    assert all(name in page for name in CLASSES)
    assert "boxes." not in page.replace("boxes.json", "")  # no key without its text


def test_worst_cases_come_first(run: Run) -> None:
    assert run.results is not None
    assert run.predictions is not None
    shown = Overlays.read(run.path).entries
    worst = [entry.figures["f1"] for entry in shown if entry.kind == "worst"]
    assert worst == sorted(worst)
    cuts = [one.threshold for one in run.results.findings.values() if one.threshold is not None]
    figures = case_boxes(run.predictions.part("test"), cuts)
    assert [case for kind, case in chosen_by_f1(figures) if kind == "worst"] == [
        e.case for e in shown if e.kind == "worst"
    ]
    objects = sum(len(boxes) for boxes in true_boxes(run.predictions.part("test")))
    assert figures["found"].sum() + figures["missed"].sum() == objects


def test_killed_training_goes_on_to_the_same_bytes(images: Path, run: Run, tmp_path: Path) -> None:
    """Stopped after the fifth batch and again in evaluate, the same command ends with the same predictions."""
    copy = Path(shutil.copytree(run.path, tmp_path / "again"))
    for name in ("model.safetensors", "predictions.parquet", "scores.json"):
        (copy / name).unlink()
    shutil.rmtree(copy / "checkpoints", ignore_errors=True)

    def stop_at(code: str, steps: int) -> Callable[[object], None]:
        left = [steps]

        def listener(event: object) -> None:
            if code in str(event):
                left[0] -= 1
                if left[0] == 0:
                    raise er.Cancelled

        return listener

    for code, steps in (("task.train", 12), ("task.evaluate", 2)):
        with pytest.raises(er.Cancelled):
            er.run(images, output=copy, task="detect", listener=stop_at(code, steps), **SETTINGS)
    er.run(images, output=copy, task="detect", **SETTINGS)
    for name in ("model.safetensors", "predictions.parquet", "scores.json"):
        assert (copy / name).read_bytes() == (run.path / name).read_bytes(), name


def test_what_a_task_of_boxes_refuses() -> None:
    task = Detect()
    for settings, wrong in (
        ({"network": "vgg16_bn"}, r"ssd\(vgg16_bn\)"), ({"balance": "dice"}, "no remedy for boxes"),
        ({"balance": "minority_mixup"}, "no remedy for boxes"), ({"threshold": "youden"}, "youden"), ({"tta": "fivecrop"}, "tta"),
        ({"prevalence": 0.1}, "prevalence"), ({"imbalance": "10:1"}, "imbalance"),
        ({"patch": 64, "size": 48}, "patch"), ({"scale_jitter": (1.0, 1.5)}, "scale-jitter"),
        ({"patient_score": "max"}, "patient-score"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=wrong):
            task.check(Recipe(**settings), CLASSES, "")
    task.check(Recipe(balance="hard_negatives(5) | oversample", threshold="false_positives(0.5)"), CLASSES, "")
    task.check(
        Recipe(balance="hard_negatives(5) | foreground_patches(0.8)", patch=64, size=300, tta="flips"), CLASSES, ""
    )


def test_remedies() -> None:
    objects = np.array([[9, 1], [9, 0], [9, 0], [0, 0]])
    plain = box_balance("none", objects, CLASSES, epochs=2)
    assert (plain.loss, plain.sampler, plain.hard_negatives) == (None, None, 3.0)
    focal = box_balance("focal", objects, CLASSES, epochs=2)
    assert focal.loss is not None
    assert focal.hard_negatives is None
    assert box_balance("focal | hard_negatives(5)", objects, CLASSES, epochs=2).hard_negatives == 5
    weighted = box_balance("weighted", objects, CLASSES, epochs=2)
    assert weighted.loss is not None
    # of background 84, disc 27 and square 1 default boxes each class weighs as much in all
    logits, classes = torch.zeros(3, 3), torch.tensor([0, 1, 2])
    each = [float(weighted.loss(logits[i : i + 1], classes[i : i + 1], 0.0)) for i in range(3)]
    assert np.array(each) * [84, 27, 1] == pytest.approx([each[0] * 84] * 3, rel=1e-5)
    drawn = box_balance("oversample", objects, CLASSES, epochs=2)
    assert drawn.sampler is not None
    often = np.bincount(drawn.sampler(objects, batch=4, seed=0, epoch=0), minlength=4)
    assert often[0] >= 2  # the only image with a square
    with pytest.warns(DoubleCorrectionWarning):
        box_balance("weighted | oversample", objects, CLASSES, epochs=2)


def test_scores_become_probabilities_and_boxes_go_back_to_the_files_pixels() -> None:
    """An image of 20 x 40 lies in a square of 80 doubled and 20 pixels down."""
    task = Detect()
    said = Detected(np.array([[0.25, 0.5, 0.5, 0.75]]), np.array([1]), np.array([0.8]))
    objects = np.array([[[1, 0.25, 0.5, 0.5, 0.75], [np.nan] * 5]])
    kept = told([said], objects, 80)
    assert found_in(kept[0]).tolist() == [[1, 20, 40, 40, 60, 0.8]]
    assert objects_in(kept[0]).tolist() == [[1, 20, 40, 40, 60]]
    questions = task.remedy("none", np.array([[0, 1], [1, 0]]), CLASSES, "").questions
    halved = Calibration("platt", {"columns": [{"slope": 0.0, "intercept": 0.0}]})
    p = task.probabilities(questions, kept, [None, None], [None, None])
    assert p[0, 0] == pytest.approx(0.8)
    assert task.probabilities(questions, kept, [None, halved], [None, None])[0, 0] == pytest.approx(0.5)
    cases = pl.DataFrame({
        "case": ["a"], "patient": [None], "part": ["test"], "rows": [20], "columns": [40], "findings": [[False, True]],
        "boxes": [[{"class": 1, "x0": 10.0, "y0": 10.0, "x1": 20.0, "y1": 20.0, "ignored": False}]],
    })  # fmt: skip
    dataset = er.Dataset(cases, CLASSES, "", root="")
    dataset = type(dataset)(cases, CLASSES, "", root="", facts=dataset.facts.model_copy(update={"task": "detect"}))
    predictions = task.predictions(dataset, kept, p)
    assert found_boxes(predictions)[0].round(6).tolist() == [[1, 10, 10, 20, 20, 0.8]]
    assert true_boxes(predictions)[0].tolist() == [[1, 10, 10, 20, 20]]
    [first, second] = list(task.asked(kept, np.array([[0, 1]])))
    assert first.classes.tolist() == []
    assert second.classes.tolist() == [1]
    assert second.images.tolist() == [0, 1]


def test_on_another_set_boxes_are_measured_as_in_the_test_part(run: Run, tmp_path: Path) -> None:
    folder, other = Path(shutil.copytree(run.path, tmp_path / "run")), tmp_path / "other"
    other.mkdir()
    draw(other, 40, seed=3)
    done = er.evaluate(folder, on=other)
    record, place = done.external["other"], Run(folder / "external" / "other")
    assert place.predictions is not None
    assert done.results is not None
    cuts = [one.threshold for one in done.results.findings.values()]
    found = measured_by_task(place.predictions, cuts, resamples=0)
    assert record.changes["map50"].external.value == pytest.approx(found["map50"].value)
    assert record.main == "map50"
    fall = record.changes["map50"]  # drawn alike, but the run's own test part has eighteen images
    assert record.causes == (("accuracy",) if fall.high < 0 else ())
    assert fall.value > -0.35
    assert not [one.name for one in record.drift if one.shown]
    assert '<section id="boxes"' in (folder / "external" / "other" / "external.html").read_text(encoding="utf-8")


def test_in_a_large_image_objects_are_found_where_they_lie_in_its_own_pixels(run: Run, tmp_path: Path) -> None:
    """Four by three images as one, in which the run's network looks at windows: it finds what it finds in each, and made small
    next to nothing."""
    draw(tmp_path, 24, seed=5)
    told = json.loads((tmp_path / "boxes.json").read_text())
    names = [f"{i:03d}.png" for i in range(1, 24, 2)]  # of 48 x 64
    rows = [np.hstack([cv2.imread(str(tmp_path / name), 0) for name in names[r * 3 : r * 3 + 3]]) for r in range(4)]
    large = tmp_path / "large"
    large.mkdir()
    cv2.imwrite(str(large / "all.png"), np.vstack(rows))
    true = [
        [box["category_id"] - 1, x + 64 * (i % 3), y + 48 * (i // 3), x + w + 64 * (i % 3), y + h + 48 * (i // 3)]
        for i, name in enumerate(names)
        for box in told["annotations"]
        if told["images"][box["image_id"] - 1]["file_name"] == name
        for x, y, w, h in [box["bbox"]]
    ]
    shares = []
    for side in (144, 48):  # as large as in training, three quarters of the file's pixels; and the whole made small
        folder = Path(shutil.copytree(run.path, tmp_path / f"run-{side}"))
        record = json.loads((folder / "model.json").read_text())
        (folder / "model.json").write_text(json.dumps(record | {"image_side": side}))
        answers = predict(load(folder), items([large]))
        assert answers.boxes is not None
        assert answers.boxes.images.rows() == [("all.png", 192, 192)]
        found = answers.boxes.boxes.select("class", "x0", "y0", "x1", "y1", "score").to_numpy()
        one = matches([np.array(true, float)], [found], len(CLASSES), (0.5,))[0]
        shares.append(one.hit.sum() / one.objects.sum())
    assert shares[0] > 0.5 > 0.2 > shares[1]
