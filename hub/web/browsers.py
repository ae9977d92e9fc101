"""What browsers are given and what they must show: the session's cookie, and that it is a page of ours that asks.

A browser sends its cookies with whatever any page makes it ask for. So the cookie alone opens pages and nothing more:
to call the API by it, a request must be one that only our own pages can make (`why_no_call`), as must forms (`why_no_form`),
sockets (`why_no_socket`) and downloads (`why_no_download`). What comes with `Authorization` is no browser's doing, and none
of this is asked of it.

Browsers say where a request comes from in Sec-Fetch-Site, to https and to the machine itself, and in Origin. Where the first
is there it counts, and pages with the policy no-referrer may then send the Origin "null"; else the Origin must be ours.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

LONGEST = 4_000
LONGEST_PATH = 1_000
PREFLIGHT = "graphql-require-preflight"
Headers = Mapping[str, str]


class Browsers:
    """url: where people reach the hub; of https, cookies are bound to the host and never sent without encryption."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.secure = parts.scheme == "https"
        self._origin = f"{parts.scheme}://{parts.netloc}".lower()
        self.name = "__Host-cshub" if self.secure else "cshub_session"

    def cookie(self, headers: Headers) -> str | None:
        """What the session's cookie holds."""
        return found(headers, self.name)

    def set_session(self, value: str, *, expires_at: datetime, now: datetime) -> str:
        """A Set-Cookie header. Lax: links of mails open pages; no other site's page sends it with anything else."""
        return self.set(self.name, value, seconds=int((expires_at - now).total_seconds()))

    def end_session(self) -> str:
        return self.set(self.name, "", seconds=0)

    def named(self, name: str) -> str:
        """The name of a cookie beside it."""
        return f"{'__Host-' if self.secure else ''}cshub_{name}"

    def set(self, name: str, value: str, *, seconds: int) -> str:
        """A Set-Cookie header for a cookie that no script sees."""
        return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{'; Secure' if self.secure else ''}"

    def why_no_call(self, headers: Headers, method: str) -> str | None:
        """Why a call of the API by cookie is refused; None where it is a page of ours that calls."""
        if method != "POST":
            return "with a session's cookie the API takes POST alone: a GET needs a token, Authorization: Bearer …"
        if PREFLIGHT not in headers:
            return f"with a session's cookie the API needs the header {PREFLIGHT} (with any value)"
        return self._why_foreign(headers)

    def why_no_form(self, headers: Headers) -> str | None:
        """Why a form is refused."""
        return self._why_foreign(headers)

    def why_no_socket(self, headers: Headers) -> str | None:
        """Why a WebSocket by cookie is refused: its handshake must name our own origin."""
        return None if self._is_own(headers) else "with a session's cookie only pages of the hub open a socket"

    def why_no_download(self, headers: Headers) -> str | None:
        """Why a GET of data by cookie is refused: it must be followed from a page of ours, or typed."""
        site = headers.get("sec-fetch-site")
        if site in ("same-origin", "none"):
            return None
        if site is None and ("origin" not in headers or self._is_own(headers)):
            return None  # a browser that does not say, or a plain-http network; SameSite=Lax holds
        return "with a session's cookie this is for pages of the hub alone: another site led here"

    def _why_foreign(self, headers: Headers) -> str | None:
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            ours = site == "same-origin" and (origin in (None, "null") or self._is_own(headers))
        else:
            ours = origin is None or self._is_own(headers)
        return (
            None if ours else "with a session's cookie only pages of the hub may do this: this came from another origin"
        )

    def _is_own(self, headers: Headers) -> bool:
        origin = headers.get("origin", "").lower()
        scheme, _, host = origin.partition("://")
        fits = scheme == "https" or (scheme == "http" and not self.secure)
        return origin == self._origin or (fits and host != "" and host == headers.get("host", "").lower())


def found(headers: Headers, name: str) -> str | None:
    """A cookie's value; of one that is there twice the first."""
    for part in headers.get("cookie", "").split(";"):
        key, sign, value = part.strip().partition("=")
        if key == name and sign:
            return value if 0 < len(value) <= LONGEST else None
    return None


def local_path(given: str | None) -> str:
    """Where to go on after signing in: a path of ours, or the first page. What a browser could read as another host is none."""
    if not given or not given.startswith("/") or given.startswith("//") or len(given) > LONGEST_PATH:
        return "/"
    if (
        "\\" in given
        or any(not 0x20 < ord(each) < 0x7F for each in given)
        or given.startswith(("/sign-in", "/sign-out"))
    ):
        return "/"
    return given
