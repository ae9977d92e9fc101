"""Which customer a vendor's key means: rules that decide what is certain and hold what is not.

In order, for each company of each source (the evidence):

    map       the explicit map of config/identity.yaml says so
    external  the source carries another system's key (external_keys_of / company_keys_of of the source), and that is known
    domain    exactly one customer has the e-mail domain; free-mail domains never count
    created   the source may create customers, and no customer matches: this company is a new one

What is certain by one rule and contradicted by another, or fits several customers, is `ambiguous`: held with its
candidates for a person, never guessed. What fits none is `unmatched` and tried again after every sync. Domains count only
as stated by sources that create customers, so that a helpdesk's list of addresses cannot pull other companies in. Within
one source that creates customers each row is its own customer, even where parent and subsidiary share a domain.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

from hub.errors import NotFoundError, RefusedError
from hub.store import Store
from hub.store.identity import (
    Evidence,
    Settled,
    add_customers,
    begin_deciding,
    find_evidence,
    find_settled,
    link,
    put_decisions,
    refresh_profiles,
)
from hub.store.merges import MERGED, open_again
from hub.store.store import Connection

MAKING = ("created", MERGED)
"""How evidence that made a customer was decided."""
_DOMAIN = re.compile(r"^(?:[^@\s]+@)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRules:
    """What a source may do to identity.

    creates_customers  a company of it that matches nothing is a new customer (a CRM, a billing system)
    company_keys_of    its company keys are those of this other source (an export keyed by CRM id)
    external_keys_of   its `external_key` is the key of this other source (Zendesk's external_id)
    """

    creates_customers: bool = False
    company_keys_of: str | None = None
    external_keys_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRules:
    """sources by name; the explicit map {(source, key): (source, key)}; domains that identify nobody."""

    sources: Mapping[str, SourceRules] = field(default_factory=dict)
    same_as: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    free_mail: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What became of one piece of evidence; `creates` is the name of the customer to add with it."""

    id: str
    state: str
    customer_id: str | None = None
    method: str | None = None
    reason: str | None = None
    candidates: tuple[str, ...] = ()
    creates: str | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a resolve did, in pieces of evidence, and the records it pointed at their customer."""

    matched: int = 0
    created: int = 0
    ambiguous: int = 0
    unmatched: int = 0
    linked: int = 0

    def then(self, later: "Resolution") -> "Resolution":
        """Both in one: what was done adds up, what is still open is as the later one found it."""
        return Resolution(
            matched=self.matched + later.matched,
            created=self.created + later.created,
            ambiguous=later.ambiguous,
            unmatched=later.unmatched,
            linked=self.linked + later.linked,
        )


def customer_id_for(source: str, key: str) -> str:
    """The id of the customer that this evidence creates: the same evidence always makes the same id."""
    return f"cus_{blake2b(f'{source}:{key}'.encode(), digest_size=12).hexdigest()}"


def decide(evidence: Sequence[Evidence], rules: IdentityRules, *, settled: Sequence[Settled] = ()) -> list[Decision]:
    """Decide every piece that is still open, beside what is `settled`; pure. Sources that create customers come first."""
    book = _Book(rules)
    told: list[Evidence | Settled] = [*settled, *evidence]
    for known in told:
        if known.customer_id is not None:
            book.note(known, known.customer_id)
    still_open = [piece for piece in evidence if piece.customer_id is None and piece.decided_by is None]
    still_open.sort(key=lambda piece: (not rules.sources.get(piece.source, SourceRules()).creates_customers,))
    decisions = {}
    for piece in still_open:
        decisions[piece.id] = book.decide(piece)
    # a key may name evidence that was decided after it
    for piece in still_open:
        if decisions[piece.id].state == "unmatched":
            decisions[piece.id] = book.decide(piece)
    return list(decisions.values())


class _Book:
    """What is known while deciding: whose key is whose, and which customers have which domain."""

    def __init__(self, rules: IdentityRules) -> None:
        self.rules = rules
        self.by_key: dict[tuple[str, str], str] = {}
        self.by_domain: defaultdict[str, set[str]] = defaultdict(set)
        self.sources_of: defaultdict[str, set[str]] = defaultdict(set)

    def note(self, piece: Evidence | Settled, customer_id: str) -> None:
        self.by_key[piece.source, piece.key] = customer_id
        self.sources_of[customer_id].add(piece.source)
        if self._rules(piece).creates_customers:
            for domain in self._domains(piece):
                self.by_domain[domain].add(customer_id)

    def decide(self, piece: Evidence) -> Decision:
        rules = self._rules(piece)
        by_domain = set().union(*(self.by_domain.get(domain, set()) for domain in self._domains(piece)))
        if rules.creates_customers:
            by_domain = {found for found in by_domain if piece.source not in self.sources_of[found]}
        for method, found, words in self._named(piece, rules):
            if by_domain and found not in by_domain:
                return self._hold(piece, {found, *by_domain}, f"{words}, but its domain belongs to another customer")
            return self._match(piece, found, method, words)
        domains = ", ".join(sorted(self._domains(piece)))
        if len(by_domain) == 1:
            return self._match(piece, by_domain.pop(), "domain", f"only one customer has the domain {domains}")
        if by_domain:
            return self._hold(piece, by_domain, f"{len(by_domain)} customers share the domain {domains}")
        target = self.rules.same_as.get((piece.source, piece.key))
        if rules.creates_customers and target is None:
            made = customer_id_for(piece.source, piece.key)
            self.note(piece, made)
            return Decision(
                id=piece.id, state="matched", customer_id=made, method="created", creates=piece.name or piece.key
            )
        reason = (
            f"it waits for {' '.join(target)}, which the map says it is" if target else self._why_not(piece, domains)
        )
        return Decision(id=piece.id, state="unmatched", reason=reason)

    def _named(self, piece: Evidence, rules: SourceRules) -> Iterable[tuple[str, str, str]]:
        """(method, customer, in words) of the rules that name one customer outright, the strongest first."""
        target = self.rules.same_as.get((piece.source, piece.key))
        if target in self.by_key:
            yield "map", self.by_key[target], f"the map says it is {target[0]} {target[1]}"
        for other, key in ((rules.company_keys_of, piece.key), (rules.external_keys_of, piece.external_key)):
            if other and key and (other, key) in self.by_key:
                yield "external", self.by_key[other, key], f"it carries the key {key} of {other}"

    def _match(self, piece: Evidence, customer_id: str, method: str, reason: str) -> Decision:
        self.note(piece, customer_id)
        return Decision(id=piece.id, state="matched", customer_id=customer_id, method=method, reason=reason)

    def _hold(self, piece: Evidence, candidates: set[str], reason: str) -> Decision:
        return Decision(id=piece.id, state="ambiguous", reason=reason, candidates=tuple(sorted(candidates)))

    def _why_not(self, piece: Evidence, domains: str) -> str:
        if domains:
            return f"no customer has the domain {domains}"
        if piece.external_key:
            return f"no customer has the external key {piece.external_key}"
        return "it carries neither a domain of its own nor another system's key"

    def _rules(self, piece: Evidence | Settled) -> SourceRules:
        return self.rules.sources.get(piece.source, SourceRules())

    def _domains(self, piece: Evidence | Settled) -> set[str]:
        """Domains as stated, or the one in the key itself where the key is a domain or an e-mail address."""
        found = {domain.lower().removeprefix("www.") for domain in piece.domains if domain}
        if not found and (match := _DOMAIN.match(piece.key)):
            found = {match[1].lower().removeprefix("www.")}
        return found - self.rules.free_mail


async def resolve(connection: Connection, rules: IdentityRules, *, source: str, now: datetime) -> Resolution:
    """After a sync of `source`: decide what is open, create customers, link records, refresh profiles."""
    await begin_deciding(connection)
    evidence = await find_evidence(connection, undecided=True)
    known = {piece.id: piece for piece in evidence}
    telling = [name for name, each in rules.sources.items() if each.creates_customers]
    settled = await find_settled(connection, telling=telling) if evidence else ()
    decisions = decide(evidence, rules, settled=settled)
    created = [decision for decision in decisions if decision.creates]
    stamps = {"created_at": now, "updated_at": now}
    await add_customers(connection, [{"id": made.customer_id, "name": made.creates, **stamps} for made in created])
    await put_decisions(connection, [_row(each, now) for each in decisions if not _stands(each, known[each.id])])
    # what comes after its company was decided is linked as it lands
    linked = await link(connection, since=now) if any(each.customer_id for each in decisions) else 0
    await refresh_profiles(connection, source, now=now, free_mail=rules.free_mail)
    told = Counter(decision.state for decision in decisions)
    return Resolution(told["matched"] - len(created), len(created), told["ambiguous"], told["unmatched"], linked)


def _stands(decision: Decision, piece: Evidence) -> bool:
    """Whether nobody knows it yet, and it is written down for just this reason."""
    is_open = decision.customer_id is None and piece.method is None
    said = (decision.state, decision.reason, decision.candidates)
    return is_open and said == (piece.state, piece.reason, piece.candidates)


def _row(decision: Decision, now: datetime, by: str | None = None) -> dict[str, Any]:
    return {
        "id": decision.id,
        "customer_id": decision.customer_id,
        "state": decision.state,
        "method": decision.method,
        "reason": decision.reason,
        "candidates": list(decision.candidates) or None,
        "decided_at": now if decision.customer_id or by else None,
        "decided_by": by,
    }


async def decide_by_hand(
    store: Store, evidence_id: str, customer_id: str | None, *, by: str, now: datetime, new: bool = False
) -> int:
    """A person says whom a piece of evidence means (None: nobody, or with `new` a new customer); return the records this moved.

    Raises NotFoundError for unknown evidence, RefusedError for a customer that is neither a candidate nor known, and where
    the evidence made a customer, whose it stays.
    """
    async with store.transaction() as connection:
        await begin_deciding(connection)
        known = await find_evidence(connection)
        piece = _piece(evidence_id, known)
        _may_move(piece, but=customer_id)
        if customer_id is not None and customer_id not in {piece.customer_id for piece in known}:
            choices = ", ".join(piece.candidates) or "any customer id"
            raise RefusedError(f"no customer {customer_id!r}; candidates: {choices}")
        method = "person"
        if new and piece.method not in MAKING:
            customer_id, method = customer_id_for(piece.source, piece.key), "created"
            stamps = {"created_at": now, "updated_at": now}
            await add_customers(connection, [{"id": customer_id, "name": piece.name or piece.key, **stamps}])
        state = "matched" if customer_id else "unmatched"
        decision = Decision(
            id=evidence_id, state=state, customer_id=customer_id, method=method, reason=f"decided by {by}"
        )
        await put_decisions(connection, [_row(decision, now, by)])
        moved = await link(connection, since=now)
        if new:
            await refresh_profiles(connection, piece.source, now=now)
        return moved


async def reopen(store: Store, rules: IdentityRules, evidence_id: str, *, now: datetime) -> Evidence:
    """Take back what was decided of a piece of evidence, and let the rules decide anew; return what they made of it.

    Its records are nobody's meanwhile, and stay so where the rules find nothing certain. Errors as `decide_by_hand`.
    """
    async with store.transaction() as connection:
        await begin_deciding(connection)
        piece = _piece(evidence_id, await find_evidence(connection))
        _may_move(piece)
        await open_again(connection, [evidence_id], reason="opened again")
        await resolve(connection, rules, source=piece.source, now=now)
        return _piece(evidence_id, await find_evidence(connection))


def _piece(evidence_id: str, known: Sequence[Evidence]) -> Evidence:
    found = next((piece for piece in known if piece.id == evidence_id), None)
    if found is None:
        held = [piece.id for piece in known if piece.state == "ambiguous"]
        raise NotFoundError(f"no evidence {evidence_id!r}; waiting for a decision: {', '.join(held) or 'nothing'}")
    return found


def _may_move(piece: Evidence, *, but: str | None = None) -> None:
    """What made a customer stays evidence of it: without it there would be a customer of nothing."""
    if piece.method in MAKING and piece.customer_id != but:
        raise RefusedError(f"{piece.id} made the customer {piece.customer_id}: merge that customer, or undo its merge")
