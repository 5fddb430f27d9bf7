"""The page Runs: forms, jobs, progress, comparisons, deletion; and its story in a browser."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from evenray.app.jobs import EVENTS, start, state_of, stop
from evenray.app.progress import Follower
from evenray.app.recipes import fields_of, recipe_of, typed
from evenray.app.shelf import Beginning, begin, data_of, delete, deleted, restore
from evenray.app.workbench import workbench
from evenray.app.workplace import Workplace
from evenray.core.artefacts.asked import Asked
from evenray.core.artefacts.lock import worker
from evenray.core.errors import UsageError
from evenray.core.recipe import Recipe
from evenray.core.settings import declared
from evenray.core.texts import Texts
from evenray.serve.problems import Problem
from evenray.serve.running import in_background
from evenray.verbs.compare_runs import compare_runs

SPENT = Recipe(
    contrast=("none", "clahe(clip=2)"), balance="weighted", test=0.3, flips=True, size=64, epochs=3, scale_jitter=(1.0, 1.5),
    choose={"keep": "last"}, prevalence={"a": 0.9, "b": 0.1}, column=("label=dx",), allow=("leakage_patients",),
)  # fmt: skip


def waited(test: Callable[[], bool], seconds: float = 120) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if test():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def runs(place: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    shutil.copytree(place / "finished", folder / "one")
    return folder


@pytest.mark.parametrize("recipe", [Recipe(), SPENT])
def test_a_recipe_comes_back_from_its_form(recipe: Recipe) -> None:
    filled = {field.name: field.value for field in fields_of(Texts("en"), recipe)}
    assert recipe_of(filled, recipe) == recipe


def test_every_setting_has_a_field_with_its_name_and_help_in_korean() -> None:
    own = [
        field
        for field in fields_of(Texts("ko"))
        if not any("가" <= letter <= "힣" for letter in field.label + field.help)
    ]
    assert [field.name for field in own] == []
    korean = {
        field.name for field in fields_of(Texts("ko")) if not any("가" <= letter <= "힣" for letter in field.help)
    }
    assert korean == set()
    assert {field.name for field in fields_of(Texts("en"))} == set(declared(Recipe)) - {"exclude", "column"}


def test_a_mistake_names_the_setting() -> None:
    with pytest.raises(UsageError, match=r"size is '?7'?; give a whole number from 28 up"):
        recipe_of({"size": "7"})
    assert typed(declared(Recipe)["scale_jitter"], (1.0, 1.5)) == "1,1.5"


@pytest.mark.parametrize(
    "settings",
    [
        {"labels": "../secret.csv"},
        {"masks": "/etc"},
        {"pretrained": "../w.safetensors"},
        {"contrast": "match('../x.json')"},
    ],
)
def test_a_form_names_no_file_beyond_the_data(runs: Path, settings: dict[str, str]) -> None:
    (runs.parent / "secret.csv").write_text("a,b\n")
    asked = Beginning(like="one", name="new", settings=settings)
    with pytest.raises(UsageError):
        begin(Workplace.of(runs), asked)
    assert not (runs / "new").exists()


@pytest.mark.parametrize("name", ["", " ", "..", ".x", "a/b", "a\\b", "a\nb", "x" * 200])
def test_a_run_cannot_be_called_what_leads_elsewhere(runs: Path, name: str) -> None:
    with pytest.raises(UsageError):
        begin(Workplace.of(runs), Beginning(like="one", name=name, settings={}))


def test_what_is_deleted_can_be_put_back(runs: Path) -> None:
    place = Workplace.of(runs)
    before = sorted(path.name for path in (runs / "one").iterdir())
    name = delete(place, "one")
    assert place.names == []
    assert deleted(place) == [name]
    shutil.copytree(runs / ".deleted" / name, runs / "one")  # another run has taken the name
    assert restore(place, name) == "one-2"
    assert sorted(path.name for path in (runs / "one-2").iterdir()) == before
    with pytest.raises(Problem):
        restore(place, "../one")


def test_data_are_offered_once(runs: Path) -> None:
    shutil.copytree(runs / "one", runs / "two")
    assert [given.images for given in data_of(Workplace.of(runs))] == [114]


def test_progress_is_folded_from_what_was_written(runs: Path) -> None:
    follower, path = Follower(runs / "one", Texts("en")), runs / "one" / EVENTS
    assert [row["epoch"] for row in follower.look().epochs] == [
        1,
        2,
    ] * 2  # of history.csv: two members, and no events

    def write(*events: dict[str, Any]) -> None:
        with path.open("a") as file:
            file.write("".join(json.dumps(event) + "\n" for event in events))

    epochs = [{"event": "epoch_done", "member": 1, "figures": {"epoch": k, "train_loss": 1.0 / k}} for k in (1, 2, 3)]
    write({"event": "stage_done", "stage": "scan", "seconds": 1.5}, {"event": "stage_begun", "stage": "train"}, *epochs)
    with path.open("a") as file:
        file.write('{"event": "stage_do')  # half written
    seen = follower.look()
    assert {stage.name: stage.at for stage in seen.stages}["scan"] == "done"
    assert [row["epoch"] for row in seen.epochs] == [1, 2, 3]
    with path.open("a") as file:
        file.write('ne", "stage": "train", "seconds": 2}\nnot json\n[1]\n')
    write(
        {
            "event": "message",
            "level": "warning",
            "code": "evaluate.test",
            "values": {"metric": "auroc", "figure": "0.9"},
        }
    )
    seen = follower.look()
    assert {stage.name: stage.at for stage in seen.stages}["train"] == "done"
    assert seen.told[0].text == "test AUROC 0.9"
    write(epochs[1] | {"figures": {"epoch": 2, "train_loss": 9.0}})  # begun anew from the second epoch
    assert [(row["epoch"], row["train_loss"]) for row in follower.look().epochs] == [(1, 1.0), (2, 9.0)]


def test_a_job_is_stopped_and_taken_up_by_another_server(runs: Path, tiny_recipe: dict[str, Any]) -> None:
    asked = Asked.read(runs / "one")
    folder = begin(Workplace.of(runs), Beginning(like="one", name="new", settings={"size": "28"}))
    Asked(asked.data, Recipe(**tiny_recipe)).write(folder)
    start(folder, "run")
    with pytest.raises(Problem):
        start(folder, "run")
    assert state_of(folder) == "running"
    assert worker(folder) is not None  # at once: another server must see it, too
    assert waited((folder / EVENTS).is_file)
    stop(folder)
    assert waited(lambda: state_of(folder) != "running")
    assert state_of(folder) in ("new", "stopped")
    with pytest.raises(Problem):
        stop(folder)
    start(folder, "audit")
    assert waited(lambda: state_of(folder) == "stopped")  # audited, and not yet trained
    assert {stage.name: stage.at for stage in Follower(folder, Texts("en")).look().stages}["audit"] == "done"


@pytest.mark.parametrize(
    ("log", "state", "error"),
    [
        ("scan 1.0 s\nerror There is no 'x'; give another.\n", "failed", "There is no 'x'; give another."),
        ("error Identical images with different labels\nfound: 1 error\n", "done", ""),
        ("Traceback (most recent call last):\n  File ...\nKeyError: 'a'\n", "failed", "KeyError: 'a'"),
        ("Traceback (most recent call last):\n  File ...\nKeyboardInterrupt\n", "done", ""),
        ("", "done", ""),
    ],
)
def test_what_a_job_failed_with_is_told(runs: Path, log: str, state: str, error: str) -> None:
    (runs / "one" / "job.log").write_text(log)
    seen = Follower(runs / "one", Texts("en")).look()
    assert (seen.state, seen.error) == (state, error)


def test_the_comparison_is_that_of_the_verb(runs: Path) -> None:
    shutil.copytree(runs / "one", runs / "two")
    expected = compare_runs([runs / "one", runs / "two"], metric="auroc").table
    with in_background(workbench(Workplace.of(runs))) as url:
        found = httpx.get(f"{url}/runs/compared?run=one&run=two&metric=auroc", timeout=60).json()
        assert [row["run"] for row in found["rows"]] == ["one", "two"]
        assert found["rows"][1]["gap"] == expected["difference"][1]
        assert f"{expected['value'][0]:.3f}" in found["rows"][0]["value"]
        refused = httpx.get(f"{url}/runs/compared?run=one", timeout=60)
        assert refused.status_code == 422
        report = httpx.get(f"{url}/runs/one/report", timeout=60)
        assert "sandbox" in report.headers["content-security-policy"]
        assert report.content == (runs / "one" / "report.html").read_bytes()


@pytest.fixture
def shelf(runs: Path) -> Iterator[str]:
    shutil.copytree(runs / "one", runs / "two")
    with in_background(workbench(Workplace.of(runs))) as url:
        yield url


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_story_of_the_page(visit: Callable[..., Any], shelf: str, runs: Path, lang: str) -> None:
    say = Texts(lang)
    seen = visit(shelf)
    page = seen.go(f"/runs?lang={lang}")
    # Compare two runs.
    for name in ("one", "two"):
        page.check(f"[data-key='{name} pick']")
    page.click("#compare")
    page.wait_for_selector("#compared tbody tr:nth-child(2)")
    # A mistake in the form is told at its field; nothing has begun.
    page.click("[data-key='one like']")
    page.fill("[name=run-name]", "three")
    page.locator("#form details:has([data-setting=size]) summary").click()
    page.fill("[data-setting=size]", "7")
    page.click("#form [type=submit]")
    page.wait_for_selector("[data-setting=size][aria-invalid=true]")
    assert seen.breaches() == []
    seen.complaints.clear()  # the browser tells of the refusal
    name = "two"
    if lang == "en":  # begin and stop a job, which takes seconds
        page.fill("[data-setting=size]", "28")
        page.click("#form [type=submit]")
        page.wait_for_selector("[data-run=three] .badge.live")
        name = page.inner_text("#watched-title")
        assert waited((runs / "three" / EVENTS).is_file)
        page.click("[data-key='three stop']")
        page.wait_for_selector("[data-run=three] .badge:not(.live)")
    # Delete, with undo.
    page.click(f"[data-key='{name} delete']")
    page.wait_for_selector(f"[data-run={name}]", state="detached")
    assert not (runs / name).exists()
    page.click("#notices button:not(.plain)")
    page.wait_for_selector(f"[data-run={name}]")
    assert (runs / name / "recipe.json").is_file()
    assert say("app.runs.like") in page.inner_text("[data-run=one]")
    seen.well()
