"""Which file a path of a table names: each row by its own best rule."""

from __future__ import annotations

import pytest

from evenray.data.tables.match_paths import match_paths


@pytest.mark.parametrize(
    ("paths", "files", "found"),
    [
        (["images/a.png", "b.png"], ["images/a.png", "images/b.png"], ["images/a.png", "images/b.png"]),
        (["images/a.png", "b"], ["a.png", "b.png"], ["a.png", "b.png"]),
        (["x/s1/a.png", "s2/a.png"], ["s1/a.png", "y/s2/a.png"], ["s1/a.png", "y/s2/a.png"]),
        (["scans/a.dcm", "b.dcm"], ["images/a.png", "images/b.png"], ["images/a.png", "images/b.png"]),
        (["train/a.png", "a.png"], ["a.png"], [None, "a.png"]),  # another part's image of that name
        (["s1/a.png", "s3/a.png"], ["s1/a.png", "s2/a.png"], ["s1/a.png", None]),
        (["1.2.3", "1.2.4"], ["1.2.3", "d/1.2.4.dcm"], ["1.2.3", "d/1.2.4.dcm"]),
    ],
)
def test_each_path_by_the_best_rule(paths: list[str], files: list[str], found: list[str | None]) -> None:
    matched = match_paths(paths, files)
    assert [matched.found.get(path) for path in paths] == found
    assert not matched.ambiguous


def test_only_the_names_that_several_files_have_are_unclear() -> None:
    matched = match_paths(["a.png", "b.png", "a", "s2/a.png"], ["s1/a.png", "s2/a.png", "s2/b.png"])
    assert matched.found == {"b.png": "s2/b.png", "s2/a.png": "s2/a.png"}
    assert matched.ambiguous == {"a.png": 2, "a": 2}


def test_a_number_that_kept_its_zeros_is_no_other_number() -> None:
    matched = match_paths(["7", "8.0", "000", "00012", "0"], ["007.png", "008.png", "000000.png", "012.png"])
    assert matched.found == {"7": "007.png", "8.0": "008.png", "0": "000000.png"}
