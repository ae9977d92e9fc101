"""Invoices of the running terms, one a month in advance, and the payments that fail.

One in about seventy payments fails and is made good within days. Where the payment of the next renewal is going to fail for
good (an expired card, a lost budget), payments begin to fail in the three months before. Of a term whose payment fails for
good the first invoice is never paid: after some attempts the contract ends (contracts.DUNNING_DAYS).

Everything about an invoice follows from the seed, its term and its month, so that one more day changes nothing before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from connectors.kit.simulated import Bill
from hub.demo.company.contracts import DAY_SECONDS, DUNNING_DAYS, Contracts, TermLife
from hub.demo.company.recount import NIGHT_RUN
from hub.demo.company.retelling import Retelling, Viewpoint
from hub.demo.company.roster import month_later
from hub.demo.company.streams import Purpose, stream

DUE_DAYS = 14
FAILS, FAILS_BEFORE_THE_END, BEFORE_THE_END = (
    0.014,
    0.33,
    95,
)  # chance; chance in the days before a payment fails for good
ATTEMPT_DAYS = 5
OLDEST = -60  # invoices from before the window that are still told
MONTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Life:
    """An invoice as it goes. Seconds since the opening; paid: None where it never is."""

    customer: int
    term: int  # place of the term among all
    amount: float
    issued: int
    failures: tuple[int, ...]
    paid: int | None


def bills(contracts: Contracts, *, seed: int, started_on: date) -> Retelling[_Life, Bill]:
    """All invoices there will be, in order of issue."""
    lives = sorted(
        (
            life
            for place, term in enumerate(contracts.lives)
            for life in _of_term(contracts, term, place, seed, started_on=started_on)
        ),
        key=lambda life: (life.issued, life.term),
    )
    return Retelling(lives, begins=lambda life: life.issued, over=_over, tell=_bill)


def _over(life: _Life) -> int:
    """The second from which on nothing happens to it."""
    given_up = life.failures[-1] + ATTEMPT_DAYS * DAY_SECONDS if life.paid is None else life.paid
    return max(life.issued, *life.failures, given_up)


def _of_term(contracts: Contracts, term: TermLife, place: int, seed: int, *, started_on: date) -> Iterator[_Life]:
    if min(term.ended, term.renews) <= OLDEST:
        return
    random = stream(seed, Purpose.BILL, term.customer, term.started + 100_000)
    draws = random.random((5, MONTHS + 1))
    lost = term.started >= 0 and term.index > 0 and contracts.payment_fails(term.customer, term.index)
    months = contracts.months(term.customer)
    bad_day = next(  # the renewal, this term's or one of the next, whose payment is going to fail for good
        (
            term.renews + round(later * months * 30.44)
            for later in range(1 + BEFORE_THE_END // (30 * months))
            if contracts.payment_fails(term.customer, term.index + 1 + later)
        ),
        None,
    )
    begins = started_on + timedelta(days=term.started)
    for month in range(MONTHS + 1):
        day = (month_later(begins, month) - begins).days + term.started if month else term.started
        issued = day * DAY_SECONDS + NIGHT_RUN
        if day >= min(term.ended, term.renews):
            return
        if day < OLDEST:
            continue
        near = bad_day is not None and bad_day - day <= BEFORE_THE_END
        fails, retries, quick, wait, hour = draws[:, month].tolist()
        tried = issued + int(hour * 30_000)
        failures: tuple[int, ...] = ()
        paid: int | None = tried if quick < 0.6 else tried + int((2 + 14 * wait) * DAY_SECONDS)
        if lost and month == 0:
            failures, paid = tuple(range(tried, (day + DUNNING_DAYS) * DAY_SECONDS, ATTEMPT_DAYS * DAY_SECONDS)), None
        elif fails < (FAILS_BEFORE_THE_END if near else FAILS):
            failures = tuple(tried + many * 3 * DAY_SECONDS for many in range(1 + int(retries * 3)))
            paid = failures[-1] + 3 * DAY_SECONDS
        amount = round(term.price * term.seats, 2)
        yield _Life(customer=term.customer, term=place, amount=amount, issued=issued, failures=failures, paid=paid)


def _bill(view: Viewpoint, number: int, life: _Life) -> Bill:
    now = view.second
    failed = [second for second in life.failures if second <= now]
    paid = life.paid is not None and life.paid <= now
    given_up = life.paid is None and now >= life.failures[-1] + ATTEMPT_DAYS * DAY_SECONDS
    issued_on = view.at(life.issued).date()
    over = life.failures[-1] + ATTEMPT_DAYS * DAY_SECONDS if given_up else None
    return Bill(
        number=number,
        account=life.customer + 1,
        amount=life.amount,
        currency="USD",
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=DUE_DAYS),
        paid_at=view.at(life.paid) if paid and life.paid is not None else None,
        failed_at=view.at(failed[0]) if failed else None,
        attempts=len(failed) + paid,
        status="paid" if paid else "failed" if given_up else "open",
        updated_at=view.latest(life.issued, *life.failures, life.paid, over),
    )
