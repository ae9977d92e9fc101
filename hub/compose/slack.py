"""Slack as a place to work, wired to a hub: its channels of the ledger, its inbox and desk, and a watch of every minute.

The watch finds requests whose job was never asked for, messages that show what is not so any more (whoever changed it), and,
every HOME_EVERY, App Homes that have changed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub.attention import snoozing, voting
from hub.delivery import Channel, Rendered
from hub.delivery.render_slack import SlackTemplates
from hub.delivery.slack import SlackChannel, SlackHomes, SlackUpdates
from hub.durable import Argument
from hub.playbooks.jobs import SEND
from hub.resources import TEMPLATES
from hub.settings import Settings
from hub.slack.cards import Cards
from hub.slack.desk import Desk
from hub.slack.firing import Firings
from hub.slack.home import Homes
from hub.slack.inbox import Inbox
from hub.slack.people import People
from hub.slack.presses import Opinions, Presses
from hub.slack.sending import Notes, Posts, Updates
from hub.slack.showing import Shower
from hub.slack.updating import reserve_updates
from hub.store import Store
from hub.web import slack as web
from hub.web.receiving import Routes

if TYPE_CHECKING:
    from hub.compose.hub import Hub

WATCH, UPDATE = "slack.watch", "slack.update"
HOME_EVERY = timedelta(minutes=5)


def connected(
    ways: Mapping[str, Channel], settings: Settings, store: Store, *, clock: Callable[[], datetime]
) -> dict[str, Channel]:
    """The channels, Slack's with threads and state, and those that update messages and publish Homes."""
    way = ways.get("slack")
    given = settings.hub.slack
    if given is None or not isinstance(way, SlackChannel):
        return dict(ways)
    shower, notes = shower_of(settings), Notes(store, clock=clock)
    return {
        **ways,
        "slack": Posts(way, store, shower, threads=given.threads, clock=clock, notes=notes),
        "slack_update": Updates(SlackUpdates(way.web), store, shower, clock=clock, notes=notes),
        "slack_home": SlackHomes(way.web),
    }


def shower_of(settings: Settings) -> Shower:
    playbooks = settings.playbooks.playbooks
    titles = {name: each.title for name, each in sorted(playbooks.items())}
    return Shower(team=settings.team, hub_url=settings.hub.url, playbooks=lambda: titles)


class SlackPlace:
    """What people ask for in Slack, and what is kept up to date there."""

    def __init__(self, hub: "Hub", way: SlackChannel, *, opinions: Opinions | None) -> None:
        settings = hub.settings
        shower, self._hub = shower_of(settings), hub
        people = People(settings.team, way.web, books=settings.hub.access.csm == "book")
        cards = Cards(hub.store, templates(settings), shower)
        self.homes = Homes(hub.store, templates(settings), shower, cards, people)
        self.desk = Desk(
            hub.store,
            hub.durable,
            people=people,
            presses=Presses(hub.store, hub.playbooks, opinions=opinions),
            firings=Firings(hub.store, hub.playbooks),
            cards=cards,
            homes=self.homes,
            base_url=way.web.base_url,
            clock=hub.clock,
        )
        self.inbox = Inbox(hub.store, hub.durable, self.desk.do, clock=hub.clock)
        self._homes_at: datetime | None = None

    @classmethod
    def of(cls, hub: "Hub", ways: Mapping[str, Channel]) -> "SlackPlace | None":
        """None where Slack is not among the hub's own channels."""
        way = ways.get("slack")
        return cls(hub, way, opinions=AttentionOpinions(hub.store)) if isinstance(way, SlackChannel) else None

    def register(self, *, cron: str) -> None:
        """Tell the durable engine what is done and when. Before it starts."""
        self.inbox.register()

        async def on_watch(_: Argument) -> None:
            await self.watch()

        async def on_update(_: Argument) -> None:
            await self.update()

        self._hub.durable.register(WATCH, on_watch)
        self._hub.durable.register(UPDATE, on_update)
        self._hub.durable.every(WATCH, cron, WATCH, {})

    async def update(self) -> int:
        """Bring messages up to date with what they show; how many were not."""
        reserved = await reserve_updates(self._hub.store, now=self._hub.clock())
        if reserved:
            await self._hub.durable.enqueue(SEND, {})
        return len(reserved)

    async def watch(self) -> None:
        now = self._hub.clock()
        await self.inbox.watch()
        await self.update()
        if self._homes_at is None or now - self._homes_at >= HOME_EVERY:
            self._homes_at = now
            if await self.homes.refresh(now=now):
                await self._hub.durable.enqueue(SEND, {})


def templates(settings: Settings) -> Callable[[str, Mapping[str, Any]], Rendered]:
    """Of the company's own folder, and those that ship with the hub for what it doesn't have."""
    own, ours = SlackTemplates(settings.folder / "templates" / "slack"), SlackTemplates(TEMPLATES / "slack")
    return lambda name, context: (own if name in own.names else ours).render(name, context)


def slack_routes(hub: "Hub") -> Routes:
    """Where Slack sends requests; nothing without a signing secret."""
    given = hub.settings.hub.slack
    if hub.slack is None or given is None or given.signing_secret is None:
        return []
    return web.routes(hub.slack.inbox, signing_secret=given.signing_secret.get_secret_value(), clock=hub.clock)


class AttentionOpinions:
    """Votes and snoozes as the attention budget keeps them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def vote(self, run_id: str, *, by: str, now: datetime) -> None:
        await voting.vote(self._store, voter=by, useful=False, way="slack", run_id=run_id, now=now)

    async def snooze(self, customer_id: str, *, reason: str, until: datetime, by: str, now: datetime) -> None:
        await snoozing.snooze(self._store, customer_id, reason=reason, until=until, by=by, now=now)
