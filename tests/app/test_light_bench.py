"""The light bench in a real browser: the picture and histogram are the engine's, and follow the sliders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from evenray.app.benches.damage import Damage, grey_of
from evenray.app.benches.pictures import Pictures
from evenray.app.decoding import read_wanted
from evenray.app.workplace import Workplace
from evenray.core.texts import Texts
from evenray.images.contrast import enhance

READY = "body[data-ready]"


def opened(visit: Callable[..., Any], address: str, lang: str = "en", **how: Any) -> Any:
    seen = visit(address, **how)
    page = seen.go(f"/light-bench?lang={lang}")
    page.wait_for_selector(READY, state="attached")
    page.select_option("#picture", "drawn:healthy")
    page.wait_for_selector("#a[data-shows='drawn:healthy{} equalize']")
    return seen


def shown(page: Any, canvas: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The greys of a canvas, (H, W)."""
    found = page.evaluate(
        """id => { const c = document.getElementById(id), copy = new OffscreenCanvas(c.width, c.height);
        const context = copy.getContext("2d", { willReadFrequently: true });
        context.drawImage(c, 0, 0);
        const d = context.getImageData(0, 0, c.width, c.height).data;
        return [c.height, c.width, Array.from({length: c.width * c.height}, (_, i) => d[4 * i])] }""",
        canvas,
    )
    return np.array(found[2], np.uint8).reshape(found[0], found[1])


def settled(page: Any, spec: str, side: str = "a", damage: str = "{}") -> None:
    """Wait until a method shows a spec."""
    page.wait_for_selector(f"#{side}[data-shows='drawn:healthy{damage} {spec}']")


def painted(page: Any) -> None:
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def move(page: Any, selector: str, value: float) -> None:
    page.eval_on_selector(selector, "(e, v) => { e.value = v; e.dispatchEvent(new Event('input')) }", str(value))


def expected(place: Path, spec: str, damage: Damage | None = None) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """What the engine makes of the picture, at 8 bits as a screen has them."""
    image = (damage or Damage()).apply(grey_of(Pictures(Workplace.of(place), read_wanted).image("drawn:healthy")))
    low, high = image.value_range
    after = np.clip((enhance(image, spec).pixels.astype(float) - low) / (high - low), 0, 1)
    return np.rint(255 * after).astype(np.uint8)


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_slider_changes_picture_histogram_and_spec(
    visit: Callable[..., Any], address: str, place: Path, lang: str
) -> None:
    seen = opened(visit, address, lang)
    page = seen.page
    assert np.abs(shown(page, "a").astype(int) - expected(place, "equalize")).max() <= 1
    page.select_option("#a-steps select.method", "gamma")
    move(page, "#a-steps input[type=range]", 0.5)
    settled(page, "gamma(gamma=0.5)")
    assert np.abs(shown(page, "a").astype(int) - expected(place, "gamma(0.5)")).max() <= 1
    page.select_option("#a-steps select.method", "clahe")  # the server's pixels
    settled(page, "clahe")
    assert np.abs(shown(page, "a").astype(int) - expected(place, "clahe")).max() <= 1
    assert Texts(lang)("app.light_bench.method.clahe") in page.inner_text("#a-steps")
    page.click("#compare")
    page.select_option("#b-steps select.method", "invert")
    settled(page, "invert", "b")
    assert np.abs(shown(page, "b").astype(int) - expected(place, "invert")).max() <= 1
    assert "gamma" not in page.inner_text("#command")
    seen.well()


def test_a_curve_is_drawn_with_the_keyboard_and_means_the_same_to_the_engine(
    visit: Callable[..., Any], address: str, place: Path
) -> None:
    seen = opened(visit, address)
    page = seen.page
    page.click("#a-draw")
    page.focus("#a-chart")
    for key in ("ArrowLeft", "ArrowLeft", *["ArrowUp"] * 6):
        page.keyboard.press(key)
    painted(page)
    spec = page.inner_text("#a-spec")
    assert spec.startswith("piecewise([(0, 0)")
    assert np.abs(shown(page, "a").astype(int) - expected(place, spec)).max() <= 1
    box = page.locator("#a-chart").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] - 5, steps=8)
    page.mouse.up()
    painted(page)
    drawn = page.inner_text("#a-spec")
    assert drawn != spec
    assert np.abs(shown(page, "a").astype(int) - expected(place, drawn)).max() <= 1
    seen.well()


def test_damage_is_seen_and_mended(visit: Callable[..., Any], address: str, place: Path) -> None:
    seen = opened(visit, address, lang="ko", width=390, dark=True)
    page = seen.page
    move(page, "[data-damage=exposure]", -1.5)
    settled(page, "equalize", damage='{"exposure":-1.5}')
    damage = Damage(exposure=-1.5)
    assert np.abs(shown(page, "before").astype(int) - expected(place, "none", damage)).max() <= 1
    page.click("#mend")
    page.wait_for_selector("#mended:not([hidden])")
    specs = page.locator("#mended-rows button").all_inner_texts()
    assert specs.index("auto_gamma") < specs.index("none")  # a dark picture is brought nearer by a gamma
    page.click("#mended-rows button >> nth=0")
    page.wait_for_selector("#a-steps select.method >> nth=0")
    assert page.input_value("#a-steps select.method >> nth=0") == specs[0].split("(")[0].split(" ")[0]
    seen.well()


def test_the_frequency_table_is_the_one_of_the_slides(visit: Callable[..., Any], address: str) -> None:
    seen = opened(visit, address)
    page = seen.page
    page.select_option("#table-of", "slides")
    page.wait_for_selector("#frequency-rows tr:nth-child(7):last-child")
    counts = page.locator("#frequency-rows td:nth-child(2)").all_inner_texts()
    assert counts == ["9", "32", "109", "180", "132", "34", "4"]
    move(page, "#bin-width", 3.5)
    page.wait_for_selector("#frequency-rows tr:nth-child(2):last-child")
    assert sum(map(int, page.locator("#frequency-rows td:nth-child(2)").all_inner_texts())) == 500
    seen.well()


def test_an_image_of_ones_own_is_looked_at(visit: Callable[..., Any], address: str, tmp_path: Path) -> None:
    image = np.tile(np.arange(0, 4000, 40, dtype=np.uint16), (80, 1))
    cv2.imwrite(str(tmp_path / "<img src=x onerror=alert(1)>.png"), image)
    seen = opened(visit, address)
    page = seen.page
    page.set_input_files("#file", str(tmp_path / "<img src=x onerror=alert(1)>.png"))
    page.wait_for_selector("#before[data-shows^='sent:'][width='100'][height='80']")
    assert page.locator("#picture option[value^='sent:']").count() == 1
    (tmp_path / "no.png").write_bytes(b"nothing")
    page.set_input_files("#file", str(tmp_path / "no.png"))
    page.wait_for_selector("#notices .notice.error")
    assert str(tmp_path) not in page.inner_text("#notices")
    seen.complaints.clear()  # the browser tells of the refusal
    seen.well()


def test_specs_name_no_file_and_errors_are_sentences(
    visit: Callable[..., Any], address: str, place: Path, tmp_path: Path
) -> None:
    import httpx

    (tmp_path / "h.json").write_text("{}")
    for spec in (
        f"match('{tmp_path / 'h.json'}')",
        f"local(\"match('{tmp_path / 'h.json'}')\")",
        "nonsense",
        "gamma(-1)",
    ):
        answer = httpx.post(f"{address}/light-bench/look", json={"picture": "drawn:healthy", "spec": spec})
        assert answer.status_code == 422, spec
        assert answer.json()["message"]
    for picture in ("run:../x/y", "run:finished/../../etc/passwd", "data:0", "drawn:x", "sent:x", ""):
        answer = httpx.get(f"{address}/light-bench/pixels", params={"picture": picture})
        assert answer.status_code == 404, picture
    assert (
        httpx.get(
            f"{address}/light-bench/pixels", params={"picture": "drawn:sick", "damage": '{"noise": 9}'}
        ).status_code
        == 422
    )
    bins = {"shown": {"picture": "drawn:sick"}, "width": 0.001}
    assert httpx.post(f"{address}/light-bench/frequencies", content=json.dumps(bins)).status_code == 422


def test_all_images_are_enhanced_in_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `evenray enhance` writes, beside the runs; the data stay as they are."""
    import time

    import httpx

    from evenray.app.workbench import workbench
    from evenray.images.readers import read
    from evenray.serve.running import in_background

    (tmp_path / "images").mkdir()
    (tmp_path / "work").mkdir()
    for k in range(2):
        cv2.imwrite(str(tmp_path / "images" / f"{k}.png"), np.arange(60, 124, dtype=np.uint8).reshape(8, 8) + k)
    monkeypatch.chdir(tmp_path / "work")
    with in_background(workbench(Workplace.of(tmp_path / "images"))) as url:
        assert httpx.post(f"{url}/light-bench/copies", json={"spec": "nonsense"}).status_code == 422
        assert httpx.get(f"{url}/light-bench/copies/..%2Fimages").status_code == 404
        found = httpx.post(f"{url}/light-bench/copies", json={"spec": "invert | gamma(0.5)"}).json()
        for _ in range(600):
            if found["state"] != "running":
                break
            time.sleep(0.1)
            found = httpx.get(f"{url}/light-bench/copies/{found['name']}").json()
    assert (found["state"], found["written"]) == ("done", 2), found
    image = read(tmp_path / "images" / "1.png")
    assert np.array_equal(
        read(tmp_path / "work" / "images-enhanced" / "1.png").pixels, enhance(image, "invert | gamma(0.5)").pixels
    )
