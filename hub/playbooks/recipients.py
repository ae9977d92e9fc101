"""Whom of a customer a mail goes to: all contacts, who speaks for us there, or who decides.

    contacts    everybody with an address
    champions   contacts whose role is champion; where there is none, everybody
    deciders    executives, sponsors and decision makers; where there is none the champions, and else everybody

A role is what the source says of the contact. Nobody is left without a mail for want of a role.
"""

from collections.abc import Mapping, Sequence

from hub.model.records import CHAMPION_ROLES, EXECUTIVE_ROLES

CONTACTS: Mapping[str, Sequence[frozenset[str]]] = {
    "contacts": (),
    "champions": (frozenset(CHAMPION_ROLES),),
    "deciders": (frozenset(EXECUTIVE_ROLES), frozenset(CHAMPION_ROLES)),
}
"""{word: roles that are looked for, one set after the other}."""


def chosen(word: str, addresses: Sequence[str], roles: Mapping[str, str]) -> tuple[str, ...]:
    """Those of `addresses` that the word of CONTACTS means. roles: {address: role}."""
    for wanted in CONTACTS[word]:
        if found := tuple(each for each in addresses if roles.get(each) in wanted):
            return found
    return tuple(addresses)
