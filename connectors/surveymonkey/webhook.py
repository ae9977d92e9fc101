"""Webhooks of SurveyMonkey: Sm-Signature is the base64 HMAC-SHA1 of the raw body by "<client id>&<secret>" of the app.

An event holds ids only. A HEAD request tries the address before a webhook is made. No time is signed, so what is sent again is
known by its `event_id`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.kit.base import BadRowError
from connectors.kit.signing import BadSignatureError, Hint, header, hmac_base64, require, secret_of
from connectors.kit.values import given, moment
from connectors.surveymonkey.connector import Settings

KIND = "response_"


def verified(
    headers: Mapping[str, str], body: bytes, *, settings: Settings, method: str, url: str, now: datetime
) -> None:
    if not settings.client_id:
        raise BadSignatureError("the source's client_id is not set, so no webhook can be believed")
    secret = f"{settings.client_id}&{secret_of(settings.webhook_secret)}"
    require(header(headers, "sm-signature"), hmac_base64(secret, body, "sha1"))


def hints(headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
    try:
        told: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRowError("is no JSON", field="body") from None
    if not isinstance(told, Mapping):
        raise BadRowError("is no object", field="body")
    event = str(told.get("event_type"))
    if not event.startswith(KIND):
        return ()
    survey, response = (told.get("resources") or {}).get("survey_id"), told.get("object_id")
    if not given(survey) or not given(response):
        raise BadRowError("names no survey and response", field="resources.survey_id")
    stamp = told.get("event_datetime")
    at = moment(stamp, field="event_datetime") if given(stamp) else None
    event_id = str(told.get("event_id") or f"{event} {response} {stamp}")
    return (Hint(event_id=event_id, stream="responses", key=f"{survey}.{response}", at=at),)


def answer(method: str, headers: Mapping[str, str], body: bytes) -> bytes | None:
    """An address is tried with HEAD before it is taken."""
    return b"" if method == "HEAD" else None
