"""NPS answers: events of the polls that NPS guides hold.

A guide's NPS has two polls, the score and the reason; each is asked for by guide and poll, and the reason goes with the
score that the same visitor gave last before it, or with it. The events carry no e-mail address: the visitors of a page are
asked for by one more query.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors.kit.base import Page, Window
from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.pendo.mapping import at
from connectors.pendo.pipeline import Ask, Row, series, text

SCORE, REASON = "NPSRating", "NPSReason"
TOGETHER = 3_600_000  # milliseconds after a score, within which a reason belongs to it
VISITORS_AT_ONCE = 100
ALL = timedelta(days=3650)
"""Answers are few: without a bookmark all there may be are asked for, so that what is missing is known to be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    page_size: int
    email: str
    lookback: timedelta

    async def pull(self, client: Client, window: Window) -> AsyncIterator[Page]:
        """Answers since the bookmark, less the lookback. `{"since": ms}`: all up to then have been seen."""
        until = window.started_at
        known = (window.bookmark or {}).get("since")
        start = until - ALL if known is None else until - self.lookback
        if known is not None:
            start = min(start, until.fromtimestamp(int(known) / 1000, until.tzinfo) - self.lookback)
        start = start.replace(minute=0, second=0, microsecond=0)
        for guide, score, reason in await self._polls(client):
            reasons: dict[str, list[Row]] = {}
            if reason is not None:
                async for rows in self._ask(guide, reason, start, until).pages(client, self.page_size):
                    _are_of(rows, reason)
                    for row in rows:
                        reasons.setdefault(row["visitorId"], []).append(row)
            async for rows in self._ask(guide, score, start, until).pages(client, self.page_size):
                _are_of(rows, score)
                emails = await self._emails(client, sorted({row["visitorId"] for row in rows}))
                yield Page(
                    rows=[
                        {
                            **row,
                            "pollId": score,
                            "reason": _reason(row, reasons),
                            "email": emails.get(row["visitorId"]),
                        }
                        for row in rows
                    ]
                )
        yield Page(rows=(), bookmark={"since": round(until.timestamp() * 1000)})

    async def _polls(self, client: Client) -> list[tuple[str, str, str | None]]:
        """(guide, poll of the score, poll of the reason) of every NPS guide."""
        guides = await client.get_json("/api/v1/guide")
        if not isinstance(guides, list):
            raise ContractError("GET /api/v1/guide answered no list")
        found = []
        for guide in guides:
            polls = {at(poll, "attributes.type"): str(poll["id"]) for poll in guide.get("polls") or ()}
            if SCORE in polls:
                found.append((str(guide["id"]), polls[SCORE], polls.get(REASON)))
        return found

    def _ask(self, guide: str, poll: str, start: Any, until: Any) -> Ask:
        return Ask(
            what=f"answers to {guide}",
            source=series("pollEvents", start, until, of={"guideId": guide, "pollId": poll}),
            key=("browserTime", "visitorId"),
            select={name: name for name in ("visitorId", "accountId", "browserTime", "pollId", "pollResponse")},
        )

    async def _emails(self, client: Client, visitors: list[str]) -> dict[str, str]:
        """{visitor: address}. Who is not in an answer is asked for once more: it may be another query's."""
        found: dict[str, str] = {}
        for begin in range(0, len(visitors), VISITORS_AT_ONCE):
            some = visitors[begin : begin + VISITORS_AT_ONCE]
            seen = await self._visitors(client, some, found)
            if missing := [each for each in some if each not in seen]:
                await self._visitors(client, missing, found)
        return found

    async def _visitors(self, client: Client, some: list[str], found: dict[str, str]) -> set[str]:
        """Put the addresses of some into `found`; who was in the answer."""
        ask = Ask(
            what="visitors who answered",
            source={"visitors": None},
            key=("visitorId",),
            where=[" || ".join(f"visitorId == {text(each)}" for each in some)],
            select={"visitorId": "visitorId", "email": f"metadata.{self.email}"},
        )
        seen: set[str] = set()
        async for rows in ask.pages(client, len(some) + 1):
            for row in rows:
                if row["visitorId"] not in some:
                    raise ContractError(f"{ask.what}: a row that was not asked for; it is another query's")
                seen.add(row["visitorId"])
                if row.get("email"):
                    found[row["visitorId"]] = str(row["email"]).lower()
        return seen


def _are_of(rows: list[Row], poll: str) -> None:
    """ContractError where an answer is another query's: all go to one address."""
    if any(row.get("pollId") != poll for row in rows):
        raise ContractError(f"answers to poll {poll}: a row of another one; it is another query's")


def _reason(row: Row, reasons: dict[str, list[Row]]) -> Any:
    score_at = row["browserTime"]
    later = [each for each in reasons.get(row["visitorId"], ()) if 0 <= each["browserTime"] - score_at <= TOGETHER]
    return min(later, key=lambda each: each["browserTime"])["pollResponse"] if later else None
