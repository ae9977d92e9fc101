"""Addresses that differ in case alone get pseudonyms that do too, whatever the store's key."""

from hub.store.privacy.keyed import Keyed


def test_a_spelling_of_its_own_is_never_the_pseudonym_itself() -> None:
    plain = "erased-1234567890123456"  # of letters only those that every pseudonym has
    for number in range(500):
        keyed = Keyed(f"key {number}")
        assert keyed.spelt(plain, "jo@acme.example") == plain
        assert keyed.spelt(plain, "Jo@acme.example") != plain
        assert keyed.spelt(plain, "Jo@acme.example").lower() == plain
