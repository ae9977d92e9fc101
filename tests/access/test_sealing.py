"""What is sealed opens again in every process of a store, and nothing that was made up or altered does."""

import pytest

from hub.access import sealing
from hub.access.sealing import closed, mark, open_seal, opened
from hub.store import Store
from tests.fakes.clock import START


def test_what_is_closed_opens_for_its_purpose_alone() -> None:
    text = closed("Contact", b"jo@acme.example")
    assert opened("Contact", text) == b"jo@acme.example"
    assert closed("Contact", b"jo@acme.example") == text  # ids stay what they are
    assert opened("Identity", text) is None
    assert "acme" not in text


@pytest.mark.parametrize("text", ["", "x", "é", "AAAA", "A" * 40, "A" * 5_000, "=", "a b"])
def test_what_was_made_up_does_not_open(text: str) -> None:
    assert opened("Contact", text) is None


def test_one_letter_else_does_not_open() -> None:
    text = closed("event", b"12345678")
    assert opened("event", ("B" if text[0] == "A" else "A") + text[1:]) is None


async def test_every_process_of_a_store_has_its_key_and_no_other_store_has(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "_SEAL", sealing._Seal())
    lonely, marked = closed("event", b"1"), mark(b"1")
    await open_seal(store, now=START)
    text = closed("event", b"1")
    assert text != lonely
    assert mark(b"1") != marked
    assert opened("event", lonely) is None
    monkeypatch.setattr(sealing, "_SEAL", sealing._Seal())  # another process
    assert opened("event", text) is None
    await open_seal(store, now=START)
    assert opened("event", text) == b"1"
