"""Opportunities of all customers in the store: found with evidence and value, followed, won, withdrawn, decided by people."""

from datetime import timedelta

import pytest

from hub.errors import NotFoundError, RefusedError
from hub.lifecycle.expansion import ExpansionSettings, state_opportunity
from tests.lifecycle.expansion.conftest import FULL, NOW, SETTINGS, Company

TODAY = NOW.date()


async def test_found_with_evidence_and_value(company: Company) -> None:
    await company.customer("full", **FULL, feature_adoption=0.95, usage_trend=0.1)
    await company.customer("grown", mrr=100.0, usage_trend=0.3, plan="Max", feature_adoption=1.0)
    await company.customer("still", **{**FULL, "seat_utilisation": 0.9})
    await company.customer("unknown", seat_utilisation=0.99, seats_purchased=10.0, mau=10.0, plan="Pro")
    await company.keep()
    ceiling, seats, growth = await company.rows()
    assert (ceiling["customer_id"], ceiling["kind"], ceiling["evidence"]) == (
        "full", "plan_upgrade", {"feature_adoption": 0.95},
    )  # fmt: skip
    assert (ceiling["value"], ceiling["probability"], ceiling["expected"]) == (3000, 0.2, 600)
    # 1.2 x 95 users are 114 seats: 14 more, at 12000 / 100 each
    assert (seats["seats"], seats["value"], seats["expected"]) == (14, 1680, 840)
    assert (seats["evidence"], seats["title"]) == ({"seat_utilisation": 0.95, "mau": 95}, "More seats")
    assert (seats["base_arr"], seats["base_seats"], seats["base_plan"]) == (12000, 100, "Pro")
    assert (seats["state"], seats["found_on"], seats["missed_since"]) == ("open", TODAY, None)
    assert (growth["customer_id"], growth["value"], growth["expected"]) == ("grown", 6000, 600)
    assert growth["evidence"] == {"usage_trend": 0.3, "name": "Grown"}
    assert await company.standing() == {"full": ("seats", 840), "grown": ("add_on", 600)}


async def test_twice_finds_nothing_more(company: Company) -> None:
    await company.customer("full", **FULL)
    await company.keep()
    before = await company.rows()
    company.now += timedelta(hours=3)
    await company.keep()
    assert await company.rows() == before


@pytest.mark.parametrize(
    ("band", "level", "nps"),
    [
        ("critical", None, 9),
        ("warning", None, 9),
        ("healthy", "critical", 9),
        ("healthy", "warning", 9),
        ("healthy", None, 6),
    ],
)
async def test_not_offered_where_something_stands_against_it(
    company: Company, band: str, level: str | None, nps: float
) -> None:
    await company.customer("full", band=band, **FULL, nps_last=nps)
    if level is not None:
        await company.stands("full", watch_level=level)
    await company.keep()
    assert await company.rows() == []
    assert (await company.standing()).get("full", (None, None)) == (None, None)


async def test_what_turns_critical_is_not_shown_and_withdrawn_in_time(company: Company) -> None:
    await company.customer("full", **FULL)
    await company.keep()
    await company.now_has("full", band="critical", **FULL)
    await company.keep(1)
    (row,) = await company.rows()
    assert (row["state"], row["blocked"], row["missed_since"]) == ("open", "unhealthy", TODAY + timedelta(days=1))
    assert await company.standing() == {"full": (None, None)}
    await company.now_has("full", **FULL)
    await company.keep(14)
    (row,) = await company.rows()
    assert (row["state"], row["blocked"], row["missed_since"]) == ("open", None, None)
    assert await company.standing() == {"full": ("seats", 840)}
    await company.now_has("full", band="warning", **FULL)
    await company.keep(15)
    await company.keep(29)
    (row,) = await company.rows()
    assert (row["state"], row["closed_on"]) == ("withdrawn", TODAY + timedelta(days=29))
    assert row["reason"] == "unhealthy stands against it since 2026-12-07"


async def test_withdrawn_when_its_condition_stays_away_and_found_again(company: Company) -> None:
    less = {**FULL, "seat_utilisation": 0.8}
    await company.customer("full", **FULL)
    await company.keep()
    await company.now_has("full", **less)
    await company.keep(1)
    assert await company.standing() == {"full": ("seats", 840)}
    await company.keep(14)
    assert await company.states() == [("full", "seats_full", "open")]
    await company.keep(15)
    (row,) = await company.rows()
    assert (row["state"], row["reason"]) == ("withdrawn", "its condition no longer holds since 2026-11-23")
    assert await company.standing() == {"full": (None, None)}
    await company.now_has("full", **FULL)
    await company.keep(16)
    assert await company.states() == [("full", "seats_full", "withdrawn"), ("full", "seats_full", "open")]


async def test_evidence_follows_the_facts(company: Company) -> None:
    await company.customer("full", **FULL)
    await company.keep()
    await company.now_has("full", **{**FULL, "seat_utilisation": 1.2, "mau": 120.0})
    await company.keep(1)
    (row,) = await company.rows()
    assert (row["evidence"], row["seats"], row["expected"]) == ({"seat_utilisation": 1.2, "mau": 120}, 44, 2640)
    assert (row["found_on"], row["base_arr"]) == (TODAY, 12000)


async def test_who_left_has_none(company: Company) -> None:
    await company.customer("full", **FULL)
    await company.keep()
    await company.left("full")
    await company.keep(1)
    await company.keep(15)
    assert await company.states() == [("full", "seats_full", "withdrawn")]


async def test_won_when_seats_rise_as_forecast(company: Company) -> None:
    await company.customer("full", **FULL, feature_adoption=0.95)
    await company.keep()
    after = {**FULL, "seat_utilisation": 0.89, "feature_adoption": 0.95, "seats_purchased": 106.0, "mrr": 1060.0}
    await company.now_has("full", **after)
    await company.keep(10)
    assert await company.states() == [("full", "ceiling", "open"), ("full", "seats_full", "open")]
    await company.now_has("full", **{**after, "seats_purchased": 107.0, "mrr": 1070.0})
    await company.keep(20)
    ceiling, seats = await company.rows()
    assert (seats["state"], seats["won_amount"], seats["closed_on"]) == ("won", 840, TODAY + timedelta(days=20))
    assert seats["reason"] == "ARR rose by 840.00 since 2026-11-22"
    assert (ceiling["state"], ceiling["base_arr"], ceiling["base_seats"]) == ("open", 12840, 107)
    assert await company.standing() == {"full": ("plan_upgrade", 642)}
    await company.now_has("full", **FULL)  # full again: the rule rests
    await company.keep(20 + 179)
    assert [state for _, rule, state in await company.states() if rule == "seats_full"] == ["won"]
    await company.keep(20 + 180)
    assert [state for _, rule, state in await company.states() if rule == "seats_full"] == ["won", "open"]


async def test_a_rise_after_the_window_wins_nothing(company: Company) -> None:
    await company.customer("full", **FULL)
    await company.keep()
    await company.now_has("full", **{**FULL, "seats_purchased": 200.0, "mrr": 2000.0})
    await company.keep(121)
    assert await company.states() == [("full", "seats_full", "open")]


async def test_a_plan_and_an_add_on(company: Company) -> None:
    await company.customer("plan", **{**FULL, "seat_utilisation": 0.5}, feature_adoption=0.95)
    await company.customer("extra", **{**FULL, "seat_utilisation": 0.5}, usage_trend=0.5)
    await company.customer("seats", **{**FULL, "seat_utilisation": 0.5}, usage_trend=0.5)
    await company.keep()
    await company.now_has("plan", **{**FULL, "seat_utilisation": 0.5, "plan": "Max", "mrr": 1125.0})
    await company.now_has("extra", **{**FULL, "seat_utilisation": 0.5, "mrr": 1250.0})
    await company.now_has("seats", **{**FULL, "seat_utilisation": 0.5, "mrr": 1500.0, "seats_purchased": 150.0})
    await company.keep(30)
    assert [(row["customer_id"], row["state"], row["won_amount"]) for row in await company.rows()] == [
        ("extra", "won", 3000),
        ("plan", "won", 1500),
        ("seats", "open", None),
    ]


async def test_what_people_say(company: Company) -> None:
    await company.customer("full", **FULL, usage_trend=0.5)
    await company.keep()
    growth, seats = await company.rows()
    at = {"by": "ann", "now": company.now}
    offered = await state_opportunity(company.store, seats["id"], state="offered", **at)
    assert (offered["state"], offered["decided_by"], offered["closed_on"]) == ("offered", "ann", None)
    await company.now_has("full", **{**FULL, "seat_utilisation": 0.5, "usage_trend": 0.5})
    await company.keep(120)
    assert await company.states() == [("full", "growth", "open"), ("full", "seats_full", "offered")]
    at["now"] = company.now
    won = await state_opportunity(company.store, growth["id"], state="won", amount=7000, **at)
    assert (won["state"], won["won_amount"]) == ("won", 7000)
    assert await company.standing() == {"full": ("seats", 840)}
    await state_opportunity(company.store, seats["id"], state="lost", reason="no budget", **at)
    assert await company.standing() == {"full": (None, None)}
    with pytest.raises(RefusedError, match="lost since"):
        await state_opportunity(company.store, seats["id"], state="won", **at)


async def test_one_withdrawn_by_a_person_rests_and_an_offer_runs_out(company: Company) -> None:
    await company.customer("full", **FULL, usage_trend=0.5)
    await company.keep()
    growth, seats = await company.rows()
    at = {"by": "ann", "now": company.now}
    await state_opportunity(company.store, growth["id"], state="withdrawn", reason="they asked us not to", **at)
    await state_opportunity(company.store, seats["id"], state="offered", **at)
    await company.now_has("full", **{**FULL, "seat_utilisation": 0.5, "usage_trend": 0.5})
    await company.keep(2)
    await company.keep(121)
    assert await company.states() == [("full", "growth", "withdrawn"), ("full", "seats_full", "withdrawn")]


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ({"state": "open"}, RefusedError, "offered, won, lost, withdrawn"),
        ({"state": "lost"}, RefusedError, "A reason is needed"),
        ({"state": "offered", "amount": 5.0}, RefusedError, "only of what is won"),
        ({"state": "won", "amount": -1.0}, RefusedError, "positive"),
        ({"state": "won", "reason": "x" * 1001}, RefusedError, "at most 1,000"),
        ({"state": "won", "id": "nobody"}, NotFoundError, "no opportunity"),
    ],
)
async def test_what_cannot_be_said(company: Company, said: dict, error: type[Exception], words: str) -> None:
    await company.customer("full", **FULL)
    await company.keep()
    before = await company.rows()
    id_ = said.get("id", before[0]["id"])
    said = {name: value for name, value in said.items() if name != "id"}
    with pytest.raises(error, match=words):
        await state_opportunity(company.store, id_, by="ann", now=company.now, **said)
    assert await company.rows() == before


async def test_switched_off_and_without_rules(company: Company) -> None:
    await company.customer("full", **FULL)
    await company.keep()
    company.settings = ExpansionSettings(enabled=False)
    await company.keep(1)
    assert await company.standing() == {"full": (None, None)}
    assert await company.states() == [("full", "seats_full", "open")]
    company.settings = ExpansionSettings.model_validate({**SETTINGS, "rules": SETTINGS["rules"][1:]})
    await company.keep(2)
    await company.keep(16)
    assert await company.states() == [("full", "seats_full", "withdrawn")]
