"""How many customers moved from which band of health into which since a day."""

from datetime import date
from typing import Annotated, Any

import strawberry

from hub.store.movements import count_movements
from schema.enums import Band
from schema.fields import key
from schema.filters import CustomerFilter, chosen
from schema.loaders import ApiInfo
from schema.permissions import root


@strawberry.type(description="Customers that were in one band on a day and are in one now.")
class BandMovement:
    before: Band | None = key(description="Of the newest scorecard up to the day; null: no score, or no scorecard yet.")
    after: Band | None = key(description="Of the newest scorecard; null: no score.")
    count: int = key()


Since = Annotated[date, strawberry.argument(description="Compare with the newest scorecards up to this day.")]


@strawberry.type
class BandMovementQueries:
    @root(description="Bands of customers on a day and now: who stayed and who moved, the most first.")
    async def band_movements(
        self,
        info: ApiInfo,
        since: Since,
        filter: CustomerFilter | None = None,  # type: ignore[valid-type]  # noqa: A002 - made of the catalogue; the API's word
    ) -> list[BandMovement]:
        context = info.context
        condition = await chosen(info, filter)
        async with context.store.reading() as connection:
            found = await count_movements(
                connection, since=since, condition=condition, book=context.viewer.book, today=context.now.date()
            )
        ordered = sorted(found, key=lambda each: (-each.count, each.before or "", each.after or ""))
        shown: list[Any] = [{"before": each.before, "after": each.after, "count": each.count} for each in ordered]
        return shown
