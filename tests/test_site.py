"""The documentation's site: built from docs/ without a warning and without the network, with every public name described."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import evenray as er

ROOT = Path(__file__).resolve().parents[1]


def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r'<(script|img|link|iframe)\b[^>]*\b(src|href)="(https?:)?//', text), page.name
    described = (tmp_path / "api" / "index.html").read_text(encoding="utf-8")
    assert all(re.search(rf'id="evenray\.[\w.]*\b{name}"', described) for name in er.PUBLIC)


def test_the_page_of_functions_names_every_public_name_once() -> None:
    listed = re.findall(
        r"^::: evenray\.(?:\w+\.)*(\w+)$", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(listed) == sorted(er.PUBLIC)
