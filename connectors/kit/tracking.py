"""What is told act by act: single events and what is said of a user, by programs that track, which cannot be asked.

A stream whose `Stream.tracked` reads its rows as one of these has them kept by the hub, which sums them: the stream's
`records` then reads what they come to,

    of acts       the rows of days as `connectors.kit.usage` makes them, anew for each day that has got more
    of profiles   {"kind": "profile", user, company, email, name, title, created_at, version}: all that was ever said

An act without a company belongs to the company of its user, as soon as anybody says which that is.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A user did something. id: the same when it is sent again. version: milliseconds since 1970 of when it was received."""

    id: str
    user: str
    name: str
    at: datetime
    version: int
    company: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is said of a user; None: nothing is said of that."""

    user: str
    version: int
    company: str | None = None
    email: str | None = None
    name: str | None = None
    title: str | None = None
    created_at: datetime | None = None


Tracked = Act | Profile
