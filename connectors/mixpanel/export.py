"""Lines of the raw event export as events: broken records mended or refused, a cut body noticed.

The export is JSON lines without a closing mark, and two things happen to it in the wild: a record is split over several
lines, and the server gives up in the middle, with or without a line that says `terminated early`. The first can be
mended, the second never shows in the status code; what stands in the body then is a part, and days summed from a part
look like falling usage. So `Reader.close` raises `IncompleteError` and the whole window is asked for again.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

import orjson

from hub.model.records import Quarantined

TERMINATED = re.compile(rb"^\W*terminated early\W*$", re.IGNORECASE)
GAVE_UP = "the export was terminated early by the server"
LONGEST_RECORD = 1_000_000  # bytes; a split record that has grown past this is no record


def whole(tail: bytes) -> bool:
    """Whether `tail`, the last bytes of a body, may be how a complete export ends: with a record, or with nothing."""
    lines = tail.rstrip().splitlines()
    return not lines or (lines[-1].endswith(b"}") and not TERMINATED.match(lines[-1]))


class IncompleteError(Exception):
    """The body ended before the export did."""


class Reader:
    """Feed it lines, get events; `faults` are the lines that are no record and can't be mended."""

    def __init__(self) -> None:
        self.faults: list[Quarantined] = []
        self._held = b""

    def events(self, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        """The events of `lines`; raise IncompleteError at the server's own mark that it gave up."""
        loads = orjson.loads
        for line in lines:
            try:
                event = loads(line)
            except orjson.JSONDecodeError:
                event = self._mend(line)
                if event is None:
                    continue
            else:
                if self._held and not (isinstance(event, dict) and "event" in event):
                    event = self._mend(line)  # a fragment that happens to be JSON, such as a number
                    if event is None:
                        continue
            if self._held:
                self._refuse(self._held)
                self._held = b""
            if isinstance(event, dict):
                yield event
            elif TERMINATED.match(line):
                raise IncompleteError(GAVE_UP)
            else:
                self._refuse(line)

    def close(self) -> None:
        """At the end of the body: raise IncompleteError where it stops within a record."""
        if self._held:
            raise IncompleteError("the export stopped within a record")

    def _mend(self, line: bytes) -> Any:
        """The record that `line` completes, or None: it is blank, or kept until a later line completes it."""
        if not line.strip():
            return None
        if TERMINATED.match(line):
            raise IncompleteError(GAVE_UP)
        joined = self._held + line.rstrip(b"\r\n")
        try:
            event = orjson.loads(joined)
        except orjson.JSONDecodeError:
            if len(joined) > LONGEST_RECORD:
                self._refuse(joined)
                joined = b""
            self._held = joined
            return None
        self._held = b""
        return event

    def _refuse(self, line: bytes) -> None:
        key = blake2b(line, digest_size=8).hexdigest()
        text = line[:500].decode("utf-8", "replace")
        self.faults.append(
            Quarantined(key=f"line-{key}", reason="a line of the export is no event", raw={"line": text})
        )
