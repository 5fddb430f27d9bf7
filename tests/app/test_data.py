"""The page Data: what is sent is what the run folder and the files hold, and nothing else; its story in a browser."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest

from evenray.app.workbench import workbench
from evenray.app.workplace import Workplace
from evenray.core.artefacts import RunFolder
from evenray.core.artefacts.asked import Asked
from evenray.core.findings import Finding, table_of
from evenray.core.run import Run
from evenray.core.texts import Texts
from evenray.data.exclusions import read_exclusions
from evenray.images.readers import read
from evenray.serve.running import in_background

DRAWN = """() => {
  const over = document.querySelector(".pane:not([hidden]) canvas.over");
  return over.getContext("2d").getImageData(0, 0, over.width, over.height).data.some(value => value);
}"""


@pytest.fixture(scope="module")
def api(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


def test_the_columns_are_those_of_the_run(api: httpx.Client, place: Path) -> None:
    dataset, said = Run(place / "finished").dataset, Run(place / "finished").predictions
    assert dataset is not None
    assert said is not None
    found = api.get("/data/finished/cases").json()
    assert found["case"] == dataset.cases["case"].to_list()
    assert [[dataset.classes[k] for k in own] for own in found["members"]] == [[one] for one in dataset.cases["label"]]
    p = dict(zip(said.table["case"], said.probabilities[:, said.positive_index], strict=True))
    for case, told in zip(found["case"], found["probability"], strict=True):
        assert (told is None) == (case not in p)
        assert told is None or told == pytest.approx(p[case], abs=5.1e-5)
    confusion = Run(place / "finished").scores["test"].confusion
    test = [k for k, part in enumerate(found["part"]) if found["parts"][part] == "test"]
    right = sum(found["called"][k] == found["members"][k] for k in test)
    assert right == np.trace(confusion)


def test_nothing_in_the_answers_names_a_file_or_a_patient(api: httpx.Client, place: Path) -> None:
    cases = pl.read_parquet(place / "finished" / "cases.parquet")
    secrets = {*cases["patient"].drop_nulls(), *cases["sha256"].drop_nulls(), *cases["pixel_hash"], str(place)} - {""}
    assert secrets
    for path in ("/data/finished/cases", "/data/finished/findings", "/cases/finished/3", "/data/finished/understood"):
        text = api.get(path).text
        assert [secret for secret in secrets if secret in text] == []


def test_thumbnails_are_the_sketches(api: httpx.Client, place: Path) -> None:
    dataset = Run(place / "finished").dataset
    assert dataset is not None
    content = api.get("/data/finished/thumbnails", params={"rows": "7,0,3"}).content
    assert np.array_equal(
        np.frombuffer(content, np.uint8).reshape(3, 32, 32), dataset.sketch("thumbnail", np.array([7, 0, 3]))
    )


@pytest.mark.parametrize("rows", ["", "a", "-1", "0,100000", "1e3", "9" * 30, ",".join(["0"] * 600)])
def test_rows_that_are_none_are_refused(api: httpx.Client, rows: str) -> None:
    assert api.get("/data/finished/thumbnails", params={"rows": rows}).status_code == 422


def test_pixels_are_those_of_the_file(api: httpx.Client, place: Path) -> None:
    dataset = Run(place / "finished").dataset
    assert dataset is not None
    file, fragment = dataset.cases.select("file", "fragment").row(5)
    image = read(Path(dataset.root, file), fragment=fragment)
    answer = api.get("/cases/finished/5/pixels")
    about = json.loads(answer.headers["x-evenray-pixels"])
    numbers = np.frombuffer(answer.content, np.uint8 if about["width"] == 1 else "<u2")
    assert (about["rows"], about["columns"]) == image.shape
    assert np.array_equal(about["offset"] + about["slope"] * numbers.reshape(image.pixels.shape), image.pixels)


def test_a_table_of_cases_that_names_files_elsewhere_gives_none_of_them(place: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    shutil.copytree(place / "finished", tmp_path / "runs" / "evil")
    (tmp_path / "images").mkdir()
    import cv2

    cv2.imwrite(str(secret), np.zeros((9, 9), np.uint8))
    folder = tmp_path / "runs" / "evil"
    ledger = json.loads((folder / "provenance.json").read_text()) | {"root": str(tmp_path / "images")}
    (folder / "provenance.json").write_text(json.dumps(ledger))
    cases = pl.read_parquet(folder / "cases.parquet")
    (tmp_path / "images" / "link.png").symlink_to(secret)
    names = ["../secret.png", str(secret), "link.png"]
    files = pl.Series("file", [*names, *[""] * (cases.height - 3)])
    cases.with_columns(files, fragment=pl.lit("")).write_parquet(folder / "cases.parquet")
    with (
        in_background(workbench(Workplace.of(tmp_path / "runs"))) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        for row in range(3):
            assert client.get(f"/cases/evil/{row}/pixels").status_code == 404


def test_the_mask_that_was_called_is_that_of_the_whole_name_of_the_case_and_lies_among_masks(
    place: Path, tmp_path: Path
) -> None:
    """A run with `names` calls cases as their files, in folders."""
    import cv2

    folder = tmp_path / "runs" / "named"
    shutil.copytree(place / "finished", folder)
    (folder / "masks" / "sub").mkdir(parents=True)
    called, other = np.arange(15, dtype=np.uint8).reshape(3, 5), np.zeros((9, 9), np.uint8)
    for file, mask in (("masks/sub/a.png.png", called), ("masks/a.png.png", other), ("secret.png", other)):
        cv2.imwrite(str(folder / file), mask)
    (folder / "masks" / "link.png").symlink_to(folder / "secret.png")
    cases = pl.read_parquet(folder / "cases.parquet")
    names = ["sub/a.png", "../secret", str(folder / "secret"), "link", "sub/none"]
    cases = cases.with_columns(case=pl.Series([*names, *cases["case"][len(names) :]]))
    cases.write_parquet(folder / "cases.parquet")
    with (
        in_background(workbench(Workplace.of(tmp_path / "runs"))) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        for row in range(len(names)):
            assert client.get(f"/cases/named/{row}").json()["called_mask"] == (row == 0)
            answer = client.get(f"/cases/named/{row}/mask", params={"which": "called"})
            assert answer.status_code == (200 if row == 0 else 404)
            assert row > 0 or answer.content == called.tobytes()


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2f..", "/etc", ".deleted", "finished%2f..", "no-such"])
def test_names_lead_nowhere_else(api: httpx.Client, name: str) -> None:
    for path in (f"/data/{name}/cases", f"/cases/{name}/0/pixels", f"/runs/{name}/report"):
        assert api.get(path).status_code == 404


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_story_of_the_page(visit: Callable[..., Any], address: str, place: Path, lang: str) -> None:
    say, dataset = Texts(lang), Run(place / "finished").dataset
    assert dataset is not None
    seen = visit(address)
    page = seen.go(f"/data?lang={lang}")
    page.wait_for_selector(".tile.here")
    assert page.inner_text("#summary") == say("app.data.summary.all", all=len(dataset))
    # Filters: only the test part of the positive class.
    page.select_option("[name=class]", label=f"{dataset.positive} ({dataset.counts[dataset.positive]})")
    page.select_option("[name=part]", label=f"{say('value.part.test')} ({(dataset.cases['part'] == 'test').sum()})")
    left = dataset.cases.filter((pl.col("part") == "test") & (pl.col("label") == dataset.positive))
    assert page.inner_text("#summary") == say("app.data.summary.some", shown=left.height, all=len(dataset))
    # The viewer by keyboard: the value below the pointer is the file's own.
    page.focus(".grid")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector(".viewer[open] .told:not(:empty)")
    assert page.inner_text("#viewer-title") == left["case"][1]
    canvas = page.locator(".pane:visible canvas >> nth=0").bounding_box()
    assert canvas is not None
    page.mouse.move(canvas["x"] + canvas["width"] / 2 + 1, canvas["y"] + canvas["height"] / 2 + 1)
    file, fragment = left.select("file", "fragment").row(1)
    middle = read(Path(dataset.root, file), fragment=fragment).pixels[14, 14]
    assert say("app.frame.viewer.value", value=middle) in page.inner_text(".pane:visible .told")
    before = page.inner_text(".pane:visible .told")
    page.keyboard.press("2")
    page.wait_for_function(
        "before => document.querySelector('.pane:not([hidden]) .told').textContent !== before", arg=before
    )
    with page.expect_response("**/attribution*"):
        page.keyboard.press("a")
    page.wait_for_timeout(200)
    assert page.evaluate(DRAWN)
    assert seen.breaches() == []
    page.keyboard.press("Escape")
    for name in ("table", "charts", "columns", "findings"):
        page.click(f"#tab-{name}")
        assert seen.breaches() == []
    seen.well()


def test_what_is_checked_off_is_left_out_by_the_recipe(visit: Callable[..., Any], place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "finished", tmp_path / "mine")
    dataset = Run(place / "finished").dataset
    assert dataset is not None
    blank = Finding("blank", "warning", tuple(dataset.cases["case"].head(3)))
    RunFolder(tmp_path / "mine").write_table("findings.parquet", table_of([blank]))
    with in_background(workbench(Workplace.of(tmp_path))) as url:
        page = visit(url).go("/data#findings")
        page.wait_for_selector("#findings [data-case]")
        box = page.locator("#findings [data-case]").first
        case = box.get_attribute("data-case")
        box.check()
        page.click("#findings button.primary")
        page.wait_for_selector("#notices .notice")
        asked = Asked.read(tmp_path / "mine").recipe.exclude
        assert asked is not None
        assert read_exclusions(asked)["case"].to_list() == [case]
        page.click("#notices button:not(.plain)")  # undo
        page.wait_for_function("() => document.querySelector('#findings [data-case]').checked === false")
        assert Asked.read(tmp_path / "mine").recipe.exclude is None
