"""What one step means for one customer: which messages to whom, which task for whom, or why nothing.

A dry run shows exactly this and a run writes exactly this down; there is no second way to make a message. Everything is
rendered here, before anything is saved.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from hub.delivery import Channel, Rendered, Renderer, unready
from hub.delivery.mail_templates import CUSTOMER, TEAM
from hub.delivery.pagerduty import SEVERITIES, resolve, trigger
from hub.delivery.webhook import event
from hub.model.conditions import matches
from hub.model.own_words import without_addresses
from hub.model.records import Severity
from hub.model.team import Member, Team
from hub.playbooks.durations import due_on
from hub.playbooks.planned import OFF, Planned
from hub.playbooks.program import Step, raw
from hub.playbooks.recipients import CONTACTS, chosen
from hub.playbooks.spec import Playbook
from hub.playbooks.steps import Airflow, Approve, Call, Close, Email, PagerDuty, Prefect, Slack, Update, Wait, Webhook
from hub.playbooks.telling import control
from hub.playbooks.words import words
from hub.store.playbooks import Situation

MAX_VALUE = 1_000
"""Characters of a custom field."""


class Planner:
    """Plans steps of any playbook.

    hub_url   where people open the hub
    channels  what is set up, None for all
    company   how mail to customers names us; product_url: where they open the product, "": nobody said
    team      whose working days count where something is due in business days
    """

    def __init__(
        self,
        renderer: Renderer,
        *,
        hub_url: str,
        channels: Mapping[str, Channel] | None = None,
        company: str = "",
        product_url: str = "",
        team: Team | None = None,
    ) -> None:
        self.team = team or Team()
        self.renderer = renderer
        self.house = {"company": company, "product_url": product_url}
        self.hub_url = hub_url
        self.channels = channels
        self._known: tuple[Playbook, Situation, Mapping[str, Any], Mapping[str, Any]] | None = None

    def step(
        self, playbook: Playbook, index: int, situation: Situation, *, before: Mapping[str, Any], now: datetime
    ) -> list[Planned]:
        """What step `index` does now; never empty. `before` are the facts at firing. Raises RenderError."""
        step = playbook.steps[index]
        if step.off:
            return [Planned(index=index, action=step.action, skipped=OFF)]
        if self.spares(step, situation, before):
            return [Planned(index=index, action=step.action, skipped="not needed: its `unless` holds")]
        return [self._ready(step, each) for each in self._step(playbook, step, situation, before, now)]

    def _ready(self, step: Step, planned: Planned) -> Planned:
        """The same, or why an optional step does nothing here."""
        if not step.optional or planned.channel is None or self.channels is None:
            return planned
        missing = unready(self.channels, planned.channel, planned.address or "")
        if missing is None:
            return planned
        return Planned(index=planned.index, action=planned.action, skipped=f"{missing}, and the step is optional")

    def _step(
        self, playbook: Playbook, step: Step, situation: Situation, before: Mapping[str, Any], now: datetime
    ) -> list[Planned]:
        index, settings = step.index, step.settings
        if isinstance(settings, Wait) and settings.wait is not None:
            return [Planned(index=index, action="wait", wait=settings.wait)]
        if not isinstance(
            settings, Slack | Email | PagerDuty | Webhook | Airflow | Prefect | Call | Approve | Close | Update
        ):
            return [Planned(index=index, action=step.action, told=control(step))]
        context = self._words(playbook, situation, before)
        match settings:
            case Slack():
                made = self.renderer.slack(settings.template, context)
                return [_message(index, "slack", settings.channel, made)]
            case Email():
                return self._mails(index, settings, situation, context)
            case PagerDuty():
                return [self._incident(index, settings, playbook, situation, context)]
            case Update():
                written = self._written(settings, context)
                told = "; ".join(f"{name} {_became(value)}" for name, value in written.items())
                return [Planned(index=index, action=step.action, written=written, told=told)]
            case Airflow():
                run = Rendered(payload={"dag": settings.dag, "conf": self._filled(settings.conf, context)})
                return [_message(index, "airflow", settings.service, run)]
            case Prefect():
                given = self._filled(settings.parameters, context)
                run = Rendered(payload={"deployment": settings.deployment, "parameters": given})
                return [_message(index, "prefect", settings.service, run)]
            case Webhook():
                return [self._event(index, settings, context, now)]
            case Call():
                return [self._call(index, step.action, settings, situation, context, now)]
            case Close():
                return [self._close(step, settings, context)]
        return [self._question(step, settings, situation, context, now)]

    def _words(self, playbook: Playbook, situation: Situation, before: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same for all steps of one run, while nothing new is known."""
        known = self._known
        if known is None or known[0] is not playbook or known[1] is not situation or known[2] is not before:
            told = words(playbook, situation, before=before, hub_url=self.hub_url)
            self._known = known = (playbook, situation, before, told)
        return known[3]

    def spares(self, step: Step, situation: Situation, before: Mapping[str, Any]) -> bool:
        """Whether the step's `unless` holds now."""
        return step.unless is not None and matches(step.unless, situation.values, before=before)

    def whole(self, playbook: Playbook, situation: Situation, *, now: datetime) -> list[Planned]:
        """Every step of every block as it would be by what is known now.

        Nothing is asked that belongs to later: `unless`, branches and answers are shown, each in words. `after` is at the
        earliest: of what waits for a day, a condition or an answer, nobody knows how long it takes.
        """
        planned: list[Planned] = []
        reached: dict[Any, timedelta] = {("do",): timedelta(0)}
        for step in playbook.steps:
            value = raw(playbook.definition, step)
            block = step.path[:-1]
            after = reached.setdefault(block, reached[step.path[:-4] or block])
            free = without_unless(playbook, step.index)
            made = self.step(free, step.index, situation, before=situation.values, now=now + after)
            unless = value.get("unless") if isinstance(value, Mapping) else None
            name = str(block[-1]) if step.depth else None
            planned += [replace(each, after=after, unless=unless, depth=step.depth, block=name) for each in made]
            if isinstance(step.settings, Wait) and step.settings.wait is not None and not step.off:
                reached[block] += step.settings.wait
        return planned

    def _mails(self, index: int, settings: Email, situation: Situation, context: Mapping[str, Any]) -> list[Planned]:
        audience = CUSTOMER if settings.to in CONTACTS else TEAM if settings.to == "csm" else None
        made = self.renderer.email(settings.template, {**context, **self.house}, audience=audience)
        csm = situation.values.get("csm_email")
        if csm and made.payload.get("audience") == CUSTOMER:
            made = Rendered(subject=made.subject, payload={**made.payload, "reply_to": csm})
        if settings.to in CONTACTS:
            addresses = chosen(settings.to, situation.contacts, situation.contact_roles)
            nobody = "no contact of the customer has an e-mail address"
        elif settings.to == "csm":
            owner = self._owner("csm", situation)
            addresses = (owner,) if owner else ()
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
        reason = self.renderer.line(settings.reason, context) if settings.reason else "; ".join(context["reasons"])
        return Planned(
            index=index,
            action=action,
            title=without_addresses(self.renderer.line(settings.title, context)),
            reason=reason or None,
            owner_email=self._owner(settings.owner, situation),
            severity=settings.severity.value,
            due_on=None if settings.due is None else due_on(settings.due, now, self._member(settings.owner, situation)),
        )

    def _incident(
        self, index: int, settings: PagerDuty, playbook: Playbook, situation: Situation, context: Mapping[str, Any]
    ) -> Planned:
        """One incident for a playbook and customer, whichever run speaks of it."""
        incident = f"cshub.{playbook.name}.{situation.customer_id}"
        if settings.resolve:
            made = Rendered(payload=resolve(incident))
        else:
            summary = self.renderer.line(settings.summary or "", context)
            details = {name: context[name] for name in ("health", "band", "reasons")} | {
                "churn": context["churn"]["risk"]
            }
            severity = SEVERITIES[settings.severity.value]
            source = context["customer"]["name"] or situation.customer_id
            made = Rendered(
                subject=summary,
                payload=trigger(
                    summary,
                    source=source,
                    severity=severity,
                    incident=incident,
                    details=details,
                    link=context["link"],
                ),
            )
        return _message(index, "pagerduty", settings.service, made)

    def _event(self, index: int, settings: Webhook, context: Mapping[str, Any], now: datetime) -> Planned:
        usual = {"customer": context["customer"], "playbook": context["playbook"]["name"], "link": context["link"]}
        data = usual | {name: self._filled(value, context) for name, value in settings.data.items()}
        return _message(index, "webhook", settings.endpoint, Rendered(payload=event(settings.event, data, at=now)))

    def _written(self, settings: Update, context: Mapping[str, Any]) -> dict[str, str | None]:
        """Custom fields as texts; one whose template says nothing is taken away."""
        filled = self._filled(settings.fields, context)
        texts = {name: None if value is None else str(value)[:MAX_VALUE] for name, value in filled.items()}
        return {name: text or None for name, text in texts.items()}

    def _filled(self, value: Any, context: Mapping[str, Any]) -> Any:
        """`value` with every text in it rendered."""
        if isinstance(value, Mapping):
            return {name: self._filled(inner, context) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner, context) for inner in value]
        return self.renderer.line(value, context) if isinstance(value, str) else value

    def _close(self, step: Step, settings: Close, context: Mapping[str, Any]) -> Planned:
        note = None if settings.note is None else self.renderer.line(settings.note, context)
        told = control(replace(step, settings=settings.model_copy(update={"note": note})))
        return Planned(index=step.index, action="close", told=told, reason=note)

    def _question(
        self, step: Step, settings: Approve, situation: Situation, context: Mapping[str, Any], now: datetime
    ) -> Planned:
        question = self.renderer.line(settings.ask, context)
        return Planned(
            index=step.index,
            action="approve",
            told=control(replace(step, settings=settings.model_copy(update={"ask": question}))),
            title=question,
            owner_email=self._owner(settings.of, situation),
            severity=Severity.HIGH.value,
            due_on=due_on(settings.within, now, self._member(settings.of, situation)),
        )

    def _member(self, owner: str, situation: Situation) -> Member:
        return self.team.member(self._owner(owner, situation) or "")

    def _owner(self, owner: str, situation: Situation) -> str | None:
        """An address; of a customer without a CSM that of who stands in."""
        return (situation.values.get("csm_email") or self.team.unassigned) if owner == "csm" else owner


def dedup_key(playbook: str, version: int, customer_id: str, episode: str, index: int, address: str) -> str:
    """One message or call: the same parts, the same key, for ever. Fit for a Message-ID."""
    parts = "\x1f".join((playbook, str(version), customer_id, episode, str(index), address))
    return f"{playbook}.{version}.{index}.{blake2b(parts.encode(), digest_size=16).hexdigest()}"


def without_unless(playbook: Playbook, index: int, *, on: bool = False) -> Playbook:
    """The same with a step that does what it does; `on`: even where it is switched off."""
    steps = list(playbook.steps)
    steps[index] = replace(steps[index], unless=None, off=steps[index].off and not on)
    return replace(playbook, steps=tuple(steps))


def _message(index: int, channel: str, address: str, made: Rendered) -> Planned:
    return Planned(
        index=index, action=channel, channel=channel, address=address, subject=made.subject, payload=made.payload
    )


def _became(value: str | None) -> str:
    return "is taken away" if value is None else f"becomes {value}"
