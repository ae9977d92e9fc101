"""Advocacy in the store: the newest NPS answer of each contact, who was asked when, and invitations to the hub's own survey.

An answer to an invitation becomes a survey response of the source `cshub`, like those of any survey tool, so that facts, NPS
and drill-downs know no difference. The evidence of that source says of each customer that it is itself; its keys are our ids.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select, union_all, update

from hub.model.actions import DeliveryState
from hub.model.records import SurveyResponse, SurveyType
from hub.store.bulk import write_rows
from hub.store.identity import find_customers_by_key
from hub.store.records import upsert
from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import contact, customer, delivery, external_id, survey_invitation, survey_response

SOURCE = "cshub"
SCALE = "0-10"
UNSENT = (DeliveryState.SUPPRESSED.value, DeliveryState.FAILED.value)
"""What became of a message that nobody got: its contact has not been asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The newest NPS answer of a contact. key: whether the contact has one of the roles that were asked for."""

    customer_id: str
    score: float
    at: datetime
    key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """One contact asked once. score, comment, answered_at: its answer, where there is one."""

    id: str
    customer_id: str
    address: str
    name: str | None
    asked_at: datetime
    asked_by: str
    expires_at: datetime
    delivery_id: str
    contact_id: str | None = None
    answered_at: datetime | None = None
    score: int | None = None
    comment: str | None = None


async def find_answers(
    connection: Connection,
    *,
    roles: Collection[str],
    since: datetime,
    until: datetime,
    customer_ids: Sequence[str] | None = None,
) -> list[Answer]:
    """Of each contact of each customer the newest NPS answer of the scale 0-10 after `since`; without an address alone."""
    row = survey_response.c
    who = func.coalesce(func.lower(row.respondent_email), row.id)
    newest = func.row_number().over(
        partition_by=[row.customer_id, who], order_by=[row.responded_at.desc(), row.id.desc()]
    )
    found = (
        select(row.customer_id, who.label("who"), row.score, row.responded_at, newest.label("rank"))
        .where(
            row.customer_id.is_not(None) if customer_ids is None else row.customer_id.in_(customer_ids),
            row.deleted.is_(False),
            row.type == SurveyType.NPS.value,
            row.scale == SCALE,
            row.score.between(0, 10),
            row.responded_at > since,
            row.responded_at <= until,
        )
        .subquery()
    )
    keys = await _addresses(connection, roles)
    statement = select(found).where(found.c.rank == 1).order_by(found.c.customer_id, found.c.who)
    return [
        Answer(
            customer_id=each.customer_id,
            score=each.score,
            at=each.responded_at,
            key=(each.customer_id, each.who) in keys,
        )
        for each in await connection.execute(statement)
    ]


async def _addresses(connection: Connection, roles: Collection[str]) -> set[tuple[str, str]]:
    """(customer, address in small letters) of the contacts that have one of the roles."""
    statement = select(contact.c.customer_id, func.lower(contact.c.email).label("email")).where(
        contact.c.role.in_(sorted(roles)),
        contact.c.deleted.is_(False),
        contact.c.email.is_not(None),
        contact.c.customer_id.is_not(None),
    )
    return {(each.customer_id, each.email) for each in await connection.execute(statement)}


async def find_asked(
    connection: Connection,
    *,
    types: Collection[SurveyType],
    until: datetime,
    customer_ids: Sequence[str] | None = None,
) -> dict[str, datetime]:
    """{customer: when anybody there was asked last}, by us or, as an answer shows, by another survey tool."""
    asked = _asked(survey_invitation.c.customer_id, survey_response.c.customer_id, types=types, until=until)
    statement = select(asked.c.who, func.max(asked.c.at)).where(asked.c.who.is_not(None)).group_by(asked.c.who)
    if customer_ids is not None:
        statement = statement.where(asked.c.who.in_(customer_ids))
    return {row[0]: row[1] for row in await connection.execute(statement)}


async def find_asked_contacts(
    connection: Connection, *, types: Collection[SurveyType], until: datetime
) -> dict[str, datetime]:
    """{address in small letters: when it was asked last}, whichever customer it stands at, likewise."""
    ours, theirs = survey_invitation.c.address, func.lower(survey_response.c.respondent_email)
    asked = _asked(ours, theirs, types=types, until=until)
    statement = select(asked.c.who, func.max(asked.c.at)).where(asked.c.who.is_not(None)).group_by(asked.c.who)
    return {row[0]: row[1] for row in await connection.execute(statement)}


def _asked(
    ours: ColumnElement[Any], theirs: ColumnElement[Any], *, types: Collection[SurveyType], until: datetime
) -> Any:
    answer = survey_response.c
    answered = select(theirs.label("who"), answer.responded_at.label("at")).where(
        answer.deleted.is_(False), answer.type.in_([each.value for each in types]), answer.responded_at <= until
    )
    return union_all(_invited(ours.label("who"), survey_invitation.c.asked_at.label("at")), answered).subquery()


def _invited(*columns: ColumnElement[Any]) -> Select[Any]:
    """Of the invitations that went out, or will, or were answered after all."""
    return (
        select(*columns)
        .join_from(survey_invitation, delivery, delivery.c.id == survey_invitation.c.delivery_id)
        .where(or_(delivery.c.state.not_in(UNSENT), survey_invitation.c.answered_at.is_not(None)))
    )


async def count_asked(connection: Connection, *, since: datetime) -> dict[str, int]:
    """{customer: contacts of it that were invited since}."""
    invitation = survey_invitation.c
    statement = (
        _invited(invitation.customer_id, func.count())
        .where(invitation.asked_at >= since)
        .group_by(invitation.customer_id)
    )
    return {row[0]: row[1] for row in await connection.execute(statement)}


async def add_invitations(connection: Connection, invitations: Sequence[Invitation]) -> None:
    names = Invitation.__dataclass_fields__
    await write_rows(
        connection,
        survey_invitation,
        [{name: getattr(each, name) for name in names} for each in invitations],
        replace=False,
    )


async def find_invitation(connection: Connection, id_: str) -> Invitation | None:
    found = (await connection.execute(select(survey_invitation).where(survey_invitation.c.id == id_))).one_or_none()
    return None if found is None else _invitation(found)


async def take_answer(
    connection: Connection, id_: str, *, score: int, comment: str | None, now: datetime
) -> Invitation | None:
    """Write down the first answer before the invitation expires; None where there is one already, or it is too late."""
    row = survey_invitation.c
    statement = (
        update(survey_invitation)
        .where(row.id == id_, row.answered_at.is_(None), row.expires_at > now)
        .values(score=score, comment=comment, answered_at=now)
        .returning(survey_invitation)
    )
    taken = (await connection.execute(statement)).one_or_none()
    return None if taken is None else _invitation(taken)


async def take_comment(
    connection: Connection, id_: str, *, comment: str | None, answered_since: datetime
) -> Invitation | None:
    """Put a comment to an answer given since; None where there is no such answer."""
    row = survey_invitation.c
    statement = (
        update(survey_invitation)
        .where(row.id == id_, row.answered_at >= answered_since)
        .values(comment=comment)
        .returning(survey_invitation)
    )
    taken = (await connection.execute(statement)).one_or_none()
    return None if taken is None else _invitation(taken)


async def record_answer(connection: Connection, invitation: Invitation, *, now: datetime) -> None:
    """The answer as a survey response of the source `cshub`; of a later comment the same one, in a newer version."""
    assert invitation.answered_at is not None, "it is answered"
    assert invitation.score is not None, "it is answered"
    key = invitation.customer_id
    itself = {
        "id": f"{SOURCE}:{key}", "source": SOURCE, "key": key, "company_key": key, "customer_id": key,
        "version": 0, "digest": 0, "deleted": False, "learned_at": now, "synced_at": now, "state": "matched",
        "method": "own", "reason": "the hub asked this customer itself", "decided_at": now, "decided_by": SOURCE,
    }  # fmt: skip
    await connection.execute(insert_missing(connection, external_id), [itself])
    # a person may have said meanwhile that it means another
    known = await find_customers_by_key(connection, SOURCE, [key])
    response = SurveyResponse(
        key=invitation.id,
        version=int(now.timestamp() * 1000),
        company_key=key,
        type=SurveyType.NPS,
        scale=SCALE,
        score=float(invitation.score),
        comment=invitation.comment,
        respondent_email=invitation.address,
        responded_at=invitation.answered_at,
    )
    await upsert(connection, [response], source=SOURCE, now=now, customers=known)


async def find_results(
    connection: Connection, *, since: datetime, customer_ids: Iterable[str] | None = None, most: int | None = None
) -> list[Any]:
    """Invitations since, the newest first, with the customer's name and csm_email and the delivery's state."""
    row = survey_invitation.c
    statement = (
        select(
            survey_invitation,
            customer.c.name.label("customer"),
            customer.c.csm_email,
            delivery.c.state.label("delivery"),
        )
        .join_from(survey_invitation, customer, customer.c.id == row.customer_id)
        .outerjoin(delivery, delivery.c.id == row.delivery_id)
        .where(row.asked_at >= since)
        .order_by(row.asked_at.desc(), row.id)
    )
    if customer_ids is not None:
        statement = statement.where(row.customer_id.in_(list(customer_ids)))
    return list((await connection.execute(statement if most is None else statement.limit(most))).all())


async def count_results(
    connection: Connection, *, since: datetime, customer_ids: Iterable[str] | None = None
) -> tuple[int, int, int, int]:
    """(asked, promoters, passives, detractors) of the invitations since that went out."""
    row = survey_invitation.c
    kinds = (row.score >= 9, and_(row.score >= 7, row.score < 9), row.score < 7)
    counts = [func.coalesce(func.sum(case((kind, 1), else_=0)), 0) for kind in kinds]
    statement = _invited(func.count(), *counts).where(row.asked_at >= since)
    if customer_ids is not None:
        statement = statement.where(row.customer_id.in_(list(customer_ids)))
    found = (await connection.execute(statement)).one()
    return found[0], found[1], found[2], found[3]


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(**{name: row._mapping[name] for name in Invitation.__dataclass_fields__})
