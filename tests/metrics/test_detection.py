"""Figures of boxes against pycocotools on random scenes, by hand, and their resamples against images really drawn again."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from evenray.core.errors import UsageError
from evenray.metrics.detection import (
    RATES,
    average_precision,
    detected,
    froc,
    precision_recall_of,
    sensitivity_at,
)
from evenray.metrics.detection_threshold import choose_detection_threshold
from evenray.metrics.matching import COCO_OVERLAPS, Matches, matches

Floats = NDArray[np.float64]
CLASSES = 3


def scene(seed: int, images: int = 12, ignored: float = 0.15) -> tuple[list[Floats], list[Floats]]:
    """Objects, some of them not to be counted, and detections around them and elsewhere; equal scores occur."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for _ in range(images):
        n = int(rng.integers(0, 6))
        corner, sides = rng.uniform(0, 80, (n, 2)), rng.uniform(5, 40, (n, 2))
        classes = rng.integers(0, CLASSES, n).astype(float)
        shown = np.where(rng.uniform(size=n) < ignored, -1 - classes, classes)
        truth.append(np.column_stack([shown, corner, corner + sides]))
        near = np.repeat(np.arange(n), rng.integers(0, 4, n))
        moved = np.column_stack([corner, corner + sides])[near] + rng.normal(0, 3, (len(near), 4))
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
        far = rng.uniform(0, 80, (3, 2))
        boxes = np.vstack([moved, np.column_stack([far, far + 20])])
        called = np.concatenate(
            [np.where(rng.uniform(size=len(near)) < 0.8, classes[near], 0), rng.integers(0, CLASSES, 3)]
        )
        found.append(np.column_stack([called, boxes, rng.integers(1, 30, len(boxes)) / 30]))
    return truth, found


def by_pycocotools(truth: list[Floats], found: list[Floats]) -> Any:
    """COCOeval of everything, for all areas and 100 detections a class and image."""
    annotations: list[dict[str, Any]] = []
    for i, true in enumerate(truth):
        for row in true:
            k, ignored = (int(row[0]), 0) if row[0] >= 0 else (int(-1 - row[0]), 1)
            sides = row[3:5] - row[1:3]
            annotations.append({
                "id": len(annotations) + 1, "image_id": i, "category_id": k, "bbox": [*row[1:3], *sides],
                "area": float(sides.prod()), "iscrowd": ignored,
            })  # fmt: skip
    results = [
        {"image_id": i, "category_id": int(row[0]), "bbox": [*row[1:3], *(row[3:5] - row[1:3])], "score": float(row[5])}
        for i, said in enumerate(found)
        for row in said
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": i} for i in range(len(truth))], "annotations": annotations,
            "categories": [{"id": k} for k in range(CLASSES)],
        }  # fmt: skip
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, 0]  # (overlaps, recalls, classes), -1 where there is no object
    return np.where(precision < 0, np.nan, precision).mean(axis=1)


@pytest.mark.parametrize("seed", range(6))
def test_average_precision_is_that_of_pycocotools(seed: int) -> None:
    truth, found = scene(seed)
    expected = by_pycocotools(truth, found)
    every = np.ones((1, len(truth)))
    for k, one in enumerate(matches(truth, found, CLASSES)):
        ours = [average_precision(one, every, t)[0] for t in range(len(COCO_OVERLAPS))]
        np.testing.assert_allclose(ours, expected[:, k], atol=1e-12)


def test_a_resample_is_the_figure_of_the_images_drawn() -> None:
    truth, found = scene(7)
    drawn = np.random.default_rng(0).integers(0, len(truth), len(truth))
    weights = np.bincount(drawn, minlength=len(truth))[None].astype(float)
    # pycocotools takes equal scores as they come, image by image: only without ties the order of images does not matter
    found = [said + np.array([0, 0, 0, 0, 0, 1e-4]) * i for i, said in enumerate(found)]
    again = by_pycocotools([truth[i] for i in sorted(drawn)], [found[i] for i in sorted(drawn)])
    for k, one in enumerate(matches(truth, found, CLASSES)):
        assert average_precision(one, weights, 0)[0] == pytest.approx(again[0, k], abs=0.02)
    drawn_matches = matches([truth[i] for i in drawn], [found[i] for i in drawn], CLASSES)
    for one, again_one in zip(matches(truth, found, CLASSES), drawn_matches, strict=True):
        ours = sensitivity_at(one, weights)[:, 0]
        theirs = sensitivity_at(again_one, np.ones((1, len(drawn))))[:, 0]
        np.testing.assert_allclose(ours, theirs)


def test_by_hand() -> None:
    """Two images, three objects, four detections: right .9, wrong .8, right .7, and a second one on an object found already."""
    box, other, third = [0, 0, 10, 10], [20, 20, 30, 30], [50, 50, 60, 60]
    truth = [np.array([[0, *box], [0, *other]], float), np.array([[0, *box]], float)]
    found = [
        np.array([[0, *box, 0.9], [0, *box, 0.6], [0, *other, 0.7]], float), np.array([[0, *third, 0.8]], float),
    ]  # fmt: skip
    [one] = matches(truth, found, 1, (0.5,))
    assert one.hit[0].tolist() == [True, False, True, False]
    # precision 1 up to a recall of 1/3, 2/3 up to 2/3: 34 and 33 of the 101 recalls
    assert average_precision(one, np.ones((1, 2)), 0)[0] == pytest.approx((34 + 33 * 2 / 3) / 101)
    false_positives, sensitivity, scores = froc(one)
    assert false_positives.tolist() == [0, 0.5, 0.5, 1]
    assert sensitivity == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert scores.tolist() == [0.9, 0.8, 0.7, 0.6]
    recall, precision = precision_recall_of(one)
    assert precision == pytest.approx([1, 1 / 2, 2 / 3, 1 / 2])
    assert recall == pytest.approx(sensitivity)
    at = dict(zip(RATES, sensitivity_at(one, np.ones((1, 2)))[:, 0], strict=True))
    assert [at[rate] for rate in (0.125, 0.25, 0.5, 8)] == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])
    figures = detected([one], ["cell"], np.arange(2), cuts=[0.65], resamples=50)
    assert figures["ppv"].value == pytest.approx(2 / 3)
    assert figures["sensitivity|cell"].value == pytest.approx(2 / 3)
    assert figures["f1"].value == pytest.approx(2 / 3)
    assert figures["false_positives"].value == pytest.approx(1 / 2)


def test_ignored_objects_count_neither_way() -> None:
    truth = [np.array([[-1, 0, 0, 40, 40], [0, 60, 60, 70, 70]], float)]
    found = [np.array([[0, 5, 5, 15, 15, 0.9], [0, 20, 20, 30, 30, 0.8], [0, 60, 60, 70, 70, 0.7]], float)]
    [one] = matches(truth, found, 1, (0.5,))
    assert one.objects.tolist() == [1]
    assert one.ignored[0].tolist() == [True, True, False]
    assert average_precision(one, np.ones((1, 1)), 0)[0] == pytest.approx(1)
    assert froc(one)[0].tolist() == [0, 0, 0]


def test_without_objects_or_detections() -> None:
    empty, none = np.zeros((0, 5)), np.zeros((0, 6))
    objects = np.array([[0, 0, 0, 9, 9]], float)
    every = np.ones((1, 2))
    [nothing_there] = matches([empty, empty], [none, np.array([[0, 0, 0, 9, 9, 0.5]])], 1)
    assert np.isnan(average_precision(nothing_there, every, 0)[0])
    [nothing_found] = matches([objects, empty], [none, none], 1)
    figures = detected([nothing_found], ["cell"], np.arange(2), cuts=[0.5], resamples=20)
    assert {figures[name].value for name in ("map50", "map", "froc", "sensitivity", "f1", "false_positives")} == {0.0}
    assert np.isnan(figures["ppv"].value)


def test_equal_scores_share_an_end() -> None:
    """Between a right and a wrong detection of one score no threshold can lie, in whichever order they come."""
    for order in ([True, False], [False, True]):
        one = Matches.of_scores([0.5, 0.5], order, [1])
        assert froc(one)[0].tolist() == [1.0]
        assert sensitivity_at(one, np.ones((1, 1)), (0.5, 1.0))[:, 0].tolist() == [0.0, 1.0]


def test_means_are_over_the_classes_that_have_objects() -> None:
    truth = [np.array([[0, 0, 0, 9, 9], [1, 20, 20, 29, 29]], float)]
    found = [np.array([[0, 0, 0, 9, 9, 0.9], [2, 0, 0, 9, 9, 0.9]], float)]
    figures = detected(matches(truth, found, 3), ["a", "b", "c"], np.zeros(1, np.int64), resamples=10)
    assert (figures["map50|a"].value, figures["map50|b"].value) == (pytest.approx(1), 0)
    assert np.isnan(figures["map50|c"].value)
    assert figures["map50"].value == pytest.approx(0.5)

    called = detected(
        matches(truth, found, 3), ["a", "b", "c"], np.zeros(1, np.int64), resamples=10, cuts=(0.5, 0.5, 0.5)
    )
    assert called["false_positives|c"].value == 1
    assert called["false_positives"].value == 0  # of a alone, and of b, of which nothing was called
    assert called["ppv"].value == 1
    assert called["sensitivity"].value == pytest.approx(0.5)


def test_intervals_hold_the_figure_of_all_patients() -> None:
    """Over repeated draws of 40 images, the interval of map50 holds that of very many images about as often as it says."""
    truth, found = scene(11, images=1500, ignored=0)
    everything = detected(matches(truth, found, CLASSES, (0.5,)), list("abc"), np.arange(1500), resamples=2)[
        "map50"
    ].value
    held = 0
    for first in range(0, 1200, 40):
        part = slice(first, first + 40)
        told = detected(matches(truth[part], found[part], CLASSES, (0.5,)), list("abc"), np.arange(40), resamples=300)[
            "map50"
        ]
        held += told.low <= everything <= told.high
    assert 24 <= held <= 30


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("f1", 0.65), ("false_positives(0.5)", 0.65), ("sensitivity(0.3)", 0.85), ("fixed(0.4)", 0.4)],
)
def test_rules_for_the_threshold(rule: str, expected: float) -> None:
    one = Matches.of_scores([0.9, 0.8, 0.7, 0.6], [True, False, True, False], [2, 1], [0, 1, 0, 0])
    assert choose_detection_threshold(one, rule) == pytest.approx(expected)


def test_a_rule_that_there_is_not() -> None:
    one = Matches.of_scores([], [], [1])
    with pytest.raises(UsageError, match="youden"):
        choose_detection_threshold(one, "youden")
    assert choose_detection_threshold(one, "f1") == 0.5


def test_few_objects_are_not_sure_of_anything() -> None:
    """One object, found where it is; of five patients an average precision that no resample moves has no interval either."""
    for patients, least in ((1, 0.15), (5, 0.5)):
        truth = [np.array([[0, 0, 0, 9, 9]], float)] * patients
        found = [np.array([[0, 0, 0, 9, 9, 0.9]], float)] * patients
        figures = detected(matches(truth, found, 1), ["a"], np.arange(patients), cuts=(0.5,), resamples=100)
        assert figures["map50"].value == pytest.approx(1)
        assert np.isnan([figures[name].low for name in ("map50", "map", "froc", "f1")]).all()
        assert least < figures["sensitivity"].low < 0.6
    truth, found = scene(3, images=4)
    few = detected(matches(truth, found, CLASSES), list("abc"), np.arange(4), resamples=100)
    assert np.isnan(few["map50"].low)


def test_without_a_class_a_resample_has_no_mean() -> None:
    truth = [np.array([[0, 0, 0, 9, 9], *([[1, 20, 20, 29, 29]] if i < 2 else [])], float) for i in range(10)]
    found = [np.array([[0, 0, 0, 9, 9, 0.9]], float)] * 10
    mean = detected(matches(truth, found, 2), ["a", "b"], np.arange(10), resamples=500)["map50"]
    assert mean.value == pytest.approx(0.5)
    assert np.isnan(mean.replicates).any()
    assert mean.replicates[~np.isnan(mean.replicates)] == pytest.approx(0.5)


@pytest.mark.parametrize("patients", [6, 10])
def test_few_patients_hold_the_average_precision_of_many(patients: int) -> None:
    """With two images each."""
    truth, found = scene(11, images=1200, ignored=0)
    everything = detected(matches(truth, found, CLASSES, (0.5,)), list("abc"), np.arange(1200), resamples=2)
    held = total = 0
    for first in range(0, 1200 - 2 * patients, 2 * patients):
        part = slice(first, first + 2 * patients)
        each = matches(truth[part], found[part], CLASSES, (0.5,))
        one = detected(each[:1], ["a"], np.repeat(np.arange(patients), 2), resamples=200)["map50"]
        if one.low == one.low:
            total += 1
            held += one.low <= everything["map50|a"].value <= one.high
    assert total > 40
    assert held / total >= 0.88
