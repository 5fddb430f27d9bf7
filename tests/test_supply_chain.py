"""What the environments are made of: locked with hashes, whole, and under licences that bind nobody."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NOT_INSTALLED_BY_US = ("weights", "zoo")  # extras that neither the tests nor the container take


def locked(group: str) -> dict[str, Requirement]:
    """The packages of a file of the lock and of those that it includes. Each has a hash, and stands once."""
    text = (ROOT / "locks" / f"{group}.txt").read_text(encoding="utf-8")
    found: dict[str, Requirement] = {}
    for line in text.replace(" \\\n", "").splitlines():
        if line.startswith("-r "):
            found |= locked(line.removeprefix("-r ").removesuffix(".txt"))
        elif line and not line.startswith("#"):
            need = Requirement(line.partition(" --hash")[0].strip())
            assert re.search(r"(\s+--hash=sha256:[0-9a-f]{64})+$", line), need
            assert canonicalize_name(need.name) not in found, need
            found[canonicalize_name(need.name)] = need
    return found


def asked(lines: list[str], extras: frozenset[str] = frozenset({""})) -> list[Requirement]:
    """Those of such lines that hold here."""
    needs = [Requirement(line) for line in lines]
    return [n for n in needs if n.marker is None or any(n.marker.evaluate({"extra": extra}) for extra in extras)]


def missing(lines: list[str], lock: dict[str, Requirement], extras: frozenset[str] = frozenset({""})) -> list[str]:
    return [
        str(need) for need in asked(lines, extras)
        if (pin := lock.get(canonicalize_name(need.name))) is None
        or not need.specifier.contains(str(pin.specifier).removeprefix("=="), prereleases=True)
    ]  # fmt: skip


def test_all_that_the_project_asks_for_is_in_the_lock() -> None:
    extras, own = PROJECT["project"]["optional-dependencies"], PROJECT["project"]["name"]
    core, app, dev = locked("core"), locked("app"), locked("dev")
    assert missing([*PROJECT["build-system"]["requires"], *PROJECT["project"]["dependencies"]], core) == []
    assert missing(extras["app"], app) == []
    for name, lines in extras.items():
        if name not in NOT_INSTALLED_BY_US:
            assert missing([line for line in lines if Requirement(line).name != own], dev) == [], name
    assert missing(["numpy>=999", "no-such-package"], core) == ["numpy>=999", "no-such-package"]


@pytest.mark.parametrize("group", ["core", "app", "dev"])
def test_the_lock_holds_what_its_packages_ask_for(group: str) -> None:
    """It is installed without looking for dependencies, so none may be missing."""
    lock, extras = locked(group) | locked("cuda"), dict[str, frozenset[str]]()
    lines = [*PROJECT["project"]["dependencies"]]
    lines += [] if group == "core" else PROJECT["project"]["optional-dependencies"][group]
    left = [need for need in asked(lines) if need.name != PROJECT["project"]["name"]]
    while left:
        need = left.pop()
        wanted = extras.get(need.name, frozenset({""})) | need.extras
        if need.name in extras and wanted == extras[need.name]:
            continue
        extras[need.name] = wanted
        try:
            own = metadata.requires(need.name) or []
        except metadata.PackageNotFoundError:
            continue  # not on this system
        assert missing(own, lock, wanted) == [], need.name
        left += asked(own, wanted)
    assert len(extras) > 30


PIP = """#!/bin/sh
echo "$@" >> {log}
case "$*" in *locks/cpu.txt*) exit {cpu};; "show torch") echo "Requires: {needs}";; esac
"""


@pytest.mark.parametrize(("cpu", "needs"), [(0, "filelock, sympy"), (1, "cuda-bindings, filelock, nvidia-cudnn-cu13")])
def test_only_files_of_the_lock_are_installed_and_cuda_only_where_torch_needs_it(
    tmp_path: Path, cpu: int, needs: str
) -> None:
    log = tmp_path / "asked"
    (tmp_path / "pip").write_text(PIP.format(log=log, cpu=cpu, needs=needs))
    (tmp_path / "pip").chmod(0o755)
    subprocess.run(["sh", str(ROOT / "tools" / "install.sh"), str(tmp_path), "app", "--editable"], check=True)
    *files, last = [line for line in log.read_text().splitlines() if line.startswith("install")]
    assert all("--no-deps --require-hashes --only-binary :all:" in line for line in files)
    assert [line.rpartition("locks/")[2] for line in files] == ["cpu.txt", "app.txt", *(["cuda.txt"] if cpu else [])]
    assert last.endswith("--no-deps --no-build-isolation --editable .")


def test_no_licence_binds_programs_that_use_evenray_and_the_page_of_them_is_whole() -> None:
    tool = [sys.executable, str(ROOT / "tools" / "list_dependencies.py")]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^pydicom +\S+ +MIT.* core$", done.stdout, re.MULTILINE)
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    listed = {canonicalize_name(name) for name in re.findall(r"^\| ([\w.-]+) \|", page, re.MULTILINE)}
    here = {name for name, need in locked("app").items() if need.marker is None or need.marker.evaluate()}
    assert here - listed == set()


@pytest.mark.parametrize(
    ("said", "binding"),
    [("GPL-3.0-only", True), ("GNU General Public License v2 (GPLv2)", True), ("AGPL-3.0", True), ("MIT OR GPL-2.0", False),
     ("BSD-3-Clause AND GPL-3.0 WITH GCC-exception-3.1", False), ("LGPL-2.1", False), ("MPL-2.0 AND MIT", False),
     ("MIT AND GPL-2.0", True), ("LGPL-2.1 AND GPL-2.0", True), ("GNU Lesser General Public License v3", False)],
)  # fmt: skip
def test_a_licence_that_binds_is_seen(said: str, binding: bool) -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from list_dependencies import binds
    finally:
        sys.path.pop(0)
    assert binds(said) == binding
