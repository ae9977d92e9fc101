"""Exporting and erasing through the API: for admins with the scopes, dry runs change nothing, the log names nobody."""

import pytest
from sqlalchemy import select

from hub.store import Store
from hub.store.tables import audit_record, contact, idempotency_key, survey_response, ticket
from schema.enums import Role
from schema.nodes import global_id
from schema.privacy import mutations
from tests.schema.company import seed
from tests.schema.conftest import Ask

ERASE = """mutation Erase($person: [String!]!, $key: String!, $dry: Boolean!) {
  personErase(input: {person: $person, idempotencyKey: $key, dryRun: $dry}) {
    erasureId counts { table rows } left errors { code message field }
  }
}"""
REPORTS = "{ erasures { id of state askedBy askedAt finishedAt counts { table rows } left } }"
EXPORT = 'mutation { personExport(input: {person: ["%s"]}) { export counts { table rows } errors { code } } }'


async def somebody(store: Store) -> str:
    async with store.reading() as connection:
        statement = select(contact.c.email).where(contact.c.email.is_not(None)).order_by(contact.c.id).limit(1)
        return str((await connection.execute(statement)).scalar_one())


async def everything(store: Store) -> str:
    parts: list[str] = []
    async with store.reading() as connection:
        for table in (contact, ticket, survey_response, audit_record, idempotency_key):
            parts += [repr(tuple(row)) for row in await connection.execute(select(table))]
    return "\n".join(parts)


async def test_a_person_is_counted_erased_once_and_named_nowhere(ask: Ask, store: Store) -> None:
    await seed(store)
    email = await somebody(store)
    dry = await ask(ERASE, {"person": [email], "key": "1", "dry": True}, role=Role.ADMIN)
    assert dry["data"]["personErase"]["erasureId"] is None
    assert {"table": "contact", "rows": 1} in dry["data"]["personErase"]["counts"]
    assert email in await everything(store)
    done = await ask(ERASE, {"person": [email], "key": "2", "dry": False}, role=Role.ADMIN)
    made = done["data"]["personErase"]
    assert made["errors"] == []
    assert {"table": "contact", "rows": 1} in made["counts"]
    assert email not in await everything(store)
    assert await ask(ERASE, {"person": [email], "key": "2", "dry": False}, role=Role.ADMIN) == done
    reports = await ask(REPORTS, role=Role.ADMIN)
    [report] = reports["data"]["erasures"]
    assert report == {
        "id": made["erasureId"], "of": "PERSON", "state": "DONE", "askedBy": "a admin", "askedAt": "2026-11-01T12:00:00+00:00",
        "finishedAt": "2026-11-01T12:00:00+00:00", "counts": made["counts"], "left": made["left"],
    }  # fmt: skip
    assert email not in str(reports)
    assert (await ask(REPORTS, role=Role.MANAGER))["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_person_is_exported_and_the_document_is_kept_nowhere(ask: Ask, store: Store) -> None:
    await seed(store)
    email = await somebody(store)
    got = (await ask(EXPORT % email, role=Role.ADMIN))["data"]["personExport"]
    assert got["errors"] == []
    assert [row["email"] for row in got["export"]["records"]["contact"]] == [email]
    async with store.reading() as connection:
        kept = [repr(tuple(row)) for table in (audit_record, idempotency_key)
                for row in await connection.execute(select(table))]  # fmt: skip
    assert kept
    assert email not in "".join(kept)


CUSTOMER_EXPORT = """mutation {
  customerExport(input: {customerId: "%s"}) { export counts { table rows } errors { code field message } }
}"""


async def test_a_customer_is_exported_with_everybody_there_and_nobody_else(ask: Ask, store: Store) -> None:
    await seed(store)
    got = (await ask(CUSTOMER_EXPORT % global_id("customer", "c001"), role=Role.ADMIN))["data"]["customerExport"]
    assert got["errors"] == []
    assert [row["id"] for row in got["export"]["records"]["customer"]] == ["c001"]
    assert {row["customer_id"] for row in got["export"]["records"]["ticket"]} == {"c001"}
    assert {"table": "customer", "rows": 1} in got["counts"]
    wrong = (await ask(CUSTOMER_EXPORT % "nonsense", role=Role.ADMIN))["data"]["customerExport"]
    assert (wrong["export"], wrong["errors"][0]["code"], wrong["errors"][0]["field"]) == (
        None,
        "BAD_INPUT",
        "customerId",
    )
    absent = (await ask(CUSTOMER_EXPORT % global_id("customer", "nobody"), role=Role.ADMIN))["data"]["customerExport"]
    assert [each["code"] for each in absent["errors"]] == ["NOT_FOUND"]
    for role in (Role.VIEWER, Role.CSM, Role.MANAGER):
        refused = await ask(CUSTOMER_EXPORT % global_id("customer", "c001"), role=role)
        assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert "c001" not in str(refused.get("data"))


async def test_a_document_that_is_too_large_says_which_command_writes_it(
    ask: Ask, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await seed(store)
    monkeypatch.setattr(mutations, "MOST_BYTES", 2_000)
    got = (await ask(CUSTOMER_EXPORT % global_id("customer", "c001"), role=Role.ADMIN))["data"]["customerExport"]
    assert (got["export"], got["counts"]) == (None, [])
    assert [(each["code"], each["message"]) for each in got["errors"]] == [
        (
            "REFUSED",
            "the document is larger than 0.002 MB: `cshub export-person --customer ID --output FILE` writes it whole",
        )
    ]
    async with store.reading() as connection:
        kept = [repr(tuple(row)) for row in await connection.execute(select(audit_record))]
    assert any("customerExport" in each for each in kept)
    assert "c001" not in "".join(kept)


async def test_others_are_refused_and_nothing_is_changed(ask: Ask, store: Store) -> None:
    await seed(store)
    email = await somebody(store)
    before = await everything(store)
    for role in (Role.VIEWER, Role.CSM, Role.MANAGER):
        for refused in (
            await ask(EXPORT % email, role=role),
            await ask(ERASE, {"person": [email], "key": "1", "dry": True}, role=role),
        ):
            assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert await everything(store) == before


async def test_a_customer_is_erased_and_what_is_none_is_told(ask: Ask, store: Store) -> None:
    await seed(store)
    text = 'mutation { customerErase(input: {customerId: "%s", idempotencyKey: "k"})'
    text += " { counts { table rows } errors { code field } } }"
    got = (await ask(text % global_id("customer", "c001"), role=Role.ADMIN))["data"]["customerErase"]
    assert {"table": "customer", "rows": 1} in got["counts"]
    wrong = (await ask(text % "nonsense", role=Role.ADMIN))["data"]["customerErase"]
    assert wrong == {"counts": [], "errors": [{"code": "BAD_INPUT", "field": "customerId"}]}
    nobody = (await ask(ERASE, {"person": ["Jo"], "key": "9", "dry": False}, role=Role.ADMIN))["data"]["personErase"]
    assert [error["code"] for error in nobody["errors"]] == ["REFUSED"]
