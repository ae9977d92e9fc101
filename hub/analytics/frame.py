"""What the figures of one period share: the records, the groups customers fall into, and how a value is put together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hub.analytics.book import members
from hub.analytics.definitions import Definition
from hub.analytics.months import Period
from hub.analytics.records import Records
from hub.analytics.request import Request
from hub.analytics.shares import NOTHING, Shares, Texts, Value

Flags = NDArray[np.bool_]
Known = dict[Period, list[tuple[str | None, Flags]]]
_EMPTY: Mapping[str, str] = {
    "cohort": "nobody paid on the day before {period}",
    "closing": "nobody pays on the last day of {period}",
    "renewals_due": "no renewal deal with an amount closes in {period}",
    "answers": "nobody answered in {period}",
}


@dataclass(slots=True)
class Frame:
    """A period of a request; `place` is its place among them. `known`: groups found for other frames of the request."""

    records: Records
    request: Request
    period: Period
    place: int
    known: Known = field(default_factory=dict, repr=False)

    def groups(self, customers: Texts, period: Period | None = None) -> list[tuple[str | None, Flags]]:
        """Everybody, and then the groups asked for; plans are those of `period`, if not of this one."""
        everybody: list[tuple[str | None, Flags]] = [(None, np.ones(len(customers), dtype=bool))]
        if self.request.by is None:
            return everybody
        period = period or self.period
        if customers is not self.records.book.ids:
            return [*everybody, *members(customers, self._grouping(period)).items()]
        if period not in self.known:
            self.known[period] = [*everybody, *members(customers, self._grouping(period)).items()]
        return self.known[period]

    def value(
        self,
        definition: Definition,
        shares: Shares,
        *,
        group: str | None = None,
        currency: str | None = None,
        scale: str | None = None,
        components: Mapping[str, float] = NOTHING,
        reason: str | None = None,
    ) -> Value:
        """The value of these rows; None where there is a `reason` against it, or nothing to divide by."""
        value = None if reason else shares.headline(definition.aggregation)
        if value is None and reason is None:
            reason = _EMPTY[definition.basis].format(period=self.period)
        return Value(
            definition=definition,
            period=self.period,
            value=value,
            n=len(shares),
            group=group,
            currency=currency,
            scale=scale,
            reason=reason,
            given=self._given(definition),
            components=components,
            shares=shares,
            names=self.records.names,
        )

    def _given(self, definition: Definition) -> str | None:
        asked = self.request
        if definition.name == "margin_ltv" and asked.gross_margin is not None:
            return f"a gross margin of {asked.gross_margin:.1%}"
        match definition.needs:
            case "answers":
                return f"at least {asked.minimum_answers} answers"
            case "starts" if asked.value_event is not None:
                return f"a day of value is one with use of {asked.value_event}"
            case "starts":
                return f"a day of value is one with at least {asked.value_users} users"
            case "events":
                return f"a grace of {asked.grace_days} days"
        return None

    def _grouping(self, period: Period) -> Mapping[str, str | None]:
        if self.request.by == "plan":
            return self.records.book.plans(period)
        by_segment = self.request.by == "segment"
        profiles = self.records.profiles.items()
        return {id_: profile.segment if by_segment else profile.csm_email for id_, profile in profiles}
