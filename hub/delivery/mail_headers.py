"""Headers of mail: how they are folded, and those that many mails share."""

from email.headerregistry import BaseHeader
from email.policy import EmailPolicy
from functools import lru_cache

HEADERS_KEPT = 4_096
UNFOLDED = "list-unsubscribe"


class _Policy(EmailPolicy):
    def fold_binary(self, name: str, value: str) -> bytes:
        """A long address in a header would be written as encoded words, which no program takes for an address."""
        if name.lower() != UNFOLDED:
            return super().fold_binary(name, value)
        return f"{name}: {value}".replace(", ", ",\r\n ").encode("ascii") + b"\r\n"


SMTP_POLICY = _Policy(linesep="\r\n", cte_type="7bit")  # every server takes it


@lru_cache(maxsize=HEADERS_KEPT)
def header(name: str, value: str) -> BaseHeader:
    """A header that many mails share; to read its value anew for each takes longer than to send it."""
    made: BaseHeader = SMTP_POLICY.header_factory(name, value)
    return made
