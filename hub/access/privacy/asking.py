"""Whom a request is about, and that it is looked up once, in the same way for a dry run, an erasure and an export."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.errors import NotFoundError
from hub.store import Connection, Store
from hub.store.customers import get_customer
from hub.store.privacy.keyed import make_keyed, normal
from hub.store.privacy.subject import CUSTOMER, PERSON, Subject, find_customer, find_person


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A person by all their names (an e-mail address, SOURCE:KEY of a contact or user), or a customer by its id."""

    person: tuple[str, ...] = ()
    customer: str | None = None

    @property
    def kind(self) -> str:
        return PERSON if self.customer is None else CUSTOMER


async def find_subject(connection: Connection, about: About) -> Subject:
    """NotFoundError for an unknown customer; RefusedError for what is no name of a person."""
    if about.customer is None:
        return await find_person(connection, about.person)
    try:
        found = await get_customer(connection, about.customer)
    except NotFoundError:  # what was asked for may be somebody's name, and refusals are kept in the audit log
        raise NotFoundError("there is no such customer: its id, domain or whole name is needed") from None
    return await find_customer(connection, found.id)


async def hidden(store: Store, about: About, *, now: datetime) -> str:
    """The subject for the audit log: a keyed hash, by which the same one is known again and nobody is named."""
    async with store.transaction() as connection:
        keyed = await make_keyed(connection, now=now)
    named = [about.customer] if about.customer is not None else [normal(name) for name in about.person]
    return f"{about.kind} {keyed.hash('subject', about.kind, *named)}"


def in_words(subject: Subject) -> Sequence[str]:
    """What the hub takes for the subject: for whoever has to confirm it. Personal data."""
    lines = [("e-mail", subject.emails), ("contact", subject.contacts)]
    lines.append(("user", tuple(":".join(user) for user in subject.users)))
    lines.append(("name", subject.names))
    lines.append(("at customer" if not subject.is_customer else "customer", subject.customers))
    return [f"{what}: {', '.join(values[:10])}{', …' if len(values) > 10 else ''}" for what, values in lines if values]
