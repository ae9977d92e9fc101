"""Where the money at risk is: the customers that pay most and those most likely to leave, on one map."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.drawing.map import Place, risk_map
from hub.web.dashboard import charts
from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.portfolio import chosen

WORST = 8


def variables(visit: Visit) -> Data:
    return {"filter": chosen(visit)}


def shape(data: Data, _: Visit) -> Data:
    places = mapped([*data["largest"]["nodes"], *data["riskiest"]["nodes"]])
    money = [place["currency"] for place in places]
    usual = max(sorted(set(money)), key=money.count) if money else None
    return {"map": _map(places, usual), "worst": sorted(places, key=lambda place: -place["loss"])[:WORST]}


def mapped(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Customers once each that have a risk and pay; what they pay a year, and what of it is likely to be lost."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        risk, term = row["churnRisk"], row["subscription"]
        if not risk or risk["probability"] is None or not term or not term["mrr"]:
            continue
        found[row["id"]] = {
            "id": row["id"],
            "name": row["name"],
            "band": row["health"]["band"].lower() if row["health"] and row["health"]["band"] else None,
            "risk": risk["probability"],
            "horizon": risk["horizon"],
            "arr": term["mrr"] * 12,
            "currency": term["currency"],
            "loss": risk["probability"] * term["mrr"] * 12,
        }
    return list(found.values())


def _map(places: Sequence[Mapping[str, Any]], currency: str | None) -> Any:
    shown = [
        Place(
            name=place["name"],
            risk=place["risk"],
            amount=place["arr"],
            band=place["band"],
            href=f"/customers/{place['id']}",
        )
        for place in places
        if place["currency"] == currency
    ]
    if not shown:
        return None
    horizon = str(places[0]["horizon"]).replace("d", " days")
    drawn = risk_map(shown, title="Churn risk and revenue of customers", unit=f"{currency} a year", horizon=horizon)
    return charts.inline(
        drawn, label=f"{len(shown)} customers by churn risk and revenue; the table beside names the worst"
    )


PAGE = Page(
    name="portfolio_map",
    path="/portfolio/map",
    title="Money at risk",
    nav="portfolio",
    later=True,
    variables=variables,
    shape=shape,
)
