"""The scorecard that is explained: the customer's own, or an extra one, which reads the facts of the same day."""

from dataclasses import replace
from datetime import date

from hub.errors import NotFoundError
from hub.model.actions import Band
from hub.store import Connection
from hub.store.customers import Named
from hub.store.extra_scorecards import find_extra, find_extra_names
from hub.store.scorecards import Scorecard, find_first_day, find_newest


async def get_card(connection: Connection, who: Named, day: date | None, *, scorecard: str | None = None) -> Scorecard:
    """The newest scorecard up to `day`, as one of the customer's own; NotFoundError says what there is."""
    if scorecard is not None:
        return await _get_extra(connection, who, day, scorecard)
    card = await find_newest(connection, who.id, until=day)
    if card is None:
        first = await find_first_day(connection, who.id)
        there = f"the first is of {first}" if first else "cshub score makes one"
        raise NotFoundError(f"{who.name} ({who.id}) has no scorecard{_up_to(day)}; {there}")
    if card.computed_health is None and card.override_id is None:
        return replace(card, computed_health=card.health, computed_band=card.band)  # of before the two were told apart
    return card


async def _get_extra(connection: Connection, who: Named, day: date | None, name: str) -> Scorecard:
    extra = await find_extra(connection, who.id, name, until=day)
    card = None if extra is None else await find_newest(connection, who.id, until=extra.as_of)
    if extra is None or card is None:
        names = ", ".join(await find_extra_names(connection, who.id)) or "none"
        raise NotFoundError(f"{who.name} ({who.id}) has no extra scorecard {name!r}{_up_to(day)}; there are: {names}")
    return replace(
        card,
        as_of=extra.as_of,
        health=extra.health,
        band=extra.band,
        computed_health=extra.health,
        computed_band=extra.band,
        override_id=None,
        coverage=extra.coverage,
        reason=extra.reason,
        readings=extra.readings,
        definition=extra.name,
        definition_hash=extra.definition_hash,
    )


def _up_to(day: date | None) -> str:
    return f" up to {day}" if day else ""


def band_of(name: str | None) -> Band | None:
    return None if name is None else Band(name)
