"""Bounces by webhook, over real HTTP: signed, or with the password agreed, or refused."""

import json
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette

from hub.delivery.webhook import new_secret, signed
from hub.model.mail import Bounced
from hub.web.bounces import routes
from tests.fakes.serving import serving

NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)
SECRET, PASSWORD = new_secret(), "a password of services"
BODY = json.dumps({"type": "mail.bounced", "data": {"address": "a@x.example", "kind": "hard"}}).encode()
POSTMARK = {"RecordType": "Bounce", "Type": "HardBounce", "Email": "a@x.example"}


@dataclass
class Served:
    client: httpx.AsyncClient
    taken: list[Bounced]


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    taken: list[Bounced] = []

    async def take(told: Sequence[Bounced]) -> None:
        taken.extend(told)

    app = Starlette(routes=routes(take, secret=SECRET, password=PASSWORD, clock=lambda: NOW))
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as client:
        yield Served(client, taken)


def headers(*, secret: str = SECRET, at: datetime = NOW, body: bytes = BODY) -> dict[str, str]:
    return signed([secret], id_="msg_1", at=at, body=body)


async def test_our_own_form_signed(served: Served) -> None:
    answer = await served.client.post("/mail/bounces", content=BODY, headers=headers())
    assert (answer.status_code, answer.json()) == (200, {"taken": 1})
    assert [(each.address, each.kind, each.told_by) for each in served.taken] == [("a@x.example", "hard", "own")]


@pytest.mark.parametrize(
    "given",
    [
        {},
        headers(secret=new_secret()),
        headers(at=NOW - timedelta(minutes=6)),
        headers(at=NOW + timedelta(minutes=6)),
        headers(body=BODY + b" "),
        headers() | {"webhook-id": "msg_2"},
        headers() | {"webhook-timestamp": "9" * 30},
        headers() | {"webhook-timestamp": "soon"},
        headers() | {"webhook-signature": "v1,"},
    ],
)
async def test_what_is_not_signed_so_is_refused(served: Served, given: dict[str, str]) -> None:
    answer = await served.client.post("/mail/bounces", content=BODY, headers=given)
    assert (answer.status_code, served.taken) == (401, [])


async def test_services_say_the_password(served: Served) -> None:
    answer = await served.client.post("/mail/bounces/postmark", json=POSTMARK, auth=("cshub", PASSWORD))
    assert (answer.status_code, [each.told_by for each in served.taken]) == (200, ["postmark"])
    for auth in (None, ("cshub", "wrong"), ("else", PASSWORD)):
        refused = await served.client.post("/mail/bounces/postmark", json=POSTMARK, auth=auth)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Basic realm="bounces"')
    broken = await served.client.post("/mail/bounces/ses", json=POSTMARK, headers={"Authorization": "Basic ???"})
    assert broken.status_code == 401
    assert len(served.taken) == 1


async def test_a_signature_does_not_open_the_services_forms_nor_the_password_ours(served: Served) -> None:
    first = await served.client.post("/mail/bounces/postmark", content=BODY, headers=headers())
    second = await served.client.post("/mail/bounces", content=BODY, auth=("cshub", PASSWORD))
    assert (first.status_code, second.status_code, served.taken) == (401, 401, [])


async def test_what_is_not_of_the_form_is_said(served: Served) -> None:
    answer = await served.client.post(
        "/mail/bounces/ses", json=POSTMARK | {"eventType": "Bounce"}, auth=("cshub", PASSWORD)
    )
    assert (answer.status_code, answer.json()) == (400, {"error": "this is no ses event: KeyError"})
    unknown = await served.client.post("/mail/bounces/pigeon", json={}, auth=("cshub", PASSWORD))
    assert (unknown.status_code, unknown.json()) == (404, {"error": "there is no such form; there are: ses, postmark"})
    deep = await served.client.post("/mail/bounces/ses", content=b"[" * 500_000, auth=("cshub", PASSWORD))
    assert (deep.status_code, deep.json()) == (400, {"error": "this is no ses event: RecursionError"})
    long = await served.client.post("/mail/bounces", content=b" " * 1_000_001)
    assert (long.status_code, served.taken) == (413, [])


async def test_sns_wants_a_person_to_confirm(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    body = {"Type": "SubscriptionConfirmation", "SubscribeURL": "https://sns.example/confirm"}
    with caplog.at_level(logging.WARNING):
        answer = await served.client.post("/mail/bounces/ses", json=body, auth=("cshub", PASSWORD))
    assert (answer.json(), served.taken) == ({"taken": 0}, [])
    assert "https://sns.example/confirm" in caplog.text
