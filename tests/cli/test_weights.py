"""The verbs weights list, get and import: what they print, and how they fail."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest
import typer

import evenray as er
from evenray.cli import app
from evenray.learning import networks

from .conftest import Cli, one_sentence

SPEC = "vgg11(head=levels, width=0.05)"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "cache" / "weights"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    import torch

    path = tmp_path / "drawn.pth"
    torch.save(networks.build(SPEC, classes=2, channels=3, size=28).network.state_dict(), path)
    return path


def test_a_file_is_imported_and_listed(cli: Cli, file: Path) -> None:
    asked = ("--name", "mine", "--network", SPEC, "--mean", ".1,.2,.3", "--std", ".4,.5,.6", "--licence", "CC0-1.0")
    ended = cli("weights", "import", file, *asked, "--json")
    assert ended.code == 0, ended.err
    made = json.loads(ended.out)
    assert (made["name"], made["mean"], made["channels"]) == ("mine", [0.1, 0.2, 0.3], "RGB")
    listed = json.loads(cli("weights", "list", "--json").out)
    assert listed["weights"] == [made]
    assert "'evenray weights get vgg16_bn'" in listed["known"].values()
    shown = cli("weights", "list", "--lang", "ko")
    assert shown.code == 0
    assert "mine" in shown.out
    assert "이 컴퓨터에 없음: vgg16_bn" in shown.out
    assert er.weights.list()[0].sha256 == made["sha256"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("get", "nosuch"), "There is no weight file named 'nosuch'"),
        (("get", "vgg16_authors"), "are not downloaded; 'evenray weights import"),
        (("import", "nowhere.pth"), "There is no file nowhere.pth to import"),
        (("import", "FILE"), "does not say which network it is for"),
        (("import", "FILE", "--network", SPEC), "give --mean and --std"),
        (("import", "FILE", "--network", SPEC, "--mean", "a,b"), "give numbers with commas"),
        (("import", "FILE", "--channels", "CMYK"), "give RGB, BGR or grey"),
    ],
)
def test_wrong_usage_is_one_sentence(cli: Cli, file: Path, words: tuple[str, ...], said: str) -> None:
    one_sentence(cli("weights", *(str(file) if word == "FILE" else word for word in words)), said, 2)


def test_without_a_net_get_says_what_to_do(cli: Cli, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evenray.learning.networks import catalogue

    monkeypatch.setitem(catalogue.get.__kwdefaults__, "base", "file:///nowhere/")
    ended = cli("weights", "get", "vgg16_bn")
    one_sentence(ended, "could not be fetched", 1)
    assert "fetch it by hand and put it at" in ended.err
    monkeypatch.setenv("EVENRAY_OFFLINE", "1")
    one_sentence(cli("weights", "get", "vgg16_bn"), "downloads are off", 2)


@pytest.mark.parametrize(("verb", "name"), [("list", "list"), ("get", "get"), ("import", "import_file")])
def test_the_options_are_the_parameters(verb: str, name: str) -> None:
    command = typer.main.get_command(app).commands["weights"].commands[verb]  # type: ignore[attr-defined]
    parameters = set(inspect.signature(getattr(er.weights, name)).parameters)
    assert {option.name for option in command.params} - {"json", "lang"} == parameters - {"listener"}
