"""Votes and precision: one a person and run, and intervals that were worked out by hand."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from hub.attention.ranking import SPAN, stake, turn_at
from hub.attention.voting import find_precision, share_of, vote, wilson
from hub.errors import NotFoundError, RefusedError
from hub.store.tables import alert
from hub.store.tables import vote as votes
from hub.store.votes import Counted
from tests.attention.conftest import ANN, MONDAY, WORKING, Desk


def test_wilson_by_hand() -> None:
    # z = 1.96: 8 of 10 is (0.8 + 3.8415 / 20 ± 1.96 sqrt(0.16 / 10 + 3.8415 / 400)) / (1 + 0.38415)
    #         = (0.992073 ± 1.95996 * 0.160010) / 1.384146 = 0.716740 ± 0.226576
    assert wilson(8, 10) == pytest.approx((0.490162, 0.943317), abs=1e-5)
    # all of 10: from 1 / 1.384146; none of 5: to 0.768292 / 1.768292
    assert wilson(10, 10) == pytest.approx((0.722467, 1.0), abs=1e-5)
    assert wilson(0, 5) == pytest.approx((0.0, 0.434482), abs=1e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_few_votes_are_too_few_to_tell() -> None:
    assert share_of(Counted(9, 9), fewest=10).told is False
    assert share_of(Counted(9, 10), fewest=10).told is True
    assert (share_of(Counted(0, 0), fewest=0).told, share_of(Counted(0, 0), fewest=0).share) == (False, None)
    assert share_of(Counted(3, 4), fewest=1).share == 0.75


async def test_one_vote_a_person_and_run_and_the_newest_counts(desk: Desk) -> None:
    await desk.say("acme", now=WORKING, call="alert")
    first = await vote(desk.store, voter=ANN, useful=True, way="api", alert_id="alert_run_001", now=WORKING)
    assert (first.run_id, first.playbook, first.customer_id) == ("run_001", "save", "acme")
    later = WORKING + timedelta(hours=1)
    await vote(desk.store, voter=ANN.upper(), useful=False, way="mail", delivery_id="del_run_001", note="no", now=later)
    await vote(desk.store, voter=ANN, useful=True, way="mail", run_id="run_001", now=WORKING)  # late to arrive
    await vote(desk.store, voter="bo@example.com", useful=True, way="slack", run_id="run_001", now=WORKING)
    async with desk.store.reading() as connection:
        rows = (await connection.execute(select(votes).order_by(votes.c.voter))).all()
    assert [(row.voter, row.useful, row.note, row.way) for row in rows] == [
        (ANN, False, "no", "mail"),
        ("bo@example.com", True, None, "slack"),
    ]


async def test_votes_on_what_no_playbook_did_are_refused(desk: Desk) -> None:
    for given in ({"run_id": "run_x"}, {"alert_id": "alert_x"}, {"delivery_id": "del_x"}):
        with pytest.raises(NotFoundError, match="_x'"):
            await vote(desk.store, voter=ANN, useful=True, way="api", now=WORKING, **given)
    with pytest.raises(RefusedError, match="at most 1000 characters"):
        await vote(desk.store, voter=ANN, useful=True, way="api", run_id="x", note="x" * 1001, now=WORKING)


async def test_precision_by_votes_and_by_how_alerts_ended(desk: Desk) -> None:
    for number, outcome in enumerate(("success", "invalid", "no_success", "success", None)):
        await desk.say("acme", playbook="save", now=WORKING, call="alert")
        if outcome is not None:
            async with desk.store.transaction() as connection:
                closed = {"state": "closed", "outcome": outcome, "closed_at": WORKING}
                await connection.execute(
                    update(alert).where(alert.c.id == f"alert_run_{number + 1:03}").values(**closed)
                )
    for voter, useful in (("a@x.example", True), ("b@x.example", True), ("c@x.example", False)):
        await vote(desk.store, voter=voter, useful=useful, way="api", run_id="run_001", now=WORKING)
    found = await find_precision(desk.store, fewest=3, playbooks=["quiet"])
    quiet, save = found
    assert (save.votes.good, save.votes.of, save.votes.told) == (2, 3, True)
    assert (save.outcomes.good, save.outcomes.of, save.outcomes.told) == (2, 3, True)
    assert (quiet.playbook, quiet.votes.of, quiet.votes.told) == ("quiet", 0, False)
    later = await find_precision(desk.store, fewest=3, since=WORKING + timedelta(seconds=1))
    assert later == []
    (before,) = await find_precision(desk.store, fewest=3, until=MONDAY + timedelta(days=7))
    assert before == save


def test_what_is_at_stake() -> None:
    assert stake(0.25, 12_000.0) == 3_000.0
    assert stake(None, 12_000.0) == stake(0.5, None) == stake(float("nan"), 1.0) == stake(0.1, -5.0) == 0.0


def test_more_at_stake_is_an_earlier_turn_within_the_minute() -> None:
    turns = [turn_at(MONDAY, rank) for rank in (1e13, 1e12, 5.05e6, 5e6, 101.0, 100.0, 1.0, 0.0)]
    assert turns == sorted(turns)
    assert turns[0] == turns[1] == MONDAY
    assert turns[-1] == MONDAY + SPAN
    assert len(set(turns)) == 7
