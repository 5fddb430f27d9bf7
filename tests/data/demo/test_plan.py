"""Who is in the archive: counts, prevalence, and that nothing but the lesions tells the label."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from evenray.core.errors import UsageError
from evenray.data.demo.plan import FAULTS, generator, plan


@pytest.fixture(scope="module")
def films():
    return plan(0, 500, 620)


def test_counts_are_those_asked_for(films):
    assert len(films) == 620
    assert {film.patient for film in films} == set(range(500))
    assert len({film.path for film in films}) == 620


def test_one_patient_is_sick_for_about_twelve_healthy_ones(films):
    sick = {film.patient for film in films if film.sick}
    assert len(sick) == round(500 / 13)
    assert not sick & {film.patient for film in films if not film.sick}


def test_some_patients_have_two_to_four_films(films):
    films_each = Counter(Counter(film.patient for film in films).values())
    assert set(films_each) == {1, 2, 3, 4}
    assert films_each[1] > films_each[2] > films_each[3] > films_each[4]


def test_half_of_the_south_is_overexposed_and_none_of_the_north(films):
    assert not any(film.overexposed for film in films if film.site == "north")
    south = [film.overexposed for film in films if film.site == "south"]
    assert abs(np.mean(south) - 0.5) < 0.01


@pytest.mark.parametrize("name", ["inverted", "padded", "marked", "collimated", "calibrated", "overexposed"])
def test_a_property_is_as_frequent_among_the_sick_as_among_the_healthy(films, name):
    for site in ("north", "south"):
        share = {
            sick: np.mean([getattr(f, name) for f in films if f.site == site and f.sick == sick])
            for sick in (True, False)
        }
        assert share[True] == pytest.approx(share[False], abs=0.07)
        if name == "inverted":
            assert 0.2 < share[False] < 0.6, "both polarities occur within each site"


def test_sites_and_transfer_syntaxes_do_not_tell_the_label(films):
    for name in ("site", "syntax"):
        groups = {sick: [getattr(f, name) for f in films if f.sick == sick and not f.fault] for sick in (True, False)}
        for value in set(groups[False]):
            shares = [groups[sick].count(value) / len(groups[sick]) for sick in (True, False)]
            assert shares[0] == pytest.approx(shares[1], abs=0.07)


def test_every_fault_is_planted_among_the_healthy(films):
    assert Counter(film.fault for film in films if film.fault) == {name: count for name, (count, _) in FAULTS.items()}
    assert not any(film.sick for film in films if film.fault)
    wrong = [film for film in films if (film.label == "sick") != film.sick]
    assert [film.fault for film in wrong] == ["label_conflict"]


def test_duplicates_copy_a_sound_film_of_another_patient(films):
    by_path = {film.path: film for film in films}
    copies = [film for film in films if film.source]
    sources = [film.source.path for film in copies]
    assert len(set(sources)) == len(sources)
    for film in copies:
        assert by_path[film.source.path] == film.source, "the source is in the archive as it was copied"
        assert not film.source.fault
        assert (film.patient != film.source.patient) == (film.fault != "label_conflict")


def test_a_conflict_shows_one_image_of_one_patient_under_both_labels(films):
    (film,) = [film for film in films if film.fault == "label_conflict"]
    assert (film.label, film.source.label) == ("sick", "healthy")


def test_random_numbers_of_a_thing_do_not_depend_on_those_of_others():
    alone = generator(3, 1, 7).standard_normal(4)
    generator(3, 1, 6).standard_normal(100)
    assert np.array_equal(generator(3, 1, 7).standard_normal(4), alone)
    assert not np.array_equal(generator(3, 1, 8).standard_normal(4), alone)
    assert not np.array_equal(generator(4, 1, 7).standard_normal(4), alone)


def test_the_same_seed_gives_the_same_plan_and_another_another(films):
    assert plan(0, 500, 620) == films
    assert plan(1, 500, 620) != films


@pytest.mark.parametrize(
    ("patients", "images", "told"), [(12, 15, "at least 60"), (100, 100, "110 to 200"), (100, 300, "110 to 200")]
)
def test_counts_that_do_not_fit_are_refused(patients, images, told):
    with pytest.raises(UsageError, match=told):
        plan(0, patients, images)
