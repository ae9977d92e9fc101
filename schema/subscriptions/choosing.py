"""Which events a subscription wants: tests on what the log says of an event, made without asking the database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from hub.store.events import Heard
from hub.store.query import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a subscription is told.

    kind         of event; entity: what it is read as
    plan         what its selection reads
    after        the number of the event it goes on behind; None: from now on
    customer_id  only of this customer
    changes      only these; empty: any
    data         {key of an event's data: the values it may have}
    """

    kind: str
    entity: str
    plan: Plan = field(repr=False)
    after: int | None
    customer_id: str | None = None
    changes: frozenset[str] = frozenset()
    data: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def meets(self, heard: Heard) -> bool:
        return (
            heard.kind == self.kind
            and (self.customer_id is None or heard.customer_id == self.customer_id)
            and (not self.changes or heard.change in self.changes)
            and all(heard.data.get(key) in values for key, values in self.data.items())
        )


def texts(values: Iterable[Any] | None) -> frozenset[str]:
    """Members of enums, or texts, as the log knows them."""
    return frozenset(str(each.value if isinstance(each, Enum) else each) for each in values or ())
