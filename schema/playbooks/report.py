"""What playbooks did, and where customers are held out, what it was worth."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from schema.fields import computed
from schema.loaders import ApiInfo
from schema.permissions import root


def _of(name: str, description: str | None = None) -> Any:
    return computed(lambda found: getattr(found, name), description=description)


def _did(name: str, description: str | None = None) -> Any:
    return computed(lambda found: getattr(found.did, name), description=description)


@strawberry.type(description="Treated less held out, of one outcome, with its 95 % interval.")
class EffectDifference:
    treated: float | None = _of("treated", "Share, or mean, of treated customers.")
    held_out: float | None = _of("held_out")
    treated_customers: int = _of("n_treated")
    held_out_customers: int = _of("n_held")
    value: float | None = _of("value")
    low: float | None = _of("low")
    high: float | None = _of("high")
    verdict: str = _of("verdict", "too small to tell, no difference found, lower or higher.")
    needed: int | None = _of("needed", "Customers more to find an effect worth finding; null where unknown.")


@strawberry.type(description="Treated beside held-out customers, each counted once.")
class PlaybookExperiment:
    horizon_days: int = _of("horizon")
    treated: int = _of("treated")
    held_out: int = _of("held_out")
    again: int = _of("again", "Drawn for again in a later period: they count with their first.")
    immature: int = _of("immature", "Whose time is not over: in no comparison of leaving and revenue.")
    crossed: int = _of("crossed", "Held out, but treated by hand: they count as held out.")
    churn: EffectDifference = _of("churn", "Share that left within the horizon.")
    health: EffectDifference = _of("health", "Change of health, 0-1, after 30 days.")
    no_health: int = _of("no_health", "Customers without both scorecards.")
    arr: EffectDifference = _of("arr", "Change of a year's revenue after the horizon.")
    no_arr: int = _of("no_arr")
    early_health: EffectDifference = _of("early_health", "Change of health, 0-1, after 14 days; who left has none.")
    early_arr: EffectDifference = _of("early_arr", "Change of a year's revenue after 14 days; who left has none.")


@strawberry.type(description="What became of the customers of a playbook without held-out ones: no proof of an effect.")
class PlaybookAftermath:
    customers: int = _of("customers", "With a run, each with its first.")
    seen: int = _of("seen", "Of these, whose health is known before, and 14 days after.")
    health_before: float | None = _of("before", "Mean health of those seen, 0-1.")
    health_after: float | None = _of("after")
    better: int = _of("better", "Of those seen, with more health than before.")
    worse: int = _of("worse")
    stands: JSON = _of("stands", "{what the playbook looks at in the lifecycle: {what it says now: customers}}.")


@strawberry.type(description="What a playbook did, and what can be said about its effect.")
class PlaybookReport:
    playbook: str = _of("playbook")
    configured: bool = _of("configured")
    holdout: float | None = _of("share", "Share of customers held out as configured, 0-1.")
    runs: JSON = _did("runs", "{state: how many}.")
    first_run_at: datetime | None = _did("first")
    last_run_at: datetime | None = _did("last")
    messages: JSON = _did("messages", "{channel and state: how many}.")
    calls: JSON = _did("calls", "Alerts and tasks: {outcome: how many}.")
    approvals: JSON = _did("approvals", "{state: how many}.")
    useful: int = _did("useful", "Votes.")
    not_useful: int = _did("not_useful")
    experiment: PlaybookExperiment | None = _of("experiment", "Null where nobody was drawn for.")
    became: PlaybookAftermath | None = _of("became", "Null where there is an experiment, which says more.")
    says: str = _of("says", "What can be said about its effect, in words.")


@strawberry.type
class ReportQueries:
    @root(whole=True, description="What playbooks did and what it was worth; all that ever ran where none is named.")
    async def playbook_report(self, info: ApiInfo, name: list[str] | None = None) -> list[PlaybookReport]:
        found: Any = list(await info.context.actions.report_playbooks(tuple(name or ()), now=info.context.now))
        return found  # type: ignore[no-any-return]  # reports, read by their attributes
