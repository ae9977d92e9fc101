"""Use case: a vendor's webhook. Verified over its raw bytes, kept, and only then answered; what it hints at is fetched later.

    ear = Ear(source, webhook, settings, inbox=…, wake=…, clock=…)
    answer = await ear.hear(Call(method=…, url=…, headers=…, body=…))

`webhook` is the connector's webhook.py, see `connectors.kit.signing`. hub.sync.heeding does what was heard.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import orjson

from connectors.kit.base import BadRowError
from connectors.kit.signing import BadSignatureError, Hint, Pushed
from hub.store.source_events import row_of
from hub.sync.inbox import Inbox
from hub.sync.report import Source

log = logging.getLogger(__name__)
GATHER = timedelta(seconds=10)
"""How long hints wait that cannot be fetched by key, so that one pull of the stream answers many."""


class Verify(Protocol):
    def __call__(
        self, headers: Mapping[str, str], body: bytes, *, settings: Any, method: str, url: str, now: datetime
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A connector's webhook.py. `hints` or `rows` is there, `answer` may be."""

    verified: Verify
    hints: Callable[[Mapping[str, str], bytes], Sequence[Hint]] | None = None
    rows: Callable[[Mapping[str, str], bytes], Sequence[Pushed]] | None = None
    answer: Callable[[str, Mapping[str, str], bytes], bytes | None] | None = None
    paths: tuple[str, ...] = ()
    said: bytes = b""

    @classmethod
    def of(cls, module: Any) -> "Webhook":
        return cls(
            verified=module.verified,
            paths=getattr(module, "PATHS", ()),
            said=getattr(module, "ANSWER", b""),
            **{name: getattr(module, name, None) for name in ("hints", "rows", "answer")},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as it came. headers: names in lower case; url: the public one, with its query."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """status: 200 kept; 400 not readable; 401 not the vendor's; 405 no webhook. body: what the vendor wants back, or why."""

    status: int
    body: bytes = b""


class Ear:
    """Of one source."""

    def __init__(
        self,
        source: Source,
        webhook: Webhook,
        settings: Any,
        *,
        inbox: Inbox,
        wake: Callable[[str], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        self.source, self.webhook, self.settings = source, webhook, settings
        self._inbox, self._wake, self._clock = inbox, wake, clock
        self._fetched = {stream.name: stream.fetch is not None for stream in source.connector.streams()}

    async def hear(self, call: Call) -> Answer:
        """Raises what the store raises: what could not be kept must not be answered with 200."""
        webhook, name, now = self.webhook, self.source.name, self._clock()
        try:
            if (
                webhook.answer is not None
                and (back := webhook.answer(call.method, call.headers, call.body)) is not None
            ):
                return Answer(200, back)
            if call.method != "POST":
                return Answer(405, b"webhooks are sent with POST")
            webhook.verified(call.headers, call.body, settings=self.settings, method=call.method, url=call.url, now=now)
            headers = {**call.headers, ":received-at": now.isoformat()}
            hints = webhook.hints(headers, call.body) if webhook.hints is not None else ()
            pushed = webhook.rows(headers, call.body) if webhook.rows is not None else ()
            for row in pushed:
                _check_depth(row)
        except BadSignatureError as error:
            log.warning("a webhook for %s was refused: %s", name, error)
            return Answer(401, str(error).encode())
        except BadRowError as error:
            log.warning("a webhook for %s could not be read: %s", name, error)
            return Answer(400, str(error).encode())
        rows = self._rows(hints, pushed, now=now)
        if rows:
            await self._inbox.put(rows)
            await self._wake(name)
        elif not (hints or pushed):
            log.info("a webhook for %s says nothing we fetch", name)
        return Answer(200, webhook.said)

    def knows(self, call: Call) -> bool:
        """Whether a call at a path that several sources may have is for this one: it verifies it."""
        try:
            self.webhook.verified(
                call.headers, call.body, settings=self.settings, method=call.method, url=call.url, now=self._clock()
            )
        except (BadSignatureError, BadRowError):
            return False
        return True

    def _rows(self, hints: Sequence[Hint], pushed: Sequence[Pushed], *, now: datetime) -> list[dict[str, Any]]:
        name, known = self.source.name, self._fetched
        for unknown in ({each.stream for each in hints} | {each.stream for each in pushed}) - known.keys():
            log.error("a webhook for %s names the stream %s, which its connector does not have; left", name, unknown)
        made = [self._row(hint, now=now) for hint in hints if hint.stream in known]
        made += [
            row_of(name, event_id=row.event_id, stream=row.stream, raw=dict(row.raw), now=now, due_at=now)
            for row in pushed
            if row.stream in known
        ]
        return made

    def _row(self, hint: Hint, *, now: datetime) -> dict[str, Any]:
        at_once = hint.key is not None and self._fetched[hint.stream]
        return row_of(
            self.source.name,
            event_id=hint.event_id,
            stream=hint.stream,
            key=hint.key,
            now=now,
            due_at=now if at_once else now + GATHER,
            happened_at=hint.at,
        )


def _check_depth(row: Pushed) -> None:
    """BadRowError for what can be read and not be written: the store would refuse it, and the vendor send it for ever."""
    try:
        orjson.dumps(row.raw, default=str)
    except orjson.JSONEncodeError as error:
        raise BadRowError(f"a row cannot be kept: {error}") from None
