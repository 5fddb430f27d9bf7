"""Where only core dependencies are installed, each verb and option that needs more says which extra brings it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import cv2
import numpy as np
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydicom.data import get_testdata_file

ROOT = Path(__file__).resolve().parents[2]

# What the sentence begins with, the extra that it names, and the words of the command line.
NEEDING = [
    ("serving", "app", "app pictures"),
    ("serving", "app", "serve RUN"),
    ("dicomweb://", "pacs", "scan dicomwebs://pacs.invalid/rs?Modality=CR"),
    ("dicom://", "pacs", "run dicom://pacs.invalid:4242/PACS"),
    ("de-identification", "pacs", "deidentify films -o handout"),
    ("s3://", "scale", "audit s3://bucket/films"),
    ("--engine dask", "scale", "scan films --engine dask"),
    ("exporting to ONNX", "export", "export RUN --format onnx"),
    ("exporting to ONNX", "export", "export RUN --format openvino"),  # made of ONNX
    ("predicting with 'model.onnx'", "export", "predict model.onnx pictures"),
    ("The label table 'labels.xlsx' is a workbook: reading it", "excel", "scan pictures --labels labels.xlsx"),
    ("the network timm(resnet18)", "zoo", "run pictures --network timm(resnet18) -o other"),
]
PLAIN = ["enhance films/CT_small.dcm --all", "predict RUN pictures -o answers.csv"]

# Python runs a module of this name first, in the processes that a process starts too.
HIDING = """
import importlib.util, sys
HIDDEN = {hidden!r}
class Hiding:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named '{{name}}'", name=name)
sys.meta_path.insert(0, Hiding())
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name.partition(".")[0] in HIDDEN else found(name, package)
"""
CALLING = """
import contextlib, io, json, sys
from evenray.cli import main
told = []
for line in sys.argv[1:]:
    sys.argv, code = ["evenray", *line.split()], 0
    with contextlib.redirect_stderr(io.StringIO()) as err, contextlib.redirect_stdout(io.StringIO()):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    told.append([code, err.getvalue()])
print(json.dumps(told))
"""


def not_of_the_core() -> list[str]:
    """The installed packages that the core dependencies of pyproject.toml do not bring."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting, kept = [Requirement(line) for line in project["dependencies"]], set()
    while waiting:
        wanted = waiting.pop()
        for extra in ("", *wanted.extras):
            if (key := (canonicalize_name(wanted.name), extra)) not in kept:
                kept.add(key)
                with suppress(PackageNotFoundError):
                    brought = map(Requirement, requires(wanted.name) or ())
                    waiting += [r for r in brought if r.marker is None or r.marker.evaluate({"extra": extra})]
    names = {name for name, _ in kept} | {"evenray"}
    return [
        top for top, brought in packages_distributions().items() if names.isdisjoint(map(canonicalize_name, brought))
    ]


def test_what_needs_an_extra_says_which(finished_run: Path, tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/3.png", "b/4.png"):
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "pictures" / name), np.arange(900, dtype=np.uint8).reshape(30, 30))
    (tmp_path / "films").mkdir()
    shutil.copy(str(get_testdata_file("CT_small.dcm")), tmp_path / "films")
    shutil.copytree(finished_run, tmp_path / "RUN")
    (tmp_path / "labels.xlsx").write_bytes(b"PK")
    (tmp_path / "model.onnx").write_bytes(b"")
    hidden = not_of_the_core()
    assert {"fastapi", "onnx", "pynetdicom", "pytest"} <= set(hidden)
    (tmp_path / "hiding").mkdir()
    (tmp_path / "hiding" / "sitecustomize.py").write_text(HIDING.format(hidden=set(hidden)))
    path = os.pathsep.join(filter(None, (str(tmp_path / "hiding"), os.environ.get("PYTHONPATH"))))
    lines = [line for _, _, line in NEEDING] + PLAIN
    done = subprocess.run(
        [sys.executable, "-c", CALLING, *lines], cwd=tmp_path, env=os.environ | {"PYTHONPATH": path}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = dict(zip(lines, json.loads(done.stdout), strict=True))
    for purpose, extra, line in NEEDING:
        code, err = told[line]
        assert code == 1, (line, err)
        assert err.splitlines()[-1].startswith(f"error {purpose} needs "), (line, err)
        assert f"pip install 'evenray[{extra}]'" in err, (line, err)
        assert "Traceback" not in err, (line, err)
    for line in PLAIN:
        assert told[line][0] == 0, (line, told[line])
