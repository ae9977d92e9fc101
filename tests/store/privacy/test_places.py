"""Every column that can hold words is decided upon: personal, of a company, free text, or plain and why."""

from collections import Counter

import pytest
from sqlalchemy import JSON, LargeBinary, String, Table, Text

from hub.store.privacy.place import Does, Place, Whose
from hub.store.privacy.places import BY_TABLE, PLACES
from hub.store.tables import metadata
from hub.store.tables.base import Json, PackedJson

WORDS = (String, Text, LargeBinary, Json, JSON, PackedJson)


def wordy(table: Table) -> set[str]:
    return {column.name for column in table.c if isinstance(column.type, WORDS)}


def test_every_table_has_one_place() -> None:
    assert Counter(place.table.name for place in PLACES) == Counter(metadata.tables.keys()), (
        "a new table? say in hub/store/privacy what its columns hold"
    )


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.table.name)
def test_every_column_of_words_stands_in_one_list(place: Place) -> None:
    counts = Counter(place.columns)
    assert {name for name, count in counts.items() if count > 1} == set()
    assert wordy(place.table) - counts.keys() == set(), "a new column? say in hub/store/privacy what it holds"
    assert counts.keys() - wordy(place.table) == set()
    assert all(why.strip() for why in place.plain)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.table.name)
def test_what_a_place_names_is_there(place: Place) -> None:
    columns = set(place.table.c.keys())
    assert place.own.keys() <= columns
    assert set(place.customer[:1]) <= columns
    for through in place.customer[1:]:
        assert "customer_id" in metadata.tables[through].c
    if Does.KEY in {*place.personal.values(), *place.company.values()} or Whose.USER in place.own.values():
        assert "source" in columns
    if place.stop:
        assert "state" in columns
    if "customer_id" in columns:
        assert place.customer, "rows of an erased customer are found by it"


def test_those_found_through_others_come_before_them() -> None:
    order = [place.table.name for place in PLACES]
    for before, after in (
        ("field_change", "contact"),
        ("suppression", "contact"),
        ("playbook_step", "playbook_run"),
        ("contact", "external_id"),
        ("external_id", "customer"),
    ):
        assert order.index(before) < order.index(after)
    assert BY_TABLE["customer"] is PLACES[order.index("customer")]
