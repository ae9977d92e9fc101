"""Reads of personal data are noted in the audit log before they are answered.

    reads = Reads(store)
    noted = reads.note(read)        done when it is written: to be awaited before anything is shown

Whoever notes while others are being written is written with the next ones: under load one transaction holds many, and
a reader waits for one or two of them. A record says who read which fields, by which document and with which variables; with
the log's time and the document, what was shown can be told.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.access.viewer import Viewer
from hub.errors import TransientError
from hub.store import Store, audit
from hub.store.audit import READ, Record

log = logging.getLogger(__name__)
LONGEST_SUBJECT = 200
ACTION = "personalRead"


class UnnotedError(TransientError):
    """Personal data was not read, because it could not be noted who reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """fields: such as Contact.email. document: SHA-256 of its text. operation: its name, if it has one."""

    viewer: Viewer
    at: datetime
    fields: Sequence[str]
    document: str
    operation: str | None
    variables: Mapping[str, Any]


class Reads:
    """See the module. One for a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Read, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    def note(self, read: Read) -> asyncio.Future[None]:
        """Write it down. Done when that is so; UnnotedError where it cannot be, and then nothing may be shown.

        Who leaves meanwhile cancels it, or nobody hears of an error: it is written all the same.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((read, written))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return written

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                entries = zip(audit.new_entries(len(batch)), batch, strict=True)
                await audit.append_alone(self._store, [_record(entry, read) for entry, (read, _) in entries])
            except Exception:  # whatever it is, those who wait must hear it
                log.exception("reads of personal data could not be noted, and were refused")
                for _, written in batch:
                    if not written.done():
                        written.set_exception(UnnotedError("the audit log could not be written: nothing is shown"))
            else:
                for _, written in batch:
                    if not written.done():  # its reader has gone
                        written.set_result(None)


def _record(entry: str, read: Read) -> Record:
    detail: dict[str, Any] = {"fields": list(read.fields), "document": read.document}
    if read.operation is not None:
        detail["operation"] = read.operation
    if read.variables:
        detail["variables"] = dict(read.variables)
    return Record(
        entry_id=entry,
        kind=READ,
        at=read.at,
        actor=read.viewer.actor,
        token_id=read.viewer.token_id,
        action=ACTION,
        subject=_subject(read.fields),
        detail=detail,
    )


def _subject(fields: Sequence[str]) -> str:
    """All of them, or as many as the column holds."""
    told = ", ".join(fields)
    return told if len(told) <= LONGEST_SUBJECT else f"{told[: LONGEST_SUBJECT - 1].rpartition(',')[0]}…"
