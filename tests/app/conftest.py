"""The workbench on a free port, and visits to it in a real browser."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from evenray.app.workbench import workbench
from evenray.app.workplace import Workplace
from evenray.serve.running import in_background

PATIENCE = 20_000  # milliseconds; a busy machine opens a browser slowly


@pytest.fixture(scope="module")
def place(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with one finished run, "finished"."""
    folder = tmp_path_factory.mktemp("workbench")
    shutil.copytree(finished_run, folder / "finished")
    return folder


@pytest.fixture(scope="module")
def address(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a workbench of that folder answers; its temporary files are among none of other servers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
        with in_background(workbench(Workplace.of(place))) as url:
            yield url


class Visit:
    """A page that is open: `asked` are the requests that it made, `complaints` what its console said."""

    def __init__(self, context: Any, address: str) -> None:
        self.page, self.address = context.new_page(), address
        self.page.set_default_timeout(PATIENCE)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, path: str) -> Any:
        self.page.goto(f"{self.address}{path}")
        return self.page

    def breaches(self) -> list[str]:
        """What axe finds against accessibility that is serious or critical; skips where axe is absent."""
        found = find_spec("axe_playwright_python")
        if found is None or found.origin is None:
            pytest.skip("no axe: pip install axe-playwright-python")
        self.page.evaluate(Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8"))
        rules = {"resultTypes": ["violations"]}
        violations = self.page.evaluate(f"axe.run(document, {json.dumps(rules)}).then(r => r.violations)")
        return [
            f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}"
            for each in violations
            if each["impact"] in ("serious", "critical")
        ]

    def well(self) -> None:
        """Nothing was asked of another server, the console said nothing, and nothing is wider than the window."""
        assert [url for url in self.asked if not url.startswith((self.address, "data:", "blob:"))] == []
        assert self.complaints == []
        assert self.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """Opens visits: visit(address, width=..., dark=...)."""
    with ExitStack() as opened:

        def open_(address: str, width: int = 1280, dark: bool = False) -> Visit:
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", locale="en-GB"
            )
            opened.callback(context.close)
            return Visit(context, address)

        yield open_
