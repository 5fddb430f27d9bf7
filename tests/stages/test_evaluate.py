"""The stage that opens the test part: calibration, prevalence, costs, and who is told apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from evenray.core.errors import UsageError
from evenray.core.types import Predictions
from evenray.learning.predict.about import About
from evenray.metrics import by_group, choose_threshold, decision_curve, per_patient, score
from evenray.stages import evaluate
from evenray.stages.line import run

from .conftest import Heard, job

Go = Callable[..., Heard]
CLASSES = ("0", "1")


@pytest.fixture
def rerun(go: Go, copied: Path) -> Callable[..., dict[str, Any]]:
    """rerun(**recipe) evaluates the finished run again and gives scores.json."""

    def start(**recipe: Any) -> dict[str, Any]:
        assert go(copied, "evaluate", **recipe).done == ["evaluate"]
        found: dict[str, Any] = json.loads((copied / "scores.json").read_text())
        return found

    return start


def read(folder: Path) -> Predictions:
    return Predictions(pl.read_parquet(folder / "predictions.parquet"), CLASSES, "1")


def test_a_prevalence_moves_probabilities_and_predictive_values(rerun: Callable[..., Any], copied: Path) -> None:
    here = read(copied).probabilities
    scores = rerun(prevalence=0.01, calibration="none", threshold="fixed(0.3)")
    there = read(copied)
    given = json.loads((copied / "model.json").read_text())["prior"]
    moved = here * np.array([0.99, 0.01]) / np.array(given)
    np.testing.assert_allclose(there.probabilities, moved / moved.sum(axis=1, keepdims=True), rtol=1e-9)
    metrics = scores["parts"]["test"]["metrics"]
    sensitivity, specificity = metrics["sensitivity"]["value"], metrics["specificity"]["value"]
    called = 0.01 * sensitivity + 0.99 * (1 - specificity)
    passed = 0.01 * (1 - sensitivity) + 0.99 * specificity
    if called:
        assert metrics["ppv"]["value"] == pytest.approx(0.01 * sensitivity / called)
    assert metrics["npv"]["value"] == pytest.approx(0.99 * specificity / passed)
    assert metrics["auprc"]["baseline"] == pytest.approx(0.01)
    assert scores["prevalence"] == 0.01


@pytest.mark.parametrize("rule", ["youden()", "net_benefit", "sensitivity(0.8)", "specificity(0.9)", "prevalence()"])
def test_the_prediction_at_a_prevalence_decides_as_its_evaluation(
    rerun: Callable[..., Any], copied: Path, rule: str
) -> None:
    rerun(threshold=rule)
    predicted = About.of_run(copied).at(0.03).threshold
    assert predicted == pytest.approx(rerun(threshold=rule, prevalence=0.03)["threshold"], rel=1e-6)


def test_a_share_for_each_class_is_the_same(rerun: Callable[..., Any], copied: Path) -> None:
    one = rerun(prevalence=0.2)["parts"]
    assert rerun(prevalence={"0": 0.8, "1": 0.2})["parts"] == one


@pytest.mark.parametrize(
    ("prevalence", "said"),
    [(1.0, "each above 0 and below 1"), ({"0": 0.5, "2": 0.5}, "the classes are 0, 1"),
     ({"0": 0.5, "1": 0.2}, "and 1 together")],
)  # fmt: skip
def test_an_impossible_prevalence_is_refused(go: Go, copied: Path, prevalence: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        go(copied, "evaluate", prevalence=prevalence)


def test_every_rule_is_chosen_on_validation_and_told_of_test(rerun: Callable[..., Any], copied: Path) -> None:
    scores = rerun(threshold="cost(costs={'0': 1, '1': 500})")
    points = {point["rule"]: point for point in scores["operating_points"]}
    assert {"youden", "net_benefit(at=0.1)", scores["threshold_rule"]} <= set(points)
    assert scores["refused_points"] == ["sensitivity(0.95)", "specificity(0.95)"]  # 8 and 16 patients are too few
    validation, test = read(copied).part("validation"), read(copied).part("test")
    for rule, point in points.items():
        assert point["threshold"] == choose_threshold(validation, rule)
        if rule == "prevalence":
            assert point["threshold_range"] is None
            continue
        low, high = point["threshold_range"]
        assert 0 <= low < high <= 1.5
        assert point["sensitivity_range"][0] <= point["sensitivity_range"][1]
        wanted = score(test, point["threshold"], resamples=0)
        assert point["confusion"] == wanted.confusion.tolist()
        assert point["sensitivity"]["value"] == wanted.estimates["sensitivity"].value
    costly = points[scores["threshold_rule"]]
    assert costly["threshold"] <= points["youden"]["threshold"]  # a missed one costs 500 alarms


def test_what_stands_beside_the_main_table(rerun: Callable[..., Any], copied: Path) -> None:
    scores, test = rerun(seed=0, calibration="platt"), read(copied).part("test")
    assert scores["calibration"]["method"] == "none"  # eight positives in validation are too few to fit by
    curve = decision_curve(test, resamples=0)
    assert scores["decision_curve"]["net_benefit"] == pytest.approx(curve["net_benefit"].to_list())
    assert scores["patients"] is None  # nobody's images are known to be one patient's
    assert scores["groups"] == {}


def test_patients_and_groups_where_they_are_known(rng_run: Path) -> None:
    scores, test = json.loads((rng_run / "scores.json").read_text()), read_table(rng_run)
    written, area = scores["parts"]["test"]["metrics"]["auroc"], score(test, resamples=1).auroc
    assert [written[k] for k in ("value", "low", "high")] == pytest.approx([area.value, area.low, area.high])
    assert set(scores["groups"]) == {"site", "sex", "age_band"}
    assert set(scores["groups"]["age_band"]) <= {"18–40", "≥65"}
    own = by_group(test, "site", scores["threshold"], resamples=0)
    for name, group in scores["groups"]["site"].items():
        assert group["cases"] == own[name].cases
        assert group["metrics"]["sensitivity"]["value"] == pytest.approx(own[name].sensitivity.value, nan_ok=True)
    patients = score(per_patient(test), scores["patients"]["threshold"], resamples=0)
    assert scores["patients"]["patients"] == scores["patients"]["cases"] == patients.patients
    assert scores["patients"]["metrics"]["auroc"]["value"] == pytest.approx(patients.auroc.value)


def read_table(folder: Path) -> Predictions:
    return Predictions(pl.read_parquet(folder / "predictions.parquet"), ("sick", "well"), "sick").part("test")


@pytest.fixture(scope="module")
def rng_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on 96 pictures of 48 patients at two sites, of two sexes and ages, labelled by a table."""
    import cv2

    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("grouped")
    (folder / "images").mkdir()
    lines = ["path,label,patient,site,gender,age"]
    for i in range(96):
        patient = i // 2
        sick = patient % 2 == 0
        pixels = rng.integers(0, 90, (28, 28), dtype=np.uint8)
        pixels[8:18, 8:18] += 60 * sick
        cv2.imwrite(str(folder / "images" / f"{i}.png"), pixels)
        lines.append(
            f"images/{i}.png,{'sick' if sick else 'well'},p{patient},{'north' if patient % 3 else 'south'},"
            f"{'F' if patient % 4 < 2 else 'M'},{30 if patient % 5 else 70}"
        )
    (folder / "cases.csv").write_text("\n".join(lines))
    asked = job(
        folder / "run", folder / "cases.csv", network="vgg11_bn(width=0.05)", epochs=1, size=28, contrast="none",
        balance="none", test=0.4, choose={"members": 1},
    )  # fmt: skip
    run(asked, "evaluate")
    return folder / "run"


def test_the_prevalence_rule_takes_the_shares_that_the_probabilities_are_at(
    rerun: Callable[..., Any], copied: Path
) -> None:
    """Those of the training part, whatever the validation part holds."""
    given = json.loads((copied / "model.json").read_text())["prior"]
    assert rerun(threshold="prevalence")["threshold"] == pytest.approx(given[1])


def test_simple_models_stand_beside_the_network(copied: Path) -> None:
    scores, test = json.loads((copied / "scores.json").read_text()), read(copied).part("test")
    assert {"histogram", "thumbnail"} <= {simple["name"] for simple in scores["baselines"]}
    own = score(test, resamples=0)
    for simple in scores["baselines"]:
        for metric in ("auroc", "auprc"):
            gap, value = simple["network_ahead"][metric], simple["metrics"][metric]["value"]
            assert gap["value"] == pytest.approx(own.estimates[metric].value - value)
            assert gap["low"] <= gap["value"] <= gap["high"]


def test_label_errors_are_sought_at_the_shares_of_the_labels(
    rerun: Callable[..., Any], copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a prevalence of 1 % the sick would be contradicted for the place of use, not for their images."""
    rerun(calibration="none")
    here, looked = read(copied).probabilities, list[Predictions]()
    monkeypatch.setattr(evaluate, "label_errors", lambda found: looked.append(found) or [])
    rerun(calibration="none", prevalence=0.01)
    assert read(copied).probabilities[:, 1].mean() < here[:, 1].mean()
    np.testing.assert_allclose(looked[-1].probabilities, here[-len(looked[-1].probabilities) :])
