"""Keyed hashes: what was erased is known again when it comes, and nobody who has the hash alone can say what it was.

HMAC-SHA256 with a key that the store keeps (`signing_key`, made at the first use). Whoever has the key can test a guess:
addresses are few enough for that, so a copy of the store is worth what its key is worth.
"""

import hashlib
import hmac
import secrets
from datetime import datetime

from sqlalchemy import select

from hub.store.signing import keep_key
from hub.store.store import Connection
from hub.store.tables import signing_key

NAME = "privacy"
ERASED = "erased"
WORD = "[erased]"
_SPLIT = "\x1f"


class Keyed:
    """Hashes with one key; they are the same for as long as the store has it."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def __repr__(self) -> str:
        return "Keyed()"

    def hash(self, kind: str, *parts: str) -> str:
        """32 hexadecimal digits for what `kind` of thing these parts name."""
        said = _SPLIT.join((kind, *parts)).encode()
        return hmac.digest(self._key, said, hashlib.sha256)[:16].hex()

    def email(self, address: str) -> str:
        return self.hash("email", normal(address))

    def key(self, source: str, key: str) -> str:
        """What stands in the place of a row's key at its source; of what is one already, the same."""
        return key if is_erased(key) else f"{ERASED}-{self.hash('key', source, key)}"

    def record(self, id_: str) -> str:
        """The same of a record's id, "<source>:<key>"."""
        source, colon, key = id_.partition(":")
        return f"{source}:{self.key(source, key)}" if colon else id_

    def of_user(self, key: str, user: str, pseudonym: str) -> str:
        """The key of a day of use, which ends with "|" and its user, as it is made of a pseudonym."""
        before, bar, ended = key.rpartition("|")
        return f"{before}{bar}{pseudonym}" if bar and ended == user else key

    def spelt(self, pseudonym: str, value: str) -> str:
        """The pseudonym for one spelling of an address or key.

        Spellings that differ in case alone get pseudonyms that do too: they are one where facts look past case, and
        several where facts count them so.
        """
        if value == value.lower():
            return pseudonym
        turn = int(self.hash("spelling", value), 16)
        made = "".join(sign.upper() if turn >> place & 1 else sign for place, sign in enumerate(pseudonym))
        return made if made != pseudonym else pseudonym.capitalize()  # one of some two thousand turns nothing


async def find_keyed(connection: Connection) -> Keyed | None:
    """The store's, where anything was ever erased."""
    key = (await connection.execute(select(signing_key.c.key).where(signing_key.c.name == NAME))).scalar()
    return None if key is None else Keyed(key)


async def make_keyed(connection: Connection, *, now: datetime) -> Keyed:
    return Keyed(await keep_key(connection, NAME, proposed=secrets.token_urlsafe(32), now=now))


def normal(address: str) -> str:
    return address.strip().lower()


def is_erased(value: str) -> bool:
    """Whether a value is what erasing left."""
    return value.lower().startswith(f"{ERASED}-") or value == WORD
