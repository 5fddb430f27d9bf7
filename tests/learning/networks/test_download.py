"""Downloads: checked, cached, refused offline. The net is a local folder here."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from evenray.core.errors import EvenrayError, UsageError
from evenray.learning.networks import _known, build, catalogue

SPEC = "vgg11(head=average, width=0.05)"


def fetch(name: str, **how: Any) -> Path:
    return catalogue.path_of(catalogue.get(name, **how))


@pytest.fixture(autouse=True)
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty cache, and a folder that stands in for torchvision's server, with one file on it."""
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("EVENRAY_OFFLINE", raising=False)
    server = tmp_path / "server"
    server.mkdir()
    torch.save(build(SPEC, classes=2, channels=3, size=28, seed=8).network.state_dict(), server / "made.pth")
    name = f"vgg11-{hashlib.sha256((server / 'made.pth').read_bytes()).hexdigest()[:8]}.pth"
    (server / "made.pth").rename(server / name)
    monkeypatch.setitem(_known.KNOWN, "vgg11", _known._torchvision(name, SPEC))
    base = f"{server.as_uri()}/"
    monkeypatch.setitem(catalogue.get.__kwdefaults__, "base", base)
    return base


def test_a_network_starts_from_torchvisions_file(tmp_path: Path) -> None:
    model = build(SPEC, classes=2, channels=3, size=28, pretrained="torchvision")
    expected = build(SPEC, classes=2, channels=3, size=28, seed=8)
    assert torch.equal(model.state()["features.0.weight"], expected.state()["features.0.weight"])
    assert model.description.pretrained.kind == "torchvision"
    assert model.description.mean == pytest.approx([0.485, 0.456, 0.406])


def test_the_second_time_it_comes_from_the_cache(tmp_path: Path) -> None:
    first = fetch("vgg11")
    (tmp_path / "server" / first.name).unlink()
    assert fetch("vgg11") == fetch("vgg11", offline=True) == first
    assert {path.name for path in first.parent.iterdir()} == {first.name, "vgg11.json"}


def test_a_file_in_torchs_own_cache_is_used(tmp_path: Path) -> None:
    fetched = fetch("vgg11")
    kept = tmp_path / "torch" / "hub" / "checkpoints" / fetched.name
    kept.parent.mkdir(parents=True)
    fetched.rename(kept)
    assert fetch("vgg11", offline=True) == kept


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_offline_nothing_is_downloaded(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "environment":
        monkeypatch.setenv("EVENRAY_OFFLINE", "1")
    with pytest.raises(UsageError, match="downloads are off"):
        build(SPEC, classes=2, channels=3, size=28, pretrained="torchvision", offline=how == "argument")


def test_a_damaged_download_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    name = _known.KNOWN["vgg11"].file
    path = tmp_path / "server" / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EvenrayError, match="arrived damaged"):
        fetch("vgg11")
    assert list((tmp_path / "cache" / "weights").iterdir()) == []


def test_a_damaged_file_in_the_cache_is_fetched_again() -> None:
    path = fetch("vgg11")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert fetch("vgg11").read_bytes() == whole


def test_an_absent_server_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EvenrayError, match="by hand"):
        fetch("vgg11", base=f"{(tmp_path / 'nowhere').as_uri()}/")
    assert list((tmp_path / "cache" / "weights").iterdir()) == []


def test_a_network_that_torchvision_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match="no weights for 'krizhevsky'"):
        build("krizhevsky(width=0.05)", classes=2, channels=3, size=28, pretrained="torchvision")


def test_the_bytes_that_come_are_told() -> None:
    heard: list[tuple[int, int | None]] = []
    path = fetch("vgg11", tick=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (path.stat().st_size, path.stat().st_size)
