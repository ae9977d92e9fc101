"""Who asks: the token a request came with, its role, and the name its deeds are recorded under."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.model.actions import Role

RANK: Mapping[Role, int] = {Role.VIEWER: 1, Role.CSM: 2, Role.ADMIN: 3}
"""A role may do what every role of a lower rank may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The holder of a valid token."""

    token_id: str
    name: str
    role: Role
    csm_email: str | None = None
    expires_at: datetime | None = None

    @property
    def actor(self) -> str:
        """As audit entries, runs and alerts name them."""
        return self.csm_email or self.name

    def may(self, role: Role) -> bool:
        """Whether what needs `role` is allowed."""
        return RANK[self.role] >= RANK[role]
