"""What a sync is measured on: a vendor's sandbox with many rows, for each of three shapes of APIs.

zendesk     pages of JSON, each with the cursor of the next
salesforce  one long result: a bulk job's CSV for the hub, pages of SOQL for the bare loop
amplitude   zips of gzipped JSON lines, summed to days on the way; a row is an event
"""

import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import uvicorn

from bench.floor import Floor, bare_amplitude, bare_salesforce, bare_zendesk
from connectors.kit import registry
from connectors.kit.sandbox import Faults
from connectors.kit.simulated import Account, Person, ProductEvent, SupportTicket, World
from hub.clock import utc_now

TOKEN = "bench-token"
COMPANIES = 500
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 20
NAMES = ("report_viewed", "export_made", "login", "comment_added")
UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """world: of so many rows; options: of the sandbox; settings: of the source, besides its address; bare: the floor."""

    world: Callable[[int], World]
    options: Mapping[str, Any]
    settings: Mapping[str, Any]
    bare: Callable[[str, str], Awaitable[Floor]]


def serve(name: str, rows: int, listening: socket.socket) -> None:
    """The sandbox, in its own process."""
    shape = SHAPES[name]
    world = shape.world(rows)
    app = registry.sandbox(name)(lambda: world, token=TOKEN, faults=Faults(), **shape.options)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off")).run(sockets=[listening])


def made_world(tickets: int) -> World:
    """Companies with one person each, and tickets a few minutes apart."""
    companies = range(1, COMPANIES + 1)
    return World(
        seed=0,
        started_on=BEGAN.date(),
        until=BEGAN + timedelta(minutes=5 * tickets + 60),
        accounts=[
            Account(
                number=n, name=f"Company {n}", domain=f"company{n}.example", parent=None, segment="smb", industry="retail",
                country="DE", employees=50, csm_name="Kim Ode", csm_email="kim@us.example", signed_on=date(2025, 1, 1),
                updated_at=BEGAN, churned_on=None,
            )
            for n in companies
        ],
        people=[
            Person(
                number=n, account=n, name=f"Person {n}", email=f"person{n}@company{n}.example", title="Admin", role="admin",
                created_at=BEGAN, updated_at=BEGAN, left_at=None,
            )
            for n in companies
        ],
        events=[],
        tickets=[made_ticket(n) for n in range(1, tickets + 1)],
        nps=[],
        terms=[],
        deals=[],
    )  # fmt: skip


def made_ticket(n: int) -> SupportTicket:
    at = BEGAN + timedelta(minutes=5 * n)
    return SupportTicket(
        number=n, account=n % COMPANIES + 1, person=n % COMPANIES + 1, subject=f"Question number {n} about an invoice",
        severity=("low", "normal", "high", "urgent")[n % 4], status="closed", created_at=at,
        updated_at=at + timedelta(minutes=3), first_reply_minutes=12, solved_at=at + timedelta(minutes=3), reopens=0,
        replies=2, csat=None, csat_comment=None, csat_at=None,
    )  # fmt: skip


def made_events(events: int) -> World:
    """As many events, spread over twenty days and 500 companies with ten users each."""
    until, step = utc_now(), timedelta(days=DAYS) / max(1, events)
    made = [
        ProductEvent(
            insert_id=f"e{n}", at=until - timedelta(days=DAYS) + n * step, account=n % COMPANIES + 1,
            person=n % (10 * COMPANIES) + 1, name=NAMES[n % len(NAMES)],
        )
        for n in range(events)
    ]  # fmt: skip
    return replace(made_world(0), until=until, events=made)


SHAPES = {
    "zendesk": Shape(
        world=made_world,
        options={"exports_per_minute": UNLIMITED, "requests_per_minute": UNLIMITED},
        settings={"exports_per_minute": UNLIMITED, "requests_per_minute": UNLIMITED, "page_size": 1_000},
        bare=bare_zendesk,
    ),
    "salesforce": Shape(
        world=made_world,
        options={"requests_a_day": UNLIMITED},
        settings={"page_size": 2_000, "bulk_wait": 0.05},  # how long the vendor takes for a job is not what is measured
        bare=bare_salesforce,
    ),
    "amplitude": Shape(
        world=made_events,
        options={},
        settings={"history_days": DAYS + 2, "window_hours": 24},
        bare=bare_amplitude,
    ),
}
