"""Which of a customer's renewals says how the customer stands, and the lifecycle's columns of it.

The first of these: an overdue one, one that is due, one decided whose day is not longer ago than `shown` (renewed early counts
as renewed until then), the next that is ahead, the last that was lost. One that is ahead for more than `upcoming` days has
no status yet, but its days and amount are there. Of several of a kind the earliest counts; of a loss the last.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from hub.lifecycle.renewal.settings import RenewalSettings

FIELDS = ("renewal_status", "renewal_days", "renewal_on", "renewal_auto", "renewal_amount", "renewal_expected")


def standings(
    rows: Iterable[Mapping[str, Any]], settings: RenewalSettings, *, today: date
) -> dict[str, dict[str, Any]]:
    """{customer: the columns of `FIELDS`}, of all customers that ever had a renewal."""
    best: dict[str, tuple[tuple[int, int, str], Mapping[str, Any]]] = {}
    for row in rows:
        rank = _rank(row, settings, today)
        if rank is not None and (row["customer_id"] not in best or rank < best[row["customer_id"]][0]):
            best[row["customer_id"]] = (rank, row)
    return {id_: _columns(row, settings, today) for id_, (_, row) in best.items()}


def _rank(row: Mapping[str, Any], settings: RenewalSettings, today: date) -> tuple[int, int, str] | None:
    days = (row["due_on"] - today).days
    match row["status"]:
        case "overdue":
            return 0, days, row["id"]
        case "due":
            return 1, days, row["id"]
        case "upcoming":
            return 3, days, row["id"]
        case _ if days >= -settings.shown:
            return 2, days, row["id"]
        case "churned":
            return 4, -days, row["id"]
    return None


def _columns(row: Mapping[str, Any], settings: RenewalSettings, today: date) -> dict[str, Any]:
    days = (row["due_on"] - today).days
    far = row["status"] == "upcoming" and days > settings.upcoming
    return {
        "renewal_status": None if far else row["status"],
        "renewal_days": float(days),
        "renewal_on": row["due_on"],
        "renewal_auto": "yes" if row["auto"] else "no",
        "renewal_amount": row["target"],
        "renewal_expected": row["expected"],
    }
