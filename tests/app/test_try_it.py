"""The page Try it: the answers are those of `evenray predict`, and nothing of what is dropped stays."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from evenray.core.texts import Texts
from evenray.verbs.predict import predict


@pytest.fixture(scope="module")
def film(tiny_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.png"
    cv2.imwrite(str(path), np.load(tiny_archive)["test_images"][3])
    return path


def test_answers_are_those_of_predict_and_nothing_stays(address: str, place: Path, film: Path) -> None:
    row = predict(place / "finished", film).table.row(0, named=True)
    with film.open("rb") as file:
        found = httpx.post(f"{address}/try-it/finished", files={"file": ("Kim^Min.png", file)}, timeout=120).json()
    told = found["predicted"]["answers"][0]
    assert {name: told[name] for name in row if name.startswith("p_")} == pytest.approx(
        {name: value for name, value in row.items() if name.startswith("p_")}
    )
    assert told["decision"] == row["decision"]
    assert told["out_of_distribution"] == row["out_of_distribution"]
    assert found["heat"]["output"] == found["predicted"]["positive"]
    assert "Kim" not in str(found)
    kept = [path for folder in Path(tempfile.gettempdir()).glob("evenray-uploads-*") for path in folder.rglob("*")]
    assert [path for path in kept if path.name != "lock" and path.is_file()] == []


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"\0" * 5000])
def test_what_is_no_image_is_refused_with_a_reason(address: str, content: bytes) -> None:
    answer = httpx.post(f"{address}/try-it/finished", files={"file": ("x.png", content)}, timeout=120)
    assert answer.status_code == 422
    assert answer.json()["message"]


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_story_of_the_page(visit: Callable[..., Any], address: str, film: Path, lang: str) -> None:
    say = Texts(lang)
    seen = visit(address)
    page = seen.go(f"/try-it?lang={lang}")
    assert say("app.try_it.notice") in page.inner_text(".notice.warning >> nth=0")
    page.set_input_files("#files", film)
    page.wait_for_selector(".tried .decision")
    assert say("app.try_it.decision") in page.inner_text(".tried .decision")
    assert page.locator(".tried .probabilities li").count() == 2
    assert say("app.try_it.notice") in page.inner_text(".tried")
    assert seen.breaches() == []
    seen.well()


def test_a_run_that_is_out_of_date_is_told_without_its_place(address: str, place: Path, film: Path) -> None:
    shutil.copytree(place / "finished", place / "stale")
    (place / "stale" / "split.parquet").write_bytes(b"")
    try:
        answer = httpx.post(
            f"{address}/try-it/stale", content=film.read_bytes(), headers={"Accept-Language": "ko"}, timeout=120
        )
    finally:
        shutil.rmtree(place / "stale")
    assert answer.status_code == 409
    assert "'stale'" in answer.json()["message"]
    assert str(place) not in answer.text
    assert not re.search("[a-z]{2,} [a-z]{2,} [a-z]{2,}", re.sub("'[^']*'", "", answer.json()["message"]))
