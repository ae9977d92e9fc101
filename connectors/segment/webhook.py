"""What tracking libraries send: /v1/batch, and /v1/track, identify, group, page, screen and alias one by one.

The write key is proof enough to write: by basic authentication, or as `writeKey` in the body, as browsers send it. Bodies may
be packed with gzip. A call without `messageId` is known again by its contents. Calls of alias, which say that two names are one
user's, are taken and left: days of use count users by the name they were sent under.
"""

import base64
import binascii
import logging
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson

from connectors.kit.base import BadRowError
from connectors.kit.signing import BadSignatureError, Pushed, require
from connectors.segment.connector import Settings

CALLS = ("track", "identify", "group", "page", "screen", "alias")
SHORT = {name[0]: name for name in ("track", "identify", "group", "page", "screen", "alias")} | {"b": "batch"}
PATHS = tuple(f"/v1/{name}" for name in (*CALLS, "batch", "import", *SHORT))
ANSWER = b'{"success": true}'
MOST_UNPACKED = 16 << 20
MOST_OF_A_CALL = 32 << 10
log = logging.getLogger(__name__)


def verified(
    headers: Mapping[str, str], body: bytes, *, settings: Settings, method: str, url: str, now: datetime
) -> None:
    given = _basic(headers)
    if given is None:
        sent = _read(headers, body)
        given = sent.get("writeKey")
    if not isinstance(given, str) or not given:
        raise BadSignatureError(
            "a write key is needed: as user name of basic authentication, or as writeKey in the body"
        )
    require(settings.keys, given, otherwise="the write key is not the source's write_key, nor its old_write_key")


def rows(headers: Mapping[str, str], body: bytes) -> Sequence[Pushed]:
    """Each call under the streams it tells something to."""
    sent = _read(headers, body)
    batch = sent.get("batch")
    single = not isinstance(batch, list)
    calls: list[Any] = batch if isinstance(batch, list) else [sent]
    received = headers[":received-at"]
    pushed: list[Pushed] = []
    for call in calls:
        if not isinstance(call, dict):
            call = {"type": "what is no object", "messageId": _digest({"call": call})}
        named = call.get("type") or (_named(headers.get(":path", "")) if single else None)
        raw = {
            **{name: value for name, value in call.items() if name != "writeKey"},
            "type": named,
            "sentAt": call.get("sentAt") or sent.get("sentAt"),
            "receivedAt": received,
        }
        raw.setdefault("messageId", None)
        raw["messageId"] = raw["messageId"] or _digest(call)
        pushed += _pushed(raw)
    return pushed


def _pushed(raw: dict[str, Any]) -> Iterator[Pushed]:
    id_, kind = str(raw["messageId"]), raw["type"]
    if kind == "alias":
        log.info("a call of alias is taken and left")
        return
    if len(orjson.dumps(raw)) > MOST_OF_A_CALL:
        large = {"type": f"{kind} of more than {MOST_OF_A_CALL >> 10} kB", "receivedAt": raw["receivedAt"]}
        yield Pushed(event_id=id_, stream="usage", raw={**large, "messageId": id_})
        return
    traits = raw.get("traits")
    company = traits.get("company") if isinstance(traits, dict) else None
    if kind == "group" or (kind == "identify" and isinstance(company, dict) and company.get("id")):
        yield Pushed(event_id=id_, stream="companies", raw=raw)
    if kind in ("identify", "group"):
        if raw.get("userId"):
            yield Pushed(event_id=id_, stream="contacts", raw=raw)
    else:
        yield Pushed(
            event_id=id_, stream="usage", raw=raw
        )  # of an unknown kind: its mapping refuses it, for the quarantine


def _basic(headers: Mapping[str, str]) -> str | None:
    scheme, _, packed = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(packed, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        raise BadSignatureError("the Authorization header cannot be read") from None


def _read(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The body as JSON; BadRowError where it is none, or larger than we unpack."""
    if headers.get("content-encoding", "").lower() == "gzip":
        unpack = zlib.decompressobj(wbits=31)
        try:
            body = unpack.decompress(body, MOST_UNPACKED)
        except zlib.error:
            raise BadRowError("the body is not packed with gzip, as it says") from None
        if unpack.unconsumed_tail or not unpack.eof:
            raise BadRowError(f"the body is cut short, or larger than {MOST_UNPACKED >> 20} MB when unpacked")
    try:
        sent = orjson.loads(body)
        orjson.dumps(sent)  # what is nested more deeply can be read and not be kept
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        sent = None
    if not isinstance(sent, dict):
        raise BadRowError("the body is no JSON object")
    return sent


def _named(path: str) -> str | None:
    last = path.rpartition("/")[2]
    return SHORT.get(last, last) if last in (*CALLS, *SHORT) else None


def _digest(call: Mapping[str, Any]) -> str:
    return "digest-" + blake2b(orjson.dumps(call, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
