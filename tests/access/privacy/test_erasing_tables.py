"""A person and a customer in every kind of row that people, messages and vendors leave: what becomes of each."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from hub.access.privacy import erasing
from hub.access.privacy.asking import About
from hub.access.privacy.erasing import erase, go_on, list_erasures, plan_erasure
from hub.access.privacy.exporting import Exported, export
from hub.errors import NotFoundError, RefusedError
from hub.identity.merging import merge
from hub.model.records import Contact, Ticket, TicketStatus
from hub.store import Store, audit, tables
from hub.store.privacy.changing import change_batch
from hub.store.privacy.places import PLACES
from hub.store.privacy.tombstones import Veil
from hub.store.suppression import Reason, Suppressed, find_suppressed, suppress
from tests.schema.company import NOW, customer_row, insert, record

JO, NAME = "jo.smith@acme.example", "Jo Smith"
PERSON = About(person=(JO,))


async def rows(store: Store, table: Any) -> list[Mapping[str, Any]]:
    async with store.reading() as connection:
        return [dict(row) for row in (await connection.execute(select(table).order_by(*table.primary_key))).mappings()]


async def only(store: Store, table: Any) -> Mapping[str, Any]:
    [row] = await rows(store, table)
    return row


@pytest.fixture
async def company(store: Store) -> Store:
    """Jo Smith of Acme, who wrote a ticket, was mailed, bounced, opted out, and whom people speak of."""
    await insert(store, tables.customer, [customer_row(1, name="Acme Works"), customer_row(2, name="Other")])
    contact = record("crm", "7", "c001", email="Jo.Smith@acme.example", name=NAME, title="CTO", role="executive")
    other = record("crm", "8", "c002", email="ann@other.example", name="Ann Other", title="CEO", role="champion")
    await insert(store, tables.contact, [contact, other])
    ticket = record("desk", "1", "c001", subject="Help Jo", requester_email=JO, status="open", created_at=NOW)
    await insert(store, tables.ticket, [{**ticket, "severity": "high", "url": "https://desk.example/1"}])
    change = {"kind": "contact", "record_id": "crm:7", "at": NOW, "learned_at": NOW}
    await insert(
        store,
        tables.field_change,
        [
            {**change, "id": 1, "field": "title", "before": "VP", "after": "CTO"},
            {**change, "id": 2, "field": "role", "before": "champion", "after": "executive"},
        ],
    )
    message = {"channel": "email", "attempts": 1, "reserved_at": NOW, "customer_id": "c001"}
    await insert(
        store,
        tables.delivery,
        [
            {**message, "id": "d1", "dedup_key": "k1", "address": JO, "subject": "Dear Jo", "state": "confirmed",
             "payload": {"text": f"Dear {NAME}"}, "receipt": {"message_id": "<1>"}},
            {**message, "id": "d2", "dedup_key": "k2", "address": JO, "subject": "Soon", "state": "reserved",
             "payload": {"text": "…"}, "receipt": None},
            {**message, "id": "d3", "dedup_key": "k3", "channel": "slack", "address": "#cs", "subject": None,
             "state": "confirmed", "payload": {"text": f"call jo  smith <{JO}>"}, "receipt": {"channel": "C1", "ts": "1.2"}},
        ],
    )  # fmt: skip
    await insert(
        store,
        tables.alert,
        [{"id": "a1", "customer_id": "c001", "kind": "alert", "title": f"{NAME} left", "severity": "high", "state": "open",
          "dedup_key": "k", "opened_at": NOW, "updated_at": NOW, "note": "see jones@acme.example and jo.smith@acme.example"},
         {"id": "a2", "customer_id": "c002", "kind": "alert", "title": f"{NAME} of theirs", "severity": "high",
          "state": "open", "dedup_key": "l", "opened_at": NOW, "updated_at": NOW, "note": None}],
    )  # fmt: skip
    await insert(
        store,
        tables.survey_invitation,
        [{"id": "i1", "customer_id": "c001", "contact_id": "crm:7", "address": JO, "name": NAME, "asked_at": NOW,
          "asked_by": "schedule", "expires_at": NOW, "delivery_id": "d1", "answered_at": NOW, "score": 9,
          "comment": "I like it"}],
    )  # fmt: skip
    seen = {"seen": 1, "first_seen_at": NOW, "last_seen_at": NOW, "source": "crm", "stream": "contacts"}
    await insert(
        store,
        tables.quarantine,
        [
            {
                **seen,
                "id": "crm:contacts:9",
                "key": "9",
                "field": None,
                "reason": "no",
                "raw": {"properties": {"email": JO}},
            },
            {
                **seen,
                "id": "crm:contacts:5",
                "key": "5",
                "field": None,
                "reason": "no",
                "raw": {"email": "x@y.example"},
            },
        ],
    )
    await insert(
        store,
        tables.mail_bounce,
        [{"id": "b1", "address": JO, "kind": "hard", "status": "5.1.1", "reason": f"<{JO}>: unknown", "message_id": None,
          "delivery_id": "d1", "told_by": "mailbox", "at": NOW}],
    )  # fmt: skip
    await insert(
        store,
        tables.hook_event,
        [{"id": "h1", "hook": "billing", "event_id": "e", "type": None, "customer_id": None, "state": "done",
          "payload": {"by": {JO.upper(): [NAME, JO]}}, "reason": None, "outcome": None, "received_at": NOW}],
    )  # fmt: skip
    await insert(
        store,
        tables.idempotency_key,
        [{"id": "t:x:1", "request_digest": "d", "result": {"value": {"address": JO}}, "at": NOW}],
    )
    async with store.transaction() as connection:
        line = Suppressed(address=JO, reason=Reason.UNSUBSCRIBED, since=NOW, by=JO, topic="surveys")
        await suppress(connection, [line])
        for subject, detail in (("c001", {"note": f"spoke to {JO}"}), ("c002", {"note": "nobody"})):
            await audit.insert(
                connection, entry_id=audit.new_entry(), at=NOW, actor="ann", action="x", subject=subject, request=detail
            )
    return store


async def test_every_row_of_a_person_loses_the_person_and_stays(company: Store) -> None:
    done = await erase(company, PERSON, by="Ann", now=NOW)
    contact, other = await rows(company, tables.contact)
    contact, other = sorted((contact, other), key=lambda row: row["customer_id"])
    assert (contact["name"], contact["title"], contact["role"]) == (None, None, "executive")
    assert contact["id"] == f"crm:{contact['key']}"
    assert contact["key"].startswith("erased-")
    assert (other["name"], other["email"]) == ("Ann Other", "ann@other.example")
    ticket = await only(company, tables.ticket)
    assert (ticket["subject"], ticket["url"], ticket["severity"]) == (None, None, "high")
    assert ticket["requester_email"] == contact["email"].lower() != contact["email"]  # one mailbox in two spellings
    title, role = await rows(company, tables.field_change)
    assert (title["record_id"], title["before"], title["after"]) == (contact["id"], None, None)
    assert (role["record_id"], role["before"], role["after"]) == (contact["id"], "champion", "executive")
    sent, waiting, in_slack = await rows(company, tables.delivery)
    assert (sent["address"], sent["subject"], sent["payload"], sent["receipt"]) == (
        ticket["requester_email"],
        None,
        {},
        None,
    )
    assert (sent["state"], waiting["state"], waiting["error"]) == ("confirmed", "suppressed", "erased")
    assert in_slack["payload"] == {"text": f"call {ticket['requester_email']} <{ticket['requester_email']}>"}
    mine, theirs = await rows(company, tables.alert)
    assert mine["title"] == f"{ticket['requester_email']} left"
    assert mine["note"] == f"see jones@acme.example and {ticket['requester_email']}"
    assert theirs["title"] == f"{NAME} of theirs", "another customer's person may have the name"
    invited = await only(company, tables.survey_invitation)
    assert (invited["score"], invited["comment"], invited["name"]) == (9, None, None)
    assert (invited["contact_id"], invited["address"]) == (contact["id"], ticket["requester_email"])
    assert [row["key"] for row in await rows(company, tables.quarantine)] == ["5"]
    bounce = await only(company, tables.mail_bounce)
    assert (bounce["kind"], bounce["status"], bounce["reason"]) == ("hard", "5.1.1", None)
    hook = await only(company, tables.hook_event)
    word = ticket["requester_email"]
    assert hook["payload"] == {"by": {word: [word, word]}}, "beside the address the name is the person's"
    assert await rows(company, tables.idempotency_key) == []
    assert done.counts["delivery"] == 3
    assert any("C1 1.2" in line for line in done.left)
    assert "1 messages lie in the mailboxes they went to" in done.left


async def test_an_opt_out_is_still_honoured_and_names_nobody(company: Store) -> None:
    await erase(company, PERSON, by="Ann", now=NOW)
    line = await only(company, tables.suppression)
    assert JO not in repr(line)
    async with company.reading() as connection:
        found = await find_suppressed(connection, [JO.upper(), "jo.smith+news@acme.example", "jones@acme.example"])
    assert {address: [each.topic for each in lines] for address, lines in found.items()} == {
        JO.upper(): ["surveys"],
        "jo.smith+news@acme.example": ["surveys"],
    }


async def test_the_audit_log_loses_details_and_its_chain_stays_whole(company: Store) -> None:
    await erase(company, PERSON, by="Ann", now=NOW)
    found = {
        row["subject"]: row["detail"] for row in await rows(company, tables.audit_record) if row["kind"] == "asked"
    }
    assert found == {"c001": None, "c002": {"request": {"note": "nobody"}}}
    async with company.reading() as connection:
        assert [link.broken async for link in audit.verify(connection)] == [None, None, None]


async def test_a_person_is_known_by_a_contacts_key_too_and_a_second_erasure_finds_nothing(company: Store) -> None:
    await erase(company, About(person=("crm:7",)), by="Ann", now=NOW)
    assert (await only(company, tables.ticket))["subject"] is None
    again = await erase(company, PERSON, by="Ann", now=NOW)
    assert again.counts == {}
    assert [each.state for each in await list_erasures(company)] == ["done", "done"]


async def test_a_plan_counts_and_changes_nothing(company: Store) -> None:
    before = [await rows(company, place.table) for place in PLACES]
    plan = await plan_erasure(company, PERSON)
    assert [await rows(company, place.table) for place in PLACES] == before
    assert plan.subject.emails == (JO,)
    assert plan.own["delivery"] == 2
    assert plan.mentions == {
        "delivery": 1,
        "alert": 1,
        "hook_event": 1,
        "idempotency_key": 1,
        "audit_record": 1,
        "quarantine": 1,
    }


async def test_a_customer_loses_its_name_its_people_and_all_words(company: Store) -> None:
    await erase(company, About(customer="Acme Works"), by="Ann", now=NOW)
    gone, other = await rows(company, tables.customer)
    assert gone["name"].startswith("erased-")
    assert (gone["segment"], other["name"]) == ("enterprise", "Other")
    mine, theirs = await rows(company, tables.alert)
    assert (mine["title"], mine["note"], theirs["title"]) == ("[erased]", None, f"{NAME} of theirs")
    slack = (await rows(company, tables.delivery))[2]
    assert (slack["address"], slack["payload"]) == ("#cs", {})
    assert JO not in repr([await rows(company, place.table) for place in PLACES]).lower()
    assert {row["detail"] is None for row in await rows(company, tables.audit_record) if row["subject"] == "c001"} == {
        True
    }


async def test_what_was_merged_into_a_customer_goes_with_it(store: Store) -> None:
    names = {
        "c001": ("Acme Works", "acme.example"),
        "c002": ("Bolt Machines", "bolt.example"),
        "c003": ("Core", "core.example"),
    }
    made = [
        customer_row(number, name=name, domain=domain) for number, (name, domain) in enumerate(names.values(), start=1)
    ]
    await insert(store, tables.customer, made)
    people = [
        record("crm", f"p-{id_}", id_, name="Kim Miller", email=f"kim@{domain}") for id_, (_, domain) in names.items()
    ]
    await insert(store, tables.contact, people)
    note = {"id": "n1", "customer_id": "c002", "body": "Of Bolt", "by": "ann", "at": NOW}
    await insert(store, tables.note, [note])
    await merge(store, "c001", "c002", reason="Bolt Machines was bought", by="Ann", now=NOW)
    plan = await plan_erasure(store, About(customer="c001"))
    assert set(plan.subject.customers) == {"c001", "c002"}
    done = await erase(store, About(customer="c001"), by="Ann", now=NOW)
    assert done.counts["customer"] == 2
    left = repr([await rows(store, place.table) for place in PLACES]).lower()
    for told in ("acme works", "acme.example", "bolt machines", "bolt.example", "of bolt"):
        assert told not in left, told
    assert "core.example" in left
    (_, merged, core) = await rows(store, tables.customer)
    assert (merged["merged_into_id"], core["name"]) == ("c001", "Core")


async def test_who_is_meant_must_be_said(store: Store) -> None:
    for named in ((), ("  ",), ("Jo",), ("crm:",)):
        with pytest.raises(RefusedError):
            await erase(store, About(person=named), by="Ann", now=NOW)
    with pytest.raises(NotFoundError):
        await erase(store, About(customer="nobody"), by="Ann", now=NOW)
    assert await list_erasures(store) == []


async def test_killed_at_any_place_it_goes_on_to_the_same_end(company: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dies before every batch in turn, and is taken up again by another process."""
    places_done = 0

    async def dying(*args: Any, **named: Any) -> Any:
        nonlocal places_done
        if places_done % 2 == 0:
            places_done += 1
            raise KeyboardInterrupt
        places_done += 1
        return await change_batch(*args, **{**named, "most": 1})

    monkeypatch.setattr(erasing, "change_batch", dying)
    deaths = 0
    try:
        await erase(company, PERSON, by="Ann", now=NOW)
    except KeyboardInterrupt:
        deaths += 1
    [report] = await list_erasures(company)
    assert report.state == "running"
    async with company.transaction() as connection:  # the tombstones are the first that stands
        veil = Veil()
        contact = Contact(key="99", version=1, email=JO)
        ticket = Ticket(key="2", version=1, requester_email=JO, subject="x", status=TicketStatus.OPEN, created_at=NOW)
        kept, erased = await veil.over(connection, [contact, ticket], source="anywhere")
    assert (len(kept), erased) == (1, 2)
    while True:
        try:
            ended = await go_on(company, now=NOW)
            break
        except KeyboardInterrupt:
            deaths += 1
    assert deaths > 20
    assert [each.state for each in ended] == ["done"]
    assert JO not in repr([await rows(company, place.table) for place in PLACES]).lower()
    assert ended[0].counts["delivery"] == 3


async def test_an_export_has_all_of_a_person_and_says_what_only_mentions_them(company: Store) -> None:
    told: list[Exported] = []
    pieces = [piece async for piece in export(company, PERSON, now=NOW, told=told)]
    made = orjson.loads(b"".join(pieces))
    assert made["format"] == "cshub.export/1"
    assert made["subject"] == {
        "kind": "person", "e_mail": [JO], "customers": ["c001"], "contacts": ["crm:7"], "users": []
    }  # fmt: skip
    assert {name: len(each) for name, each in made["records"].items()} == {each.table: each.rows for each in told}
    assert made["records"]["contact"][0]["title"] == "CTO"
    assert made["records"]["survey_invitation"][0]["comment"] == "I like it"
    assert [row.get("mentions_only") for row in made["records"]["delivery"]] == [None, None, True]
    assert "Ann Other" not in b"".join(pieces).decode()
    whole = orjson.loads(b"".join([piece async for piece in export(company, About(customer="c001"), now=NOW)]))
    assert {row["id"] for row in whole["records"]["alert"]} == {"a1"}
    assert "other.example" not in orjson.dumps(whole).decode()
