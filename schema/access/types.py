"""The token of the request, and tokens as an admin sees them."""

from datetime import datetime
from typing import Any

import strawberry

from schema.enums import Role
from schema.fields import column, computed


def _of(name: str) -> Any:
    return computed(lambda viewer: getattr(viewer, name))


@strawberry.type(description="Who asks: the token of this request.")
class Viewer:
    name: str = _of("name")
    role: Role = _of("role")
    csm_email: str | None = _of("csm_email")
    expires_at: datetime | None = _of("expires_at")


@strawberry.type(description="A token of this API, without its secret.")
class Token:
    id: strawberry.ID = column()
    name: str = column()
    role: Role = column()
    csm_email: str | None = column()
    created_at: datetime = column()
    expires_at: datetime | None = column()
    revoked_at: datetime | None = column()
