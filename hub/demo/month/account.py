"""The account of a demo: the ledger's messages against what arrived, each of them once."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from hub.demo.outbox import Outbox
from hub.model.actions import Delivery, DeliveryState
from hub.store.happenings import Standing

MOST_LISTED = 10
COUNTED = ("slack", "email", "webhook")
"""Channels whose messages are one arrival each; PagerDuty's are changes of incidents, Slack's updates replace one another."""


def check(deliveries: Iterable[Delivery], outbox: Outbox) -> list[str]:
    """What is wrong, in words: messages that were confirmed and did not arrive, that arrived twice, or that nobody sent."""
    arrived: Counter[tuple[str, str]] = Counter(
        {(kind, dedup): many for kind, dedup, many in outbox.known() if kind in COUNTED and dedup is not None}
    )
    wrong, ours = [], set()
    for each in deliveries:
        key = known_as(each)
        if key is None or key[0] not in COUNTED:
            continue
        ours.add(key)
        if arrived[key] > 1 or (each.state is DeliveryState.CONFIRMED and not arrived[key]):
            wrong.append(f"message {each.id} to {each.channel} {each.address} arrived {arrived[key]} times")
    strange = [key for key in arrived if key not in ours and key[0] != "email"]  # a lost mail's id stands in no receipt
    wrong += [f"a message {dedup} arrived by {kind} that the ledger does not know" for kind, dedup in strange]
    more = len(wrong) - MOST_LISTED
    return wrong[:MOST_LISTED] + ([f"{more} more messages"] if more > 0 else [])


def known_as(sent: Delivery) -> tuple[str, str] | None:
    """Kind and key of a message at the other side; None where it does not say."""
    if sent.channel != "email":
        return sent.channel, sent.dedup_key if sent.channel == "slack" else sent.id
    told = (sent.receipt or {}).get("message_id")
    return None if told is None else ("email", str(told))


def waits(sent: Delivery, *, now: datetime) -> bool:
    """Whether it is only kept for its hour: a window, working hours, a digest."""
    return sent.state is DeliveryState.HELD or (
        sent.state is DeliveryState.RESERVED and sent.not_before is not None and sent.not_before > now
    )


def rows(standing: Standing, *, did: Mapping[str, int], arrived: int) -> Sequence[tuple[str, object]]:
    """What the month came to, as a table. `did`: what people did; `arrived`: in the outbox."""

    def told(title: str, counts: Mapping[str, int]) -> list[tuple[str, object]]:
        return [(f"{title} {name}", many) for name, many in counts.items()]

    return [
        *told("onboardings", standing.onboardings),
        *told("alerts", standing.alerts),
        *told("… closed as", standing.outcomes),
        *told("tasks", standing.tasks),
        *told("offers", standing.approvals),
        *told("renewals", standing.renewals),
        *told("runs", standing.runs),
        *told("people:", did),
        ("digests", standing.digests),
        *told("kept by the attention budget:", standing.held),
        *((f"messages: {channel} {state}", many) for (channel, state), many in standing.messages.items()),
        ("arrived in the outbox", arrived),
    ]
