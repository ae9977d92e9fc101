"""Who a vendor's key means: certain matches are made, doubtful ones are held, and decisions reach every record."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from hub.errors import NotFoundError, RefusedError
from hub.identity import (
    Decision,
    IdentityRules,
    Resolution,
    SourceRules,
    customer_id_for,
    decide,
    decide_by_hand,
    resolve,
)
from hub.model.records import Company, Record, SurveyResponse, SurveyType, Ticket, TicketStatus
from hub.store import Store
from hub.store.identity import Evidence, add_implied, find_customers_by_key
from hub.store.records import upsert
from hub.store.tables import customer, external_id, survey_response, ticket

NOW = datetime(2026, 11, 1, tzinfo=UTC)
RULES = IdentityRules(
    sources={
        "crm": SourceRules(creates_customers=True),
        "desk": SourceRules(external_keys_of="crm"),
        "billing": SourceRules(company_keys_of="crm"),
        "nps": SourceRules(),
    },
    same_as={("desk", "o-map"): ("crm", "1")},
    free_mail=frozenset({"gmail.com"}),
)
ACME, BOLT = customer_id_for("crm", "1"), customer_id_for("crm", "2")


def piece(source: str, key: str, **changes: object) -> Evidence:
    blank = Evidence(
        id=f"{source}:{key}", source=source, key=key, external_key=None, name=None, domains=(), customer_id=None,
        state="unmatched", method=None, reason=None, candidates=(), decided_by=None,
    )  # fmt: skip
    return replace(blank, **changes)  # type: ignore[arg-type]  # fields by name


CRM = (
    piece("crm", "1", name="Acme", domains=("acme.example",)),
    piece("crm", "2", name="Bolt", domains=("bolt.example",)),
)


def outcome(*pieces: Evidence, rules: IdentityRules = RULES) -> dict[str, Decision]:
    return {decision.id: decision for decision in decide([*CRM, *pieces], rules)}


def test_a_source_that_creates_customers_creates_one_per_company() -> None:
    decided = outcome()
    assert (decided["crm:1"].customer_id, decided["crm:1"].method, decided["crm:1"].creates) == (
        ACME,
        "created",
        "Acme",
    )
    assert decided["crm:2"].customer_id == BOLT


@pytest.mark.parametrize(
    ("found", "customer_id", "method"),
    [
        (piece("desk", "o-map"), ACME, "map"),
        (piece("desk", "o1", external_key="2"), BOLT, "external"),
        (piece("billing", "1"), ACME, "external"),
        (piece("desk", "o2", domains=("BOLT.example",)), BOLT, "domain"),
        (piece("nps", "acme.example"), ACME, "domain"),
        (piece("nps", "kim@acme.example"), ACME, "domain"),
        (piece("desk", "o3", domains=("gmail.com", "acme.example")), ACME, "domain"),
    ],
)
def test_what_is_certain_is_matched(found: Evidence, customer_id: str, method: str) -> None:
    decision = outcome(found)[found.id]
    assert (decision.state, decision.customer_id, decision.method) == ("matched", customer_id, method)


@pytest.mark.parametrize(
    "found",
    [
        piece("desk", "o1", domains=("gmail.com",)),
        piece("desk", "o4", domains=("",)),
        piece("nps", "kim@gmail.com"),
        piece("desk", "o2", external_key="99"),
        piece("desk", "o3", name="Acme"),
    ],
)
def test_free_mail_unknown_keys_and_equal_names_match_nobody(found: Evidence) -> None:
    decision = outcome(found)[found.id]
    assert (decision.state, decision.customer_id) == ("unmatched", None)
    assert decision.reason


def test_a_domain_of_two_customers_is_held_for_a_person() -> None:
    subsidiary = piece("crm", "3", name="Acme Labs", domains=("acme.example",))
    decided = outcome(subsidiary, piece("nps", "acme.example"))
    assert decided["crm:3"].method == "created"
    assert decided["nps:acme.example"].state == "ambiguous"
    assert decided["nps:acme.example"].candidates == tuple(sorted([ACME, customer_id_for("crm", "3")]))


def test_a_key_settles_what_a_shared_domain_leaves_open() -> None:
    subsidiary = piece("crm", "3", name="Acme Labs", domains=("acme.example",))
    decided = outcome(subsidiary, piece("desk", "o1", external_key="3", domains=("acme.example",)))
    assert decided["desk:o1"].customer_id == customer_id_for("crm", "3")


def test_evidence_that_contradicts_itself_is_held() -> None:
    decision = outcome(piece("desk", "o1", external_key="1", domains=("bolt.example",)))["desk:o1"]
    assert (decision.state, decision.candidates) == ("ambiguous", tuple(sorted([ACME, BOLT])))


def test_a_helpdesks_domains_pull_no_other_company_in() -> None:
    helpdesk = piece("desk", "o1", external_key="1", domains=("partner.example",))
    assert outcome(helpdesk, piece("nps", "partner.example"))["nps:partner.example"].state == "unmatched"


def test_a_second_crm_matches_by_domain_before_it_creates() -> None:
    rules = replace(RULES, sources={**RULES.sources, "crm2": SourceRules(creates_customers=True)})
    decided = outcome(piece("crm2", "x", domains=("acme.example",)), piece("crm2", "y", name="New"), rules=rules)
    assert (decided["crm2:x"].customer_id, decided["crm2:x"].method) == (ACME, "domain")
    assert decided["crm2:y"].creates == "New"


def test_the_map_holds_between_two_sources_that_create_customers() -> None:
    rules = replace(
        RULES,
        sources={**RULES.sources, "billing": SourceRules(creates_customers=True)},
        same_as={("billing", "42"): ("crm", "1"), ("billing", "43"): ("crm", "gone")},
    )
    decided = outcome(piece("billing", "42", name="ACME Inc"), piece("billing", "43"), rules=rules)
    assert (decided["billing:42"].customer_id, decided["billing:42"].method) == (ACME, "map")
    assert (decided["billing:43"].state, decided["billing:43"].creates) == ("unmatched", None)
    assert decided["billing:43"].reason == "it waits for crm gone, which the map says it is"


def test_what_a_person_decided_is_not_decided_again() -> None:
    assert "nps:acme.example" not in outcome(piece("nps", "acme.example", decided_by="kim"))


async def put(store: Store, source: str, *records: Record, now: datetime = NOW) -> Resolution:
    async with store.transaction() as connection:
        named = {record.company_key for record in records if record.company_key is not None}
        customers = await find_customers_by_key(connection, source, named)
        await add_implied(connection, source, named - customers.keys(), now=now)
        await upsert(connection, records, source=source, now=now, customers=customers)
        return await resolve(connection, RULES, source=source, now=now)


def company(key: str, **changes: object) -> Company:
    made = Company(key=key, version=1, company_key=key, name="Acme", domains=("acme.example",))
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def make_ticket(key: str, company_key: str, version: int = 1) -> Ticket:
    return Ticket(key=key, version=version, company_key=company_key, status=TicketStatus.OPEN, created_at=NOW)


async def owners(store: Store) -> dict[str, str | None]:
    async with store.reading() as connection:
        return {row.id: row.customer_id for row in await connection.execute(select(ticket.c.id, ticket.c.customer_id))}


async def test_records_follow_their_company_whichever_came_first(store: Store) -> None:
    assert await put(store, "desk", make_ticket("t1", "o1"), company("o1")) == Resolution(unmatched=1)
    assert await owners(store) == {"desk:t1": None}
    resolution = await put(store, "crm", company("1", segment="smb", csm_email="kim@us.example"))
    assert resolution == Resolution(matched=1, created=1, linked=1)
    await put(store, "desk", make_ticket("t2", "o1"))
    assert await owners(store) == {"desk:t1": ACME, "desk:t2": ACME}
    async with store.reading() as connection:
        row = (await connection.execute(select(customer))).one()
    assert (row.id, row.name, row.segment, row.csm_email) == (ACME, "Acme", "smb", "kim@us.example")


async def test_a_ticket_that_moves_to_another_company_moves_to_its_customer(store: Store) -> None:
    await put(store, "crm", company("1"), company("2", domains=("bolt.example",)))
    await put(store, "desk", company("o1", external_key="1"), company("o2", external_key="2", domains=()))
    await put(store, "desk", make_ticket("t", "o1"))
    await put(store, "desk", make_ticket("t", "o2", version=2))
    assert await owners(store) == {"desk:t": BOLT}


async def test_a_renamed_company_renames_its_customer_and_keeps_its_id(store: Store) -> None:
    await put(store, "crm", company("1"), company("2", domains=(), parent_key="1"))
    await put(store, "crm", company("1", version=2, name="Acme Group"))
    async with store.reading() as connection:
        rows = {row.id: (row.name, row.parent_id) for row in await connection.execute(select(customer))}
    assert rows == {ACME: ("Acme Group", None), BOLT: ("Acme", ACME)}


async def test_a_customer_has_the_first_domain_of_its_company(store: Store) -> None:
    free = company("3", name="Kim", domains=("gmail.com", "kim.example"))
    await put(store, "crm", company("1", domains=("Acme.example", "acme.test")), company("2", domains=()), free)
    assert await domains(store) == {"Acme": [None, "acme.example"], "Kim": [None]}
    await put(store, "desk", company("o1", domains=("else.example",), external_key="1"))
    assert await domains(store) == {"Acme": [None, "acme.example"], "Kim": [None]}, "a helpdesk's are not its own"
    await put(store, "crm", company("1", version=2, domains=("acme.test",)), company("2", version=2, domains=("",)))
    assert await domains(store) == {"Acme": [None, "acme.test"], "Kim": [None]}


async def domains(store: Store) -> dict[str, list[str | None]]:
    async with store.reading() as connection:
        rows = (await connection.execute(select(customer).order_by(customer.c.id))).all()
    return {name: sorted((row.domain for row in rows if row.name == name), key=str) for name in ("Acme", "Kim")}


async def test_keys_that_only_records_name_become_evidence(store: Store) -> None:
    await put(store, "crm", company("1"))
    answer = SurveyResponse(
        key="a", version=1, company_key="acme.example", type=SurveyType.NPS, scale="0-10", score=3, responded_at=NOW
    )
    assert await put(store, "nps", answer, replace(answer, key="b", company_key="who.example")) == Resolution(
        matched=1, unmatched=1, linked=1
    )
    async with store.reading() as connection:
        rows = await connection.execute(select(survey_response.c.key, survey_response.c.customer_id))
        assert {row.key: row.customer_id for row in rows} == {"a": ACME, "b": None}


async def test_a_person_decides_what_was_held(store: Store) -> None:
    await put(store, "crm", company("1"), company("2"))
    await put(store, "desk", company("o1"), make_ticket("t", "o1"))
    assert await owners(store) == {"desk:t": None}
    with pytest.raises(NotFoundError, match="waiting for a decision: desk:o1"):
        await decide_by_hand(store, "desk:nope", BOLT, by="kim", now=NOW)
    with pytest.raises(RefusedError, match=ACME):
        await decide_by_hand(store, "desk:o1", "cus_nobody", by="kim", now=NOW)
    assert await owners(store) == {"desk:t": None}
    assert await decide_by_hand(store, "desk:o1", BOLT, by="kim", now=NOW) == 1
    await put(store, "desk", company("o1", version=2))
    assert await owners(store) == {"desk:t": BOLT}
    async with store.reading() as connection:
        row = (await connection.execute(select(external_id).where(external_id.c.id == "desk:o1"))).one()
    assert (row.state, row.method, row.decided_by) == ("matched", "person", "kim")
