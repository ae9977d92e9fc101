"""Asks the contacts whose turn it is: an invitation each, and in the same transaction a mail in the delivery ledger.

A playbook cannot do this: its mail says the same to all contacts of a customer, and this one has a link that is its contact's
own, for one answer. So the rows are reserved here, as playbooks reserve theirs, and all that is behind the ledger holds: the
suppression list, opt-outs, the sending window, the most mails a week, retries, bounces. What those rules refuse at once is not
written down at all, so that the contact can be asked another day. While all playbooks are stopped nobody is invited.

Two processes that invite at the same time do it one after the other, and the second sees whom the first has asked.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from hub.delivery import Rendered
from hub.errors import RefusedError
from hub.lifecycle.advocacy.choosing import Candidate, LeftOut, Person, Pick, choose, is_due, quarter_of
from hub.lifecycle.advocacy.settings import AdvocacySettings, SurveySettings
from hub.model.actions import DeliveryState
from hub.store import Connection, Store, advocacy, deliveries, stops
from hub.store.advocacy import Invitation
from hub.store.suppression import applying, find_suppressed
from hub.store.survey_candidates import begin_asking, find_addressees, find_surveyed

SCHEDULE = "schedule"
TOPIC = "surveys"
"""What an opt-out of these mails is from, as templates/email/survey_nps.md says it."""
Settle = Callable[[Connection, Sequence[dict[str, Any]]], Awaitable[None]]
"""Completes rows of the ledger by the rules of mail: hub.playbooks.mailing.Mailing.settle."""
Write = Callable[[Candidate, Invitation], Rendered]
"""The mail of an invitation; raises RenderError."""


@dataclass(frozen=True, slots=True)
class Invited:
    """Who was asked, or in a dry run would be, and who of those whose turn it is was not, and why."""

    invitations: Sequence[Invitation]
    mails: Mapping[str, Rendered]
    left_out: Sequence[LeftOut]


async def invite(
    store: Store,
    settings: AdvocacySettings,
    *,
    settle: Settle,
    write: Write,
    now: datetime,
    by: str = SCHEDULE,
    customer_ids: Sequence[str] | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> Invited:
    """Ask whose turn it is; with `customer_ids` these customers, whether it is their turn or not.

    force    these customers even in their first days, in onboarding or with an urgent ticket; a contact that rests never
    dry_run  say exactly who would be asked; write nothing
    """
    survey = settings.survey
    async with store.transaction() as connection:
        await begin_asking(connection)
        if (stopped := stops.stop_of(await stops.find_stops(connection), "survey")) is not None:
            raise RefusedError(f"everything is stopped by {stopped.stopped_by}: {stopped.reason}")
        candidates = await _candidates(connection, survey, customer_ids, now=now)
        asked = await advocacy.find_asked_contacts(connection, types=survey.types, until=now)
        unwanted = await _unwanted(connection, candidates)
        by_hand = customer_ids is not None
        picks, left = choose(candidates, asked, unwanted, survey, now=now, by_hand=by_hand, force=force)
        made = [_made(pick, survey, by=by, now=now) for pick in picks]
        mails = {each.id: write(pick.candidate, each) for pick, each in zip(picks, made, strict=True)}
        rows = [_row(each, pick.candidate, mails[each.id], now=now) for pick, each in zip(picks, made, strict=True)]
        await settle(connection, rows)
        going = {row["id"]: row for row in rows if row["state"] == DeliveryState.RESERVED.value}
        left += [LeftOut(row["customer_id"], row["error"], row["address"]) for row in rows if row["id"] not in going]
        invitations = [each for each in made if each.delivery_id in going]
        if not dry_run:
            new = set(await deliveries.reserve(connection, list(going.values())))
            left += [
                LeftOut(
                    each.customer_id, "asked today, and the mail did not go out: see the delivery ledger", each.address
                )
                for each in invitations
                if each.delivery_id not in new
            ]
            invitations = [each for each in invitations if each.delivery_id in new]
            await advocacy.add_invitations(connection, invitations)
        return Invited(invitations, mails, left)


async def _candidates(
    connection: Connection, survey: SurveySettings, customer_ids: Sequence[str] | None, *, now: datetime
) -> list[Candidate]:
    """Those whose turn it is, or who were asked for."""
    today = now.date()
    found = await find_surveyed(connection, today=today, customer_ids=customer_ids)
    due = [each for each in found if customer_ids is not None or is_due(each.id, survey, today)]
    people: defaultdict[str, list[Person]] = defaultdict(list)
    for each in await find_addressees(connection, [customer.id for customer in due]):
        people[each.customer_id].append(
            Person(contact_id=each.contact_id, address=each.address, name=each.name, role=each.role)
        )
    since = datetime.combine(quarter_of(today), datetime.min.time(), now.tzinfo)
    counts = await advocacy.count_asked(connection, since=since)
    return [
        Candidate(
            id=each.id,
            name=each.name,
            csm_name=each.csm_name,
            csm_email=each.csm_email,
            began_on=each.began_on,
            active=each.active,
            onboarding=each.onboarding,
            urgent=each.urgent,
            asked=counts.get(each.id, 0),
            people=tuple(people[each.id]),
        )
        for each in due
    ]


async def _unwanted(connection: Connection, candidates: Sequence[Candidate]) -> dict[str, str]:
    """{address: why it gets no survey}, so that others of the customer are asked in its place."""
    every = {person.address for candidate in candidates for person in candidate.people}
    lines = await find_suppressed(connection, every)
    return {
        address: line.show()
        for address, each in lines.items()
        if (line := applying(each, topic=TOPIC, to_customer=True)) is not None
    }


def _made(pick: Pick, survey: SurveySettings, *, by: str, now: datetime) -> Invitation:
    parts = "\x1f".join((pick.candidate.id, pick.person.address, now.date().isoformat()))
    digest = blake2b(parts.encode(), digest_size=16).hexdigest()
    return Invitation(
        id=f"inv_{digest}",
        customer_id=pick.candidate.id,
        contact_id=pick.person.contact_id,
        address=pick.person.address,
        name=pick.person.name,
        asked_at=now,
        asked_by=by,
        expires_at=now + timedelta(days=survey.expires_days),
        delivery_id=f"del_{digest}",
    )


def _row(invitation: Invitation, candidate: Candidate, mail: Rendered, *, now: datetime) -> dict[str, Any]:
    payload = dict(mail.payload) | ({"reply_to": candidate.csm_email} if candidate.csm_email else {})
    return {
        "id": invitation.delivery_id,
        "dedup_key": f"survey.{invitation.id.removeprefix('inv_')}",
        "customer_id": invitation.customer_id,
        "channel": "email",
        "address": invitation.address,
        "subject": mail.subject,
        "payload": payload,
        "state": DeliveryState.RESERVED.value,
        "error": None,
        "attempts": 0,
        "reserved_at": now,
    }
