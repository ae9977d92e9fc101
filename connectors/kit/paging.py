"""Paginators without I/O: given what an answer said, the next request or None.

TokenPages       the vendor hands out a token for the next page; a token seen before is a ContractError (loop guard)
KeysetPages      "key > last key seen", ascending; a page that does not advance is a ContractError
NumberPages      page number or offset; stops at a short page, and says so when a cap of the vendor's is reached
TimePages        numbered pages in the order of changes, begun anew at the last change seen, so that rows that move lose nobody
time_windows     one long span as short ones, for APIs that filter by time and cap each query
link_next        the next page's URL out of a Link header
own_path         the path and query of an absolute next URL, refused when it leads to another host
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from urllib.parse import SplitResult, urlsplit

from connectors.kit.errors import ContractError


@dataclass(slots=True)
class TokenPages:
    """`next(token)` gives the token to send next, or None at the end (token None or empty).

    Tokens are remembered as 8-byte digests, so millions of pages stay small.
    """

    what: str
    _seen: set[bytes] = field(default_factory=set)

    def next(self, token: str | None) -> str | None:
        if not token:
            return None
        digest = blake2b(token.encode(), digest_size=8).digest()
        if digest in self._seen:
            raise ContractError(
                f"{self.what}: the vendor handed out the same page token twice; the pages would never end"
            )
        self._seen.add(digest)
        return token


@dataclass(slots=True)
class KeysetPages:
    """`next(last, full=…)` gives the key to ask beyond, or None after a page that was not full. `last`: the page's last key.

    Keys are compared as integers where both are, otherwise as text.
    """

    what: str
    last: str | None = None

    def next(self, last: str | None, *, full: bool) -> str | None:
        if not full:
            return None
        if last is None:
            raise ContractError(f"{self.what}: a page says that more is to come, and holds no key to go on from")
        if self.last is not None and not _beyond(last, self.last):
            raise ContractError(
                f"{self.what}: a page asked for after key {self.last} ends at {last}; it does not advance"
            )
        self.last = last
        return last


@dataclass(slots=True)
class NumberPages:
    """Page numbers from `first`, or row offsets with `offset=True`.

    `cap` is the vendor's limit on rows (offset + page size) that can be reached this way: going on beyond it with more
    rows to come is a ContractError instead of a silent end. None: no cap is known.
    """

    what: str
    size: int
    first: int = 1
    offset: bool = False
    cap: int | None = None
    _pages: int = 0

    @property
    def start(self) -> int:
        return self._pages * self.size if self.offset else self.first + self._pages

    def next(self, rows: int, *, more: bool | None = None) -> int | None:
        """The next page number or offset. `more`: the vendor's own word on it; without it a full page means more."""
        if not (rows >= self.size if more is None else more):
            return None
        self._pages += 1
        if self.cap is not None and (self._pages + 1) * self.size > self.cap:
            raise ContractError(f"{self.what}: more than {self.cap} rows, which is all the vendor lets us page through")
        return self.start


@dataclass(slots=True)
class TimePages:
    """Numbered pages of rows that changed since a time, in the order of their changes, times in whole seconds.

    A row that changes while it is read moves to the end of such an order, and the first row of the next page slips onto the
    page that was read. So no page is the second of a listing: the next one is the first since the last change seen, `since`,
    a second less should the vendor leave the boundary out. Only where a second holds more rows than a page, the pages of
    that second are numbered. `take` says which rows of a page were not on the one before.
    """

    what: str
    since: int
    number: int = 1
    ended: bool = False
    _before: set[tuple[str, int]] = field(default_factory=set)
    _tied: set[tuple[str, int]] = field(default_factory=set)

    def take(self, places: Sequence[tuple[str, int]], *, more: bool) -> list[bool]:
        """places: (key, second of the change; 0 where it is unknown) of the page asked for with `since` and `number`."""
        seen, times = set(places), [at for _, at in places if at]
        if times != sorted(times) or (times and times[0] < self.since - 1):
            raise ContractError(f"{self.what}: a page's rows are not in the order of changes since it was asked for")
        if self.number > 1 and seen and seen <= self._tied:
            raise ContractError(f"{self.what}: page {self.number} came twice; the pages would never end")
        fresh = [place not in self._before for place in places]
        self._before = seen | (self._before if self.number > 1 else set())
        if times and times[-1] > self.since:
            self.since, self.number, self._tied = times[-1], 1, set()
        else:
            self.number, self._tied = self.number + 1, self._tied | seen
        self.ended = not more
        return fresh


def time_windows(start: datetime, end: datetime, *, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """[start, end) as consecutive half-open windows of at most `step`; nothing where start >= end."""
    if step <= timedelta(0):
        raise ValueError("step must be positive")
    while start < end:
        stop = min(start + step, end)
        yield start, stop
        start = stop


def link_next(headers: Mapping[str, str]) -> str | None:
    """The URL an answer's Link header (RFC 8288; names in lower case) gives for the next page; None at the end.

    Links are separated by commas, which URLs may hold, too. Give it to `own_path` before it is followed.
    """
    for url, parameters in re.findall(r"<([^>]*)>((?:\s*;[^,;\"]*(?:\"[^\"]*\")?)*)", headers.get("link", "")):
        relations = re.search(r"""\brel\s*=\s*"?([^";]+)""", parameters, re.IGNORECASE)
        if relations and "next" in relations[1].lower().split():
            return str(url)
    return None


def own_path(next_url: str, *, base_url: str) -> str:
    """Path and query of `next_url` relative to `base_url`, for `Client.get_json`.

    Pages are asked for on the configured host only: credentials never follow a link elsewhere. Prefer rebuilding the
    request from its token; this is for vendors that hand out nothing but a URL. Relative URLs pass. The configured base
    may be a proxy whose host differs from the vendor's own links: that too is refused, naming both hosts.
    """
    target, base = urlsplit(next_url), urlsplit(base_url)
    if target.netloc and _origin(target, base.scheme) != _origin(base, base.scheme):
        raise ContractError(
            f"the next page is said to be at {_shown(target)}, but this source is configured for {_shown(base)};"
            " not followed"
        )
    path = target.path
    if (prefix := base.path.rstrip("/")) and path.startswith(f"{prefix}/"):
        path = path.removeprefix(prefix)
    return f"{path}?{target.query}" if target.query else path


def _origin(url: SplitResult, scheme: str) -> tuple[str, str | None, int | None]:
    scheme = url.scheme or scheme
    return scheme, url.hostname, url.port or {"http": 80, "https": 443}.get(scheme)


def _shown(url: SplitResult) -> str:
    """Scheme, host and port, without a user's name or password."""
    return f"{url.scheme}://{url.hostname}" + (f":{url.port}" if url.port else "")


def _beyond(key: str, last: str) -> bool:
    return int(key) > int(last) if key.isdecimal() and last.isdecimal() else key > last
