"""The protocol on a small folder of ImageNet's layout, against crops cut and averaged by hand in numpy."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray
from scipy.io import savemat
from scipy.special import softmax

import evenray.learning.train  # noqa: F401  (its module of machines is changed below)
from evenray.cli import main
from evenray.core.errors import DataError, UsageError
from evenray.evidence.table7.classes import listing
from evenray.evidence.table7.imagenet import given_weights, wanted
from evenray.evidence.table7.published import EVALUATIONS, published
from evenray.learning.networks import Classifier, build, save
from evenray.learning.tta import check_tta

WNIDS = ["n01440764", "n01443537", "n01484850", "n01491361", "n01494475", "n01496331", "n01498041"]
SIZE, SIDE = 28, 32  # 224 and 256, divided by eight
TRUE = [0, 1, 2, 3, 4, 5, 6, 2, 2, 6]


@pytest.fixture(scope="module")
def images() -> list[NDArray[np.uint8]]:
    """RGB, the shorter side 32, so that the protocol's resizing to 256 of 224 leaves them as they are."""
    rng = np.random.default_rng(0)
    shapes = [(SIDE, 48) if i % 2 else (40, SIDE) for i in range(len(TRUE))]
    return [rng.integers(0, 255, (*shape, 3), dtype=np.uint8) for shape in shapes]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Classifier]:
    model = build("vgg11(head=classical, width=0.1)", classes=len(WNIDS), channels=3, size=SIZE, seed=3).eval()
    with torch.no_grad():
        model.network.classifier[-1].weight.mul_(40)  # opinions that differ from image to image
    path = tmp_path_factory.mktemp("weights") / "vgg.safetensors"
    save(model, path)
    return path, model


def name(number: int) -> str:
    return f"ILSVRC2012_val_{number + 1:08d}.JPEG"


def write(path: Path, image: NDArray[np.uint8]) -> None:
    """Under ImageNet's names; lossless inside, so that the reference sees the same pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())


@pytest.fixture(scope="module")
def folder(images: list[NDArray[np.uint8]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("imagenet") / "val"
    for i, (image, true) in enumerate(zip(images, TRUE, strict=True)):
        write(root / WNIDS[true] / name(i), image)
    return root


@pytest.fixture(scope="module")
def flat(images: list[NDArray[np.uint8]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("flat") / "val"
    for i, image in enumerate(images):
        write(root / name(i), image)
    return root


def p_of(model: Classifier, crop: NDArray[np.uint8]) -> NDArray[np.float64]:
    x = torch.from_numpy(crop.astype(np.float32) / 255).permute(2, 0, 1)[None]
    with torch.no_grad():
        return softmax(model(x).numpy().astype(np.float64), axis=1)[0]


def crops(image: NDArray[np.uint8], grid: int) -> list[NDArray[np.uint8]]:
    tops, lefts = (np.rint(np.linspace(0, side - SIZE, grid)).astype(int) for side in image.shape[:2])
    return [image[top : top + SIZE, left : left + SIZE] for top in tops for left in lefts]


def by_hand(model: Classifier, image: NDArray[np.uint8], view: str) -> NDArray[np.float64]:
    height, width = image.shape[:2]
    if view == "centre":
        top, left = (height - SIZE) // 2, (width - SIZE) // 2
        return p_of(model, image[top : top + SIZE, left : left + SIZE])
    both = (image, image[:, ::-1])
    if view == "multicrop":
        return np.mean([p_of(model, np.ascontiguousarray(c)) for one in both for c in crops(one, 5)], axis=0)
    found = []
    for one in both:  # dense: the head at every place of the map, its scores averaged
        x = torch.from_numpy(one.astype(np.float32) / 255).permute(2, 0, 1)[None]
        with torch.no_grad():
            map_CHW = model.network.trunk(model.normalise(x))[0]
            places = [model.network.classifier(map_CHW[:, i, j][None])[0] for i in range(map_CHW.shape[1])
                      for j in range(map_CHW.shape[2])]  # fmt: skip
        found.append(softmax(np.mean([place.numpy() for place in places], axis=0)))
    return np.mean(found, axis=0)


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    monkeypatch.setattr(sys, "argv", ["evenray", "table7", *map(str, words), "--json", "--device", "cpu"])
    with contextlib.suppress(SystemExit):
        main()
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32, so that the reference by hand says the same to rounding."""
    monkeypatch.setattr(sys.modules["evenray.learning.train.machine"], "_cpu_is_faster_in_bf16", lambda: False)


@pytest.mark.parametrize(
    ("view", "spec"),
    [
        ("centre", "centre"),
        ("dense", "dense(scales=[1.142857], flip=True)"),
        ("multicrop", "multicrop(scales=[1.142857], flip=True)"),
    ],
)
def test_errors_are_those_of_the_protocol_by_hand(
    folder: Path, images: list[NDArray[np.uint8]], weights: tuple[Path, Classifier], view: str, spec: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path, model = weights
    words = (
        "--imagenet",
        folder,
        "--network",
        "vgg11(head=classical, width=0.1)",
        "--pretrained",
        path,
        "--size",
        SIZE,
    )
    found = run(monkeypatch, capsys, *words, "--tta", spec, "-o", tmp_path / "out")["errors"][0]
    probabilities = [by_hand(model, image, view) for image in images]
    for k in (1, 5):
        wrong = np.mean([true not in np.argsort(-p)[:k] for p, true in zip(probabilities, TRUE, strict=True)])
        assert found[f"top{k}"] == pytest.approx(100 * wrong)
        assert found[f"top{k}_low"] <= found[f"top{k}"] <= found[f"top{k}_high"]
    assert 0 < found["top1"] < 100
    assert found["top1_baseline"] == pytest.approx(70.0)  # three of ten are of class 2
    assert found["images"] == 10
    text = (tmp_path / "out" / "imagenet.md").read_text()
    assert f"{found['top1']:.2f}" in text


def test_all_evaluations_in_one_go_and_again_from_disk(
    folder: Path, weights: tuple[Path, Classifier], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    words = (
        "--imagenet",
        folder,
        "--network",
        "vgg11(head=classical, width=0.1)",
        "--pretrained",
        weights[0],
        "--size",
        SIZE,
    )
    words = (*words, "--tta", "all", "-o", tmp_path / "out")
    first = run(monkeypatch, capsys, *words)
    assert [row["evaluation"] for row in first["errors"]] == [text for text, _ in EVALUATIONS.values()]
    assert first["errors"][1]["published_top1"] == 29.6  # vgg11 is the paper's A: Table 3, S = Q = 256
    monkeypatch.setattr("evenray.evidence.table7.imagenet.tta_logits", None)  # nothing is looked at twice
    assert run(monkeypatch, capsys, *words) == first


def test_a_damaged_image_is_set_aside(
    folder: Path, weights: tuple[Path, Classifier], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    import shutil

    copied = Path(shutil.copytree(folder, tmp_path / "val"))
    broken = copied / WNIDS[0] / name(0)
    broken.write_bytes(broken.read_bytes()[:60])
    words = (
        "--imagenet",
        copied,
        "--network",
        "vgg11(head=classical, width=0.1)",
        "--pretrained",
        weights[0],
        "--size",
        SIZE,
    )
    found = run(monkeypatch, capsys, *words, "--tta", "centre", "-o", tmp_path / "out")
    assert found["errors"][0]["images"] == 9
    assert pl.read_csv(tmp_path / "out" / "rejected.csv")["file"].to_list() == [name(0)]


class TestLayouts:
    def test_class_folders_in_the_order_of_their_wnids(self, folder: Path) -> None:
        found = listing(folder)
        expected = {name(i): true for i, true in enumerate(TRUE)}
        assert {file.name: int(t) for file, t in zip(found.files, found.targets, strict=True)} == expected
        assert found.classes == 7

    def test_caffes_table(self, flat: Path) -> None:
        table = flat.parent / "val.txt"
        table.write_text("".join(f"{name(i)} {true}\n" for i, true in enumerate(TRUE)))
        found = listing(flat)
        table.unlink()
        assert (found.targets.tolist(), found.classes) == (TRUE, 7)

    def test_kaggles_table_with_its_synsets(self, flat: Path) -> None:
        lines = [f"{Path(name(i)).stem},{WNIDS[true]} 1 2 3 4 " for i, true in enumerate(TRUE)]
        (flat / "LOC_val_solution.csv").write_text("ImageId,PredictionString\n" + "\n".join(reversed(lines)) + "\n")
        (flat / "LOC_synset_mapping.txt").write_text("n00000000 nothing\n" + "".join(f"{w} a, b\n" for w in WNIDS))
        found = listing(flat)
        (flat / "LOC_val_solution.csv").unlink()
        (flat / "LOC_synset_mapping.txt").unlink()
        assert (found.targets.tolist(), found.classes) == ([true + 1 for true in TRUE], 8)

    def test_the_development_kits_own_numbers_are_translated(self, flat: Path) -> None:
        """Its numbers run against the order of the wnids here, and inner nodes of the tree follow the leaves."""
        numbers = {wnid: 7 - i for i, wnid in enumerate(WNIDS)}
        kinds = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("num_children", "O")]
        entries = [(numbers[w], w, 0) for w in WNIDS] + [(8, "n99999999", 3)]
        savemat(flat.parent / "meta.mat", {"synsets": np.array(entries, dtype=kinds)})
        table = flat / "ILSVRC2012_validation_ground_truth.txt"
        table.write_text("".join(f"{numbers[WNIDS[true]]}\n" for true in TRUE))
        found = listing(flat)
        (flat.parent / "meta.mat").unlink()
        with pytest.raises(DataError, match=r"put meta\.mat of the development kit"):
            listing(flat)
        table.unlink()
        assert (found.targets.tolist(), found.classes) == (TRUE, 7)

    def test_what_is_missing_is_named(self, flat: Path, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"no table of their classes; put val\.txt"):
            listing(flat)
        with pytest.raises(DataError, match="no image and no class folder"):
            listing(tmp_path)
        with pytest.raises(DataError, match="There is no folder"):
            listing(tmp_path / "nowhere")
        (flat / "val.txt").write_text(f"{name(0)} 0\n")
        with pytest.raises(
            DataError, match=r"no class for 9 of the images in val\.txt, the first is ILSVRC2012_val_00000002"
        ):
            listing(flat)
        (flat / "val.txt").unlink()


def test_weights_without_a_fitting_head_are_refused(weights: tuple[Path, Classifier]) -> None:
    with pytest.raises(UsageError, match=r"has no classifier\.6\.weight for 5 classes"):
        given_weights("vgg11(head=classical, width=0.1)", str(weights[0]), 5, SIZE)


def test_a_vgg_has_its_classical_head_where_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build("vgg11(head=classical)", classes=3, channels=3, size=SIZE)
    save(model, tmp_path / "w.safetensors")
    found = given_weights("vgg11", str(tmp_path / "w.safetensors"), 3, SIZE)
    assert torch.equal(found.state()["classifier.6.bias"], model.state()["classifier.6.bias"])


@pytest.mark.parametrize("name", EVALUATIONS)
def test_every_evaluation_can_be_read(name: str) -> None:
    if name != "both":
        check_tta(wanted("all")[name], flips=True)


def test_the_published_figures_of_the_sixteen_layers() -> None:
    """From the paper's tables 3 to 5 and torchvision's list."""
    expected = [
        (28.408, 9.618),
        (27.0, 8.8),
        (25.6, 8.1),
        (26.6, 8.6),
        (26.5, 8.6),
        (24.8, 7.5),
        (24.6, 7.5),
        (24.4, 7.2),
    ]
    assert [published("vgg16", name)[:2] for name in EVALUATIONS] == expected  # type: ignore[index]
