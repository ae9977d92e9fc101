"""Whom an erasure or an export is about: found from an address, a contact's id, a user's key, or a customer.

    jo@example.com        an e-mail address, in any case
    crm:4711              the key of a source: a contact of it, or a user of the product
    usage:u-17

A person is known by several names, and the store cannot know that "usage:u-17" is jo@example.com unless one of them says so:
whoever asks names all of them. From an address the contacts follow, of all sources; from a contact its address.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from hub.errors import NotFoundError, RefusedError
from hub.store.among import among
from hub.store.privacy.keyed import Keyed, is_erased, normal
from hub.store.privacy.phones import find_phones
from hub.store.store import Connection
from hub.store.tables import (
    contact,
    customer,
    external_id,
    survey_invitation,
    survey_response,
    ticket,
    tombstone,
    tracked_user,
    user_activity_day,
)

PERSON, CUSTOMER = "person", "customer"
SHORTEST_NAME = 5
"""Of a name that is looked for in texts: shorter ones, and single words, would hit other people's."""
_ADDRESSES = (
    (contact, contact.c.email),
    (ticket, ticket.c.requester_email),
    (survey_response, survey_response.c.respondent_email),
    (survey_invitation, survey_invitation.c.address),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """See the module.

    named       as it was asked for, first of all names
    emails      in small letters; of a customer those of everybody there
    contacts    ids of contact records; of a customer those of everybody there
    users       (source, key) of users of the product; of a customer those that tracking programs tell of
    names       of the person, or the company, to be looked for in texts
    people      names of everybody at a customer; phones: digits of the numbers of the person, or of everybody there
    domains     of a company
    companies   (source, key) of the companies that are the customer
    customers   ids of the customers the person is at, or of the customer
    pseudonyms  {address or user's key in small letters: what stands in its place}
    """

    kind: str
    named: str
    emails: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    users: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    companies: tuple[tuple[str, str], ...] = ()
    customers: tuple[str, ...] = ()
    pseudonyms: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_customer(self) -> bool:
        return self.kind == CUSTOMER

    @property
    def label(self) -> str:
        """What stands for the subject in texts."""
        return self.pseudonyms.get(self.named.lower(), "erased")

    def written(self) -> dict[str, Any]:
        """As JSON, to be read again with `read`."""
        return asdict(self)

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Self:
        pairs = {name: tuple((one, other) for one, other in written[name]) for name in ("users", "companies")}
        lists = ("emails", "contacts", "names", "people", "phones", "domains", "customers")
        return cls(**{**written, **{name: tuple(written.get(name, ())) for name in lists}, **pairs})


async def find_person(connection: Connection, named: Sequence[str]) -> Subject:
    """The person by these names; one that is in no table of records is found all the same, by the names alone.

    Raises RefusedError for what is neither an address nor SOURCE:KEY, or for no name at all.
    """
    given = [name.strip() for name in named if name.strip()]
    if not given:
        raise RefusedError("whom? name an e-mail address, or SOURCE:KEY of a contact or user")
    emails = {normal(name) for name in given if "@" in name and not _is_key(name)}
    keys = {name for name in given if normal(name) not in emails}
    for name in keys:
        source, colon, key = name.partition(":")
        if not (source and colon and key):
            raise RefusedError(f"{name!r} is neither an e-mail address nor SOURCE:KEY, such as crm:4711")
    found: list[Any] = []
    row = contact.c
    for _ in range(2):  # a contact by its id brings the address, by which other sources know the same person
        statement = select(row.id, row.email, row.name, row.customer_id).where(
            or_(among(connection, row.id, keys), among(connection, func.lower(row.email), emails))
        )
        found = list(await connection.execute(statement))
        emails |= {normal(each.email) for each in found if each.email and not is_erased(each.email)}
    contacts = {each.id for each in found if not is_erased(each.id.partition(":")[2])}
    customers = {each.customer_id for each in found}
    known, called = await _tracked(connection, keys, emails, contacts)
    users, at = await _users(connection, (keys - contacts) | known, emails)
    users |= {split_id(id_) for id_ in known}
    customers |= at
    for table, address in _ADDRESSES[1:]:
        rows = select(table.c.customer_id).distinct().where(among(connection, func.lower(address), emails))
        customers |= set((await connection.execute(rows)).scalars())
    invited = select(survey_invitation.c.name).where(among(connection, func.lower(survey_invitation.c.address), emails))
    called |= {each.name for each in found} | set((await connection.execute(invited.distinct())).scalars())
    return Subject(
        kind=PERSON,
        named=given[0],
        emails=tuple(sorted(emails)),
        contacts=tuple(sorted(contacts | (keys - {f"{source}:{key}" for source, key in users}))),
        users=tuple(sorted(users)),
        names=_searched(called),
        phones=tuple(await find_phones(connection, [split_id(id_) for id_ in contacts])),
        customers=tuple(sorted(id_ for id_ in customers if id_)),
    )


def _is_key(name: str) -> bool:
    """Whether it is SOURCE:KEY, although the key has an @."""
    source, colon, _ = name.partition(":")
    return bool(colon) and "@" not in source


async def _tracked(
    connection: Connection, keys: Iterable[str], emails: Iterable[str], contacts: Iterable[str]
) -> tuple[set[str], set[str | None]]:
    """Ids of users whom tracking programs tell by these names, or who are contacts too; and what they are called."""
    told, row, use = tracked_user.c, contact.c, user_activity_day.c
    by_name = or_(among(connection, told.id, keys), among(connection, func.lower(told.email), emails))
    users = list(await connection.execute(select(told.id, told.user_key, told.name).where(by_name)))
    same = select(row.id).where(
        among(connection, row.id, contacts),
        exists().where(use.source == row.source, use.user_key == row.key, use.customer_id == row.customer_id),
    )
    both = set((await connection.execute(same)).scalars())
    return both | {each.id for each in users if not is_erased(each.user_key)}, {each.name for each in users}


async def _users(
    connection: Connection, keys: Iterable[str], emails: Iterable[str]
) -> tuple[set[tuple[str, str]], set[str | None]]:
    """(source, key) of users of the product by these names, in every source of their customers; and the customers."""
    use = user_activity_day.c
    pairs = [name.partition(":") for name in keys]
    named: list[ColumnElement[bool]] = [and_(use.source == source, use.user_key == key) for source, _, key in pairs]
    named.append(among(connection, func.lower(use.user_key), emails))
    first = select(use.source, use.user_key, use.customer_id).distinct().where(or_(*named))
    found = {tuple(row) for row in await connection.execute(first)}
    # facts take a key for one user, whichever source of a customer it comes from
    again = (
        select(use.source, use.user_key, use.customer_id)
        .distinct()
        .where(
            among(connection, use.user_key, {key for _, key, _ in found}),
            among(connection, use.customer_id, {id_ for *_, id_ in found if id_}),
        )
    )
    found |= {tuple(row) for row in await connection.execute(again)}
    live = {row for row in found if not is_erased(row[1])}
    return {(source, key) for source, key, _ in live}, {id_ for *_, id_ in live}


async def find_customer(connection: Connection, id_: str) -> Subject:
    """The customer with this id, and everybody known there; NotFoundError where there is none."""
    row = (await connection.execute(select(customer).where(customer.c.id == id_))).one_or_none()
    if row is None:
        raise NotFoundError(f"no customer {id_!r}")
    same = select(customer.c.id, customer.c.name, customer.c.domain).where(customer.c.merged_into_id == id_)
    merged = list(await connection.execute(same))
    ids = [id_, *(each.id for each in merged)]
    said = select(external_id.c.source, external_id.c.key, external_id.c.name, external_id.c.domains)
    evidence = list(await connection.execute(said.where(among(connection, external_id.c.customer_id, ids))))
    emails: set[str] = set()
    for table, address in _ADDRESSES:
        rows = select(address).distinct().where(among(connection, table.c.customer_id, ids), address.is_not(None))
        emails |= {normal(each) for each in (await connection.execute(rows)).scalars() if not is_erased(each)}
    companies = {(each.source, each.key) for each in evidence if not is_erased(each.key)}
    users, addresses = await _tracked_at(connection, companies)
    emails |= addresses
    domains = {
        row.domain,
        *(each.domain for each in merged),
        *(domain for each in evidence for domain in each.domains or ()),
    }
    there = select(contact.c.id, contact.c.name).where(among(connection, contact.c.customer_id, ids))
    people = [each for each in await connection.execute(there) if not is_erased(split_id(each.id)[1])]
    contacts = sorted(each.id for each in people)
    return Subject(
        kind=CUSTOMER,
        named=id_,
        emails=tuple(sorted(emails)),
        contacts=tuple(contacts),
        people=_searched(each.name for each in people),
        phones=tuple(await find_phones(connection, map(split_id, contacts))),
        names=tuple(sorted({each.name for each in (row, *merged, *evidence) if _tells(each.name)})),
        domains=tuple(sorted(domain.lower() for domain in domains if domain)),
        users=tuple(sorted(users)),
        companies=tuple(sorted(companies)),
        customers=tuple(ids),
    )


async def _tracked_at(
    connection: Connection, companies: Iterable[tuple[str, str]]
) -> tuple[set[tuple[str, str]], set[str]]:
    """(source, key) of users of these companies, as tracking programs tell of them, and their addresses."""
    by_source: dict[str, list[str]] = {}
    for source, key in companies:
        by_source.setdefault(source, []).append(key)
    users: set[tuple[str, str]] = set()
    emails: set[str] = set()
    told = tracked_user.c
    for source, keys in by_source.items():
        wanted = select(told.user_key, told.email).where(
            told.source == source, among(connection, told.company_key, keys)
        )
        for row in await connection.execute(wanted):
            users.add((source, row.user_key))
            emails |= {normal(row.email)} if row.email else set()
    return users, emails


def split_id(id_: str) -> tuple[str, str]:
    source, _, key = id_.partition(":")
    return source, key


def _tells(name: str | None) -> bool:
    return name is not None and len(name) >= SHORTEST_NAME and not is_erased(name)


def _searched(names: Iterable[str | None]) -> tuple[str, ...]:
    """Whole names of people: two words or more."""
    stripped = {" ".join(name.split()) for name in names if name}
    return tuple(sorted(name for name in stripped if _tells(name) and " " in name))


async def with_pseudonyms(connection: Connection, subject: Subject, keyed: Keyed, *, erasure_id: str) -> Subject:
    """The subject with a pseudonym for every name; what was erased before keeps the one it has."""
    stood: dict[str, str] = {keyed.email(email): email for email in subject.emails}
    stood |= {keyed.hash("user", *user): user[1].lower() for user in subject.users}
    known = select(tombstone.c.hash, tombstone.c.pseudonym).where(among(connection, tombstone.c.hash, stood))
    pseudonyms = {stood[hash_]: pseudonym for hash_, pseudonym in await connection.execute(known)}
    values = [*subject.emails, *(key.lower() for _, key in subject.users), subject.named.lower()]
    made = {value: f"erased-{keyed.hash('pseudonym', erasure_id, value)[:16]}" for value in values}
    return replace(subject, pseudonyms=made | pseudonyms)
