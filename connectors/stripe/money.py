"""Stripe's amounts as money, and a subscription's items and discounts as recurring revenue a month.

An amount is a whole number of the currency's smallest unit: cents, but whole yen, and thousandths of a dinar. Revenue of
another interval counts as the part that falls on a month: a twelfth of a year, 365/12 days.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from connectors.kit.base import BadRowError
from connectors.kit.values import choice, given, number

WITHOUT_DECIMALS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"]
)
WITH_THREE = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
DAYS_A_MONTH = 365 / 12
MONTHS: Mapping[str, float] = {"day": 1 / DAYS_A_MONTH, "week": 7 / DAYS_A_MONTH, "month": 1.0, "year": 12.0}


def money(minor: Any, currency: str, *, field: str) -> float:
    """An amount in whole units of `currency`."""
    code = currency.upper()
    places = 0 if code in WITHOUT_DECIMALS else 3 if code in WITH_THREE else 2
    return number(minor, field=field) / float(10**places)


def mrr(items: Iterable[Mapping[str, Any]], discounts: Iterable[Any], *, currency: str, at: int) -> float:
    """Revenue a month of a subscription's items, less its discounts that hold at `at` (milliseconds).

    An amount off is taken off each invoice, so it counts by the interval of the first item.
    """
    some = list(items)
    total = sum(item_mrr(item, currency=currency, at=at) for item in some)
    months = _months(some[0]["price"]) if some else 1.0
    return round(_discounted(total, discounts, currency=currency, months=months, at=at), 2)


def item_mrr(item: Mapping[str, Any], *, currency: str, at: int) -> float:
    """Of one item; what is paid by use (`metered`) is no recurring revenue."""
    price = item["price"]
    months = _months(price)
    if choice(
        price["recurring"].get("usage_type") or "licensed", {"licensed": False, "metered": True}, field="usage_type"
    ):
        return 0.0
    amount = money(_amount(price, number(item.get("quantity", 1), field="quantity")), currency, field="unit_amount")
    return _discounted(amount / months, item.get("discounts") or (), currency=currency, months=months, at=at)


def _months(price: Mapping[str, Any]) -> float:
    recurring = price.get("recurring")
    if not isinstance(recurring, Mapping):
        raise BadRowError("the price is not recurring", field="recurring")
    count = number(recurring.get("interval_count", 1), field="interval_count")
    if count <= 0:
        raise BadRowError(f"{count} is no count of intervals", field="interval_count")
    return choice(recurring.get("interval"), MONTHS, field="interval") * count


def _amount(price: Mapping[str, Any], quantity: float) -> float:
    """Of one interval, in smallest units."""
    scheme = choice(price.get("billing_scheme"), {"per_unit": False, "tiered": True}, field="billing_scheme")
    if scheme:
        return _tiered(price, quantity)
    packing = price.get("transform_quantity")
    if packing:
        packs = quantity / number(packing.get("divide_by"), field="divide_by")
        quantity = choice(packing.get("round"), {"up": math.ceil, "down": math.floor}, field="round")(packs)
    return _unit(price, "unit_amount") * quantity


def _tiered(price: Mapping[str, Any], quantity: float) -> float:
    """graduated: each tier prices the units that fall into it; volume: the tier reached prices all of them."""
    tiers = price.get("tiers")
    if not tiers:
        raise BadRowError("a tiered price without its tiers", field="tiers")
    graduated = choice(price.get("tiers_mode"), {"graduated": True, "volume": False}, field="tiers_mode")
    total, below = 0.0, 0.0
    for tier in tiers:
        top = number(tier["up_to"], field="up_to") if given(tier.get("up_to")) else math.inf
        if graduated and (quantity > below or below == 0):
            total += _unit(tier, "flat_amount") + _unit(tier, "unit_amount") * max(0.0, min(quantity, top) - below)
        elif not graduated and quantity <= top:
            return _unit(tier, "flat_amount") + _unit(tier, "unit_amount") * quantity
        below = top
        if graduated and quantity <= top:
            break
    return total


def _unit(of: Mapping[str, Any], name: str) -> float:
    exact = of.get(f"{name}_decimal")
    plain = exact if given(exact) else of.get(name)
    return number(plain, field=name) if given(plain) else 0.0


def _discounted(amount: float, discounts: Iterable[Any], *, currency: str, months: float, at: int) -> float:
    """What is left after those that go on: `forever`, or `repeating` until their end; `once` is no matter of revenue."""
    for discount in discounts:
        if not isinstance(discount, Mapping):
            raise BadRowError(f"discount {discount!r} is not expanded", field="discounts")
        coupon = (discount.get("source") or {}).get("coupon") or discount.get("coupon")
        if not isinstance(coupon, Mapping):
            raise BadRowError("a discount without its coupon", field="discounts")
        lasting = choice(coupon.get("duration"), {"forever": True, "repeating": True, "once": False}, field="duration")
        ends = discount.get("end")
        if not lasting or (given(ends) and number(ends, field="end") * 1000 <= at):
            continue
        if given(coupon.get("percent_off")):
            amount *= 1 - number(coupon["percent_off"], field="percent_off") / 100
        elif given(coupon.get("amount_off")):
            amount -= money(coupon["amount_off"], currency, field="amount_off") / months
    return max(0.0, amount)
