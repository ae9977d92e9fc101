"""The reports of erasures: what was erased, when and by whom; never of whom."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import strawberry

from hub.access.privacy.erasing import list_erasures
from schema.enums import Role
from schema.errors import BadInputError
from schema.fields import DEFAULT_FIRST, LARGEST_FIRST, computed, key
from schema.loaders import ApiInfo
from schema.permissions import root
from schema.privacy.mutations import PrivacyCount


@strawberry.enum(description="Who is erased; CUSTOMER: with everybody there.")
class ErasureOf(StrEnum):
    PERSON = "person"
    CUSTOMER = "customer"


@strawberry.enum(description="How far an erasure is. One that was interrupted goes on by itself.")
class ErasureState(StrEnum):
    RUNNING = "running"
    DONE = "done"


def _counts(row: Any) -> list[PrivacyCount]:
    return [PrivacyCount(table=table, rows=rows) for table, rows in row["counts"].items()]


@strawberry.type(description="The report of an erasure; it names nobody.")
class Erasure:
    id: strawberry.ID = key(description="As `erasureId` of the mutation's payload says it.")
    of: ErasureOf = key()
    state: ErasureState = key()
    asked_by: str = key(description="One of our people, a token, or the command line.")
    asked_at: datetime = key()
    finished_at: datetime | None = key(description="Null while it goes on.")
    counts: list[PrivacyCount] = computed(_counts, description="Rows by table that were changed or deleted so far.")
    left: list[str] = key(description="What could not be erased, and why.")


@strawberry.type
class PrivacyQueries:
    @root(Role.ADMIN, whole=True, description="Reports of erasures, the newest first; they name nobody.")
    async def erasures(self, info: ApiInfo, first: int = DEFAULT_FIRST) -> list[Erasure]:
        if not 1 <= first <= LARGEST_FIRST:
            raise BadInputError(f"first must be 1 to {LARGEST_FIRST:,}, not {first}", field="first")
        found: list[Any] = [
            {
                "id": each.id,
                "of": ErasureOf(each.kind),
                "state": ErasureState(each.state),
                "asked_by": each.asked_by,
                "asked_at": each.asked_at,
                "finished_at": each.finished_at,
                "counts": each.counts,
                "left": list(each.left),
            }
            for each in await list_erasures(info.context.store, limit=first)
        ]
        return found
