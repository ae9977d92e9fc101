"""A person and a customer erased from a hub that pulls from real vendors: nothing of them is left, nothing comes back, and
every figure is what it was."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from hub.access.privacy.asking import About
from hub.access.privacy.erasing import erase, list_erasures, plan_erasure
from hub.compose import Hub
from hub.store import Connection
from hub.store.facts import find_facts
from hub.store.tables import (
    contact,
    customer,
    external_id,
    metadata,
    subscription,
    survey_response,
    ticket,
    user_activity_day,
)
from tests.access.privacy.conftest import NOW

DAYS = [NOW.date() - timedelta(days=days) for days in (0, 1, 20, 45)]


async def dump(connection: Connection) -> str:
    """Every value of every table, as one text."""
    parts: list[str] = []
    for table in metadata.tables.values():
        parts += [f"{table.name}: {tuple(row)!r}" for row in await connection.execute(select(table))]
    return "\n".join(parts)


async def figures(hub: Hub) -> dict[date, Any]:
    """Every fact of every customer on several days, exactly."""
    async with hub.store.reading() as connection:
        found = {day: await find_facts(connection, as_of=day) for day in DAYS}
    return {day: {name: list(map(repr, column)) for name, column in facts.items()} for day, facts in found.items()}


def differing(one: dict[date, Any], other: dict[date, Any]) -> list[tuple[Any, ...]]:
    """(day, fact, customer, before, after) of every value that is another."""
    return [
        (day, name, one[day]["customer_id"][place], before, after)
        for day in one
        for name in one[day]
        for place, (before, after) in enumerate(zip(one[day][name], other[day][name], strict=True))
        if before != after
    ]


async def cards(hub: Hub) -> list[Any]:
    """What scoring writes, but for when it did."""
    card = metadata.tables["scorecard"]
    columns = [column for column in card.c if column.name != "computed_at"]
    async with hub.store.reading() as connection:
        return [tuple(row) for row in await connection.execute(select(*columns).order_by(card.c.id))]


async def somebody(hub: Hub) -> Any:
    """A contact who wrote tickets and answered surveys."""
    statement = (
        select(contact)
        .join(ticket, func.lower(ticket.c.requester_email) == func.lower(contact.c.email))
        .join(survey_response, func.lower(survey_response.c.respondent_email) == func.lower(contact.c.email))
        .where(contact.c.source == "crm")
        .order_by(contact.c.id)
        .limit(1)
    )
    async with hub.store.reading() as connection:
        return (await connection.execute(statement)).one()


async def user_of(hub: Hub, customer_id: str) -> str:
    use = user_activity_day.c
    async with hub.store.reading() as connection:
        statement = select(use.user_key).where(use.customer_id == customer_id).order_by(use.user_key).limit(1)
        return str((await connection.execute(statement)).scalar_one())


async def test_a_person_goes_and_figures_stay_and_no_sync_brings_them_back(hub: Hub) -> None:
    await hub.score(fire=False)
    person = await somebody(hub)
    user = await user_of(hub, person.customer_id)
    before, scored = await figures(hub), await cards(hub)
    about = About(person=(person.email.upper(), f"usage:{user}"))
    plan = await plan_erasure(hub.store, about)
    assert plan.own["contact"] >= 1
    assert plan.own["ticket"] >= 1
    assert plan.own["survey_response"] >= 1
    assert plan.own["user_activity_day"] >= 1
    async with hub.store.reading() as connection:
        assert person.email in await dump(connection)  # a plan changes nothing

    done = await erase(hub.store, about, by="Ann", now=NOW)
    assert {name: done.counts[name] for name in ("contact", "ticket", "survey_response", "user_activity_day")} == {
        name: plan.own[name] for name in ("contact", "ticket", "survey_response", "user_activity_day")
    }
    assert differing(before, await figures(hub)) == []
    async with hub.store.reading() as connection:
        text = await dump(connection)
    assert person.email.lower() not in text.lower()
    assert person.name not in text
    assert user not in {part.strip("'\" ") for part in text.replace("|", ",").split(",")}

    await hub.forget_bookmarks(list(hub.settings.sources))
    reports = await hub.sync_all(list(hub.settings.sources))
    assert {report.error for report in reports} == {None}
    erased = sum(stream.erased for report in reports for stream in report.streams.values())
    assert erased >= plan.own["contact"] + plan.own["ticket"] + plan.own["survey_response"]
    assert sum(stream.new for report in reports for stream in report.streams.values()) == 0
    assert sum(stream.quarantined for report in reports for stream in report.streams.values()) == 0
    async with hub.store.reading() as connection:
        text = await dump(connection)
    assert person.email.lower() not in text.lower()
    assert person.name not in text
    assert differing(before, await figures(hub)) == []
    await hub.score(fire=False)
    assert await cards(hub) == scored


async def test_the_report_names_nobody(hub: Hub) -> None:
    person = await somebody(hub)
    await erase(hub.store, About(person=(person.email,)), by="Ann", now=NOW)
    [report] = await list_erasures(hub.store)
    assert (report.state, report.kind, report.asked_by, report.subject) == ("done", "person", "Ann", None)
    said = repr(report).lower()
    assert person.email.lower() not in said
    assert person.name.lower() not in said
    assert person.id not in said
    assert any("sources themselves" in line for line in report.left)


async def test_a_customer_goes_with_everybody_there_and_what_it_paid_still_counts(hub: Hub) -> None:
    await hub.score(fire=False)
    before, scored = await figures(hub), await cards(hub)
    async with hub.store.reading() as connection:
        gone = (await connection.execute(select(customer).order_by(customer.c.id).limit(1))).one()
        said = select(external_id.c.domains).where(external_id.c.customer_id == gone.id, external_id.c.source == "crm")
        [domain] = (await connection.execute(said)).scalar_one()
        people = (await connection.execute(select(contact).where(contact.c.customer_id == gone.id))).all()
        money = select(func.count(), func.sum(subscription.c.mrr))
        paid = (await connection.execute(money)).one()
    assert people
    done = await erase(hub.store, About(customer=gone.id), by="Ann", now=NOW)
    assert done.counts["customer"] == 1
    assert done.counts["contact"] == len(people)

    async def nothing_is_left() -> None:
        async with hub.store.reading() as connection:
            text = (await dump(connection)).lower()
            assert (await connection.execute(money)).one() == paid
        assert gone.name.lower() not in text
        assert domain.lower() not in text
        for person in people:
            assert person.email.lower() not in text
            assert person.name.lower() not in text

    await nothing_is_left()
    assert differing(before, await figures(hub)) == []
    await hub.forget_bookmarks(list(hub.settings.sources))
    reports = await hub.sync_all(list(hub.settings.sources))
    assert {report.error for report in reports} == {None}
    assert sum(stream.erased for report in reports for stream in report.streams.values()) > len(people)
    assert sum(stream.new for report in reports for stream in report.streams.values()) == 0
    await nothing_is_left()
    assert differing(before, await figures(hub)) == []
    await hub.score(fire=False)
    assert await cards(hub) == scored
