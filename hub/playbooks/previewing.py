"""A mail template as people would get it: with values made up for it, or those of a customer."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from hub.delivery import Rendered, Renderer
from hub.playbooks.recipients import CONTACTS
from hub.playbooks.spec import Playbook
from hub.playbooks.steps import Email
from hub.playbooks.vocabulary import VALUES
from hub.playbooks.words import words
from hub.store.playbooks import RECORD_FIELDS, Situation

SAMPLE: Mapping[str, Any] = {
    "name": "Example Company",
    "domain": "example.com",
    "segment": "mid market",
    "plan": "professional",
    "csm_name": "Eve Example",
    "csm_email": "eve@example.com",
    "mrr": 1200.0,
    "health": 0.42,
    "health_change_30d": -0.15,
    "band": "warning",
    "previous_band": "stable",
    "coverage": 0.9,
    "churn_risk": 0.3,
    "churn_annualised": 0.76,
    "churn_band": "high",
}


def preview(
    renderer: Renderer,
    template: str,
    playbooks: Iterable[Playbook],
    *,
    situation: Situation | None,
    company: str,
    product_url: str = "",
    hub_url: str,
    now: datetime,
) -> Rendered:
    """Mail template `template`, of a customer's `situation`, or of made-up values; raise RenderError.

    It speaks of the first playbook that sends it; where none does, of any.
    """
    every = sorted(playbooks, key=lambda each: each.name)
    using = [each for each in every if _sends(each, template)]
    playbook = (using or every)[0]
    known = situation or sample(playbook, now=now)
    before = known.values if situation is None else {**known.values, **_set_off(playbook)}
    context = words(playbook, known, before=before, hub_url=hub_url)
    to_contacts = any(
        isinstance(step.settings, Email) and step.settings.template == template and step.settings.to in CONTACTS
        for step in playbook.steps
    )
    audience = "customer" if to_contacts else None
    made = renderer.email(template, {**context, "company": company, "product_url": product_url}, audience=audience)
    csm = known.values.get("csm_email")
    if csm and made.payload.get("audience") == "customer":
        return replace(made, payload={**made.payload, "reply_to": csm})
    return made


def sample(playbook: Playbook, *, now: datetime) -> Situation:
    """A customer of whom all is known."""
    values: dict[str, Any] = {
        name: 12.0
        if each.kind == "number"
        else f"{now:%Y-%m-%d}"
        if each.kind == "date"
        else (each.choices or ("example",))[0]
        for name, each in VALUES.items()
    }
    values |= SAMPLE
    return Situation(
        customer_id="example",
        values=values | _set_off(playbook),
        as_of=now.date(),
        readings=[{"measure": "usage", "value": 0.2, "weight": 1.0, "reason": "Use fell by half in a month."}],
        churn_reasons=[{"text": "The renewal is 40 days away.", "effect": 0.1}],
        churn_horizon_days=90,
    )


def _set_off(playbook: Playbook) -> dict[str, Any]:
    """What set it off, where that is a record or a change."""
    made: dict[str, Any] = {}
    if playbook.trigger.record is not None:
        fields = RECORD_FIELDS[playbook.trigger.record].values()
        made["record"] = {each.name: 7.0 if each.kind == "number" else "example" for each in fields}
    if playbook.trigger.field is not None:
        made["change"] = {"field": playbook.trigger.field, "old": "before", "new": "after"}
    return made


def _sends(playbook: Playbook, template: str) -> bool:
    return any(isinstance(step.settings, Email) and step.settings.template == template for step in playbook.steps)
