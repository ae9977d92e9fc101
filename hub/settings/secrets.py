"""`${secret:NAME}` in a configuration: read from the store the first time one is asked for, and kept no longer than that."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hub.access.vault import Vault
from hub.documents import Document
from hub.errors import NotFoundError
from hub.settings.variables import filled
from hub.store.privacy.secrets import read_tokens


class StoredSecrets:
    """Where the store is and which keys there are is asked when the first secret is: most configurations have none."""

    def __init__(self, store: Callable[[], str], keys: Callable[[], Sequence[str]]) -> None:
        self._store, self._keys = store, keys
        self._tokens: dict[str, str] | None = None

    def __repr__(self) -> str:
        return "StoredSecrets()"

    def get(self, name: str) -> str:
        """What is in a secret. NotFoundError naming those there are, or what the vault says of the key."""
        if self._tokens is None:
            self._tokens = read_tokens(self._store())
        if name not in self._tokens:
            known = ", ".join(sorted(self._tokens)) or "none"
            raise NotFoundError(f"there is no stored secret {name!r} (there are: {known}): cshub secret set {name}")
        return Vault.of(self._keys()).opened({name: self._tokens[name]})[name]


def secret_keys(hub_file: Path, environment: Mapping[str, str]) -> list[str]:
    """The keys of stored secrets, the newest first: hub.yaml's `secrets_key` and `old_secrets_key`, else the environment's."""
    value = filled(Document.read(hub_file), environment).document.value
    given = value if isinstance(value, Mapping) else {}
    named = (("secrets_key", "CSHUB_SECRETS_KEY"), ("old_secrets_key", "CSHUB_OLD_SECRETS_KEY"))
    found = [given.get(key) or environment.get(variable) for key, variable in named]
    return [key for key in found if isinstance(key, str)]
