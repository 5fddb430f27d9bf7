"""VGG16 from inside in a real browser: its numbers are the network's own."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch

from evenray.app.benches.inside import network_of
from evenray.app.benches.pictures import Pictures
from evenray.app.decoding import read_wanted
from evenray.app.workplace import Workplace
from evenray.core.texts import Texts
from evenray.evidence.table7.systems import SYSTEMS
from evenray.verbs.predict import predict


def opened(visit: Callable[..., Any], address: str, lang: str = "en", **how: Any) -> Any:
    seen = visit(address, **how)
    seen.go(f"/vgg16?lang={lang}").wait_for_selector("body[data-ready]", state="attached")
    return seen


@pytest.mark.parametrize(("lang", "width", "dark"), [("en", 1280, False), ("ko", 390, True)])
def test_the_drawing_is_linked_to_the_table(
    visit: Callable[..., Any], address: str, lang: str, width: int, dark: bool
) -> None:
    seen = opened(visit, address, lang, width=width, dark=dark)
    page = seen.page
    assert page.inner_text("#total") == "138,357,544"
    numbers = page.locator("#layers td:nth-child(7)").all_inner_texts()
    assert sum(int(text.replace(",", "")) for text in numbers if text) == 138_357_544
    page.locator("#layers button", has_text="classifier.0").focus()
    page.keyboard.press("Enter")
    assert page.locator("#drawing .marked").get_attribute("data-row") == page.locator("#layers .marked").get_attribute(
        "data-row"
    )
    assert "25,088 × 4,096" in page.inner_text("#layer-told")
    page.locator("#drawing [data-row='0']").dispatch_event("click")
    assert page.locator("#layers .marked button").inner_text() == "features.0"
    assert page.locator("#table7-rows tr").count() == len(SYSTEMS)
    assert Texts(lang)("app.vgg16.maps_title") in page.inner_text("#inside")
    seen.well()


def test_a_convolution_is_that_of_torch(visit: Callable[..., Any], address: str) -> None:
    page = opened(visit, address).page
    rng = np.random.default_rng(0)
    patch, filter_ = rng.random((7, 7)), rng.normal(size=(3, 3))
    for stride in (1, 2, 3):
        for padding in (0, 1, 2):
            found = page.evaluate(
                """async ([patch, filter, stride, padding]) => {
                const { convolve, sideAfter } = await import("/static/convolution.js");
                return [convolve(patch, filter, stride, padding), sideAfter(7, 3, stride, padding)] }""",
                [patch.tolist(), filter_.tolist(), stride, padding],
            )
            expected = torch.nn.functional.conv2d(
                torch.tensor(patch)[None, None], torch.tensor(filter_)[None, None], stride=stride, padding=padding
            )[0, 0]
            assert np.allclose(found[0], expected)
            assert found[1] == len(expected)


def test_every_product_is_seen(visit: Callable[..., Any], address: str) -> None:
    seen = opened(visit, address, "ko")
    page = seen.page
    page.select_option("#stride", "2")
    page.select_option("#padding", "0")
    assert page.locator("#conv-out .cell").count() == 9
    page.focus("#conv-out")
    page.keyboard.press("ArrowRight")
    products = page.locator("#products .product").all_inner_texts()
    right = [float(text.split("=")[1].replace("−", "-")) for text in products]
    told = page.inner_text("#conv-out .here").replace("−", "-")
    assert sum(right) == pytest.approx(float(told), abs=0.05)
    assert len(products) == 9
    seen.well()


def test_maps_and_receptive_fields_are_the_networks(visit: Callable[..., Any], address: str, place: Path) -> None:
    answer = httpx.get(
        f"{address}/vgg16/maps", params={"of": "run:finished", "picture": "drawn:sick", "layer": "features.0"}
    )
    (length,) = struct.unpack("<I", answer.content[:4])
    told = json.loads(answer.content[4 : 4 + length])
    maps = np.frombuffer(answer.content[4 + length :], np.uint8).reshape(told["shape"])
    inside = network_of(Workplace.of(place), "run:finished")
    x_NCHW = torch.from_numpy(inside.entering(Pictures(Workplace.of(place), read_wanted).image("drawn:sick")))
    row = inside.structure.rows[0]
    with torch.no_grad():
        whole = {}
        hook = inside.model.network.get_submodule(row.shown).register_forward_hook(
            lambda m, i, o: whole.update(o=o.clone())
        )
        inside.model(x_NCHW)
        hook.remove()
    expected = whole["o"][0, told["channels"][0]].numpy()
    assert np.abs(maps[0] / 255 - expected / expected.max()).max() < 0.003
    seen = opened(visit, address)
    page = seen.page
    page.focus("#unit")
    page.keyboard.press("Home")
    assert f"{row.field} × {row.field}" in page.inner_text("#sight-told")
    assert page.locator("#maps canvas").count() == min(64, row.output[0])
    seen.well()


def test_a_covered_image_is_answered_as_predict_answers(visit: Callable[..., Any], address: str, place: Path) -> None:
    run = place / "finished"
    offered = [one for one in Pictures(Workplace.of(place), read_wanted).offered() if one.kind == "run"]
    from evenray.app.opened import opened as run_in
    from evenray.core.names import as_path

    dataset = run_in(run).dataset
    assert dataset is not None
    file = dict(dataset.cases.select("case", "file").iter_rows())[offered[0].name]
    table = predict(run, as_path(Path(dataset.root, file)), jobs=1).table
    answer = httpx.post(f"{address}/vgg16/answer", json={"of": "run:finished", "picture": offered[0].key}).json()
    for name, p in answer["probabilities"].items():
        assert p == pytest.approx(table[f"p_{name}"][0], abs=2e-3)
    seen = opened(visit, address)
    page = seen.page
    before = page.inner_text("#answer")
    page.focus("#cover")
    with page.expect_response("**/vgg16/answer"):
        page.keyboard.press("ArrowDown")
    page.wait_for_selector("#answer td:nth-child(4):not(:empty)")
    assert page.inner_text("#answer") != before
    page.select_option("#method", "gradcam")
    positive = network_of(Workplace.of(place), "run:finished").structure.positive
    page.wait_for_selector(f"#attribution-told:has-text('“{positive}”')")
    seen.well()


def test_many_may_look_at_once(address: str) -> None:
    """A pass that notes shapes and one that computes do not meet in the same network."""
    from concurrent.futures import ThreadPoolExecutor

    common = {"of": "run:finished", "picture": "drawn:sick"}
    asked = [
        ("network", {"of": "run:finished"}), ("maps", {**common, "layer": "features.0"}),
        ("attribution", {**common, "method": "gradcam", "target": "1"}),
    ] * 3  # fmt: skip
    with ThreadPoolExecutor(len(asked)) as pool:
        found = list(pool.map(lambda each: httpx.get(f"{address}/vgg16/{each[0]}", params=each[1], timeout=60), asked))
    assert [answer.status_code for answer in found] == [200] * len(asked)


def test_what_does_not_exist_is_refused(address: str) -> None:
    for of in ("run:x", "run:../finished", "weights:x", "nothing", "run:finished/../finished"):
        assert httpx.get(f"{address}/vgg16/network", params={"of": of}).status_code == 404, of
    common = {"of": "run:finished", "picture": "drawn:sick"}
    assert httpx.get(f"{address}/vgg16/maps", params={**common, "layer": "features.99"}).status_code == 422
    asked = {**common, "method": "nothing", "target": "sick"}
    assert httpx.get(f"{address}/vgg16/attribution", params=asked).status_code == 422
