"""What tracking libraries send of the simulated company. Nobody is asked for anything, so `app` serves nothing.

calls(world)    an identify and a group for each person, and a track for each event
signed(body)    the headers a library sends; `event` a body
"""

import base64
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

import orjson
from starlette.applications import Starlette

from connectors.kit.sandbox import Faults, assemble
from connectors.kit.simulated import World, crm_id
from connectors.kit.truth import usage_days

KEY = "wk_simulated_company"


def app(world: Callable[[], World], *, token: str, faults: Faults) -> Starlette:
    return assemble([], faults=faults)


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {"write_key": f"{KEY}-{token}", "crm_trait": "crm_id"}


def truth(world: World) -> Mapping[str, Collection[str]]:
    return {
        "companies": {f"acct-{person.account}" for person in world.people},
        "contacts": {f"u-{person.number}" for person in world.people},
        "usage": usage_days(world.events),
    }


def calls(world: World) -> list[dict[str, Any]]:
    """In the order in which an application would send them."""
    accounts = {account.number: account for account in world.accounts}
    made: list[dict[str, Any]] = []
    for person in world.people:
        user, account = f"u-{person.number}", accounts[person.account]
        said = {"email": person.email, "name": person.name, "title": person.title, "createdAt": person.created_at}
        made.append(_call("identify", f"i-{person.number}", user, person.updated_at, traits=said))
        traits = {"name": account.name, "website": f"https://{account.domain}", "crm_id": crm_id(account.number)}
        group = f"acct-{account.number}"
        made.append(_call("group", f"g-{person.number}", user, person.updated_at, groupId=group, traits=traits))
    for each in world.events:
        named = {"event": each.name, "context": {"groupId": f"acct-{each.account}"}}
        made.append(_call("track", each.insert_id, f"u-{each.person}", each.at, **named))
    return made


def signed(body: bytes, *, settings: Any, method: str, url: str, now: datetime) -> dict[str, str]:
    pair = f"{settings.write_key.get_secret_value()}:".encode()
    return {"authorization": "Basic " + base64.b64encode(pair).decode(), "content-type": "application/json"}


def event(what: str, number: int) -> bytes:
    return orjson.dumps({"batch": [{"type": "group", "messageId": f"{what}-{number}", "groupId": f"acct-{number}"}]})


def _call(kind: str, id_: str, user: str, at: datetime, **other: Any) -> dict[str, Any]:
    return {"type": kind, "messageId": id_, "userId": user, "timestamp": at.isoformat(), **other}
