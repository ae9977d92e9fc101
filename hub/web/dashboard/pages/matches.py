"""Matches to decide: each company that the rules were not certain of, beside the customers it could be.

What speaks for and against a candidate is told here from what both are called and carry; the rules of hub.identity held the
company back because none of it was certain, so no candidate is ever chosen beforehand.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from hub.model.actions import Role, Scope
from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.sources import personal

STATES = ("AMBIGUOUS", "UNMATCHED")
_FORMS = frozenset(
    {"ab", "ag", "as", "bv", "co", "company", "corp", "corporation", "gmbh", "group", "holding", "inc", "kg"}
    | {"limited", "llc", "ltd", "nv", "oy", "plc", "sa", "sarl", "spa", "srl", "the"}
)
"""Words in a company's name that tell no company from another."""
ALIKE = 0.8


@dataclass(frozen=True, slots=True)
class Sign:
    """What speaks for (True), against (False) or neither way (None), in words."""

    speaks: bool | None
    words: str


def _bare(name: str | None) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in (name or "").lower()).split()
    return " ".join(word for word in words if word not in _FORMS)


def _hosts(domains: Iterable[str | None]) -> set[str]:
    return {domain.lower().removeprefix("www.") for domain in domains if domain}


def host_of(key: str | None) -> str | None:
    """The domain in a key that is one, or an address; None in any other."""
    end = (key or "").rpartition("@")[2].lower()
    return end if "." in end and " " not in end else None


def signs(identity: Data, customer: Data) -> Sequence[Sign]:
    """What speaks for and against the company being that customer, the weightiest first."""
    return [*_of_domains(identity, customer), *_of_names(identity, customer), *_of_keys(identity, customer)]


def _of_domains(identity: Data, customer: Data) -> Iterator[Sign]:
    mine = _hosts([*identity["domains"], *([] if identity["domains"] else [host_of(identity.get("key"))])])
    theirs = _hosts([customer["domain"], *(each for one in customer["identity"] for each in one["domains"])])
    both = mine & theirs
    if both:
        yield Sign(True, f"Both have the domain {', '.join(sorted(both))}.")
    elif mine and theirs:
        yield Sign(False, f"Another domain: {', '.join(sorted(theirs)[:3])}.")
    elif theirs:
        yield Sign(None, f"The company carries no domain; the customer's is {', '.join(sorted(theirs)[:3])}.")


def _of_names(identity: Data, customer: Data) -> Iterator[Sign]:
    mine, theirs = _bare(identity["name"]), _bare(customer["name"])
    host = host_of(identity.get("key"))
    if not mine and host and host.split(".")[0] == theirs.replace(" ", ""):
        yield Sign(True, f"The domain spells its name: {customer['name']}.")
    elif not mine:
        yield Sign(None, "The company carries no name.")
    elif mine == theirs:
        yield Sign(True, f"The same name: {customer['name']}.")
    elif SequenceMatcher(None, mine, theirs).ratio() >= ALIKE:
        yield Sign(True, f"A name much like it: {customer['name']}.")
    elif mine in theirs or theirs in mine:
        yield Sign(True, f"One name holds the other: {customer['name']}.")
    else:
        yield Sign(False, f"Another name: {customer['name']}.")


def _of_keys(identity: Data, customer: Data) -> Iterator[Sign]:
    carried = identity.get("externalKey")
    if carried and any(carried in (one.get("key"), one.get("externalKey")) for one in customer["identity"]):
        yield Sign(True, f"It carries the customer's key {carried}.")
    elif carried:
        yield Sign(False, f"It carries the key {carried}, which is not this customer's.")
    if any(one["source"] == identity["source"] for one in customer["identity"]):
        yield Sign(False, f"{identity['source']} already has another company for this customer.")


def weighed(identity: Data) -> Sequence[Data]:
    """Candidates with their signs, those that more speaks for first."""
    found = [
        {**each["customer"], "signs": signs(identity, each["customer"])}
        for each in identity["candidates"]
        if each["customer"] is not None
    ]
    return sorted(found, key=lambda each: -sum({True: 1, False: -1, None: 0}[sign.speaks] for sign in each["signs"]))


def may_decide(visit: Visit) -> bool:
    """Whether the viewer may say who a company is."""
    return visit.viewer.may(Role.MANAGER) and Scope.ACT in visit.viewer.scopes


def _variables(visit: Visit) -> Data:
    state = visit.query.get("state", "").upper()
    if state and state not in STATES:
        raise ValueError(f"state must be one of {', '.join(each.lower() for each in STATES)}")
    return {
        "source": visit.query.get("source") or None,
        "state": [state] if state else list(STATES),
        "after": visit.query.get("after") or None,
        **personal(visit),
    }


def _shape(data: Data, visit: Visit) -> Data:
    rows: list[dict[str, Any]] = [{**each, "weighed": weighed(each)} for each in data["identities"]["nodes"]]
    rows.sort(key=lambda each: (each["state"] != "AMBIGUOUS", each["source"], each["id"]))
    return {
        "rows": rows,
        "may_decide": may_decide(visit),
        "source": visit.query.get("source", ""),
        "state": visit.query.get("state", ""),
    }


PAGE = Page(
    name="matches",
    path="/sources/matches",
    title="Matches to decide",
    nav="sources",
    variables=_variables,
    shape=_shape,
)
