"""The token of the request, and tokens as an admin sees them."""

from datetime import datetime
from typing import Any

import strawberry

from hub.access import SCOPES
from schema.enums import Role, Scope
from schema.fields import column, computed


def _of(name: str, description: str | None = None) -> Any:
    return computed(lambda viewer: getattr(viewer, name), description=description)


@strawberry.type(description="Who asks: the token of this request.")
class Viewer:
    name: str = _of("name")
    role: Role = _of("role")
    scopes: list[Scope] = computed(
        lambda viewer: sorted(viewer.scopes), description="What it may do with what it sees."
    )
    book: str | None = _of("book", "Only customers of this CSM are seen; null: all.")
    csm_email: str | None = _of("csm_email")
    expires_at: datetime | None = _of("expires_at")


@strawberry.type(description="A token of this API, without its secret.")
class Token:
    id: strawberry.ID = column()
    name: str = column()
    role: Role = column()
    scopes: list[Scope] = computed(
        lambda row: [Scope(each) for each in row["scopes"] or sorted(SCOPES[Role(row["role"])])],
        "scopes",
        "role",
        description="Those of its role, or some of them.",
    )
    csm_email: str | None = column()
    created_at: datetime = column()
    expires_at: datetime | None = column()
    revoked_at: datetime | None = column()
    last_used_at: datetime | None = column(description="Written at most once a minute.")
    rotated_at: datetime | None = column(description="When it got its present secret, if that is not its first.")
    previous_until: datetime | None = column(description="Until when the secret before opens too.")
