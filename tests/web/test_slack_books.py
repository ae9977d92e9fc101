"""Slack where a CSM sees only its own customers: foreign ones are answered exactly as ones that do not exist."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hub.model.actions import AlertState
from hub.playbooks.alerts import open_alert
from hub.slack import desk
from hub.store import Store
from hub.store.tables import vote
from tests.fakes.slack_place import Place, buttons, shown, slack_place, user

GONE = "I don't find any more what this message was about."
PRESSES = (
    ("acknowledge", ""),
    ("snooze", "1d"),
    ("assign", user("mia")),
    ("approve", "1"),
    ("decline", "1"),
    ("not_useful", ""),
    ("fire", "tell"),
)


@pytest.fixture
async def place(store: Store, tmp_path: Path) -> AsyncIterator[Place]:
    async with slack_place(store, tmp_path, books=True) as made:
        await made.customer("acme", name="Acme Rockets", domain="acme.example")  # Ann's
        await made.customer("bolt", name="Bolt Works", csm_email="mia@example.com")
        yield made


async def call(place: Place, customer: str, owner: str) -> str:
    made = await open_alert(
        place.store, customer, title=f"Call {customer}", key=customer, owner_email=owner, now=place.clock()
    )
    return made.id


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is answered to presses that no message offers: whoever can sign could send them."""
    told: list[str] = []

    async def hear(_url: str, reply: Mapping[str, Any], **_: Any) -> None:
        told.append(str(reply["text"]))

    monkeypatch.setattr(desk, "answer", hear)
    return told


async def pressed(place: Place, heard: list[str], who: str, button: str, value: str, *, block: str) -> str:
    """The answer to a press below any block, there or not."""
    payload = {
        "user": user(who),
        "name": button,
        "value": value,
        "block": block,
        "chosen": value if button == "assign" else None,
        "response_url": "https://slack.example/answer",
    }
    number = len(heard)
    assert await place.slack.inbox.take(f"trigger:{number}", kind="action", payload=payload)
    await place.settle(2)
    assert len(heard) == number + 1
    return heard[-1]


async def test_what_is_not_theirs_is_called_by_no_name(place: Place) -> None:
    for text in ("Acme Rockets", "acme", "acme.example", "rock", "Akme Rokets", "nobody at all"):
        answer = await place.command("mia", text)
        assert answer["text"] == "No such customer."
        assert shown(answer) == f"No customer is called *{text}*."
        assert buttons(answer) == []


async def test_their_own_and_everybody_elses_to_those_above(place: Place) -> None:
    assert "*Health*" in shown(await place.command("mia", "bolt"))
    assert "*Health*" in shown(await place.command("mia", "o")), "Acme Rockets has an o as well, and is not a choice"
    for who in ("ann", "bob"):
        assert "Acme Rockets" in shown(await place.command(who, "rockets"))
    assert "may be" in shown(await place.command("bob", "o")), "an admin has no book"


async def test_no_button_below_a_message_of_a_foreign_customer(place: Place, heard: list[str]) -> None:
    run = await place.fire("acme", playbook="offer")
    before, calls = place.message(), await place.alerts()
    assert {name for name, _ in PRESSES} <= set(buttons(before)), "everybody in the channel has them"
    for button, value in PRESSES:
        foreign = await pressed(place, heard, "mia", button, value, block=f"cshub.run:{run}")
        absent = await pressed(place, heard, "mia", button, value, block="cshub.run:run_none")
        assert foreign == absent == GONE, button
    assert await place.alerts() == calls
    assert place.message() == before
    assert {outcome for _, _, outcome in await place.audited()} == {f"refused: {GONE}"}
    async with place.store.reading() as connection:
        assert (await connection.execute(vote.select())).all() == []
    await place.press("mia", "approve", before)
    await place.settle()
    assert place.message() == before, "nor over Slack itself"


async def test_no_button_beside_a_foreign_call_nor_on_a_foreign_card(place: Place, heard: list[str]) -> None:
    alert = await call(place, "acme", "ann@example.com")
    for button, value in PRESSES[:3]:
        foreign = await pressed(place, heard, "mia", button, value, block=f"cshub.alert:{alert}")
        absent = await pressed(place, heard, "mia", button, value, block="cshub.alert:alert_none")
        assert foreign == absent == GONE
    for button, value, kind in (
        ("card", "", "customer"),
        ("fire", "tell", "customer"),
        ("fire_now", "tell|slack.key", "firing"),
    ):
        foreign = await pressed(place, heard, "mia", button, value, block=f"cshub.{kind}:acme")
        absent = await pressed(place, heard, "mia", button, value, block=f"cshub.{kind}:none")
        assert foreign.replace("acme", "none") == absent
        assert "Acme" not in foreign
    assert place.outbox.counts()["slack"] == 0, "nothing was fired"
    assert [each.state for each in await place.alerts()] == [AlertState.OPEN]
    assert (await pressed(place, heard, "bob", "card", "", block="cshub.customer:acme")).startswith("Acme Rockets")


async def test_their_own_messages_are_worked_on_as_ever_and_all_of_them_by_an_admin(place: Place) -> None:
    for customer, who in (("bolt", "mia"), ("acme", "bob")):
        await place.fire(customer, key=customer)
        await place.press(who, "acknowledge", place.message())
        await place.settle()
        assert place.answers()[0]["text"] == "Acknowledged."


async def test_a_home_shows_no_call_about_a_foreign_customer(place: Place) -> None:
    await call(place, "acme", "mia@example.com")
    await call(place, "bolt", "mia@example.com")
    await place.do("/home", {"user": user("mia")})
    await place.settle()
    home = place.outbox.newest("slack_home", user("mia"))
    assert home is not None
    said = shown(home)
    assert "*Call bolt* · Bolt Works" in said
    assert "acme" not in said.lower()
