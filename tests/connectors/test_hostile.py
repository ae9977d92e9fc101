"""Every connector against its sandbox with everything going wrong: the store is right in the end, or the sync says what is not.

What goes wrong strikes each stream at its first request, at its second, or in the middle of its pages. A sync that says it
succeeded must have brought exactly what an undisturbed one brings; one that does not must say which stream and why, and
once nothing goes wrong any more the next sync must set it right.
"""

from typing import Any

import pytest

from connectors.kit.sandbox import Faults
from hub.store import Store
from tests.connectors.hostile import changing, troubled
from tests.connectors.suite import SERVED, Vendor, vars_of
from tests.connectors.troubles import TROUBLES


@pytest.mark.long
@pytest.mark.parametrize("name", SERVED)
async def test_what_goes_wrong_on_the_way_is_made_good_or_told(
    name: str, serve: Any, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = await troubled(Vendor(name, serve, monkeypatch), sqlite_store, monkeypatch)
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
@pytest.mark.parametrize("name", SERVED)
async def test_a_vendor_that_changes_meanwhile_is_caught_up_with(
    name: str, serve: Any, sqlite_store: Store, other_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = await changing(Vendor(name, serve, monkeypatch), sqlite_store, other_store)
    assert not wrong, "\n".join(wrong)


def test_faults_are_all_tried() -> None:
    tried = {fault for trouble in TROUBLES for fault in trouble.faults}
    assert tried == set(vars_of(Faults())) - {"only"}
