"""What became of playbooks, in lines for a terminal."""

from collections.abc import Callable, Mapping, Sequence

from hub.playbooks.aftermath import EARLY_DAYS, Aftermath
from hub.playbooks.report import HEALTH_DAYS, Effect, Experiment
from hub.store.holdout import Tally
from scoring.experiment import TOO_SMALL, Difference

Show = Callable[[float], str]


def lines(effects: Sequence[Effect]) -> list[str]:
    """Of each playbook a heading, what it did, and what can be said about its effect; those that never ran in one line."""
    found: list[str] = []
    idle = [each for each in effects if len(effects) > 1 and not each.did.runs and each.experiment is None]
    for effect in effects:
        if effect in idle:
            continue
        gone = "" if effect.configured else ", configured no more"
        share = f", {100 * effect.share:g} % held out" if effect.share is not None else ""
        found += [f"{effect.playbook}{share}{gone}", *(f"  {line}" for line in _did(effect.did))]
        if effect.experiment is not None:
            found += [f"  {line}" for line in _experiment(effect.experiment)]
        if effect.became is not None and effect.became.customers:
            found += [f"  {line}" for line in _became(effect.became, effect.did)]
        found += [f"  {effect.says}", ""]
    if idle:
        found += [f"never ran: {', '.join(each.playbook for each in idle)}", ""]
    if any(each.experiment is not None for each in effects):
        found.append(
            "Each interval is right in 95 of 100 cases for who looks once; who looks at many outcomes, or every day until one "
            "says what was hoped for, finds something by chance."
        )
    return found or ["there are no playbooks"]


def _did(did: Tally) -> list[str]:
    if not did.runs:
        return ["never ran"]
    since = f", {did.first:%Y-%m-%d} to {did.last:%Y-%m-%d}" if did.first and did.last else ""
    runs = dict(did.runs)
    held_out = runs.pop("held_out", 0)
    told = [
        f"runs: {_counts(runs) or 'none'}{since}" + (f"; {held_out:,} times left undone by lot" if held_out else "")
    ]
    for name, counts in (("messages", did.messages), ("alerts and tasks", did.calls), ("approvals", did.approvals)):
        if counts:
            told.append(f"{name}: {_counts(counts)}")
    if did.useful or did.not_useful:
        told.append(f"votes: {did.useful} useful, {did.not_useful} not useful")
    return told


def _became(made: Aftermath, did: Tally) -> list[str]:
    """Of those treated; a proof of nothing."""
    told = []
    if calls := sum(did.calls.values()):
        told.append(f"{did.calls.get('success', 0):,} of {calls:,} alerts and tasks closed with success")
    if asked := sum(did.approvals.values()):
        told.append(f"{did.approvals.get('approved', 0):,} of {asked:,} offers approved")
    if made.before is not None and made.after is not None:
        change = f"{100 * made.before:.0f} before, {100 * made.after:.0f} after {EARLY_DAYS} days"
        told.append(f"health {change} ({made.seen:,} customers: {made.better:,} better, {made.worse:,} worse)")
    told += [f"{name} now: {_counts(counts)}" for name, counts in made.stands.items() if counts]
    whom = "1 customer" if made.customers == 1 else f"{made.customers:,} customers"
    return [f"what became of {whom}, which proves nothing: {'; '.join(told)}"] if told else []


def _experiment(made: Experiment) -> list[str]:
    told = [
        f"{made.treated:,} customers treated, {made.held_out:,} held out; the time of {made.immature:,} is not over yet",
        _line(f"left within {made.horizon} days", made.churn, lambda value: f"{100 * value:.1f} %", ""),
        _line(f"health after {EARLY_DAYS} days", made.early_health, lambda value: f"{100 * value:+.1f}", ""),
        _line(f"yearly revenue after {EARLY_DAYS} days", made.early_arr, lambda value: f"{value:+,.0f}", ""),
        _line(
            f"health after {HEALTH_DAYS} days",
            made.health,
            lambda value: f"{100 * value:+.1f}",
            _without(made.no_health),
        ),
        _line(
            f"yearly revenue after {made.horizon} days", made.arr, lambda value: f"{value:+,.0f}", _without(made.no_arr)
        ),
    ]
    if made.again:
        told.append(f"{made.again:,} customers were drawn for again in a later period: they count with their first")
    if made.crossed:
        told.append(f"{made.crossed:,} held-out customers were treated by hand: they count as held out")
    return told


def _line(name: str, found: Difference, show: Show, besides: str) -> str:
    counts = f"{found.n_treated:,} treated, {found.n_held:,} held out"
    if found.value is None or found.low is None or found.high is None:
        return f"{name}: nothing to compare yet ({counts}){besides}"
    treated, held = show(found.treated or 0.0), show(found.held_out or 0.0)
    interval = f"{show(found.value)} (95 %: {show(found.low)} to {show(found.high)})"
    more = f", about {found.needed:,} customers more needed" if found.verdict == TOO_SMALL and found.needed else ""
    return f"{name}: {treated} against {held}, difference {interval}; {found.verdict}{more} ({counts}){besides}"


def _without(number: int) -> str:
    return f"; {number:,} without both scorecards left out" if number else ""


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in counts.items())
