"""A data set of events: a folder with a log of events and, where there are any, paid terms and a list of customers.

    events_daily.parquet | events.parquet | events.csv   customer, day; optionally event, count, value, users
    subscriptions.csv (.parquet)                         customer, start; optionally end, mrr, plan, seats, months, discount
    accounts.csv (.parquet)                              customer; optionally the day they signed up, the day they left

Columns are found by their usual names, or named. A term without a price is paid; one without an end runs on. Days are ordinals
and customers are codes throughout: places in `EventSet.customers`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from hub.errors import NotFoundError, RefusedError
from scoring.datasets.tables import NO_DAY, Table, Texts, read
from scoring.evaluation import Integers
from scoring.facts import Floats

BITS = 40  # of a customer's code, where day and customer are one number
MASK = (1 << BITS) - 1
RUNS_ON = np.iinfo(np.int32).max  # the end of a term that has none; later than every day

CUSTOMER = ("customer_id", "account_id", "customer", "account", "user_id", "user", "client_id", "msno", "id")
TIME = ("event_date", "event_time", "time", "timestamp", "date", "day", "occurred_at", "datetime", "created_at", "ts")
EVENT = ("event", "event_type", "event_name", "event_type_id", "type", "action", "feature", "feature_name", "kind")
COUNT = ("n", "count", "events")
VALUE = ("value_sum", "value", "amount", "price", "revenue", "quantity")
USERS = ("active_users", "users")
SIGNED_UP = ("signup_date", "signed_up_on", "signed_up", "signup", "created_at", "registered_on", "start_date")
START = ("start_date", "started_on", "start", "from", "transaction_date")
END = ("end_date", "ended_on", "end", "until", "membership_expire_date")
MRR = ("mrr", "mrr_amount", "monthly_price", "price", "amount")
PLAN = ("plan", "plan_tier", "plan_name", "product", "tier")
SEATS = ("seats", "quantity", "users")
MONTHS = ("bill_period_months", "period_months", "term_months", "months")
DISCOUNT = ("discount",)
SEAT_UNITS = frozenset({"users", "user", "seats", "seat", ""})

FILES = {"events": ("events_daily", "events"), "terms": ("subscriptions",), "accounts": ("accounts", "customers")}


@dataclass(frozen=True, slots=True)
class Naming:
    """What the columns of a folder are called, where it is not usual: {role: column}, and how its CSV files are parted."""

    columns: Mapping[str, str | None] = field(default_factory=dict)
    separator: str = ","

    def of(self, role: str) -> str | None:
        return self.columns.get(role)


@dataclass(frozen=True, slots=True)
class Events:
    """Ordered by day. counts: how many events a row stands for; values, users: None where the log has no such column.

    active: (customers, days), each pair once, ordered by day
    """

    customers: Integers
    days: Integers
    kinds: Integers
    names: Sequence[str]
    counts: Floats
    values: Floats | None
    users: Floats | None
    active: tuple[Integers, Integers]


@dataclass(frozen=True, slots=True)
class Terms:
    """Paid terms, in any order; a term covers start <= day < end. What the file does not say is NaN or empty.

    ends_foreseen  whether an end is known from the start: every term has one, so it is what was paid for, and not the day
                   of a cancellation, which nobody knew before
    """

    customers: Integers
    starts: Integers
    ends: Integers
    mrr: Floats
    plans: Texts
    seats: Floats
    months: Floats
    discounts: Floats
    ends_foreseen: bool


@dataclass(frozen=True, slots=True)
class EventSet:
    """signed_up, left: ordinals by customer, NO_DAY where not known; None where there is no such column.

    known_until: the last day the data speak of: nothing that could have been recorded later counts as not having happened.
    """

    customers: Texts
    events: Events
    terms: Terms | None
    signed_up: Integers | None
    left: Integers | None
    accounts: Table | None
    account_rows: Integers | None
    known_until: int

    @classmethod
    def load(cls, folder: Path, naming: Naming, *, known_until: int | None = None) -> Self:
        """NotFoundError and RefusedError name the files and columns there are."""
        if not folder.is_dir():
            raise NotFoundError(f"there is no folder {folder}")
        log = _table(folder, "events", naming)
        if log is None:
            there = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
            raise NotFoundError(f"{folder} has no events.csv, events.parquet or events_daily.parquet; it has: {there}")
        tables = {
            "events": log,
            "terms": _table(folder, "terms", naming),
            "accounts": _table(folder, "accounts", naming),
        }
        coded = {
            name: table.codes(
                table.get(
                    naming.of("customer") if name == "events" else _if_there(table, naming.of("customer")),
                    CUSTOMER,
                    what="the customer",
                    option="--customer",
                )
            )
            for name, table in tables.items()
            if table is not None
        }
        customers = np.unique(np.concatenate([names for names, _ in coded.values()]))
        rows = {name: _recode(names, codes, customers) for name, (names, codes) in coded.items()}
        events = _events(log, rows["events"], naming)
        accounts = tables["accounts"]
        signed_up = left = account_rows = None
        if accounts is not None:
            account_rows = rows["accounts"]
            if column := accounts.find(naming.of("signed_up"), SIGNED_UP):
                signed_up = _by_customer(accounts.days(column), account_rows, len(customers))
            if column := naming.of("left"):
                left = _by_customer(accounts.days(column), account_rows, len(customers))
        elif naming.of("left"):
            raise NotFoundError(f"{folder} has no accounts.csv, whose column {naming.of('left')!r} would say who left")
        terms = _terms(tables["terms"], rows["terms"], naming) if tables["terms"] is not None else None
        if known_until is None:
            known_until = (
                int(events.days.max()) if terms is None or left is not None else _recorded_until(terms, events)
            )
        return cls(customers, events, terms, signed_up, left, accounts, account_rows, known_until)


def _table(folder: Path, what: str, naming: Naming) -> Table | None:
    if given := naming.of(f"{what}_file"):
        return read(folder / given, separator=naming.separator)
    paths = (folder / f"{stem}{ending}" for stem in FILES[what] for ending in (".parquet", ".csv"))
    found = next((path for path in paths if path.is_file()), None)
    return read(found, separator=naming.separator) if found else None


def _recorded_until(terms: Terms, events: Events) -> int:
    """The newest term tells how long terms were recorded: one that ends later has nobody to say what followed. Where an end
    is a cancellation it was recorded too, if it does not lie ahead of everything that happened."""
    newest = int(terms.starts.max())
    ends = terms.ends[terms.ends <= events.days[-1]]
    return newest if terms.ends_foreseen or not ends.size else max(newest, int(ends.max()))


def _if_there(table: Table, name: str | None) -> str | None:
    """What the log calls the customer need not be what the other files do."""
    return name if name in table.columns else None


def _recode(names: Texts, codes: Integers, customers: Texts) -> Integers:
    """Codes of `names` as places in `customers`; -1 stays."""
    return np.append(np.searchsorted(customers, names), -1)[codes].astype(np.int64)


def _by_customer(days: Integers, rows: Integers, customers: int) -> Integers:
    found = np.full(customers, NO_DAY, dtype=np.int64)
    known = rows >= 0
    found[rows[known]] = days[known]
    return found


def _events(log: Table, customers: Integers, naming: Naming) -> Events:
    def numbers(role: str, usual: Sequence[str]) -> Floats | None:
        column = log.find(naming.of(role), usual)
        return None if column is None else log.numbers(column)

    days = log.days(log.get(naming.of("time"), TIME, what="the time", option="--time"))
    kind = log.find(naming.of("event"), EVENT)
    names, kinds = log.codes(kind) if kind else (np.array(["event"]), np.zeros(len(log), dtype=np.int64))
    counts = numbers("count", COUNT)
    counts = np.ones(len(log)) if counts is None else np.nan_to_num(counts, nan=1.0)
    values, users = numbers("value", VALUE), numbers("users", USERS)
    whole = np.flatnonzero((customers >= 0) & (days != NO_DAY) & (kinds >= 0))
    if not whole.size:
        raise RefusedError(f"{log.name}: no row has a customer, a time and an event")
    order = whole[np.argsort(days[whole], kind="stable")]
    pairs = np.unique(days[order] << BITS | customers[order])
    return Events(
        customers[order],
        days[order],
        kinds[order],
        names.tolist(),
        counts[order],
        None if values is None else np.nan_to_num(values[order]),
        None if users is None else np.nan_to_num(users[order]),
        (pairs & MASK, pairs >> BITS),
    )


def _terms(table: Table, customers: Integers, naming: Naming) -> Terms:
    def numbers(role: str, usual: Sequence[str]) -> Floats:
        column = table.find(naming.of(role), usual)
        return np.full(len(table), np.nan) if column is None else table.numbers(column)

    starts = table.days(table.get(naming.of("start"), START, what="the start of a term", option="--start"))
    end = table.find(naming.of("end"), END)
    ends = np.full(len(table), NO_DAY) if end is None else table.days(end)
    ends_foreseen = bool((ends != NO_DAY).all())
    ends = np.where(ends == NO_DAY, RUNS_ON, ends)
    mrr, seats = numbers("mrr", MRR), numbers("seats", SEATS)
    if "units" in table.columns:
        seats[~np.isin(np.char.lower(table.texts("units")), list(SEAT_UNITS))] = np.nan
    plan = table.find(naming.of("plan"), PLAN)
    plans = np.full(len(table), "", dtype=np.str_) if plan is None else table.texts(plan)
    paid = (customers >= 0) & (starts != NO_DAY) & (ends > starts) & ~(mrr <= 0)
    if not paid.any():
        raise RefusedError(f"{table.name}: no row has a customer, a start, a later end and a price")
    return Terms(
        customers[paid],
        starts[paid],
        ends[paid],
        mrr[paid],
        plans[paid],
        seats[paid],
        numbers("months", MONTHS)[paid],
        numbers("discount", DISCOUNT)[paid],
        ends_foreseen,
    )
