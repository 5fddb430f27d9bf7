"""Plug-ins of installed packages: found by their entry points, told apart from ours, and named where they are broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

POINTS = """
[evenray.contrast]
brighten = plugin_example:brighten
[evenray.balance]
rarest_first = plugin_example:rarest_first
[evenray.network]
tiny = plugin_example:tiny
[evenray.check]
few_cases = plugin_example:few_cases
[evenray.reader]
greys = plugin_example:read
[evenray.texts]
plugin_example = plugin_texts
"""
LINE = """
import numpy as np, evenray as er
from evenray.core.artefacts.ledger import version
from evenray.core.texts import Texts
from evenray.learning.balance import balances, make
from evenray.learning.networks import build, networks
print("version", version())
data = er.scan("images")
print("scanned", len(data), data.classes)
print("checks", [Texts("ko")(f"finding.{f.check}.title") for f in er.audit(data) if f.check == "few_cases"])
print("brighter", er.enhance(er.read("images/sick/a.greys"), "brighten(power=0.5)").pixels.tolist())
print("network", build("tiny(width=0.25)", classes=2, channels=1, size=28).description.spec)
sampler = make("rarest_first", [3, 1], ("a", "b")).sampler
print("remedy", sampler(np.array([0, 0, 1, 0]), batch=2, seed=0, epoch=0).tolist())
print("listed", "rarest_first" in list(balances), "tiny" in list(networks))
"""


def installed(folder: Path, points: str) -> Path:
    """A folder that holds what installing the package would leave: its modules and the list of its entry points."""
    for own in (Path(__file__).parent / "plugin").iterdir():
        (folder / own.name).symlink_to(own)
    about = folder / "evenray_example-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: evenray-example\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text(points)
    return folder


def run(code: str, where: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    paths = f"import sys; sys.path.insert(0, {str(where)!r});"
    return subprocess.run([sys.executable, "-c", paths + code], cwd=cwd, capture_output=True, text=True, check=False)


def test_a_package_adds_one_of_each_kind(tmp_path: Path) -> None:
    where = tmp_path / "site"
    where.mkdir()
    for name, values in (("sick/a", "2 0 64 255 16"), ("healthy/b", "2 9 9 8 1")):
        file = tmp_path / "images" / f"{name}.greys"
        file.parent.mkdir(parents=True)
        file.write_text(f"GREYS {values}")
    found = run(LINE, installed(where, POINTS), tmp_path)
    assert found.returncode == 0, found.stderr
    told = dict(line.split(" ", 1) for line in found.stdout.splitlines())
    assert told["version"].endswith(", evenray-example 1.2")
    assert told["scanned"] == "2 ('healthy', 'sick')"
    assert told["checks"] == "['열 장이 안 되는 영상']"
    assert told["brighter"] == "[[0, 128], [255, 64]]"
    assert told["network"] == "tiny(width=0.25)"
    assert told["remedy"] == "[2, 0, 1, 3]"
    assert told["listed"] == "True True"


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (
            "[evenray.contrast]\nclahe = plugin_example:brighten",
            "adds 'clahe' to evenray.contrast, which evenray has itself",
        ),
        (
            "[evenray.contrast]\nlost = plugin_example:nowhere",
            "the package evenray-example cannot be loaded (AttributeError",
        ),
        (
            "[evenray.contrast]\nlost = not_there:f",
            "the package evenray-example cannot be loaded (ModuleNotFoundError",
        ),
    ],
)
def test_what_is_wrong_with_a_package_is_said_with_its_name(tmp_path: Path, points: str, said: str) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "x.png")
    code = (
        "from evenray.cli import main; sys.argv = ['evenray', 'enhance', 'x.png', '--method', 'lost']; sys.exit(main())"
    )
    found = run(code, installed(tmp_path, points), tmp_path)
    assert found.returncode == 2
    assert said in " ".join(found.stderr.replace("│", " ").split())
    assert "Traceback" not in found.stderr
