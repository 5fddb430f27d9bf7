"""What each section says, against the artefacts and against sums done another way."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import made_run
import numpy as np
import polars as pl
import pytest
from made_run import done_again, write

from evenray.core.artefacts.asked import Asked
from evenray.core.artefacts.plan import PlanChoice
from evenray.core.artefacts.scores import BaselineScores, Figure, Gap, PartScores, ScoresRecord
from evenray.core.errors import DataError
from evenray.core.messages import Message
from evenray.core.recipe import Recipe
from evenray.metrics import confusion
from evenray.reporting import write_card
from evenray.reporting.language import Language
from evenray.reporting.sections import (
    asked,
    audit,
    calibration,
    compare,
    contrast,
    data,
    metrics,
    mistakes,
    practice,
    ranking,
    repeat,
    summary,
    threshold,
)
from evenray.reporting.sections.notices import notices
from evenray.reporting.view import RunView

EN, KO = Language("en"), Language("ko")


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def test_the_verdict_stands_beside_the_majority(two: Path) -> None:
    run = RunView(two)
    test = run.test
    assert test is not None
    found = summary.context(run, EN)
    pairs = f"{100 * test.metrics['auroc'].value:.0f}"
    assert found.verdict.startswith("Better than guessing")
    assert f"ranks {pairs} in the right order" in found.verdict
    share = f"{100 * test.metrics['accuracy'].baseline:.1f} %"
    assert found.sentences[-1].startswith(
        f"The majority-class baseline always answers ‘healthy’: it is right for {share} of"
    )
    caught = test.confusion[1][1]
    assert f"finds {caught} of the {test.counts['sick']} ‘sick’ images" in found.sentences[1]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_at_a_prevalence_the_baseline_is_that_of_the_same_population(
    copy_of_two: Path, tmp_path: Path, language: str
) -> None:
    run = RunView(
        made_run.at_prevalence(copy_of_two, {"healthy": 0.3, "sick": 0.7})
    )  # healthy is the commoner in training
    assert run.test is not None
    metrics = run.test.metrics
    say = Language(language)
    said = summary.context(run, say).sentences
    assert metrics["accuracy"].baseline == pytest.approx(0.7)
    assert "‘sick’" in said[-2].split(say.percent(0.7))[0]
    assert say.percent(metrics["accuracy"].value) in said[-2]
    assert "healthy 30" in said[-1]
    html = write(copy_of_two, language=language).read_text(encoding="utf-8")
    assert ("are in training and always" in html or "학습 데이터의 클래스 비율만" in html) is False
    assert ("knows only that prevalence" in html) or ("그 유병률만 알고" in html)


def test_a_majority_that_is_positive_calls_everybody_sick(copy_of_two: Path) -> None:
    change(copy_of_two / "dataset.json", positive="healthy")
    found = summary.context(RunView(copy_of_two), EN)
    assert "wrong for all" in found.sentences[-1]
    assert "‘sick’ ones" in found.sentences[-1]


@pytest.mark.parametrize(("low", "high", "kind"), [(0.6, 0.9, "Better"), (0.45, 0.9, "Not shown"), (0.2, 0.4, "Worse")])
def test_the_verdict_follows_the_interval(copy_of_two: Path, low: float, high: float, kind: str) -> None:
    scores = json.loads((copy_of_two / "scores.json").read_text(encoding="utf-8"))
    scores["parts"]["test"]["metrics"]["auroc"] |= {"low": low, "high": high}
    (copy_of_two / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
    assert summary.context(RunView(copy_of_two), EN).verdict.startswith(kind)
    titles = {notice.title for notice in notices(RunView(copy_of_two), EN)}
    assert ("The result may be chance." in titles) == (kind == "Not shown")
    assert ("The interval is wide." in titles) == (high - low > 0.15 and kind != "Not shown")


def test_a_test_part_of_one_class_is_said_to_be_unranked(copy_of_two: Path) -> None:
    predictions = pl.read_parquet(copy_of_two / "predictions.parquet").filter(
        (pl.col("part") != "test") | (pl.col("target") == 0)
    )
    predictions.write_parquet(copy_of_two / "predictions.parquet")
    made_run.scores(predictions, ["healthy", "sick"], 0.3).write(copy_of_two)
    assert summary.context(RunView(copy_of_two), EN).verdict == "Evaluated, but without a ranking metric."
    html = write(copy_of_two).read_text(encoding="utf-8")
    assert "of the 0 ‘sick’ images" in html


@pytest.mark.parametrize(
    ("language", "chosen"), [("en", "chosen on the validation part"), ("ko", "검증 데이터에서 정")]
)
@pytest.mark.parametrize("rule", ["youden", "fixed(0.3)", " prevalence()"])
def test_only_a_threshold_that_cases_chose_is_said_to_be_chosen(
    copy_of_two: Path, language: str, chosen: str, rule: str
) -> None:
    change(copy_of_two / "scores.json", threshold_rule=rule)
    html = write(copy_of_two, language=language).read_text(encoding="utf-8")
    assert (chosen in html) is (rule == "youden")
    assert ("The threshold belongs to this data." in html or "임계값은 이 데이터에 맞춘" in html) is (rule == "youden")
    said = summary.context(RunView(copy_of_two), Language(language)).sentences[1]
    assert (rule.strip() in said) is (rule != "youden")


def test_of_many_classes_no_threshold_is_said_to_be_chosen(page_three: Path) -> None:
    html = page_three.read_text(encoding="utf-8")
    assert "검증 데이터에서 정" not in html
    assert "임계값은 이 데이터에 맞춘" not in html


@pytest.mark.parametrize(
    ("patient", "said", "unsaid"),
    [
        (pl.col("case"), "{n} images of {n} patients that the model had never seen.", "more test images"),
        (
            pl.lit(None, pl.String),
            "{n} images that were kept out of training. Their patients are unknown.",
            "never seen",
        ),
        (
            pl.col("case").str.head(5),
            "2 of these patients also have images in another part",
            "never seen",
        ),  # the sites as patients
        (pl.when(pl.col("split") != "test").then("case"), "Their patients are unknown.", "never seen"),
        (
            pl.when(pl.int_range(pl.len()).over("split") > 9).then("case"),
            "10 more test images have unknown patients",
            "torn",
        ),
    ],
)
def test_whom_the_model_had_never_seen_is_looked_up(
    copy_of_two: Path, patient: pl.Expr, said: str, unsaid: str
) -> None:
    parts = pl.read_parquet(copy_of_two / "split.parquet").select("case", split="part")
    cases = pl.read_parquet(copy_of_two / "cases.parquet").join(parts, on="case", maintain_order="left")
    cases.with_columns(patient=patient).drop("split").write_parquet(copy_of_two / "cases.parquet")
    run = RunView(copy_of_two)
    assert run.test is not None
    found = summary.context(run, EN).sentences[0]
    assert said.format(n=run.test.cases) in found
    assert unsaid not in found
    (copy_of_two / "cases.parquet").unlink()
    assert "never seen" not in summary.context(RunView(copy_of_two), EN).sentences[0]


def test_loud_notices_come_first(copy_of_two: Path) -> None:
    change(copy_of_two / "dataset.json", facts={"patients_known": False, "synthetic": True})
    change(copy_of_two / "provenance.json", test_opened=["2025-03-04T10:00:00+09:00", "2025-03-05T10:00:00+09:00"])
    found = notices(RunView(copy_of_two), KO)
    assert [notice.severity for notice in found] == sorted(
        (notice.severity for notice in found), key=("error", "warning", "info").index
    )
    titles = [notice.title for notice in found]
    assert titles[0] == "다른 분할에도 들어 있는 테스트 영상."
    assert {"합성 영상입니다.", "환자 정보가 없습니다.", "테스트 데이터를 두 번 이상 열었습니다."} <= set(titles)


def test_what_was_asked_is_told_apart_from_what_was_left_to_the_plan(two: Path) -> None:
    found = asked.context(RunView(two), EN)
    assert found is not None
    rows = dict(found.asked)
    assert rows["contrast"] == "none, equalize, clahe"
    assert not {"network", "weights"} & set(rows)
    assert "version" not in rows  # of the file
    assert ("epochs", "12", "as asked") in found.choices
    assert found.starts == []


def test_what_training_could_have_started_from_is_a_table_of_its_own(two: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(two, tmp_path / "run")
    start = PlanChoice.of(
        "start", "vgg16, frozen, 112", Message("plan.start.costs", {"minutes": 3.0, "effort": "quick"})
    )
    change(copy / "plan.json", starts=[start.model_dump(mode="json")])
    found = asked.context(RunView(copy), EN)
    assert found is not None
    [(told, outcome)] = found.starts
    assert told == "vgg16, frozen, 112"
    assert "3.0 minutes" in outcome
    assert told not in str(found.choices)


def test_of_many_classes_the_positive_and_the_most_frequent_are_drawn(tmp_path: Path) -> None:
    """Twelve kinds, the last one positive: colours tell seven apart."""
    run = RunView(made_run.make_run(tmp_path / "many", classes=12, cases=600))
    counts = dict(run.cases["label"].value_counts().iter_rows())
    assert len(run.drawn) == 7
    assert "kind 11" in run.drawn
    assert max(counts[name] for name in set(run.classes) - set(run.drawn)) <= min(counts[name] for name in run.drawn)
    found = {name: section.context(run, EN) for name, section in (("data", data), ("calibration", calibration))}
    assert len(found["calibration"].figures) == len(found["data"].means) == len(found["data"].histograms) == 7
    columns, rows = found["data"].counts
    assert columns == ["Training", "Validation", "Test"]
    assert [name for name, _ in rows] == list(run.classes)  # none is left out of the table
    assert {name: numbers[2] for name, numbers in rows} == run.test.counts
    page = write(run.path).read_text()
    said = "There are 12 classes. Figures with a curve or picture for each class show ‘kind 11’ and the 6 most frequent others."
    assert page.count(said) == 3
    assert "For ‘kind 11’ against all other classes." in page


def test_few_classes_are_all_drawn(two: Path, three: Path) -> None:
    for folder in (two, three):
        assert RunView(folder).drawn == RunView(folder).classes


def test_counts_and_frequencies_of_the_data(two: Path) -> None:
    run = RunView(two)
    found = data.context(run, EN)
    assert found is not None
    assert run.test is not None
    counted = {name: dict(zip(run.classes, numbers, strict=True)) for name, numbers in found.counts[1]}
    assert counted["Test"] == run.test.counts
    sums = np.array([numbers for _, numbers in found.table]).sum(axis=0)
    images = {name: sum(row[name] for row in counted.values()) for name in run.classes}
    assert sums.tolist() == [96 * 96 * images[name] for name in run.classes]  # every pixel of the fixture, once
    assert found.table[0][0] == "0 to 127"
    assert found.table[-1][0] == "3968 to 4095"
    assert ("Modality", "DX") in found.same


def test_the_imbalance_stands_beside_what_the_majority_would_score(two: Path) -> None:
    labels = pl.read_parquet(two / "cases.parquet")["label"].to_list()
    healthy, sick = labels.count("healthy"), labels.count("sick")
    facts = {name: value for name, value, _ in data.context(RunView(two), EN).facts}
    assert facts["imbalance ratio"] == f"{healthy / sick:.1f} : 1"
    assert facts["accuracy of the majority-class baseline (‘healthy’)"] == f"{100 * healthy / len(labels):.1f} %"


def test_mixed_grey_ranges_are_counted_in_256_levels(copy_of_two: Path) -> None:
    table = pl.read_parquet(copy_of_two / "cases.parquet").with_row_index()
    high = pl.when(pl.col("index") == 0).then(255.0).otherwise("high").alias("high")
    table.with_columns(high).drop("index").write_parquet(copy_of_two / "cases.parquet")
    change_split = pl.read_parquet(copy_of_two / "split.parquet").with_columns(part=pl.lit("train"))
    change_split.write_parquet(copy_of_two / "split.parquet")
    found = data.context(RunView(copy_of_two), EN)
    assert found is not None
    assert found.table[0][0] == "0 to 7"


def test_sizes_too_many_to_name_are_histograms(copy_of_two: Path) -> None:
    table = pl.read_parquet(copy_of_two / "cases.parquet")
    rows = pl.Series("rows", np.arange(table.height) + 300)
    table.with_columns(rows).write_parquet(copy_of_two / "cases.parquet")
    found = data.context(RunView(copy_of_two), EN)
    assert found is not None
    assert "Rows" in [figure.title for figure in found.headers]
    assert "Size (rows × columns)" not in [figure.title for figure in found.headers]


def test_findings_come_by_severity_with_their_pictures_in_groups(two: Path) -> None:
    found = audit.context(RunView(two), EN)
    assert found is not None
    assert [f.severity for f in found.findings] == ["error", "warning", "warning", "info"]
    duplicates, exposed = found.findings[:2]
    assert [len(group) for group in duplicates.groups] == [2, 2]
    assert dict(duplicates.evidence) == {"groups": "2", "share of the test images": "0.018"}
    assert exposed.count == 57
    assert exposed.shown == audit.PICTURES
    assert dict(exposed.evidence)["largest share of white pixels"] == "0.412"


def test_contrast_is_measured_before_and_after(two: Path) -> None:
    run = RunView(two)
    found = contrast.context(run, EN)
    assert found is not None
    assert run.previews is not None
    example = found.examples[0]
    counts = np.array(run.previews.entries[0].histogram_before)
    levels = (np.arange(256) + 0.5) / 256
    assert float({m[0]: m[1] for m in example.measures}["mean level"]) == pytest.approx(
        (counts * levels).sum() / counts.sum(), abs=1e-3
    )
    assert [len(e.figures) for e in found.examples] == [3, 2]  # a local method has no single curve


def test_the_heat_map_marks_the_chosen_cell_and_leaves_holes(copy_of_two: Path) -> None:
    grid = pl.read_parquet(copy_of_two / "grid.parquet").filter(
        ~((pl.col("contrast") == "none") & (pl.col("balance") == "weighted"))
    )
    grid.write_parquet(copy_of_two / "grid.parquet")
    found = compare.context(RunView(copy_of_two), EN)
    assert found is not None
    [group] = found.groups
    [heat] = group["maps"]
    assert heat["balances"] == ["none", "oversample", "undersample", "weighted"]
    cells = dict(heat["rows"])
    assert cells["none"][3] is None
    shades = [cell["shade"] for row in cells.values() for cell in row if cell]
    assert (min(shades), max(shades)) == (0.0, 1.0)
    assert found.chosen["contrast"] == "clahe(clip=2)"
    html = write(copy_of_two).read_text(encoding="utf-8")
    assert "cross-validation on the training and validation parts and judged within each held-out fold;" in html
    assert [row["auprc"] for row in group["ranked"]] == sorted(grid["auprc"], reverse=True)
    low, high = found.domain
    assert low == -high
    assert high > grid["difference_high"].max()  # type: ignore[operator]


def test_the_ratios_of_an_imbalance_bench_stand_apart_and_are_drawn(copy_of_two: Path) -> None:
    grid = pl.read_parquet(copy_of_two / "grid.parquet")
    rare = grid.with_columns(imbalance=pl.lit("1:50"), chosen=pl.lit(False), auprc=pl.col("auprc") / 2, seeds=3)
    pl.concat([grid, rare], how="vertical_relaxed").write_parquet(copy_of_two / "grid.parquet")
    found = compare.context(RunView(copy_of_two), EN)
    assert found is not None
    assert [group["imbalance"] for group in found.groups] == ["own", "1:50"]
    assert found.seeds == 3
    assert found.thinned
    assert [figure.title.split(" by ")[0] for figure in found.figures] == [
        "AUPRC", "Sensitivity at 95 % specificity", "ECE",
    ]  # fmt: skip
    for figure in found.figures:
        assert all(word in figure.svg.body for word in ("original", "1:50", "oversample"))


def test_a_metric_whose_low_is_good_is_shaded_and_ranked_from_below(copy_of_two: Path) -> None:
    grid = pl.read_parquet(copy_of_two / "grid.parquet").with_columns(metric=pl.lit("brier"))
    grid.write_parquet(copy_of_two / "grid.parquet")
    found = compare.context(RunView(copy_of_two), EN)
    assert found is not None
    ranked = found.groups[0]["ranked"]
    assert [row["brier"] for row in ranked] == sorted(grid["brier"])
    assert (ranked[0]["shade"], ranked[-1]["shade"]) == (1.0, 0.0)


def test_in_use_shows_points_decisions_patients_and_groups(two: Path, three: Path) -> None:
    found = practice.context(RunView(two), EN)
    assert found is not None
    assert [point.rule for point in found.points] == ["youden", "specificity(0.95)"]
    assert [each.title for each in found.figures] == [
        "Net benefit of acting on the model",
        "Gain over acting on everybody",
    ]
    assert found.refused == ("sensitivity(0.95)",)
    assert found.groups[0][0] == "site"
    assert [name for name, _ in found.groups[0][1]] == ["Alder", "Birch"]
    many = practice.context(RunView(three), EN)
    assert many is not None
    assert many.points == ()


def test_of_very_many_groups_the_largest_are_shown_in_their_order() -> None:
    groups = {
        f"site {i:02d}": PartScores(cases=100 - i if i % 2 else i, patients=1, counts={}, confusion=[], metrics={})
        for i in range(30)
    }
    shown, hidden = practice._largest(groups)
    assert hidden == 10
    assert [name for name, _ in shown] == sorted(name for name, _ in shown)
    assert min(group.cases for _, group in shown) >= max(
        group.cases for name, group in groups.items() if name not in dict(shown)
    )


def test_the_slider_starts_at_the_confusion_matrix_of_the_scores(two: Path) -> None:
    run = RunView(two)
    found = threshold.context(run, EN)
    assert found is not None
    assert run.test is not None
    [[tn, fp], [fn, tp]] = run.test.confusion
    assert found.first["counts"] == [tp, fn, fp, tn]
    assert found.first["thresholds"][found.first["row"]] == run.results.threshold


def test_many_classes_have_their_matrix_and_a_table_for_each(three: Path) -> None:
    run = RunView(three)
    found = threshold.context(run, EN)
    assert found is not None
    assert run.predictions is not None
    counts = [[n for n, _ in row] for _, row in found.matrix]
    np.testing.assert_array_equal(counts, confusion(run.predictions.part("test")))
    assert [table["name"] for table in found.slider["tables"]] == list(run.classes)
    assert found.figure is None
    per_class = metrics.context(run, EN)
    assert per_class is not None
    assert [row[1] for row in per_class.per_class] == [sum(row) for row in counts]


def test_at_a_prevalence_the_classes_ppv_has_the_mean_of_the_table(other_shares: Path) -> None:
    run = RunView(other_shares)
    assert run.test is not None
    found = metrics.context(run, EN)
    assert found is not None
    values = run.test.metrics
    for column, name in ((2, "sensitivity"), (3, "ppv")):
        assert np.mean([row[column] for row in found.per_class]) == pytest.approx(values[name].value)


def test_metrics_have_the_test_part_first_and_keep_unknown_ones(copy_of_two: Path) -> None:
    scores = json.loads((copy_of_two / "scores.json").read_text(encoding="utf-8"))
    scores["parts"]["test"]["metrics"]["net_benefit"] = {"value": 0.1, "low": 0.0, "high": 0.2, "baseline": 0.0}
    (copy_of_two / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
    found = metrics.context(RunView(copy_of_two), EN)
    assert found is not None
    assert [part for part, _ in found.parts] == ["test", "validation"]
    names = [name for name, _, _ in found.rows]
    assert names[0] == "auroc"
    assert names[-1] == "net_benefit"
    assert {row[0]: row[2] for row in found.rows}["mcc"] == (-1.0, 1.0)


def test_the_operating_point_is_that_of_the_scores(two: Path) -> None:
    run = RunView(two)
    assert run.test is not None
    values = run.test.metrics
    first, second = ranking._points(values)
    assert first is not None
    assert second is not None
    assert (first.x, first.y) == (1 - values["specificity"].value, values["sensitivity"].value)
    assert (second.x, second.y) == (values["sensitivity"].value, values["ppv"].value)


def test_at_a_prevalence_the_reliability_diagram_is_of_cases_in_these_shares(rare: Path) -> None:
    run = RunView(rare)
    assert run.predictions is not None
    found = calibration.context(run, EN)
    assert found is not None
    test = run.predictions.part("test")
    p, sick = test.probabilities[:, 1], test.targets == 1
    weights = np.where(sick, 0.02 / sick.mean(), 0.98 / (1 - sick.mean()))
    tenth = np.argsort(np.argsort(p)) * 10 // len(p)
    shares = [np.average(values[tenth == 9], weights=weights[tenth == 9]) for values in (p, sick)]
    assert f"{100 * shares[0]:.1f} % → {100 * shares[1]:.1f} %, {(tenth == 9).sum()}" in found.figures[0].svg.body


def test_at_a_prevalence_curve_ring_and_guess_are_of_the_same_shares(rare: Path) -> None:
    run = RunView(rare)
    assert run.test is not None
    assert run.predictions is not None
    _, ring = ranking._points(run.test.metrics)
    _, (recall, precision) = ranking._lines(run.predictions.part("test"), "sick", run.shares)
    assert ring is not None
    level = precision[np.isclose(recall, ring.x)]
    assert level.min() - 1e-9 <= ring.y <= level.max() + 1e-9
    found = ranking.context(run, EN)
    assert found is not None
    guess = f"{270 * (1 - 0.02):g}"
    assert f'<path d="M0,{guess}L330,{guess}"' in found.figures[1].svg.body


def test_at_shares_of_many_classes_each_has_its_own_guess(other_shares: Path) -> None:
    found = ranking.context(RunView(other_shares), EN)
    assert found is not None
    for share in (0.05, 0.6, 0.35):
        assert f'<path d="M0,{270 * (1 - share):g}L330,{270 * (1 - share):g}"' in found.figures[1].svg.body


def test_a_prevalence_of_a_class_that_the_test_part_has_not_draws_no_diagram(rare: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(rare, tmp_path / "run"))
    table = pl.read_parquet(folder / "predictions.parquet")
    table.filter((pl.col("part") != "test") | (pl.col("target") == 0)).write_parquet(folder / "predictions.parquet")
    found = calibration.context(RunView(folder), EN)
    assert found is not None
    assert found.figures == []
    assert ranking.context(RunView(folder), EN) is not None


def test_an_undefined_ppv_leaves_its_point_out() -> None:
    nan = float("nan")
    nothing, known = (Figure(value=v, low=v, high=h, baseline=nan) for v, h in ((nan, nan), (0.0, 0.1)))
    assert ranking._points({"sensitivity": known, "specificity": known, "ppv": nothing})[1] is None


def test_mistakes_come_before_hits(two: Path) -> None:
    found = mistakes.context(RunView(two), EN)
    assert found is not None
    assert [kind for kind, _ in found.groups] == ["mistake", "hit"]
    assert all(card.entry.label != card.entry.predicted for card in found.groups[0][1])
    assert all(card.picture.startswith("data:image/jpeg") for card in found.groups[0][1])


def test_the_command_leaves_out_what_was_not_said() -> None:
    recipe = Recipe(
        contrast=("none", "clahe(clip=2)"), value_range=(0, 4095), scale_jitter=(1.14, 2.29), flips=True, seeds=3,
        prevalence={"a": 0.9, "b": 0.1}, choose={"keep": "last", "members": 2}, allow=("leakage_patients",),
    )  # fmt: skip
    words = shlex.split(repeat.command(Asked("my scans/", recipe)))
    assert words[:3] == ["evenray", "run", "my scans/"]
    said = " ".join(words)
    for option in (
        "--contrast none --contrast clahe(clip=2)", "--value-range 0,4095", "--scale-jitter 1.14,2.29", "--flips --",
        "--seeds 3", "--prevalence a=0.9,b=0.1", "--choose keep=last --choose members=2", "--allow leakage_patients",
    ):  # fmt: skip
        assert option in said
    assert not {"--size", "--labels", "--tta", "--network"} & set(words)
    assert "--flips" not in repeat.command(Asked("my scans/", Recipe()))


def test_the_run_tells_when_the_test_part_was_opened(two: Path) -> None:
    found = repeat.context(RunView(two), EN)
    assert found is not None
    assert found.opened == ("2025-03-04T10:05:12+09:00",)
    assert len(found.hashes) == len(made_run.STAGES)


def test_the_part_of_the_split_wins(copy_of_two: Path) -> None:
    table = pl.read_parquet(copy_of_two / "cases.parquet").with_columns(part=pl.lit("validation"))
    table.write_parquet(copy_of_two / "cases.parquet")
    split = pl.read_parquet(copy_of_two / "split.parquet")
    found = RunView(copy_of_two).cases
    assert found is not None
    assert found["part"].to_list() == split["part"].to_list()


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "The results belong to other data."), ("ko", "지금의 데이터와 맞지 않습니다.")],
)
def test_results_of_another_split_are_left_out(copy_of_two: Path, language: str, said: str) -> None:
    split = pl.read_parquet(copy_of_two / "split.parquet")
    moved = split.with_columns(part=pl.when(pl.col("part") == "test").then(pl.lit("train")).otherwise("part"))
    moved.write_parquet(copy_of_two / "split.parquet")
    done_again(copy_of_two, "split")
    text = write(copy_of_two, language=language).read_text(encoding="utf-8")
    assert said in text
    for verb in ("compare", "train", "evaluate", "explain"):
        assert f"evenray {verb} RUN" in text
    run = RunView(copy_of_two)
    assert (run.results, run.predictions, run.grid, run.history, run.attributions) == (None, None, None, None, None)
    with pytest.raises(DataError, match="evenray evaluate"):
        write_card(copy_of_two, copy_of_two, {})


def test_a_network_that_was_trained_after_the_split_is_shown_before_its_evaluation(copy_of_two: Path) -> None:
    split = pl.read_parquet(copy_of_two / "split.parquet")
    split.with_columns(part=pl.lit("test")).write_parquet(copy_of_two / "split.parquet")
    for stage in ("split", "plan", "compare", "train"):
        done_again(copy_of_two, stage)
    run = RunView(copy_of_two)
    assert run.results is None
    assert run.history is not None
    assert run.grid is not None


def test_results_of_other_classes_are_left_out_whatever_the_ledger_says(copy_of_two: Path) -> None:
    change(copy_of_two / "dataset.json", classes=["a", "n"], positive="n")
    assert RunView(copy_of_two).results is None
    assert "evenray evaluate RUN" in write(copy_of_two).read_text(encoding="utf-8")


def test_the_page_says_where_intervals_at_a_prevalence_come_from(rare: Path, two: Path) -> None:
    said = "accuracy, PPV and NPV have the bounds that follow from those of sensitivity and specificity"
    assert said in write(rare).read_text()
    assert said not in write(two).read_text()


def test_a_network_that_does_not_beat_what_takes_seconds_is_told_at_the_top(two: Path, tmp_path: Path) -> None:
    shutil.copytree(two, tmp_path / "run")
    scores = ScoresRecord.read(tmp_path / "run")
    unknown = float("nan")
    for ahead, width, severity in (
        (-0.02, 0.05, "error"), (0.01, 0.05, "warning"), (0.1, 0.05, None), (0.1, unknown, "warning"), (-0.1, unknown, "error"),
    ):  # fmt: skip
        gap = Gap(value=ahead, low=ahead - width, high=ahead + width, p=0.5)
        figures = {metric: scores.parts["test"].metrics[metric] for metric in ("auroc", "auprc")}
        simple = BaselineScores(name="thumbnail", metrics=figures, network_ahead=dict.fromkeys(figures, gap))
        scores.model_copy(update={"baselines": (simple,)}).write(tmp_path / "run")
        told = [each for each in notices(RunView(tmp_path / "run"), EN) if "worth its trouble" in each.title]
        assert [each.severity for each in told] == ([severity] if severity else [])
        if told:
            assert "32-pixel thumbnails" in told[0].text
            assert ("no interval is known" in told[0].text, "nan" in told[0].text) == (width != width, False)
