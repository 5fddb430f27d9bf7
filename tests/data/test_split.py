"""The split: nobody on two sides, given parts kept, faults left out, shares as asked, the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenray.core.errors import DataError
from evenray.core.facts import Facts
from evenray.core.types import Dataset
from evenray.data.scan import scan
from evenray.data.split import folds, groups, share, split


def dataset(
    labels: Sequence[str],
    patients: Sequence[Any] | None = None,
    pictures: Sequence[Any] | None = None,
    parts: Sequence[Any] | None = None,
) -> Dataset:
    n = len(labels)
    cases = pl.DataFrame(
        {
            "case": [f"c{i:04d}" for i in range(n)],
            "file": [f"f{i}" for i in range(n)],
            "label": list(labels),
            "patient": [None if p is None else str(p) for p in patients or [None] * n],
            "pixel_hash": [f"h{i}" for i in (pictures or range(n))],
            "part": list(parts or [None] * n),
        },
        schema_overrides={"patient": pl.String, "part": pl.String},
    )
    classes = tuple(sorted(set(labels)))
    return Dataset(cases, classes, classes[0], ".", facts=Facts(patients_known=patients is not None))


def sides(data: Dataset) -> list[str]:
    return data.cases["part"].to_list()


@st.composite
def tangled(draw: st.DrawFn) -> tuple[Dataset, list[tuple[str, ...]], int]:
    """Cases with patients, copies and near copies across them; enough clean patients for every class."""
    n = draw(st.integers(12, 60))
    extra = draw(st.integers(0, n))
    labels = ["sick", "well", "odd"]
    label = [labels[i % 3] for i in range(n)] + [draw(st.sampled_from(labels)) for _ in range(extra)]
    patient = [f"own{i}" for i in range(n)] + [draw(st.sampled_from(["a", "b", "c", None])) for _ in range(extra)]
    picture = list(range(n)) + [draw(st.integers(n, n + 5)) for _ in range(extra)]
    near = draw(st.lists(st.lists(st.integers(n, max(n, n + extra - 1)), min_size=2, max_size=4), max_size=3))
    names = [tuple(f"c{i:04d}" for i in group if i < n + extra) for group in near]
    return dataset(label, patient, picture), names, draw(st.integers(0, 5))


@given(tangled())
def test_patients_copies_and_near_copies_stand_on_one_side(made: tuple[Dataset, list[tuple[str, ...]], int]) -> None:
    data, near, seed = made
    done = split(data, seed=seed, together=near)
    kept = done.cases.filter(pl.col("part") != "excluded")
    for column in ("patient", "pixel_hash"):
        assert kept.drop_nulls(column).group_by(column).agg(pl.col("part").n_unique())["part"].to_list().count(1) == (
            kept.drop_nulls(column)[column].n_unique()
        )
    side = dict(kept.select("case", "part").iter_rows())
    assert all(len({side[name] for name in names if name in side}) <= 1 for names in near)
    assert all(min(done.part(name).counts.values()) > 0 for name in ("train", "validation", "test"))


@given(tangled())
def test_a_picture_of_two_labels_is_left_out_and_nothing_else(made: tuple[Dataset, list[tuple[str, ...]], int]) -> None:
    data, near, seed = made
    done = split(data, seed=seed, together=near)
    two = data.cases.filter(pl.col("label").n_unique().over("pixel_hash") > 1)["case"]
    assert set(done.cases.filter(pl.col("part") == "excluded")["case"]) == set(two)
    assert done.cases.drop("part").equals(data.cases.drop("part"))


@given(st.integers(60, 300), st.floats(0.1, 0.4), st.floats(0.1, 0.4), st.integers(0, 9))
def test_shares_are_as_asked_in_every_class(n: int, test: float, validation: float, seed: int) -> None:
    data = dataset([("sick" if i % 5 == 0 else "well") for i in range(n)], [i // 2 for i in range(n)])
    done = split(data, test=test, validation=validation, seed=seed)
    for name, asked in (("test", test), ("validation", validation)):
        for label, count in done.part(name).counts.items():
            assert abs(count - asked * data.counts[label]) <= 4, (name, label)


def test_near_duplicates_are_found_and_kept_together(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(60):
        picture = cv2.resize(rng.random((7, 7)), (64, 64), interpolation=cv2.INTER_CUBIC) * 200
        label = "sick" if number % 2 else "well"
        (tmp_path / label).mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / label / f"{number}.png"), np.clip(picture, 0, 255).astype(np.uint8))
        if number < 12:
            cv2.imwrite(
                str(tmp_path / label / f"{number}_again.png"), np.clip(picture * 0.9 + 10, 0, 255).astype(np.uint8)
            )
    data = scan(tmp_path)
    for seed in range(5):
        side = dict(split(data, seed=seed).cases.select("file", "part").iter_rows())
        assert all(
            side[file] == side[file.replace(".png", "_again.png")] for file in side if f"{file[:-4]}_again.png" in side
        )
        assert len({side[file] for file in side if "_again" in file}) > 1
    alone = split(data, seed=0, together=()).cases.select("file", "part")
    apart = dict(alone.iter_rows())
    assert any(apart[file] != apart[f"{file[:-4]}_again.png"] for file in apart if f"{file[:-4]}_again.png" in apart)


def test_one_large_patient_does_not_swallow_the_test_part() -> None:
    patients = ["large"] * 50 + [f"p{i}" for i in range(50)]
    for seed in range(20):
        done = split(dataset(["sick", "well"] * 50, patients), test=0.2, seed=seed)
        assert 10 <= len(done.part("test")) <= 30
        assert done.cases["part"][0] == "train"


def test_the_seed_and_nothing_else_decides() -> None:
    data = dataset(["sick", "well"] * 40)
    assert sides(split(data, seed=1)) == sides(split(data, seed=1)) != sides(split(data, seed=2))


class TestGivenParts:
    def test_they_are_kept(self) -> None:
        given_parts = ["train", "validation", "test"] * 6
        data = dataset(["sick"] * 9 + ["well"] * 9, parts=given_parts)
        assert sides(split(data)) == given_parts

    def test_only_the_missing_one_is_made_from_the_training_part(self) -> None:
        data = dataset(["sick", "well"] * 30, parts=["train"] * 50 + ["test"] * 10)
        done = split(data, validation=0.2)
        assert sides(done)[50:] == ["test"] * 10
        assert sides(done)[:50].count("validation") == 10
        assert set(sides(done)[:50]) == {"train", "validation"}

    def test_training_copies_of_test_images_are_left_out(self) -> None:
        labels = ["sick", "well"] * 6
        parts = ["train"] * 6 + ["validation"] * 2 + ["test"] * 4
        pictures = [8, 1, 2, 3, 4, 5, 9, 7, 8, 9, 10, 11]  # cases 0 (train) and 6 (validation) are those of 8 and 9
        labels[9] = labels[6]
        data = dataset(labels, pictures=pictures, parts=parts)
        with pytest.raises(DataError, match="The validation part has no case of class 'sick'"):
            split(data)
        data = dataset([*labels, "sick"], pictures=[*pictures, 12], parts=[*parts, "validation"])
        assert sides(split(data)) == ["excluded", *parts[1:6], "excluded", *parts[7:], "validation"]

    def test_a_conflict_is_kept_in_the_given_test_part_only(self) -> None:
        parts = ["train"] * 4 + ["validation"] * 2 + ["test"] * 2
        data = dataset(["sick", "well"] * 4, pictures=[0, 1, 2, 7, 4, 5, 6, 7], parts=parts)
        assert sides(split(data))[3] == "excluded"
        data = dataset(["sick", "well"] * 4, pictures=[0, 1, 6, 3, 4, 5, 6, 6], parts=parts)
        assert sides(split(data))[2] == "excluded"
        assert sides(split(data))[6:] == ["test", "test"]

    def test_whose_patient_is_given_to_another_part_is_not_drawn_or_left_out(self) -> None:
        labels = ["sick", "well"] * 20
        parts = [None, "train"] + ["test"] * 8 + [None] * 30
        patients = ["t", "t", "t", *map(str, range(37))]
        done = split(dataset(labels, patients, parts=parts))
        assert sides(done)[0] == "excluded"  # no part was given: it would stand on two sides
        assert sides(done)[1] == "train"  # given so; the audit tells it
        assert sides(done)[2:10] == ["test"] * 8

    def test_no_new_leak_where_the_given_parts_leak(self) -> None:
        labels = ["sick", "well"] * 20
        parts = ["train"] * 30 + ["validation"] * 10
        patients = ["l"] * 5 + [str(i) for i in range(30)] + ["l"] * 5
        done = split(dataset(labels, patients, parts=parts), test=0.3)
        assert "test" in sides(done)
        assert sides(done)[:5] == ["train"] * 5


class TestTooFew:
    @pytest.mark.parametrize(
        ("patients", "who"), [(None, "separate images"), (["a", "a", "b", *map(str, range(30))], "patients")]
    )
    def test_a_class_with_too_few(self, patients: list[str] | None, who: str) -> None:
        labels = ["sick"] * (2 if patients is None else 3) + ["well"] * 30
        with pytest.raises(
            DataError, match=f"Class 'sick' has 2 {who}; dividing it into test, validation, train needs at least 3"
        ):
            split(dataset(labels, patients))

    def test_many_such_classes_are_counted_and_the_first_named(self) -> None:
        labels = [f"class {i // 2:03d}" for i in range(400)] + ["large"] * 30
        with pytest.raises(DataError) as error:
            split(dataset(labels))
        assert str(error.value) == (
            "200 of the 201 classes have too few separate images: 'class 000' has 2, 'class 001' has 2, 'class 002' has 2 and"
            " 197 more as few; dividing each into test, validation, train needs at least 3, and figures worth reading need"
            " dozens. Add cases, or merge them or leave them out."
        )

    @pytest.mark.parametrize("fraction", [0.05, 0.45])
    def test_three_are_enough(self, fraction: float) -> None:
        done = split(dataset(["sick"] * 3 + ["well"] * 30), test=fraction, validation=fraction)
        assert sorted(sides(done)[:3]) == ["test", "train", "validation"]

    def test_a_given_part_without_a_class(self) -> None:
        data = dataset(["sick"] * 10 + ["well"] * 10, parts=["train"] * 10 + ["train"] * 8 + ["test"] * 2)
        with pytest.raises(DataError, match="The test part has no case of class 'sick'"):
            split(data, validation=0.2)


def test_groups_are_the_connected_cases() -> None:
    data = dataset(["a", "b"] * 3, ["p", "p", "q", None, None, None], [0, 1, 1, 3, 4, 5])
    assert groups(data, [("c0003", "c0005", "unknown")]).tolist() == [0, 0, 0, 1, 2, 1]


def test_frames_of_one_file_belong_together_images_of_an_archive_do_not() -> None:
    data = dataset(["a", "b", "a", "b"])
    file = pl.Series("file", ["x.dcm", "x.dcm", "y.npz", "y.npz"])
    assert groups(Dataset(data.cases.with_columns(file), data.classes, "a", ".")).tolist() == [0, 0, 1, 2]


@settings(max_examples=10)
@given(st.integers(2, 5), st.integers(0, 5))
def test_folds_divide_all_in_whole_groups_and_all_classes(count: int, seed: int) -> None:
    data = dataset(["sick" if i % 4 == 0 else "well" for i in range(120)], [i // 3 for i in range(120)])
    group = groups(data)
    fold = folds(data, group, count, seed)
    assert set(fold.tolist()) == set(range(count))
    assert all(len(set(fold[group == g].tolist())) == 1 for g in np.unique(group))
    assert all(len(set(fold[data.targets == k].tolist())) == count for k in (0, 1))


def test_more_folds_than_patients_of_a_class() -> None:
    data = dataset(["sick"] * 2 + ["well"] * 30)
    with pytest.raises(
        DataError,
        match="Class 'sick' has 2 patients in training; comparing in 3 folds needs at least 3: give --folds 2",
    ):
        folds(data, groups(data), 3)


def tagged(told: list[bool], patients: list[int]) -> Dataset:
    data = dataset(["sick"] * len(told), patients)
    cases = data.cases.with_columns(pl.Series("findings", [[one] for one in told], pl.List(pl.Boolean)))
    return replace(data, cases=cases, classes=("f",), positive="", facts=data.facts.model_copy(update={"task": "tag"}))


def test_more_folds_than_patients_of_the_only_finding_are_refused_before_training() -> None:
    data = tagged([i < 4 for i in range(60)], [i // 2 for i in range(60)])
    assert set(folds(data, groups(data), 2).tolist()) == {0, 1}
    with pytest.raises(
        DataError, match="comparing in 3 needs at least 3 patients with a finding and 3 without it: give --folds 2"
    ):
        folds(data, groups(data), 3)


@pytest.mark.parametrize("seed", range(5))
def test_three_patients_of_a_finding_are_one_in_each_part(seed: int) -> None:
    done = split(tagged([i < 3 for i in range(40)], list(range(40))), seed=seed)
    assert all((done.part(name).targets == 1).sum() == 1 for name in ("train", "validation", "test"))


@pytest.mark.parametrize("seed", range(10))
def test_three_patients_of_a_class_of_boxes_are_one_in_each_part(seed: int) -> None:
    """However many have the others."""
    has = [[True, i % 2 == 0, i in (3, 17, 22)] for i in range(30)]
    data = dataset(["sick"] * 30, list(range(30)))
    cases = data.cases.with_columns(pl.Series("findings", has, pl.List(pl.Boolean)))
    facts = data.facts.model_copy(update={"task": "detect"})
    done = split(replace(data, cases=cases, classes=("a", "b", "rare"), positive="", facts=facts), seed=seed)
    counts = {name: (done.part(name).targets == 1).sum(axis=0).tolist() for name in ("train", "validation", "test")}
    assert [own[2] for own in counts.values()] == [1, 1, 1]
    assert all(min(own) > 0 for own in counts.values())
    assert [sum(own) for own in zip(*counts.values(), strict=True)] == [30, 15, 3]


@pytest.mark.parametrize("seed", range(5))
def test_a_share_has_as_many_patients_of_a_finding_as_are_asked_for(seed: int) -> None:
    data = tagged([i < 6 for i in range(600)], list(range(600)))
    taken = share(data, groups(data), 0.1, 3, seed)
    assert (data.targets[taken] == 1).sum() >= 3
    assert abs(taken.sum() - 60) <= 3


def test_a_share_keeps_classes_and_groups_whole() -> None:
    data = dataset(["sick"] * 6 + ["well"] * 594, [i // 2 for i in range(600)])
    group = groups(data)
    taken = share(data, group, 0.2, 3)
    assert all(len(set(taken[group == g].tolist())) == 1 for g in np.unique(group))
    assert taken[:6].sum() == 6  # three groups are all there are
    assert abs(taken.sum() - 120) <= 8
    assert (taken == share(data, group, 0.2, 3)).all()


def test_the_order_of_the_table_does_not_matter() -> None:
    whole = dataset(["sick", "well", "well"] * 30, [f"p{i // 2}" for i in range(90)])
    mixed = replace(whole, cases=whole.cases.sample(fraction=1.0, shuffle=True, seed=3))
    one, other = split(whole, seed=1), split(mixed, seed=1)
    assert other.cases["case"].equals(mixed.cases["case"])
    assert one.cases.sort("case")["part"].to_list() == other.cases.sort("case")["part"].to_list()


def test_a_class_whose_images_are_all_in_conflict_is_told_so() -> None:
    both = dataset(["a"] * 5 + ["b"] * 5 + ["c"] * 9, pictures=[*range(5), *range(5), *range(10, 19)])
    with pytest.raises(
        DataError, match=r"'a' has 0, 'b' has 0 \(10 of their images are left out; the same pixels stand"
    ):
        split(both)
