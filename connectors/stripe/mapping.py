"""Stripe's objects as records. Pure; the pull has completed them.

    raw["read_at"]   when Stripe gave the object away, in milliseconds: its version, because objects do not tell when they
                     were changed last, and what is read later is newer

A subscription is one term, as long as it lives: Stripe tells only what it is now. See the README.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from connectors.kit import values
from connectors.kit.base import Raw
from connectors.stripe.money import item_mrr, money, mrr
from hub.model.records import (
    CancellationKind,
    Company,
    Invoice,
    InvoiceStatus,
    Subscription,
    SubscriptionStatus,
)

STATUSES: Mapping[str, SubscriptionStatus | None] = {
    "trialing": SubscriptionStatus.TRIAL,
    "active": SubscriptionStatus.ACTIVE,
    "past_due": SubscriptionStatus.PAST_DUE,
    "unpaid": SubscriptionStatus.PAST_DUE,
    "paused": SubscriptionStatus.ACTIVE,
    "canceled": SubscriptionStatus.ENDED,
    "incomplete": None,  # its first payment is still to come, or never came: it has not begun
    "incomplete_expired": None,
}
WITHOUT_REVENUE = frozenset({"trialing", "paused"})
COLLECTION_PAUSED: Mapping[str, bool] = {"void": True, "mark_uncollectible": True, "keep_as_draft": False}
CANCELLATIONS: Mapping[str, CancellationKind | None] = {
    "": None,
    "cancellation_requested": CancellationKind.VOLUNTARY,
    "payment_failed": CancellationKind.INVOLUNTARY,
    "payment_disputed": CancellationKind.INVOLUNTARY,
}
INVOICE_STATUSES: Mapping[str, InvoiceStatus | None] = {
    "draft": None,  # nobody has been asked to pay yet
    "open": InvoiceStatus.OPEN,
    "paid": InvoiceStatus.PAID,
    "uncollectible": InvoiceStatus.FAILED,
    "void": InvoiceStatus.VOID,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Keys of a customer's metadata; None: not kept there."""

    external_key: str | None = None
    domain: str | None = None
    segment: str | None = None
    csm_email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanNames:
    """What to call a price or a product, by its id, before Stripe's own names."""

    names: Mapping[str, str] = field(default_factory=dict)

    def of(self, price: Mapping[str, Any]) -> str:
        product = price.get("product")
        product_id = str(product.get("id")) if isinstance(product, Mapping) else str(product)
        told = self.names.get(str(price["id"])) or self.names.get(product_id)
        own = price.get("nickname") or price.get("lookup_key")
        return told or (str(own) if own else product_id if product else str(price["id"]))


def company(raw: Raw, *, metadata: Metadata, email_domains: bool) -> Company:
    key = str(raw["id"])
    if raw.get("deleted"):
        return Company(key=key, version=_version(raw), company_key=key, deleted=True)
    kept: Mapping[str, Any] = raw.get("metadata") or {}
    email = values.text(raw.get("email"))
    told = [_kept(kept, metadata.domain), email.rpartition("@")[2] if email_domains and email else None]
    csm = _kept(kept, metadata.csm_email)
    return Company(
        key=key,
        version=_version(raw),
        company_key=key,
        name=values.text(raw.get("name")) or email,
        domains=tuple(dict.fromkeys(domain.lower() for domain in told if domain)),
        external_key=_kept(kept, metadata.external_key),
        segment=_kept(kept, metadata.segment),
        country=values.text((raw.get("address") or {}).get("country")),
        csm_email=csm.lower() if csm else None,
        became_customer_on=values.day(raw.get("created"), field="created"),
    )


def subscriptions(raw: Raw, *, plans: PlanNames) -> list[Subscription]:
    """The subscription, once it has begun."""
    status = values.choice(raw.get("status"), STATUSES, field="status")
    return [] if status is None else [subscription(raw, status=status, plans=plans)]


def subscription(raw: Raw, *, status: SubscriptionStatus, plans: PlanNames) -> Subscription:
    items, currency, at = list(raw["items"]["data"]), str(raw["currency"]), _version(raw)
    worth = sorted(items, key=lambda item: -item_mrr(item, currency=currency, at=at))
    seats = [item["quantity"] for item in items if item.get("quantity") is not None]
    ends = [item["current_period_end"] for item in items if item.get("current_period_end") is not None]
    if not ends and raw.get("current_period_end") is not None:
        ends = [raw["current_period_end"]]  # versions of the API before 2025-03-31
    notice = bool(raw.get("cancel_at_period_end")) or raw.get("cancel_at") is not None
    if status is SubscriptionStatus.ACTIVE and notice:
        status = SubscriptionStatus.CANCELLED
    reason = (raw.get("cancellation_details") or {}).get("reason")
    revenue = mrr(items, raw.get("discounts") or (), currency=currency, at=at)
    return Subscription(
        key=str(raw["id"]),
        version=at,
        company_key=_customer(raw),
        plan=plans.of(worth[0]["price"]) if worth else "none",
        mrr=0.0 if _earns_nothing(raw) else revenue,
        currency=currency.upper(),
        seats_purchased=sum(values.whole(seat, field="quantity") for seat in seats) if seats else None,
        started_on=values.day(raw.get("start_date"), field="start_date"),
        renews_on=_day(min(ends), "current_period_end") if ends else None,
        ended_on=_day(raw.get("ended_at"), "ended_at"),
        auto_renew=status not in (SubscriptionStatus.CANCELLED, SubscriptionStatus.ENDED),
        status=status,
        cancelled_at=_moment(raw.get("canceled_at"), "canceled_at"),
        cancellation_kind=values.choice(reason, CANCELLATIONS, field="cancellation_details.reason"),
    )


def invoices(raw: Raw) -> list[Invoice]:
    """The invoice, once it is final."""
    status = values.choice(raw.get("status"), INVOICE_STATUSES, field="status")
    return [] if status is None else [invoice(raw, status=status)]


def invoice(raw: Raw, *, status: InvoiceStatus) -> Invoice:
    """Its first payment is tried as soon as it is final; failed it has where it was tried in vain, or more than once.

    An open one that is to be collected, has been tried, and will not be tried again, has failed.
    """
    moments: Mapping[str, Any] = raw.get("status_transitions") or {}
    issued = moments.get("finalized_at") or raw.get("created")
    collected = values.choice(
        raw.get("collection_method"), {"charge_automatically": True, "send_invoice": False}, field="collection_method"
    )
    attempts = values.whole(raw.get("attempt_count", 0), field="attempt_count")
    failed = collected and attempts >= (2 if status is InvoiceStatus.PAID else 1)
    if failed and status is InvoiceStatus.OPEN and raw.get("next_payment_attempt") is None:
        status = InvoiceStatus.FAILED
    currency = str(raw["currency"])
    return Invoice(
        key=str(raw["id"]),
        version=_version(raw),
        company_key=_customer(raw),
        number=values.text(raw.get("number")),
        amount=money(raw.get("total"), currency, field="total"),
        currency=currency.upper(),
        issued_on=values.day(issued, field="created"),
        due_on=_day(raw.get("due_date"), "due_date"),
        paid_at=_moment(moments.get("paid_at"), "status_transitions.paid_at"),
        failed_at=_moment(issued, "created") if failed else None,
        attempts=attempts,
        status=status,
    )


def _earns_nothing(raw: Raw) -> bool:
    paused = raw.get("pause_collection")
    if paused and values.choice(paused.get("behavior"), COLLECTION_PAUSED, field="pause_collection.behavior"):
        return True
    return raw.get("status") in WITHOUT_REVENUE


def _customer(raw: Raw) -> str | None:
    customer = raw.get("customer")
    return values.text(customer.get("id") if isinstance(customer, Mapping) else customer)


def _version(raw: Raw) -> int:
    return values.whole(raw.get("read_at"), field="read_at")


def _moment(value: Any, name: str) -> datetime | None:
    return values.moment(value, field=name).astimezone(UTC) if values.given(value) else None


def _day(value: Any, name: str) -> date | None:
    return values.day(value, field=name) if values.given(value) else None


def _kept(metadata: Mapping[str, Any], name: str | None) -> str | None:
    return values.text(metadata.get(name)) if name else None
