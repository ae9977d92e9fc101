"""Where customers stand, by numbers worked out by hand."""

from datetime import timedelta

import pytest

from hub.lifecycle.advocacy import AdvocacySettings, keep_advocacy
from hub.lifecycle.advocacy.keeping import score_of
from hub.store.advocacy import Answer
from hub.store.tables import lifecycle_change
from tests.lifecycle.advocacy.conftest import NOW, SETTINGS, Place


def given(score: float, days: int, *, key: bool = False) -> Answer:
    return Answer(customer_id="a", score=score, at=NOW - timedelta(days=days), key=key)


def test_the_mean_by_hand() -> None:
    assert score_of([], SETTINGS, now=NOW) is None
    assert score_of([given(9, 300)], SETTINGS, now=NOW) == 9
    # 90 days are a half life: (10 x 1 + 4 x 1/2) / 1.5
    assert score_of([given(10, 0), given(4, 90)], SETTINGS, now=NOW) == 8
    # the same a year later, but for what is too old: only the difference of ages counts
    assert score_of([given(10, 200), given(4, 290)], SETTINGS, now=NOW) == 8
    # a decision-maker counts twice: (10 x 2 + 4 x 1) / 3
    assert score_of([given(10, 5, key=True), given(4, 5)], SETTINGS, now=NOW) == 8
    # both: (3 x 2 x 1/4 + 9 x 1) / 1.5
    assert score_of([given(3, 180, key=True), given(9, 0)], SETTINGS, now=NOW) == 7
    flat = AdvocacySettings(half_life_days=None, key_weight=1)
    assert score_of([given(10, 0), given(5, 300, key=True)], flat, now=NOW) == 7.5


@pytest.mark.parametrize(
    ("score", "standing"),
    [
        (10, "promoter"),
        (9, "promoter"),
        (8.99, "passive"),
        (8.5, "passive"),
        (7, "passive"),
        (6.5, "detractor"),
        (0, "detractor"),
    ],
)
def test_standing(score: float, standing: str) -> None:
    assert SETTINGS.standing(score) == standing


async def test_the_newest_answer_of_each_contact_on_the_right_scale(place: Place) -> None:
    await place.customer("acme", "kim:champion", "lee")
    await place.answered("acme", 2, days=100, by="kim")
    await place.answered("acme", 10, days=0, by="kim", respondent_email="KIM@acme.example")
    await place.answered("acme", 4, days=90, by="lee")
    await place.answered("acme", 1, days=1, by="lee", scale="1-5")
    await place.answered("acme", 0, days=2, by="lee", type="csat")
    await place.answered("acme", 0, days=3, by="lee", deleted=True)
    await place.answered("acme", 0, days=366, by="mo")
    await place.customer("bolt")
    await place.answered("bolt", 6, days=364)
    await place.customer("core")
    await keep_advocacy(place.store, SETTINGS, now=NOW)
    # kim (10, a champion, today) and lee (4, 90 days ago): (10 x 2 + 4 x 1/2) / 2.5
    assert await place.stands("acme") == ("passive", 8.8, 0)
    assert await place.stands("bolt") == ("detractor", 6, 364)
    assert await place.stands("core") == (None, None, None)


async def test_old_answers_fade_to_nothing_and_what_changes_is_kept(place: Place) -> None:
    await place.customer("acme", "kim", "lee")
    await place.answered("acme", 10, days=0, by="kim")
    await place.answered("acme", 4, days=90, by="lee")
    for days in (0, 1, 274, 275, 364, 365):
        await keep_advocacy(place.store, SETTINGS, now=NOW + timedelta(days=days))
    assert await place.stands("acme") == (None, None, 365)
    changes = [(row["field"], row["old"], row["new"]) for row in await place.rows(lifecycle_change)]
    assert changes == [
        ("advocacy", None, "passive"),
        ("advocacy_score", None, "8.0"),
        ("advocacy", "passive", "promoter"),  # the other's answer is a year old
        ("advocacy_score", "8.0", "10.0"),
        ("advocacy", "promoter", None),
        ("advocacy_score", "10.0", None),
    ]


async def test_switched_off_nobody_stands_anywhere(place: Place) -> None:
    await place.customer("acme", "kim")
    await place.answered("acme", 10, by="kim")
    await keep_advocacy(place.store, SETTINGS, now=NOW)
    assert (await place.stands("acme"))[0] == "promoter"
    await keep_advocacy(place.store, AdvocacySettings(enabled=False), now=NOW)
    assert await place.stands("acme") == (None, None, None)
