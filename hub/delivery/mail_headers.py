"""Headers of mail: how they are folded, and those that many mails share."""

from email.headerregistry import BaseHeader, HeaderRegistry
from email.policy import EmailPolicy
from functools import lru_cache
from hashlib import blake2b
from typing import Any

HEADERS_KEPT = 4_096
UNFOLDED = "list-unsubscribe"
SHARED = frozenset(("content-type", "content-transfer-encoding", "mime-version", "from", "reply-to", "auto-submitted"))
"""Whose values are few, but for those with a boundary."""


class _Registry(HeaderRegistry):
    """Makes the class of a header's name once; the library's own makes it anew for each header of each mail."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        key = name.lower()
        if key not in self._made:  # names are ours, so they are few
            self._made[key] = super().__getitem__(name)
        return self._made[key]


class _Policy(EmailPolicy):
    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """The parts of every mail say the same of themselves."""
        if isinstance(value, str) and value.isprintable() and _is_shared(name, value):
            return name, header(name, value)
        return super().header_store_parse(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        """A long address in a header would be written as encoded words, which no program takes for an address."""
        if name.lower() == UNFOLDED:
            return f"{name}: {value}".replace(", ", ",\r\n ").encode("ascii") + b"\r\n"
        return _folded(name, value) if _is_shared(name, value) else super().fold_binary(name, value)

    def fold_anew(self, name: str, value: str) -> bytes:
        return super().fold_binary(name, value)


def _is_shared(name: str, value: str) -> bool:
    return name.lower() in SHARED and "boundary" not in value


SMTP_POLICY = _Policy(linesep="\r\n", cte_type="7bit", header_factory=_Registry())  # every server takes it


@lru_cache(maxsize=HEADERS_KEPT)
def header(name: str, value: str) -> BaseHeader:
    """A header that many mails share; to read its value anew for each takes longer than to send it."""
    made: BaseHeader = SMTP_POLICY.header_factory(name, value)
    return made


@lru_cache(maxsize=HEADERS_KEPT)
def _folded(name: str, value: str) -> bytes:
    return SMTP_POLICY.fold_anew(name, value)


def boundary(key: str, kind: str) -> str:
    """What stands between the parts of the mail of that key: the same on every attempt, and in no text of somebody who does
    not know the key.

    Left to the library it is drawn by lot and the whole mail is searched for it, which takes a quarter of all its writing.
    """
    return f"=_{blake2b(f'{kind}:{key}'.encode(), digest_size=16).hexdigest()}"
