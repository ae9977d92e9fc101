"""Who asks: the token a request came with, its role, scopes and book, and the name its deeds are recorded under.

role    what is asked for: a role may do what every role of a lower rank may
scopes  how: a token has those of its role, or some of them
book    whose customers: those of one CSM, or all; what lies outside a book does not exist for its viewer
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.model.actions import Role, Scope

RANK: Mapping[Role, int] = {Role.VIEWER: 1, Role.CSM: 2, Role.MANAGER: 3, Role.ADMIN: 4}
"""A role may do what every role of a lower rank may."""

SCOPES: Mapping[Role, frozenset[Scope]] = {
    Role.VIEWER: frozenset({Scope.READ}),
    Role.CSM: frozenset({Scope.READ, Scope.PERSONAL, Scope.ACT}),
    Role.MANAGER: frozenset({Scope.READ, Scope.PERSONAL, Scope.ACT}),
    Role.ADMIN: frozenset(Scope),
}

NO_BOOK = "(nobody)"
"""The book of a CSM without an address: no customer is in it."""


def book_of(role: Role, csm_email: str | None, *, books: bool) -> str | None:
    """The book of a role. `books`: whether a CSM sees only the customers that are its own."""
    if not books or role is not Role.CSM:
        return None
    return (csm_email or NO_BOOK).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The holder of a valid token.

    granted  the scopes the token was narrowed to; None: all of its role
    book     only customers whose `csm_email` is this, in small letters; None: all customers
    session  id of the browser's session; None for who came with a token or a JWT
    """

    token_id: str
    name: str
    role: Role
    csm_email: str | None = None
    expires_at: datetime | None = None
    granted: frozenset[Scope] | None = None
    book: str | None = None
    session: str | None = None

    @property
    def actor(self) -> str:
        """As audit entries, runs and alerts name them."""
        return self.csm_email or self.name

    @property
    def scopes(self) -> frozenset[Scope]:
        """Never more than the role's own."""
        own = SCOPES[self.role]
        return own if self.granted is None else own & self.granted

    def may(self, role: Role) -> bool:
        """Whether what needs `role` is allowed."""
        return RANK[self.role] >= RANK[role]


def person_id(issuer: str, subject: str) -> str:
    """What stands for the id of a token where somebody came without one of ours: the same for the same person."""
    return "oidc_" + hashlib.sha256(f"{issuer}\x1f{subject}".encode()).hexdigest()[:32]
