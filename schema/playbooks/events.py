"""Events that other systems sent by webhook, as they came, and what became of them."""

from datetime import datetime
from enum import StrEnum

import strawberry
from strawberry.scalars import JSON

from schema.fields import column, one
from schema.playbooks.types import CustomerRef


@strawberry.enum(
    description="ACCEPTED: playbooks are asked in a moment; REFUSED: it names no customer we know, see `reason`; "
    "DONE: see `outcome`."
)
class HookEventState(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DONE = "done"


@strawberry.type(description="An event that came in by webhook, and was signed.")
class HookEvent:
    id: strawberry.ID = column(description="As `cshub playbook events --retry` takes it.")
    hook: str = column(description="Where it came in: /hooks/NAME.")
    event_id: str = column(description="The sender's; the same again is the same event.")
    type: str | None = column()
    state: HookEventState = column()
    reason: str | None = column(description="Why it was refused.", personal=True)
    outcome: JSON | None = column(description="What each playbook that heeds it did, by name.", personal=True)
    payload: JSON = column(description="As it came.", personal=True)
    received_at: datetime = column()
    done_at: datetime | None = column()
    customer: CustomerRef | None = one("customer", key="id", parent="customer_id", unique=True)
