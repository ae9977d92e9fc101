"""Whether what is tested knows the future: facts that peek, models trained on what came later, columns that have no past."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from hub.backtest.ask import Ask
from hub.backtest.history import CHURN, KEPT, PROFILE
from hub.errors import RefusedError
from hub.store import Store
from hub.store.blindfold import Peek, find_peeks
from hub.store.replay import find_late_model
from scoring.facts import FACTS

ALWAYS = ("tenure_days",)


class PeekingError(RefusedError):
    """What is tested knows the future; `peeks` says how."""

    def __init__(self, peeks: Sequence[str]) -> None:
        self.peeks = tuple(peeks)
        super().__init__(
            "\n".join(peeks)
            + "\nWhat knows the future looks better on the past than it will ever be. The numbers are shown "
            "all the same with --allow-peeking (allowPeeking), and marked."
        )


@dataclass(frozen=True, slots=True)
class Sightedness:
    """peeks: what knows the future, in words; cautions: what has no past, and is today's whatever the day."""

    peeks: tuple[str, ...]
    cautions: tuple[str, ...]


async def look(store: Store, ask: Ask, days: Sequence[date]) -> Sightedness:
    """Blindfold two of `days` and see which of the facts that are used change."""
    used = ask.facts()
    probes = sorted({days[len(days) // 3], days[2 * len(days) // 3]}) if days else []
    found = await find_peeks(store, probes, facts=sorted(used | set(ALWAYS)))
    peeks = [str(peek) for fact, peek in sorted(found.items()) if fact in used]
    fields = ask.fields()
    cautions = [
        f"{name} is today's on every day: nothing tells what it was before the hub watched it"
        for name in sorted(used)
        if not FACTS[name].history
    ]
    cautions += [f"{name} is today's on every day" for name in sorted(fields & PROFILE - KEPT)]
    if asked := sorted(fields & CHURN):
        names = ", ".join(asked)
        cautions.append(f"{names}: only of days that have scorecards; missing on the others")
        if days:
            async with store.reading() as connection:
                late = await find_late_model(connection, first=days[0], last=days[-1] + timedelta(days=1))
            if late is not None:
                peeks.append(
                    f"{names} peeks into the future: of {late.customer_id} on {late.as_of} it comes from model "
                    f"{late.model_version}, trained on {late.trained_at:%Y-%m-%d} on what had become of customers by then"
                )
    return Sightedness(tuple(peeks), tuple(cautions))


__all__ = ["Peek", "PeekingError", "Sightedness", "look"]
