"""A request read: its document or the id of one, variables, operation and extensions, or why it is no request.

What two readers could understand in two ways is refused: a key given twice, NaN, half a surrogate pair, bytes that are not
UTF-8, and the character NUL, which no text of the store can hold.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

LARGEST_BODY = 1_000_000
NOT_BY_FORMS = ("graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name")
"""Headers that a browser sends to another site only after asking whether it may; GET needs one of them."""
_WANTED: Mapping[str, tuple[type, str]] = {
    "query": (str, "a text: a GraphQL document"),
    "operationName": (str, "a text"),
    "documentId": (str, "a text: the SHA-256 of a trusted document"),
    "variables": (dict, "a JSON object"),
    "extensions": (dict, "a JSON object"),
}


class BadRequestError(Exception):
    """A request that is no GraphQL request; answered with its status and message."""

    def __init__(self, message: str, status: int = 400, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. It has a query, the id of a trusted document, or both."""

    query: str | None
    document_id: str | None = None
    variables: Mapping[str, Any] | None = None
    operation: str | None = None
    extensions: Mapping[str, Any] | None = None


@lru_cache(maxsize=64)
def check_content_type(content_type: str | None, content_encoding: str | None) -> None:
    """BadRequestError for a body that is not plain JSON in UTF-8."""
    type_, *parameters = (each.strip().lower() for each in (content_type or "").split(";"))
    charset = dict(each.split("=", 1) for each in parameters if "=" in each).get("charset", "utf-8").strip('"')
    if type_ != "application/json" or charset not in ("utf-8", "utf8"):
        message = "send the request as one JSON object in UTF-8, with Content-Type: application/json"
        raise BadRequestError(message, 415, headers={"accept-post": "application/json"})
    if content_encoding not in (None, "", "identity"):
        raise BadRequestError("send the body without a Content-Encoding", 415, headers={"accept-encoding": "identity"})


def posted(body: bytes) -> Asked:
    """The request of a body."""
    value = _json(body, "the body")
    if isinstance(value, list):
        raise BadRequestError(
            "one request at a time: batches (a JSON array) are not answered, send its items one by one"
        )
    if not isinstance(value, dict):
        raise BadRequestError("the body must be one JSON object with query, variables and operationName")
    return _asked(value)


def got(query_string: bytes, headers: Mapping[str, str]) -> Asked:
    """The request of a query string."""
    if not any(headers.get(each) for each in NOT_BY_FORMS) and headers.get("content-type") != "application/json":
        raise BadRequestError(f"a GET needs the header {NOT_BY_FORMS[0]} (with any value), or use POST")
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:  # UnicodeDecodeError is one
        raise BadRequestError("the query string must be percent-encoded UTF-8 with few parameters") from None
    given = dict(pairs)
    if twice := next((key for key in _WANTED if sum(name == key for name, _ in pairs) > 1), None):
        raise BadRequestError(f"{twice} is given twice")
    found: dict[str, Any] = {key: given[key] for key in ("query", "operationName", "documentId") if key in given}
    for key in ("variables", "extensions"):
        if given.get(key):
            found[key] = _json(given[key].encode(), key)
    return _asked(found)


def _json(text: bytes, what: str) -> Any:
    try:
        value = orjson.loads(text)
        if not _came_as(value, text):
            json.loads(text, object_pairs_hook=_once)  # orjson is strict in all but this: the last of two keys wins
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"{what} is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise BadRequestError(f"{what} is nested too deeply") from None
    if b"\\u0000" in text and _has_nul(value):
        raise BadRequestError(f"{what} has the character NUL (\\u0000), which no text here may have")
    return value


def _came_as(value: Any, text: bytes) -> bool:
    """Whether the text is how we write the value: then no key was there twice. Most clients write as we do."""
    try:
        return orjson.dumps(value) == text
    except orjson.JSONEncodeError:  # nested too deeply
        return False


def _once(pairs: list[tuple[str, Any]]) -> None:
    names = {name for name, _ in pairs}
    if len(names) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise BadRequestError(f"the key {name[:60]!r} is given twice in one object")
            seen.add(name)


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, dict) and any(_has_nul(each) for pair in value.items() for each in pair)


def _asked(value: Mapping[str, Any]) -> Asked:
    for key, given in value.items():
        if given is not None and key in _WANTED and not isinstance(given, _WANTED[key][0]):
            raise BadRequestError(f"{key} must be {_WANTED[key][1]}")
    query = value.get("query") or None
    id_ = value.get("documentId") or _persisted(value.get("extensions"))
    if id_ is None and (query is None or not query.strip()):
        raise BadRequestError("query must be a GraphQL document, or documentId the SHA-256 of a trusted one")
    return Asked(
        query=query,
        document_id=id_,
        variables=value.get("variables"),
        operation=value.get("operationName") or None,
        extensions=value.get("extensions"),
    )


def _persisted(extensions: Mapping[str, Any] | None) -> str | None:
    """The id as Apollo's clients send it."""
    given = (extensions or {}).get("persistedQuery")
    if given is None:
        return None
    id_ = given.get("sha256Hash") if isinstance(given, dict) else None
    if not isinstance(id_, str) or not id_:
        raise BadRequestError("extensions.persistedQuery must have sha256Hash, the SHA-256 of a trusted document")
    return id_
