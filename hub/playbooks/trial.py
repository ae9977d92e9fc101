"""Every step rendered on trial when its file is read, so that no template fails first on the day it is needed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub.delivery import Renderer
from hub.playbooks.planning import Planner, without_unless
from hub.playbooks.spec import Playbook
from hub.playbooks.vocabulary import VALUES
from hub.store.playbooks import RECORD_FIELDS, Situation


def trial(playbook: Playbook, index: int, *, renderer: Renderer, event: Mapping[str, Any] | None = None) -> None:
    """Render a step for a customer of whom all is known, and for one of whom only the name is; raise RenderError.

    event  such as sets it off by webhook
    """
    planner = Planner(renderer, hub_url="http://localhost")
    now = datetime(2026, 1, 31, tzinfo=UTC)
    full: dict[str, Any] = {
        name: 0.25
        if each.kind == "number"
        else "2026-01-31"
        if each.kind == "date"
        else (each.choices or ("text@example.com",))[0]
        for name, each in VALUES.items()
    }
    if playbook.trigger.record is not None:
        fields = RECORD_FIELDS[playbook.trigger.record].values()
        full["record"] = {each.name: 0.25 if each.kind == "number" else "text" for each in fields}
    full["onboarding"] = {"step": "Text", "last": "Text", "done": ["Text"], "left": ["Text"], "optional": ["Text"]}
    if playbook.trigger.field is not None:
        full["change"] = {"field": playbook.trigger.field, "old": "text", "new": "text"}
    if playbook.trigger.hook is not None:
        full["event"] = {"hook": playbook.trigger.hook, "id": "text", "type": "text", "data": {}} | dict(event or {})
    known = Situation(
        customer_id="trial",
        values=full,
        as_of=now.date(),
        readings=[{"measure": "trial", "value": 0.1, "weight": 1.0, "reason": "Usage fell by half."}],
        churn_reasons=[{"text": "Renewal is close.", "effect": 0.1}],
        churn_horizon_days=90,
        contacts=("contact@example.com",),
    )
    sent = {name: full[name] for name in ("event",) if name in full}
    unknown = Situation(customer_id="trial", values={"name": "Trial", "csm_email": "csm@example.com", **sent})
    free = without_unless(playbook, index, on=True)
    for situation in (known, unknown):
        planner.step(free, index, situation, before=situation.values, now=now)
