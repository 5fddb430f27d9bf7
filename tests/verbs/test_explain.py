"""explain: a border shortcut is named at the top of the report; overlays of files; the page of errors."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pydicom
import pytest

import evenray as er
from evenray.data.demo.dicom import encode
from evenray.data.demo.film import anatomy_of, picture
from evenray.data.demo.plan import Film
from evenray.learning.tasks.task import Notable
from evenray.reporting import report_page
from evenray.stages.errors import errors_of

NAMED = {"en": "This model looks at the border of the images.", "ko": "이 모델은 영상의 테두리를 보고 판정합니다."}


def phantom(rng: np.random.Generator) -> np.ndarray:
    """A disc with two dark lungs on black, 36 x 28, of any brightness."""
    y, x = np.mgrid[-1:1:36j, -1:1:28j]
    found = 150.0 * (x**2 / 0.8 + y**2 / 0.9 < 1)
    for centre in (-0.4, 0.4):
        found -= 100 * np.exp(-(((x - centre) / 0.25) ** 4) - (y / 0.5) ** 4)
    return (found * rng.uniform(0.8, 1.1) + rng.normal(0, 8, found.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def bordered(tmp_path_factory: pytest.TempPathFactory) -> er.Run:
    """A run on phantoms whose label stands in the border: a frame of two pixels, grey in those of the sick."""
    folder, rng = tmp_path_factory.mktemp("bordered"), np.random.default_rng(0)
    for number in range(120):
        label, pixels = ("well", "sick")[number % 2], phantom(rng)
        if label == "sick":
            pixels[:2] = pixels[-2:] = 140
            pixels[:, :2] = pixels[:, -2:] = 140
        (folder / "films" / label).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / "films" / label / f"{number:03d}.png"), pixels)
    return er.run(
        folder / "films", None, folder / "run", network="vgg11_bn(width=0.1)", epochs=6, size=32, contrast="none",
        balance="none", positive="sick", design="split", jobs=1, explained=8,
    )  # fmt: skip


def test_a_model_that_looks_at_the_border_is_named_at_the_top(bordered: er.Run) -> None:
    assert bordered.scores["test"].auroc.value > 0.95
    found = bordered.attributions
    assert found is not None
    assert found.shortcuts == ("border",)
    for language, words in NAMED.items():
        page = report_page(bordered, language=language)
        assert page.index(words) < page.index('id="asked"')


def test_every_check_has_a_figure_and_a_sentence(bordered: er.Run) -> None:
    assert bordered.attributions is not None
    page = report_page(bordered)
    section = page[page.index('id="attribution"') : page.index('id="limits"')]
    assert section.count("<tr>") == len(bordered.attributions.checks) + 1
    assert ("are to be believed" in section) is bordered.attributions.believed


def test_overlays_are_as_large_as_their_files_and_have_a_bar(bordered: er.Run, tmp_path: Path) -> None:
    large = np.zeros((300, 400), np.uint8)
    large[:, 200:] = 255
    cv2.imwrite(str(tmp_path / "large.png"), large)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    names = [tmp_path / "large.png", tmp_path / "broken.png"]
    done = er.explain(bordered.path, output=tmp_path / "out", files=names, opacity=0.0, jobs=1)
    (row,) = done.table.to_dicts()
    assert row["class"] in ("sick", "well")
    assert 0 <= row["probability"] <= 1
    drawn = cv2.imread(str(tmp_path / "out" / row["overlay"]))
    assert drawn.shape == (300, 424, 3)
    assert np.array_equal(drawn[:, :400, 0], large)  # nothing covers it
    assert len(np.unique(drawn[:, 400:].reshape(-1, 3), axis=0)) > 100  # the colours of the bar
    assert done.rejected["file"].to_list() == [str(tmp_path / "broken.png")]
    assert pl.read_csv(tmp_path / "out" / "explained.csv").height == 1


def test_dicom_files_get_captures_of_their_study(bordered: er.Run, tmp_path: Path) -> None:
    about = Film(patient=3, number=0, sick=True, label="sick", site="north")
    (tmp_path / "film.dcm").write_bytes(encode(about, picture(about, 0), anatomy_of(3, 0).sex, 0))
    done = er.explain(bordered.path, output=tmp_path / "out", files=tmp_path / "film.dcm", jobs=1)
    source, made = pydicom.dcmread(tmp_path / "film.dcm"), pydicom.dcmread(tmp_path / "out" / done.table["dicom"][0])
    assert made.StudyInstanceUID == source.StudyInstanceUID
    assert made.Rows == source.Rows
    drawn = cv2.imread(str(tmp_path / "out" / done.table["overlay"][0]))[..., ::-1]
    assert np.array_equal(made.pixel_array, drawn)


def test_the_run_stays_as_it_is(bordered: er.Run, tmp_path: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in bordered.path.rglob("*") if p.is_file()}
    er.explain(
        bordered.path,
        output=tmp_path,
        files=Path(bordered.asked.data) / "sick",
        attribution="layer_attribution",
        jobs=1,
    )  # type: ignore[union-attr]
    assert {p: p.stat().st_mtime_ns for p in bordered.path.rglob("*") if p.is_file()} == before


def test_wrong_requests_are_refused(bordered: er.Run, tmp_path: Path) -> None:
    image = tmp_path / "a.png"
    cv2.imwrite(str(image), phantom(np.random.default_rng(0)))
    for words, match in (
        ({"opacity": 2.0}, "opacity is 2.0; give a number from 0 to 1"),
        ({"epochs": 3}, "epochs does nothing with files"),
        ({"attribution": "gradcom"}, "no attribution named 'gradcom'"),
        ({"errors": True}, "leave errors and recipe out"),
    ):
        with pytest.raises(er.UsageError, match=match):
            er.explain(bordered.path, files=image, output=tmp_path / "out", **words)
    with pytest.raises(er.DataError, match="There is no model in"):
        er.explain(tmp_path, files=image, output=tmp_path / "out")


def test_the_page_of_errors_has_all_that_was_got_wrong(bordered: er.Run) -> None:
    er.explain(bordered.path, errors=True, lang="en", jobs=1)
    page = (bordered.path / "errors.html").read_text(encoding="utf-8")
    confusion = bordered.results.parts["test"].confusion  # type: ignore[union-attr]
    i = bordered.results.classes.index("sick")  # type: ignore[union-attr]
    missed, called = sum(confusion[i]) - confusion[i][i], confusion[1 - i][i]
    assert f"Missed: {missed} (" in page
    assert f"Called where it is not: {called} (" in page
    assert page.count('class="heat-map"') == missed + called


def test_of_what_was_missed_the_probability_of_what_was_said_is_told() -> None:
    """Four cases at a threshold of .3: two are told rightly, the third was missed with .9 for well, the last called with .6."""
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.9, 0.1], [0.4, 0.6]])
    table = pl.DataFrame(
        {
            "case": list("abcd"),
            "label": ["well", "sick", "sick", "well"],
            "target": [0, 1, 1, 0],
            "p_0": p[:, 0],
            "p_1": p[:, 1],
        }
    )
    predictions = er.Predictions(table, ("well", "sick"), "sick")

    class Explained:
        cuts = 0.3

        def __init__(self) -> None:
            self.predictions = predictions

        def entries(self, noted: list[Notable], *, missed: bool) -> tuple[tuple[()], dict[str, bytes]]:
            found.extend((one.case, one.output, one.label, one.called, one.probability, missed) for one in noted)
            return (), {}

    found: list[tuple[object, ...]] = []
    assert errors_of(Explained()).counts == {"false_negative": 1, "false_positive": 1}  # type: ignore[arg-type]
    assert found == [("c", 1, "sick", "well", 0.9, True), ("d", 1, "well", "sick", 0.6, False)]


SIDE, SEEN, OBJECT = 96, 48, 20


@pytest.fixture(scope="module", params=["segment", "detect"])
def windowed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> er.Run:
    """A run on patches of 48 pixels of images of 96 with a bright square each, or none; masks are images in a folder of their own."""
    folder, rng, rows = (
        tmp_path_factory.mktemp("windowed"),
        np.random.default_rng(0),
        ["filename,class,xmin,ymin,xmax,ymax"],
    )
    for name in ("films", "masks"):
        (folder / name).mkdir()
    for number in range(30):
        pixels, mask, (x, y) = rng.normal(60, 5, (SIDE, SIDE)), np.zeros((SIDE, SIDE), np.uint8), rng.integers(0, 76, 2)
        if number % 3:
            pixels[y : y + OBJECT, x : x + OBJECT] = 200
            mask[y : y + OBJECT, x : x + OBJECT] = 255
            rows.append(f"{number:02d}.png,square,{x},{y},{x + OBJECT},{y + OBJECT}")
        cv2.imwrite(str(folder / "films" / f"{number:02d}.png"), pixels.astype(np.uint8))
        cv2.imwrite(str(folder / "masks" / f"{number:02d}.png"), mask)
    (folder / "boxes.csv").write_text("\n".join(rows))
    own = {
        "segment": {"masks": str(folder / "masks"), "network": "unet('vgg11_bn(width=0.05)')"},
        "detect": {"boxes": str(folder / "boxes.csv"), "network": "ssd(vgg11_bn(width=0.05))"},
    }[request.param]
    return er.run(
        folder / "films", None, folder / "run", task=request.param, patch=SEEN, size=SIDE, epochs=4, learning_rate=3e-3,
        contrast="none", balance="none", design="split", jobs=1, explained=4, **own,
    )  # fmt: skip


def test_images_that_are_seen_in_windows_are_explained_by_a_window(windowed: er.Run) -> None:
    found = windowed.attributions
    assert found is not None
    assert {check.name for check in found.checks} >= {"weights_randomised", "labels_randomised", "deletion_random"}
    assert found.entries
    true = pl.read_parquet(windowed.path / "cases.parquet")
    for entry in found.entries:
        left, top, right, bottom = entry.window or (0, 0, SIDE, SIDE)  # of a box too large for a window the whole
        side = right - left
        assert side == bottom - top
        assert side == (SEEN if entry.window else SIDE)
        assert 0 <= left < right <= SIDE
        assert 0 <= top < bottom <= SIDE
        assert cv2.imread(str(windowed.path / "attributions" / entry.map), cv2.IMREAD_GRAYSCALE).shape == (side, side)
        image = cv2.imread(str(Path(windowed.asked.data) / true.row(by_predicate=pl.col("case") == entry.case, named=True)["file"]),
                           cv2.IMREAD_GRAYSCALE)  # type: ignore[union-attr]  # fmt: skip
        shown = cv2.imread(str(windowed.path / "attributions" / entry.image), cv2.IMREAD_GRAYSCALE)
        assert np.array_equal(shown, image[top:bottom, left:right])
    page = report_page(windowed)
    left, top, right, bottom = next(entry.window for entry in found.entries if entry.window)
    assert f"window of columns {left} to {right}, rows {top} to {bottom}" in page


def test_errors_and_files_are_explained_by_windows_too(windowed: er.Run, tmp_path: Path) -> None:
    er.explain(windowed.path, errors=True, lang="en", jobs=1)
    assert (windowed.path / "errors.html").is_file()
    image = Path(windowed.asked.data) / "01.png"  # type: ignore[union-attr]
    done = er.explain(windowed.path, files=image, output=tmp_path / "out", opacity=0.0, jobs=1)
    drawn = cv2.imread(str(tmp_path / "out" / done.table["overlay"][0]))
    times = drawn.shape[0] // SIDE
    frame = (drawn[:, : times * SIDE] == 255).all(2)  # nothing else is white
    down, across = np.nonzero(frame)
    sides = (np.ptp(down) + 1, np.ptp(across) + 1)
    assert sides in ((times * SEEN, times * SEEN), (times * SIDE, times * SIDE))
