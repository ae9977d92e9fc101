"""What renews itself of a source's credential, kept sealed in the store under `oauth-<source>`: see connectors.kit.oauth."""

from collections.abc import Callable, Mapping
from datetime import datetime

import orjson

from connectors.kit.errors import DeniedError
from connectors.kit.oauth import Vault as SourceVault
from hub.access.vault import Vault, VaultError
from hub.store import Store
from hub.store.privacy.secrets import find_tokens
from hub.sync import Source

BY = "the source itself"


def name_of(source: str) -> str:
    return f"oauth-{source}"


def give_vault(source: Source, *, store: Store, vault: Vault | None, clock: Callable[[], datetime]) -> None:
    """Where its connector has one. vault: None where no key is set; then nothing is kept, and what must be is refused."""
    if hasattr(source.connector, "vault"):
        made = _Unsealed(source.name) if vault is None else _Sealed(source.name, store, vault, clock)
        source.connector.vault = SourceVault(keep=made.keep, recall=made.recall)


class _Sealed:
    """In the store, encrypted."""

    def __init__(self, source: str, store: Store, vault: Vault, clock: Callable[[], datetime]) -> None:
        self.name = name_of(source)
        self.source, self.store, self.vault, self.clock = source, store, vault, clock

    async def keep(self, kept: Mapping[str, str]) -> None:
        value = orjson.dumps(dict(kept)).decode()
        await self.vault.set(self.store, self.name, value, by=BY, now=self.clock())

    async def recall(self) -> Mapping[str, str]:
        async with self.store.reading() as connection:
            tokens = await find_tokens(connection, [self.name])
        try:
            kept: Mapping[str, str] = orjson.loads(self.vault.opened(tokens).get(self.name, "{}"))
        except VaultError as error:
            raise DeniedError(f"{self.source}: {error}") from None
        return kept


class _Unsealed:
    """In this process alone: good enough for what can be asked for again."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.kept: Mapping[str, str] = {}

    async def keep(self, kept: Mapping[str, str]) -> None:
        if "refresh_token" in kept:
            raise DeniedError(
                f"{self.source}: the vendor gave a new refresh token in the place of the one that was used, so it has to be "
                "kept encrypted, and there is no key for that: set secrets_key in hub.yaml (`cshub secret key` makes one), "
                "and authorise the source again"
            )
        self.kept = dict(kept)

    async def recall(self) -> Mapping[str, str]:
        return self.kept
