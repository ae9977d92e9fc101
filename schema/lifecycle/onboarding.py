"""Onboardings: types and queries."""

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import strawberry

from hub.store.query import Order, Where
from schema.fields import DEFAULT_FIRST, column, computed, many, one, plain
from schema.loaders import ApiInfo, load_page
from schema.nodes import Node, key_of
from schema.paging import Connection
from schema.permissions import root

if TYPE_CHECKING:
    from schema.customers.types import Customer

CustomerRef = Annotated["Customer", strawberry.lazy("schema.customers.types")]


@strawberry.enum(description="What became of an onboarding.")
class OnboardingState(StrEnum):
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@strawberry.enum(description="How an active onboarding keeps up with the days its programme gives it.")
class OnboardingPace(StrEnum):
    ON_TRACK = "on_track"
    BEHIND = "behind"
    STALLED = "stalled"


@strawberry.enum(description="LEFT_OUT: not for this customer.")
class OnboardingStepState(StrEnum):
    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"
    LEFT_OUT = "left_out"


@strawberry.type(description="A step of an onboarding.")
class OnboardingStep:
    name: str = column()
    title: str = column()
    state: OnboardingStepState = column()
    optional: bool = column(description="May be skipped, and holds nobody up.")
    ours: bool = column(description="Ours to do: no progress of the customer's.")
    after: list[str] = column(description="The steps that must be done before.")
    allowed: bool = computed(
        lambda row: row["state"] == "open" and row["turn_at"] is not None,
        "state",
        "turn_at",
        description="Open, and its turn has come: what may be done now while the onboarding is active.",
    )
    turn_at: datetime | None = column(description="When its turn came.")
    due_on: date | None = column()
    done_at: datetime | None = column(description="When it was done or skipped.")
    done_by: str | None = column(description="The person who said so; null where the data did.")
    evidence: str | None = column(description="What in the data says so.")
    note: str | None = column(personal=True)
    times: int = column(description="How often it was done.")


@strawberry.type(description="One attempt at getting a customer going.")
class Onboarding(Node):
    attempt: int = column(description="Of the customer, from 1.")
    programme: str = column()
    state: OnboardingState = column()
    pace: OnboardingPace | None = column(description="Null where it has ended.")
    step: str | None = column(description="Name of the first step, not an optional one, whose turn it is.")
    step_since: datetime | None = column(description="Since when it is.")
    progress: float = column(description="Share of the customer's own steps that are done, 0 to 1.")
    cause: str = column(description="subscription: it began with one; hand: somebody began it.")
    started_by: str | None = column()
    started_at: datetime = column()
    value_at: datetime | None = column(
        description="When the step that stands for value was done, or the data proved it."
    )
    ended_at: datetime | None = column()
    ended_by: str | None = column()
    ended_why: str | None = column(personal=True)
    customer: CustomerRef | None = one("customer", key="id", parent="customer_id", unique=True)
    steps: list[OnboardingStep] = many(
        "onboarding_step", key="onboarding_id", order=Order("position"), most=100, description="In order."
    )


@strawberry.type
class OnboardingQueries:
    @root(description="Onboardings, those begun last first.")
    async def onboardings(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        state: list[OnboardingState] | None = None,
        pace: list[OnboardingPace] | None = None,
        customer_id: strawberry.ID | None = None,
    ) -> Connection[Onboarding]:
        where = [
            Where(name, "in", plain(given)) for name, given in (("state", state), ("pace", pace)) if given is not None
        ]
        if customer_id is not None:
            where.append(Where("customer_id", "eq", key_of(customer_id, "customer", field="customerId")))
        order = Order("started_at", descending=True)
        page: Connection[Onboarding] = await load_page(
            info, "onboarding", order=order, first=first, after=after, where=where
        )
        return page
