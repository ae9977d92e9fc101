"""What the sources tell of a customer, as entries of its timeline: tickets, answers, contacts, terms, payments, deals."""

from typing import Any

from sqlalchemy import ColumnElement, select

from hub.store.tables import contact, invoice, opportunity, subscription, survey_response, ticket
from hub.store.timeline.part import Part, midnight, money, plain

_other = subscription.alias("other")


def _beside(day: ColumnElement[Any], own: ColumnElement[Any]) -> ColumnElement[bool]:
    """That another term of the customer has `own`, the day of ours, as its `day`."""
    return (
        select(_other.c.id)
        .where(
            _other.c.customer_id == subscription.c.customer_id,
            _other.c.id != subscription.c.id,
            day == own,
            _other.c.deleted.is_(False),
        )
        .correlate(subscription)
        .exists()
    )


_FOLLOWS = _beside(_other.c.ended_on, subscription.c.started_on)
_IS_FOLLOWED = _beside(_other.c.started_on, subscription.c.ended_on)


def _term(
    kind: str, meaning: str, at: ColumnElement[Any], begin: str, where: tuple[ColumnElement[bool], ...] = ()
) -> Part:
    return Part(
        kind=kind,
        meaning=meaning,
        table=subscription,
        at=at,
        where=where,
        title=lambda words, amount: f"{begin} {words[0]}, {money(amount, words[1])} a month",
        words=(subscription.c.plan, subscription.c.currency),
        amount=subscription.c.mrr,
        subject=("subscription", subscription.c.id),
    )


PARTS: tuple[Part, ...] = (
    Part(
        kind="contact_added",
        meaning="a person became known",
        table=contact,
        at=contact.c.created_at,
        title=plain("A contact was added by {0}"),
        words=(contact.c.source,),
        subject=("contact", contact.c.id),
        text=contact.c.name,
    ),
    Part(
        kind="ticket_opened",
        meaning="a ticket was created",
        table=ticket,
        at=ticket.c.created_at,
        title=plain("A ticket of severity {0} was opened"),
        words=(ticket.c.severity,),
        subject=("ticket", ticket.c.id),
        text=ticket.c.subject,
    ),
    Part(
        kind="ticket_solved",
        meaning="a ticket was solved",
        table=ticket,
        at=ticket.c.solved_at,
        title=plain("A ticket of severity {0} was solved"),
        words=(ticket.c.severity,),
        subject=("ticket", ticket.c.id),
        text=ticket.c.subject,
    ),
    Part(
        kind="survey_answered",
        meaning="somebody answered a survey",
        table=survey_response,
        at=survey_response.c.responded_at,
        title=lambda words, amount: f"{(words[0] or '').upper()} was answered with {amount:g} on {words[1]}",
        words=(survey_response.c.type, survey_response.c.scale),
        amount=survey_response.c.score,
        subject=("survey_response", survey_response.c.id),
        text=survey_response.c.comment,
    ),
    _term(
        "subscription_started",
        "a first term began, or one beside others",
        midnight(subscription.c.started_on),
        "A subscription began:",
        (~_FOLLOWS,),
    ),
    _term(
        "subscription_changed",
        "a term took the place of one that ended on its first day",
        midnight(subscription.c.started_on),
        "A subscription went on as",
        (_FOLLOWS,),
    ),
    _term(
        "subscription_ended",
        "a term ended and none followed",
        midnight(subscription.c.ended_on),
        "A subscription ended:",
        (~_IS_FOLLOWED,),
    ),
    _term(
        "notice_given",
        "a subscription was cancelled, to end at once or later",
        subscription.c.cancelled_at,
        "Notice was given of",
    ),
    Part(
        kind="payment_failed",
        meaning="an invoice could not be collected",
        table=invoice,
        at=invoice.c.failed_at,
        title=lambda words, amount: f"A payment of {money(amount, words[0])} failed",
        words=(invoice.c.currency,),
        amount=invoice.c.amount,
        subject=("invoice", invoice.c.id),
    ),
    Part(
        kind="invoice_paid",
        meaning="an invoice was paid",
        table=invoice,
        at=invoice.c.paid_at,
        title=lambda words, amount: f"An invoice of {money(amount, words[0])} was paid",
        words=(invoice.c.currency,),
        amount=invoice.c.amount,
        subject=("invoice", invoice.c.id),
    ),
    Part(
        kind="deal_opened",
        meaning="a deal was created in the CRM",
        table=opportunity,
        at=opportunity.c.created_at,
        title=lambda words, amount: f"A deal was opened ({words[0]}): {words[1]}, {money(amount, words[2])} a year",
        words=(opportunity.c.type, opportunity.c.name, opportunity.c.currency),
        amount=opportunity.c.amount,
        subject=("opportunity", opportunity.c.id),
        actor=opportunity.c.owner_email,
    ),
    Part(
        kind="deal_closed",
        meaning="a deal was won or lost",
        table=opportunity,
        at=midnight(opportunity.c.close_on),
        where=(opportunity.c.stage.in_(("won", "lost")),),
        title=lambda words, amount: f"A deal was {words[0]}: {words[1]}, {money(amount, words[2])} a year",
        words=(opportunity.c.stage, opportunity.c.name, opportunity.c.currency),
        amount=opportunity.c.amount,
        subject=("opportunity", opportunity.c.id),
        actor=opportunity.c.owner_email,
    ),
)
