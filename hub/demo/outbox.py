"""`Outbox`: everything that arrived at the demo's Slack, mail server, PagerDuty and webhooks, in one file that only grows.

A row is in the file when its arrival is acknowledged, so what was answered with "ok" survives kill -9. Duplicates are told by
what the sender said of itself: the dedup key in a Slack message's metadata, the Message-ID of a mail, the id of a webhook. What
a receiver recognised and did not take again (`…_repeat`), and changes (`slack_update`), are no duplicates; nor are incidents
of PagerDuty, which may be opened anew. `slack_answer` is what one person alone was told, `slack_home` an App Home as it was
published last, `slack_file` a picture.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

import orjson

from hub.demo.sifting import PLACES, Wanted

Kind = Literal[
    "slack",
    "slack_update",
    "slack_answer",
    "slack_home",
    "slack_file",
    "email",
    "pagerduty",
    "pagerduty_repeat",
    "webhook",
    "webhook_repeat",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
_MESSAGES = "kind IN ('slack', 'slack_update')"
"""As the index of their times says it, so that it is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One thing received.

    address   channel id or recipient; `shown` is how a person would write it
    dedup     what the sender knows the message by; None where it does not say
    answered  False where the sandbox took it and, on purpose, never said so
    body      Slack: ts, text, blocks, metadata. E-mail: message_id, sender, text, html, headers. PagerDuty: dedup_key,
              event_action, state (of the incident now), payload, links. Webhook: id, event
    """

    number: int
    kind: Kind
    at: datetime
    address: str
    shown: str
    subject: str
    dedup: str | None
    answered: bool
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """That something was received: see Arrival."""

    number: int
    kind: Kind
    at: datetime
    dedup: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    kind: Kind
    address: str
    dedup: str
    count: int


class Outbox:
    """One SQLite file, opened (and made) at `path`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(
            "PRAGMA synchronous = NORMAL"
        )  # killed processes lose nothing by it, only power cuts do
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS arrivals (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, at TEXT NOT NULL,"
            " address TEXT NOT NULL, shown TEXT NOT NULL, subject TEXT NOT NULL, dedup TEXT, answered INTEGER NOT NULL,"
            " body TEXT NOT NULL) STRICT"
        )
        self._connection.execute("CREATE INDEX IF NOT EXISTS arrivals_at ON arrivals (at)")
        self._connection.execute(
            "CREATE INDEX IF NOT EXISTS arrivals_ts ON arrivals (address, json_extract(body, '$.ts'))"
            " WHERE kind IN ('slack', 'slack_update')"
        )

    def add(
        self,
        kind: Kind,
        *,
        at: datetime,
        address: str,
        body: Mapping[str, Any],
        shown: str = "",
        subject: str = "",
        dedup: str | None = None,
        answered: bool = True,
    ) -> int:
        """Keep one arrival and return its number; it is in the file when this returns."""
        cursor = self._connection.execute(
            "INSERT INTO arrivals (kind, at, address, shown, subject, dedup, answered, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (kind, at.isoformat(), address, shown or address, subject, dedup, answered, orjson.dumps(body).decode()),
        )
        number = cursor.lastrowid
        assert number is not None
        return number

    def arrivals(self, *, limit: int = 1_000) -> list[Arrival]:
        """The newest first."""
        return self._select("true ORDER BY number DESC LIMIT ?", limit)

    def arrived(self, *, since: datetime, until: datetime) -> list[Came]:
        """Messages of a stretch of time (aware, UTC), in the order they came; `numbered` has what stands in them."""
        rows = self._connection.execute(
            "SELECT number, kind, at, dedup FROM arrivals"
            " WHERE kind IN ('slack', 'email') AND at >= ? AND at < ? ORDER BY number",
            (since.isoformat(), until.isoformat()),
        )
        return [
            Came(number=number, kind=kind, at=datetime.fromisoformat(at), dedup=dedup)
            for number, kind, at, dedup in rows
        ]

    def _select(self, where: str, *values: object) -> list[Arrival]:
        rows = self._connection.execute(
            "SELECT number, kind, at, address, shown, subject, dedup, answered, body FROM arrivals WHERE " + where,  # noqa: S608  ours
            values,
        )
        return [
            Arrival(
                number=number,
                kind=kind,
                at=datetime.fromisoformat(at),
                address=address,
                shown=shown,
                subject=subject,
                dedup=dedup,
                answered=bool(answered),
                body=orjson.loads(body),
            )
            for number, kind, at, address, shown, subject, dedup, answered, body in rows
        ]

    def messages(self, *, limit: int = 1_000, wanted: Wanted | None = None) -> list[Arrival]:
        """Messages as their readers see them, newest first: a Slack message as it was last updated."""
        where, values = (wanted or Wanted()).where()
        chosen = self._select(f"kind <> 'slack_update' AND {where} ORDER BY number DESC LIMIT ?", *values, limit)
        oldest = min((arrival.number for arrival in chosen), default=0)
        updated: dict[tuple[str, str], Mapping[str, Any]] = {}
        for arrival in self._select("kind = 'slack_update' AND number > ? ORDER BY number DESC", oldest):
            updated.setdefault((arrival.address, str(arrival.body.get("ts"))), arrival.body)
        messages = []
        for arrival in chosen:
            place = (arrival.address, str(arrival.body.get("ts")))
            if arrival.kind == "slack" and place in updated:
                messages.append(_with_body(arrival, {**arrival.body, **updated[place], "edited": True}))
            else:
                messages.append(arrival)
        return messages

    def find(self, *, address: str, ts: str) -> Arrival | None:
        """The Slack message of a channel and ts."""
        found = self._select(
            f"{_MESSAGES} AND kind = 'slack' AND address = ? AND json_extract(body, '$.ts') = ? ORDER BY number LIMIT 1",
            address,
            ts,
        )
        return found[0] if found else None

    def current(self, *, address: str, ts: str) -> Arrival | None:
        """The same as it was last updated."""
        if (posted := self.find(address=address, ts=ts)) is None:
            return None
        updates = self._select(
            f"{_MESSAGES} AND kind = 'slack_update' AND address = ? AND json_extract(body, '$.ts') = ?"
            " ORDER BY number DESC LIMIT 1",
            address,
            ts,
        )
        return _with_body(posted, {**posted.body, **updates[0].body}) if updates else posted

    def numbered(self, number: int) -> Arrival | None:
        found = self._select("number = ?", number)
        return found[0] if found else None

    def newest(self, kind: Kind, address: str) -> Arrival | None:
        """The last one of a kind that came to an address."""
        found = self._select("kind = ? AND address = ? ORDER BY number DESC LIMIT 1", kind, address)
        return found[0] if found else None

    def last_ts(self, address: str) -> str | None:
        row = self._connection.execute(
            "SELECT json_extract(body, '$.ts') FROM arrivals"  # noqa: S608  ours
            f" WHERE {_MESSAGES} AND kind = 'slack' AND address = ? ORDER BY number DESC LIMIT 1",
            (address,),
        ).fetchone()
        return row[0] if row else None

    def counts(self) -> dict[str, int]:
        """Arrivals by kind; kinds that never came are 0."""
        counted: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        counted.update(dict(self._connection.execute("SELECT kind, count(*) FROM arrivals GROUP BY kind").fetchall()))
        return dict(counted)

    def known(self) -> list[tuple[Kind, str | None, int]]:
        """(kind, what its sender knows it by, how many places or times it came to)."""
        return self._connection.execute("SELECT kind, dedup, count(*) FROM arrivals GROUP BY kind, dedup").fetchall()

    def channels(self) -> dict[str, str]:
        """{id of a Slack channel that was posted to: how a person writes it}."""
        return dict(
            self._connection.execute("SELECT address, max(shown) FROM arrivals WHERE kind = 'slack' GROUP BY address")
        )

    def places(self) -> list[str]:
        """Where messages came to, as people write it, the busiest first."""
        rows = self._connection.execute(
            "SELECT shown FROM arrivals WHERE kind IN ('slack', 'email') GROUP BY shown ORDER BY count(*) DESC LIMIT ?",
            (PLACES,),
        )
        return [shown for (shown,) in rows]

    def duplicates(self) -> list[Duplicate]:
        """Messages that arrived more than once at the same place, by what their sender says they are."""
        rows = self._connection.execute(
            "SELECT kind, address, dedup, count(*) FROM arrivals WHERE dedup IS NOT NULL AND kind <> 'slack_update'"
            " GROUP BY kind, address, dedup HAVING count(*) > 1 ORDER BY min(number)"
        )
        return [Duplicate(kind=kind, address=address, dedup=dedup, count=count) for kind, address, dedup, count in rows]

    def close(self) -> None:
        self._connection.close()

    def as_json(self, *, limit: int = 1_000) -> dict[str, Any]:
        """What /outbox.json says."""
        return {
            "counts": self.counts(),
            "duplicates": [asdict(duplicate) for duplicate in self.duplicates()],
            "arrivals": [{**asdict(arrival), "at": arrival.at.isoformat()} for arrival in self.arrivals(limit=limit)],
        }


def _with_body(arrival: Arrival, body: Mapping[str, Any]) -> Arrival:
    fields = {name: getattr(arrival, name) for name in Arrival.__slots__}
    return Arrival(**{**fields, "body": body})
