"""From a request to a stream: the same checks as for a query, then what it wants, then its place in the log.

opened = await open_stream(broadcast, context, query, variables, operation_name)
async for parcel in opened.parcels: …         an Answer instead, where it was refused
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from inspect import isawaitable
from typing import Any

from graphql import GraphQLError

from hub.events import Broadcast, EndedError, Ending, Parcel
from schema.answering import Answer, admit_subscription, note_reads, refuse
from schema.context import Context
from schema.errors import BadInputError
from schema.subscriptions.cursors import event_cursor, event_number
from schema.subscriptions.fields import Opening
from schema.subscriptions.watching import Task, Watching, same

_WORDS: Mapping[Ending, tuple[str, str]] = {
    Ending.SLOW: (
        "TOO_SLOW",
        "events came faster than they were taken: subscribe again, after the last cursor you had",
    ),
    Ending.LOST: ("TRY_AGAIN", "events could not be read: subscribe again, after the last cursor you had"),
    Ending.CLOSING: ("TRY_AGAIN", "the server is stopping: subscribe again, after the last cursor you had"),
    Ending.TOO_OLD: (
        "CURSOR_TOO_OLD",
        "what happened right after this cursor is no longer kept: read what you show anew, and subscribe after its eventCursor",
    ),
    Ending.UNKNOWN: ("BAD_INPUT", "after is a cursor beyond the end of the log: it is of another store, or of none"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A subscription that begins. cursor: the place it goes on from; cost: as `extensions` of an answer tell it."""

    parcels: AsyncGenerator[Parcel] = field(repr=False)
    cursor: str
    extensions: Mapping[str, Any]


async def open_stream(
    broadcast: Broadcast,
    context: Context,
    query: str | None,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
    *,
    clock: Callable[[], datetime],
    document_id: str | None = None,
    after: str | None = None,
) -> Opened | Answer:
    """Open a subscription. `after`: goes on behind that cursor, instead of what its field's argument says."""
    given = dict(variables or {})
    admitted = admit_subscription(context, query, given, operation_name, document_id=document_id)
    if isinstance(admitted, Answer):
        return admitted
    assert admitted.prepared.document is not None, "an admitted operation has a document"
    if (noted := note_reads(context, admitted, given)) is not None:
        await noted
    task = Task(
        schema=admitted.prepared.schema,
        document=admitted.prepared.document,
        operation=admitted.operation,
        variables=given,
    )
    opening = Opening()
    result = task.run(opening, context)
    made = await result if isawaitable(result) else result
    if (wish := opening.wish) is None:
        return refuse(context, *made.errors or [GraphQLError("the subscription selects nothing")])
    try:
        place = await broadcast.begin(wish.after if after is None else event_number(after))
    except EndedError as error:
        return refuse(context, ended(error))
    except BadInputError as error:
        return refuse(context, GraphQLError(str(error), original_error=error))
    viewer = context.viewer
    audience = Watching(task, wish, book=viewer.book, context=lambda: replace(context, now=clock()))
    key = same(admitted.text, admitted.operation, given, viewer)
    return Opened(
        parcels=broadcast.follow(key, audience, place),
        cursor=event_cursor(place),
        extensions={"cost": admitted.spent.shown()},
    )


def ended(error: EndedError) -> GraphQLError:
    """Why there is no more, as a client is told."""
    code, message = _WORDS[error.ending]
    return GraphQLError(message, extensions={"code": code})
