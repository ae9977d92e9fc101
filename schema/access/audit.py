"""The audit log in the API: for admins, and who reads it with its details is in it, too."""

from datetime import datetime

import orjson
import strawberry

from hub.model.actions import Role
from hub.store.query import Order, Row, Where
from schema.fields import DEFAULT_FIRST, column, computed
from schema.loaders import ApiInfo, load_page
from schema.paging import Connection
from schema.permissions import root


def _detail(row: Row) -> str | None:
    return None if row["detail"] is None else orjson.dumps(row["detail"], option=orjson.OPT_SORT_KEYS).decode()


@strawberry.type(
    description="A record of the audit log. What was asked for and its outcome are two records with one `entryId`; each is "
    "sealed to the one before by `digest`, which `cshub audit verify` checks."
)
class AuditRecord:
    number: int = column(description="From 1, without a gap.")
    at: datetime = column()
    entry_id: strawberry.ID = column()
    kind: str = column(description="asked, outcome, read (personal data), or redacted (details were taken out).")
    actor: str = column(description="A person of ours, or a token's name.")
    token_id: strawberry.ID | None = column(description="Null for the command line and for the hub itself.")
    action: str = column(description="A mutation's name, or personalRead.")
    subject: str = column(description="What it was done to, or the fields that were read.")
    detail: str | None = computed(
        _detail, "detail", personal=True, description="Request or outcome as JSON; null where it was taken out."
    )
    digest: str = column()


@strawberry.type
class AuditQueries:
    @root(Role.ADMIN, description="The audit log, newest first: who changed what, and who read personal data.")
    async def audit_log(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        actor: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Connection[AuditRecord]:
        tests = (
            Where("actor", "eq", actor),
            Where("action", "eq", action),
            Where("subject", "eq", subject),
            Where("at", "ge", since),
            Where("at", "le", until),
        )
        where = [test for test in tests if test.value is not None]
        order = Order("number", descending=True)
        page: Connection[AuditRecord] = await load_page(
            info, "audit_record", order=order, first=first, after=after, where=where
        )
        return page
