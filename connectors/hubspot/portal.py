"""The simulated company as a HubSpot portal: its World rendered as CRM objects, owners and pipelines, for the sandbox."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zlib import crc32

from connectors.kit.simulated import Account, Deal, Person, Removed, World, crm_id
from connectors.kit.values import version

CONTACT_IDS, DEAL_IDS, OWNER_IDS = 70_000_000_000, 50_000_000_000, 100_000_000
DEAL_TYPE = {"new": "newbusiness", "expansion": "existingbusiness", "renewal": "renewal"}
BUYING_ROLE = {"user": "END_USER", "champion": "CHAMPION", "admin": "INFLUENCER", "executive": "EXECUTIVE_SPONSOR"}
STAGES = {  # each pipeline has ids of its own for the same three outcomes
    "default": {"open": "qualifiedtobuy", "won": "closedwon", "lost": "closedlost"},
    "98001": {"open": "98101", "won": "98102", "lost": "98103"},
}
LABELS = {"open": "In negotiation", "won": "Signed", "lost": "Lost"}
GRAVES = {"account": "companies", "person": "contacts", "deal": "deals"}
PRIMARY = {"contacts": (1, "contact_to_company"), "deals": (5, "deal_to_company")}
UNLABELLED_TYPE = {"contacts": 279, "deals": 341}


@dataclass(frozen=True, slots=True)
class Object:
    """A CRM object: its row without associations; the numbers search compares; its company's id."""

    row: Mapping[str, Any]
    numbers: Mapping[str, int]
    company: str | None = None


@dataclass(frozen=True, slots=True)
class Portal:
    """Objects by kind, ordered by id, and found by id; owners and pipelines in wire format; `until` in milliseconds."""

    objects: Mapping[str, list[Object]]
    by_id: Mapping[str, Mapping[str, Object]]
    owners: list[dict[str, Any]]
    pipelines: list[dict[str, Any]]
    until: int


def portal(world: World) -> Portal:
    objects = {
        "companies": [_company(account) for account in world.accounts],
        "contacts": [_contact(person, world.until) for person in world.people],
        "deals": [_deal(deal) for deal in world.deals],
    }
    for grave in world.removed:
        if grave.what in GRAVES:
            objects[GRAVES[grave.what]].append(_grave(grave))
    for some in objects.values():
        some.sort(key=lambda item: item.numbers["hs_object_id"])
    by_id = {kind: {item.row["id"]: item for item in some} for kind, some in objects.items()}
    return Portal(objects, by_id, _owners(world), _pipelines(), version(world.until))


def truth(world: World) -> Mapping[str, Collection[str]]:
    """{stream: keys that live}."""
    here = [person for person in world.people if person.left_at is None or person.left_at > world.until]
    return {
        "companies": [crm_id(account.number) for account in world.accounts],
        "contacts": [str(CONTACT_IDS + person.number) for person in here],
        "deals": [str(DEAL_IDS + deal.number) for deal in world.deals],
    }


def owner_id(email: str) -> str:
    return str(OWNER_IDS + crc32(email.encode()) % OWNER_IDS)


def _company(account: Account) -> Object:
    gone = account.churned_on is not None
    return _object(
        crm_id(account.number),
        modified_property="hs_lastmodifieddate",
        created=_midnight(account.signed_on),
        updated=account.updated_at,
        properties={
            "name": account.name,
            "domain": account.domain,
            "hs_additional_domains": None,
            "customer_segment": account.segment,
            "industry": account.industry.upper().replace(" ", "_"),
            "country": account.country,
            "numberofemployees": str(account.employees),
            "hubspot_owner_id": owner_id(account.csm_email),
            "hs_parent_company_id": crm_id(account.parent) if account.parent is not None else None,
            "lifecyclestage": "other" if gone else "customer",
            "hs_lifecyclestage_customer_date": _midnight(account.signed_on),
            "hs_merged_object_ids": None,
        },
    )


def _contact(person: Person, until: datetime) -> Object:
    first, _, last = person.name.partition(" ")
    left = person.left_at if person.left_at is not None and person.left_at <= until else None
    return _object(
        str(CONTACT_IDS + person.number),
        modified_property="lastmodifieddate",
        created=_iso(person.created_at),
        updated=left or person.updated_at,
        archived=_iso(left) if left else None,
        company=crm_id(person.account),
        properties={
            "email": person.email,
            "firstname": first,
            "lastname": last or None,
            "jobtitle": person.title,
            "hs_buying_role": BUYING_ROLE.get(person.role, "OTHER"),
            "notes_last_contacted": _iso(person.last_contact_at) if person.last_contact_at else None,
            "hs_last_sales_activity_timestamp": None,
            "hs_merged_object_ids": None,
        },
    )


def _deal(deal: Deal) -> Object:
    pipeline = "98001" if deal.kind == "renewal" else "default"
    return _object(
        str(DEAL_IDS + deal.number),
        modified_property="hs_lastmodifieddate",
        created=_iso(deal.created_at),
        updated=deal.updated_at,
        company=crm_id(deal.account),
        properties={
            "dealname": deal.name,
            "dealtype": DEAL_TYPE[deal.kind],
            "dealstage": STAGES[pipeline][deal.stage],
            "pipeline": pipeline,
            "amount": f"{deal.amount:.2f}",
            "deal_currency_code": deal.currency,
            "closedate": _midnight(deal.close_on),
            "hubspot_owner_id": owner_id(deal.owner_email),
            "hs_merged_object_ids": None,
        },
    )


def _grave(grave: Removed) -> Object:
    """What the archive still shows of an object: its own id, and what it was."""
    kind = GRAVES[grave.what]
    key = {"account": crm_id(grave.number), "person": str(CONTACT_IDS + grave.number)}.get(grave.what)
    at = _iso(grave.at)
    properties: dict[str, dict[str, str | None]] = {
        "companies": {"name": f"Company {grave.number}", "hs_lifecyclestage_customer_date": at},
        "contacts": {"email": f"gone.{grave.number}@example.com"},
        "deals": {"dealname": f"Deal {grave.number}", "pipeline": "default", "dealstage": STAGES["default"]["open"]},
    }
    return _object(
        key or str(DEAL_IDS + grave.number),
        modified_property="lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate",
        created=at,
        updated=grave.at,
        archived=at,
        company=None if kind == "companies" else crm_id(grave.account),
        properties=properties[kind],
    )


def _object(
    key: str,
    *,
    modified_property: str,
    created: str,
    updated: datetime,
    properties: dict[str, str | None],
    archived: str | None = None,
    company: str | None = None,
) -> Object:
    own = {"hs_object_id": key, modified_property: _iso(updated), "createdate": created}
    row: dict[str, Any] = {
        "id": key,
        "properties": {**properties, **own},
        "createdAt": created,
        "updatedAt": _iso(updated),
        "archived": archived is not None,
    }
    if archived is not None:
        row["archivedAt"] = archived
    return Object(row, {"hs_object_id": int(key), modified_property: version(updated)}, company)


def _owners(world: World) -> list[dict[str, Any]]:
    named = {deal.owner_email: deal.owner_email.partition("@")[0].title() for deal in world.deals}
    named.update((account.csm_email, account.csm_name) for account in world.accounts)
    owners = []
    for email, name in sorted(named.items()):
        first, _, last = name.partition(" ")
        owners.append({"id": owner_id(email), "email": email, "firstName": first, "lastName": last, "archived": False})
    return owners


def _pipelines() -> list[dict[str, Any]]:
    metadata = {
        "open": {"isClosed": "false", "probability": "0.4"},
        "won": {"isClosed": "true", "probability": "1.0"},
        "lost": {"isClosed": "true", "probability": "0.0"},
    }
    return [
        {
            "id": pipeline,
            "label": "Renewals" if pipeline != "default" else "Sales Pipeline",
            "stages": [
                {"id": stage, "label": LABELS[outcome], "metadata": metadata[outcome], "archived": False}
                for outcome, stage in stages.items()
            ],
        }
        for pipeline, stages in STAGES.items()
    ]


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00.000Z"
