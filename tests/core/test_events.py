"""Events: what a listener hears, that it can end the work, and what a watched map ticks."""

from __future__ import annotations

import json

import pytest

from evenray.core.errors import EvenrayError
from evenray.core.events import Cancelled, EpochDone, Event, Events, StageBegun, StageDone, Step, Told, watched
from evenray.core.messages import Message


def test_a_task_begins_at_none_and_tells_its_end() -> None:
    heard: list[Event] = []
    with Events(heard.append).task("task.scan", 5, file="a") as tick:
        tick(2)
        tick(3)
    task = Message("task.scan", {"file": "a"})
    assert heard == [Step(task, 0, 5), Step(task, 2, 5), Step(task, 5, 5), Step(task, 5, 5, ended=True)]


def test_a_task_that_fails_ends_too() -> None:
    heard: list[Event] = []
    with pytest.raises(ValueError, match="x"), Events(heard.append).task("task.scan", 5):
        raise ValueError("x")
    assert isinstance(heard[-1], Step)
    assert heard[-1].ended


def test_a_listener_that_raises_ends_the_work_between_two_steps() -> None:
    def cancel(event: Event) -> None:
        if isinstance(event, Step) and event.done == 2 and not event.ended:
            raise Cancelled("stopped")

    done = []

    def work() -> None:
        with Events(cancel).task("task.scan", 3) as tick:
            for n in range(3):
                tick(1)
                done.append(n)

    with pytest.raises(Cancelled) as told:
        work()
    assert done == [0]
    assert isinstance(told.value, EvenrayError)


def test_nobody_listens() -> None:
    Events().tell("scan.unlabelled", count=1)
    with Events().task("task.scan", 1) as tick:
        tick(5)


def test_events_are_plain_values() -> None:
    events: list[Event] = [
        StageBegun("scan"), StageDone("scan", 1.5), StageDone("scan", None), Step(Message("task.scan"), 1, 2),
        EpochDone(1, {"epoch": 2, "validation_auroc": float("nan")}),
        Told(Message("a.b", {"why": Message("c.d", {"n": [1, 2]})}), "warning"),
    ]  # fmt: skip
    plain = [json.loads(json.dumps(event.as_json())) for event in events]
    assert [each["event"] for each in plain] == [
        "stage_begun",
        "stage_done",
        "stage_done",
        "step",
        "epoch_done",
        "message",
    ]
    assert plain[4]["figures"] == {"epoch": 2, "validation_auroc": None}
    assert plain[-1]["values"]["why"] == {"code": "c.d", "values": {"n": [1, 2]}}


def test_a_watched_map_ticks_as_results_come_and_changes_nothing() -> None:
    ticks: list[int] = []
    lazily = watched(map, ticks.append, len)
    results = iter(lazily(str.upper, ["a", "bb", "ccc"]))
    assert ticks == []
    assert next(results) == "A"
    assert ticks == [1]
    assert list(results) == ["BB", "CCC"]
    assert ticks == [1, 2, 3]
