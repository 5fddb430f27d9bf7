"""The packages that evenray needs, with their licences: `python tools/list_dependencies.py [--markdown]`.

Read from what is installed, followed from one package to the next; docs/dependencies.md is what --markdown prints. Nothing that is
installed with evenray or one of its extras for users may have a licence that binds the programs which use it (GPL, AGPL and the like),
or none at all: such packages are printed at the end, and the exit code is 1. Licences that bind changes to the package's own files
(MPL, LGPL) are listed apart.
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

BINDING = re.compile(r"\b(A?GPL|SSPL|EUPL|OSL|CC-BY-(NC|SA))|GNU (Affero )?General Public", re.IGNORECASE)
OWN_FILES = re.compile(r"\b(LGPL|MPL|EPL|CDDL)|GNU (Lesser|Library) General Public|Mozilla Public", re.IGNORECASE)
TEXTS = {"Permission is hereby granted, free of charge": "MIT", "GNU GENERAL PUBLIC LICENSE": "GPL"}
UNKNOWN = "not declared"
FOR_DEVELOPERS = "dev"  # what only tests and documentation need
HEAD = """# What evenray needs

Made by `python tools/list_dependencies.py --markdown`; versions and hashes are in `locks/`. Licences are those that the packages
declare; libraries inside their wheels have their own (OpenCV's, for one, holds FFmpeg under the LGPL). Not listed are the CUDA
libraries of `locks/cuda.txt`, which PyTorch's build for Linux brings: they have NVIDIA's own licence.
"""


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
    """As the package declares it: its expression, else its classifiers, else the first line of its text or of its file."""
    about = metadata.metadata(name)
    classes = [c.rpartition(" :: ")[2] for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    told = (
        about.get("License-Expression")
        or ", ".join(c for c in classes if c != "OSI Approved")
        or about.get("License")
        or _in_file(name)
    )
    return told.strip().splitlines()[0][:120] if told.strip() else UNKNOWN


def _in_file(name: str) -> str:
    """Of packages that declare nothing: what the text of their licence is known by."""
    found = [file for file in metadata.files(name) or [] if re.match(r"licen[cs]e", file.name, re.IGNORECASE)]
    text = " ".join(" ".join(Path(str(file.locate())).read_text("utf-8").split()) for file in found)
    return ", ".join(f"{known} (its text)" for phrase, known in TEXTS.items() if phrase in text)


def binds(said: str) -> bool:
    """Whether a licence binds whoever uses the package, whichever of its alternatives is taken.

    >>> binds("GPL-3.0-only"), binds("MIT OR GPL-2.0"), binds("BSD-3-Clause AND GPL-3.0 WITH GCC-exception-3.1"), binds("LGPL-2.1")
    (True, False, False, False)
    """
    free = re.sub(r"\S+ WITH \S+", "", said)
    return all(BINDING.search(OWN_FILES.sub("", one)) for one in re.split(r"\bOR\b", free))


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
    limited = ", ".join(f"{name} ({group})" for name, _, said, group in rows if OWN_FILES.search(said))
    if options.markdown:
        print(f"{HEAD}\nLicences that bind changes to the package's own files alone: {limited}.\n")
        print("| package | licence | needed by |\n|---|---|---|")
        print("\n".join(f"| {name} | {said} | {group} |" for name, _, said, group in rows))
    else:
        print("\n".join(f"{name:32} {version:14} {said:60} {group}" for name, version, said, group in rows))
        print(f"\nbind changes to their own files: {limited}")
    wrong = [f"{n} ({group}): {s}" for n, _, s, group in rows if group != FOR_DEVELOPERS and (binds(s) or s == UNKNOWN)]
    if wrong:
        print("bind programs that use evenray, or declare no licence: " + ", ".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
