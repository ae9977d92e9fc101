"""What a run's messages and calls are about: for which customer and reason, how severe, how much is at stake, for whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.attention.ranking import stake
from hub.attention.rules import SEVERITIES, weight
from hub.model.records import Severity
from hub.model.team import Team

CSM, TEAM, CUSTOMER, SYSTEM = "csm", "team", "customer", "system"
ABOUT_HEALTH = frozenset({"health", "churn"})
"""The reasons that are urgent where the health watch says critical. Good news of a critical customer is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """Of one run. reason: its playbook's; rank: see hub.attention.ranking; csm_email: of the customer's CSM."""

    run_id: str
    playbook: str
    customer_id: str
    reason: str
    severity: str
    rank: float = 0.0
    csm_email: str | None = None


def concern_of(
    *, run_id: str, playbook: str, customer_id: str, reason: str, severity: str, values: Mapping[str, Any]
) -> Concern:
    """`severity`: as its playbook says; `values`: what is known of the customer (hub.store.playbooks.Situation)."""
    critical = reason in ABOUT_HEALTH and values.get("watch_level") == "critical"
    mrr = _number(values.get("mrr"))
    return Concern(
        run_id=run_id,
        playbook=playbook,
        customer_id=customer_id,
        reason=reason,
        severity=Severity.URGENT.value if critical else severity,
        rank=stake(_number(values.get("churn_risk")), None if mrr is None else mrr * 12),
        csm_email=values.get("csm_email"),
    )


def highest(*severities: str | None) -> str:
    return SEVERITIES[max(weight(each) for each in severities)]


def audience_of(row: Mapping[str, Any], concern: Concern, team: Team) -> tuple[str, str | None]:
    """(audience, the CSM's address) of a message: of a colleague's own inbox, a channel, a customer's, or a system's."""
    channel, address = row["channel"], str(row["address"])
    if channel == "email":
        if row["payload"].get("audience") == CUSTOMER:
            return CUSTOMER, None
        known = {*team.members, (concern.csm_email or "").lower(), (team.unassigned or "").lower()}
        return (CSM, address.lower()) if address.lower() in known else (TEAM, None)
    if channel == "slack":
        member = team.by_slack(address)
        return (TEAM, None) if member is None else (CSM, member.email.lower())
    return SYSTEM, None


def opens_incident(row: Mapping[str, Any]) -> bool:
    """Whether a message calls people by a pager. What resolves an incident is never kept back."""
    return bool(row["channel"] == "pagerduty" and row["payload"].get("event_action") == "trigger")


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
