"""Whom of a customer a mail goes to, and whose the customers are that have no CSM; both databases where the store is asked."""

from typing import Any

import pytest

from hub.delivery import Renderer
from hub.model.team import Team
from hub.playbooks.planning import Planner
from hub.playbooks.recipients import chosen
from hub.playbooks.spec import Playbook
from hub.resources import CONFIG
from hub.settings import load
from hub.store.playbooks import Situation, find_situations
from hub.store.tables import contact
from tests.fakes.clock import START as NOW
from tests.playbooks.conftest import World

EVERYBODY = ("ann@x.example", "bo@x.example", "cy@x.example")


@pytest.mark.parametrize(
    ("word", "roles", "expected"),
    [
        ("contacts", {"bo@x.example": "champion"}, EVERYBODY),
        ("champions", {"bo@x.example": "champion", "cy@x.example": "executive"}, ("bo@x.example",)),
        ("champions", {"cy@x.example": "executive"}, EVERYBODY),
        ("deciders", {"bo@x.example": "champion", "cy@x.example": "decision_maker"}, ("cy@x.example",)),
        ("deciders", {"bo@x.example": "champion", "ann@x.example": "user"}, ("bo@x.example",)),
        ("deciders", {}, EVERYBODY),
    ],
)
def test_who_is_chosen(word: str, roles: dict[str, str], expected: tuple[str, ...]) -> None:
    assert chosen(word, EVERYBODY, roles) == expected


async def test_roles_come_with_the_contacts(each_world: World) -> None:
    world = each_world
    await world.customer("acme")
    rows: list[dict[str, Any]] = [
        {
            "source": source, "key": key, "id": f"{source}:{key}", "customer_id": "acme", "email": email, "role": role,
            "version": 1, "digest": 1, "deleted": deleted, "learned_at": NOW, "synced_at": NOW,
        }
        for source, key, email, role, deleted in (
            ("crm", "1", "Ann@x.example", "champion", False),
            ("desk", "1", "ann@x.example", None, False),
            ("crm", "2", "bo@x.example", None, False),
            ("crm", "3", "cy@x.example", "executive", True),
        )
    ]  # fmt: skip
    async with world.store.transaction() as connection:
        await connection.execute(contact.insert(), rows)
        (situation,) = (await find_situations(connection, ["acme"], with_contacts=True)).values()
    assert situation.contacts == ("ann@x.example", "bo@x.example")
    assert situation.contact_roles == {"ann@x.example": "champion"}
    assert chosen("deciders", situation.contacts, situation.contact_roles) == ("ann@x.example",)


def planned(playbook: Playbook, renderer: Renderer, team: Team, **values: Any) -> list[tuple[str | None, str | None]]:
    planner = Planner(renderer, hub_url="https://hub.example", team=team)
    situation = Situation(customer_id="acme", values={"name": "Acme", "health": 0.2, **values})
    whole = planner.whole(playbook, situation, now=NOW)
    return [(each.address if each.channel == "email" else each.owner_email, each.skipped) for each in whole[1:5]]


def test_somebody_stands_in_where_there_is_no_csm() -> None:
    folder = load(CONFIG, environment={}).playbooks
    playbook, renderer = folder.playbooks["health_critical"], folder.renderer
    lead = Team(unassigned="lead@example.com")
    mail, _, alert, task = planned(playbook, renderer, Team())
    assert (mail, alert[0], task[0]) == ((None, "the customer has no CSM"), None, None)
    mail, _, alert, task = planned(playbook, renderer, lead)
    assert (mail[0], alert[0], task[0]) == ("lead@example.com",) * 3
    mail, _, alert, task = planned(playbook, renderer, lead, csm_email="ann@example.com")
    assert (mail[0], alert[0], task[0]) == ("ann@example.com",) * 3
