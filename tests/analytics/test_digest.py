"""What digests tell of a handmade world, by hand; the messages made of it, each once, and their pictures."""

import asyncio
import struct
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.analytics.digest import Digest, DigestSettings, ReportsSettings, prepare
from hub.analytics.digest.words import words
from hub.analytics.targets_settings import USUAL
from hub.errors import NotFoundError
from hub.playbooks.jobs import SEND
from hub.store import Store, deliveries
from tests.analytics.counting import counted
from tests.analytics.digesting import ANN, BEFORE, BOB, SLACK, TODAY, ZED, HubOf, world
from tests.fakes.clock import Clock
from tests.fakes.story import NOW

WEEKLY = ReportsSettings().weekly


async def made(store: Store, *owners: str | None, settings: DigestSettings = WEEKLY) -> list[Digest]:
    prepared = await prepare(
        store, "weekly", settings, USUAL, now=NOW, grace_days=30, fewest_votes=3, effects={"save": "No difference."}
    )
    assert prepared.owners == [ANN, BOB, ZED]
    return await prepared.of(owners)


async def test_everything_a_digest_tells(store: Store) -> None:
    await world(store)
    whole, ann, bob, zed = await made(store, None, "Ann@Example.com", BOB, ZED)
    assert (whole.begin, whole.today) == (TODAY - timedelta(days=6), TODAY)
    portfolio = whole.portfolio
    assert (portfolio.customers, portfolio.was, portfolio.came, portfolio.left) == (4, 5, 0, 1)
    assert portfolio.arr["USD"] - portfolio.arr_then["USD"] == pytest.approx(-360)
    assert dict(portfolio.bands) == {"warning": 2, "stable": 1, "healthy": 1}
    assert dict(ann.portfolio.bands_then) == {"healthy": 1, "warning": 1, "critical": 1}
    assert (ann.portfolio.customers, ann.portfolio.left, bob.portfolio.customers) == (2, 1, 1)
    assert bob.portfolio.arr == {"USD": 600.0}
    assert bob.portfolio.arr_of == {"USD": {"warning": 600.0}}
    assert (bob.portfolio.health, bob.portfolio.health_then, bob.portfolio.coverage) == (0.45, 0.75, 0.5)

    assert [move.name for move in whole.falls] == ["Acme", "CORE"]
    assert [move.name for move in whole.rises] == ["BOLT"]
    (acme,) = ann.falls
    assert [(each.measure, each.cause) for each in acme.reasons] == [
        ("login_frequency", "data"),
        ("ticket_severity", "data"),
        ("mau", "data"),
        ("first_response", "data"),
    ]
    amounts = [each.amount for each in acme.reasons]
    assert amounts == pytest.approx([0.5 * -0.5, 0.2 * -0.5, 0.2 * -0.25, 0.1 * -0.495])
    assert sum(amounts) == pytest.approx(acme.after - acme.before, abs=1e-12)
    assert acme.reasons[1].said == "2 of 2 tickets in the last 90 days were high or urgent"
    (core,) = bob.falls
    assert (
        core.note == f"the definition that made the scorecard of {BEFORE} is not kept, so the change can't be divided"
    )

    assert [(each.name, each.band, each.was) for each in bob.at_risk] == [("CORE", "warning", "healthy")]
    (ninety,) = bob.forecasts[90]
    assert (ninety.count, ninety.target, ninety.expected) == (1, 600.0, 480.0)
    assert ninety.figure("grr", "renewals_due").value == pytest.approx(0.8)
    assert ninety.figure("grr", "cohort").value == pytest.approx(0.8)
    assert [(each.name, each.amount, each.status) for each in bob.due] == [("CORE", 600.0, "due")]
    assert (whole.forecasts[30][0].count, whole.forecasts[90][0].count) == (2, 2)
    # Zero pays on, and is in the base of the cohort alone
    assert whole.forecasts[30][0].figure("grr", "renewals_due").value == pytest.approx(0.8)
    assert (whole.forecasts[30][0].figure("grr", "cohort").value or 0) > 0.8

    assert (ann.onboardings.stalled, ann.onboardings.begun, bob.onboardings.any) == (1, 0, False)
    assert [(each.name, each.step, each.days) for each in ann.onboardings.stuck] == [("BOLT", "first_action", 40)]
    (save,) = whole.played
    assert (save.runs, save.closed) == ({"done": 1, "waiting": 1, "held_out": 1}, {"success": 1})
    assert (save.useful, save.votes, save.told, save.effect) == (1, 1, False, "No difference.")
    assert [each.runs for each in bob.played] == [{"held_out": 1}]
    assert (ann.open_calls, ann.overdue_calls, bob.open_calls) == (1, 1, 0)
    assert [each.question for each in ann.approvals] == ["Offer Bolt 10 % off?"]
    assert (bob.approvals, zed.approvals) == ((), ())
    assert {each.name: each.status for each in bob.targets}["health"] == "missed"
    nps = {str(month): value for month, value in ann.nps}
    assert (nps["2026-05"], nps["2026-06"]) == (100.0, pytest.approx(100 * (8 - 1) / 9))
    assert whole.moved
    assert not zed.moved


async def test_reasons_beyond_three_are_one_sum(sqlite_store: Store) -> None:
    await world(sqlite_store)
    (ann,) = await made(sqlite_store, ANN)
    told = words(ann, hub_url="https://hub.example/", name="Ann", company="")["falls"][0]
    assert [each["points"] for each in told["reasons"]] == ["-25", "-10", "-5"]
    assert (told["others"], told["rest"], told["change"]) == (1, "-5", "-45")
    assert told["link"] == "https://hub.example/customers/acme"


async def test_statements_do_not_grow_with_csms(sqlite_store: Store) -> None:
    await world(sqlite_store)
    async with counted(sqlite_store) as few:
        await made(sqlite_store, None, ANN)
    async with counted(sqlite_store) as many:
        await made(sqlite_store, None, ANN, BOB, ZED)
    assert few.statements == many.statements
    assert few.statements < 60


async def test_who_has_no_customers_has_no_digest(sqlite_store: Store) -> None:
    await world(sqlite_store)
    with pytest.raises(NotFoundError, match=r"no customer has the CSM 'eve@example.com'; there are: ann@example.com"):
        await made(sqlite_store, "eve@example.com")


def hub_of(store: Store, folder: Path, *, to: tuple[str, ...] = ("csms", "#cs-reports", "head@example.com")) -> HubOf:
    reports = {
        "weekly": {"schedule": "0 7 * * 1", "days": 7, "to": list(to)},
        "monthly": {"enabled": False, "schedule": "0 7 1 * *", "days": 30},
    }
    return HubOf(store, folder, clock=Clock(NOW), lifecycle={"reports": reports})


async def ledger(store: Store) -> dict[tuple[str, str], Any]:
    async with store.reading() as connection:
        return {(each.channel, each.address): each for each in await deliveries.find_deliveries(connection)}


async def test_each_recipient_gets_it_once_a_slot(store: Store, tmp_path: Path) -> None:
    await world(store)
    hub = hub_of(store, tmp_path)
    first, second = await asyncio.gather(hub.reports.send_due("weekly"), hub.reports.send_due("weekly"))
    assert len(first) + len(second) == 6
    assert await hub.reports.send_due("weekly") == []
    sent = await ledger(store)
    assert sent.keys() == {
        ("email", ANN),
        ("slack", SLACK),
        ("email", BOB),
        ("email", ZED),
        ("slack", "#cs-reports"),
        ("email", "head@example.com"),
    }
    assert {each.dedup_key.rpartition(".")[0] for each in sent.values()} == {"report.weekly.202606290700"}
    assert (sent["email", ANN].audience, sent["email", "head@example.com"].audience) == ("csm", "team")
    text = str(sent["email", ANN].payload["text"])
    assert "Hello Ann Archer" in text
    assert "-25: " in text
    assert "Offer Bolt 10 % off?" in text
    assert "CORE" not in text
    assert "CORE" in str(sent["email", "head@example.com"].payload["text"])
    hub.clock.now += timedelta(days=7)
    assert len(await hub.reports.send_due("weekly")) == 6


async def test_who_was_killed_in_the_middle_is_finished(store: Store, tmp_path: Path) -> None:
    await world(store)
    hub = hub_of(store, tmp_path, to=("csms",))
    kept: list[str] = []
    reserve = deliveries.reserve

    async def dies(connection: Any, rows: Any) -> list[str]:
        if kept:
            raise KeyboardInterrupt
        kept.extend(made := await reserve(connection, rows))
        return made

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(deliveries, "reserve", dies)
        with pytest.raises(KeyboardInterrupt):
            await hub.reports.send_due("weekly")
    assert len(await ledger(store)) == len(kept)
    again = await hub.reports.send_due("weekly")
    assert len(await ledger(store)) == 4
    assert not set(again) & set(kept)


async def test_it_comes_on_its_schedule(sqlite_store: Store, tmp_path: Path) -> None:
    await world(sqlite_store)
    hub = hub_of(sqlite_store, tmp_path, to=("csms",))
    hub.reports.register()
    sends: list[Any] = []

    async def on_send(argument: Any) -> None:
        sends.append(argument)

    durable: Any = hub.durable
    durable.register(SEND, on_send)
    await durable.start()
    await durable.run()
    assert await ledger(sqlite_store) == {}, "what was due before anybody thought of it is not owed"
    hub.clock.now += timedelta(days=7)
    await durable.run()
    assert len(await ledger(sqlite_store)) == 4
    assert len(sends) == 1
    await durable.run()
    assert len(await ledger(sqlite_store)) == 4


async def test_a_digest_without_news_is_short_and_there(sqlite_store: Store, tmp_path: Path) -> None:
    await world(sqlite_store)
    preview = await hub_of(sqlite_store, tmp_path).reports.preview("weekly", of=ZED)
    text = str(preview.mail.payload["text"])
    assert "Nothing moved since 24 June 2026" in text
    assert preview.mail.subject == "Week to 30 June 2026: nothing moved"
    assert preview.page.pngs == {}
    assert "attachments" not in preview.mail.payload
    assert "files" not in preview.slack.payload


async def test_pictures_are_in_mail_and_slack(sqlite_store: Store, tmp_path: Path) -> None:
    await world(sqlite_store)
    preview = await hub_of(sqlite_store, tmp_path).reports.preview("weekly", of=ANN)
    assert set(preview.page.pngs) == {"bands", "arr", "movers", "nps"}
    for made in preview.page.pngs.values():
        assert made.startswith(b"\x89PNG")
        assert len(made) <= 60_000
        assert struct.unpack(">I", made[16:20]) == (1104,), "twice as wide as it is shown"
    assert [each["name"] for each in preview.mail.payload["attachments"]] == ["bands", "arr", "movers", "nps"]
    assert 'src="cid:movers" alt="Whose health moved most: Acme ' in preview.mail.payload["html"]
    files = preview.slack.payload["files"]
    assert [each["name"] for each in files] == ["bands.png", "arr.png", "movers.png", "nps.png"]
    assert files[0]["alt"].startswith(f"Customers by health from {BEFORE} to {TODAY}: ")
