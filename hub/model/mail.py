"""Mail that came back, as a mail server or a service tells it."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

HARD, SOFT, COMPLAINT = "hard", "soft", "complaint"
KINDS = (HARD, SOFT, COMPLAINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounced:
    """One thing that was told of one address.

    kind         hard: it will never be taken there; soft: not now; complaint: its reader called it spam
    status       RFC 3463, such as 5.1.1
    message_id   of our mail, where it was said; delivery_id: where the return path or the ledger says so
    told_by      mailbox, or the form of a webhook
    """

    address: str
    kind: str
    at: datetime
    told_by: str
    status: str | None = None
    reason: str | None = None
    message_id: str | None = None
    delivery_id: str | None = None

    @property
    def id(self) -> str:
        """The same for the same bounce, however often it is told, and by whom."""
        what = self.message_id or self.delivery_id or self.at.isoformat()
        return blake2b("\x1f".join((self.address, self.kind, what)).encode(), digest_size=16).hexdigest()
