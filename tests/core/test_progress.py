"""Progress: what a watched map ticks."""

from __future__ import annotations

from evenray.core.progress import Silent, watched


def test_a_watched_map_ticks_as_results_come_and_changes_nothing() -> None:
    ticks: list[int] = []
    lazily = watched(map, ticks.append, len)
    results = iter(lazily(str.upper, ["a", "bb", "ccc"]))
    assert ticks == []
    assert next(results) == "A"  # type: ignore[call-overload]
    assert ticks == [1]
    assert list(results) == ["BB", "CCC"]
    assert ticks == [1, 2, 3]


def test_silence_takes_everything() -> None:
    Silent().say("x")
    with Silent().task("x", 1) as tick:
        tick(5)
