"""Post-mortems as the use case made them, and the field of a customer that asks for its own."""

from datetime import date
from typing import Any

import strawberry

from hub.store.query import Row
from schema.context import Context
from schema.enums import Band, ChurnBand
from schema.errors import BadInputError
from schema.fields import DEFAULT_FIRST, asked, computed
from schema.nodes import global_id

MOST = 500


def _of(name: str, description: str | None = None, *, personal: bool = False) -> Any:
    return computed(lambda found: getattr(found, name), description=description, personal=personal)


@strawberry.type(description="A scorecard before a customer left.")
class PostmortemCard:
    as_of: date = _of("as_of")
    health: float | None = _of("health", "In force, an override included; 0 to 1.")
    band: Band | None = _of("band")
    computed_health: float | None = _of("computed_health", "What the definition made of the facts.")
    computed_band: Band | None = _of("computed_band")
    coverage: float = _of("coverage")
    churn_probability: float | None = _of("churn_risk")
    churn_band: ChurnBand | None = _of("churn_band")


@strawberry.type(description="So many days before, and the newest scorecard not later.")
class PostmortemMilestone:
    days_before: int = _of("days_before")
    scorecard: PostmortemCard | None = _of("card")


@strawberry.type(description="Something that was to be seen, from the first day of the year before on which it was.")
class PostmortemSignal:
    kind: str = _of("kind")
    on: date = _of("on")
    lead_days: int = _of("lead_days", "Before the customer left.")
    text: str = _of("words")


@strawberry.type(description="Something that was done after the first signal.")
class PostmortemAction:
    kind: str = _of("kind")
    on: date = _of("on")
    by: str | None = _of("by")
    what: str | None = _of("what", personal=True)
    by_person: bool = _of("is_a_persons")
    text: str = _of("words", personal=True)


@strawberry.type(description="What was known of a customer before it left. It does not say why it did.")
class Postmortem:
    customer_id: strawberry.ID = computed(lambda found: global_id("customer", found.customer_id))
    customer_name: str = _of("customer_name")
    segment: str | None = _of("segment")
    csm_email: str | None = _of("csm_email")
    churned_on: date = _of("churned_on", "The first day without a paid term.")
    kind: str = _of("kind", "voluntary or involuntary: a payment failed.")
    noticed_on: date | None = _of("noticed_on", "When notice was given.")
    last_used_on: date | None = _of("last_used_on")
    scorecards: list[PostmortemMilestone] = _of("milestones", "90, 60 and 30 days before.")
    last_scorecard: PostmortemCard | None = _of("last")
    first_signal: PostmortemSignal | None = _of("first_signal")
    signals: list[PostmortemSignal] = _of("signals", "Of the year before, the earliest first.")
    acted: bool = _of("acted", "Whether anything was done after the first signal.")
    acted_by_person: bool = _of("acted_by_person")
    actions: list[PostmortemAction] = _of("actions", "After the first signal, the earliest first.")
    green_at_churn: bool | None = _of("green", "Whether the last scorecard was healthy; null where it had no score.")
    summary: str = _of("summary", "One sentence.")


@strawberry.type(description="Many post-mortems in numbers. Shares are 0 to 1, null of nobody.")
class PostmortemSummary:
    group: str | None = _of("group", "A segment or a CSM; null: everybody.")
    churned: int = _of("churned")
    share_green: float | None = _of("share_green", "Healthy on the last scorecard, among those with a score on it.")
    share_with_signal: float | None = _of("share_with_signal")
    median_lead_days: float | None = _of("median_lead_days", "From the first signal to the day they left.")
    share_acted: float | None = _of("share_acted", "Something was done, among those with a signal.")
    acted_by_person: int = _of("acted_by_person")


@strawberry.type(
    description="What a sign is worth: how often it was there within a year before customers left, before they gave notice, "
    "beside how often within such a year of customers who stayed."
)
class PostmortemSign:
    kind: str = _of("kind", "any: any of them.")
    text: str = _of("words")
    left: int = _of("left", "Leavings.")
    left_with: int = _of("left_with", "Those that it came before.")
    share_left: float | None = _of("share_left")
    stayed: int = _of("stayed", "Customers who stayed, a sample where they are many.")
    stayed_with: int = _of("stayed_with")
    share_stayed: float | None = _of("share_stayed")
    ratio: float | None = _of("ratio", "How many times as frequent it was where customers left.")
    ratio_low: float | None = _of("low", "Of its 95 % interval.")
    ratio_high: float | None = _of("high", "Of its 95 % interval.")
    tells: bool = _of("tells", "Whether 1 is outside the interval.")


def _found(root: strawberry.Parent[Any], first: int = DEFAULT_FIRST) -> list[Postmortem]:
    if not 1 <= first <= MOST:
        raise BadInputError(f"first must be 1 to {MOST}, not {first}")
    found: Any = list(root.found[:first])
    return found  # type: ignore[no-any-return]  # post-mortems, read by their attributes


@strawberry.type(description="Everybody who left, in single and in all.")
class Postmortems:
    everybody: PostmortemSummary = _of("everybody")
    by_segment: list[PostmortemSummary] = _of("by_segment", "As they are today.")
    by_csm: list[PostmortemSummary] = _of("by_csm", "As they are today.")
    signs: list[PostmortemSign] = computed(
        lambda found: list(found.signs), description="What each is worth: any of them, then each kind."
    )

    customers: list[Postmortem] = strawberry.field(
        resolver=_found, description=f"The first of them, 1 to {MOST}, the latest to leave first."
    )


async def _of_customer(row: Row, context: Context) -> Any:
    found = await context.actions.post_mortems(since=None, customer_ids=[row["id"]], now=context.now)
    return found.found[0] if found.found else None


def postmortem_field() -> Any:
    """`postmortem` of a customer."""
    return asked(
        _of_customer,
        "id",
        description="Of the last time it left; null of who has not. Of one customer at a time.",
    )
