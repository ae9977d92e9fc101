"""Queries for who asks, and for tokens."""

from typing import Any

import strawberry

from hub.store.query import Order
from schema.access.types import Token, Viewer
from schema.enums import Role
from schema.fields import DEFAULT_FIRST
from schema.loaders import ApiInfo, load_page
from schema.paging import Connection
from schema.permissions import root


@strawberry.type
class AccessQueries:
    @root(description="Who asks: the token of this request.")
    async def viewer(self, info: ApiInfo) -> Viewer:
        who: Any = info.context.viewer
        return who  # type: ignore[no-any-return]  # a viewer, read by its attributes

    @root(Role.ADMIN, description="The tokens of this API, newest first, the revoked among them.")
    async def tokens(self, info: ApiInfo, first: int = DEFAULT_FIRST, after: str | None = None) -> Connection[Token]:
        order = Order("created_at", descending=True)
        page: Connection[Token] = await load_page(info, "api_token", order=order, first=first, after=after)
        return page
