"""Mail wired to a hub: its channel and its rules from the settings, the suppression list as people work with it, and bounces.

Bounces come by webhook (`mail_routes`) or from a mailbox that is read every five minutes, and go the same way from there:
hub.playbooks.bouncing. The mailbox also takes mail of the subject "unsubscribe TOKEN", which programs send that know no links.
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hub.access.links import LinkError, Links
from hub.compose.auditing import audited
from hub.delivery import mail
from hub.delivery.bounces import UNREADABLE, reports
from hub.delivery.mail import Customers, MailChannel
from hub.delivery.mailbox import ImapMailbox, MailboxError
from hub.durable import Argument, Durable
from hub.errors import RefusedError
from hub.model.mail import Bounced
from hub.playbooks.bouncing import Patience, Taken, take_bounces
from hub.playbooks.mailing import Mailing, Window
from hub.settings import Settings
from hub.settings.mail import Mail as MailSettings
from hub.store import Store
from hub.store.bounces import find_bounces
from hub.store.suppression import Reason, Suppressed, list_suppressed, suppress, unsuppress
from hub.web import bounces as bounce_hook
from hub.web import unsubscribe as page
from hub.web.receiving import Routes

if TYPE_CHECKING:
    from hub.compose.hub import Hub

log = logging.getLogger(__name__)

READ = "mail.bounces"
EVERY_FIVE_MINUTES = "*/5 * * * *"
_PLACE = re.compile(r"[^@\s<>,;]*@[^@\s<>,;]+\.[^@\s<>,;]+|[^@\s<>,;]+@[^@\s<>,;]+")
_OPT_OUT = re.compile(r"unsubscribe\s+(\S+)", re.IGNORECASE)


def mail_channel(given: MailSettings, *, hub_url: str, links: Links | None) -> MailChannel:
    """As hub.yaml's `mail:` says. `links`: None where nothing is sent."""
    name, address = parseaddr(given.sender)
    own_name, own = parseaddr(given.customers.sender or "")
    return MailChannel(
        host=given.host,
        port=given.port,
        sender=address,
        sender_name=name,
        username=given.username,
        password=given.password.get_secret_value() if given.password else None,
        use_tls=given.tls,
        start_tls=given.starttls,
        customers=Customers(
            sender=own or None,
            sender_name=own_name,
            reply_to=given.customers.reply_to,
            link=None if links is None else lambda to, topic: page.token_of(links, to, topic),
            url=hub_url.rstrip("/") + page.PATH,
            mailbox=given.customers.unsubscribe,
        ),
        return_path=given.bounces.address,
        tagged=given.bounces.tagged,
        manners=replace(mail.MANNERS, expiry=given.expiry),
    )


def mailing_of(settings: Settings) -> Mailing:
    """The rules of mail; where none is set up only the suppression list holds."""
    given = settings.hub.mail
    if given is None:
        return Mailing()
    rules, hours = given.customers, given.customers.window
    return Mailing(
        to_customers=rules.sender is not None,
        window=None if hours is None else Window(begin=hours.begin, end=hours.end, days=hours.weekdays),
        most_per_week=rules.most_per_week,
        always=frozenset(rules.always),
        zone=ZoneInfo(settings.hub.timezone),
        zones={country: ZoneInfo(zone) for country, zone in rules.zones.items()},
    )


class Mails:
    """See the module."""

    def __init__(self, store: Store, settings: Settings, links: Links, *, clock: Callable[[], datetime]) -> None:
        self._store, self._links, self._clock = store, links, clock
        given = settings.hub.mail.bounces if settings.hub.mail else None
        self._patience = Patience(most=given.soft.most, within=given.soft.within) if given else Patience()
        box = given.mailbox if given else None
        self._mailbox: ImapMailbox | None = None
        if box is not None:
            self._mailbox = ImapMailbox(
                host=box.host,
                port=box.port,
                user=box.user,
                password=box.password.get_secret_value(),
                tls=box.tls,
                folder=box.folder,
            )

    def register(self, durable: Durable) -> None:
        """Tell the durable engine when to read the mailbox, where there is one. Before it starts."""
        if self._mailbox is None:
            return

        async def on_read(_: Argument) -> None:
            try:
                await self.read_mailbox()
            except MailboxError as error:
                log.warning("%s; bounces wait there", error)

        durable.register(READ, on_read)
        durable.every(READ, EVERY_FIVE_MINUTES, READ, {})

    async def read_mailbox(self) -> Taken:
        """Take what came to the bounce mailbox; MailboxError where it cannot be read."""
        if self._mailbox is None:
            return Taken()
        found = await self._mailbox.read()
        told: list[Bounced] = []
        for number, raw in found:
            reported = reports(raw, now=self._clock())
            told += reported
            if not reported and not await self._opted_out(raw):
                log.warning("mail %s of the bounce mailbox is no report of a bounce; it stays there", number)
        taken = await self.take(told)
        await self._mailbox.seen([number for number, _ in found])
        return taken

    async def take(self, told: Sequence[Bounced]) -> Taken:
        taken = await take_bounces(self._store, told, patience=self._patience, now=self._clock())
        if taken.doubted:
            log.warning(
                "the bounce mailbox was told that mail to %s came back, by reports that name no message of ours to it: "
                "it is noted, and mail goes on",
                ", ".join(taken.doubted),
            )
        if taken.suppressed:
            log.warning("nothing more is sent to %s: mail came back", ", ".join(taken.suppressed))
        return taken

    async def unsubscribe(self, address: str, topic: str) -> None:
        """The recipient's own wish."""
        line = Suppressed(
            address=address, topic=topic, reason=Reason.UNSUBSCRIBED, since=self._clock(), by=address, note=None
        )
        async with self._store.transaction() as connection:
            await suppress(connection, [line])

    async def suppress(self, address: str, *, by: str, topic: str = "", note: str | None = None) -> bool:
        """By hand: an address or @domain; whether that is new. RefusedError for what is neither."""
        place = _place(address)
        line = Suppressed(address=place, topic=topic, reason=Reason.MANUAL, since=self._clock(), by=by, note=note)
        async with self._store.transaction() as connection:
            return bool(await suppress(connection, [line]))

    async def unsuppress(self, address: str, *, topic: str | None = None) -> Sequence[Suppressed]:
        """Take it off the list; what was there."""
        async with self._store.transaction() as connection:
            return await unsuppress(connection, _place(address), topic=topic)

    async def suppressed(self, *, reason: Reason | None, limit: int) -> Sequence[Suppressed]:
        async with self._store.reading() as connection:
            return await list_suppressed(connection, reason=reason, limit=limit)

    async def bounces(self, *, address: str | None, limit: int) -> Sequence[Bounced]:
        async with self._store.reading() as connection:
            return await find_bounces(connection, address=address, limit=limit)

    async def audited(self, action: str, *, by: str, subject: str, request: Mapping[str, Any], run: Any) -> Any:
        """Carry out what the command line asks for, and note it before and after."""
        return await audited(self._store, action, by=by, subject=subject, request=request, now=self._clock(), run=run)

    async def _opted_out(self, raw: bytes) -> bool:
        try:
            subject = str(message_from_bytes(raw, policy=default).get("Subject", ""))
        except UNREADABLE:
            return False
        wanted = _OPT_OUT.search(" ".join(subject.split()))
        if wanted is None:
            return False
        try:
            address, topic = page.read_token(self._links, wanted[1], now=self._clock())
        except LinkError:
            return False
        await self.unsubscribe(address, topic)
        return True


def mail_routes(hub: "Hub") -> Routes:
    """The page to unsubscribe on, and where bounces are told."""
    given = hub.settings.hub.mail
    if given is None:
        return []
    made = page.routes(hub.links, hub.mails.unsubscribe, company=hub.settings.hub.company, clock=hub.clock)
    if (hook := given.bounces.webhook) is not None:

        async def take(told: Sequence[Bounced]) -> None:
            await hub.mails.take(told)

        made += bounce_hook.routes(
            take,
            secret=hook.secret.get_secret_value() if hook.secret else None,
            password=hook.password.get_secret_value() if hook.password else None,
            clock=hub.clock,
        )
    return made


def _place(address: str) -> str:
    place = address.strip().lower()
    if not _PLACE.fullmatch(place) or len(place) > 320:
        raise RefusedError(f"{address!r} is neither an e-mail address nor a domain such as @example.com")
    return place
