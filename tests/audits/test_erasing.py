"""Erase, then look: after somebody who stands in every table was erased, no column of any table tells of them."""

import pytest

from hub.access.privacy.asking import About
from hub.access.privacy.erasing import erase
from hub.store import Store
from tests.audits.everything import (
    ADDRESS,
    COMPANY,
    COMPANY_KEY,
    DOMAIN,
    NOW,
    SOURCE,
    TELLING,
    USER,
    expected,
    fill,
    told,
)

PERSON = About(person=(ADDRESS, f"{SOURCE}:{USER}"))
CUSTOMER = About(customer="c001")


async def test_the_person_stands_in_every_table_that_can_hold_one(sqlite_store: Store) -> None:
    await fill(sqlite_store)
    found = await told(sqlite_store)
    assert {f"{table}.{column}" for table, columns in expected().items() for column in columns} - found.keys() == set()


@pytest.mark.parametrize("about", [PERSON, CUSTOMER], ids=["person", "customer"])
async def test_nothing_is_left_of_who_was_erased(store: Store, about: About) -> None:
    await fill(store)
    await erase(store, about, by="Ann", now=NOW)
    telling = TELLING if about is PERSON else (*TELLING, COMPANY, DOMAIN, COMPANY_KEY)
    assert await told(store, telling) == {}
