"""What is asked for, checked before the first row is read."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.errors import NotFoundError, RefusedError
from hub.model.conditions import Condition, ConditionError, parse
from hub.segments import VOCABULARY, settle
from hub.store import Store
from hub.store.bi import VIEWS, Given, View, read_pages


class PersonalError(RefusedError):
    """Columns of personal data, asked for by name by who may not see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """columns: None for all that may be seen. where: a condition on customers, as a mapping. owner: whose private segments.

    book, personal   what of it the asker may see
    """

    view: str
    columns: Sequence[str] | None = None
    where: Mapping[str, Any] | None = None
    owner: str | None = None
    book: str | None = None
    personal: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Ready to be read. `left_out`: columns that are personal data, which nobody named and the asker may not see."""

    view: View
    columns: Sequence[Given]
    condition: Condition | None
    book: str | None
    left_out: Sequence[str] = ()

    def pages(self, store: Store) -> AsyncIterator[list[dict[str, Any]]]:
        return read_pages(store, self.view, self.columns, book=self.book, condition=self.condition)


async def plan(store: Store, asked: Asked, *, today: date) -> Planned:
    """NotFoundError for a view there is not, PersonalError, RefusedError for wrong columns or a condition that is none."""
    view = VIEWS.get(asked.view)
    if view is None:
        raise NotFoundError(f"there is no export {asked.view!r}; there are: {', '.join(VIEWS)}")
    shown = view.shown(personal=asked.personal)
    if asked.columns is None:
        left_out = tuple(each.name for each in view.columns if each not in shown)
    else:
        shown, left_out = _named(view, asked.columns, personal=asked.personal), ()
    condition = None
    if asked.where is not None:
        try:
            condition = parse(dict(asked.where), VOCABULARY)
        except ConditionError as error:
            raise RefusedError(f"where: {error}") from None
        async with store.reading() as connection:
            condition = await settle(connection, condition, today=today, owner=asked.owner)
    return Planned(view=view, columns=shown, condition=condition, book=asked.book, left_out=left_out)


def _named(view: View, names: Sequence[str], *, personal: bool) -> tuple[Given, ...]:
    there = {each.name: each for each in view.columns}
    if unknown := [name for name in names if name not in there]:
        raise RefusedError(f"{view.name} has no column {', '.join(unknown)}; it has: {', '.join(there)}")
    named = tuple(there[name] for name in dict.fromkeys(names))
    if hidden := [each.name for each in named if each.personal and not personal]:
        raise PersonalError(f"{', '.join(hidden)}: personal data, which needs a token with the scope personal")
    if not named:
        raise RefusedError(f"no column is named; {view.name} has: {', '.join(there)}")
    return named
