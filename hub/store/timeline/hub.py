"""What the hub found and did about a customer, as entries of its timeline: bands, alerts, messages, its life with us."""

from collections.abc import Mapping

from sqlalchemy import func

from hub.model.own_words import title_without_words
from hub.store.tables import (
    alert,
    delivery,
    expansion_opportunity,
    lifecycle_change,
    onboarding,
    onboarding_step,
    playbook_run,
    renewal,
    scorecard,
    survey_invitation,
)
from hub.store.timeline.part import Part, Words, midnight, money, plain

_STANDING: Mapping[str, str] = {
    "watch_level": "The health watch",
    "churn_level": "The churn risk",
    "advocacy": "Advocacy",
    "onboarding_pace": "The pace of its onboarding",
}
_SENT = ("sent", "confirmed", "unknown")


def _standing(words: Words, _amount: float | None) -> str:
    subject = _STANDING[words[0] or ""]
    return f"{subject} went from {(words[1] or 'unknown').replace('_', ' ')} to {(words[2] or 'unknown').replace('_', ' ')}"


def _call_without_words(words: Words) -> Words:
    title, kind, key = words[:3]
    return (title_without_words(kind or "", title or "", key or ""), *words[1:])


def _calls(kind: str) -> tuple[Part, Part]:
    of = (alert.c.kind == kind,)
    subject = ("alert", alert.c.id)
    return (
        Part(
            kind=f"{kind}_opened",
            meaning=f"a call for human action, {'an' if kind == 'alert' else 'a'} {kind}",
            table=alert,
            at=alert.c.opened_at,
            where=of,
            title=lambda words, _: f"{kind.capitalize()}: {words[0]}",
            words=(alert.c.title, alert.c.kind, alert.c.dedup_key),
            own_words=_call_without_words,
            subject=subject,
        ),
        Part(
            kind=f"{kind}_closed",
            meaning=f"{'an' if kind == 'alert' else 'a'} {kind} was closed",
            table=alert,
            at=alert.c.closed_at,
            where=of,
            title=lambda words, _: f"{kind.capitalize()} closed ({(words[3] or 'done').replace('_', ' ')}): {words[0]}",
            words=(alert.c.title, alert.c.kind, alert.c.dedup_key, alert.c.outcome),
            own_words=_call_without_words,
            subject=subject,
            actor=alert.c.changed_by,
            text=alert.c.note,
        ),
    )


PARTS: tuple[Part, ...] = (
    Part(
        kind="band_changed",
        meaning="health came into another band",
        table=scorecard,
        at=midnight(scorecard.c.as_of),
        where=(scorecard.c.previous_band != scorecard.c.band,),  # as the index on it says
        title=plain("Health went from {0} to {1}"),
        words=(scorecard.c.previous_band, scorecard.c.band),
        subject=("scorecard", scorecard.c.id),
    ),
    Part(
        kind="standing_changed",
        meaning="the health watch, the churn risk, advocacy or the pace of an onboarding changed",
        table=lifecycle_change,
        at=lifecycle_change.c.changed_at,
        where=(lifecycle_change.c.field.in_(tuple(_STANDING)),),
        title=_standing,
        words=(lifecycle_change.c.field, lifecycle_change.c.old, lifecycle_change.c.new),
    ),
    *_calls("alert"),
    *_calls("task"),
    Part(
        kind="playbook_started",
        meaning="a playbook fired",
        table=playbook_run,
        at=playbook_run.c.started_at,
        where=(playbook_run.c.state != "held_out",),
        title=plain("The playbook {0} started, by {1}"),
        words=(playbook_run.c.playbook, playbook_run.c.cause),
        subject=("playbook_run", playbook_run.c.id),
        actor=playbook_run.c.started_by,
    ),
    Part(
        kind="playbook_finished",
        meaning="a playbook's run came to its end",
        table=playbook_run,
        at=playbook_run.c.finished_at,
        where=(playbook_run.c.state != "held_out",),
        title=plain("The playbook {0} ended: {1}"),
        words=(playbook_run.c.playbook, playbook_run.c.state),
        subject=("playbook_run", playbook_run.c.id),
    ),
    Part(
        kind="message_sent",
        meaning="a message went out",
        table=delivery,
        at=delivery.c.sent_at,
        where=(delivery.c.state.in_(_SENT),),
        title=plain("A message went out by {0} ({1})"),
        words=(delivery.c.channel, delivery.c.state),
        subject=("delivery", delivery.c.id),
        text=delivery.c.subject,
    ),
    Part(
        kind="survey_asked",
        meaning="a contact was asked for an answer",
        table=survey_invitation,
        at=survey_invitation.c.asked_at,
        title=plain("A contact was asked for an answer to a survey"),
        subject=("survey_invitation", survey_invitation.c.id),
        actor=survey_invitation.c.asked_by,
        text=func.coalesce(survey_invitation.c.name, survey_invitation.c.address),
    ),
    Part(
        kind="renewal_due",
        meaning="a renewal fell due",
        table=renewal,
        at=midnight(renewal.c.due_on),
        title=lambda words, amount: f"A renewal of {money(amount, words[0])} a year fell due",
        words=(renewal.c.currency,),
        amount=renewal.c.target,
        subject=("renewal", renewal.c.id),
    ),
    Part(
        kind="renewal_decided",
        meaning="a renewal was renewed or lost",
        table=renewal,
        at=midnight(renewal.c.decided_on),
        title=lambda words, amount: f"A renewal was decided: {words[0]}, {money(amount, words[1])} a year",
        words=(renewal.c.status, renewal.c.currency),
        amount=renewal.c.final,
        subject=("renewal", renewal.c.id),
        actor=renewal.c.stated_by,
    ),
    Part(
        kind="expansion_found",
        meaning="an opportunity to expand was found",
        table=expansion_opportunity,
        at=midnight(expansion_opportunity.c.found_on),
        title=plain("An opportunity to expand was found: {0}"),
        words=(expansion_opportunity.c.title,),
        subject=("expansion_opportunity", expansion_opportunity.c.id),
    ),
    Part(
        kind="expansion_closed",
        meaning="an opportunity to expand was won, lost or withdrawn",
        table=expansion_opportunity,
        at=midnight(expansion_opportunity.c.closed_on),
        title=plain("An opportunity to expand was {0}: {1}"),
        words=(expansion_opportunity.c.state, expansion_opportunity.c.title),
        subject=("expansion_opportunity", expansion_opportunity.c.id),
        actor=expansion_opportunity.c.decided_by,
    ),
    Part(
        kind="onboarding_started",
        meaning="an onboarding began",
        table=onboarding,
        at=onboarding.c.started_at,
        title=plain("The onboarding {0} began"),
        words=(onboarding.c.programme,),
        subject=("onboarding", onboarding.c.id),
        actor=onboarding.c.started_by,
    ),
    Part(
        kind="onboarding_step",
        meaning="a step of an onboarding was done or skipped",
        table=onboarding_step,
        joined=((onboarding, onboarding.c.id == onboarding_step.c.onboarding_id),),
        customer=onboarding.c.customer_id,
        at=onboarding_step.c.done_at,
        title=plain("Step of the onboarding {1}: {0}"),
        words=(onboarding_step.c.title, onboarding_step.c.state),
        subject=("onboarding", onboarding.c.id),
        actor=onboarding_step.c.done_by,
        text=onboarding_step.c.note,
    ),
    Part(
        kind="onboarding_ended",
        meaning="an onboarding was completed, failed or was cancelled",
        table=onboarding,
        at=onboarding.c.ended_at,
        title=plain("The onboarding {0} ended: {1}"),
        words=(onboarding.c.programme, onboarding.c.state),
        subject=("onboarding", onboarding.c.id),
        actor=onboarding.c.ended_by,
        text=onboarding.c.ended_why,
    ),
)
