"""The verbs of the line: what they take, what they print, and how they fail."""

from __future__ import annotations

import json
import re
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest

from evenray.cli.line import HELP
from evenray.core.errors import UsageError
from evenray.core.forms import numbers_by_class, parsed
from evenray.core.recipe import STAGES as SETTINGS
from evenray.core.recipe import Recipe
from evenray.core.settings import declared
from evenray.core.spec import parse
from evenray.stages.line import Job
from evenray.verbs._line import spelt_out

from .conftest import Cli, Ended, one_sentence

STAGES = list(SETTINGS)


@pytest.fixture
def copied(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "copied"))


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for label, count in (("sick", 2), ("well", 5)):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(count):
            cv2.imwrite(
                str(tmp_path / "data" / label / f"{number}.png"), rng.integers(0, 255, (28, 28), dtype=np.uint8)
            )
    return tmp_path / "data"


class TestSuccess:
    def test_json_is_one_object_on_standard_output(self, cli: Cli, copied: Path) -> None:
        ended = cli("run", copied, "--json")
        assert ended.code == 0
        found = json.loads(ended.out)
        assert found["run"] == str(copied)
        assert Path(found["report"]).is_file()
        for part in ("validation", "test"):
            assert {
                "auroc",
                "auprc",
                "sensitivity",
                "specificity",
                "ppv",
                "npv",
                "balanced_accuracy",
                "mcc",
                "brier",
            } <= set(found[part])
            assert all(set(figures) == {"value", "low", "high", "baseline"} for figures in found[part].values())

    @pytest.mark.parametrize("verb", STAGES)
    def test_every_verb_takes_a_run_folder(self, cli: Cli, copied: Path, verb: str) -> None:
        ended = cli(verb, copied)
        assert ended.code == 0
        assert ended.out == ""
        assert ended.err.count("unchanged") == STAGES.index(verb) + 1
        assert str(copied / "report.html" if verb == "report" else copied) in ended.err.replace("\n", "")

    def test_a_run_folder_keeps_its_recipe_but_for_what_is_given(self, cli: Cli, copied: Path) -> None:
        assert cli("evaluate", copied, "--threshold", "fixed(0.3)").code == 0
        recipe = json.loads((copied / "recipe.json").read_text())
        assert (recipe["threshold"], recipe["epochs"], recipe["contrast"]) == ("fixed(0.3)", 2, ["none", "equalize"])
        assert json.loads((copied / "scores.json").read_text())["threshold"] == 0.3

    def test_the_audit_tells_its_findings_as_json(self, cli: Cli, copied: Path) -> None:
        found = json.loads(cli("audit", copied, "--json").out)
        assert Path(found["report"]).name == "audit.html"
        assert "patients_unknown" in [finding["check"] for finding in found["findings"]]

    def test_it_goes_on_from_another_directory(
        self, cli: Cli, tiny_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tiny_archive.parent)
        assert cli("scan", tiny_archive.name, "-o", tmp_path / "run").code == 0
        assert json.loads((tmp_path / "run" / "recipe.json").read_text())["data"] == tiny_archive.name
        monkeypatch.chdir(tmp_path)
        ended = cli("split", "run")
        assert ended.code == 0
        assert "unchanged" in ended.err

    def test_the_run_folder_is_named_after_the_data(
        self, cli: Cli, folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folders)
        for target in (folders, "."):
            assert cli("scan", target, "--jobs", "1").code == 0
            assert (folders / "data-run" / "cases.parquet").is_file()

    def test_every_option_arrives(
        self, cli: Cli, tiny_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[tuple[Job, str]] = []

        def noted(job: Job, until: str) -> None:
            job.folder.path.mkdir()
            seen.append((job, until))

        monkeypatch.setattr("evenray.verbs._line.run_line", noted)
        words = [
            "--network", "vgg11", "--size", "28", "--epochs", "2", "--folds", "4", "--contrast", "none, clahe(clip=2, tiles=4)",
            "--contrast", "gamma(2)", "--class-weights", "0=0.25,1=0.75", "--value-range", "0,200", "--seed", "3", "--batch", "8",
            "--learning-rate", "0.01", "--flips", "--threshold", "sensitivity(0.9)", "--test", "0.3", "--validation", "0.1",
            "--positive", "0", "--patient", "x", "--effort", "quick", "--pretrained", "w.pth", "--labels", "t.csv",
            "--device", "cpu", "--jobs", "1", "--lang", "ko", "-o", tmp_path / "run",
        ]  # fmt: skip
        ended = cli("evaluate", tiny_archive, *words)
        assert ended.code == 0, ended.err
        [(job, until)] = seen
        assert (until, job.machine.device, job.machine.jobs, job.lang) == ("evaluate", "cpu", 1, "ko")
        assert job.folder.path == tmp_path / "run"
        assert job.recipe == Recipe(
            contrast=("none", "clahe(clip=2, tiles=4)", "gamma(2)"), network="vgg11", effort="quick", pretrained="w.pth", size=28,
            balance="weighted(class_weights={'0': 0.25, '1': 0.75})", epochs=2, batch=8, learning_rate=0.01, folds=4, flips=True,
            test=0.3, validation=0.1, threshold="sensitivity(0.9)", value_range=(0.0, 200.0), patient="x", labels="t.csv",
            positive="0", seed=3,
        )  # fmt: skip


class TestAudit:
    def test_it_ends_well_whatever_it_finds_unless_asked(self, cli: Cli, copied: Path) -> None:
        ended = cli("audit", copied)
        assert ended.code == 0
        assert "found: 0 errors, " in ended.err
        assert cli("audit", copied, "--fail-on", "error").code == 0
        ended = cli("audit", copied, "--fail-on", "warning")
        assert ended.code == 1
        assert "error The audit has findings that --fail-on warning does not accept: Patients are unknown;" in ended.err
        assert "Traceback" not in ended.err

    def test_it_proposes_a_plan_that_a_run_honours(self, cli: Cli, folders: Path, tmp_path: Path) -> None:
        for label in ("sick", "well"):
            shutil.copy(folders / "well" / "0.png", folders / label / "copy.png")
        plan = tmp_path / "plan.csv"
        ended = cli("audit", folders, "-o", tmp_path / "run", "--propose-exclusions", plan, "--jobs", "1")
        assert ended.code == 0
        assert f"{plan}: 3 to exclude, " in ended.err
        lines = plan.read_text().splitlines()
        assert lines[0] == "case,check,severity,reason,action"
        cases = pl.read_parquet(tmp_path / "run" / "cases.parquet")
        case = dict(cases.select("file", "case").iter_rows())
        asked = ["sick/copy.png", "well/0.png", "well/copy.png"]
        assert f"{case[asked[0]]},label_conflicts,error,Identical images with different labels,exclude" in lines
        assert not any("copy" in line for line in lines)
        one_sentence(
            cli("audit", folders, "-o", tmp_path / "run", "--propose-exclusions", plan), "may hold what you edited", 2
        )
        ended = cli("audit", tmp_path / "run", "--exclude", plan, "--fail-on", "error", "--json", "--jobs", "1")
        assert ended.code == 0
        found = {finding["check"]: finding["cases"] for finding in json.loads(ended.out)["findings"]}
        assert found["excluded"] == sorted(case[file] for file in asked)
        assert "label_conflicts" not in found

    def test_only_the_audit_takes_its_options(self, cli: Cli, copied: Path) -> None:
        assert cli("run", copied, "--propose-exclusions", "plan.csv").code == 2
        one_sentence(cli("audit", copied, "--fail-on", "info"), "--fail-on is 'info'; give error or warning.", 2)


class TestFailure:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--contrast", "claeh"], "There is no contrast named 'claeh'; did you mean clahe?"),
            (["--balance", "smote"], "There is no balance named 'smote'"),
            (["--network", "resnet"], "There is no network named 'resnet'"),
            (["--threshold", "best"], "There is no threshold rule named 'best'"),
            (["--device", "gpu"], "There is no device 'gpu'"),
            (["--pretrained", "no.pth", "--network", "vgg11"], "There is no weight file no.pth"),
            (["--positive", "ill"], "There is no class named 'ill'; the classes are: 0, 1."),
            (["--effort", "huge"], "effort is 'huge'"),
            (["--lang", "fr"], "lang is 'fr'; give en or ko."),
            (["--value-range", "4095"], "--value-range is '4095'; give LOW,HIGH with LOW below HIGH, such as 0,4095."),
            (["--value-range", "9,1"], "value_range is (9.0, 1.0)"),
            (["--size", "5"], "size is 5"),
            (["--seed", "-1"], "seed is -1"),
            (["--patient", "(x"], "The patient pattern '(x' is no regular expression"),
            (["--class-weights", "a"], "--class-weights is 'a'; give CLASS=NUMBER,CLASS=NUMBER"),
            (["--class-weights", "a=1,b=2"], "The weights are for a, b, but the classes are 0, 1"),
            (["--class-weights", "0=1,1=2", "--balance", "none"], "--class-weights and --balance both name the remedy"),
        ],
    )
    def test_wrong_usage_is_one_sentence_and_leaves_no_folder(
        self, cli: Cli, tiny_archive: Path, tmp_path: Path, words: list[str], said: str
    ) -> None:
        ended = cli("run", tiny_archive, "-o", tmp_path / "run", "--jobs", "1", *words)
        if words[:2] == ["--class-weights", "a=1,b=2"]:  # told once the classes are known: the scan stands
            ended = Ended(ended.code, ended.out, "error" + ended.err.partition("error")[2])
        else:
            assert not (tmp_path / "run").exists()
        one_sentence(ended, said, 2)

    @pytest.mark.parametrize("words", [["--epochs", "many"], ["--no-such-option"], ["--jobs"]])
    def test_what_cannot_be_parsed_is_wrong_usage(self, cli: Cli, tiny_archive: Path, words: list[str]) -> None:
        ended = cli("run", tiny_archive, *words)
        assert ended.code == 2
        assert "Traceback" not in ended.err

    def test_data_that_are_not_there(self, cli: Cli, tmp_path: Path) -> None:
        one_sentence(cli("run", tmp_path / "nowhere", "-o", tmp_path / "run"), "There is no '", 1)

    def test_an_empty_folder(self, cli: Cli, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        one_sentence(cli("run", tmp_path / "empty", "-o", tmp_path / "run"), "holds no image", 1)
        assert not (tmp_path / "run").exists()

    def test_a_single_class(self, cli: Cli, folders: Path, tmp_path: Path) -> None:
        shutil.rmtree(folders / "sick")
        one_sentence(
            cli("run", folders, "-o", tmp_path / "run"), "have the label 'well'; a classifier needs two classes", 1
        )
        assert not (tmp_path / "run").exists()
        ended = cli("audit", folders, "-o", tmp_path / "run", "--lang", "ko", "--jobs", "1")
        assert ended.code == 0
        assert "모든 영상의 라벨이 같아 일부 검사를 하지 않음: classes, parts," in " ".join(ended.err.split())
        assert "모든 영상의 라벨이 같아" in (tmp_path / "run/audit.html").read_text()
        one_sentence(cli("train", tmp_path / "run"), "a classifier needs two classes", 1)

    def test_images_without_labels(self, cli: Cli, folders: Path, tmp_path: Path) -> None:
        loose = tmp_path / "loose"
        loose.mkdir()
        for file in folders.rglob("*.png"):
            shutil.copy(file, loose / f"{file.parent.name}-{file.name}")
        for verb in ("run", "compare", "split"):
            one_sentence(
                cli(verb, loose, "-o", tmp_path / "run"), "have no labels: put them into one folder a class", 1
            )
            assert not (tmp_path / "run").exists()
        ended = cli(
            "audit", loose, "-o", tmp_path / "run", "--jobs", "1", "--propose-exclusions", tmp_path / "plan.csv"
        )
        assert ended.code == 0
        assert "The images have no labels, so some checks were not run" in " ".join(ended.err.split())
        page = (tmp_path / "run/audit.html").read_text()
        assert "some checks were not run" in page
        assert "unlabelled" in page
        assert ">None<" not in page

    def test_a_label_table_that_matches_nothing(self, cli: Cli, folders: Path, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("path,label\nz1.png,x\nz2.png,y\n")
        ended = cli("run", folders, "--labels", tmp_path / "t.csv", "-o", tmp_path / "run", "--jobs", "1")
        one_sentence(ended, "matches none of the 7 images", 1)
        assert not (tmp_path / "run").exists()

    def test_a_class_with_too_few_patients(self, cli: Cli, folders: Path, tmp_path: Path) -> None:
        ended = cli("run", folders, "-o", tmp_path / "run", "--jobs", "1")
        assert ended.code == 1
        assert (
            "error Class 'sick' has 2 separate images; dividing it into test, validation, train needs at least 3"
            in ended.err
        )
        assert ended.out == ""

    def test_an_output_folder_that_is_no_run(self, cli: Cli, tiny_archive: Path, tmp_path: Path) -> None:
        (tmp_path / "photos").mkdir()
        (tmp_path / "photos" / "a.txt").write_text("mine")
        one_sentence(
            cli("run", tiny_archive, "-o", tmp_path / "photos"), "exists and is no run folder; name a new folder", 2
        )
        assert [path.name for path in (tmp_path / "photos").iterdir()] == ["a.txt"]
        one_sentence(cli("run", tiny_archive, "-o", tmp_path / "photos" / "a.txt"), "exists and is no run folder", 2)
        one_sentence(cli("scan", tiny_archive, "-o", tmp_path / "photos" / "a.txt" / "run"), "not a directory", 1)

    def test_an_output_folder_that_is_empty_is_taken(self, cli: Cli, tiny_archive: Path, tmp_path: Path) -> None:
        (tmp_path / "new").mkdir()
        assert cli("scan", tiny_archive, "-o", tmp_path / "new", "--jobs", "1").code == 0

    def test_one_unreadable_file_is_set_aside(self, cli: Cli, folders: Path, tmp_path: Path) -> None:
        (folders / "sick" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        ended = cli("scan", folders, "-o", tmp_path / "run", "--jobs", "1")
        assert ended.code == 0
        assert "7 images: sick 2, well 5; 1 file set aside" in ended.err
        assert (tmp_path / "run" / "rejected.csv").read_text().splitlines()[1].startswith("sick/broken.png,")

    def test_the_positive_class_and_what_is_left_out_are_named(self, cli: Cli, folders: Path, tmp_path: Path) -> None:
        (folders / "sick" / "gone.png").symlink_to("nowhere.png")
        (folders / "remarks.csv").write_text("file;finding\n0.png;old rib\n", encoding="utf-8")
        ended = cli("scan", folders, "-o", tmp_path / "run", "--jobs", "1")
        said = " ".join(ended.err.split())
        assert "7 images: sick 2, well 5; 1 file set aside" in said
        assert "note remarks.csv in the folder is not used: it names 0 of the 7 images, and the folders are the" in said
        assert "positive class: sick (the only class whose name does not mean healthy)" in said
        table = tmp_path / "labels.csv"
        table.write_text(
            "file,label\nsick/0.png,ill\nsick/1.png,NA\nwell/0.png,normal\nz.png,normal\n", encoding="utf-8"
        )
        ended = cli("audit", folders, "--labels", table, "-o", tmp_path / "labelled", "--jobs", "1")
        said = " ".join(ended.err.split())
        for line in (
            "2 images: ill 1, normal 1; 2 files set aside",
            "note 1 of the 4 rows of labels.csv have no label ('NA' taken as missing)",
            "note 1 path of labels.csv matches no file",
            "note 5 images have no label and are left out",
            "positive class: ill (the only class whose name does not mean healthy)",
            "warning Images without a label are left out",
        ):
            assert line in said
        rejected = (tmp_path / "labelled" / "rejected.csv").read_text().splitlines()
        assert rejected[1:] == ["sick/gone.png,is a link to a file that does not exist", "z.png,does not exist"]

    def test_one_row_that_names_no_image_is_said_to_match_none(self, cli: Cli, folders: Path, tmp_path: Path) -> None:
        table = tmp_path / "labels.csv"
        table.write_text("file,label\nimage.png,0\n", encoding="utf-8")
        ended = cli("plan", folders, "--labels", table, "-o", tmp_path / "run")
        one_sentence(ended, "matches none of the 7 images", 1)
        table.write_text("file,label\nsick/0.png,0\n", encoding="utf-8")
        ended = cli("plan", folders, "--labels", table, "-o", tmp_path / "run")
        one_sentence(ended, "gives every image that it names here the label '0'", 1)

    def test_an_archive_without_labels_is_called_by_its_name(self, cli: Cli, tmp_path: Path) -> None:
        np.savez(tmp_path / "bare.npz", train_images=np.zeros((3, 8, 8), np.uint8))
        one_sentence(cli("plan", tmp_path / "bare.npz", "-o", tmp_path / "run"), "bare.npz' have no labels", 1)

    def test_a_table_that_cannot_be_used_is_named_where_labels_are_missing(
        self, cli: Cli, folders: Path, tmp_path: Path
    ) -> None:
        (folders / "sick" / "labels.csv").write_bytes("file,label\n0.png,정상\n1.png,폐렴\n".encode("cp949"))
        ended = cli("plan", folders / "sick", "-o", tmp_path / "run")
        assert ended.code == 1
        said = " ".join(ended.err.split())
        assert "have no labels" in said
        assert "Note: labels.csv in the folder is not used" in said
        assert "is not UTF-8)" in said

    def test_ctrl_c_says_how_to_go_on(self, cli: Cli, copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def stopped(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("evenray.stages.report.report_page", stopped)
        ended = cli("report", copied, "--lang", "ko")
        assert ended.code == 130
        assert "Stopped. Run the same command again: it goes on where it stopped." in ended.err
        assert "Traceback" not in ended.err

    def test_an_error_that_is_ours_shows_itself(self, cli: Cli, copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("evenray.stages.report.report_page", broken)
        with pytest.raises(ZeroDivisionError):
            cli("report", copied, "--lang", "ko")


class TestSpelling:
    @pytest.mark.parametrize(
        ("text", "specs"),
        [
            ("none", "none"),
            ("none,clahe", ("none", "clahe")),
            ("a(1, b=(2, 3)), c", ("a(1, b=(2, 3))", "c")),
            (" , ", ()),
        ],
    )
    def test_specs_are_divided_at_commas_outside_of_brackets(self, text: str, specs: str | tuple[str, ...]) -> None:
        assert parsed(declared(Recipe)["contrast"], [text]) == specs

    @pytest.mark.parametrize(
        ("text", "spec"),
        [("sick=0.75,healthy=0.25", "weighted(sick=0.75, healthy=0.25)"),
         ("no finding=1, sick=3", "weighted(class_weights={'no finding': 1, 'sick': 3})"),
         ("normal, benign=1,malignant=2", "weighted(class_weights={'normal, benign': 1, 'malignant': 2})"),
         ("alpha=1,정상=2", "weighted(class_weights={'alpha': 1, '정상': 2})")],
    )  # fmt: skip
    def test_weights_name_any_class(self, text: str, spec: str) -> None:
        assert spelt_out({"class_weights": numbers_by_class("class_weights", text)})["balance"] == spec
        parse(spec)

    @pytest.mark.parametrize("text", ["", "sick", "sick=", "=1", "sick=1,well", "sick=1,,well=2", "sick==1"])
    def test_weights_that_cannot_be_read(self, text: str) -> None:
        with pytest.raises(UsageError, match="--class-weights is"):
            numbers_by_class("class_weights", text)

    @pytest.mark.parametrize("option", ["class-weights", "cost", "prevalence"])
    @pytest.mark.parametrize("name", ["sick", "no finding"])
    def test_a_class_has_one_number(self, option: str, name: str) -> None:
        said = f"--{option} names the class '{name}' twice, with 0.5 and with 1; give each class one number"
        with pytest.raises(UsageError, match=said):
            numbers_by_class(option.replace("-", "_"), f"{name}=0.5,well=2, {name}=1")


def test_the_version_is_that_of_the_package(cli: Cli) -> None:
    ended = cli("--version")
    assert (ended.code, ended.out) == (0, f"evenray {version('evenray')}\n")


def test_help_names_every_verb_with_examples(cli: Cli) -> None:
    ended = cli("--help")
    assert ended.code == 0
    assert all(verb in ended.out for verb in HELP)
    assert "evenray run chest_xray/ --patient" in ended.out
    assert all(re.split("[.,;]", help)[0] in ended.out for help in HELP.values())


@pytest.mark.parametrize("verb", ["run", *STAGES])
def test_options_are_those_of_the_stages_up_to_the_verb(cli: Cli, verb: str) -> None:
    shown = cli(verb, "--help").out
    for option, since in (("--patient", "scan"), ("--test", "split"), ("--contrast", "plan"), ("--threshold", "evaluate"),
                          ("--lang", "scan")):  # fmt: skip
        assert (option in shown) == (verb == "run" or STAGES.index(verb) >= STAGES.index(since)), (verb, option)
