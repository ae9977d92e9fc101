"""Tokens: who may ask the hub, as what, until when; made, given another secret, and made invalid here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from hub.model.actions import Role
from hub.web.dashboard.page import Data, Page, Visit

ROLES: Mapping[str, str] = {
    "VIEWER": "Sees every page and number, and no personal data: no names of contacts, no words of tickets and surveys.",
    "CSM": "Sees personal data too, and acts: fires playbooks, answers them, snoozes, closes, writes notes, overrides a score.",
    "MANAGER": "What a CSM may, and assigns customers, decides who a company is, merges customers, edits what others wrote.",
    "ADMIN": "Everything: sources and their syncs, stopping playbooks, tokens, the audit log, exports and erasures.",
}
"""What each may do beyond the one before, the least first."""
SCOPES: Mapping[str, str] = {
    "READ": "ask the API",
    "PERSONAL": "see names, addresses and words of people at customers",
    "ACT": "change something",
    "EXPORT": "take all data out",
}
_SOON = 14 * 86_400


def standing(token: Data, now: datetime) -> tuple[str, str]:
    """(tone, in a word) of a token."""
    if token["revokedAt"]:
        return "plain", "revoked"
    if token["expiresAt"]:
        left = (datetime.fromisoformat(token["expiresAt"]) - now).total_seconds()
        if left <= 0:
            return "plain", "expired"
        if left < _SOON:
            return "warn", "expires soon"
    return "good", "valid"


def tokens(found: Iterable[Data], now: datetime) -> Sequence[Data]:
    """Tokens with how they stand; the invalid ones last, else as they come."""
    made = []
    for each in found:
        tone, word = standing(each, now)
        older = tone != "plain" and each["previousUntil"] and datetime.fromisoformat(each["previousUntil"]) > now
        made.append({**each, "tone": tone, "word": word, "live": tone != "plain", "older": bool(older)})
    return sorted(made, key=lambda each: not each["live"])


def _shape(data: Data, visit: Visit) -> Data:
    return {
        "tokens": tokens(data["tokens"]["nodes"], visit.now),
        "roles": [{"role": role, "words": words} for role, words in ROLES.items()],
        "scopes": [{"scope": scope, "words": words} for scope, words in SCOPES.items()],
    }


PAGE = Page(
    name="admin",
    path="/admin",
    title="Admin",
    nav="admin",
    role=Role.ADMIN,
    variables=lambda visit: {"after": visit.query.get("after") or None},
    shape=_shape,
)
