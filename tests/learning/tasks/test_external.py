"""A finished run on another set, for every kind of label of whole images; masks and boxes are tested beside their own runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

import evenray as er
from evenray.core.artefacts import file_digest
from evenray.core.artefacts.cases import DatasetRecord
from evenray.core.run import Run
from evenray.evidence.compare.runs import compare_runs
from evenray.metrics import measured_by_task

from .conftest import KINDS, draw, labelled

KEPT = ("predictions.parquet", "scores.json", "model.safetensors", "split.parquet", "cases.parquet")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], er.Dataset]:
    """Other patients' images of a kind, darker by a gamma of 2."""
    made: dict[str, er.Dataset] = {}

    def get(kind: str) -> er.Dataset:
        if kind not in made:
            folder = tmp_path_factory.mktemp("elsewhere") / "harbour"
            folder.mkdir()
            plain = labelled(folder, kind, 160, seed=9)
            for path in folder.glob("*.png"):
                pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
                cv2.imwrite(str(path), (255 * (pixels / 255) ** 2).round().astype(np.uint8))
            dark = er.scan(folder, patient=r"(p\d+)_")
            told = [name for name in ("label", "findings") if name in plain.cases.columns]
            same = dark.cases.sort("file").with_columns(plain.cases.select(told))
            made[kind] = er.Dataset(
                same, plain.classes, plain.positive, dark.root, facts=plain.facts, sketches=dark.sketches
            )
        return made[kind]

    return get


@pytest.fixture(scope="module")
def tested(
    whole_run: Callable[[str], Path], elsewhere: Callable[[str], er.Dataset], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Run]:
    made: dict[str, Run] = {}

    def get(kind: str) -> Run:
        if kind not in made:
            folder = Path(shutil.copytree(whole_run(kind), tmp_path_factory.mktemp("tested") / kind))
            before = {name: file_digest(folder / name) for name in KEPT}
            opened = Run(folder).ledger.test_opened
            made[kind] = er.evaluate(folder, on=elsewhere(kind), recalibrate=kind == "classify")
            assert {name: file_digest(folder / name) for name in KEPT} == before
            assert made[kind].ledger.test_opened == opened
        return made[kind]

    return get


@pytest.mark.parametrize("kind", KINDS)
def test_figures_are_those_of_the_same_measures_at_the_threshold_as_it_was(
    kind: str, tested: Callable[[str], Run], elsewhere: Callable[[str], er.Dataset]
) -> None:
    run = tested(kind)
    record, place = run.external["harbour"], Run(run.path / "external" / "harbour")
    assert place.predictions is not None
    assert place.results is not None
    assert run.results is not None
    assert place.predictions.table.height == record.cases == len(elsewhere(kind))
    assert record.patients == 80
    thresholds = er.Run(run.path).results.threshold  # type: ignore[union-attr]
    assert place.results.threshold == thresholds
    assert {name: one.threshold for name, one in place.results.findings.items()} == {
        name: one.threshold for name, one in run.results.findings.items()
    }
    cuts = [one.threshold for one in run.results.findings.values()] or thresholds
    found = measured_by_task(place.predictions, cuts, resamples=0)
    for name in ("auroc", "sensitivity", "brier"):
        change = record.changes[name]
        assert change.external.value == pytest.approx(found[name].value)
        assert change.internal == run.results.parts["test"].metrics[name]
        assert change.value == pytest.approx(change.external.value - change.internal.value)
    assert sum(part.value for part in record.parts.values()) == pytest.approx(record.total.value)  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", KINDS)
def test_the_light_is_seen_first_and_stands_on_both_pages(kind: str, tested: Callable[[str], Run]) -> None:
    run = tested(kind)
    record = run.external["harbour"]
    assert next(one for one in record.drift if one.name == "light").clear
    page = (run.path / "external" / "harbour" / "external.html").read_text(encoding="utf-8")
    titles = ("How the images differ from the training images", "Class shares", "Beside the internal test")
    order = [page.index(f">{title}</h3>") for title in titles]
    assert order == sorted(order)
    assert 'class="pending"' not in page
    report = (run.path / "report.html").read_text(encoding="utf-8")
    assert '<section id="external"' in report
    assert "harbour" not in report  # no page names a folder


def test_answers_are_those_of_predict(tested: Callable[[str], Run], elsewhere: Callable[[str], er.Dataset]) -> None:
    run, data = tested("classify"), elsewhere("classify")
    place = Run(run.path / "external" / "harbour").predictions
    assert place is not None
    p = er.predict(run.path, [Path(data.root) / file for file in data.cases["file"][:20]]).table["p_mild"].to_numpy()
    assert p == pytest.approx(place.probabilities[:20, 1], abs=1e-5)


def test_recalibration_is_told_of_other_patients_than_it_was_fitted_on(tested: Callable[[str], Run]) -> None:
    run = tested("classify")
    found = run.external["harbour"].recalibrated
    assert found is not None
    assert (found.fitted_patients + found.patients, found.fitted_cases + found.cases) == (80, 160)
    gain = found.figures["log_loss"]
    assert gain.value == pytest.approx(gain.after.value - gain.before.value)
    assert gain.low <= gain.value <= gain.high
    assert abs(found.figures["calibration_in_the_large"].after.value) < abs(
        found.figures["calibration_in_the_large"].before.value
    )
    assert (
        run.external["harbour"].changes["log_loss"].external != gain.after
    )  # the figures are of the network as it was
    assert tested("ordered").external["harbour"].recalibrated is None


def test_a_set_that_tells_one_finding_is_compared_on_it_alone(
    tested: Callable[[str], Run], elsewhere: Callable[[str], er.Dataset], tmp_path: Path
) -> None:
    folder, data = Path(shutil.copytree(tested("tag").path, tmp_path / "run")), elsewhere("tag")
    told = [[None, has, None] for _, has, _ in data.cases["findings"].to_list()]
    few = data.with_cases(data.cases.with_columns(findings=pl.Series(told, dtype=pl.List(pl.Boolean))))
    heard: list[str] = []
    run = er.evaluate(folder, on=few, output="spots", listener=lambda event: heard.append(str(event)))
    record, place = run.external["spots"], Run(folder / "external" / "spots")
    assert (record.over, record.missing) == (("spot",), ("bar", "square"))
    assert run.results is not None
    assert place.results is not None
    spot = run.results.findings["spot"].parts["test"].metrics
    for name in ("auroc", "specificity", "log_loss"):
        assert record.changes[name].internal.value == pytest.approx(spot[name].value)
        assert record.changes[name].external.value == pytest.approx(place.results.parts["test"].metrics[name].value)
    assert record.light is None or record.light.before == record.changes["auroc"].external
    page = (folder / "external" / "spots" / "external.html").read_text(encoding="utf-8")
    assert "Both sets are measured on spot alone" in page
    assert any("external.told.over" in event for event in heard)


def _of_one_patient(data: er.Dataset) -> er.Dataset:
    """Whoever has the positive class is one patient."""
    own = pl.when(pl.col("label") == data.positive).then(pl.lit("one")).otherwise("patient")
    return data.with_cases(data.cases.with_columns(patient=own))


def _without_answers(data: er.Dataset) -> er.Dataset:
    """What was told is never there."""
    told = [[None if one is None else False for one in row] for row in data.cases["findings"].to_list()]
    return data.with_cases(data.cases.with_columns(findings=pl.Series(told, dtype=pl.List(pl.Boolean))))


@pytest.mark.parametrize(
    ("kind", "changed", "settings", "said"),
    [
        ("classify", _of_one_patient, {"recalibrate": True}, "would have 0 cases of 'mild', and each needs 20"),
        ("tag", _without_answers, {}, "None of the findings bar, spot, square is known to be present in some of the 160 images"),
    ],
)  # fmt: skip
def test_a_set_of_which_nothing_can_be_told_is_refused_before_it_is_predicted_and_replaces_nothing(
    kind: str, changed: Callable[[er.Dataset], er.Dataset], settings: dict[str, bool], said: str,
    tested: Callable[[str], Run], elsewhere: Callable[[str], er.Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder = Path(shutil.copytree(tested(kind).path, tmp_path / "again"))
    before = {path: file_digest(path) for path in folder.glob("external/harbour/**/*") if path.is_file()}
    monkeypatch.setattr("evenray.stages.external.forward", lambda *_, **__: pytest.fail("it was predicted"))
    with pytest.raises(er.DataError, match=re.escape(said)):
        er.evaluate(folder, on=changed(elsewhere(kind)), **settings)  # type: ignore[arg-type]
    with pytest.raises(er.DataError, match="say where"):  # of a folder that is scanned
        er.evaluate(folder, on=elsewhere(kind).root)
    assert {path: file_digest(path) for path in folder.glob("external/harbour/**/*") if path.is_file()} == before
    assert list(Run(folder).external) == ["harbour"]
    assert not list(folder.glob("tmp*"))


def test_two_runs_are_compared_on_the_same_external_set(tested: Callable[[str], Run], tmp_path: Path) -> None:
    run = tested("classify")
    other = Path(shutil.copytree(run.path, tmp_path / "other"))
    found = compare_runs([run.path, other], "auroc", on="harbour")
    assert found.on == "harbour"
    assert found.table["difference"].to_list() == [0.0, 0.0]
    assert found.table["value"][0] == pytest.approx(run.external["harbour"].changes["auroc"].external.value)
    with pytest.raises(er.DataError, match=r"no external test 'island'.*it has harbour"):
        compare_runs([run.path, other], on="island")


def test_a_test_of_a_former_network_is_none(tested: Callable[[str], Run], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tested("classify").path, tmp_path / "later"))
    scores = folder / "scores.json"
    scores.write_text(scores.read_text().replace('"threshold_rule": "youden"', '"threshold_rule": "accuracy"', 1))
    assert dict(Run(folder).external) == {}


def test_what_is_shared_names_no_folder(tested: Callable[[str], Run], tmp_path: Path) -> None:
    run = tested("classify")
    shared = er.share(run.path, tmp_path / "out")
    assert "external/1/external.html" in shared.files
    assert not any(b"harbour" in path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert list(Run(tmp_path / "out").external) == ["1"]
    named = Path(shutil.copytree(run.path, tmp_path / "named"))
    place = named / "external" / "harbour"
    about = DatasetRecord.read(place)
    about.model_copy(update={"facts": about.facts.model_copy(update={"names_files": True})}).write(place)
    assert not any(name.startswith("external") for name in er.share(named, tmp_path / "again").files)


def test_copies_and_patients_of_the_run_are_found_and_named(
    tmp_path: Path, tiny_recipe_of_session: dict[str, object]
) -> None:
    """Images are compared by pixels, and patients by the key of the run, drawn again from its images."""
    here, there = tmp_path / "here", tmp_path / "there"
    _classes(here, seed=0, first=0)
    _classes(there, seed=5, first=50)  # ten of its sixty patients have numbers of the run's
    recipe = er.Recipe(
        **{
            **tiny_recipe_of_session,
            "balance": "none",
            "patient": r"(p\d+)_",
            "positive": "b",
            "epochs": 1,
            "choose": {"members": 1},
        }
    )
    run = er.run(here, recipe, tmp_path / "run", until="evaluate")
    for number, path in enumerate(sorted((here / "a").iterdir())[:20]):  # under other names, and other patients
        shutil.copy(path, there / "a" / f"q{number:03d}_9.png")
    refused = r"20 of the 140 images of .*are images of the run .*--allow leakage_duplicates,leakage_patients"
    with pytest.raises(er.DataError, match=refused) as error:
        er.evaluate(run.path, on=there, patient=r"([pq]\d+)_")
    file = Path(re.search(r"--exclude (\S+\.csv)", str(error.value))[1])  # type: ignore[index]
    rows = er.scan(there).cases.select("case", "file").join(pl.read_csv(file), on="case")
    own = (
        rows.with_columns(name=pl.col("file").str.extract(r"/(\w)"))
        .group_by("reason")
        .agg(pl.col("name").unique(), pl.len())
    )
    told = {reason: (names, count) for reason, names, count in own.iter_rows()}
    assert told["leakage_duplicates"] == (["q"], 20)
    assert told["leakage_patients"][0] == ["p"]
    parts = dict(run.dataset.cases.group_by("part").agg(pl.col("file").str.extract(r"(p\d+)").unique()).iter_rows())  # type: ignore[union-attr]
    learnt = {*parts["train"], *parts["validation"]}
    assert told["leakage_patients"][1] == 2 * sum(f"p{number:03d}" in learnt for number in range(50, 60))
    clean = er.evaluate(run.path, on=there, patient=r"([pq]\d+)_", exclude=str(file), output="clean").external["clean"]
    assert (clean.cases, clean.copies.pixels, clean.copies.compared) == (140 - rows.height, (), True)
    allow = ("leakage_duplicates", "leakage_patients")
    done = er.evaluate(run.path, on=there, patient=r"([pq]\d+)_", allow=allow)
    copies = done.external["there"].copies
    assert (len(copies.pixels) + len(copies.tested), copies.allowed, copies.left_out) == (20, allow, 0)
    assert "The set holds images of the run." in (done.path / "external/there/external.html").read_text(
        encoding="utf-8"
    )


def _classes(folder: Path, seed: int, first: int) -> None:
    """Folders of two classes, of 60 patients of two images each, numbered from `first`."""
    (folder / "a").mkdir(parents=True)
    (folder / "b").mkdir()
    has = draw(folder, 120, seed)[:, 0]
    for path, there in zip(sorted(folder.glob("*.png")), has, strict=True):
        number = int(path.stem[1:4]) + first
        path.rename(folder / ("b" if there else "a") / f"p{number:03d}_{path.stem[-1]}.png")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"threshold": "youden"}, "threshold is a setting of the run"),
        ({"allow": ("labels",)}, "allow is 'labels'; give leakage_duplicates or leakage_patients"),
        ({"output": "../up"}, "'../up' cannot be the name"),
    ],
)
def test_what_it_refuses(
    settings: dict[str, object], said: str, whole_run: Callable[[str], Path], elsewhere: Callable[[str], er.Dataset]
) -> None:
    with pytest.raises(er.UsageError, match=re.escape(said)):
        er.evaluate(whole_run("classify"), on=elsewhere("classify"), **settings)  # type: ignore[arg-type]


def test_it_needs_a_run_and_another_set(
    whole_run: Callable[[str], Path], elsewhere: Callable[[str], er.Dataset], tmp_path: Path
) -> None:
    run = whole_run("classify")
    with pytest.raises(er.UsageError, match="is no run folder"):
        er.evaluate(tmp_path, on=elsewhere("classify"))
    with pytest.raises(er.UsageError, match="is a run folder; give the images"):
        er.evaluate(run, on=run)
    with pytest.raises(er.UsageError, match="give it with --on"):
        er.evaluate(run, recalibrate=True)
    with pytest.raises(er.DataError, match=r"of the task classify, and .* was read as tag"):
        er.evaluate(run, on=elsewhere("tag"))
