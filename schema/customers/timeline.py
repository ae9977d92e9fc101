"""The timeline of a customer: everything that happened to it, newest first, a sentence each."""

from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Any, cast

import strawberry

from hub.access.sealing import closed
from hub.model.actions import Scope
from hub.store.query import Order, Row, Where
from hub.store.timeline import PARTS
from hub.store.timeline.part import Words
from hub.store.timeline.statement import WORDS
from schema.context import Context
from schema.fields import Argument, column, computed, computed_now, page
from schema.narrowing import checked_moment
from schema.nodes import TYPES, global_id

# a class to mypy, its members only known when the parts are read
TimelineKind: Any = strawberry.enum(
    cast("type[Enum]", Enum("TimelineKind", {kind.upper(): kind for kind in PARTS}, module=__name__)),
    description="What happened. "
    + "; ".join(f"{part.kind.upper()}: {part.meaning}" for part in PARTS.values())
    + ". More may come.",
)


def _title(row: Row, context: Context) -> str:
    part = PARTS[row["kind"]]
    words: Words = [row[word] for word in WORDS]
    if part.own_words is not None and Scope.PERSONAL not in context.viewer.scopes:
        words = part.own_words(words)
    return part.title(words, row["amount"])


def _subject(row: Row) -> str | None:
    subject = PARTS[row["kind"]].subject
    if subject is None or subject[0] not in TYPES or row["subject"] is None:
        return None
    return global_id(subject[0], row["subject"])


def _moment(given: datetime, _context: Context) -> Any:
    return checked_moment(given)


def _until_tonight(day: date) -> tuple[Where, ...]:
    """What is only planned has not happened: terms and renewals of days to come."""
    return (Where("at", "le", datetime.combine(day, time.max, UTC)),)


@strawberry.type(description="Something that happened to a customer.")
class TimelineEntry:
    id: strawberry.ID = computed(
        lambda row: closed("timeline", row["id"].encode()),  # of what a source tells it is made of the source's key
        "id",
        description="Of the entry; it tells one entry from another and finds nothing.",
    )
    at: datetime = column(description="What is known by the day alone is at its beginning, in UTC.")
    kind: TimelineKind = computed(lambda row: TimelineKind(row["kind"]), "kind")
    title: str = computed_now(
        _title,
        "kind",
        *WORDS,
        "amount",
        description="A sentence. What a person wrote in it is shown with the scope personal alone.",
    )
    subject_id: strawberry.ID | None = computed(
        _subject, "kind", "subject", description="Id of what it is about; `node(id:)` finds it."
    )
    actor: str | None = column(description="Which of our people did it, where one did.")
    text: str | None = column(
        description="What people wrote, or what they are called: a ticket's subject, an answer's comment, a contact's name, "
        "the reason of a statement.",
        personal=True,
    )


def timeline_field() -> Any:
    """A page of a customer's timeline."""
    return page(
        "timeline",
        key="customer_id",
        order=Order("at", descending=True),
        on_day=_until_tonight,
        arguments=(
            Argument(
                name="kinds", type=list[TimelineKind] | None, column="kind", operator="in", description="Only these."
            ),
            Argument(
                name="from_",
                type=datetime | None,
                column="at",
                operator="ge",
                value=_moment,
                description="Not earlier.",
            ),
            Argument(
                name="to", type=datetime | None, column="at", operator="le", value=_moment, description="Not later."
            ),
        ),
        description="Everything that happened to it, newest first.",
    )
