"""Nobody learns an address from an id, a cursor or a timeline, and nobody makes up a cursor that is believed."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import Any

import orjson
import pytest

from hub.model.actions import Role
from hub.store import Store, tables
from schema.errors import BadInputError
from schema.nodes import SEALED, TYPES, global_id, parse_id
from schema.paging import SEALED as SEALED_CURSORS
from tests.schema.company import NOW, insert, record, seed
from tests.schema.fakes import Ask, FakeActions, asking

ADDRESS = "jo.doe@acme.example"


@pytest.fixture
async def asks(store: Store) -> Ask:
    """Of a company one of whose sources knows companies and contacts by a person's address."""
    await seed(store, 1)
    evidence = {
        **record("nps", ADDRESS, "c000"),
        "company_key": ADDRESS,
        "state": "matched",
        "method": "domain",
        "decided_at": NOW,
    }
    await insert(store, tables.external_id, [evidence])
    await insert(store, tables.contact, [{**record("list", ADDRESS, "c000"), "email": ADDRESS, "created_at": NOW}])
    return asking(store, FakeActions())


def opened(text: str) -> str:
    """All that can be read of an answer, with whatever is base64 in it, twice."""
    for _ in range(2):
        for each in re.findall(r"[A-Za-z0-9_-]{8,}", text):
            whole = each[: len(each) // 4 * 4]
            text += " " + urlsafe_b64decode(whole).decode(errors="ignore")
    return text


@pytest.mark.parametrize(
    "query",
    [
        "{ identities { edges { cursor node { id source state } } pageInfo { startCursor endCursor } } }",
        "{ contacts { edges { cursor node { id role } } pageInfo { endCursor } } }",
        "{ customers { nodes { timeline { edges { cursor node { id title subjectId actor } } pageInfo { endCursor } } } } }",
        "{ customers { nodes { identity { id } contacts { edges { cursor node { id } } } } } }",
    ],
)
async def test_who_may_not_see_personal_data_reads_no_address_in_ids_and_cursors(asks: Ask, query: str) -> None:
    body = await asks(query, role=Role.VIEWER)
    assert "errors" not in body
    text = opened(orjson.dumps(body).decode())
    assert '"id":' in text  # there is something to read
    assert "jo.doe" not in text


async def test_the_keys_of_companies_need_the_scope_personal(asks: Ask) -> None:
    body = await asks("{ identities { nodes { key externalKey } } }", role=Role.VIEWER)
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "Identity.key, Identity.externalKey" in body["errors"][0]["message"]


async def test_a_sealed_id_finds_what_it_is_of_and_a_made_up_one_is_none(asks: Ask) -> None:
    query = "query ($id: ID!) { node(id: $id) { __typename id } }"
    for entity in SEALED:
        type_ = {"external_id": "Identity", "contact": "Contact"}[entity]
        own = {"external_id": f"nps:{ADDRESS}", "contact": f"list:{ADDRESS}"}[entity]
        id_ = global_id(entity, own)
        assert parse_id(id_) == (entity, own)
        assert (await asks(query, {"id": id_}))["data"]["node"] == {"__typename": type_, "id": id_}
        for made_up in (f"{type_}:{own}", given_before(f"{type_}:{own}")):
            body = await asks(query, {"id": made_up})
            assert body["errors"][0]["extensions"]["code"] == "BAD_INPUT"


def given_before(id_: str) -> str:
    """As ids were given out once."""
    return urlsafe_b64encode(id_.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("entity", "key"), [("customer", "c000"), ("ticket", 'desk:a:b/ü "c"'), ("contact", "list:jo@x.example")]
)
def test_an_id_tells_its_type_and_one_given_out_before_is_understood(entity: str, key: str) -> None:
    id_ = global_id(entity, key)
    assert id_.startswith(f"{TYPES[entity]}:")
    assert (key in id_) is (entity not in SEALED)
    assert parse_id(id_) == parse_id(given_before(id_)) == (entity, key)


@pytest.mark.parametrize("text", ["", ":", "Customer:", ":c000", "Nothing:c000", "Customer", "Q3VzdG9tZXI6", "=", "ü"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        parse_id(text)


@pytest.mark.parametrize(
    "made_up",
    [
        [1],
        None,
        ["customer by name ascending", "v", "Customer 000", "c000"],
        ["customer by name ascending", "v", {"a": 1}, "x"],
        ["customer by name ascending", "t", "never", "x"],
        ["customer by name ascending", "v", 2**63, {"k": 1}],
    ],
)
@pytest.mark.parametrize("digest_size", [4, 8])
async def test_a_made_up_cursor_is_refused_and_never_reaches_the_database(
    asks: Ask, made_up: Any, digest_size: int
) -> None:
    raw = orjson.dumps(made_up)
    after = urlsafe_b64encode(blake2b(raw, digest_size=digest_size).digest() + raw).decode().rstrip("=")
    body = await asks("query ($after: String) { customers(after: $after) { nodes { id } } }", {"after": after})
    assert body["errors"][0]["message"] == "after is not a cursor of this API"


async def test_entries_of_a_timeline_have_ids_of_their_own_and_pages_go_on(asks: Ask) -> None:
    page_ = "timeline(first: 1, after: $after) { nodes { id } pageInfo { endCursor } }"
    query = f"query ($after: String) {{ customers {{ nodes {{ {page_} }} }} }}"
    seen: list[str] = []
    after: str | None = None
    for _ in range(8):
        page = (await asks(query, {"after": after}, role=Role.VIEWER))["data"]["customers"]["nodes"][0]["timeline"]
        seen += [each["id"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert len(set(seen)) == 8


def test_whose_ids_are_sealed_has_sealed_cursors() -> None:
    assert SEALED <= SEALED_CURSORS


def nested(kind: str, depth: int) -> Any:
    value: Any = {"name": {"eq": "Customer 000"}}
    for _ in range(depth):
        value = {"not": value} if kind == "not" else {kind: [value, {"country": {"eq": "DE"}}]}
    return value


@pytest.mark.parametrize("kind", ["not", "all", "any"])
async def test_conditions_as_deep_as_they_may_be_are_answered_and_deeper_ones_refused(asks: Ask, kind: str) -> None:
    query = "query ($filter: CustomerFilter) { customers(filter: $filter) { totalCount } }"
    body = await asks(query, {"filter": nested(kind, 14)})
    assert body["data"] == {"customers": {"totalCount": 1}}
    body = await asks(query, {"filter": nested(kind, 16)})
    assert "more than 15 deep" in body["errors"][0]["message"]


@pytest.mark.parametrize(
    "query",
    [
        "query ($text: String) { customers(filter: {name: {contains: $text}}) { totalCount } }",
        "query ($text: String) { customers(filter: {name: {startsWith: $text}}) { totalCount } }",
        "query ($text: String) { contacts(filter: {nameContains: $text}) { totalCount } }",
        "query ($text: String) { contacts(filter: {emailDomain: $text}) { totalCount } }",
        "query ($text: String) { tickets(filter: {subjectContains: $text}) { totalCount } }",
        "query ($text: String) { surveyResponses(filter: {commentContains: $text}) { totalCount } }",
    ],
)
async def test_a_pattern_without_end_is_refused_in_words(asks: Ask, query: str) -> None:
    body = await asks(query, {"text": "x" * 100_000})
    assert body["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert (await asks(query, {"text": "%_\\'\"; --"}))["data"] is not None


@pytest.mark.parametrize("depth", [100, 253, 254, 300, 900])
async def test_variables_without_end_are_refused_in_words(asks: Ask, depth: int) -> None:
    query = "query ($filter: CustomerFilter) { customers(filter: $filter) { totalCount } }"
    body = await asks(query, {"filter": nested("not", depth)})
    assert body["errors"][0]["extensions"]["code"] in ("BAD_INPUT", "BAD_QUERY")


async def test_why_a_company_is_whose_names_no_address_to_who_may_see_none(sqlite_store: Store) -> None:
    await seed(sqlite_store, 1)
    why = "it carries the key jo@acme.example of crm"
    async with sqlite_store.transaction() as connection:
        await connection.execute(tables.external_id.update().values(reason=why))
    ask = asking(sqlite_store, FakeActions())
    said = {
        role: str(await ask("{ identities { nodes { reason } } }", role=role)) for role in (Role.VIEWER, Role.MANAGER)
    }
    assert "it carries the key [address] of crm" in said[Role.VIEWER]
    assert "jo@acme" not in said[Role.VIEWER]
    assert why in said[Role.MANAGER]
