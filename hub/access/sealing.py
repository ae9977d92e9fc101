"""What the API hands out and takes back, and nobody should read or make up: ids of sources' keys, places in lists and logs.

    await open_seal(store, now=now)                  once, before a process answers: the store's key, the same in all of them
    text = closed("event", b"1207")                  URL-safe, the same for the same every time, so that ids stay what they are
    opened("event", text)                            b"1207"; None for what was not closed for this, by this store

A source's key of a company may be a person's address, and a cursor holds the row's id and value, so they would show personal
data to tokens that may not see any; the number of an event tells how much happens to customers that are not one's own.

AES-SIV (RFC 5297) with a key of 512 bits: deterministic, and whatever was made up or altered does not open. `purpose` is sealed
along. It hides nothing from who has the store, and gives no access: whoever sends an id still needs the right to read it.
"""

import base64
import binascii
import hashlib
import secrets
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from hub.store import Store
from hub.store.signing import keep_key

NAME = "api"
LONGEST = 4_000


class _Seal:
    """The key of this process: one of its own, until the store's is taken."""

    def __init__(self) -> None:
        self.use(secrets.token_urlsafe(48))

    def use(self, key: str) -> None:
        self.cipher = AESSIV(hashlib.sha512(b"cshub api seal 1\0" + key.encode()).digest())
        self.mark = hashlib.sha512(b"cshub api mark 1\0" + key.encode()).digest()


_SEAL = _Seal()


async def open_seal(store: Store, *, now: datetime) -> None:
    """Take the store's key, which is made where there is none yet."""
    async with store.transaction() as connection:
        _SEAL.use(await keep_key(connection, NAME, proposed=secrets.token_urlsafe(48), now=now))


def mark(data: bytes) -> bytes:
    """Eight bytes that only this store can make of `data`: for what may be read, and must not be made up."""
    return hashlib.blake2b(data, digest_size=8, key=_SEAL.mark).digest()


def closed(purpose: str, data: bytes) -> str:
    """`data`, which must not be empty, as a text that tells nothing but its length."""
    return base64.urlsafe_b64encode(_SEAL.cipher.encrypt(data, [purpose.encode()])).decode().rstrip("=")


def opened(purpose: str, text: str) -> bytes | None:
    """What was closed for this purpose; None for anything else."""
    if len(text) > LONGEST:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        return _SEAL.cipher.decrypt(raw, [purpose.encode()])
    except (binascii.Error, ValueError, InvalidTag):  # ValueError: not ASCII, or shorter than a seal
        return None
