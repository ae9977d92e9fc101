"""The simulated company as a Stripe account: customers, subscriptions, invoices and events, with everything expanded."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from connectors.kit.simulated import crm_id

Row = dict[str, Any]
CREATED = {"account": "customer.updated", "term": "customer.subscription.updated", "bill": "invoice.updated"}
DELETED = {"account": "customer.deleted", "term": "customer.subscription.deleted", "bill": "invoice.deleted"}
PREFIX = {"account": "cus", "term": "sub", "bill": "in"}
OBJECT = {"account": "customer", "term": "subscription", "bill": "invoice"}
REASON = {
    None: None,
    "voluntary": "cancellation_requested",
    "contraction": "cancellation_requested",
    "involuntary": "payment_failed",
}


def key(what: str, number: int) -> str:
    return f"{PREFIX[what]}_{number:08d}"


def subscription(term: Any, extra: Mapping[str, Any]) -> Row:
    """`extra`: what it has besides."""
    name, ended = key("term", term.number), term.ended_on is not None
    quantity = max(1, term.seats_purchased)
    price = {
        "id": f"price_{term.number:08d}",
        "object": "price",
        "billing_scheme": "per_unit",
        "currency": term.currency.lower(),
        "nickname": term.plan,
        "lookup_key": None,
        "product": f"prod_{term.plan}",
        "recurring": {"interval": "year", "interval_count": 1, "usage_type": "licensed", "meter": None},
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": round(term.mrr * 1200 / quantity),
        "unit_amount_decimal": f"{term.mrr * 1200 / quantity:.6f}",
    }
    item = {
        "id": f"si_{term.number:08d}",
        "object": "subscription_item",
        "current_period_start": midnight(term.started_on),
        "current_period_end": midnight(term.renews_on),
        "discounts": [],
        "price": price,
        "quantity": quantity,
        "subscription": name,
        "metadata": {"seats_used": str(term.seats_used)},
    }
    return {
        "id": name,
        "object": "subscription",
        "cancel_at": None,
        "cancel_at_period_end": not term.auto_renew and not ended,
        "canceled_at": unix(term.cancelled_at) if term.cancelled_at else None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": REASON[term.cancellation_kind]},
        "collection_method": "charge_automatically",
        "created": midnight(term.started_on),
        "currency": term.currency.lower(),
        "customer": key("account", term.account),
        "discounts": [],
        "ended_at": midnight(term.ended_on) if ended else None,
        "items": {"object": "list", "data": [item], "has_more": False, "url": "/v1/subscription_items"},
        "metadata": {},
        "pause_collection": None,
        "start_date": midnight(term.started_on),
        "status": "canceled" if ended else "active",
        "trial_end": None,
        **extra,
    }


def customer(each: Any) -> Row:
    return {
        "id": key("account", each.number),
        "object": "customer",
        "address": {"city": None, "country": each.country, "line1": None, "postal_code": None, "state": None},
        "created": midnight(each.signed_on),
        "currency": "eur",
        "delinquent": False,
        "email": f"billing@{each.domain}",
        "livemode": False,
        "metadata": {
            "crm_id": crm_id(each.number), "domain": each.domain, "segment": each.segment, "csm": each.csm_email,
            "employees": str(each.employees),
        },
        "name": each.name,
    }  # fmt: skip


def invoice(each: Any) -> Row:
    status = {"open": "open", "paid": "paid", "failed": "uncollectible", "void": "void"}[each.status]
    issued = midnight(each.issued_on)
    return {
        "id": key("bill", each.number),
        "object": "invoice",
        "attempt_count": each.attempts,
        "attempted": each.attempts > 0,
        "collection_method": "charge_automatically",
        "created": issued,
        "currency": each.currency.lower(),
        "customer": key("account", each.account),
        "due_date": midnight(each.due_on),
        "next_payment_attempt": issued + 259_200 if each.status == "open" else None,
        "number": f"INV-{each.number:05d}",
        "status": status,
        "status_transitions": {
            "finalized_at": issued,
            "marked_uncollectible_at": None,
            "paid_at": unix(each.paid_at) if each.paid_at else None,
            "voided_at": None,
        },
        "total": round(each.amount * 100),
    }


def event_row(kind: str, what: str, number: int, created: int) -> Row:
    shown = {"id": key(what, number), "object": OBJECT[what]}
    return {
        "id": f"evt_{what}{number:08d}{created}",
        "object": "event",
        "api_version": "2019-12-03",
        "created": created,
        "data": {"object": shown},
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def unix(when: datetime) -> int:
    return int(when.timestamp())


def midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
