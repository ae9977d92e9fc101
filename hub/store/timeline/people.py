"""What our own people said and decided of a customer, and who it is, as entries of its timeline."""

from sqlalchemy import select

from hub.store.tables import (
    approval,
    csm_assignment,
    customer,
    customer_merge,
    external_id,
    field_change,
    health_override,
    note,
    sentiment,
    snooze,
)
from hub.store.timeline.part import Part, plain

_other = customer.alias("other")
_word, _next = csm_assignment.alias("word"), csm_assignment.alias("next")
_by_our_word = (
    select(_word.c.id)
    .where(
        _word.c.customer_id == external_id.c.customer_id,
        _word.c.at <= field_change.c.at,
        (_word.c.ended_at.is_(None)) | (_word.c.ended_at > field_change.c.at),
    )
    .correlate(external_id, field_change)
    .exists()
)
_followed = (
    select(_next.c.id)
    .where(_next.c.customer_id == csm_assignment.c.customer_id, _next.c.at == csm_assignment.c.ended_at)
    .correlate(csm_assignment)
    .exists()
)


def _hundred(amount: float | None) -> str:
    return f"{(amount or 0) * 100:.0f} of 100"


PARTS: tuple[Part, ...] = (
    Part(
        kind="sentiment_stated",
        meaning="a CSM said how the customer feels",
        table=sentiment,
        at=sentiment.c.set_at,
        title=lambda _, amount: f"Sentiment was stated as {_hundred(amount)}",
        amount=sentiment.c.value,
        actor=sentiment.c.by,
        text=sentiment.c.reason,
    ),
    Part(
        kind="override_stated",
        meaning="a CSM put a score in the place of the computed health",
        table=health_override,
        at=health_override.c.set_at,
        title=lambda _, amount: f"Health was overridden with {_hundred(amount)}",
        amount=health_override.c.score,
        actor=health_override.c.by,
        text=health_override.c.reason,
    ),
    Part(
        kind="override_withdrawn",
        meaning="an override was taken back, or another one took its place",
        table=health_override,
        at=health_override.c.withdrawn_at,
        title=lambda _, amount: f"The override of health with {_hundred(amount)} was withdrawn",
        amount=health_override.c.score,
        actor=health_override.c.withdrawn_by,
    ),
    Part(
        kind="snoozed",
        meaning="somebody wants to hear nothing new for a while",
        table=snooze,
        at=snooze.c.made_at,
        title=plain("What is about {0} was snoozed"),
        words=(snooze.c.reason_key,),
        actor=snooze.c.made_by,
        text=snooze.c.note,
    ),
    Part(
        kind="approval_decided",
        meaning="a person approved or declined a step of a playbook",
        table=approval,
        at=approval.c.decided_at,
        title=plain("A step of a playbook was {0}"),
        words=(approval.c.state,),
        subject=("playbook_run", approval.c.run_id),
        actor=approval.c.decided_by,
        text=approval.c.note,
    ),
    Part(
        kind="csm_changed",
        meaning="another CSM owns the customer",
        table=field_change,
        joined=((external_id, external_id.c.id == field_change.c.record_id),),
        customer=external_id.c.customer_id,
        at=field_change.c.at,
        where=(
            field_change.c.kind == external_id.name,
            field_change.c.field == "csm_email",
            external_id.c.method == "created",  # of the source that made the customer, whose word its profile is
            ~_by_our_word,
        ),
        title=lambda words, _: f"The CSM changed from {words[0] or 'nobody'} to {words[1] or 'nobody'}",
        words=(field_change.c.before, field_change.c.after),
    ),
    Part(
        kind="csm_assigned",
        meaning="it was given to a CSM by our own word",
        table=csm_assignment,
        at=csm_assignment.c.at,
        title=lambda words, _: f"It was given to {words[0] or 'nobody'}",
        words=(csm_assignment.c.csm_email,),
        actor=csm_assignment.c.by,
        text=csm_assignment.c.reason,
    ),
    Part(
        kind="csm_given_back",
        meaning="our own word on its CSM ended, and the source's counts again",
        table=csm_assignment,
        at=csm_assignment.c.ended_at,
        where=(~_followed,),
        title=lambda words, _: f"It is no longer {words[0] or 'nobody'}'s by our own word: the source's counts",
        words=(csm_assignment.c.csm_email,),
        actor=csm_assignment.c.ended_by,
    ),
    Part(
        kind="note_written",
        meaning="one of our people wrote a note",
        table=note,
        at=note.c.at,
        where=(note.c.deleted_at.is_(None),),
        title=plain("A note was written"),
        subject=("note", note.c.id),
        actor=note.c.by,
        text=note.c.body,
    ),
    Part(
        kind="identity_decided",
        meaning="a company of a source was found to be the customer",
        table=external_id,
        at=external_id.c.decided_at,
        where=(external_id.c.customer_id.is_not(None),),
        title=lambda words, _: f"{words[1] or 'A company'} of {words[0]} is this customer, by {words[2]}",
        words=(external_id.c.source, external_id.c.name, external_id.c.method),
        subject=("external_id", external_id.c.id),
        actor=external_id.c.decided_by,
        text=external_id.c.key,  # of some sources an e-mail address
    ),
    Part(
        kind="customer_merged",
        meaning="another customer became part of it",
        table=customer_merge,
        joined=((_other, _other.c.id == customer_merge.c.merged_id),),
        customer=customer_merge.c.kept_id,
        at=customer_merge.c.at,
        title=plain("{0} was merged into it"),
        words=(_other.c.name,),
        subject=("customer_merge", customer_merge.c.id),
        actor=customer_merge.c.by,
        text=customer_merge.c.reason,
    ),
    Part(
        kind="merge_undone",
        meaning="another customer is no longer part of it",
        table=customer_merge,
        joined=((_other, _other.c.id == customer_merge.c.merged_id),),
        customer=customer_merge.c.kept_id,
        at=customer_merge.c.undone_at,
        title=plain("The merge of {0} into it was undone"),
        words=(_other.c.name,),
        subject=("customer_merge", customer_merge.c.id),
        actor=customer_merge.c.undone_by,
    ),
)
