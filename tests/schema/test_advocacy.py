"""Surveys through the API, over a real hub: sent by hand, previewed, refused, and read with their answers."""

from typing import Any, cast

import pytest
from sqlalchemy import select

from hub.compose.actions import HubActions
from hub.model.actions import Role
from hub.store.audit import ASKED
from hub.store.tables import audit_record
from schema.nodes import global_id
from tests.lifecycle.advocacy import conftest as advocacy
from tests.lifecycle.advocacy.conftest import Place
from tests.schema.fakes import Ask, asking

place = advocacy.place
ACME, BOLT = global_id("customer", "acme"), global_id("customer", "bolt")
SEND = """
mutation ($input: SurveyInvitationSendInput!) {
  surveyInvitationSend(input: $input) {
    invitations { address askedBy customer { name } delivery { state channel } }
    previews { customerId address subject }
    leftOut { customerId address reason }
    errors { code message field }
  }
}
"""


@pytest.fixture
async def ask(place: Place) -> Ask:
    await place.customer("acme", "kim:champion", "lee")
    await place.customer("bolt", "mo")
    await place.hub.mails.suppress("lee@acme.example", by="ann")
    return asking(place.store, cast("Any", HubActions(place.hub)))


async def send(ask: Ask, *customers: str, role: Role = Role.CSM, **given: Any) -> dict[str, Any]:
    body = await ask(SEND, {"input": {"customerIds": list(customers), **given}}, role=role)
    assert "errors" not in body, body
    return cast("dict[str, Any]", body["data"]["surveyInvitationSend"])


async def test_a_dry_run_says_whom_and_writes_nothing(ask: Ask, place: Place) -> None:
    shown = await send(ask, ACME, dryRun=True)
    subject = "How likely are you to recommend Northbeam to a colleague?"
    assert shown == {
        "invitations": [],
        "previews": [{"customerId": ACME, "address": "kim@acme.example", "subject": subject}],
        "leftOut": [
            {
                "customerId": ACME,
                "address": "lee@acme.example",
                "reason": "lee@acme.example is suppressed: manual since 2026-11-24",
            }
        ],
        "errors": [],
    }
    assert (await place.invitations(), await place.mails()) == ([], [])


async def test_sent_once_and_read_with_the_answer(ask: Ask, place: Place) -> None:
    sent = await send(ask, ACME, idempotencyKey="k")
    asked = {
        "address": "kim@acme.example",
        "askedBy": "a csm",
        "customer": {"name": "Acme"},
        "delivery": {"state": "RESERVED", "channel": "email"},
    }
    assert sent["invitations"] == [asked]
    assert (await send(ask, ACME, idempotencyKey="k"))["invitations"] == [asked], "the same key, the same answer"
    assert (await send(ask, ACME, force=True))["leftOut"][-1]["reason"].startswith(("asked 0 days ago", "lee@acme"))
    (row,) = await place.invitations()
    await place.desk.answer(row["id"], score=10, comment="great")
    read = "nodes { address score comment answeredAt } totalCount"
    body = await ask(
        f"{{ all: surveyInvitations {{ {read} }} open: surveyInvitations(answered: false) {{ totalCount }} "
        f'of: surveyInvitations(customerId: "{BOLT}") {{ totalCount }} '
        f'customer(id: "{ACME}") {{ surveyInvitations {{ nodes {{ id score }} }} '
        "surveys(type: NPS) { nodes { score comment } } "
        "lifecycle { advocacy advocacyScore surveyAskedDays } } }"
    )
    assert "errors" not in body, body
    data = body["data"]
    answered = {
        "address": "kim@acme.example",
        "score": 10,
        "comment": "great",
        "answeredAt": "2026-11-24T09:30:00+00:00",
    }
    assert data["all"] == {"nodes": [answered], "totalCount": 1}
    assert (data["open"]["totalCount"], data["of"]["totalCount"]) == (0, 0)
    assert data["customer"]["surveys"]["nodes"] == [{"score": 10, "comment": "great"}]
    assert data["customer"]["lifecycle"] == {"advocacy": "PROMOTER", "advocacyScore": 10, "surveyAskedDays": 0}
    node = data["customer"]["surveyInvitations"]["nodes"][0]["id"]
    found = await ask(f'{{ node(id: "{node}") {{ ... on SurveyInvitation {{ score }} }} }}')
    assert found["data"] == {"node": {"score": 10}}


async def test_who_may_and_what_is_no_customer(ask: Ask, place: Place) -> None:
    body = await ask(SEND, {"input": {"customerIds": [ACME]}}, role=Role.VIEWER)
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    wrong = await send(ask, global_id("alert", "x"))
    assert (wrong["errors"][0]["code"], wrong["errors"][0]["field"]) == ("BAD_INPUT", "customerIds.0")
    assert (await send(ask))["errors"][0]["code"] == "BAD_INPUT"
    await place.hub.playbooks.stop("*", by="ann", reason="drill")
    refused = await send(ask, ACME)
    assert refused["errors"] == [{"code": "REFUSED", "message": "everything is stopped by ann: drill", "field": None}]
    assert await place.invitations() == []


async def test_it_is_audited(ask: Ask, place: Place) -> None:
    await send(ask, ACME, BOLT)
    async with place.store.reading() as connection:
        deeds = select(audit_record.c.action, audit_record.c.subject).where(audit_record.c.kind == ASKED)
        found = (await connection.execute(deeds)).all()
    assert {tuple(row) for row in found} == {("surveyInvitationSend", "2 customers")}
