"""What one step means for one customer: which messages to whom, which task for whom, or why nothing.

A dry run shows exactly this and a run writes exactly this down; there is no second way to make a message. Everything is
rendered here, before anything is saved.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any

from hub.delivery import Rendered, Renderer
from hub.model.conditions import Condition, matches
from hub.playbooks.durations import show_duration
from hub.playbooks.spec import Call, Email, Playbook, Slack, Wait
from hub.playbooks.vocabulary import VOCABULARY
from hub.playbooks.words import words
from hub.store.playbooks import Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One thing a step does, or why it does nothing.

    after      how long after firing its turn comes, by the waits before it
    channel, address, subject, payload   a message: the payload is exactly what is sent
    title, reason, owner_email, severity, due_on   an alert or a task
    wait       a wait
    skipped    why nothing happens
    unless     as the playbook says it, in a dry run: it is asked only when the step's turn comes
    """

    index: int
    action: str
    after: timedelta = timedelta(0)
    channel: str | None = None
    address: str | None = None
    subject: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)
    title: str | None = None
    reason: str | None = None
    owner_email: str | None = None
    severity: str | None = None
    due_on: date | None = None
    wait: timedelta | None = None
    skipped: str | None = None
    unless: Mapping[str, Any] | None = None

    def show(self) -> str:
        """In words, for the list of steps a run took."""
        if self.skipped is not None:
            return self.skipped
        if self.wait is not None:
            return show_duration(self.wait)
        if self.channel is not None:
            return f"to {self.address}"
        return f"{self.title} ({self.owner_email or 'nobody owns it'})"


class Planner:
    """Plans steps of any playbook. `hub_url` is where people open the hub."""

    def __init__(self, renderer: Renderer, *, hub_url: str) -> None:
        self.renderer = renderer
        self.hub_url = hub_url

    def step(
        self, playbook: Playbook, index: int, situation: Situation, *, before: Mapping[str, Any], now: datetime
    ) -> list[Planned]:
        """What step `index` does now; never empty. `before` are the facts at firing. Raises RenderError."""
        step = playbook.steps[index]
        if step.unless is not None and _holds(step.unless, situation, before):
            return [Planned(index=index, action=step.action, skipped="not needed: its `unless` holds")]
        settings = step.settings
        if isinstance(settings, Wait):
            return [Planned(index=index, action="wait", wait=settings.wait)]
        context = words(playbook, situation, before=before, hub_url=self.hub_url)
        if isinstance(settings, Slack):
            made = self.renderer.slack(settings.template, context)
            return [_message(index, "slack", settings.channel, made)]
        if isinstance(settings, Email):
            return self._mails(index, settings, situation, context)
        return [self._call(index, step.action, settings, situation, context, now)]

    def whole(self, playbook: Playbook, situation: Situation, *, now: datetime) -> list[Planned]:
        """Every step as it would be by what is known now; `unless` is not asked, it belongs to later."""
        planned: list[Planned] = []
        after = timedelta(0)
        for index, step in enumerate(playbook.steps):
            raw = playbook.definition["do"][index][step.action]
            unless = raw.get("unless") if isinstance(raw, Mapping) else None
            free = _without_unless(playbook, index)
            made = self.step(free, index, situation, before=situation.values, now=now + after)
            planned += [replace(each, after=after, unless=unless) for each in made]
            if isinstance(step.settings, Wait):
                after += step.settings.wait
        return planned

    def _mails(self, index: int, settings: Email, situation: Situation, context: Mapping[str, Any]) -> list[Planned]:
        made = self.renderer.email(settings.template, context)
        if settings.to == "contacts":
            made = Rendered(subject=made.subject, payload={**made.payload, "audience": "customer"})
            addresses = tuple(situation.contacts)
            nobody = "no contact of the customer has an e-mail address"
        elif settings.to == "csm":
            csm = situation.values.get("csm_email")
            addresses = (csm,) if csm else ()
            nobody = "the customer has no CSM"
        else:
            addresses, nobody = (settings.to,), ""
        if not addresses:
            return [Planned(index=index, action="email", skipped=nobody)]
        return [_message(index, "email", address, made) for address in addresses]

    def _call(
        self,
        index: int,
        action: str,
        settings: Call,
        situation: Situation,
        context: Mapping[str, Any],
        now: datetime,
    ) -> Planned:
        owner = situation.values.get("csm_email") if settings.owner == "csm" else settings.owner
        reason = self.renderer.line(settings.reason, context) if settings.reason else "; ".join(context["reasons"])
        due = settings.due
        return Planned(
            index=index,
            action=action,
            title=self.renderer.line(settings.title, context),
            reason=reason or None,
            owner_email=owner,
            severity=settings.severity.value,
            due_on=None if due is None else (now + timedelta(days=math.ceil(due / timedelta(days=1)))).date(),
        )


def dedup_key(playbook: str, version: int, customer_id: str, episode: str, index: int, address: str) -> str:
    """One message or call: the same parts, the same key, for ever. Fit for a Message-ID."""
    parts = "\x1f".join((playbook, str(version), customer_id, episode, str(index), address))
    return f"{playbook}.{version}.{index}.{blake2b(parts.encode(), digest_size=16).hexdigest()}"


def trial(playbook: Playbook, index: int, *, renderer: Renderer) -> None:
    """Render a step for a customer of whom all is known, and for one of whom only the name is; raise RenderError."""
    planner = Planner(renderer, hub_url="http://localhost")
    now = datetime(2026, 1, 31, tzinfo=UTC)
    full: dict[str, Any] = {
        name: 0.25 if each.kind == "number" else (each.choices or ("text@example.com",))[0]
        for name, each in VOCABULARY.items()
    }
    known = Situation(
        customer_id="trial",
        values=full,
        as_of=now.date(),
        readings=[{"measure": "trial", "value": 0.1, "weight": 1.0, "reason": "Usage fell by half."}],
        churn_reasons=[{"text": "Renewal is close.", "effect": 0.1}],
        churn_horizon_days=90,
        contacts=("contact@example.com",),
    )
    unknown = Situation(customer_id="trial", values={"name": "Trial", "csm_email": "csm@example.com"})
    free = _without_unless(playbook, index)
    for situation in (known, unknown):
        planner.step(free, index, situation, before=situation.values, now=now)


def _holds(unless: Condition, situation: Situation, before: Mapping[str, Any]) -> bool:
    return matches(unless, situation.values, before=before)


def _without_unless(playbook: Playbook, index: int) -> Playbook:
    steps = list(playbook.steps)
    steps[index] = replace(steps[index], unless=None)
    return replace(playbook, steps=tuple(steps))


def _message(index: int, channel: str, address: str, made: Rendered) -> Planned:
    return Planned(
        index=index, action=channel, channel=channel, address=address, subject=made.subject, payload=made.payload
    )
