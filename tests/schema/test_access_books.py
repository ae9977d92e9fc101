"""Who has a book gets of foreign customers exactly what it gets of ones that do not exist.

Values, counts, cursors, errors, order and the number of statements. Root fields and node types are taken from the schema, so
that a new one is tried by itself, or fails here until somebody says how to ask for it.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Table, select

from hub.model.actions import Role
from hub.segments import Editor, SavedSegment, list_segments
from hub.store import Store, tables
from hub.store.query.entities import ENTITIES
from hub.store.tables.base import Json, UtcDateTime
from schema.nodes import TYPES, global_id
from schema.permissions import is_whole, role_of
from tests.schema.asking_everything import RAW, queries
from tests.schema.company import NOW, TODAY, seed
from tests.schema.fakes import Ask, asking
from tests.schema.test_attention import RealAttention
from tests.schema.test_everything import counting

ANN, ZOE = "ann@cs.example", "zoe@cs.example"
MINE, FOREIGN, NOBODY = "c000", "c001", "c404"
ROOTS = RAW.query_type.fields if RAW.query_type is not None else {}
MUTATIONS = RAW.mutation_type.fields if RAW.mutation_type is not None else {}

GIVEN: Mapping[str, Mapping[str, str]] = {
    "customer": {"id": f'"{global_id("customer", MINE)}"'},
    "node": {"id": f'"{global_id("customer", MINE)}"'},
    "bandMovements": {"since": '"2026-10-01"'},
    "customerGroups": {"by": "[BAND, SEGMENT]"},
    "alertGroups": {"by": "[STATE]"},
    "playbookRunGroups": {"by": "[PLAYBOOK]"},
    "deliveryGroups": {"by": "[STATE, CHANNEL]"},
    "ticketGroups": {"by": "[STATUS]"},
    "attentionDigest": {"ownerEmail": f'"{ANN}"'},
    "renewalForecast": {"period": '"2026-Q4"'},
    "segment": {"id": '"x"'},
    "source": {"name": '"crm"'},
}
"""How to call root fields that need something to be given."""
OF_THE_HUB = {
    "eventCursor": "how many events there were, in all",
}
"""Root fields that may tell of the hub as a whole, and what."""


def csm_fields(fields: Mapping[str, Any]) -> list[str]:
    """The root fields that a CSM with a book may ask for."""
    return [name for name, field in fields.items() if role_of(field) in (Role.VIEWER, Role.CSM) and not is_whole(field)]


async def filled(store: Store) -> None:
    """Foreign customers, with a row of everything that belongs to one."""
    await seed(store, 2, first=1, csm_email=ZOE, csm_name="Zoe")
    async with store.transaction() as connection:
        for table in tables.metadata.sorted_tables:
            if not any(column.name in _LEADING or column.foreign_keys for column in table.c):
                continue
            if table is tables.customer:
                continue
            own = table.c.get("customer_id")
            if own is not None and (await connection.execute(select(own).where(own == FOREIGN))).first() is not None:
                continue
            row = await _row(connection, table)
            if row is not None:
                await connection.execute(table.insert(), [row])


_LEADING = ("customer_id", "kept_id", "merged_id")


async def _row(connection: Any, table: Table) -> dict[str, Any] | None:
    """A row of Zoe's; None where what it would refer to is not there."""
    row: dict[str, Any] = {}
    for column in table.c:
        if column.name in _LEADING:
            row[column.name] = FOREIGN
        elif column.foreign_keys and not column.nullable:
            (key,) = column.foreign_keys
            wanted = key.column.table
            ids = [each for each in (await connection.execute(select(key.column))).scalars() if FOREIGN in str(each)]
            if not ids:
                return None
            row[column.name] = ids[0] if wanted is not tables.customer else FOREIGN
        elif not column.nullable and column.server_default is None:
            row[column.name] = _value(column.type)
    return row


def _value(type_: Any) -> Any:
    """Something that a column of this type can hold."""
    if isinstance(type_, UtcDateTime | Json):
        return NOW if isinstance(type_, UtcDateTime) else {}
    text = f"{FOREIGN}-x"[: getattr(type_, "length", None)]
    return {bool: True, int: 1, float: 0.5, date: TODAY, bytes: b"x"}.get(type_.python_type, text)


class Acting(RealAttention):
    """Segments are read as they are; whatever would act is noted."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.store = store

    async def segments(self, editor: Editor) -> Sequence[SavedSegment]:
        return await list_segments(self.store, editor)

    def segment_uses(self, name: str) -> Sequence[str]:
        return ()


@pytest.fixture
def asks(store: Store) -> Ask:
    return asking(store, Acting(store))


async def told(asks: Ask, store: Store, query: str, **variables: Any) -> tuple[Any, tuple[str, ...]]:
    """What Ann is answered, and by which statements: how long it takes tells no more than they do."""
    with counting(store) as statements:
        body = await asks(query, variables, role=Role.CSM, book=ANN)
    return body, tuple(statements)


async def test_the_same_is_told_whether_foreign_customers_exist_or_not(asks: Ask, store: Store) -> None:
    await seed(store, 1)
    names = [name for name in csm_fields(ROOTS) if name not in OF_THE_HUB]
    asked = {query: name for name in names for query in queries(name, GIVEN.get(name, {}))}
    for query in asked:  # statements for what a process learns once
        await told(asks, store, query)
    alone = {query: await told(asks, store, query) for query in asked}
    await filled(store)
    beside = {query: await told(asks, store, query) for query in asked}
    for query, name in asked.items():
        assert beside[query] == alone[query], (name, query)
        assert not any(word in str(beside[query]) for word in (FOREIGN, "Customer 001", ZOE)), (name, query)
    broken = {name: alone[query][0]["errors"] for query, name in asked.items() if "errors" in alone[query][0]}
    assert set(broken) <= {"segment"}, broken  # there is none
    everybody = await asks("{ customers { totalCount } tickets { totalCount } }", role=Role.CSM)
    assert everybody["data"]["customers"] == {"totalCount": 3}  # the foreign ones are there
    assert everybody["data"]["tickets"]["totalCount"] > 4


async def test_what_is_about_everybody_is_refused(asks: Ask, store: Store) -> None:
    for name, field in ROOTS.items():
        if role_of(field) in (Role.VIEWER, Role.CSM) and is_whole(field):
            given = {"analytics": {"from": '"2026-10"', "to": '"2026-10"'}}.get(name, {})
            query = next(iter(queries(name, given)))
            with counting(store) as statements:
                body = await asks(query, role=Role.CSM, book=ANN)
            assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN", name
            assert statements == [], name


async def test_every_node_of_a_foreign_customer_is_as_one_that_does_not_exist(asks: Ask, store: Store) -> None:
    await seed(store, 1)
    await filled(store)
    ask = "query ($id: ID!) { node(id: $id) { __typename id } }"
    for entity in TYPES:
        own = ENTITIES[entity]
        if own.shared:
            continue
        nothing = await told(asks, store, ask, id=global_id(entity, NOBODY))
        async with store.reading() as connection:
            keys = [str(key) for key in (await connection.execute(select(own.table.c[own.id]))).scalars()]
            mine = set(
                (await connection.execute(select(own.table.c[own.id]).where(*own.in_book(own.table, ANN)))).scalars()
            )
        foreign = [key for key in keys if key not in mine]
        assert foreign, f"no {entity} of a foreign customer to try with"
        for key in foreign[:3]:
            assert await told(asks, store, ask, id=global_id(entity, key)) == nothing
        assert nothing[0] == {"data": {"node": None}}


async def test_a_cursor_of_somebody_else_shows_nothing_but_its_place(asks: Ask, store: Store) -> None:
    await seed(store, 1)
    await filled(store)
    listed = await asks("{ customers { edges { cursor node { name } } } }", role=Role.ADMIN)
    cursors = {edge["node"]["name"]: edge["cursor"] for edge in listed["data"]["customers"]["edges"]}
    query = "query ($after: String) { customers(after: $after) { totalCount nodes { name } pageInfo { hasNextPage } } }"
    for name in ("Customer 001", "Customer 002"):
        body, _ = await told(asks, store, query, after=cursors[name])
        assert body == {"data": {"customers": {"totalCount": 1, "nodes": [], "pageInfo": {"hasNextPage": False}}}}


CUSTOMER = ("customer", "customerId")
ACTS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "customerRescore": ("customer", "customerIds", {}),
    "customerOverride": (*CUSTOMER, {"score": 0.5, "reason": "x"}),
    "customerOverrideWithdraw": (*CUSTOMER, {}),
    "sentimentSet": (*CUSTOMER, {"mark": 3, "reason": "x"}),
    "sentimentWithdraw": (*CUSTOMER, {}),
    "playbookFire": ("customer", "customerIds", {"playbook": "save", "idempotencyKey": "k", "dryRun": True}),
    "noteCreate": (*CUSTOMER, {"body": "x"}),
    "noteUpdate": ("note", "id", {"body": "x"}),
    "noteDelete": ("note", "id", {}),
    "taskCreate": (*CUSTOMER, {"title": "x"}),
    "playbookRunCancel": ("playbook_run", "id", {"reason": "x"}),
    "alertUpdate": ("alert", "id", {"state": "IN_PROGRESS"}),
    "alertsUpdate": ("alert", "ids", {"state": "IN_PROGRESS", "idempotencyKey": "k"}),
    "playbookApprove": ("playbook_run", "runId", {"approved": True}),
    "customerSnooze": (*CUSTOMER, {"reasonKey": "churn", "until": "2026-12-01T00:00:00Z"}),
    "snoozeLift": ("snooze", "id", {}),
    "playbookRunRate": ("playbook_run", "id", {"useful": True}),
    "alertRate": ("alert", "id", {"useful": True}),
    "deliveryResend": ("delivery", "ids", {"idempotencyKey": "k"}),
    "onboardingStart": (*CUSTOMER, {}),
    "onboardingStepComplete": (*CUSTOMER, {"step": "x"}),
    "onboardingStepSkip": (*CUSTOMER, {"step": "x"}),
    "onboardingCancel": (*CUSTOMER, {"reason": "x"}),
    "renewalUpdate": ("renewal", "id", {"status": "CHURNED", "reason": "x"}),
    "expansionOpportunityUpdate": ("expansion_opportunity", "id", {"state": "OFFERED"}),
    "surveyInvitationSend": ("customer", "customerIds", {"idempotencyKey": "k"}),
}
"""What each mutation acts on, where its input names it, and what else it needs."""
ON_NO_CUSTOMER = frozenset({"segmentCreate", "segmentUpdate", "segmentDelete"})


def test_every_mutation_that_a_csm_may_is_tried() -> None:
    assert set(csm_fields(MUTATIONS)) - ON_NO_CUSTOMER == set(ACTS)


async def test_nobody_acts_on_a_foreign_customer(store: Store) -> None:
    await seed(store, 1)
    await filled(store)
    for name in sorted(ACTS):  # what is refused leaves nothing, so that one store does for all
        await expect_refusal(store, name)


async def expect_refusal(store: Store, name: str) -> None:
    entity, where, more = ACTS[name]
    actions = Acting(store)
    ask = asking(store, actions)
    own = ENTITIES[entity]
    async with store.reading() as connection:
        foreign = next(
            str(key) for key in (await connection.execute(select(own.table.c[own.id]))).scalars() if FOREIGN in str(key)
        )
    answers = []
    input_ = MUTATIONS[name].args["input"].type
    query = f"mutation ($input: {input_}) {{ {name}(input: $input) {{ errors {{ code message field }} }} }}"
    for key in (NOBODY, foreign):
        id_ = global_id(entity, key) if entity in TYPES else key
        given = {**more, where: [id_] if where.endswith("s") else id_}
        body, by = await told(ask, store, query, input=given)
        assert "errors" not in body, (name, body)
        answers.append((str(body["data"][name]["errors"]).replace(key, "KEY"), by))
    assert answers[0] == answers[1], name
    assert "NOT_FOUND" in answers[0][0], name
    assert actions.calls == [], name
    async with store.reading() as connection:
        assert (await connection.execute(select(tables.idempotency_key))).all() == [], name
