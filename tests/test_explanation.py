"""Explanations of stored scorecards: exact sums, the records behind them, customers by what they are called; both databases."""

import asyncio
import re
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, update

from hub.cli import main
from hub.errors import NotFoundError, RefusedError
from hub.explanation import explain, find_lift, get_customer
from hub.model.actions import Band
from hub.resources import CONFIG
from hub.scorecards import score
from hub.store import Store
from hub.store.evidence import BEHIND, find_evidence
from hub.store.facts import find_facts
from hub.store.facts.table import AGES
from hub.store.tables import customer, health_definition, scorecard
from scoring.book import HealthBook
from scoring.explain import Cause
from scoring.facts import FACTS, FactTable
from scoring.health import score as read_health
from tests.fakes.story import DEFINITION, JUNE, MAY, NOW, definition, tell


@pytest.fixture
async def told(store: Store) -> Store:
    await tell(store)
    return store


async def test_contributions_sum_to_the_stored_score(told: Store) -> None:
    found = await explain(told, "acme")
    assert (found.as_of, found.customer.name, found.coverage) == (JUNE, "Acme", pytest.approx(1))
    # 4 sessions of 1 user in 4 weeks; 1 of 4 seats; 2 urgent tickets; answered after 500 minutes
    assert {line.contribution.measure: line.contribution.value for line in found.lines} == {
        "login_frequency": pytest.approx(0.25),
        "mau": pytest.approx(0.25),
        "ticket_severity": pytest.approx(0.5),
        "first_response": pytest.approx(0.5),
    }
    assert found.score == pytest.approx(0.5 * 0.25 + 0.2 * 0.25 + 0.2 * 0.5 + 0.1 * 0.5, abs=1e-9)
    assert sum(line.contribution.amount for line in found.lines) == pytest.approx(found.score, abs=1e-9)
    severity = found.lines[2].contribution
    assert severity.facts == {"urgent_tickets_90d": 2, "tickets_90d": 2}
    assert severity.reason == "2 of 2 tickets in the last 90 days were high or urgent"
    assert found.comparison is None


async def test_a_change_is_divided_by_measure_and_cause(told: Store) -> None:
    found = await explain(told, "acme", since=MAY + timedelta(days=3))
    comparison = found.comparison
    assert comparison is not None
    assert (comparison.since, comparison.band) == (MAY, Band.HEALTHY)
    # May: 3 logins a week, half the seats, no ticket in 90 days but the low one of February, answered after 5 minutes
    assert comparison.score == pytest.approx(0.5 * 0.75 + 0.2 * 0.5 + 0.2 * 1 + 0.1 * 0.995)
    assert found.score is not None
    assert comparison.change == pytest.approx(found.score - (comparison.score or 0), abs=1e-12)
    assert {(change.measure, change.cause, change.reweighting): change.amount for change in comparison.changes} == {
        ("login_frequency", Cause.DATA, 0.0): pytest.approx(0.5 * -0.5),
        ("ticket_severity", Cause.DATA, 0.0): pytest.approx(0.2 * -0.5),
        ("mau", Cause.DATA, 0.0): pytest.approx(0.2 * -0.25),
        ("first_response", Cause.DATA, 0.0): pytest.approx(0.1 * -0.495),
    }
    assert sum(change.amount for change in comparison.changes) == pytest.approx(comparison.change, abs=1e-9)
    assert comparison.causes == {Cause.DATA: pytest.approx(comparison.change)}


async def test_another_definition_is_told_from_other_data(told: Store) -> None:
    other = definition(logins=0.2, seats=0.5)
    await score(told, HealthBook(other), [], as_of=JUNE, now=NOW)
    comparison = (await explain(told, "acme", since=MAY)).comparison
    assert comparison is not None
    amounts = {(change.measure, change.cause): change.amount for change in comparison.changes}
    assert amounts[("login_frequency", Cause.DATA)] == pytest.approx(0.35 * -0.5)
    assert amounts[("login_frequency", Cause.DEFINITION)] == pytest.approx(0.5 * -0.3)
    assert amounts[("mau", Cause.DATA)] == pytest.approx(0.35 * -0.25)
    assert amounts[("mau", Cause.DEFINITION)] == pytest.approx(0.375 * 0.3)
    assert sum(amounts.values()) == pytest.approx(comparison.change, abs=1e-9)
    assert sum(comparison.causes.values()) == pytest.approx(comparison.change, abs=1e-9)


async def test_what_went_missing_is_told_from_other_data(told: Store) -> None:
    later = JUNE + timedelta(days=100)  # the tickets are older than 90 days, and so is their answering
    now = NOW + timedelta(days=100)
    await score(told, HealthBook(DEFINITION), [], as_of=later, now=now)
    comparison = (await explain(told, "acme", since=JUNE)).comparison
    assert comparison is not None
    amounts = {change.measure: change for change in comparison.changes}
    assert amounts["first_response"].cause is Cause.MISSING_DATA
    assert amounts["first_response"].reweighting != 0
    assert {change.cause for name, change in amounts.items() if name != "first_response"} == {Cause.DATA}
    assert sum(change.amount for change in comparison.changes) == pytest.approx(comparison.change, abs=1e-9)


async def test_without_a_score_a_change_is_not_made_up(told: Store) -> None:
    async with told.transaction() as connection:
        await connection.execute(
            update(scorecard).where(scorecard.c.as_of == MAY).values(health=None, band=None, reason="too little")
        )
    comparison = (await explain(told, "acme", since=MAY)).comparison
    assert comparison is not None
    assert (comparison.change, comparison.changes, comparison.causes) == (None, (), {})
    assert comparison.note == f"No score on {MAY}, so there is no change to divide: too little"


async def test_a_definition_that_is_not_kept_is_said(told: Store) -> None:
    async with told.transaction() as connection:
        await connection.execute(delete(health_definition))
    comparison = (await explain(told, "acme", since=MAY)).comparison
    assert comparison is not None
    assert comparison.change is not None
    assert comparison.changes == ()
    assert "is not kept" in (comparison.note or "")


async def test_the_records_behind_a_fact(told: Store) -> None:
    found = await explain(told, "acme", records=1)
    lines = {line.contribution.measure: line for line in found.lines}
    (urgent,) = lines["ticket_severity"].evidence["urgent_tickets_90d"]
    assert (urgent.kind, urgent.since, urgent.until) == ("ticket", JUNE - timedelta(days=89), JUNE)
    assert urgent.total == 2  # not the one of tomorrow, nor that of February
    (record,) = urgent.records
    assert (record.source, record.key, record.on) == ("desk", "t2", JUNE - timedelta(days=10))
    assert (record.what, record.url) == ("urgent: Ticket t2", "https://desk.example/t2")
    (seats,) = lines["mau"].evidence["seats_purchased"]
    assert [(each.source, each.key, each.what) for each in seats.records] == [
        ("billing", "s1", "Pro, 500.00 EUR a month, 4 seats")
    ]
    (month,) = lines["mau"].evidence["mau"]
    assert [(each.on, each.what) for each in month.records] == [
        (JUNE - timedelta(days=2), "1 user, 20 events, 4 sessions")
    ]
    (before,) = lines["mau"].evidence["mau_previous"]
    assert (before.since, before.until) == (JUNE - timedelta(days=55), JUNE - timedelta(days=28))


async def test_evidence_of_every_fact_for_many_customers_at_once(told: Store) -> None:
    async with told.reading() as connection:
        found = await find_evidence(connection, ["acme", "north"], BEHIND, as_of=JUNE)
    assert set(BEHIND) == set(FACTS) - set(AGES)
    acme, north = found["acme"], found["north"]
    assert set(acme) == set(north) == set(BEHIND)
    assert all(evidence.total == 0 and evidence.records == () for each in north.values() for evidence in each)
    assert [each.key for each in acme["tickets_open"][0].records] == ["t2", "t1", "t3"]
    assert acme["nps_last"][0].records[0].what == "9 on 0-10: Good"
    assert acme["days_since_active"][0].total == 3
    assert acme["resolution_hours_90d"][0].total == 0
    async with told.reading() as connection:
        facts = await find_facts(connection, as_of=JUNE, customer_ids=["acme"])
    for fact in ("tickets_28d", "tickets_90d", "tickets_open", "nps_answers_180d", "active_days_28d"):
        assert facts[fact] == [acme[fact][0].total], fact


async def test_a_lift_of_the_stored_facts_holds_when_scored_again(told: Store) -> None:
    lift = await find_lift(told, HealthBook(DEFINITION), "acme.example", target=Band.STABLE)
    assert lift.reached
    async with told.reading() as connection:
        columns = await find_facts(connection, as_of=JUNE, customer_ids=["acme"])
    changed = {name: [lift.facts.get(name, column[0])] for name, column in columns.items()}
    health = read_health(FactTable.of(JUNE, changed), DEFINITION)
    assert health.bands == [Band.STABLE]
    assert float(health.score[0]) == pytest.approx(lift.lifted_score, abs=1e-12)
    assert lift.score == pytest.approx((await explain(told, "acme")).score, abs=1e-12)


@pytest.mark.parametrize("text", ["acme", "ACME.example", "Acme", " acme "])
async def test_a_customer_by_id_domain_or_name(told: Store, text: str) -> None:
    async with told.reading() as connection:
        assert (await get_customer(connection, text)).id == "acme"


async def test_an_ambiguous_name_lists_the_candidates(told: Store) -> None:
    with pytest.raises(RefusedError) as caught:
        await explain(told, "Twin")
    assert str(caught.value) == (
        "'Twin' could be 2 customers; say which id: north (Twin, north.example), south (Twin, no domain)"
    )


async def test_a_merged_customer_is_the_one_it_became(told: Store) -> None:
    async with told.transaction() as connection:
        await connection.execute(update(customer).where(customer.c.id == "north").values(merged_into_id="acme"))
        await connection.execute(update(customer).where(customer.c.id == "south").values(merged_into_id="acme"))
    async with told.reading() as connection:
        assert (await get_customer(connection, "north")).id == "acme"
        assert (await get_customer(connection, "Twin")).id == "acme"


async def test_errors_name_what_there_is(told: Store) -> None:
    with pytest.raises(NotFoundError, match="no customer has the id, domain or name 'Ac'"):
        await explain(told, "Ac")
    with pytest.raises(NotFoundError, match=f"no scorecard up to 2026-01-01; the first is of {MAY}"):
        await explain(told, "acme", as_of=date(2026, 1, 1))
    with pytest.raises(RefusedError, match=f"the scorecard is of {JUNE}; compare it with a day before"):
        await explain(told, "acme", since=JUNE)


@pytest.fixture
def run(sqlite_template: Path, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """The command line over the story."""
    url = f"sqlite:///{tmp_path / 'cshub.db'}"
    shutil.copy(sqlite_template, tmp_path / "cshub.db")

    async def fill() -> None:
        async with Store.open(url) as store:
            await tell(store)

    asyncio.run(fill())
    config = tmp_path / "config"
    shutil.copytree(CONFIG, config)
    (config / "sources.yaml").write_text("sources: {}\n", encoding="utf-8")
    text = (config / "hub.yaml").read_text(encoding="utf-8")
    (config / "hub.yaml").write_text(re.sub("^store: .*$", f"store: {url}", text, flags=re.MULTILINE), encoding="utf-8")

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["--config", str(config), "explain", *arguments], env={"COLUMNS": "200"})
        return result.exit_code, result.output

    return run


def test_the_command_line_shows_parts_change_and_lift(run: Callable[..., tuple[int, str]]) -> None:
    code, text = run("Acme", "--since", str(MAY), "--lift", "stable", "--records", "2")
    assert code == 0, text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[:2] == [
        "Acme (acme, acme.example)",
        f"32.5 of 100, warning as of {JUNE}; 100 % of the weight has data",
    ]
    assert (
        "login_frequency engagement 25.0 50.0 % 12.5 "
        "1 session a user and week in the last 28 days (4 sessions, 1 user)" in lines
    )
    assert "32.5 the score" in lines
    assert f"{JUNE - timedelta(days=10)} desk:t2 urgent: Ticket t2" in lines
    assert f"77.5 of 100, healthy on {MAY} -> 32.5 of 100, warning on {JUNE}: -45.0" in lines
    assert "login_frequency data -25.0 logins_per_user_week 3 -> 1; sessions_28d 24 -> 4; mau 2 -> 1" in lines
    assert "all data -45.0" in lines
    assert "To be stable: " in text


def test_the_command_line_says_what_is_wrong(run: Callable[..., tuple[int, str]]) -> None:
    code, text = run("Twin")
    assert (code, "north (Twin, north.example), south (Twin, no domain)" in text) == (1, True)
    code, text = run("Acme", "--lift", "green")
    assert (code, "'critical', 'warning', 'stable', 'healthy'" in text) == (2, True)
    code, text = run("Acme", "--since", "yesterday")
    assert (code, "%Y-%m-%d" in text) == (2, True)
    code, text = run("nobody.example")
    assert (code, "no customer has the id, domain or name 'nobody.example'" in text) == (1, True)
