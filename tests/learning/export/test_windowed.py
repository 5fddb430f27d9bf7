"""Exported networks that look at windows: evenray answers as with torch, and other programs can by what the file says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evenray.core.artefacts.model import NetworkRecord, TrainingCounts
from evenray.learning import export
from evenray.learning.boxes.decoding import Detected, decode
from evenray.learning.looks import look_of
from evenray.learning.networks import Classifier, build
from evenray.learning.predict.about import About, FindingPoint
from evenray.learning.predict.engines import load
from evenray.metrics import Calibration

onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra 'export'")
openvino = pytest.importorskip("openvino", reason="needs the extra 'export'")

SIZE, SIDE = 64, 100


def about(model: Classifier, view: str) -> About:
    task = "detect" if model.description.output == "boxes" else "segment"
    same = Calibration("none", {})
    return About(
        task=task, classes=("a", "b"), positive="", contrast="none", value_range=(0.0, 255.0), side=SIDE, native=SIDE, scale=255,
        view=view, balance="none", prior=(0.5, 0.3, 0.2), counts=(5, 3, 2), calibration=same, threshold=None, rule=None,
        prevalence=None, training_images=None, image_side=SIDE, weights="0" * 64,
        points=tuple(FindingPoint(calibration=same, threshold=0.5, rule="0.5") for _ in range(2)),
        network=NetworkRecord.model_validate_json(model.description.model_dump_json()), references={},
        findings=TrainingCounts(present=(30, 20), absent=(970, 980), drawn=None),
    )  # fmt: skip


@pytest.fixture(scope="module", params=["segment", "detect"])
def model(request: pytest.FixtureRequest) -> Classifier:
    spec = "unet('vgg11_bn(width=0.1)')" if request.param == "segment" else "ssd('vgg11_bn(width=0.1)')"
    # The background is among the classes of a network of masks; a detector counts it by itself.
    classes, output = (3, "softmax") if request.param == "segment" else (2, "boxes")
    found = build(
        spec,
        classes=classes,
        channels=1,
        size=SIZE,
        seed=5,
        mean=[0.5],
        std=[0.2],
        output=output,  # type: ignore[arg-type]
    )
    with torch.no_grad():
        drawn = torch.Generator().manual_seed(3)
        for _ in range(20):
            found.train()(torch.rand(8, 1, SIZE, SIZE, generator=drawn))  # statistics of batch normalisation
        for name, p in found.named_parameters():
            if ".classify." in name:  # so that few default boxes, and not all alike, are called
                p.mul_(2.5) if p.ndim > 1 else p.copy_(torch.tensor([9.0, 0.0, 0.0]).repeat(len(p) // 3))
    return found.eval()


@pytest.fixture(scope="module")
def x() -> Any:
    """Two images, the second with padding at its right."""
    blobs = torch.nn.functional.interpolate(
        torch.rand(2, 1, 12, 12, generator=torch.Generator().manual_seed(1)), SIDE, mode="bicubic"
    )
    x = blobs.clamp(0, 1)
    x[1, :, :, 30:] = 0  # so that a window is empty
    return x.numpy().astype(np.float32)


def test_both_formats_answer_for_whole_images_as_torch_does(model: Classifier, x: Any, tmp_path: Path) -> None:
    view = "flips"
    own = about(model, view)
    windows = np.ascontiguousarray(x[:, :, :SIZE, :SIZE])
    path, difference = export.onnx(model, own, tmp_path, windows)
    assert difference < 1e-4
    wanted = look_of(own.task)(model, torch.from_numpy(x), view)
    xml, difference = export.openvino(path, own, model, tmp_path, windows)
    assert difference < 1e-4
    onnx, other = load(path), load(xml)
    near = {"f32": 1e-3, "bf16": 0.5}
    for loaded in (onnx, other):
        found = torch.from_numpy(loaded.run(x))
        if own.task == "segment":
            assert found.shape == wanted.shape
            assert float((found - wanted).abs().max()) < near[loaded.precision]
        elif loaded.precision == "f32":
            for there, here in zip(decode(found), decode(wanted), strict=True):
                assert alike(np.column_stack([there.classes, there.boxes, there.scores]), here)


@pytest.mark.parametrize("view", ["centre", "flips"])
def test_other_programs_can_put_windows_together(model: Classifier, x: Any, view: str, tmp_path: Path) -> None:
    """By what the metadata say, with numpy alone but for the resizing of the whole image."""
    own = about(model, view)
    path, _ = export.onnx(model, own, tmp_path, np.ascontiguousarray(x[:, :, :SIZE, :SIZE]))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    told = session.get_modelmeta().custom_metadata_map
    assert json.loads(told["size"]) == SIDE
    assert session.get_inputs()[0].shape[2:] == [SIZE, SIZE]
    assert ("mirror" in told["windows"]) == (view == "flips")
    run = lambda some: session.run(None, {"x_NCHW": np.ascontiguousarray(some)})[0].astype(np.float64)  # noqa: E731
    wanted = look_of(own.task)(model, torch.from_numpy(x), view)
    for image, own_wanted in zip(x, wanted, strict=True):
        if own.task == "segment":
            found = blended(run, image, view == "flips")
            assert np.abs(found - own_wanted.softmax(0).numpy()).max() < 1e-3
        else:
            boxes = found_in(run, image, view == "flips")
            (here,) = decode(own_wanted[None])
            assert len(here.scores) > 5
            assert alike(np.array(boxes), here)


def alike(boxes_D6: Any, here: Detected) -> bool:
    """Whether the boxes (class, places, score) are those found by torch, in whichever order near ties came."""
    own = np.column_stack([here.classes, here.boxes, here.scores])
    apart = np.abs(own[:, None] - boxes_D6[None]).max(2)
    return len(own) == len(boxes_D6) and bool((apart.min(1) < 1e-3).all() and (apart.min(0) < 1e-3).all())


def starts() -> list[int]:
    """From edge to edge, in even steps of at most half a window."""
    number = int(np.ceil((SIDE - SIZE) / (SIZE / 2)))
    return [round(i * (SIDE - SIZE) / number) for i in range(number + 1)]


def soft_max(z: Any, axis: int) -> Any:
    e = np.exp(z - z.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def blended(run: Any, image: Any, mirror: bool) -> Any:
    total, weight = np.zeros((3, SIDE, SIDE)), np.zeros((SIDE, SIDE))
    apart = (np.arange(SIZE) - (SIZE - 1) / 2) / (SIZE / 8)
    own = np.maximum(np.exp(-(apart[:, None] ** 2 + apart[None] ** 2) / 2), 1e-4)
    for top in starts():
        for left in starts():
            window = image[None, :, top : top + SIZE, left : left + SIZE]
            p = soft_max(run(window), 1)[0]
            if mirror:
                p = (p + soft_max(run(window[..., ::-1]), 1)[0][..., ::-1]) / 2
            total[:, top : top + SIZE, left : left + SIZE] += p * own
            weight[top : top + SIZE, left : left + SIZE] += own
    return total / weight


def found_in(run: Any, image: Any, mirror: bool) -> list[tuple[float, ...]]:
    """Boxes (class, x0, y0, x1, y1, score), places as shares of the square."""
    small = torch.nn.functional.interpolate(
        torch.from_numpy(image)[None], (SIZE, SIZE), mode="bilinear", align_corners=False, antialias=True
    ).numpy()
    boxes = [box for box in look(run, small, mirror) if max(box[3] - box[1], box[4] - box[2]) * SIDE > 3 / 8 * SIZE]
    for top in starts():
        for left in starts():
            window = image[None, :, top : top + SIZE, left : left + SIZE]
            if window.min() == window.max():
                continue
            for k, *places, score in look(run, window, mirror):
                if max(places[2] - places[0], places[3] - places[1]) > 1 / 2:
                    continue
                ours = True
                for first, last, start in ((places[0], places[2], left), (places[1], places[3], top)):
                    middle = (first + last) / 2
                    ours &= start == 0 or (middle >= 3 / 16 and first >= 1 / 32)
                    ours &= start + SIZE == SIDE or (1 - middle >= 3 / 16 and 1 - last >= 1 / 32)
                if ours:
                    moved = (np.array(places) * SIZE + [left, top, left, top]) / SIDE
                    boxes.append((k, *moved, score))
    return suppressed(boxes)


def look(run: Any, x: Any, mirror: bool) -> list[tuple[float, ...]]:
    """The boxes of one look, as the entry `decoding` has it."""
    answers = run(x)[0]
    if mirror:
        other = run(x[..., ::-1])[0]
        across = {tuple(row.round(4)): n for n, row in enumerate(other[:, 4:8])}
        other = other[[across[tuple(np.array([1 - cx, cy, w, h]).round(4))] for cx, cy, w, h in answers[:, 4:8]]]
        other[:, 0] *= -1
        answers = np.concatenate(
            [(answers[:, :4] + other[:, :4]) / 2, answers[:, 4:8], (answers[:, 8:] + other[:, 8:]) / 2], 1
        )
    dx, dy, dw, dh, cx, cy, w, h = answers[:, :8].T
    centre, sides = (
        np.stack([cx + 0.1 * dx * w, cy + 0.1 * dy * h]),
        np.stack([w * np.exp(0.2 * dw), h * np.exp(0.2 * dh)]),
    )
    corners = np.concatenate([centre - sides / 2, centre + sides / 2]).clip(0, 1).T
    scores = soft_max(answers[:, 8:], 1)[:, 1:]
    return suppressed([
        (k, *corners[n], scores[n, k]) for k in range(2) for n in np.flatnonzero(scores[:, k] >= 0.01).tolist()
    ])  # fmt: skip


def suppressed(boxes: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Of each class the 1,000 highest scores, of those that share much the highest, and of all 300."""
    kept = []
    for k in range(2):
        left = np.array(sorted((box for box in boxes if box[0] == k), key=lambda box: -box[5])[:1000]).reshape(-1, 6)
        while len(left):
            kept.append(tuple(left[0]))
            left = left[1:][shared(left[0, 1:5], left[1:, 1:5]) <= 0.45]
    return sorted(kept, key=lambda box: -box[5])[:300]


def shared(one: Any, others: Any) -> Any:
    """The intersections over the unions."""
    sides = np.minimum(one[2:], others[:, 2:]) - np.maximum(one[:2], others[:, :2])
    both = sides.clip(0).prod(1)
    return both / ((one[2:] - one[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1) - both)
