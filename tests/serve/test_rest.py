"""The routes: answers are those of `evenray predict`, and every part of the service says what it should."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import FileDataset

from evenray.images.contrast import enhance
from evenray.images.readers import read
from evenray.verbs.histogram import histogram
from evenray.verbs.predict import predict


def post(client: httpx.Client, path: str, files: list[Path], **params: str) -> Any:
    answered = client.post(path, files=[("file", file.read_bytes()) for file in files], params=params)
    assert answered.status_code == 200, answered.text
    return answered.json()


@pytest.mark.parametrize("model", ["finished", "tag", "segment", "detect"])
def test_the_answers_are_those_of_predict(
    client: httpx.Client, sources: dict[str, str], pictures: list[Path], model: str
) -> None:
    wanted = predict(sources[model], pictures, device="cpu", jobs=1)
    found = post(client, "/v1/predict", pictures, model=model)
    assert found["model"] == model
    assert [row["file"] for row in found["answers"]] == [1, 2, 3, 4, 5, 6]
    for row, truth in zip(found["answers"], wanted.table.to_dicts(), strict=True):
        truth = {name: value for name, value in truth.items() if name not in ("file", "mask")}
        assert {name: row[name] for name in truth} == pytest.approx(truth, abs=1e-6, nan_ok=True)
    plain = {name: value for name, value in wanted.as_json().items() if name != "rejected"}
    assert {name: found[name] for name in plain} == plain


def test_masks_are_those_of_predict(client: httpx.Client, sources: dict[str, str], pictures: list[Path]) -> None:
    wanted = predict(sources["segment"], pictures, device="cpu", jobs=1).masks
    found = post(client, "/v1/predict", pictures, model="segment")
    called = 0
    for row, truth in zip(found["answers"], wanted.values(), strict=True):
        mask = cv2.imdecode(np.frombuffer(base64.b64decode(row["mask_png"]), np.uint8), cv2.IMREAD_UNCHANGED)
        assert mask.tolist() == truth.tolist()
        called += np.count_nonzero(mask)
    assert called


def test_boxes_are_those_of_predict(client: httpx.Client, sources: dict[str, str], pictures: list[Path]) -> None:
    wanted = predict(sources["detect"], pictures, device="cpu", jobs=1).boxes
    assert wanted is not None
    found = post(client, "/v1/predict", pictures, model="detect")
    boxes = [box for row in found["answers"] for box in row["boxes"]]
    assert [[box[name] for name in ("x0", "y0", "x1", "y1", "score")] for box in boxes] == [
        pytest.approx(row[2:], abs=1e-4) for row in wanted.boxes.rows()
    ]
    assert boxes


def test_requests_at_the_same_time_have_the_answers_of_one_after_the_other(
    client: httpx.Client, pictures: list[Path]
) -> None:
    alone = [post(client, "/v1/predict", [file])["answers"][0]["p_1"] for file in pictures]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda file: post(client, "/v1/predict", [file])["answers"][0]["p_1"], pictures))
    assert together == pytest.approx(alone, abs=0.01)  # bfloat16, in batches cut otherwise
    assert len(set(together)) == 6


def test_a_raw_body_is_one_file(client: httpx.Client, pictures: list[Path]) -> None:
    body = pictures[0].read_bytes()
    for kind in ("application/octet-stream", "image/png", ""):
        answered = client.post("/v1/predict", content=body, headers={"Content-Type": kind})
        assert answered.json()["answers"] == post(client, "/v1/predict", pictures[:1])["answers"]


def test_what_cannot_be_read_is_set_aside_by_its_number(client: httpx.Client, pictures: list[Path]) -> None:
    files = [("file", pictures[0].read_bytes()), ("file", b"no image"), ("file", pictures[1].read_bytes())]
    found = client.post("/v1/predict", files=files).json()
    assert [row["file"] for row in found["answers"]] == [1, 3]
    assert [row["file"] for row in found["rejected"]] == [2]
    refused = client.post("/v1/predict", content=b"no image")
    assert (refused.status_code, refused.json()["error"]) == (422, "serve.unreadable")
    assert "evenray-uploads" not in refused.text


def test_all_images_of_an_archive(client: httpx.Client, tiny_archive: Path) -> None:
    found = client.post("/v1/predict", content=tiny_archive.read_bytes()).json()
    assert found["images"] == 114
    assert found["answers"][0]["fragment"] == "train/0"


def test_the_prevalence_moves_probabilities(
    client: httpx.Client, sources: dict[str, str], pictures: list[Path]
) -> None:
    wanted = predict(sources["finished"], pictures[:1], device="cpu", jobs=1, prevalence={"0": 0.99, "1": 0.01})
    found = post(client, "/v1/predict", pictures[:1], prevalence='{"0": 0.99, "1": 0.01}')
    assert found["answers"][0]["p_1"] == pytest.approx(wanted.table["p_1"][0], abs=1e-6)
    for wrong in ("2", "NaN", "many", "[]", "{}", '{"0": "x"}', "1e999", "[" * 3000, '{"nobody": 0.5}'):
        refused = client.post("/v1/predict", content=b"x", params={"prevalence": wrong})
        assert refused.status_code == 422, wrong


def test_every_answer_says_that_it_is_not_for_clinical_use(client: httpx.Client, pictures: list[Path]) -> None:
    assert "not for clinical use" in post(client, "/v1/predict", pictures[:1])["notice"]
    assert "의료기기가 아닙니다" in post(client, "/v1/predict", pictures[:1], lang="ko")["notice"]
    assert "not for clinical use" in client.get("/v1/model").json()["notice"]


def test_an_image_unlike_the_training_images_is_flagged(
    client: httpx.Client, tiny_archive: Path, tmp_path: Path
) -> None:
    with np.load(tiny_archive) as archive:
        cv2.imwrite(str(tmp_path / "like.png"), archive["test_images"][0])
    cv2.imwrite(str(tmp_path / "unlike.png"), np.full((400, 30, 3), (0, 90, 255), np.uint8))
    found = post(client, "/v1/predict", [tmp_path / "like.png", tmp_path / "unlike.png"])
    assert [row["out_of_distribution"] for row in found["answers"]] == [False, True]
    assert found["answers"][1]["why"]


def named_after(tmp_path: Path) -> Path:
    """A DICOM file that says whose it is."""
    source = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    assert isinstance(source, FileDataset)
    source.PatientName, source.PatientID, source.PatientBirthDate = "KIM^MINSU", "SECRET-4711", "19610203"
    path = tmp_path / "KIM_MINSU.dcm"
    source.save_as(path)
    return path


def test_identities_are_never_shown(client: httpx.Client, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = named_after(tmp_path)
    for route in ("/v1/predict", "/v1/enhance?method=equalize", "/v1/histogram"):
        for body in (path.read_bytes(), path.read_bytes()[:-3000]):  # whole, and cut short
            answered = client.post(route, files=[("file", (path.name, body))])
            told = answered.content + json.dumps(dict(answered.headers)).encode() + caplog.text.encode()
            for secret in (b"MINSU", b"KIM", b"4711", b"19610203"):
                assert secret not in told


def test_enhance_is_the_contrast_of_the_library(client: httpx.Client, pictures: list[Path], tmp_path: Path) -> None:
    answered = client.post(
        "/v1/enhance", content=pictures[0].read_bytes(), params={"method": "clahe(clip=2) | gamma(0.8)"}
    )
    assert answered.headers["content-type"] == "image/png"
    found = cv2.imdecode(np.frombuffer(answered.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert found.tolist() == enhance(read(pictures[0]), "clahe(clip=2) | gamma(0.8)").pixels.tolist()
    colour = tmp_path / "colour.png"
    cv2.imwrite(str(colour), np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8))
    answered = client.post("/v1/enhance", content=colour.read_bytes(), params={"method": "none"})
    assert np.array_equal(
        cv2.imdecode(np.frombuffer(answered.content, np.uint8), cv2.IMREAD_COLOR), cv2.imread(str(colour))
    )


def test_enhance_keeps_the_depth_of_a_dicom_file(client: httpx.Client, tmp_path: Path) -> None:
    path = named_after(tmp_path)
    answered = client.post("/v1/enhance", content=path.read_bytes(), params={"method": "none", "window": "none"})
    found = cv2.imdecode(np.frombuffer(answered.content, np.uint8), cv2.IMREAD_UNCHANGED)
    image = read(path, window="none")
    low, high = image.value_range
    assert found.dtype == np.uint16
    assert np.abs(found / 65535 - (image.pixels - low) / (high - low)).max() < 1e-4


def test_the_histogram_is_that_of_the_library(client: httpx.Client, pictures: list[Path]) -> None:
    wanted = histogram(pictures, bins=8, jobs=1)
    found = post(client, "/v1/histogram", pictures, bins="8")
    assert [tuple(row) for row in found["table"]] == wanted.rows
    assert found["figures"]["mean"] == pytest.approx(wanted.figures["mean"])
    mixed = client.post("/v1/histogram", files=[("file", b"no image"), ("file", pictures[0].read_bytes())]).json()
    assert [one["file"] for one in mixed["rejected"]] == [1]
    assert client.post("/v1/histogram", content=b"no image").status_code == 422


def test_models_and_runs(client: httpx.Client, sources: dict[str, str]) -> None:
    runs = client.get("/v1/runs").json()
    assert [run["name"] for run in runs] == list(sources)
    assert 0 <= runs[0]["test"]["auroc"]["low"] <= runs[0]["test"]["auroc"]["high"] <= 1
    assert runs[1]["test"] == {}
    for name in sources:
        assert client.get("/v1/model", params={"model": name}).json()["name"] == name
    refused = client.get("/v1/model", params={"model": "nobody", "lang": "ko"})
    assert (refused.status_code, refused.json()["error"]) == (404, "serve.unknown_model")
    assert "그런 모델이 없습니다" in refused.json()["message"]


def test_health_and_metrics(client: httpx.Client) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    client.get("/v1/nowhere/KIM_MINSU")
    told = client.get("/metrics").text
    assert 'evenray_requests_total{method="GET",route="/health",status="200"}' in told
    assert "evenray_requests_at_work 0.0" in told
    assert "MINSU" not in told


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_documentation_names_every_route_and_asks_nobody_else(client: httpx.Client, language: str) -> None:
    page = client.get("/docs", params={"lang": language}).text
    for path in ("/v1/predict", "/v1/enhance", "/v1/histogram", "/v1/model", "/v1/runs", "/health", "/metrics"):
        assert f"<code>{path}</code>" in page
    assert page.count("http") == page.count(str(client.base_url).rstrip("/"))
    assert "<script" not in page
    assert client.get("/", follow_redirects=True).url.path == "/docs"
