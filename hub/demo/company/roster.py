"""Who the simulated company's customers are: what is fixed about each from the day it signs.

Customers are numbered from 1 in the order they sign (arrays here count from 0). About 55 % have signed before the window
opens, and `newcomers` sign in its last weeks, some of whom hardly begin.
`fit` and `onboarding` are hidden: standard normal, higher is better. Some identities are traps on purpose: a parent
and its subsidiary on one domain, names one letter apart, contacts with free-mail addresses, a customer without a domain.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from hub.demo.company import words
from hub.demo.company.streams import Floats, Ints, Purpose, stream

SIGNED_BEFORE = 0.55
NEWCOMERS_WITHIN = 40
"""Days before the end of the window in which newcomers sign: every few days one."""
HARDLY_BEGINS = -3.0  # the onboarding of every third of them
SEGMENTS = ("smb", "mid-market", "enterprise")
PLANS = {
    "smb": ("Starter", 32.0),
    "mid-market": ("Growth", 49.0),
    "enterprise": ("Scale", 68.0),
}  # price a seat and month
FREE_MAIL = "gmail.com"
CSMS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Columns over customers.

    signed      day of signing, in days from the opening of the window; negative before it
    months      length of a term: 1, 3 or 12
    size        people at the customer who are meant to use the product
    free_mail   how many of its first people write from a free-mail address
    csm         index of the CSM, and of the one who takes over on day `csm_change`
    """

    names: tuple[str, ...]
    domains: tuple[str, ...]
    mail_domains: tuple[str, ...]
    parents: tuple[int | None, ...]
    segments: tuple[str, ...]
    industries: tuple[str, ...]
    countries: tuple[str, ...]
    utc_offset: Ints
    employees: Ints
    signed: Ints
    months: Ints
    size: Ints
    free_mail: Ints
    fit: Floats
    onboarding: Floats
    csm: Ints
    csm_change: int
    csm_after: Ints
    staff: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.names)

    def csm_of(self, customer: int, day: int) -> tuple[str, str]:
        """Name and e-mail of the CSM who owns the customer on a day."""
        return self.staff[int((self.csm_after if day >= self.csm_change else self.csm)[customer])]


def enlist(*, seed: int, customers: int, months: int, started_on: date, newcomers: int = 0) -> Roster:
    """The roster of a world. At least 12 customers, so that every trap has its place; the last `newcomers` sign last."""
    if customers < 12 or months < 1:
        raise ValueError(f"a world has at least 12 customers and 1 month, not {customers} and {months}")
    random = stream(seed, Purpose.ROSTER)
    window = round(months * 30.44)
    before = round(SIGNED_BEFORE * customers)
    signed = np.sort(
        np.concatenate(
            [
                -20 - np.floor(1300 * random.beta(1.0, 1.6, before)),
                np.floor(0.93 * window * random.beta(1.0, 1.3, customers - before)),
            ]
        )
    ).astype(np.int64)
    if newcomers:
        signed[-newcomers:] = np.linspace(window - NEWCOMERS_WITHIN, window - 4, newcomers).astype(np.int64)
    rank = random.choice(3, customers, p=(0.5, 0.35, 0.15))
    small, middle, large = (random.integers(low, high, customers) for low, high in ((3, 7), (5, 11), (11, 22)))
    size = np.choose(rank, (small, middle, large)).astype(np.int64)
    longest = np.choose(rank, (0.40, 0.66, 0.95))  # enterprises sign for a year
    pick = random.random(customers)
    term = np.where(pick < longest, 12, np.where(pick < longest + 0.55 * (1 - longest), 3, 1)).astype(np.int64)
    employees = np.exp(np.log(np.choose(rank, (35.0, 260.0, 2400.0))) + random.normal(0, 0.5, customers))
    fit = random.standard_normal(customers) + np.where(signed < 0, 0.2, 0.0)  # who is still here liked it better
    onboarding = random.standard_normal(customers)
    if newcomers:
        onboarding[-newcomers::3] = HARDLY_BEGINS
    countries = random.choice(len(words.COUNTRIES), customers, p=[share for _, share, _ in words.COUNTRIES])
    industries = [tuple(words.TRADES)[index] for index in random.integers(0, len(words.TRADES), customers)]
    csm = random.integers(0, CSMS, customers)
    names = _names(random, industries)
    domains = [f"{name.lower().replace(' ', '')}.example" for name in names]
    parents: list[int | None] = [None] * customers
    mail_domains = list(domains)
    free_mail = np.zeros(customers, dtype=np.int64)
    _set_traps(
        random, names=names, domains=domains, mail_domains=mail_domains, parents=parents, free_mail=free_mail, rank=rank
    )
    return Roster(
        names=tuple(names),
        domains=tuple(domains),
        mail_domains=tuple(mail_domains),
        parents=tuple(parents),
        segments=tuple(SEGMENTS[index] for index in rank),
        industries=tuple(industries),
        countries=tuple(words.COUNTRIES[index][0] for index in countries),
        utc_offset=np.array([words.COUNTRIES[index][2] for index in countries], dtype=np.int64),
        employees=np.maximum(8, employees).astype(np.int64),
        signed=signed,
        months=term,
        size=size,
        free_mail=free_mail,
        fit=fit,
        onboarding=onboarding,
        csm=csm,
        csm_change=int(window * 0.6),
        csm_after=np.where(csm == CSMS - 1, random.integers(0, CSMS - 1, customers), csm),  # the last of them leaves
        staff=_staff(seed),
    )


def month_later(day: date, months: int) -> date:
    """The same day of the month `months` later, or the last one that month has."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), first_of_next - timedelta(days=1))


def _names(random: np.random.Generator, industries: list[str]) -> list[str]:
    stems = [first + last for first in words.STEMS_FIRST for last in words.STEMS_LAST]
    order = random.permutation(len(stems))
    names: list[str] = []
    for index, industry in enumerate(industries):
        trades = words.TRADES[industry]
        # past the last stem the names repeat with another trade or a number: still unique
        stem, again = stems[order[index % len(stems)]], index // len(stems)
        trade = trades[(int(order[index % len(stems)]) + again) % len(trades)]
        names.append(f"{stem} {trade}" + (f" {again + 1}" if again else ""))
    return names


def _set_traps(
    random: np.random.Generator,
    *,
    names: list[str],
    domains: list[str],
    mail_domains: list[str],
    parents: list[int | None],
    free_mail: Ints,
    rank: Ints,
) -> None:
    chosen = [int(index) for index in random.choice(len(names), 8, replace=False)]
    for one, other in (chosen[0:2], chosen[2:4]):
        parent, child = min(one, other), max(one, other)
        parents[child] = parent + 1
        names[child] = f"{names[parent].split()[0]} {'Nordic' if names[parent].split()[0] != 'Nordic' else 'Iberia'}"
        domains[child] = mail_domains[child] = domains[parent]
    twin, original = chosen[4], chosen[5]
    stem, rest = names[original].split(" ", 1)
    names[twin] = f"{stem[:-1]}{'n' if stem[-1] != 'n' else 'm'} {rest}"
    domains[twin] = mail_domains[twin] = f"{names[twin].lower().replace(' ', '')}.example"
    domains[chosen[6]] = ""  # its people still write from the domain that nobody entered
    small = [index for index in np.flatnonzero(rank == 0) if index not in chosen][:2]
    for index, people in zip(small, (2, 1), strict=False):
        free_mail[index] = people


def _staff(seed: int) -> tuple[tuple[str, str], ...]:
    random = stream(seed, Purpose.STAFF)
    given = random.choice(len(words.GIVEN_NAMES), CSMS, replace=False)
    family = random.choice(len(words.FAMILY_NAMES), CSMS, replace=False)
    pairs = [(words.GIVEN_NAMES[g], words.FAMILY_NAMES[f]) for g, f in zip(given, family, strict=True)]
    return tuple((f"{g} {f}", f"{g}.{f}@northbeam.example".lower()) for g, f in pairs)
