"""What the channels share that start runs elsewhere: where a service is, and what its refusals mean.

A run that is started is a message: it is reserved before, and our key is the other side's own key of the run, so that what had
no answer is asked for again and finds the run that is there.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson

from hub.delivery.base import Manners, Refusal, Rejected, Standing, Uncertain
from hub.delivery.posting import MAX_ANSWER, Answer, ask
from hub.delivery.reach import Lookup, Network, judged

TIMEOUT_SECONDS = 15.0
MANNERS = Manners(interval=timedelta(0), ordered=False, recognises=True, expiry=timedelta(days=1))
MAX_BODY = 256 * 1024
MAX_DETAIL = 300


class Calls:
    """Requests to one service's API: `url` judged anew for each, JSON both ways. `setting`: where `allowed` stands."""

    def __init__(
        self, url: str, *, to: str, setting: str, allowed: Sequence[Network], lookup: Lookup, timeout_seconds: float
    ) -> None:
        self.to = to
        self._url, self._setting = url.rstrip("/"), setting
        self._allowed, self._lookup, self._timeout = allowed, lookup, timeout_seconds

    async def look(self, path: str, *, authorization: str | None) -> Answer:
        """How something stands there; a run's answer has what it was given in it, and may be long."""
        return await self.call("GET", path, authorization=authorization, most=2 * MAX_BODY)

    async def call(
        self, method: str, path: str, content: Any = None, *, authorization: str | None = None, most: int = MAX_ANSWER
    ) -> Answer:
        """One request. Raises Rejected or Uncertain, as hub.delivery.posting does."""
        body = None if content is None else orjson.dumps(content)
        if body is not None and len(body) > MAX_BODY:
            raise Rejected(f"it has {len(body):,} bytes, more than {MAX_BODY:,}", kind=Refusal.PERMANENT)
        place = await judged(
            self._url + path, to=self.to, allowed=self._allowed, lookup=self._lookup, setting=self._setting
        )
        headers = {"Host": place.host, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if authorization is not None:
            headers["Authorization"] = authorization
        return await ask(
            method,
            place.url,
            body,
            to=self.to,
            headers=headers,
            timeout_seconds=self._timeout,
            extensions={"sni_hostname": place.name},
            most=most,
        )


def content_of(answer: Answer) -> dict[str, Any]:
    """Its JSON object; an empty one where it is none."""
    try:
        value = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def standing(answer: Answer, to: str, *, state: object, good: str, bad: frozenset[str]) -> Standing:
    """What an answer says of a run. `state` in it: `good` or one of `bad` where it has ended."""
    if answer.status == 404:
        return Standing(state="gone", ended=True)
    if not answer.taken:
        raise Rejected(f"{to} does not say how the run stands ({answer.status})", kind=Refusal.TRANSIENT)
    if not isinstance(state, str):
        raise Rejected(f"{to} says nothing of the run's state", kind=Refusal.TRANSIENT)
    said = state.lower()
    return Standing(state=said, ended=said == good or said in bad, succeeded=said == good)


def refused(answer: Answer, to: str, *, what: str) -> Rejected | Uncertain:
    """What an answer that started nothing means. `what` it was about: "the DAG 'x'"."""
    status = answer.status
    if status in (401, 403):
        return Rejected(f"{to} does not let us start {what} ({status}): check its credentials", kind=Refusal.DENIED)
    if status == 404:
        return Rejected(f"{to} does not know {what} (404)", kind=Refusal.PERMANENT)
    if status in (429, 503):
        return Rejected(f"{to} asks to wait ({status})", kind=Refusal.TRANSIENT, retry_after=answer.retry_after)
    if status >= 500:
        return Uncertain(f"{to} failed with {status} and may have started {what}")
    if 300 <= status < 400:
        return Rejected(f"{to} answers with {status}: set its final address", kind=Refusal.TRANSIENT)
    return Rejected(f"{to} refuses to start {what} ({status}){_detail(answer)}", kind=Refusal.PERMANENT)


def _detail(answer: Answer) -> str:
    """What it says of the reason, on one line."""
    detail = content_of(answer).get("detail")
    said = detail if isinstance(detail, str) else "" if detail is None else orjson.dumps(detail).decode()
    return f": {' '.join(said.split())[:MAX_DETAIL]}" if said else ""
