"""Satisfaction answers, from whichever of Zendesk's two CSAT features an account has, with the company of each.

Only one of them can be active, but an account that has changed over has answers in both, so both are asked. One that
refuses (403, 404) is not switched on; only if both refuse is the stream denied. The two tell the same answer twice after a
change; the records agree on a key (see `mapping`), so it counts once.

An answer names its ticket and who was asked, not the company. The tickets of a page are fetched by one request for all
of them, and where some are gone, those who were asked by one more: never a request per answer.

An answer may be changed until its ticket is closed for good, and neither API can be asked for what has changed, only for
what was made since: `lookback` reaches back far enough each time. The bookmark `{"since": seconds}` is when the last
complete pull began.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors.kit.base import Id, Page, Window
from connectors.kit.errors import ConnectorError, ContractError, DeniedError
from connectors.kit.http import Client, Params
from connectors.zendesk.exports import AT_LEAST_AGO, Row, listing, rows_of, start_time
from connectors.zendesk.mapping import asked_of, survey_response, ticket_of

PERMISSION = "the role administrator, and satisfaction ratings or CSAT surveys switched on in the plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Csat:
    """The `pull` of the stream csat."""

    history: timedelta
    lookback: timedelta

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        since = start_time(window.started_at, self.history)
        if window.bookmark:
            since = int(window.bookmark["since"]) - int(self.lookback.total_seconds())
        refusals: list[str] = []
        pulled = 0
        for path, name, params in _ways(since):
            arrived = False
            try:
                async for answers in listing(client, path, name, params=params):
                    arrived = True
                    rows = await _with_companies(client, answers)
                    if window.limit is not None and pulled + len(rows) >= window.limit:
                        yield Page(rows=rows[: window.limit - pulled])
                        return
                    pulled += len(rows)
                    yield Page(rows=rows)
            except (DeniedError, ContractError) as error:
                if arrived or not _is_off(error):
                    raise
                refusals.append(str(error))
        if len(refusals) == 2:
            raise DeniedError(f"no CSAT can be read: {'; '.join(refusals)}", scope="stream", permission=PERMISSION)
        complete = start_time(window.started_at, AT_LEAST_AGO)
        yield Page(rows=(), bookmark={"since": complete})

    async def ids(self, client: Client, window: Window) -> AsyncIterator[Sequence[Id]]:
        """Keys of all answers within the history, without their tickets; of the feature or the features that are on."""
        refused = 0
        for path, name, params in _ways(start_time(window.started_at, self.history)):
            try:
                async for answers in listing(client, path, name, params=params):
                    yield [Id(record.key, record.version) for row in answers for record in survey_response(row)]
            except (DeniedError, ContractError) as error:
                if not _is_off(error):
                    raise
                refused += 1
        if refused == 2:
            raise DeniedError("no CSAT can be listed", scope="stream", permission=PERMISSION)


def _ways(since: int) -> tuple[tuple[str, str, Params], ...]:
    """Path, name and filter of the legacy feature and of its successor, which counts in milliseconds."""
    return (
        ("/api/v2/satisfaction_ratings", "satisfaction_ratings", {"score": "received", "start_time": since}),
        ("/api/v2/guide/survey_responses", "survey_responses", {"filter[created_at_start]": since * 1000}),
    )


def _is_off(error: ConnectorError) -> bool:
    """Whether `error` only says that an account does not have this feature, or this credential no right to it."""
    if isinstance(error, DeniedError):
        return error.scope == "stream"
    return isinstance(error, ContractError) and error.status == 404


async def _with_companies(client: Client, rows: list[Row]) -> list[Row]:
    """`rows`, each with its `ticket` and `requester` where they can still be had."""
    tickets: dict[str, Any] = {}
    people: dict[str, Any] = {}
    if wanted := {key for row in rows if (key := ticket_of(row)) is not None}:
        params: Params = {"ids": ",".join(sorted(wanted)), "include": "users"}
        answer = await client.get_json("/api/v2/tickets/show_many", params=params)
        tickets = _asked_for(rows_of(answer, "tickets"), wanted)
        people = {str(user["id"]): user for user in answer.get("users") or ()}
    if missing := {key for row in rows if (key := asked_of(row)) is not None and key not in people}:
        answer = await client.get_json("/api/v2/users/show_many", params={"ids": ",".join(sorted(missing))})
        people |= _asked_for(rows_of(answer, "users"), missing)
    return [
        {**row, "ticket": _part(tickets.get(ticket_of(row) or "")), "requester": _part(people.get(asked_of(row) or ""))}
        for row in rows
    ]


def _asked_for(rows: list[Row], wanted: set[str]) -> dict[str, Row]:
    """`rows` by id; ContractError where there is another than asked for. Fewer is well: some are gone."""
    found = {str(row["id"]): row for row in rows}
    if strange := found.keys() - wanted:
        raise ContractError(f"show_many: asked for other ids and got {min(strange)}")
    return found


def _part(whole: dict[str, Any] | None) -> dict[str, Any] | None:
    """What is used of a ticket or user: raw rows end up in the quarantine, and there is much in them."""
    return whole and {name: whole.get(name) for name in ("id", "organization_id", "email") if name in whole}
