"""Post-mortems: what was to be seen of a customer in the year before it left, how early, and whether anyone acted.

    one = PostMortem.of(...)        signals and actions in any order; the first signal, the lead and the sentence follow
    summary(group, many)            shares of many of them

Nothing here says why a customer left: it lists what had been noted, in the order of days. A *signal* is the first day of the
year before on which something of SIGNALS held; it may have passed since. An *action* counts when it came on that day or
later, and before the customer left. *Green* is the band healthy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Self

from hub.model.actions import Band

YEAR_DAYS = 365
MILESTONES = (90, 60, 30)
"""Days before a customer left whose scorecards are shown: each the newest that is not later."""

SIGNALS: Mapping[str, str] = {
    "band_warning": "the band was warning",
    "band_critical": "the band was critical",
    "churn_medium": "churn risk was medium",
    "churn_high": "churn risk was high",
    "alert_opened": "an alert was opened",
    "payment_failed": "a payment had failed",
    "usage_halved": "use had fallen by half within 28 days",
    "unused": "nobody had used the product for 28 days",
    "nps_detractor": "the newest NPS answer was a detractor's",
    "champion_lost": "a champion had left",
}
"""Every signal there is, in words."""

ACTIONS: Mapping[str, str] = {
    "alert_worked_on": "an alert was worked on",
    "alert_closed": "an alert was closed",
    "playbook_run": "a playbook ran",
    "delivery_confirmed": "a message was delivered",
    "override_set": "health was overridden",
}
BY_PEOPLE = frozenset({"alert_worked_on", "alert_closed", "override_set"})
"""Actions only people take; a playbook counts among them where somebody ran it by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A scorecard so many days before. health, band: what was in force; computed_…: what the definition made of the facts."""

    as_of: date
    health: float | None
    band: str | None
    computed_health: float | None
    computed_band: str | None
    coverage: float
    churn_risk: float | None
    churn_band: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """`days_before` the customer left; `card` is the newest not later, None where there was none yet."""

    days_before: int
    card: Card | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A kind of SIGNALS, the first day it held, and how many days before the customer left that was."""

    kind: str
    on: date
    lead_days: int

    @property
    def words(self) -> str:
        return SIGNALS[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A kind of ACTIONS. `by` is a person, where one is known."""

    kind: str
    on: date
    by: str | None = None
    what: str | None = None

    @property
    def words(self) -> str:
        return ACTIONS[self.kind]

    @property
    def is_a_persons(self) -> bool:
        return self.kind in BY_PEOPLE or self.by is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMortem:
    """What was known of a customer before it left.

    churned_on   first day without a paid term; noticed_on: notice of it; last_used_on: last day of any use
    last         the newest scorecard before it left
    signals      of the year before, the earliest first
    actions      since the first signal, the earliest first; empty without a signal
    green        whether the last scorecard was healthy; None where there was none, or it had no score
    """

    customer_id: str
    customer_name: str
    segment: str | None
    csm_email: str | None
    churned_on: date
    kind: str
    noticed_on: date | None
    last_used_on: date | None
    milestones: tuple[Milestone, ...]
    last: Card | None
    signals: tuple[Signal, ...]
    actions: tuple[Action, ...]

    @classmethod
    def of(
        cls,
        *,
        customer_id: str,
        customer_name: str,
        segment: str | None,
        csm_email: str | None,
        churned_on: date,
        kind: str,
        noticed_on: date | None = None,
        last_used_on: date | None = None,
        cards: Mapping[int, Card],
        last: Card | None = None,
        first_days: Mapping[str, date],
        actions: Sequence[Action] = (),
    ) -> Self:
        """From {days before: scorecard}, {signal: first day it held} and everything that was done in the year before."""
        order = list(SIGNALS)
        signals = sorted(
            (Signal(kind=name, on=on, lead_days=(churned_on - on).days) for name, on in first_days.items()),
            key=lambda signal: (signal.on, order.index(signal.kind)),
        )
        since = signals[0].on if signals else None
        done = [each for each in actions if since is not None and since <= each.on < churned_on]
        names = list(ACTIONS)
        return cls(
            customer_id=customer_id,
            customer_name=customer_name,
            segment=segment,
            csm_email=csm_email,
            churned_on=churned_on,
            kind=kind,
            noticed_on=noticed_on,
            last_used_on=last_used_on,
            milestones=tuple(Milestone(days_before=days, card=cards.get(days)) for days in MILESTONES),
            last=last,
            signals=tuple(signals),
            actions=tuple(sorted(done, key=lambda one: (one.on, names.index(one.kind), one.by or "", one.what or ""))),
        )

    @property
    def first_signal(self) -> Signal | None:
        return self.signals[0] if self.signals else None

    @property
    def acted(self) -> bool:
        return bool(self.actions)

    @property
    def acted_by_person(self) -> bool:
        return any(action.is_a_persons for action in self.actions)

    @property
    def green(self) -> bool | None:
        return None if self.last is None or self.last.band is None else self.last.band == Band.HEALTHY.value

    @property
    def summary(self) -> str:
        """One sentence: what was seen first, what was done then, how it looked at the end."""
        return f"{self.customer_name} left on {self.churned_on}: {self._seen()}; {self._at_the_end()}."

    def _seen(self) -> str:
        first = self.first_signal
        if first is None:
            return "nothing had been noted in the year before"
        seen = f"the first sign was noted {first.lead_days} days before, on {first.on} ({first.words})"
        if not self.actions:
            return f"{seen}, and nobody acted on it"
        act = self.actions[0]
        who = f" by {act.by}" if act.by else ""
        return f"{seen}, and {(act.on - first.on).days} days later {act.words}{who}"

    def _at_the_end(self) -> str:
        if self.last is None:
            return "it never had a scorecard"
        if self.last.band is None or self.last.health is None:
            return f"its last scorecard, of {self.last.as_of}, had no score for want of data"
        green = "still green, " if self.green else ""
        return f"its last scorecard, of {self.last.as_of}, was {green}{self.last.health * 100:.0f} of 100, {self.last.band}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Of many who left. Shares are 0-1, None where there is nothing to share.

    group          a segment or a CSM; None: everybody
    green          left while their last scorecard was healthy, among the `judged`, whose last scorecard had a score
    with_signal    had a signal in the year before, among all; `median_lead_days` of the first
    acted          something was done after it, among those with a signal; by_person: by a person
    """

    group: str | None
    churned: int
    judged: int
    green: int
    with_signal: int
    median_lead_days: float | None
    acted: int
    acted_by_person: int

    @property
    def share_green(self) -> float | None:
        return self.green / self.judged if self.judged else None

    @property
    def share_with_signal(self) -> float | None:
        return self.with_signal / self.churned if self.churned else None

    @property
    def share_acted(self) -> float | None:
        return self.acted / self.with_signal if self.with_signal else None


def summary(group: str | None, found: Sequence[PostMortem]) -> Summary:
    """Of `found`, who all belong to `group`."""
    leads = [one.first_signal.lead_days for one in found if one.first_signal is not None]
    return Summary(
        group=group,
        churned=len(found),
        judged=sum(one.green is not None for one in found),
        green=sum(one.green is True for one in found),
        with_signal=len(leads),
        median_lead_days=float(median(leads)) if leads else None,
        acted=sum(one.acted for one in found),
        acted_by_person=sum(one.acted_by_person for one in found),
    )
