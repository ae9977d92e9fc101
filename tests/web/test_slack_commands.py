"""/cshub and the App Home: cards, several customers, nearest names, my customers."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.model.actions import AlertState
from hub.playbooks.alerts import open_alert
from hub.slack.home import LOOKED_AT
from hub.store import Store
from hub.store.tables import scorecard
from tests.fakes.slack_place import Place, buttons, shown, slack_place, user


@pytest.fixture
async def each_place(store: Store, tmp_path: Path) -> AsyncIterator[Place]:
    async with slack_place(store, tmp_path) as made:
        await made.customer("acme", name="Acme Rockets", domain="acme.example", plan="Pro", mrr=2_000.0)
        await made.customer("acme2", name="Acme Anvils", csm_email="bob@example.com", mrr=100.0)
        await made.customer("bolt", name="Bolt & <Nut>", health=0.9, churn_annualised=0.05, mrr=9_000.0)
        yield made


@pytest.fixture
async def place(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Place]:
    async with slack_place(sqlite_store, tmp_path) as made:
        await made.customer("acme", name="Acme Rockets", domain="acme.example", plan="Pro", mrr=2_000.0)
        await made.customer("bolt", name="Bolt & <Nut>", health=0.9, churn_annualised=0.05, mrr=9_000.0)
        yield made


async def call(place: Place, customer: str, title: str) -> str:
    made = await open_alert(
        place.store, customer, title=title, key=title, owner_email="ann@example.com", now=place.clock()
    )
    return made.id


@pytest.mark.parametrize("text", ["Acme Rockets", "acme rockets", "rockets", "acme.example", "acme", "  Acme   rock "])
async def test_one_customer_is_a_card(place: Place, text: str) -> None:
    alert = await call(place, "acme", "Call them")
    card = await place.command("ann", text)
    said = shown(card)
    for part in ("Acme Rockets", "*Health*\n30 of 100, warning", "60 % a year, medium", "2,000, Pro", "*Call them*"):
        assert part in said
    assert {"open", "fire", "acknowledge", "snooze", "assign"} <= set(buttons(card))
    assert any(block.get("block_id") == f"cshub.alert:{alert}" for block in card["blocks"])


async def test_a_customer_without_a_scorecard_says_so_and_has_no_empty_numbers(place: Place) -> None:
    async with place.store.transaction() as connection:
        await connection.execute(scorecard.delete().where(scorecard.c.customer_id == "acme"))
    card = await place.command("ann", "rockets")
    assert card["text"] == "Acme Rockets: no scorecard"
    said = shown(card)
    assert "*Health*\nnot known" in said
    assert "No scorecard: a customer that is new, or gone" in said
    mine = shown(await place.command("ann", "mine"))
    assert "*Acme Rockets* · no scorecard" in mine
    assert "\u2013" not in mine, "no dash in the place of a number"


async def test_a_call_is_worked_on_from_the_card(place: Place) -> None:
    await call(place, "acme", "Call them")
    await place.command("ann", "rockets")
    card = place.outbox.arrivals()[0]
    assert await place.press("ann", "acknowledge", card) == 200
    await place.settle()
    [alert] = await place.alerts()
    assert (alert.state, alert.changed_by) == (AlertState.IN_PROGRESS, "ann@example.com")
    assert place.answers()[0]["text"] == "Acknowledged."


async def test_several_are_a_choice_and_one_of_them_a_card(each_place: Place) -> None:
    place = each_place
    choice = await place.command("ann", "acme r")
    assert "*Health*" in shown(choice)
    choice = await place.command("ann", "a")
    assert "*a* may be:" in shown(choice)
    assert [block["block_id"] for block in choice["blocks"][1:]] == ["cshub.customer:acme2", "cshub.customer:acme"]
    pressed = place.outbox.arrivals()[0]
    await place.press("ann", "card", pressed, block_id="cshub.customer:acme2")
    await place.settle()
    assert "Acme Anvils" in shown(place.answers()[0])


async def test_none_is_said_with_the_nearest_names(each_place: Place) -> None:
    answer = await each_place.command("ann", "Akme Rokets")
    assert "No customer is called *Akme Rokets*. Did you mean:" in shown(answer)
    assert "*Acme Rockets*" in shown(answer)
    nothing = await each_place.command("ann", "zzzz <!channel>")
    assert nothing["text"] == "No such customer."
    assert "zzzz &lt;!channel&gt;" in shown(nothing)
    assert len(nothing["blocks"]) == 1
    assert "No customer is called *%*" in shown(await each_place.command("ann", "%")), "no wildcard of SQL"


async def test_names_have_no_markup(place: Place) -> None:
    assert "Bolt &amp; &lt;Nut&gt;" in shown(await place.command("ann", "bolt"))


async def test_help_mine_and_who_may_look(each_place: Place) -> None:
    place = each_place
    assert "/cshub mine" in (await place.command("nob", "help"))["text"]
    assert "/cshub mine" in (await place.command("ann", ""))["text"]
    await call(place, "acme", "Call them")
    mine = shown(await place.command("ann", "mine"))
    assert mine.index("Acme Rockets") < mine.index("Bolt"), "0.6 of 2,000 is more at stake than 0.05 of 9,000"
    assert "Acme Anvils" not in mine
    assert "*Acme Rockets* · health 30 (warning) · churn 60 % a year · MRR 2,000 · 1 alert" in mine
    assert (await place.command("vic", "mine"))["text"] == "No customer is yours."
    looked = await place.command("vic", "rockets")
    assert set(buttons(looked)) == {"open"}, "a viewer looks and has nothing to press"
    assert "Call them" in shown(await place.command("ann", "rockets"))
    assert "Call them" not in shown(looked), "what a person wrote may name anybody"
    assert "in somebody's own words" in shown(looked)
    assert "I don't know you yet" in (await place.command("nob", "rockets"))["text"]
    assert "letters" in (await place.command("ann", "x" * 201))["text"]


async def test_a_home_shows_my_customers_and_follows_what_changes(each_place: Place) -> None:
    place = each_place
    await call(place, "acme", "Call them")
    assert await place.do("/home", {"user": user("ann")}) == 200
    await place.settle()
    home = place.outbox.newest("slack_home", user("ann"))
    assert home is not None
    said = shown(home)
    assert "2 customers" in said
    assert said.index("*Call them* · Acme Rockets") < said.index("*Acme Rockets* · health 30")
    await place.press("ann", "acknowledge", home)
    await place.settle()
    after = place.outbox.newest("slack_home", user("ann"))
    assert after is not None
    assert after.number > home.number
    assert "acknowledged by Ann Archer" in shown(after)
    published = place.outbox.counts()["slack_home"]
    assert await place.slack.homes.refresh(now=place.clock()) == 0, "nothing has changed"
    await call(place, "bolt", "Congratulate")
    place.clock.move(minutes=6)
    await place.settle(10)
    assert place.outbox.counts()["slack_home"] == published + 1
    newest = place.outbox.newest("slack_home", user("ann"))
    assert newest is not None
    assert "*Congratulate*" in shown(newest)
    place.clock.now += LOOKED_AT + timedelta(minutes=10)
    await call(place, "acme", "Who looks?")
    await place.settle(10)
    assert place.outbox.counts()["slack_home"] == published + 1, "nobody has looked at it for a week"


async def test_a_home_of_somebody_unknown_says_how_that_is_changed(place: Place) -> None:
    await place.do("/home", {"user": user("nob")})
    await place.settle()
    home = place.outbox.newest("slack_home", user("nob"))
    assert home is not None
    assert "I don't know you yet" in shown(home)
    assert "Acme" not in shown(home)
