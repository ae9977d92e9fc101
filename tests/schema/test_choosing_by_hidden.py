"""Nobody without the scope `personal` chooses, orders or groups by what that scope alone shows: it would tell it bit by bit.

Every argument of every list is tried that such a token may give, each value of an enum and each field of an input for itself,
and the statements are looked through for columns that hold people. Arguments are taken from the schema: a new one is tried by
itself.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from graphql import (
    get_named_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)
from sqlalchemy import Column
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ClauseElement

from hub.model.actions import Role
from hub.segments.vocabulary import VALUES as FIELDS
from hub.segments.vocabulary import VOCABULARY
from hub.store import Store
from hub.store.conditions import column_of
from hub.store.privacy.places import BY_TABLE
from schema.nodes import global_id
from schema.permissions import is_whole, role_of
from schema.personal import is_personal
from tests.schema.asking_everything import RAW
from tests.schema.company import seed
from tests.schema.fakes import asking
from tests.schema.test_access_books import GIVEN, ROOTS, Acting
from tests.schema.test_everything import listening

IDS = {"runId": "playbook_run"}
"""Of whom an id is that is no customer's."""
OF_ROWS = frozenset(
    {
        "withheld(ownerEmail",
        "attentionDigest(ownerEmail",
        "customers(filter.inSegment",
        "segment(id",
        "segment(name",
    }
)
"""Rows are read whole there; what chooses them are ids, names of segments and addresses of our own people."""
MANY = 40
"""Of so many fields or values those of conditions' vocabulary: each is looked up in it, and a few are asked for."""
PLAIN = {
    "field_change.record_id": "the customer that changed hands: its own id",
    "contact.id": "rows are told apart by it, and it is sealed",
    "survey_response.comment": "commented: whether there is one",
    "survey_invitation.contact_id": "of the row's own, behind the answer",
    "customer_field.value": "as anybody may see it",
    "alert.title": "of the row itself, which is masked (schema.own_words)",
    "opportunity.name": "a deal's",
}
VALUES: Mapping[str, Any] = {
    "String": "x", "Int": 1, "Float": 0.5, "Boolean": True, "Date": "2026-11-01", "DateTime": "2026-11-01T00:00:00Z",
    "JSON": {"health": {"lt": 0.5}},
}  # fmt: skip


async def test_no_argument_chooses_by_a_person(sqlite_store: Store) -> None:
    await seed(sqlite_store, 2)
    ask = asking(sqlite_store, Acting(sqlite_store))
    used, answered, refused = set[str](), 0, list[str]()
    for name, query, variables in asked():
        with columns(sqlite_store) as seen:
            body = await ask(query, variables, role=Role.VIEWER)
        assert "personal data" not in str(body.get("errors")), (name, body)
        if "errors" in body:
            refused.append(name)
        answered += "errors" not in body
        if name.strip(".)") not in OF_ROWS:
            used |= {f"{column} by {name}" for column in seen if column in HIDDEN and column not in PLAIN}
    assert used == set()
    assert answered > 120, (answered, refused)
    assert len(refused) < 20, refused


def test_no_condition_order_or_group_is_of_a_person() -> None:
    assert len(VOCABULARY) > 80
    for field in FIELDS.values():
        assert found_in(column_of(field)) & HIDDEN == set(), field
    for name in ("CustomerGroupBy", "CustomerOrderField"):
        chosen: Any = RAW.type_map[name]
        columns_ = {
            str(getattr(each.value, "value", each.value)).rpartition(":")[2].removeprefix("score_")
            for each in chosen.values.values()
        }
        assert columns_ <= {*VOCABULARY, "name", "updated_at"}, name


HIDDEN = {
    f"{place.name}.{column}" for place in BY_TABLE.values() for column in (*place.own, *place.personal, *place.texts)
}


def asked() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(what is tried, document, variables)"""
    seen = set[str]()
    customer: Any = RAW.type_map["Customer"]
    for owner, fields in (("", ROOTS), ("Customer", customer.fields)):
        for field_name, field in fields.items():
            if not owner and (role_of(field) is not Role.VIEWER or is_whole(field)):
                continue
            if is_personal(field):
                continue
            for argument_name, argument in field.args.items():
                if is_personal(argument) or argument_name in ("first", "after"):
                    continue
                for what, value in values(argument.type, argument_name, seen):
                    given = {argument_name: value}
                    more = GIVEN.get(field_name, {})
                    literal = "".join(
                        f", {each}: {more[each]}"
                        for each, other in field.args.items()
                        if is_required_argument(other) and each != argument_name and each in more
                    )
                    call = f"{field_name}({argument_name}: $v{literal}){shown(field)}"
                    body = f"customers {{ nodes {{ {call} }} }}" if owner else call
                    query = f"query($v: {argument.type}) {{ {body} }}"
                    yield f"{owner}.{field_name}({argument_name}{what})", query, {"v": given[argument_name]}


def shown(field: Any) -> str:
    """As little as can be asked for."""
    type_ = get_named_type(field.type)
    if is_leaf_type(type_):
        return ""
    return " { nodes { __typename } }" if "nodes" in getattr(type_, "fields", {}) else " { __typename }"


def values(type_: Any, name: str, seen: set[str], depth: int = 2) -> Iterator[tuple[str, Any]]:
    """Of an argument's type, one value for each way to choose by it; an input object that was seen before has none left."""
    named = get_named_type(type_)
    if is_non_null_type(type_):
        yield from values(type_.of_type, name, seen, depth)
    elif is_list_type(type_):
        yield from ((what, [value]) for what, value in values(type_.of_type, name, seen, depth))
    elif is_enum_type(type_):
        some = [each for each, value in type_.values.items() if not is_personal(value)]
        step = 1 + len(some) // MANY * 10 if "Order" in named.name or named.name.endswith("By") else len(some)
        yield from ((f" {each}", each) for each in some[::step])
    elif is_input_object_type(type_) and "exists" in type_.fields and "name" not in type_.fields:
        yield ".exists", {"exists": True}
    elif is_input_object_type(type_):
        if named.name in seen:
            return
        seen.add(named.name)
        needed = {
            each: next(values(other.type, each, set()))[1]
            for each, other in type_.fields.items()
            if is_required_input_field(other)
        }
        step = 1 + len(type_.fields) // MANY * 10
        for each, inner in [*type_.fields.items()][::step]:
            if not is_personal(inner):
                for what, value in values(inner.type, each, seen, depth - 1):
                    yield f".{each}{what}", {**needed, each: value}
    elif type_.name == "ID":
        yield "", global_id(IDS.get(name, "customer"), "c000")
    else:
        yield "", VALUES[type_.name]


def found_in(clause: ClauseElement) -> set[str]:
    """table.column, whatever the table is called there."""
    found = set()
    for each in visitors.iterate(clause):
        if isinstance(each, Column):
            table = getattr(each.table, "element", each.table)
            found.add(f"{getattr(table, 'name', '')}.{each.name}")
    return found


@contextmanager
def columns(store: Store) -> Iterator[set[str]]:
    """table.column of whatever is read meanwhile on the ordinary path."""
    seen: set[str] = set()

    def note(_connection: Any, statement: Any, *_: Any) -> None:
        if isinstance(statement, ClauseElement):
            seen.update(found_in(statement))

    with listening(store, "before_execute", note):
        yield seen
