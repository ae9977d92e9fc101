"""What a subscription needs for its revenue and does not bring: items beyond the tenth, tiers, discounts and coupons.

Lists expand four levels deep at most, so tiers (`data.items.data.price.tiers`) and coupons are asked for apart, each once
while this process runs: the amounts of a price or coupon never change.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.kit.errors import ContractError
from connectors.kit.http import Client
from connectors.stripe.pull import listing

Row = dict[str, Any]


class Completing:
    """`dress` of the subscriptions' pull."""

    def __init__(self) -> None:
        self._tiers: dict[str, Any] = {}
        self._coupons: dict[str, Any] = {}

    async def __call__(self, client: Client, rows: Sequence[Row]) -> Sequence[Row]:
        return [await self._complete(client, row) for row in rows]

    async def _complete(self, client: Client, row: Row) -> Row:
        items = row.get("items")
        if not isinstance(items, dict) or not isinstance(items.get("data"), list):
            return row  # for the mapping to refuse
        if items.get("has_more"):
            expand = {"subscription": str(row["id"]), "expand[]": ["data.discounts"]}
            data = await listing(client, "/v1/subscription_items", expand)
            row = {**row, "items": {**items, "data": data, "has_more": False}}
        elif any(isinstance(discount, str) for discount in _discounts(row)):
            whole = await client.get_json(
                f"/v1/subscriptions/{row['id']}", params={"expand[]": ["discounts", "items.data.discounts"]}
            )
            if not isinstance(whole, dict):
                raise ContractError("Stripe subscriptions: the answer is no object")
            row = whole
        for price in (item["price"] for item in row["items"]["data"] if isinstance(item.get("price"), dict)):
            if price.get("billing_scheme") == "tiered" and not price.get("tiers"):
                price["tiers"] = await self._tiers_of(client, str(price["id"]))
        for discount in _discounts(row):
            source = discount.get("source") if isinstance(discount, dict) else None
            if isinstance(source, dict) and isinstance(source.get("coupon"), str):
                source["coupon"] = await self._coupon(client, source["coupon"])
        return row

    async def _tiers_of(self, client: Client, price: str) -> Any:
        if price not in self._tiers:
            answer = await client.get_json(f"/v1/prices/{price}", params={"expand[]": ["tiers"]})
            self._tiers[price] = answer.get("tiers") if isinstance(answer, Mapping) else None
        return self._tiers[price]

    async def _coupon(self, client: Client, coupon: str) -> Any:
        if coupon not in self._coupons:
            self._coupons[coupon] = await client.get_json(f"/v1/coupons/{coupon}")
        return self._coupons[coupon]


def _discounts(row: Row) -> Iterator[Any]:
    yield from row.get("discounts") or ()
    for item in row["items"]["data"]:
        yield from item.get("discounts") or ()
