"""Where mail services tell of bounces and complaints.

    POST /mail/bounces             our own form, signed as our own webhooks are (Standard Webhooks)
    POST /mail/bounces/ses         Amazon SES through SNS (HTTPS subscription, with user and password in its address)
    POST /mail/bounces/postmark    Postmark (with user and password in its address)

The services sign nothing that can be checked without calling them back, so theirs ask for Basic authentication, user cshub.
"""

import base64
import binascii
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.delivery.bounces import FORMS, FormError, told
from hub.delivery.webhook import signed
from hub.model.mail import Bounced
from hub.web.receiving import Routes, TooLargeError, body_of

log = logging.getLogger(__name__)

PATH = "/mail/bounces"
MOST = 1_000_000
TOLERANCE = timedelta(minutes=5)
USER = "cshub"

Take = Callable[[Sequence[Bounced]], Awaitable[None]]


def routes(take: Take, *, secret: str | None, password: str | None, clock: Callable[[], datetime]) -> Routes:
    """`secret` of our own form, `password` of the services'; None: that form is refused."""

    async def answer(request: Request) -> Response:
        form = request.path_params.get("form", "own")
        if form not in FORMS or (form == "own") is not ("form" not in request.path_params):
            return _refused(
                404, f"there is no such form; there are: {', '.join(each for each in FORMS if each != 'own')}"
            )
        try:
            body = await body_of(request, most=MOST)
        except TooLargeError:
            return _refused(413, "that is more than a bounce")
        now = clock()
        if not (_is_signed(request, body, secret, now) if form == "own" else _is_known(request, password)):
            log.warning("a %s bounce from %s was refused: not signed as agreed", form, request.client)
            return _refused(401, "not signed as agreed", asks=form != "own")
        try:
            found = told(form, body, now=now)
        except FormError as error:
            return _refused(400, str(error))
        if form == "ses":
            _note_confirmation(body)
        await take(found)
        return JSONResponse({"taken": len(found)})

    return [Route(PATH, answer, methods=["POST"]), Route(PATH + "/{form}", answer, methods=["POST"])]


def _is_signed(request: Request, body: bytes, secret: str | None, now: datetime) -> bool:
    id_, stamp = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
    if secret is None or not id_ or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        return False
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        return False
    at = datetime.fromtimestamp(int(stamp), now.tzinfo)
    right = signed([secret], id_=id_, at=at, body=body)["webhook-signature"]
    given = request.headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(each.encode(), right.encode()) for each in given)


def _is_known(request: Request, password: str | None) -> bool:
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if password is None or kind.lower() != "basic":
        return False
    try:
        said = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(said, f"{USER}:{password}".encode())


def _note_confirmation(body: bytes) -> None:
    """SNS asks once whether it may; the hub opens no address that a request names, so a person does."""
    value = json.loads(body)
    if isinstance(value, dict) and value.get("Type") == "SubscriptionConfirmation":
        log.warning(
            "SNS asks to confirm a subscription to bounces; open this if it is yours: %s", value.get("SubscribeURL")
        )


def _refused(status: int, why: str, *, asks: bool = False) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="bounces"'} if asks else None
    return JSONResponse({"error": why}, status_code=status, headers=headers)
