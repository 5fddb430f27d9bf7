"""Write what the environments are made of, with hashes: `python tools/lock.py [--upgrade] [--wheels FOLDER]` (`make lock`).

`uv` resolves once for every Python and every system that pyproject.toml allows, and gives the hash of every file that a release
has. locks/core.txt is what `evenray` needs, locks/app.txt what the service and the workbench need beside it, locks/dev.txt what
tests need beside those; each package stands in one file. locks/cuda.txt has the CUDA libraries that PyTorch's build for Linux
needs, and locks/cpu.txt PyTorch's builds without CUDA: the index does not have them, so their hashes are taken from the wheels in
FOLDER. Versions stay as they are unless --upgrade. `tools/install.sh` installs what stands here.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "locks"
GROUPS = ("core", "app", "dev")  # each includes those before it
OLDEST = "3.11.5"  # an older patch release has no documentation tools
HEAD = "# Made by `make lock`; docs/security.md says what it is good for.\n"


@dataclass(frozen=True)
class Pin:
    """One package of the lock: its line without hashes, the hashes of its files, and the packages that ask for it."""

    line: str
    hashes: set[str] = field(default_factory=set)
    wanted_by: frozenset[str] = frozenset()

    @property
    def need(self) -> Requirement:
        return Requirement(self.line)

    def text(self) -> str:
        return " \\\n    ".join([self.line, *(f"--hash=sha256:{each}" for each in sorted(self.hashes))]) + "\n"


def pins(text: str) -> dict[str, Pin]:
    """The packages of a file in pip's form, by name."""
    found = {}
    for block in re.split(r"\n(?=\w)", text.replace(" \\\n", "\n")):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        own = [line for line in lines if "==" in line]
        if own:
            wanted = [line.removeprefix("# via ") for line in lines if line.startswith("# via ")]
            hashes = {line.removeprefix("--hash=sha256:") for line in lines if line.startswith("--hash")}
            by = frozenset(canonicalize_name(name) for name in ", ".join(wanted).split(", ") if name and name[0] != "-")
            found[canonicalize_name(Requirement(own[0]).name)] = Pin(own[0], hashes, by)
    return found


def kept(name: str) -> dict[str, Pin]:
    """What stands in a file of the lock."""
    path = LOCKS / f"{name}.txt"
    return pins(path.read_text("utf-8")) if path.exists() else {}


def resolved(group: str, versions: list[str]) -> dict[str, Pin]:
    """What uv finds for a group, held to these versions."""
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    with tempfile.TemporaryDirectory() as place:
        held, build = Path(place, "held.txt"), Path(place, "build.in")
        held.write_text("\n".join(versions), encoding="utf-8")
        build.write_text("\n".join(needs), encoding="utf-8")
        command = [
            sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", str(build), "--universal", "--quiet", "--no-header",
            "--python-version", OLDEST, "--generate-hashes", "--annotation-style", "line", "--constraints", str(held),
            *([] if group == "core" else ["--extra", group]),
        ]  # fmt: skip
        return pins(subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout)


def only_through(start: str, found: dict[str, Pin]) -> set[str]:
    """Packages for Linux alone that nothing asks for but `start` and packages of this kind."""
    inside = {start}
    while more := {
        name for name, pin in found.items()
        if name not in inside and pin.wanted_by and pin.wanted_by <= inside and "sys_platform == 'linux'" in pin.line
    }:  # fmt: skip
        inside |= more
    return inside - {start}


def builds(folder: Path, pinned: dict[str, Pin]) -> dict[str, Pin]:
    """The wheels in a folder that are builds of pinned versions of their own, such as 2.13.0+cpu of 2.13.0."""
    found = {}
    for path in sorted(folder.glob("*.whl")):
        name, version, _, _ = parse_wheel_filename(path.name)
        if version.local and name in pinned and version in pinned[name].need.specifier:
            pin = found.setdefault(name, Pin(f"{name}=={version}"))
            pin.hashes.add(hashlib.sha256(path.read_bytes()).hexdigest())
    return found


def write(name: str, text: str, own: Iterable[Pin]) -> None:
    (LOCKS / f"{name}.txt").write_text(text + "".join(pin.text() for pin in own), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    parser.add_argument("--wheels", type=Path, help="a folder of builds that are not in the index")
    options = parser.parse_args()
    before = {} if options.upgrade else {n: pin for group in (*GROUPS, "cuda") for n, pin in kept(group).items()}
    whole = resolved(GROUPS[-1], [f"{name}{pin.need.specifier}" for name, pin in before.items()])
    versions = [f"{name}{pin.need.specifier}" for name, pin in whole.items()]
    cuda, written, text = only_through("torch", whole), set[str](), HEAD
    LOCKS.mkdir(exist_ok=True)
    for group in GROUPS:
        own = (set(whole) if group == GROUPS[-1] else set(resolved(group, versions))) - written - cuda
        write(group, text, (whole[name] for name in sorted(own)))
        written, text = written | own, f"{HEAD}-r {group}.txt\n"
    write("cuda", HEAD, (whole[name] for name in sorted(cuda)))
    cpu = {name: pin for name, pin in kept("cpu").items() if pin.line.partition("+")[0] == whole[name].line}
    write("cpu", HEAD, (cpu | (builds(options.wheels, whole) if options.wheels else {})).values())
    print(
        f"{len(whole)} packages with {sum(len(pin.hashes) for pin in whole.values())} hashes, {len(cuda)} of them for CUDA"
    )


if __name__ == "__main__":
    main()
