"""Chargebee's rows as records. Pure; times are seconds since 1970, amounts in the currency's smallest unit.

    raw["plan_names"]   of a subscription: names of its plan or item prices, by id

A subscription is one term, as long as it lives: Chargebee tells what it is now. See the README.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from connectors.kit import values
from connectors.kit.base import BadRowError, Raw
from hub.model.records import (
    CancellationKind,
    Company,
    Invoice,
    InvoiceStatus,
    Subscription,
    SubscriptionStatus,
)

STATUSES: Mapping[str, SubscriptionStatus | None] = {
    "future": None,  # it has not begun
    "in_trial": SubscriptionStatus.TRIAL,
    "active": SubscriptionStatus.ACTIVE,
    "non_renewing": SubscriptionStatus.CANCELLED,
    "paused": SubscriptionStatus.ACTIVE,
    "cancelled": SubscriptionStatus.ENDED,
    "transferred": SubscriptionStatus.ENDED,
}
EARN_NOTHING = frozenset({"in_trial", "paused"})
INVOICE_STATUSES: Mapping[str, InvoiceStatus | None] = {
    "pending": None,  # nobody has been asked to pay yet
    "posted": InvoiceStatus.OPEN,
    "payment_due": InvoiceStatus.OPEN,
    "paid": InvoiceStatus.PAID,
    "not_paid": InvoiceStatus.FAILED,
    "voided": InvoiceStatus.VOID,
}
DAYS_A_MONTH = 365 / 12
MONTHS: Mapping[str, float] = {"day": 1 / DAYS_A_MONTH, "week": 7 / DAYS_A_MONTH, "month": 1.0, "year": 12.0}
RECURRING: Mapping[str, bool] = {"plan": True, "addon": True, "charge": False}
FAILURES: Mapping[str, bool] = {
    "success": False, "in_progress": False, "voided": False, "failure": True, "late_failure": True, "timeout": True,
    "needs_attention": True,
}  # fmt: skip
INVOLUNTARY: Mapping[str, CancellationKind] = dict.fromkeys(
    [
        "not_paid", "no_card", "fraud_review_failed", "non_compliant_eu_customer", "tax_calculation_failed",
        "currency_incompatible_with_gateway", "non_compliant_customer",
    ],
    CancellationKind.INVOLUNTARY,
)  # fmt: skip
WITHOUT_DECIMALS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"]
)
WITH_THREE = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFields:
    """Names of a customer's fields, most of them custom ones (`cf_…`); None: not kept there."""

    external_key: str | None = None
    domain: str | None = None
    segment: str | None = None
    csm_email: str | None = None


def company(raw: Raw, *, fields: CustomerFields, email_domains: bool) -> Company:
    key = str(raw["id"])
    if raw.get("deleted"):
        return Company(key=key, version=_version(raw), company_key=key, deleted=True)
    email, csm = values.text(raw.get("email")), _field(raw, fields.csm_email)
    person = " ".join(str(part) for part in (raw.get("first_name"), raw.get("last_name")) if values.given(part))
    told = [_field(raw, fields.domain), email.rpartition("@")[2] if email_domains and email else None]
    return Company(
        key=key,
        version=_version(raw),
        company_key=key,
        name=values.text(raw.get("company")) or person or email,
        domains=tuple(dict.fromkeys(domain.lower() for domain in told if domain)),
        external_key=_field(raw, fields.external_key),
        segment=_field(raw, fields.segment),
        country=values.text((raw.get("billing_address") or {}).get("country")),
        csm_email=csm.lower() if csm else None,
        became_customer_on=values.day(raw.get("created_at"), field="created_at"),
    )


def subscriptions(raw: Raw) -> list[Subscription]:
    """The subscription, once it has begun."""
    if raw.get("deleted"):
        return [
            Subscription(
                key=str(raw["id"]), version=_version(raw), company_key=values.text(raw.get("customer_id")), deleted=True,
                plan="none", mrr=0.0, started_on=values.day(raw.get("updated_at"), field="updated_at"),
            )
        ]  # fmt: skip
    status = values.choice(raw.get("status"), STATUSES, field="status")
    return [] if status is None else [subscription(raw, status=status)]


def subscription(raw: Raw, *, status: SubscriptionStatus) -> Subscription:
    """Its notice was given when the cancellation was scheduled, or else when it was cancelled."""
    ended = status is SubscriptionStatus.ENDED
    if status is SubscriptionStatus.ACTIVE and values.given(raw.get("due_since")):
        status = SubscriptionStatus.PAST_DUE
    notice = raw.get("cancel_schedule_created_at") or raw.get("cancelled_at")
    stopped = values.given(notice) or ended
    plans = [item for item in raw.get("subscription_items") or () if item.get("item_type") == "plan"]
    quantity = plans[0].get("quantity") if plans else raw.get("plan_quantity")
    currency = str(raw["currency_code"])
    return Subscription(
        key=str(raw["id"]),
        version=_version(raw),
        company_key=values.text(raw.get("customer_id")),
        plan=_plan(raw, plans),
        mrr=0.0 if raw.get("status") in EARN_NOTHING else _mrr(raw, currency, ended=ended),
        currency=currency,
        seats_purchased=values.whole(quantity, field="quantity") if values.given(quantity) else None,
        started_on=values.day(raw.get("started_at"), field="started_at"),
        renews_on=_day(raw.get("next_billing_at") or raw.get("current_term_end"), "current_term_end"),
        ended_on=_day(raw.get("cancelled_at"), "cancelled_at") if ended else None,
        auto_renew=not stopped,
        status=status,
        cancelled_at=_moment(notice, "cancelled_at"),
        cancellation_kind=_kind(raw.get("cancel_reason")) if stopped else None,
    )


def invoices(raw: Raw) -> list[Invoice]:
    """The invoice, once it is final."""
    if raw.get("deleted"):
        day = values.day(raw.get("updated_at"), field="updated_at")
        key, owner = str(raw["id"]), values.text(raw.get("customer_id"))
        return [Invoice(key=key, version=_version(raw), company_key=owner, deleted=True, amount=0.0, issued_on=day)]
    status = values.choice(raw.get("status"), INVOICE_STATUSES, field="status")
    return [] if status is None else [invoice(raw, status=status)]


def invoice(raw: Raw, *, status: InvoiceStatus) -> Invoice:
    """It failed first at the time of the first payment of it that did."""
    payments = list(raw.get("linked_payments") or ())
    failed = [
        values.moment(each.get("txn_date"), field="linked_payments.txn_date")
        for each in payments
        if values.choice(each.get("txn_status"), FAILURES, field="linked_payments.txn_status")
    ]
    currency = str(raw["currency_code"])
    return Invoice(
        key=str(raw["id"]),
        version=_version(raw),
        company_key=values.text(raw.get("customer_id")),
        number=str(raw["id"]),
        amount=_money(raw.get("total"), currency, field="total"),
        currency=currency,
        issued_on=values.day(raw.get("date"), field="date"),
        due_on=_day(raw.get("due_date"), "due_date"),
        paid_at=_moment(raw.get("paid_at"), "paid_at") if status is InvoiceStatus.PAID else None,
        failed_at=min(failed, default=None),
        attempts=len(payments),
        status=status,
    )


def _mrr(raw: Raw, currency: str, *, ended: bool) -> float:
    """Chargebee's own figure where the site has it; else the recurring amounts of a billing period, a month.

    Of one that has ended Chargebee says 0; what it brought until then is what was lost.
    """
    if values.given(raw.get("mrr")) and not ended:
        return _money(raw["mrr"], currency, field="mrr")
    unit = values.choice(raw.get("billing_period_unit"), MONTHS, field="billing_period_unit")
    months = unit * values.number(raw.get("billing_period"), field="billing_period")
    if months <= 0:
        raise BadRowError("is no length of time", field="billing_period")
    items = raw.get("subscription_items")
    if items is not None:
        recurring = [item for item in items if values.choice(item.get("item_type"), RECURRING, field="item_type")]
        amounts = [item.get("amount", 0) for item in recurring]
    else:
        plan = values.number(raw.get("plan_unit_price", 0), field="plan_unit_price")
        quantity = values.number(raw.get("plan_quantity", 1), field="plan_quantity")
        whole = raw.get("plan_amount")
        addons = (addon.get("amount", 0) for addon in raw.get("addons") or ())
        amounts = [whole if whole is not None else plan * quantity, *addons]
    total = sum(_money(amount, currency, field="amount") for amount in amounts)
    return round(total / months, 2)


def _plan(raw: Raw, plans: list[Mapping[str, Any]]) -> str:
    ids = [str(item["item_price_id"]) for item in plans] or [str(raw.get("plan_id") or "none")]
    names: Mapping[str, str] = raw.get("plan_names") or {}
    return names.get(ids[0], ids[0])


def _kind(reason: Any) -> CancellationKind:
    """Chargebee names a reason where it was not the customer who cancelled."""
    if not values.given(reason):
        return CancellationKind.VOLUNTARY
    return values.choice(reason, INVOLUNTARY, field="cancel_reason")


def _money(minor: Any, currency: str, *, field: str) -> float:
    places = 0 if currency in WITHOUT_DECIMALS else 3 if currency in WITH_THREE else 2
    return values.number(minor, field=field) / float(10**places)


def _version(raw: Raw) -> int:
    told = raw.get("resource_version")
    if values.given(told):
        return values.whole(told, field="resource_version")
    return values.version(values.moment(raw.get("updated_at"), field="updated_at"))


def _field(raw: Raw, name: str | None) -> str | None:
    return values.text(raw.get(name)) if name else None


def _moment(value: Any, name: str) -> datetime | None:
    return values.moment(value, field=name) if values.given(value) else None


def _day(value: Any, name: str) -> date | None:
    return values.day(value, field=name) if values.given(value) else None
