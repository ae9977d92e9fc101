"""HubSpot's settings in its mapping, and its refusals as errors; the fixtures are checked by test_kit_conformance."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.hubspot.connector import Connector, Settings
from connectors.hubspot.mapping import contact
from connectors.hubspot.refusals import judge, next_midnight, rate_headers
from connectors.kit.base import map_rows
from connectors.kit.errors import DeniedError, PausedError, TransientError
from connectors.kit.rates import RateReading
from connectors.kit.reply import Reply

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_settings_choose_stages_properties_types_and_currency() -> None:
    settings = Settings(
        token="t", customer_stages=("98765",), segment_property="tier", amount_property="hs_arr", currency="EUR",
        deal_types={"partner": "expansion"},
    )  # fmt: skip
    companies, _, deals = Connector(settings).streams()
    row = {"id": "1", "updatedAt": "2026-11-20T10:00:00Z", "createdAt": "2026-11-20T10:00:00Z"}
    lead = {**row, "properties": {"lifecyclestage": "customer"}}
    ours = {**row, "properties": {"lifecyclestage": "98765", "tier": "gold"}}
    assert [company.segment for company in map_rows(companies, [lead, ours])[0]] == ["gold"]
    deal = {**row, "properties": {"dealtype": "partner", "hs_arr": "9"}, "stage": {"label": "x", "metadata": {}}}
    (opportunity,) = map_rows(deals, [deal])[0]
    assert (opportunity.amount, opportunity.currency, opportunity.type) == (9.0, "EUR", "expansion")


def reply(status: int, body: Any, **headers: str) -> Reply:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, content, "GET api/x")


@pytest.mark.parametrize(
    ("zone", "until"),
    [
        ("UTC", datetime(2026, 11, 23, 0, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 23, 5, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 11, 23, 11, tzinfo=UTC)),  # there it is the 23rd already
    ],
)
def test_a_used_up_day_pauses_until_the_portals_midnight(zone: str, until: datetime) -> None:
    error = judge(zone)(reply(429, {"policyName": "DAILY", "errorType": "RATE_LIMIT"}), NOON)
    assert isinstance(error, PausedError)
    assert error.until == until


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (reply(429, {"policyName": "SECONDLY"}), 1.0),
        (reply(429, {"policyName": "TEN_SECONDLY_ROLLING"}), 10.0),
        (reply(429, {"policyName": "TEN_SECONDLY_ROLLING"}, retry_after="4"), 4.0),
        (reply(429, "<html>slow down</html>"), 10.0),
        (reply(429, ""), 10.0),
    ],
)
def test_other_limits_are_waited_for(answer: Reply, wait: float) -> None:
    error = judge("UTC")(answer, NOON)
    assert isinstance(error, TransientError)
    assert error.retry_after == wait
    assert not isinstance(error, PausedError)


def test_a_malformed_token_is_told_from_a_broken_server() -> None:
    assert isinstance(judge("UTC")(reply(530, ""), NOON), DeniedError)
    assert judge("UTC")(reply(502, ""), NOON) is None  # the kit knows what to do with that


def test_missing_scopes_are_named_once_each() -> None:
    wanted = {"requiredGranularScopes": ["crm.objects.deals.read", "crm.objects.deals.read", "crm.schemas.deals.read"]}
    error = judge("UTC")(reply(403, {"category": "MISSING_SCOPES", "errors": [{"context": wanted}]}), NOON)
    assert isinstance(error, DeniedError)
    assert (error.scope, error.permission) == ("stream", "crm.objects.deals.read, crm.schemas.deals.read")
    assert judge("UTC")(reply(403, {"category": "BANNED"}), NOON) is None


def test_rate_headers_speak_of_the_window_and_of_the_second() -> None:
    headers = {
        "x-hubspot-ratelimit-max": "110",
        "x-hubspot-ratelimit-remaining": "103",
        "x-hubspot-ratelimit-interval-milliseconds": "10000",
        "x-hubspot-ratelimit-secondly": "11",
        "x-hubspot-ratelimit-secondly-remaining": "0",
    }
    assert list(rate_headers(headers, NOON)) == [
        RateReading(remaining=103, limit=110, reset_after=10.0),
        RateReading(remaining=0, limit=11, reset_after=1.0),
    ]
    assert [reading.remaining for reading in rate_headers({}, NOON)] == [None, None]


def test_midnight_is_right_over_a_change_of_clocks() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert next_midnight(datetime(2026, 10, 24, 23, tzinfo=UTC), berlin) == datetime(2026, 10, 25, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        ("DECISION_MAKER;CHAMPION", "champion"),
        ("INFLUENCER; EXECUTIVE_SPONSOR", "executive_sponsor"),
        ("BUDGET_HOLDER;OTHER", "budget_holder"),
        ("", None),
        (None, None),
    ],
)
def test_of_several_roles_the_telling_one_is_taken(roles: str | None, role: str | None) -> None:
    row = {"id": "1", "updatedAt": "2026-11-20T10:00:00Z", "createdAt": "2026-11-20T10:00:00Z"}
    assert contact({**row, "properties": {"hs_buying_role": roles}}).role == role
