"""Whom a survey asks today, and why not the others: arithmetic over what the store found.

Each customer has a day of its own in a quarter, by a hash of its id, so that a portfolio is asked evenly over the quarter and
each customer about every three months. It is due from that day on, for `late_days`: so much time have contacts that rest, open
tickets and the like to come out of the way. A hub that begins in the middle of a quarter asks no backlog.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b

from hub.lifecycle.advocacy.settings import OTHERS, SurveySettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A contact with an address. address: in small letters."""

    contact_id: str
    address: str
    name: str | None
    role: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A customer as far as a survey minds it.

    began_on    first day of its first subscription, trials aside; None where there was none
    active      whether one runs today
    onboarding  whether it is in one; urgent: whether an urgent ticket is open
    asked       how many of its contacts were invited in this quarter
    """

    id: str
    name: str
    csm_name: str | None
    csm_email: str | None
    began_on: date | None
    active: bool
    onboarding: bool
    urgent: bool
    asked: int
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """One contact to ask."""

    candidate: Candidate
    person: Person


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A customer that is due and not asked, or one of its contacts (`address`), and why."""

    customer_id: str
    reason: str
    address: str | None = None


def quarter_of(day: date) -> date:
    """The first day of its quarter."""
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)


def day_of(customer_id: str, settings: SurveySettings, day: date) -> date:
    """The day on which a customer's turn comes in the quarter of `day`: the same place in every quarter."""
    place = int.from_bytes(blake2b(customer_id.encode(), digest_size=8).digest()) % settings.spread_days
    return quarter_of(day) + timedelta(days=place)


def is_due(customer_id: str, settings: SurveySettings, today: date) -> bool:
    return 0 <= (today - day_of(customer_id, settings, today)).days <= settings.late_days


def why_not(candidate: Candidate, settings: SurveySettings, today: date) -> str | None:
    """What stands against asking this customer at all."""
    if not candidate.active or candidate.began_on is None:
        return "no subscription runs"
    if (tenure := (today - candidate.began_on).days) < settings.first_days:
        return f"a customer for {tenure} days, fewer than {settings.first_days}"
    if candidate.onboarding:
        return "it is in its onboarding"
    if candidate.urgent:
        return "an urgent ticket is open"
    return None


def choose(
    candidates: Iterable[Candidate],
    asked: Mapping[str, datetime],
    unwanted: Mapping[str, str],
    settings: SurveySettings,
    *,
    now: datetime,
    by_hand: bool = False,
    force: bool = False,
) -> tuple[list[Pick], list[LeftOut]]:
    """Whom to ask now, and who is left out.

    asked     {address: when it was asked last}; unwanted: {address: why it gets no such mail}
    by_hand   for customers whose turn it need not be; force: whatever stands against the customer, but no contact's rest
    """
    today = now.date()
    picks: list[Pick] = []
    left: list[LeftOut] = []
    taken: set[str] = set()
    turn = sorted(candidates, key=lambda each: (day_of(each.id, settings, today), each.id))
    for candidate in turn:
        if not by_hand and not is_due(candidate.id, settings, today):
            continue
        if not force and (reason := why_not(candidate, settings, today)) is not None:
            left.append(LeftOut(candidate.id, reason))
            continue
        most = settings.most_contacts - (0 if by_hand else candidate.asked)
        if most <= 0:
            continue  # it has had its turn
        people, without = _of(candidate, asked, unwanted, taken, settings, today)
        if by_hand or not candidate.asked:  # whoever was asked already needs no word on the others
            left += without
        for person in people[:most]:
            if len(picks) == settings.most_per_day and not by_hand:
                left.append(
                    LeftOut(candidate.id, f"{settings.most_per_day} are asked today, which is the most", person.address)
                )
                continue
            picks.append(Pick(candidate, person))
            taken.add(person.address)
        if not people and not without:
            left.append(
                LeftOut(candidate.id, f"no contact with an address is of the roles {', '.join(settings.roles)}")
            )
    return picks, left


def _of(
    candidate: Candidate,
    asked: Mapping[str, datetime],
    unwanted: Mapping[str, str],
    taken: set[str],
    settings: SurveySettings,
    today: date,
) -> tuple[list[Person], list[LeftOut]]:
    """Its contacts that may be asked: by role as the settings have it, then whoever was not asked for longest."""
    ranked: dict[str, tuple[int, Person]] = {}
    for person in candidate.people:
        role = person.role if person.role in settings.roles and person.role != OTHERS else OTHERS
        if role in settings.roles:
            rank = settings.roles.index(role)
            known = ranked.get(person.address)
            if known is None or rank < known[0]:  # of several sources that know a person, the one that says most
                ranked[person.address] = (rank, person)
    free: list[tuple[int, float, Person]] = []
    without: list[LeftOut] = []
    for rank, person in ranked.values():
        last = asked.get(person.address)
        if person.address in unwanted:
            reason = unwanted[person.address]
        elif person.address in taken:
            reason = "asked today as a contact of another customer"
        elif last is not None and (days := (today - last.date()).days) < settings.rest_days:
            reason = f"asked {days} days ago, and rests for {settings.rest_days}"
        else:
            free.append((rank, last.timestamp() if last else 0.0, person))
            continue
        without.append(LeftOut(candidate.id, reason, person.address))
    free.sort(key=lambda each: (each[0], each[1], each[2].address))
    return [person for _, _, person in free], without
