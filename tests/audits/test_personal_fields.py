"""What erasing a person looks for is what a token without the scope `personal` does not see: in the API, and in exports.

hub.store.privacy lists every column of every table that holds a person, or free words about one. A field or a column of an
export that reads one of these is declared personal, or stands below with the reason why not.
"""

from collections.abc import Iterator
from typing import Any

from graphql import get_named_type, is_object_type

from hub.store.bi import VIEWS
from hub.store.privacy.place import Place
from hub.store.privacy.places import BY_TABLE
from hub.store.query.entities import ENTITIES
from schema.api import SCHEMA
from schema.fields import Column, Computed, Related, reading_of
from schema.nodes import TYPES
from schema.personal import is_personal

RAW = SCHEMA._schema
KNOWN = {
    "Alert.title": "a playbook's names nobody (hub.playbooks.discretion); a person's is masked by its value (schema.own_words)",
    "Contact.id": "sealed: nobody reads a key out of it (schema.nodes)",
    "CustomField.value": "whoever may read may choose customers by it; playbooks may not put a person's words there",
    "OnboardingStep.evidence": "figures and dates that a rule of ours was met by",
    "Opportunity.name": "a deal's, which is a company's",
    "StreamTruth.checkError": "masked by its value (schema.own_words)",
    "SyncRun.error": "masked by its value",
    "SyncRun.streams": "masked by their values",
}
EXPORTED = {"opportunities.name": "a deal's, which is a company's"}


def test_fields_of_the_api() -> None:
    found = set()
    for name, entity in entities().items():
        place = BY_TABLE.get(ENTITIES[entity].table.name)
        if place is None:
            continue
        for field, definition in RAW.type_map[name].fields.items():
            if columns(definition, field) & hidden(place) and not is_personal(definition):
                found.add(f"{name}.{field}")
    assert found == set(KNOWN)


def test_columns_of_exports_and_of_the_views_in_the_database() -> None:
    found = set()
    for view in VIEWS.values():
        for column in view.columns:
            place = BY_TABLE.get(getattr(getattr(column.value, "table", None), "name", ""))
            if place is not None and column.value.name in hidden(place) and not column.personal:
                found.add(f"{view.name}.{column.name}")
    assert found == set(EXPORTED)


def hidden(place: Place) -> set[str]:
    return {*place.own, *place.personal, *place.texts}


def columns(definition: Any, field: str) -> set[str]:
    """What of its row a field shows."""
    match reading_of(definition.extensions.get("strawberry-definition")):
        case Column(name):
            return {name}
        case Computed(_, needs):
            return set(needs)
    return set()


def entities() -> dict[str, str]:
    """{type: entity} of whatever is read from rows."""
    found = {type_: entity for entity, type_ in TYPES.items()}
    for fields in list(_fields()):
        for definition in fields.values():
            reading = reading_of(definition.extensions.get("strawberry-definition"))
            named: Any = get_named_type(definition.type)
            if isinstance(reading, Related) and is_object_type(named):
                inner = get_named_type(named.fields["nodes"].type) if "nodes" in named.fields else named
                found.setdefault(inner.name, reading.relation.entity)
    assert len(found) > 30
    return found


def _fields() -> Iterator[dict[str, Any]]:
    yield from (type_.fields for type_ in RAW.type_map.values() if is_object_type(type_))
