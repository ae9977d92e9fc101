"""What a playbook would have done on the stored past, before it acts."""

from datetime import date
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from hub.errors import ConfigError
from hub.playbooks.rehearsal import markdown
from schema.context import PlanRequest
from schema.enums import Role
from schema.errors import BadInputError
from schema.fields import computed
from schema.loaders import ApiInfo
from schema.nodes import global_id
from schema.permissions import root

LONGEST = 100_000


def _of(name: str, description: str | None = None) -> Any:
    return computed(lambda found: getattr(found, name), description=description)


@strawberry.type(description="Firings for the customers of one CSM.")
class PlanCsmLoad:
    csm: str | None = _of("csm", "Null: of customers without one.")
    firings: int = _of("firings")
    a_week: float = _of("a_week")
    worst_week: int = _of("worst_week", "The most in seven days.")


@strawberry.type(
    description="What became of those it fired for, beside everybody. Whose time is not over is counted apart."
)
class PlanOutcome:
    horizon_days: int = _of("horizon")
    first_day: date | None = _of("first", "Firings of these days are judged: their horizon and grace are over.")
    last_day: date | None = _of("last")
    customers: int = _of("customers", "Fired for on one of these days while at stake.")
    left: int = _of("left", "Of these, within the horizon.")
    precision: float | None = _of("precision")
    low: float | None = _of("low", "Of its 95 % interval.")
    high: float | None = _of("high")
    base_rate: float | None = _of("base_rate", "Share of all customers at stake on those days that left.")
    lift: float | None = _of("lift", "Precision over base rate.")
    not_at_stake: int = _of("not_at_stake", "Firings left out: the customer had given notice, or paid nothing.")
    immature: int = _of("immature", "Customers fired for later.")
    immature_left: int = _of("immature_left", "Of these, who left already.")
    churners: int = _of("churners", "Who left with the whole horizon before it replayed.")
    reached: int = _of("reached", "Of these, whom it had fired for within the horizon.")
    median_lead_days: float | None = _of("median_lead")


@strawberry.type(description="What one version would have done in the window.")
class PlanVersion:
    version: int = _of("version")
    hash: str = _of("hash")
    at_once: int = _of("at_once", "On the first replayed day, of who met the condition already; in no other number.")
    firings: int = _of("firings")
    customers: int = _of("customers")
    matching_now: int = _of("matching_now", "Who meets its condition by the newest scorecards.")
    csms: int = _of("csms")
    loads: list[PlanCsmLoad] = computed(lambda found: list(found.loads), description="By CSM, most first.")
    mean_a_week: float = _of("mean_a_week", "Per CSM and week.")
    worst_week: int = _of("worst_week", "The most for one CSM in a week.")
    worst_csm: str | None = _of("worst_csm")
    worst_begins: date | None = _of("worst_begins")
    most_a_week: int = _of("most_a_week", "In all.")
    messages: JSON = _of("messages", "{channel: at most so many}.")
    calls: JSON = _of("calls", "{alert, task: opened at most}.")
    asked: int = _of("asked", "Approvals asked for.")
    held_out: int = _of("held_out", "Customers its hold-out would leave untreated.")
    outcome: PlanOutcome = _of("outcome")


@strawberry.type(description="Customers fired for by one version alone, or by both.")
class PlanDifference:
    only_new: int = _of("only_new")
    only_live: int = _of("only_live")
    both: int = _of("both")
    new_names: list[str] = computed(lambda found: list(found.new_names), description="Some, most at stake first.")
    live_names: list[str] = computed(lambda found: list(found.live_names))


@strawberry.type(description="One firing, with the facts that made it.")
class PlanExample:
    customer_id: strawberry.ID = computed(lambda found: global_id("customer", found.customer_id))
    name: str = _of("name")
    day: date = _of("day")
    csm: str | None = _of("csm")
    facts: JSON = computed(lambda found: dict(found.facts))
    later: str = _of("later", "What became of the customer, in words.")


@strawberry.type(description="What a playbook would have done on the stored past. Nothing was sent or written.")
class PlaybookPlan:
    playbook: str = _of("playbook")
    days: int = _of("days")
    first_day: date = _of("first")
    last_day: date = _of("last")
    scored_days: int = _of("scored", "Days of the window that have scorecards.")
    replayed_since: date = _of("rehearsed_since")
    customers: int = _of("customers")
    new: PlanVersion = _of("new")
    live: PlanVersion | None = _of("live", "Null where there is none, or it is the same.")
    live_is: str = _of("live_is", "What it is compared with, in words.")
    difference: PlanDifference | None = _of("compared")
    examples: list[PlanExample] = computed(lambda found: list(found.examples), description="Most at stake first.")
    cautions: list[str] = computed(lambda found: list(found.cautions))
    markdown: str = computed(markdown, description="All of it, for a comment on a pull request.")


@strawberry.type
class PlanQueries:
    @root(
        Role.ADMIN,
        whole=True,
        description="Rehearse a playbook on the stored past: a definition's text, or a configured one by name. One at a time.",
    )
    async def playbook_plan(
        self,
        info: ApiInfo,
        definition: Annotated[str | None, strawberry.argument(description="Text of a playbook's file.")] = None,
        name: str | None = None,
        days: int = 90,
        horizon: Annotated[int | None, strawberry.argument(description="Days to leave within.")] = None,
    ) -> PlaybookPlan:
        if (definition is None) is (name is None):
            raise BadInputError("give either the definition of a playbook or the name of one", field="definition")
        if definition is not None and len(definition) > LONGEST:
            raise BadInputError(f"definition must have at most {LONGEST:,} characters", field="definition")
        request = PlanRequest(definition=definition, playbook=name, days=days, horizon=horizon)
        try:
            found: Any = await info.context.actions.plan_playbook(request, now=info.context.now)
        except ConfigError as error:
            raise BadInputError("; ".join(map(str, error.faults)), field="definition") from None
        return found  # type: ignore[no-any-return]  # a plan, read by its attributes
