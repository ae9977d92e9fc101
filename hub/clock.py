"""The only caller of `datetime.now`; everything else is passed `now`."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
