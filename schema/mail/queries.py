"""The suppression list and bounces, the newest first."""

import strawberry

from hub.store.query import Order
from schema.enums import Role
from schema.fields import DEFAULT_FIRST
from schema.loaders import ApiInfo, load_page
from schema.mail.types import MailBounce, MailSuppression
from schema.paging import Connection
from schema.permissions import root


@strawberry.type
class MailQueries:
    @root(Role.ADMIN, description="Addresses that get no mail, the newest first.")
    async def mail_suppressions(
        self, info: ApiInfo, first: int = DEFAULT_FIRST, after: str | None = None
    ) -> Connection[MailSuppression]:
        order = Order("since", descending=True)
        page: Connection[MailSuppression] = await load_page(
            info, "mail_suppression", order=order, first=first, after=after
        )
        return page

    @root(Role.ADMIN, description="Mail that came back, the newest first.")
    async def mail_bounces(
        self, info: ApiInfo, first: int = DEFAULT_FIRST, after: str | None = None
    ) -> Connection[MailBounce]:
        order = Order("at", descending=True)
        page: Connection[MailBounce] = await load_page(info, "mail_bounce", order=order, first=first, after=after)
        return page
