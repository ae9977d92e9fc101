"""The simulated company: the same again and again, growing only at its end, and worth predicting."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from connectors.kit.simulated import ProductEvent, World
from hub.demo.company import Simulation, hidden_truth, simulate
from hub.demo.company.eventlog import EventLog

NEVER = 1 << 30
SMALL: dict[str, Any] = {"seed": 3, "customers": 20, "months": 6, "started_on": date(2026, 1, 5)}
NOON = datetime(2026, 4, 14, 12, tzinfo=UTC)
TABLES = ("accounts", "people", "tickets", "nps", "terms", "deals", "bills")


def rows(world: World) -> dict[str, list[Any]]:
    return {name: list(getattr(world, name)) for name in (*TABLES, "events")}


def test_the_same_arguments_give_the_same_world() -> None:
    assert rows(simulate(**SMALL, until=NOON)) == rows(simulate(**SMALL, until=NOON))


def test_another_seed_gives_another_world() -> None:
    assert rows(simulate(**{**SMALL, "seed": 4}, until=NOON)) != rows(simulate(**SMALL, until=NOON))


def test_a_small_world_is_exactly_this() -> None:
    world = simulate(**SMALL, until=NOON)
    assert {name: len(table) for name, table in rows(world).items()} == EXPECTED_COUNTS
    assert world.events[0] == next(iter(world.events))
    assert (world.accounts[0].name, world.accounts[0].domain) == EXPECTED_FIRST


@pytest.mark.parametrize("later", [timedelta(hours=3), timedelta(days=1), timedelta(days=40)])
def test_time_only_adds(later: timedelta) -> None:
    """The world until a moment is the same, however far it was simulated."""
    early, late = simulate(**SMALL, until=NOON), Simulation(**SMALL, until=NOON + later)
    assert rows(late.world(until=NOON)) == rows(early)


def test_a_row_that_changes_says_when() -> None:
    early, late = simulate(**SMALL, until=NOON), simulate(**SMALL, until=NOON + timedelta(days=30))
    assert list(late.events[: len(early.events)]) == list(early.events)
    changed: Counter[str] = Counter()
    for table in TABLES:
        if table == "nps":
            assert list(late.nps)[: len(early.nps)] == list(early.nps)
            continue
        then = {row.number: row for row in getattr(early, table)}
        now = {row.number: row for row in getattr(late, table)}
        assert set(then) <= set(now)
        for number, row in now.items():
            assert row.updated_at <= late.until
            if number not in then or row != then[number]:
                assert row.updated_at > NOON, row
                changed[table] += number in then
    assert changed["tickets"] > 0
    assert changed["terms"] > 0


def test_nothing_is_later_than_until(world: World) -> None:
    assert world.events[-1].at <= world.until
    assert world.events[-1].at > world.until - timedelta(hours=30)
    for ticket in world.tickets:
        assert ticket.updated_at <= world.until
        assert ticket.solved_at is None or ticket.created_at < ticket.solved_at <= world.until
    assert all(answer.at <= world.until for answer in world.nps)
    assert all(term.ended_on is None or term.ended_on <= world.until.date() for term in world.terms)


def test_sizes(world: World, events: list[ProductEvent]) -> None:
    assert len(world.accounts) == 300
    assert 400_000 <= len(world.events) <= 700_000
    assert 150_000 <= len({(each.person, each.at.date()) for each in events}) <= 250_000
    assert 8_000 <= len(world.tickets) <= 12_000
    assert 2_000 <= len(world.nps) <= 3_000
    assert 2_300 <= len(world.people) <= 3_000
    assert 900 <= len(world.deals) <= 1_300


def test_events_are_ordered_unique_and_follow_the_week(events: list[ProductEvent]) -> None:
    assert all(one.at <= other.at for one, other in pairwise(events))
    assert len({event.insert_id for event in events}) == len(events)
    weekdays = Counter(event.at.weekday() for event in events)
    assert weekdays[5] + weekdays[6] < 0.04 * len(events)
    assert len({event.name for event in events}) == 13


def test_the_log_is_a_sequence(world: World) -> None:
    events = world.events
    assert events[-1] == events[len(events) - 1]
    assert list(events[5:8]) == [events[5], events[6], events[7]]
    with pytest.raises(IndexError):
        events[len(events)]


def test_terms_follow_one_another(world: World) -> None:
    by_account: dict[int, list[Any]] = {}
    for term in world.terms:
        by_account.setdefault(term.account, []).append(term)
    accounts = {account.number: account for account in world.accounts}
    assert set(by_account) == set(accounts)
    for number, terms in by_account.items():
        assert terms[0].started_on == accounts[number].signed_on
        for term, following in pairwise(terms):
            assert term.ended_on == following.started_on
            assert term.cancellation_kind in (None, "contraction")
            if term.cancellation_kind == "contraction":
                assert following.mrr < term.mrr
            assert term.started_on < term.ended_on <= term.renews_on
        assert terms[-1].ended_on == accounts[number].churned_on
        if terms[-1].ended_on is not None:
            assert terms[-1].cancellation_kind in ("voluntary", "involuntary")
            assert terms[-1].cancelled_at.date() <= terms[-1].ended_on


def test_nothing_happens_after_the_end(world: World, events: list[ProductEvent]) -> None:
    ended = {account.number: account.churned_on for account in world.accounts if account.churned_on}
    assert len(ended) > 20
    for event in events:
        assert event.account not in ended or event.at.date() < ended[event.account]
    for row in (*world.tickets, *world.people):
        assert row.account not in ended or row.created_at.date() < ended[row.account]
    for answer in world.nps:
        assert answer.account not in ended or answer.at.date() < ended[answer.account]


def test_rows_refer_to_rows(world: World) -> None:
    people = {person.number: person for person in world.people}
    for row in (*world.tickets, *world.nps, *world.events[::50]):
        assert people[row.person].account == row.account
    assert len({person.email for person in world.people}) == len(world.people)


def test_churn_is_of_the_size_and_kinds_of_a_business(simulation: Simulation, world: World) -> None:
    truth = simulation.truth()
    left = [cause for cause, day in zip(truth.cause, truth.noticed, strict=True) if day < NEVER]
    assert sum(account.churned_on is not None for account in world.accounts) >= 80
    assert 0.15 <= truth.green.sum() / len(left) <= 0.25
    assert 0.10 <= left.count("payment") / len(left) <= 0.15
    assert sum(term.cancellation_kind == "contraction" for term in world.terms) >= 15
    shares = [truth.leaves_within(day, 90)[truth.at_risk(day)].mean() for day in range(30, 450, 30)]
    assert 0.04 <= float(np.mean(shares)) <= 0.09


def test_churn_can_be_foreseen_and_not_wholly(simulation: Simulation) -> None:
    truth = simulation.truth()
    days = range(30, 450, 30)
    left = np.concatenate([truth.leaves_within(day, 90)[truth.at_risk(day)] for day in days])
    risk = np.concatenate([truth.risk(day, 90)[truth.at_risk(day)] for day in days])
    assert 0.82 < roc_auc_score(left, risk) < 0.93
    assert abs(float(risk.mean()) - float(left.mean())) < 0.03


def test_green_churners_used_it_to_the_end_and_some_ugly_ones_stay(simulation: Simulation, world: World) -> None:
    truth = simulation.truth()
    slumped = (truth.engagement < -1.2).any(axis=0) & (truth.noticed == NEVER) & (truth.signed < 100)
    assert slumped.sum() >= 15
    log = world.events
    assert isinstance(log, EventLog)
    days = log.second // 86_400
    ratios = []
    for customer in np.flatnonzero(truth.green):
        notice = int(truth.noticed[customer])
        mine = days[log.account == customer + 1]
        late, before = (
            ((mine > notice - 28) & (mine <= notice)).sum(),
            ((mine > notice - 84) & (mine <= notice - 28)).sum(),
        )
        ratios.append(late / max(1, before / 2))
    assert float(np.median(ratios)) > 0.85


def test_payments_fail_before_they_fail_for_good(simulation: Simulation, world: World) -> None:
    truth = simulation.truth()
    began = world.started_on
    cut_off = {n + 1: int(truth.noticed[n]) for n, cause in enumerate(truth.cause) if cause == "payment"}
    near, usual = [], []
    for bill in world.bills:
        day = (bill.issued_on - began).days
        ends = cut_off.get(bill.account)
        if ends is not None and day >= ends - 21:
            assert (bill.paid_at, bill.failed_at is not None) == (None, True)
            assert bill.status == ("failed" if bill.attempts == 5 else "open")
        elif ends is not None and 0 <= day >= ends - 110:
            near.append(bill.failed_at is not None)
        else:
            usual.append(bill.failed_at is not None)
    assert len(near) > 20
    assert sum(near) / len(near) > 0.2
    assert 0.008 < sum(usual) / len(usual) < 0.03
    assert [bill.number for bill in world.bills] == list(range(1, len(world.bills) + 1))
    late = [bill for bill in world.bills if bill.paid_at is None and bill.due_on < world.until.date()]
    assert {bill.status for bill in late} <= {"failed", "open"}


def test_executives_of_who_leaves_go_silent(simulation: Simulation) -> None:
    truth = simulation.truth()
    day, silence = 400, []
    people = simulation.people
    for person in range(people.count):
        if people.role[person] == 3 and people.joined[person] < day - 120 and people.left[person] > day:
            last = simulation.touches.last(person, day * 86_400)
            account = int(people.account[person])
            leaves = bool(truth.leaves_within(day, 90)[account])
            if truth.at_risk(day)[account]:
                silence.append((leaves, day - last / 86_400 if last is not None else 365.0))
    staying = [days for leaves, days in silence if not leaves]
    leaving = [days for leaves, days in silence if leaves]
    assert len(leaving) >= 5
    assert 15 < float(np.median(staying)) < 60
    assert float(np.median(leaving)) > 1.5 * float(np.median(staying))


def test_identity_has_traps(world: World) -> None:
    accounts = {account.number: account for account in world.accounts}
    daughters = [account for account in world.accounts if account.parent is not None]
    assert len(daughters) == 2
    for daughter in daughters:
        assert daughter.parent is not None
        assert daughter.domain == accounts[daughter.parent].domain
        assert daughter.number > daughter.parent
    assert sum(account.domain == "" for account in world.accounts) == 1
    assert sum(person.email.endswith("@gmail.com") for person in world.people) == 3
    assert all(person.email.endswith((".example", "@gmail.com")) for person in world.people)
    names = [account.name for account in world.accounts]
    assert len(set(names)) == len(names)
    assert sum(_one_letter_apart(one, other) for one in names for other in names) == 2


def test_hidden_truth_is_of_the_same_world() -> None:
    truth, world = hidden_truth(**SMALL, until=NOON), simulate(**SMALL, until=NOON)
    gone = {account.number for account in world.accounts if account.churned_on}
    assert gone == {int(index) + 1 for index in np.flatnonzero(truth.ended <= (NOON.date() - world.started_on).days)}


@pytest.mark.parametrize(
    "change",
    [{"customers": 11}, {"months": 0}, {"until": datetime(2026, 1, 4, tzinfo=UTC)}, {"until": datetime(2026, 4, 1)}],  # noqa: DTZ001  # a naive time is what is refused
)
def test_refusals(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        simulate(**{**SMALL, "until": NOON, **change})


def _one_letter_apart(one: str, other: str) -> bool:
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) == 1


EXPECTED_COUNTS = {
    "accounts": 18,
    "people": 139,
    "tickets": 95,
    "nps": 19,
    "terms": 69,
    "deals": 39,
    "bills": 74,
    "events": 4949,
}
EXPECTED_FIRST = ("Halworth Goods", "halworthgoods.example")
