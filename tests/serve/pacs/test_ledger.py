"""What is remembered of studies: together with the position, over deaths and set-back clocks, and by one process at a time."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evenray.core.errors import StorageError
from evenray.scale.new_studies import News
from evenray.serve.pacs.ledger import FAILURES, Ledger


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Ledger]]:
    """Ledgers of one folder, closed at the end."""
    found = list[Ledger]()

    def made(**more: Any) -> Ledger:
        found.append(Ledger(tmp_path, **more))
        return found[-1]

    yield made
    for ledger in found:
        ledger.close()


def ready(*studies: str) -> list[News]:
    return [News(study, "ticket", True) for study in studies]


def test_studies_come_in_their_order_and_each_once(opened: Callable[..., Ledger], tmp_path: Path) -> None:
    ledger = opened()
    assert ledger.position is None
    ledger.leave(["1.1"], 3)
    ledger.note(ready("1.2", "1.3", "1.2", "1.1"), 7)
    seen = []
    while True:
        with ledger.taken() as row:
            if row is None:
                break
            seen.append(row.news.study)
            ledger.done(row, "answered")
    ledger.note(ready("1.2"), 9)  # its own results make it stable again
    with ledger.taken() as row:
        assert row is None
    assert seen == ["1.2", "1.3"]
    assert ledger.counts() == {"answered": 2, "left": 1}
    assert opened().position == 9
    assert tmp_path.joinpath("studies.sqlite").is_file()


def test_studies_and_position_are_kept_together_or_not_at_all(opened: Callable[..., Ledger], tmp_path: Path) -> None:
    ledger = opened()
    ledger.note([], 5)

    def dies() -> object:
        yield News("1.2", "", True)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger.note(dies(), 8)  # type: ignore[arg-type]
    again = opened()
    assert (again.position, again.counts()) == (5, {})


def test_failures_are_tried_later_and_later_and_end_in_a_list(opened: Callable[..., Ledger], tmp_path: Path) -> None:
    clock = Clock()
    ledger = opened(waits=(10.0, 100.0), clock=clock)
    ledger.note(ready("1.2.840.77"), 1)
    waits = []
    for _ in range(3):
        with ledger.taken() as row:
            assert row is not None
            waits.append(ledger.failed(row, "status 500"))
        with ledger.taken() as row:
            assert row is None, "not before its time"
        clock.now += waits[-1] or 0
    assert waits == [10.0, 100.0, None]
    with (tmp_path / FAILURES).open(encoding="utf-8-sig") as file:
        [line] = csv.DictReader(file)
    assert (line["study"], line["StudyInstanceUID"], line["attempts"], line["reason"]) == (
        "1",
        "1.2.840.77",
        "3",
        "status 500",
    )
    assert [(one.number, one.attempts, one.reason) for one in ledger.failures()] == [(1, 3, "status 500")]
    assert ledger.ask("1.2.840.77") == (1, "waiting"), "a person may have it tried again"
    assert ledger.failures() == []
    assert "1.2.840.77" not in (tmp_path / FAILURES).read_text()


def test_a_study_that_has_begun_is_due_when_it_is_settled_or_after_a_while(
    opened: Callable[..., Ledger], tmp_path: Path
) -> None:
    clock = Clock()
    ledger = opened(clock=clock)
    ledger.note([News("1.2", "a", False), News("1.3", "b", False)], 2, quiet=300)
    with ledger.taken() as row:
        assert row is None
    ledger.note([News("1.2", "a", True)], 3, quiet=300)
    with ledger.taken() as row:
        assert row is not None
        assert row.news == News("1.2", "", True)
        ledger.done(row, "answered")
    clock.now += 301
    with ledger.taken() as row:
        assert row is not None
        assert row.news == News("1.3", "b", False)
        ledger.postpone(row, row.news, 300)
    assert ledger.next_due() == pytest.approx(300)


def test_a_clock_that_is_set_back_holds_nothing_up(opened: Callable[..., Ledger], tmp_path: Path) -> None:
    clock = Clock()
    ledger = opened(clock=clock)
    ledger.note(ready("1.2"), 1)
    clock.now -= 365 * 86400
    with ledger.taken() as row:
        assert row is not None


def test_what_one_process_works_on_no_other_takes_until_it_is_killed(
    opened: Callable[..., Ledger], tmp_path: Path
) -> None:
    ledger = opened()
    ledger.note(ready("1.2"), 1)
    code = (
        "import sys, time; from pathlib import Path; from evenray.serve.pacs.ledger import Ledger\n"
        "with Ledger(Path(sys.argv[1])).taken() as row: print(row is not None, flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "True\n"
    with ledger.taken() as row:
        assert row is None
    other.kill()
    other.communicate()
    with ledger.taken() as row:
        assert row is not None


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="give another folder with --state"):
        Ledger(tmp_path / "file")
    (tmp_path / "studies.sqlite").write_text("no database" * 100)
    with pytest.raises(StorageError, match="give another folder with --state"):
        Ledger(tmp_path)
