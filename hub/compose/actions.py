"""The use cases as the GraphQL mutations call them: `schema.context.Actions` over a Hub."""

import json
from collections.abc import Sequence
from datetime import date, datetime

from hub.compose.advocacy import SurveyActions
from hub.compose.attention_actions import AttentionActions
from hub.compose.backtesting import BacktestActions
from hub.compose.expansion import ExpansionActions
from hub.compose.hub import Hub
from hub.compose.identifying import IdentityActions
from hub.compose.jobs import SYNC
from hub.compose.judging import JudgementActions
from hub.compose.mail_actions import MailActions
from hub.compose.modelling import ModelActions
from hub.compose.onboarding import OnboardingActions
from hub.compose.people import PeopleActions
from hub.compose.planning import PlanningActions
from hub.compose.renewal import RenewalActions
from hub.compose.reports import ReportActions
from hub.compose.segmenting import SegmentActions
from hub.compose.settings_actions import SettingsActions
from hub.compose.source_actions import SourceActions
from hub.compose.steering import SteeringActions
from hub.compose.working import WorkActions
from hub.explanation import Explanation, explain, find_lift
from hub.model.actions import Band
from hub.playbooks import Firing, Planned
from hub.playbooks.alerts import UNSET, change_alert
from hub.playbooks.telling import summary
from schema.context import (
    AlertChange,
    Fired,
    FireRequest,
    PlaybookDefinition,
    Preview,
    Rescored,
    Resent,
    SourceDefinition,
    StepDefinition,
    SyncStarted,
)
from scoring.lift import Lift


class HubActions(
    AttentionActions,
    IdentityActions,
    JudgementActions,
    MailActions,
    ModelActions,
    BacktestActions,
    PeopleActions,
    PlanningActions,
    SegmentActions,
    SteeringActions,
    OnboardingActions,
    RenewalActions,
    ReportActions,
    ExpansionActions,
    SurveyActions,
    SettingsActions,
    SourceActions,
    WorkActions,
):
    """Fires, rescores, syncs, updates alerts, explains; the caller has checked who may."""

    async def fire(self, request: FireRequest, *, now: datetime) -> Sequence[Fired]:
        firings = await self._hub.playbooks.fire(
            request.playbook,
            request.customer_ids,
            by=request.by,
            key=request.key,
            dry_run=request.dry_run,
            force=request.force,
            now=now,
        )
        return [_fired(firing) for firing in firings]

    async def resend(self, delivery_ids: Sequence[str], *, by: str, dry_run: bool) -> Sequence[Resent]:
        delivering = self._hub.delivering
        found = await (delivering.plan_resend(delivery_ids) if dry_run else delivering.resend(delivery_ids, by=by))
        return [Resent(delivery_id=each.delivery.id, risk=each.risk) for each in found]

    async def rescore(self, customer_ids: Sequence[str], *, by: str, now: datetime) -> Rescored:
        await self._hub.score(customer_ids=customer_ids, fire=False)
        return Rescored(customer_ids=tuple(customer_ids), as_of=now.date())

    async def sync(self, source: str, *, by: str, now: datetime) -> SyncStarted:
        self._hub.get_source(source)
        await self._hub.durable.enqueue(SYNC, {"source": source}, key=f"sync {source}")
        return SyncStarted(source=source, run_id=None)

    async def update_alert(self, change: AlertChange, *, now: datetime) -> None:
        given = change.given
        await change_alert(
            self._hub.store,
            change.alert_id,
            state=change.state if "state" in given and change.state else UNSET,
            outcome=change.outcome if "outcome" in given else UNSET,
            snoozed_until=change.snoozed_until if "snoozed_until" in given else UNSET,
            note=change.note if "note" in given else UNSET,
            owner_email=change.owner_email if "owner_email" in given else UNSET,
            by=change.by,
            now=now,
        )
        if self._hub.slack is not None:
            await self._hub.slack.update()

    async def explain(
        self, customer_id: str, *, as_of: date | None, since: date | None, records: int, scorecard: str | None
    ) -> Explanation:
        return await explain(
            self._hub.store, customer_id, as_of=as_of, since=since, records=records, scorecard=scorecard
        )

    async def lift(self, customer_id: str, *, target: Band) -> Lift:
        return await find_lift(self._hub.store, self._hub.settings.health, customer_id, target=target)


def definitions(hub: Hub) -> list[PlaybookDefinition]:
    """The configured playbooks, in words."""
    return [
        PlaybookDefinition(
            name=playbook.name,
            version=playbook.version,
            title=playbook.title,
            description=playbook.about or None,
            rest_days=playbook.rest.total_seconds() / 86_400,
            when=playbook.definition.get("when"),
            steps=tuple(
                StepDefinition(
                    action=step.action,
                    summary=summary(step),
                    depth=step.depth,
                    block=str(step.path[-2]) if step.depth else None,
                )
                for step in playbook.steps
            ),
        )
        for playbook in hub.playbooks.definitions.values()
    ]


def source_definitions(hub: Hub) -> list[SourceDefinition]:
    """The configured sources."""
    return [
        SourceDefinition(
            name=name,
            connector=each.source.connector_name,
            schedule=each.schedule,
            timezone=hub.settings.hub.timezone,
        )
        for name, each in hub.settings.sources.items()
    ]


def _fired(firing: Firing) -> Fired:
    return Fired(
        customer_id=firing.customer_id,
        run_id=firing.run_id,
        state=firing.state,
        matches=firing.matches,
        rest_until=firing.rest_until,
        previews=tuple(_preview(planned) for planned in firing.plan),
    )


def _preview(planned: Planned) -> Preview:
    """A message with its payload as it is sent; a wait, a task or nothing at all, in words."""
    after = planned.after.total_seconds()
    if planned.channel is None:
        unless = f", unless {json.dumps(planned.unless)}" if planned.unless else ""
        where = f"[{planned.block}] " if planned.block else ""
        return Preview(action=planned.action, body=where + planned.show() + unless, after_seconds=after)
    is_mail = planned.channel == "email"
    body = planned.payload["text"] if is_mail else json.dumps(planned.payload, ensure_ascii=False, indent=2)
    return Preview(
        action=planned.action,
        channel=planned.channel,
        address=planned.address,
        subject=planned.subject,
        body=str(body),
        after_seconds=after,
    )
