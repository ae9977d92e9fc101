"""The facts: the catalogue of names everything else speaks in, and the table of their values on a day.

A fact is a named value about a customer on a day. `hub.store.facts` computes all of them for all customers with a few
SQL statements; health measures, churn features, playbook conditions and GraphQL filters choose among them by name.

Windows are trailing, whole UTC days that end with the as-of day itself: `_7d` is the as-of day and the six before.
Definitions: distinct users for DAU/WAU/MAU follow the convention of trailing 1/7/28 days including today. A fact is
missing (NaN, None) where nothing could be known, and zero only where zero was observed: with a usage source connected a
customer without events has 0 events, without one it has none at all.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Kind = Literal["number", "text"]


@dataclass(frozen=True, slots=True)
class Fact:
    """name; kind of value; unit as shown to people; what it means; group of sources it needs live.

    history  False where days from before the hub watched it show a later value, because nothing tells what it was then
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    group: str
    history: bool = True


def _number(name: str, unit: str, meaning: str, group: str) -> Fact:
    return Fact(name, "number", unit, meaning, group)


CATALOGUE: tuple[Fact, ...] = (
    Fact("segment", "text", "", "segment of the customer, as the CRM says", "profile", history=False),
    Fact("plan", "text", "", "plan of the running subscription with the highest MRR", "billing"),
    Fact("csm_email", "text", "", "e-mail of the CSM who owns the customer", "profile", history=False),
    _number("tenure_days", "days", "since the first subscription began", "billing"),
    _number("mrr", "per month", "recurring revenue of the running subscriptions, normalised to a month", "billing"),
    _number("mrr_change_90d", "ratio", "MRR against 90 days ago, as a share of it", "billing"),
    _number("seats_purchased", "seats", "seats of the running subscriptions", "billing"),
    _number("seat_utilisation", "ratio", "distinct users of 28 days over seats purchased; over 1 is kept", "usage"),
    _number("payment_failures_90d", "invoices", "invoices of which a payment first failed in 90 days", "billing"),
    _number("days_past_due", "days", "since the oldest unpaid invoice fell due; 0 where none is overdue", "billing"),
    _number("billing_age_days", "days", "since the newest sync of living sources of billing", "billing"),
    _number("days_to_renewal", "days", "until the running subscription falls due", "billing"),
    _number("renewals", "terms", "terms renewed so far", "billing"),
    _number("dau", "users", "distinct users on the day", "usage"),
    _number("wau", "users", "distinct users in 7 days", "usage"),
    _number("mau", "users", "distinct users in 28 days", "usage"),
    _number("mau_previous", "users", "distinct users in the 28 days before those", "usage"),
    _number("mean_dau_28d", "users", "distinct users a day, mean over 28 days", "usage"),
    _number("events_28d", "events", "events in 28 days", "usage"),
    _number("events_previous_28d", "events", "events in the 28 days before those", "usage"),
    _number("usage_trend", "ratio", "events of 28 days against the 28 before, as a share of them", "usage"),
    _number("events_84d", "events", "events in 84 days", "usage"),
    _number("active_days_28d", "days", "days with any event, in 28 days", "usage"),
    _number("days_since_active", "days", "since the last event", "usage"),
    _number("sessions_28d", "sessions", "sessions in 28 days", "usage"),
    _number("logins_per_user_week", "sessions", "sessions a user and week, over 28 days", "usage"),
    _number("minutes_per_session", "minutes", "mean length of a session, over 28 days", "usage"),
    _number("stickiness", "ratio", "mean DAU over 28 days / MAU", "usage"),
    _number("features_used_28d", "features", "distinct features used in 28 days", "usage"),
    _number("features_used_previous_28d", "features", "distinct features used in the 28 days before those", "usage"),
    _number("feature_adoption", "ratio", "features used in 28 days / features any customer used in them", "usage"),
    _number("events_per_user_28d", "events", "events a user, in 28 days", "usage"),
    _number("events_per_user_previous_28d", "events", "events a user, in the 28 days before those", "usage"),
    _number("depth_trend", "ratio", "events a user of 28 days against the 28 before, as a share of them", "usage"),
    _number("usage_age_days", "days", "since the newest sync of living sources of use", "usage"),
    _number("tickets_28d", "tickets", "tickets opened in 28 days", "support"),
    _number("tickets_90d", "tickets", "tickets opened in 90 days", "support"),
    _number("tickets_open", "tickets", "tickets not solved by the end of the day", "support"),
    _number("urgent_tickets_90d", "tickets", "tickets of severity high or urgent opened in 90 days", "support"),
    _number("severe_share_90d", "ratio", "severity high or urgent among the tickets of 90 days", "support"),
    _number("first_response_minutes_90d", "minutes", "mean first response to the tickets of 90 days", "support"),
    _number("resolution_hours_90d", "hours", "mean time to solution of the tickets solved in 90 days", "support"),
    _number("reopens_90d", "reopens", "reopens of the tickets opened in 90 days and solved since", "support"),
    _number("tickets_solved_90d", "tickets", "tickets solved in 90 days", "support"),
    _number("reopen_rate_90d", "ratio", "reopens a ticket, of the tickets solved in 90 days", "support"),
    _number("support_age_days", "days", "since the newest sync of living sources of tickets", "support"),
    _number(
        "csat_90d", "ratio", "share of good among the CSAT answers of 90 days; good is the top two boxes", "support"
    ),
    _number("csat_answers_90d", "answers", "CSAT answers in 90 days", "support"),
    _number("nps_last", "0-10", "the newest NPS score", "feedback"),
    _number(
        "nps_mean_180d", "0-10", "mean NPS score over the newest answer of each respondent in 180 days", "feedback"
    ),
    _number("nps_age_days", "days", "since the newest NPS answer", "feedback"),
    _number("nps_answers_180d", "answers", "NPS answers in 180 days", "feedback"),
    _number("survey_answers_90d", "answers", "answers to any survey in 90 days", "feedback"),
    _number(
        "survey_silence_days",
        "days",
        "since the newest answer to any survey; of who never answered since they could have",
        "feedback",
    ),
    _number("feedback_age_days", "days", "since the newest sync of living sources of surveys", "feedback"),
    _number("champions", "contacts", "contacts in the role of a champion", "profile"),
    _number(
        "champions_lost_90d",
        "contacts",
        "champions who left or changed role in 90 days, and have not come back",
        "profile",
    ),
    _number("executives", "contacts", "contacts in the role of an executive", "profile"),
    _number("executive_silence_days", "days", "since any executive was last seen or in contact", "profile"),
    _number("profile_age_days", "days", "since the newest sync of living sources of companies and contacts", "profile"),
    _number("sentiment", "0-1", "the CSM's judgement in force; 1 is best", "judgement"),
    _number("sentiment_age_days", "days", "since that judgement was given", "judgement"),
)

FACTS: Mapping[str, Fact] = {fact.name: fact for fact in CATALOGUE}


@dataclass(frozen=True, slots=True)
class FactTable:
    """Facts of many customers on one day, one column a fact.

    customers  ids, length n
    numbers    {fact: float64[n]}, NaN where missing
    texts      {fact: (str | None)[n]}
    """

    as_of: date
    customers: Sequence[str]
    numbers: Mapping[str, Floats]
    texts: Mapping[str, Sequence[str | None]]

    @classmethod
    def of(cls, as_of: date, columns: Mapping[str, Sequence[Any]]) -> Self:
        """A table of {"customer_id": ids, fact: values of float | str | None}; what is no text fact is a number."""
        texts = {name for name, fact in FACTS.items() if fact.kind == "text"}
        return cls(
            as_of=as_of,
            customers=list(columns["customer_id"]),
            numbers={
                name: np.array(column, dtype=np.float64)
                for name, column in columns.items()
                if name not in texts and name != "customer_id"
            },
            texts={name: list(column) for name, column in columns.items() if name in texts},
        )

    def __len__(self) -> int:
        return len(self.customers)

    def at(self, index: int) -> dict[str, float | str | None]:
        """All columns of the customer at `index`; what is missing is None."""
        return self.rows([index])[0]

    def rows(self, indices: Sequence[int], only: Container[str] | None = None) -> list[dict[str, Any]]:
        """The columns of the customers at `indices`, all or `only` some, a row each; what is missing is None."""
        chosen = np.asarray(indices, dtype=np.int64)
        numbers = {name: column for name, column in self.numbers.items() if only is None or name in only}
        texts = {name: column for name, column in self.texts.items() if only is None or name in only}
        columns: list[Sequence[Any]] = [plain(column[chosen]) for column in numbers.values()]
        columns += [[column[index] for index in indices] for column in texts.values()]
        names = [*numbers, *texts]
        if not names:
            return [{} for _ in indices]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def plain(column: Floats) -> list[float | None]:
    """A column as a list, None where it is NaN."""
    return [None if value != value else value for value in column.tolist()]
