"""Reports: exact values of a handmade experiment, who is left out and counted, and what is said without a hold-out."""

import json

import pytest

from hub.errors import NotFoundError
from hub.playbooks import Playbook
from hub.playbooks.report import Effect, report
from hub.playbooks.report_text import lines
from hub.store import Store
from hub.store.tables import alert, delivery, lifecycle, playbook_assignment, playbook_run, vote
from scoring.experiment import newcombe
from tests.playbooks.conftest import Folder
from tests.playbooks.rehearsing import NOW, PLAIN, Past, at, playbook

HELD = PLAIN.replace("rest: 10 days", "rest: 10 days\nholdout: 20 %")


class Runs(Past):
    async def run(
        self,
        id_: str,
        ago: float,
        *,
        arm: str | None,
        cause: str = "scorecard",
        health: float = 0.4,
        mrr: float = 100.0,
    ) -> str:
        """A run so many days ago, and what the lot said with it; None: nobody drew."""
        run_id = f"run {id_} {ago} {cause}"
        row = {
            "id": run_id,
            "playbook": "low",
            "playbook_version": 1,
            "definition": {},
            "customer_id": id_,
            "episode": run_id,
            "cause": cause,
            "state": "held_out" if arm == "held_out" else "done",
            "step": 0,
            "fence": 0,
            "facts": {"health": health, "mrr": mrr},
            "started_at": at(ago),
            "updated_at": at(ago),
        }
        lot = {"playbook": "low", "customer_id": id_, "arm": arm, "share": 0.2, "since": at(ago), "run_id": run_id}
        async with self.store.transaction() as connection:
            await connection.execute(playbook_run.insert(), [row])
            if arm is not None:
                await connection.execute(playbook_assignment.insert(), [lot])
        return run_id


async def effects(store: Store, *playbooks: Playbook, names: tuple[str, ...] = ()) -> list[Effect]:
    by_name = {each.name: each for each in playbooks}
    return await report(store, by_name, names=names, horizon=30, grace=10, count_involuntary=True, now=NOW)


async def test_treated_and_held_out_are_compared(store: Store, folder: Folder) -> None:
    past = Runs(store)
    treated, held = [f"t{n}" for n in range(6)], [f"h{n}" for n in range(3)]
    young = ["y0", "y1"]
    await past.customers(*treated, *held, *young)
    for id_ in (*treated, *held):
        # t0, h0 and h1 leave 20 days after; t1 only after the horizon
        left = {"t0": 60, "h0": 60, "h1": 60, "t1": 45}.get(id_)
        await past.pays(id_, left=left)
        await past.run(id_, 80, arm="treated" if id_ in treated else "held_out")
        if left != 60:
            later = {50: 0.5 if id_ in treated else 0.3, 48: 0.9}
            await past.scores(id_, later, mrr=150.0 if id_ == "t2" else 100.0)
    for id_, arm in zip(young, ("treated", "held_out"), strict=True):
        await past.pays(id_)
        await past.run(id_, 39, arm=arm)  # 30 days and the grace of 10 are not over before tomorrow
    await past.run("t2", 10, arm="held_out")  # drawn again in a later period
    await past.run("h2", 70, arm=None, cause="hand")
    (found,) = await effects(store, playbook(folder, HELD))
    made = found.experiment
    assert made is not None
    assert (made.treated, made.held_out, made.immature, made.again, made.crossed) == (7, 4, 2, 1, 1)
    assert [made.churn.treated, made.churn.held_out] == pytest.approx([1 / 6, 2 / 3])
    assert (made.churn.n_treated, made.churn.n_held) == (6, 3)
    assert (made.churn.low, made.churn.high) == pytest.approx(newcombe(1, 6, 2, 3))
    assert made.churn.verdict == "too small to tell"
    assert made.churn.needed is not None
    assert made.churn.needed > 100
    # a month after, that is 50 days ago: five of six, and one of three; the two young ones are not a month old and two weeks
    assert [made.health.treated, made.health.held_out] == pytest.approx([0.1, -0.1])
    assert (made.health.n_treated, made.health.n_held, made.no_health) == (5, 1, 3)
    # a year's revenue: -1,200 of who left, +600 of t2
    assert made.arr.treated == pytest.approx((-1_200 + 600) / 6)
    assert made.arr.held_out == pytest.approx(-2 * 1_200 / 3)
    assert (made.arr.n_treated, made.arr.n_held, made.no_arr) == (6, 3, 0)
    assert found.says.startswith("Too small to tell: 6 treated and 3 held-out customers have matured; about ")
    said = "\n".join(lines([found]))
    assert "low, 20 % held out" in said
    assert "left within 30 days: 16.7 % against 66.7 %" in said
    assert "1 held-out customers were treated by hand" in said
    assert json.dumps(found.as_json())


async def test_an_effect_that_is_there_is_said(sqlite_store: Store, folder: Folder) -> None:
    past = Runs(sqlite_store)
    ids = [f"c{n}" for n in range(240)]
    await past.customers(*ids)
    for place, id_ in enumerate(ids):
        held = place % 4 == 0
        await past.run(id_, 80, arm="held_out" if held else "treated")
        # of 60 held out 30 leave, of 180 treated 24
        leaves = place % 8 == 0 if held else place % 40 in (1, 2, 3, 5)
        await past.pays(id_, left=60 if leaves else None)
    (found,) = await effects(sqlite_store, playbook(folder, HELD))
    assert found.says == "Treated customers left less often than held-out ones: -36.7 points (95 %: -49.6 to -23.1)."
    assert found.experiment is not None
    assert found.experiment.churn.verdict == "lower"


async def test_without_a_hold_out_nothing_is_said_of_an_effect(store: Store, folder: Folder) -> None:
    past = Runs(store)
    await past.customers("ann", "bob")
    one = await past.run("ann", 20, arm=None)
    two = await past.run("bob", 10, arm=None)
    call = {"kind": "task", "title": "Call", "severity": "high", "opened_at": at(9), "updated_at": at(9)}
    message = {"channel": "slack", "address": "#a", "payload": {}, "attempts": 1, "reserved_at": at(9)}
    voted = {"playbook": "low", "way": "api", "voted_at": at(1), "run_id": one}
    async with store.transaction() as connection:
        rows = [
            {
                **call,
                "id": "a1",
                "dedup_key": "a1",
                "customer_id": "ann",
                "run_id": one,
                "state": "closed",
                "outcome": "success",
            },
            {
                **call,
                "id": "a2",
                "dedup_key": "a2",
                "customer_id": "bob",
                "run_id": two,
                "state": "open",
                "outcome": None,
            },
        ]
        await connection.execute(alert.insert(), rows)
        sent = [
            {**message, "id": "d1", "dedup_key": "d1", "run_id": one, "state": "confirmed"},
            {**message, "id": "d2", "dedup_key": "d2", "run_id": two, "state": "unknown"},
        ]
        await connection.execute(delivery.insert(), sent)
        votes = [
            {**voted, "id": "v1", "voter": "ann@x.example", "useful": True},
            {**voted, "id": "v2", "voter": "bea@x.example", "useful": False},
            {**voted, "id": "v3", "voter": "cia@x.example", "useful": False},
        ]
        await connection.execute(vote.insert(), votes)
    (found,) = await effects(store, playbook(folder, PLAIN))
    assert found.experiment is None
    assert found.did.runs == {"done": 2}
    assert (found.did.first, found.did.last) == (at(20), at(10))
    assert found.did.messages == {"slack confirmed": 1, "slack unknown": 1}
    assert found.did.calls == {"open": 1, "success": 1}
    assert (found.did.useful, found.did.not_useful) == (1, 2)
    assert found.says == "Nothing can be said about its effect: nobody is held out (`holdout: 10 %` would)."
    said = lines([found])
    assert "  runs: 2 done, 2026-06-10 to 2026-06-20" in said
    assert "  votes: 1 useful, 2 not useful" in said


async def test_playbooks_that_never_ran_or_are_gone_are_told_too(sqlite_store: Store, folder: Folder) -> None:
    past = Runs(sqlite_store)
    await past.customers("ann")
    await past.run("ann", 20, arm=None)
    other = playbook(folder, HELD.replace("playbook: low", "playbook: other"))
    gone, never = await effects(sqlite_store, other)
    assert (gone.playbook, gone.configured, gone.did.runs) == ("low", False, {"done": 1})
    assert (never.playbook, never.configured, never.did.runs, never.share) == ("other", True, {}, 0.2)
    assert never.says == "Nothing can be said about its effect: nobody has been drawn for yet."
    assert "  never ran" in lines([never])
    assert lines([never, never]) == [f"never ran: {never.playbook}, {never.playbook}", ""]
    (named,) = await effects(sqlite_store, other, names=("other",))
    assert named.playbook == "other"
    with pytest.raises(NotFoundError, match="there is no playbook 'x'; there are: low, other"):
        await effects(sqlite_store, other, names=("x",))


async def test_what_is_known_before_anybody_can_have_left(store: Store, folder: Folder) -> None:
    past = Runs(store)
    treated, held = [f"t{n:02}" for n in range(40)], [f"h{n:02}" for n in range(25)]
    await past.customers(*treated, *held)
    for place, id_ in enumerate((*treated, *held)):
        await past.run(id_, 22, arm="treated" if id_ in treated else "held_out")
        rise = (0.1 if id_ in treated else 0.0) + 0.001 * (place % 7)
        # the first scorecard from two weeks on counts, of one that is early and one that is late
        await past.scores(id_, {9: 0.1, 8: 0.4 + rise, 1: 0.9}, mrr=110.0 if id_ == "t00" else 100.0)
    await past.run("t01", 5, arm="treated")
    (found,) = await effects(store, playbook(folder, HELD))
    made = found.experiment
    assert made is not None
    early = made.early_health
    assert (early.n_treated, early.n_held, early.verdict) == (40, 25, "higher")
    assert [early.treated, early.held_out] == pytest.approx([0.10288, 0.0028], abs=0.001)
    assert made.early_arr.treated == pytest.approx(120 / 40)
    assert (made.churn.n_treated, made.health.n_treated) == (0, 0), "a month and a horizon are not over"
    assert found.became is None
    assert "Health after 14 days rose more with treatment: +10.0 points" in found.says
    assert any(line.startswith("  health after 14 days: +10.3 against +0.3") for line in lines([found]))


async def test_two_weeks_that_are_not_over_say_nothing(sqlite_store: Store, folder: Folder) -> None:
    past = Runs(sqlite_store)
    await past.customers("ann", "bob")
    for id_, arm in (("ann", "treated"), ("bob", "held_out")):
        await past.run(id_, 20, arm=arm)  # 14 days, and 7 in which a scorecard counts, are not over before tomorrow
        await past.scores(id_, {3: 0.9})
    (found,) = await effects(sqlite_store, playbook(folder, HELD))
    assert found.experiment is not None
    assert (found.experiment.early_health.n_treated, found.experiment.early_health.n_held) == (0, 0)
    assert found.says.endswith("Health after 14 days tells no difference either: 0 treated, 0 held out.")


WATCHED = f"""{PLAIN.replace("when: {health: {lt: 0.5}}", "when: {watch_level: {eq: critical}}").partition("examples:")[0]}
examples:
  - {{facts: {{watch_level: critical}}, fires: true}}
  - {{facts: {{watch_level: clear}}, fires: false}}
"""


async def test_what_became_of_those_treated_is_told_as_no_proof(store: Store, folder: Folder) -> None:
    past = Runs(store)
    await past.customers("ann", "bob", "cia", "dan")
    for id_, ago, later in (("ann", 30, {16: 0.7}), ("bob", 30, {12: 0.2}), ("cia", 10, {1: 0.9})):
        await past.run(id_, ago, arm=None)
        await past.scores(id_, later)
    await past.run("ann", 15, arm=None, health=0.7)  # the first counts
    stands = [("ann", "clear"), ("bob", "critical"), ("cia", "clear"), ("dan", "warning")]
    rows = [{"customer_id": id_, "watch_level": level, "updated_at": NOW} for id_, level in stands]
    async with store.transaction() as connection:
        await connection.execute(lifecycle.insert(), rows)
    (found,) = await effects(store, playbook(folder, WATCHED))
    made = found.became
    assert made is not None
    assert (made.customers, made.seen, made.better, made.worse) == (3, 2, 1, 1)
    assert [made.before, made.after] == pytest.approx([0.4, 0.45])
    assert made.stands == {"watch_level": {"clear": 2, "critical": 1}}
    (said,) = [line for line in lines([found]) if "proves nothing" in line]
    assert said == (
        "  what became of 3 customers, which proves nothing: health 40 before, 45 after 14 days (2 customers: 1 better, "
        "1 worse); watch_level now: 2 clear, 1 critical"
    )
    assert found.says.startswith("Nothing can be said about its effect")
    assert json.dumps(found.as_json())
