"""Secrets at rest: encrypted with a key that the store does not have, and never shown again.

    vault = Vault.of(keys)                       the newest key first: it encrypts; the others can still be read
    await vault.set(store, "crm_token", "…", by="Ann", now=now)
    vault.opened({"crm_token": token})           {"crm_token": "…"}: for the configuration, and nobody else

A key is any text of 32 characters or more (`cshub secret key` makes one); Fernet keys are derived from it by HKDF-SHA256, and
Fernet (AES-128-CBC with HMAC-SHA256) encrypts. The name is part of what is encrypted, so a token cannot be moved to another
name. To change the key put the new one before the old, rotate, and take the old one away.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.errors import CshubError, NotFoundError, RefusedError
from hub.store import Store
from hub.store.privacy import secrets as rows
from hub.store.privacy.secrets import Stored

SHORTEST_KEY = 32
LONGEST_VALUE = 20_000
NAME = re.compile(r"[a-z][a-z0-9_-]{0,59}")
_PURPOSE = b"cshub stored secrets 1"


class VaultError(CshubError):
    """A secret that cannot be decrypted, or no key to do it with; the message says which key is wanted and shows nothing."""


class Vault:
    """See the module."""

    __slots__ = ("_fernet", "key_ids")

    def __init__(self, fernets: Sequence[Fernet], key_ids: Sequence[str]) -> None:
        self._fernet = MultiFernet(list(fernets))
        self.key_ids = tuple(key_ids)

    def __repr__(self) -> str:
        return f"Vault(keys {', '.join(self.key_ids)})"

    @classmethod
    def of(cls, keys: Sequence[str]) -> Self:
        """RefusedError for no key, or one that is too short to be one."""
        if not keys:
            raise RefusedError(
                "there is no key for secrets: set secrets_key in hub.yaml, or $CSHUB_SECRETS_KEY; `cshub secret key` makes one"
            )
        if any(len(key) < SHORTEST_KEY for key in keys):
            raise RefusedError(f"a key for secrets has {SHORTEST_KEY} characters or more; `cshub secret key` makes one")
        return cls([Fernet(_derived(key)) for key in keys], [_id(key) for key in keys])

    async def set(self, store: Store, name: str, value: str, *, by: str, now: datetime) -> bool:
        """Keep a secret, in the place of the one of this name; whether there was none."""
        check_name(name)
        if not value or len(value) > LONGEST_VALUE:
            raise RefusedError(f"a secret has 1 to {LONGEST_VALUE} characters")
        token = self.sealed(name, value)
        async with store.transaction() as connection:
            return await rows.put(connection, name, token=token, key_id=self.key_ids[0], by=by, now=now)

    def sealed(self, name: str, value: str) -> str:
        """What is stored of a secret under its name; `opened` reads it."""
        return self._fernet.encrypt(orjson.dumps([name, value])).decode()

    async def rotate(self, store: Store) -> int:
        """Encrypt every secret with the newest key, all or none; how many. VaultError where one cannot be read."""
        async with store.transaction() as connection:
            tokens = await rows.lock_tokens(connection)
            made: dict[str, str] = {}
            for name, token in tokens.items():
                self._open(name, token)
                made[name] = self._fernet.rotate(token.encode()).decode()
            await rows.replace_tokens(connection, made, key_id=self.key_ids[0])
        return len(tokens)

    def opened(self, tokens: Mapping[str, str]) -> dict[str, str]:
        """{name: value}; VaultError where one is of another key, or was tampered with."""
        return {name: self._open(name, token) for name, token in tokens.items()}

    def _open(self, name: str, token: str) -> str:
        try:
            said, value = orjson.loads(self._fernet.decrypt(token.encode()))
        except InvalidToken:
            raise VaultError(
                f"the secret {name!r} cannot be read with this key ({', '.join(self.key_ids)}): is secrets_key the one it "
                "was set under? `cshub secret list` shows which key each needs"
            ) from None
        if said != name:
            raise VaultError(f"the secret {name!r} was set under another name, and is not taken for this one")
        return str(value)


async def list_secrets(store: Store) -> list[Stored]:
    """Names, and who set them when under which key; nobody can read what is in them."""
    async with store.reading() as connection:
        return await rows.find_stored(connection)


async def delete_secret(store: Store, name: str) -> None:
    async with store.transaction() as connection:
        if not await rows.remove(connection, name):
            known = ", ".join(each.name for each in await rows.find_stored(connection)) or "none"
            raise NotFoundError(f"no secret {name!r}; there are: {known}")


def check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise RefusedError(f"{name!r} is no name: small letters, digits, - and _, a letter first, at most 60")


def new_key() -> str:
    """A key for `secrets_key`."""
    return secrets.token_urlsafe(32)


def _derived(key: str) -> bytes:
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
    return base64.urlsafe_b64encode(made)


def _id(key: str) -> str:
    """Tells one key from another and nothing of either."""
    return hashlib.sha256(_PURPOSE + _derived(key)).hexdigest()[:8]
