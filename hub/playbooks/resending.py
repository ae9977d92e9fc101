"""Before a person sends a message of the ledger once more: whether that goes, and what may be doubled by it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hub.errors import NotFoundError, RefusedError
from hub.model.actions import Delivery, DeliveryState
from hub.store import Store
from hub.store.deliveries import find_deliveries

RESENDABLE = (DeliveryState.FAILED, DeliveryState.UNKNOWN)
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Resend:
    """A message that may be sent once more. `risk`: what may be doubled, in words."""

    delivery: Delivery
    risk: str


async def plan_resend(store: Store, ids: Sequence[str], *, recognised: Collection[str]) -> list[Resend]:
    """The messages of `ids`, in their order. All or none: NotFoundError, or RefusedError that names each that does not go.

    recognised  the channels whose other side knows a message again by its key
    """
    wanted = list(dict.fromkeys(ids))
    if not 1 <= len(wanted) <= MOST:
        raise RefusedError(f"name 1 to {MOST:,} messages")
    async with store.reading() as connection:
        found = {each.id: each for each in await find_deliveries(connection, ids=wanted)}
    if missing := [id_ for id_ in wanted if id_ not in found]:
        raise NotFoundError(f"the ledger has no message {', '.join(map(repr, missing))}")
    if faults := [_fault(found[id_]) for id_ in wanted if found[id_].state not in RESENDABLE]:
        raise RefusedError("; ".join(faults))
    return [Resend(found[id_], _risk(found[id_], recognised)) for id_ in wanted]


def _fault(delivery: Delivery) -> str:
    why = {
        DeliveryState.CONFIRMED: "it has arrived",
        DeliveryState.RESERVED: "it is going to be sent anyway",
        DeliveryState.SENT: "it is on its way",
        DeliveryState.HELD: "it is going to be told in a digest",
        DeliveryState.SUPPRESSED: "nobody may write to its address",
    }[delivery.state]
    return f"{delivery.id} is {delivery.state.value} ({why}); only failed and unknown messages can be sent again"


def _risk(delivery: Delivery, recognised: Collection[str]) -> str:
    if delivery.state is DeliveryState.FAILED and delivery.doubted_at is None:
        return "it surely never arrived: nothing can be doubled"
    if delivery.channel == "pagerduty":
        return (
            "it may have arrived; PagerDuty knows the incident by its key, and opens it anew if it was resolved since"
        )
    if delivery.channel in recognised:
        return "it may have arrived; a receiver that looks at its id takes it only once"
    return f"it may have arrived: people at {delivery.address} may get it twice"
