"""Lines of the export as what is summed, and the groups they name.

    {"event_type", "event_time": "2026-11-22 10:00:00.123000", "user_id", "device_id", "uuid", "$insert_id",
     "server_upload_time", "groups": {"company": ["acme"]}, "group_properties": {"company": {"acme": {…}}}, …}

Times are UTC without saying so. The user is `user_id`, or `device_id` where nobody has logged in. An event counts once per
`uuid`. What became known when is `server_upload_time`, which is also the order of the export.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from hashlib import blake2b
from typing import Any

import orjson

from connectors.kit.errors import BrokenBodyError
from connectors.kit.usage import EPOCH, FARTHEST, SECONDS_A_DAY, Fields, Raw, Seen, names
from hub.model.records import Quarantined

NOTHING: Mapping[str, Any] = {}


class Reader:
    """Feed it lines, get events to sum.

    groups   the newest properties of each group of `group_type`: {group: (version, properties)}
    faults   lines that are no event
    """

    def __init__(self, *, group_type: str, company_property: str | None, ignored: Sequence[str]) -> None:
        self.fields = Fields(
            event="event_type", time="event_time", user="user_id", company=company_property or f"groups.{group_type}"
        )
        self.faults: list[Quarantined] = []
        self.groups: dict[str, tuple[int, Mapping[str, Any]]] = {}
        self._group_type, self._ignored = group_type, frozenset(ignored)
        self._path = company_property.split(".") if company_property else None
        self._days: dict[str, int] = {}
        self._fresh = set[str]()
        self._hours = (0, FARTHEST * SECONDS_A_DAY * 1000)

    def expect(self, start: datetime, end: datetime) -> None:
        """Events that arrived at another time than this are another export's: BrokenBodyError."""
        self._hours = (round(start.timestamp() * 1000), round(end.timestamp() * 1000))

    def met(self) -> Iterator[Raw]:
        """The groups met, or met with newer properties, since this was last asked.

        One whose properties are not known has version 0: it overwrites nothing that is.
        """
        for group in sorted(self._fresh):
            version, properties = self.groups[group]
            yield {
                "kind": "group",
                "group": group,
                "version": version if properties is not NOTHING else 0,
                "properties": properties,
            }
        self._fresh.clear()

    def events(self, lines: Iterable[bytes]) -> Iterator[Seen]:
        first, last = self._hours
        for line in lines:
            try:
                event = orjson.loads(line)
            except orjson.JSONDecodeError:
                event = None
            if not isinstance(event, dict):
                if line.strip():
                    self._refuse(line)
                continue
            version = self._milliseconds(event.get("server_upload_time"))
            if version is not None and not first <= version < last:
                raise BrokenBodyError(
                    f"the export holds an event that arrived at {event['server_upload_time']}, outside of the hours asked for"
                )
            company = self._company(event, version or 0)
            name = event.get("event_type")
            if name in self._ignored:
                continue
            at = self._milliseconds(event.get("event_time"))
            yield (
                name,
                company,
                event.get("user_id") or event.get("device_id"),
                None if at is None else at // 1000,
                event.get("uuid") or event.get("$insert_id"),
                version,
                event,
            )

    def _company(self, event: Mapping[str, Any], version: int) -> Any:
        """Whom an event is of; its groups are met on the way."""
        groups = event.get("groups")
        said = groups.get(self._group_type) if isinstance(groups, dict) else None
        known = event.get("group_properties")
        properties = known.get(self._group_type) if isinstance(known, dict) else None
        for group in names(said):
            held = self.groups.get(group)
            if held is None or version > held[0]:
                of = properties.get(group) if isinstance(properties, dict) else None
                if of is not None or held is None:
                    found = of if isinstance(of, dict) and of else NOTHING
                    if held is None or found != held[1]:
                        self._fresh.add(group)
                    self.groups[group] = (version, found)
        if self._path is None:
            return said
        value: Any = event
        for part in self._path:
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def _milliseconds(self, value: Any) -> int | None:
        """ "2026-11-22 10:00:00.123000" as milliseconds since 1970, quickly: it is asked twice an event."""
        if value.__class__ is not str or len(value) < 19:
            return None
        day = self._days.get(value[:10])
        try:
            if day is None:
                day = self._days[value[:10]] = (date.fromisoformat(value[:10]) - EPOCH).days
            second = int(value[11:13]) * 3600 + int(value[14:16]) * 60 + int(value[17:19])
            return (day * SECONDS_A_DAY + second) * 1000 + int((value[20:23] or "0").ljust(3, "0"))
        except ValueError:
            return None

    def _refuse(self, line: bytes) -> None:
        key = blake2b(line, digest_size=8).hexdigest()
        shown = line[:500].decode("utf-8", "replace")
        self.faults.append(
            Quarantined(key=f"line-{key}", reason="a line of the export is no event", raw={"line": shown})
        )
