"""The attention budget as people work with it: inbox, what is held, snoozes, votes and precision; and its digests.

Digests are a job of every minute: it makes those whose slot has come. What people ask for by GraphQL is audited by the API;
what the command line does is audited here.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub.access.links import Links
from hub.attention import Attention, snoozing, voting
from hub.attention import inbox as inboxes
from hub.attention.budget import Rate
from hub.attention.digest import Digest, Digests
from hub.attention.inbox import Entry
from hub.attention.voting import Precision, Voted
from hub.compose.auditing import audited
from hub.durable import Argument, Durable
from hub.errors import RefusedError
from hub.playbooks.jobs import SEND
from hub.store import digests as held_rows
from hub.store.inbox import Withheld, find_withheld
from hub.store.snoozes import ANY, Snooze
from hub.web import rating
from hub.web.receiving import Routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.compose.hub import Hub
    from hub.delivery import Renderer
    from hub.store import Store

DIGEST = "attention.digest"
PRECISION_DAYS = 90


class Attending:
    """See the module. `playbooks`: the names there are, each of which has a precision, of none perhaps. `reasons`: what they
    speak about, which alone may be snoozed by name; None: anything may."""

    def __init__(
        self,
        store: "Store",
        attention: Attention,
        renderer: "Renderer",
        *,
        channels: Collection[str],
        playbooks: Collection[str],
        reasons: Collection[str] | None = None,
        hub_url: str,
        clock: "Callable[[], datetime]",
    ) -> None:
        self.attention = attention
        self._store = store
        self._playbooks = playbooks
        self._reasons = reasons
        self._clock = clock
        self._digests = Digests(attention, renderer, channels=channels, hub_url=hub_url)

    def register(self, durable: Durable, *, cron: str) -> None:
        """Tell the durable engine when to look. Before it starts."""

        async def on_digest(_: Argument) -> None:
            if await self.make_digests():
                await durable.enqueue(SEND, {})

        durable.register(DIGEST, on_digest)
        durable.every(DIGEST, cron, DIGEST, {})

    async def make_digests(self) -> Sequence[Digest]:
        """Reserve those that are due; those that are new."""
        return await self._digests.make(self._store, now=self._clock())

    async def digest(self, owner: str, *, book: str | None = None) -> Digest | None:
        """What a CSM's digest would be now; None: nothing is held for it."""
        return next(iter(await self.digests(owner, book=book)), None)

    async def digests(self, owner: str | None = None, *, book: str | None = None) -> Sequence[Digest]:
        """What every CSM's digest would be now, or one's."""
        async with self._store.reading() as connection:
            waiting = await held_rows.find_waiting(connection, book=book, owner=owner)
        return self._digests.all_of(waiting, now=self._clock())

    async def inbox(self, owner: str | None, *, limit: int, book: str | None = None) -> Sequence[Entry]:
        return await inboxes.inbox(self._store, owner=owner, book=book, limit=limit, now=self._clock())

    async def withheld(
        self, owner: str | None = None, *, since: datetime | None = None, limit: int, book: str | None = None
    ) -> Sequence[Withheld]:
        """What was held or left unsaid, newest first."""
        async with self._store.reading() as connection:
            return await find_withheld(connection, owner=owner, book=book, since=since, limit=limit)

    async def snooze(
        self, customer_id: str, *, reason: str, until: datetime, by: str, note: str | None = None
    ) -> Snooze:
        """RefusedError, which names the reasons, for one that no playbook speaks about: it would keep nothing quiet."""
        if self._reasons is not None and reason not in (*self._reasons, ANY):
            there = ", ".join(sorted(self._reasons)) or "nothing"
            raise RefusedError(f"no playbook speaks about {reason[:60]!r}; they speak about {there}, and {ANY} is any")
        return await snoozing.snooze(
            self._store, customer_id, reason=reason, until=until, by=by, note=note, now=self._clock()
        )

    async def snooze_like(self, alert_id: str, *, until: datetime, by: str, note: str | None = None) -> Snooze:
        """Snooze what an alert is about."""
        return await snoozing.snooze_like(self._store, alert_id, until=until, by=by, note=note, now=self._clock())

    async def unsnooze(self, id_: str, *, by: str) -> Snooze:
        return await snoozing.unsnooze(self._store, id_, by=by, now=self._clock())

    async def snoozes(self, *, customer_ids: Sequence[str] | None = None, book: str | None = None) -> Sequence[Snooze]:
        """Those in force."""
        return await snoozing.find_in_force(self._store, book=book, customer_ids=customer_ids, now=self._clock())

    async def vote(
        self,
        *,
        voter: str,
        useful: bool,
        way: str,
        run_id: str | None = None,
        alert_id: str | None = None,
        delivery_id: str | None = None,
        note: str | None = None,
    ) -> Voted:
        """One of the three says of what."""
        return await voting.vote(
            self._store,
            voter=voter,
            useful=useful,
            way=way,
            run_id=run_id,
            alert_id=alert_id,
            delivery_id=delivery_id,
            note=note,
            now=self._clock(),
        )

    async def precision(self, *, days: int = PRECISION_DAYS) -> Sequence[Precision]:
        """Of every playbook, by what was said and closed within so many days."""
        return await voting.find_precision(
            self._store,
            fewest=self.attention.rules.fewest_votes,
            playbooks=sorted(self._playbooks),
            since=self._clock() - timedelta(days=days),
        )

    async def audited(self, action: str, *, by: str, subject: str, request: Mapping[str, Any], run: Any) -> Any:
        """Carry out what the command line asks for, and note it before and after."""
        return await audited(self._store, action, by=by, subject=subject, request=request, now=self._clock(), run=run)


def rate_by(links: Links, hub_url: str) -> Rate:
    """Where a person says whether what a run told them was of use."""
    return lambda run_id, voter: hub_url.rstrip("/") + rating.path_of(links, run_id, voter)


def rating_routes(hub: "Hub") -> Routes:
    """The page that such a link opens."""

    async def vote(run_id: str, voter: str, useful: bool, note: str | None) -> str:
        voted = await hub.attending.vote(voter=voter, useful=useful, way="mail", run_id=run_id, note=note)
        return voted.playbook

    return rating.routes(hub.links, vote, company=hub.settings.hub.company, clock=hub.clock)
