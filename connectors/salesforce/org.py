"""The simulated company as a Salesforce organisation: its World as rows of Account, Contact, Opportunity and Case.

A row of another object is nested, as answers show it. What was deleted is in the recycle bin: a row with IsDeleted and
not much else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.kit.simulated import World, crm_id
from connectors.salesforce.soql import id18

Row = Mapping[str, Any]
PREFIX = {"Account": "001", "Contact": "003", "Opportunity": "006", "Case": "500"}
REMOVED = {"account": "Account", "person": "Contact", "deal": "Opportunity", "ticket": "Case"}
DEAL_TYPE = {"new": "New Business", "renewal": "Renewal", "expansion": "Existing Business"}
STAGE = {"open": "Negotiation/Review", "won": "Closed Won", "lost": "Closed Lost"}
STATUS = {"new": "New", "open": "Working", "pending": "Waiting on Customer", "hold": "On Hold"}
PRIORITY = {"low": "Low", "normal": "Medium", "high": "High", "urgent": "Critical"}


@dataclass(frozen=True, slots=True)
class Object:
    """fields: the columns there are, of other objects with a dot; rows in order of (SystemModstamp, Id)."""

    fields: frozenset[str]
    rows: Sequence[Row]


def key(what: str, number: int) -> str:
    """The id of row `number` of an object."""
    return id18(f"{PREFIX[what]}A0{number:010d}")


def stamp(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def organisation(world: World) -> dict[str, Object]:
    made: dict[str, list[dict[str, Any]]] = {
        "Account": _accounts(world),
        "Contact": _contacts(world),
        "Opportunity": _opportunities(world),
        "Case": _cases(world),
    }
    columns = {name: frozenset(f"{COMMON} {told}".split()) for name, told in FIELDS.items()}
    for grave in world.removed:
        if (kind := REMOVED.get(grave.what)) is None:
            continue
        when = stamp(grave.at)
        row: dict[str, Any] = dict.fromkeys((name for name in columns[kind] if "." not in name), None)
        row |= {"Id": key(kind, grave.number), "SystemModstamp": when, "CreatedDate": when, "IsDeleted": True}
        if kind == "Account":
            row["Type"] = "Customer"
        else:
            row["AccountId"] = key("Account", grave.account)
        made[kind].append({**row, "IsClosed": False})
    for rows in made.values():
        rows.sort(key=lambda row: (row["SystemModstamp"], row["Id"]))
    return {name: Object(columns[name], rows) for name, rows in made.items()}


COMMON = "Id SystemModstamp IsDeleted"
FIELDS: Mapping[str, str] = {
    "Account": "Name Website Type Industry BillingCountry NumberOfEmployees ParentId Owner.Name Owner.Email CSM__r.Name"
    " CSM__r.Email Segment__c Customer_Since__c Customer_Number__c",
    "Contact": "AccountId Email Name Title CreatedDate Role__c Left__c",
    "Opportunity": "AccountId Name StageName Amount CurrencyIsoCode CloseDate IsWon IsClosed Type CreatedDate Owner.Name"
    " Owner.Email",
    "Case": "AccountId CaseNumber Subject Status Priority IsClosed ClosedDate CreatedDate SuppliedEmail Contact.Name"
    " Contact.Email",
}


def _user(name: str, email: str) -> Row:
    return {"attributes": {"type": "User"}, "Name": name, "Email": email}


def _accounts(world: World) -> list[dict[str, Any]]:
    return [
        {
            "Id": key("Account", each.number),
            "SystemModstamp": stamp(each.updated_at),
            "IsDeleted": False,
            "Name": each.name,
            "Website": f"https://www.{each.domain}/",
            "Type": "Customer" if each.churned_on is None else "Other",
            "Industry": each.industry.title(),
            "BillingCountry": each.country,
            "NumberOfEmployees": each.employees,
            "ParentId": key("Account", each.parent) if each.parent is not None else None,
            "Owner": _user("Sal Vendor", "sal@ourco.example"),
            "CSM__r": _user(each.csm_name, each.csm_email),
            "Segment__c": each.segment,
            "Customer_Since__c": each.signed_on.isoformat(),
            "Customer_Number__c": crm_id(each.number),
        }
        for each in world.accounts
    ]


def _contacts(world: World) -> list[dict[str, Any]]:
    return [
        {
            "Id": key("Contact", each.number),
            "SystemModstamp": stamp(max(each.updated_at, each.left_at or each.updated_at)),
            "IsDeleted": False,
            "AccountId": key("Account", each.account),
            "Email": each.email,
            "Name": each.name,
            "Title": each.title,
            "CreatedDate": stamp(each.created_at),
            "Role__c": each.role.title(),
            "Left__c": each.left_at is not None and each.left_at <= world.until,
        }
        for each in world.people
    ]


def _opportunities(world: World) -> list[dict[str, Any]]:
    return [
        {
            "Id": key("Opportunity", each.number),
            "SystemModstamp": stamp(each.updated_at),
            "IsDeleted": False,
            "AccountId": key("Account", each.account),
            "Name": each.name,
            "StageName": STAGE[each.stage],
            "Amount": each.amount,
            "CurrencyIsoCode": each.currency,
            "CloseDate": each.close_on.isoformat(),
            "IsWon": each.stage == "won",
            "IsClosed": each.stage != "open",
            "Type": DEAL_TYPE[each.kind],
            "CreatedDate": stamp(each.created_at),
            "Owner": _user(each.owner_email.partition("@")[0].title(), each.owner_email),
        }
        for each in world.deals
    ]


def _cases(world: World) -> list[dict[str, Any]]:
    people = {each.number: each for each in world.people}
    cases = []
    for each in world.tickets:
        asker = people.get(each.person)
        closed = each.status in ("solved", "closed")
        cases.append(
            {
                "Id": key("Case", each.number),
                "SystemModstamp": stamp(each.updated_at),
                "IsDeleted": False,
                "AccountId": key("Account", each.account),
                "CaseNumber": f"{each.number:08d}",
                "Subject": each.subject,
                "Status": "Closed" if closed else STATUS[each.status],
                "Priority": PRIORITY[each.severity],
                "IsClosed": closed,
                "ClosedDate": stamp(each.solved_at or each.updated_at) if closed else None,
                "CreatedDate": stamp(each.created_at),
                "SuppliedEmail": None,
                "Contact": {"attributes": {"type": "Contact"}, "Name": asker.name, "Email": asker.email}
                if asker
                else None,
            }
        )
    return cases
