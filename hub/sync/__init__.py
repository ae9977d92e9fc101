"""Use case: pull a source, map its rows, upsert the records and move the bookmark, all in one transaction per batch.

    pull (network, ahead by a few pages) -> map -> [upsert + quarantine + bookmark + run counts] -> … -> identity

Killed at any moment, the next run starts from the last batch that landed whole; pulling a row again changes nothing. One
sync per source at a time: the lock is a row with a holder and an end, renewed by every batch and by a beat, and taken
over at once from a process of this machine that is gone.
"""

from hub.sync.report import Progress, Source, StreamReport, SyncReport
from hub.sync.run import sync

__all__ = ["Progress", "Source", "StreamReport", "SyncReport", "sync"]
