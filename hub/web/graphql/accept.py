"""Which of the two media types of GraphQL over HTTP a client wants, by its Accept header.

    application/graphql-response+json    status codes say what became of the request
    application/json                     as older clients expect: 200 for every request that is well formed

The higher q wins; of two as high the one that is named first. `*/*`, `application/*` and no header at all mean the
older one, as the specification says of clients that do not know the newer.
"""

from functools import lru_cache

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
_MATCHES = {RESPONSE: RESPONSE, JSON: JSON, "application/*": JSON, "*/*": JSON}


@lru_cache(maxsize=128)
def chosen(accept: str | None) -> str | None:
    """RESPONSE or JSON; None where the client takes neither."""
    if accept is None or not accept.strip():
        return JSON
    best: str | None = None
    best_q = 0.0
    refused = set()
    for part in accept.split(","):
        range_, *parameters = (each.strip().lower() for each in part.split(";"))
        given = dict(each.split("=", 1) for each in parameters if "=" in each)
        if given.get("charset", "utf-8").strip('"') not in ("utf-8", "utf8", "*"):
            continue
        quality = _quality(given.get("q", "1"))
        if range_ in (RESPONSE, JSON) and quality == 0:
            refused.add(range_)
        type_ = _MATCHES.get(range_)
        if type_ is not None and quality > best_q:
            best, best_q = type_, quality
    if best in refused:  # named with q=0, and only meant by a wildcard
        best = next((each for each in (JSON, RESPONSE) if each not in refused and best is not None), None)
    return best


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0
