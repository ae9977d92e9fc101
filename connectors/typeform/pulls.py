"""The responses of each form, newest first, as far back as the bookmark.

`since` (closed at that end) bounds a listing, and pages follow each other by the token of the last response, `before`: a place
in the order of submission, so what is submitted meanwhile pushes nobody off a page. Tokens go with no `sort`. A form's bookmark
moves when all its pages have been read: {"since": {form: second of the newest response}}, and never beyond the sync's start
minus half an hour, in which responses may still be missing; an hour before it is read again.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.kit.base import BadRowError, Page, Raw, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client, Params
from connectors.kit.paging import TokenPages
from connectors.kit.values import moment
from connectors.typeform.forms import Questions, counted, questions_of
from connectors.typeform.mapping import response_of
from hub.model.records import SurveyType

OVERLAP = 3_600
FETCHED_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """The `pull` and the `fetch` of the stream responses."""

    forms: Sequence[str]
    questions: Mapping[str, SurveyType]
    page_size: int
    lag: timedelta

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        newest = int((window.started_at - self.lag).timestamp())
        known: dict[str, int] = dict((window.bookmark or {}).get("since") or {})
        read = 0
        async for form, questions in counted(client, self.forms, self.questions):
            since, last = known.get(form), 0
            async for rows in self._form(client, form, since=since, limit=window.limit):
                last = max(last, *(_submitted(row) for row in rows), 0)
                yield Page(rows=_dressed(rows, form, questions))
                read += len(rows)
                if window.limit is not None and read >= window.limit:
                    return
            if last:
                known[form] = max(since or 0, min(newest, last))
            yield Page(rows=(), bookmark={"since": dict(known)})

    async def _form(
        self, client: Client, form: str, *, since: int | None, limit: int | None
    ) -> AsyncIterator[Sequence[Raw]]:
        tokens, before = TokenPages(f"Typeform form {form}"), None
        size = min(self.page_size, limit or self.page_size)
        begin = None if since is None else since - OVERLAP
        oldest = 0
        while True:
            params: Params = {
                "page_size": size,
                "since": None if begin is None else _iso(begin),
                "completed": "true",
                "before": before,
            }
            answer = await client.get_json(f"/forms/{form}/responses", params=params)
            rows = _items(answer, form)
            times = [at for row in rows if (at := _submitted(row))]
            too_new = oldest and times and times[0] > oldest
            if times != sorted(times, reverse=True) or too_new or (begin and times and times[-1] < begin):
                raise ContractError(
                    f"Typeform form {form}: responses are not in the order and span they were asked for"
                )
            oldest = times[-1] if times else oldest
            yield rows
            if not rows or (len(rows) < size and int(answer.get("page_count") or 0) <= 1):
                return
            before = tokens.next(str(rows[-1].get("token") or rows[-1].get("response_id") or ""))
            if before is None:
                raise ContractError(f"Typeform form {form}: the last response of a page has no token to go on from")

    async def fetch(self, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        """Responses by key, some of one form by one request; a form or response that is not found is gone."""
        wanted: dict[str, dict[str, list[str]]] = {}
        for key in keys:
            form, _, rest = key.partition(".")
            wanted.setdefault(form, {}).setdefault(rest.partition(".")[0], []).append(key)
        for form, by_response in wanted.items():
            questions, ids = await questions_of(client, form, self.questions), list(by_response)
            for begin in range(0, len(ids), FETCHED_AT_ONCE):
                some = ids[begin : begin + FETCHED_AT_ONCE]
                rows = await self._some(client, form, some) if questions is not None else []
                here = {response_of(row) for row in rows}
                gone = [key for one in some if one not in here for key in by_response[one]]
                yield Page(rows=_dressed(rows, form, questions or {}), gone=gone)

    async def _some(self, client: Client, form: str, ids: Sequence[str]) -> list[Raw]:
        params: Params = {"included_response_ids": ",".join(ids), "page_size": len(ids), "completed": "true"}
        rows = _items(await client.get_json(f"/forms/{form}/responses", params=params), form)
        return [row for row in rows if response_of(row) in ids]


def _items(answer: Any, form: str) -> list[Raw]:
    items = answer.get("items") if isinstance(answer, Mapping) else None
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise ContractError(f"Typeform form {form}: an answer has no list of items")
    return items


def _dressed(rows: Sequence[Raw], form: str, questions: Questions) -> list[Raw]:
    return [{**row, "form": {"id": form, "questions": questions}} for row in rows]


def _submitted(row: Raw) -> int:
    """When a response was submitted; 0 where it does not say, which is the mapping's to refuse."""
    try:
        return int(moment(row.get("submitted_at"), field="submitted_at").timestamp())
    except BadRowError:
        return 0


def _iso(second: int) -> str:
    return datetime.fromtimestamp(max(0, second), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
