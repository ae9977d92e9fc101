"""Payments in trouble: invoices of which a payment failed in 90 days, and every 30 days past due as one more."""

from collections.abc import Mapping

from scoring.curves import Points
from scoring.facts import Floats
from scoring.measure import Lever, Measure, Numbers
from scoring.wording import counted

PAST_DUE = 30.0
"""Days past due that weigh as much as a failed payment."""


def _value(columns: Mapping[str, Floats]) -> Floats:
    return columns["payment_failures_90d"] + columns["days_past_due"] / PAST_DUE


def _sentence(value: float, facts: Numbers) -> str:
    failures, days = facts["payment_failures_90d"] or 0.0, facts["days_past_due"] or 0.0
    failed = f"{counted(failures, 'payment', 'payments')} failed" if failures else "No payment failed"
    due = f"the oldest unpaid invoice is {counted(days, 'day', 'days')} past due" if days else "no invoice is past due"
    return f"{failed} in the last 90 days, {due}"


MEASURE = Measure(
    name="payment_failures",
    group="billing",
    meaning="invoices of which a payment failed in 90 days, plus days past due / 30",
    facts=("payment_failures_90d", "days_past_due"),
    live="payment_failures_90d",
    age="billing_age_days",
    unit="failures",
    curve=Points(((0, 1), (1, 0.5), (2, 0.25), (4, 0))),
    value=_value,
    sentence=_sentence,
    lever=Lever(
        fact="days_past_due",
        step=-3650.0,  # paying it ends it, however old it is
        goal=0,
        most=1,
        doing="settle the invoice that is past due: another card, another address, a word with their accounts",
    ),
)
