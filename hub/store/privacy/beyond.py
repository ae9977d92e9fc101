"""What erasing in the store cannot reach, counted and said without naming anybody."""

from collections import Counter
from typing import Any

from sqlalchemy import func, select

from hub.model.records import SubscriptionStatus
from hub.store.among import among
from hub.store.privacy.finding import search
from hub.store.privacy.places import BY_TABLE
from hub.store.privacy.subject import Subject
from hub.store.store import Connection
from hub.store.tables import delivery, slack_thread, subscription

SENT = ("sent", "confirmed", "unknown")
MOST_NAMED = 20
ELSEWHERE = {
    "email": "lie in the mailboxes they went to",
    "webhook": "are with the systems they went to: ask these to erase",
    "pagerduty": "are in PagerDuty: remove them there",
    "airflow": "started work in Airflow: remove its arguments there",
    "prefect": "started work in Prefect: remove its arguments there",
}
ALWAYS = (
    "the sources themselves: the hub never writes to them, erase there too",
    "back-ups and copies of the store made before: they age out, or are restored and erased again",
    "files that an export, a report or a picture was written to",
)


async def find_left(connection: Connection, subject: Subject) -> list[str]:
    """Sentences, to be asked before anything is erased."""
    said = await _sent(connection, subject)
    if subject.is_customer:
        said += await _running(connection, subject)
        threads = select(func.count()).where(among(connection, slack_thread.c.customer_id, subject.customers))
        if count := (await connection.execute(threads)).scalar_one():
            said.append(f"{count} threads in Slack speak of the customer: delete them there")
    return [*said, *ALWAYS]


async def _sent(connection: Connection, subject: Subject) -> list[str]:
    """Messages that have left the hub."""
    place = BY_TABLE["delivery"]
    looked = search(connection, place, subject)
    c = delivery.c
    statement = select(c.channel, c.receipt, c.subject, c.payload, looked.own.label("own")).where(
        looked.either, c.state.in_(SENT)
    )
    counts: Counter[str] = Counter()
    in_slack: list[str] = []
    for row in await connection.execute(statement):
        if not (row.own or looked.mentions.found([row.subject, row.payload, row.receipt])):
            continue
        counts[row.channel] += 1
        if row.channel == "slack" and len(in_slack) < MOST_NAMED:
            in_slack.append(_slack_place(row.receipt))
    said = [
        f"{count} messages {ELSEWHERE[channel]}" for channel, count in sorted(counts.items()) if channel in ELSEWHERE
    ]
    if counts["slack"]:
        places = ", ".join(place for place in in_slack if place)
        more = f", and {counts['slack'] - len(in_slack)} more" if counts["slack"] > len(in_slack) else ""
        said.append(f"{counts['slack']} messages in Slack: delete them there ({places or 'places unknown'}{more})")
    return said


def _slack_place(receipt: Any) -> str:
    given = receipt if isinstance(receipt, dict) else {}
    return f"{given['channel']} {given['ts']}" if "channel" in given and "ts" in given else ""


async def _running(connection: Connection, subject: Subject) -> list[str]:
    row = subscription.c
    statement = select(func.count()).where(
        among(connection, row.customer_id, subject.customers),
        row.ended_on.is_(None),
        row.deleted.is_(False),
        row.status.not_in([SubscriptionStatus.ENDED.value, SubscriptionStatus.CANCELLED.value]),
    )
    count = (await connection.execute(statement)).scalar_one()
    if not count:
        return []
    return [f"{count} subscriptions still run: no sync will end them any more, so revenue counts them for ever"]
