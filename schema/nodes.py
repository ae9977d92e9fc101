"""Ids that are unique over all types (Relay), `Ticket:zendesk:17`, and the `Node` interface of what can be asked for by one.

They are words to clients, not to be taken apart; that they can be read helps whoever looks for what went wrong, and a database
writes them by itself. Those that were given out before, base64 of the same, are understood for good. An id that is made of a
source's key may be made of somebody's address: such ids are sealed (hub.access.sealing).
"""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from typing import Any

import strawberry
from graphql import GraphQLResolveInfo

from hub.access.sealing import closed, opened
from hub.store.query import Row
from schema.errors import BadInputError
from schema.fields import computed
from schema.paging import identity

TYPES: Mapping[str, str] = {
    "customer": "Customer",
    "contact": "Contact",
    "ticket": "Ticket",
    "survey_response": "SurveyResponse",
    "subscription": "Subscription",
    "invoice": "Invoice",
    "opportunity": "Opportunity",
    "imported_score": "ImportedScore",
    "external_id": "Identity",
    "customer_merge": "CustomerMerge",
    "note": "Note",
    "scorecard": "Scorecard",
    "alert": "Alert",
    "playbook_run": "PlaybookRun",
    "delivery": "Delivery",
    "onboarding": "Onboarding",
    "renewal": "Renewal",
    "expansion_opportunity": "ExpansionOpportunity",
    "survey_invitation": "SurveyInvitation",
    "source": "Source",
    "sync_run": "SyncRun",
}
"""The type of each entity that is a node."""
ENTITIES: Mapping[str, str] = {type_: entity for entity, type_ in TYPES.items()}
SEALED = frozenset({"contact", "external_id"})
"""Entities whose ids may be made of personal data."""
_SEALED_TYPES = frozenset(TYPES[entity] for entity in SEALED)


def global_id(entity: str, key: str) -> str:
    """The id of an entity's row in the API."""
    type_ = TYPES[entity]
    return f"{type_}:{closed(type_, key.encode()) if entity in SEALED else key}"


def parse_id(text: str) -> tuple[str, str]:
    """The entity and key of an id; BadInputError where it is none of ours."""
    type_, colon, key = (text if ":" in text else _before(text)).partition(":")
    if type_ in _SEALED_TYPES:
        key = (opened(type_, key) or b"").decode()
    if not colon or not key or type_ not in ENTITIES:
        raise BadInputError(f"{text[:80]!r} is not an id of this API")
    return ENTITIES[type_], key


def _before(text: str) -> str:
    """What an id said that is base64; such have no colon."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""


def key_of(text: str, entity: str, *, field: str) -> str:
    """The key in an id that must be of `entity`."""
    try:
        found, key = parse_id(text)
    except BadInputError as error:
        raise BadInputError(str(error), field=field) from None
    if found != entity:
        raise BadInputError(f"{text!r} is the id of a {TYPES[found]}, not of a {TYPES[entity]}", field=field)
    return key


def keys_of(texts: Sequence[str], entity: str, *, field: str, most: int) -> tuple[str, ...]:
    """The keys in a list of ids, each once; the list must not be empty."""
    if not 1 <= len(texts) <= most:
        raise BadInputError(f"{field} must be 1 to {most:,} ids, not {len(texts):,}", field=field)
    return tuple(dict.fromkeys(key_of(text, entity, field=f"{field}.{index}") for index, text in enumerate(texts)))


@strawberry.interface(description="Anything with an id of its own; `node(id:)` finds it again.")
class Node:
    id: strawberry.ID = computed(
        lambda row: global_id(row.entity, identity(row)), "id", description="Unique over all types."
    )

    @staticmethod
    def resolve_type(row: Row, _info: GraphQLResolveInfo[Any], _type: Any) -> str:
        return TYPES[row.entity]

    @staticmethod
    def is_type_of(_row: Row, _info: GraphQLResolveInfo[Any]) -> bool:
        # a field says of which type its rows are; only an interface has to ask, and asks resolve_type
        return True
