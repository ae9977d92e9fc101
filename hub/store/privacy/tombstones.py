"""Keeps the erased from coming back: keyed hashes of who they were, held against what sources go on saying.

    veil = Veil()
    records, erased = await veil.over(connection, records, source="crm")     inside the transaction that writes them

Of an erased customer nothing is taken any more, and of its users, where tracking programs told of them, no more than acts
by a pseudonym. Of an erased person no contact is; tickets, answers and days of use are taken without the person and under the
same keys and pseudonym as before, so that counts stay right.

Where nobody was ever erased this costs one short statement a batch; where somebody was, a hash for every new address.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from hub.model.records import Company, Contact, Quarantined, Record, SurveyResponse, Ticket, UserActivityDay
from hub.store.privacy.keyed import Keyed, find_keyed, is_erased
from hub.store.privacy.mentions import texts, who
from hub.store.privacy.subject import Subject, split_id
from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import tombstone

_LOCK = 0x7065726F
"""Of PostgreSQL's advisory locks: shared by who writes records, held alone by who puts up tombstones."""
MOST_KNOWN = 200_000
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]*\w")


async def lock_out(connection: Connection) -> None:
    """Wait for whoever is writing records, and let others wait until this transaction ends: they then see what it put up."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


async def put_tombstones(connection: Connection, subject: Subject, keyed: Keyed, *, number: int) -> int:
    """Keep a subject from coming back from now on, under the lock; return how many are new."""
    rows: list[dict[str, Any]] = []
    words = subject.pseudonyms
    if subject.is_customer:
        hashes = [("company", keyed.hash("company", source, key), subject.label) for source, key in subject.companies]
        hashes += [("user", keyed.hash("user", *user), words[user[1].lower()]) for user in subject.users]
    else:
        hashes = [("email", keyed.email(email), words[email]) for email in subject.emails]
        hashes += [("contact", keyed.hash("contact", *split_id(id_)), subject.label) for id_ in subject.contacts]
        hashes += [("user", keyed.hash("user", source, key), words[key.lower()]) for source, key in subject.users]
    for kind, hash_, word in hashes:
        rows.append({"hash": hash_, "kind": kind, "pseudonym": word, "number": number})
    if not rows:
        return 0
    put = insert_missing(connection, tombstone).returning(tombstone.c.hash)
    return len((await connection.execute(put, rows)).all())


class Veil:
    """What is known of the erased, kept between the batches of one sync and brought up to date with each."""

    def __init__(self) -> None:
        self._newest = 0
        self._keyed: Keyed | None = None
        self._pseudonyms: dict[str, str] = {}
        self._known: dict[tuple[str, ...], str | None] = {}

    async def look(self, connection: Connection) -> bool:
        """Read what is new, and keep others from adding to it until the transaction ends; whether anybody is erased."""
        if connection.dialect.name == "postgresql":
            await connection.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))
        fresh = select(tombstone.c.hash, tombstone.c.pseudonym, tombstone.c.number)
        # an erasure's tombstones are one transaction, and numbers are given under its lock
        found = (await connection.execute(fresh.where(tombstone.c.number > self._newest))).all()
        if found:
            self._newest = max(row.number for row in found)
            self._pseudonyms |= {row.hash: row.pseudonym for row in found}
            self._known = {}
            self._keyed = self._keyed or await find_keyed(connection)
        return bool(self._pseudonyms)

    async def over(
        self, connection: Connection, records: Sequence[Record], *, source: str
    ) -> tuple[Sequence[Record], int]:
        """The records without the erased, and how many were left out or stripped."""
        if not await self.look(connection):
            return records, 0
        if len(self._known) > MOST_KNOWN:
            self._known = {}
        kept = [made for record in records if (made := self._stripped(record, source)) is not None]
        untouched = {id(record) for record in records}
        same = sum(id(made) in untouched for made in kept)
        return kept, len(records) - same

    def over_bad(self, bad: Iterable[Quarantined], *, source: str) -> tuple[list[Quarantined], int]:
        """Rows for the quarantine without those that name somebody erased. After `over`."""
        given = list(bad)
        if not self._pseudonyms:
            return given, 0
        kept = [row for row in given if not self._names_erased(row, source)]
        return kept, len(given) - len(kept)

    def _stripped(self, record: Record, source: str) -> Record | None:
        if record.company_key is not None and self._find("company", source, record.company_key):
            return None
        match record:
            case Company():
                return None if self._find("company", source, record.key) else record
            case Contact():
                return self._contact(record, source)
            case Ticket() if word := self._person(record.requester_email):
                return replace(record, requester_email=word, subject=None, url=None)
            case SurveyResponse() if word := self._person(record.respondent_email):
                return replace(record, respondent_email=word, comment=None)
            case UserActivityDay():
                user = record.user_key
                assert self._keyed is not None, "who was erased was hashed"
                if is_erased(user):  # of acts that were kept, and are summed after their user was erased
                    return replace(record, key=self._keyed.key(source, record.key))
                pseudonym = self._user(source, user)
                if pseudonym is None:
                    return record
                word = self._keyed.spelt(pseudonym, user)
                key = self._keyed.key(source, self._keyed.of_user(record.key, user, word))
                return replace(record, user_key=word, key=key)
        return record

    def of_company(self, source: str, key: str) -> bool:
        """Whether the company with this key was erased. After `look`, which found somebody."""
        return self._find("company", source, key) is not None

    def of_user(self, source: str, user: str) -> str | None:
        """The pseudonym of a user who was erased. After `look`, which found somebody."""
        pseudonym = self._user(source, user)
        return None if pseudonym is None or self._keyed is None else self._keyed.spelt(pseudonym, user)

    def of_email(self, email: str) -> bool:
        """Whether an address is of somebody erased. After `look`, which found somebody."""
        return self._find_email(email) is not None

    def _user(self, source: str, user: str) -> str | None:
        return self._find("user", source, user) or (self._find_email(user) if "@" in user else None)

    def _contact(self, record: Contact, source: str) -> Contact | None:
        """Nothing of one that was erased, but that it is gone."""
        known = self._find("contact", source, record.key)
        if known and record.deleted and self._keyed is not None:
            return Contact(
                key=self._keyed.key(source, record.key),
                version=record.version,
                company_key=record.company_key,
                deleted=True,
                email=known,
            )
        return None if known or (record.email and self._find_email(record.email)) else record

    def _person(self, email: str | None) -> str | None:
        pseudonym = self._find_email(email) if email else None
        return (
            None if pseudonym is None or email is None or self._keyed is None else self._keyed.spelt(pseudonym, email)
        )

    def _find_email(self, email: str) -> str | None:
        return self._find("email", email.strip().lower())

    def _find(self, kind: str, *parts: str) -> str | None:
        """The pseudonym of what these parts name, where it was erased."""
        whole = (kind, *parts)
        if whole not in self._known:
            assert self._keyed is not None, "who was erased was hashed"
            self._known[whole] = self._pseudonyms.get(self._keyed.hash(*whole))
        return self._known[whole]

    def _names_erased(self, row: Quarantined, source: str) -> bool:
        keys = {row.key, *who(dict(row.raw))}
        if any(self._find(kind, source, key) for key in keys for kind in ("contact", "user", "company")):
            return True
        return any(
            self._find_email(word) for text in texts([row.key, dict(row.raw)]) for word in _ADDRESS.findall(text)
        )
