"""A database of the simulated company: what a product's own database, or a warehouse, might look like.

    subscriptions(id, account_id, plan, mrr, seats_used, currency, started_on, renews_on, ended_on, status, changed_at)

`fill` writes it, in place of what was there; nothing of a database is served over HTTP, so `app` has nothing to say.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from sqlalchemy import Column, Connection, Date, DateTime, Float, Integer, MetaData, String, Table
from starlette.applications import Starlette

from connectors.kit.sandbox import Faults, assemble
from connectors.kit.simulated import Term, World, crm_id

metadata = MetaData()
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", String(40), nullable=False),
    Column("plan", String(40)),
    Column("mrr", Float),
    Column("seats_used", Integer),
    Column("currency", String(3)),
    Column("started_on", Date),
    Column("renews_on", Date),
    Column("ended_on", Date),
    Column("status", String(20)),
    Column("changed_at", DateTime(timezone=True)),
)


def app(world: Callable[[], World], *, token: str, faults: Faults) -> Starlette:
    return assemble([], faults=faults)


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    """A source of an SQLite file; `token` is a part of its name."""
    return source_of(f"sqlite:///{Path(gettempdir()) / f'cshub-sqlsource-{token}.db'}")


def source_of(url: str) -> dict[str, Any]:
    """Settings that read the subscriptions of the database at `url`."""
    return {
        "url": url,
        "streams": {
            "rows": {
                "query": "SELECT * FROM subscriptions",
                "record": "subscription",
                "key": "id",
                "company_key": "account_id",
                "updated_at": "changed_at",
                "bookmark": "changed_at",
            }
        },
    }


def truth(world: World) -> Mapping[str, Collection[str]]:
    return {"rows": [str(term.number) for term in world.terms]}


def fill(connection: Connection, world: World) -> None:
    """Write the tables anew."""
    metadata.drop_all(connection)
    metadata.create_all(connection)
    if world.terms:
        connection.execute(subscriptions.insert(), [_row(term, world) for term in world.terms])


def _row(term: Term, world: World) -> dict[str, Any]:
    ended = term.ended_on is not None and term.ended_on <= world.until.date()
    return {
        "id": term.number,
        "account_id": crm_id(term.account),
        "plan": term.plan,
        "mrr": term.mrr,
        "seats_used": term.seats_used,
        "currency": term.currency,
        "started_on": term.started_on,
        "renews_on": term.renews_on,
        "ended_on": term.ended_on,
        "status": "ended" if ended else "active" if term.cancelled_at is None else "cancelled",
        "changed_at": term.updated_at,
    }
