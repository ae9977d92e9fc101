"""A source that only receives: who is believed, and what becomes of what is sent."""

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from connectors.kit.base import BadRowError, Window, map_rows
from connectors.kit.registry import build
from connectors.kit.signing import BadSignatureError
from connectors.kit.simulated import World
from connectors.npshook import webhook
from connectors.npshook.connector import Connector, Settings
from connectors.npshook.sandbox import event, signed
from hub.errors import ConfigError
from hub.identity import IdentityRules
from hub.model.records import SurveyResponse, SurveyType
from hub.store import Store
from hub.store.syncs import declare_sources
from hub.store.tables import survey_response
from hub.sync import Source
from hub.sync.hearing import Call, Ear, Webhook
from hub.sync.heeding import heed
from hub.sync.inbox import Inbox

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = event("nps", 7)


def source(**more: Any) -> Connector:
    made = build("npshook", {"webhook_secret": SECRET, "constants": {"type": "nps"}, **more})
    assert isinstance(made, Connector)
    return made


def about(small_world: World, settings: Settings) -> dict[str, Any]:
    return {"method": "POST", "url": "https://hub.example/hooks/x", "now": small_world.until, "settings": settings}


def test_the_standard_scheme_is_that_of_its_published_example() -> None:
    key = webhook.key_of(SECRET)
    message = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    assert webhook.hmac_base64(key, message) == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("signing", ["standard", "hmac", "secret"])
def test_only_who_has_the_secret_is_believed(signing: str, small_world: World) -> None:
    own = source(signing=signing).settings
    how = about(small_world, own)
    headers = signed(BODY, **how)
    webhook.verified(headers, BODY, **how)
    other = source(signing=signing, webhook_secret="whsec_b3RoZXIgb3RoZXIgb3RoZXI=").settings
    for given in ({}, signed(BODY, **{**how, "settings": other})):
        with pytest.raises(BadSignatureError) as told:
            webhook.verified(given, BODY, **how)
        assert SECRET not in str(told.value)
    if signing == "secret":
        with pytest.raises(BadSignatureError, match="is not the source's webhook_secret"):
            webhook.verified({"x-webhook-secret": "guess"}, BODY, **how)
    else:
        with pytest.raises(BadSignatureError, match="does not match"):
            webhook.verified(headers, BODY + b" ", **how)


def test_of_the_standard_scheme_an_old_one_is_refused_and_one_of_several_signatures_is_enough(
    small_world: World,
) -> None:
    how = about(small_world, source().settings)
    headers = signed(BODY, **how)
    webhook.verified({**headers, "webhook-signature": f"v1,bm8= {headers['webhook-signature']}"}, BODY, **how)
    with pytest.raises(BadSignatureError, match="more than 5 minutes from now"):
        webhook.verified(headers, BODY, **{**how, "now": small_world.until + timedelta(minutes=6)})


def test_rows_come_alone_in_a_list_or_under_a_name_and_have_an_event_each() -> None:
    rows = [{"id": 1}, {"id": 2}]
    for body in (rows, {"responses": rows}):
        pushed = webhook.rows({"webhook-id": "msg_1"}, orjson.dumps(body))
        assert [(row.event_id, row.stream, row.raw) for row in pushed] == [
            ("msg_1 0", "responses", rows[0]), ("msg_1 1", "responses", rows[1]),
        ]  # fmt: skip
    (one,), (again,), (other,) = (
        webhook.rows({}, body) for body in (b'{"id":1,"a":2}', b'{"a":2, "id":1}', b'{"id":1}')
    )
    assert one.event_id == again.event_id != other.event_id
    for body in (b"<html>", b"[]", b"[1]", b"7", orjson.dumps([{"id": n} for n in range(1_001)])):
        with pytest.raises(BadRowError):
            webhook.rows({}, body)


def test_a_row_becomes_a_record_by_the_sources_own_words() -> None:
    (stream,) = source(
        fields={"score": "answer.value"}, constants={"type": "csat", "scale": "0-1"}, scores={"Good": 1}
    ).streams()
    raw = {
        "id": "a",
        "answer": {"value": "good"},
        "respondent_email": "Nia@Acme.example",
        "responded_at": "2026-11-22T10:00:00Z",
    }
    (record,), bad = map_rows(stream, [raw])
    assert bad == []
    assert (record.key, record.company_key) == ("a", "acme.example")
    assert isinstance(record, SurveyResponse)
    assert (record.type, record.scale, record.score) == (SurveyType.CSAT, "0-1", 1.0)
    _, bad = map_rows(stream, [{**raw, "answer": {"value": "so-so"}}, {**raw, "id": ""}])
    assert [(row.key[:5], row.field) for row in bad] == [("a", "score"), ("no id", "id")]


async def test_what_is_sent_lands_once_through_the_hubs_receiver(sqlite_store: Store, small_world: World) -> None:
    own = source()
    ear_of = Source(name="feedback", connector=own, connector_name="npshook")
    woken: list[str] = []

    async def wake(name: str) -> None:
        woken.append(name)

    def clock() -> datetime:
        return small_world.until

    async with sqlite_store.transaction() as connection:
        await declare_sources(connection, {"feedback": "npshook"})
    ear = Ear(ear_of, Webhook.of(webhook), own.settings, inbox=Inbox(sqlite_store), wake=wake, clock=clock)
    how = about(small_world, own.settings)
    body = orjson.dumps([{"id": "a", "score": 9, "company": "acme.example"}, {"id": "b", "score": "high"}])
    call = Call(method="POST", url=how["url"], headers=signed(body, **how), body=body)
    assert [(await ear.hear(call)).status for _ in range(2)] == [200, 200]  # the sender did not hear the first answer
    assert (await ear.hear(Call(method="POST", url=how["url"], headers={}, body=body))).status == 401
    did = await heed(sqlite_store, ear_of, IdentityRules(sources={}), clock=clock)
    assert (did.done, did.landed.new, did.landed.quarantined, woken) == (2, 1, 1, ["feedback", "feedback"])
    async with sqlite_store.reading() as connection:
        (row,) = (await connection.execute(select(survey_response))).mappings()
    assert (row["key"], row["score"], row["responded_at"]) == ("a", 9.0, small_world.until)


async def test_a_pull_brings_nothing_and_asks_nobody(small_world: World) -> None:
    made = source(base_url="http://127.0.0.1:1")
    (stream,) = made.streams()
    async with made.client() as client:
        assert [page async for page in stream.pull(client, Window(bookmark=None, started_at=small_world.until))] == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"fields": {"points": "a.b"}}, "there is no field 'points'; there are: id, type, score"),
        ({"constants": {"type": "mood"}}, "type 'mood' is none of: nps, csat, ces"),
        ({"constants": {"scale": "ten"}}, "'ten' is no scale such as 0-10"),
        ({"webhook_secret": ""}, "must not be empty"),
    ],
)
def test_wrong_settings_are_told_with_the_right_ones(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        source(**wrong)
