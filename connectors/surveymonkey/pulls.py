"""The responses of each survey in the order of their last change.

The bookmark: {"since": {survey: second of the last change seen}, "surveys": {survey: {"stamp", "details"}}}. `since` never
passes the start minus two minutes, and a quarter of an hour before it is read again. Pages are begun anew at the last change
seen (see `TimePages`): responses change while they are read. What counts of a survey is kept, as every call counts: a sync
costs one call for the list of surveys, and one for each survey that counts.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.kit.base import BadRowError, Page, Raw, Window
from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.http import Client, Params
from connectors.kit.paging import TimePages
from connectors.kit.values import moment
from connectors.surveymonkey.surveys import V3, Details, details, listed, stamp
from hub.model.records import SurveyType

OVERLAP = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """The `pull` and the `fetch` of the stream responses."""

    surveys: Sequence[str]
    questions: Mapping[str, SurveyType]
    page_size: int
    lag: timedelta

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        newest, read = int((window.started_at - self.lag).timestamp()), 0
        mark = window.bookmark or {}
        since, kept = dict(mark.get("since") or {}), dict(mark.get("surveys") or {})
        there = await listed(client)
        if missing := [survey for survey in self.surveys if survey not in there]:
            raise DeniedError(f"there is no survey {missing[0]}; see the setting surveys", permission="surveys")
        kept = {survey: known for survey, known in kept.items() if survey in there}
        for survey in self.surveys or sorted(there):
            told = await self._details(client, survey, there[survey], kept)
            if not told["questions"]:
                continue
            async for rows in self._changed(client, survey, since.get(survey), window.limit):
                last = max((_changed_at(row) for row in rows), default=0)
                since[survey] = max(since.get(survey, 0), min(newest, last))
                yield Page(rows=_dressed(rows, survey, told), bookmark={"since": dict(since), "surveys": dict(kept)})
                read += len(rows)
                if window.limit is not None and read >= window.limit:
                    return
        yield Page(rows=(), bookmark={"since": dict(since), "surveys": dict(kept)})

    async def _details(self, client: Client, survey: str, modified: str, kept: dict[str, Any]) -> Details:
        now = stamp(modified, self.questions)
        known = kept.get(survey)
        if known is None or known["stamp"] != now:
            told = await details(client, survey, self.questions, needed=bool(self.surveys))
            kept[survey] = {"stamp": now, "details": told or {"questions": {}, "comments": []}}
        found: Details = kept[survey]["details"]
        return found

    async def _changed(
        self, client: Client, survey: str, since: int | None, limit: int | None
    ) -> AsyncIterator[Sequence[Raw]]:
        pages = TimePages(f"SurveyMonkey survey {survey}", max(0, (since or 0) - OVERLAP))
        size = min(self.page_size, limit or self.page_size)
        while not pages.ended:
            params: Params = {
                "page": pages.number,
                "per_page": size,
                "start_modified_at": _iso(pages.since - 1) if pages.since else None,
                "sort_by": "date_modified",
                "sort_order": "ASC",
                "status": "completed",
            }
            answer = await client.get_json(f"{V3}/{survey}/responses/bulk", params=params)
            rows = answer.get("data") if isinstance(answer, Mapping) else None
            if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
                raise ContractError(f"SurveyMonkey survey {survey}: an answer has no list of data")
            if int(answer.get("page") or pages.number) != pages.number:
                raise ContractError(f"SurveyMonkey survey {survey}: another page came than the one asked for")
            more = bool((answer.get("links") or {}).get("next"))
            fresh = pages.take([(str(row.get("id")), _changed_at(row)) for row in rows], more=more)
            yield [row for row, is_fresh in zip(rows, fresh, strict=True) if is_fresh]

    async def fetch(self, client: Client, keys: Sequence[str]) -> AsyncIterator[Page]:
        """Responses by key, one request each, and one for each of their surveys."""
        known: dict[str, Details | None] = {}
        for key in keys:
            survey, _, rest = key.partition(".")
            if survey not in known:
                known[survey] = await details(client, survey, self.questions, needed=False)
            told = known[survey]
            row = await _single(client, survey, rest.partition(".")[0]) if told is not None else None
            here = row is not None and told is not None
            yield Page(rows=_dressed([row], survey, told) if row and told else (), gone=() if here else [key])


async def _single(client: Client, survey: str, response: str) -> Raw | None:
    try:
        row: Raw = await client.get_json(f"{V3}/{survey}/responses/{response}/details")
    except ContractError as error:
        if error.status != 404:
            raise
        return None
    return row


def _dressed(rows: Sequence[Raw], survey: str, told: Details) -> list[Raw]:
    return [{**row, "survey": {"id": survey, **told}} for row in rows]


def _changed_at(row: Raw) -> int:
    """When a response changed last; 0 where it does not say, which is the mapping's to refuse."""
    try:
        return int(moment(row.get("date_modified"), field="date_modified").timestamp())
    except BadRowError:
        return 0


def _iso(second: int) -> str:
    return datetime.fromtimestamp(max(0, second), UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
