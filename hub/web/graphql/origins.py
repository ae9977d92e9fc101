"""Pages of other origins that may call the API from a browser: those in hub.yaml's `graphql.origins`, none by default.

Without an Origin header, or from one that is not listed, an answer has no header of CORS at all, and the browser keeps it from
the page. Credentials are never allowed: the token travels in a header that the page itself sets.
"""

from collections.abc import Mapping, Sequence

ALLOWED_HEADERS = "authorization, content-type, graphql-require-preflight, last-event-id"
EXPOSED_HEADERS = "retry-after"
METHODS = "GET, POST, OPTIONS"
_FOR_SECONDS = "600"


class Origins:
    """`allowed`: such as https://app.example.com."""

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        self.allowed = frozenset(each.lower().rstrip("/") for each in allowed)

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """Of an answer to a page of `origin`."""
        if not self.allowed:
            return {}
        if origin is None or origin.lower() not in self.allowed:
            return {"vary": "Origin"}
        return {
            "vary": "Origin",
            "access-control-allow-origin": origin,
            "access-control-expose-headers": EXPOSED_HEADERS,
        }

    def preflight(self, origin: str | None) -> Mapping[str, str]:
        """Of the answer to a browser that asks whether a page of `origin` may."""
        found = dict(self.headers(origin))
        if "access-control-allow-origin" in found:
            found["access-control-allow-methods"] = METHODS
            found["access-control-allow-headers"] = ALLOWED_HEADERS
            found["access-control-max-age"] = _FOR_SECONDS
        return found
