"""The packages that evenray needs, with their licences: `python tools/list_dependencies.py [--markdown]`.

Read from what is installed, followed from one package to the next; docs/dependencies.md is what --markdown prints. None of the core
may have a licence that binds the programs which use it (GPL, AGPL): such packages are printed at the end, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]

BINDING = re.compile(r"\bA?GPL|GNU (Affero )?General Public", re.IGNORECASE)
HEAD = "# What evenray needs\n\nMade by `python tools/list_dependencies.py --markdown`. Versions are pinned in `constraints.txt`.\n"


def asked(lines: list[str], extras: tuple[str, ...] = ()) -> list[tuple[str, tuple[str, ...]]]:
    """The packages of such lines that this machine needs, with the extras wanted of each."""
    found = [Requirement(line) for line in lines]
    return [
        (need.name, tuple(need.extras)) for need in found
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in (*extras, ""))
    ]  # fmt: skip


def closure(lines: list[str]) -> set[str]:
    """Every package that these lines bring, as far as it is installed here."""
    found, left = set[str](), asked(lines)
    while left:
        package, wanted = left.pop()
        try:
            own = metadata.metadata(package)["Name"]
        except metadata.PackageNotFoundError:
            continue
        if own not in found:
            found.add(own)
            left += asked(metadata.requires(package) or [], wanted)
    return found


def licence(name: str) -> str:
    """As the package declares it: its expression, else its classifiers, else the first line of its text."""
    about = metadata.metadata(name)
    classes = [c.rpartition(" :: ")[2] for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    told = (
        about.get("License-Expression")
        or ", ".join(c for c in classes if c != "OSI Approved")
        or about.get("License")
        or ""
    )
    return told.strip().splitlines()[0][:80] if told.strip() else "not declared"


def table() -> list[tuple[str, str, str, str]]:
    """Rows of name, version, licence, and what needs it: the core, or the first extra that does."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"core": project["dependencies"], **project["optional-dependencies"]}
    rows, seen = [], set[str]()
    for group, lines in groups.items():
        for name in sorted(closure(lines) - seen - {"evenray"}, key=str.lower):
            seen.add(name)
            rows.append((name, metadata.version(name), licence(name), group))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markdown", action="store_true", help="as docs/dependencies.md")
    options = parser.parse_args()
    rows = table()
    if options.markdown:
        print(f"{HEAD}\n| package | licence | needed by |\n|---|---|---|")
        print("\n".join(f"| {name} | {said} | {group} |" for name, _, said, group in rows))
    else:
        print("\n".join(f"{name:32} {version:14} {said:60} {group}" for name, version, said, group in rows))
    bound = [
        f"{name}: {said}"
        for name, _, said, group in rows
        if group == "core" and BINDING.search(said) and "LGPL" not in said
    ]
    if bound:
        print("bind programs that use evenray: " + ", ".join(bound), file=sys.stderr)
    return 1 if bound else 0


if __name__ == "__main__":
    sys.exit(main())
