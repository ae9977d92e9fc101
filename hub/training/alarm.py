"""A message to the people who run the hub when a champion has drifted: once an episode, through the delivery ledger.

An *episode* begins with an alarm and is over after CALM_DAYS without one. Its first day is in the dedup key of the message,
so that however often, and by however many processes, drift is checked, the ledger takes the message once. It is sent like
every other, by whoever drains the ledger; it bears no customer and no run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b

from hub.delivery.notice import payload
from hub.model.actions import DeliveryState
from hub.store import Store, deliveries
from hub.store.drift import StoredReading, find_alarming
from hub.training.drift import DriftReport, alarms
from scoring.drift import SCORE

CALM_DAYS = 7
LONGEST = timedelta(days=400)
MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class Operations:
    """Where messages about the hub itself go: a channel ("slack", "email") and an address of it."""

    channel: str
    to: str


async def raise_alarm(
    store: Store, report: DriftReport, operations: Operations, *, hub_url: str, now: datetime
) -> str | None:
    """Reserve the message of a report with alarms; the delivery's id, or None where the episode had its message."""
    if not report.alarms:
        return None
    async with store.transaction() as connection:
        checks = await find_alarming(connection, report.model_version, since=now - LONGEST)
        days = {each.checked_at.date() for each in checks if alarms(each.kind, each.name, each.level)}
        begun = episode(sorted(days), until=now.date())
        key = f"drift.{report.model_version}.{begun}"
        subject, text = words(report, hub_url=hub_url)
        row = {
            "id": "del_" + blake2b(key.encode(), digest_size=16).hexdigest(),
            "dedup_key": key,
            "channel": operations.channel,
            "address": operations.to,
            "subject": subject,
            "payload": payload(operations.channel, subject, text),
            "state": DeliveryState.RESERVED.value,
            "attempts": 0,
            "reserved_at": now,
        }
        new = await deliveries.reserve(connection, [row])
    return new[0] if new else None


def episode(days: Sequence[date], *, until: date) -> date:
    """The first day of the run of alarms that reaches `until`: days in order, none farther than CALM_DAYS from the next."""
    begun = until
    for day in reversed(days):
        if (begun - day).days > CALM_DAYS:
            break
        begun = day
    return begun


def words(report: DriftReport, *, hub_url: str) -> tuple[str, str]:
    """(subject, text) of the message."""
    subject = f"Churn model {report.model_version}: {report.level.value}, {len(report.alarms)} readings have drifted"
    lines = [in_words(each) for each in report.alarms[:MOST_LINES]]
    if len(report.alarms) > MOST_LINES:
        lines.append(f"… and {len(report.alarms) - MOST_LINES} more")
    lines.append(f"All of them: cshub model drift. Health and churn risk: {hub_url}")
    return subject, "\n".join([subject, "", *lines])


def in_words(reading: StoredReading) -> str:
    """A reading as a line."""
    if reading.kind == "calibration":
        told = reading.detail
        return (
            f"{told['observed']} left where {told['expected']:.1f} were expected: {reading.value:.2f} times "
            f"(95 % interval {told['low']:.2f} to {told['high']:.2f}), predicted on {reading.as_of}"
        )
    if reading.kind == "roc_auc":
        was = f", {reading.warn:.3f} or more when trained" if reading.warn is not None else ""
        low, high = reading.detail["low"], reading.detail["high"]
        return f"ROC-AUC {reading.value:.3f} ({low:.3f} to {high:.3f}){was}, predicted on {reading.as_of}"
    what = "the score" if reading.name == SCORE else reading.name
    now, before = reading.detail["share_missing"], reading.detail["share_missing_before"]
    missing = f"; missing {now:.0%}, {before:.0%} in training" if abs(now - before) >= 0.01 else ""
    limits = f"warn {reading.warn:.2f}, act {reading.act:.2f}" if reading.warn and reading.act else "no limits"
    return f"{what}: PSI {reading.value:.2f} ({limits}), {reading.customers} customers of {reading.as_of}{missing}"
